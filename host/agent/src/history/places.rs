//! Which conversation a turn is in.

use std::collections::BTreeMap;

use prx_host::bindings::v0_1::TurnId;

use super::{Key, Said};

/// Conversations by channel and turn.
#[derive(Debug, Default)]
pub(super) struct Places(BTreeMap<String, BTreeMap<TurnId, String>>);

impl Places {
    /// A line stands in this conversation now. Where a turn is in two, the later one counts: the channel has lost its
    /// store, and allots ids anew.
    pub(super) fn add(&mut self, key: &Key, said: &Said) {
        if let Said::Exchange(exchange) = said {
            let here = match self.0.get_mut(&key.channel) {
                Some(here) => here,
                None => self.0.entry(key.channel.clone()).or_default(),
            };
            here.insert(exchange.turn, key.conversation.clone());
        }
    }

    /// A line is gone from this conversation.
    pub(super) fn remove(&mut self, key: &Key, said: &Said) {
        if let Said::Exchange(exchange) = said
            && let Some(here) = self.0.get_mut(&key.channel)
            && here.get(&exchange.turn) == Some(&key.conversation)
        {
            here.remove(&exchange.turn);
        }
    }

    /// Where a turn is.
    pub(super) fn of(&self, channel: &str, turn: TurnId) -> Option<Key> {
        let conversation = self.0.get(channel)?.get(&turn)?.clone();
        let channel = channel.to_owned();
        Some(Key {
            channel,
            conversation,
        })
    }
}
