//! Builds of one channel that differ from it: another state version, or a flaw. What a swap, a rollback and
//! a crash are tried with.

use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::{Arc, Mutex, PoisonError};

use prx_host::bindings::v0_1::{
    Boot, ChannelInfo, CheckpointMode, Effect, Entry, Event, Holdings, Instant, Problem,
};
use prx_host::guest::{Component, FaultKind, Guest, GuestFault, LogLine, StartAnswer};

/// What the words of a fault begin with that was meant to happen.
pub const PLANNED: &str = "planned";

/// What is wrong with a build.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Flaw {
    /// Nothing.
    None,
    /// It traps when it starts.
    TrapsAtStart,
    /// It starts, and does not like its configuration.
    Refuses,
    /// It counts on a timer that the host does not hold.
    CountsOnATimer,
    /// It traps at the event with this number after its start, and at every one after that.
    TrapsAtEvent(u32),
}

/// Makes instances trap, from outside.
#[derive(Debug, Clone, Default)]
pub struct Trigger {
    /// So many calls, whatever they are.
    calls: Arc<AtomicU32>,
    /// Every event of this kind.
    kind: Arc<Mutex<Option<Poison>>>,
}

/// Says which events trap.
pub type Poison = fn(&Event) -> bool;

impl Trigger {
    /// The next call traps, and its repetition does not.
    pub fn once(&self) {
        self.calls.store(1, Ordering::Relaxed);
    }

    /// These events trap, however often they are tried; `None`: no more.
    pub fn poison(&self, kind: Option<Poison>) {
        *self.kind.lock().unwrap_or_else(PoisonError::into_inner) = kind;
    }

    fn pulled(&self, event: &Event) -> bool {
        let less = |calls: u32| calls.checked_sub(1);
        let once = self
            .calls
            .fetch_update(Ordering::Relaxed, Ordering::Relaxed, less);
        let kind = *self.kind.lock().unwrap_or_else(PoisonError::into_inner);
        once.is_ok() || kind.is_some_and(|traps| traps(event))
    }
}

/// A build. With state version 2 it reads and also writes version 1, which is that of the channel itself.
#[derive(Debug, Clone)]
pub struct Mutant {
    inner: Arc<dyn Component>,
    state: u32,
    flaw: Flaw,
    number: u64,
    trigger: Trigger,
}

impl Mutant {
    /// A build of its own of this channel. Builds with other numbers are other builds.
    #[must_use]
    pub fn new(inner: Arc<dyn Component>, number: u64, trigger: Trigger) -> Self {
        Self {
            inner,
            state: 1,
            flaw: Flaw::None,
            number,
            trigger,
        }
    }

    /// The same with the newer state version.
    #[must_use]
    pub fn newer(mut self) -> Self {
        self.state = 2;
        self
    }

    /// The same with a flaw.
    #[must_use]
    pub fn with(mut self, flaw: Flaw) -> Self {
        self.flaw = flaw;
        self
    }
}

fn planned(what: &str) -> GuestFault {
    GuestFault::new(FaultKind::Trap, format!("{PLANNED}: {what}"))
}

impl Component for Mutant {
    fn instantiate(&self) -> Result<Box<dyn Guest>, GuestFault> {
        Ok(Box::new(MutantGuest {
            inner: self.inner.instantiate()?,
            build: self.clone(),
            events: 0,
        }))
    }

    fn describe(&self) -> Result<ChannelInfo, GuestFault> {
        let info = self.inner.describe()?;
        let older = self.state > 1;
        Ok(ChannelInfo {
            version: format!("{}.{}", self.state, self.number),
            state_version: self.state,
            also_writes: if older { vec![1] } else { info.also_writes },
            ..info
        })
    }

    fn digest(&self) -> String {
        format!("{:064x}", self.number)
    }
}

struct MutantGuest {
    inner: Box<dyn Guest>,
    build: Mutant,
    events: u32,
}

/// What a state of version 2 begins with. Version 1 begins with its number in four bytes.
const NEWER: &[u8] = b"\x02\0\0\0and the rest is older: ";

impl Guest for MutantGuest {
    fn start(&mut self, now: Instant, boot: &Boot) -> Result<StartAnswer, GuestFault> {
        match self.build.flaw {
            Flaw::TrapsAtStart => return Err(planned("at the start")),
            Flaw::Refuses => {
                return Ok(Err(vec![Problem {
                    key: None,
                    sentence: PLANNED.into(),
                    fix: "nothing".into(),
                }]));
            }
            _ => {}
        }
        let mut boot = boot.clone();
        let newer = boot
            .checkpoint
            .as_deref()
            .and_then(|c| c.strip_prefix(NEWER));
        match newer.map(<[u8]>::to_vec) {
            Some(inner) if self.build.state > 1 => boot.checkpoint = Some(inner),
            _ => {}
        }
        self.inner.start(now, &boot)
    }

    fn handle(&mut self, now: Instant, event: &Event) -> Result<Vec<Effect>, GuestFault> {
        self.events += 1;
        let answer = self.inner.handle(now, event)?;
        // In the middle of the call, as far as anybody can tell: the state has changed already.
        let late = matches!(self.build.flaw, Flaw::TrapsAtEvent(n) if self.events >= n);
        if late || self.build.trigger.pulled(event) {
            return Err(planned("in the middle of an event"));
        }
        Ok(answer)
    }

    fn checkpoint(&mut self, mode: CheckpointMode) -> Result<Result<Vec<u8>, String>, GuestFault> {
        let older = matches!(mode, CheckpointMode::AsVersion(1));
        let mode = if older { CheckpointMode::Normal } else { mode };
        let inner = self.inner.checkpoint(mode)?;
        if older || self.build.state == 1 {
            return Ok(inner);
        }
        Ok(inner.map(|inner| [NEWER, &inner].concat()))
    }

    fn inventory(&mut self) -> Result<Holdings, GuestFault> {
        let mut holdings = self.inner.inventory()?;
        if self.build.flaw == Flaw::CountsOnATimer {
            holdings.timers.insert(0, 1);
        }
        Ok(holdings)
    }

    fn blank_event(&mut self, event: &Event) -> Result<Event, GuestFault> {
        self.inner.blank_event(event)
    }

    fn blank_entry(&mut self, entry: &Entry) -> Result<Entry, GuestFault> {
        self.inner.blank_entry(entry)
    }

    fn take_log(&mut self) -> Vec<LogLine> {
        self.inner.take_log()
    }
}
