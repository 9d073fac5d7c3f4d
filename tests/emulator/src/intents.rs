//! The intents of the gateway: bits, names, and who owns them.
//!
//! Source: the public documentation's page on events and intents, plus bits 23 and 24 of its event pages.

use serde::{Deserialize, Serialize};

/// A set of intents, as the bit mask that Identify carries.
#[derive(
    Debug, Clone, Copy, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize,
)]
pub struct Intents(pub u64);

/// How a bot comes to own an intent.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Grant {
    /// Every bot has it.
    Default,
    /// The operator applies for it in the console.
    Granted,
    /// Only bots of the private domain have it.
    Private,
}

/// One row of the intents table.
#[derive(Debug, Clone, Copy)]
pub struct IntentRow {
    /// Position of the bit, 0 to 30.
    pub bit: u32,
    /// The name in the documentation.
    pub name: &'static str,
    /// How a bot comes to own it.
    pub grant: Grant,
}

const fn row(bit: u32, name: &'static str, grant: Grant) -> IntentRow {
    IntentRow { bit, name, grant }
}

/// Every bit the platform knows; any other is answered with close code 4013.
pub const INTENTS: &[IntentRow] = &[
    row(0, "GUILDS", Grant::Default),
    row(1, "GUILD_MEMBERS", Grant::Default),
    row(9, "GUILD_MESSAGES", Grant::Private),
    row(10, "GUILD_MESSAGE_REACTIONS", Grant::Granted),
    row(12, "DIRECT_MESSAGE", Grant::Granted),
    row(18, "OPEN_FORUM_EVENT", Grant::Granted),
    row(19, "AUDIO_OR_LIVE_CHANNEL_MEMBER", Grant::Granted),
    row(23, "ENTER_AIO", Grant::Granted),
    row(24, "GROUP_MEMBER_EVENT", Grant::Granted),
    row(25, "GROUP_AND_C2C_EVENT", Grant::Granted),
    row(26, "INTERACTION", Grant::Granted),
    row(27, "MESSAGE_AUDIT", Grant::Granted),
    row(28, "FORUMS_EVENT", Grant::Private),
    row(29, "AUDIO_ACTION", Grant::Granted),
    row(30, "PUBLIC_GUILD_MESSAGES", Grant::Default),
];

/// The events of the platform, each as the beginning of its name, with the bit it needs. A longer
/// beginning stands before a shorter one.
const EVENTS: &[(&str, u32)] = &[
    ("GUILD_MEMBER_", 1),
    ("GUILD_", 0),
    ("CHANNEL_", 0),
    ("MESSAGE_REACTION_", 10),
    ("MESSAGE_AUDIT_", 27),
    ("MESSAGE_", 9),
    ("DIRECT_MESSAGE_", 12),
    ("OPEN_FORUM_", 18),
    ("AUDIO_OR_LIVE_CHANNEL_MEMBER_", 19),
    ("ENTER_AIO", 23),
    ("GROUP_MEMBER_", 24),
    ("GROUP_JOIN_REQUEST", 24),
    ("GROUP_", 25),
    ("C2C_", 25),
    ("FRIEND_", 25),
    ("SUBSCRIBE_MESSAGE_STATUS", 25),
    ("INTERACTION_", 26),
    ("FORUM_", 28),
    ("AUDIO_", 29),
    ("AT_MESSAGE_CREATE", 30),
    ("PUBLIC_MESSAGE_DELETE", 30),
];

impl Intents {
    /// The intent that an event needs, by its name; none if no such event is known.
    #[must_use]
    pub fn of_event(name: &str) -> Option<Self> {
        let row = EVENTS.iter().find(|(start, _)| name.starts_with(start));
        row.map(|(_, bit)| Self(1 << bit))
    }

    /// Guilds and channels (bit 0).
    pub const GUILDS: Self = Self(1 << 0);

    /// Members of guilds (bit 1).
    pub const GUILD_MEMBERS: Self = Self(1 << 1);

    /// All messages of channels, for private bots (bit 9).
    pub const GUILD_MESSAGES: Self = Self(1 << 9);

    /// Reactions (bit 10).
    pub const REACTIONS: Self = Self(1 << 10);

    /// Direct messages of guilds (bit 12).
    pub const DIRECT_MESSAGE: Self = Self(1 << 12);

    /// Members of groups and requests to join (bit 24).
    pub const GROUP_MEMBERS: Self = Self(1 << 24);

    /// Interactions (bit 26).
    pub const INTERACTION: Self = Self(1 << 26);

    /// Results of audits (bit 27).
    pub const AUDIT: Self = Self(1 << 27);

    /// Channel messages with an @ of the bot (bit 30).
    pub const PUBLIC_GUILD_MESSAGES: Self = Self(1 << 30);

    /// C2C and group messages and the events around them (bit 25).
    pub const GROUP_AND_C2C: Self = Self(1 << 25);

    /// What every bot owns without asking: bits 0, 1 and 30.
    pub const DEFAULT_GRANTED: Self = Self((1 << 0) | (1 << 1) | (1 << 30));

    /// Every bit of [`INTENTS`].
    #[must_use]
    pub fn known() -> Self {
        Self(INTENTS.iter().fold(0, |all, row| all | (1 << row.bit)))
    }

    /// What a bot of the public domain can own: every known bit but the private ones.
    #[must_use]
    pub fn public_domain() -> Self {
        let open = INTENTS.iter().filter(|row| row.grant != Grant::Private);
        Self(open.fold(0, |all, row| all | (1 << row.bit)))
    }

    /// True if every bit of `other` is here.
    #[must_use]
    pub fn has(self, other: Self) -> bool {
        self.0 & other.0 == other.0
    }

    /// The bits that are not in `allowed`.
    #[must_use]
    pub fn outside(self, allowed: Self) -> Self {
        Self(self.0 & !allowed.0)
    }

    /// True if no bit is set.
    #[must_use]
    pub fn is_empty(self) -> bool {
        self.0 == 0
    }

    /// The names of the bits, `?N` for unknown ones, joined with `+`.
    #[must_use]
    pub fn names(self) -> String {
        let names: Vec<String> = (0..64_u32)
            .filter(|bit| self.0 & (1_u64 << bit) != 0)
            .map(|bit| {
                let known = INTENTS.iter().find(|row| row.bit == bit);
                known.map_or_else(|| format!("?{bit}"), |row| row.name.to_owned())
            })
            .collect();
        names.join("+")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sums_seen_in_the_field_consist_of_known_bits() {
        for sum in [
            513_u64,
            4609,
            1_107_296_256,
            1_107_300_352,
            1_174_409_216,
            1_174_409_219,
        ] {
            assert!(Intents(sum).outside(Intents::known()).is_empty(), "{sum}");
        }
        assert_eq!(Intents::DEFAULT_GRANTED.0, 1_073_741_827);
    }

    #[test]
    fn a_public_bot_does_not_own_guild_messages() {
        assert_eq!(
            Intents(513).outside(Intents::public_domain()).names(),
            "GUILD_MESSAGES"
        );
        assert_eq!(Intents(1 << 40).names(), "?40");
    }
}
