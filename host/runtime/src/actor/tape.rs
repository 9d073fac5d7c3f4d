//! The last events, with the state they began in: what a candidate is tried on before it takes over.
//!
//! The entries of that moment are not copied: what each change replaced is kept, and taken back when
//! somebody asks.

use std::collections::BTreeMap;

use bytes::Bytes;

use crate::bindings::v0_1::{Event, Instant};

/// Events after which a new stretch begins. The one before is kept, so that at least so many are there.
const STRETCH: usize = 128;
/// A stretch whose events and replaced values are longer is given up, bytes: a flood is not a sample.
const MAX_BYTES: usize = 4 << 20;

/// Events, oldest first.
pub(super) type Taped = Vec<(Instant, Event)>;

/// A run of events from a checkpoint on.
#[derive(Debug, Default)]
struct Stretch {
    state: Vec<u8>,
    events: Vec<(Instant, Event)>,
    /// What each change of an entry replaced, in order.
    replaced: Vec<(String, Option<Bytes>)>,
    bytes: usize,
}

/// The last one or two stretches.
#[derive(Debug, Default)]
pub(super) struct Tape {
    before: Option<Stretch>,
    current: Option<Stretch>,
}

impl Tape {
    /// A checkpoint was taken, and everything before it is in the entries.
    pub(super) fn checkpointed(&mut self, state: &[u8]) {
        let full = |s: &Stretch| s.events.len() >= STRETCH || s.bytes > MAX_BYTES;
        if self.current.as_ref().is_none_or(full) {
            let begun = Stretch {
                state: state.to_vec(),
                ..Stretch::default()
            };
            self.before = self.current.replace(begun).filter(|s| s.bytes <= MAX_BYTES);
        }
    }

    pub(super) fn handled(&mut self, now: Instant, event: Event) {
        if let Some(current) = self.current.as_mut().filter(|s| s.bytes <= MAX_BYTES) {
            current.bytes += weight(&event);
            current.events.push((now, event));
        }
    }

    pub(super) fn changing(&mut self, key: &str, old: Option<Bytes>) {
        if let Some(current) = self.current.as_mut().filter(|s| s.bytes <= MAX_BYTES) {
            current.bytes += key.len() + old.as_ref().map_or(0, Bytes::len);
            current.replaced.push((key.to_owned(), old));
        }
    }

    /// State and entries at the beginning, and the events since; `None` when nothing is kept.
    pub(super) fn play(
        &self,
        entries: &BTreeMap<String, Bytes>,
    ) -> Option<(Vec<u8>, BTreeMap<String, Bytes>, Taped)> {
        let current = self.current.as_ref().filter(|s| s.bytes <= MAX_BYTES)?;
        let mut entries = entries.clone();
        let stretches: Vec<&Stretch> = self.before.iter().chain([current]).collect();
        for (key, old) in stretches.iter().rev().flat_map(|s| s.replaced.iter().rev()) {
            match old {
                Some(old) => entries.insert(key.clone(), old.clone()),
                None => entries.remove(key),
            };
        }
        let state = stretches.first()?.state.clone();
        let events = stretches.iter().flat_map(|s| s.events.iter().cloned());
        Some((state, entries, events.collect()))
    }
}

/// Bytes of what can be long in an event, roughly.
fn weight(event: &Event) -> usize {
    let long = match event {
        Event::SocketText(text) => text.text.len(),
        Event::SocketBinary(binary) => binary.bytes.len(),
        _ => 512,
    };
    long + 64
}

#[cfg(test)]
mod tests {
    use super::*;

    fn now(mono_ms: u64) -> Instant {
        Instant {
            mono_ms,
            wall_ms: mono_ms,
        }
    }

    #[test]
    fn a_tape_begins_with_the_entries_as_they_were() {
        let mut tape = Tape::default();
        let mut entries = BTreeMap::new();
        assert!(tape.play(&entries).is_none());
        tape.checkpointed(b"0");
        for n in 0..(STRETCH as u64 * 5) / 2 {
            let key = format!("k{}", n % 7);
            tape.changing(
                &key,
                entries.insert(key.clone(), Bytes::from(n.to_string())),
            );
            tape.handled(now(n), Event::TimerFired(n));
            tape.checkpointed((n + 1).to_string().as_bytes());
        }
        let (state, then, events) = tape.play(&entries).unwrap();
        assert_eq!(state, b"128");
        assert_eq!(events.len(), STRETCH + STRETCH / 2);
        assert!(matches!(events[0], (_, Event::TimerFired(128))));
        // The last change of each key before event 128.
        let of = |key: u64| (0..128).rev().find(|n| n % 7 == key).map(|n| n.to_string());
        for key in 0..7 {
            let found = then
                .get(&format!("k{key}"))
                .map(|v| String::from_utf8_lossy(v).into_owned());
            assert_eq!(found, of(key));
        }
    }

    #[test]
    fn a_flood_is_not_kept() {
        let mut tape = Tape::default();
        tape.checkpointed(b"0");
        let old = Some(Bytes::from(vec![0; MAX_BYTES]));
        tape.changing("k", old);
        assert!(tape.play(&BTreeMap::new()).is_none());
        tape.checkpointed(b"1");
        assert!(tape.play(&BTreeMap::new()).is_some());
    }
}
