//! What outlives an event: entries that the host stores, and the checkpoint of what is in flight.

use std::collections::BTreeMap;

use serde::Serialize;
use serde::de::DeserializeOwned;

use crate::bindings::Entry;
use crate::env::Env;

pub mod checkpoint;
pub mod name;
pub mod ring;

/// The version of everything written here: checkpoint and entries.
pub const STATE_VERSION: u32 = 1;
/// Milliseconds after which what was remembered is forgotten: a day, longer than any replay of the platform's.
pub const REMEMBER_MS: u64 = 24 * 3_600_000;

/// The stored entries that an instance starts with.
#[derive(Clone, Debug, Default)]
pub struct Entries(BTreeMap<String, Vec<u8>>);

impl Entries {
    /// Takes what the host handed over.
    #[must_use]
    pub fn new(entries: Vec<Entry>) -> Self {
        Self(
            entries
                .into_iter()
                .map(|entry| (entry.key, entry.value))
                .collect(),
        )
    }

    /// An entry that is JSON. `None` when it is missing or cannot be read; what cannot be read is left alone.
    #[must_use]
    pub fn json<T: DeserializeOwned>(&self, key: &str) -> Option<T> {
        serde_json::from_slice(self.0.get(key)?).ok()
    }

    /// All entries whose key begins with this, in order, the rest of the key first.
    pub fn under<'a>(&'a self, prefix: &'a str) -> impl Iterator<Item = (&'a str, &'a [u8])> {
        self.0
            .range(prefix.to_owned()..)
            .map_while(move |(key, value)| Some((key.strip_prefix(prefix)?, value.as_slice())))
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
