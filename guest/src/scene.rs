//! The four kinds of place in which people talk to the bot, and what differs between them.

use std::fmt::Display;

use percent_encoding::{NON_ALPHANUMERIC, utf8_percent_encode};
use serde::{Deserialize, Serialize};

use crate::config::Config;

/// The kind of place that a message was written in.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Scene {
    /// A private chat.
    C2c,
    /// A QQ group.
    Group,
    /// A text channel of a guild.
    Channel,
    /// A direct message session of a guild.
    Dm,
}

impl Scene {
    /// The word for status, logs and the agent.
    #[must_use]
    pub fn word(self) -> &'static str {
        match self {
            Self::C2c => "c2c",
            Self::Group => "group",
            Self::Channel => "channel",
            Self::Dm => "dm",
        }
    }

    /// True where only one person and the bot read along.
    #[must_use]
    pub fn private(self) -> bool {
        matches!(self, Self::C2c | Self::Dm)
    }

    /// True in guilds: other ids, other bodies, escaped text, and no `msg_seq` (`PROTOCOL.md`, "Guilds").
    #[must_use]
    pub fn of_guild(self) -> bool {
        matches!(self, Self::Channel | Self::Dm)
    }

    /// True where the platform refuses a message that it has, so that repeating one is safe.
    #[must_use]
    pub fn deduplicates(self) -> bool {
        !self.of_guild()
    }

    /// Milliseconds in which a message may be replied to (`PROTOCOL.md`, "Passive replies").
    #[must_use]
    pub fn window_ms(self) -> u64 {
        match self {
            Self::C2c => 60 * 60_000,
            Self::Group | Self::Channel | Self::Dm => 5 * 60_000,
        }
    }

    /// How many replies one message allows.
    #[must_use]
    pub fn slots(self, config: &Config) -> u32 {
        match self {
            Self::C2c => config.replies_c2c,
            Self::Group => config.replies_group,
            Self::Channel | Self::Dm => config.replies_guild,
        }
    }

    /// The path that messages to a target are posted to.
    #[must_use]
    pub fn messages_path(self, target: &str) -> String {
        let target = segment(target);
        match self {
            Self::C2c => format!("/v2/users/{target}/messages"),
            Self::Group => format!("/v2/groups/{target}/messages"),
            Self::Channel => format!("/channels/{target}/messages"),
            Self::Dm => format!("/dms/{target}/messages"),
        }
    }
}

/// Ids hold characters that mean something in a path (`PROTOCOL.md`, "Ids").
fn segment(id: &str) -> impl Display + '_ {
    utf8_percent_encode(id, NON_ALPHANUMERIC)
}
