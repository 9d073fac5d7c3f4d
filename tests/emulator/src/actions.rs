//! What QQ users do, by name: the input of people, tests and load generators.

mod draft;
mod summary;

use serde::{Deserialize, Serialize};
use serde_json::Value;
use thiserror::Error;

use crate::ids::{
    AppId, EventId, GroupName, GuildName, InteractionId, MessageId, Openid, UserName,
};
use crate::settings::GroupMode;

pub use draft::{Attachment, Draft, Emoji, InChannel, InGroup, InGuild, Operation, Role};

/// One act of one user towards one bot.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct UserAction {
    /// The bot; none means the first one of the settings.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub bot: Option<AppId>,
    /// What is done.
    #[serde(flatten)]
    pub act: Act,
}

impl From<Act> for UserAction {
    fn from(act: Act) -> Self {
        Self { bot: None, act }
    }
}

/// What a user can do.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "action", rename_all = "snake_case")]
pub enum Act {
    /// Write to the bot in a 1:1 chat. Users and friendships come into being by themselves.
    C2c {
        /// Who writes.
        user: UserName,
        /// What.
        #[serde(flatten)]
        message: Draft,
    },
    /// Write to a group with an @ of the bot. Groups and memberships come into being likewise.
    GroupAt {
        /// Where.
        group: GroupName,
        /// Who writes.
        user: UserName,
        /// What, without the mention.
        #[serde(flatten)]
        message: Draft,
    },
    /// Write to a group without a mention.
    GroupPlain {
        /// Where.
        group: GroupName,
        /// Who writes.
        user: UserName,
        /// What.
        #[serde(flatten)]
        message: Draft,
    },
    /// Add the bot as a friend.
    AddFriend {
        /// Who.
        user: UserName,
    },
    /// Remove the bot from one's friends.
    RemoveFriend {
        /// Who.
        user: UserName,
    },
    /// Switch proactive messages of the bot off.
    RejectMessages {
        /// Who.
        user: UserName,
    },
    /// Switch proactive messages of the bot on again.
    AcceptMessages {
        /// Who.
        user: UserName,
    },
    /// Add the bot to a group.
    AddToGroup {
        /// Where.
        group: GroupName,
        /// Who does it.
        user: UserName,
    },
    /// Remove the bot from a group.
    RemoveFromGroup {
        /// Where.
        group: GroupName,
        /// Who does it.
        user: UserName,
    },
    /// Switch proactive messages off in a group.
    GroupRejectMessages {
        /// Where.
        group: GroupName,
        /// Who does it.
        user: UserName,
    },
    /// Switch proactive messages on again in a group.
    GroupAcceptMessages {
        /// Where.
        group: GroupName,
        /// Who does it.
        user: UserName,
    },
    /// Choose what the bot hears in a group; no event tells the bot.
    SetGroupMode {
        /// Where.
        group: GroupName,
        /// The mode.
        mode: GroupMode,
    },
    /// Write to a channel of a guild with an @ of the bot. Guilds, channels and memberships come
    /// into being by themselves.
    ChannelAt {
        /// Where and who.
        #[serde(flatten)]
        at: InChannel,
        /// What, without the mention.
        #[serde(flatten)]
        message: Draft,
    },
    /// Write to a channel without a mention. Quoting a message of the bot addresses it all the same.
    ChannelPlain {
        /// Where and who.
        #[serde(flatten)]
        at: InChannel,
        /// What.
        #[serde(flatten)]
        message: Draft,
    },
    /// Write to the bot in a direct message session that was opened from a guild.
    Dm {
        /// From which guild, and who.
        #[serde(flatten)]
        at: InGuild,
        /// What.
        #[serde(flatten)]
        message: Draft,
    },
    /// Add the bot to a guild.
    AddToGuild(InGuild),
    /// Remove the bot from a guild.
    RemoveFromGuild(InGuild),
    /// Change something about a guild.
    UpdateGuild(InGuild),
    /// Make a channel.
    AddChannel(InChannel),
    /// Change something about a channel.
    UpdateChannel(InChannel),
    /// Delete a channel.
    DeleteChannel(InChannel),
    /// Join a guild.
    JoinGuild(InGuild),
    /// Change something about oneself in a guild.
    UpdateMember(InGuild),
    /// Leave a guild.
    LeaveGuild(InGuild),
    /// Delete or recall a message, one's own or (as an administrator would) another's.
    DeleteMessage {
        /// Who.
        user: UserName,
        /// Which message.
        message_id: MessageId,
    },
    /// React to a message of a channel, or take the reaction back.
    React {
        /// Who.
        user: UserName,
        /// To which message; none means the newest one of the bot in a channel.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        message_id: Option<MessageId>,
        /// With what.
        emoji: Emoji,
        /// Take it back.
        #[serde(default)]
        remove: bool,
    },
    /// Press a button under a message of the bot.
    Press {
        /// Who.
        user: UserName,
        /// Under which message; none means the newest one with buttons that the user can see.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        message_id: Option<MessageId>,
        /// The id of the button, or its label.
        button: String,
    },
    /// Press one of the buttons that a private message has of its own.
    Operate {
        /// Who.
        user: UserName,
        /// Which message; while it grows, its stream.
        message_id: MessageId,
        /// Which button.
        button: Operation,
        /// Pressed; false takes a like or a dislike back.
        #[serde(default = "pressed")]
        on: bool,
    },
    /// Any other interaction: a menu entry (12), feedback (13), clearing the session (14), ….
    Interact {
        /// Who.
        user: UserName,
        /// In which group; none means the 1:1 chat.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        group: Option<GroupName>,
        /// The type of the interaction.
        kind: u32,
        /// `data.resolved`.
        #[serde(default)]
        resolved: Value,
    },
    /// Join a group that the bot is in.
    JoinGroup(InGroup),
    /// Leave a group that the bot is in.
    LeaveGroup(InGroup),
    /// Ask to join a group; only a bot that is its administrator is told.
    RequestToJoin {
        /// Where and who.
        #[serde(flatten)]
        at: InGroup,
        /// The message to the administrators.
        #[serde(default)]
        text: String,
    },
    /// Give a member of a group a role; without a user, the bot.
    SetRole {
        /// Where.
        group: GroupName,
        /// Who gets it; none means the bot.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        user: Option<UserName>,
        /// The role.
        role: Role,
    },
    /// Mute the bot in a group, or let it speak again; no event tells the bot.
    MuteBot {
        /// Where.
        group: GroupName,
        /// Muted from now on.
        muted: bool,
    },
    /// Decide an audit that waits: the oldest one, unless one is named.
    Judge {
        /// Which one.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        audit_id: Option<String>,
        /// Whether the message passes.
        pass: bool,
    },
    /// Push an event as it is given: forums, audio, subscriptions and what is yet to come.
    Event {
        /// Its name; the table of names decides which intent it needs.
        name: String,
        /// Its body.
        #[serde(default)]
        body: Value,
    },
}

fn pressed() -> bool {
    true
}

/// What came of an act.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
pub struct ActionOutcome {
    /// The id of the message that was sent.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub message_id: Option<MessageId>,
    /// The outer id of the event, if one was made. With two events, the first.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub event_id: Option<EventId>,
    /// Whom the bot addresses to answer: the user's openid in C2C, the group's in groups, the
    /// channel's id, or the guild id of the direct message session.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub target: Option<Openid>,
    /// The author's openid as the event shows it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub author: Option<Openid>,
    /// The id of the interaction, after a press.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub interaction: Option<InteractionId>,
    /// How many sessions the event was given to (sent, or kept for replay).
    pub sessions: usize,
}

/// Why an act could not be done.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum ActionError {
    /// The settings have no such bot.
    #[error("there is no bot {0} here")]
    NoSuchBot(AppId),
    /// The settings have no bot at all.
    #[error("there is no bot here")]
    NoBot,
    /// The bot was removed from the group; add it again first.
    #[error("the bot is not in the group {0}: it was removed")]
    BotRemoved(GroupName),
    /// The bot was removed from the guild; add it again first.
    #[error("the bot is not in the guild {0}: it was removed")]
    BotNotInGuild(GuildName),
    /// There is no such message, or it is not kept any more.
    #[error("there is no message {0}")]
    NoSuchMessage(MessageId),
    /// Nobody has sent buttons there.
    #[error("there is no message with buttons")]
    NoButtons,
    /// The message has no such button.
    #[error("there is no button {0:?} under that message")]
    NoSuchButton(String),
    /// The button is for others.
    #[error("{0} may not press this button")]
    MayNotPress(UserName),
    /// The message is of a scene that does not know this.
    #[error("{0} is not possible with this message")]
    NotHere(&'static str),
    /// No audit waits.
    #[error("no such audit waits")]
    NoSuchAudit,
    /// No event has this name.
    #[error("no event is called {0:?}")]
    NoSuchEvent(String),
    /// The sandbox does not reach there.
    #[error("the sandbox does not show this to the bot")]
    OutsideSandbox,
    /// A blob that is not there.
    #[error("there is no uploaded file {0}")]
    NoSuchFile(String),
    /// The user has removed the bot; it must be added again first.
    #[error("{0} has removed the bot from the friends")]
    NotFriends(UserName),
}

impl Act {
    /// A C2C message of text.
    pub fn c2c(user: &str, text: &str) -> Self {
        Self::C2c {
            user: user.into(),
            message: text.into(),
        }
    }

    /// A group message of text with an @ of the bot.
    pub fn group_at(group: &str, user: &str, text: &str) -> Self {
        Self::GroupAt {
            group: group.into(),
            user: user.into(),
            message: text.into(),
        }
    }

    /// A channel message of text with an @ of the bot.
    pub fn channel_at(guild: &str, channel: &str, user: &str, text: &str) -> Self {
        Self::ChannelAt {
            at: InChannel::new(guild, channel, user),
            message: text.into(),
        }
    }

    /// A channel message of text without a mention.
    pub fn channel_plain(guild: &str, channel: &str, user: &str, text: &str) -> Self {
        Self::ChannelPlain {
            at: InChannel::new(guild, channel, user),
            message: text.into(),
        }
    }

    /// A direct message of text, in a session opened from a guild.
    pub fn dm(guild: &str, user: &str, text: &str) -> Self {
        Self::Dm {
            at: InGuild::new(guild, user),
            message: text.into(),
        }
    }

    /// Whether this act sends a message.
    #[must_use]
    pub fn is_message(&self) -> bool {
        matches!(
            self,
            Self::C2c { .. }
                | Self::GroupAt { .. }
                | Self::GroupPlain { .. }
                | Self::ChannelAt { .. }
                | Self::ChannelPlain { .. }
                | Self::Dm { .. }
        )
    }

    /// The message that this act sends, if it sends one.
    pub fn message_mut(&mut self) -> Option<&mut Draft> {
        match self {
            Self::C2c { message, .. }
            | Self::GroupAt { message, .. }
            | Self::GroupPlain { message, .. }
            | Self::ChannelAt { message, .. }
            | Self::ChannelPlain { message, .. }
            | Self::Dm { message, .. } => Some(message),
            _ => None,
        }
    }

    /// A group message of text without a mention.
    pub fn group_plain(group: &str, user: &str, text: &str) -> Self {
        Self::GroupPlain {
            group: group.into(),
            user: user.into(),
            message: text.into(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn actions_are_flat_json() {
        let text = r#"{"action":"c2c","user":"alice","text":"hi"}"#;
        let action: UserAction = serde_json::from_str(text).unwrap();
        assert_eq!(action, UserAction::from(Act::c2c("alice", "hi")));
        let again = serde_json::to_string(&action).unwrap();
        assert_eq!(serde_json::from_str::<UserAction>(&again).unwrap(), action);
    }
}
