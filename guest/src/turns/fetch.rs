//! What is attached to a message, fetched before the agent begins (`PROTOCOL.md`, "Attachments").
//!
//! The host fetches into blobs, from the platform's media hosts only; here is what is asked for, and what came of it.

use crate::bindings::{Action, HttpDone, HttpOutcome, Stage as Failed};
use crate::env::{Env, Level};
use crate::ids::TurnId;
use crate::requests::Purpose;

use super::{Stage, Turns};

/// Attachments of one message that are fetched.
const MOST: usize = 10;

impl Turns {
    /// True when nothing is to be fetched any more. Else the fetching begins, or goes on.
    pub(super) fn fetched(&mut self, env: &mut Env, id: TurnId) -> bool {
        let Some(turn) = self.open.get_mut(&id) else {
            return true;
        };
        for attached in turn.inbound.attached.iter_mut().skip(MOST) {
            attached.missing = format!("only the first {MOST} attachments are fetched");
        }
        let max = env.config.media_bytes;
        for attached in &mut turn.inbound.attached {
            if attached.size > max {
                attached.missing = too_large(max);
            }
        }
        let wanted: Vec<(usize, String)> = turn
            .inbound
            .attached
            .iter()
            .enumerate()
            .filter_map(|(index, attached)| Some((index, attached.wanted()?.to_owned())))
            .collect();
        if wanted.is_empty() {
            return true;
        }
        if turn.stage == Stage::Fetching && is_fetching(env, id) {
            return false;
        }
        turn.stage = Stage::Fetching;
        // The others follow when these are there.
        let room = self.room_for_fetches(env, id);
        for (attachment, url) in wanted.into_iter().take(room) {
            env.fetch(
                Purpose::Fetch {
                    turn: id,
                    attachment,
                },
                &url,
                max,
            );
        }
        false
    }

    /// An attachment is there, or is not.
    pub fn on_fetched(&mut self, env: &mut Env, (id, index): (TurnId, usize), done: &HttpDone) {
        let max = env.config.media_bytes;
        let Some(attached) = self
            .open
            .get_mut(&id)
            .and_then(|turn| turn.inbound.attached.get_mut(index))
        else {
            // The turn is over, and nobody else knows of the bytes.
            if let HttpOutcome::Response(response) = &done.outcome
                && let Some(info) = &response.blob
            {
                env.emit(Action::BlobDrop(info.blob));
            }
            return;
        };
        let why = match &done.outcome {
            HttpOutcome::Response(response) => match &response.blob {
                Some(info) => {
                    attached.blob = Some(info.blob);
                    attached.size = info.size;
                    String::new()
                }
                None => format!("the platform answered with status {}", response.status),
            },
            HttpOutcome::Failed(failure) if failure.stage == Failed::TooLarge => too_large(max),
            // Where it was stops nobody: the address itself is not for logs, and the failure does not have it.
            HttpOutcome::Failed(failure) => failure.detail.clone(),
        };
        if !why.is_empty() {
            let line = format!("turn {id}: attachment {index} could not be fetched: {why}");
            env.log(Level::Warn, line);
            attached.missing = why;
        }
        env.count(
            "attachments",
            if attached.blob.is_some() {
                "fetched"
            } else {
                "missing"
            },
        );
        if !is_fetching(env, id) {
            self.schedule(id);
        }
    }
}

fn is_fetching(env: &Env, id: TurnId) -> bool {
    env.requests
        .any(|purpose| matches!(purpose, Purpose::Fetch { turn, .. } if *turn == id))
}

fn too_large(max: u64) -> String {
    format!("it is larger than {} MB", max / 1_000_000)
}
