//! Acts in a few words, for the log.

use std::fmt;

use super::{Act, InChannel, InGroup, InGuild};

impl Act {
    /// The act in a few words, for the log.
    #[must_use]
    pub fn summary(&self) -> String {
        match self {
            Self::C2c { user, message } => format!("{user}: {}", message.text),
            Self::GroupAt {
                group,
                user,
                message,
            } => {
                format!("{user} in {group}: @bot {}", message.text)
            }
            Self::GroupPlain {
                group,
                user,
                message,
            } => {
                format!("{user} in {group}: {}", message.text)
            }
            Self::AddFriend { user } => format!("{user} adds the bot"),
            Self::RemoveFriend { user } => format!("{user} removes the bot"),
            Self::RejectMessages { user } => format!("{user} switches proactive messages off"),
            Self::AcceptMessages { user } => format!("{user} switches proactive messages on"),
            Self::AddToGroup { group, user } => format!("{user} adds the bot to {group}"),
            Self::RemoveFromGroup { group, user } => format!("{user} removes the bot from {group}"),
            Self::GroupRejectMessages { group, user } => {
                format!("{user} switches proactive messages off in {group}")
            }
            Self::GroupAcceptMessages { group, user } => {
                format!("{user} switches proactive messages on in {group}")
            }
            Self::ChannelAt { at, message } => format!("{at}: @bot {}", message.text),
            Self::ChannelPlain { at, message } => format!("{at}: {}", message.text),
            Self::Dm { at, message } => format!("{at}, privately: {}", message.text),
            Self::AddToGuild(at) => format!("{at} adds the bot"),
            Self::RemoveFromGuild(at) => format!("{at} removes the bot"),
            Self::UpdateGuild(at) => format!("{at} changes the guild"),
            Self::AddChannel(at) => format!("{at} makes the channel"),
            Self::UpdateChannel(at) => format!("{at} changes the channel"),
            Self::DeleteChannel(at) => format!("{at} deletes the channel"),
            Self::JoinGuild(at) => format!("{at} joins"),
            Self::UpdateMember(at) => format!("{at} changes their name"),
            Self::LeaveGuild(at) => format!("{at} leaves"),
            Self::SetGroupMode { group, mode } => format!("{group} is now in mode {mode:?}"),
            other => other.rest(),
        }
    }

    /// The acts on messages, and those of groups that are no relation to the bot.
    fn rest(&self) -> String {
        match self {
            Self::DeleteMessage { user, message_id } => format!("{user} deletes {message_id}"),
            Self::React {
                user,
                emoji,
                remove,
                ..
            } => {
                let verb = if *remove { "takes back" } else { "reacts with" };
                format!("{user} {verb} {}", emoji.key())
            }
            Self::Press { user, button, .. } => format!("{user} presses {button}"),
            Self::Operate {
                user, button, on, ..
            } => {
                let verb = if *on { "presses" } else { "takes back" };
                format!("{user} {verb} {}", button.name())
            }
            Self::Interact { user, kind, .. } => {
                format!("{user} makes an interaction of type {kind}")
            }
            Self::JoinGroup(at) => format!("{at} joins"),
            Self::LeaveGroup(at) => format!("{at} leaves"),
            Self::RequestToJoin { at, text } => format!("{at} asks to join: {text}"),
            Self::SetRole { group, user, role } => {
                let who = user.as_ref().map_or("the bot", |user| user.as_str());
                format!("{who} is now {} of {group}", role.wire())
            }
            Self::MuteBot { group, muted } => format!("the bot in {group}: muted {muted}"),
            Self::Judge { pass, .. } => format!("an audit is decided: passes {pass}"),
            Self::Event { name, .. } => format!("event {name}"),
            _ => String::new(),
        }
    }
}

impl fmt::Display for InGuild {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} in {}", self.user, self.guild)
    }
}

impl fmt::Display for InChannel {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} in {}/{}", self.user, self.guild, self.channel)
    }
}

impl fmt::Display for InGroup {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} in {}", self.user, self.group)
    }
}
