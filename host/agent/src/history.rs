//! What was said in each conversation, bounded in messages, characters and conversations.
//!
//! Idempotent by turn id: a turn that begins again, after a restart or a crash, is in here once.

use std::collections::{BTreeMap, VecDeque};

use prx_host::bindings::v0_1::{Outcome, TurnId, TurnOutcome};

/// Conversations that are kept; the one that was quiet longest goes first.
const MAX_CONVERSATIONS: usize = 10_000;
/// Messages that were heard and not addressed to the agent, of one conversation.
const MAX_CONTEXT: usize = 20;
/// Characters of what the channel says about an answer that was not delivered.
const MAX_DETAIL: usize = 200;

/// How much of one conversation is kept.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Bounds {
    /// Messages of both sides.
    pub messages: usize,
    /// Characters of all of them.
    pub chars: usize,
}

impl Default for Bounds {
    fn default() -> Self {
        Self {
            messages: 40,
            chars: 24_000,
        }
    }
}

/// One thing that was said.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Said {
    /// Heard, and not addressed to the agent.
    Aside(String),
    /// A person's message and what became of it.
    Exchange(Exchange),
}

/// A person's message and the answer.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Exchange {
    pub(crate) turn: TurnId,
    pub(crate) asked: String,
    pub(crate) answered: Option<String>,
    /// Why the person did not get to see the answer.
    pub(crate) lost: Option<String>,
}

#[derive(Debug, Default)]
struct Conversation {
    said: VecDeque<Said>,
    touched: u64,
}

/// The histories of all conversations of all channels.
#[derive(Debug)]
pub(crate) struct History {
    bounds: Bounds,
    conversations: BTreeMap<Key, Conversation>,
    clock: u64,
}

/// A conversation: the channel and the key that the channel gave it.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Key {
    pub(crate) channel: String,
    pub(crate) conversation: String,
}

impl History {
    pub(crate) fn new(bounds: Bounds) -> Self {
        Self {
            bounds,
            conversations: BTreeMap::new(),
            clock: 0,
        }
    }

    /// A person's message. Returns all that was said up to it, the message last.
    pub(crate) fn asked(&mut self, key: &Key, turn: TurnId, text: String) -> Vec<Said> {
        let bounds = self.bounds;
        let conversation = self.touch(key);
        let known = conversation
            .said
            .iter()
            .position(|said| is_turn(said, turn));
        match known {
            // Told again: what came after it has not been said yet, as far as the model goes.
            Some(at) => {
                if let Some(Said::Exchange(exchange)) = conversation.said.get_mut(at) {
                    // Whatever became of the earlier attempt, this one is being answered now.
                    exchange.answered = None;
                    exchange.lost = None;
                }
                conversation.said.iter().take(at + 1).cloned().collect()
            }
            None => {
                conversation.said.push_back(Said::Exchange(Exchange {
                    turn,
                    asked: text,
                    answered: None,
                    lost: None,
                }));
                conversation.trim(bounds);
                conversation.said.iter().cloned().collect()
            }
        }
    }

    /// A message in better words: what was attached to it is known by now.
    pub(crate) fn reworded(&mut self, key: &Key, turn: TurnId, text: String) {
        let bounds = self.bounds;
        if let Some(exchange) = self.exchange(key, turn) {
            exchange.asked = text;
        }
        self.touch(key).trim(bounds);
    }

    /// Something that was heard.
    pub(crate) fn overheard(&mut self, key: &Key, text: String) {
        let bounds = self.bounds;
        let conversation = self.touch(key);
        conversation.said.push_back(Said::Aside(text));
        let asides = conversation
            .said
            .iter()
            .filter(|s| matches!(s, Said::Aside(_)));
        if asides.count() > MAX_CONTEXT {
            let first = conversation
                .said
                .iter()
                .position(|s| matches!(s, Said::Aside(_)));
            first.map(|at| conversation.said.remove(at));
        }
        conversation.trim(bounds);
    }

    /// The answer to a message.
    pub(crate) fn answered(&mut self, key: &Key, turn: TurnId, text: String) {
        let bounds = self.bounds;
        if let Some(exchange) = self.exchange(key, turn) {
            exchange.answered = Some(text);
        }
        self.touch(key).trim(bounds);
    }

    /// What became of an answer, or of a message without one. The latest word counts: an answer that
    /// was held for review may be sent or refused later.
    pub(crate) fn outcome(&mut self, channel: &str, outcome: &TurnOutcome) {
        let lost = match outcome.outcome {
            Outcome::Sent | Outcome::Silent => None,
            Outcome::PartlySent => Some("delivered only in part"),
            Outcome::Held => Some("held for review by the platform"),
            Outcome::Unconfirmed => Some("perhaps not delivered"),
            Outcome::Refused => Some("refused by the platform"),
            Outcome::Expired => Some("too late to be delivered"),
            Outcome::Superseded => Some("interrupted by a newer message"),
            Outcome::Failed => Some("not delivered"),
        };
        let lost = lost.map(|lost| match short(&outcome.detail) {
            detail if detail.is_empty() => lost.to_owned(),
            detail => format!("{lost}: {detail}"),
        });
        if let Some(exchange) = self.find(channel, outcome.id) {
            exchange.lost = lost;
        }
    }

    /// The person will not see an answer to this message, for this reason.
    pub(crate) fn lose(&mut self, channel: &str, turn: TurnId, reason: &str) {
        if let Some(exchange) = self.find(channel, turn) {
            exchange.lost = Some(reason.to_owned());
        }
    }

    fn find(&mut self, channel: &str, turn: TurnId) -> Option<&mut Exchange> {
        let conversations = self.conversations.iter_mut();
        conversations
            .filter(|(key, _)| key.channel == channel)
            .find_map(|(_, conversation)| conversation.exchange(turn))
    }

    /// Forgets a conversation.
    pub(crate) fn forget(&mut self, key: &Key) {
        self.conversations.remove(key);
    }

    fn exchange(&mut self, key: &Key, turn: TurnId) -> Option<&mut Exchange> {
        self.conversations.get_mut(key)?.exchange(turn)
    }

    fn touch(&mut self, key: &Key) -> &mut Conversation {
        self.clock += 1;
        if self.conversations.len() >= MAX_CONVERSATIONS && !self.conversations.contains_key(key) {
            let quietest = self.conversations.iter().min_by_key(|(_, c)| c.touched);
            if let Some(quietest) = quietest.map(|(key, _)| key.clone()) {
                self.conversations.remove(&quietest);
            }
        }
        let conversation = self.conversations.entry(key.clone()).or_default();
        conversation.touched = self.clock;
        conversation
    }
}

impl Conversation {
    fn exchange(&mut self, turn: TurnId) -> Option<&mut Exchange> {
        // The newest first: that is the one that is asked for.
        self.said.iter_mut().rev().find_map(|said| match said {
            Said::Exchange(exchange) if exchange.turn == turn => Some(exchange),
            Said::Exchange(_) | Said::Aside(_) => None,
        })
    }

    /// Drops the oldest until the bounds hold. The newest always stays.
    fn trim(&mut self, bounds: Bounds) {
        loop {
            let messages: usize = self.said.iter().map(messages).sum();
            let chars: usize = self.said.iter().map(chars).sum();
            if self.said.len() <= 1 || (messages <= bounds.messages && chars <= bounds.chars) {
                return;
            }
            self.said.pop_front();
        }
    }
}

/// A sentence of the channel's on one line, cut, and without its full stop.
fn short(detail: &str) -> String {
    let words: Vec<&str> = detail.split_whitespace().collect();
    let line: String = words.join(" ").chars().take(MAX_DETAIL).collect();
    line.trim_end_matches(['.', ' ']).to_owned()
}

fn is_turn(said: &Said, turn: TurnId) -> bool {
    matches!(said, Said::Exchange(exchange) if exchange.turn == turn)
}

fn messages(said: &Said) -> usize {
    match said {
        Said::Aside(_) => 1,
        Said::Exchange(exchange) => 1 + usize::from(exchange.answered.is_some()),
    }
}

fn chars(said: &Said) -> usize {
    match said {
        Said::Aside(text) => text.chars().count(),
        Said::Exchange(exchange) => {
            let answered = exchange.answered.as_ref().map_or(0, |a| a.chars().count());
            exchange.asked.chars().count() + answered
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn key() -> Key {
        Key {
            channel: "bot".into(),
            conversation: "c".into(),
        }
    }

    fn history(messages: usize, chars: usize) -> History {
        History::new(Bounds { messages, chars })
    }

    fn asked(said: &[Said]) -> Vec<&str> {
        let texts = said.iter().map(|said| match said {
            Said::Aside(text) => text.as_str(),
            Said::Exchange(exchange) => exchange.asked.as_str(),
        });
        texts.collect()
    }

    fn became(id: TurnId, outcome: Outcome, detail: &str) -> TurnOutcome {
        TurnOutcome {
            id,
            outcome,
            parts_sent: 0,
            parts: 1,
            code: None,
            detail: detail.into(),
        }
    }

    fn lost(history: &mut History, turn: TurnId) -> Option<String> {
        history.find("bot", turn).unwrap().lost.clone()
    }

    #[test]
    fn the_latest_outcome_of_an_answer_counts() {
        let mut history = history(100, 1000);
        history.asked(&key(), 1, "one".into());
        history.outcome("bot", &became(1, Outcome::Held, "Held for\n audit."));
        let held = "held for review by the platform: Held for audit";
        assert_eq!(lost(&mut history, 1).as_deref(), Some(held));
        history.outcome("bot", &became(1, Outcome::Refused, "a link"));
        let refused = "refused by the platform: a link";
        assert_eq!(lost(&mut history, 1).as_deref(), Some(refused));
        history.outcome("bot", &became(1, Outcome::Sent, "delivered"));
        assert_eq!(lost(&mut history, 1), None);
        history.outcome("bot", &became(1, Outcome::PartlySent, &"x".repeat(1000)));
        assert_eq!(lost(&mut history, 1).unwrap().len(), 24 + MAX_DETAIL);
    }

    #[test]
    fn better_words_take_the_place_of_the_first_ones_and_change_nothing_else() {
        let mut history = history(100, 1000);
        history.asked(&key(), 1, "[image]".into());
        history.lose("bot", 1, "interrupted");
        history.reworded(&key(), 1, "[IMAGE:x.png]".into());
        assert_eq!(lost(&mut history, 1).as_deref(), Some("interrupted"));
        let said = history.asked(&key(), 2, "two".into());
        assert_eq!(asked(&said), ["[IMAGE:x.png]", "two"]);
    }

    #[test]
    fn a_turn_that_begins_again_is_remembered_once() {
        let mut history = history(100, 1000);
        history.asked(&key(), 1, "one".into());
        history.answered(&key(), 1, "answer".into());
        history.asked(&key(), 2, "two".into());
        let again = history.asked(&key(), 2, "two".into());
        assert_eq!(asked(&again), ["one", "two"]);
        let later = history.asked(&key(), 3, "three".into());
        assert_eq!(asked(&later), ["one", "two", "three"]);
    }

    #[test]
    fn the_oldest_goes_first_and_the_newest_stays() {
        let mut history = history(3, 1000);
        for turn in 0..5 {
            history.asked(&key(), turn, format!("q{turn}"));
            history.answered(&key(), turn, "a".into());
        }
        assert_eq!(
            asked(&history.asked(&key(), 9, "now".into())),
            ["q4", "now"]
        );
        let mut small = self::history(100, 5);
        small.asked(&key(), 1, "a long message".into());
        assert_eq!(
            asked(&small.asked(&key(), 2, "another".into())),
            ["another"]
        );
    }

    #[test]
    fn what_was_not_delivered_is_known() {
        let mut history = history(100, 1000);
        history.asked(&key(), 1, "one".into());
        history.outcome("bot", &became(1, Outcome::Superseded, ""));
        history.outcome("bot", &became(77, Outcome::Refused, ""));
        let said = history.asked(&key(), 2, "two".into());
        let Said::Exchange(first) = &said[0] else {
            panic!()
        };
        assert_eq!(
            first.lost.as_deref(),
            Some("interrupted by a newer message")
        );
    }

    #[test]
    fn a_reset_forgets_one_conversation() {
        let mut history = history(100, 1000);
        let other = Key {
            conversation: "other".into(),
            ..key()
        };
        history.asked(&key(), 1, "one".into());
        history.asked(&other, 2, "elsewhere".into());
        history.forget(&key());
        assert_eq!(asked(&history.asked(&key(), 3, "x".into())), ["x"]);
        assert_eq!(
            asked(&history.asked(&other, 4, "y".into())),
            ["elsewhere", "y"]
        );
    }

    #[test]
    fn asides_are_few() {
        let mut history = history(1000, 100_000);
        for n in 0..50 {
            history.overheard(&key(), format!("aside {n}"));
        }
        assert_eq!(history.asked(&key(), 1, "q".into()).len(), MAX_CONTEXT + 1);
    }
}
