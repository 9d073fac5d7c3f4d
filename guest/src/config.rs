//! The operator's table: its keys as data, and the values, checked.

use serde::Deserialize;

use crate::bindings::{KeyKind, KeySpec, Problem, ValueAlias};
use crate::delivery::pacing::{Rate, Rates};
use crate::gateway::intents::Intents;

mod keys;

pub use keys::key_table;

/// The classic API of the platform (`PROTOCOL.md`, "Hosts").
const API_BASE: &str = "https://api.sgroup.qq.com";
/// The same for the sandbox.
const SANDBOX_API_BASE: &str = "https://sandbox.api.sgroup.qq.com";
/// Where tokens come from, for both.
const TOKEN_URL: &str = "https://bots.qq.com/app/getAppAccessToken";

/// Bytes of what the operator calls a megabyte.
const MEGABYTE: u64 = 1_000_000;

/// What the bot shows while it thinks.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum StreamMode {
    /// Nothing.
    None,
    /// A typing notice, in private conversations.
    Typing,
    /// Text that grows, in private conversations.
    Stream,
}

/// Whether answers are sent as Markdown.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum MarkdownMode {
    /// Where there is any in the text, until the platform refuses it.
    Auto,
    /// Always, whatever the platform said before.
    On,
    /// Never.
    Off,
}

/// What becomes of an answer that is longer than its replies.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum LongAnswers {
    /// The whole of it follows as a file, where files can be sent.
    File,
    /// It is cut, and says so.
    Cut,
}

/// When an answer says that an AI wrote it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum AiNotice {
    /// Never.
    Off,
    /// The first one of a conversation, once a day.
    First,
    /// Each.
    Always,
}

/// When an answer quotes the message that it answers.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Quoting {
    /// Never.
    Off,
    /// In groups and guild channels.
    Groups,
    /// Always.
    Always,
}

/// Language of the texts that the bot itself writes in a chat.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
pub enum Language {
    /// Simplified Chinese.
    #[serde(rename = "zh-CN")]
    ZhCn,
    /// English.
    #[serde(rename = "en")]
    En,
}

/// The operator's settings, checked.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Config {
    /// AppID of the bot: decimal digits.
    pub app_id: String,
    /// Base of the API, without a slash at the end.
    pub api_base: String,
    /// Where tokens come from.
    pub token_url: String,
    /// Who may talk to the bot; empty = whoever pairs.
    pub allowed_users: Vec<String>,
    /// What to subscribe to.
    pub intents: Intents,
    /// What to show while thinking.
    pub stream_mode: StreamMode,
    /// A new message takes the place of the one being answered.
    pub interrupt_on_new_message: bool,
    /// In groups, answer only when addressed.
    pub mention_only: bool,
    /// React to a message on receipt, where that exists.
    pub ack_reactions: bool,
    /// Language of the bot's own texts.
    pub language: Language,
    /// Unicode scalar values in one message.
    pub message_chars: usize,
    /// Replies that one private message allows.
    pub replies_c2c: u32,
    /// Replies that one group message allows.
    pub replies_group: u32,
    /// Replies that one guild message allows.
    pub replies_guild: u32,
    /// Everybody in a group shares one history.
    pub share_group_history: bool,
    /// Messages that may wait in one conversation.
    pub queue: usize,
    /// Whether answers are sent as Markdown.
    pub markdown: MarkdownMode,
    /// What becomes of an answer that is too long.
    pub long_answers: LongAnswers,
    /// When an answer says that an AI wrote it.
    pub ai_notice: AiNotice,
    /// When an answer quotes the message that it answers.
    pub quote_replies: Quoting,
    /// In groups, answers begin with a mention of whoever asked.
    pub mention_sender: bool,
    /// Answers may mention people other than whoever asked.
    pub mention_others: bool,
    /// A typing notice costs one of the replies.
    pub typing_costs_reply: bool,
    /// Milliseconds between two pieces of a growing text.
    pub stream_interval_ms: u64,
    /// Bytes of one file, in and out.
    pub media_bytes: u64,
    /// Bytes above which a file is uploaded in pieces.
    pub upload_chunk_bytes: u64,
    /// How fast messages may leave.
    pub rates: Rates,
}

#[derive(Deserialize)]
struct Raw {
    app_id: String,
    sandbox: bool,
    api_base: Option<String>,
    token_url: Option<String>,
    allowed_users: Vec<String>,
    intents: Vec<String>,
    stream_mode: StreamMode,
    interrupt_on_new_message: bool,
    mention_only: bool,
    ack_reactions: bool,
    language: Language,
    message_chars: usize,
    replies_c2c: u32,
    replies_group: u32,
    replies_guild: u32,
    share_group_history: bool,
    queue: usize,
    markdown: MarkdownMode,
    long_answers: LongAnswers,
    ai_notice: AiNotice,
    quote_replies: Quoting,
    mention_sender: bool,
    mention_others: bool,
    typing_costs_reply: bool,
    stream_interval_ms: u64,
    media_mb: u64,
    upload_chunk_mb: u64,
    channel_per_second: u32,
    guild_per_second: u32,
    dm_per_second: u32,
    proactive_per_minute: u32,
}

impl Config {
    /// True while nobody is named: people pair with a code.
    #[must_use]
    pub fn pairs(&self) -> bool {
        self.allowed_users.is_empty()
    }

    /// What is asked for first: to pair, somebody must be able to write in private.
    #[must_use]
    pub fn wanted_intents(&self) -> Intents {
        if self.pairs() {
            self.intents.with_chats()
        } else {
            self.intents
        }
    }

    /// What is asked for, best first.
    #[must_use]
    pub fn intents_ladder(&self) -> Vec<Intents> {
        if self.pairs() {
            self.intents.ladder_for_pairing()
        } else {
            self.intents.ladder()
        }
    }

    /// Reads the table as the host hands it over: checked against [`key_table`], defaults filled in.
    ///
    /// # Errors
    /// One [`Problem`] for each value that the key table alone could not judge.
    pub fn from_json(json: &str) -> Result<Self, Vec<Problem>> {
        let raw: Raw = serde_json::from_str(json).map_err(|error| {
            vec![problem(
                None,
                format!("the table cannot be read: {error}"),
                "compare it with the reference of keys",
            )]
        })?;
        let mut problems = Vec::new();
        if raw.app_id.is_empty() || !raw.app_id.bytes().all(|byte| byte.is_ascii_digit()) {
            problems.push(problem(
                Some("app_id"),
                format!("app_id is {:?}, but an AppID has digits only", raw.app_id),
                "copy the AppID from 开发设置 (development settings) of the bot's console",
            ));
        }
        let intents = Intents::from_names(&raw.intents).unwrap_or_else(|unknown| {
            problems.push(problem(
                Some("intents"),
                format!("{unknown:?} is not the name of an intent"),
                &format!("known names: {}", Intents::names().join(", ")),
            ));
            Intents::default()
        });
        let api_base = base_url(
            "api_base",
            raw.api_base,
            if raw.sandbox {
                SANDBOX_API_BASE
            } else {
                API_BASE
            },
            &mut problems,
        );
        let token_url = base_url("token_url", raw.token_url, TOKEN_URL, &mut problems);
        if !problems.is_empty() {
            return Err(problems);
        }
        Ok(Self {
            app_id: raw.app_id,
            api_base,
            token_url,
            allowed_users: raw.allowed_users,
            intents,
            stream_mode: raw.stream_mode,
            interrupt_on_new_message: raw.interrupt_on_new_message,
            mention_only: raw.mention_only,
            ack_reactions: raw.ack_reactions,
            language: raw.language,
            message_chars: raw.message_chars,
            replies_c2c: raw.replies_c2c,
            replies_group: raw.replies_group,
            replies_guild: raw.replies_guild,
            share_group_history: raw.share_group_history,
            queue: raw.queue,
            markdown: raw.markdown,
            long_answers: raw.long_answers,
            ai_notice: raw.ai_notice,
            quote_replies: raw.quote_replies,
            mention_sender: raw.mention_sender,
            mention_others: raw.mention_others,
            typing_costs_reply: raw.typing_costs_reply,
            stream_interval_ms: raw.stream_interval_ms,
            media_bytes: raw.media_mb.saturating_mul(MEGABYTE),
            upload_chunk_bytes: raw.upload_chunk_mb.saturating_mul(MEGABYTE),
            rates: Rates {
                channel: Rate::per_second(raw.channel_per_second),
                guild: Rate::per_second(raw.guild_per_second),
                dm: Rate::per_second(raw.dm_per_second),
                proactive: Rate::per_minute(raw.proactive_per_minute),
                ..Rates::default()
            },
        })
    }
}

impl Config {
    /// True with the platform's classic API, which has a newer name beside it.
    #[must_use]
    pub fn is_classic(&self) -> bool {
        self.api_base == API_BASE
    }
}

fn base_url(
    key: &str,
    given: Option<String>,
    default: &str,
    problems: &mut Vec<Problem>,
) -> String {
    let Some(given) = given else {
        return default.to_owned();
    };
    // The host parses the address before it lets anything through; this is for a sentence that names the key.
    let rest = given
        .strip_prefix("https://")
        .or_else(|| given.strip_prefix("http://"));
    if rest.is_none_or(|rest| {
        rest.is_empty() || rest.starts_with('/') || rest.contains(['?', '#', ' '])
    }) {
        problems.push(problem(
            Some(key),
            format!("{key} is {given:?}, which is not an http or https address"),
            &format!("leave it out for {default}, or write it like that"),
        ));
    }
    given.trim_end_matches('/').to_owned()
}

fn problem(key: Option<&str>, sentence: String, fix: &str) -> Problem {
    Problem {
        key: key.map(str::to_owned),
        sentence,
        fix: fix.to_owned(),
    }
}

#[cfg(test)]
pub(crate) mod tests {
    use super::*;

    /// The table with its defaults, as a host would hand it over, with some keys set.
    pub(crate) fn config_json(overrides: serde_json::Value) -> String {
        let mut table = serde_json::Map::new();
        for key in key_table() {
            if let Some(default) = key.default.filter(|_| !key.secret) {
                table.insert(key.name, serde_json::from_str(&default).unwrap());
            }
        }
        table.insert("app_id".into(), "102012345".into());
        if let serde_json::Value::Object(overrides) = overrides {
            table.extend(overrides);
        }
        serde_json::Value::Object(table).to_string()
    }

    fn sentence(overrides: serde_json::Value) -> String {
        let problems = Config::from_json(&config_json(overrides)).unwrap_err();
        problems[0].sentence.clone()
    }

    #[test]
    fn defaults_are_those_of_the_contract() {
        let config = Config::from_json(&config_json(serde_json::json!({}))).unwrap();
        assert_eq!(config.api_base, API_BASE);
        assert_eq!(config.token_url, TOKEN_URL);
        assert!(config.allowed_users.is_empty());
        assert_eq!(config.intents.bits(), 4609);
        assert_eq!(config.stream_mode, StreamMode::None);
        assert!(!config.interrupt_on_new_message && !config.mention_only && !config.ack_reactions);
        assert_eq!(config.message_chars, 2048);
    }

    #[test]
    fn api_base_wins_over_sandbox() {
        let sandbox =
            Config::from_json(&config_json(serde_json::json!({"sandbox": true}))).unwrap();
        assert_eq!(sandbox.api_base, SANDBOX_API_BASE);
        let both = serde_json::json!({"sandbox": true, "api_base": "http://127.0.0.1:9000/"});
        assert_eq!(
            Config::from_json(&config_json(both)).unwrap().api_base,
            "http://127.0.0.1:9000"
        );
    }

    #[test]
    fn each_bad_value_is_named_in_one_sentence() {
        assert!(sentence(serde_json::json!({"app_id": "abc"})).contains("digits only"));
        assert!(sentence(serde_json::json!({"intents": ["guild"]})).contains("\"guild\""));
        assert!(
            sentence(serde_json::json!({"api_base": "api.sgroup.qq.com"})).contains("api_base")
        );
    }
}
