//! A hand-driven channel: answers its requests, and remembers what it asked for.

use std::sync::{Arc, Mutex};

use qq_channel::bindings::*;
use qq_channel::channel::{Channel, describe};
use serde_json::{Value, json};

mod people;

/// Wall-clock milliseconds at the start.
pub(crate) const BEGIN_MS: u64 = 1_800_000_000_000;

/// A channel, its clock, and everything it asked for.
pub(crate) struct Driver {
    pub(crate) channel: Channel,
    pub(crate) now: Instant,
    pub(crate) actions: Vec<Action>,
    pub(crate) generation: u64,
    log: Arc<Mutex<Vec<String>>>,
    /// What was stored before the actions.
    base: Vec<Entry>,
}

/// The operator's table with its defaults and some keys set.
pub(crate) fn config(overrides: &Value) -> String {
    let mut table = serde_json::Map::new();
    for key in describe().keys.into_iter().filter(|key| !key.secret) {
        if let Some(default) = key.default {
            table.insert(key.name, serde_json::from_str(&default).unwrap());
        }
    }
    table.insert("app_id".into(), "102012345".into());
    table.insert("allowed_users".into(), json!(["*"]));
    table.insert(
        "intents".into(),
        json!(["group_and_c2c", "public_guild_messages"]),
    );
    for (key, value) in overrides.as_object().cloned().unwrap_or_default() {
        table.insert(key, value);
    }
    Value::Object(table).to_string()
}

pub(crate) fn boot(overrides: &Value, entries: Vec<Entry>, number: u32) -> Boot {
    Boot {
        instance: "qq".into(),
        boot_number: number,
        entropy: vec![7; 32],
        reason: if number == 1 {
            StartReason::Cold
        } else {
            StartReason::Restart
        },
        config: config(overrides),
        secrets: vec!["app_secret".into()],
        entries,
        shed: 0,
        checkpoint: None,
        host: "driver".into(),
    }
}

impl Driver {
    /// A channel that was just started.
    pub(crate) fn start(overrides: &Value) -> Self {
        Self::start_with(boot(overrides, Vec::new(), 1))
    }

    pub(crate) fn start_with(boot: Boot) -> Self {
        let now = Instant {
            mono_ms: 1_000,
            wall_ms: BEGIN_MS,
        };
        let base = boot.entries.clone();
        let log = Arc::new(Mutex::new(Vec::new()));
        let lines = Arc::clone(&log);
        let sink = move |level, line: &str| {
            lines.lock().unwrap().push(format!("{level:?} {line}"));
        };
        let (channel, effects) = Channel::start(now, boot, Box::new(sink)).unwrap();
        let actions = effects.into_iter().map(|effect| effect.action).collect();
        Self {
            channel,
            now,
            actions,
            generation: 0,
            log,
            base,
        }
    }

    /// A channel that has a token, a session and a connection.
    pub(crate) fn connected(overrides: &Value) -> Self {
        Self::connected_with(boot(overrides, Vec::new(), 1))
    }

    /// The same with what an earlier process stored.
    pub(crate) fn connected_with(boot: Boot) -> Self {
        let mut driver = Self::start_with(boot);
        driver.good_token(true);
        // A session that can be resumed knows its address.
        if driver.request("gateway").is_some() {
            driver.gateway();
        }
        driver.greet();
        driver.frame(&json!({"op": 0, "s": 1, "t": "READY", "d": {"session_id": "s-1", "user": {"id": "9", "username": "bot"}}}));
        driver.base = driver.stored();
        driver.actions.clear();
        // Some quiet, so that a new Identify would not be too early.
        driver.later(10_000);
        driver
    }

    pub(crate) fn send(&mut self, event: Event) {
        let effects = self.channel.handle(self.now, event);
        self.actions
            .extend(effects.into_iter().map(|effect| effect.action));
    }

    pub(crate) fn later(&mut self, ms: u64) {
        self.now = Instant {
            mono_ms: self.now.mono_ms + ms,
            wall_ms: self.now.wall_ms + ms,
        };
    }

    /// Fires the timer set last for this purpose, at its time.
    pub(crate) fn fire(&mut self, purpose: &str) -> bool {
        let set = self.actions.iter().rev().find_map(|action| match action {
            Action::TimerSet(timer) if timer.purpose == purpose => Some(timer.clone()),
            _ => None,
        });
        let Some(timer) = set else { return false };
        let wait = timer.due_mono_ms.saturating_sub(self.now.mono_ms);
        self.later(wait);
        self.send(Event::TimerFired(timer.id));
        true
    }

    /// How long until the timer set last for this purpose.
    pub(crate) fn wait_of(&self, purpose: &str) -> Option<u64> {
        self.actions.iter().rev().find_map(|action| match action {
            Action::TimerSet(timer) if timer.purpose == purpose => {
                Some(timer.due_mono_ms - self.now.mono_ms)
            }
            _ => None,
        })
    }

    /// The newest request for this purpose.
    pub(crate) fn request(&self, purpose: &str) -> Option<&HttpRequest> {
        self.actions.iter().rev().find_map(|action| match action {
            Action::Http(request) if request.purpose == purpose => Some(request),
            _ => None,
        })
    }

    pub(crate) fn requests(&self, purpose: &str) -> usize {
        self.actions
            .iter()
            .filter(|action| matches!(action, Action::Http(request) if request.purpose == purpose))
            .count()
    }

    /// Answers the newest request for this purpose.
    pub(crate) fn answer(&mut self, purpose: &str, status: u16, body: &str) {
        let used = vec![SecretUse {
            name: "access_token".into(),
            generation: self.generation,
        }];
        self.finish(
            purpose,
            HttpOutcome::Response(response(status, body)),
            used,
            Vec::new(),
        );
    }

    /// A token of two hours; `changed` when it is another than before.
    pub(crate) fn good_token(&mut self, changed: bool) {
        self.token(r#"{"access_token":"","expires_in":"7200"}"#, changed);
    }

    /// The answer to a discovery.
    pub(crate) fn gateway(&mut self) {
        self.answer(
            "gateway",
            200,
            r#"{"url":"wss://api.sgroup.qq.com/websocket"}"#,
        );
    }

    /// The first frame of a connection.
    pub(crate) fn hello(&mut self) {
        self.frame(&json!({"op": 10, "d": {"heartbeat_interval": 41250}}));
    }

    /// The socket opens and greets.
    pub(crate) fn greet(&mut self) {
        self.open();
        self.hello();
    }

    pub(crate) fn fail(&mut self, purpose: &str, stage: Stage) {
        let failure = Failure {
            stage,
            detail: "played".into(),
            maybe_received: true,
        };
        self.finish(
            purpose,
            HttpOutcome::Failed(failure),
            Vec::new(),
            Vec::new(),
        );
    }

    /// Answers the token request with a token.
    pub(crate) fn token(&mut self, body: &str, changed: bool) {
        self.generation += u64::from(changed);
        let captured = Captured {
            name: "access_token".into(),
            generation: self.generation,
            changed,
        };
        self.finish(
            "token",
            HttpOutcome::Response(response(200, body)),
            Vec::new(),
            vec![captured],
        );
    }

    fn finish(
        &mut self,
        purpose: &str,
        outcome: HttpOutcome,
        used: Vec<SecretUse>,
        captured: Vec<Captured>,
    ) {
        let id = self
            .request(purpose)
            .unwrap_or_else(|| panic!("no request for {purpose}"))
            .id;
        self.send(Event::HttpDone(HttpDone {
            id,
            outcome,
            used,
            captured,
        }));
    }

    /// The newest socket.
    pub(crate) fn socket(&self) -> u64 {
        self.channel
            .holdings()
            .sockets
            .last()
            .copied()
            .unwrap_or_else(|| panic!("no socket"))
    }

    pub(crate) fn open(&mut self) {
        self.send(Event::SocketOpened(self.socket()));
    }

    pub(crate) fn frame(&mut self, frame: &Value) {
        self.text(&frame.to_string());
    }

    pub(crate) fn text(&mut self, text: &str) {
        self.send(Event::SocketText(SocketText {
            id: self.socket(),
            text: text.to_owned(),
        }));
    }

    pub(crate) fn close(&mut self, code: u16) {
        let end = SocketEnd::Closed(CloseFrame {
            code,
            reason: String::new(),
        });
        self.send(Event::SocketClosed(SocketClosed {
            id: self.socket(),
            end,
        }));
    }

    /// The frames sent, with TOKEN in place of the token.
    pub(crate) fn frames(&self) -> Vec<Value> {
        self.actions
            .iter()
            .filter_map(|action| match action {
                Action::SocketSend(send) => serde_json::from_str(&joined(&send.payload)).ok(),
                _ => None,
            })
            .collect()
    }

    /// A private message.
    pub(crate) fn c2c(&mut self, seq: u64, id: &str, user: &str, text: &str) {
        self.frame(&json!({"op": 0, "s": seq, "t": "C2C_MESSAGE_CREATE", "id": format!("C2C_MESSAGE_CREATE:{id}"),
            "d": {"id": id, "author": {"user_openid": user}, "content": text, "timestamp": (self.now.wall_ms / 1_000)}}));
    }

    /// The turns begun, with their attempts.
    pub(crate) fn begun(&self) -> Vec<TurnBegin> {
        self.actions
            .iter()
            .filter_map(|action| match action {
                Action::TurnBegin(begin) => Some(begin.clone()),
                _ => None,
            })
            .collect()
    }

    /// The agent finishes the newest turn with a text.
    pub(crate) fn finish_turn(&mut self, text: &str) {
        let begin = self.begun().pop().unwrap();
        let news = TurnNews::Finished(vec![AnswerPart::Text(text.to_owned())]);
        self.send(Event::Turn(TurnEvent {
            turn: begin.id,
            attempt: begin.attempt,
            news,
        }));
    }

    /// The bodies of all messages sent.
    pub(crate) fn sent(&self) -> Vec<Value> {
        self.actions
            .iter()
            .filter_map(|action| match action {
                Action::Http(request) if request.purpose == "send" => {
                    serde_json::from_str(&joined(&request.body)).ok()
                }
                _ => None,
            })
            .collect()
    }

    pub(crate) fn outcomes(&self) -> Vec<Outcome> {
        self.actions
            .iter()
            .filter_map(|action| match action {
                Action::TurnOutcome(outcome) => Some(outcome.outcome),
                _ => None,
            })
            .collect()
    }

    /// The newest word about how the channel is.
    pub(crate) fn health(&self) -> Option<&Health> {
        self.actions.iter().rev().find_map(|action| match action {
            Action::Health(health) => Some(health),
            _ => None,
        })
    }

    /// What is stored, as a next process would find it.
    pub(crate) fn stored(&self) -> Vec<Entry> {
        let base = self.base.iter().cloned();
        let mut entries: std::collections::BTreeMap<String, Vec<u8>> =
            base.map(|entry| (entry.key, entry.value)).collect();
        for action in &self.actions {
            match action {
                Action::StorePut(entry) => {
                    entries.insert(entry.key.clone(), entry.value.clone());
                }
                Action::StoreDelete(key) => {
                    entries.remove(key);
                }
                _ => {}
            }
        }
        entries
            .into_iter()
            .map(|(key, value)| Entry { key, value })
            .collect()
    }
}

fn response(status: u16, body: &str) -> HttpResponse {
    HttpResponse {
        status,
        headers: Vec::new(),
        body: body.to_owned(),
        truncated: false,
        blob: None,
    }
}

pub(crate) fn joined(pieces: &[Piece]) -> String {
    pieces
        .iter()
        .map(|piece| match piece {
            Piece::Text(text) => text.as_str(),
            Piece::Secret(_) => "TOKEN",
            Piece::Blob(_) => "BLOB",
        })
        .collect()
}
