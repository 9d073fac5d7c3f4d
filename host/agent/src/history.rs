//! What was said in each conversation, bounded in messages, characters, conversations and days.
//!
//! It is held in memory and written behind ([`archive`]), so that no answer waits for a disk.
//! Idempotent by turn: a turn that begins again, after a restart or a crash, is in here once.
//!
//! The tail that does not fit is dropped, and no model is asked to summarise it: that would cost a
//! request for every few messages, would tell the server of things that the operator wanted to be
//! forgotten, and a summary has no senders, so that a person could not be removed from it.

use std::collections::{BTreeMap, VecDeque};
use std::sync::Arc;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use prx_host::bindings::v0_1::{Outcome, TurnId, TurnMessage, TurnOutcome};

use self::archive::{Archive, Row};
use self::places::Places;

pub(crate) mod archive;
mod places;

/// Conversations that are kept; the one that was quiet longest goes first.
const MAX_CONVERSATIONS: usize = 10_000;
/// Messages that were heard and not addressed to the agent, of one conversation.
const MAX_CONTEXT: usize = 20;
/// Characters of what the channel says about an answer that was not delivered.
const MAX_DETAIL: usize = 200;
/// Between two looks for what has been kept long enough.
const SWEEP_EVERY: Duration = Duration::from_secs(3600);

/// How much of one conversation is kept, and for how long.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Bounds {
    /// Messages of both sides.
    pub messages: usize,
    /// Characters of all of them: an estimate of tokens that no model's own way of counting is
    /// needed for. A token is one Chinese character or about four English letters.
    pub chars: usize,
    /// From the moment at which something was said.
    pub retention: Duration,
}

impl Default for Bounds {
    fn default() -> Self {
        Self {
            messages: 40,
            chars: 24_000,
            retention: Duration::from_secs(30 * 86_400),
        }
    }
}

/// One thing that was said. Cheap to clone: each turn is given all of its conversation.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Said {
    /// Heard, and not addressed to the agent.
    Aside(Arc<str>),
    /// A person's message and what became of it.
    Exchange(Arc<Exchange>),
}

/// A person's message and the answer.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Exchange {
    pub(crate) turn: TurnId,
    /// The platform's id of the message. A channel whose store was lost allots the same turns again.
    pub(crate) message: String,
    pub(crate) asked: String,
    pub(crate) answered: Option<String>,
    /// Why the person did not get to see the answer.
    pub(crate) lost: Option<String>,
}

/// A conversation: the channel and the key that the channel gave it.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Key {
    pub(crate) channel: String,
    pub(crate) conversation: String,
}

/// Where and when something was said.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Source<'a> {
    pub(crate) message: &'a str,
    pub(crate) sender: &'a str,
    pub(crate) at_ms: u64,
}

/// Something that was said, and its number, which grows.
#[derive(Debug)]
struct Line {
    number: u64,
    sender: String,
    at_ms: u64,
    said: Said,
    /// Characters of it.
    chars: usize,
}

#[derive(Debug, Default)]
struct Conversation {
    lines: VecDeque<Line>,
    touched: u64,
}

/// The histories of all conversations of all channels.
#[derive(Debug)]
pub(crate) struct History {
    bounds: Bounds,
    conversations: BTreeMap<Key, Conversation>,
    /// Where a turn is found: what becomes of it is told by its id alone.
    places: Places,
    /// The last number that was given out.
    clock: u64,
    swept_ms: u64,
    archive: Archive,
}

impl<'a> Source<'a> {
    /// A message that has just come.
    pub(crate) fn of(message: &'a TurnMessage) -> Self {
        Self {
            message: &message.platform_id,
            sender: &message.sender.id,
            at_ms: now_ms(),
        }
    }
}

impl History {
    /// A history that is forgotten with the process.
    #[cfg(test)]
    pub(crate) fn new(bounds: Bounds) -> Self {
        Self::with(bounds, Archive::none(), Vec::new())
    }

    /// One that is written behind, with what was remembered.
    pub(crate) fn with(bounds: Bounds, archive: Archive, remembered: Vec<Row>) -> Self {
        let mut history = Self {
            bounds,
            conversations: BTreeMap::new(),
            places: Places::default(),
            clock: 0,
            swept_ms: 0,
            archive,
        };
        for row in remembered {
            history.clock = history.clock.max(row.number);
            history.places.add(&row.key, &row.said);
            let conversation = history.touch(&row.key);
            conversation.lines.push_back(Line {
                number: row.number,
                sender: row.sender,
                at_ms: row.at_ms,
                chars: chars(&row.said),
                said: row.said,
            });
        }
        // The operator may have made the bounds narrower.
        let keys: Vec<Key> = history.conversations.keys().cloned().collect();
        keys.iter().for_each(|key| history.trim(key));
        history
    }

    /// Where it is written.
    pub(crate) fn archive(&self) -> Archive {
        self.archive.clone()
    }

    /// A person's message. Returns all that was said up to it, the message last.
    pub(crate) fn asked(
        &mut self,
        key: &Key,
        turn: TurnId,
        source: Source<'_>,
        text: String,
    ) -> Vec<Said> {
        self.sweep(source.at_ms);
        let known = self.change(key, turn, |exchange| {
            let same = exchange.message == source.message;
            if same {
                // Whatever became of the earlier attempt, this one is being answered now.
                exchange.answered = None;
                exchange.lost = None;
            } else {
                // No turn has this id: what becomes of the new one is not about the old one.
                exchange.turn = 0;
            }
            same
        });
        let conversation = self.touch(key);
        if known == Some(true) {
            // Told again: what came after it has not been said yet, as far as the model goes.
            let lines = conversation.lines.iter().map(|line| &line.said);
            let at = lines.clone().position(|said| is_turn(said, turn));
            return lines.take(at.map_or(0, |at| at + 1)).cloned().collect();
        }
        let exchange = Exchange {
            turn,
            message: source.message.to_owned(),
            asked: text,
            answered: None,
            lost: None,
        };
        self.add(key, source, Said::Exchange(Arc::new(exchange)));
        self.trim(key);
        let lines = self.conversations.get(key).into_iter();
        lines
            .flat_map(|c| c.lines.iter().map(|line| line.said.clone()))
            .collect()
    }

    /// A message in better words: what was attached to it is known by now.
    pub(crate) fn reworded(&mut self, key: &Key, turn: TurnId, text: String) {
        self.change(key, turn, |exchange| exchange.asked = text);
        self.trim(key);
    }

    /// Something that was heard.
    pub(crate) fn overheard(&mut self, key: &Key, source: Source<'_>, text: String) {
        self.add(key, source, Said::Aside(text.into()));
        if let Some(conversation) = self.conversations.get_mut(key) {
            let aside = |line: &Line| matches!(line.said, Said::Aside(_));
            let lines = &mut conversation.lines;
            if lines.iter().filter(|line| aside(line)).count() > MAX_CONTEXT {
                let first = lines.iter().position(aside);
                let gone = first.and_then(|at| lines.remove(at));
                self.archive.delete(gone.iter().map(|line| line.number));
            }
        }
        self.trim(key);
    }

    /// The answer to a message.
    pub(crate) fn answered(&mut self, key: &Key, turn: TurnId, text: String) {
        self.change(key, turn, |exchange| exchange.answered = Some(text));
        self.trim(key);
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
        self.set_lost(channel, outcome.id, lost);
    }

    /// The person will not see an answer to this message, for this reason.
    pub(crate) fn lose(&mut self, channel: &str, turn: TurnId, reason: &str) {
        self.set_lost(channel, turn, Some(reason.to_owned()));
    }

    fn set_lost(&mut self, channel: &str, turn: TurnId, lost: Option<String>) {
        if let Some(key) = self.places.of(channel, turn) {
            self.change(&key, turn, |exchange| exchange.lost = lost);
        }
    }

    /// Forgets a conversation.
    pub(crate) fn forget(&mut self, key: &Key) {
        if let Some(gone) = self.conversations.remove(key) {
            for line in &gone.lines {
                self.places.remove(key, &line.said);
            }
            self.archive
                .delete(gone.lines.iter().map(|line| line.number));
        }
    }

    /// Forgets what a person said and what was answered; returns how many messages there were. What
    /// others said about them is the others'.
    pub(crate) fn forget_sender(&mut self, channel: &str, sender: &str) -> usize {
        self.retain(|key, line| key.channel != channel || line.sender != sender)
    }

    fn sweep(&mut self, now_ms: u64) {
        let past = |time: Duration| {
            let ms = u64::try_from(time.as_millis()).unwrap_or(u64::MAX);
            now_ms.saturating_sub(ms)
        };
        if self.swept_ms > past(SWEEP_EVERY) {
            return;
        }
        self.swept_ms = now_ms;
        let oldest = past(self.bounds.retention);
        self.retain(|_, line| line.at_ms >= oldest);
    }

    /// Drops all lines but these; returns how many are gone.
    fn retain(&mut self, keep: impl Fn(&Key, &Line) -> bool) -> usize {
        let mut gone = Vec::new();
        self.conversations.retain(|key, conversation| {
            conversation.lines.retain(|line| {
                let kept = keep(key, line);
                if !kept {
                    self.places.remove(key, &line.said);
                    gone.push(line.number);
                }
                kept
            });
            !conversation.lines.is_empty()
        });
        let count = gone.len();
        self.archive.delete(gone);
        count
    }

    fn add(&mut self, key: &Key, source: Source<'_>, said: Said) {
        let number = self.clock + 1;
        self.places.add(key, &said);
        let conversation = self.touch(key);
        conversation.lines.push_back(Line {
            number,
            sender: source.sender.to_owned(),
            at_ms: source.at_ms,
            chars: chars(&said),
            said,
        });
        if let Some(line) = conversation.lines.back() {
            let row = line.row(key);
            self.archive.put(row);
        }
    }

    /// Changes an exchange, if it is there; returns what `change` did.
    fn change<T>(
        &mut self,
        key: &Key,
        turn: TurnId,
        change: impl FnOnce(&mut Exchange) -> T,
    ) -> Option<T> {
        let lines = &mut self.conversations.get_mut(key)?.lines;
        // The newest first: that is the one that is asked for.
        let mut lines = lines.iter_mut().rev();
        let line = lines.find(|line| is_turn(&line.said, turn))?;
        let Said::Exchange(exchange) = &mut line.said else {
            return None;
        };
        let done = change(Arc::make_mut(exchange));
        line.chars = chars(&line.said);
        self.archive.put(line.row(key));
        Some(done)
    }

    fn touch(&mut self, key: &Key) -> &mut Conversation {
        self.clock += 1;
        if self.conversations.len() >= MAX_CONVERSATIONS && !self.conversations.contains_key(key) {
            let quietest = self.conversations.iter().min_by_key(|(_, c)| c.touched);
            if let Some(quietest) = quietest.map(|(key, _)| key.clone()) {
                self.forget(&quietest);
            }
        }
        let conversation = self.conversations.entry(key.clone()).or_default();
        conversation.touched = self.clock;
        conversation
    }

    /// Drops the oldest until the bounds hold. The newest always stays.
    fn trim(&mut self, key: &Key) {
        let Some(conversation) = self.conversations.get_mut(key) else {
            return;
        };
        let lines = &mut conversation.lines;
        let mut messages: usize = lines.iter().map(|line| messages(&line.said)).sum();
        let mut letters: usize = lines.iter().map(|line| line.chars).sum();
        while lines.len() > 1 && (messages > self.bounds.messages || letters > self.bounds.chars) {
            let Some(gone) = lines.pop_front() else {
                return;
            };
            messages -= self::messages(&gone.said);
            letters -= gone.chars;
            self.places.remove(key, &gone.said);
            self.archive.delete([gone.number]);
        }
    }
}

impl Exchange {
    /// What was answered, and why it was not seen.
    pub(crate) fn answer(&self) -> Option<String> {
        let lost = self.lost.as_ref();
        let lost = lost.map(|why| format!("(this answer was {why})"));
        match (&self.answered, lost) {
            (Some(answer), Some(lost)) => Some(format!("{answer}\n{lost}")),
            (Some(answer), None) => Some(answer.clone()),
            (None, lost) => lost,
        }
    }
}

impl Line {
    fn row(&self, key: &Key) -> Row {
        Row {
            number: self.number,
            key: key.clone(),
            sender: self.sender.clone(),
            at_ms: self.at_ms,
            said: self.said.clone(),
        }
    }
}

/// The wall clock: what is remembered outlives the process.
pub(crate) fn now_ms() -> u64 {
    let now = SystemTime::now().duration_since(UNIX_EPOCH);
    now.map_or(0, |now| u64::try_from(now.as_millis()).unwrap_or(u64::MAX))
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
mod tests;
