//! What people, the operator and the agent do to a hand-driven channel, and what they see of it.

use qq_channel::bindings::*;
use serde_json::{Value, json};

use super::{Driver, joined};

impl Driver {
    /// The log so far.
    pub(crate) fn log(&self) -> Vec<String> {
        self.log.lock().unwrap().clone()
    }

    /// The host answers the newest wish for random bytes.
    pub(crate) fn random(&mut self, bytes: Vec<u8>) {
        let asked = self.actions.iter().rev().find_map(|action| match action {
            Action::EntropyAsk(ask) => Some(ask.id),
            _ => None,
        });
        let id = asked.unwrap_or_else(|| panic!("no random bytes are wanted"));
        self.send(Event::Entropy(Entropy { id, bytes }));
    }

    /// Wishes for random bytes.
    pub(crate) fn randoms(&self) -> usize {
        let asked = |action: &&Action| matches!(action, Action::EntropyAsk(_));
        self.actions.iter().filter(asked).count()
    }

    /// A message in a group, addressed or not.
    pub(crate) fn group(&mut self, seq: u64, id: &str, user: &str, text: &str, addressed: bool) {
        let kind = if addressed {
            "GROUP_AT_MESSAGE_CREATE"
        } else {
            "GROUP_MESSAGE_CREATE"
        };
        self.frame(&json!({"op": 0, "s": seq, "t": kind, "id": format!("{kind}:{id}"),
            "d": {"id": id, "author": {"member_openid": user}, "group_openid": "G", "content": text, "timestamp": (self.now.wall_ms / 1_000)}}));
    }

    /// Somebody presses a button in a private chat.
    pub(crate) fn press(&mut self, seq: u64, user: &str, data: &str) {
        self.frame(&json!({"op": 0, "s": seq, "t": "INTERACTION_CREATE", "id": format!("INTERACTION_CREATE:{seq}"),
            "d": {"id": format!("i{seq}"), "type": 11, "scene": "c2c", "chat_type": 2, "user_openid": user,
            "data": {"type": 11, "resolved": {"button_data": data, "button_id": "1"}}}}));
    }

    /// What the newest press was acknowledged with.
    pub(crate) fn acknowledged(&self) -> Value {
        let body = &self.request("ack").unwrap().body;
        serde_json::from_str::<Value>(&joined(body)).unwrap()["code"].clone()
    }

    /// What the buttons carry of the newest message that has any.
    pub(crate) fn buttons(&self) -> Vec<String> {
        let sent = self.sent();
        let keyboard = sent.iter().rev().find_map(|body| body.get("keyboard"));
        let rows = keyboard.unwrap()["content"]["rows"]
            .as_array()
            .unwrap()
            .clone();
        rows.iter()
            .flat_map(|row| row["buttons"].as_array().unwrap().clone())
            .map(|button| button["action"]["data"].as_str().unwrap().to_owned())
            .collect()
    }

    /// The text of the newest message.
    pub(crate) fn said(&self) -> String {
        let sent = self.sent();
        let body = sent.last().unwrap();
        let markdown = body.pointer("/markdown/content").and_then(Value::as_str);
        let plain = body["content"].as_str();
        markdown.or(plain).unwrap().to_owned()
    }

    /// The agent says something of the newest turn.
    pub(crate) fn news(&mut self, news: TurnNews) {
        let begin = self.begun().pop().unwrap();
        self.news_of(&begin, news);
    }

    /// The agent says something of a turn.
    pub(crate) fn news_of(&mut self, begin: &TurnBegin, news: TurnNews) {
        self.send(Event::Turn(TurnEvent {
            turn: begin.id,
            attempt: begin.attempt,
            news,
        }));
    }

    /// The turns that the agent was told to stop.
    pub(crate) fn cancelled(&self) -> Vec<u64> {
        let cancels = self.actions.iter().filter_map(|action| match action {
            Action::TurnCancel(cancel) => Some(cancel.id),
            _ => None,
        });
        cancels.collect()
    }

    /// What the operator was answered last.
    pub(crate) fn reply(&self) -> Reply {
        let mut replies = self.actions.iter().rev();
        let reply = replies.find_map(|action| match action {
            Action::Reply(reply) => Some(reply.clone()),
            _ => None,
        });
        reply.unwrap()
    }

    /// The operator asks for something.
    pub(crate) fn ask(&mut self, ask: OperatorCommand) {
        self.send(Event::Command(Command { id: 5, ask }));
    }
}
