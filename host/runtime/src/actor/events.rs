//! Inputs become events: ids are checked, secrets are taken out, the rest is masked, and only then
//! the guest hears of it. What names an id that the host does not hold is dropped.

use std::sync::Arc;

use serde_json::{Map, Value};

use super::command::Command;
use super::input::{Input, OperatorAsk, RawBody, RawHttpDone, RawResponse};
use super::tables::{Asked, Request};
use super::{Actor, Life};
use crate::bindings::v0_1::{
    Captured, Command as OperatorEvent, Event, Failure, HttpDone, HttpOutcome, HttpResponse,
    Instant, SocketClosed, SocketEnd, Stage, TurnEvent, TurnNews, log::Level,
};
use crate::egress::secrets::Capture;
use crate::vault::{Hidden, Vault};

/// Longest text that is shown of one field of an answer that brings a secret, bytes.
const MAX_SHOWN_BYTES: usize = 1 << 10;

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
            Input::BlobMade(mut blob) => {
                self.answered(blob.blob, |r| matches!(r, Request::Blob))?;
                if let Ok(info) = &mut blob.made {
                    info.head = self.vault.masked_bytes(std::mem::take(&mut info.head));
                }
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
        let request = self.answered(done.id, |r| matches!(r, Request::Http(_)));
        let Some(Request::Http(asked)) = request else {
            return None;
        };
        let outcome = done.outcome.and_then(|raw| self.response(raw, &asked));
        let purpose = &asked.purpose;
        let (outcome, captured) = match outcome {
            Ok((response, captured)) => {
                tracing::debug!(channel = %self.instance, request = done.id, %purpose, status = response.status, "answered");
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
            used: asked.used,
            captured,
        }))
    }

    fn response(
        &mut self,
        raw: RawResponse,
        asked: &Asked,
    ) -> Result<(HttpResponse, Vec<Captured>), Failure> {
        let captures: Vec<Arc<Capture>> = raw
            .hops
            .iter()
            .flat_map(|hop| asked.egress.captures_at(hop))
            .collect();
        let (body, mut truncated, mut blob) = match raw.body {
            RawBody::Bytes { bytes, truncated } => (bytes, truncated, None),
            RawBody::Blob(info) => (Vec::new(), false, Some(info)),
        };
        let (body, captured) = match captures.is_empty() {
            true => (body, Vec::new()),
            false => {
                // What is shown is written anew; nothing of it has been cut.
                truncated = false;
                // The driver puts no such answer into a blob.
                blob = None;
                let keep = (200..300).contains(&raw.status);
                let of_method = |c: &&Arc<Capture>| keep && c.method == asked.method;
                let json = serde_json::from_slice(&body).unwrap_or(Value::Null);
                let captured = self.capture(&json, captures.iter().filter(of_method))?;
                (shown(&json, &captures), captured)
            }
        };
        truncated |= body.len() > asked.text_bytes;
        let body = self.vault.masked_start(&body, asked.text_bytes);
        let mut body = String::from_utf8_lossy(&body).into_owned();
        // A name that stands for a secret may be longer than it.
        body.truncate(body.floor_char_boundary(asked.text_bytes));
        let mut headers = raw.headers;
        for header in &mut headers {
            header.value = self.vault.masked(std::mem::take(&mut header.value));
        }
        if let Some(blob) = &mut blob {
            blob.head = self.vault.masked_bytes(std::mem::take(&mut blob.head));
        }
        let response = HttpResponse {
            status: raw.status,
            headers,
            body,
            truncated,
            blob,
        };
        Ok((response, captured))
    }

    /// Moves the values that an answer brings into the vault.
    fn capture<'c>(
        &mut self,
        json: &Value,
        captures: impl Iterator<Item = &'c Arc<Capture>>,
    ) -> Result<Vec<Captured>, Failure> {
        let mut captured = Vec::new();
        for capture in captures {
            let value = capture.pointer.find(json).and_then(Value::as_str);
            let Some(value) = value.filter(|v| !v.is_empty()) else {
                continue;
            };
            let taken = self.vault.capture(&capture.secret, Hidden::new(value));
            match taken {
                Ok(taken) => captured.extend(taken),
                Err(why) => {
                    let detail = format!(
                        "the answer brings a value for {} that cannot be used: {why}",
                        capture.secret
                    );
                    self.log_line(Level::Warn, &detail);
                    return Err(Failure {
                        stage: Stage::Policy,
                        detail,
                        maybe_received: true,
                    });
                }
            }
        }
        Ok(captured)
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

/// What a guest sees of an answer that brings a secret: an object of the fields that the manifest shows, without
/// anything else, also when the answer is an error or cannot be read.
fn shown(json: &Value, captures: &[Arc<Capture>]) -> Vec<u8> {
    let mut object = Map::new();
    for pointer in captures.iter().flat_map(|capture| &capture.show) {
        let withheld = captures.iter().any(|capture| capture.pointer == *pointer);
        let value = match pointer.find(json) {
            Some(Value::String(text)) => {
                let end = text.floor_char_boundary(MAX_SHOWN_BYTES);
                Value::from(text.get(..end).unwrap_or_default())
            }
            Some(value @ (Value::Bool(_) | Value::Number(_))) => value.clone(),
            Some(Value::Null | Value::Array(_) | Value::Object(_)) | None => continue,
        };
        if let (false, Some((last, way))) = (withheld, pointer.names().split_last()) {
            let outer = way.iter().try_fold(&mut object, |at, name| {
                let inner = at.entry(name).or_insert_with(|| Value::Object(Map::new()));
                inner.as_object_mut()
            });
            if let Some(outer) = outer {
                outer.insert(last.clone(), value);
            }
        }
    }
    Value::Object(object).to_string().into_bytes()
}

fn masked(vault: &Vault, mut failure: Failure) -> Failure {
    failure.detail = vault.masked(failure.detail);
    failure
}
