//! The beginning of a turn, and the time it has.

use std::collections::VecDeque;

use crate::bindings::{Action, MediaKind, Outcome, SceneShows, TurnBegin};
use crate::capabilities::Feature;
use crate::delivery::cards;
use crate::env::{Env, Level};
use crate::ids::TurnId;
use crate::scene::Scene;
use crate::texts::{self, Text};
use crate::timers::Timer;

use super::{BATCH, Origin, Stage, Turn, Turns};

/// Milliseconds before the end of a reply window at which the agent is stopped, so that an apology still fits.
pub(super) const RESERVE_MS: u64 = 20_000;

impl Turns {
    /// Starts the agent, once what is attached is there and the turn is stored. Nothing happens while another turn
    /// of the conversation, or this one, is being worked on; one whose time is over gets its outcome instead.
    pub(super) fn begin(&mut self, env: &mut Env, id: TurnId) {
        let Some(turn) = self.open.get(&id) else {
            return;
        };
        let conversation = turn.inbound.conversation(&env.config);
        let first = self.queues.get(&conversation).and_then(VecDeque::front) == Some(&id);
        let inbound = turn.origin == Origin::Inbound;
        if !first || !inbound || self.held || self.running.contains(&id) {
            return;
        }
        if turn.given_up {
            return self.end_given_up(env, id);
        }
        let deadline_ms = turn.inbound.deadline_ms();
        if deadline_ms.saturating_sub(RESERVE_MS) <= env.platform_ms() {
            let line = format!("turn {id}: its reply window closed before it could be worked on");
            env.log(Level::Warn, line);
            return self.apologise(env, id, Text::TookTooLong, Outcome::Expired);
        }
        if !self.fetched(env, id) || !self.may_begin(id) {
            return;
        }
        self.take_up_stream(id);
        let Some(turn) = self.open.get_mut(&id) else {
            return;
        };
        turn.stage = Stage::Thinking;
        turn.attempt += 1;
        let turn = turn.clone();
        self.running.insert(id);
        let left_ms = deadline_ms.saturating_sub(env.platform_ms());
        let begin = TurnBegin {
            id: id.0,
            attempt: turn.attempt,
            conversation,
            message: turn.inbound.for_agent(),
            shows: self.shows(env, &turn),
            deadline_wall_ms: Some(env.now.wall_ms.saturating_add(left_ms)),
        };
        env.emit_after_commit(Action::TurnBegin(begin));
        self.watch(env, deadline_ms.saturating_sub(RESERVE_MS));
        self.show_typing(env, id);
    }

    /// Sees to it that a timer comes by this moment of the platform's clock.
    pub(crate) fn watch(&self, env: &mut Env, due_ms: u64) {
        let wait_ms = due_ms.saturating_sub(env.platform_ms()).max(1);
        env.set_timer_by(Timer::TurnDeadlines, wait_ms);
    }

    /// Stops agents that can no longer answer in time, and ends answers that waited too long for a token.
    pub fn on_deadlines(&mut self, env: &mut Env) {
        let now = env.platform_ms();
        let mut next = self.deny_late_approvals(env);
        let mut late = Vec::new();
        for turn in self.open.values() {
            let due_ms = match turn.stage {
                Stage::Queued => continue,
                Stage::Fetching | Stage::Thinking => {
                    turn.inbound.deadline_ms().saturating_sub(RESERVE_MS)
                }
                Stage::Answering(_) => turn.inbound.deadline_ms(),
            };
            if due_ms <= now && late.len() < BATCH {
                late.push(turn.id);
            } else {
                next = Some(next.map_or(due_ms, |known| known.min(due_ms)));
            }
        }
        for id in late {
            self.on_late(env, id);
        }
        if let Some(due_ms) = next {
            self.watch(env, due_ms);
        }
    }

    fn on_late(&mut self, env: &mut Env, id: TurnId) {
        let stage = self.open.get(&id).map(|turn| &turn.stage);
        if matches!(stage, Some(Stage::Thinking | Stage::Fetching)) {
            let line = format!("turn {id}: the agent takes too long for the reply window; stopped");
            env.log(Level::Warn, line);
            if self.running.contains(&id) {
                self.stop_agent(env, id, "the reply window is about to close");
            }
            if self.open.get(&id).is_some_and(|turn| turn.given_up) {
                return self.end_given_up(env, id);
            }
            self.apologise(env, id, Text::TookTooLong, Outcome::Failed);
        }
        self.schedule(id);
    }

    /// What the agent may use in this place, as far as it is known.
    fn shows(&self, env: &Env, turn: &Turn) -> SceneShows {
        let inbound = &turn.inbound;
        let (scene, target) = (inbound.scene, &inbound.target);
        let may = |feature| self.caps.may(env, scene, target, feature);
        let markdown = self.uses_markdown(env, scene, target);
        let buttons = markdown && may(Feature::Keyboard);
        let files = if may(Feature::Files) {
            vec![
                MediaKind::Image,
                MediaKind::Voice,
                MediaKind::Audio,
                MediaKind::Video,
                MediaKind::Document,
            ]
        } else {
            Vec::new()
        };
        let media = if scene.of_guild() {
            vec![MediaKind::Image]
        } else {
            files
        };
        let known = |card: &str| match card {
            "buttons" => buttons,
            "list" | "article" | "picture" => scene.of_guild() && may(Feature::Ark),
            "embed" => scene.of_guild() && may(Feature::Embed),
            "reaction" => scene == Scene::Channel,
            _ => true,
        };
        let cards = cards::TYPES.iter().filter(|card| known(card));
        let slots = usize::try_from(self.left(env, turn.id)).unwrap_or(usize::MAX);
        let chars = slots.saturating_mul(env.config.message_chars);
        let mut notes = vec![texts::language_note(env.config.language).to_owned()];
        if !may(Feature::Links) {
            notes.push("Links are refused here: write none.".to_owned());
        }
        SceneShows {
            markdown,
            media,
            buttons,
            cards: cards.map(|card| (*card).to_owned()).collect(),
            streaming: self.can_stream(env, turn),
            max_chars: u32::try_from(chars).unwrap_or(u32::MAX),
            notes,
        }
    }
}
