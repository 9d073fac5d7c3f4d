//! Gateway events: which there are, and the readers of their bodies, a file for each family.
//!
//! What is done with an event is not decided here, but in `channel/dispatch.rs`.

use crate::scene::Scene;

pub mod audit;
pub mod deletion;
pub(crate) mod fields;
pub mod guild;
pub mod interaction;
pub mod message;
pub mod moment;
pub mod reaction;
pub mod relation;

use relation::What;

/// What an event is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// A private message.
    C2cMessage,
    /// A message in a group that addresses the bot.
    GroupAtMessage,
    /// Any message in a group, of a bot that may read all of them.
    GroupMessage,
    /// A message in a guild's channel that addresses the bot, or replies to it.
    ChannelAtMessage,
    /// Any message in a guild's channel, of a bot of the private domain.
    ChannelMessage,
    /// A direct message of a guild.
    DirectMessage,
    /// A message of a guild was taken back: [`deletion`].
    Deletion(Scene),
    /// Somebody reacted to a message, or took the reaction back: [`reaction`].
    Reaction {
        /// False when it was taken back.
        added: bool,
    },
    /// A button was pressed, a menu used, a setting changed: [`interaction`].
    Interaction,
    /// Something between the bot, a person and a group changed: [`relation`].
    Relation(What, Scene),
    /// Somebody subscribed to a template's messages, or no longer does: [`relation::Subscription`].
    Subscription,
    /// A guild: [`guild::GuildChange`].
    Guild(Change),
    /// A channel: [`guild::ChannelChange`].
    Channel(Change),
    /// A member of a guild: [`guild::MemberChange`].
    Member(Change),
    /// A message that was held for review is through, or is not: [`audit`].
    Audit {
        /// True when it is through.
        passed: bool,
    },
    /// Sound in a voice channel: [`guild::Happening`].
    Audio,
    /// Somebody came to a voice or live channel, or left: [`guild::Happening`].
    LiveMember,
    /// Something in a forum: [`guild::Happening`].
    Forum,
    /// Not known to this version; counted.
    Unknown,
}

/// What happened to a guild, a channel or a member.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Change {
    /// It is new; of a guild, the bot came to it.
    Created,
    /// Something about it is different.
    Updated,
    /// It is no more; of a guild, the bot may merely have been sent away.
    Deleted,
}

/// Every event with one meaning (`PROTOCOL.md`, "Events"). Forums have too many names for a table.
const EVENTS: &[(&str, Kind)] = &[
    ("C2C_MESSAGE_CREATE", Kind::C2cMessage),
    ("GROUP_AT_MESSAGE_CREATE", Kind::GroupAtMessage),
    ("GROUP_MESSAGE_CREATE", Kind::GroupMessage),
    ("AT_MESSAGE_CREATE", Kind::ChannelAtMessage),
    ("MESSAGE_CREATE", Kind::ChannelMessage),
    ("DIRECT_MESSAGE_CREATE", Kind::DirectMessage),
    ("MESSAGE_DELETE", Kind::Deletion(Scene::Channel)),
    ("PUBLIC_MESSAGE_DELETE", Kind::Deletion(Scene::Channel)),
    ("DIRECT_MESSAGE_DELETE", Kind::Deletion(Scene::Dm)),
    ("MESSAGE_REACTION_ADD", Kind::Reaction { added: true }),
    ("MESSAGE_REACTION_REMOVE", Kind::Reaction { added: false }),
    ("INTERACTION_CREATE", Kind::Interaction),
    ("FRIEND_ADD", Kind::Relation(What::BotAdded, Scene::C2c)),
    ("FRIEND_DEL", Kind::Relation(What::BotRemoved, Scene::C2c)),
    (
        "C2C_MSG_REJECT",
        Kind::Relation(What::ProactiveOff, Scene::C2c),
    ),
    (
        "C2C_MSG_RECEIVE",
        Kind::Relation(What::ProactiveOn, Scene::C2c),
    ),
    ("ENTER_AIO", Kind::Relation(What::ChatOpened, Scene::C2c)),
    (
        "GROUP_ADD_ROBOT",
        Kind::Relation(What::BotAdded, Scene::Group),
    ),
    (
        "GROUP_DEL_ROBOT",
        Kind::Relation(What::BotRemoved, Scene::Group),
    ),
    (
        "GROUP_MSG_REJECT",
        Kind::Relation(What::ProactiveOff, Scene::Group),
    ),
    (
        "GROUP_MSG_RECEIVE",
        Kind::Relation(What::ProactiveOn, Scene::Group),
    ),
    (
        "GROUP_MEMBER_ADD",
        Kind::Relation(What::MemberJoined, Scene::Group),
    ),
    (
        "GROUP_MEMBER_REMOVE",
        Kind::Relation(What::MemberLeft, Scene::Group),
    ),
    (
        "GROUP_JOIN_REQUEST",
        Kind::Relation(What::MemberAsks, Scene::Group),
    ),
    ("SUBSCRIBE_MESSAGE_STATUS", Kind::Subscription),
    ("GUILD_CREATE", Kind::Guild(Change::Created)),
    ("GUILD_UPDATE", Kind::Guild(Change::Updated)),
    ("GUILD_DELETE", Kind::Guild(Change::Deleted)),
    ("CHANNEL_CREATE", Kind::Channel(Change::Created)),
    ("CHANNEL_UPDATE", Kind::Channel(Change::Updated)),
    ("CHANNEL_DELETE", Kind::Channel(Change::Deleted)),
    ("GUILD_MEMBER_ADD", Kind::Member(Change::Created)),
    ("GUILD_MEMBER_UPDATE", Kind::Member(Change::Updated)),
    ("GUILD_MEMBER_REMOVE", Kind::Member(Change::Deleted)),
    ("MESSAGE_AUDIT_PASS", Kind::Audit { passed: true }),
    ("MESSAGE_AUDIT_REJECT", Kind::Audit { passed: false }),
    ("AUDIO_START", Kind::Audio),
    ("AUDIO_FINISH", Kind::Audio),
    ("AUDIO_ON_MIC", Kind::Audio),
    ("AUDIO_OFF_MIC", Kind::Audio),
    ("AUDIO_OR_LIVE_CHANNEL_MEMBER_ENTER", Kind::LiveMember),
    ("AUDIO_OR_LIVE_CHANNEL_MEMBER_EXIT", Kind::LiveMember),
];

/// What the event with this name is.
#[must_use]
pub fn kind(name: &str) -> Kind {
    if name.starts_with("FORUM_") || name.starts_with("OPEN_FORUM_") {
        return Kind::Forum;
    }
    EVENTS
        .iter()
        .find(|(known, _)| *known == name)
        .map_or(Kind::Unknown, |(_, kind)| *kind)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_name_is_in_the_table_once() {
        let names: std::collections::BTreeSet<&str> =
            EVENTS.iter().map(|(name, _)| *name).collect();
        assert_eq!(names.len(), EVENTS.len());
    }

    #[test]
    fn names_that_nobody_documents_are_unknown() {
        for name in ["", "READY_NOT", "GROUP_MSG_RECALL", "c2c_message_create"] {
            assert_eq!(kind(name), Kind::Unknown, "{name}");
        }
        assert_eq!(kind("OPEN_FORUM_REPLY_DELETE"), Kind::Forum);
        assert_eq!(kind("FORUM_PUBLISH_AUDIT_RESULT"), Kind::Forum);
    }
}
