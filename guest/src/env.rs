//! What every part of the channel works with: time, configuration, ids, randomness, timers and
//! requests, and the list of effects that grows while one event is handled.

use serde::{Deserialize, Serialize};

use crate::bindings::{Action, Effect, Entry, Instant, Metric, MetricKind};
use crate::config::Config;
use crate::ids::Ids;
use crate::requests::Requests;
use crate::state::bounds::{KEY_BYTES, VALUE_BYTES};
use crate::timers::Timers;

/// How much a log line matters.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Level {
    /// For whoever debugs the channel.
    Debug,
    /// A fact the operator may want to know.
    Info,
    /// Something is not as it should be, and the channel copes.
    Warn,
    /// Somebody should act.
    Error,
}

/// Takes the log lines. In the component it calls the host at once, so that a line is out before a trap.
pub type LogSink = Box<dyn FnMut(Level, &str) + Send>;

/// Jitter. Seeded by the host at boot, so that the same events give the same effects.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Jitter(u64);

impl Jitter {
    /// Takes the first eight bytes of the boot's entropy.
    #[must_use]
    pub fn from_entropy(entropy: &[u8]) -> Self {
        let seed = entropy
            .iter()
            .take(8)
            .fold(0u64, |seed, byte| seed << 8 | u64::from(*byte));
        Self(seed)
    }

    /// A number from 0 to `below` - 1; 0 for `below` = 0.
    pub fn below(&mut self, below: u64) -> u64 {
        if below == 0 {
            return 0;
        }
        let mut rng = fastrand::Rng::with_seed(self.0);
        let value = rng.u64(0..below);
        self.0 = rng.get_seed();
        value
    }
}

/// A moment of the platform's clock. It runs on with the monotonic clock, so that a step of this machine's own
/// clock after the start changes nothing.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Clock {
    /// What the platform's clock said, wall-clock milliseconds.
    pub platform_ms: u64,
    /// When it said so, monotonic milliseconds.
    pub mono_ms: u64,
}

/// The surroundings of one instance.
pub struct Env {
    /// The moment of the event being handled.
    pub now: Instant,
    /// The platform's clock, as far as it is known.
    pub clock: Clock,
    /// The operator's settings.
    pub config: Config,
    /// The name under which the operator knows this channel.
    pub instance: String,
    /// Allots ids.
    pub ids: Ids,
    /// Jitter.
    pub jitter: Jitter,
    /// Timers that are set.
    pub timers: Timers,
    /// Requests under way.
    pub requests: Requests,
    /// What was last said of how the channel is: code, sentence, remedy.
    pub health: Option<(String, String, Option<String>)>,
    effects: Vec<Effect>,
    log: LogSink,
}

impl std::fmt::Debug for Env {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Env")
            .field("now", &self.now)
            .field("ids", &self.ids)
            .finish_non_exhaustive()
    }
}

impl Env {
    /// New surroundings: nothing set, nothing under way.
    #[must_use]
    pub fn new(now: Instant, config: Config, ids: Ids, jitter: Jitter, log: LogSink) -> Self {
        Self {
            now,
            clock: Clock {
                platform_ms: now.wall_ms,
                mono_ms: now.mono_ms,
            },
            config,
            instance: "qq".to_owned(),
            ids,
            jitter,
            timers: Timers::default(),
            requests: Requests::default(),
            health: None,
            effects: Vec::new(),
            log,
        }
    }

    /// Wall-clock milliseconds as the platform counts them.
    #[must_use]
    pub fn platform_ms(&self) -> u64 {
        let since = self.now.mono_ms.saturating_sub(self.clock.mono_ms);
        self.clock.platform_ms.saturating_add(since)
    }

    /// Asks the host for something, at once.
    pub fn emit(&mut self, action: Action) {
        self.effects.push(Effect {
            after_commit: false,
            action,
        });
    }

    /// Asks the host for something once the puts of this call are committed.
    pub fn emit_after_commit(&mut self, action: Action) {
        self.effects.push(Effect {
            after_commit: true,
            action,
        });
    }

    /// Stores an entry with this call's commit. One that the host would not take is left out, since it would cost the whole
    /// call: ids of the platform's that long name nothing.
    pub fn put(&mut self, key: impl Into<String>, value: Vec<u8>) {
        let key = key.into();
        if key.len() > KEY_BYTES || value.len() > VALUE_BYTES {
            let line = format!(
                "an entry of {} and {} bytes is too large to be stored",
                key.len(),
                value.len()
            );
            self.log(Level::Error, line);
            return self.count("entries_left_out", "too-large");
        }
        self.emit(Action::StorePut(Entry { key, value }));
    }

    /// Deletes an entry with this call's commit.
    pub fn delete(&mut self, key: impl Into<String>) {
        self.emit(Action::StoreDelete(key.into()));
    }

    /// Counts one.
    pub fn count(&mut self, name: &str, label: &str) {
        self.emit(Action::Metric(Metric {
            name: name.to_owned(),
            label: label.to_owned(),
            kind: MetricKind::Counter,
            value: 1,
        }));
    }

    /// Writes a log line.
    pub fn log(&mut self, level: Level, line: impl AsRef<str>) {
        (self.log)(level, line.as_ref());
    }

    /// Hands out what was asked for since the last time.
    pub fn take_effects(&mut self) -> Vec<Effect> {
        std::mem::take(&mut self.effects)
    }
}
