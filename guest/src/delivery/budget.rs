//! The reply budget: every inbound message pays for a few replies in a short time, and nothing else does.
//!
//! One account for each inbound message or event. It allots `msg_seq`, so that a pair of id and number belongs to
//! one body for ever, and it counts what was spent. An answer that its own account cannot pay may borrow from
//! another message of the same place whose window is still open (`PROTOCOL.md`, "Passive replies").

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use crate::env::Env;
use crate::ids::{OpenId, TurnId};
use crate::inbound::{Anchor, Inbound};
use crate::scene::Scene;
use crate::state::Entries;

/// Where accounts are stored.
const PREFIX: &str = "slots/";
/// Accounts remembered; the oldest goes first. Enough for an hour of a busy bot.
const CAPACITY: usize = 2_048;
/// Replies that a message which waits for its own answer does not lend.
const KEPT: u32 = 2;
/// Accounts forgotten in one call.
const FORGET_AT_ONCE: usize = 16;
/// Milliseconds that a send may take to arrive: nothing is sent closer to the end of its window.
pub const MARGIN_MS: u64 = 2_000;

/// What a message is sent under.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Via {
    /// As a reply to a message.
    Message(String),
    /// As a reply to an event.
    Event(String),
    /// As a message of the bot's own accord.
    Proactive,
    /// As the one recall message of its period, in private chats.
    WakeUp,
}

/// What one inbound message or event still pays for.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Account {
    scene: Scene,
    target: OpenId,
    via: Via,
    /// End of the window, wall-clock milliseconds of the platform.
    until_ms: u64,
    used: u32,
    next_seq: u32,
}

/// A reply that was paid for: what to send it under, and its number.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Paid {
    /// Whose account paid; `None` for what needs none.
    pub account: Option<TurnId>,
    /// What it is sent under.
    pub via: Via,
    /// Its `msg_seq`.
    pub seq: u32,
}

/// All accounts.
#[derive(Clone, Debug, Default)]
pub struct Budget {
    accounts: BTreeMap<TurnId, Account>,
}

impl Budget {
    /// The accounts as they were left.
    #[must_use]
    pub fn restore(entries: &Entries) -> Self {
        let accounts = entries
            .under(PREFIX)
            .filter_map(|(id, bytes)| {
                let id = TurnId(u64::from_str_radix(id, 16).ok()?);
                Some((id, postcard::from_bytes(bytes).ok()?))
            })
            .collect();
        Self { accounts }
    }

    /// Opens the account of an accepted message. It is stored when something is spent from it, or when the
    /// turn ends without: until then it follows from the turn.
    pub fn open(&mut self, id: TurnId, inbound: &Inbound) {
        let via = match inbound.anchor {
            Anchor::Message => Via::Message(inbound.id.0.clone()),
            Anchor::Event => Via::Event(inbound.id.0.clone()),
            Anchor::Nothing => return,
        };
        self.accounts.entry(id).or_insert_with(|| Account {
            scene: inbound.scene,
            target: inbound.target.clone(),
            via,
            until_ms: inbound.deadline_ms(),
            used: 0,
            next_seq: 1,
        });
    }

    /// Forgets accounts whose window is closed, and the oldest ones where there are too many. That of a turn which
    /// is still open stays.
    pub fn forget_old(&mut self, env: &mut Env, busy: &dyn Fn(TurnId) -> bool) {
        let now = env.platform_ms();
        let many = self.accounts.len().saturating_sub(CAPACITY);
        let (mut spare, mut old) = (many, Vec::new());
        for (id, account) in &self.accounts {
            // A few at a time: a call must stay short.
            if old.len() == FORGET_AT_ONCE {
                break;
            }
            // Whether it is busy costs more to find out, and is asked of few.
            if (spare == 0 && account.until_ms > now) || busy(*id) {
                continue;
            }
            spare = spare.saturating_sub(1);
            old.push(*id);
        }
        for id in old {
            self.accounts.remove(&id);
            env.delete(key(id));
        }
    }

    /// Replies that are left to a turn, its own first, then what others of the same place can lend.
    #[must_use]
    pub fn left(&self, env: &Env, id: TurnId, cap: u32, busy: &dyn Fn(TurnId) -> bool) -> u32 {
        let own = self.own_left(env, id, cap);
        let lent: u32 = self
            .lenders(env, id, cap, busy)
            .map(|(other, account)| {
                let keeps = if busy(other) { KEPT } else { 0 };
                cap.saturating_sub(account.used.saturating_add(keeps))
            })
            .sum();
        own.saturating_add(lent)
    }

    /// Replies that are left in a turn's own account.
    #[must_use]
    pub fn own_left(&self, env: &Env, id: TurnId, cap: u32) -> u32 {
        self.accounts
            .get(&id)
            .filter(|account| account.is_open(env))
            .map_or(0, |account| cap.saturating_sub(account.used))
    }

    /// Pays for one reply: from the turn's own account, else from the newest one of the same place that can lend.
    pub fn pay(
        &mut self,
        env: &mut Env,
        id: TurnId,
        cap: u32,
        busy: &dyn Fn(TurnId) -> bool,
    ) -> Option<Paid> {
        let payer = if self.own_left(env, id, cap) > 0 {
            id
        } else {
            self.lenders(env, id, cap, busy).map(|(id, _)| id).last()?
        };
        let account = self.accounts.get_mut(&payer)?;
        let seq = account.next_seq;
        account.next_seq += 1;
        account.used += 1;
        let paid = Paid {
            account: Some(payer),
            via: account.via.clone(),
            seq,
        };
        self.store(env, payer);
        Some(paid)
    }

    /// A number for something that costs no reply of its own, such as a notice that the platform does not count.
    pub fn number(&mut self, env: &mut Env, id: TurnId) -> Option<Paid> {
        let account = self.accounts.get_mut(&id).filter(|a| a.is_open(env))?;
        let seq = account.next_seq;
        account.next_seq += 1;
        let via = account.via.clone();
        self.store(env, id);
        Some(Paid {
            account: Some(id),
            via,
            seq,
        })
    }

    /// The platform did not take what was paid for: it counts only what it accepts. The number stays spent.
    pub fn refund(&mut self, env: &mut Env, paid: &Paid) {
        if let Some(id) = paid.account {
            self.refund_own(env, id);
        }
    }

    /// The same for what a turn's own account paid.
    pub fn refund_own(&mut self, env: &mut Env, id: TurnId) {
        if let Some(account) = self.accounts.get_mut(&id) {
            account.used = account.used.saturating_sub(1);
            self.store(env, id);
        }
    }

    /// The platform says that this account is used up. Returns how many replies it had paid for.
    pub fn exhaust(&mut self, env: &mut Env, paid: &Paid) -> Option<u32> {
        let id = paid.account?;
        let account = self.accounts.get_mut(&id)?;
        let used = account.used.saturating_sub(1);
        account.until_ms = 0;
        self.store(env, id);
        Some(used)
    }

    fn lenders<'a>(
        &'a self,
        env: &'a Env,
        id: TurnId,
        cap: u32,
        busy: &'a dyn Fn(TurnId) -> bool,
    ) -> impl Iterator<Item = (TurnId, &'a Account)> {
        let place = self
            .accounts
            .get(&id)
            .map(|account| (account.scene, &account.target));
        // Nearly all accounts are of other places: that is looked at first, and it is cheap.
        let there = self.accounts.iter().filter(move |(other, account)| {
            place == Some((account.scene, &account.target)) && **other != id
        });
        there.filter_map(move |(other, account)| {
            // A message that waits for an answer of its own keeps enough for it.
            let keeps = if busy(*other) { KEPT } else { 0 };
            let rich = account.used.saturating_add(keeps) < cap && account.is_open(env);
            rich.then_some((*other, account))
        })
    }

    /// Lets a turn without a message of its own spend from the account of another one.
    pub fn share(&mut self, env: &mut Env, id: TurnId, payer: TurnId) {
        if let Some(account) = self.accounts.get(&payer) {
            // An account that is spent from the start, at the same place: all that is paid for it is borrowed.
            let mut account = account.clone();
            account.until_ms = 0;
            self.accounts.insert(id, account);
            self.store(env, id);
        }
    }

    /// The turn ends. What `share` began ends with it; what nothing was spent from can still lend.
    pub fn end(&mut self, env: &mut Env, id: TurnId, shared: bool) {
        if shared {
            if self.accounts.remove(&id).is_some() {
                env.delete(key(id));
            }
        } else if self
            .accounts
            .get(&id)
            .is_some_and(|account| account.next_seq == 1)
        {
            self.store(env, id);
        }
    }

    /// The newest account of a place that can pay, for what no message asked for.
    #[must_use]
    pub fn of_place(
        &self,
        env: &Env,
        scene: Scene,
        target: &OpenId,
        cap: u32,
        busy: &dyn Fn(TurnId) -> bool,
    ) -> Option<TurnId> {
        let mut found = self.accounts.iter().rev().filter(|(id, account)| {
            account.scene == scene
                && account.target == *target
                && account.used < cap
                && account.is_open(env)
                && !busy(**id)
        });
        found.next().map(|(id, _)| *id)
    }

    /// Replies of a place that may be spent besides its answers: what waits for one keeps enough for it.
    #[must_use]
    pub fn spare_at(
        &self,
        env: &Env,
        scene: Scene,
        target: &OpenId,
        cap: u32,
        busy: &dyn Fn(TurnId) -> bool,
    ) -> u32 {
        let there = self.accounts.iter().filter(|(_, account)| {
            account.scene == scene && account.target == *target && account.is_open(env)
        });
        there
            .map(|(id, account)| {
                let keeps = if busy(*id) { KEPT } else { 0 };
                cap.saturating_sub(account.used.saturating_add(keeps))
            })
            .sum()
    }

    fn store(&self, env: &mut Env, id: TurnId) {
        if let Some(account) = self.accounts.get(&id)
            && let Ok(bytes) = postcard::to_allocvec(account)
        {
            env.put(key(id), bytes);
        }
    }
}

impl Account {
    fn is_open(&self, env: &Env) -> bool {
        env.platform_ms() < self.until_ms.saturating_sub(MARGIN_MS)
    }
}

fn key(id: TurnId) -> String {
    format!("{PREFIX}{:016x}", id.0)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::channel::tests::test_env;

    fn inbound(env: &Env, id: &str, user: &str) -> Inbound {
        let body = format!(r#"{{"id":"{id}","author":{{"user_openid":"{user}"}},"content":"x"}}"#);
        Inbound::c2c(&body, env.platform_ms()).unwrap()
    }

    fn idle(_: TurnId) -> bool {
        false
    }

    #[test]
    fn a_number_is_never_given_twice_and_a_refund_gives_the_reply_back() {
        let mut env = test_env();
        let mut budget = Budget::default();
        budget.open(TurnId(1), &inbound(&env, "m1", "A"));
        let first = budget.pay(&mut env, TurnId(1), 2, &idle).unwrap();
        let second = budget.pay(&mut env, TurnId(1), 2, &idle).unwrap();
        assert_eq!((first.seq, second.seq), (1, 2));
        assert_eq!(budget.pay(&mut env, TurnId(1), 2, &idle), None);
        budget.refund(&mut env, &second);
        assert_eq!(budget.pay(&mut env, TurnId(1), 2, &idle).unwrap().seq, 3);
    }

    #[test]
    fn an_answer_may_borrow_from_a_message_of_the_same_place_and_leaves_it_enough() {
        let mut env = test_env();
        let mut budget = Budget::default();
        for (id, message, user) in [
            (1, "m1", "A"),
            (2, "m2", "B"),
            (3, "m3", "A"),
            (4, "m4", "A"),
        ] {
            let inbound = inbound(&env, message, user);
            budget.open(TurnId(id), &inbound);
        }
        let waits = |id: TurnId| id == TurnId(4);
        // Three of its own, three of m3, and one of m4, which keeps two for its own answer.
        assert_eq!(budget.left(&env, TurnId(1), 3, &waits), 7);
        let mut paid = Vec::new();
        while let Some(reply) = budget.pay(&mut env, TurnId(1), 3, &waits) {
            paid.push(reply.via);
        }
        let of = |id: &str| {
            paid.iter()
                .filter(|via| **via == Via::Message(id.into()))
                .count()
        };
        assert_eq!((of("m1"), of("m2"), of("m3"), of("m4")), (3, 0, 3, 1));
    }

    #[test]
    fn nothing_is_paid_from_a_window_that_is_closed() {
        let mut env = test_env();
        let mut budget = Budget::default();
        budget.open(TurnId(1), &inbound(&env, "m1", "A"));
        env.now.mono_ms += 60 * 60_000 - MARGIN_MS;
        assert_eq!(budget.pay(&mut env, TurnId(1), 4, &idle), None);
    }

    #[test]
    fn accounts_survive_a_restart_with_what_was_spent() {
        let mut env = test_env();
        let mut budget = Budget::default();
        budget.open(TurnId(1), &inbound(&env, "m1", "A"));
        budget.pay(&mut env, TurnId(1), 4, &idle).unwrap();
        let entries = env
            .take_effects()
            .into_iter()
            .filter_map(|effect| match effect.action {
                crate::bindings::Action::StorePut(entry) => Some(entry),
                _ => None,
            });
        let mut again = Budget::restore(&Entries::new(entries.collect()));
        assert_eq!(again.pay(&mut env, TurnId(1), 4, &idle).unwrap().seq, 2);
        assert_eq!(again.own_left(&env, TurnId(1), 4), 2);
    }
}
