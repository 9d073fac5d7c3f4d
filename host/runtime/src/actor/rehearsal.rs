//! A candidate tries the last events on a copy of the state, and nothing it does leaves the room. Done
//! beside the channel, before it is asked to stop for the swap.

use std::sync::Arc;

use super::input::Candidate;
use super::swap::{SwapRefused, described, handover};
use crate::bindings::v0_1::{Boot, CheckpointMode, Event, Instant};
use crate::guest::{Component, GuestFault, check};

/// What a candidate is tried on.
#[derive(Debug, Clone)]
pub struct Rehearsal {
    /// What runs.
    pub(super) component: Arc<dyn Component>,
    /// The operator's table, as it is in force.
    pub(super) config: String,
    /// The state before the events.
    pub(super) boot: Boot,
    /// The last events.
    pub(super) events: Vec<(Instant, Event)>,
}

/// A candidate did not get through it.
#[derive(Debug, thiserror::Error)]
pub enum RehearsalFailed {
    /// It would be refused at the swap too.
    #[error(transparent)]
    Refused(#[from] SwapRefused),
    /// It broke.
    #[error(
        "the candidate broke at event {event} of the last {of}, tried on a copy: {fault}; report this to its author"
    )]
    Broke {
        /// Which event, from 1.
        event: usize,
        /// Of how many.
        of: usize,
        /// How.
        fault: GuestFault,
    },
}

impl Rehearsal {
    /// The operator's table, as it is in force.
    pub fn config(&self) -> &str {
        &self.config
    }

    /// The digest of what runs.
    pub fn running(&self) -> String {
        self.component.digest()
    }

    /// Tries a candidate, and returns how many events it has taken. Takes as long as the component needs.
    ///
    /// # Errors
    /// What it did not get through.
    pub fn play(mut self, candidate: &Candidate, now: Instant) -> Result<usize, RehearsalFailed> {
        let from = described(self.component.as_ref(), "be described")?;
        let to = described(candidate.component.as_ref(), "be described")?;
        let mode = handover(&from, &to)?;
        if mode != CheckpointMode::Normal {
            // The copy is in a version that the candidate does not read.
            self.boot.checkpoint = None;
            self.events.clear();
        }
        let began = self.events.first().map_or(now, |(then, _)| *then);
        let fault = |doing| move |fault| SwapRefused::Fault { doing, fault };
        let guest = candidate.component.instantiate();
        let mut guest = guest.map_err(fault("be set up"))?;
        self.boot.config.clone_from(&candidate.config);
        let started = guest.start(began, &self.boot).map_err(fault("start"))?;
        let effects = started.map_err(SwapRefused::Problems)?;
        check::effects(&effects, &candidate.limits).map_err(fault("start"))?;
        let of = self.events.len();
        for (index, (then, event)) in self.events.iter().enumerate() {
            let broke = |fault| RehearsalFailed::Broke {
                event: index + 1,
                of,
                fault,
            };
            let effects = guest.handle(*then, event).map_err(broke)?;
            check::effects(&effects, &candidate.limits).map_err(broke)?;
            drop(guest.take_log());
        }
        let state = guest.checkpoint(CheckpointMode::Normal);
        let state = state.map_err(fault("write its state"))?;
        state.map_err(SwapRefused::NoCheckpoint)?;
        Ok(of)
    }
}
