//! The messages that exist, of users and of bots: for recall, reactions, presses, quotes and edits.

use std::collections::{BTreeMap, VecDeque};

use serde_json::Value;

use super::messages::Offers;
use super::place::Spot;
use crate::actions::Emoji;
use crate::ids::{MessageId, Openid};
use crate::time::Millis;

/// Messages kept per bot.
const KEPT: usize = 20_000;

/// Someone who reacted: id and name in the guild.
pub(crate) type Fan = (Openid, String);

/// A message.
#[derive(Debug, Clone)]
pub(crate) struct Post {
    pub(crate) spot: Spot,
    /// Whether the bot wrote it.
    pub(crate) by_bot: bool,
    /// The author's id there, and name.
    pub(crate) author: Fan,
    pub(crate) at: Millis,
    /// The keyboard below it.
    pub(crate) keyboard: Option<Value>,
    /// What it offers beside.
    pub(crate) offers: Offers,
    /// The id by which the bot knows it, if that is another: the one of a stream.
    pub(crate) told: Option<String>,
    /// Whether it is one of those that can be edited.
    pub(crate) editable: bool,
    /// The Message object, in guild scenes.
    pub(crate) message: Value,
    pub(crate) recalled: bool,
    pub(crate) reactions: BTreeMap<Emoji, Vec<Fan>>,
}

impl Post {
    /// Whether there is a button to press, below it or among its suggestions.
    pub(crate) fn has_keys(&self) -> bool {
        self.keyboard.is_some() || self.offers.prompt.is_some()
    }
}

/// All of one bot's, bounded.
#[derive(Debug, Default)]
pub(crate) struct Posts {
    posts: BTreeMap<MessageId, Post>,
    order: VecDeque<MessageId>,
}

impl Posts {
    pub(crate) fn add(&mut self, id: MessageId, post: Post) {
        self.order.push_back(id.clone());
        self.posts.insert(id, post);
        while self.order.len() > KEPT {
            if let Some(old) = self.order.pop_front() {
                self.posts.remove(&old);
            }
        }
    }

    /// A message that is still there.
    pub(crate) fn get(&self, id: &str) -> Option<&Post> {
        self.posts.get(id).filter(|post| !post.recalled)
    }

    /// A message, recalled or not.
    pub(crate) fn any_mut(&mut self, id: &str) -> Option<&mut Post> {
        self.posts.get_mut(id)
    }

    /// The newest message that is still there and fits.
    pub(crate) fn newest(&self, fits: impl Fn(&Post) -> bool) -> Option<MessageId> {
        let newest = self.order.iter().rev().find(|id| {
            let post = self.posts.get(*id);
            post.is_some_and(|post| !post.recalled && fits(post))
        });
        newest.cloned()
    }
}
