//! Every timer of this channel, in one table: what it is for, and which id the host knows it by.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use crate::bindings::{Action, TimerSet};
use crate::env::Env;
use crate::ids::TimerId;

/// What a timer is for. At most one timer of each kind is set at a time.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub enum Timer {
    /// Ask for a new access token.
    TokenRefresh,
    /// Try to connect to the gateway again.
    Reconnect,
    /// Socket, Hello and READY or RESUMED must have come by now.
    Handshake,
    /// Send a heartbeat, and see whether the last one was answered.
    Heartbeat,
    /// Send parts of answers again: one timer, set to the earliest.
    Resends,
    /// Go on with turns that did not fit into one call.
    Agenda,
    /// Stop agents whose reply window is about to close: one timer, set to the earliest.
    TurnDeadlines,
    /// Show more of texts that grow: one timer, set to the earliest.
    Streams,
    /// Renew typing notices: one timer, set to the earliest.
    Typing,
    /// Forget the pairing code.
    PairingCode,
    /// The doctor's session must be there by now.
    Doctor,
}

impl Timer {
    /// The word that the host shows for it.
    #[must_use]
    pub fn purpose(self) -> &'static str {
        match self {
            Self::TokenRefresh => "token-refresh",
            Self::Reconnect => "reconnect",
            Self::Handshake => "handshake-deadline",
            Self::Heartbeat => "heartbeat",
            Self::Resends => "resend",
            Self::Agenda => "agenda",
            Self::TurnDeadlines => "turn-deadlines",
            Self::Streams => "streams",
            Self::Typing => "typing",
            Self::PairingCode => "pairing-code",
            Self::Doctor => "doctor",
        }
    }
}

/// The timers that are set.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Timers {
    by_kind: BTreeMap<Timer, (TimerId, u64)>,
}

impl Timers {
    /// The kind behind an id that fired; the timer is no longer set. `None` for one that was cleared meanwhile.
    pub fn take(&mut self, id: TimerId) -> Option<Timer> {
        let kind = self
            .by_kind
            .iter()
            .find_map(|(kind, (known, _))| (*known == id).then_some(*kind))?;
        self.by_kind.remove(&kind);
        Some(kind)
    }

    /// Monotonic milliseconds at which a timer is due.
    #[must_use]
    pub fn due(&self, kind: Timer) -> Option<u64> {
        self.by_kind.get(&kind).map(|(_, due)| *due)
    }

    /// True while a timer of this kind is set.
    #[must_use]
    pub fn is_set(&self, kind: Timer) -> bool {
        self.by_kind.contains_key(&kind)
    }

    /// Ids of all timers that are set, ascending.
    #[must_use]
    pub fn ids(&self) -> Vec<u64> {
        let mut ids: Vec<u64> = self.by_kind.values().map(|(id, _)| id.0).collect();
        ids.sort_unstable();
        ids
    }
}

impl Env {
    /// Sets a timer so many milliseconds from now, in place of one of the same kind.
    pub fn set_timer(&mut self, kind: Timer, after_ms: u64) {
        let due = self.now.mono_ms.saturating_add(after_ms);
        let id = match self.timers.by_kind.get(&kind) {
            Some((id, _)) => *id,
            None => self.ids.timer(),
        };
        self.timers.by_kind.insert(kind, (id, due));
        self.emit(Action::TimerSet(TimerSet {
            id: id.0,
            due_mono_ms: due,
            purpose: kind.purpose().to_owned(),
        }));
    }

    /// Sees to it that a timer fires within so many milliseconds, or earlier where it is set to.
    pub fn set_timer_by(&mut self, kind: Timer, within_ms: u64) {
        let due = self.now.mono_ms.saturating_add(within_ms);
        if self.timers.due(kind).is_none_or(|set| due < set) {
            self.set_timer(kind, within_ms);
        }
    }

    /// Clears a timer, if it is set.
    pub fn clear_timer(&mut self, kind: Timer) {
        if let Some((id, _)) = self.timers.by_kind.remove(&kind) {
            self.emit(Action::TimerClear(id.0));
        }
    }
}
