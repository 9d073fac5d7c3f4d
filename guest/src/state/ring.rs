//! A bounded memory of small records: blocks in a ring, so that one more record rewrites one small entry.

use std::marker::PhantomData;

use serde::{Deserialize, Serialize};

use crate::env::Env;

use super::{Entries, REMEMBER_MS};

/// Records in one block.
const BLOCK: usize = 64;

/// A record that knows when it was made.
pub trait Dated {
    /// Wall-clock milliseconds.
    fn wall_ms(&self) -> u64;
}

/// The place where the next record goes. The records themselves are stored by the host.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Ring<T> {
    prefix: String,
    blocks: u32,
    /// Counts up for ever; the key is this modulo `blocks`.
    number: u64,
    current: Vec<T>,
    #[serde(skip)]
    kind: PhantomData<T>,
}

#[derive(Serialize, Deserialize)]
struct Block<T> {
    number: u64,
    records: Vec<T>,
}

impl<T: Clone + Dated + Serialize + for<'de> Deserialize<'de>> Ring<T> {
    /// A ring of at most `capacity` records under keys that begin with `prefix`, and what is stored of it,
    /// oldest first. Records older than a day are left out.
    #[must_use]
    pub fn restore(
        prefix: &str,
        capacity: usize,
        entries: &Entries,
        wall_ms: u64,
    ) -> (Self, Vec<T>) {
        let mut blocks: Vec<Block<T>> = entries
            .under(prefix)
            .filter_map(|(_, bytes)| postcard::from_bytes(bytes).ok())
            .collect();
        blocks.sort_by_key(|block| block.number);
        let (number, current) = blocks.last().map_or((0, Vec::new()), |block| {
            (block.number, block.records.clone())
        });
        let ring = Self {
            prefix: prefix.to_owned(),
            blocks: u32::try_from(capacity.div_ceil(BLOCK)).unwrap_or(u32::MAX),
            number,
            current,
            kind: PhantomData,
        };
        let fresh = move |record: &T| wall_ms.saturating_sub(record.wall_ms()) < REMEMBER_MS;
        let records = blocks
            .into_iter()
            .flat_map(|block| block.records)
            .filter(fresh)
            .collect();
        (ring, records)
    }

    /// Adds a record, stored with this call's commit.
    pub fn push(&mut self, env: &mut Env, record: T) {
        if self.current.len() >= BLOCK {
            self.number += 1;
            self.current.clear();
        }
        self.current.push(record);
        let block = Block {
            number: self.number,
            records: self.current.clone(),
        };
        if let Ok(bytes) = postcard::to_allocvec(&block) {
            env.put(
                format!("{}{:04}", self.prefix, self.number % u64::from(self.blocks)),
                bytes,
            );
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::bindings::{Action, Entry};
    use crate::channel::tests::test_env;

    impl Dated for u64 {
        fn wall_ms(&self) -> u64 {
            *self
        }
    }

    #[test]
    fn a_ring_remembers_the_newest_and_forgets_the_rest() {
        let mut env = test_env();
        let (mut ring, none) = Ring::<u64>::restore("r/", 128, &Entries::default(), 0);
        assert!(none.is_empty());
        for record in 0..1_000u64 {
            ring.push(&mut env, record);
        }
        let mut stored = std::collections::BTreeMap::new();
        for effect in env.take_effects() {
            if let Action::StorePut(entry) = effect.action {
                stored.insert(entry.key, entry.value);
            }
        }
        assert_eq!(stored.len(), 2, "the ring has 128 / 64 blocks");
        let entries = Entries::new(
            stored
                .into_iter()
                .map(|(key, value)| Entry { key, value })
                .collect(),
        );
        let (again, records) = Ring::<u64>::restore("r/", 128, &entries, 0);
        assert_eq!(again, ring);
        assert_eq!(records.first(), Some(&896));
        assert_eq!(records.last(), Some(&999));
        let (_, late) = Ring::<u64>::restore("r/", 128, &entries, REMEMBER_MS + 950);
        assert_eq!(late.first(), Some(&951), "what is a day old is forgotten");
    }
}
