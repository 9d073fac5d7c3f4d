//! Effects become commands: what may leave at once, one commit, what waits for it.
//!
//! An effect that names an id which the host does not hold, or which is taken, is ignored with a
//! line in the log. What the rules refuse is answered like an attempt that failed.

use std::sync::Arc;

use bytes::Bytes;

use super::Actor;
use super::command::{BlobContent, Change, Command, SocketMessage};
use super::input::{Input, RawHttpDone};
use super::places::Joiner;
use super::prepare::{self, Denied};
use super::tables::{Asked, Request, Socket};
use crate::agent::AgentAsk;
use crate::bindings::v0_1::{
    Action, BlobDigest, BlobMade, BlobMake, DigestDone, Effect, Failure, HttpRequest, SocketClose,
    SocketClosed, SocketEnd, SocketOpen, SocketSend, Stage, TimerSet, TurnBegin, TurnEvent,
    TurnNews, log::Level,
};

/// Most random bytes of one answer.
const MAX_ENTROPY_BYTES: u32 = 256;
/// Close code towards a server on whose socket something may not be sent.
const CLOSE_POLICY: u16 = 3001;

impl Actor {
    /// Turns the effects of one call into commands.
    pub(super) fn carry_out(&mut self, effects: Vec<Effect>) {
        let mut changes = Vec::new();
        let mut later = Vec::new();
        for effect in effects {
            match effect.action {
                Action::StorePut(entry) => changes.push(Change::Put {
                    key: entry.key,
                    value: Bytes::from(entry.value),
                }),
                Action::StoreDelete(key) => changes.push(Change::Delete { key }),
                action if effect.after_commit => later.push(action),
                action => self.act(action),
            }
        }
        self.commit(changes);
        for action in later {
            self.act(action);
        }
    }

    fn commit(&mut self, changes: Vec<Change>) {
        if changes.is_empty() {
            return;
        }
        if self.memory.bytes_after(&changes) > self.limits.store_bytes.max(self.memory.bytes()) {
            let max = self.limits.store_bytes;
            let text = format!(
                "nothing more is stored: the entries would pass {max} bytes, which is [resources] max_store_mb of plugin.toml"
            );
            return self.log_line(Level::Error, &text);
        }
        self.memory.changed(&changes);
        self.out.push(Command::Commit(changes));
    }

    fn act(&mut self, action: Action) {
        match action {
            Action::SocketOpen(open) => self.socket_open(open),
            Action::SocketSend(send) => self.socket_send(send),
            Action::SocketClose(close) => self.socket_close(close),
            Action::Http(request) => self.http(request),
            Action::HttpCancel(id) => match self.tables.requests.remove(&id) {
                Some(_) => self.out.push(Command::HttpCancel(id)),
                None => self.ignored("a cancel for a request that is not under way"),
            },
            Action::TimerSet(set) => self.timer_set(&set),
            Action::TimerClear(id) => {
                if !self.tables.timers.clear(id) {
                    self.ignored("a clear for a timer that is not set");
                }
            }
            Action::EntropyAsk(mut ask) => {
                ask.count = ask.count.min(MAX_ENTROPY_BYTES);
                if self.claim(ask.id, Request::Entropy) {
                    self.out.push(Command::EntropyAsk(ask));
                }
            }
            Action::BlobMake(make) => self.blob_make(make),
            Action::BlobDigest(digest) => self.blob_digest(digest),
            Action::BlobDrop(id) => self.out.push(Command::BlobDrop(id)),
            Action::TurnBegin(begin) => self.turn_begin(begin),
            Action::TurnContext(context) => {
                let often = self.limits.turns_per_minute;
                match self.spent.turns.take(self.last_mono_ms, often) {
                    true => self.agent(AgentAsk::Context(context)),
                    false => self.ignored(
                        "a message for the agent's memory, beyond [resources] max_turns_per_minute of plugin.toml",
                    ),
                }
            }
            Action::TurnCancel(cancel) => {
                if self.tables.turns.contains_key(&cancel.id) {
                    self.agent(AgentAsk::Cancel(cancel));
                } else {
                    self.ignored("a cancel for a turn that is not open");
                }
            }
            Action::TurnOutcome(outcome) => self.agent(AgentAsk::Outcome(outcome)),
            Action::ApprovalAnswer(answer) => self.agent(AgentAsk::Approval(answer)),
            Action::ConversationReset(key) => self.agent(AgentAsk::Reset(key)),
            Action::Metric(metric) => self.out.push(Command::Metric(metric)),
            Action::Health(health) => {
                self.guest_health = health;
                self.say_health();
            }
            Action::Reply(reply) => self.reply(reply),
            Action::Extension(extension) => self.out.push(Command::Extension(extension)),
            // Sorted out before; kept here so that a new case must be thought about.
            Action::StorePut(_) | Action::StoreDelete(_) => {}
        }
    }

    fn socket_open(&mut self, open: SocketOpen) {
        let id = open.id;
        if self.tables.sockets.contains_key(&id) {
            return self.ignored("an open for a socket that is there");
        }
        let max = self.limits.sockets_at_once;
        let prepared = if self.tables.sockets.len() >= max {
            Err(Denied::TooMany(max, "max_sockets"))
        } else {
            prepare::socket(open, &self.egress, &self.vault, &self.limits)
        };
        let (positions, denied) = match prepared {
            Ok((dial, positions)) => {
                self.out.push(Command::SocketOpen(dial));
                (positions, None)
            }
            Err(denied) => (Default::default(), Some(denied)),
        };
        let open = false;
        self.tables.sockets.insert(id, Socket { open, positions });
        if let Some(denied) = denied {
            self.deny_socket(id, &denied);
        }
    }

    fn socket_send(&mut self, send: SocketSend) {
        let id = send.id;
        let Some(socket) = self.tables.sockets.get(&id).filter(|s| s.open) else {
            return self.ignored("a message for a socket that is not open");
        };
        let payload =
            Joiner::new(&self.vault, &socket.positions).message(send.binary, send.payload);
        match payload {
            Ok(payload) => self.out.push(Command::SocketSend(SocketMessage {
                id,
                binary: send.binary,
                payload,
            })),
            Err(denied) => {
                self.out.push(Command::SocketClose(SocketClose {
                    id,
                    code: CLOSE_POLICY,
                    reason: String::new(),
                }));
                self.deny_socket(id, &denied);
            }
        }
    }

    fn socket_close(&mut self, mut close: SocketClose) {
        if self.tables.sockets.remove(&close.id).is_none() {
            return self.ignored("a close for a socket that is not there");
        }
        // 1000 and 3000 to 4999 are what a client may send (RFC 6455, 7.4).
        if close.code != 1000 && !(3000..=4999).contains(&close.code) {
            close.code = 1000;
        }
        let end = close.reason.floor_char_boundary(123);
        close.reason.truncate(end);
        self.out.push(Command::SocketClose(close));
    }

    fn http(&mut self, request: HttpRequest) {
        let id = request.id;
        let max = self.limits.requests_at_once;
        let mut asked = Asked {
            used: Vec::new(),
            method: request.method.clone(),
            text_bytes: prepare::text_bytes(&request.sink, &self.limits),
            read_bytes: 0,
            egress: Arc::clone(&self.egress),
            purpose: request.purpose.clone(),
        };
        let (count, bytes) = self.tables.http_load();
        let prepared = if count >= max {
            Err(Denied::TooMany(max, "max_requests"))
        } else {
            prepare::http(request, &self.egress, &self.vault, &self.limits)
        };
        let room = self.limits.answers_bytes;
        let prepared = prepared.and_then(|(call, used)| {
            let fits = bytes.saturating_add(call.read_bytes) <= room;
            fits.then_some((call, used)).ok_or(Denied::Answers(room))
        });
        // Last: what is refused for another reason did not leave.
        let often = self.limits.requests_per_minute;
        let prepared = prepared.and_then(|ready| {
            let allowed = self.spent.requests.take(self.last_mono_ms, often);
            allowed.then_some(ready).ok_or(Denied::TooOften(
                often,
                "requests",
                "max_requests_per_minute",
            ))
        });
        let (call, denied) = match prepared {
            Ok((call, used)) => {
                asked.used = used;
                asked.read_bytes = call.read_bytes;
                (Some(call), None)
            }
            Err(denied) => (None, Some(denied)),
        };
        if !self.claim(id, Request::Http(asked)) {
            return;
        }
        if let Some(call) = call {
            self.out.push(Command::Http(Box::new(call)));
        }
        if let Some(denied) = denied {
            let outcome = Err(self.refusal(&denied));
            let done = RawHttpDone { id, outcome };
            self.own_inputs.push_back(Input::HttpDone(done));
        }
    }

    fn timer_set(&mut self, set: &TimerSet) {
        let timers = &mut self.tables.timers;
        if timers.len() >= self.limits.timers_at_once && !timers.contains(set.id) {
            return self.ignored("a timer beyond the number that may be set");
        }
        timers.set(set.id, set.due_mono_ms);
    }

    fn blob_digest(&mut self, mut digest: BlobDigest) {
        let id = digest.id;
        let mut known = Vec::new();
        digest.hashes.retain(|hash| {
            let new = !known.contains(hash);
            known.extend(new.then_some(*hash));
            new
        });
        let busy = self.work_denied();
        if !self.claim(id, Request::Digest) {
            return;
        }
        match busy {
            None => self.out.push(Command::BlobDigest(digest)),
            Some(denied) => {
                self.refusal(&denied);
                let digests = Vec::new();
                let done = DigestDone { id, digests };
                self.own_inputs.push_back(Input::DigestDone(done));
            }
        }
    }

    /// Why no more digests and blobs can be made now.
    fn work_denied(&self) -> Option<Denied> {
        let max = self.limits.work_at_once;
        let busy = self.tables.work_count() >= max;
        busy.then_some(Denied::TooMany(max, "max_work"))
    }

    fn blob_make(&mut self, make: BlobMake) {
        let blob = make.blob;
        let content = match self.work_denied() {
            Some(denied) => Err(denied),
            None => prepare::blob_content(make.content),
        };
        if !self.claim(blob, Request::Blob) {
            return;
        }
        match content {
            Ok(content) => self.out.push(Command::BlobMake(BlobContent {
                blob,
                content,
                name: make.name,
            })),
            Err(denied) => {
                self.refusal(&denied);
                let made = Err(denied.to_string());
                self.own_inputs
                    .push_back(Input::BlobMade(BlobMade { blob, made }));
            }
        }
    }

    fn turn_begin(&mut self, begin: TurnBegin) {
        let (max, often) = (self.limits.turns_at_once, self.limits.turns_per_minute);
        let known = self.tables.turns.contains_key(&begin.id);
        let denied = if !known && self.tables.turns.len() >= max {
            Some(Denied::TooMany(max, "max_turns"))
        } else if !self.spent.turns.take(self.last_mono_ms, often) {
            Some(Denied::TooOften(often, "turns", "max_turns_per_minute"))
        } else {
            None
        };
        self.tables.turns.insert(begin.id, begin.attempt);
        let Some(denied) = denied else {
            return self.agent(AgentAsk::Begin(begin));
        };
        let why = self.refusal(&denied).detail;
        self.own_inputs.push_back(Input::Turn(TurnEvent {
            turn: begin.id,
            attempt: begin.attempt,
            news: TurnNews::Failed(why),
        }));
    }

    fn agent(&mut self, ask: AgentAsk) {
        self.out.push(Command::Agent(Box::new(ask)));
    }

    /// Takes an id for something that gets one answer; false when it is taken already.
    fn claim(&mut self, id: u64, request: Request) -> bool {
        if self.tables.requests.contains_key(&id) {
            self.ignored("a request under an id that is in use");
            return false;
        }
        self.tables.requests.insert(id, request);
        true
    }

    fn deny_socket(&mut self, id: u64, denied: &Denied) {
        let end = SocketEnd::Failed(self.refusal(denied));
        let closed = SocketClosed { id, end };
        self.own_inputs.push_back(Input::SocketClosed(closed));
    }

    /// The failure that the guest gets to see, after a line for the operator.
    fn refusal(&mut self, denied: &Denied) -> Failure {
        let detail = denied.to_string();
        self.log_line(Level::Warn, &format!("refused: {detail}"));
        Failure {
            stage: Stage::Policy,
            detail,
            maybe_received: false,
        }
    }

    pub(super) fn ignored(&mut self, what: &str) {
        self.log_line(Level::Warn, &format!("ignored: {what}"));
    }
}
