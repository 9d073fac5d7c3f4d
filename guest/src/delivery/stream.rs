//! Text that grows while it is written, in private chats (`PROTOCOL.md`, "Streaming").
//!
//! A stream is one message: one reply, one number. Each piece has all of the text so far, so that a piece that got
//! lost costs nothing, and what is shown already never changes. Every stream is closed, whatever becomes of its turn.

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

use crate::bindings::{HttpDone, HttpOutcome};
use crate::blank::words;
use crate::capabilities::{Feature, Learned, RIGHT_MS};
use crate::config::StreamMode;
use crate::env::{Env, Level};
use crate::gateway::Want;
use crate::ids::{RequestId, TurnId};
use crate::requests::{Body, Lane, Purpose};
use crate::scene::Scene;
use crate::timers::Timer;
use crate::turns::{Stage, Turn, Turns};

use super::answer::{Content, Flight, Part, PartState};
use super::budget::{Paid, Via};
use super::errors::{self, Class};
use super::{fallback, markdown, plan, split};

/// Failures in a row after which a stream grows no more until its end.
const MAX_FAILURES: u8 = 3;
/// The code for a stream that the platform does not know, or not any more.
const UNKNOWN: i64 = 12_002;
/// Replies that must be left for a text to grow: the stream itself, and one for whatever goes wrong with it.
const LEAST_REPLIES: u32 = 2;

/// Bytes of a growing text that are kept for each character that a message may have.
const GROWING_BYTES_PER_CHAR: usize = 4;

/// A stream, as far as it must be known to close it. Stored with its turn.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Open {
    /// Under what, and with which number, every piece goes.
    pub paid: Paid,
    /// The platform's name for it; empty before its first answer.
    pub id: String,
    /// Index of the next piece.
    pub index: u32,
    /// What was shown last, or perhaps.
    pub shown: String,
    /// What was shown before that: what is left on the screen when the last piece is refused.
    #[serde(default)]
    pub before: String,
}

impl Open {
    /// The platform took the last piece.
    fn took(&mut self) {
        self.before.clone_from(&self.shown);
    }

    /// The platform did not take the last piece. The first one is sent once more as it is.
    fn take_back(&mut self) {
        if !self.id.is_empty() {
            self.shown.clone_from(&self.before);
        }
    }
}

/// How a stream grows. Travels in a checkpoint.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Growth {
    /// What the agent wrote so far.
    text: String,
    /// What the platform is known to show.
    pub(super) confirmed: String,
    request: Option<RequestId>,
    /// When the next piece may go, monotonic milliseconds.
    next_ms: u64,
    failures: u8,
    /// It does not grow any more.
    frozen: bool,
}

impl Growth {
    /// The same without its words.
    pub(crate) fn blank(&mut self) {
        self.text = words::blank(&self.text);
        self.confirmed = words::blank(&self.confirmed);
    }
}

impl Turns {
    /// More of the text.
    pub fn on_delta(&mut self, env: &mut Env, id: TurnId, more: &str) {
        if env.config.stream_mode != StreamMode::Stream {
            return;
        }
        let text = &mut self.growths.entry(id).or_default().text;
        // No more is ever shown than one message holds, and what is kept is in every checkpoint.
        let room = (env.config.message_chars * GROWING_BYTES_PER_CHAR).saturating_sub(text.len());
        text.push_str(
            more.get(..more.floor_char_boundary(room))
                .unwrap_or_default(),
        );
        self.grow(env, id);
    }

    /// True where a text can grow now.
    #[must_use]
    pub fn can_stream(&self, env: &Env, turn: &Turn) -> bool {
        let (scene, target) = (turn.inbound.scene, &turn.inbound.target);
        let may = |feature| self.caps.may(env, scene, target, feature);
        env.config.stream_mode == StreamMode::Stream
            && scene == Scene::C2c
            && self.uses_markdown(env, scene, target)
            && may(Feature::Stream)
            && self.own_left(env, turn) >= LEAST_REPLIES
    }

    /// Sends the next piece, if it is time for it and there is something new to show.
    pub(super) fn grow(&mut self, env: &mut Env, id: TurnId) {
        let Some(turn) = self
            .open
            .get(&id)
            .filter(|turn| turn.stage == Stage::Thinking)
        else {
            return;
        };
        let allowed = turn.stream.is_some() || self.can_stream(env, turn);
        let Some(growth) = self.growths.get_mut(&id) else {
            return;
        };
        if !allowed || growth.frozen || growth.request.is_some() {
            return;
        }
        if growth.next_ms > env.now.mono_ms {
            let wait_ms = growth.next_ms - env.now.mono_ms;
            return env.set_timer_by(Timer::Streams, wait_ms);
        }
        if env.requests.room(Lane::Sends) == 0 {
            return env.set_timer_by(Timer::Streams, env.config.stream_interval_ms.max(1));
        }
        if let Some(first) = turn.stream.as_ref().filter(|stream| stream.id.is_empty()) {
            // Whether the first piece arrived is not known: the same once more, under the same number.
            let text = first.shown.clone();
            return self.push_piece(env, id, text);
        }
        let stable = markdown::to_qq(markdown::stable_prefix(&growth.text));
        let text = split::prefix(stable.trim_end(), env.config.message_chars).to_owned();
        let shown = turn
            .stream
            .as_ref()
            .map_or("", |stream| stream.shown.as_str());
        if text.len() <= shown.len() || !text.starts_with(shown) {
            return;
        }
        self.push_piece(env, id, text);
    }

    fn push_piece(&mut self, env: &mut Env, id: TurnId, text: String) {
        let first = self.open.get(&id).is_some_and(|turn| turn.stream.is_none());
        if first {
            let Some(paid) = self.pay(env, id) else {
                return;
            };
            if let Some(turn) = self.open.get_mut(&id) {
                turn.stream = Some(Open {
                    paid,
                    id: String::new(),
                    index: 0,
                    shown: String::new(),
                    before: String::new(),
                });
            }
        }
        let request = self.send_piece(env, id, text, false, first);
        let interval_ms = env.config.stream_interval_ms;
        if let Some(growth) = self.growths.get_mut(&id) {
            growth.request = request;
            growth.next_ms = env.now.mono_ms.saturating_add(interval_ms);
        }
    }

    /// Sends a piece with all of the text so far; the last one closes the stream.
    pub(super) fn send_piece(
        &mut self,
        env: &mut Env,
        id: TurnId,
        text: String,
        last: bool,
        after_commit: bool,
    ) -> Option<RequestId> {
        let turn = self.open.get_mut(&id)?;
        let stream = turn.stream.as_mut()?;
        let mut fields = Map::new();
        if stream.id.is_empty() {
            stream.index = 0;
        }
        fields.insert("input_mode".into(), "replace".into());
        fields.insert("input_state".into(), if last { 10 } else { 1 }.into());
        fields.insert("index".into(), stream.index.into());
        fields.insert("content_type".into(), "markdown".into());
        let mentions = super::mentions(env, turn.origin, &turn.inbound);
        let shown = super::tags::harmless(&text, mentions);
        fields.insert("content_raw".into(), shown.into());
        if !stream.id.is_empty() {
            fields.insert("stream_msg_id".into(), stream.id.as_str().into());
        }
        match &stream.paid.via {
            Via::Message(id) => fields.insert("msg_id".into(), id.as_str().into()),
            Via::Event(id) => fields.insert("event_id".into(), id.as_str().into()),
            Via::Proactive | Via::WakeUp => None,
        };
        fields.insert("msg_seq".into(), stream.paid.seq.into());
        stream.index += 1;
        if stream.shown != text {
            stream.before = std::mem::replace(&mut stream.shown, text);
        }
        let path = turn
            .inbound
            .scene
            .stream_path(turn.inbound.target.as_str())?;
        let purpose = if last {
            let part = match &turn.stage {
                Stage::Answering(answer) => answer.next().unwrap_or_default(),
                _ => 0,
            };
            Purpose::Send { turn: id, part }
        } else {
            Purpose::Stream { turn: id }
        };
        let body = Body::Json(Value::Object(fields).to_string());
        Some(env.call_api(purpose, "POST", &path, body, after_commit))
    }

    /// The answer to a piece.
    pub fn on_streamed(&mut self, env: &mut Env, id: TurnId, done: &HttpDone) -> Want {
        if let Some(growth) = self.growths.get_mut(&id) {
            growth.request = None;
        }
        // What waits for the stream to be quiet goes on.
        self.schedule(id);
        match &done.outcome {
            HttpOutcome::Response(response) if (200..300).contains(&response.status) => {
                let body: Value = serde_json::from_str(&response.body).unwrap_or_default();
                let named = body.get("id").and_then(Value::as_str).unwrap_or_default();
                if let Some(stream) = self.open.get_mut(&id).and_then(|turn| turn.stream.as_mut()) {
                    stream.took();
                    if stream.id.is_empty() {
                        stream.id = named.to_owned();
                    }
                }
                if named.is_empty() {
                    // Without a name it cannot grow: the answer comes as a message.
                    self.freeze(env, id, false);
                    return Want::Nothing;
                }
                let shown = self.open.get(&id).and_then(|turn| turn.stream.as_ref());
                let shown = shown.map(|stream| stream.shown.clone()).unwrap_or_default();
                if let Some(growth) = self.growths.get_mut(&id) {
                    growth.failures = 0;
                    growth.confirmed = shown;
                }
                self.grow(env, id);
                Want::Nothing
            }
            HttpOutcome::Response(response) => {
                let problem = errors::read(response.status, &response.body);
                let evidence = problem.evidence(response.status, errors::trace_header(response));
                let line = format!("turn {id}: stream: {evidence}");
                env.log(Level::Info, line);
                self.piece_refused(env, id, response.status, problem.code)
            }
            HttpOutcome::Failed(_) => {
                self.piece_failed(env, id, false);
                Want::Nothing
            }
        }
    }

    fn piece_refused(&mut self, env: &mut Env, id: TurnId, status: u16, code: Option<i64>) -> Want {
        let refused = status < 500 || code.is_some_and(errors::known_of_streams);
        if refused
            && let Some(stream) = self.open.get_mut(&id).and_then(|turn| turn.stream.as_mut())
        {
            stream.take_back();
        }
        match errors::stream_class(status, code) {
            Class::Backoff | Class::RetryOnce => self.piece_failed(env, id, refused),
            Class::Token => {
                self.piece_failed(env, id, refused);
                return Want::NewToken;
            }
            Class::Fatal(stop) => {
                fallback::report(env, stop);
                self.freeze(env, id, true);
            }
            // It arrived at the first try, and its name got lost with the answer.
            Class::Duplicate => self.freeze(env, id, false),
            class => {
                let Some(turn) = self.open.get(&id) else {
                    return Want::Nothing;
                };
                let begun = turn
                    .stream
                    .as_ref()
                    .is_some_and(|stream| !stream.id.is_empty());
                // What is wrong with these words, this person or this moment says nothing about streams.
                if !begun && matches!(class, Class::Drop | Class::Plain) {
                    let place = (turn.inbound.scene, None);
                    let refused = (Learned::Refused, code);
                    self.caps
                        .learn(env, place, Feature::Stream, refused, RIGHT_MS);
                }
                self.freeze(env, id, true);
            }
        }
        Want::Nothing
    }

    /// A piece did not arrive. `refused`: the platform says so.
    fn piece_failed(&mut self, env: &mut Env, id: TurnId, refused: bool) {
        let Some(growth) = self.growths.get_mut(&id) else {
            return;
        };
        growth.failures += 1;
        growth.next_ms = env
            .now
            .mono_ms
            .saturating_add(env.config.stream_interval_ms * 2);
        if growth.failures >= MAX_FAILURES {
            self.freeze(env, id, refused);
        } else {
            self.grow(env, id);
        }
    }

    /// The text grows no more. `refused`: the platform took nothing.
    fn freeze(&mut self, env: &mut Env, id: TurnId, refused: bool) {
        if let Some(growth) = self.growths.get_mut(&id) {
            growth.frozen = true;
        }
        // One that never began is none, and the answer goes as a message.
        if let Some(turn) = self.open.get_mut(&id)
            && turn
                .stream
                .as_ref()
                .is_some_and(|stream| stream.id.is_empty())
            && let Some(stream) = turn.stream.take()
            && refused
        {
            self.budget.refund(env, &stream.paid);
        }
    }

    /// The piece that was to close a stream is refused. What is on the screen stays there and is closed as it is; what
    /// is missing follows as a message of its own, where that can help.
    pub(super) fn end_refused(
        &mut self,
        env: &mut Env,
        (id, index): (TurnId, usize),
        class: Class,
        code: Option<i64>,
        paid: &Paid,
    ) {
        let flight = self.flights.get(&id);
        // A repetition may be refused because the first one arrived, from here or from an earlier process.
        let arrived = flight.is_some_and(|it| it.in_doubt || (it.repeated && it.tries <= 1));
        let confirmed = self.growths.get(&id).map(|growth| growth.confirmed.clone());
        let Some(Turn {
            stage: Stage::Answering(answer),
            stream,
            ..
        }) = self.open.get_mut(&id)
        else {
            return;
        };
        let part = answer.parts.get_mut(index).filter(|part| !part.aside);
        let (Some(part), Some(open), false) = (part, stream.as_mut(), arrived) else {
            // There is no third way to close it; or it is closed.
            *stream = None;
            let state = if arrived {
                PartState::Unconfirmed
            } else {
                PartState::Refused { code }
            };
            return self.settle(env, id, index, state);
        };
        open.take_back();
        // One that the platform does not know any more is closed already.
        let is_there = code != Some(UNKNOWN);
        let shown = match confirmed {
            Some(confirmed) if !is_there => confirmed,
            _ => open.shown.clone(),
        };
        let text = part.content.plain();
        let missing = text.strip_prefix(shown.trim_end()).unwrap_or(&text).trim();
        let over = missing.is_empty();
        part.state = PartState::Waiting;
        part.content = match plan::markdown_of(missing.to_owned()) {
            Content::Markdown { text, plain, .. }
                if class == Class::Plain || plain.trim() == text.trim() =>
            {
                Content::Text(plain)
            }
            other => other,
        };
        let mut rest = index;
        if is_there {
            let closing = Part {
                aside: true,
                ..Part::new(Content::StreamEnd(shown))
            };
            answer.parts.insert(index, closing);
            rest += 1;
        } else {
            *stream = None;
        }
        let line = format!("turn {id}: the end of its stream was refused (code {code:?})");
        env.log(Level::Info, line);
        match class {
            _ if over => self.settle(env, id, rest, PartState::Sent),
            Class::Unsafe => self.tell_refused(env, id, rest, code),
            Class::Fatal(stop) => {
                fallback::report(env, stop);
                self.settle(env, id, rest, PartState::Refused { code });
            }
            Class::Gone => {
                self.gone(env, id);
                self.settle(env, id, rest, PartState::Refused { code });
            }
            Class::WindowClosed => {
                self.other_account(env, (id, rest), code, paid);
            }
            _ => {}
        }
        self.flights.insert(id, Flight::default());
    }

    /// Time to show more of some texts.
    pub fn on_stream_time(&mut self, env: &mut Env) {
        let ids: Vec<TurnId> = self.growths.keys().copied().collect();
        for id in ids {
            self.grow(env, id);
        }
    }

    /// True while a piece is under way: the end of the stream waits for it.
    pub(crate) fn is_growing(&self, id: TurnId) -> bool {
        self.growths
            .get(&id)
            .is_some_and(|growth| growth.request.is_some())
    }

    /// An earlier process left a stream open. One that the platform has a name for goes on where the agent says the
    /// same again, and is closed with what it shows where it does not; another one cannot be found any more.
    pub(crate) fn take_up_stream(&mut self, id: TurnId) {
        let Some(turn) = self.open.get_mut(&id) else {
            return;
        };
        // What it paid for may have been taken, and is not paid back.
        turn.stream.take_if(|stream| stream.id.is_empty());
    }
}
