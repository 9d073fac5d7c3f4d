//! The one internal message that everything becomes which the agent may answer: a message of any scene, a button
//! that was pressed, a reaction, or a notice that something happened.
//!
//! Here is what it is and what the agent reads of it; how each comes about is in the files of this folder.

use serde::{Deserialize, Serialize};

use crate::bindings::{Attachment, MediaKind, Occasion, Quote, Sender, TurnMessage};
use crate::config::Config;
use crate::ids::{MessageId, OpenId};
use crate::scene::Scene;

mod attached;
mod cards;
pub(crate) mod content;
pub mod faces;
mod message;
mod occasion;
mod quote;
pub mod recent;
mod words;

use recent::Recent;

/// Bytes of a text: far more than anybody may write.
const TEXT_BYTES: usize = 40 << 10;
/// Bytes of a quoted text.
const QUOTED_BYTES: usize = 12 << 10;
/// Attachments of one message.
const ATTACHED: usize = 16;
/// Bytes of their addresses and of what was heard in them, all together.
const ATTACHED_BYTES: usize = 16 << 10;
/// Bytes of what else is stored of a message: ids, names and the keys of JSON.
const ELSE_BYTES: usize = 1 << 10;
/// Bytes of an index: a longer one names nothing.
const INDEX_BYTES: usize = 256;

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
    /// What was said before it, where the event has that. Context for the agent, and not stored with the turn.
    #[serde(skip)]
    pub before: Vec<Before>,
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

/// A message that was said before the one that addressed the bot.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Before {
    /// Its index, by which it is taken once.
    pub index: String,
    /// Who wrote it; empty when unknown.
    pub author: String,
    /// True when a bot wrote it.
    pub by_bot: bool,
    /// Its text.
    pub text: String,
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
    /// The key of the conversation: in a group, the person's own unless the operator wants one for all.
    #[must_use]
    pub fn conversation(&self, config: &Config) -> String {
        conversation_key(
            config,
            self.scene,
            self.target.as_str(),
            self.sender.as_str(),
        )
    }

    /// Platform wall-clock milliseconds after which it cannot be replied to.
    #[must_use]
    pub fn deadline_ms(&self) -> u64 {
        self.sent_ms.saturating_add(self.scene.window_ms())
    }

    /// Fills in what the event left out about the message that is quoted, as it is remembered at this moment. A reply to a message of the bot's own
    /// addresses it, even where nobody is mentioned.
    pub fn resolve(&mut self, recent: &mut Recent, wall_ms: u64) {
        let Some(quoted) = &mut self.quoted else {
            return;
        };
        let Some(known) = recent.find(wall_ms, self.scene, self.target.as_str(), &quoted.index)
        else {
            return;
        };
        quoted.by_bot = known.own.is_some();
        self.addressed |= quoted.by_bot;
        if quoted.text.is_empty() {
            quoted.text.clone_from(&known.text);
        }
        if quoted.author.is_empty() {
            quoted.author.clone_from(&known.author);
        }
    }

    /// The same within its bounds, so that what is stored of it fits into
    /// [`MESSAGE_BYTES`](crate::turns::room::MESSAGE_BYTES). What is cut ends with an ellipsis. Control characters go: six
    /// bytes are stored for each, and nobody types them.
    pub(crate) fn bounded(mut self) -> Self {
        keep_typed(&mut self.text);
        cut_bytes(&mut self.text, TEXT_BYTES);
        if let Some(quoted) = &mut self.quoted {
            keep_typed(&mut quoted.text);
            cut_bytes(&mut quoted.text, QUOTED_BYTES);
        }
        for name in [&mut self.index, &mut self.guild] {
            if name.len() > INDEX_BYTES {
                name.clear();
            }
        }
        let more = self.attached.len().saturating_sub(ATTACHED);
        self.attached.truncate(ATTACHED);
        let mut left = ATTACHED_BYTES;
        for attached in &mut self.attached {
            keep_typed(&mut attached.transcript);
            if attached.url.len() + attached.transcript.len() > left {
                attached.url.clear();
                attached.transcript.clear();
                attached.missing = "this message has too much attached".to_owned();
            }
            left -= attached.url.len() + attached.transcript.len();
        }
        if let Some(last) = self.attached.last_mut().filter(|_| more > 0) {
            last.missing = format!("{more} more attachments of this message are left out");
        }
        self
    }

    /// Bytes that storing it takes, as far as they can be known before.
    #[must_use]
    pub(crate) fn stored_bytes(&self) -> usize {
        let attached = self
            .attached
            .iter()
            .map(|it| it.url.len() + it.transcript.len() + it.name.len());
        let quoted = self.quoted.as_ref().map_or(0, |quoted| quoted.text.len());
        self.text.len() + quoted + attached.sum::<usize>() + ELSE_BYTES
    }

    /// Forgets what was written: the agent has it, and nobody else needs it. The bytes that are attached stay.
    pub(crate) fn forget_words(&mut self) {
        self.text = String::new();
        self.quoted = None;
        self.before = Vec::new();
        for attached in &mut self.attached {
            attached.url = String::new();
            attached.transcript = String::new();
        }
    }

    /// Forgets everything but who wrote where, for a message without bytes of its own.
    pub(crate) fn forget_content(&mut self) {
        self.forget_words();
        self.attached = Vec::new();
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

/// Takes control characters out, but for line breaks and tabs.
fn keep_typed(text: &mut String) {
    let typed = |character: char| !character.is_control() || matches!(character, '\n' | '\t');
    if !text.chars().all(typed) {
        text.retain(typed);
    }
}

/// Keeps at most this many bytes of a text, the last of them an ellipsis when something is missing.
fn cut_bytes(text: &mut String, bytes: usize) {
    if text.len() > bytes {
        text.truncate(text.floor_char_boundary(bytes.saturating_sub("…".len())));
        text.push('…');
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

/// The key of a person's conversation in a place.
#[must_use]
pub fn conversation_key(config: &Config, scene: Scene, target: &str, sender: &str) -> String {
    let (app, word) = (&config.app_id, scene.word());
    match scene {
        Scene::Group | Scene::Channel if !config.share_group_history => {
            format!("qq:{app}:{word}:{target}:{sender}")
        }
        _ => format!("qq:{app}:{word}:{target}"),
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
