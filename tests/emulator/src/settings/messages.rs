//! Settings of sending.

use std::time::Duration;

use serde::{Deserialize, Serialize};

use crate::time::{TimestampForm, as_millis};

/// What a bot may send, when, and how often (documentation: "sending messages").
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct MessageSettings {
    /// Reply window in C2C.
    #[serde(with = "as_millis")]
    pub c2c_window: Duration,
    /// Replies to one inbound id in C2C: 4, and 5 until January 2026.
    pub c2c_slots: u32,
    /// Reply window in groups.
    #[serde(with = "as_millis")]
    pub group_window: Duration,
    /// Replies to one inbound id in groups.
    pub group_slots: u32,
    /// Whether a typing notice with `msg_id` uses up a slot, as seen live.
    pub typing_counts: bool,
    /// How long an accepted (`msg_id`, `msg_seq`) is refused again; after that it passes.
    #[serde(with = "as_millis")]
    pub dedup_memory: Duration,
    /// Whether a reply past its window gets 40034128 instead of 40034005 (both are documented).
    pub late_is_exhausted: bool,
    /// Longest text in characters before 40054007. No number is documented.
    pub max_chars: usize,
    /// Whether Markdown may be sent.
    pub markdown: bool,
    /// The code of the refusal if not: 40034127, 50056 and 304061 have been seen.
    pub markdown_refusal: u32,
    /// Whether keyboards of one's own may be sent (else 304057).
    pub keyboard: bool,
    /// Whether a button must have `unsupport_tips` (else 305007): it is documented as required, and clients in
    /// wide use leave it out.
    pub button_tips: bool,
    /// Whether private messages may carry suggestions and buttons of their own (`prompt_keyboard`,
    /// `action_button`): an official client knows them, the documentation does not. Else they are ignored.
    pub offers: bool,
    /// Whether text may contain a URL (else 40054010, in groups only).
    pub urls_in_groups: bool,
    /// Messages that answer nothing.
    pub proactive: Proactive,
    /// A fresh `event_id` is unknown (40034025) for this long, as seen live.
    #[serde(with = "as_millis")]
    pub event_id_lag: Duration,
    /// How long a message can be recalled (40064004 after that).
    #[serde(with = "as_millis")]
    pub recall_window: Duration,
    /// Whether a quote must name a message that is remembered (else 12002).
    pub check_quotes: bool,
    /// How explicit `null`s in a body are taken.
    pub nulls: Nulls,
    /// `timestamp` of the answer: text live, a number in an older table.
    pub timestamp: TimestampForm,
}

impl Default for MessageSettings {
    fn default() -> Self {
        Self {
            c2c_window: Duration::from_secs(3600),
            c2c_slots: 4,
            group_window: Duration::from_secs(300),
            group_slots: 5,
            typing_counts: true,
            dedup_memory: Duration::from_secs(86_400),
            late_is_exhausted: false,
            max_chars: 5000,
            markdown: true,
            markdown_refusal: 40_034_127,
            keyboard: true,
            button_tips: false,
            offers: true,
            urls_in_groups: true,
            proactive: Proactive::Refused(40_034_105),
            event_id_lag: Duration::ZERO,
            recall_window: Duration::from_secs(120),
            check_quotes: false,
            nulls: Nulls::Absent,
            timestamp: TimestampForm::Rfc3339,
        }
    }
}

/// Messages without `msg_id` and `event_id`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Proactive {
    /// Refused with this code: 40034105, or 40034102 on older deployments.
    Refused(u32),
    /// Accepted without quota.
    Allowed,
    /// Accepted within [`super::Quotas`], else 40034100.
    Quota,
}

/// How `"field": null` is taken.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Nulls {
    /// As if the field were not there (official SDKs send them).
    #[default]
    Absent,
    /// As a bad request body, 12002.
    Refused,
}
