//! Inputs become events: ids are checked, secrets are taken out, the rest is masked, and only then
//! the guest hears of it. What names an id that the host does not hold is dropped.

use super::command::Command;
use super::input::{Input, OperatorAsk, RawBody, RawHttpDone, RawResponse};
use super::tables::Request;
use super::{Actor, Life};
use crate::bindings::v0_1::{
    Capture, Captured, Command as OperatorEvent, Event, Failure, HttpDone, HttpOutcome,
    HttpResponse, Instant, SocketClosed, SocketEnd, TurnEvent, TurnNews,
};
use crate::vault::{Hidden, Vault};

/// What a guest sees of an answer that should have brought a secret and cannot be read.
const UNREADABLE: &str = "[an answer that is not JSON, withheld because it may hold a secret]";

/// Ids of the host's own begin with this bit, so that they never meet one of the guest's.
const HOST_ID: u64 = 1 << 63;

impl Actor {
    pub(super) fn on_input(&mut self, now: Instant, input: Input) {
        if let Input::Operator(ask) = &input
            && !matches!(self.life, Life::Running(_))
        {
            return self.refuse_command(ask.ticket);
        }
        if let Some(event) = self.event_of(input) {
            self.deliver(now, event);
        }
    }

    /// The event of an input, or nothing when the guest does not wait for it.
    fn event_of(&mut self, input: Input) -> Option<Event> {
        match input {
            Input::SocketOpened(id) => {
                self.tables.sockets.get_mut(&id)?.open = true;
                Some(Event::SocketOpened(id))
            }
            Input::SocketText(mut text) => {
                self.tables.sockets.get(&text.id)?;
                text.text = self.vault.masked(text.text);
                Some(Event::SocketText(text))
            }
            Input::SocketBinary(mut binary) => {
                self.tables.sockets.get(&binary.id)?;
                binary.bytes = self.vault.masked_bytes(binary.bytes);
                Some(Event::SocketBinary(binary))
            }
            Input::SocketClosed(closed) => self.socket_closed(closed),
            Input::HttpDone(done) => self.http_done(done),
            Input::Entropy(entropy) => {
                self.answered(entropy.id, |r| matches!(r, Request::Entropy))?;
                Some(Event::Entropy(entropy))
            }
            Input::BlobMade(blob) => {
                self.answered(blob.blob, |r| matches!(r, Request::Blob))?;
                Some(Event::BlobMade(blob))
            }
            Input::DigestDone(done) => {
                self.answered(done.id, |r| matches!(r, Request::Digest))?;
                Some(Event::DigestDone(done))
            }
            Input::Turn(turn) => self.turn(turn),
            Input::Operator(ask) => Some(Event::Command(self.operator(ask))),
            Input::Extension(extension) => Some(Event::Extension(extension)),
            Input::Boot(_)
            | Input::Tick
            | Input::Store(_)
            | Input::Reload(_)
            | Input::Swap(_)
            | Input::Record(_) => None,
        }
    }

    fn socket_closed(&mut self, closed: SocketClosed) -> Option<Event> {
        self.tables.sockets.remove(&closed.id)?;
        let end = match closed.end {
            SocketEnd::Closed(mut frame) => {
                frame.reason = self.vault.masked(frame.reason);
                SocketEnd::Closed(frame)
            }
            SocketEnd::Failed(failure) => SocketEnd::Failed(masked(&self.vault, failure)),
        };
        let id = closed.id;
        Some(Event::SocketClosed(SocketClosed { id, end }))
    }

    fn http_done(&mut self, done: RawHttpDone) -> Option<Event> {
        let request = self.answered(done.id, |r| matches!(r, Request::Http { .. }));
        let Some(Request::Http {
            used,
            capture,
            purpose,
        }) = request
        else {
            return None;
        };
        let (outcome, captured) = match done.outcome {
            Ok(response) => {
                tracing::debug!(channel = %self.instance, request = done.id, %purpose, status = response.status, "answered");
                let (response, captured) = self.response(response, &capture);
                (HttpOutcome::Response(response), captured)
            }
            Err(failure) => {
                let failure = masked(&self.vault, failure);
                tracing::debug!(channel = %self.instance, request = done.id, %purpose, detail = %failure.detail, "failed");
                (HttpOutcome::Failed(failure), Vec::new())
            }
        };
        Some(Event::HttpDone(HttpDone {
            id: done.id,
            outcome,
            used,
            captured,
        }))
    }

    fn response(&mut self, raw: RawResponse, capture: &[Capture]) -> (HttpResponse, Vec<Captured>) {
        let (body, truncated, blob) = match raw.body {
            RawBody::Bytes { bytes, truncated } => (bytes, truncated, None),
            RawBody::Blob(info) => (Vec::new(), false, Some(info)),
        };
        let keep = (200..300).contains(&raw.status);
        let (body, captured) = self.take_secrets(body, capture, keep);
        let mut headers = raw.headers;
        for header in &mut headers {
            header.value = self.vault.masked(std::mem::take(&mut header.value));
        }
        let response = HttpResponse {
            status: raw.status,
            headers,
            body: self.vault.masked(body),
            truncated,
            blob,
        };
        (response, captured)
    }

    /// Moves the values that a response brings into the vault, or only blots them out. What is left
    /// of the body has the secret's name in their place, even where the text spells them with
    /// escapes of its own.
    fn take_secrets(
        &mut self,
        body: Vec<u8>,
        capture: &[Capture],
        keep: bool,
    ) -> (String, Vec<Captured>) {
        let text = String::from_utf8_lossy(&body).into_owned();
        if capture.is_empty() || body.is_empty() {
            return (text, Vec::new());
        }
        let Ok(mut json) = serde_json::from_str::<serde_json::Value>(&text) else {
            // An error page may be shown. What should have held a secret and cannot be read may not:
            // the secret may be in it.
            let shown = if keep { UNREADABLE.to_owned() } else { text };
            return (shown, Vec::new());
        };
        let mut captured = Vec::new();
        let mut taken = Vec::new();
        for wanted in capture {
            let Some(slot) = json.pointer_mut(&wanted.pointer) else {
                continue;
            };
            let Some(value) = slot.as_str().filter(|v| !v.is_empty()) else {
                continue;
            };
            let value = Hidden::new(value);
            *slot = serde_json::Value::from(format!("[{}]", wanted.secret));
            if keep {
                captured.extend(self.vault.capture(&wanted.secret, value.clone()));
            }
            taken.push((wanted.pointer.as_str(), value));
        }
        let text = self.vault.masked(text);
        if still_there(&text, &taken) {
            return (json.to_string(), captured);
        }
        (text, captured)
    }

    fn turn(&mut self, turn: TurnEvent) -> Option<Event> {
        let attempt = self.tables.turns.get(&turn.turn)?;
        if *attempt != turn.attempt {
            return None;
        }
        let over = matches!(
            turn.news,
            TurnNews::Finished(_) | TurnNews::Failed(_) | TurnNews::Cancelled
        );
        if over {
            self.tables.turns.remove(&turn.turn);
        }
        Some(Event::Turn(turn))
    }

    pub(super) fn operator(&mut self, ask: OperatorAsk) -> OperatorEvent {
        let boot = self.boot.as_ref().map_or(0, |b| u64::from(b.number));
        self.commands_asked += 1;
        let id = HOST_ID | (boot << 32) | (self.commands_asked & 0xffff_ffff);
        self.tables.commands.insert(id, ask.ticket);
        OperatorEvent { id, ask: ask.ask }
    }

    fn answered(&mut self, id: u64, is: impl Fn(&Request) -> bool) -> Option<Request> {
        self.tables.requests.get(&id).filter(|r| is(r))?;
        self.tables.requests.remove(&id)
    }

    /// Hands a reply to whoever asked.
    pub(super) fn reply(&mut self, reply: crate::bindings::v0_1::Reply) {
        self.reload_answered(&reply);
        let ticket = match reply.done {
            true => self.tables.commands.remove(&reply.id),
            false => self.tables.commands.get(&reply.id).copied(),
        };
        match ticket {
            Some(ticket) => {
                let reply = super::TicketReply { ticket, reply };
                self.out.push(Command::Reply(reply));
            }
            None => self.ignored("a reply to a command that nobody waits for"),
        }
    }
}

/// True when a masked text, read as JSON, still has one of the values where it was taken from.
fn still_there(text: &str, taken: &[(&str, Hidden)]) -> bool {
    let Ok(json) = serde_json::from_str::<serde_json::Value>(text) else {
        return !taken.is_empty();
    };
    taken.iter().any(|(pointer, value)| {
        let left = json.pointer(pointer).and_then(|v| v.as_str());
        left.is_some_and(|left| left.contains(value.expose()))
    })
}

fn masked(vault: &Vault, mut failure: Failure) -> Failure {
    failure.detail = vault.masked(failure.detail);
    failure
}
