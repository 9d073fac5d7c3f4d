//! What the operator asks of a running channel.

use serde::Serialize;

use crate::bindings::{Action, Command, Mark, OperatorCommand, OperatorSend, Reply, ReportLine};
use crate::capabilities::Shown;
use crate::inbound::Inbound;
use crate::scene::Scene;

use super::Channel;

impl Channel {
    pub(super) fn on_command(&mut self, command: &Command) {
        match &command.ask {
            OperatorCommand::Status => self.reply_status(command.id),
            OperatorCommand::Drain => {
                self.turns.hold();
                self.draining = Some(command.id);
            }
            OperatorCommand::Send(send) => self.send(command.id, send),
            OperatorCommand::PairCode => self.pair_code(command.id),
            OperatorCommand::PairList => self.pair_list(command.id),
            OperatorCommand::PairApprove(id) => self.pair_approve(command.id, id),
            OperatorCommand::PairDeny(id) => self.pair_deny(command.id, id),
            OperatorCommand::PairRevoke(openid) => self.pair_revoke(command.id, openid),
            OperatorCommand::Doctor(identify) => self.on_doctor(command.id, *identify),
            OperatorCommand::ReloadConfig(json) => self.reload(command.id, json),
            OperatorCommand::Forget(openid) => self.forget(command.id, openid),
        }
    }

    /// Sends something of the operator's. The reply comes once its outcome is known.
    fn send(&mut self, command: u64, send: &OperatorSend) {
        let Some((scene, target)) = Scene::parse_target(&send.target) else {
            let sentence = format!("{:?} is no target", send.target);
            let fix = "write user:, group:, channel: or dm: and the id";
            return self.refuse(command, "target", &sentence, fix);
        };
        let inbound = Inbound::of_operator(scene, target, self.env.platform_ms());
        self.turns
            .send_for_operator(&mut self.env, command, inbound, &send.parts);
    }

    /// Answers `drain` once nothing is being delivered. What is not begun stays stored for the next start.
    pub(super) fn finish_draining(&mut self) {
        if self.turns.running().is_empty()
            && self.turns.flights.is_empty()
            && let Some(id) = self.draining.take()
        {
            self.reply(id, Vec::new(), None, "nothing is being delivered any more");
        }
    }

    fn reply_status(&mut self, id: u64) {
        let now = self.env.now.mono_ms;
        let seconds = |then: Option<u64>| then.map(|then| now.saturating_sub(then) / 1_000);
        let session = self.gateway.session();
        let status = Status {
            link: self.gateway.link().word(),
            connected_s: seconds(self.gateway.ready_since_ms()),
            last_ack_s: seconds(self.gateway.last_ack_ms()),
            session: session.map(|session| session.id.0.clone()),
            received: session.map(|session| session.received),
            handled: session.map(|session| session.handled),
            token_s: self.auth.valid_until_ms().saturating_sub(now) / 1_000,
            turns_open: self.turns.len(),
            turns_running: self.turns.running().len(),
            refused: self.turns.refusals.refused,
            shed: self.turns.refusals.shed,
            requests: self.env.requests.len(),
            remembered: self.dedup.len(),
            outcomes: self.turns.ledger.recorded(),
            in_review: self.turns.ledger.in_review(),
            paired: self.access.bindings.len(),
            asking: self.access.asks.open().count(),
            learned: self.turns.caps.shown(&self.env),
        };
        let lines = status.lines();
        let data = serde_json::to_string(&status).ok();
        self.reply(id, lines, data, status.link);
    }

    /// Answers a command that cannot be done: with a line that fails, so that nobody takes it for done.
    pub(super) fn refuse(&mut self, id: u64, topic: &str, sentence: &str, fix: &str) {
        let line = ReportLine {
            fix: Some(fix.to_owned()),
            ..line(Mark::Fail, topic, sentence.to_owned())
        };
        self.reply(id, vec![line], None, sentence);
    }

    pub(super) fn reply(
        &mut self,
        id: u64,
        lines: Vec<ReportLine>,
        data: Option<String>,
        summary: &str,
    ) {
        self.env.emit(Action::Reply(Reply {
            id,
            done: true,
            lines,
            data,
            summary: Some(summary.to_owned()),
        }));
    }
}

/// A line of a report, without evidence and without a fix.
pub(super) fn line(mark: Mark, topic: &str, text: String) -> ReportLine {
    ReportLine {
        mark,
        topic: topic.to_owned(),
        text,
        evidence: None,
        fix: None,
    }
}

/// The state of the channel, for programs.
#[derive(Serialize)]
struct Status {
    link: &'static str,
    connected_s: Option<u64>,
    last_ack_s: Option<u64>,
    session: Option<String>,
    received: Option<u64>,
    handled: Option<u64>,
    token_s: u64,
    turns_open: usize,
    turns_running: usize,
    /// Messages refused for want of room, since the process began.
    refused: u64,
    /// Open turns of an earlier process that found no room.
    shed: u64,
    requests: usize,
    remembered: usize,
    outcomes: u64,
    in_review: usize,
    paired: usize,
    asking: usize,
    learned: Vec<Shown>,
}

impl Status {
    fn lines(&self) -> Vec<ReportLine> {
        let ack = self.last_ack_s.map_or_else(
            || "no heartbeat answered yet".to_owned(),
            |s| format!("last heartbeat answered {s} s ago"),
        );
        let session = match (&self.session, self.handled) {
            (Some(session), Some(handled)) => format!("{session}, handled up to {handled}"),
            _ => "none".to_owned(),
        };
        let mark = if self.connected_s.is_some() {
            Mark::Ok
        } else {
            Mark::Warn
        };
        let mut lines = vec![
            line(mark, "gateway", format!("{}, {ack}", self.link)),
            line(Mark::Info, "session", session),
            line(Mark::Info, "token", format!("good for {} s", self.token_s)),
            line(
                Mark::Info,
                "turns",
                format!(
                    "{} open, {} with the agent",
                    self.turns_open, self.turns_running
                ),
            ),
        ];
        if self.refused > 0 || self.shed > 0 {
            let text = format!(
                "{} messages refused because too much was open, {} ended at the start",
                self.refused, self.shed
            );
            lines.push(line(Mark::Warn, "refused", text));
        }
        lines.extend(self.learned.iter().map(|learned| ReportLine {
            evidence: learned.code.map(|code| format!("code {code}")),
            ..line(Mark::Info, "learned", learned.sentence())
        }));
        lines
    }
}
