//! What outlives an event: entries that the host stores, and the checkpoint of what is in flight.

use serde::Serialize;
use serde::de::DeserializeOwned;

use crate::bindings::Entry;
use crate::env::Env;

pub mod bounds;
pub mod checkpoint;
pub mod name;
pub mod ring;

/// The version of everything written here: checkpoint and entries.
pub const STATE_VERSION: u32 = 1;
/// Milliseconds after which what was remembered is forgotten: a day, longer than any replay of the platform's.
pub const REMEMBER_MS: u64 = 24 * 3_600_000;

/// The stored entries that an instance starts with, ascending by key. In one piece, as the host hands them over: a
/// start is to be short.
#[derive(Clone, Debug, Default)]
pub struct Entries(Vec<Entry>);

impl Entries {
    /// Takes what the host handed over.
    #[must_use]
    pub fn new(mut entries: Vec<Entry>) -> Self {
        if !entries.is_sorted_by(|a, b| a.key < b.key) {
            entries.sort_by(|a, b| a.key.cmp(&b.key));
        }
        Self(entries)
    }

    /// An entry that is JSON. `None` when it is missing or cannot be read; what cannot be read is left alone.
    #[must_use]
    pub fn json<T: DeserializeOwned>(&self, key: &str) -> Option<T> {
        let at = self.0.binary_search_by(|entry| entry.key.as_str().cmp(key));
        serde_json::from_slice(&self.0.get(at.ok()?)?.value).ok()
    }

    /// All entries whose key begins with this, in order, the rest of the key first.
    pub fn under<'a>(&'a self, prefix: &'a str) -> impl Iterator<Item = (&'a str, &'a [u8])> {
        let rest = move |entry: &'a Entry| Some((entry.key.strip_prefix(prefix)?, &*entry.value));
        let first = self.first(prefix);
        self.0.iter().skip(first).map_while(rest)
    }

    /// The values of all entries whose key begins with this, in order. They are empty from then on.
    pub fn take_under<'a>(&'a mut self, prefix: &'a str) -> impl Iterator<Item = Vec<u8>> + 'a {
        let first = self.first(prefix);
        let there = self.0.iter_mut().skip(first);
        let there = there.take_while(move |entry| entry.key.starts_with(prefix));
        there.map(|entry| std::mem::take(&mut entry.value))
    }

    fn first(&self, prefix: &str) -> usize {
        self.0.partition_point(|entry| entry.key.as_str() < prefix)
    }
}

impl Env {
    /// Stores a value as JSON with this call's commit.
    pub fn put_json(&mut self, key: &str, value: &impl Serialize) {
        // Our own types have string keys and finite numbers, so writing them cannot fail; were it to,
        // the entry of before stays, which is the safe side.
        if let Ok(bytes) = serde_json::to_vec(value) {
            self.put(key, bytes);
        }
    }
}

#[cfg(test)]
pub(crate) mod tests {
    use std::collections::BTreeMap;

    use super::*;
    use crate::bindings::{Action, Effect};

    /// A host's store.
    pub(crate) type Store = BTreeMap<String, Vec<u8>>;

    /// Stores what these effects say.
    pub(crate) fn keep(store: &mut Store, effects: Vec<Effect>) {
        for effect in effects {
            match effect.action {
                Action::StorePut(entry) => drop(store.insert(entry.key, entry.value)),
                Action::StoreDelete(key) => drop(store.remove(&key)),
                _ => {}
            }
        }
    }

    /// Stores what was done, and says what an instance would start with.
    pub(crate) fn stored(env: &mut Env, store: &mut Store) -> Entries {
        keep(store, env.take_effects());
        let entries = store.clone().into_iter();
        Entries::new(entries.map(|(key, value)| Entry { key, value }).collect())
    }
}
