//! What the operator asks about people: who is paired, who wants to be, and what is to become of them.

use serde::Serialize;

use crate::access::bindings::How;
use crate::access::pairing::Written;
use crate::bindings::{Mark, ReportLine};
use crate::config::Config;

use super::Channel;
use super::operator::line;

impl Channel {
    /// Makes a new code. The reply comes with it.
    pub(super) fn pair_code(&mut self, command: u64) {
        if self.env.config.pairs() {
            return self.want_code(Some(command));
        }
        let fix = "empty allowed_users to pair people with codes, or add their ids to it";
        let text = "allowed_users names who may talk to the bot, so nobody pairs";
        self.refuse(command, "code", text, fix);
    }

    /// The code that the operator asked for, if there is one.
    pub(super) fn reply_code(&mut self, command: Option<u64>, code: Option<&Written>) {
        let Some(command) = command else {
            return;
        };
        let Some(code) = code else {
            let text = "the host has no randomness for a code";
            let lines = vec![line(Mark::Fail, "code", text.to_owned())];
            return self.reply(command, lines, None, text);
        };
        let valid_s = self.code_s().unwrap_or_default();
        let minutes = valid_s / 60;
        let Written { short, long } = code;
        let text = format!(
            "write /bind {short} to the bot in a private chat within {minutes} minutes; it works once"
        );
        let longer = format!("should somebody guess codes meanwhile, only /bind {long} works");
        let data = serde_json::json!({"code": short, "long_code": long, "valid_s": valid_s});
        let data = data.to_string();
        let lines = vec![
            line(Mark::Ok, "code", text.clone()),
            line(Mark::Info, "code", longer),
        ];
        self.reply(command, lines, Some(data), &text);
    }

    /// Seconds for which there is a code.
    fn code_s(&self) -> Option<u64> {
        let valid_ms = self.access.pairing.valid_ms(self.env.now.mono_ms);
        valid_ms.map(|ms| ms / 1_000)
    }

    /// Lists who is paired, and who wants to be.
    pub(super) fn pair_list(&mut self, command: u64) {
        let report = self.people();
        let lines = report.lines(&self.env.instance, &self.env.config);
        let summary = format!(
            "{} paired, {} asking",
            report.bindings.len(),
            report.requests.len()
        );
        let data = serde_json::to_string(&report).ok();
        self.reply(command, lines, data, &summary);
    }

    fn people(&self) -> People {
        let bindings = self.access.bindings.iter().map(|(person, binding)| Bound {
            openid: person.openid.0.clone(),
            kind: person.kind.word(),
            name: binding.name.clone(),
            how: binding.how,
            owner: binding.owner,
            at_ms: binding.at_ms,
        });
        let requests = self.access.asks.open().map(|(number, ask)| Asking {
            id: number.to_string(),
            openid: ask.person.openid.0.clone(),
            kind: ask.person.kind.word(),
            name: ask.name.clone(),
            scene: ask.scene.word(),
            target: ask.target.0.clone(),
            at_ms: ask.at_ms,
            sentence: ask.sentence(),
        });
        People {
            pairing: self.env.config.pairs(),
            code_s: self.code_s(),
            bindings: bindings.collect(),
            requests: requests.collect(),
        }
    }

    /// Lets somebody in who asked.
    pub(super) fn pair_approve(&mut self, command: u64, id: &str) {
        let Some(number) = self.access.asks.find(id) else {
            return self.no_request(command, id);
        };
        match self.approve(number, How::Operator) {
            Some(ask) => {
                let text = format!("{} may talk to the bot now", ask.sentence());
                let lines = vec![line(Mark::Ok, "approve", text.clone())];
                self.reply(command, lines, None, &text);
            }
            None => {
                let text = "there is no room for more people; revoke somebody first";
                let lines = vec![line(Mark::Fail, "approve", text.to_owned())];
                self.reply(command, lines, None, text);
            }
        }
    }

    /// Says no to somebody who asked.
    pub(super) fn pair_deny(&mut self, command: u64, id: &str) {
        let number = self.access.asks.find(id);
        let denied = number.and_then(|number| self.access.asks.deny(&mut self.env, number));
        let Some(ask) = denied else {
            return self.no_request(command, id);
        };
        let text = format!("{} is denied, and is not told", ask.sentence());
        let lines = vec![line(Mark::Ok, "deny", text.clone())];
        self.reply(command, lines, None, &text);
    }

    fn no_request(&mut self, command: u64, id: &str) {
        let text = format!("there is no request {id}");
        let fix = format!("`prx channel pair {} list` shows them", self.env.instance);
        self.refuse(command, "request", &text, &fix);
    }

    /// Takes away what somebody was granted.
    pub(super) fn pair_revoke(&mut self, command: u64, openid: &str) {
        let theirs = self.access.bindings.revoke(&mut self.env, openid);
        if theirs.is_empty() {
            let text = format!("{openid} is not paired");
            let listed = self.env.config.allowed_users.iter();
            let listed = listed.filter(|entry| entry.split('@').next() == Some(openid));
            let fix = listed
                .map(|entry| format!("take {entry:?} out of allowed_users"))
                .next();
            let lines = vec![ReportLine {
                fix,
                ..line(Mark::Fail, "revoke", text.clone())
            }];
            return self.reply(command, lines, None, &text);
        }
        let text = format!("{openid} may not talk to the bot any more");
        self.env.log(crate::env::Level::Info, &text);
        let lines = vec![line(Mark::Ok, "revoke", text.clone())];
        self.reply(command, lines, None, &text);
    }
}

/// Who may, and who wants to, for programs.
#[derive(Serialize)]
struct People {
    /// People pair; else the operator's list names them.
    pairing: bool,
    /// Seconds for which there is a code.
    code_s: Option<u64>,
    bindings: Vec<Bound>,
    requests: Vec<Asking>,
}

#[derive(Serialize)]
struct Bound {
    openid: String,
    kind: &'static str,
    name: String,
    how: How,
    owner: bool,
    at_ms: u64,
}

#[derive(Serialize)]
struct Asking {
    id: String,
    openid: String,
    kind: &'static str,
    name: String,
    scene: &'static str,
    target: String,
    at_ms: u64,
    #[serde(skip)]
    sentence: String,
}

impl People {
    fn lines(&self, name: &str, config: &Config) -> Vec<ReportLine> {
        let mut lines = Vec::new();
        lines.push(match (self.pairing, self.code_s) {
            (true, Some(left_s)) => {
                let text = format!("a code is valid for {} min more", left_s.div_ceil(60));
                line(Mark::Info, "code", text)
            }
            (true, None) => {
                let text = format!("none; `prx channel pair {name} code` makes one");
                line(Mark::Info, "code", text)
            }
            (false, _) => {
                let text = format!(
                    "nobody pairs: allowed_users has {} entries",
                    config.allowed_users.len()
                );
                line(Mark::Info, "code", text)
            }
        });
        lines.extend(self.bindings.iter().map(|bound| {
            let owner = if bound.owner { ", the owner" } else { "" };
            let named = match bound.name.as_str() {
                "" => String::new(),
                name => format!(" ({name})"),
            };
            let text = format!("{}{named}{owner}, {}", bound.openid, bound.how.word());
            line(Mark::Ok, "paired", text)
        }));
        lines.extend(self.requests.iter().map(|asking| {
            let text = format!("request {}: {}", asking.id, asking.sentence);
            ReportLine {
                fix: Some(format!("prx channel pair {name} approve {}", asking.id)),
                ..line(Mark::Warn, "asking", text)
            }
        }));
        lines
    }
}
