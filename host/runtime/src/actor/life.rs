//! Birth and death of a guest: the start from stored entries, and being taken down.

use super::command::{Command, Incident, Refusal, Settled};
use super::input::BootInput;
use super::{Actor, Life};
use crate::agent::AgentAsk;
use crate::bindings::v0_1::{
    Boot, Health, HealthLevel, Instant, Mark, Reply, ReportLine, SocketClose, StartReason,
    TurnCancel, log::Level,
};
use crate::guest::GuestFault;

/// Close code for a socket whose guest is gone: "going away" is not ours to send, 3000 and up is.
const CLOSE_GUEST_GONE: u16 = 3000;

impl Actor {
    pub(super) fn on_boot(&mut self, now: Instant, boot: BootInput) {
        if !matches!(self.life, Life::Booting) {
            return;
        }
        let first = self.boot.is_none();
        let reason = if self.probe {
            StartReason::Probe
        } else if boot.number <= 1 {
            StartReason::Cold
        } else {
            StartReason::Restart
        };
        self.boot = Some(boot);
        self.commands_asked = 0;
        self.shed_entries();
        let mut guest = match self.component.instantiate() {
            Ok(guest) => guest,
            Err(fault) => return self.start_failed(now, first, fault),
        };
        let boot = self.boot_record(reason);
        let answer = guest.start(now, &boot);
        self.take_log(guest.as_mut());
        match answer {
            Ok(Ok(effects)) => {
                self.life = Life::Running(guest);
                if let Err(fault) = crate::guest::check::effects(&effects, &self.limits) {
                    return self.start_failed(now, first, fault);
                }
                self.carry_out(effects);
                self.take_checkpoint(now);
                self.trace_boot(now);
                self.out.push(Command::Started);
            }
            Ok(Err(problems)) => {
                self.life = Life::Ended;
                self.out.push(Command::Refused(Refusal::Problems(problems)));
            }
            Err(fault) => self.start_failed(now, first, fault),
        }
    }

    /// A start reads everything that is stored, so it must not be more than the manifest allows: what the component
    /// can do without goes first.
    fn shed_entries(&mut self) {
        let most = self.limits.store_bytes;
        if self.memory.bytes() <= most {
            return;
        }
        let stored = self.memory.bytes();
        let sheds = self
            .component
            .describe()
            .map_or(Vec::new(), |info| info.sheds);
        let changes = self.memory.shed(&sheds, most);
        self.shed = u32::try_from(changes.len()).unwrap_or(u32::MAX);
        let text = format!(
            "{stored} bytes are stored and a start reads at most {most}, which is [resources] max_store_mb of plugin.toml: the oldest {} entries of {} were deleted",
            changes.len(),
            if sheds.is_empty() {
                "nothing that may go".to_owned()
            } else {
                sheds.join(", ")
            }
        );
        self.log_line(Level::Error, &text);
        if !changes.is_empty() {
            self.out.push(Command::Commit(changes));
        }
    }

    /// What an instance starts with, for this reason, from the memory as it is.
    pub(super) fn boot_record(&self, reason: StartReason) -> Boot {
        let boot = self.boot.as_ref();
        Boot {
            instance: self.instance.clone(),
            boot_number: boot.map_or(0, |b| b.number),
            entropy: boot.map_or_else(Vec::new, |b| b.entropy.to_vec()),
            reason,
            config: self.config.clone(),
            secrets: self.vault.names(),
            entries: self.memory.entries(),
            shed: self.shed,
            checkpoint: self.memory.checkpoint().cloned(),
            host: self.host.clone(),
        }
    }

    /// At the very first start somebody is waiting and should be told; later nobody is, and the
    /// channel tries again.
    fn start_failed(&mut self, now: Instant, first: bool, fault: GuestFault) {
        if first {
            self.life = Life::Ended;
            self.out.push(Command::Refused(Refusal::Fault(fault)));
        } else {
            self.take_down(now, "start", fault);
        }
    }

    /// Gives the guest up: everything it held is closed, and it starts over from its stored
    /// entries after a while. A connection that nobody listens to would look like a healthy bot.
    pub(super) fn take_down(&mut self, now: Instant, during: &str, fault: GuestFault) {
        self.reload_failed();
        self.probation = None;
        self.release_holdings();
        self.memory.forget_flight();
        self.own_inputs.clear();
        let wait = self.breaker.trip(now.mono_ms);
        self.life = Life::Down {
            retry_mono_ms: now.mono_ms.saturating_add(wait),
        };
        self.guest_health = Health {
            level: HealthLevel::Stopped,
            code: "component-crashing".into(),
            summary: format!(
                "the channel's component keeps breaking ({fault}); it starts again in {} s",
                wait.div_ceil(1000)
            ),
            fix: Some("report this with the incident file, or go back to the last version of the plugin that worked".into()),
        };
        self.say_health();
        let incident = Incident {
            during: during.to_owned(),
            event: None,
            fault,
            settled: Settled::TakenDown,
        };
        self.out.push(Command::Incident(Box::new(incident)));
    }

    fn release_holdings(&mut self) {
        let tables = std::mem::take(&mut self.tables);
        for id in tables.sockets.into_keys() {
            self.out.push(Command::SocketClose(SocketClose {
                id,
                code: CLOSE_GUEST_GONE,
                reason: "restarting".into(),
            }));
        }
        for id in tables.requests.into_keys() {
            self.out.push(Command::HttpCancel(id));
        }
        for id in tables.turns.into_keys() {
            let reason = "the channel's component broke".into();
            let cancel = AgentAsk::Cancel(TurnCancel { id, reason });
            self.out.push(Command::Agent(Box::new(cancel)));
        }
        for ticket in tables.commands.into_values() {
            self.refuse_command(ticket);
        }
    }

    /// Answers a command that no guest will answer.
    pub(super) fn refuse_command(&mut self, ticket: u64) {
        let sentence = "the channel's component is not running";
        self.refuse(ticket, sentence, "look into the log for why it stopped");
    }

    pub(super) fn refuse(&mut self, ticket: u64, sentence: &str, fix: &str) {
        let reply = refusal(sentence, fix);
        self.out
            .push(Command::Reply(super::TicketReply { ticket, reply }));
    }
}

/// The host's own answer in place of a component's: one line that fails.
pub(crate) fn refusal(sentence: &str, fix: &str) -> Reply {
    Reply {
        id: 0,
        done: true,
        lines: vec![ReportLine {
            mark: Mark::Fail,
            topic: "component".into(),
            text: sentence.into(),
            evidence: None,
            fix: Some(fix.into()),
        }],
        data: None,
        summary: Some(sentence.into()),
    }
}
