//! What a fresh instance can be built from: a checkpoint, the stored entries as they were at that
//! moment, and the events since.

use std::collections::BTreeMap;

use bytes::Bytes;

use super::command::Change;
use super::tape::{Tape, Taped};
use crate::bindings::v0_1::{Entry, Event, Instant};
use crate::limits::ENTRY_COST_BYTES;

/// Bytes of a checkpoint that an event may cost: a small one is taken after every event, one that is so many times
/// larger after as many events.
pub(super) const CHECKPOINT_BYTES_PER_EVENT: usize = 1 << 10;
/// However large it is, after so many events: they are handled again after a fault.
pub(super) const EVENTS_PER_CHECKPOINT: usize = 64;
/// A journal longer than this is given up; the next fault starts over from the stored entries.
const MAX_JOURNAL_EVENTS: usize = 1024;

/// An event that was handled after the checkpoint.
#[derive(Debug, Clone)]
pub(super) struct Handled {
    pub(super) now: Instant,
    pub(super) event: Event,
    changes: Vec<Change>,
}

/// Everything that recovery needs.
#[derive(Debug, Default)]
pub(super) struct Memory {
    checkpoint: Option<Vec<u8>>,
    /// The entries at the checkpoint, not later: an event that is replayed must not find its own
    /// traces.
    entries: BTreeMap<String, Bytes>,
    /// Changes that no journal event owns yet.
    loose: Vec<Change>,
    journal: Vec<Handled>,
    /// What counts of what is changed since the checkpoint; 0 where it is deleted.
    since: BTreeMap<String, usize>,
    /// Bytes of all entries as they are now.
    bytes: usize,
    /// A checkpoint is due whatever the last one cost.
    wanted: bool,
    tape: Tape,
}

impl Memory {
    pub(super) fn new(entries: impl IntoIterator<Item = Entry>) -> Self {
        let entries: BTreeMap<String, Bytes> = entries
            .into_iter()
            .map(|entry| (entry.key, Bytes::from(entry.value)))
            .collect();
        let bytes = entries.iter().map(|(k, v)| weight(k, v.len())).sum();
        Self {
            entries,
            bytes,
            ..Self::default()
        }
    }

    /// Bytes that would be stored after these changes: what they replace and delete counts off.
    pub(super) fn bytes_after(&self, changes: &[Change]) -> usize {
        let mut bytes = self.bytes;
        // One call may change an entry more than once.
        let mut changed = BTreeMap::new();
        for change in changes {
            let after = size(change);
            let before = changed.insert(change.key(), after);
            let before = before.unwrap_or_else(|| self.size_of(change.key()));
            bytes = bytes.saturating_sub(before).saturating_add(after);
        }
        bytes
    }

    /// Bytes of an entry as it is now.
    fn size_of(&self, key: &str) -> usize {
        let since = self.since.get(key).copied();
        since.unwrap_or_else(|| {
            let value = self.entries.get(key);
            value.map_or(0, |value| weight(key, value.len()))
        })
    }

    /// Takes note of changes that are on their way to the store.
    pub(super) fn changed(&mut self, changes: &[Change]) {
        for change in changes {
            let before = self.size_of(change.key());
            let after = size(change);
            self.bytes = self.bytes.saturating_sub(before).saturating_add(after);
            self.since.insert(change.key().to_owned(), after);
        }
        self.loose.extend_from_slice(changes);
    }

    /// Takes note of an event that was handled, with the changes it brought.
    pub(super) fn handled(&mut self, now: Instant, event: Event) {
        let changes = std::mem::take(&mut self.loose);
        self.journal.push(Handled {
            now,
            event,
            changes,
        });
        if self.journal.len() > MAX_JOURNAL_EVENTS {
            self.checkpoint = None;
            self.settle();
        }
    }

    /// True when the next checkpoint is due.
    pub(super) fn wants_checkpoint(&self) -> bool {
        let paid = self
            .journal
            .len()
            .saturating_mul(CHECKPOINT_BYTES_PER_EVENT);
        self.wanted
            || self.checkpoint.as_ref().is_none_or(|c| c.len() <= paid)
            || self.journal.len() >= EVENTS_PER_CHECKPOINT
    }

    /// Makes the next checkpoint due now.
    pub(super) fn want_checkpoint(&mut self) {
        self.wanted = true;
    }

    /// A checkpoint was taken: the journal is part of it.
    pub(super) fn checkpointed(&mut self, bytes: Vec<u8>) {
        self.checkpoint = Some(bytes);
        self.wanted = false;
        self.settle();
        if let Some(state) = self.checkpoint.as_ref() {
            self.tape.checkpointed(state);
        }
    }

    /// What has happened of late, for a candidate to be tried on.
    pub(super) fn tape(&self) -> Option<(Vec<u8>, Vec<Entry>, Taped)> {
        let (state, entries, events) = self.tape.play(&self.entries)?;
        Some((state, listed(&entries), events))
    }

    /// Forgets what happened of late, and hands it over: it was another component's.
    pub(super) fn new_tape(&mut self) -> Tape {
        std::mem::take(&mut self.tape)
    }

    /// Deletes entries under these prefixes, the lowest keys first, until at most so many bytes are left. Returns what is to
    /// be deleted in the store. Only where nothing is in flight.
    pub(super) fn shed(&mut self, prefixes: &[String], most: usize) -> Vec<Change> {
        let mut left = self.bytes;
        let mut changes = Vec::new();
        for prefix in prefixes {
            let there = self.entries.range(prefix.clone()..);
            for (key, value) in there.take_while(|(key, _)| key.starts_with(prefix.as_str())) {
                if left <= most {
                    break;
                }
                left = left.saturating_sub(weight(key, value.len()));
                changes.push(Change::Delete { key: key.clone() });
            }
        }
        self.changed(&changes);
        self.forget_flight();
        changes
    }

    /// Folds the journal into the entries, and forgets the checkpoint: the next start is from the
    /// stored entries.
    pub(super) fn forget_flight(&mut self) {
        self.checkpoint = None;
        self.settle();
    }

    fn settle(&mut self) {
        for handled in std::mem::take(&mut self.journal) {
            for change in handled.changes {
                self.apply(change);
            }
            self.tape.handled(handled.now, handled.event);
        }
        for change in std::mem::take(&mut self.loose) {
            self.apply(change);
        }
        self.since.clear();
    }

    fn apply(&mut self, change: Change) {
        let (key, value) = match change {
            Change::Put { key, value } => (key, Some(value)),
            Change::Delete { key } => (key, None),
        };
        let old = self.entries.remove(&key);
        self.tape.changing(&key, old);
        if let Some(value) = value {
            self.entries.insert(key, value);
        }
    }

    pub(super) fn checkpoint(&self) -> Option<&Vec<u8>> {
        self.checkpoint.as_ref()
    }

    pub(super) fn journal(&self) -> &[Handled] {
        &self.journal
    }

    /// The entries to start from, ordered by key.
    pub(super) fn entries(&self) -> Vec<Entry> {
        listed(&self.entries)
    }

    /// Bytes of the entries as they are now.
    pub(super) fn bytes(&self) -> usize {
        self.bytes
    }
}

/// What an entry counts.
fn weight(key: &str, value_bytes: usize) -> usize {
    ENTRY_COST_BYTES + key.len() + value_bytes
}

/// What an entry counts once this is done to it.
fn size(change: &Change) -> usize {
    match change {
        Change::Put { key, value } => weight(key, value.len()),
        Change::Delete { .. } => 0,
    }
}

fn listed(entries: &BTreeMap<String, Bytes>) -> Vec<Entry> {
    let entries = entries.iter().map(|(key, value)| Entry {
        key: key.clone(),
        value: value.to_vec(),
    });
    entries.collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_may_go_goes_from_its_lowest_key_on_and_no_further_than_needed() {
        let entry = |key: &str, bytes: usize| Entry {
            key: key.into(),
            value: vec![0; bytes],
        };
        let mut memory = Memory::new([
            entry("a", 1_000),
            entry("old/1", 1_000),
            entry("old/2", 1_000),
            entry("old/3", 10),
            entry("older", 1_000),
        ]);
        let all = memory.bytes();
        let changes = memory.shed(&["none/".into(), "old/".into()], all - 1_100);
        let keys: Vec<&str> = changes.iter().map(Change::key).collect();
        assert_eq!(keys, ["old/1"]);
        assert!(memory.bytes() <= all - 1_100);
        assert_eq!(memory.entries().len(), 4);
        assert_eq!(memory.shed(&["old/".into()], 0).len(), 2);
        assert_eq!(memory.entries().len(), 2, "the others may not go");
    }

    #[test]
    fn an_entry_that_one_call_changes_often_counts_once() {
        let put = |key: &str, bytes: usize| Change::Put {
            key: key.into(),
            value: vec![0; bytes].into(),
        };
        let mut memory = Memory::new([]);
        memory.changed(&[put("a", 999)]);
        let mut changes: Vec<Change> = (0..5).map(|_| put("a", 0)).collect();
        changes.extend([put("b", 999), put("c", 999), put("c", 9)]);
        let weighed = memory.bytes_after(&changes);
        memory.changed(&changes);
        assert_eq!(weighed, memory.bytes());
        assert_eq!(weighed, 1 + 1000 + 10 + 3 * ENTRY_COST_BYTES);
    }

    #[test]
    fn what_is_stored_is_weighed_as_it_is_now_and_not_as_it_was_at_the_checkpoint() {
        let put = |key: &str, bytes: usize| Change::Put {
            key: key.into(),
            value: vec![0; bytes].into(),
        };
        let mut memory = Memory::new([]);
        memory.changed(&[put("a", 99)]);
        memory.changed(&[put("b", 49)]);
        assert_eq!(
            (memory.bytes(), memory.bytes_after(&[put("c", 9)])),
            (150 + 2 * ENTRY_COST_BYTES, 160 + 3 * ENTRY_COST_BYTES)
        );
        memory.changed(&[put("a", 9)]);
        memory.changed(&[Change::Delete { key: "b".into() }]);
        assert_eq!(memory.bytes(), 10 + ENTRY_COST_BYTES);
        memory.checkpointed(Vec::new());
        assert_eq!(memory.bytes(), 10 + ENTRY_COST_BYTES);
        let stored: usize = memory
            .entries()
            .iter()
            .map(|e| e.key.len() + e.value.len())
            .sum();
        assert_eq!(stored, 10);
    }
}
