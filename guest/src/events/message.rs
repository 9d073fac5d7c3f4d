//! Bodies of message events, in every shape seen in the wild (`PROTOCOL.md`, "Messages").

use serde::Deserialize;
use serde_json::Value;

/// The body of a message event. Every field but the id may be missing.
#[derive(Clone, Debug, Default, PartialEq, Deserialize)]
#[serde(default)]
pub struct Message {
    /// Id, valid as `msg_id`.
    pub id: String,
    /// Who wrote it.
    pub author: Author,
    /// Its text; may be empty or blank when there are attachments.
    pub content: String,
    /// The group, for a group message.
    pub group_openid: String,
    /// The guild; of a direct message, the session.
    pub guild_id: String,
    /// The guild that a direct message session came from.
    pub src_guild_id: String,
    /// The channel, in guilds.
    pub channel_id: String,
    /// The author as a member of the guild.
    pub member: Member,
    /// When it was written, in one of several formats.
    pub timestamp: Value,
    /// 0 text or media, 3 card, 101 and 102 forwarded, 103 quote.
    pub message_type: i64,
    /// Where it came from, and its index.
    pub message_scene: SceneInfo,
    /// Who is mentioned.
    pub mentions: Vec<Mention>,
    /// What is attached.
    pub attachments: Vec<Attachment>,
    /// Quoted and forwarded messages.
    pub msg_elements: Vec<Element>,
}

/// Author of a message.
#[derive(Clone, Debug, Default, PartialEq, Deserialize)]
#[serde(default)]
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

/// The author as a member of a guild.
#[derive(Clone, Debug, Default, PartialEq, Deserialize)]
#[serde(default)]
pub struct Member {
    /// Name in this guild.
    pub nick: String,
}

/// `message_scene`.
#[derive(Clone, Debug, Default, PartialEq, Deserialize)]
#[serde(default)]
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
#[derive(Clone, Debug, Default, PartialEq, Deserialize)]
#[serde(default)]
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
#[derive(Clone, Debug, Default, PartialEq, Deserialize)]
#[serde(default)]
pub struct Attachment {
    /// A media type, or the words `voice` and `file`.
    pub content_type: String,
    /// File name.
    pub filename: String,
    /// What the platform's speech recognition heard.
    pub asr_refer_text: String,
}

/// A quoted or forwarded message.
#[derive(Clone, Debug, Default, PartialEq, Deserialize)]
#[serde(default)]
pub struct Element {
    /// Its text.
    pub content: String,
    /// Who wrote it.
    pub author: Author,
}

/// Reads a body. A field of an odd type costs that field and not the message.
///
/// `None` when there is no id: nothing could be answered.
#[must_use]
pub fn read(body: &str) -> Option<Message> {
    let message = serde_json::from_str(body).ok().or_else(|| {
        let value: Value = serde_json::from_str(body).ok()?;
        Some(read_leniently(&value))
    })?;
    (!message.id.is_empty()).then_some(message)
}

fn read_leniently(value: &Value) -> Message {
    fn part<T: Default + for<'de> Deserialize<'de>>(value: &Value, name: &str) -> T {
        value
            .get(name)
            .and_then(|field| T::deserialize(field).ok())
            .unwrap_or_default()
    }
    fn word(value: Option<&Value>) -> String {
        match value {
            Some(Value::String(text)) => text.clone(),
            Some(Value::Number(number)) => number.to_string(),
            _ => String::new(),
        }
    }
    let author = value.get("author");
    let of_author = |name: &str| word(author.and_then(|author| author.get(name)));
    Message {
        id: word(value.get("id")),
        author: Author {
            id: of_author("id"),
            user_openid: of_author("user_openid"),
            member_openid: of_author("member_openid"),
            member_role: of_author("member_role"),
            username: of_author("username"),
            bot: author
                .and_then(|author| author.get("bot"))
                .and_then(Value::as_bool)
                .unwrap_or(false),
        },
        content: word(value.get("content")),
        group_openid: word(value.get("group_openid")),
        guild_id: word(value.get("guild_id")),
        src_guild_id: word(value.get("src_guild_id")),
        channel_id: word(value.get("channel_id")),
        member: part(value, "member"),
        timestamp: value.get("timestamp").cloned().unwrap_or_default(),
        message_type: part(value, "message_type"),
        message_scene: part(value, "message_scene"),
        mentions: part(value, "mentions"),
        attachments: part(value, "attachments"),
        msg_elements: part(value, "msg_elements"),
    }
}

/// A timestamp in wall-clock milliseconds: RFC 3339, a number of seconds or milliseconds (also as text),
/// or what Go prints by default.
#[must_use]
pub fn timestamp_ms(value: &Value) -> Option<u64> {
    match value {
        Value::Number(number) => number.as_u64().map(from_unix),
        Value::String(text) => text_timestamp_ms(text.trim()),
        _ => None,
    }
}

/// Seconds until the year 5138; larger numbers are milliseconds.
const LARGEST_SECONDS: u64 = 100_000_000_000;

fn from_unix(number: u64) -> u64 {
    if number < LARGEST_SECONDS {
        number * 1_000
    } else {
        number
    }
}

fn text_timestamp_ms(text: &str) -> Option<u64> {
    use time::OffsetDateTime;
    use time::format_description::well_known::Rfc3339;
    use time::macros::format_description;
    if let Ok(number) = text.parse::<u64>() {
        return Some(from_unix(number));
    }
    let moment = OffsetDateTime::parse(text, &Rfc3339).ok().or_else(|| {
        // `2024-10-15 16:33:15.123 +0800 CST m=+1.2`: the date, the time without fraction, and the offset.
        let format = format_description!("[year]-[month]-[day] [hour]:[minute]:[second] [offset_hour sign:mandatory][offset_minute]");
        let mut words = text.split_whitespace();
        let (date, clock, offset) = (words.next()?, words.next()?, words.next()?);
        let clock = clock.split('.').next()?;
        OffsetDateTime::parse(&format!("{date} {clock} {offset}"), format).ok()
    })?;
    u64::try_from(moment.unix_timestamp_nanos() / 1_000_000).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn timestamps_of_every_format_are_read() {
        let expected = Some(1_728_981_195_000);
        for text in [
            "\"2024-10-15T16:33:15+08:00\"",
            "1728981195",
            "\"1728981195\"",
            "1728981195000",
            "\"2024-10-15 16:33:15 +0800 CST m=+3.5\"",
            "\"2024-10-15 16:33:15.987 +0800 CST\"",
        ] {
            assert_eq!(
                timestamp_ms(&serde_json::from_str(text).unwrap()),
                expected,
                "{text}"
            );
        }
        assert_eq!(timestamp_ms(&Value::Null), None);
        assert_eq!(timestamp_ms(&"soon".into()), None);
    }

    #[test]
    fn odd_fields_cost_themselves_and_not_the_message() {
        let message = read(r#"{"id":"m","content":7,"author":{"user_openid":"U","bot":"no"},"attachments":"?","mentions":null}"#).unwrap();
        assert_eq!(
            (
                message.id.as_str(),
                message.content.as_str(),
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
