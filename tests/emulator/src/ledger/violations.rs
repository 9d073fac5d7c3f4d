//! Rules that a well-made bot does not break.

use std::fmt;

use std::sync::Arc;

use serde::Serialize;

use crate::ids::{AppId, MessageId};
use crate::time::Millis;

/// A broken rule, with when and by whom.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct ViolationEntry {
    /// When the platform saw it.
    pub at: Millis,
    /// Which bot, as far as known.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub app: Option<AppId>,
    /// What.
    #[serde(flatten)]
    pub what: Violation,
}

/// The rules, each as its breach.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(tag = "violation", rename_all = "snake_case")]
pub enum Violation {
    /// One (`msg_id`, `msg_seq`) came with two bodies, whether or not one of them was accepted.
    TwoBodies {
        /// What is answered.
        reply_to: String,
        /// The sequence number.
        msg_seq: u32,
        /// The body that came first.
        first: Arc<str>,
        /// Another one.
        second: Arc<str>,
    },
    /// A send used an id after its window.
    PastWindow {
        /// What is answered.
        reply_to: String,
        /// How late, in milliseconds.
        late_ms: u64,
    },
    /// A send asked for more slots than an id has.
    SlotsUsedUp {
        /// What is answered.
        reply_to: String,
        /// The slots there are.
        slots: u32,
    },
    /// A send used a `msg_id` that is unknown, or belongs to another chat.
    ForeignMsgId {
        /// The id.
        msg_id: MessageId,
    },
    /// A message that answers nothing was refused.
    ProactiveRefused,
    /// Two connections of one bot (and shard) are logged in at once.
    TwoLiveConnections {
        /// How many.
        live: usize,
    },
    /// A second token fetch began before the first one was answered.
    OverlappingTokenFetches,
    /// The token endpoint was called with a wrong secret, or without one.
    WrongSecret,
    /// A call came without the one documented authorization.
    BadAuthorization {
        /// What is wrong with it.
        why: &'static str,
    },
    /// More Identifies than `max_concurrency` allows in 5 s.
    IdentifyTooFast,
    /// An Identify with no session start remaining.
    NoSessionStartLeft,
    /// Heartbeats came faster than the interval allows.
    HeartbeatTooFast,
    /// A stream was never finished with state 10.
    UnfinishedStream {
        /// Its id.
        stream: String,
    },
    /// A press of a button was not acknowledged in time.
    MissingAck {
        /// The interaction.
        interaction: String,
    },
    /// A press of a button was acknowledged after its deadline.
    LateAck {
        /// The interaction.
        interaction: String,
        /// How late, in milliseconds.
        late_ms: u64,
    },
    /// A request to object storage or for a download carried the bot's authorization.
    LeakedAuthorization {
        /// The path it went to.
        path: String,
    },
    /// A frame or a body that the documentation does not allow.
    Malformed {
        /// What is wrong with it.
        why: String,
    },
}

impl fmt::Display for Violation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::TwoBodies {
                reply_to,
                msg_seq,
                first,
                second,
            } => {
                write!(
                    f,
                    "two bodies for msg_seq {msg_seq} of {reply_to}: {first} and {second}"
                )
            }
            Self::PastWindow { reply_to, late_ms } => {
                write!(f, "{late_ms} ms past the window of {reply_to}")
            }
            Self::SlotsUsedUp { reply_to, slots } => {
                write!(f, "more than {slots} replies to {reply_to}")
            }
            Self::ForeignMsgId { msg_id } => write!(f, "msg_id {msg_id} is not of this chat"),
            Self::ProactiveRefused => f.write_str("a proactive message was refused"),
            Self::TwoLiveConnections { live } => write!(f, "{live} live connections"),
            Self::OverlappingTokenFetches => f.write_str("two token fetches at once"),
            Self::WrongSecret => f.write_str("wrong secret at the token endpoint"),
            Self::BadAuthorization { why } => write!(f, "bad authorization: {why}"),
            Self::IdentifyTooFast => f.write_str("Identify too fast"),
            Self::NoSessionStartLeft => f.write_str("Identify with no session start left"),
            Self::HeartbeatTooFast => f.write_str("heartbeats too fast"),
            Self::UnfinishedStream { stream } => write!(f, "the stream {stream} was not finished"),
            Self::MissingAck { interaction } => {
                write!(
                    f,
                    "the interaction {interaction} was not acknowledged in time"
                )
            }
            Self::LateAck {
                interaction,
                late_ms,
            } => write!(
                f,
                "the interaction {interaction} was acknowledged {late_ms} ms late"
            ),
            Self::LeakedAuthorization { path } => {
                write!(f, "the bot's authorization was sent to {path}")
            }
            Self::Malformed { why } => write!(f, "malformed: {why}"),
        }
    }
}
