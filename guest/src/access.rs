//! Who may talk to the bot: whom the operator's list names, and who paired.
//!
//! The list and the bindings both grant. Pairing is on while the list is empty.

use std::borrow::Cow;

use serde::{Deserialize, Serialize};

use crate::config::Config;
use crate::ids::OpenId;
use crate::inbound::Inbound;
use crate::scene::Scene;
use crate::state::Entries;

pub mod asks;
pub mod bindings;
pub mod courtesy;
pub mod pairing;

use asks::Asks;
use bindings::Bindings;
use courtesy::Courtesy;
use pairing::Pairing;

/// Bytes of an id that is remembered: the platform's are far shorter, and a key of the store holds no more.
const MAX_ID: usize = 128;

/// Whose ids they are: those of chats and groups, and those of guilds, are different worlds.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Kind {
    /// OpenIDs of private chats and groups.
    Qq,
    /// Ids of guilds.
    Guild,
}

impl Kind {
    /// The kind that a scene has.
    #[must_use]
    pub fn of(scene: Scene) -> Self {
        if scene.of_guild() {
            Self::Guild
        } else {
            Self::Qq
        }
    }

    /// The word for keys and reports.
    #[must_use]
    pub fn word(self) -> &'static str {
        match self {
            Self::Qq => "qq",
            Self::Guild => "guild",
        }
    }
}

/// A person, as this bot knows people.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct Person {
    /// Which ids these are.
    pub kind: Kind,
    /// The id.
    pub openid: OpenId,
}

impl Person {
    /// Somebody in a scene.
    #[must_use]
    pub fn new(scene: Scene, openid: &str) -> Self {
        Self {
            kind: Kind::of(scene),
            openid: OpenId(openid.to_owned()),
        }
    }

    /// Who wrote.
    #[must_use]
    pub fn of(inbound: &Inbound) -> Self {
        Self::new(inbound.scene, inbound.sender.as_str())
    }

    /// True for an id that can be remembered.
    #[must_use]
    pub fn fits(&self) -> bool {
        (1..=MAX_ID).contains(&self.openid.as_str().len())
    }
}

/// Everything about who may talk to the bot, besides the operator's list.
#[derive(Clone, Debug, Default)]
pub struct Access {
    pub(crate) bindings: Bindings,
    pub(crate) asks: Asks,
    pub(crate) pairing: Pairing,
    pub(crate) courtesy: Courtesy,
}

/// What of it travels in a checkpoint: all but what is stored.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct InFlight<'a> {
    pairing: Cow<'a, Pairing>,
    courtesy: Cow<'a, Courtesy>,
}

impl InFlight<'_> {
    /// The same without what nobody else may read.
    pub(crate) fn blank(&mut self) {
        self.pairing.to_mut().blank();
    }
}

impl Access {
    /// What earlier processes remembered, and what an earlier instance had in flight.
    #[must_use]
    pub fn restore(entries: &Entries, wall_ms: u64, in_flight: InFlight<'_>) -> Self {
        Self {
            bindings: Bindings::restore(entries),
            asks: Asks::restore(entries, wall_ms),
            pairing: in_flight.pairing.into_owned(),
            courtesy: in_flight.courtesy.into_owned(),
        }
    }

    /// What belongs into a checkpoint.
    #[must_use]
    pub fn in_flight(&self) -> InFlight<'_> {
        InFlight {
            pairing: Cow::Borrowed(&self.pairing),
            courtesy: Cow::Borrowed(&self.courtesy),
        }
    }

    /// True when the sender may talk to the bot: by the operator's list, or by a binding.
    #[must_use]
    pub fn allows(&self, config: &Config, inbound: &Inbound) -> bool {
        allowed(&config.allowed_users, inbound) || self.bindings.has(&Person::of(inbound))
    }
}

/// True when the operator's list has the sender, the sender in this group, the group, the guild, or everyone.
#[must_use]
pub fn allowed(list: &[String], inbound: &Inbound) -> bool {
    list.iter().any(|entry| match entry.split_once("@group:") {
        Some((person, group)) => {
            inbound.scene == Scene::Group
                && person == inbound.sender.as_str()
                && group == inbound.target.as_str()
        }
        None => match entry.strip_prefix("group:") {
            Some(group) => inbound.scene == Scene::Group && group == inbound.target.as_str(),
            None => match entry.strip_prefix("guild:") {
                Some(guild) => !guild.is_empty() && guild == inbound.guild,
                None => entry == "*" || entry == inbound.sender.as_str(),
            },
        },
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn inbound(scene: Scene, target: &str, sender: &str) -> Inbound {
        let body = serde_json::json!({
            "id": "m", "content": "hi", "group_openid": target, "channel_id": "7", "guild_id": target,
            "author": {"id": sender, "user_openid": sender, "member_openid": sender},
        });
        match scene {
            Scene::C2c => Inbound::c2c(&body.to_string(), 0),
            Scene::Group => Inbound::group(&body.to_string(), true, 0),
            Scene::Channel => Inbound::channel(&body.to_string(), true, "", 0),
            Scene::Dm => Inbound::dm(&body.to_string(), "", 0),
        }
        .unwrap()
    }

    #[test]
    fn entries_name_people_groups_or_people_in_groups() {
        let private = inbound(Scene::C2c, "", "A");
        let group = inbound(Scene::Group, "G", "A");
        for (entry, in_private, in_group) in [
            ("*", true, true),
            ("A", true, true),
            ("a", false, false),
            ("B", false, false),
            ("group:G", false, true),
            ("group:H", false, false),
            ("A@group:G", false, true),
            ("A@group:H", false, false),
            ("B@group:G", false, false),
            ("", false, false),
        ] {
            let list = vec![entry.to_owned()];
            assert_eq!(allowed(&list, &private), in_private, "{entry} in private");
            assert_eq!(allowed(&list, &group), in_group, "{entry} in a group");
        }
        let guild = inbound(Scene::Channel, "G", "A");
        let dm = inbound(Scene::Dm, "G", "A");
        for (entry, in_guild) in [
            ("guild:G", true),
            ("guild:H", false),
            ("guild:", false),
            ("group:G", false),
            ("A", true),
        ] {
            let list = vec![entry.to_owned()];
            assert_eq!(
                (allowed(&list, &guild), allowed(&list, &dm)),
                (in_guild, in_guild),
                "{entry} in a guild"
            );
            assert!(!entry.starts_with("guild:") || !allowed(&list, &private));
        }
        assert!(!allowed(&[], &private), "an empty list is nobody");
    }
}
