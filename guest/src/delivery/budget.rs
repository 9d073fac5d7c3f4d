//! The reply budget: every inbound message pays for a few replies in a short time, and nothing else does.
//!
//! One account for each inbound message or event. It allots `msg_seq`, so that a pair of id and number belongs to
//! one body for ever, and it counts what was spent. An answer that its own account cannot pay may borrow from
//! another message of the same place whose window is still open (`PROTOCOL.md`, "Passive replies").

use serde::{Deserialize, Serialize};

use crate::env::Env;
use crate::ids::{OpenId, TurnId};
use crate::inbound::{Anchor, Inbound};
use crate::scene::Scene;
use crate::state::Entries;

mod accounts;

pub use accounts::Account;
use accounts::{Accounts, Place};

/// Where accounts are stored.
const PREFIX: &str = "slots/";
/// Accounts remembered; the oldest goes first. Where a bot is that busy, newer messages lend.
pub const CAPACITY: usize = 1_024;
/// Replies that a message which waits for its own answer does not lend.
const KEPT: u32 = 2;
/// Replies of one place beyond which nobody counts: more than any answer takes.
const PLENTY: u32 = 32;
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
    accounts: Accounts,
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
        if self.accounts.get(id).is_none() {
            let place = Place::new(inbound.scene, &inbound.target);
            let account = Account::new(place, via, inbound.deadline_ms());
            self.accounts.insert(id, account);
        }
    }

    /// Forgets accounts whose window is closed, and the oldest ones where there are too many. That of a turn which
    /// is still open stays.
    pub fn forget_old(&mut self, env: &mut Env, busy: &dyn Fn(TurnId) -> bool) {
        let many = self.accounts.len().saturating_sub(CAPACITY);
        let idle = |id: &TurnId| !busy(*id);
        let closed = self.accounts.closed_by(env.platform_ms()).filter(idle);
        let mut old: Vec<TurnId> = closed.take(FORGET_AT_ONCE).collect();
        // Those of closed windows made room already. A few at a time: a call must stay short.
        let spare = many.min(FORGET_AT_ONCE).saturating_sub(old.len());
        let oldest = self.accounts.ids().filter(idle);
        let spare: Vec<TurnId> = oldest.filter(|id| !old.contains(id)).take(spare).collect();
        old.extend(spare);
        for id in old {
            self.accounts.remove(id);
            env.delete(key(id));
        }
    }

    /// Replies that are left to a turn, its own and what others of the same place can lend; beyond plenty, not all.
    #[must_use]
    pub fn left(&self, env: &Env, id: TurnId, cap: u32, busy: &dyn Fn(TurnId) -> bool) -> u32 {
        let lent = self.lenders(env, id, cap, busy).map(|(_, lends)| lends);
        let lent = plenty(lent.rev());
        self.own_left(env, id, cap).saturating_add(lent)
    }

    /// True when something can pay for a reply of this turn.
    #[must_use]
    pub fn can_pay(&self, env: &Env, id: TurnId, cap: u32, busy: &dyn Fn(TurnId) -> bool) -> bool {
        self.own_left(env, id, cap) > 0 || self.lenders(env, id, cap, busy).next_back().is_some()
    }

    /// Replies that are left in a turn's own account.
    #[must_use]
    pub fn own_left(&self, env: &Env, id: TurnId, cap: u32) -> u32 {
        self.accounts
            .get(id)
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
            self.lenders(env, id, cap, busy).next_back()?.0
        };
        let account = self.accounts.get_mut(payer)?;
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
        let account = self.accounts.get_mut(id).filter(|a| a.is_open(env))?;
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
        if let Some(account) = self.accounts.get_mut(id) {
            account.used = account.used.saturating_sub(1);
            self.store(env, id);
        }
    }

    /// The platform says that this account is used up. Returns how many replies it had paid for.
    pub fn exhaust(&mut self, env: &mut Env, paid: &Paid) -> Option<u32> {
        let id = paid.account?;
        let used = self.accounts.get(id)?.used.saturating_sub(1);
        self.accounts.close(id);
        self.store(env, id);
        Some(used)
    }

    /// Other accounts of a turn's place, the oldest first, and how many replies each can lend.
    fn lenders<'a>(
        &'a self,
        env: &'a Env,
        id: TurnId,
        cap: u32,
        busy: &'a dyn Fn(TurnId) -> bool,
    ) -> impl DoubleEndedIterator<Item = (TurnId, u32)> + 'a {
        let place = self.accounts.get(id).map(Account::place).into_iter();
        let there = place.flat_map(|place| self.accounts.at(place));
        there
            .filter(move |(other, _)| *other != id)
            .filter_map(move |(other, account)| {
                let lends = account.spare(env, cap, || busy(other));
                (lends > 0).then_some((other, lends))
            })
    }

    /// Lets a turn without a message of its own spend from the account of another one.
    pub fn share(&mut self, env: &mut Env, id: TurnId, payer: TurnId) {
        if let Some(account) = self.accounts.get(payer) {
            // An account that is spent from the start, at the same place: all that is paid for it is borrowed.
            let account = account.clone();
            self.accounts.insert(id, account);
            self.accounts.close(id);
            self.store(env, id);
        }
    }

    /// The turn ends. What `share` began ends with it; what nothing was spent from can still lend.
    pub fn end(&mut self, env: &mut Env, id: TurnId, shared: bool) {
        if shared {
            if self.accounts.remove(id).is_some() {
                env.delete(key(id));
            }
        } else if self
            .accounts
            .get(id)
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
        let there = self.accounts.at(Place::new(scene, target)).rev();
        let mut found =
            there.filter(|(id, account)| account.used < cap && account.is_open(env) && !busy(*id));
        found.next().map(|(id, _)| id)
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
        let there = self.accounts.at(Place::new(scene, target)).rev();
        plenty(there.map(|(id, account)| account.spare(env, cap, || busy(id))))
    }

    fn store(&self, env: &mut Env, id: TurnId) {
        if let Some(account) = self.accounts.get(id)
            && let Ok(bytes) = postcard::to_allocvec(account)
        {
            env.put(key(id), bytes);
        }
    }
}

/// The sum, as far as anybody counts.
fn plenty(replies: impl Iterator<Item = u32>) -> u32 {
    let mut sum = 0_u32;
    for replies in replies {
        sum = sum.saturating_add(replies);
        if sum >= PLENTY {
            break;
        }
    }
    sum
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
