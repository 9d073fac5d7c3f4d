//! An answer on its way: its parts, what became of each, and what is in flight.

use serde::{Deserialize, Serialize};

use crate::bindings::Outcome;
use crate::gateway::backoff::Backoff;
use crate::ids::RequestId;

/// What became of a part.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum PartState {
    /// Not sent yet.
    Waiting,
    /// Sent, or about to be: whether it arrived is not known. Repeated under the same number.
    Sending {
        /// Its `msg_seq`.
        seq: u32,
    },
    /// The platform accepted it.
    Sent,
    /// The platform holds it for review.
    Held,
    /// Nobody can say whether it arrived.
    Unconfirmed,
    /// The platform refused it, or it was not worth trying.
    Refused {
        /// The platform's code.
        code: Option<i64>,
    },
    /// Its window or its slots were used up.
    Expired,
}

impl PartState {
    /// The word for metrics.
    #[must_use]
    pub fn word(&self) -> &'static str {
        match self {
            Self::Waiting => "waiting",
            Self::Sending { .. } => "sending",
            Self::Sent => "sent",
            Self::Held => "held",
            Self::Unconfirmed => "unconfirmed",
            Self::Refused { .. } => "refused",
            Self::Expired => "expired",
        }
    }
}

/// One message of an answer.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Part {
    /// The text.
    pub text: String,
    /// What became of it.
    pub state: PartState,
}

/// An answer on its way.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Answer {
    /// The messages, in order.
    pub parts: Vec<Part>,
    /// The outcome of the turn when all parts arrive: `sent`, or what the answer apologises for.
    pub means: Outcome,
    /// The next `msg_seq`. Never goes back: a number belongs to one body.
    pub next_seq: u32,
}

impl Answer {
    /// An answer of these texts.
    #[must_use]
    pub fn of(texts: Vec<String>, means: Outcome) -> Self {
        let parts = texts
            .into_iter()
            .map(|text| Part {
                text,
                state: PartState::Waiting,
            })
            .collect();
        Self {
            parts,
            means,
            next_seq: 1,
        }
    }

    /// No message at all.
    #[must_use]
    pub fn nothing(means: Outcome) -> Self {
        Self::of(Vec::new(), means)
    }

    pub(super) fn accepted(&self) -> usize {
        self.parts
            .iter()
            .filter(|part| matches!(part.state, PartState::Sent | PartState::Held))
            .count()
    }

    /// The first part without an outcome.
    pub(super) fn next(&self) -> Option<usize> {
        self.parts
            .iter()
            .position(|part| matches!(part.state, PartState::Waiting | PartState::Sending { .. }))
    }

    /// What was perhaps sent stays open: nobody can say whether it arrived.
    pub(super) fn leave_open(&mut self) {
        for part in &mut self.parts {
            if matches!(part.state, PartState::Sending { .. }) {
                part.state = PartState::Unconfirmed;
            }
        }
    }

    pub(super) fn settle_rest(&mut self, state: &PartState) {
        for part in &mut self.parts {
            if matches!(part.state, PartState::Waiting | PartState::Sending { .. }) {
                part.state = state.clone();
            }
        }
    }
}

/// What is in flight for a turn that is being answered.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Flight {
    pub(super) request: Option<RequestId>,
    /// Sends of this part, in this process.
    pub(super) tries: u32,
    /// The part was sent before, here or in an earlier process: a duplicate is then our own.
    pub(super) repeated: bool,
    /// When it is to be sent again, monotonic milliseconds.
    pub(super) resend_ms: Option<u64>,
    /// The one repetition that some codes ask for was spent.
    pub(super) retried: bool,
    /// New tokens asked for on account of this part.
    pub(super) refreshes: u8,
    pub(super) backoff: Backoff,
}

impl Default for Flight {
    fn default() -> Self {
        Self {
            request: None,
            tries: 0,
            repeated: false,
            resend_ms: None,
            retried: false,
            refreshes: 0,
            backoff: Backoff::new(1_000, 60_000),
        }
    }
}
