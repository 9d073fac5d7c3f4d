//! The open turns. What is stored of one is what it is in memory, after every call: an instance that takes
//! over, or a process that begins anew, reads them from there and nowhere else.

use std::collections::{BTreeMap, BTreeSet};
use std::hash::Hasher;
use std::ops::Deref;

use siphasher::sip::SipHasher13;

use crate::env::Env;
use crate::ids::TurnId;
use crate::state::Entries;

use super::Turn;

/// Where they are stored: the id follows.
const PREFIX: &str = "turn/";

/// The open turns, ascending by id. Looked at as a map; whoever changes one has it stored with the call's commit.
#[derive(Clone, Debug, Default)]
pub struct OpenTurns {
    turns: BTreeMap<TurnId, Turn>,
    /// Looked at for a change in this call.
    touched: BTreeSet<TurnId>,
    /// Hashes of what is stored.
    stored: BTreeMap<TurnId, u64>,
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
    pub fn restore(entries: &Entries) -> Self {
        let mut open = Self::default();
        for (_, bytes) in entries.under(PREFIX) {
            if let Ok(turn) = serde_json::from_slice::<Turn>(bytes) {
                open.stored.insert(turn.id, hash(bytes));
                open.turns.insert(turn.id, turn);
            }
        }
        open
    }

    /// A turn, to be changed.
    pub fn get_mut(&mut self, id: &TurnId) -> Option<&mut Turn> {
        self.touched.insert(*id);
        self.turns.get_mut(id)
    }

    /// Opens a turn.
    pub fn insert(&mut self, turn: Turn) {
        self.touched.insert(turn.id);
        self.turns.insert(turn.id, turn);
    }

    /// Closes a turn, and deletes it with this call's commit.
    pub fn remove(&mut self, env: &mut Env, id: TurnId) -> Option<Turn> {
        let turn = self.turns.remove(&id)?;
        if self.stored.remove(&id).is_some() {
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
            let now = hash(&bytes);
            if self.stored.insert(id, now) != Some(now) {
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
