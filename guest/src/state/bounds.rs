//! The most that is stored, by prefix of key. It fits into what the manifest allows (`max_store_mb`), and that fits three
//! times into the memory of an instance: so a start can always read it.

use crate::access::{asks, bindings};
use crate::bindings::Stored;
use crate::delivery::{budget, files};
use crate::inbound::recent;
use crate::turns::room;
use crate::{capabilities, dedup, ledger, places};

/// Longest key of an entry, bytes: the host takes no longer one.
pub const KEY_BYTES: usize = 200;
/// Longest value of an entry, bytes.
pub const VALUE_BYTES: usize = 256 << 10;

/// What is stored under keys that begin alike.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Bound {
    /// How the keys begin.
    pub prefix: &'static str,
    /// Entries.
    pub entries: usize,
    /// Bytes of one of them, key and value.
    pub entry_bytes: usize,
    /// Bytes of all of them, where that is less than all at their largest.
    pub bytes: usize,
}

const fn each(prefix: &'static str, entries: usize, entry_bytes: usize) -> Bound {
    Bound {
        prefix,
        entries,
        entry_bytes,
        bytes: entries * entry_bytes,
    }
}

/// Bytes of the key and the ids of a record that is JSON.
const RECORD: usize = 900;

/// All that is stored.
pub const TABLE: [Bound; 12] = [
    Bound {
        prefix: "turn/",
        entries: room::MESSAGES + room::WORDS,
        entry_bytes: room::TURN_BYTES + 32,
        bytes: room::OPEN_BYTES + room::TURN_BYTES + (room::MESSAGES + room::WORDS) * 32,
    },
    each(
        "slots/",
        budget::CAPACITY + room::MESSAGES + room::WORDS,
        340,
    ),
    each("seen/", dedup::CAPACITY / 64 + 2, 1_600),
    each("ledger/", ledger::CAPACITY / 64 + 2, 3_000),
    each("review/", ledger::MAX_REVIEWS + 1, KEY_BYTES + 32),
    each("recent/", recent::CAPACITY / 16 + 2, 32 << 10),
    each("cap/", capabilities::CAPACITY + 1, RECORD),
    each("place/", places::CAPACITY + 1, RECORD),
    each(
        "file/",
        files::CAPACITY + 1,
        KEY_BYTES + files::INFO_BYTES + 32,
    ),
    each("bind/", bindings::CAPACITY, RECORD),
    each("ask", asks::CAPACITY + 1, RECORD),
    // The session and the intents: one entry each, under whole keys.
    each("", 4, 4 << 10),
];

/// The sum.
#[must_use]
pub const fn stored() -> Stored {
    let (mut entries, mut bytes, mut index) = (0, 0, 0);
    while index < TABLE.len() {
        // In a constant there are no iterators, and the index is below the length.
        #[allow(clippy::indexing_slicing, reason = "bounded by the loop")]
        let bound = TABLE[index];
        entries += bound.entries as u32;
        bytes += bound.bytes as u64;
        index += 1;
    }
    Stored { entries, bytes }
}

/// What the host may delete when a start finds too much, least wanted first: the oldest open turns are all that can be
/// long, and their windows close first.
pub const SHEDS: [&str; 2] = ["turn/", "recent/"];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_stored_at_most_is_less_than_the_manifest_allows() {
        /// What the host counts for each entry besides its key and its value (`wit/v0_1/types.wit`, "entry").
        const ENTRY_BYTES: u64 = 128;
        let manifest = include_str!("../../plugin.toml");
        let allowed = manifest
            .lines()
            .find_map(|line| line.strip_prefix("max_store_mb = "));
        let allowed: u64 = allowed.unwrap().parse().unwrap();
        let Stored { entries, bytes } = stored();
        let most = bytes + u64::from(entries) * ENTRY_BYTES;
        assert!(most <= allowed << 20, "{most} bytes");
    }
}
