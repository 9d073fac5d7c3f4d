//! A bench: the core, a clock that stands still, and a bot made of small steps.

pub(crate) mod guilds;
pub(crate) mod live;

use std::collections::BTreeMap;
use std::time::Duration;

use qq_emulator::Platform;
use qq_emulator::actions::{Act, ActionOutcome};
use qq_emulator::ids::{AppId, ConnId, MessageId, Ticket};
use qq_emulator::ledger::Violation;
use qq_emulator::settings::{BotSettings, Settings};
use qq_emulator::time::Millis;
use qq_emulator::wire::{Command, HttpRequest, HttpResponse, Input};
use serde_json::{Value, json};

pub(crate) const APP: &str = "102012345";
pub(crate) const SECRET: &str = "Zx8kQ0r3TtY1bVn5cMq7WsLd2FgHjKpA";

/// Bits 25 and 30: what most group bots ask for.
pub(crate) const INTENTS: u64 = 1_107_296_256;

/// How a socket or a request ended, as the bot sees it.
#[derive(Debug, Clone, PartialEq)]
pub(crate) enum End {
    Closed(u16),
    Cut,
}

pub(crate) struct Bench {
    pub(crate) platform: Platform,
    pub(crate) now: Millis,
    next: u64,
    frames: BTreeMap<ConnId, Vec<Value>>,
    raw: Vec<String>,
    ends: BTreeMap<ConnId, End>,
    replies: BTreeMap<Ticket, Option<HttpResponse>>,
}

impl Bench {
    pub(crate) fn new() -> Self {
        Self::with(|_| {})
    }

    pub(crate) fn with(change: impl FnOnce(&mut BotSettings)) -> Self {
        Self::with_settings(|settings| change(&mut settings.bots[0]))
    }

    pub(crate) fn with_settings(change: impl FnOnce(&mut Settings)) -> Self {
        let mut settings = Settings::default();
        change(&mut settings);
        Self {
            platform: Platform::new(settings, 7),
            now: Millis(1_784_601_000_000),
            next: 0,
            frames: BTreeMap::new(),
            raw: Vec::new(),
            ends: BTreeMap::new(),
            replies: BTreeMap::new(),
        }
    }

    pub(crate) fn step(&mut self, input: Input) {
        let commands = self.platform.step(self.now, input);
        self.take(commands);
    }

    /// Lets time pass in the steps that the platform asks for.
    pub(crate) fn pass(&mut self, span: Duration) {
        let end = self.now.plus(span);
        while let Some(due) = self.platform.next_due().filter(|due| *due <= end) {
            self.now = self.now.max(due);
            self.step(Input::Tick);
        }
        self.now = end;
        self.step(Input::Tick);
    }

    pub(crate) fn act(&mut self, act: Act) -> ActionOutcome {
        let (outcome, commands) = self.platform.act(self.now, &act.into());
        self.take(commands);
        outcome.unwrap()
    }

    pub(crate) fn fault(&mut self, text: &str) {
        for order in qq_emulator::faults::parse_orders(text).unwrap() {
            let app = AppId::from(APP);
            self.step(Input::Fault { app, order });
        }
    }

    /// Sends a request; its answer, if it came at once.
    pub(crate) fn http(&mut self, request: HttpRequest) -> Option<HttpResponse> {
        let ticket = self.ask(request);
        self.replies.get(&ticket).cloned().flatten()
    }

    pub(crate) fn ask(&mut self, request: HttpRequest) -> Ticket {
        self.next += 1;
        let ticket = Ticket(self.next);
        self.step(Input::Http { ticket, request });
        ticket
    }

    /// None: nothing yet. `Some(None)`: cut.
    pub(crate) fn reply(&self, ticket: Ticket) -> Option<Option<HttpResponse>> {
        self.replies.get(&ticket).cloned()
    }

    pub(crate) fn fetch_token(&mut self) -> Value {
        let body = json!({"appId": APP, "clientSecret": SECRET});
        let request = HttpRequest::new("POST", "/app/getAppAccessToken").with_json(&body);
        self.http(request).unwrap().json()
    }

    pub(crate) fn token(&mut self) -> String {
        self.fetch_token()["access_token"]
            .as_str()
            .unwrap()
            .to_owned()
    }

    pub(crate) fn get(&mut self, path: &str) -> HttpResponse {
        let token = self.token();
        let request = HttpRequest::new("GET", path);
        self.http(request.with_header("authorization", &format!("QQBot {token}")))
            .unwrap()
    }

    pub(crate) fn open(&mut self) -> ConnId {
        self.next += 1;
        let conn = ConnId(self.next);
        let request = HttpRequest::new("GET", "/websocket");
        self.step(Input::SocketOpen { conn, request });
        conn
    }

    pub(crate) fn say(&mut self, conn: ConnId, frame: &Value) {
        self.step(Input::SocketText {
            conn,
            text: frame.to_string(),
        });
    }

    pub(crate) fn identify_with(&mut self, d: &Value) -> ConnId {
        let conn = self.open();
        self.say(conn, &json!({"op": 2, "d": d}));
        conn
    }

    pub(crate) fn identify(&mut self, intents: u64) -> ConnId {
        let token = format!("QQBot {}", self.token());
        self.identify_with(&json!({"token": token, "intents": intents, "shard": [0, 1]}))
    }

    /// A bot that is logged in: its socket and its session.
    pub(crate) fn login(&mut self) -> (ConnId, String) {
        let conn = self.identify(INTENTS);
        let frames = self.frames(conn);
        let session = frames[1]["d"]["session_id"].as_str().unwrap().to_owned();
        (conn, session)
    }

    pub(crate) fn resume(&mut self, session: &str, seq: u64) -> ConnId {
        let token = format!("QQBot {}", self.token());
        let conn = self.open();
        let d = json!({"token": token, "session_id": session, "seq": seq});
        self.say(conn, &json!({"op": 6, "d": d}));
        conn
    }

    pub(crate) fn gone(&mut self, conn: ConnId) {
        self.step(Input::SocketGone { conn, code: None });
    }

    /// The frames that came since the last look. Those that are not JSON come as `null`.
    pub(crate) fn frames(&mut self, conn: ConnId) -> Vec<Value> {
        self.frames.remove(&conn).unwrap_or_default()
    }

    /// Every frame to any socket since the last look, as text.
    pub(crate) fn raw_frames(&mut self) -> Vec<String> {
        std::mem::take(&mut self.raw)
    }

    pub(crate) fn end(&self, conn: ConnId) -> Option<End> {
        self.ends.get(&conn).cloned()
    }

    pub(crate) fn post(&mut self, path: &str, body: &Value) -> Option<HttpResponse> {
        let ticket = self.ask_post(path, body);
        self.replies.get(&ticket).cloned().flatten()
    }

    pub(crate) fn ask_post(&mut self, path: &str, body: &Value) -> Ticket {
        let token = self.token();
        let request = HttpRequest::new("POST", path).with_json(body);
        self.ask(request.with_header("authorization", &format!("QQBot {token}")))
    }

    /// Says something to the bot and gives back the message's id and where to answer.
    pub(crate) fn asked(&mut self, act: Act) -> (MessageId, String) {
        let scene = if matches!(act, Act::C2c { .. }) {
            "users"
        } else {
            "groups"
        };
        let outcome = self.act(act);
        let path = format!("/v2/{scene}/{}/messages", outcome.target.unwrap());
        (outcome.message_id.unwrap(), path)
    }

    /// Answers with a text; the code of the refusal, or 0.
    pub(crate) fn answer(&mut self, path: &str, id: &MessageId, seq: u32) -> u64 {
        self.answer_with(path, id, seq, "pong")
    }

    pub(crate) fn answer_with(&mut self, path: &str, id: &MessageId, seq: u32, text: &str) -> u64 {
        let body = json!({"content": text, "msg_type": 0, "msg_id": id, "msg_seq": seq});
        code(&self.post(path, &body).unwrap())
    }

    pub(crate) fn violations(&self) -> Vec<Violation> {
        self.platform
            .ledger()
            .violations()
            .map(|entry| entry.what.clone())
            .collect()
    }

    fn take(&mut self, commands: Vec<Command>) {
        for command in commands {
            match command {
                Command::HttpReply { ticket, response } => {
                    let before = self.replies.insert(ticket, Some(response));
                    assert!(before.is_none(), "{ticket:?} was answered twice");
                }
                Command::HttpCut { ticket } => {
                    assert!(self.replies.insert(ticket, None).is_none());
                }
                Command::SocketText { conn, text } => {
                    assert!(
                        !self.ends.contains_key(&conn),
                        "a frame after the end: {text}"
                    );
                    let frame = serde_json::from_str(&text).unwrap_or_default();
                    self.frames.entry(conn).or_default().push(frame);
                    self.raw.push(text.to_string());
                }
                Command::SocketClose { conn, code, .. } => {
                    assert!(self.ends.insert(conn, End::Closed(code)).is_none());
                }
                Command::SocketCut { conn } => {
                    assert!(self.ends.insert(conn, End::Cut).is_none());
                }
            }
        }
    }
}

/// The error code of an answer, or 0.
pub(crate) fn code(response: &HttpResponse) -> u64 {
    response.json()["code"].as_u64().unwrap_or(0)
}

/// The names of events among frames.
pub(crate) fn names(frames: &[Value]) -> Vec<&str> {
    frames
        .iter()
        .filter_map(|frame| frame["t"].as_str())
        .collect()
}

/// The contents of messages among frames.
pub(crate) fn contents(frames: &[Value]) -> Vec<&str> {
    frames
        .iter()
        .filter_map(|frame| frame["d"]["content"].as_str())
        .collect()
}
