//! From a fault back to a running guest: fresh instance, last checkpoint, journal, the event once
//! more, and as the last resort the event unread.
//!
//! A call that faulted has returned no effects, so exactly one event is unprocessed.

use super::command::{Command, Settled};
use super::probation::Probation;
use super::{Actor, Life};
use crate::bindings::v0_1::{
    CheckpointMode, Effect, Event, Instant, Skipped, SocketEnd, StartReason, TurnNews, log::Level,
};
use crate::guest::{FaultKind, Guest, GuestFault, LogLine, check};

/// Refusals that may wait for the guest: those of two calls that ask for as much as a call can.
const MAX_REFUSALS: usize = 8192;

impl Actor {
    /// Hands an event to the guest, whatever it takes, and carries out what comes back.
    pub(super) fn deliver(&mut self, now: Instant, event: Event) {
        self.trace_event(now, &event);
        match self.handle(now, &event) {
            Ok(effects) => self.accept(now, event, effects),
            Err(Some(fault)) => self.recover(now, event, fault),
            Err(None) => {}
        }
    }

    /// The effects are the event's own from here on, whatever happens to the instance.
    fn accept(&mut self, now: Instant, event: Event, effects: Vec<Effect>) {
        self.carry_out(effects);
        self.memory.handled(now, event);
        self.take_checkpoint(now);
        self.proved_itself(now);
    }

    /// One call. After a fault the instance is gone; `Err(None)` when there was none to begin with.
    fn handle(&mut self, now: Instant, event: &Event) -> Result<Vec<Effect>, Option<GuestFault>> {
        let Life::Running(guest) = &mut self.life else {
            return Err(None);
        };
        let answer = guest.handle(now, event);
        let lines = guest.take_log();
        self.write_log(lines);
        let checked = answer.and_then(|effects| {
            check::effects(&effects, &self.limits)?;
            let mono_ms = self.last_mono_ms;
            self.spent.asks(mono_ms, &effects, &self.limits)?;
            self.refusals_fit(&effects)?;
            Ok(effects)
        });
        checked.map_err(|fault| {
            // Booting without a number asked for: a placeholder until recovery has decided.
            self.life = Life::Booting;
            Some(fault)
        })
    }

    /// What is refused is answered one event after the other. A component that asks anew at each answer would make the
    /// queue of them grow without end.
    fn refusals_fit(&self, effects: &[Effect]) -> Result<(), GuestFault> {
        let waiting = self.own_inputs.len();
        if waiting > 0 && waiting.saturating_add(effects.len()) > MAX_REFUSALS {
            let message = format!(
                "more is asked for than is allowed, while {waiting} refusals wait to be heard; {MAX_REFUSALS} may"
            );
            return Err(GuestFault::new(FaultKind::BadOutput, message));
        }
        Ok(())
    }

    fn recover(&mut self, now: Instant, event: Event, fault: GuestFault) {
        if let Some(probation) = self.probation.take() {
            // Written for the keys of the one that broke: the one before is not asked.
            let new_config = self.is_reload(&event);
            return match self.roll_back(now, probation, Some(&event), &fault) {
                Ok(()) if new_config => {
                    self.give_up_command(&event);
                    self.check_rollback(now);
                }
                Ok(()) => {
                    self.deliver(now, event);
                    self.check_rollback(now);
                }
                Err(second) => self.take_down(now, "rollback", second),
            };
        }
        if let Err(second) = self.rebuild(now) {
            return self.take_down(now, "recovery", second);
        }
        match self.handle(now, &event) {
            Ok(effects) => {
                self.report(Some(&event), fault.clone(), Settled::Retried);
                self.accept(now, event, effects);
                self.compare_holdings();
                self.trace_boot(now);
                if self.breaker.fault(now.mono_ms) {
                    self.take_down(now, "handle", fault);
                }
            }
            Err(Some(second)) => self.skip(now, event, second),
            Err(None) => {}
        }
    }

    /// The event broke two instances: a third one gets it as something to settle unread.
    fn skip(&mut self, now: Instant, event: Event, fault: GuestFault) {
        self.report(Some(&event), fault.clone(), Settled::Skipped);
        if self.breaker.poisoned(now.mono_ms) {
            return self.take_down(now, "handle", fault);
        }
        if let Err(second) = self.rebuild(now) {
            return self.take_down(now, "recovery", second);
        }
        let unread = Event::Skipped(skipped(&event, &fault));
        match self.handle(now, &unread) {
            Ok(effects) => {
                self.accept(now, unread, effects);
                self.compare_holdings();
                self.trace_boot(now);
                self.give_up_command(&event);
            }
            Err(Some(third)) => self.take_down(now, "skipped", third),
            Err(None) => {}
        }
    }

    /// A command that broke the component gets an answer all the same: somebody waits for it.
    fn give_up_command(&mut self, event: &Event) {
        let Event::Command(command) = event else {
            return;
        };
        if let Some(ticket) = self.tables.commands.remove(&command.id) {
            self.reload_failed();
            let sentence = "the command broke the channel's component, which goes on without it";
            self.refuse(ticket, sentence, "report this with the incident file");
        }
    }

    /// A fresh instance in the state after the last event that was handled.
    fn rebuild(&mut self, now: Instant) -> Result<(), GuestFault> {
        if self.memory.checkpoint().is_none() {
            let message = "there is no checkpoint to go on from";
            return Err(GuestFault::new(FaultKind::BadOutput, message));
        }
        let mut guest = self.component.instantiate()?;
        let boot = self.boot_record(StartReason::Crash);
        let started = guest.start(now, &boot)?;
        let Ok(effects) = started else {
            let message = "the component refuses its own checkpoint";
            return Err(GuestFault::new(FaultKind::BadOutput, message));
        };
        for handled in self.memory.journal() {
            // Carried out when it happened; only the state is wanted.
            guest.handle(handled.now, &handled.event)?;
        }
        check::effects(&effects, &self.limits)?;
        drop(guest.take_log());
        self.life = Life::Running(guest);
        self.carry_out(effects);
        Ok(())
    }

    /// Says so when a guest that came out of a crash and the host disagree on what is under way.
    pub(super) fn compare_holdings(&mut self) {
        let counts_on = self.inventory();
        if counts_on.is_some_and(|holdings| holdings != self.holdings()) {
            self.log_line(
                Level::Error,
                "after a crash the component counts on other sockets, requests, timers or turns than the host holds",
            );
        }
    }

    /// Takes a checkpoint when one is due. A fault here costs nothing: what was handled stays
    /// handled, and the state is rebuilt from the journal.
    pub(super) fn take_checkpoint(&mut self, now: Instant) {
        // On probation after every event, whatever it costs: a journal is of no use to another component.
        if self.probation.is_none() && !self.memory.wants_checkpoint() {
            return;
        }
        let Life::Running(guest) = &mut self.life else {
            return;
        };
        let mode = self.probation.as_ref().map(Probation::mode);
        let answer = guest.checkpoint(mode.unwrap_or(CheckpointMode::Normal));
        let answer = answer.and_then(|answer| {
            if let Ok(bytes) = &answer {
                check::checkpoint(bytes, &self.limits)?;
            }
            Ok(answer)
        });
        match answer {
            Ok(Ok(bytes)) => self.memory.checkpointed(bytes),
            Ok(Err(refusal)) if self.probation.is_some() => {
                let text =
                    format!("it no longer writes its state for the component before: {refusal}");
                let fault = GuestFault::new(FaultKind::BadOutput, text);
                self.rebuild_after_checkpoint(now, fault);
            }
            Ok(Err(refusal)) => {
                let text = format!("the component takes no checkpoint: {refusal}");
                self.log_line(Level::Error, &text);
            }
            Err(fault) => self.rebuild_after_checkpoint(now, fault),
        }
    }

    pub(super) fn rebuild_after_checkpoint(&mut self, now: Instant, fault: GuestFault) {
        self.life = Life::Booting;
        if let Some(probation) = self.probation.take() {
            return match self.roll_back(now, probation, None, &fault) {
                Ok(()) => self.check_rollback(now),
                Err(second) => self.take_down(now, "rollback", second),
            };
        }
        self.report(None, fault.clone(), Settled::Rebuilt);
        if self.breaker.fault(now.mono_ms) {
            return self.take_down(now, "checkpoint", fault);
        }
        if let Err(second) = self.rebuild(now) {
            self.take_down(now, "recovery", second);
        }
    }

    pub(super) fn take_log(&mut self, guest: &mut dyn Guest) {
        let lines = guest.take_log();
        self.write_log(lines);
    }

    /// A line of the core's own about what the component did: the component decides how many there are.
    pub(super) fn log_line(&mut self, level: Level, text: &str) {
        let text = text.to_owned();
        self.write_log([LogLine { level, text }]);
    }

    fn write_log(&mut self, lines: impl IntoIterator<Item = LogLine>) {
        let lines = self.spent.log(self.last_mono_ms, lines, &self.limits);
        self.out.extend(lines.into_iter().map(Command::Log));
    }
}

fn skipped(event: &Event, fault: &GuestFault) -> Skipped {
    let (id, raw) = match event {
        Event::SocketOpened(id) | Event::TimerFired(id) => (Some(*id), None),
        Event::SocketText(text) => (Some(text.id), Some(text.text.clone())),
        Event::SocketBinary(binary) => (Some(binary.id), None),
        Event::SocketClosed(closed) => (Some(closed.id), close_reason(&closed.end)),
        Event::HttpDone(done) => (Some(done.id), None),
        Event::Entropy(entropy) => (Some(entropy.id), None),
        Event::BlobMade(blob) => (Some(blob.blob), None),
        Event::DigestDone(done) => (Some(done.id), None),
        Event::Turn(turn) => (Some(turn.turn), Some(news(&turn.news))),
        Event::Command(command) => (Some(command.id), None),
        Event::Skipped(skipped) => (skipped.id, None),
        Event::Extension(_) => (None, None),
    };
    Skipped {
        kind: event.case().into(),
        id,
        raw,
        cause: fault.to_string(),
    }
}

/// The case of news, in the words of the interface.
fn news(news: &TurnNews) -> String {
    match news {
        TurnNews::Delta(_) => "delta".into(),
        TurnNews::ToolNote(_) => "tool-note".into(),
        TurnNews::ApprovalAsked(asked) => format!("approval-asked {}", asked.approval),
        TurnNews::Message(_) => "message".into(),
        TurnNews::Finished(_) => "finished".into(),
        TurnNews::Failed(_) => "failed".into(),
        TurnNews::Cancelled => "cancelled".into(),
    }
}

fn close_reason(end: &SocketEnd) -> Option<String> {
    match end {
        SocketEnd::Closed(frame) => Some(frame.reason.clone()),
        SocketEnd::Failed(_) => None,
    }
}
