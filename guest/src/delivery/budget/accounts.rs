//! The accounts, found by id, by place and by the end of their window: a busy bot has thousands, and looks for a few
//! with every message.

use std::collections::{BTreeMap, BTreeSet};

use serde::{Deserialize, Serialize};

use crate::env::Env;
use crate::ids::{OpenId, TurnId};
use crate::scene::Scene;
use crate::state::name::Name;

use super::{KEPT, MARGIN_MS, Via};

/// Where replies can be lent: one conversation of the platform's.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub(super) struct Place(Name);

impl Place {
    pub(super) fn new(scene: Scene, target: &OpenId) -> Self {
        Self(Name::of(&[scene.word(), ":", target.as_str()]))
    }
}

/// What one inbound message or event still pays for.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Account {
    place: Place,
    pub(super) via: Via,
    /// End of the window, wall-clock milliseconds of the platform.
    until_ms: u64,
    pub(super) used: u32,
    pub(super) next_seq: u32,
}

impl Account {
    /// One that nothing was spent from. `until_ms` is the end of its window, wall-clock milliseconds of the platform.
    pub(super) fn new(place: Place, via: Via, until_ms: u64) -> Self {
        Self {
            place,
            via,
            until_ms,
            used: 0,
            next_seq: 1,
        }
    }

    pub(super) fn place(&self) -> Place {
        self.place
    }

    pub(super) fn is_open(&self, env: &Env) -> bool {
        env.platform_ms() < self.until_ms.saturating_sub(MARGIN_MS)
    }

    /// Replies that it has left for others. A message that waits for an answer of its own keeps enough for it.
    pub(super) fn spare(&self, env: &Env, cap: u32, busy: impl FnOnce() -> bool) -> u32 {
        if self.used >= cap || !self.is_open(env) {
            return 0;
        }
        let keeps = if busy() { KEPT } else { 0 };
        cap.saturating_sub(self.used.saturating_add(keeps))
    }
}

/// All accounts.
#[derive(Clone, Debug, Default)]
pub(super) struct Accounts {
    by_id: BTreeMap<TurnId, Account>,
    by_place: BTreeSet<(Place, TurnId)>,
    by_end: BTreeSet<(u64, TurnId)>,
}

impl Accounts {
    pub(super) fn len(&self) -> usize {
        self.by_id.len()
    }

    /// The oldest first.
    pub(super) fn ids(&self) -> impl Iterator<Item = TurnId> {
        self.by_id.keys().copied()
    }

    pub(super) fn get(&self, id: TurnId) -> Option<&Account> {
        self.by_id.get(&id)
    }

    /// Place and window cannot be changed through it: they are what accounts are found by.
    pub(super) fn get_mut(&mut self, id: TurnId) -> Option<&mut Account> {
        self.by_id.get_mut(&id)
    }

    pub(super) fn insert(&mut self, id: TurnId, account: Account) {
        self.remove(id);
        self.by_end.insert((account.until_ms, id));
        self.by_place.insert((account.place, id));
        self.by_id.insert(id, account);
    }

    pub(super) fn remove(&mut self, id: TurnId) -> Option<Account> {
        let account = self.by_id.remove(&id)?;
        self.by_end.remove(&(account.until_ms, id));
        self.by_place.remove(&(account.place, id));
        Some(account)
    }

    /// Nothing is paid from it any more.
    pub(super) fn close(&mut self, id: TurnId) {
        if let Some(account) = self.by_id.get_mut(&id) {
            self.by_end.remove(&(account.until_ms, id));
            account.until_ms = 0;
            self.by_end.insert((0, id));
        }
    }

    /// The accounts of a place, the oldest first.
    pub(super) fn at(
        &self,
        place: Place,
    ) -> impl DoubleEndedIterator<Item = (TurnId, &Account)> + use<'_> {
        let there = self
            .by_place
            .range((place, TurnId(0))..=(place, TurnId(u64::MAX)));
        there.filter_map(|(_, id)| Some((*id, self.by_id.get(id)?)))
    }

    /// Those whose window is closed at this moment, the longest first.
    pub(super) fn closed_by(&self, now_ms: u64) -> impl Iterator<Item = TurnId> {
        let closed = self.by_end.range(..=(now_ms, TurnId(u64::MAX)));
        closed.map(|(_, id)| *id)
    }
}

impl FromIterator<(TurnId, Account)> for Accounts {
    fn from_iter<I: IntoIterator<Item = (TurnId, Account)>>(accounts: I) -> Self {
        // Trees that are made of all at once cost a fraction of as many insertions: a start is to be short.
        let by_id: BTreeMap<TurnId, Account> = accounts.into_iter().collect();
        let by_place = by_id.iter().map(|(id, account)| (account.place, *id));
        let by_end = by_id.iter().map(|(id, account)| (account.until_ms, *id));
        Self {
            by_place: by_place.collect(),
            by_end: by_end.collect(),
            by_id,
        }
    }
}
