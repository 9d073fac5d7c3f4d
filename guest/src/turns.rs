//! Turns: one accepted message each, from the agent's start to the recorded outcome.

use std::collections::{BTreeMap, BTreeSet, VecDeque};

use serde::{Deserialize, Serialize};

use crate::bindings::{
    Action, ApprovalAnswer, MediaKind, Outcome, SceneShows, TurnBegin, TurnCancel, TurnEvent,
    TurnNews,
};
use crate::config::Config;
use crate::delivery::{Answer, Flight, plan};
use crate::env::{Env, Level};
use crate::gateway::Want;
use crate::ids::TurnId;
use crate::inbound::Inbound;
use crate::ledger::Ledger;
use crate::state::Entries;
use crate::texts::{self, Text};
use crate::timers::Timer;

/// Where open turns are stored.
const PREFIX: &str = "turn/";
/// Milliseconds before the end of a reply window at which the agent is stopped, so that an apology still fits.
const RESERVE_MS: u64 = 20_000;

/// Turns that one call works on: few enough that their effects stay far below what a call may return.
const BATCH: usize = 64;

/// How far a turn is.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Stage {
    /// Another message of the same conversation is being answered first.
    Queued,
    /// The agent is at work.
    Thinking,
    /// The answer is there and being delivered.
    Answering(Answer),
}

/// An accepted message on its way to an outcome. Stored whole, so that a new process takes it up again.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Turn {
    /// Its id, for ever.
    pub id: TurnId,
    /// How often the agent was started for it.
    pub attempt: u32,
    /// The message.
    pub inbound: Inbound,
    /// How far it is.
    pub stage: Stage,
    /// Text that the agent sent ahead of its answer.
    pub ahead: String,
}

/// All open turns.
#[derive(Clone, Debug, Default)]
pub struct Turns {
    pub(crate) open: BTreeMap<TurnId, Turn>,
    /// By conversation; the first is being worked on.
    queues: BTreeMap<String, VecDeque<TurnId>>,
    pub(crate) flights: BTreeMap<TurnId, Flight>,
    running: BTreeSet<TurnId>,
    /// No agent is started any more: what is accepted waits, stored, for the next process.
    held: bool,
    /// Turns with something to do now: an agent to start, a part to send, an end to record.
    agenda: BTreeSet<TurnId>,
    pub(crate) ledger: Ledger,
}

/// What of the turns travels in a checkpoint: all but what is stored.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct InFlight {
    flights: BTreeMap<TurnId, Flight>,
    running: BTreeSet<TurnId>,
    held: bool,
    agenda: BTreeSet<TurnId>,
}

impl Turns {
    /// The turns that an earlier process, or an earlier instance, left open.
    #[must_use]
    pub fn restore(entries: &Entries, config: &Config, wall_ms: u64, in_flight: InFlight) -> Self {
        let open: BTreeMap<TurnId, Turn> = entries
            .under(PREFIX)
            .filter_map(|(_, bytes)| serde_json::from_slice::<Turn>(bytes).ok())
            .map(|turn| (turn.id, turn))
            .collect();
        let mut queues: BTreeMap<String, VecDeque<TurnId>> = BTreeMap::new();
        for turn in open.values() {
            queues
                .entry(turn.inbound.conversation(config))
                .or_default()
                .push_back(turn.id);
        }
        let InFlight {
            flights,
            running,
            held,
            agenda,
        } = in_flight;
        Self {
            open,
            queues,
            flights,
            running,
            held,
            agenda,
            ledger: Ledger::restore(entries, wall_ms),
        }
    }

    /// What belongs into a checkpoint.
    #[must_use]
    pub fn in_flight(&self) -> InFlight {
        InFlight {
            flights: self.flights.clone(),
            running: self.running.clone(),
            held: self.held,
            agenda: self.agenda.clone(),
        }
    }

    /// Turns that the agent is at work on, ascending.
    #[must_use]
    pub fn running(&self) -> Vec<u64> {
        self.running.iter().map(|id| id.0).collect()
    }

    /// How many are open.
    #[must_use]
    pub fn len(&self) -> usize {
        self.open.len()
    }

    /// True when none is open.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.open.is_empty()
    }

    /// Starts no agent any more: what is accepted waits, stored, for the next process.
    pub fn hold(&mut self) {
        self.held = true;
    }

    /// Takes a message, and stores it. What is to be done with it goes on the agenda.
    pub fn accept(&mut self, env: &mut Env, inbound: Inbound) {
        let id = env.ids.turn();
        let conversation = inbound.conversation(&env.config);
        let queue = self.queues.entry(conversation).or_default();
        let waiting = queue.len();
        env.log(
            Level::Info,
            format!(
                "turn {id}: {} message {} accepted, {waiting} before it",
                inbound.scene.word(),
                inbound.id
            ),
        );
        let stage = if waiting > env.config.queue {
            Stage::Answering(plan::apology(&env.config, Text::TooMany, Outcome::Refused))
        } else {
            queue.push_back(id);
            Stage::Queued
        };
        self.agenda.insert(id);
        self.put(
            env,
            Turn {
                id,
                attempt: 0,
                inbound,
                stage,
                ahead: String::new(),
            },
        );
    }

    /// Does what is on the agenda, as much of it as one call may hold.
    pub fn work(&mut self, env: &mut Env, token_valid: bool) -> Want {
        let mut want = Want::Nothing;
        for _ in 0..BATCH {
            let Some(id) = self.agenda.pop_first() else {
                return want;
            };
            match self.open.get(&id).map(|turn| &turn.stage) {
                Some(Stage::Answering(_)) => match self.deliver(env, id, token_valid) {
                    Want::Nothing => {}
                    other => want = other,
                },
                Some(Stage::Queued | Stage::Thinking) => self.begin(env, id),
                None => {}
            }
        }
        if !self.agenda.is_empty() && !env.timers.is_set(Timer::Agenda) {
            env.set_timer(Timer::Agenda, 1);
        }
        want
    }

    /// A token is there: what waited for one goes on.
    pub fn on_token(&mut self) {
        let answering = self
            .open
            .values()
            .filter(|turn| matches!(turn.stage, Stage::Answering(_)));
        self.agenda.extend(answering.map(|turn| turn.id));
    }

    /// Something is to be done with this turn.
    pub(crate) fn schedule(&mut self, id: TurnId) {
        self.agenda.insert(id);
    }

    /// Starts the agent, once the turn is stored. Nothing happens while another turn of the conversation, or
    /// this one, is being worked on; one whose time is over gets its outcome instead.
    fn begin(&mut self, env: &mut Env, id: TurnId) {
        let Some(turn) = self.open.get(&id) else {
            return;
        };
        let conversation = turn.inbound.conversation(&env.config);
        let first = self.queues.get(&conversation).and_then(VecDeque::front) == Some(&id);
        if !first || self.held || self.running.contains(&id) {
            return;
        }
        let deadline_ms = turn.inbound.deadline_ms();
        if deadline_ms.saturating_sub(RESERVE_MS) <= env.platform_ms() {
            env.log(
                Level::Warn,
                format!("turn {id}: its reply window closed before it could be worked on"),
            );
            self.answer_with(env, id, |_, config| {
                plan::apology(config, Text::TookTooLong, Outcome::Expired)
            });
            return;
        }
        let mut turn = turn.clone();
        turn.stage = Stage::Thinking;
        turn.attempt += 1;
        self.running.insert(id);
        let left_ms = deadline_ms.saturating_sub(env.platform_ms());
        let begin = TurnBegin {
            id: id.0,
            attempt: turn.attempt,
            conversation,
            message: turn.inbound.for_agent(),
            shows: shows(&turn.inbound, &env.config),
            deadline_wall_ms: Some(env.now.wall_ms.saturating_add(left_ms)),
        };
        self.put(env, turn);
        env.emit_after_commit(Action::TurnBegin(begin));
        self.watch(env, deadline_ms.saturating_sub(RESERVE_MS));
    }

    /// Sees to it that a timer comes by this moment of the platform's clock.
    pub(crate) fn watch(&self, env: &mut Env, due_ms: u64) {
        let wait_ms = due_ms.saturating_sub(env.platform_ms()).max(1);
        let due = env.now.mono_ms.saturating_add(wait_ms);
        if env
            .timers
            .due(Timer::TurnDeadlines)
            .is_none_or(|set| due < set)
        {
            env.set_timer(Timer::TurnDeadlines, wait_ms);
        }
    }

    /// Stops agents that can no longer answer in time, and ends answers that waited too long for a token.
    pub fn on_deadlines(&mut self, env: &mut Env) {
        let now = env.platform_ms();
        let (mut late, mut next) = (Vec::new(), None::<u64>);
        for turn in self.open.values() {
            let due_ms = match turn.stage {
                Stage::Queued => continue,
                Stage::Thinking => turn.inbound.deadline_ms().saturating_sub(RESERVE_MS),
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
        if self
            .open
            .get(&id)
            .is_some_and(|turn| turn.stage == Stage::Thinking)
        {
            env.log(
                Level::Warn,
                format!("turn {id}: the agent takes too long for the reply window; stopped"),
            );
            if self.running.contains(&id) {
                env.emit(Action::TurnCancel(TurnCancel {
                    id: id.0,
                    reason: "the reply window is about to close".into(),
                }));
            }
            self.answer_with(env, id, |_, config| {
                plan::apology(config, Text::TookTooLong, Outcome::Failed)
            });
        }
        self.schedule(id);
    }

    /// News of a turn.
    pub fn on_news(&mut self, env: &mut Env, event: TurnEvent) {
        let id = TurnId(event.turn);
        if matches!(
            event.news,
            TurnNews::Finished(_) | TurnNews::Failed(_) | TurnNews::Cancelled
        ) {
            self.running.remove(&id);
        }
        let Some(turn) = self.open.get_mut(&id) else {
            return;
        };
        if turn.stage != Stage::Thinking || turn.attempt != event.attempt {
            return;
        }
        match event.news {
            TurnNews::Delta(_) | TurnNews::ToolNote(_) => {}
            TurnNews::ApprovalAsked(approval) => {
                env.log(
                    Level::Warn,
                    format!(
                        "turn {id}: approval {:?} denied: there are no buttons yet",
                        approval.title
                    ),
                );
                env.emit(Action::ApprovalAnswer(ApprovalAnswer {
                    turn: id.0,
                    approval: approval.approval,
                    allowed: false,
                    by: "channel".into(),
                }));
            }
            TurnNews::Message(parts) => {
                turn.ahead.push_str(&plan::as_text(&parts));
                turn.ahead.push_str("\n\n");
                self.store(env, id);
            }
            TurnNews::Finished(parts) => {
                self.answer_with(env, id, |turn, config| plan::answer(turn, &parts, config));
            }
            TurnNews::Failed(reason) => {
                env.log(
                    Level::Warn,
                    format!("turn {id}: the agent failed: {reason}"),
                );
                self.answer_with(env, id, |_, config| {
                    plan::apology(config, Text::AgentFailed, Outcome::Failed)
                });
            }
            TurnNews::Cancelled => {
                self.answer_with(env, id, |_, _| Answer::nothing(Outcome::Superseded));
            }
        }
    }

    fn answer_with(
        &mut self,
        env: &mut Env,
        id: TurnId,
        plan: impl FnOnce(&Turn, &Config) -> Answer,
    ) {
        let Some(turn) = self.open.get_mut(&id) else {
            return;
        };
        let answer = plan(turn, &env.config);
        turn.ahead.clear();
        turn.stage = Stage::Answering(answer);
        self.agenda.insert(id);
        // The delivery stores it, together with the state of the first part. Where that may come in a later call
        // only, a finished answer must not be lost meanwhile.
        if self.agenda.len() > BATCH {
            self.store(env, id);
        }
    }

    /// Records the outcome, forgets the turn, and begins the next one of its conversation.
    pub(crate) fn close(&mut self, env: &mut Env, id: TurnId) {
        let Some(turn) = self.open.remove(&id) else {
            return;
        };
        self.flights.remove(&id);
        env.delete(key(id));
        self.ledger.record(env, &turn);
        let conversation = turn.inbound.conversation(&env.config);
        let Some(queue) = self.queues.get_mut(&conversation) else {
            return;
        };
        let was_first = queue.front() == Some(&id);
        queue.retain(|queued| *queued != id);
        let next = queue.front().copied();
        if queue.is_empty() {
            self.queues.remove(&conversation);
        }
        self.agenda.extend(next.filter(|_| was_first));
    }

    /// After a restart: everything that is open is looked at.
    pub fn take_up(&mut self, env: &mut Env) {
        if !self.open.is_empty() {
            env.log(
                Level::Info,
                format!("{} turns are taken up again", self.open.len()),
            );
        }
        self.agenda.extend(self.open.keys().copied());
    }

    /// Stores an open turn as it is, with this call's commit.
    pub(crate) fn store(&self, env: &mut Env, id: TurnId) {
        if let Some(turn) = self.open.get(&id) {
            env.put_json(&key(id), turn);
        }
    }

    /// Stores a turn with this call's commit, and keeps it.
    pub(crate) fn put(&mut self, env: &mut Env, turn: Turn) {
        env.put_json(&key(turn.id), &turn);
        self.open.insert(turn.id, turn);
    }
}

fn key(id: TurnId) -> String {
    format!("{PREFIX}{:016x}", id.0)
}

/// What the agent may use in this scene.
fn shows(inbound: &Inbound, config: &Config) -> SceneShows {
    let slots = inbound.scene.slots(config) as usize;
    SceneShows {
        markdown: false,
        media: Vec::<MediaKind>::new(),
        buttons: false,
        cards: Vec::new(),
        streaming: false,
        max_chars: u32::try_from(slots.saturating_mul(config.message_chars)).unwrap_or(u32::MAX),
        notes: vec![texts::language_note(config.language).to_owned()],
    }
}
