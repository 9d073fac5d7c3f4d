//! What became of every accepted message: one record each, and one word to the agent.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use crate::bindings::{Action, Mark, Outcome, Reply, ReportLine, TurnOutcome};
use crate::delivery::PartState;
use crate::env::{Env, Level};
use crate::ids::TurnId;
use crate::state::Entries;
use crate::state::ring::{BLOCK, Ring, Stored};
use crate::turns::{Origin, Stage, Turn};

/// Outcomes remembered.
pub const CAPACITY: usize = 10_240;
/// Where they are stored.
const PREFIX: &str = "ledger/";
/// Where reviews are stored.
const REVIEWS: &str = "review/";
/// Reviews remembered; the oldest goes first.
pub const MAX_REVIEWS: usize = 256;

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

/// A message that waits for its review.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
struct Review {
    turn: TurnId,
    wall_ms: u64,
}

/// The ledger. The records themselves are stored by the host.
#[derive(Clone, Debug)]
pub struct Ledger {
    ring: Ring<Record>,
    recorded: u64,
    /// Reviews that were not decided yet, by the platform's id.
    reviews: BTreeMap<String, Review>,
}

impl Default for Ledger {
    fn default() -> Self {
        Self::restore(&mut Entries::default())
    }
}

impl Ledger {
    /// The ledger as it was left.
    #[must_use]
    pub fn restore(entries: &mut Entries) -> Self {
        let stored = Stored::take(entries, PREFIX, BLOCK);
        let reviews = entries
            .under(REVIEWS)
            .filter_map(|(id, bytes)| Some((id.to_owned(), postcard::from_bytes(bytes).ok()?)))
            .collect();
        Self {
            ring: Ring::restore(PREFIX, CAPACITY, &stored),
            recorded: stored.len() as u64,
            reviews,
        }
    }

    /// Outcomes recorded since the oldest one that is remembered.
    #[must_use]
    pub fn recorded(&self) -> u64 {
        self.recorded
    }

    /// Messages whose review is not decided.
    #[must_use]
    pub fn in_review(&self) -> usize {
        self.reviews.len()
    }

    /// Records the outcome of a turn, with this call's commit, and tells whoever wanted it.
    pub fn record(&mut self, env: &mut Env, turn: &Turn) -> Record {
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
        let mut detail = sentence(record.outcome).to_owned();
        if let Some(code) = record.code {
            detail.push_str(&format!(" Code {code}."));
        }
        if let Stage::Answering(answer) = &turn.stage {
            for remark in &answer.remarks {
                detail.push_str(&format!(" Note: {remark}."));
            }
        }
        match turn.origin {
            Origin::Inbound => env.emit_after_commit(outcome_of(&record, detail)),
            Origin::Channel => {}
            Origin::Operator(command) => env.emit_after_commit(reply_of(command, &record, detail)),
        }
        record
    }

    /// Remembers that the platform holds a message of this turn for review.
    pub fn await_review(&mut self, env: &mut Env, audit: &str, turn: TurnId) {
        let review = Review {
            turn,
            wall_ms: env.now.wall_ms,
        };
        if let Ok(bytes) = postcard::to_allocvec(&review) {
            env.put(format!("{REVIEWS}{audit}"), bytes);
        }
        self.reviews.insert(audit.to_owned(), review);
        if self.reviews.len() > MAX_REVIEWS {
            let oldest = self.reviews.iter().min_by_key(|(_, review)| review.wall_ms);
            if let Some(audit) = oldest.map(|(audit, _)| audit.clone()) {
                self.forget_review(env, &audit);
            }
        }
    }

    fn forget_review(&mut self, env: &mut Env, audit: &str) -> Option<Review> {
        let review = self.reviews.remove(audit)?;
        env.delete(format!("{REVIEWS}{audit}"));
        Some(review)
    }

    /// The platform decided a review: the outcome of its turn is known now, and the agent hears of it.
    pub fn on_reviewed(&mut self, env: &mut Env, audit: &str, passed: bool) {
        let Some(review) = self.forget_review(env, audit) else {
            return;
        };
        let (outcome, detail) = if passed {
            (Outcome::Sent, "The review let it through.")
        } else {
            (Outcome::Refused, "The review refused it.")
        };
        let record = Record {
            turn: review.turn,
            outcome,
            code: None,
            sent: u32::from(passed),
            parts: 1,
            wall_ms: env.now.wall_ms,
        };
        env.log(Level::Info, format!("turn {}: {detail}", review.turn));
        env.count("reviews", if passed { "passed" } else { "refused" });
        self.ring.push(env, record);
        env.emit_after_commit(outcome_of(&record, detail.to_owned()));
    }
}

fn outcome_of(record: &Record, detail: String) -> Action {
    Action::TurnOutcome(TurnOutcome {
        id: record.turn.0,
        outcome: record.outcome,
        parts_sent: record.sent,
        parts: record.parts,
        code: record.code,
        detail,
    })
}

fn reply_of(command: u64, record: &Record, detail: String) -> Action {
    let mark = match record.outcome {
        Outcome::Sent => Mark::Ok,
        Outcome::Held | Outcome::PartlySent | Outcome::Unconfirmed => Mark::Warn,
        _ => Mark::Fail,
    };
    Action::Reply(Reply {
        id: command,
        done: true,
        lines: vec![ReportLine {
            mark,
            topic: "send".into(),
            text: detail.clone(),
            evidence: record.code.map(|code| format!("code {code}")),
            fix: None,
        }],
        data: serde_json::to_string(record).ok(),
        summary: Some(detail),
    })
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
    let parts = || answer.parts.iter().filter(|part| !part.aside);
    record.parts = u32::try_from(parts().count()).unwrap_or(u32::MAX);
    let (mut held, mut unconfirmed, mut expired) = (false, false, false);
    for part in parts() {
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
