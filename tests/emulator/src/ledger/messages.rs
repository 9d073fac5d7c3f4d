//! The messages of the ledger, and what becomes of them.

use std::collections::BTreeMap;
use std::fmt;
use std::sync::Arc;

use serde::Serialize;
use serde_json::Value;

use crate::actions::Attachment;
use crate::ids::{
    AppId, ChannelName, EventId, GroupName, GuildName, MessageId, Openid, RefIdx, SessionId,
    UserName,
};
use crate::time::Millis;

/// Where a message was said.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Scene {
    /// The 1:1 chat in the message list.
    C2c,
    /// A QQ group.
    Group,
    /// A text channel of a guild.
    Channel,
    /// A direct message session of a guild.
    Dm,
}

impl Scene {
    /// Whether this scene belongs to guilds, with their endpoints, ids and rules.
    #[must_use]
    pub fn is_guild(self) -> bool {
        matches!(self, Self::Channel | Self::Dm)
    }
}

/// A message of a user.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct UserMessage {
    /// Numbered from 0 without gaps, over all bots.
    pub n: u64,
    /// Its id.
    pub id: MessageId,
    /// The bot it was said to.
    pub app: AppId,
    /// Where.
    pub scene: Scene,
    /// Who.
    pub user: UserName,
    /// In which group.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub group: Option<GroupName>,
    /// In which guild.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub guild: Option<GuildName>,
    /// In which channel of the guild.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub channel: Option<ChannelName>,
    /// What the bot addresses to answer.
    pub target: Openid,
    /// Its index, by which it is quoted in C2C and groups.
    pub index: RefIdx,
    /// The author's id as events show it.
    pub author: Openid,
    /// What, as the user typed it.
    pub text: String,
    /// The message that is quoted: an index in C2C and groups, an id in guild scenes.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub quote: Option<String>,
    /// Others that are mentioned.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub mentions: Vec<UserName>,
    /// What was attached.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub attachments: Vec<Attachment>,
    /// Whether it was directed at the bot.
    pub addressed: bool,
    /// When.
    pub at: Millis,
    /// A second id under which it was pushed, too.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub second_id: Option<MessageId>,
    /// Every time that it was put into a session.
    pub deliveries: Vec<Delivery>,
    /// Numbers of the bot's messages that answer it.
    pub replies: Vec<u64>,
}

/// An event put into the log of a session, and sent there as soon as a connection allows.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Delivery {
    /// The session.
    pub session: SessionId,
    /// Its sequence number there.
    pub s: u64,
    /// The outer id of the event.
    pub event: EventId,
}

/// A message of the bot that the platform accepted.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct BotMessage {
    /// Numbered from 0 without gaps, over all bots.
    pub n: u64,
    /// Its id.
    pub id: MessageId,
    /// Its index, by which it is quoted in C2C and groups.
    pub index: RefIdx,
    /// The bot.
    pub app: AppId,
    /// Where.
    pub scene: Scene,
    /// Where it was sent to: an openid, a channel's id, or a direct message session's.
    pub target: Openid,
    /// The name of the user in C2C and direct messages.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub user: Option<UserName>,
    /// The name of the group in groups.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub group: Option<GroupName>,
    /// In which guild.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub guild: Option<GuildName>,
    /// In which channel of the guild.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub channel: Option<ChannelName>,
    /// What it answers; none if proactive.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub reply_to: Option<ReplyTo>,
    /// `msg_seq`, 1 if it was missing.
    pub msg_seq: u32,
    /// What kind of message.
    pub form: BotForm,
    /// What a user reads: the text or the Markdown source.
    pub text: String,
    /// The message that is quoted: an index in C2C and groups, an id in guild scenes.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub quote: Option<String>,
    /// The picture, voice, video or file that it carries.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub media: Option<MediaView>,
    /// The stream that it grew from.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub stream: Option<String>,
    /// Its ark or embed, as it was sent.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub card: Option<Value>,
    /// Its keyboard, as it was sent.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub keyboard: Option<Value>,
    /// The keyboard of suggestions that it brings, as it was sent.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub prompt: Option<Value>,
    /// The buttons of its own (`action_button`), as they were sent.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub buttons: Option<Value>,
    /// Accepted, and never shown to anyone.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pub hidden: bool,
    /// The request body as it came.
    pub body: Arc<str>,
    /// When.
    pub at: Millis,
    /// Which of the slots of what it answers it took, from 1.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub slot: Option<u32>,
}

/// What a passive message answers.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum ReplyTo {
    /// A message of a user.
    MsgId(MessageId),
    /// An event, by its outer id.
    EventId(EventId),
}

impl fmt::Display for ReplyTo {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::MsgId(id) => id.fmt(f),
            Self::EventId(id) => id.fmt(f),
        }
    }
}

/// The kinds of messages that a bot sends.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum BotForm {
    /// `msg_type` 0.
    Text,
    /// `msg_type` 2.
    Markdown,
    /// `msg_type` 6: "is typing", seen but not read.
    Typing,
    /// A card from a template.
    Ark,
    /// An embed, in guild scenes.
    Embed,
    /// `msg_type` 7, or a picture in guild scenes.
    Media,
    /// Streamed, in C2C.
    Stream,
}

/// A picture, voice, video or file that a bot sent.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct MediaView {
    /// 1 picture, 2 video, 3 voice, 4 file: what it is shown as.
    pub file_type: u8,
    /// Its name.
    pub name: String,
    /// Bytes, as far as known.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub size: Option<u64>,
    /// Where it can be fetched.
    pub url: String,
}

/// What became of a message after it was sent.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
pub struct Mark {
    /// When it was recalled or deleted.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub recalled: Option<Millis>,
    /// Its text after the last edit.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub edited: Option<String>,
    /// Who reacted, by `type/id` of the face.
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    pub reactions: BTreeMap<String, Vec<String>>,
    /// Presses of its buttons, as `user: button id`, with what the bot acknowledged.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub presses: Vec<String>,
}
