//! Everything about the platform that can be chosen: what the documentation leaves open, what
//! differs between bots, and how fast things happen.
//!
//! Every struct reads from JSON with defaults for what is missing; durations are milliseconds
//! there. Faults are not settings: they happen once or N times and live in [`crate::faults`].

mod events;
mod flow;
mod guilds;
mod media;
mod messages;

use std::time::Duration;

use serde::{Deserialize, Serialize};

pub use events::{AtInFullMode, BodyShape, EventSettings, GroupMode, MemberIds};
pub use flow::{
    InteractionSettings, Judgement, Moderation, Quotas, SandboxSettings, StreamSettings,
};
pub use guilds::{Grants, GuildSettings, TargetForm};
pub use media::{ForeignUrls, Formats, MediaSettings, UrlForm};
pub use messages::{MessageSettings, Nulls, Proactive};

use crate::ids::AppId;
use crate::intents::Intents;
use crate::time::as_millis;

/// The whole platform.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Settings {
    /// What `/gateway` and `/gateway/bot` answer as `url`. The shell fills it in.
    pub gateway_url: String,
    /// The base of presigned addresses and of attachments. The shell fills it in.
    pub media_url: String,
    /// Rules of the gateway, the same for all bots: a socket belongs to no bot before Identify.
    pub gateway: GatewaySettings,
    /// Files that are kept, in bytes; the oldest go first.
    pub keep_bytes: usize,
    /// How much is remembered for people and checkers.
    pub record: RecordSettings,
    /// The bots that exist.
    pub bots: Vec<BotSettings>,
}

impl Default for Settings {
    fn default() -> Self {
        Self {
            gateway_url: "ws://emulator.invalid/websocket".to_owned(),
            media_url: "http://emulator.invalid".to_owned(),
            gateway: GatewaySettings::default(),
            keep_bytes: 512 << 20,
            record: RecordSettings::default(),
            bots: vec![BotSettings::default()],
        }
    }
}

/// One bot: its identity, its rights and the rules that apply to it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct BotSettings {
    /// AppID, a decimal number in a string.
    pub app_id: AppId,
    /// The client secret of the token endpoint.
    pub secret: String,
    /// Name shown in READY, `/users/@me` and mentions.
    pub name: String,
    /// The intents this bot may ask for; any other known bit is answered with 4014.
    pub intents: Intents,
    /// Whether the operator's console says that this bot is well, offline or banned.
    pub standing: Standing,
    /// True if this is the sandbox side of a bot: one that is offline may still connect here.
    pub sandbox: bool,
    /// The token endpoint.
    pub token: TokenSettings,
    /// Session starts and replay.
    pub sessions: SessionSettings,
    /// What the bodies of events look like.
    pub events: EventSettings,
    /// Sending: windows, slots, rights.
    pub messages: MessageSettings,
    /// Channels and direct messages.
    pub guilds: GuildSettings,
    /// What was granted beside intents.
    pub grants: Grants,
    /// Uploads and downloads.
    pub media: MediaSettings,
    /// Quotas of proactive messages.
    pub quotas: Quotas,
    /// Moderation and audit.
    pub moderation: Moderation,
    /// Streams in C2C.
    pub streams: StreamSettings,
    /// Presses of buttons.
    pub interactions: InteractionSettings,
    /// Whom the sandbox shows, if `sandbox` is set.
    pub visible: SandboxSettings,
}

impl BotSettings {
    /// Whether it is a bot of the private domain, which hears everything in its guilds.
    #[must_use]
    pub fn is_private(&self) -> bool {
        self.intents.has(Intents::GUILD_MESSAGES)
    }

    /// A bot with these credentials and defaults for all else.
    pub fn new(app_id: impl Into<AppId>, secret: impl Into<String>) -> Self {
        Self {
            app_id: app_id.into(),
            secret: secret.into(),
            ..Self::default()
        }
    }
}

impl Default for BotSettings {
    fn default() -> Self {
        Self {
            app_id: AppId::from("102012345"),
            secret: "Zx8kQ0r3TtY1bVn5cMq7WsLd2FgHjKpA".to_owned(),
            name: "demo-bot".to_owned(),
            intents: Intents::public_domain(),
            standing: Standing::Normal,
            sandbox: false,
            token: TokenSettings::default(),
            sessions: SessionSettings::default(),
            events: EventSettings::default(),
            messages: MessageSettings::default(),
            guilds: GuildSettings::default(),
            grants: Grants::default(),
            media: MediaSettings::default(),
            quotas: Quotas::default(),
            moderation: Moderation::default(),
            streams: StreamSettings::default(),
            interactions: InteractionSettings::default(),
            visible: SandboxSettings::default(),
        }
    }
}

/// What the console says about a bot.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Standing {
    /// Online.
    #[default]
    Normal,
    /// Taken offline: close 4914 at Identify, 40054016 at sending; the sandbox still works.
    Offline,
    /// Banned: close 4915 at Identify, 11265 at any call.
    Banned,
}

/// The token endpoint (documentation: "interface calls and authentication").
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct TokenSettings {
    /// Life of a token.
    #[serde(with = "as_millis")]
    pub lifetime: Duration,
    /// In this last part of a token's life a call gives a new one, and the old one goes on.
    #[serde(with = "as_millis")]
    pub overlap: Duration,
    /// How `expires_in` is written: the field table says number, every example shows text.
    pub expires_in: NumberForm,
    /// How long an answer takes. Two fetches that overlap are noted as a violation.
    #[serde(with = "as_millis")]
    pub latency: Duration,
    /// Fetches allowed per minute before 100001; 0 means any number.
    pub per_minute: u32,
}

impl Default for TokenSettings {
    fn default() -> Self {
        Self {
            lifetime: Duration::from_secs(7200),
            overlap: Duration::from_secs(60),
            expires_in: NumberForm::Text,
            latency: Duration::ZERO,
            per_minute: 0,
        }
    }
}

/// How a number is written in JSON.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum NumberForm {
    /// `"7200"`.
    #[default]
    Text,
    /// `7200`.
    Number,
}

/// The gateway (documentation: "access through WebSocket"). What a socket is told or given when it
/// opens (the interval of heartbeats, and how many may be missing; the time to log in) stays so for
/// it; everything else counts the next time that it is looked at.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct GatewaySettings {
    /// What Hello says.
    #[serde(with = "as_millis")]
    pub heartbeat_interval: Duration,
    /// Intervals without a heartbeat after which the socket is closed with 4009; 0 means never.
    pub missed_heartbeats: u32,
    /// Heartbeats allowed within one interval before 4008; 0 means any number.
    pub heartbeat_burst: u32,
    /// Time to log in before 4003; zero means for ever.
    #[serde(with = "as_millis")]
    pub login_timeout: Duration,
    /// Time between op 7 and the close with 4009.
    #[serde(with = "as_millis")]
    pub reconnect_grace: Duration,
    /// Which of the two discovery endpoints exist.
    pub discovery: Discovery,
    /// Shards suggested by `/gateway/bot`.
    pub shards: u32,
    /// Whether Identify must carry `shard`.
    pub shard_required: bool,
    /// The answer to an Identify with a bad token.
    pub identify_bad_token: LoginRefusal,
    /// The answer to a Resume with a bad token.
    pub resume_bad_token: LoginRefusal,
    /// Whether a Resume may carry the bare access token, without `QQBot `, as some official clients send it.
    pub bare_resume_token: bool,
    /// The answer to a Resume of a session that does not exist any more.
    pub unknown_session: LoginRefusal,
    /// Whether the platform closes the socket after op 9 (with 1000), and when; none: the client must.
    pub close_after_invalid: Option<u64>,
}

impl Default for GatewaySettings {
    fn default() -> Self {
        Self {
            heartbeat_interval: Duration::from_millis(41_250),
            missed_heartbeats: 3,
            heartbeat_burst: 5,
            login_timeout: Duration::from_secs(60),
            reconnect_grace: Duration::from_secs(5),
            discovery: Discovery::Both,
            shards: 1,
            shard_required: false,
            identify_bad_token: LoginRefusal::Close(4004),
            resume_bad_token: LoginRefusal::InvalidSession,
            bare_resume_token: false,
            unknown_session: LoginRefusal::InvalidSession,
            close_after_invalid: None,
        }
    }
}

/// Which of `/gateway` and `/gateway/bot` answer; the other is "no such API".
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Discovery {
    /// Both, as documented.
    #[default]
    Both,
    /// `/gateway` only.
    PlainOnly,
    /// `/gateway/bot` only.
    BotOnly,
}

/// How the gateway refuses a login.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum LoginRefusal {
    /// Op 9 with `d: false`; the socket stays open.
    InvalidSession,
    /// A close with this code.
    Close(u16),
}

/// Session starts, and how long a session survives without its socket.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct SessionSettings {
    /// Identifies per period (`session_start_limit.total`).
    pub start_total: u32,
    /// Length of the period; it begins with the first Identify.
    #[serde(with = "as_millis")]
    pub start_period: Duration,
    /// Identifies per 5 s (`session_start_limit.max_concurrency`).
    pub max_concurrency: u32,
    /// Whether an Identify above `max_concurrency` is refused with op 9 (it is noted in any case).
    pub enforce_concurrency: bool,
    /// How long a session can be resumed after its socket is gone.
    #[serde(with = "as_millis")]
    pub replay_keep: Duration,
    /// Events that a session remembers for replay; older ones are gone.
    pub replay_events: usize,
    /// Sessions without a socket that a bot may have; when a new one begins, the oldest are gone.
    pub resumable: usize,
}

impl Default for SessionSettings {
    fn default() -> Self {
        Self {
            start_total: 1000,
            start_period: Duration::from_secs(86_400),
            max_concurrency: 1,
            enforce_concurrency: false,
            replay_keep: Duration::from_secs(300),
            replay_events: 20_000,
            resumable: 8,
        }
    }
}

/// Bounds of what is remembered.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct RecordSettings {
    /// Entries of the log.
    pub log: usize,
    /// User messages, and bot messages, of the ledger (each).
    pub ledger: usize,
    /// Violations kept; all are counted.
    pub violations: usize,
}

impl Default for RecordSettings {
    fn default() -> Self {
        Self {
            log: 20_000,
            ledger: 200_000,
            violations: 1_000,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn missing_fields_have_defaults_and_unknown_ones_are_refused() {
        let text = r#"{"bots":[{"app_id":"7","token":{"expires_in":"number"}}]}"#;
        let settings: Settings = serde_json::from_str(text).unwrap();
        assert_eq!(settings.bots[0].token.expires_in, NumberForm::Number);
        assert_eq!(settings.bots[0].token.lifetime, Duration::from_secs(7200));
        assert!(serde_json::from_str::<Settings>(r#"{"botz":[]}"#).is_err());
    }

    #[test]
    fn settings_are_read_back_as_written() {
        let settings = Settings::default();
        let text = serde_json::to_string(&settings).unwrap();
        assert_eq!(serde_json::from_str::<Settings>(&text).unwrap(), settings);
    }
}
