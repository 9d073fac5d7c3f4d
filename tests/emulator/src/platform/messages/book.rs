//! The reply book: what can be answered, until when, how often, and with which numbers already.

use std::collections::{BTreeMap, VecDeque};
use std::sync::Arc;
use std::time::Duration;

use serde_json::Value;

use crate::ids::{EventId, MessageId, Openid};
use crate::ledger::{ReplyTo, Scene};
use crate::time::Millis;

/// Sequence numbers remembered for one id; a client that uses more is not a client.
const SEQS: usize = 1_000;

/// Something that can be answered: a user's message, or an event.
#[derive(Debug)]
pub(crate) struct Origin {
    scene: Scene,
    target: Openid,
    at: Millis,
    slots_used: u32,
    attempts: BTreeMap<u32, Attempt>,
}

/// A (`msg_id`, `msg_seq`) that a bot has used.
#[derive(Debug)]
struct Attempt {
    /// The first body that came with it.
    body: Arc<str>,
    /// When it was accepted, if it was.
    accepted: Option<Millis>,
}

/// All that a bot can answer.
#[derive(Debug, Default)]
pub(crate) struct ReplyBook {
    messages: BTreeMap<MessageId, Origin>,
    events: BTreeMap<EventId, Origin>,
    order: VecDeque<ReplyTo>,
}

/// A passive send, as far as the book judges it.
#[derive(Debug)]
pub(crate) struct Passive<'a> {
    pub(crate) now: Millis,
    /// None in guild scenes, which have no `msg_seq` and see nothing twice.
    pub(crate) seq: Option<u32>,
    pub(crate) target: &'a Openid,
    pub(crate) window: Duration,
    pub(crate) slots: u32,
    /// Whether it takes a slot.
    pub(crate) counts: bool,
    /// How long an accepted pair is refused.
    pub(crate) memory: Duration,
    /// How long a new event is not found yet.
    pub(crate) lag: Duration,
}

/// What the book says.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Verdict {
    /// Accepted, in this slot (from 1) if it takes one.
    Accepted(Option<u32>),
    Unknown,
    OtherChat,
    TooFresh,
    SeenBefore,
    /// Past the window by this much.
    Late(Duration),
    UsedUp,
}

impl Origin {
    pub(crate) fn new(scene: Scene, target: Openid, at: Millis) -> Self {
        Self {
            scene,
            target,
            at,
            slots_used: 0,
            attempts: BTreeMap::new(),
        }
    }
}

impl ReplyBook {
    pub(crate) fn add_message(&mut self, id: MessageId, origin: Origin, bound: usize) {
        self.order.push_back(ReplyTo::MsgId(id.clone()));
        self.messages.insert(id, origin);
        self.forget(bound);
    }

    pub(crate) fn add_event(&mut self, id: EventId, origin: Origin, bound: usize) {
        self.order.push_back(ReplyTo::EventId(id.clone()));
        self.events.insert(id, origin);
        self.forget(bound);
    }

    /// Notes the body of a send; the first one if this pair came with another body before.
    pub(crate) fn attempt(
        &mut self,
        key: &ReplyTo,
        seq: u32,
        raw: &Arc<str>,
        json: &Value,
    ) -> Option<Arc<str>> {
        let origin = self.find(key)?;
        if let Some(first) = origin.attempts.get(&seq) {
            let same = first.body == *raw
                || serde_json::from_str::<Value>(&first.body).is_ok_and(|first| first == *json);
            return (!same).then(|| Arc::clone(&first.body));
        }
        if origin.attempts.len() < SEQS {
            origin.attempts.insert(
                seq,
                Attempt {
                    body: Arc::clone(raw),
                    accepted: None,
                },
            );
        }
        None
    }

    /// Judges a passive send, and notes it if it is accepted.
    pub(crate) fn answer(&mut self, key: &ReplyTo, send: &Passive<'_>) -> Verdict {
        let event = matches!(key, ReplyTo::EventId(_));
        let Some(origin) = self.find(key) else {
            return Verdict::Unknown;
        };
        if origin.target != *send.target {
            return Verdict::OtherChat;
        }
        let age = send.now.since(origin.at);
        if event && age < send.lag {
            return Verdict::TooFresh;
        }
        let accepted = send.seq.and_then(|seq| origin.attempts.get(&seq)?.accepted);
        if accepted.is_some_and(|at| send.now.since(at) < send.memory) {
            return Verdict::SeenBefore;
        }
        if age > send.window {
            return Verdict::Late(age.saturating_sub(send.window));
        }
        if send.counts && origin.slots_used >= send.slots {
            return Verdict::UsedUp;
        }
        let full = origin.attempts.len() >= SEQS;
        if let Some(seq) = send.seq
            && (!full || origin.attempts.contains_key(&seq))
        {
            let fresh = || Attempt {
                body: Arc::from(""),
                accepted: None,
            };
            origin.attempts.entry(seq).or_insert_with(fresh).accepted = Some(send.now);
        }
        if !send.counts {
            return Verdict::Accepted(None);
        }
        origin.slots_used += 1;
        Verdict::Accepted(Some(origin.slots_used))
    }

    /// Slots used so far, the moment of arrival and the scene, of a message.
    pub(crate) fn message(&self, id: &MessageId) -> Option<(u32, Millis, Scene)> {
        let origin = self.messages.get(id)?;
        Some((origin.slots_used, origin.at, origin.scene))
    }

    fn find(&mut self, key: &ReplyTo) -> Option<&mut Origin> {
        match key {
            ReplyTo::MsgId(id) => self.messages.get_mut(id),
            ReplyTo::EventId(id) => self.events.get_mut(id),
        }
    }

    fn forget(&mut self, bound: usize) {
        while self.order.len() > bound.max(1) {
            match self.order.pop_front() {
                Some(ReplyTo::MsgId(id)) => drop(self.messages.remove(&id)),
                Some(ReplyTo::EventId(id)) => drop(self.events.remove(&id)),
                None => return,
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn book() -> (ReplyBook, ReplyTo, Openid) {
        let (id, target) = (MessageId::from("m"), Openid::from("u"));
        let mut book = ReplyBook::default();
        let origin = Origin::new(Scene::Group, target.clone(), Millis(1_000));
        book.add_message(id.clone(), origin, 10);
        (book, ReplyTo::MsgId(id), target)
    }

    fn send(target: &Openid, seq: u32, now: u64) -> Passive<'_> {
        Passive {
            now: Millis(now),
            seq: Some(seq),
            target,
            window: Duration::from_secs(300),
            slots: 2,
            counts: true,
            memory: Duration::from_secs(3600),
            lag: Duration::ZERO,
        }
    }

    #[test]
    fn a_pair_is_accepted_once_and_slots_run_out() {
        let (mut book, key, target) = book();
        assert_eq!(
            book.answer(&key, &send(&target, 1, 2_000)),
            Verdict::Accepted(Some(1))
        );
        assert_eq!(
            book.answer(&key, &send(&target, 1, 2_000)),
            Verdict::SeenBefore
        );
        assert_eq!(
            book.answer(&key, &send(&target, 9, 2_000)),
            Verdict::Accepted(Some(2))
        );
        assert_eq!(book.answer(&key, &send(&target, 3, 2_000)), Verdict::UsedUp);
        assert_eq!(
            book.answer(&key, &send(&target, 1, 400_000)),
            Verdict::SeenBefore
        );
    }

    #[test]
    fn the_window_is_inclusive_and_then_closes() {
        let (mut book, key, target) = book();
        let in_time = send(&target, 1, 301_000);
        assert_eq!(book.answer(&key, &in_time), Verdict::Accepted(Some(1)));
        let late = Verdict::Late(Duration::from_millis(1));
        assert_eq!(book.answer(&key, &send(&target, 2, 301_001)), late);
    }

    #[test]
    fn a_second_body_for_a_pair_is_noticed_unless_it_means_the_same() {
        let (mut book, key, _) = book();
        let body = |text: &str| (Arc::from(text), serde_json::from_str(text).unwrap());
        let (one, one_json): (Arc<str>, Value) = body(r#"{"a":1,"b":2}"#);
        let (same, same_json): (Arc<str>, Value) = body(r#"{"b":2, "a":1}"#);
        let (other, other_json): (Arc<str>, Value) = body(r#"{"a":2}"#);
        assert_eq!(book.attempt(&key, 1, &one, &one_json), None);
        assert_eq!(book.attempt(&key, 1, &same, &same_json), None);
        assert_eq!(book.attempt(&key, 1, &other, &other_json), Some(one));
        assert_eq!(book.attempt(&key, 2, &other, &other_json), None);
    }
}
