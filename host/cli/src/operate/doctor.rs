//! `doctor`: of a channel that runs through the control socket, of one that does not in this process.

use prx_host::bindings::v0_1::{Mark, OperatorCommand, ReportLine};
use prx_host::control::{Ask, Code, Say};
use prx_host::files;
use prx_host::store::{StoreCopy, StoreError};
use serde_json::{Value, json};

use super::probe::{self, Examined};
use super::status::view_of;
use super::{Desk, printed, replies};
use crate::args::spelled;
use crate::outcome::{Trouble, Verdict};
use crate::render::{Report, line};
use crate::safety;
use crate::setup;
use crate::texts::Text;

/// How one channel is, with whether it runs.
struct Finding {
    running: bool,
    examined: Examined,
}

impl Desk<'_> {
    pub(super) fn doctor(&mut self, name: &str, identify: bool) -> Result<Verdict, Trouble> {
        self.known(name)?;
        let Finding { running, examined } = self.examine(name, identify)?;
        let mut report = match examined {
            Examined::Report(report) => report,
            Examined::TimedOut(sentence) => {
                let topic = self.screen.say(Text::TopicAnswer, &[]);
                Report {
                    lines: vec![line(Mark::Fail, topic, sentence)],
                    data: None,
                    summary: Some(self.screen.say(Text::LookAtLog, &[])),
                }
            }
        };
        if report.summary.is_none() {
            let text = match (report.fails(), report.lines.is_empty()) {
                (true, _) => Text::LookAtLog,
                (false, true) => Text::NoAnswer,
                (false, false) => Text::AllGood,
            };
            report.summary = Some(self.screen.say(text, &[]));
        }
        self.show(name, running, &report, json!({}))
    }

    /// All channels, a line each and a line of totals.
    pub(super) fn doctor_all(&mut self) -> Result<Verdict, Trouble> {
        let mut lines = Vec::new();
        let mut objects = Vec::new();
        let [mut healthy, mut unhealthy, mut timed_out] = [0u32; 3];
        for (name, plugin) in self.files.layers.channels() {
            if !self.host.plugins.knows(&plugin) {
                continue;
            }
            // One channel's mistakes do not hide the others.
            let (found, running) = match self.examine(&name, false) {
                Ok(finding) => (Ok(finding.examined), finding.running),
                Err(trouble) => (Err(trouble.into_error().to_string()), false),
            };
            let (mark, state, text) = match found {
                Ok(Examined::Report(report)) if !report.fails() => {
                    healthy += 1;
                    (Mark::Ok, "healthy", self.screen.say(Text::Healthy, &[]))
                }
                Ok(Examined::Report(report)) => {
                    unhealthy += 1;
                    let cause = first_failure(&report);
                    (
                        Mark::Fail,
                        "unhealthy",
                        self.screen.say(Text::Unhealthy, &[&cause]),
                    )
                }
                Ok(Examined::TimedOut(_)) => {
                    timed_out += 1;
                    (
                        Mark::Fail,
                        "timed-out",
                        self.screen.say(Text::TimedOut, &[]),
                    )
                }
                Err(cause) => {
                    unhealthy += 1;
                    let cause = cause.replace('\n', "; ");
                    (
                        Mark::Fail,
                        "unhealthy",
                        self.screen.say(Text::Unhealthy, &[&cause]),
                    )
                }
            };
            objects
                .push(json!({"channel": name, "running": running, "state": state, "text": text}));
            lines.push(line(mark, name, text));
        }
        let totals: [&dyn std::fmt::Display; 3] = [&healthy, &unhealthy, &timed_out];
        let summary = self.screen.say(Text::Summary, &totals);
        self.show_findings(lines, &objects, summary)?;
        Ok(Verdict::of(unhealthy + timed_out == 0))
    }

    fn show_findings(
        &mut self,
        lines: Vec<prx_host::bindings::v0_1::ReportLine>,
        objects: &[Value],
        summary: String,
    ) -> Result<(), Trouble> {
        let shown = if self.screen.json {
            self.screen
                .object(&json!({"channels": objects, "summary": summary}))
        } else {
            let mut report = Report {
                lines,
                data: None,
                summary: Some(summary),
            };
            if report.fails() {
                let more = self.screen.say(Text::SummaryFix, &[&spelled()]);
                report.summary = report.summary.map(|summary| format!("{summary}; {more}"));
            }
            self.screen.report(&report)
        };
        Ok(printed(shown)?)
    }

    fn examine(&self, name: &str, identify: bool) -> Result<Finding, Trouble> {
        if let Some(mut socket) = self.line()? {
            let (of, command) = (name.to_owned(), OperatorCommand::Doctor(identify));
            let examined = match socket.ask(Ask::Command { name: of, command })? {
                Ok(said) => {
                    let mut report = replies(said);
                    self.hosts_own(name, &mut report)?;
                    Examined::Report(report)
                }
                Err(refused) if refused.code == Code::Timeout => {
                    Examined::TimedOut(refused.sentences.join(" "))
                }
                // Another channel runs in that process; it has the store, so this one is only named.
                Err(refused) if refused.code == Code::NoChannel => {
                    let examined = Examined::Report(self.stopped(name)?);
                    return Ok(Finding {
                        running: false,
                        examined,
                    });
                }
                Err(refused) => return Err(refused.into()),
            };
            return Ok(Finding {
                running: true,
                examined,
            });
        }
        let examined = match StoreCopy::of(self.state_dir()) {
            Ok(copy) => match probe::examine(&self.files, &self.host, &copy, name, identify)? {
                Examined::Report(mut report) => {
                    self.places(&mut report);
                    if let Some(line) = self.not_writable() {
                        add(&mut report, line);
                    }
                    Examined::Report(report)
                }
                timed_out @ Examined::TimedOut(_) => timed_out,
            },
            Err(StoreError::Locked { .. }) => Examined::Report(self.stopped(name)?),
            Err(error) => return Err(Trouble::Failed(error.into())),
        };
        Ok(Finding {
            running: false,
            examined,
        })
    }
}

impl Desk<'_> {
    /// What the host knows of a channel that runs, and the channel does not.
    fn hosts_own(&self, name: &str, report: &mut Report) -> Result<(), Trouble> {
        let said = self
            .line()?
            .map(|mut line| line.ask(Ask::List))
            .transpose()?;
        let said = said.and_then(Result::ok).unwrap_or_default();
        let statuses = view_of(name, said).into_iter();
        for say in statuses {
            if let Say::Status { status } = say
                && let Some(line) = self.not_stored(&status)
            {
                add(report, line);
            }
        }
        self.places(report);
        Ok(())
    }

    /// Who else can change or read what this program goes by.
    fn places(&self, report: &mut Report) {
        // What is wrong in the tables was said before this.
        let Ok(tables) = setup::tables(&self.files) else {
            return;
        };
        let safety = safety::look(&self.files, &tables);
        let topic = self.screen.say(Text::TopicFiles, &[]);
        for sentence in safety.refused {
            add(report, line(Mark::Fail, topic.clone(), sentence));
        }
        for sentence in safety.warnings {
            add(report, line(Mark::Warn, topic.clone(), sentence));
        }
    }

    /// Whether a start could store something.
    fn not_writable(&self) -> Option<ReportLine> {
        let error = files::takes_nothing(self.state_dir())?;
        let topic = self.screen.say(Text::TopicStore, &[]);
        let shown = format!("{}: {error}", self.state_dir().display());
        Some(ReportLine {
            fix: Some(self.screen.say(Text::NotStoredFix, &[])),
            ..line(
                Mark::Fail,
                topic,
                self.screen.say(Text::NotStored, &[&shown]),
            )
        })
    }
}

/// Adds a line; the one that fails is what to act on.
fn add(report: &mut Report, line: ReportLine) {
    if line.mark == Mark::Fail {
        report.summary = Some(line.fix.clone().unwrap_or_else(|| line.text.clone()));
    }
    report.lines.push(line);
}

fn first_failure(report: &Report) -> String {
    let failed = report.lines.iter().find(|line| line.mark == Mark::Fail);
    failed.map_or_else(String::new, |line| line.text.clone())
}
