//! A bounded memory of small records: blocks in a ring, so that one more record rewrites one small entry.

use std::collections::VecDeque;
use std::marker::PhantomData;

use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};

use crate::env::Env;

use super::Entries;

/// Records in one block: right for hashes, many for texts.
pub const BLOCK: usize = 64;

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

/// What is stored of a ring, and not read yet: that is done once something is wanted of it, or little by little, so that a
/// start is short however much is remembered. The newest is read first.
#[derive(Clone, Debug)]
pub struct Stored<T> {
    /// Records in one block, when it is full.
    block: usize,
    /// Oldest first.
    blocks: VecDeque<Unread>,
    records: usize,
    kind: PhantomData<T>,
}

/// One block, of which only the beginning has been read.
#[derive(Clone, Debug)]
struct Unread {
    number: u64,
    records: usize,
    bytes: Vec<u8>,
}

impl<T: DeserializeOwned> Stored<T> {
    /// Takes the blocks whose keys begin with `prefix` out of the entries, of at most `block` records each.
    #[must_use]
    pub fn take(entries: &mut Entries, prefix: &str, block: usize) -> Self {
        let blocks = entries.take_under(prefix).filter_map(|bytes| {
            // A block begins with its number and how many records there are.
            let ((number, records), _) = postcard::take_from_bytes::<(u64, u64)>(&bytes).ok()?;
            let records = usize::try_from(records).map_or(block, |records| records.min(block));
            Some(Unread {
                number,
                records,
                bytes,
            })
        });
        let mut blocks: Vec<_> = blocks.collect();
        blocks.sort_by_key(|block| block.number);
        Self {
            block,
            records: blocks.iter().map(|block| block.records).sum(),
            blocks: blocks.into(),
            kind: PhantomData,
        }
    }

    /// How many records are not read yet, by what the blocks say of themselves.
    #[must_use]
    pub fn len(&self) -> usize {
        self.records
    }

    /// True when all are read.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.blocks.is_empty()
    }

    /// Reads the newest of the blocks: its number and its records, oldest first; none where it cannot be read.
    pub fn read_newest(&mut self) -> Option<(u64, Vec<T>)> {
        let block = self.blocks.pop_back()?;
        self.records = self.records.saturating_sub(block.records);
        let read = postcard::from_bytes::<Block<T>>(&block.bytes);
        Some((block.number, read.map_or(Vec::new(), |read| read.records)))
    }

    /// Lets go of the oldest of the blocks; false when all are read.
    pub fn drop_oldest(&mut self) -> bool {
        let oldest = self.blocks.pop_front();
        let records = oldest.as_ref().map_or(0, |block| block.records);
        self.records = self.records.saturating_sub(records);
        oldest.is_some()
    }

    /// The records of each block as they are stored, one behind the other, without reading them.
    pub fn raw(&self) -> impl Iterator<Item = &[u8]> {
        let records = |block| Some(postcard::take_from_bytes::<(u64, u64)>(block).ok()?.1);
        let blocks = self.blocks.iter().map(|block| &*block.bytes);
        blocks.filter_map(records)
    }
}

impl<T: Serialize + DeserializeOwned> Ring<T> {
    /// A ring of at most `capacity` records under keys that begin with `prefix`, that goes on where what is stored of
    /// it ends.
    #[must_use]
    pub fn restore(prefix: &str, capacity: usize, stored: &Stored<T>) -> Self {
        let block = stored.block.max(1);
        let (number, current) = match stored.blocks.back() {
            None => (0, Vec::new()),
            // One that cannot be read is left alone: what comes goes behind it.
            Some(newest) => postcard::from_bytes::<Block<T>>(&newest.bytes)
                .map_or((newest.number.saturating_add(1), Vec::new()), |b| {
                    (b.number, b.records)
                }),
        };
        Self {
            prefix: prefix.to_owned(),
            block,
            blocks: u32::try_from(capacity.div_ceil(block)).unwrap_or(u32::MAX),
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
                self.number = self.number.saturating_add(1);
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
    use crate::bindings::Entry;
    use crate::channel::tests::test_env;
    use crate::state::tests::{self as state, Store};

    fn stored(entries: &Entries) -> Stored<u64> {
        Stored::take(&mut entries.clone(), "r/", BLOCK)
    }

    /// Everything that is stored, oldest first, with the number of its block.
    fn read_all(mut stored: Stored<u64>) -> Vec<(u64, u64)> {
        let mut all = Vec::new();
        while let Some((number, records)) = stored.read_newest() {
            let with_number = records.into_iter().map(|record| (number, record));
            all.splice(0..0, with_number);
        }
        assert_eq!((stored.len(), stored.is_empty()), (0, true));
        all
    }

    #[test]
    fn a_ring_remembers_the_newest_and_forgets_the_rest() {
        let mut env = test_env();
        let nothing = stored(&Entries::default());
        assert_eq!(nothing.len(), 0);
        let mut ring = Ring::<u64>::restore("r/", 128, &nothing);
        for record in 0..1_000u64 {
            ring.push(&mut env, record);
        }
        let mut store = Store::new();
        let entries = state::stored(&mut env, &mut store);
        assert_eq!(store.len(), 2, "the ring has 128 / 64 blocks");
        let mut stored = stored(&entries);
        assert_eq!(Ring::<u64>::restore("r/", 128, &stored), ring);
        assert_eq!(stored.len(), 104);
        let records = read_all(stored.clone());
        assert_eq!(records.len(), 104);
        assert_eq!(records.first(), Some(&(14, 896)));
        assert_eq!(records.last(), Some(&(15, 999)));
        assert!(stored.drop_oldest(), "the oldest go first");
        assert_eq!(stored.len(), 40);
        let newest = stored.raw().next().unwrap();
        assert_eq!(postcard::take_from_bytes::<u64>(newest).unwrap().0, 960);
    }

    #[test]
    fn what_a_damaged_block_says_of_itself_is_not_believed() {
        let mut env = test_env();
        let damaged = |number: u64, records: u64| {
            let value = postcard::to_allocvec(&(number, records)).unwrap();
            let key = format!("r/{:04}", number % 2);
            Entries::new(vec![Entry { key, value }])
        };
        let claims = stored(&damaged(3, u64::MAX));
        assert_eq!(claims.len(), BLOCK);
        assert_eq!(read_all(claims), []);
        let last = stored(&damaged(u64::MAX, 1));
        let mut ring = Ring::<u64>::restore("r/", 128, &last);
        for record in 0..1_000 {
            assert_eq!(ring.push(&mut env, record), u64::MAX);
        }
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
        let stored = stored(&entries);
        assert_eq!(read_all(stored.clone()), [(6, 1), (6, 2)]);
        let mut ring = Ring::<u64>::restore("r/", 20 * BLOCK, &stored);
        assert_eq!(ring.push(&mut env, 3), 8);
    }
}
