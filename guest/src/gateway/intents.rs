//! Intents: event groups that a bot subscribes to, as a table, and what to ask for when some are refused.

use serde::{Deserialize, Serialize};

/// Who gets an intent.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Grant {
    /// Every bot.
    Default,
    /// Bots that were granted it in the console.
    OnRequest,
    /// Private-domain bots only.
    PrivateDomain,
}

/// One intent.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Intent {
    /// The bit.
    pub bit: u8,
    /// Its name in the operator's table.
    pub name: &'static str,
    /// Who gets it.
    pub grant: Grant,
}

const fn intent(bit: u8, name: &'static str, grant: Grant) -> Intent {
    Intent { bit, name, grant }
}

/// All intents that have a name (`PROTOCOL.md`, "Intents").
pub const TABLE: [Intent; 12] = [
    intent(0, "guilds", Grant::Default),
    intent(1, "guild_members", Grant::Default),
    intent(GUILD_MESSAGES, "guild_messages", Grant::PrivateDomain),
    intent(10, "guild_message_reactions", Grant::OnRequest),
    intent(DIRECT_MESSAGES, "direct_messages", Grant::OnRequest),
    intent(24, "group_members", Grant::OnRequest),
    intent(GROUP_AND_C2C, "group_and_c2c", Grant::OnRequest),
    intent(26, "interaction", Grant::OnRequest),
    intent(27, "message_audit", Grant::OnRequest),
    intent(28, "forums", Grant::PrivateDomain),
    intent(29, "audio_action", Grant::OnRequest),
    intent(
        PUBLIC_GUILD_MESSAGES,
        "public_guild_messages",
        Grant::Default,
    ),
];

const GUILD_MESSAGES: u8 = 9;
const DIRECT_MESSAGES: u8 = 12;
const GROUP_AND_C2C: u8 = 25;
const PUBLIC_GUILD_MESSAGES: u8 = 30;

/// A set of intents.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Intents(u32);

impl Intents {
    /// The set as the platform writes it.
    #[must_use]
    pub fn bits(self) -> u32 {
        self.0
    }

    /// Names for the operator's table, in the order of their bits.
    #[must_use]
    pub fn names() -> Vec<&'static str> {
        TABLE.iter().map(|intent| intent.name).collect()
    }

    /// The set with these names. `direct_message` is accepted for `direct_messages`.
    ///
    /// # Errors
    /// The first name that is not in the table.
    pub fn from_names(names: &[String]) -> Result<Self, String> {
        let mut bits = 0;
        for name in names {
            let name = if name == "direct_message" {
                "direct_messages"
            } else {
                name
            };
            let intent = TABLE
                .iter()
                .find(|intent| intent.name == name)
                .ok_or_else(|| name.to_owned())?;
            bits |= 1 << intent.bit;
        }
        Ok(Self(bits))
    }

    /// The set with these bits.
    #[must_use]
    pub fn from_bits(bits: u32) -> Self {
        Self(bits)
    }

    /// The set with private chats and groups.
    #[must_use]
    pub fn with_chats(self) -> Self {
        Self(self.0 | 1 << GROUP_AND_C2C)
    }

    /// True when somebody can write to the bot in private.
    #[must_use]
    pub fn has_private(self) -> bool {
        self.contains(GROUP_AND_C2C) || self.contains(DIRECT_MESSAGES)
    }

    /// True when the channels of guilds are heard, where reactions exist.
    #[must_use]
    pub fn has_channels(self) -> bool {
        self.contains(GUILD_MESSAGES) || self.contains(PUBLIC_GUILD_MESSAGES)
    }

    /// True when anything in the set brings messages.
    #[must_use]
    pub fn hears_anything(self) -> bool {
        self.has_private() || self.has_channels()
    }

    /// True when this bit is in the set.
    #[must_use]
    pub fn contains(self, bit: u8) -> bool {
        self.0 & 1 << bit != 0
    }

    /// Names of what is in this set and not in the other.
    #[must_use]
    pub fn names_missing_in(self, other: Self) -> Vec<&'static str> {
        TABLE
            .iter()
            .filter(|intent| self.contains(intent.bit) && !other.contains(intent.bit))
            .map(|intent| intent.name)
            .collect()
    }

    fn without(self, refuse: impl Fn(&Intent) -> bool) -> Self {
        let dropped = TABLE
            .iter()
            .filter(|intent| refuse(intent))
            .fold(0, |bits, intent| bits | 1 << intent.bit);
        Self(self.0 & !dropped)
    }

    /// What to ask for, best first, when the platform refuses a set with close code 4014, which does
    /// not say which bit it means.
    ///
    /// Private-domain intents go first, `guild_messages` in exchange for its public half; then what has
    /// to be granted, the rarer before the more common; at last only what every bot has.
    #[must_use]
    pub fn ladder(self) -> Vec<Self> {
        let public = if self.contains(GUILD_MESSAGES) {
            Self(self.0 | 1 << PUBLIC_GUILD_MESSAGES)
        } else {
            self
        };
        let no_private = public.without(|intent| intent.grant == Grant::PrivateDomain);
        let common = no_private.without(|intent| {
            intent.grant == Grant::OnRequest
                && !matches!(
                    intent.name,
                    "group_and_c2c" | "direct_messages" | "interaction"
                )
        });
        let keep = |name: &'static str| {
            common.without(|intent| intent.grant == Grant::OnRequest && intent.name != name)
        };
        let pair = common.without(|intent| intent.name == "interaction");
        let rungs = [
            self,
            no_private,
            common,
            pair,
            common.without(|intent| intent.name == "direct_messages"),
            keep("group_and_c2c"),
            keep("direct_messages"),
            common.without(|intent| intent.grant == Grant::OnRequest),
        ];
        distinct(rungs)
    }

    /// The same where private chats and groups are asked for besides, so that somebody can pair: each rung with them
    /// first, and then without.
    #[must_use]
    pub fn ladder_for_pairing(self) -> Vec<Self> {
        let mut own = self.ladder();
        if self.contains(GROUP_AND_C2C) {
            return own;
        }
        if own.is_empty() {
            own.push(self);
        }
        distinct(own.into_iter().flat_map(|rung| [rung.with_chats(), rung]))
    }
}

/// Each set once, and no empty one.
fn distinct(rungs: impl IntoIterator<Item = Intents>) -> Vec<Intents> {
    let mut ladder: Vec<Intents> = Vec::new();
    for rung in rungs {
        if rung.0 != 0 && !ladder.contains(&rung) {
            ladder.push(rung);
        }
    }
    ladder
}

#[cfg(test)]
mod tests {
    use super::*;

    fn set(names: &[&str]) -> Intents {
        Intents::from_names(
            &names
                .iter()
                .map(|&name| name.to_owned())
                .collect::<Vec<_>>(),
        )
        .unwrap()
    }

    #[test]
    fn names_give_the_documented_sums() {
        assert_eq!(set(&["guilds", "guild_messages"]).bits(), 513);
        assert_eq!(
            set(&["guilds", "guild_messages", "direct_message"]).bits(),
            4609
        );
        assert_eq!(
            set(&["group_and_c2c", "public_guild_messages"]).bits(),
            1_107_296_256
        );
        assert_eq!(
            set(&[
                "direct_messages",
                "group_and_c2c",
                "interaction",
                "public_guild_messages"
            ])
            .bits(),
            1_174_409_216
        );
    }

    #[test]
    fn a_public_bot_with_the_three_defaults_ends_with_public_messages() {
        let ladder = set(&["guilds", "guild_messages", "direct_messages"]).ladder();
        assert_eq!(ladder[0].bits(), 4609);
        assert_eq!(
            ladder[1],
            set(&["guilds", "public_guild_messages", "direct_messages"])
        );
        assert_eq!(
            *ladder.last().unwrap(),
            set(&["guilds", "public_guild_messages"])
        );
    }

    #[test]
    fn each_rung_is_tried_once_and_none_is_empty() {
        let all = Intents::from_names(
            &Intents::names()
                .iter()
                .map(|&name| name.to_owned())
                .collect::<Vec<_>>(),
        )
        .unwrap();
        let ladder = all.ladder();
        for (index, rung) in ladder.iter().enumerate() {
            assert_ne!(rung.bits(), 0);
            assert!(!ladder[..index].contains(rung));
        }
        assert_eq!(set(&["group_and_c2c"]).ladder().len(), 1);
    }

    #[test]
    fn for_pairing_private_chats_are_asked_for_first_and_what_the_operator_wants_stays() {
        let own = set(&["guilds", "guild_messages", "direct_messages"]);
        let ladder = own.ladder_for_pairing();
        assert_eq!(ladder[0], own.with_chats());
        assert_eq!(
            ladder[1], own,
            "a bot without chats keeps all that it asked for"
        );
        let public = set(&["guilds", "public_guild_messages", "direct_messages"]);
        assert_eq!(ladder[2..4], [public.with_chats(), public]);
        let last = ladder.last().unwrap();
        assert!(!last.has_private() && last.has_channels());
        let asked = set(&["guilds", "group_and_c2c"]);
        assert_eq!(asked.ladder_for_pairing(), asked.ladder());
        assert_eq!(set(&[]).ladder_for_pairing(), [set(&["group_and_c2c"])]);
    }

    #[test]
    fn what_was_left_out_can_be_named() {
        let asked = set(&["guilds", "guild_messages"]);
        assert_eq!(asked.names_missing_in(set(&["guilds"])), ["guild_messages"]);
    }
}
