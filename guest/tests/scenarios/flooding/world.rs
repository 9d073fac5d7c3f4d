//! A channel with a platform, an agent and a store around it, on virtual time, held to its bounds after every event.

use std::collections::BTreeMap;

use qq_channel::bindings::*;
use qq_channel::channel::Channel;
use qq_channel::state::bounds;
use qq_channel::turns::room::{MESSAGES, OPEN_BYTES, TURN_BYTES, WORDS};
use serde_json::{Value, json};

use crate::driver::{BEGIN_MS, boot};

/// What the host takes, by the manifest and the interface: requests at once, effects of a call, bytes of an entry.
const REQUESTS: usize = 256;
const EFFECTS: usize = 4_096;
const ENTRY_BYTES: usize = 256 << 10;
/// Checkpoint bytes that the manifest allows.
pub(super) const CHECKPOINT_BYTES: usize = 4 << 20;

/// Bytes of all open turns.
const MOST_BYTES: usize = OPEN_BYTES + TURN_BYTES;

/// How a world treats what the channel asks for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Sends {
    /// At once.
    Answered,
    /// Not before somebody says so.
    Waiting,
}

/// A channel with a platform, an agent and a store around it, on virtual time.
pub(super) struct World {
    pub(super) channel: Channel,
    pub(super) now: Instant,
    pub(super) seq: u64,
    pub(super) store: BTreeMap<String, Vec<u8>>,
    requests: BTreeMap<u64, HttpRequest>,
    timers: BTreeMap<u64, u64>,
    turns: BTreeMap<u64, u32>,
    pub(super) outcomes: BTreeMap<u64, Outcome>,
    /// Texts of what was sent.
    pub(super) sent: Vec<String>,
    /// Messages written.
    pub(super) written: usize,
    /// What the agent answers.
    pub(super) answer: fn(&str) -> String,
}

impl World {
    pub(super) fn new() -> Self {
        Self::start(&json!({}), BTreeMap::new(), 1)
    }

    pub(super) fn start(keys: &Value, store: BTreeMap<String, Vec<u8>>, number: u32) -> Self {
        let entries = store.iter().map(|(key, value)| Entry {
            key: key.clone(),
            value: value.clone(),
        });
        let now = Instant {
            mono_ms: 1_000,
            wall_ms: BEGIN_MS + u64::from(number) * 1_000,
        };
        let boot = boot(keys, entries.collect(), number);
        let (channel, effects) = Channel::start(now, boot, Box::new(|_, _| {})).unwrap();
        let mut world = Self {
            channel,
            now,
            seq: 1,
            store,
            requests: BTreeMap::new(),
            timers: BTreeMap::new(),
            turns: BTreeMap::new(),
            outcomes: BTreeMap::new(),
            sent: Vec::new(),
            written: 0,
            answer: str::to_owned,
        };
        world.take(effects);
        world.connect();
        world
    }

    /// The same with everything that was in flight lost, as by a kill.
    pub(super) fn restarted(self, number: u32) -> Self {
        let mut world = Self::start(&json!({}), self.store, number);
        world.outcomes = self.outcomes;
        world.sent = self.sent;
        world.written = self.written;
        world.answer = self.answer;
        world.seq = 1;
        world
    }

    fn connect(&mut self) {
        let of = |world: &Self, purpose: &str| {
            let found = world.requests.iter().find(|(_, it)| it.purpose == purpose);
            found.map(|(id, _)| *id)
        };
        let token = of(self, "token").unwrap();
        self.respond(token, 200, r#"{"access_token":"","expires_in":"7200"}"#);
        if let Some(gateway) = of(self, "gateway") {
            self.respond(
                gateway,
                200,
                r#"{"url":"wss://api.sgroup.qq.com/websocket"}"#,
            );
        }
        let socket = self.channel.holdings().sockets[0];
        self.handle(Event::SocketOpened(socket));
        self.frame(&json!({"op": 10, "d": {"heartbeat_interval": 41_250}}));
        self.frame(&json!({"op": 0, "s": 1, "t": "READY", "d": {"session_id": "s-1", "user": {"id": "9", "username": "bot"}}}));
    }

    pub(super) fn handle(&mut self, event: Event) {
        let effects = self.channel.handle(self.now, event);
        self.take(effects);
        assert!(self.requests.len() <= REQUESTS, "requests at once");
        let turns = self.stored_bytes("turn/");
        assert!(turns <= MOST_BYTES, "{turns} bytes of open turns");
        let open = self
            .store
            .range("turn/".to_owned()..)
            .take_while(|(key, _)| key.starts_with("turn/"));
        assert!(open.count() <= MESSAGES + WORDS);
    }

    fn take(&mut self, effects: Vec<Effect>) {
        assert!(effects.len() <= EFFECTS, "{} effects", effects.len());
        for effect in effects {
            match effect.action {
                Action::StorePut(entry) => {
                    let (key, value) = (entry.key, entry.value);
                    assert!(
                        key.len() <= 200 && value.len() <= ENTRY_BYTES,
                        "{key}: {} bytes",
                        value.len()
                    );
                    if key.starts_with("turn/") {
                        assert!(value.len() <= TURN_BYTES, "{key}: {} bytes", value.len());
                    }
                    self.store.insert(key, value);
                }
                Action::StoreDelete(key) => drop(self.store.remove(&key)),
                Action::Http(request) => drop(self.requests.insert(request.id, request)),
                Action::TimerSet(timer) => drop(self.timers.insert(timer.id, timer.due_mono_ms)),
                Action::TimerClear(id) => drop(self.timers.remove(&id)),
                Action::TurnBegin(begin) => {
                    assert!(self.turns.insert(begin.id, begin.attempt).is_none());
                }
                Action::TurnOutcome(outcome) => {
                    assert!(
                        self.outcomes.insert(outcome.id, outcome.outcome).is_none(),
                        "two outcomes"
                    );
                }
                Action::BlobMake(make) => {
                    let Piece::Text(text) = &make.content[0] else {
                        panic!()
                    };
                    self.sent.push(text.clone());
                }
                _ => {}
            }
        }
    }

    pub(super) fn stored_bytes(&self, prefix: &str) -> usize {
        let under = self
            .store
            .range(prefix.to_owned()..)
            .take_while(|(key, _)| key.starts_with(prefix));
        under.map(|(key, value)| key.len() + value.len()).sum()
    }

    pub(super) fn frame(&mut self, frame: &Value) {
        let id = self.channel.holdings().sockets[0];
        let text = frame.to_string();
        self.handle(Event::SocketText(SocketText { id, text }));
    }

    /// A private message with these fields besides.
    pub(super) fn writes(&mut self, user: &str, text: &str, more: Value) {
        self.seq += 1;
        self.written += 1;
        let id = format!("m{}", self.written);
        let mut body = json!({"id": id, "author": {"user_openid": user}, "content": text, "timestamp": self.now.wall_ms / 1_000});
        body.as_object_mut()
            .unwrap()
            .extend(more.as_object().unwrap().clone());
        let frame = json!({"op": 0, "s": self.seq, "t": "C2C_MESSAGE_CREATE", "id": format!("C2C_MESSAGE_CREATE:{id}"), "d": body});
        self.frame(&frame);
    }

    fn respond(&mut self, id: u64, status: u16, body: &str) {
        let request = self.requests.remove(&id).unwrap();
        if request.purpose == "send" {
            let pieces = request.body.iter().map(|piece| match piece {
                Piece::Text(text) => text.as_str(),
                Piece::Secret(_) | Piece::Blob(_) => "",
            });
            let body: Value = serde_json::from_str(&pieces.collect::<String>()).unwrap_or_default();
            self.sent.push(
                body["content"]
                    .as_str()
                    .or(body["markdown"]["content"].as_str())
                    .unwrap_or_default()
                    .to_owned(),
            );
        }
        let captured = (request.purpose == "token").then(|| Captured {
            name: "access_token".into(),
            generation: 1,
            changed: true,
        });
        let blob = match request.sink {
            BodySink::Blob(sink) => Some(BlobInfo {
                blob: sink.blob,
                size: 7,
                media_type: "image/png".into(),
                head: Vec::new(),
                name: None,
            }),
            BodySink::Text(_) => None,
        };
        let response = HttpResponse {
            status,
            headers: Vec::new(),
            body: body.to_owned(),
            truncated: false,
            blob,
        };
        self.handle(Event::HttpDone(HttpDone {
            id,
            outcome: HttpOutcome::Response(response),
            used: Vec::new(),
            captured: captured.into_iter().collect(),
        }));
    }

    /// Lets the agents at work finish, and the platform answer what it answers.
    pub(super) fn work(&mut self, sends: Sends) {
        for (turn, attempt) in std::mem::take(&mut self.turns) {
            let text = (self.answer)("好的");
            let news = TurnNews::Finished(vec![AnswerPart::Text(text)]);
            self.handle(Event::Turn(TurnEvent {
                turn,
                attempt,
                news,
            }));
        }
        let ids: Vec<u64> = self.requests.keys().copied().collect();
        for id in ids {
            let Some(request) = self.requests.get(&id) else {
                continue;
            };
            if sends == Sends::Answered || request.purpose == "fetch" {
                let body =
                    format!(r#"{{"id":"ROBOT1.0_{id}","timestamp":1,"file_info":"f","ttl":0}}"#);
                self.respond(id, 200, &body);
            }
        }
        let mut blobs = self.channel.holdings().requests;
        blobs.retain(|id| !self.requests.contains_key(id));
        for blob in blobs {
            let made = Err("no room".to_owned());
            self.handle(Event::BlobMade(BlobMade { blob, made }));
        }
    }

    /// Fires the next timer that is due within a time.
    pub(super) fn tick(&mut self, within_ms: u64) -> bool {
        let next = self.timers.iter().min_by_key(|(_, due)| **due);
        let Some((id, due)) = next.map(|(id, due)| (*id, *due)) else {
            return false;
        };
        if due > self.now.mono_ms + within_ms {
            return false;
        }
        let wait = due.saturating_sub(self.now.mono_ms);
        self.now.mono_ms += wait;
        self.now.wall_ms += wait;
        self.timers.remove(&id);
        self.handle(Event::TimerFired(id));
        true
    }

    /// Goes on until nothing is open.
    pub(super) fn settle(&mut self) {
        self.check_bounds();
        for _ in 0..100_000 {
            self.work(Sends::Answered);
            if self.stored_bytes("turn/") == 0 && self.turns.is_empty() {
                return;
            }
            if self.turns.is_empty() && self.requests.is_empty() {
                self.tick(60_000);
            }
        }
        panic!("{} turns are left", self.stored_bytes("turn/"));
    }

    /// Fails for a prefix under which more is stored than the component describes.
    pub(super) fn check_bounds(&self) {
        let mut whole = 0;
        for bound in bounds::TABLE
            .iter()
            .filter(|bound| !bound.prefix.is_empty())
        {
            let there = self
                .store
                .iter()
                .filter(|(key, _)| key.starts_with(bound.prefix));
            let sizes: Vec<usize> = there.map(|(key, value)| key.len() + value.len()).collect();
            whole += sizes.len();
            let what = bound.prefix;
            assert!(
                sizes.len() <= bound.entries,
                "{what}: {} entries",
                sizes.len()
            );
            assert!(
                sizes.iter().sum::<usize>() <= bound.bytes,
                "{what}: too many bytes"
            );
            assert!(
                sizes.iter().all(|size| *size <= bound.entry_bytes),
                "{what}: {sizes:?}"
            );
        }
        assert!(self.store.len() - whole <= 4, "something else is stored");
    }

    /// Fails unless somebody else is answered, and every message has its one outcome.
    pub(super) fn check(mut self) -> Self {
        self.answer = |_| "still here".to_owned();
        self.writes("SOMEBODY", "hello", json!({}));
        self.settle();
        assert_eq!(self.sent.last().unwrap(), "still here");
        assert_eq!(self.outcomes.len(), self.written);
        self
    }

    pub(super) fn count(&self, outcome: Outcome) -> usize {
        self.outcomes.values().filter(|it| **it == outcome).count()
    }

    pub(super) fn told(&self) -> usize {
        self.sent
            .iter()
            .filter(|text| text.contains("排队"))
            .count()
    }
}

/// A world whose store begins beyond its bounds.
pub(super) struct Overfull;

impl Overfull {
    pub(super) fn start(world: World) -> World {
        let entries = world.store.iter().map(|(key, value)| Entry {
            key: key.clone(),
            value: value.clone(),
        });
        let boot = boot(&json!({}), entries.collect(), 2);
        let (channel, effects) = Channel::start(world.now, boot, Box::new(|_, _| {})).unwrap();
        let mut world = World {
            channel,
            requests: BTreeMap::new(),
            timers: BTreeMap::new(),
            turns: BTreeMap::new(),
            seq: 1,
            ..world
        };
        world.take(effects);
        // The rest is shed a few at a time.
        while world.stored_bytes("turn/") > MOST_BYTES {
            let (id, _) = world
                .timers
                .iter()
                .min_by_key(|(_, due)| **due)
                .map(|(id, due)| (*id, *due))
                .unwrap();
            world.timers.remove(&id);
            let effects = world.channel.handle(world.now, Event::TimerFired(id));
            world.take(effects);
        }
        world.connect();
        world
    }
}

impl World {
    pub(super) fn status(&mut self) -> String {
        let ask = OperatorCommand::Status;
        let effects = self
            .channel
            .handle(self.now, Event::Command(Command { id: 9, ask }));
        let reply = effects.into_iter().find_map(|effect| match effect.action {
            Action::Reply(reply) => Some(reply),
            _ => None,
        });
        let lines = reply.unwrap().lines.into_iter();
        lines
            .map(|line| format!("{}: {}\n", line.topic, line.text))
            .collect()
    }

    pub(super) fn check_anybody(mut self) {
        self.answer = |_| "still here".to_owned();
        self.writes("SOMEBODY", "hello", json!({}));
        self.settle();
        assert_eq!(self.sent.last().unwrap(), "still here");
    }
}
