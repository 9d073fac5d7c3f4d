//! What happened in chats, in one order over all of them: for whoever shows chats as they go on.

use std::sync::Arc;

use serde::Serialize;
use serde_json::Value;

use super::Ledger;
use crate::actions::UserAction;
use crate::ids::{AppId, MessageId, UserName};
use crate::time::Millis;

/// One thing that happened.
#[derive(Debug, Clone)]
pub enum Happening {
    /// A user's message, by its number.
    UserMessage(u64),
    /// A bot's message, by its number.
    BotMessage(u64),
    /// Something became of a message after it was sent; its mark says what.
    Mark(MessageId),
    /// A user did something else than writing.
    Act(Arc<Acted>),
    /// A stream has grown.
    Piece(Arc<Piece>),
}

/// An act of a user that was done.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Acted {
    /// When.
    pub at: Millis,
    /// Towards which bot.
    pub app: AppId,
    /// What.
    pub act: Arc<UserAction>,
}

/// A stream as its reader sees it after a piece.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Piece {
    /// When.
    pub at: Millis,
    /// The bot.
    pub app: AppId,
    /// The reader.
    pub user: Option<UserName>,
    /// The id of the stream; the message that it becomes has another.
    pub stream: String,
    /// All of its text so far.
    pub text: String,
    /// The buttons of its own (`action_button`), as they were sent.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub buttons: Option<Value>,
    /// Whether it is finished.
    pub done: bool,
}

impl Ledger {
    pub(crate) fn happen(&mut self, what: Happening) {
        self.journal.push_back(what);
        self.next_happening += 1;
        while self.journal.len() > self.bound.ledger.max(1) {
            self.journal.pop_front();
        }
    }

    /// The number that the next happening will have.
    #[must_use]
    pub fn happening_count(&self) -> u64 {
        self.next_happening
    }

    /// What happened from number `n` on, with its numbers. If the first is larger, some are forgotten.
    pub fn happenings_since(&self, n: u64) -> impl Iterator<Item = (u64, &Happening)> {
        let kept = u64::try_from(self.journal.len()).unwrap_or(u64::MAX);
        let first = self.next_happening.saturating_sub(kept);
        let skip = usize::try_from(n.saturating_sub(first)).unwrap_or(usize::MAX);
        let rest = self.journal.range(skip.min(self.journal.len())..);
        (first.max(n)..).zip(rest)
    }

    /// The user's message with this number.
    #[must_use]
    pub fn user_message_at(&self, n: u64) -> Option<&super::UserMessage> {
        self.user_messages_since(n)
            .next()
            .filter(|message| message.n == n)
    }
}
