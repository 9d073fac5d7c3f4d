//! What each frame of the gateway does to the session.

use crate::bindings::HealthLevel;
use crate::env::{Env, Level};
use crate::health;
use crate::ids::SocketId;
use crate::timers::Timer;

use super::close::{Reaction, Stop};
use super::frame::{self, Frame, Op, Ready};
use super::intents::Intents;
use super::session::Session;
use super::{Gateway, IDENTIFY_EVERY_MS, Link, Want, send};

/// Milliseconds between 1 and 5 s that the platform wants us to wait after an invalid session.
const INVALID_SESSION_MS: (u64, u64) = (1_000, 4_000);
/// Times in a row that an invalid session is resumed because the platform says that it may be.
const MAX_INTERRUPTIONS: u8 = 3;
/// Heartbeat interval when Hello has none that makes sense.
const DEFAULT_HEARTBEAT_MS: u64 = 41_250;

/// What a frame meant.
#[derive(Debug)]
pub enum Heard<'a> {
    /// An event for the channel. It calls [`Gateway::handled`] when it is done with it.
    Event(Frame<'a>),
    /// The session's own business; the channel may have to do something.
    Own(Want),
    /// Not a frame, or one of a socket that is no longer ours.
    Nothing,
}

/// Openings of sessions that are remembered.
const MOST_OPENED: usize = 16;

impl Gateway {
    /// A text message arrived on a socket.
    pub fn on_text<'a>(&mut self, env: &mut Env, id: SocketId, text: &'a str) -> Heard<'a> {
        if self.link.socket() != Some(id) {
            return Heard::Nothing;
        }
        let Some(frame) = frame::read(text) else {
            env.count("frames_unreadable", "");
            env.log(
                Level::Warn,
                format!(
                    "gateway: a frame of {} bytes cannot be read; passed over",
                    text.len()
                ),
            );
            return Heard::Nothing;
        };
        match frame.op {
            Op::Dispatch => self.on_dispatch(env, id, frame),
            Op::Heartbeat => {
                self.send_heartbeat(env, id);
                if self.heartbeat_ms > 0 {
                    // Our own follows a whole interval later, or it would be too fast.
                    env.set_timer(Timer::Heartbeat, self.heartbeat_ms);
                }
                Heard::Own(Want::Nothing)
            }
            Op::HeartbeatAck => {
                self.awaiting_ack = false;
                self.last_ack_ms = Some(env.now.mono_ms);
                if matches!(self.link, Link::Ready(_)) {
                    self.backoff.reset();
                }
                Heard::Own(Want::Nothing)
            }
            Op::Hello => {
                self.on_hello(env, id, &frame.body);
                Heard::Own(Want::Nothing)
            }
            Op::Reconnect => {
                env.log(Level::Info, "gateway: asked to reconnect (op 7)");
                self.abandon(env, "reconnect");
                Heard::Own(self.react(env, Reaction::ResumeNow, None))
            }
            Op::InvalidSession => Heard::Own(self.on_invalid_session(env, &frame.body)),
            Op::Unknown(number) => {
                env.count("ops_unknown", "");
                env.log(
                    Level::Info,
                    format!("gateway: op {number} is unknown to this version; passed over"),
                );
                Heard::Own(Want::Nothing)
            }
        }
    }

    fn on_hello(&mut self, env: &mut Env, id: SocketId, body: &str) {
        self.heartbeat_ms = frame::heartbeat_interval(body).unwrap_or(DEFAULT_HEARTBEAT_MS);
        env.set_timer(Timer::Heartbeat, self.heartbeat_ms);
        if !matches!(self.link, Link::Greeting(_) | Link::Opening(_)) {
            // A second Hello changes the interval only: a second Identify would be a fault (4005).
            return;
        }
        let intents = self.intents(env);
        match &self.session {
            Some(session) if session.intents == intents => {
                env.log(
                    Level::Info,
                    format!(
                        "gateway: resuming session {} after {}",
                        session.id, session.handled
                    ),
                );
                send(env, id, frame::resume(&session.id, session.handled));
                self.link = Link::Resuming(id);
            }
            _ => {
                env.log(
                    Level::Info,
                    format!("gateway: identifying with intents {intents}"),
                );
                send(env, id, frame::identify(intents));
                self.identify_from_ms = env.now.mono_ms.saturating_add(IDENTIFY_EVERY_MS);
                self.link = Link::Identifying(id);
            }
        }
    }

    fn on_dispatch<'a>(&mut self, env: &mut Env, id: SocketId, frame: Frame<'a>) -> Heard<'a> {
        match (frame.event.as_ref(), frame.seq) {
            ("READY", seq) => {
                self.on_ready(env, id, &frame.body, seq.unwrap_or(1));
                Heard::Own(Want::Nothing)
            }
            ("RESUMED", seq) => {
                if let (Some(session), Some(seq)) = (&mut self.session, seq) {
                    session.receive(seq);
                    session.handle(seq);
                    self.dirty = true;
                }
                self.connected(env, id, "resumed");
                Heard::Own(Want::Nothing)
            }
            (_, seq) => {
                if let (Some(session), Some(seq)) = (&mut self.session, seq) {
                    session.receive(seq);
                }
                if matches!(self.link, Link::Ready(_)) {
                    self.backoff.reset();
                }
                Heard::Event(frame)
            }
        }
    }

    fn on_ready(&mut self, env: &mut Env, id: SocketId, body: &str, seq: u64) {
        match serde_json::from_str::<Ready>(body) {
            Ok(ready) => {
                self.bot_id.clone_from(&ready.user.id);
                env.log(
                    Level::Info,
                    format!(
                        "gateway: session {} opened as {:?}",
                        ready.session_id, ready.user.username
                    ),
                );
                self.session = Some(Session::opened(ready.session_id, seq, self.intents(env)));
                self.opened_ms.push(env.now.mono_ms);
                let many = self.opened_ms.len().saturating_sub(MOST_OPENED);
                self.opened_ms.drain(..many);
            }
            Err(_) => {
                // Without its id the session cannot be resumed, but it can be used.
                env.log(
                    Level::Warn,
                    "gateway: READY cannot be read; this session will not be resumed",
                );
                self.session = None;
            }
        }
        self.dirty = true;
        self.connected(env, id, "identified");
    }

    fn connected(&mut self, env: &mut Env, id: SocketId, how: &str) {
        self.link = Link::Ready(id);
        self.ready_since_ms = Some(env.now.mono_ms);
        self.doubted = false;
        self.interruptions = 0;
        env.clear_timer(Timer::Handshake);
        env.clear_timer(Timer::Reconnect);
        env.count("connects", how);
        env.log(Level::Info, format!("gateway: connected ({how})"));
        self.report(env);
    }

    /// Says how the channel is, if the connection stands.
    pub fn report(&self, env: &mut Env) {
        if !matches!(self.link, Link::Ready(_)) {
            return;
        }
        let granted = Intents::from_bits(self.intents(env));
        if env.config.pairs() && !granted.has_private() {
            return health::report_nowhere_to_pair(env);
        }
        let missing = env.config.intents.names_missing_in(granted);
        if missing.is_empty() {
            health::report(
                env,
                HealthLevel::Ok,
                "ready",
                "connected and listening",
                None,
            );
        } else {
            health::report_missing_intents(env, &missing);
        }
    }

    /// Op 9. A Resume with a stale token is answered with it too, and then the session is still there: so the
    /// first refusal costs the token, and only the second one the session.
    fn on_invalid_session(&mut self, env: &mut Env, body: &str) -> Want {
        let resuming = matches!(self.link, Link::Resuming(_));
        let said_so = body.trim() == "true"
            && self.interruptions < MAX_INTERRUPTIONS
            && (resuming || matches!(self.link, Link::Ready(_)));
        let keep = said_so || (resuming && !self.doubted);
        env.log(
            Level::Warn,
            format!("gateway: invalid session (op 9, session kept: {keep})"),
        );
        self.abandon(env, "invalid session");
        let (least, spread) = INVALID_SESSION_MS;
        let wait_ms = least + env.jitter.below(spread);
        if said_so {
            self.interruptions += 1;
            self.wait(env, wait_ms, "the platform interrupted the session");
            return Want::Nothing;
        }
        if keep {
            self.doubted = true;
        } else {
            self.drop_session();
        }
        let again = self.backoff.next_ms(&mut env.jitter);
        self.wait(env, wait_ms.max(again), "the platform refused the session");
        Want::NewToken
    }

    /// An event with this number was handled. It is stored with this call's commit.
    pub fn handled(&mut self, seq: Option<u64>) {
        if let (Some(session), Some(seq)) = (&mut self.session, seq) {
            session.handle(seq);
            self.dirty = true;
        }
    }

    /// An intent was refused: ask for less.
    pub(super) fn step_down(&mut self, env: &mut Env) {
        let ladder = env.config.intents_ladder();
        self.drop_session();
        if self.rung + 1 >= ladder.len() {
            self.stop(env, Stop::NoIntents, Some(4014));
            return;
        }
        self.rung += 1;
        self.remember_rung(env);
        let missing = env
            .config
            .wanted_intents()
            .names_missing_in(Intents::from_bits(self.intents(env)));
        env.log(
            Level::Warn,
            format!(
                "gateway: an intent was refused (4014); trying without {}",
                missing.join(", ")
            ),
        );
        self.retry(env, "an intent was refused; trying with fewer");
    }

    /// The intents asked for at present.
    pub(super) fn intents(&self, env: &Env) -> u32 {
        let ladder = env.config.intents_ladder();
        ladder
            .get(self.rung)
            .or(ladder.last())
            .copied()
            .unwrap_or_default()
            .bits()
    }
}
