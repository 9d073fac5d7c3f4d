//! What the host holds for a guest, by the ids that the guest allotted.

use std::collections::{BTreeMap, BTreeSet};

use crate::bindings::v0_1::{Capture, Holdings, RequestId, SecretUse, SocketId, TimerId, TurnId};

/// An open or opening socket.
#[derive(Debug)]
pub(super) struct Socket {
    pub(super) open: bool,
    /// Secrets that may be sent on it.
    pub(super) secrets: BTreeSet<String>,
}

/// Something that gets one answer.
#[derive(Debug)]
pub(super) enum Request {
    Http {
        used: Vec<SecretUse>,
        capture: Vec<Capture>,
        purpose: String,
    },
    Entropy,
    Digest,
    Blob,
}

/// All of it.
#[derive(Debug, Default)]
pub(super) struct Tables {
    pub(super) sockets: BTreeMap<SocketId, Socket>,
    pub(super) requests: BTreeMap<RequestId, Request>,
    pub(super) timers: Timers,
    /// Turns begun and not over, with the attempt that speaks.
    pub(super) turns: BTreeMap<TurnId, u32>,
    /// Commands of the operator that wait for their last reply: our id, the shell's ticket.
    pub(super) commands: BTreeMap<RequestId, u64>,
}

impl Tables {
    pub(super) fn holdings(&self) -> Holdings {
        Holdings {
            sockets: self.sockets.keys().copied().collect(),
            requests: self.requests.keys().copied().collect(),
            timers: self.timers.ids(),
            turns: self.turns.keys().copied().collect(),
        }
    }

    pub(super) fn http_count(&self) -> usize {
        let http = |r: &&Request| matches!(r, Request::Http { .. });
        self.requests.values().filter(http).count()
    }
}

/// Timers, by id and by when they are due.
#[derive(Debug, Default)]
pub(super) struct Timers {
    due_of: BTreeMap<TimerId, u64>,
    by_due: BTreeSet<(u64, TimerId)>,
}

impl Timers {
    /// Sets a timer, or moves one that is set.
    pub(super) fn set(&mut self, id: TimerId, due_mono_ms: u64) {
        self.clear(id);
        self.due_of.insert(id, due_mono_ms);
        self.by_due.insert((due_mono_ms, id));
    }

    /// Clears a timer; false when none is set.
    pub(super) fn clear(&mut self, id: TimerId) -> bool {
        let due = self.due_of.remove(&id);
        due.is_some_and(|due| self.by_due.remove(&(due, id)))
    }

    /// When the next one is due.
    pub(super) fn next_due(&self) -> Option<u64> {
        self.by_due.first().map(|(due, _)| *due)
    }

    /// Takes the first one that is due by now.
    pub(super) fn pop_due(&mut self, mono_ms: u64) -> Option<TimerId> {
        let (_, id) = *self.by_due.first().filter(|(due, _)| *due <= mono_ms)?;
        self.clear(id);
        Some(id)
    }

    pub(super) fn len(&self) -> usize {
        self.due_of.len()
    }

    pub(super) fn contains(&self, id: TimerId) -> bool {
        self.due_of.contains_key(&id)
    }

    fn ids(&self) -> Vec<TimerId> {
        self.due_of.keys().copied().collect()
    }
}

#[cfg(test)]
mod tests {
    use super::Timers;

    #[test]
    fn timers_fire_in_the_order_in_which_they_are_due() {
        let mut timers = Timers::default();
        timers.set(1, 30);
        timers.set(2, 10);
        timers.set(3, 10);
        timers.set(1, 5);
        assert_eq!(timers.next_due(), Some(5));
        assert_eq!(timers.pop_due(4), None);
        let order: Vec<_> = std::iter::from_fn(|| timers.pop_due(50)).collect();
        assert_eq!(order, [1, 2, 3]);
    }

    #[test]
    fn a_cleared_timer_does_not_fire() {
        let mut timers = Timers::default();
        timers.set(1, 30);
        assert!(timers.clear(1));
        assert!(!timers.clear(1));
        assert_eq!(timers.pop_due(100), None);
    }
}
