//! A bounded memory of small records: blocks in a ring, so that one more record rewrites one small entry.

use std::marker::PhantomData;

use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};

use crate::env::Env;

use super::{Entries, REMEMBER_MS};

/// Records in one block, unless the ring wants another number: right for hashes, many for texts.
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
    /// Records in one block.
    block: usize,
    blocks: u32,
    /// Counts up for ever; the key is this modulo `blocks`.
    number: u64,
    current: Vec<T>,
    #[serde(skip)]
    kind: PhantomData<T>,
}

#[derive(Deserialize)]
struct Block<T> {
    number: u64,
    records: Vec<T>,
}

/// A [`Block`] on its way to the store.
#[derive(Serialize)]
struct BlockRef<'a, T> {
    number: u64,
    records: &'a [T],
}

/// A stored block with each of its records changed; empty when it cannot be read.
pub(crate) fn changed<T: Serialize + DeserializeOwned>(
    block: &[u8],
    change: impl Fn(&mut T),
) -> Vec<u8> {
    let Ok(mut block) = postcard::from_bytes::<Block<T>>(block) else {
        return Vec::new();
    };
    block.records.iter_mut().for_each(change);
    let block = BlockRef {
        number: block.number,
        records: &block.records,
    };
    postcard::to_allocvec(&block).unwrap_or_default()
}

/// What is stored of a ring, block by block, oldest first.
#[derive(Debug)]
pub struct Stored<'a> {
    /// The number of each, and how many records are in it.
    blocks: Vec<(u64, u64, &'a [u8])>,
}

impl<'a> Stored<'a> {
    /// The blocks whose keys begin with `prefix`. Of each only the beginning is read.
    #[must_use]
    pub fn under(entries: &'a Entries, prefix: &'a str) -> Self {
        let blocks = entries.under(prefix).filter_map(|(_, bytes)| {
            // A block begins with its number and how many records there are.
            let ((number, count), _) = postcard::take_from_bytes::<(u64, u64)>(bytes).ok()?;
            Some((number, count, bytes))
        });
        let mut blocks: Vec<_> = blocks.collect();
        blocks.sort_unstable();
        Self { blocks }
    }

    /// How many records are stored, by what the blocks say of themselves.
    #[must_use]
    pub fn count(&self) -> usize {
        let counts = self.blocks.iter().map(|(_, count, _)| *count);
        let count = counts.fold(0, u64::saturating_add);
        usize::try_from(count).unwrap_or(usize::MAX)
    }

    /// All records that are not a day old, oldest first, each with the number of its block.
    pub fn records<T: Dated + DeserializeOwned>(
        &self,
        wall_ms: u64,
    ) -> impl Iterator<Item = (u64, T)> {
        let read = self
            .blocks
            .iter()
            .filter_map(|(_, _, bytes)| postcard::from_bytes::<Block<T>>(bytes).ok());
        let records = read.flat_map(|Block { number, records }| {
            records.into_iter().map(move |record| (number, record))
        });
        records.filter(move |(_, record)| wall_ms.saturating_sub(record.wall_ms()) < REMEMBER_MS)
    }
}

impl<T: Serialize + DeserializeOwned> Ring<T> {
    /// A ring of at most `capacity` records under keys that begin with `prefix`, that goes on where what is stored of
    /// it ends.
    #[must_use]
    pub fn restore(prefix: &str, capacity: usize, stored: &Stored<'_>) -> Self {
        Self::restore_blocks(prefix, capacity, BLOCK, stored)
    }

    /// The same with `block` records in each block.
    #[must_use]
    pub fn restore_blocks(
        prefix: &str,
        capacity: usize,
        block: usize,
        stored: &Stored<'_>,
    ) -> Self {
        let (number, current) = match stored.blocks.last() {
            None => (0, Vec::new()),
            // One that cannot be read is left alone: what comes goes behind it.
            Some((number, _, bytes)) => postcard::from_bytes::<Block<T>>(bytes)
                .map_or((number.saturating_add(1), Vec::new()), |b| {
                    (b.number, b.records)
                }),
        };
        Self {
            prefix: prefix.to_owned(),
            block,
            blocks: u32::try_from(capacity.div_ceil(block.max(1))).unwrap_or(u32::MAX),
            number,
            current,
            kind: PhantomData,
        }
    }

    /// Adds a record, stored with this call's commit, and says in which block it is.
    pub fn push(&mut self, env: &mut Env, record: T) -> u64 {
        self.push_all(env, [record])
    }

    /// Adds records, stored with this call's commit, each block once. Says in which block the last one is.
    pub fn push_all(&mut self, env: &mut Env, records: impl IntoIterator<Item = T>) -> u64 {
        let mut added = false;
        for record in records {
            if self.current.len() >= self.block {
                if added {
                    self.store(env, self.number, &self.current);
                }
                self.number += 1;
                self.current.clear();
            }
            self.current.push(record);
            added = true;
        }
        if added {
            self.store(env, self.number, &self.current);
        }
        self.number
    }

    /// Stores a block anew, for a record in it that changed.
    pub fn rewrite(&mut self, env: &mut Env, number: u64, records: Vec<T>) {
        if self.is_stored(number) {
            self.store(env, number, &records);
        }
        if number == self.number {
            self.current = records;
        }
    }

    /// Deletes a block of which nothing is needed any more. The one that is being filled stays.
    pub fn drop_block(&mut self, env: &mut Env, number: u64) {
        if number != self.number && self.is_stored(number) {
            env.delete(self.key(number));
        }
    }

    /// False once a newer block took the place of this one.
    fn is_stored(&self, number: u64) -> bool {
        number.saturating_add(u64::from(self.blocks)) > self.number
    }

    fn store(&self, env: &mut Env, number: u64, records: &[T]) {
        if let Ok(bytes) = postcard::to_allocvec(&BlockRef { number, records }) {
            env.put(self.key(number), bytes);
        }
    }

    fn key(&self, number: u64) -> String {
        format!(
            "{}{:04}",
            self.prefix,
            number % u64::from(self.blocks.max(1))
        )
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
        let nothing = Entries::default();
        let nothing = Stored::under(&nothing, "r/");
        assert_eq!(nothing.count(), 0);
        let mut ring = Ring::<u64>::restore("r/", 128, &nothing);
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
        let stored = Stored::under(&entries, "r/");
        assert_eq!(Ring::<u64>::restore("r/", 128, &stored), ring);
        let from = |wall_ms| -> Vec<u64> {
            let records = stored.records(wall_ms);
            records.map(|(_, record)| record).collect()
        };
        let records = from(0);
        assert_eq!(records.len(), stored.count());
        assert_eq!(records.first(), Some(&896));
        assert_eq!(records.last(), Some(&999));
        let late = from(REMEMBER_MS + 950);
        assert_eq!(late.first(), Some(&951), "what is a day old is forgotten");
    }

    #[test]
    fn a_block_that_cannot_be_read_is_left_alone_and_gone_on_behind() {
        let mut env = test_env();
        let entry = |key: &str, value: Vec<u8>| Entry {
            key: key.to_owned(),
            value,
        };
        let readable = BlockRef::<u64> {
            number: 6,
            records: &[1, 2],
        };
        let entries = Entries::new(vec![
            entry("r/0006", postcard::to_allocvec(&readable).unwrap()),
            entry("r/0007", postcard::to_allocvec(&(7_u64, 64_u64)).unwrap()),
        ]);
        let stored = Stored::under(&entries, "r/");
        let records = stored.records::<u64>(0).map(|(_, record)| record);
        assert_eq!(records.collect::<Vec<_>>(), [1, 2]);
        let mut ring = Ring::<u64>::restore("r/", 20 * BLOCK, &stored);
        assert_eq!(ring.push(&mut env, 3), 8);
    }
}
