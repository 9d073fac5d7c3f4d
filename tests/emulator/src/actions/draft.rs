//! What goes along with an act: messages, places, faces.

use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::ids::{ChannelName, GroupName, GuildName, MessageId, RefIdx, UserName};
use crate::settings::BodyShape;
use crate::time::TimestampForm;

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
    /// The message that is quoted in a guild scene.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub reply: Option<MessageId>,
    /// Forwarded records, as the texts of the messages in them.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub forward: Vec<String>,
    /// A card, as `ark_data` has it (C2C and groups).
    #[serde(skip_serializing_if = "Option::is_none")]
    pub ark: Option<Value>,
    /// Names of other users that are mentioned (groups and channels).
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub mentions: Vec<UserName>,
    /// The body shape of this message, if not that of the settings.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub shape: Option<BodyShape>,
    /// The timestamp form of this message, if not that of the settings.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub timestamp: Option<TimestampForm>,
}

impl Draft {
    /// What is quoted: an index, or in guild scenes an id.
    #[must_use]
    pub fn quoted(&self) -> Option<String> {
        let index = self.quote.as_ref().map(ToString::to_string);
        index.or_else(|| self.reply.as_ref().map(ToString::to_string))
    }
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
    /// The id of a file that was uploaded to the emulator; the rest is filled in from it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub file: Option<String>,
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

/// A user in a guild.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct InGuild {
    /// The guild.
    pub guild: GuildName,
    /// The user.
    pub user: UserName,
}

/// A user in a channel of a guild.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct InChannel {
    /// The guild.
    pub guild: GuildName,
    /// The channel.
    pub channel: ChannelName,
    /// The user.
    pub user: UserName,
}

impl InGuild {
    /// A user in a guild, by name.
    #[must_use]
    pub fn new(guild: &str, user: &str) -> Self {
        Self {
            guild: guild.into(),
            user: user.into(),
        }
    }
}

impl InChannel {
    /// A user in a channel, by name.
    #[must_use]
    pub fn new(guild: &str, channel: &str, user: &str) -> Self {
        Self {
            guild: guild.into(),
            channel: channel.into(),
            user: user.into(),
        }
    }
}

/// A user in a group.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct InGroup {
    /// The group.
    pub group: GroupName,
    /// The user.
    pub user: UserName,
}

/// A face: type 1 is a QQ face with its number, type 2 a Unicode emoji as decimal code point.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct Emoji {
    /// 1 or 2.
    #[serde(rename = "type")]
    pub kind: u32,
    /// The number.
    pub id: String,
}

impl Emoji {
    /// As marks and the terminal write it: `1/277`.
    #[must_use]
    pub fn key(&self) -> String {
        format!("{}/{}", self.kind, self.id)
    }
}

/// What the buttons that a message has of its own do.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Operation {
    /// Say that it is good.
    Like,
    /// Say that it is not.
    Dislike,
    /// Have it written again.
    Again,
    /// Have it end where it is.
    Stop,
}

impl Operation {
    /// Its name, for people.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Like => "like",
            Self::Dislike => "dislike",
            Self::Again => "again",
            Self::Stop => "stop",
        }
    }

    /// The field of `action_button` that offers it.
    #[must_use]
    pub fn field(self) -> &'static str {
        match self {
            Self::Like | Self::Dislike => "feedback",
            Self::Again => "re_generate",
            Self::Stop => "stop_generate",
        }
    }

    /// `feedback_opt`, of an opinion.
    #[must_use]
    pub fn opinion(self) -> Option<&'static str> {
        match self {
            Self::Like => Some("LIKE"),
            Self::Dislike => Some("UNLIKE"),
            Self::Again | Self::Stop => None,
        }
    }
}

/// A role in a group.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Role {
    /// Who made the group.
    Owner,
    /// Who helps.
    Admin,
    /// Everyone else.
    #[default]
    Member,
}

impl Role {
    /// As `member_role` has it.
    #[must_use]
    pub fn wire(self) -> &'static str {
        match self {
            Self::Owner => "owner",
            Self::Admin => "admin",
            Self::Member => "member",
        }
    }
}
