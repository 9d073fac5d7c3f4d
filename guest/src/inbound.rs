//! From a message event to one internal message: scene, target, sender, clean text, attachments, names for dedup.

use serde::{Deserialize, Serialize};

use crate::bindings::{Attachment, MediaKind, Occasion, Quote, Sender, TurnMessage};
use crate::config::Config;
use crate::events::message::{self, Message};
use crate::ids::{MessageId, OpenId};
use crate::scene::Scene;

pub(crate) mod content;

/// An inbound message of any scene.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Inbound {
    /// What made it.
    #[serde(default = "message_occasion")]
    pub occasion: Occasion,
    /// What its id is to a reply.
    #[serde(default)]
    pub anchor: Anchor,
    /// Where it was written.
    pub scene: Scene,
    /// Where an answer goes: the person, the group, the channel, or the guild of a direct message session.
    pub target: OpenId,
    /// The guild it was written in; empty outside guilds.
    #[serde(default)]
    pub guild: String,
    /// The message's id; for what an event made, the outer id of the event, prefix and all.
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

/// What the id of an [`Inbound`] is to a reply (`PROTOCOL.md`, "Passive replies").
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Anchor {
    /// The id of a message: sent as `msg_id`.
    #[default]
    Message,
    /// The id of an event: sent as `event_id`.
    Event,
    /// Nothing that can be replied to: a reply goes out on the bot's own account.
    Nothing,
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
    /// Its index, or in guilds its message id, under which it may be known; empty when there is none.
    #[serde(default)]
    pub index: String,
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
    /// Where its bytes are, with a scheme; empty when nowhere. It carries a capability: for requests, not for logs.
    #[serde(default)]
    pub url: String,
    /// Bytes, as the event says; 0 when it does not.
    #[serde(default)]
    pub size: u64,
    /// The blob that holds the bytes, once they were fetched.
    #[serde(default)]
    pub blob: Option<u64>,
    /// Why there are no bytes, as a sentence for the agent; empty while they may be fetched.
    #[serde(default)]
    pub missing: String,
}

fn message_occasion() -> Occasion {
    Occasion::Message
}

impl Attached {
    /// The address to fetch, for what has no bytes yet and may have.
    #[must_use]
    pub fn wanted(&self) -> Option<&str> {
        (self.blob.is_none() && self.missing.is_empty() && !self.url.is_empty())
            .then_some(self.url.as_str())
    }

    fn missing_for_agent(&self) -> Option<String> {
        match (self.blob, self.missing.as_str()) {
            (Some(_), _) => None,
            (None, "") => Some("it was not fetched".to_owned()),
            (None, why) => Some(why.to_owned()),
        }
    }
}

struct Place {
    scene: Scene,
    target: String,
    guild: String,
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
        let place = Place {
            scene: Scene::C2c,
            target: sender.clone(),
            guild: String::new(),
        };
        let text = content::clean(&message.content, &message.mentions);
        Self::build(place, sender, true, text, message, platform_ms)
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
        let place = Place {
            scene: Scene::Group,
            target: message.group_openid.clone(),
            guild: String::new(),
        };
        let text = content::clean(&message.content, &message.mentions);
        Self::build(
            place,
            sender,
            addressed || mentioned,
            text,
            message,
            platform_ms,
        )
    }

    /// A message in a channel of a guild. `addressed` says what the event's name says; a message that a bot of
    /// the private domain merely hears is addressed when it mentions `bot_id`.
    ///
    /// # Errors
    /// When there is nothing to answer.
    pub fn channel(
        body: &str,
        addressed: bool,
        bot_id: &str,
        platform_ms: u64,
    ) -> Result<Self, NotAMessage> {
        let message = message::read(body).ok_or(NotAMessage::Incomplete)?;
        let mentioned = mentions_bot(&message, bot_id);
        let place = Place {
            scene: Scene::Channel,
            target: message.channel_id.clone(),
            guild: message.guild_id.clone(),
        };
        Self::of_guild(place, addressed || mentioned, bot_id, message, platform_ms)
    }

    /// A direct message of a guild.
    ///
    /// # Errors
    /// When there is nothing to answer.
    pub fn dm(body: &str, bot_id: &str, platform_ms: u64) -> Result<Self, NotAMessage> {
        let message = message::read(body).ok_or(NotAMessage::Incomplete)?;
        // Answers go to the session, which has a guild id of its own; the guild that it came from is another one.
        let guild = first_filled([&message.src_guild_id, &message.guild_id]);
        let place = Place {
            scene: Scene::Dm,
            target: message.guild_id.clone(),
            guild,
        };
        Self::of_guild(place, true, bot_id, message, platform_ms)
    }

    fn of_guild(
        place: Place,
        addressed: bool,
        bot_id: &str,
        message: Message,
        platform_ms: u64,
    ) -> Result<Self, NotAMessage> {
        let text = content::clean_guild(&message.content, &message.mentions, bot_id);
        let sender = message.author.id.clone();
        Self::build(place, sender, addressed, text, message, platform_ms)
    }

    fn build(
        place: Place,
        sender: String,
        addressed: bool,
        text: String,
        message: Message,
        platform_ms: u64,
    ) -> Result<Self, NotAMessage> {
        if message.author.bot {
            return Err(NotAMessage::FromABot);
        }
        if place.target.is_empty() || sender.is_empty() {
            return Err(NotAMessage::Incomplete);
        }
        let quoted = quoted(&message);
        let attached: Vec<Attached> = message.attachments.iter().map(attached).collect();
        // A bare @ is a message: the bot was called.
        if text.is_empty()
            && attached.is_empty()
            && quoted.is_none()
            && (!addressed || place.scene.private())
        {
            return Err(NotAMessage::Empty);
        }
        Ok(Self {
            occasion: Occasion::Message,
            anchor: Anchor::Message,
            scene: place.scene,
            target: OpenId(place.target),
            guild: place.guild,
            index: message
                .message_scene
                .get("msg_idx")
                .unwrap_or_default()
                .to_owned(),
            id: MessageId(message.id),
            sender: OpenId(sender),
            sender_name: first_filled([&message.member.nick, &message.author.username]),
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
            Scene::Group | Scene::Channel if !config.share_group_history => {
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
            occasion: self.occasion,
            platform_id: self.id.0.clone(),
            scene: self.scene.word().to_owned(),
            private: self.scene.private(),
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
                    blob: attached.blob,
                    transcript: filled(&attached.transcript),
                    missing: attached.missing_for_agent(),
                })
                .collect(),
            sent_wall_ms: self.sent_ms,
        }
    }
}

/// The bot stands in the list of mentions, or in the text.
fn mentions_bot(message: &Message, bot_id: &str) -> bool {
    let known = !bot_id.is_empty();
    let listed = |mention: &message::Mention| mention.is_you || (known && mention.id == bot_id);
    message.mentions.iter().any(listed)
        || (known
            && ["@!", "@"]
                .iter()
                .any(|at| message.content.contains(&format!("<{at}{bot_id}>"))))
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
    let index = message.message_scene.get("ref_msg_idx")?;
    let element = message.msg_elements.first();
    Some(Quoted {
        author: element
            .map(|element| element.author.username.clone())
            .unwrap_or_default(),
        text: element
            .map(|element| content::clean(&element.content, &[]))
            .unwrap_or_default(),
        by_bot: element.is_some_and(|element| element.author.bot),
        index: index.to_owned(),
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
        url: String::new(),
        size: 0,
        blob: None,
        missing: "the event does not say where it is".to_owned(),
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
