//! The doctor at work: one stage after another, until one fails or all are done.
//!
//! A channel that runs is looked at as it is, and asked for nothing that could disturb it: no second token, no second
//! session. One that was started for this only goes through the stages of a start, and identifies where that is asked
//! for, since a session of its own may take the place of a live one elsewhere.

use serde::{Deserialize, Serialize};

use crate::auth::News;
use crate::bindings::{HttpDone, HttpOutcome, HttpResponse};
use crate::capabilities::Learned;
use crate::delivery::errors::trace_header;
use crate::doctor::{self, Finding, Stands};
use crate::gateway::Link;
use crate::gateway::intents::Intents;
use crate::health;
use crate::requests::{Body, Purpose};
use crate::timers::Timer;

use super::Channel;

/// Milliseconds in which a session must be there: a refused set of intents costs five seconds each.
const IDENTIFY_MS: u64 = 60_000;
/// The platform's newer address, tried besides the classic one.
const UNIFIED_API: &str = "https://api.bot.qq.com";
/// What to do about something that is being tried again by itself.
const LOOK_AGAIN: &str = "Wait a minute and look again; the log says what is being tried.";
/// Sessions opened within an hour that look as if two programs took each other's place.
const MANY_SESSIONS: usize = 4;

/// A question of the doctor's to the platform.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Check {
    /// The address of the gateway, and how many sessions may be begun.
    Gateway,
    /// Who the bot is.
    Me,
    /// Whether the newer address answers as well.
    Unified,
}

/// Where an examination is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
enum At {
    Token,
    Asking(Check),
    Identifying,
}

/// An examination under way.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Examination {
    command: u64,
    /// Open a session, too.
    identify: bool,
    findings: Vec<Finding>,
    at: At,
}

impl Channel {
    pub(super) fn on_doctor(&mut self, command: u64, identify: bool) {
        if self.examination.is_some() {
            let sentence = "another examination is under way";
            return self.refuse(command, "doctor", sentence, "wait for its end");
        }
        self.examination = Some(Examination {
            command,
            identify,
            findings: Vec::new(),
            at: At::Token,
        });
        self.find_configuration();
        if self.probe {
            self.auth.want(&mut self.env);
        } else {
            self.find_live();
        }
    }

    fn find(&mut self, finding: Finding) {
        if let Some(examination) = self.examination.as_mut() {
            examination.findings.push(finding);
        }
    }

    fn find_configuration(&mut self) {
        let config = &self.env.config;
        let text = format!("AppID {}, API {}", config.app_id, config.api_base);
        let pairs = config.pairs();
        self.find(Finding::new(Stands::Ok, "configuration", text));
        if pairs && self.access.bindings.is_empty() {
            let none = Finding::new(Stands::Warn, "people", "nobody may talk to the bot yet").fix(
                "Pair with the code that `channel pair` shows, or name people in allowed_users.",
            );
            self.find(none);
        }
    }

    /// A running channel: what it knows of itself, and one harmless question.
    fn find_live(&mut self) {
        let now = self.env.now.mono_ms;
        if self.auth.valid(&self.env) {
            let left_s = self.auth.valid_until_ms().saturating_sub(now) / 1_000;
            let text = format!("valid for {left_s} s");
            self.find(Finding::new(Stands::Ok, "token", text));
        } else {
            self.find_health("token", "there is none");
        }
        if let (Link::Ready(_), Some(since)) = (self.gateway.link(), self.gateway.ready_since_ms())
        {
            let ack = self
                .gateway
                .last_ack_ms()
                .map(|at| now.saturating_sub(at) / 1_000);
            let ack = ack.map_or_else(|| "none yet".to_owned(), |s| format!("{s} s ago"));
            let text = format!("connected for {} s", now.saturating_sub(since) / 1_000);
            let evidence = format!("last heartbeat answered {ack}");
            self.find(Finding::new(Stands::Ok, "gateway", text).evidence(evidence));
            self.find_intents();
        } else {
            let link = format!("not connected: {}", self.gateway.link().word());
            self.find_health("gateway", &link);
        }
        self.find_rival();
        let clock = doctor::clock(self.env.now.wall_ms, self.env.platform_ms());
        self.find(clock);
        if self.auth.valid(&self.env) {
            self.ask(Check::Me);
        } else {
            self.conclude();
        }
    }

    /// What the channel last said of itself, as the reason for something that is not as it should be.
    fn find_health(&mut self, topic: &str, otherwise: &str) {
        let known = self.env.health.clone();
        let finding = match known.filter(|(code, ..)| code != "ready") {
            Some((code, summary, fix)) => Finding::new(Stands::Fail, topic, summary)
                .evidence(code)
                .fix(fix.unwrap_or_else(|| LOOK_AGAIN.to_owned())),
            None => Finding::new(Stands::Fail, topic, otherwise).fix(LOOK_AGAIN),
        };
        self.find(finding);
    }

    fn find_intents(&mut self) {
        let granted = Intents::from_bits(self.gateway.granted(&self.env));
        let missing = self.env.config.intents.names_missing_in(granted);
        let finding = if missing.is_empty() {
            let names = granted.names_missing_in(Intents::default()).join(", ");
            Finding::new(Stands::Ok, "intents", "all that are asked for are granted")
                .evidence(names)
        } else {
            let text = format!("not granted: {}", missing.join(", "));
            Finding::new(Stands::Warn, "intents", text).fix(health::MISSING_INTENTS_FIX)
        };
        self.find(finding);
        if !granted.hears_anything() {
            let deaf = Finding::new(Stands::Fail, "intents", "nothing that is granted brings messages")
                .fix("Add group_and_c2c for private chats and groups, and public_guild_messages for guilds.");
            self.find(deaf);
        }
    }

    /// Two programs with one AppID take each other's session away.
    fn find_rival(&mut self) {
        let sessions = self.gateway.sessions_of_the_last_hour(self.env.now.mono_ms);
        if sessions >= MANY_SESSIONS {
            let text = format!("{sessions} sessions were opened within an hour");
            let rival = Finding::new(Stands::Warn, "rivals", text)
                .fix("Look for a second program with the same AppID: the daemon's own QQ channel, or another machine.");
            self.find(rival);
        }
    }

    fn ask(&mut self, check: Check) {
        if let Some(examination) = self.examination.as_mut() {
            examination.at = At::Asking(check);
        }
        let (path, base) = match check {
            Check::Gateway => ("/gateway/bot", None),
            Check::Me => ("/users/@me", None),
            Check::Unified => ("/gateway", Some(UNIFIED_API)),
        };
        let purpose = Purpose::Doctor(check);
        self.env
            .call_api_at(base, purpose, "GET", path, Body::None, false);
    }

    /// The answer to the token request of a channel that was started for this only.
    pub(super) fn examine_token(&mut self, news: News, done: &HttpDone) {
        if !self
            .examination
            .as_ref()
            .is_some_and(|examination| examination.at == At::Token)
        {
            return;
        }
        match (news, &done.outcome) {
            (News::Valid, _) => {
                let left_s = self
                    .auth
                    .valid_until_ms()
                    .saturating_sub(self.env.now.mono_ms)
                    / 1_000;
                self.find(Finding::new(
                    Stands::Ok,
                    "token",
                    format!("granted for {left_s} s"),
                ));
                let clock = doctor::clock(self.env.now.wall_ms, self.env.platform_ms());
                self.find(clock);
                self.ask(Check::Gateway);
            }
            (News::Stop(stop, code), _) => {
                let (text, fix) = health::explain(stop);
                let finding = Finding::new(Stands::Fail, "token", text);
                self.find(finding.evidence(format!("code {code}")).fix(fix));
                self.conclude();
            }
            (News::Later, HttpOutcome::Failed(failure)) => {
                self.find(doctor::unreachable("token", failure));
                self.conclude();
            }
            (News::Later, HttpOutcome::Response(response)) => {
                self.find(doctor::refused(
                    "token",
                    response.status,
                    &response.body,
                    None,
                ));
                self.conclude();
            }
        }
    }

    /// The answer to a question of the doctor's.
    pub(super) fn examine_answer(&mut self, check: Check, done: &HttpDone) {
        let response = match &done.outcome {
            HttpOutcome::Response(response) => response,
            HttpOutcome::Failed(failure) => {
                let finding = doctor::unreachable(topic(check), failure);
                return self.after(check, soften(check, finding));
            }
        };
        let finding = match (check, response.status) {
            (Check::Gateway, 200) => gateway_found(&response.body),
            (Check::Gateway, 404) => {
                Finding::new(Stands::Ok, "gateway", "answers without its limits")
            }
            (Check::Me, 200) => bot_found(&response.body),
            (Check::Unified, 200) => Finding::new(
                Stands::Info,
                "api.bot.qq.com",
                "answers as well: it can be set as api_base",
            ),
            _ => soften(check, refused(check, response)),
        };
        self.after(check, finding);
    }

    fn after(&mut self, check: Check, finding: Finding) {
        let failed = finding.stands == Stands::Fail;
        self.find(finding);
        match check {
            _ if failed => self.conclude(),
            Check::Gateway => self.ask(Check::Me),
            Check::Me if self.probe && self.env.config.is_classic() => self.ask(Check::Unified),
            Check::Me | Check::Unified if self.probe => self.identify_or_not(),
            Check::Me | Check::Unified => self.conclude(),
        }
    }

    fn identify_or_not(&mut self) {
        let Some(examination) = self.examination.as_mut() else {
            return;
        };
        if !examination.identify {
            let untested = Finding::new(Stands::Skip, "session", "not tested")
                .fix("Add --identify; it opens a session, and takes the place of one elsewhere.");
            self.find(untested);
            return self.conclude();
        }
        examination.at = At::Identifying;
        self.env.set_timer(Timer::Doctor, IDENTIFY_MS);
        let want = self.gateway.connect(&mut self.env, true);
        self.want(want);
    }

    /// Looks whether the session that was asked for is there, or will not be.
    pub(super) fn examine_session(&mut self) {
        let identifying = |examination: &Examination| examination.at == At::Identifying;
        if !self.examination.as_ref().is_some_and(identifying) {
            return;
        }
        match self.gateway.link().clone() {
            Link::Ready(_) => {
                self.find(Finding::new(
                    Stands::Ok,
                    "session",
                    "opened, and closed again",
                ));
                self.find_intents();
                self.gateway.leave(&mut self.env);
                self.conclude();
            }
            Link::Stopped(stop) => {
                let (text, fix) = health::explain(stop);
                let finding = Finding::new(Stands::Fail, "session", text);
                self.find(finding.evidence(stop.code()).fix(fix));
                self.conclude();
            }
            _ => {}
        }
    }

    /// The session did not come.
    pub(super) fn on_doctor_time(&mut self) {
        if self.examination.is_some() {
            let link = format!("no session within {} s", IDENTIFY_MS / 1_000);
            self.find_health("session", &link);
            self.conclude();
        }
    }

    fn conclude(&mut self) {
        let shown = self.turns.caps.shown(&self.env);
        for learned in shown {
            let refused = learned.learned == Learned::Refused;
            let stands = if refused { Stands::Warn } else { Stands::Info };
            let code = learned.code.map(|code| format!("code {code}"));
            self.find(Finding {
                evidence: code,
                ..Finding::new(stands, "learned", learned.sentence())
            });
        }
        self.find(doctor::unseen());
        self.env.clear_timer(Timer::Doctor);
        let Some(examination) = self.examination.take() else {
            return;
        };
        let lines = examination.findings.iter().map(Finding::line).collect();
        let data = serde_json::to_string(&examination.findings).ok();
        let summary = doctor::summary(&examination.findings);
        self.reply(examination.command, lines, data, &summary);
    }
}

fn topic(check: Check) -> &'static str {
    match check {
        Check::Gateway => "gateway",
        Check::Me => "bot",
        Check::Unified => "api.bot.qq.com",
    }
}

fn refused(check: Check, response: &HttpResponse) -> Finding {
    let trace = trace_header(response);
    doctor::refused(topic(check), response.status, &response.body, trace)
}

/// The newer address is worth knowing, and nothing depends on it.
fn soften(check: Check, finding: Finding) -> Finding {
    if check != Check::Unified {
        return finding;
    }
    Finding {
        stands: Stands::Info,
        fix: None,
        ..finding
    }
}

fn gateway_found(body: &str) -> Finding {
    #[derive(Deserialize)]
    struct Body {
        session_start_limit: Option<Limit>,
    }
    #[derive(Deserialize)]
    struct Limit {
        total: i64,
        remaining: i64,
        #[serde(default)]
        reset_after: u64,
    }
    let limit = serde_json::from_str::<Body>(body)
        .ok()
        .and_then(|body| body.session_start_limit);
    let Some(limit) = limit else {
        return Finding::new(Stands::Ok, "gateway", "answers");
    };
    let text = format!(
        "{} of {} session starts are left",
        limit.remaining, limit.total
    );
    if limit.remaining > 0 {
        return Finding::new(Stands::Ok, "gateway", text);
    }
    let minutes = limit.reset_after / 60_000;
    Finding::new(Stands::Fail, "gateway", text).fix(format!(
        "Wait {minutes} min; look for a program that begins sessions without end."
    ))
}

fn bot_found(body: &str) -> Finding {
    #[derive(Default, Deserialize)]
    #[serde(default)]
    struct Me {
        id: String,
        username: String,
    }
    let me: Me = serde_json::from_str(body).unwrap_or_default();
    Finding::new(Stands::Ok, "bot", format!("{:?}", me.username)).evidence(format!("id {}", me.id))
}
