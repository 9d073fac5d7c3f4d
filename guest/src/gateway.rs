//! The gateway session: discover, connect, identify or resume, beat, and get back after every way of losing it.

use serde::{Deserialize, Serialize};

use crate::bindings::{
    Action, HealthLevel, HttpOutcome, Piece, SocketClose, SocketEnd, SocketOpen, SocketSend,
};
use crate::env::{Env, Level};
use crate::health;
use crate::ids::SocketId;
use crate::requests::{Body, Discovery, Purpose};
use crate::timers::Timer;

pub mod backoff;
pub mod close;
pub mod frame;
pub mod frames;
pub mod intents;
mod link;
mod memory;
pub mod session;

pub use link::Link;

use backoff::Backoff;
use close::{Reaction, Stop};
use session::Session;

/// Milliseconds for DNS, proxy, TCP, TLS and upgrade.
const OPEN_TIMEOUT_MS: u32 = 20_000;
/// Milliseconds from opening a socket to READY or RESUMED.
const HANDSHAKE_MS: u64 = 30_000;
/// Largest frame we take, bytes. The platform's are a few KiB (`PROTOCOL.md`, "Frames").
const MAX_FRAME: u32 = 4 * 1024 * 1024;
/// Close code that we send: private use, so that the platform keeps the session.
const OUR_CLOSE: u16 = 3000;
/// Milliseconds between two Identifies: one in five seconds is what every bot may (`PROTOCOL.md`, "Sessions").
const IDENTIFY_EVERY_MS: u64 = 5_000;
/// Milliseconds to wait after close code 4008.
const TOO_FAST_MS: u64 = 60_000;

/// What the channel has to do because of something that the gateway learned.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Want {
    /// Nothing.
    Nothing,
    /// A token, if none is valid.
    Token,
    /// A new token: the present one was refused.
    NewToken,
}

/// The gateway session of one bot.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Gateway {
    link: Link,
    session: Option<Session>,
    url: Option<String>,
    /// Which rung of the intents' ladder is asked for.
    rung: usize,
    heartbeat_ms: u64,
    awaiting_ack: bool,
    last_ack_ms: Option<u64>,
    /// When the next Identify may be sent, monotonic.
    identify_from_ms: u64,
    ready_since_ms: Option<u64>,
    backoff: Backoff,
    /// A Resume was refused, and the token may have been why: it is tried once more with a new one.
    doubted: bool,
    /// Times in a row that the platform interrupted the session and said that it may be resumed.
    interruptions: u8,
    bot_id: String,
    /// When the last sessions were opened anew, monotonic milliseconds, newest last.
    opened_ms: Vec<u64>,
    /// Whether what is stored about the session is out of date.
    dirty: bool,
}

impl Default for Gateway {
    fn default() -> Self {
        Self {
            link: Link::Waiting,
            session: None,
            url: None,
            rung: 0,
            heartbeat_ms: 0,
            awaiting_ack: false,
            last_ack_ms: None,
            identify_from_ms: 0,
            ready_since_ms: None,
            backoff: Backoff::new(1_000, 60_000),
            doubted: false,
            interruptions: 0,
            bot_id: String::new(),
            opened_ms: Vec::new(),
            dirty: false,
        }
    }
}

impl Gateway {
    /// Where the connection stands.
    #[must_use]
    pub fn link(&self) -> &Link {
        &self.link
    }

    /// The session, if there is one.
    #[must_use]
    pub fn session(&self) -> Option<&Session> {
        self.session.as_ref()
    }

    /// The bot's own id in guilds, from READY; empty before.
    #[must_use]
    pub fn bot_id(&self) -> &str {
        &self.bot_id
    }

    /// Monotonic milliseconds of the last heartbeat that was answered.
    #[must_use]
    pub fn last_ack_ms(&self) -> Option<u64> {
        self.last_ack_ms
    }

    /// Monotonic milliseconds since when the connection stands.
    #[must_use]
    pub fn ready_since_ms(&self) -> Option<u64> {
        self.ready_since_ms
    }

    /// Bits that this session asks for, or would.
    #[must_use]
    pub fn granted(&self, env: &Env) -> u32 {
        self.intents(env)
    }

    /// Sessions opened anew within the last hour.
    #[must_use]
    pub fn sessions_of_the_last_hour(&self, mono_ms: u64) -> usize {
        let lately = |at: &&u64| mono_ms.saturating_sub(**at) < 3_600_000;
        self.opened_ms.iter().filter(lately).count()
    }

    /// Closes the connection, and forgets the session: it was opened for a look only.
    pub fn leave(&mut self, env: &mut Env) {
        self.abandon(env, "examined");
        self.drop_session();
    }

    /// Sockets held, ascending.
    #[must_use]
    pub fn sockets(&self) -> Vec<u64> {
        self.link.socket().map(|id| id.0).into_iter().collect()
    }

    /// Begins to connect, or goes on once a token is there.
    pub fn connect(&mut self, env: &mut Env, token_valid: bool) -> Want {
        if !token_valid {
            self.link = Link::WantsToken;
            return Want::Token;
        }
        let early_ms = self.identify_from_ms.saturating_sub(env.now.mono_ms);
        if early_ms > 0 && !self.resumable(env) {
            self.wait(env, early_ms, "Identifies must be five seconds apart");
            return Want::Nothing;
        }
        match self.url.clone() {
            // A session that can be resumed costs no Identify, so the limits need not be asked for.
            Some(url) if self.resumable(env) => self.open(env, url),
            _ => self.discover(env, Discovery::WithLimits),
        }
        Want::Nothing
    }

    /// A token is there, if somebody waited for one.
    pub fn on_token(&mut self, env: &mut Env) -> Want {
        match self.link {
            // A bot that was stopped for its secret goes on once the secret works.
            Link::WantsToken
            | Link::Stopped(Stop::BadAppId | Stop::BadSecret | Stop::AddressNotAllowed) => {
                self.connect(env, true)
            }
            _ => Want::Nothing,
        }
    }

    /// The token endpoint said that nothing will work until somebody acts.
    pub fn on_token_stop(&mut self, env: &mut Env, stop: Stop, code: i64) {
        if matches!(self.link, Link::WantsToken) {
            self.stop(env, stop, Some(code));
        } else {
            // The connection stands, but nothing can be sent once the present token runs out.
            let (sentence, fix) = health::explain(stop);
            health::report(env, HealthLevel::Degraded, stop.code(), sentence, Some(fix));
        }
    }

    fn resumable(&self, env: &Env) -> bool {
        self.session
            .as_ref()
            .is_some_and(|session| session.intents == self.intents(env))
    }

    fn discover(&mut self, env: &mut Env, discovery: Discovery) {
        let path = match discovery {
            Discovery::WithLimits => "/gateway/bot",
            Discovery::Plain => "/gateway",
        };
        let request = env.call_api(Purpose::Discover(discovery), "GET", path, Body::None, false);
        self.link = Link::Discovering(request);
    }

    /// The answer to a discovery.
    pub fn on_discovered(
        &mut self,
        env: &mut Env,
        discovery: Discovery,
        outcome: &HttpOutcome,
    ) -> Want {
        let response = match outcome {
            HttpOutcome::Response(response) => response,
            HttpOutcome::Failed(failure) => {
                env.log(
                    Level::Warn,
                    format!("gateway address: {:?}: {}", failure.stage, failure.detail),
                );
                self.retry(env, "the gateway's address could not be asked for");
                return Want::Nothing;
            }
        };
        match memory::read_discovery(response) {
            memory::Discovered::Found { url, wait_ms } => {
                self.url = Some(url.clone());
                self.dirty = true;
                match wait_ms.filter(|_| !self.resumable(env)) {
                    Some(wait_ms) => self.wait_for_limit(env, wait_ms),
                    None => self.open(env, url),
                }
                Want::Nothing
            }
            memory::Discovered::Missing if discovery == Discovery::WithLimits => {
                self.discover(env, Discovery::Plain);
                Want::Nothing
            }
            memory::Discovered::Missing | memory::Discovered::Unreadable => {
                env.log(
                    Level::Warn,
                    format!(
                        "gateway address: HTTP {} is no answer we can read",
                        response.status
                    ),
                );
                self.retry(
                    env,
                    "the platform's answer about the gateway cannot be read",
                );
                Want::Nothing
            }
            memory::Discovered::Token => {
                self.retry(env, "the platform refused the token; getting a new one");
                Want::NewToken
            }
            memory::Discovered::Stop(stop, code) => {
                self.stop(env, stop, Some(code));
                Want::Nothing
            }
            memory::Discovered::TooFast => {
                self.wait(env, TOO_FAST_MS, "the platform asks us to wait a minute");
                Want::Nothing
            }
        }
    }

    fn wait_for_limit(&mut self, env: &mut Env, wait_ms: u64) {
        env.log(
            Level::Error,
            format!(
                "session start limit used up; next Identify in {} min",
                wait_ms / 60_000
            ),
        );
        self.wait(
            env,
            wait_ms.max(1_000),
            "the platform's daily limit of session starts is used up",
        );
    }

    fn open(&mut self, env: &mut Env, url: String) {
        let id = env.ids.socket();
        self.link = Link::Opening(id);
        env.emit(Action::SocketOpen(SocketOpen {
            id: id.0,
            url,
            headers: Vec::new(),
            timeout_ms: OPEN_TIMEOUT_MS,
            max_message: MAX_FRAME,
        }));
        env.set_timer(Timer::Handshake, HANDSHAKE_MS);
    }

    /// A socket is open.
    pub fn on_opened(&mut self, id: SocketId) {
        if self.link == Link::Opening(id) {
            self.link = Link::Greeting(id);
        }
    }

    /// A socket is gone, and not because we closed it.
    pub fn on_closed(&mut self, env: &mut Env, id: SocketId, end: &SocketEnd) -> Want {
        if self.link.socket() != Some(id) {
            return Want::Nothing;
        }
        let reaction = match end {
            SocketEnd::Closed(frame) => {
                env.log(
                    Level::Warn,
                    format!("gateway closed the connection with code {}", frame.code),
                );
                close::reaction(frame.code)
            }
            SocketEnd::Failed(failure) => {
                env.log(
                    Level::Warn,
                    format!(
                        "gateway connection lost: {:?}: {}",
                        failure.stage, failure.detail
                    ),
                );
                if matches!(self.link, Link::Opening(_)) {
                    // The address may be what is wrong: ask again.
                    self.url = None;
                }
                Reaction::Resume
            }
        };
        let code = match end {
            SocketEnd::Closed(frame) => Some(i64::from(frame.code)),
            SocketEnd::Failed(_) => None,
        };
        self.lost(env);
        self.react(env, reaction, code)
    }

    fn react(&mut self, env: &mut Env, reaction: Reaction, code: Option<i64>) -> Want {
        match reaction {
            Reaction::Resume => self.retry(env, "the connection to the gateway was lost"),
            Reaction::ResumeNow if self.backoff.failures() == 0 => {
                self.backoff.next_ms(&mut env.jitter);
                self.wait(env, 1, "the platform asked for a fresh connection");
            }
            Reaction::ResumeNow => self.retry(env, "the platform asked for a fresh connection"),
            Reaction::ResumeAfterAMinute => {
                self.wait(env, TOO_FAST_MS, "the platform asks us to wait a minute")
            }
            Reaction::Identify => {
                self.drop_session();
                self.retry(env, "the session is gone; a new one is being opened");
            }
            Reaction::RefreshToken => {
                self.retry(env, "the platform refused the token; getting a new one");
                return Want::NewToken;
            }
            Reaction::StepDown => self.step_down(env),
            Reaction::Stop(stop) => {
                // None of these codes lets a session be resumed; the rare try begins anew.
                self.drop_session();
                self.stop(env, stop, code);
            }
        }
        Want::Nothing
    }

    /// The connection is to be given up from our side, and resumed.
    fn abandon(&mut self, env: &mut Env, reason: &str) {
        if let Some(id) = self.link.socket() {
            env.emit(Action::SocketClose(SocketClose {
                id: id.0,
                code: OUR_CLOSE,
                reason: reason.to_owned(),
            }));
        }
        self.lost(env);
    }

    fn lost(&mut self, env: &mut Env) {
        self.link = Link::Waiting;
        self.awaiting_ack = false;
        self.ready_since_ms = None;
        env.clear_timer(Timer::Handshake);
        env.clear_timer(Timer::Heartbeat);
    }

    fn retry(&mut self, env: &mut Env, why: &str) {
        let wait_ms = self.backoff.next_ms(&mut env.jitter);
        self.wait(env, wait_ms, why);
    }

    fn wait(&mut self, env: &mut Env, wait_ms: u64, why: &str) {
        self.link = Link::Waiting;
        env.log(
            Level::Info,
            format!("gateway: {why}; next attempt in {wait_ms} ms"),
        );
        health::report(env, HealthLevel::Degraded, "connecting", why, None);
        env.set_timer(Timer::Reconnect, wait_ms);
    }

    fn stop(&mut self, env: &mut Env, stop: Stop, code: Option<i64>) {
        self.lost(env);
        self.link = Link::Stopped(stop);
        health::report_stop(env, stop, code);
        env.set_timer(Timer::Reconnect, stop.retry_after_ms());
    }

    fn drop_session(&mut self) {
        self.session = None;
        self.dirty = true;
    }

    /// A timer of the gateway's fired.
    pub fn on_timer(&mut self, env: &mut Env, timer: Timer, token_valid: bool) -> Want {
        match timer {
            Timer::Reconnect if self.link.socket().is_none() => {
                if matches!(self.link, Link::Stopped(_)) {
                    // Somebody may have mended it at the console: look at everything afresh.
                    self.rung = 0;
                    self.url = None;
                }
                return self.connect(env, token_valid);
            }
            Timer::Handshake if !matches!(self.link, Link::Ready(_)) => {
                env.log(Level::Warn, "gateway: no READY or RESUMED in time");
                self.abandon(env, "handshake timeout");
                self.retry(env, "the gateway did not answer in time");
            }
            Timer::Heartbeat => self.beat(env),
            _ => {}
        }
        Want::Nothing
    }

    fn beat(&mut self, env: &mut Env) {
        let Some(id) = self.link.socket() else { return };
        if self.awaiting_ack {
            env.log(
                Level::Warn,
                "gateway: the last heartbeat was not answered; the connection is dead",
            );
            self.abandon(env, "no heartbeat ACK");
            self.retry(env, "the gateway stopped answering heartbeats");
            return;
        }
        self.send_heartbeat(env, id);
        env.set_timer(Timer::Heartbeat, self.heartbeat_ms);
    }

    fn send_heartbeat(&mut self, env: &mut Env, id: SocketId) {
        self.awaiting_ack = true;
        send(
            env,
            id,
            frame::heartbeat(self.session.as_ref().map(|session| session.received)),
        );
    }
}

fn send(env: &mut Env, id: SocketId, payload: Vec<Piece>) {
    env.emit(Action::SocketSend(SocketSend {
        id: id.0,
        binary: false,
        payload,
    }));
}
