//! Gateway events: which there are, and what this channel does with each.

pub mod message;

/// What becomes of an event.
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
    /// Known, and counted; nothing is done with it.
    Counted,
    /// Not known to this version; counted.
    Unknown,
}

/// Events that are counted only.
const COUNTED: &[&str] = &[
    "MESSAGE_DELETE",
    "PUBLIC_MESSAGE_DELETE",
    "DIRECT_MESSAGE_DELETE",
    "MESSAGE_REACTION_ADD",
    "MESSAGE_REACTION_REMOVE",
    "MESSAGE_AUDIT_PASS",
    "MESSAGE_AUDIT_REJECT",
    "GUILD_CREATE",
    "GUILD_UPDATE",
    "GUILD_DELETE",
    "CHANNEL_CREATE",
    "CHANNEL_UPDATE",
    "CHANNEL_DELETE",
    "GUILD_MEMBER_ADD",
    "GUILD_MEMBER_UPDATE",
    "GUILD_MEMBER_REMOVE",
    "INTERACTION_CREATE",
    "FRIEND_ADD",
    "FRIEND_DEL",
    "C2C_MSG_REJECT",
    "C2C_MSG_RECEIVE",
    "GROUP_ADD_ROBOT",
    "GROUP_DEL_ROBOT",
    "GROUP_MSG_REJECT",
    "GROUP_MSG_RECEIVE",
    "GROUP_MEMBER_ADD",
    "GROUP_MEMBER_REMOVE",
    "GROUP_JOIN_REQUEST",
    "SUBSCRIBE_MESSAGE_STATUS",
    "ENTER_AIO",
    "AUDIO_START",
    "AUDIO_FINISH",
    "AUDIO_ON_MIC",
    "AUDIO_OFF_MIC",
];

/// What becomes of the event with this name.
#[must_use]
pub fn kind(name: &str) -> Kind {
    match name {
        "C2C_MESSAGE_CREATE" => Kind::C2cMessage,
        "GROUP_AT_MESSAGE_CREATE" => Kind::GroupAtMessage,
        "GROUP_MESSAGE_CREATE" => Kind::GroupMessage,
        "AT_MESSAGE_CREATE" => Kind::ChannelAtMessage,
        "MESSAGE_CREATE" => Kind::ChannelMessage,
        "DIRECT_MESSAGE_CREATE" => Kind::DirectMessage,
        _ if COUNTED.contains(&name) || name.contains("FORUM_") => Kind::Counted,
        _ => Kind::Unknown,
    }
}
