//! What became of every accepted message: one record each, and one word to the agent.

use serde::{Deserialize, Serialize};

use crate::bindings::{Action, Outcome, TurnOutcome};
use crate::delivery::PartState;
use crate::env::{Env, Level};
use crate::ids::TurnId;
use crate::state::Entries;
use crate::state::ring::{Dated, Ring};
use crate::turns::{Stage, Turn};

/// Outcomes remembered.
const CAPACITY: usize = 10_240;
/// Where they are stored.
const PREFIX: &str = "ledger/";

/// One outcome.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Record {
    /// The turn.
    pub turn: TurnId,
    /// What became of it.
    pub outcome: Outcome,
    /// The platform's code, where there was one.
    pub code: Option<i64>,
    /// Parts accepted.
    pub sent: u32,
    /// Parts there were.
    pub parts: u32,
    /// When, wall-clock milliseconds.
    pub wall_ms: u64,
}

impl Dated for Record {
    fn wall_ms(&self) -> u64 {
        self.wall_ms
    }
}

/// The ledger. The records themselves are stored by the host.
#[derive(Clone, Debug)]
pub struct Ledger {
    ring: Ring<Record>,
    recorded: u64,
}

impl Default for Ledger {
    fn default() -> Self {
        Self::restore(&Entries::default(), 0)
    }
}

impl Ledger {
    /// The ledger as it was left.
    #[must_use]
    pub fn restore(entries: &Entries, wall_ms: u64) -> Self {
        let (ring, records) = Ring::restore(PREFIX, CAPACITY, entries, wall_ms);
        Self {
            ring,
            recorded: records.len() as u64,
        }
    }

    /// Outcomes recorded since the oldest one that is remembered.
    #[must_use]
    pub fn recorded(&self) -> u64 {
        self.recorded
    }

    /// Records the outcome of a turn, with this call's commit, and tells the agent.
    pub fn record(&mut self, env: &mut Env, turn: &Turn) {
        let record = judge(turn, env.now.wall_ms);
        self.recorded += 1;
        self.ring.push(env, record);
        env.count("turns", word(record.outcome));
        env.log(
            Level::Info,
            format!(
                "turn {}: {}, {} of {} parts accepted",
                turn.id,
                word(record.outcome),
                record.sent,
                record.parts
            ),
        );
        env.emit_after_commit(Action::TurnOutcome(TurnOutcome {
            id: turn.id.0,
            outcome: record.outcome,
            parts_sent: record.sent,
            parts: record.parts,
            code: record.code,
            detail: sentence(record.outcome).to_owned(),
        }));
    }
}

fn judge(turn: &Turn, wall_ms: u64) -> Record {
    let mut record = Record {
        turn: turn.id,
        outcome: Outcome::Silent,
        code: None,
        sent: 0,
        parts: 0,
        wall_ms,
    };
    let Stage::Answering(answer) = &turn.stage else {
        return record;
    };
    record.parts = u32::try_from(answer.parts.len()).unwrap_or(u32::MAX);
    let (mut held, mut unconfirmed, mut expired) = (false, false, false);
    for part in &answer.parts {
        match &part.state {
            PartState::Sent => record.sent += 1,
            PartState::Held => {
                record.sent += 1;
                held = true;
            }
            PartState::Unconfirmed => unconfirmed = true,
            PartState::Expired => expired = true,
            PartState::Refused { code } => record.code = record.code.or(*code),
            PartState::Waiting | PartState::Sending { .. } => {}
        }
    }
    record.outcome = if record.sent == record.parts {
        if held { Outcome::Held } else { answer.means }
    } else if unconfirmed {
        Outcome::Unconfirmed
    } else if record.sent > 0 {
        Outcome::PartlySent
    } else if expired {
        Outcome::Expired
    } else {
        Outcome::Refused
    };
    record
}

/// The word for logs and metrics.
#[must_use]
pub fn word(outcome: Outcome) -> &'static str {
    match outcome {
        Outcome::Sent => "sent",
        Outcome::PartlySent => "partly-sent",
        Outcome::Held => "held",
        Outcome::Unconfirmed => "unconfirmed",
        Outcome::Refused => "refused",
        Outcome::Expired => "expired",
        Outcome::Superseded => "superseded",
        Outcome::Silent => "silent",
        Outcome::Failed => "failed",
    }
}

fn sentence(outcome: Outcome) -> &'static str {
    match outcome {
        Outcome::Sent => "The platform accepted the answer.",
        Outcome::PartlySent => "The platform accepted only some parts of the answer.",
        Outcome::Held => "The platform holds the answer for review.",
        Outcome::Unconfirmed => {
            "Nobody can say whether the answer arrived; it was not repeated further."
        }
        Outcome::Refused => "The platform refused the answer.",
        Outcome::Expired => {
            "The time or the number of replies ran out before the answer could be sent."
        }
        Outcome::Superseded => "A newer message took its place.",
        Outcome::Silent => "There was nothing to say.",
        Outcome::Failed => "The agent failed, and the person got an apology.",
    }
}
