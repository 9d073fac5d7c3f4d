//! Planning an answer: what the agent said, cut into as many messages as one inbound message pays for.

use serde::Serialize;

use crate::bindings::{AnswerPart, MediaSource, Outcome};
use crate::config::Config;
use crate::delivery::{Answer, split};
use crate::ids::MessageId;
use crate::inbound::content::escape_guild;
use crate::scene::Scene;
use crate::texts::{self, Text};
use crate::turns::Turn;

/// The messages of an answer. More text than the slots hold is cut, and the last message says so.
#[must_use]
pub fn answer(turn: &Turn, parts: &[AnswerPart], config: &Config) -> Answer {
    let text = format!("{}{}", turn.ahead, as_text(parts));
    if text.trim().is_empty() {
        return Answer::nothing(Outcome::Silent);
    }
    let slots = turn.inbound.scene.slots(config) as usize;
    let mut texts = split::split(&text, config.message_chars);
    if texts.len() > slots {
        texts.truncate(slots);
        if let Some(last) = texts.last_mut() {
            let note = texts::text(config.language, Text::Cut);
            let room = config.message_chars.saturating_sub(split::length(note));
            *last = format!("{}{note}", split::prefix(last, room));
        }
    }
    Answer::of(texts, Outcome::Sent)
}

/// A text of the bot's own in place of an answer.
#[must_use]
pub fn apology(config: &Config, text: Text, means: Outcome) -> Answer {
    Answer::of(vec![texts::text(config.language, text).to_owned()], means)
}

/// An answer as text alone: what cannot be shown is named, and never silently left out.
#[must_use]
pub fn as_text(parts: &[AnswerPart]) -> String {
    let shown: Vec<String> = parts
        .iter()
        .map(|part| match part {
            AnswerPart::Text(text) => text.clone(),
            AnswerPart::Media(media) => {
                let what = match &media.source {
                    MediaSource::Blob(info) => {
                        info.name.clone().unwrap_or_else(|| info.media_type.clone())
                    }
                    MediaSource::Url(url) => url.clone(),
                };
                format!("[{what}] {}", media.caption.as_deref().unwrap_or_default())
            }
            AnswerPart::Card(json) => json.clone(),
        })
        .collect();
    shown.join("\n\n")
}

#[derive(Serialize)]
struct TextBody<'a> {
    msg_type: u8,
    content: &'a str,
    msg_id: &'a str,
    msg_seq: u32,
}

/// In guilds: no type, no number, and text that the platform un-escapes.
#[derive(Serialize)]
struct GuildTextBody<'a> {
    content: &'a str,
    msg_id: &'a str,
}

/// Body of a text message that replies to an inbound one.
#[must_use]
pub fn text_body(scene: Scene, content: &str, msg_id: &MessageId, msg_seq: u32) -> String {
    if scene.of_guild() {
        let body = GuildTextBody {
            content: &escape_guild(content),
            msg_id: msg_id.as_str(),
        };
        return serde_json::to_string(&body).unwrap_or_default();
    }
    let body = TextBody {
        msg_type: 0,
        content,
        msg_id: msg_id.as_str(),
        msg_seq,
    };
    // Strings and numbers under literal keys: writing them cannot fail.
    serde_json::to_string(&body).unwrap_or_default()
}
