//! What a channel's shell counts and keeps for `status`: numbers, and the last lines that matter.

use std::collections::VecDeque;
use std::sync::Mutex;
use std::sync::atomic::{AtomicU64, Ordering};

use super::locked;
use crate::actor::{Command, Usage};
use crate::bindings::v0_1::{Instant, log::Level};
use crate::status::{Counted, Noted};

/// Warnings and errors that are kept; a component that says the same thing for ever fills no memory.
const NOTED_KEPT: usize = 32;
/// Bytes of one of them.
const NOTED_BYTES: usize = 500;

/// The numbers of one channel.
pub(crate) struct Stats {
    pub(super) started: Instant,
    pub(super) incidents: AtomicU64,
    boots: AtomicU64,
    /// Of the component whose effects are being carried out.
    generation: AtomicU64,
    inputs: AtomicU64,
    effects: AtomicU64,
    requests: AtomicU64,
    pub(super) requests_failed: AtomicU64,
    sockets: AtomicU64,
    pub(super) commits_failed: AtomicU64,
    usage: Mutex<Usage>,
    noted: Mutex<VecDeque<Noted>>,
}

pub(super) fn count(counter: &AtomicU64) {
    counter.fetch_add(1, Ordering::Relaxed);
}

impl Stats {
    pub(super) fn new(started: Instant) -> Self {
        Self {
            started,
            incidents: AtomicU64::new(0),
            boots: AtomicU64::new(0),
            generation: AtomicU64::new(1),
            inputs: AtomicU64::new(0),
            effects: AtomicU64::new(0),
            requests: AtomicU64::new(0),
            requests_failed: AtomicU64::new(0),
            sockets: AtomicU64::new(0),
            commits_failed: AtomicU64::new(0),
            usage: Mutex::default(),
            noted: Mutex::default(),
        }
    }

    /// The component has taken an input.
    pub(super) fn stepped(&self, usage: Usage, generation: u64) {
        self.generation.store(generation, Ordering::Relaxed);
        count(&self.inputs);
        *locked(&self.usage) = usage;
    }

    /// A command is about to be carried out.
    pub(super) fn executing(&self, command: &Command) {
        match command {
            Command::AskBoot => return count(&self.boots),
            Command::Log(_)
            | Command::Incident(_)
            | Command::Swapped { .. }
            | Command::RolledBack { .. }
            | Command::Trace(_)
            | Command::Started
            | Command::Refused(_)
            | Command::Extension(_) => return,
            Command::Http(_) => count(&self.requests),
            Command::SocketOpen(_) => count(&self.sockets),
            _ => {}
        }
        count(&self.effects);
    }

    /// Keeps a line, when it is a warning or worse.
    pub(super) fn note(&self, now: Instant, level: Level, text: &str) {
        if !matches!(level, Level::Warn | Level::Error) {
            return;
        }
        let end = text.floor_char_boundary(NOTED_BYTES);
        let mut noted = locked(&self.noted);
        if noted.len() >= NOTED_KEPT {
            noted.pop_front();
        }
        noted.push_back(Noted {
            wall_ms: now.wall_ms,
            level,
            text: text.get(..end).unwrap_or_default().to_owned(),
        });
    }

    /// Which component's effects are being carried out.
    pub(super) fn generation(&self) -> u64 {
        self.generation.load(Ordering::Relaxed)
    }

    pub(super) fn usage(&self) -> Usage {
        *locked(&self.usage)
    }

    pub(super) fn noted(&self) -> Vec<Noted> {
        locked(&self.noted).iter().cloned().collect()
    }

    /// Starts over, after the first one.
    pub(super) fn restarts(&self) -> u64 {
        self.boots.load(Ordering::Relaxed).saturating_sub(1)
    }

    pub(super) fn counted(&self) -> Counted {
        let read = |counter: &AtomicU64| counter.load(Ordering::Relaxed);
        Counted {
            inputs: read(&self.inputs),
            effects: read(&self.effects),
            requests: read(&self.requests),
            requests_failed: read(&self.requests_failed),
            sockets: read(&self.sockets),
            commits_failed: read(&self.commits_failed),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_last_warnings_are_kept_and_nothing_else() {
        let now = Instant {
            mono_ms: 1,
            wall_ms: 2,
        };
        let stats = Stats::new(now);
        stats.note(now, Level::Info, "fine");
        for n in 0..NOTED_KEPT + 3 {
            stats.note(
                now,
                Level::Warn,
                &format!("{n} {}", "ü".repeat(NOTED_BYTES)),
            );
        }
        let noted = stats.noted();
        assert_eq!(noted.len(), NOTED_KEPT);
        assert!(noted[0].text.starts_with("3 "));
        assert!(noted.iter().all(|line| line.text.len() <= NOTED_BYTES));
    }
}
