//! `status` and `list`.

use std::time::{Duration, UNIX_EPOCH};

use prx_host::bindings::v0_1::{Health, HealthLevel, Mark, ReportLine, log::Level};
use prx_host::control::{Ask, Code, Say};
use prx_host::status::{ChannelStatus, Noted, Share, SwapEnd};
use serde_json::{Value, json};

use super::{Desk, printed, replies};
use crate::outcome::{Trouble, Verdict};
use crate::render::{Report, bytes, health_json, line, mark_of, status_json};
use crate::texts::Text;

/// Between two looks of `--watch`.
const WATCH_EVERY: Duration = Duration::from_secs(2);
/// From this share of a limit on, somebody should know.
const NEARLY_FULL_PERCENT: u64 = 90;

impl Desk<'_> {
    pub(super) fn status(&mut self, name: Option<&str>, watch: bool) -> Result<Verdict, Trouble> {
        if let Some(name) = name {
            self.known(name)?;
        }
        loop {
            if watch {
                printed(self.screen.clear())?;
            }
            let verdict = match name {
                Some(name) => self.status_of(name)?,
                None => self.all()?,
            };
            if !watch {
                return Ok(verdict);
            }
            std::thread::sleep(WATCH_EVERY);
        }
    }

    fn status_of(&mut self, name: &str) -> Result<Verdict, Trouble> {
        let Some(mut socket) = self.line()? else {
            return self.nobody_to_tell(name);
        };
        let of = name.to_owned();
        let answer = socket.ask(Ask::Status { name: of })?;
        let (said, refused) = match answer {
            Ok(said) => (said, None),
            Err(refused) if refused.code == Code::NoChannel => return self.nobody_to_tell(name),
            // A channel that does not answer has a state all the same: the host's view was said.
            Err(refused) if matches!(refused.code, Code::Timeout | Code::Gone) => {
                let answer = self.line()?.map(|mut line| line.ask(Ask::List));
                let said = answer.transpose()?.and_then(Result::ok);
                (view_of(name, said.unwrap_or_default()), Some(refused))
            }
            Err(refused) => return Err(refused.into()),
        };
        let status = said.iter().find_map(|say| match say {
            Say::Status { status } => Some(status.as_ref().clone()),
            _ => None,
        });
        let mut own = replies(said);
        let mut report = Report::default();
        let mut more = json!({});
        if let Some(status) = &status {
            report.lines = self.lines(status);
            more = json!({"host": status_json(status)});
        }
        report.lines.append(&mut own.lines);
        if let Some(refused) = refused {
            let topic = self.screen.say(Text::TopicAnswer, &[]);
            let text = refused.sentences.join(" ");
            report.lines.push(line(Mark::Fail, topic, text));
        }
        if let Some(status) = &status {
            report.lines.extend(self.recent(&status.recent));
        }
        let to_act_on = status.map(|status| status.health);
        report.summary = to_act_on.and_then(act_on).or(own.summary);
        report.data = own.data;
        self.show(name, true, &report, more)
    }

    /// All channels, a line each.
    fn all(&mut self) -> Result<Verdict, Trouble> {
        let channels = self.configured()?;
        let ok = channels.iter().all(|one| {
            one.health
                .as_ref()
                .is_some_and(|h| h.level != HealthLevel::Stopped)
        });
        self.show_all(&channels)?;
        Ok(Verdict::of(ok))
    }

    pub(super) fn list(&mut self) -> Result<Verdict, Trouble> {
        let channels = self.configured()?;
        self.show_all(&channels)?;
        Ok(Verdict::Good)
    }

    fn show_all(&mut self, channels: &[Listed]) -> Result<(), Trouble> {
        if self.screen.json {
            let channels: Vec<Value> = channels.iter().map(Listed::json).collect();
            let object = json!({"channels": channels});
            return Ok(printed(self.screen.object(&object))?);
        }
        let lines = channels.iter().map(|one| self.listed(one)).collect();
        let lines = Report {
            lines,
            ..Report::default()
        };
        Ok(printed(self.screen.report(&lines))?)
    }

    /// The channels of the configuration, and whether they run.
    fn configured(&self) -> Result<Vec<Listed>, Trouble> {
        let answer = match self.line()? {
            Some(mut line) => line.ask(Ask::Health)?,
            None => Ok(Vec::new()),
        };
        let said = answer.map_err(Trouble::from)?;
        let mut running = said.into_iter().find_map(|say| match say {
            Say::Health { channels } => Some(channels),
            _ => None,
        });
        let there = self.files.layers.channels().into_iter();
        let listed = there.map(|(name, plugin)| {
            let health = running.as_mut().and_then(|running| running.remove(&name));
            Listed {
                known: self.host.plugins.knows(&plugin),
                name,
                plugin,
                health,
            }
        });
        Ok(listed.collect())
    }

    fn listed(&self, one: &Listed) -> ReportLine {
        match &one.health {
            Some(health) => ReportLine {
                evidence: Some(health.code.clone()),
                fix: health.fix.clone(),
                ..line(
                    mark_of(health.level),
                    &one.name,
                    format!("{}: {}", self.level(health.level), health.summary),
                )
            },
            None if one.known => line(
                Mark::Skip,
                &one.name,
                self.screen.say(Text::NotRunning, &[]),
            ),
            None => line(
                Mark::Skip,
                &one.name,
                self.screen.say(Text::NoPlugin, &[&one.plugin]),
            ),
        }
    }

    fn level(&self, level: HealthLevel) -> String {
        let text = match level {
            HealthLevel::Ok => Text::LevelOk,
            HealthLevel::Degraded => Text::LevelDegraded,
            HealthLevel::Stopped => Text::LevelStopped,
        };
        self.screen.say(text, &[])
    }

    /// The host's view in lines.
    fn lines(&self, status: &ChannelStatus) -> Vec<ReportLine> {
        let say = |text, values: &[&dyn std::fmt::Display]| self.screen.say(text, values);
        let fact = |topic, text| line(Mark::Info, say(topic, &[]), text);
        let health = &status.health;
        let (now, counted, blobs) = (&status.now, &status.counted, &status.blobs);
        vec![
            ReportLine {
                evidence: Some(health.code.clone()),
                fix: health.fix.clone(),
                ..line(
                    mark_of(health.level),
                    say(Text::TopicHealth, &[]),
                    format!("{}: {}", self.level(health.level), health.summary),
                )
            },
            ReportLine {
                evidence: Some(format!("sha256 {:.12}", status.digest)),
                ..fact(
                    Text::TopicPlugin,
                    format!("{} {}", status.plugin, status.version),
                )
            },
            self.component(status),
            self.uptime(status),
            ReportLine {
                mark: fullness(status.memory),
                ..fact(Text::TopicMemory, self.share(status.memory))
            },
            match self.not_stored(status) {
                Some(line) => line,
                None => ReportLine {
                    mark: fullness(status.store),
                    ..fact(Text::TopicStore, self.share(status.store))
                },
            },
            ReportLine {
                mark: fullness(*blobs),
                ..fact(
                    Text::TopicBlobs,
                    say(
                        Text::BlobShare,
                        &[&status.blob_count, &bytes(blobs.bytes), &bytes(blobs.limit)],
                    ),
                )
            },
            fact(
                Text::TopicWork,
                say(
                    Text::Work,
                    &[
                        &now.queue,
                        &now.turns,
                        &now.turns_waiting,
                        &now.requests,
                        &now.sockets,
                        &now.timers,
                    ],
                ),
            ),
            fact(
                Text::TopicCounted,
                say(
                    Text::Counted,
                    &[
                        &counted.inputs,
                        &counted.effects,
                        &counted.requests,
                        &counted.requests_failed,
                        &counted.sockets,
                    ],
                ),
            ),
        ]
    }

    /// The warning for a channel whose state is not being stored.
    pub(super) fn not_stored(&self, status: &ChannelStatus) -> Option<ReportLine> {
        let why = status.not_stored.as_ref()?;
        let topic = self.screen.say(Text::TopicStore, &[]);
        Some(ReportLine {
            fix: Some(self.screen.say(Text::NotStoredFix, &[])),
            ..line(Mark::Fail, topic, self.screen.say(Text::NotStored, &[why]))
        })
    }

    /// Which component of how many, and how it came to run.
    fn component(&self, status: &ChannelStatus) -> ReportLine {
        let topic = self.screen.say(Text::TopicComponent, &[]);
        let generation = status.generation;
        let Some(swap) = &status.last_swap else {
            let text = self.screen.say(Text::Generation, &[&generation]);
            return line(Mark::Info, topic, text);
        };
        let when = self.ago(UNIX_EPOCH + Duration::from_millis(swap.wall_ms));
        match &swap.end {
            SwapEnd::TookOver { pause_us, .. } => {
                let pause = format!("{}.{:03}", pause_us / 1000, pause_us % 1000);
                let values: [&dyn std::fmt::Display; 5] =
                    [&generation, &swap.to, &swap.from, &when, &pause];
                line(Mark::Info, topic, self.screen.say(Text::TookOver, &values))
            }
            SwapEnd::RolledBack { fault } => {
                let values: [&dyn std::fmt::Display; 5] =
                    [&generation, &swap.to, &swap.from, &when, fault];
                ReportLine {
                    fix: Some(self.screen.say(Text::LookAtComponent, &[])),
                    ..line(
                        Mark::Warn,
                        topic,
                        self.screen.say(Text::RolledBack, &values),
                    )
                }
            }
        }
    }

    fn uptime(&self, status: &ChannelStatus) -> ReportLine {
        let topic = self.screen.say(Text::TopicUptime, &[]);
        let language = self.screen.locale.language;
        let duration = language.duration(status.uptime_ms / 1000);
        if status.incidents == 0 && status.restarts == 0 {
            return line(
                Mark::Info,
                topic,
                self.screen.say(Text::Uptime, &[&duration]),
            );
        }
        let incidents = self.state_dir().join("incidents").join(&status.name);
        ReportLine {
            fix: Some(self.screen.say(Text::UptimeFix, &[&incidents.display()])),
            ..line(
                Mark::Warn,
                topic,
                self.screen.say(
                    Text::UptimeBroke,
                    &[&duration, &status.incidents, &status.restarts],
                ),
            )
        }
    }

    fn share(&self, share: Share) -> String {
        let values: [&dyn std::fmt::Display; 2] = [&bytes(share.bytes), &bytes(share.limit)];
        self.screen.say(Text::Share, &values)
    }

    /// What was said lately that matters, the newest last.
    fn recent(&self, recent: &[Noted]) -> Vec<ReportLine> {
        let topic = self.screen.say(Text::TopicRecent, &[]);
        let lines = recent.iter().map(|noted| ReportLine {
            evidence: Some(self.ago(UNIX_EPOCH + Duration::from_millis(noted.wall_ms))),
            // What is over does not fail; the health says what is not.
            ..line(
                match noted.level {
                    Level::Warn | Level::Error => Mark::Warn,
                    Level::Debug | Level::Info => Mark::Info,
                },
                topic.clone(),
                &noted.text,
            )
        });
        lines.collect()
    }
}

/// A channel of the configuration.
struct Listed {
    name: String,
    plugin: String,
    known: bool,
    health: Option<Health>,
}

impl Listed {
    fn json(&self) -> Value {
        json!({
            "name": self.name,
            "plugin": self.plugin,
            "known": self.known,
            "running": self.health.is_some(),
            "health": self.health.as_ref().map(health_json),
        })
    }
}

/// The host's view of one channel, out of a list.
pub(super) fn view_of(name: &str, said: Vec<Say>) -> Vec<Say> {
    let views = said.into_iter().filter_map(|say| match say {
        Say::Channels { channels } => Some(channels),
        _ => None,
    });
    let view = views.flatten().find(|status| status.name == name);
    let view = view.map(|status| Say::Status {
        status: Box::new(status),
    });
    view.into_iter().collect()
}

/// What a health asks for, if it does.
fn act_on(health: Health) -> Option<String> {
    match health.level {
        HealthLevel::Ok => None,
        _ => Some(health.fix.unwrap_or(health.summary)),
    }
}

fn fullness(share: Share) -> Mark {
    let full = share.limit > 0
        && share.bytes.saturating_mul(100) / share.limit.max(1) >= NEARLY_FULL_PERCENT;
    if full { Mark::Warn } else { Mark::Info }
}
