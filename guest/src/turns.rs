//! Turns: one accepted message each, from the agent's start to the recorded outcome.

use std::borrow::Cow;
use std::collections::{BTreeMap, BTreeSet, VecDeque};

use serde::{Deserialize, Serialize};

use crate::bindings::{Action, Occasion};
use crate::capabilities::Capabilities;
use crate::config::Config;
use crate::delivery::budget::Budget;
use crate::delivery::files::Files;
use crate::delivery::pacing::Pacing;
use crate::delivery::stream::{Growth, Open};
use crate::delivery::{Answer, Content, Flight, Source};
use crate::env::{Env, Level};
use crate::gateway::Want;
use crate::ids::TurnId;
use crate::inbound::recent::Recent;
use crate::inbound::{Anchor, Inbound};
use crate::ledger::Ledger;
use crate::places::Places;
use crate::state::Entries;
use crate::timers::Timer;

pub(crate) mod approvals;
mod begin;
mod fetch;
mod interrupt;
mod manners;
mod news;
pub mod open;
pub(crate) mod own;
pub mod room;

pub(crate) use approvals::APPROVAL_BUTTON;
use approvals::Asked;
use open::OpenTurns;
use room::{Full, Refusals, Waiting};

/// Turns that one call works on: few enough that their effects stay far below what a call may return.
const BATCH: usize = 64;

/// How far a turn is.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Stage {
    /// Another message of the same conversation is being answered first.
    Queued,
    /// What is attached to the message is being fetched.
    Fetching,
    /// The agent is at work.
    Thinking,
    /// The answer is there and being delivered.
    Answering(Answer),
}

/// Who wants a turn.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Origin {
    /// Somebody wrote, pressed or reacted: the agent answers.
    #[default]
    Inbound,
    /// The operator sends something, by the command with this id.
    Operator(u64),
    /// The channel itself says something: no agent hears of it.
    Channel,
}

/// An accepted message on its way to an outcome. Stored whole, so that a new process takes it up again.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Turn {
    /// Its id, for ever.
    pub id: TurnId,
    /// How often the agent was started for it.
    pub attempt: u32,
    /// Who wants it.
    #[serde(default)]
    pub origin: Origin,
    /// The message.
    pub inbound: Inbound,
    /// How far it is.
    pub stage: Stage,
    /// Text that the agent sent ahead of its answer.
    pub ahead: String,
    /// The answer begins with the label that an AI wrote it.
    #[serde(default)]
    pub label: bool,
    /// Blobs that the agent made for it.
    #[serde(default)]
    pub blobs: Vec<u64>,
    /// The text that is growing on the person's screen.
    #[serde(default)]
    pub stream: Option<Open>,
    /// Nobody waits for it any more: it ends once the agent has stopped.
    #[serde(default)]
    pub given_up: bool,
    /// Its words decide something, so that it goes whole and as it is, or not at all.
    #[serde(default)]
    pub exact: bool,
    /// A message of the bot's own accord was refused, so it goes as a recall message.
    #[serde(default)]
    pub wakes: bool,
}

/// All open turns, and what is remembered for answering them.
#[derive(Clone, Debug)]
pub struct Turns {
    pub(crate) open: OpenTurns,
    /// By conversation; the first is being worked on.
    queues: BTreeMap<String, VecDeque<TurnId>>,
    pub(crate) flights: BTreeMap<TurnId, Flight>,
    running: BTreeSet<TurnId>,
    /// No agent is started any more: what is accepted waits, stored, for the next process.
    held: bool,
    /// Turns with something to do now: an agent to start, a part to send, an end to record.
    agenda: BTreeSet<TurnId>,
    /// Turns that go on once there is a place for them.
    waiting: Waiting,
    pub(crate) refusals: Refusals,
    pub(crate) growths: BTreeMap<TurnId, Growth>,
    /// When the typing notice of a turn is renewed, monotonic milliseconds.
    typing: BTreeMap<TurnId, u64>,
    /// Questions of the agent's that wait for an answer, by the turn that asks.
    approvals: BTreeMap<TurnId, Vec<Asked>>,
    pub(crate) pacing: Pacing,
    pub(crate) ledger: Ledger,
    pub(crate) budget: Budget,
    pub(crate) caps: Capabilities,
    pub(crate) files: Files,
    pub(crate) recent: Recent,
    pub(crate) places: Places,
}

/// What of the turns travels in a checkpoint: all but what is stored. Borrowed where it is written, which is often.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct InFlight<'a> {
    flights: Cow<'a, BTreeMap<TurnId, Flight>>,
    running: Cow<'a, BTreeSet<TurnId>>,
    held: bool,
    agenda: Cow<'a, BTreeSet<TurnId>>,
    waiting: Cow<'a, Waiting>,
    refusals: Cow<'a, Refusals>,
    growths: Cow<'a, BTreeMap<TurnId, Growth>>,
    typing: Cow<'a, BTreeMap<TurnId, u64>>,
    approvals: Cow<'a, BTreeMap<TurnId, Vec<Asked>>>,
    pacing: Cow<'a, Pacing>,
}

impl InFlight<'_> {
    /// The same without what nobody else may read.
    pub(crate) fn blank(&mut self) {
        let approvals = self.approvals.to_mut();
        approvals.values_mut().flatten().for_each(Asked::blank);
        self.growths.to_mut().values_mut().for_each(Growth::blank);
    }
}

impl Turns {
    /// The turns that an earlier process, or an earlier instance, left open.
    #[must_use]
    pub fn restore(entries: &mut Entries, config: &Config, in_flight: InFlight<'_>) -> Self {
        let open = OpenTurns::restore(entries);
        let mut queues: BTreeMap<String, VecDeque<TurnId>> = BTreeMap::new();
        let mut budget = Budget::restore(entries);
        for turn in open.values() {
            budget.open(turn.id, &turn.inbound);
            if turn.origin == Origin::Inbound {
                let queue = queues.entry(turn.inbound.conversation(config)).or_default();
                queue.push_back(turn.id);
            }
        }
        Self {
            open,
            queues,
            flights: in_flight.flights.into_owned(),
            running: in_flight.running.into_owned(),
            held: in_flight.held,
            agenda: in_flight.agenda.into_owned(),
            waiting: in_flight.waiting.into_owned(),
            refusals: in_flight.refusals.into_owned(),
            growths: in_flight.growths.into_owned(),
            typing: in_flight.typing.into_owned(),
            approvals: in_flight.approvals.into_owned(),
            pacing: in_flight.pacing.into_owned(),
            ledger: Ledger::restore(entries),
            budget,
            caps: Capabilities::restore(entries),
            files: Files::restore(entries),
            recent: Recent::restore(entries),
            places: Places::restore(entries),
        }
    }

    /// What belongs into a checkpoint.
    #[must_use]
    pub fn in_flight(&self) -> InFlight<'_> {
        InFlight {
            flights: Cow::Borrowed(&self.flights),
            running: Cow::Borrowed(&self.running),
            held: self.held,
            agenda: Cow::Borrowed(&self.agenda),
            waiting: Cow::Borrowed(&self.waiting),
            refusals: Cow::Borrowed(&self.refusals),
            growths: Cow::Borrowed(&self.growths),
            typing: Cow::Borrowed(&self.typing),
            approvals: Cow::Borrowed(&self.approvals),
            pacing: Cow::Borrowed(&self.pacing),
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

    /// Sorts what is open into conversations anew: which one a message belongs to depends on the configuration.
    pub fn requeue(&mut self, config: &Config) {
        self.queues.clear();
        for turn in self
            .open
            .values()
            .filter(|turn| turn.origin == Origin::Inbound)
        {
            let answered_at_once = turn.stage != Stage::Queued && turn.attempt == 0;
            if answered_at_once {
                continue;
            }
            let queue = self
                .queues
                .entry(turn.inbound.conversation(config))
                .or_default();
            // What is being worked on goes on first.
            if turn.stage == Stage::Queued {
                queue.push_back(turn.id);
            } else {
                queue.push_front(turn.id);
            }
        }
        self.agenda.extend(self.open.keys().copied());
    }

    /// Starts no agent any more: what is accepted waits, stored, for the next process.
    pub fn hold(&mut self) {
        self.held = true;
    }

    /// Takes a message, and stores it, or refuses it where there is no room. What is to be done with it goes on the
    /// agenda. `label`: the answer is to say that an AI wrote it.
    pub fn accept(&mut self, env: &mut Env, inbound: Inbound, label: bool) {
        if let Some(full) = self.full(&inbound) {
            return self.refuse(env, inbound, full);
        }
        self.interrupt(env, &inbound);
        let conversation = inbound.conversation(&env.config);
        let waiting = self.queues.get(&conversation).map_or(0, VecDeque::len);
        if waiting > env.config.queue {
            return self.refuse(env, inbound, Full::Conversation);
        }
        if inbound.occasion == Occasion::Message {
            self.recent.heard(env, &inbound);
        }
        let id = env.ids.turn();
        env.log(
            Level::Info,
            format!(
                "turn {id}: {} {} {} accepted, {waiting} before it",
                inbound.scene.word(),
                inbound.occasion_word(),
                inbound.id
            ),
        );
        self.open_account(env, id, &inbound);
        let mut turn = Turn::new(id, Origin::Inbound, inbound);
        turn.label = label;
        self.queues.entry(conversation).or_default().push_back(id);
        self.mark_received(env, &turn.inbound);
        self.agenda.insert(id);
        self.open.insert(turn);
    }

    /// Does what is on the agenda, as much of it as one call may hold.
    pub fn work(&mut self, env: &mut Env, token_valid: bool) -> Want {
        let mut want = Want::Nothing;
        self.let_in(env);
        for _ in 0..BATCH {
            let Some(id) = self.agenda.pop_first() else {
                return want;
            };
            match self.open.get(&id).map(|turn| &turn.stage) {
                Some(Stage::Answering(_)) => match self.deliver(env, id, token_valid) {
                    Want::Nothing => {}
                    other => want = other,
                },
                Some(Stage::Queued | Stage::Fetching | Stage::Thinking) => self.begin(env, id),
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

    /// Puts an answer in place of whatever the turn was doing.
    pub(crate) fn answer_with(
        &mut self,
        env: &mut Env,
        id: TurnId,
        plan: impl FnOnce(&Self, &Env, &Turn) -> Answer,
    ) {
        let Some(turn) = self.open.get(&id) else {
            return;
        };
        let answer = plan(self, env, turn);
        self.typing.remove(&id);
        let Some(turn) = self.open.get_mut(&id) else {
            return;
        };
        turn.ahead.clear();
        turn.inbound.forget_words();
        turn.stage = Stage::Answering(answer);
        self.agenda.insert(id);
    }

    /// Records the outcome, forgets the turn, and begins the next one of its conversation.
    pub(crate) fn close(&mut self, env: &mut Env, id: TurnId) {
        let Some(turn) = self.open.remove(env, id) else {
            return;
        };
        self.flights.remove(&id);
        self.growths.remove(&id);
        self.typing.remove(&id);
        self.approvals.remove(&id);
        self.waiting.forget(id);
        let shared = turn.inbound.anchor == Anchor::Nothing;
        self.budget.end(env, id, shared);
        self.drop_blobs(env, &turn);
        let record = self.ledger.record(env, &turn);
        match turn.origin {
            Origin::Inbound => self.mark_done(env, &turn, record.outcome),
            Origin::Channel => self.on_question_done(env, id, record.outcome),
            Origin::Operator(_) => {}
        }
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

    /// The bytes of a turn are nobody's any more.
    fn drop_blobs(&self, env: &mut Env, turn: &Turn) {
        let attached = turn
            .inbound
            .attached
            .iter()
            .filter_map(|attached| attached.blob);
        let mut blobs: BTreeSet<u64> = attached.chain(turn.blobs.iter().copied()).collect();
        // A long text that became a file.
        if let Stage::Answering(answer) = &turn.stage {
            for part in &answer.parts {
                if let Content::Media(media) = &part.content
                    && let Source::Blob(blob) = media.source
                {
                    blobs.insert(blob);
                }
            }
        }
        for blob in blobs {
            env.emit(Action::BlobDrop(blob));
        }
    }

    /// After a restart: everything that is open is looked at.
    pub fn take_up(&mut self, env: &mut Env) {
        self.shed(env);
        if !self.open.is_empty() {
            env.log(
                Level::Info,
                format!("{} turns are taken up again", self.open.len()),
            );
        }
        self.agenda.extend(self.open.keys().copied());
    }
}

impl Turn {
    pub(crate) fn new(id: TurnId, origin: Origin, inbound: Inbound) -> Self {
        Self {
            id,
            attempt: 0,
            origin,
            inbound,
            stage: Stage::Queued,
            ahead: String::new(),
            label: false,
            blobs: Vec::new(),
            stream: None,
            given_up: false,
            exact: false,
            wakes: false,
        }
    }
}
