//! From a message event to one internal message: scene, target, sender, clean text, attachments, names for dedup.

use serde::{Deserialize, Serialize};

use crate::bindings::{Attachment, MediaKind, Quote, Sender, TurnMessage};
use crate::config::Config;
use crate::events::message::{self, Message};
use crate::ids::{MessageId, OpenId};

mod content;

/// The kind of place that a message was written in.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Scene {
    /// A private chat.
    C2c,
    /// A QQ group.
    Group,
}

impl Scene {
    /// The word for status, logs and the agent.
    #[must_use]
    pub fn word(self) -> &'static str {
        match self {
            Self::C2c => "c2c",
            Self::Group => "group",
        }
    }

    /// Milliseconds in which a message may be replied to (`PROTOCOL.md`, "Passive replies").
    #[must_use]
    pub fn window_ms(self) -> u64 {
        match self {
            Self::C2c => 60 * 60_000,
            Self::Group => 5 * 60_000,
        }
    }

    /// How many replies one message allows.
    #[must_use]
    pub fn slots(self, config: &Config) -> u32 {
        match self {
            Self::C2c => config.replies_c2c,
            Self::Group => config.replies_group,
        }
    }
}

/// An inbound message of any scene.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Inbound {
    /// Where it was written.
    pub scene: Scene,
    /// Where an answer goes: the person, or the group.
    pub target: OpenId,
    /// Its id.
    pub id: MessageId,
    /// Its index, empty when the platform gave none.
    pub index: String,
    /// Who wrote it.
    pub sender: OpenId,
    /// Display name; often empty.
    pub sender_name: String,
    /// Role in the group; empty in private chats.
    pub sender_role: String,
    /// True when the bot is meant.
    pub addressed: bool,
    /// The text without markup.
    pub text: String,
    /// The text that it quotes, where the event has it.
    pub quoted: Option<Quoted>,
    /// What is attached.
    pub attached: Vec<Attached>,
    /// When it was written, on the platform's clock, wall-clock milliseconds.
    pub sent_ms: u64,
}

/// A quoted message.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Quoted {
    /// Who wrote it; empty when unknown.
    pub author: String,
    /// Its text; empty when it is not available.
    pub text: String,
    /// True when a bot wrote it.
    pub by_bot: bool,
}

/// An attachment, as far as the event describes it.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Attached {
    /// Its kind.
    pub kind: MediaKind,
    /// File name; empty when unknown.
    pub name: String,
    /// What the platform heard in a voice message; empty when nothing.
    pub transcript: String,
}

/// Why an event is not a message for anybody.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum NotAMessage {
    /// It has no id, no sender or no place to answer to.
    Incomplete,
    /// A bot wrote it, perhaps this one.
    FromABot,
    /// It has neither text nor attachments.
    Empty,
}

impl Inbound {
    /// A private message.
    ///
    /// # Errors
    /// When there is nothing to answer.
    pub fn c2c(body: &str, platform_ms: u64) -> Result<Self, NotAMessage> {
        let message = message::read(body).ok_or(NotAMessage::Incomplete)?;
        let sender = first_filled([&message.author.user_openid, &message.author.id]);
        Self::build(
            Scene::C2c,
            sender.clone(),
            sender,
            true,
            message,
            platform_ms,
        )
    }

    /// A message in a group. `addressed` says what the event's name says; a message of the full mode is
    /// addressed when one of its mentions is this bot.
    ///
    /// # Errors
    /// When there is nothing to answer.
    pub fn group(body: &str, addressed: bool, platform_ms: u64) -> Result<Self, NotAMessage> {
        let message = message::read(body).ok_or(NotAMessage::Incomplete)?;
        let sender = first_filled([&message.author.member_openid, &message.author.id]);
        let mentioned = message
            .mentions
            .iter()
            .any(|mention| mention.is_you && mention.scope != "all");
        let target = message.group_openid.clone();
        Self::build(
            Scene::Group,
            target,
            sender,
            addressed || mentioned,
            message,
            platform_ms,
        )
    }

    fn build(
        scene: Scene,
        target: String,
        sender: String,
        addressed: bool,
        message: Message,
        platform_ms: u64,
    ) -> Result<Self, NotAMessage> {
        if message.author.bot {
            return Err(NotAMessage::FromABot);
        }
        if target.is_empty() || sender.is_empty() {
            return Err(NotAMessage::Incomplete);
        }
        let text = content::clean(&message.content, &message.mentions);
        let quoted = quoted(&message);
        let attached: Vec<Attached> = message.attachments.iter().map(attached).collect();
        // A bare @ is a message: the bot was called.
        if text.is_empty()
            && attached.is_empty()
            && quoted.is_none()
            && !(addressed && scene == Scene::Group)
        {
            return Err(NotAMessage::Empty);
        }
        Ok(Self {
            scene,
            target: OpenId(target),
            index: message
                .message_scene
                .get("msg_idx")
                .unwrap_or_default()
                .to_owned(),
            id: MessageId(message.id),
            sender: OpenId(sender),
            sender_name: message.author.username,
            sender_role: message.author.member_role,
            addressed,
            text,
            quoted,
            attached,
            // A clock that is ahead of ours cannot have written in our future.
            sent_ms: message::timestamp_ms(&message.timestamp)
                .unwrap_or(platform_ms)
                .min(platform_ms),
        })
    }

    /// The key of the conversation: in a group, the person's own unless the operator wants one for all.
    #[must_use]
    pub fn conversation(&self, config: &Config) -> String {
        let (app, scene) = (&config.app_id, self.scene.word());
        match self.scene {
            Scene::Group if !config.share_group_history => {
                format!("qq:{app}:{scene}:{}:{}", self.target, self.sender)
            }
            _ => format!("qq:{app}:{scene}:{}", self.target),
        }
    }

    /// Platform wall-clock milliseconds after which it cannot be replied to.
    #[must_use]
    pub fn deadline_ms(&self) -> u64 {
        self.sent_ms.saturating_add(self.scene.window_ms())
    }

    /// The message as the agent reads it.
    #[must_use]
    pub fn for_agent(&self) -> TurnMessage {
        TurnMessage {
            platform_id: self.id.0.clone(),
            scene: self.scene.word().to_owned(),
            private: self.scene == Scene::C2c,
            addressed: self.addressed,
            sender: Sender {
                id: self.sender.0.clone(),
                name: filled(&self.sender_name),
                role: filled(&self.sender_role),
                bot: false,
            },
            text: self.text.clone(),
            quoted: self.quoted.as_ref().map(|quoted| Quote {
                author: filled(&quoted.author),
                text: filled(&quoted.text),
                by_bot: quoted.by_bot,
            }),
            attachments: self
                .attached
                .iter()
                .map(|attached| Attachment {
                    kind: attached.kind,
                    name: filled(&attached.name),
                    blob: None,
                    transcript: filled(&attached.transcript),
                    missing: Some("this version does not fetch attachments".to_owned()),
                })
                .collect(),
            sent_wall_ms: self.sent_ms,
        }
    }
}

fn first_filled<const N: usize>(candidates: [&String; N]) -> String {
    candidates
        .into_iter()
        .find(|candidate| !candidate.is_empty())
        .cloned()
        .unwrap_or_default()
}

fn filled(text: &str) -> Option<String> {
    (!text.is_empty()).then(|| text.to_owned())
}

fn quoted(message: &Message) -> Option<Quoted> {
    message.message_scene.get("ref_msg_idx")?;
    let element = message.msg_elements.first();
    Some(Quoted {
        author: element
            .map(|element| element.author.username.clone())
            .unwrap_or_default(),
        text: element
            .map(|element| content::clean(&element.content, &[]))
            .unwrap_or_default(),
        by_bot: element.is_some_and(|element| element.author.bot),
    })
}

fn attached(attachment: &message::Attachment) -> Attached {
    let kind = match attachment
        .content_type
        .split('/')
        .next()
        .unwrap_or_default()
    {
        "image" => MediaKind::Image,
        "video" => MediaKind::Video,
        "voice" => MediaKind::Voice,
        "audio" => MediaKind::Audio,
        _ => MediaKind::Document,
    };
    Attached {
        kind,
        name: attachment.filename.clone(),
        transcript: attachment.asr_refer_text.clone(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const C2C: &str = r#"{"id":"ROBOT1.0_k","author":{"id":"E4","user_openid":"E4","username":""},
        "content":" look ","message_scene":{"ext":["msg_idx=REFIDX_C=="]},
        "attachments":[{"content_type":"image/jpeg","filename":"A.jpg"}],"timestamp":"2026-07-21T10:30:00+08:00"}"#;

    #[test]
    fn a_private_message_is_read() {
        let inbound = Inbound::c2c(C2C, 1_800_000_000_000).unwrap();
        assert_eq!(
            (
                inbound.target.as_str(),
                inbound.text.as_str(),
                inbound.index.as_str()
            ),
            ("E4", "look", "REFIDX_C==")
        );
        assert_eq!(inbound.attached[0].kind, MediaKind::Image);
        assert_eq!(inbound.deadline_ms() - inbound.sent_ms, 3_600_000);
    }

    #[test]
    fn a_picture_without_text_is_a_message() {
        let body = C2C.replace(" look ", " ");
        assert_eq!(Inbound::c2c(&body, 0).unwrap().text, "");
        let empty = r#"{"id":"m","author":{"user_openid":"E4"},"content":"  "}"#;
        assert_eq!(Inbound::c2c(empty, 0).unwrap_err(), NotAMessage::Empty);
    }

    #[test]
    fn in_full_mode_only_a_mention_of_the_bot_itself_addresses_it() {
        let body = |mention: &str| {
            format!(
                r#"{{"id":"m","author":{{"member_openid":"A"}},"group_openid":"G","content":"<@0F> hello","mentions":[{mention}]}}"#
            )
        };
        let you = Inbound::group(
            &body(r#"{"id":"0F","is_you":true,"scope":"single"}"#),
            false,
            9,
        )
        .unwrap();
        assert!(you.addressed);
        assert_eq!((you.text.as_str(), you.sent_ms), ("hello", 9));
        assert!(
            !Inbound::group(&body(r#"{"scope":"all","is_you":true}"#), false, 9)
                .unwrap()
                .addressed
        );
        assert!(Inbound::group(&body(""), true, 9).unwrap().addressed);
    }

    #[test]
    fn other_bots_are_not_answered() {
        let body = r#"{"id":"m","author":{"member_openid":"A","bot":true},"group_openid":"G","content":"hi"}"#;
        assert_eq!(
            Inbound::group(body, true, 0).unwrap_err(),
            NotAMessage::FromABot
        );
    }
}
