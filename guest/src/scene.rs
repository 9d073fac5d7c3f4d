//! The four kinds of place in which people talk to the bot, and what differs between them.

use std::fmt::Display;

use percent_encoding::{NON_ALPHANUMERIC, utf8_percent_encode};
use serde::{Deserialize, Serialize};

use crate::config::Config;
use crate::ids::OpenId;

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

    /// Where things of a target are, without a slash at the end.
    fn base(self, target: &str) -> String {
        let target = segment(target);
        match self {
            Self::C2c => format!("/v2/users/{target}"),
            Self::Group => format!("/v2/groups/{target}"),
            Self::Channel => format!("/channels/{target}"),
            Self::Dm => format!("/dms/{target}"),
        }
    }

    /// The path that messages to a target are posted to.
    #[must_use]
    pub fn messages_path(self, target: &str) -> String {
        format!("{}/messages", self.base(target))
    }

    /// The path of one message of the bot's own.
    #[must_use]
    pub fn message_path(self, target: &str, message: &str) -> String {
        format!("{}/messages/{}", self.base(target), segment(message))
    }

    /// The path of a step of an upload: `files`, `upload_prepare`, `upload_part_finish`. Guilds have none.
    #[must_use]
    pub fn upload_path(self, target: &OpenId, step: &str) -> Option<String> {
        (!self.of_guild()).then(|| format!("{}/{step}", self.base(target.as_str())))
    }

    /// The path that pieces of a growing text are posted to, where there is one.
    #[must_use]
    pub fn stream_path(self, target: &str) -> Option<String> {
        (self == Self::C2c).then(|| format!("{}/stream_messages", self.base(target)))
    }

    /// The path of a reaction to a message, where reactions exist.
    #[must_use]
    pub fn reaction_path(
        self,
        target: &str,
        message: &str,
        kind: u8,
        emoji: &str,
    ) -> Option<String> {
        (self == Self::Channel).then(|| {
            format!(
                "{}/reactions/{kind}/{emoji}",
                self.message_path(target, message)
            )
        })
    }

    /// The scene and the target of what an operator writes: `user:`, `group:`, `channel:` or `dm:` and an id.
    #[must_use]
    pub fn parse_target(text: &str) -> Option<(Self, OpenId)> {
        let (word, id) = text.split_once(':')?;
        let scene = match word {
            "user" | "c2c" => Self::C2c,
            "group" => Self::Group,
            "channel" => Self::Channel,
            "dm" => Self::Dm,
            _ => return None,
        };
        (!id.is_empty()).then(|| (scene, OpenId(id.to_owned())))
    }
}

/// Ids hold characters that mean something in a path (`PROTOCOL.md`, "Ids").
pub(crate) fn segment(id: &str) -> impl Display + '_ {
    utf8_percent_encode(id, NON_ALPHANUMERIC)
}
