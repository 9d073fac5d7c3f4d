//! Bodies of message events, in every shape seen in the wild (`PROTOCOL.md`, "Messages").

use serde_json::Value;

use super::fields::{self, Fields, cut};

/// How deep quoted and forwarded messages are read.
const DEPTH: usize = 4;
/// Characters of a text: far more than the platform lets anybody write.
const TEXT_CHARS: usize = 65_536;
/// Characters of an address: what requests are still made with.
const URL_CHARS: usize = 8_192;

/// The body of a message event. Every field but the id may be missing.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Message {
    /// Id, valid as `msg_id`.
    pub id: String,
    /// Who wrote it.
    pub author: Author,
    /// The group, for a group message.
    pub group_openid: String,
    /// The guild; of a direct message, the session.
    pub guild_id: String,
    /// The guild that a direct message session came from.
    pub src_guild_id: String,
    /// The channel, in guilds.
    pub channel_id: String,
    /// The author's name as a member of the guild.
    pub nick: String,
    /// When it was written, wall-clock milliseconds of the platform.
    pub written_ms: Option<u64>,
    /// Where it came from, and its index.
    pub message_scene: SceneInfo,
    /// Who is mentioned.
    pub mentions: Vec<Mention>,
    /// The message that it quotes, in guilds.
    pub reference: String,
    /// What it says.
    pub body: Body,
}

/// What a message says, be it the message itself or one that is quoted or forwarded in it.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Body {
    /// 0 text or media, 3 card, 101 and 102 forwarded, 103 quote.
    pub message_type: u32,
    /// Its text; may be empty or blank when there are attachments.
    pub content: String,
    /// What is attached.
    pub attachments: Vec<Attachment>,
    /// The card that it is.
    pub card: Option<Card>,
    /// Quoted and forwarded messages.
    pub elements: Vec<Element>,
}

/// Author of a message.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Author {
    /// In new shapes, the same as one of the next two.
    pub id: String,
    /// In private messages.
    pub user_openid: String,
    /// In groups; differs from group to group for the same person.
    pub member_openid: String,
    /// `owner`, `admin` or `member`.
    pub member_role: String,
    /// Often empty.
    pub username: String,
    /// True for bots.
    pub bot: bool,
}

/// `message_scene`.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct SceneInfo {
    /// `key=value` strings, `msg_idx` and `ref_msg_idx` among them.
    pub ext: Vec<String>,
}

impl SceneInfo {
    /// The value of a key. Values hold `=` themselves, so the first one divides.
    #[must_use]
    pub fn get(&self, key: &str) -> Option<&str> {
        self.ext
            .iter()
            .filter_map(|pair| pair.split_once('='))
            .find(|(name, _)| *name == key)
            .map(|(_, value)| value)
    }
}

/// One mention.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Mention {
    /// `single` or `all`.
    pub scope: String,
    /// Who, as it stands in the text.
    pub id: String,
    /// The same in groups.
    pub member_openid: String,
    /// Display name.
    pub username: String,
    /// True for this bot.
    pub is_you: bool,
}

/// One attachment.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Attachment {
    /// A media type, or the words `voice` and `file`.
    pub content_type: String,
    /// File name.
    pub filename: String,
    /// Where its bytes are; the scheme may be missing.
    pub url: String,
    /// Where a voice message is in a format that others can read.
    pub voice_wav_url: String,
    /// Bytes; 0 when unknown.
    pub size: u64,
    /// What the platform's speech recognition heard.
    pub asr_refer_text: String,
}

/// A card: something shared from another app or another place in QQ.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Card {
    /// What it is, such as `map` or `miniapp`.
    pub kind: String,
    /// What it is, in the platform's words.
    pub name: String,
    /// One line about it.
    pub prompt: String,
    /// What it holds, by name, in the order of the names.
    pub fields: Vec<(String, String)>,
}

/// A quoted or forwarded message.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Element {
    /// Its index.
    pub index: String,
    /// Who wrote it.
    pub author: Author,
    /// What it says.
    pub body: Body,
}

/// Reads a body. A field of an odd type costs that field and not the message.
///
/// `None` when there is no id: nothing could be answered.
#[must_use]
pub fn read(json: &str) -> Option<Message> {
    let value = fields::object(json)?;
    let fields = Fields(&value);
    let message = Message {
        id: fields.id("id"),
        author: author(fields.inner("author")),
        group_openid: fields.id("group_openid"),
        guild_id: fields.id("guild_id"),
        src_guild_id: fields.id("src_guild_id"),
        channel_id: fields.id("channel_id"),
        nick: fields.inner("member").name("nick"),
        written_ms: fields.moment("timestamp"),
        message_scene: scene_info(fields.inner("message_scene")),
        mentions: fields.list("mentions").map(mention).collect(),
        reference: fields.inner("message_reference").id("message_id"),
        body: body(fields, 0),
    };
    (!message.id.is_empty()).then_some(message)
}

fn body(fields: Fields<'_>, depth: usize) -> Body {
    let mut elements = Vec::new();
    if depth < DEPTH {
        elements.extend(
            fields
                .list("msg_elements")
                .map(|inner| element(inner, depth)),
        );
    }
    Body {
        message_type: fields.small("message_type"),
        content: cut(&fields.text("content"), TEXT_CHARS),
        attachments: fields.list("attachments").map(attachment).collect(),
        card: card(fields.inner("ark_data")),
        elements,
    }
}

fn element(fields: Fields<'_>, depth: usize) -> Element {
    Element {
        index: fields.id("msg_idx"),
        author: author(fields.inner("author")),
        body: body(fields, depth + 1),
    }
}

fn author(fields: Fields<'_>) -> Author {
    Author {
        id: fields.id("id"),
        user_openid: fields.id("user_openid"),
        member_openid: fields.id("member_openid"),
        member_role: fields.name("member_role"),
        username: fields.name("username"),
        bot: fields.truth("bot"),
    }
}

fn scene_info(fields: Fields<'_>) -> SceneInfo {
    let ext = match fields.0.get("ext") {
        Some(Value::Array(pairs)) => pairs.as_slice(),
        _ => &[],
    };
    SceneInfo {
        ext: ext
            .iter()
            .take(fields::LIST)
            .map(fields::as_text)
            .filter(|pair| pair.len() <= URL_CHARS)
            .collect(),
    }
}

fn mention(fields: Fields<'_>) -> Mention {
    Mention {
        scope: fields.name("scope"),
        id: fields.id("id"),
        member_openid: fields.id("member_openid"),
        username: fields.name("username"),
        is_you: fields.truth("is_you"),
    }
}

fn attachment(fields: Fields<'_>) -> Attachment {
    // A shortened address is of no use.
    let url = |name| Some(fields.text(name)).filter(|url| url.len() <= URL_CHARS);
    Attachment {
        content_type: fields.name("content_type"),
        filename: cut(&fields.text("filename"), 1_024),
        url: url("url").unwrap_or_default(),
        voice_wav_url: url("voice_wav_url").unwrap_or_default(),
        size: fields.number("size").unwrap_or_default(),
        asr_refer_text: cut(&fields.text("asr_refer_text"), 4_096),
    }
}

fn card(fields: Fields<'_>) -> Option<Card> {
    let inner = fields.0.as_object()?;
    let mut of_card: Vec<(String, String)> = match inner.get("fields") {
        Some(Value::Object(of_card)) => of_card
            .iter()
            .map(|(name, value)| (cut(name, 64), cut(&fields::as_text(value), 1_024)))
            .filter(|(_, value)| !value.is_empty())
            .collect(),
        _ => Vec::new(),
    };
    // The order of a JSON object is that of its text or not, as the reader was built: ours must not depend on it.
    of_card.sort();
    of_card.truncate(fields::LIST);
    Some(Card {
        kind: fields.name("ark_type"),
        name: fields.name("ark_name"),
        prompt: cut(&fields.text("prompt"), 1_024),
        fields: of_card,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn odd_fields_cost_themselves_and_not_the_message() {
        let message = read(r#"{"id":"m","content":7,"author":{"user_openid":"U","bot":"no"},"attachments":"?","mentions":null}"#).unwrap();
        assert_eq!(
            (
                message.id.as_str(),
                message.body.content.as_str(),
                message.author.user_openid.as_str()
            ),
            ("m", "7", "U")
        );
        assert!(read(r#"{"content":"no id"}"#).is_none());
        assert!(read("[]").is_none());
    }

    #[test]
    fn scene_values_may_hold_the_divider() {
        let scene = SceneInfo {
            ext: vec!["auth_token=x".into(), "msg_idx=REFIDX_A==".into()],
        };
        assert_eq!(scene.get("msg_idx"), Some("REFIDX_A=="));
        assert_eq!(scene.get("ref_msg_idx"), None);
    }
}
