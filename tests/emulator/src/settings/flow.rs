//! Settings of what happens around a message: quotas, moderation, streams, interactions, sandbox.

use std::time::Duration;

use serde::{Deserialize, Serialize};

use crate::ids::{GroupName, GuildName, UserName};
use crate::time::as_millis;

/// Quotas of proactive messages in C2C and groups, and of wake-up messages. They apply where
/// [`super::Proactive::Quota`] is chosen; 0 means any number.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Quotas {
    /// C2C messages of the bot per second.
    pub c2c_per_second: u32,
    /// C2C messages of the bot per minute.
    pub c2c_per_minute: u32,
    /// Messages per minute to one user.
    pub user_per_minute: u32,
    /// Messages per day to one user.
    pub user_per_day: u32,
    /// Group messages of the bot per minute.
    pub group_bot_per_minute: u32,
    /// Messages per minute to one group.
    pub group_per_minute: u32,
    /// Messages per day to one group.
    pub group_per_day: u32,
    /// Whether wake-up messages exist (else 40034123).
    pub wakeup: bool,
}

impl Default for Quotas {
    /// Those of a bot that is not certified.
    fn default() -> Self {
        Self {
            c2c_per_second: 5,
            c2c_per_minute: 30,
            user_per_minute: 20,
            user_per_day: 1_000,
            group_bot_per_minute: 30,
            group_per_minute: 20,
            group_per_day: 1_000,
            wakeup: false,
        }
    }
}

/// What the platform thinks of what a bot says.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Moderation {
    /// What becomes of a message that is looked at.
    pub verdict: Judgement,
    /// Only messages with one of these words are looked at; none means all.
    pub words: Vec<String>,
    /// How long an audit takes; zero means until somebody decides.
    #[serde(with = "as_millis")]
    pub audit_takes: Duration,
    /// What an audit that decides by itself decides.
    pub audit_passes: bool,
    /// The HTTP status of "waiting for audit": 202, or 201.
    pub audit_status: u16,
}

impl Default for Moderation {
    fn default() -> Self {
        Self {
            verdict: Judgement::Pass,
            words: Vec::new(),
            audit_takes: Duration::from_secs(5),
            audit_passes: true,
            audit_status: 202,
        }
    }
}

/// What moderation does.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Judgement {
    /// Nothing.
    #[default]
    Pass,
    /// The message is accepted, and nobody ever sees it.
    Silent,
    /// The message waits for an audit: 304023 or 304024.
    Audit,
    /// The message is refused with this code: 40034006, 304025, 1100101, 1100103.
    Refuse(u32),
}

/// Streams in C2C.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct StreamSettings {
    /// Whether the endpoint exists (else 11253).
    pub enabled: bool,
    /// Least time between two pieces of one stream (else 50002).
    #[serde(with = "as_millis")]
    pub least_gap: Duration,
    /// How long a stream may stay without a piece before it counts as never finished.
    #[serde(with = "as_millis")]
    pub patience: Duration,
    /// Characters of a stream; `remain_msg_len` counts down from it (40054007).
    pub max_chars: usize,
}

impl Default for StreamSettings {
    fn default() -> Self {
        Self {
            enabled: true,
            least_gap: Duration::from_millis(200),
            patience: Duration::from_secs(120),
            max_chars: 5_000,
        }
    }
}

/// Presses of buttons and the like.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct InteractionSettings {
    /// Time for `PUT /interactions/{id}`, after which the button has failed.
    #[serde(with = "as_millis")]
    pub deadline: Duration,
    /// Whether an acknowledgement after that is refused (630002); it is noted in any case.
    pub refuse_late: bool,
}

impl Default for InteractionSettings {
    fn default() -> Self {
        Self {
            deadline: Duration::from_secs(3),
            refuse_late: false,
        }
    }
}

/// Whom the sandbox shows to a bot, and whom the bot may address there. It applies to a bot whose
/// `sandbox` is set; an empty list of it all means everyone.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct SandboxSettings {
    /// Users of C2C.
    pub users: Vec<UserName>,
    /// Groups.
    pub groups: Vec<GroupName>,
    /// Guilds.
    pub guilds: Vec<GuildName>,
}

impl SandboxSettings {
    /// Whether nothing is listed: then everything is visible.
    #[must_use]
    pub fn is_open(&self) -> bool {
        self.users.is_empty() && self.groups.is_empty() && self.guilds.is_empty()
    }
}
