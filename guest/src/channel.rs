//! The channel as a whole: one event in, effects out. Every arrow of a message's way begins here.

use std::borrow::Cow;

use crate::access::{self, Access};
use crate::auth::{Auth, News};
use crate::bindings::{
    BlobMade, Boot, ChannelInfo, CheckpointMode, DigestDone, Effect, Event, Holdings, HttpDone,
    HttpOutcome, Instant, Problem, StartReason,
};
use crate::config::{Config, key_table};
use crate::dedup::Dedup;
use crate::delivery::{self, errors};
use crate::env::{Env, Jitter, Level, LogSink};
use crate::gateway::frames::Heard;
use crate::gateway::{Gateway, Want};
use crate::ids::{Ids, RequestId, SocketId, TimerId};
use crate::requests::{APP_SECRET, Purpose};
use crate::state::checkpoint::{Checkpoint, CheckpointError};
use crate::state::{Entries, STATE_VERSION, bounds};
use crate::timers::Timer;
use crate::turns::{InFlight, Turns};

mod commands;
mod dispatch;
mod examining;
mod operator;
mod pairing;
mod people;
mod settings;
mod skipped;

pub use examining::{Check, Examination};

/// One instance of the channel.
#[derive(Debug)]
pub struct Channel {
    pub(crate) env: Env,
    pub(crate) auth: Auth,
    pub(crate) gateway: Gateway,
    pub(crate) dedup: Dedup,
    pub(crate) turns: Turns,
    pub(crate) access: Access,
    /// The `drain` command to answer once nothing is being delivered.
    pub(crate) draining: Option<u64>,
    /// The doctor's examination under way.
    pub(crate) examination: Option<Examination>,
    /// Started to be asked something only.
    probe: bool,
}

/// What this component is.
#[must_use]
pub fn describe() -> ChannelInfo {
    ChannelInfo {
        name: "qq".to_owned(),
        version: env!("CARGO_PKG_VERSION").to_owned(),
        state_version: STATE_VERSION,
        reads_from: STATE_VERSION,
        also_writes: Vec::new(),
        keys: key_table(),
        stores: bounds::stored(),
        sheds: bounds::SHEDS.map(str::to_owned).to_vec(),
    }
}

impl Channel {
    /// Begins. With a checkpoint the instance goes on where the other one stopped.
    ///
    /// # Errors
    /// What is wrong with the configuration or the checkpoint, each with what to do.
    pub fn start(
        now: Instant,
        boot: Boot,
        log: LogSink,
    ) -> Result<(Self, Vec<Effect>), Vec<Problem>> {
        let config = Config::from_json(&boot.config)?;
        if !boot.secrets.iter().any(|name| name == APP_SECRET) {
            return Err(vec![Problem {
                key: Some(APP_SECRET.to_owned()),
                sentence: "app_secret has no value".to_owned(),
                fix: "copy AppSecret from 开发设置 (development settings) of the bot's console"
                    .to_owned(),
            }]);
        }
        let mut entries = Entries::new(boot.entries);
        let mut env = Env::new(
            now,
            config,
            Ids::new(boot.boot_number),
            Jitter::from_entropy(&boot.entropy),
            log,
        );
        env.instance.clone_from(&boot.instance);
        let mut channel = match (&boot.checkpoint, boot.reason) {
            (Some(bytes), StartReason::Crash | StartReason::Swap | StartReason::Rollback) => {
                let checkpoint =
                    Checkpoint::read(bytes).map_err(|error| vec![checkpoint_problem(error)])?;
                Self::go_on(env, &mut entries, checkpoint)
            }
            _ => {
                env.log(
                    Level::Info,
                    format!("{} starting, AppID {}", boot.host, env.config.app_id),
                );
                let mut channel = Self::from_entries(env, &mut entries);
                channel.turns.refusals.shed = boot.shed.into();
                channel.probe = boot.reason == StartReason::Probe;
                // A probe is only asked something; a session of its own would take the place of a live one.
                if !channel.probe {
                    channel.begin();
                }
                channel
            }
        };
        let effects = channel.finish();
        Ok((channel, effects))
    }

    fn from_entries(env: Env, entries: &mut Entries) -> Self {
        let wall_ms = env.now.wall_ms;
        Self {
            gateway: Gateway::restore(&env, entries),
            dedup: Dedup::restore(entries, wall_ms),
            turns: Turns::restore(entries, &env.config, InFlight::default()),
            access: Access::restore(entries, wall_ms, access::InFlight::default()),
            auth: Auth::default(),
            draining: None,
            examination: None,
            probe: false,
            env,
        }
    }

    fn go_on(mut env: Env, entries: &mut Entries, checkpoint: Checkpoint<'_>) -> Self {
        // As the instance before had it: what is too old is forgotten at a restart, or as new things come.
        let wall_ms = 0;
        env.ids = checkpoint.ids.into_owned();
        env.jitter = checkpoint.jitter.into_owned();
        env.clock = checkpoint.clock;
        env.timers = checkpoint.timers.into_owned();
        env.requests = checkpoint.requests.into_owned();
        env.health = checkpoint.health.into_owned();
        Self {
            dedup: Dedup::restore(entries, wall_ms),
            turns: Turns::restore(entries, &env.config, checkpoint.turns),
            access: Access::restore(entries, wall_ms, checkpoint.access),
            gateway: checkpoint.gateway.into_owned(),
            auth: checkpoint.auth.into_owned(),
            draining: checkpoint.draining,
            examination: checkpoint.examination.into_owned(),
            probe: checkpoint.probe,
            env,
        }
    }

    /// A process begins: take up open turns, and connect.
    fn begin(&mut self) {
        if self.env.config.pairs() {
            self.begin_pairing();
        }
        if self.env.config.ack_reactions && !self.env.config.intents.has_channels() {
            self.env.log(
                Level::Info,
                "ack_reactions: only guild channels have reactions, and intents names none",
            );
        }
        self.turns.take_up(&mut self.env);
        let want = self.gateway.connect(&mut self.env, false);
        self.want(want);
    }

    /// Takes one event and returns what is to be done, in order.
    pub fn handle(&mut self, now: Instant, event: Event) -> Vec<Effect> {
        self.env.now = now;
        match event {
            Event::SocketOpened(id) => self.gateway.on_opened(SocketId(id)),
            Event::SocketText(message) => self.on_socket_text(SocketId(message.id), &message.text),
            Event::SocketBinary(_) => self.env.count("frames_unreadable", "binary"),
            Event::SocketClosed(closed) => {
                let want = self
                    .gateway
                    .on_closed(&mut self.env, SocketId(closed.id), &closed.end);
                self.want(want);
            }
            Event::HttpDone(done) => self.on_http(&done),
            Event::TimerFired(id) => self.on_timer(TimerId(id)),
            Event::Turn(news) => self.turns.on_news(&mut self.env, news),
            Event::Command(command) => self.on_command(&command),
            Event::Skipped(skipped) => self.on_skipped(&skipped),
            Event::BlobMade(made) => self.on_blob_made(&made),
            Event::DigestDone(done) => self.on_digest(&done),
            Event::Entropy(entropy) => self.on_random(entropy.id, &entropy.bytes),
            // Nothing was asked for that this answers.
            Event::Extension(_) => {}
        }
        self.finish()
    }

    /// What every call ends with: turns go on, and the session is stored with the effects of the event that moved it.
    fn finish(&mut self) -> Vec<Effect> {
        let valid = self.auth.valid(&self.env);
        let want = self.turns.work(&mut self.env, valid);
        self.want(want);
        self.turns.open.save(&mut self.env);
        self.gateway.store(&mut self.env);
        self.finish_draining();
        self.examine_session();
        self.env.take_effects()
    }

    fn on_socket_text(&mut self, id: SocketId, text: &str) {
        match self.gateway.on_text(&mut self.env, id, text) {
            Heard::Event(frame) => {
                let seq = frame.seq;
                self.dispatch(&frame);
                self.gateway.handled(seq);
            }
            Heard::Own(want) => self.want(want),
            Heard::Nothing => {}
        }
    }

    fn on_http(&mut self, done: &HttpDone) {
        match self.env.requests.take(RequestId(done.id)) {
            Some(Purpose::Token) => {
                let news = self.auth.on_done(&mut self.env, done);
                self.on_token_news(news);
                self.examine_token(news, done);
            }
            Some(Purpose::Discover(discovery)) => {
                let want = self
                    .gateway
                    .on_discovered(&mut self.env, discovery, &done.outcome);
                self.want_after(want, done);
            }
            Some(Purpose::Send { turn, part }) => {
                let want = self.turns.on_sent(&mut self.env, turn, part, done);
                self.want_after(want, done);
            }
            Some(Purpose::Upload { turn, part }) => {
                let want = self.turns.on_uploaded(&mut self.env, (turn, part), done);
                self.want_after(want, done);
            }
            Some(Purpose::Stream { turn }) => {
                let want = self.turns.on_streamed(&mut self.env, turn, done);
                self.want_after(want, done);
            }
            Some(Purpose::Fetch { turn, attachment }) => {
                self.turns
                    .on_fetched(&mut self.env, (turn, attachment), done);
            }
            Some(Purpose::Typing { turn }) => self.turns.on_typed(&mut self.env, turn, done),
            Some(purpose @ (Purpose::Ack | Purpose::Mark)) => self.on_sign(&purpose, done),
            Some(Purpose::Doctor(check)) => self.examine_answer(check, done),
            Some(Purpose::Random(_)) | None => {}
        }
    }

    fn on_blob_made(&mut self, made: &BlobMade) {
        if let Some(Purpose::Upload { turn, part }) = self.env.requests.take(RequestId(made.blob)) {
            self.turns.on_made(&mut self.env, (turn, part), &made.made);
        }
    }

    fn on_digest(&mut self, done: &DigestDone) {
        if let Some(Purpose::Upload { turn, part }) = self.env.requests.take(RequestId(done.id)) {
            self.turns
                .on_digest(&mut self.env, (turn, part), &done.digests);
        }
    }

    /// The answer to something that is not worth a second try; why it failed is for the log.
    fn on_sign(&mut self, purpose: &Purpose, done: &HttpDone) {
        let why = match &done.outcome {
            HttpOutcome::Response(response) if (200..300).contains(&response.status) => return,
            HttpOutcome::Response(response) => {
                let code = errors::read(response.status, &response.body).code;
                format!("HTTP {}, code {code:?}", response.status)
            }
            HttpOutcome::Failed(failure) => format!("{:?}: {}", failure.stage, failure.detail),
        };
        let what = if *purpose == Purpose::Ack {
            "the press of a button was not acknowledged"
        } else {
            "a sign on a message was not set"
        };
        self.env.log(Level::Warn, format!("{what}: {why}"));
    }

    fn on_token_news(&mut self, news: News) {
        match news {
            News::Valid => {
                let want = self.gateway.on_token(&mut self.env);
                self.want(want);
                self.gateway.report(&mut self.env);
                self.turns.on_token();
            }
            News::Later => {}
            News::Stop(stop, code) => self.gateway.on_token_stop(&mut self.env, stop, code),
        }
    }

    fn on_timer(&mut self, id: TimerId) {
        let Some(timer) = self.env.timers.take(id) else {
            return;
        };
        match timer {
            Timer::TokenRefresh => self.auth.on_timer(&mut self.env),
            Timer::Reconnect | Timer::Handshake | Timer::Heartbeat => {
                let valid = self.auth.valid(&self.env);
                let want = self.gateway.on_timer(&mut self.env, timer, valid);
                self.want(want);
            }
            Timer::Resends => self.turns.on_resends(&mut self.env),
            Timer::TurnDeadlines => self.turns.on_deadlines(&mut self.env),
            Timer::Streams => self.turns.on_stream_time(&mut self.env),
            Timer::Typing => self.turns.on_typing_time(&mut self.env),
            Timer::PairingCode => self.on_code_over(),
            Timer::Doctor => self.on_doctor_time(),
            Timer::Agenda => {}
        }
    }

    fn want(&mut self, want: Want) {
        match want {
            Want::Nothing => {}
            Want::Token => self.auth.want(&mut self.env),
            Want::NewToken => self.auth.refused(&mut self.env, None),
        }
    }

    /// As `want`, with the token's generation that a request went out with.
    fn want_after(&mut self, want: Want, done: &HttpDone) {
        match want {
            Want::NewToken => self
                .auth
                .refused(&mut self.env, delivery::token_generation(done)),
            other => self.want(other),
        }
    }

    /// Writes down all that is in flight.
    ///
    /// # Errors
    /// When another state version is asked for.
    pub fn checkpoint(&self, mode: &CheckpointMode) -> Result<Vec<u8>, CheckpointError> {
        if let CheckpointMode::AsVersion(wanted) = mode
            && *wanted != STATE_VERSION
        {
            return Err(CheckpointError::CannotWrite { wanted: *wanted });
        }
        let (mut turns, mut access) = (self.turns.in_flight(), self.access.in_flight());
        if *mode == CheckpointMode::BlankText {
            turns.blank();
            access.blank();
        }
        Checkpoint {
            ids: Cow::Borrowed(&self.env.ids),
            jitter: Cow::Borrowed(&self.env.jitter),
            clock: self.env.clock,
            timers: Cow::Borrowed(&self.env.timers),
            requests: Cow::Borrowed(&self.env.requests),
            health: Cow::Borrowed(&self.env.health),
            auth: Cow::Borrowed(&self.auth),
            gateway: Cow::Borrowed(&self.gateway),
            turns,
            access,
            draining: self.draining,
            examination: Cow::Borrowed(&self.examination),
            probe: self.probe,
        }
        .write()
    }

    /// What this instance counts on the host to hold.
    #[must_use]
    pub fn holdings(&self) -> Holdings {
        Holdings {
            sockets: self.gateway.sockets(),
            requests: self.env.requests.ids(),
            timers: self.env.timers.ids(),
            turns: self.turns.running(),
        }
    }
}

fn checkpoint_problem(error: CheckpointError) -> Problem {
    Problem {
        key: None,
        sentence: error.to_string(),
        fix: "keep the running version, or restart the channel".to_owned(),
    }
}

#[cfg(test)]
pub(crate) mod tests {
    use super::*;
    use crate::config::tests::config_json;
    use crate::state::tests::{Store, stored};

    /// What is stored so far, as a next process finds it.
    pub(crate) fn entries_of(env: &mut Env) -> Entries {
        stored(env, &mut Store::new())
    }

    /// Surroundings for unit tests of single parts.
    pub(crate) fn test_env() -> Env {
        let config =
            Config::from_json(&config_json(serde_json::json!({"allowed_users": ["*"]}))).unwrap();
        let now = Instant {
            mono_ms: 1_000,
            wall_ms: 1_800_000_000_000,
        };
        Env::new(
            now,
            config,
            Ids::new(1),
            Jitter::from_entropy(&[1; 32]),
            Box::new(|_, _| {}),
        )
    }
}
