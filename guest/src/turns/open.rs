//! The open turns. What is stored of one is what it is in memory, after every call: an instance that takes
//! over, or a process that begins anew, reads them from there and nowhere else.

use std::collections::{BTreeMap, BTreeSet};
use std::hash::Hasher;
use std::ops::Deref;

use siphasher::sip::SipHasher13;

use crate::bindings::Outcome;
use crate::delivery::Answer;
use crate::env::Env;
use crate::ids::TurnId;
use crate::state::Entries;

use super::{Origin, Stage, Turn};

/// Where they are stored: the id follows.
const PREFIX: &str = "turn/";

/// The open turns, ascending by id. Looked at as a map; whoever changes one has it stored with the call's commit.
#[derive(Clone, Debug, Default)]
pub struct OpenTurns {
    turns: BTreeMap<TurnId, Turn>,
    /// Looked at for a change in this call.
    touched: BTreeSet<TurnId>,
    /// What is stored.
    stored: BTreeMap<TurnId, Stored>,
    /// Bytes of all that is stored.
    bytes: usize,
    /// Those that are no message of a person's, or one that was refused.
    words: BTreeSet<TurnId>,
}

/// The stored form of a turn.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Stored {
    hash: u64,
    bytes: usize,
}

impl Deref for OpenTurns {
    type Target = BTreeMap<TurnId, Turn>;

    fn deref(&self) -> &Self::Target {
        &self.turns
    }
}

impl OpenTurns {
    /// Those that an earlier process, or an earlier instance, left. One that cannot be read is left alone.
    #[must_use]
    pub fn restore(entries: &mut Entries) -> Self {
        let mut open = Self::default();
        for bytes in entries.take_under(PREFIX) {
            if let Ok(turn) = serde_json::from_slice::<Turn>(&bytes) {
                open.note_stored(turn.id, &bytes);
                open.note_origin(&turn);
                open.turns.insert(turn.id, turn);
            }
        }
        open
    }

    /// Messages of people among them.
    #[must_use]
    pub fn messages(&self) -> usize {
        self.turns.len() - self.words.len()
    }

    /// Words of the channel's own and of the operator's among them, refusals included.
    #[must_use]
    pub fn words(&self) -> usize {
        self.words.len()
    }

    /// Bytes of what is stored of them all.
    #[must_use]
    pub fn bytes(&self) -> usize {
        self.bytes
    }

    /// Ends the oldest as expired, without an answer, until at most so many messages of at most so many stored bytes are left.
    /// Each is deleted when it is closed. Returns how many there were.
    pub fn shed(&mut self, messages: usize, bytes: usize) -> usize {
        let (mut messages_left, mut bytes_left) = (self.messages(), self.bytes);
        let mut shed = 0;
        for (id, turn) in &mut self.turns {
            if messages_left <= messages && bytes_left <= bytes {
                break;
            }
            messages_left -= usize::from(!self.words.contains(id));
            bytes_left -= self.stored.get(id).map_or(0, |stored| stored.bytes);
            // What was fetched is dropped when it is closed.
            turn.inbound.forget_words();
            turn.stream = None;
            turn.stage = Stage::Answering(Answer::nothing(Outcome::Expired));
            shed += 1;
        }
        shed
    }

    fn note_stored(&mut self, id: TurnId, bytes: &[u8]) -> bool {
        let now = Stored {
            hash: hash(bytes),
            bytes: bytes.len(),
        };
        let before = self.stored.insert(id, now);
        self.bytes = self.bytes + now.bytes - before.map_or(0, |before| before.bytes);
        before != Some(now)
    }

    fn note_origin(&mut self, turn: &Turn) {
        let refused = matches!(&turn.stage, Stage::Answering(it) if it.means == Outcome::Refused);
        if turn.origin != Origin::Inbound || refused {
            self.words.insert(turn.id);
        }
    }

    /// A turn, to be changed.
    pub fn get_mut(&mut self, id: &TurnId) -> Option<&mut Turn> {
        self.touched.insert(*id);
        self.turns.get_mut(id)
    }

    /// Opens a turn.
    pub fn insert(&mut self, turn: Turn) {
        self.touched.insert(turn.id);
        self.note_origin(&turn);
        self.turns.insert(turn.id, turn);
    }

    /// Closes a turn, and deletes it with this call's commit.
    pub fn remove(&mut self, env: &mut Env, id: TurnId) -> Option<Turn> {
        let turn = self.turns.remove(&id)?;
        self.words.remove(&id);
        if let Some(stored) = self.stored.remove(&id) {
            self.bytes -= stored.bytes;
            env.delete(key(id));
        }
        Some(turn)
    }

    /// Stores what was changed, with this call's commit.
    pub fn save(&mut self, env: &mut Env) {
        for id in std::mem::take(&mut self.touched) {
            let Some(turn) = self.turns.get(&id) else {
                continue;
            };
            // Our own types have string keys and finite numbers, so writing them cannot fail; were it to,
            // the entry of before stays, which is the safe side.
            let Ok(bytes) = serde_json::to_vec(turn) else {
                continue;
            };
            if self.note_stored(id, &bytes) {
                env.put(key(id), bytes);
            }
        }
    }
}

fn key(id: TurnId) -> String {
    format!("{PREFIX}{:016x}", id.0)
}

fn hash(bytes: &[u8]) -> u64 {
    let mut hasher = SipHasher13::new();
    hasher.write(bytes);
    hasher.finish()
}
