//! What every channel has to keep, whatever it talks to: tried out on instances of a component, with made-up events,
//! in the place of a host. Nothing is connected to; no clock is read but to measure what it
//! costs.
//!
//! The rules are those of `wit/`: the same calls give the same effects, an instance goes on from a checkpoint as if it
//! had never stopped, and what it counts on is what the host holds.

use std::collections::BTreeMap;
use std::time::Duration;

use prx_host::bindings::v0_1::{
    Action, Boot, CheckpointMode, Command, Effect, Event, Holdings, Instant, OperatorCommand,
    StartReason,
};
use prx_host::egress::EgressPolicy;
use prx_host::guest::{Component, Guest, GuestFault, check};
use prx_host::limits::Limits;
use rustix::time::{ClockId, clock_gettime};

mod held;
mod made_up;
mod strange;

use held::Held;
pub(super) use made_up::{config, widenings};
use strange::Strange;

/// Between two checkpoints that are read by another instance, events.
const CHECKPOINT_EVERY: usize = 8;
/// What the first start of an instance has; the start after it has the next one.
const BOOT: u32 = 1;
/// Ids of the host's own begin with this bit.
const HOST_ID: u64 = 1 << 63;

/// What is tried, as a line of the report.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Trial {
    /// The start as a probe, which opens nothing.
    Probe,
    /// Made-up events, none of which it may break over.
    Events,
    /// Two instances, the same calls.
    Determinism,
    /// Checkpoints, read by another instance.
    Checkpoint,
    /// What it counts on, and what the host holds.
    Holdings,
    /// Ids and secrets.
    Names,
    /// The start from what is stored.
    Restart,
    /// Events and entries made unreadable, for a trace.
    Blank,
}

impl Trial {
    /// In the order of the report.
    pub(super) const ALL: [Self; 8] = [
        Self::Probe,
        Self::Events,
        Self::Determinism,
        Self::Checkpoint,
        Self::Holdings,
        Self::Names,
        Self::Restart,
        Self::Blank,
    ];
}

/// A rule that was broken.
#[derive(Debug, Clone)]
pub(super) enum Breach {
    /// A call broke: which, and how.
    Fault(String, GuestFault),
    /// The configuration is refused; one sentence.
    Refused(String),
    /// Started to be asked only, it did this.
    ProbeActs(String),
    /// Started to be asked only, it does not answer.
    ProbeSilent,
    /// Two instances differ: at which event, and what each did.
    Differs(String, String, String),
    /// Two instances wrote other checkpoints, after this event.
    CheckpointsDiffer(String),
    /// A checkpoint is refused; one sentence.
    CheckpointRefused(String),
    /// A checkpoint that was read is written as another.
    Unstable(usize, usize),
    /// It takes no checkpoint in a state version that it claims to write.
    CannotWrite(u32, String),
    /// What it counts on is not what the host holds: after which event, of what, its own, the host's.
    Holdings(String, &'static str, String, String),
    /// An id that does not begin with the boot number.
    ForeignId(u64),
    /// An id that was used before.
    IdTwice(u64),
    /// A secret that nothing brings.
    Secret(String),
    /// A secret where the manifest has no position for it: in what.
    Misplaced(String, &'static str),
    /// Made unreadable, an event or an entry is another one: which.
    BlankOther(String),
}

/// What is needed to try a component out.
pub(super) struct Bench<'a> {
    pub(super) component: &'a dyn Component,
    pub(super) limits: Limits,
    /// The channel's table, as JSON.
    pub(super) config: String,
    /// Names of secrets that have a value.
    pub(super) secrets: Vec<String>,
    /// Names of secrets that responses bring.
    pub(super) captured: Vec<String>,
    /// Absent without a manifest: then everything may be asked for.
    pub(super) egress: Option<EgressPolicy>,
    /// State versions besides its own that it claims to write.
    pub(super) also_writes: Vec<u32>,
    /// Hosts that its manifest names.
    pub(super) hosts: Vec<String>,
    /// What its other side may say.
    pub(super) corpus: &'a Corpus,
    /// How far timers take one seed.
    pub(super) hours: u64,
}

/// Texts of the other side.
#[derive(Debug, Clone, Default)]
pub(super) struct Corpus {
    /// What a connection begins with, in this order.
    pub(super) greetings: Vec<String>,
    /// All of them, for any moment.
    pub(super) texts: Vec<String>,
}

/// What was seen on the way.
#[derive(Debug, Clone, Default)]
pub(super) struct Seen {
    pub(super) events: usize,
    pub(super) checkpoints: usize,
    pub(super) largest_checkpoint: usize,
    pub(super) memory: u64,
    pub(super) slowest: Duration,
    pub(super) slowest_at: String,
    pub(super) most_effects: usize,
    /// Connections that its manifest does not allow.
    pub(super) refused: usize,
    /// What it asked for, by the case of the action: how far the events came.
    pub(super) asked: BTreeMap<&'static str, usize>,
}

type Tried<T> = Result<T, (Trial, Breach)>;

fn fault<T>(trial: Trial, during: &str, result: Result<T, GuestFault>) -> Tried<T> {
    result.map_err(|fault| (trial, Breach::Fault(during.to_owned(), fault)))
}

impl Bench<'_> {
    /// Starts an instance only to ask it something.
    pub(super) fn probe(&self) -> Tried<()> {
        let trial = Trial::Probe;
        let now = made_up::NOW;
        let held = Held::new(self, BOOT);
        let (mut guest, effects) = self.start(trial, now, &held, StartReason::Probe, None)?;
        if let Some(acts) = effects.iter().find_map(|effect| opens(&effect.action)) {
            return Err((trial, Breach::ProbeActs(acts.to_owned())));
        }
        let id = HOST_ID | (u64::from(BOOT) << 32) | 1;
        let ask = OperatorCommand::Status;
        let command = Event::Command(Command { id, ask });
        let effects = fault(trial, "command", guest.handle(now, &command))?;
        let replies = |effect: &Effect| matches!(&effect.action, Action::Reply(r) if r.id == id);
        match effects.iter().any(replies) {
            true => Ok(()),
            false => Err((trial, Breach::ProbeSilent)),
        }
    }

    /// Tries one seed: so many events, and everything on the way.
    pub(super) fn run(&self, seed: u64, events: usize, seen: &mut Seen) -> Tried<()> {
        let mut strange = Strange::new(seed, self);
        let mut now = made_up::NOW;
        let mut held = Held::new(self, BOOT);
        let reason = StartReason::Cold;
        let (mut one, effects) = self.start(Trial::Events, now, &held, reason, None)?;
        let (mut two, others) = self.start(Trial::Events, now, &held, reason, None)?;
        same("start", &effects, &others)?;
        self.take(&mut held, &mut strange, "start", &effects, seen)?;
        for count in 1..=events {
            let event = strange.event(&mut held, &mut now, &self.config);
            let name = match &event {
                Event::Skipped(skipped) => format!("skipped {}", skipped.kind),
                event => event.case().to_owned(),
            };
            let name = format!("{name} (event {count} of seed {seed})");
            let begun = cpu_time();
            let effects = fault(Trial::Events, &name, one.handle(now, &event))?;
            let took = cpu_time().saturating_sub(begun);
            if took > seen.slowest {
                (seen.slowest, seen.slowest_at) = (took, name.clone());
            }
            let others = fault(Trial::Events, &name, two.handle(now, &event))?;
            same(&name, &effects, &others)?;
            self.take(&mut held, &mut strange, &name, &effects, seen)?;
            self.compare(&mut *one, &held, &name)?;
            for guest in [&mut one, &mut two] {
                drop(guest.take_log());
            }
            seen.events += 1;
            seen.memory = seen.memory.max(one.memory_bytes());
            if count % CHECKPOINT_EVERY == 0 {
                self.blank(&event, &held, &name)?;
                let reason = match (count / CHECKPOINT_EVERY) % 3 {
                    0 => StartReason::Swap,
                    1 => StartReason::Crash,
                    _ => StartReason::Rollback,
                };
                let pair = (one, two);
                (one, two) =
                    self.hand_over(pair, now, &mut held, &mut strange, &name, reason, seen)?;
            }
        }
        self.other_checkpoints(&mut *one, now, &held)?;
        self.restart(now, held)
    }

    /// A fresh instance, started.
    fn start(
        &self,
        trial: Trial,
        now: Instant,
        held: &Held,
        reason: StartReason,
        checkpoint: Option<Vec<u8>>,
    ) -> Tried<(Box<dyn Guest>, Vec<Effect>)> {
        let has_checkpoint = checkpoint.is_some();
        let boot = Boot {
            instance: "check".into(),
            boot_number: held.boot,
            entropy: vec![7; 32],
            reason,
            config: self.config.clone(),
            secrets: self.secrets.clone(),
            entries: held.entries(),
            shed: 0,
            checkpoint,
            host: "prx-check".into(),
        };
        let during = format!("start ({reason:?})").to_lowercase();
        let mut guest = fault(trial, &during, self.component.instantiate())?;
        let started = fault(trial, &during, guest.start(now, &boot))?;
        let effects = started.map_err(|problems| {
            let sentences: Vec<String> = problems.into_iter().map(|p| p.sentence).collect();
            let sentences = sentences.join("; ");
            let breach = match has_checkpoint {
                true => Breach::CheckpointRefused(sentences),
                false => Breach::Refused(sentences),
            };
            (trial, breach)
        })?;
        fault(trial, &during, check::effects(&effects, &self.limits))?;
        Ok((guest, effects))
    }

    /// Carries effects out, as far as there is anything to carry out.
    fn take(
        &self,
        held: &mut Held,
        strange: &mut Strange,
        name: &str,
        effects: &[Effect],
        seen: &mut Seen,
    ) -> Tried<()> {
        fault(Trial::Events, name, check::effects(effects, &self.limits))?;
        seen.most_effects = seen.most_effects.max(effects.len());
        strange.learn(effects);
        for effect in effects {
            *seen
                .asked
                .entry(strange::action(&effect.action))
                .or_default() += 1;
            let carried = held.carry_out(&effect.action, self.egress.as_ref());
            seen.refused += usize::from(carried.map_err(|breach| (Trial::Names, breach))?);
        }
        Ok(())
    }

    fn compare(&self, guest: &mut dyn Guest, held: &Held, name: &str) -> Tried<()> {
        let during = format!("inventory after {name}");
        let own = fault(Trial::Events, &during, guest.inventory())?;
        same_holdings(name, &own, &held.holdings()).map_err(|breach| (Trial::Holdings, breach))
    }

    /// Both instances end in a checkpoint, and others go on from it.
    #[expect(
        clippy::too_many_arguments,
        reason = "the whole situation changes hands"
    )]
    fn hand_over(
        &self,
        (mut one, mut two): (Box<dyn Guest>, Box<dyn Guest>),
        now: Instant,
        held: &mut Held,
        strange: &mut Strange,
        name: &str,
        reason: StartReason,
        seen: &mut Seen,
    ) -> Tried<(Box<dyn Guest>, Box<dyn Guest>)> {
        let during = format!("checkpoint after {name}");
        let bytes = self.checkpoint(&mut *one, CheckpointMode::Normal, &during)?;
        if bytes != self.checkpoint(&mut *two, CheckpointMode::Normal, &during)? {
            return Err((
                Trial::Determinism,
                Breach::CheckpointsDiffer(name.to_owned()),
            ));
        }
        seen.checkpoints += 1;
        seen.largest_checkpoint = seen.largest_checkpoint.max(bytes.len());
        let trial = Trial::Checkpoint;
        let (mut next, effects) = self.start(trial, now, held, reason, Some(bytes.clone()))?;
        if effects.is_empty() {
            let again = self.checkpoint(&mut *next, CheckpointMode::Normal, &during)?;
            if again != bytes {
                return Err((trial, Breach::Unstable(bytes.len(), again.len())));
            }
            self.compare(&mut *next, held, &during)?;
            // The one that never stopped, and the one that goes on, see the same from here.
            return Ok((one, next));
        }
        let (other, others) = self.start(trial, now, held, reason, Some(bytes))?;
        same(&during, &effects, &others)?;
        self.take(held, strange, &during, &effects, seen)?;
        self.compare(&mut *next, held, &during)?;
        Ok((next, other))
    }

    fn checkpoint(
        &self,
        guest: &mut dyn Guest,
        mode: CheckpointMode,
        during: &str,
    ) -> Tried<Vec<u8>> {
        let trial = Trial::Checkpoint;
        let answer = fault(trial, during, guest.checkpoint(mode))?;
        let bytes = answer.map_err(|refusal| match mode {
            CheckpointMode::AsVersion(version) => (trial, Breach::CannotWrite(version, refusal)),
            _ => (trial, Breach::CheckpointRefused(refusal)),
        })?;
        fault(trial, during, check::checkpoint(&bytes, &self.limits))?;
        Ok(bytes)
    }

    /// For a trace that others see: by an instance that was not started, and with everything but texts as it was.
    fn blank(&self, event: &Event, held: &Held, name: &str) -> Tried<()> {
        let trial = Trial::Blank;
        let during = format!("blank-event of {name}");
        let mut guest = fault(trial, &during, self.component.instantiate())?;
        let blank = fault(trial, &during, guest.blank_event(event))?;
        let again = fault(trial, &during, guest.blank_event(event))?;
        if blank != again || blank.case() != event.case() {
            return Err((trial, Breach::BlankOther(name.to_owned())));
        }
        for entry in held.entries() {
            let during = format!("blank-entry of {}", entry.key);
            fault(trial, &during, guest.blank_entry(&entry))?;
        }
        Ok(())
    }

    /// In the state versions that it claims to write, and without texts.
    fn other_checkpoints(&self, guest: &mut dyn Guest, now: Instant, held: &Held) -> Tried<()> {
        for version in &self.also_writes {
            let mode = CheckpointMode::AsVersion(*version);
            self.checkpoint(guest, mode, &format!("checkpoint as version {version}"))?;
        }
        let during = "checkpoint without texts";
        let blank = self.checkpoint(guest, CheckpointMode::BlankText, during)?;
        let trial = Trial::Checkpoint;
        self.start(trial, now, held, StartReason::Swap, Some(blank))
            .map(drop)
    }

    /// The process ended; what is stored is there.
    fn restart(&self, now: Instant, mut held: Held) -> Tried<()> {
        held.restarted();
        let trial = Trial::Restart;
        let (mut guest, effects) = self.start(trial, now, &held, StartReason::Restart, None)?;
        for effect in &effects {
            let carried = held.carry_out(&effect.action, self.egress.as_ref());
            carried.map_err(|breach| (trial, breach))?;
        }
        self.compare(&mut *guest, &held, "restart")
    }
}

/// Of this thread: another program's work is not the component's.
fn cpu_time() -> Duration {
    Duration::try_from(clock_gettime(ClockId::ThreadCPUTime)).unwrap_or_default()
}

/// What opens something or takes work up, in the interface's words.
fn opens(action: &Action) -> Option<&'static str> {
    match action {
        Action::SocketOpen(_) => Some("socket-open"),
        Action::Http(_) => Some("http"),
        Action::TurnBegin(_) => Some("turn-begin"),
        _ => None,
    }
}

fn same(name: &str, one: &[Effect], other: &[Effect]) -> Tried<()> {
    if one == other {
        return Ok(());
    }
    let at = one.iter().zip(other).take_while(|(a, b)| a == b).count();
    let whole = |effects: &[Effect]| {
        let effect = effects.get(at).map(|effect| format!("{:?}", effect.action));
        effect.unwrap_or_else(|| "-".into())
    };
    let (mine, theirs) = (whole(one), whole(other));
    let equal = mine.bytes().zip(theirs.bytes()).take_while(|(a, b)| a == b);
    let from = equal.count().saturating_sub(40);
    // Some of what is equal before it, and some of what differs.
    let shown = |text: &str| {
        let (from, to) = (
            text.floor_char_boundary(from),
            text.floor_char_boundary(from + 140),
        );
        let part = text.get(from..to).unwrap_or_default();
        let case = text.split('(').next().unwrap_or_default();
        format!("{case} …{part}…")
    };
    let (shown, others) = (shown(&mine), shown(&theirs));
    let breach = Breach::Differs(name.to_owned(), shown, others);
    Err((Trial::Determinism, breach))
}

fn same_holdings(name: &str, own: &Holdings, held: &Holdings) -> Result<(), Breach> {
    for (what, own, held) in [
        ("sockets", &own.sockets, &held.sockets),
        ("requests", &own.requests, &held.requests),
        ("timers", &own.timers, &held.timers),
        ("turns", &own.turns, &held.turns),
    ] {
        if own != held {
            let shown = |ids: &[u64]| {
                let ids: Vec<String> = ids.iter().take(8).map(|id| format!("{id:#x}")).collect();
                format!("[{}]", ids.join(", "))
            };
            let name = name.to_owned();
            return Err(Breach::Holdings(name, what, shown(own), shown(held)));
        }
    }
    Ok(())
}
