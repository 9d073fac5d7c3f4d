//! Turns that nobody waits for any more: a newer message took their place, they were stopped, or taken back.
//!
//! What was not sent yet is dropped, what is under way keeps its rules, an open stream is closed with what it shows,
//! and an agent at work is stopped and waited for: the next turn of the conversation begins after it.

use crate::bindings::{Action, Occasion, Outcome, TurnCancel, TurnContext};
use crate::delivery::{Answer, Content, PartState};
use crate::env::{Env, Level};
use crate::ids::TurnId;
use crate::inbound::Inbound;

use super::{Origin, Stage, Turn, Turns};

/// Why a turn is given up.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Why {
    Newer,
    Stopped,
    TakenBack,
}

impl Why {
    fn sentence(self) -> &'static str {
        match self {
            Self::Newer => "a newer message of the same person took its place",
            Self::Stopped => "the person stopped it",
            Self::TakenBack => "the message was taken back",
        }
    }
}

/// What is left to send of an answer that nobody waits for: the end of its stream.
pub(super) fn nothing_more(turn: &Turn) -> Answer {
    let end = turn
        .stream
        .as_ref()
        .map(|stream| Content::StreamEnd(stream.shown.clone()));
    Answer::of(end.into_iter().collect(), Outcome::Superseded)
}

impl Turns {
    /// A new message came: where the operator wants that, it takes the place of what the same person asked before.
    pub(super) fn interrupt(&mut self, env: &mut Env, inbound: &Inbound) {
        if env.config.interrupt_on_new_message && inbound.occasion == Occasion::Message {
            self.give_up_all(env, inbound, Why::Newer);
        }
    }

    /// Stops everything that is done for the sender in this conversation. Returns how much that was.
    pub fn stop(&mut self, env: &mut Env, inbound: &Inbound) -> usize {
        self.give_up_all(env, inbound, Why::Stopped)
    }

    /// How many turns of the sender's are worked on in this conversation, and how many wait.
    #[must_use]
    pub fn counts_of(&self, env: &Env, inbound: &Inbound) -> (usize, usize) {
        let all = self.of_sender(env, inbound);
        let waits = |id: &&TurnId| {
            let stage = self.open.get(id).map(|turn| &turn.stage);
            matches!(stage, Some(Stage::Queued))
        };
        let waiting = all.iter().filter(waits).count();
        (all.len() - waiting, waiting)
    }

    fn of_sender(&self, env: &Env, inbound: &Inbound) -> Vec<TurnId> {
        let conversation = inbound.conversation(&env.config);
        let theirs = self.open.values().filter(|turn| {
            turn.origin == Origin::Inbound
                && !turn.given_up
                && turn.inbound.sender == inbound.sender
                && turn.inbound.conversation(&env.config) == conversation
        });
        theirs.map(|turn| turn.id).collect()
    }

    fn give_up_all(&mut self, env: &mut Env, inbound: &Inbound, why: Why) -> usize {
        let theirs = self.of_sender(env, inbound);
        for id in &theirs {
            self.give_up(env, *id, why);
        }
        theirs.len()
    }

    /// Gives up one turn.
    pub(super) fn give_up(&mut self, env: &mut Env, id: TurnId, why: Why) {
        let Some(turn) = self.open.get_mut(&id) else {
            return;
        };
        env.log(Level::Info, format!("turn {id}: {}", why.sentence()));
        turn.given_up = true;
        match turn.stage {
            Stage::Answering(_) => self.drop_unsent(id),
            _ if self.running.contains(&id) => {
                self.stop_agent(env, id, why.sentence());
            }
            _ => {
                if why == Why::Newer && turn.attempt == 0 {
                    // The agent never heard of it, and the newer message may go on from it.
                    let context = TurnContext {
                        conversation: turn.inbound.conversation(&env.config),
                        message: turn.inbound.for_agent(),
                    };
                    env.emit_after_commit(Action::TurnContext(context));
                }
                self.end_given_up(env, id);
            }
        }
    }

    /// Asks the agent to stop. What it still says of this turn goes nowhere.
    pub(super) fn stop_agent(&mut self, env: &mut Env, id: TurnId, reason: &str) {
        self.typing.remove(&id);
        self.approvals.remove(&id);
        env.emit(Action::TurnCancel(TurnCancel {
            id: id.0,
            reason: reason.to_owned(),
        }));
    }

    /// Ends a turn that was given up, once no agent is at work on it.
    pub(super) fn end_given_up(&mut self, env: &mut Env, id: TurnId) {
        self.answer_with(env, id, |_, _, turn| nothing_more(turn));
    }

    /// Drops the parts of an answer that were not sent.
    fn drop_unsent(&mut self, id: TurnId) {
        let Some(turn) = self.open.get_mut(&id) else {
            return;
        };
        let Stage::Answering(answer) = &mut turn.stage else {
            return;
        };
        answer.means = Outcome::Superseded;
        let shown = turn.stream.as_ref().map(|stream| stream.shown.as_str());
        // What waits stands behind what is under way, so that no part under way gets another place.
        answer.parts.retain_mut(|part| match &mut part.content {
            _ if part.state != PartState::Waiting => true,
            Content::StreamEnd(text) => {
                shown.unwrap_or_default().clone_into(text);
                true
            }
            _ => false,
        });
        let open = answer.parts.iter().any(|part| part.state.is_open());
        let uploading = self
            .flights
            .get(&id)
            .is_some_and(crate::delivery::Flight::is_under_way);
        if !open && !uploading {
            self.flights.remove(&id);
        }
        self.schedule(id);
    }
}
