//! What was said lately, in and out: to find the message that is quoted or reacted to, to know a reply to the bot when
//! one comes, and to find the bot's last message for taking it back.
//!
//! It lives in stored entries, a block of a few records each, and forgets after a day.

use std::collections::VecDeque;

use serde::{Deserialize, Serialize};

use crate::blank::words;
use crate::env::Env;
use crate::events::fields::cut;
use crate::ids::MessageId;
use crate::scene::Scene;
use crate::state::name::{Name, NameMap};
use crate::state::ring::{self, Ring, Stored};
use crate::state::{Entries, REMEMBER_MS};

use super::{Attached, Inbound};

/// Messages remembered.
pub const CAPACITY: usize = 1_024;
/// Records in one stored block: each message rewrites one, so few.
const BLOCK: usize = 16;
/// Characters of a message's text that are kept.
const TEXT_CHARS: usize = 200;
/// Where the blocks are stored.
pub(crate) const PREFIX: &str = "recent/";

/// One message, as far as it is remembered.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Said {
    /// Who; empty when unknown.
    pub author: String,
    /// The beginning of its text. Empty when there is none, and once the message was taken back.
    pub text: String,
    /// What the platform calls it, and when it was sent, for a message of the bot's.
    pub own: Option<Own>,
}

/// A message of the bot's.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Own {
    /// The platform's id: what it is taken back under.
    pub id: MessageId,
    /// When the platform accepted it, wall-clock milliseconds of the platform.
    pub sent_ms: u64,
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
struct Record {
    place: Name,
    /// Its message id and its index.
    names: Vec<Name>,
    said: Said,
    wall_ms: u64,
}

/// A stored block without what people wrote, for a trace. One that cannot be read has nothing in it.
pub(crate) fn blanked(block: &[u8]) -> Vec<u8> {
    ring::changed(block, |record: &mut Record| {
        record.said.author = words::blank(&record.said.author);
        record.said.text = words::blank(&record.said.text);
    })
}

/// The index of recent messages.
#[derive(Clone, Debug)]
pub struct Recent {
    ring: Ring<Record>,
    /// Each with the number of the block that it is stored in; oldest first.
    records: VecDeque<(u64, Record)>,
    /// Where the first of them stands in the order of all: position = place in order - this.
    first: u64,
    /// Places in order, by name.
    by_name: NameMap<u64>,
    /// What earlier instances remembered, until somebody asks or the next message comes: a start is to be short.
    unread: Stored<Record>,
}

impl Recent {
    /// What earlier processes remembered.
    #[must_use]
    pub fn restore(entries: &mut Entries) -> Self {
        let unread = Stored::take(entries, PREFIX, BLOCK);
        Self {
            ring: Ring::restore(PREFIX, CAPACITY, &unread),
            records: VecDeque::new(),
            first: unread.len() as u64,
            by_name: NameMap::default(),
            unread,
        }
    }

    fn read(&mut self) {
        while let Some((block, records)) = self.unread.read_newest() {
            for record in records.into_iter().rev() {
                self.first = self.first.saturating_sub(1);
                for name in &record.names {
                    // It may meanwhile be the name of a newer message.
                    self.by_name.entry(*name).or_insert(self.first);
                }
                self.records.push_front((block, record));
            }
        }
    }

    /// Remembers a message that came in.
    pub fn heard(&mut self, env: &mut Env, inbound: &Inbound) {
        let text = Some(inbound.text.clone()).filter(|text| !text.is_empty());
        let attached = inbound.attached.iter().map(Attached::in_words);
        let parts: Vec<String> = text.into_iter().chain(attached).collect();
        let said = Said {
            author: inbound.sender_name.clone(),
            text: parts.join(" "),
            own: None,
        };
        let names = [inbound.id.as_str(), inbound.index.as_str()];
        self.note(env, inbound.scene, inbound.target.as_str(), &names, said);
    }

    /// Remembers a message under its id and its index, those of them that are not empty. It is stored with this
    /// call's commit.
    pub fn note(&mut self, env: &mut Env, scene: Scene, target: &str, names: &[&str], said: Said) {
        let names: Vec<Name> = names
            .iter()
            .filter(|name| !name.is_empty())
            .map(|name| name_of(scene, target, name))
            .collect();
        if names.is_empty() {
            return;
        }
        let record = Record {
            place: name_of(scene, target, ""),
            names,
            said: Said {
                author: cut(&said.author, TEXT_CHARS),
                text: cut(&said.text, TEXT_CHARS),
                own: said.own,
            },
            wall_ms: env.now.wall_ms,
        };
        self.read();
        let block = self.ring.push(env, record.clone());
        self.remember(block, record);
        self.let_go(env);
    }

    /// The message with this id or index, when it is not older than a day at this moment, wall-clock milliseconds.
    #[must_use]
    pub fn find(&mut self, wall_ms: u64, scene: Scene, target: &str, index: &str) -> Option<&Said> {
        if index.is_empty() {
            return None;
        }
        self.read();
        let at = self.position(name_of(scene, target, index))?;
        let (_, record) = self.records.get(at)?;
        (!is_old(record, wall_ms)).then_some(&record.said)
    }

    /// The last message of the bot's that was not taken back, as long as no message has come since it was a day old.
    #[must_use]
    pub fn latest_own(&mut self, scene: Scene, target: &str) -> Option<&Said> {
        self.read();
        let place = name_of(scene, target, "");
        let own = |record: &&(u64, Record)| record.1.place == place && record.1.said.own.is_some();
        self.records
            .iter()
            .rev()
            .find(own)
            .map(|(_, record)| &record.said)
    }

    /// Forgets all texts of a place, in the store as well. Returns how many there were.
    pub fn forget_place(&mut self, env: &mut Env, scene: Scene, target: &str) -> usize {
        self.read();
        let place = name_of(scene, target, "");
        let mut blocks = Vec::new();
        let mut texts = 0;
        for (block, record) in &mut self.records {
            if record.place == place {
                texts += 1;
                record.said.text.clear();
                record.said.author.clear();
                record.place = Name::default();
                if !blocks.contains(block) {
                    blocks.push(*block);
                }
            }
        }
        for block in blocks {
            self.rewrite(env, block);
        }
        texts
    }

    /// A message was taken back: its text is forgotten, in the store as well, and it is no longer the last one.
    /// Whose it was stays known, so that a reply to it still is a reply to the bot.
    pub fn forget(&mut self, env: &mut Env, scene: Scene, target: &str, id: &str) {
        self.read();
        let Some(at) = self.position(name_of(scene, target, id)) else {
            return;
        };
        let Some((block, record)) = self.records.get_mut(at) else {
            return;
        };
        record.said.text.clear();
        record.place = Name::default();
        let block = *block;
        self.rewrite(env, block);
    }

    /// How many messages are remembered.
    #[must_use]
    pub fn len(&self) -> usize {
        self.records.len() + self.unread.len()
    }

    /// True when none is.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    fn position(&self, name: Name) -> Option<usize> {
        let place = self.by_name.get(&name)?.checked_sub(self.first)?;
        usize::try_from(place).ok()
    }

    fn remember(&mut self, block: u64, record: Record) {
        let place = self.first + self.records.len() as u64;
        for name in &record.names {
            self.by_name.insert(*name, place);
        }
        self.records.push_back((block, record));
    }

    /// Lets go of what is too much or too old, in the store as well: what is forgotten here should not stay
    /// readable there. What is too much goes with all of its block: a busy bot would write the oldest one anew with
    /// every message.
    fn let_go(&mut self, env: &mut Env) {
        if self.records.len() > CAPACITY {
            let oldest = self.records.front().map(|(block, _)| *block);
            while self.records.front().map(|(block, _)| *block) == oldest {
                self.forget_first(env);
            }
        }
        let mut touched = None;
        while let Some((block, record)) = self.records.front() {
            if !is_old(record, env.now.wall_ms) {
                break;
            }
            touched = Some(*block);
            if self.forget_first(env) {
                touched = None;
            }
        }
        if let Some(block) = touched {
            self.rewrite(env, block);
        }
    }

    /// Forgets the oldest record; true when it was the last one of its block, which is deleted then.
    fn forget_first(&mut self, env: &mut Env) -> bool {
        let Some((block, record)) = self.records.pop_front() else {
            return false;
        };
        for name in &record.names {
            // The name may meanwhile be that of a newer message.
            if self.by_name.get(name) == Some(&self.first) {
                self.by_name.remove(name);
            }
        }
        self.first += 1;
        let last = self.records.front().is_none_or(|(next, _)| *next != block);
        if last {
            self.ring.drop_block(env, block);
        }
        last
    }

    fn rewrite(&mut self, env: &mut Env, block: u64) {
        let records = self.records.iter();
        let whole = records
            .filter(|(number, _)| *number == block)
            .map(|(_, record)| record.clone())
            .collect();
        self.ring.rewrite(env, block, whole);
    }
}

fn is_old(record: &Record, wall_ms: u64) -> bool {
    wall_ms.saturating_sub(record.wall_ms) >= REMEMBER_MS
}

fn name_of(scene: Scene, target: &str, name: &str) -> Name {
    Name::of(&[scene.word(), ":", target, ":", name])
}

#[cfg(test)]
mod tests;
