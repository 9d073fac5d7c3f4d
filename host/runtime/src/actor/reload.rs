//! A new configuration for a guest that runs. The guest decides: with a line that fails in its last
//! reply, everything stays as it was.
//!
//! Only the configuration: another component takes over elsewhere, and finds here what it starts with.

use std::sync::Arc;

use super::input::{OperatorAsk, Reload};
use super::{Actor, Life};
use crate::bindings::v0_1::{Event, Instant, Mark, OperatorCommand, Reply, RequestId};
use crate::egress::EgressPolicy;
use crate::vault::Hidden;

/// What was in force before, until the guest has answered.
pub(super) struct Reloading {
    command: RequestId,
    config: String,
    secrets: Vec<(String, Hidden)>,
    egress: Arc<EgressPolicy>,
}

impl Actor {
    pub(super) fn on_reload(&mut self, now: Instant, reload: Reload) {
        if !matches!(self.life, Life::Running(_)) {
            return self.refuse_command(reload.ticket);
        }
        if self.reloading.is_some() {
            let sentence = "another configuration is being taken up";
            return self.refuse(reload.ticket, sentence, "try again in a moment");
        }
        let egress = match self.egress.widened_by(&reload.widenings) {
            Ok(egress) => Arc::new(egress),
            Err(error) => {
                let fix = "write an address that can be used";
                return self.refuse(reload.ticket, &error.to_string(), fix);
            }
        };
        // What was handled under the old one is not handled again under the new one, whatever breaks later.
        self.memory.want_checkpoint();
        self.take_checkpoint(now);
        if !self.memory.journal().is_empty() {
            let sentence =
                "the component takes no checkpoint, so it cannot be given another configuration";
            return self.refuse(reload.ticket, sentence, "restart the channel");
        }
        let command = self.operator(OperatorAsk {
            ticket: reload.ticket,
            ask: OperatorCommand::ReloadConfig(reload.config.clone()),
        });
        // In force before the guest hears of it: it may act on the new one in this very call.
        self.reloading = Some(Reloading {
            command: command.id,
            config: std::mem::replace(&mut self.config, reload.config),
            secrets: self.vault.replace(reload.secrets),
            egress: std::mem::replace(&mut self.egress, egress),
        });
        self.deliver(now, Event::Command(command));
    }

    /// Looks whether a reply is the guest's word on a new configuration.
    pub(super) fn reload_answered(&mut self, reply: &Reply) {
        let awaited = self.reloading.as_ref().map(|reloading| reloading.command);
        if !reply.done || awaited != Some(reply.id) {
            return;
        }
        if reply.lines.iter().any(|line| line.mark == Mark::Fail) {
            self.reload_failed();
        }
        self.reloading = None;
    }

    /// True for the command with which the configuration under way is taken up.
    pub(super) fn is_reload(&self, event: &Event) -> bool {
        let awaited = self.reloading.as_ref().map(|reloading| reloading.command);
        matches!(event, Event::Command(command) if awaited == Some(command.id))
    }

    /// Puts back what was in force.
    pub(super) fn reload_failed(&mut self) {
        if let Some(before) = self.reloading.take() {
            self.config = before.config;
            self.vault.replace(before.secrets);
            self.egress = before.egress;
        }
    }
}
