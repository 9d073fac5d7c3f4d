//! What the agent reports of a turn.

use crate::bindings::{Action, AnswerPart, MediaSource, Outcome, TurnEvent, TurnNews};
use crate::delivery::plan;
use crate::env::{Env, Level};
use crate::ids::TurnId;
use crate::texts::Text;

use super::interrupt::Why;
use super::{Stage, Turn, Turns, approvals};

/// Bytes of what an agent sends ahead of its answer: what is stored with each message is kept in bounds.
const AHEAD_BYTES: usize = 24 << 10;
/// Blobs of one answer; what is beyond them is dropped.
const BLOBS: usize = 64;

/// The blobs that news of a turn bring.
fn blobs_of(news: &TurnNews) -> Vec<u64> {
    let (TurnNews::Message(parts) | TurnNews::Finished(parts)) = news else {
        return Vec::new();
    };
    let media = parts.iter().filter_map(|part| match part {
        AnswerPart::Media(media) => Some(&media.source),
        AnswerPart::Text(_) | AnswerPart::Card(_) => None,
    });
    media
        .filter_map(|source| match source {
            MediaSource::Blob(info) => Some(info.blob),
            MediaSource::Url(_) => None,
        })
        .collect()
}

impl Turns {
    /// News of a turn.
    pub fn on_news(&mut self, env: &mut Env, event: TurnEvent) {
        let id = TurnId(event.turn);
        if matches!(
            event.news,
            TurnNews::Finished(_) | TurnNews::Failed(_) | TurnNews::Cancelled
        ) {
            self.running.remove(&id);
        }
        let blobs = blobs_of(&event.news);
        let waiting =
            |turn: &&mut Turn| turn.stage == Stage::Thinking && turn.attempt == event.attempt;
        let Some(turn) = self.open.get_mut(&id).filter(waiting) else {
            // Nobody waits for it, nor for what it brought.
            for blob in blobs {
                env.emit(Action::BlobDrop(blob));
            }
            return;
        };
        for blob in blobs {
            if turn.blobs.len() < BLOBS {
                turn.blobs.push(blob);
            } else {
                env.emit(Action::BlobDrop(blob));
            }
        }
        if turn.given_up {
            return self.on_last_news(env, id, event.news);
        }
        match event.news {
            TurnNews::Delta(more) => self.on_delta(env, id, &more),
            TurnNews::ToolNote(_) => {}
            TurnNews::ApprovalAsked(approval) => self.on_approval_asked(env, id, &approval),
            TurnNews::Message(parts) => {
                let text = plan::as_text(&parts);
                let room = AHEAD_BYTES.saturating_sub(turn.ahead.len());
                let end = text.floor_char_boundary(room);
                turn.ahead.push_str(text.get(..end).unwrap_or_default());
                turn.ahead.push_str("\n\n");
            }
            TurnNews::Finished(parts) => {
                self.answer_with(env, id, |turns, env, turn| turns.plan(env, turn, &parts));
            }
            TurnNews::Failed(reason) => {
                let line = format!("turn {id}: the agent failed: {reason}");
                env.log(Level::Warn, line);
                self.apologise(env, id, Text::AgentFailed, Outcome::Failed);
            }
            TurnNews::Cancelled => self.end_given_up(env, id),
        }
    }

    /// News of a turn that nobody waits for any more: only its end counts.
    fn on_last_news(&mut self, env: &mut Env, id: TurnId, news: TurnNews) {
        match news {
            TurnNews::Finished(_) | TurnNews::Failed(_) | TurnNews::Cancelled => {
                self.end_given_up(env, id);
            }
            TurnNews::ApprovalAsked(approval) => {
                approvals::decide(env, id, &approval.approval, false, "channel");
            }
            TurnNews::Delta(_) | TurnNews::ToolNote(_) | TurnNews::Message(_) => {}
        }
    }

    /// A text of the bot's own in place of the answer.
    pub(super) fn apologise(&mut self, env: &mut Env, id: TurnId, text: Text, means: Outcome) {
        self.answer_with(env, id, |_, env, turn| {
            plan::apology(&env.config, turn, text, means)
        });
    }

    /// A message was taken back by whoever wrote it: nobody waits for an answer any more.
    pub fn on_recalled(&mut self, env: &mut Env, message: &str) {
        let found = self.open.values().find(|turn| {
            turn.inbound.id.as_str() == message
                && !turn.given_up
                && !matches!(turn.stage, Stage::Answering(_))
        });
        let Some(id) = found.map(|turn| turn.id) else {
            return;
        };
        self.give_up(env, id, Why::TakenBack);
    }
}
