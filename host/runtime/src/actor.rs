//! The synchronous core of one channel: `step(now, input) -> commands`.
//!
//! No clock, no thread, no I/O, no randomness: a shell or a simulator brings all of that. The core
//! owns the guest's instance and everything that must outlive it.
//!
//! **One event in, all its effects out, before the next event.** The commands of a step are
//! carried out in the order of the list; a process may die between any two of them. For one event
//! the list holds the effects that may leave at once, then at most one commit, then the effects
//! that wait for it.
//!
//! Start it with the answer to the first [`Command::AskBoot`], call [`Actor::step`] with
//! [`Input::Tick`] whenever [`Actor::next_due`] has come.

use std::collections::VecDeque;
use std::fmt;
use std::sync::Arc;

use crate::bindings::v0_1::{Entry, Event, Health, HealthLevel, Holdings, Instant};
use crate::egress::EgressPolicy;
use crate::guest::{Component, Guest};
use crate::limits::Limits;
use crate::vault::Vault;

mod breaker;
mod command;
mod effects;
mod events;
mod input;
mod life;
mod memory;
mod places;
mod prepare;
mod probation;
mod rate;
mod recovery;
mod rehearsal;
mod reload;
mod retired;
mod spent;
mod swap;
mod tables;
mod tape;
mod trace;
mod usage;

pub use command::{
    BlobContent, BodyPiece, Change, Command, HeaderOut, HttpCall, Incident, Refusal, Settled,
    SocketDial, SocketMessage, Standing, Taken, TicketReply, TraceItem,
};
pub use input::{
    BootInput, Candidate, Input, OperatorAsk, RawBody, RawHttpDone, RawResponse, Reload, Swap,
    TraceForm,
};
pub(crate) use life::refusal;
pub use rehearsal::{Rehearsal, RehearsalFailed};
pub use retired::Retired;
pub use swap::SwapRefused;
pub use usage::Usage;

use breaker::Breaker;
use memory::Memory;
use probation::Probation;
use reload::Reloading;
use tables::Tables;

/// What a channel is made of.
#[derive(Debug)]
pub struct ActorSpec {
    /// The instance's name.
    pub instance: String,
    /// The code.
    pub component: Arc<dyn Component>,
    /// The operator's table as JSON, checked, without secrets.
    pub config: String,
    /// The secrets.
    pub vault: Vault,
    /// Where it may connect to.
    pub egress: Arc<EgressPolicy>,
    /// What it may use.
    pub limits: Limits,
    /// All that is stored for it.
    pub entries: Vec<Entry>,
    /// Name and version of the host.
    pub host: String,
}

/// Where a channel is in its life.
enum Life {
    /// Waits for a boot number.
    Booting,
    /// Runs.
    Running(Box<dyn Guest>),
    /// Taken down; starts over at this moment.
    Down { retry_mono_ms: u64 },
    /// Will not start.
    Ended,
}

/// One channel. See the module's description for the rules.
pub struct Actor {
    instance: String,
    component: Arc<dyn Component>,
    config: String,
    vault: Vault,
    egress: Arc<EgressPolicy>,
    limits: Limits,
    host: String,
    life: Life,
    boot: Option<BootInput>,
    /// Only to be asked something; see `start-reason` in `wit/`.
    probe: bool,
    reloading: Option<Reloading>,
    /// Counts the components that have run, from 1.
    generation: u64,
    probation: Option<Probation>,
    recording: Option<TraceForm>,
    /// The recording cannot begin yet.
    trace_waits: bool,
    memory: Memory,
    tables: Tables,
    breaker: Breaker,
    /// What was used of late, whatever became of the guest.
    spent: spent::Spent,
    /// Answers that the core gives itself, such as a refusal; handled one per tick.
    own_inputs: VecDeque<Input>,
    /// The commands of this step.
    out: Vec<Command>,
    commands_asked: u64,
    last_mono_ms: u64,
    guest_health: Health,
    store_trouble: Option<String>,
    retired: Retired,
    /// Entries deleted before the last start.
    shed: u32,
}

impl fmt::Debug for Actor {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Actor")
            .field("instance", &self.instance)
            .field("tables", &self.tables)
            .finish_non_exhaustive()
    }
}

impl Actor {
    /// A channel that has not been started, and the commands that start it.
    pub fn new(spec: ActorSpec) -> (Self, Vec<Command>) {
        let actor = Self {
            instance: spec.instance,
            component: spec.component,
            config: spec.config,
            vault: spec.vault,
            egress: spec.egress,
            limits: spec.limits,
            host: spec.host,
            life: Life::Booting,
            boot: None,
            probe: false,
            reloading: None,
            generation: 1,
            probation: None,
            recording: None,
            trace_waits: false,
            memory: Memory::new(spec.entries),
            tables: Tables::default(),
            breaker: Breaker::default(),
            spent: spent::Spent::default(),
            own_inputs: VecDeque::new(),
            out: Vec::new(),
            commands_asked: 0,
            last_mono_ms: 0,
            guest_health: starting(),
            store_trouble: None,
            retired: Retired::default(),
            shed: 0,
        };
        (actor, vec![Command::AskBoot])
    }

    /// The same channel, started only to be asked something.
    #[must_use]
    pub fn as_probe(mut self) -> Self {
        self.probe = true;
        self
    }

    /// Takes one input and returns what is to be done, in order.
    pub fn step(&mut self, now: Instant, input: Input) -> Vec<Command> {
        self.last_mono_ms = now.mono_ms;
        self.retired = Retired::default();
        match input {
            Input::Boot(boot) => self.on_boot(now, boot),
            Input::Tick => self.on_tick(now),
            Input::Store(state) => self.on_store(state),
            Input::Reload(reload) => self.on_reload(now, *reload),
            Input::Swap(swap) => self.on_swap(now, *swap),
            Input::Record(form) => self.on_record(now, form),
            input => self.on_input(now, input),
        }
        std::mem::take(&mut self.out)
    }

    /// What the last step left behind. What nobody takes goes with the next step.
    pub fn take_retired(&mut self) -> Retired {
        std::mem::take(&mut self.retired)
    }

    /// When `Input::Tick` is wanted, on the monotonic clock; it may be past.
    pub fn next_due(&self) -> Option<u64> {
        if !self.own_inputs.is_empty() {
            return Some(self.last_mono_ms);
        }
        match self.life {
            Life::Running(_) => self.tables.timers.next_due(),
            Life::Down { retry_mono_ms } => Some(retry_mono_ms),
            Life::Booting | Life::Ended => None,
        }
    }

    /// What the host holds for the guest. Equal to the guest's inventory between two events.
    pub fn holdings(&self) -> Holdings {
        self.tables.holdings()
    }

    /// The guest's own account of what it counts on; `None` when no guest runs. For checks.
    pub fn inventory(&mut self) -> Option<Holdings> {
        match &mut self.life {
            Life::Running(guest) => guest.inventory().ok(),
            Life::Booting | Life::Down { .. } | Life::Ended => None,
        }
    }

    /// The last checkpoint that was taken, for checks.
    pub fn checkpoint(&self) -> Option<&[u8]> {
        self.memory.checkpoint().map(Vec::as_slice)
    }

    /// True while a guest runs.
    pub fn is_running(&self) -> bool {
        matches!(self.life, Life::Running(_))
    }

    fn on_tick(&mut self, now: Instant) {
        if let Some(input) = self.own_inputs.pop_front() {
            return self.on_input(now, input);
        }
        match self.life {
            Life::Down { retry_mono_ms } if retry_mono_ms <= now.mono_ms => {
                self.life = Life::Booting;
                self.out.push(Command::AskBoot);
            }
            Life::Running(_) => {
                if let Some(timer) = self.tables.timers.pop_due(now.mono_ms) {
                    self.deliver(now, Event::TimerFired(timer));
                }
            }
            Life::Down { .. } | Life::Booting | Life::Ended => {}
        }
    }

    fn on_store(&mut self, state: Result<(), String>) {
        let trouble = state.err();
        if trouble != self.store_trouble {
            self.store_trouble = trouble;
            self.say_health();
        }
    }

    /// The guest's word on its health, made worse by what only the host knows.
    fn say_health(&mut self) {
        let mut health = self.guest_health.clone();
        if let (Some(trouble), HealthLevel::Ok) = (&self.store_trouble, health.level) {
            health = Health {
                level: HealthLevel::Degraded,
                code: "store-failing".into(),
                summary: format!("works, but nothing is being stored: {trouble}"),
                fix: Some(
                    "free disk space or mend the state directory; what is pending is stored then"
                        .into(),
                ),
            };
        }
        self.out.push(Command::Health(health));
    }
}

fn starting() -> Health {
    Health {
        level: HealthLevel::Degraded,
        code: "starting".into(),
        summary: "the channel is starting".into(),
        fix: None,
    }
}

#[cfg(test)]
mod tests;
