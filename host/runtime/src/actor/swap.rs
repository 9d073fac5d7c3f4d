//! Another component takes a channel over between two events: everything the host owns stays as it is,
//! and the candidate has to prove that it counts on just that.
//!
//! Until the last check has passed nothing is changed, so that a candidate that fails leaves no trace.

use std::sync::Arc;

use super::command::{Command, Standing, Taken};
use super::input::{Candidate, Swap};
use super::probation::Probation;
use super::rehearsal::Rehearsal;
use super::{Actor, Life};
use crate::bindings::v0_1::{
    ChannelInfo, CheckpointMode, Effect, Instant, Problem, StartReason, log::Level,
};
use crate::egress::EgressPolicy;
use crate::guest::{Component, Guest, GuestFault, check};

/// Why a candidate does not take over. The component that runs goes on in every case.
#[derive(Debug, Clone, thiserror::Error)]
pub enum SwapRefused {
    /// No component runs whose state could be handed on.
    #[error(
        "the channel's component is not running, so there is no state to hand on; restart the channel to start the new one from what is stored"
    )]
    NotRunning,
    /// The states do not fit.
    #[error(
        "the running component writes state version {written}{}, and the candidate reads {oldest} to {newest}; use a version in between, or restart with an empty state_dir", alternatives(.also)
    )]
    Version {
        /// What the running one writes.
        written: u32,
        /// What else it can write.
        also: Vec<u32>,
        /// The oldest that the candidate reads.
        oldest: u32,
        /// The newest.
        newest: u32,
    },
    /// It is another plugin.
    #[error(
        "the candidate is the plugin {candidate:?} and the channel runs {running:?}; put it into a folder of its own name"
    )]
    OtherPlugin {
        /// What runs.
        running: String,
        /// What wants to.
        candidate: String,
    },
    /// The running component cannot write its state down.
    #[error(
        "the running component does not hand its state on: {0}; restart the channel to start the new one from what is stored"
    )]
    NoCheckpoint(String),
    /// The candidate broke.
    #[error("the candidate broke when it was to {doing}: {fault}; report this to its author")]
    Fault {
        /// At what.
        doing: &'static str,
        /// How.
        fault: GuestFault,
    },
    /// The candidate finds something wrong.
    #[error("the candidate does not start: {}", said(.0))]
    Problems(Vec<Problem>),
    /// The candidate counts on something else than the host holds.
    #[error("the candidate counts on other {what} than the host holds; report this to its author")]
    Holdings {
        /// Which.
        what: &'static str,
    },
    /// The candidate broke when it had just taken over.
    #[error(
        "the candidate broke when it had just taken over, and the one before goes on; report this to its author"
    )]
    BrokeAtOnce,
    /// The candidate's state is not the one it was given.
    #[error(
        "the candidate has state version {version} like the running component, and made another state of it; report this to its author"
    )]
    StateDiffers {
        /// The version.
        version: u32,
    },
}

fn alternatives(versions: &[u32]) -> String {
    let also = versions.iter().map(|v| format!(" or {v}"));
    also.collect()
}

fn said(problems: &[Problem]) -> String {
    let said = problems.iter().map(|p| match &p.key {
        Some(key) => format!("{key}: {}; {}", p.sentence, p.fix),
        None => format!("{}; {}", p.sentence, p.fix),
    });
    said.collect::<Vec<_>>().join("; ")
}

/// A candidate that has passed all checks and is not yet in force.
struct Ready {
    guest: Box<dyn Guest>,
    effects: Vec<Effect>,
    /// How the state can be written for the component before; `None` when there is no way back.
    way_back: Option<CheckpointMode>,
    /// The state, in that form.
    kept: Vec<u8>,
}

/// In which form the running component hands its state to the candidate.
///
/// # Errors
/// It writes none that the candidate reads.
pub(crate) fn handover(
    from: &ChannelInfo,
    to: &ChannelInfo,
) -> Result<CheckpointMode, SwapRefused> {
    let reads = |version: u32| (to.reads_from..=to.state_version).contains(&version);
    if from.name != to.name {
        return Err(SwapRefused::OtherPlugin {
            running: from.name.clone(),
            candidate: to.name.clone(),
        });
    }
    if reads(from.state_version) {
        return Ok(CheckpointMode::Normal);
    }
    let older = from.also_writes.iter().copied().filter(|v| reads(*v));
    let older = older.max().map(CheckpointMode::AsVersion);
    older.ok_or_else(|| SwapRefused::Version {
        written: from.state_version,
        also: from.also_writes.clone(),
        oldest: to.reads_from,
        newest: to.state_version,
    })
}

pub(crate) fn described(
    component: &dyn Component,
    doing: &'static str,
) -> Result<ChannelInfo, SwapRefused> {
    let info = component.describe();
    info.map_err(|fault| SwapRefused::Fault { doing, fault })
}

impl Actor {
    pub(super) fn on_swap(&mut self, now: Instant, swap: Swap) {
        let ticket = swap.ticket;
        let outcome = self.swap(now, swap.candidate);
        if let Err(refused) = &outcome {
            let text = format!("the component was not swapped: {refused}");
            self.log_line(Level::Warn, &text);
        }
        let outcome = Box::new(outcome);
        self.out.push(Command::Swapped { ticket, outcome });
    }

    fn swap(&mut self, now: Instant, candidate: Candidate) -> Result<Taken, SwapRefused> {
        let from = described(self.component.as_ref(), "be described")?;
        let to = described(candidate.component.as_ref(), "be described")?;
        let mode = handover(&from, &to)?;
        let state = self.state_for(now, mode)?;
        // One that is on probation itself is nothing to go back to, where the one before it will do.
        let proven = self.probation.as_ref().map(|probation| &probation.before);
        let proven = proven.and_then(|before| before.component.describe().ok());
        let proven = proven.filter(|proven| handover(&to, proven).is_ok());
        let ready = self.prove(now, &candidate, (&from, &to), proven.as_ref(), state)?;
        let replaced = self.put_in_force(candidate);
        let (before, info) = match (proven, self.probation.take()) {
            (Some(proven), Some(probation)) => {
                self.retired.add(replaced);
                (probation.before, proven)
            }
            (_, probation) => {
                self.retired.add(probation);
                (replaced, from.clone())
            }
        };
        self.generation += 1;
        let life = std::mem::replace(&mut self.life, Life::Running(ready.guest));
        self.retired.add(life);
        let same_keys = info.keys == to.keys;
        match ready.way_back {
            Some(mode) => self.probation = Some(Probation::new(now, mode, before, same_keys)),
            None => self.retired.add(before),
        }
        let tape = self.memory.new_tape();
        self.retired.add(tape);
        self.memory.checkpointed(ready.kept);
        self.carry_out(ready.effects);
        self.memory.want_checkpoint();
        let generation = self.generation;
        self.take_checkpoint(now);
        self.trace_boot(now);
        if self.generation != generation {
            return Err(SwapRefused::BrokeAtOnce);
        }
        Ok(Taken {
            standing: self.standing(),
            from: from.version,
            way_back: self.probation.is_some(),
        })
    }

    /// The running component's state, in the form that the candidate reads.
    fn state_for(&mut self, now: Instant, mode: CheckpointMode) -> Result<Vec<u8>, SwapRefused> {
        // The journal is folded in first: stored entries and checkpoint are of one moment then.
        self.memory.want_checkpoint();
        let generation = self.generation;
        self.take_checkpoint(now);
        if self.generation != generation {
            let why = "it broke, and the one before it goes on".to_owned();
            return Err(SwapRefused::NoCheckpoint(why));
        }
        let Life::Running(guest) = &mut self.life else {
            return Err(SwapRefused::NotRunning);
        };
        if self.memory.journal().is_empty()
            && self.probation.is_none()
            && mode == CheckpointMode::Normal
            && let Some(state) = self.memory.checkpoint()
        {
            return Ok(state.clone());
        }
        match guest.checkpoint(mode) {
            Ok(Ok(state)) => {
                if !self.memory.journal().is_empty() {
                    let why = "it takes no checkpoint of its own".to_owned();
                    return Err(SwapRefused::NoCheckpoint(why));
                }
                Ok(state)
            }
            Ok(Err(refusal)) => Err(SwapRefused::NoCheckpoint(refusal)),
            Err(fault) => {
                self.rebuild_after_checkpoint(now, fault.clone());
                Err(SwapRefused::NoCheckpoint(fault.to_string()))
            }
        }
    }

    /// Starts the candidate on the state and compares what it counts on with what there is.
    fn prove(
        &mut self,
        now: Instant,
        candidate: &Candidate,
        (from, to): (&ChannelInfo, &ChannelInfo),
        proven: Option<&ChannelInfo>,
        state: Vec<u8>,
    ) -> Result<Ready, SwapRefused> {
        let broke = |doing| move |fault| SwapRefused::Fault { doing, fault };
        let mut guest = candidate
            .component
            .instantiate()
            .map_err(broke("be set up"))?;
        let mut boot = self.boot_record(match to.state_version < from.state_version {
            true => StartReason::Rollback,
            false => StartReason::Swap,
        });
        boot.config.clone_from(&candidate.config);
        boot.checkpoint = Some(state.clone());
        let started = guest.start(now, &boot);
        self.retired.add(boot);
        self.take_log(guest.as_mut());
        let effects = started
            .map_err(broke("start"))?
            .map_err(SwapRefused::Problems)?;
        check::effects(&effects, &candidate.limits).map_err(broke("start"))?;
        let counted = guest.inventory().map_err(broke("say what it counts on"))?;
        let held = self.tables.holdings_after(&effects);
        if let Some(what) = super::tables::difference(&counted, &held) {
            return Err(SwapRefused::Holdings { what });
        }
        let written = guest
            .checkpoint(CheckpointMode::Normal)
            .map_err(broke("write its state"))?;
        let written = written.map_err(SwapRefused::NoCheckpoint)?;
        check::checkpoint(&written, &candidate.limits).map_err(broke("write its state"))?;
        if to.state_version == from.state_version && effects.is_empty() && written != state {
            return Err(SwapRefused::StateDiffers {
                version: to.state_version,
            });
        }
        let way_back = handover(to, proven.unwrap_or(from)).ok();
        let kept = match way_back.filter(|mode| *mode != CheckpointMode::Normal) {
            None => written,
            Some(mode) => {
                let back = guest
                    .checkpoint(mode)
                    .map_err(broke("write its state for the one before"))?;
                back.map_err(SwapRefused::NoCheckpoint)?
            }
        };
        Ok(Ready {
            guest,
            effects,
            way_back,
            kept,
        })
    }

    /// Puts another set of rules in force, and hands the one before back.
    pub(super) fn put_in_force(&mut self, candidate: Candidate) -> Candidate {
        self.vault.fill_missing(candidate.secrets);
        Candidate {
            component: std::mem::replace(&mut self.component, candidate.component),
            limits: std::mem::replace(&mut self.limits, candidate.limits),
            config: std::mem::replace(&mut self.config, candidate.config),
            captured: self.vault.capture_only(candidate.captured),
            secrets: Vec::new(),
            egress: std::mem::replace(&mut self.egress, candidate.egress),
        }
    }

    /// Which component runs: counts up with every one that takes over, from 1.
    pub fn generation(&self) -> u64 {
        self.generation
    }

    /// What runs.
    pub fn standing(&self) -> Standing {
        let info = self.component.describe();
        let (plugin, version, state_version) = info.map_or_else(
            |_| Default::default(),
            |info| (info.name, info.version, info.state_version),
        );
        Standing {
            generation: self.generation,
            plugin,
            version,
            state_version,
            digest: self.component.digest(),
            limits: self.limits,
        }
    }

    /// The rules on where the channel may connect to.
    pub fn egress(&self) -> Arc<EgressPolicy> {
        Arc::clone(&self.egress)
    }

    /// What a candidate is tried on before it is offered; see [`Rehearsal`].
    pub fn rehearsal(&self) -> Rehearsal {
        // On probation the tape may begin with a state of an older version than the one that runs.
        let tape = match self.probation {
            Some(_) => None,
            None => self.memory.tape(),
        };
        let mut boot = self.boot_record(StartReason::Swap);
        let mut events = Vec::new();
        match tape {
            Some((state, entries, recent)) => {
                boot.checkpoint = Some(state);
                boot.entries = entries;
                events = recent;
            }
            None => {
                boot.checkpoint = None;
                boot.reason = StartReason::Restart;
            }
        }
        Rehearsal {
            component: Arc::clone(&self.component),
            config: self.config.clone(),
            boot,
            events,
        }
    }
}
