//! What the host holds for a guest, by the ids that the guest allotted.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use crate::bindings::v0_1::{
    Action, Effect, Holdings, RequestId, SecretUse, SocketId, TimerId, TurnId,
};
use crate::egress::EgressPolicy;
use crate::egress::secrets::Position;

/// An open or opening socket.
#[derive(Debug)]
pub(super) struct Socket {
    pub(super) open: bool,
    /// Where secrets may stand in what is sent on it.
    pub(super) positions: Vec<Arc<Position>>,
}

/// Something that gets one answer.
#[derive(Debug)]
pub(super) enum Request {
    Http(Asked),
    Entropy,
    Digest,
    Blob,
}

/// What a request was made with, for its answer.
#[derive(Debug)]
pub(super) struct Asked {
    pub(super) used: Vec<SecretUse>,
    pub(super) method: String,
    /// Bytes of the answer that the guest gets to see as text.
    pub(super) text_bytes: usize,
    /// Bytes that its answer may take in memory.
    pub(super) read_bytes: usize,
    /// The rules when it left.
    pub(super) egress: Arc<EgressPolicy>,
    pub(super) purpose: String,
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

    /// What there will be once these effects are carried out.
    pub(super) fn holdings_after(&self, effects: &[Effect]) -> Holdings {
        let mut sockets: BTreeSet<SocketId> = self.sockets.keys().copied().collect();
        let mut requests: BTreeSet<RequestId> = self.requests.keys().copied().collect();
        let mut timers: BTreeSet<TimerId> = self.timers.due_of.keys().copied().collect();
        let mut turns: BTreeSet<TurnId> = self.turns.keys().copied().collect();
        for effect in effects {
            match &effect.action {
                Action::SocketOpen(open) => _ = sockets.insert(open.id),
                Action::SocketClose(close) => _ = sockets.remove(&close.id),
                Action::Http(request) => _ = requests.insert(request.id),
                Action::EntropyAsk(ask) => _ = requests.insert(ask.id),
                Action::BlobDigest(digest) => _ = requests.insert(digest.id),
                Action::BlobMake(make) => _ = requests.insert(make.blob),
                Action::HttpCancel(id) => _ = requests.remove(id),
                Action::TimerSet(set) => _ = timers.insert(set.id),
                Action::TimerClear(id) => _ = timers.remove(id),
                Action::TurnBegin(begin) => _ = turns.insert(begin.id),
                _ => {}
            }
        }
        Holdings {
            sockets: sockets.into_iter().collect(),
            requests: requests.into_iter().collect(),
            timers: timers.into_iter().collect(),
            turns: turns.into_iter().collect(),
        }
    }

    /// Requests under way, and bytes that their answers may take in memory together.
    pub(super) fn http_load(&self) -> (usize, usize) {
        let load = |sum: (usize, usize), request: &Request| match request {
            Request::Http(asked) => (sum.0 + 1, sum.1.saturating_add(asked.read_bytes)),
            Request::Entropy | Request::Digest | Request::Blob => sum,
        };
        self.requests.values().fold((0, 0), load)
    }

    /// Digests and blobs in the making.
    pub(super) fn work_count(&self) -> usize {
        let work = |r: &&Request| matches!(r, Request::Digest | Request::Blob);
        self.requests.values().filter(work).count()
    }
}

/// In which of their lists two accounts differ first.
pub(super) fn difference(counted: &Holdings, held: &Holdings) -> Option<&'static str> {
    [
        ("sockets", counted.sockets != held.sockets),
        ("requests", counted.requests != held.requests),
        ("timers", counted.timers != held.timers),
        ("turns", counted.turns != held.turns),
    ]
    .into_iter()
    .find_map(|(what, differs)| differs.then_some(what))
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
