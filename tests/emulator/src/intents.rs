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

impl Intents {
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
