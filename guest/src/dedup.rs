//! Which messages and events were taken before: the platform delivers at least once (`PROTOCOL.md`, "Duplicates").

use std::collections::VecDeque;

use serde::{Deserialize, Serialize};

use crate::env::Env;
use crate::state::Entries;
use crate::state::name::{Name, NameSet};
use crate::state::ring::{Dated, Ring, Stored};

/// Names remembered: ten thousand messages with two names each.
const CAPACITY: usize = 20_480;
/// Where the blocks are stored.
const PREFIX: &str = "seen/";

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
struct Seen {
    name: Name,
    wall_ms: u64,
}

impl Dated for Seen {
    fn wall_ms(&self) -> u64 {
        self.wall_ms
    }
}

/// The names of messages and events that were taken.
#[derive(Clone, Debug)]
pub struct Dedup {
    ring: Ring<Seen>,
    known: NameSet,
    order: VecDeque<Name>,
}

impl Dedup {
    /// What earlier processes remembered.
    #[must_use]
    pub fn restore(entries: &Entries, wall_ms: u64) -> Self {
        let stored = Stored::under(entries, PREFIX);
        let count = stored.count().min(CAPACITY);
        let mut dedup = Self {
            ring: Ring::restore(PREFIX, CAPACITY, &stored),
            known: NameSet::with_capacity_and_hasher(count, Default::default()),
            order: VecDeque::with_capacity(count),
        };
        for (_, seen) in stored.records::<Seen>(wall_ms) {
            dedup.known.insert(seen.name);
            dedup.order.push_back(seen.name);
        }
        dedup
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
        if names.iter().any(|name| self.known.contains(name)) {
            return false;
        }
        self.known.extend(&names);
        self.order.extend(&names);
        let wall_ms = env.now.wall_ms;
        let seen = names.into_iter().map(|name| Seen { name, wall_ms });
        self.ring.push_all(env, seen);
        while self.order.len() > CAPACITY {
            if let Some(oldest) = self.order.pop_front() {
                self.known.remove(&oldest);
            }
        }
        true
    }

    /// How many names are remembered.
    #[must_use]
    pub fn len(&self) -> usize {
        self.order.len()
    }

    /// True when nothing is remembered.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.order.is_empty()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::channel::tests::test_env;

    #[test]
    fn either_name_makes_a_repetition() {
        let mut env = test_env();
        let mut dedup = Dedup::restore(&Entries::default(), 0);
        assert!(dedup.take(&mut env, &["ROBOT1.0_a", "REFIDX_1"]));
        assert!(!dedup.take(&mut env, &["ROBOT1.0_a", ""]));
        assert!(
            !dedup.take(&mut env, &["ROBOT1.0_b", "REFIDX_1"]),
            "a new id after a reconnect, the same index"
        );
        assert!(dedup.take(&mut env, &["ROBOT1.0_b", ""]));
    }

    #[test]
    fn memory_is_bounded() {
        let mut env = test_env();
        let mut dedup = Dedup::restore(&Entries::default(), 0);
        for number in 0..CAPACITY + 500 {
            assert!(dedup.take(&mut env, &[&format!("id{number}")]));
            env.take_effects();
        }
        assert_eq!(dedup.len(), CAPACITY);
        assert!(!dedup.take(&mut env, &[&format!("id{}", CAPACITY + 499)]));
    }
}
