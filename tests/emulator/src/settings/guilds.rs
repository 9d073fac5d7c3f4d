//! Settings of guild scenes, and of what a bot was granted.

use std::time::Duration;

use serde::{Deserialize, Serialize};

use crate::time::as_millis;

/// Channels and direct messages (documentation: "sending messages" of guilds).
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct GuildSettings {
    /// Window of a passive reply; no number of replies is documented.
    #[serde(with = "as_millis")]
    pub window: Duration,
    /// Whether a bot without a live gateway connection gets 304018.
    pub needs_gateway: bool,
    /// Whether links must lead to one of `hosts`, else 304003.
    pub check_urls: bool,
    /// Registered hosts; their subdomains count too.
    pub hosts: Vec<String>,
    /// Whether `GET` of a message answers `{"message": {…}}`.
    pub wrapped_message: bool,
    /// Messages per second and channel before 20028, replies included; 0 means any number.
    pub per_second: u32,
    /// Whether the owner lets the bot speak unasked (else 304048).
    pub proactive: bool,
    /// Proactive messages per channel and day (304045).
    pub channel_daily: u32,
    /// Channels per guild and day with proactive messages (304047).
    pub channels_daily: u32,
    /// Proactive direct messages per user and day (304049).
    pub dm_user_daily: u32,
    /// Proactive direct messages per bot and day (304050).
    pub dm_daily: u32,
    /// How `target.type` of a reaction is written.
    pub reaction_target: TargetForm,
    /// Whether events about channels carry the whole Channel object, which clients in use insist on, or only what
    /// the documentation's sample shows.
    pub whole_channels: bool,
    /// Whether a bot is told of its own reactions.
    pub own_reactions: bool,
    /// Characters of an embed (title, prompt and fields together) before 304005.
    pub embed_chars: usize,
    /// Largest `file_image` in bytes before 304020.
    pub image_bytes: usize,
}

impl Default for GuildSettings {
    fn default() -> Self {
        Self {
            window: Duration::from_secs(300),
            needs_gateway: true,
            check_urls: false,
            hosts: Vec::new(),
            wrapped_message: false,
            per_second: 5,
            proactive: true,
            channel_daily: 20,
            channels_daily: 2,
            dm_user_daily: 2,
            dm_daily: 200,
            reaction_target: TargetForm::Number,
            whole_channels: true,
            own_reactions: false,
            embed_chars: 2_000,
            image_bytes: 20 << 20,
        }
    }
}

/// The two forms of `target.type` in reaction events.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum TargetForm {
    /// `0`, as documented.
    #[default]
    Number,
    /// `"ReactionTargetType_MSG"`, as official clients read it.
    Text,
}

/// What the platform has granted to a bot beside intents.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Grants {
    /// Markdown in guild scenes, by invitation (else 50056).
    pub guild_markdown: bool,
    /// Keyboards in guild scenes, by invitation (else 304037).
    pub guild_keyboard: bool,
    /// Cards in guild scenes (else 304004).
    pub guild_ark: bool,
    /// Cards in C2C and groups (else 304004).
    pub ark: bool,
    /// Embeds in guild scenes (else 304014).
    pub embed: bool,
    /// Mentioning everyone in a channel (else 304019).
    pub at_everyone: bool,
    /// Templates of cards that exist (else 304011).
    pub ark_templates: Vec<u64>,
    /// Templates of Markdown that exist (else 304036); none means any.
    pub markdown_templates: Option<Vec<String>>,
    /// Templates of keyboards that exist (else 304038); none means any.
    pub keyboard_templates: Option<Vec<String>>,
    /// The allow-listed endpoints about groups: info, state, members (else 11253).
    pub group_management: bool,
    /// Endpoints that answer 11253, as the beginning of their path: `/guilds`.
    pub denied: Vec<String>,
}

impl Default for Grants {
    fn default() -> Self {
        Self {
            guild_markdown: false,
            guild_keyboard: false,
            guild_ark: false,
            ark: false,
            embed: true,
            at_everyone: false,
            ark_templates: vec![23, 24, 37],
            markdown_templates: None,
            keyboard_templates: None,
            group_management: true,
            denied: Vec::new(),
        }
    }
}
