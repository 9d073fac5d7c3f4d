//! What is told of a channel while somebody records it: what an instance like the one that runs would
//! have to be started with, and then every event it takes.

use super::command::{Command, TraceItem};
use super::input::TraceForm;
use super::{Actor, Life};
use crate::bindings::v0_1::{CheckpointMode, Event, Instant, StartReason, log::Level};
use crate::trace::mask::holds_capability;

impl Actor {
    pub(super) fn on_record(&mut self, now: Instant, form: Option<TraceForm>) {
        self.recording = form;
        self.trace_waits = false;
        self.trace_boot(now);
    }

    pub(super) fn trace_event(&mut self, now: Instant, event: &Event) {
        if self.trace_waits {
            self.trace_boot(now);
        }
        if self.recording.is_some() && !self.trace_waits {
            let event = event.clone();
            self.out
                .push(Command::Trace(Box::new(TraceItem::Event { now, event })));
        }
    }

    /// Tells of a fresh beginning: at the start of a recording, and wherever the instance that runs is
    /// not the one that took the event before.
    pub(super) fn trace_boot(&mut self, now: Instant) {
        let Some(form) = self.recording else { return };
        self.memory.want_checkpoint();
        self.take_checkpoint(now);
        let Life::Running(guest) = &mut self.life else {
            return;
        };
        let state = guest.checkpoint(match form {
            TraceForm::Plain => CheckpointMode::Normal,
            TraceForm::Blank => CheckpointMode::BlankText,
        });
        let state = match state {
            Ok(Ok(state)) => state,
            Ok(Err(refusal)) => {
                let text = format!(
                    "nothing more is recorded: the component takes no checkpoint: {refusal}"
                );
                self.log_line(Level::Error, &text);
                self.recording = None;
                self.out
                    .push(Command::Trace(Box::new(TraceItem::Broken(text))));
                return;
            }
            Err(fault) => return self.rebuild_after_checkpoint(now, fault),
        };
        // An address that opens something is masked in events and entries, but a state is the component's
        // own: the trace begins when there is none in it, as when all that is attached has been fetched.
        self.trace_waits = holds_capability(&state);
        if self.trace_waits {
            return;
        }
        let mut boot = self.boot_record(StartReason::Swap);
        boot.checkpoint = Some(state);
        // Jitter goes on from the checkpoint; nothing else is drawn from it, and it belongs in no file.
        boot.entropy = vec![0; 32];
        self.out.push(Command::Trace(Box::new(TraceItem::Boot {
            generation: self.generation,
            component: std::sync::Arc::clone(&self.component),
            now,
            boot: Box::new(boot),
        })));
    }
}
