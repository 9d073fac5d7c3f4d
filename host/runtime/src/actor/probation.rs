//! The first while of a component that took over: it writes its state so that the one before could go
//! on from it, and when it breaks, that one does, with the very event that broke it.

use std::sync::Arc;

use super::command::{Command, Incident, Settled};
use super::input::Candidate;
use super::tables::difference;
use super::{Actor, Life};
use crate::bindings::v0_1::{CheckpointMode, Event, Instant, StartReason, log::Level};
use crate::guest::{Component, FaultKind, GuestFault, check};

/// So long at least, milliseconds of the monotonic clock.
const AT_LEAST_MS: u64 = 600_000;
/// And so many events: a quiet night proves nothing.
const AT_LEAST_EVENTS: u32 = 100;

/// What the component before would need to go on.
#[derive(Debug)]
pub(super) struct Probation {
    until_mono_ms: u64,
    events_left: u32,
    /// How the state is written for the component before.
    mode: CheckpointMode,
    pub(super) before: Candidate,
    /// Both have the same configuration keys: what was configured meanwhile holds for both.
    same_keys: bool,
}

impl Probation {
    pub(super) fn new(
        now: Instant,
        mode: CheckpointMode,
        before: Candidate,
        same_keys: bool,
    ) -> Self {
        Self {
            until_mono_ms: now.mono_ms.saturating_add(AT_LEAST_MS),
            events_left: AT_LEAST_EVENTS,
            mode,
            before,
            same_keys,
        }
    }

    pub(super) fn mode(&self) -> CheckpointMode {
        self.mode
    }
}

impl Actor {
    /// True while a component that took over can still be sent back.
    pub fn on_probation(&self) -> bool {
        self.probation.is_some()
    }

    /// The component that has proved itself: what runs, or while that is on probation the one before. For
    /// checks.
    pub fn proven(&self) -> Arc<dyn Component> {
        let before = self.probation.as_ref().map(|probation| &probation.before);
        Arc::clone(before.map_or(&self.component, |before| &before.component))
    }

    /// Counts an event, and ends the probation when there were enough.
    pub(super) fn proved_itself(&mut self, now: Instant) {
        let Some(probation) = &mut self.probation else {
            return;
        };
        probation.events_left = probation.events_left.saturating_sub(1);
        if probation.events_left > 0 || now.mono_ms < probation.until_mono_ms {
            return;
        }
        let before = self.probation.take();
        self.retired.add(before);
        // The last checkpoint, and the state that the tape begins with, may be in the form of the one before.
        let tape = self.memory.new_tape();
        self.retired.add(tape);
        self.memory.want_checkpoint();
        self.take_checkpoint(now);
        let text = format!("generation {} has proved itself", self.generation);
        self.log_line(Level::Info, &text);
    }

    /// Puts the component before back, in the state after the last event that was handled. `Err` when it
    /// does not take that state; it is in force all the same, and starts from what is stored.
    pub(super) fn roll_back(
        &mut self,
        now: Instant,
        probation: Probation,
        event: Option<&Event>,
        fault: &GuestFault,
    ) -> Result<(), GuestFault> {
        let Probation {
            mut before,
            same_keys,
            ..
        } = probation;
        // A configuration that was just being taken up is not in force.
        self.reload_failed();
        if same_keys {
            before.config.clone_from(&self.config);
            before.egress = Arc::new(before.egress.widened_like(&self.egress));
        }
        let broke = self.component.digest();
        let limits = before.limits;
        self.put_in_force(before);
        self.generation += 1;
        self.life = Life::Booting;
        self.report(event, fault.clone(), Settled::RolledBack);
        self.out.push(Command::RolledBack {
            broke,
            standing: Box::new(self.standing()),
            fault: fault.clone(),
        });
        let tape = self.memory.new_tape();
        self.retired.add(tape);
        if self.memory.checkpoint().is_none() {
            let message = "there is no checkpoint to go back with";
            return Err(GuestFault::new(FaultKind::BadOutput, message));
        }
        let mut guest = self.component.instantiate()?;
        let boot = self.boot_record(StartReason::Rollback);
        let Ok(effects) = guest.start(now, &boot)? else {
            let message = "the component before refuses the state that was written for it";
            return Err(GuestFault::new(FaultKind::BadOutput, message));
        };
        for handled in self.memory.journal() {
            // An event whose effects are out, but which is not in the state: only a fault in the
            // checkpoint after it leaves one.
            guest.handle(handled.now, &handled.event)?;
        }
        self.take_log(guest.as_mut());
        check::effects(&effects, &limits)?;
        self.life = Life::Running(guest);
        self.carry_out(effects);
        self.memory.want_checkpoint();
        self.take_checkpoint(now);
        self.trace_boot(now);
        Ok(())
    }

    /// Waiting for what never comes would be worse than starting from what is stored: a component that
    /// counts on something else than the host holds is taken down.
    pub(super) fn check_rollback(&mut self, now: Instant) {
        let Some(counted) = self.inventory() else {
            return;
        };
        if let Some(what) = difference(&counted, &self.tables.holdings()) {
            let message =
                format!("the component before counts on other {what} than the host holds");
            let fault = GuestFault::new(FaultKind::BadOutput, message);
            self.take_down(now, "rollback", fault);
        }
    }

    pub(super) fn report(&mut self, event: Option<&Event>, fault: GuestFault, settled: Settled) {
        let during = event.map_or("checkpoint", Event::case);
        let incident = Incident {
            during: during.into(),
            event: event.and_then(|event| serde_json::to_string(event).ok()),
            fault,
            settled,
        };
        self.out.push(Command::Incident(Box::new(incident)));
    }
}
