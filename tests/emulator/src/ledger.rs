//! Who said what to whom: the questions of tests, checkers and load generators.
//!
//! The ledger holds messages, not frames: each message of a user with how it was given to the
//! bot, each accepted message of the bot with what it answers, and what broke the rules.

mod violations;

use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::fmt;
use std::sync::Arc;

use serde::Serialize;

use crate::ids::{AppId, EventId, GroupName, MessageId, Openid, SessionId, UserName};
use crate::settings::RecordSettings;
use crate::time::Millis;

pub use violations::{Violation, ViolationEntry};

/// Where a message was said.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Scene {
    /// The 1:1 chat in the message list.
    C2c,
    /// A QQ group.
    Group,
}

/// A message of a user.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct UserMessage {
    /// Numbered from 0 without gaps, over all bots.
    pub n: u64,
    /// Its id.
    pub id: MessageId,
    /// The bot it was said to.
    pub app: AppId,
    /// Where.
    pub scene: Scene,
    /// Who.
    pub user: UserName,
    /// In which group.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub group: Option<GroupName>,
    /// What the bot addresses to answer.
    pub target: Openid,
    /// What, as the user typed it.
    pub text: String,
    /// Whether it was directed at the bot.
    pub addressed: bool,
    /// When.
    pub at: Millis,
    /// A second id under which it was pushed, too.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub second_id: Option<MessageId>,
    /// Every time that it was put into a session.
    pub deliveries: Vec<Delivery>,
    /// Numbers of the bot's messages that answer it.
    pub replies: Vec<u64>,
}

/// An event put into the log of a session, and sent there as soon as a connection allows.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Delivery {
    /// The session.
    pub session: SessionId,
    /// Its sequence number there.
    pub s: u64,
    /// The outer id of the event.
    pub event: EventId,
}

/// A message of the bot that the platform accepted.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct BotMessage {
    /// Numbered from 0 without gaps, over all bots.
    pub n: u64,
    /// Its id.
    pub id: MessageId,
    /// The bot.
    pub app: AppId,
    /// Where.
    pub scene: Scene,
    /// The openid it was sent to.
    pub target: Openid,
    /// The name of the user in C2C.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub user: Option<UserName>,
    /// The name of the group in groups.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub group: Option<GroupName>,
    /// What it answers; none if proactive.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub reply_to: Option<ReplyTo>,
    /// `msg_seq`, 1 if it was missing.
    pub msg_seq: u32,
    /// What kind of message.
    pub form: BotForm,
    /// What a user reads: the text or the Markdown source.
    pub text: String,
    /// The request body as it came.
    pub body: Arc<str>,
    /// When.
    pub at: Millis,
    /// Which of the slots of what it answers it took, from 1.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub slot: Option<u32>,
}

/// What a passive message answers.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum ReplyTo {
    /// A message of a user.
    MsgId(MessageId),
    /// An event, by its outer id.
    EventId(EventId),
}

impl fmt::Display for ReplyTo {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::MsgId(id) => id.fmt(f),
            Self::EventId(id) => id.fmt(f),
        }
    }
}

/// The kinds of messages that a bot sends.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum BotForm {
    /// `msg_type` 0.
    Text,
    /// `msg_type` 2.
    Markdown,
    /// `msg_type` 6: "is typing", seen but not read.
    Typing,
}

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
    violations: VecDeque<ViolationEntry>,
    violation_count: u64,
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
            violations: VecDeque::new(),
            violation_count: 0,
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

    /// The texts that answer a user's message, oldest first, without typing notices.
    #[must_use]
    pub fn reply_texts(&self, id: &MessageId) -> Vec<&str> {
        let readable = self
            .replies_to(id)
            .filter(|message| message.form != BotForm::Typing);
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
        self.users.push_back(message);
        self.next_user += 1;
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
            if message.form != BotForm::Typing {
                self.open.remove(&asked.n);
            }
        }
        self.bots.push_back(Arc::new(message));
        self.next_bot += 1;
        while self.bots.len() > self.bound.ledger {
            self.bots.pop_front();
        }
    }

    pub(crate) fn add_violation(&mut self, at: Millis, app: Option<AppId>, what: Violation) {
        self.violation_count += 1;
        self.violations.push_back(ViolationEntry { at, app, what });
        while self.violations.len() > self.bound.violations {
            self.violations.pop_front();
        }
    }

    fn bot_message(&self, n: u64) -> Option<&Arc<BotMessage>> {
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
