//! What QQ users do, by name: the input of people, tests and load generators.

use serde::{Deserialize, Serialize};
use thiserror::Error;

use crate::ids::{AppId, EventId, GroupName, MessageId, Openid, RefIdx, UserName};
use crate::settings::{BodyShape, GroupMode};
use crate::time::TimestampForm;

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
}

/// A message that a user is about to send.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Draft {
    /// The text.
    pub text: String,
    /// Files, pictures, voice.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub attachments: Vec<Attachment>,
    /// The index of the message that is quoted.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub quote: Option<RefIdx>,
    /// The body shape of this message, if not that of the settings.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub shape: Option<BodyShape>,
    /// The timestamp form of this message, if not that of the settings.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub timestamp: Option<TimestampForm>,
}

impl From<&str> for Draft {
    fn from(text: &str) -> Self {
        Self {
            text: text.to_owned(),
            ..Self::default()
        }
    }
}

/// An attachment of an event, with the field names of the wire.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Attachment {
    /// `image/jpeg`, `voice`, `file`, … (not always a media type).
    pub content_type: String,
    /// File name.
    pub filename: String,
    /// Where it can be fetched: with scheme, `//host/…` or `host/…`.
    pub url: String,
    /// Bytes.
    pub size: u64,
    /// Pixels, for pictures and video.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub width: Option<u32>,
    /// Pixels, for pictures and video.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub height: Option<u32>,
    /// The WAV rendition, for voice.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub voice_wav_url: Option<String>,
    /// The platform's own transcript, for voice.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub asr_refer_text: Option<String>,
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
    /// Whom the bot addresses to answer: the user's openid in C2C, the group's in groups.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub target: Option<Openid>,
    /// The author's openid as the event shows it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub author: Option<Openid>,
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

    /// A group message of text without a mention.
    pub fn group_plain(group: &str, user: &str, text: &str) -> Self {
        Self::GroupPlain {
            group: group.into(),
            user: user.into(),
            message: text.into(),
        }
    }

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
            Self::SetGroupMode { group, mode } => format!("{group} is now in mode {mode:?}"),
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
