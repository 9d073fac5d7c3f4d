//! Settings of event bodies.

use serde::{Deserialize, Serialize};

use crate::time::TimestampForm;

/// What pushed events look like.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct EventSettings {
    /// The body shape of messages, unless an action chooses another.
    pub shape: BodyShape,
    /// `timestamp` of messages.
    pub timestamp: TimestampForm,
    /// `timestamp` of relationship events (documented as Unix seconds).
    pub relation_timestamp: TimestampForm,
    /// Whether the content of a group @-message begins with a space.
    pub leading_space: bool,
    /// How a member's openid relates to the user's.
    pub member_ids: MemberIds,
    /// The push mode of groups that nobody has switched.
    pub group_mode: GroupMode,
    /// What an @-message becomes in a group in mode `all`.
    pub at_in_full_mode: AtInFullMode,
    /// Whether full-mode content keeps the `<@openid>` tags (live traffic) or not (documentation).
    pub full_mode_keeps_tags: bool,
}

impl Default for EventSettings {
    fn default() -> Self {
        Self {
            shape: BodyShape::Current,
            timestamp: TimestampForm::Rfc3339,
            relation_timestamp: TimestampForm::Seconds,
            leading_space: true,
            member_ids: MemberIds::PerGroup,
            group_mode: GroupMode::OnlyMention,
            at_in_full_mode: AtInFullMode::Message,
            full_mode_keeps_tags: true,
        }
    }
}

/// The two generations of message bodies.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum BodyShape {
    /// Only id, author, content, timestamp and, in groups, the group.
    Minimal,
    /// The superset of 2026: message type, scene with `msg_idx`, roles, names, mentions.
    #[default]
    Current,
}

/// How a member's openid in a group relates to the user's openid in C2C.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum MemberIds {
    /// Another one in every group, as documented in 2025.
    #[default]
    PerGroup,
    /// The same, as samples of 2026 suggest.
    SameAsUser,
}

/// What a group's owner lets a bot hear (`recv_msg_setting`).
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum GroupMode {
    /// Only what mentions the bot.
    #[default]
    OnlyMention,
    /// What mentions the bot, with up to ten recent messages in `msg_elements`.
    MentionAndContext,
    /// Everything, as `GROUP_MESSAGE_CREATE`.
    All,
}

/// The event that an @-message becomes in a group in mode [`GroupMode::All`].
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum AtInFullMode {
    /// `GROUP_MESSAGE_CREATE`.
    #[default]
    Message,
    /// `GROUP_AT_MESSAGE_CREATE`.
    At,
    /// Both, with one message id.
    Both,
}
