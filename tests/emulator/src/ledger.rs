//! Who said what to whom: the questions of tests, checkers and load generators.
//!
//! The ledger holds messages, not frames: each message of a user with how it was given to the
//! bot, each accepted message of the bot with what it answers, and what broke the rules.

mod journal;
mod messages;
mod violations;

use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::sync::Arc;

use crate::ids::{AppId, MessageId};
use crate::settings::RecordSettings;
use crate::time::Millis;

pub use journal::{Acted, Happening, Piece};
pub use messages::{BotForm, BotMessage, Delivery, Mark, MediaView, ReplyTo, Scene, UserMessage};
pub use violations::{Violation, ViolationEntry};

/// All of it, bounded.
#[derive(Debug, Clone)]
pub struct Ledger {
    bound: RecordSettings,
    users: VecDeque<UserMessage>,
    user_ids: BTreeMap<MessageId, u64>,
    next_user: u64,
    /// Numbers of users' messages that were directed at a bot and have no readable answer.
    open: BTreeSet<u64>,
    bots: VecDeque<Arc<BotMessage>>,
    next_bot: u64,
    marks: BTreeMap<MessageId, Mark>,
    mark_order: VecDeque<MessageId>,
    violations: VecDeque<ViolationEntry>,
    violation_count: u64,
    journal: VecDeque<Happening>,
    next_happening: u64,
}

impl Ledger {
    pub(crate) fn new(bound: RecordSettings) -> Self {
        Self {
            bound,
            users: VecDeque::new(),
            user_ids: BTreeMap::new(),
            next_user: 0,
            open: BTreeSet::new(),
            bots: VecDeque::new(),
            next_bot: 0,
            marks: BTreeMap::new(),
            mark_order: VecDeque::new(),
            violations: VecDeque::new(),
            violation_count: 0,
            journal: VecDeque::new(),
            next_happening: 0,
        }
    }

    /// The users' messages that are still kept, oldest first.
    pub fn user_messages(&self) -> impl DoubleEndedIterator<Item = &UserMessage> {
        self.users.iter()
    }

    /// The users' messages from number `n` on.
    pub fn user_messages_since(&self, n: u64) -> impl Iterator<Item = &UserMessage> {
        let first = self
            .users
            .front()
            .map_or(self.next_user, |message| message.n);
        let skip = usize::try_from(n.saturating_sub(first)).unwrap_or(usize::MAX);
        self.users.range(skip.min(self.users.len())..)
    }

    /// The user's message with this id (either one, if it was pushed with two).
    #[must_use]
    pub fn user_message(&self, id: &MessageId) -> Option<&UserMessage> {
        self.users.get(self.user_at(id)?)
    }

    /// The bots' messages that are still kept, oldest first.
    pub fn bot_messages(&self) -> impl DoubleEndedIterator<Item = &Arc<BotMessage>> {
        self.bots.iter()
    }

    /// The bots' messages from number `n` on.
    pub fn bot_messages_since(&self, n: u64) -> impl Iterator<Item = &Arc<BotMessage>> {
        let first = self.bots.front().map_or(self.next_bot, |message| message.n);
        let skip = usize::try_from(n.saturating_sub(first)).unwrap_or(usize::MAX);
        self.bots.range(skip.min(self.bots.len())..)
    }

    /// How many messages users have sent, kept or not.
    #[must_use]
    pub fn user_message_count(&self) -> u64 {
        self.next_user
    }

    /// How many messages of bots were accepted, kept or not.
    #[must_use]
    pub fn bot_message_count(&self) -> u64 {
        self.next_bot
    }

    /// The bot's messages that answer a user's message, oldest first, typing notices included.
    pub fn replies_to(&self, id: &MessageId) -> impl Iterator<Item = &Arc<BotMessage>> {
        let numbers = self
            .user_message(id)
            .map(|message| message.replies.as_slice());
        numbers
            .unwrap_or_default()
            .iter()
            .filter_map(|&n| self.bot_message(n))
    }

    /// The texts that answer a user's message, oldest first, without typing notices and without
    /// what was accepted and never shown.
    #[must_use]
    pub fn reply_texts(&self, id: &MessageId) -> Vec<&str> {
        let readable = self
            .replies_to(id)
            .filter(|message| message.form != BotForm::Typing && !message.hidden);
        readable.map(|message| message.text.as_str()).collect()
    }

    /// The users' messages that were directed at a bot and have no readable answer yet.
    pub fn unanswered(&self) -> impl Iterator<Item = &UserMessage> {
        let found = |n: &u64| self.user_messages_since(*n).next();
        self.open.iter().filter_map(found)
    }

    /// How many messages have no readable answer yet, without looking at each.
    #[must_use]
    pub fn unanswered_count(&self) -> usize {
        self.open.len()
    }

    /// What became of a message after it was sent, if anything did.
    #[must_use]
    pub fn mark(&self, id: &MessageId) -> Option<&Mark> {
        self.marks.get(id)
    }

    /// Every message to which something happened after it was sent.
    pub fn marks(&self) -> impl Iterator<Item = (&MessageId, &Mark)> {
        self.marks.iter()
    }

    /// What broke the rules and is still kept, oldest first.
    pub fn violations(&self) -> impl DoubleEndedIterator<Item = &ViolationEntry> {
        self.violations.iter()
    }

    /// How many violations there were, kept or not.
    #[must_use]
    pub fn violation_count(&self) -> u64 {
        self.violation_count
    }

    pub(crate) fn add_user_message(&mut self, mut message: UserMessage) {
        message.n = self.next_user;
        self.user_ids.insert(message.id.clone(), message.n);
        if message.addressed {
            self.open.insert(message.n);
        }
        let n = message.n;
        self.users.push_back(message);
        self.next_user += 1;
        self.happen(Happening::UserMessage(n));
        while self.users.len() > self.bound.ledger {
            if let Some(old) = self.users.pop_front() {
                self.open.remove(&old.n);
                self.user_ids.remove(&old.id);
                if let Some(second) = &old.second_id {
                    self.user_ids.remove(second);
                }
            }
        }
    }

    pub(crate) fn add_second_id(&mut self, id: &MessageId, second: &MessageId) {
        let Some(at) = self.user_at(id) else { return };
        if let Some(message) = self.users.get_mut(at) {
            message.second_id = Some(second.clone());
            self.user_ids.insert(second.clone(), message.n);
        }
    }

    pub(crate) fn add_delivery(&mut self, id: &MessageId, delivery: Delivery) {
        let Some(at) = self.user_at(id) else { return };
        if let Some(message) = self.users.get_mut(at) {
            message.deliveries.push(delivery);
        }
    }

    pub(crate) fn add_bot_message(&mut self, mut message: BotMessage) {
        message.n = self.next_bot;
        if let Some(ReplyTo::MsgId(id)) = &message.reply_to
            && let Some(at) = self.user_at(id)
            && let Some(asked) = self.users.get_mut(at)
        {
            asked.replies.push(message.n);
            if message.form != BotForm::Typing && !message.hidden {
                self.open.remove(&asked.n);
            }
        }
        let n = message.n;
        self.bots.push_back(Arc::new(message));
        self.next_bot += 1;
        self.happen(Happening::BotMessage(n));
        while self.bots.len() > self.bound.ledger {
            self.bots.pop_front();
        }
    }

    /// The mark of a message, to note something on it.
    pub(crate) fn mark_mut(&mut self, id: &MessageId) -> &mut Mark {
        if !self.marks.contains_key(id) {
            self.mark_order.push_back(id.clone());
            while self.mark_order.len() > self.bound.ledger.max(1) {
                if let Some(old) = self.mark_order.pop_front() {
                    self.marks.remove(&old);
                }
            }
        }
        self.happen(Happening::Mark(id.clone()));
        self.marks.entry(id.clone()).or_default()
    }

    pub(crate) fn add_violation(&mut self, at: Millis, app: Option<AppId>, what: Violation) {
        self.violation_count += 1;
        self.violations.push_back(ViolationEntry { at, app, what });
        while self.violations.len() > self.bound.violations {
            self.violations.pop_front();
        }
    }

    /// The bot's message with this number.
    #[must_use]
    pub fn bot_message(&self, n: u64) -> Option<&Arc<BotMessage>> {
        self.bot_messages_since(n)
            .next()
            .filter(|message| message.n == n)
    }

    fn user_at(&self, id: &MessageId) -> Option<usize> {
        let n = self.user_ids.get(id)?;
        let first = self.users.front()?.n;
        usize::try_from(n.checked_sub(first)?).ok()
    }
}
