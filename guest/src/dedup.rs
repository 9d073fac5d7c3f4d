//! Which messages and events were taken before: the platform delivers at least once (`PROTOCOL.md`, "Duplicates").

use std::collections::VecDeque;

use serde::{Deserialize, Serialize};

use crate::env::Env;
use crate::state::name::{Name, NameSet};
use crate::state::ring::{BLOCK, Ring, Stored};
use crate::state::{Entries, REMEMBER_MS};

/// Names remembered: ten thousand messages with two names each.
pub const CAPACITY: usize = 20_480;
/// Where the blocks are stored.
const PREFIX: &str = "seen/";

/// Stored blocks that are read with each thing that comes, until all are.
const READ_AT_ONCE: usize = 16;

/// One name, as it is stored: 16 bytes of name and 8 of time, so that it can be found without reading what is around it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
struct Seen {
    name: Name,
    #[serde(with = "postcard::fixint::le")]
    wall_ms: u64,
}

impl Seen {
    const BYTES: usize = 24;

    /// True for a stored one that has this name and was seen after this moment.
    fn is(stored: &[u8], name: &Name, since_ms: Option<u64>) -> bool {
        let Some((bytes, time)) = stored.split_first_chunk::<16>() else {
            return false;
        };
        bytes == name.as_bytes()
            && time
                .first_chunk()
                .is_some_and(|time| Some(u64::from_le_bytes(*time)) > since_ms)
    }
}

/// The names of messages and events that were taken.
#[derive(Clone, Debug)]
pub struct Dedup {
    ring: Ring<Seen>,
    known: NameSet,
    order: VecDeque<Name>,
    /// What earlier instances remembered, as far as it is not in `known` yet.
    unread: Stored<Seen>,
    /// What was seen until then is forgotten, wall-clock milliseconds.
    since_ms: Option<u64>,
}

impl Dedup {
    /// What earlier processes remembered.
    #[must_use]
    pub fn restore(entries: &mut Entries, wall_ms: u64) -> Self {
        let unread = Stored::take(entries, PREFIX, BLOCK);
        Self {
            ring: Ring::restore(PREFIX, CAPACITY, &unread),
            known: NameSet::default(),
            order: VecDeque::new(),
            unread,
            since_ms: wall_ms.checked_sub(REMEMBER_MS),
        }
    }

    /// Takes a thing under all its names. False when one of them was taken before: it is a repetition.
    ///
    /// The names are stored with this call's commit, together with whatever the thing caused.
    pub fn take(&mut self, env: &mut Env, names: &[&str]) -> bool {
        let names: Vec<Name> = names
            .iter()
            .filter(|name| !name.is_empty())
            .map(|name| Name::of(&[name]))
            .collect();
        self.read_some();
        if names.iter().any(|name| self.knows(name)) {
            return false;
        }
        self.known.extend(&names);
        self.order.extend(&names);
        let wall_ms = env.now.wall_ms;
        let seen = names.into_iter().map(|name| Seen { name, wall_ms });
        self.ring.push_all(env, seen);
        while self.len() > CAPACITY {
            // Of what is not read yet a whole block goes, up to 63 names early.
            if !self.unread.drop_oldest()
                && let Some(oldest) = self.order.pop_front()
            {
                self.known.remove(&oldest);
            }
        }
        true
    }

    fn knows(&self, name: &Name) -> bool {
        let mut unread = self
            .unread
            .raw()
            .flat_map(|block| block.chunks_exact(Seen::BYTES));
        self.known.contains(name) || unread.any(|stored| Seen::is(stored, name, self.since_ms))
    }

    fn read_some(&mut self) {
        for _ in 0..READ_AT_ONCE {
            let Some((_, block)) = self.unread.read_newest() else {
                return;
            };
            let block = block.into_iter().rev();
            for seen in block.filter(|seen| Some(seen.wall_ms) > self.since_ms) {
                self.known.insert(seen.name);
                self.order.push_front(seen.name);
            }
        }
    }

    /// How many names are remembered.
    #[must_use]
    pub fn len(&self) -> usize {
        self.order.len() + self.unread.len()
    }

    /// True when nothing is remembered.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::channel::tests::test_env;
    use crate::state::tests::{Store, stored};

    #[test]
    fn either_name_makes_a_repetition() {
        let mut env = test_env();
        let mut dedup = Dedup::restore(&mut Entries::default(), 0);
        assert!(dedup.take(&mut env, &["ROBOT1.0_a", "REFIDX_1"]));
        assert!(!dedup.take(&mut env, &["ROBOT1.0_a", ""]));
        assert!(
            !dedup.take(&mut env, &["ROBOT1.0_b", "REFIDX_1"]),
            "a new id after a reconnect, the same index"
        );
        assert!(dedup.take(&mut env, &["ROBOT1.0_b", ""]));
    }

    #[test]
    fn what_an_earlier_process_took_is_a_repetition_whether_it_was_read_yet_or_not() {
        const TAKEN: usize = 5_000;
        let mut env = test_env();
        let mut store = Store::new();
        let mut dedup = Dedup::restore(&mut Entries::default(), 0);
        let id = |number: usize| format!("id{number}");
        for number in 0..TAKEN {
            dedup.take(&mut env, &[&id(number)]);
        }
        let mut entries = stored(&mut env, &mut store);
        let mut again = Dedup::restore(&mut entries.clone(), env.now.wall_ms);
        assert_eq!((again.len(), again.known.len()), (TAKEN, 0));
        for number in (0..TAKEN).step_by(97) {
            assert!(!again.take(&mut env, &[&id(number)]), "{number}");
        }
        assert_eq!((again.len(), again.known.len()), (TAKEN, TAKEN));
        assert!(again.unread.is_empty());
        for number in 0..TAKEN {
            assert!(!again.take(&mut env, &[&id(number)]), "{number}");
        }
        assert!(again.take(&mut env, &["new"]));
        let a_day_later = env.now.wall_ms + REMEMBER_MS;
        let mut later = Dedup::restore(&mut entries, a_day_later);
        assert!(
            later.take(&mut env, &[&id(7)]),
            "what is a day old is forgotten"
        );
    }

    #[test]
    fn memory_is_bounded() {
        let mut env = test_env();
        let mut store = Store::new();
        let mut dedup = Dedup::restore(&mut Entries::default(), 0);
        for number in 0..CAPACITY + 500 {
            assert!(dedup.take(&mut env, &[&format!("id{number}")]));
            stored(&mut env, &mut store);
        }
        assert_eq!(dedup.len(), CAPACITY);
        assert!(!dedup.take(&mut env, &[&format!("id{}", CAPACITY + 499)]));
        let mut entries = stored(&mut env, &mut store);
        let mut again = Dedup::restore(&mut entries, env.now.wall_ms);
        for number in 0..CAPACITY {
            assert!(again.take(&mut env, &[&format!("more{number}")]));
            assert!((CAPACITY - 64..=CAPACITY).contains(&again.len()));
        }
        assert_eq!(again.len(), again.known.len());
    }
}
