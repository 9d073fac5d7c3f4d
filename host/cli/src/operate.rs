//! The questions of an operator: asked of the process that runs, or answered from what is kept.

use std::io::{self, Write};
use std::path::PathBuf;

use anyhow::Context;
use prx_host::bindings::v0_1::OperatorCommand;
use prx_host::control::{Ask, Code, Say};
use serde_json::{Value, json};

use crate::args::{Asked, ChannelCommand, PairCommand, spelled};
use crate::client::{Answer, Line, Refused};
use crate::files::Files;
use crate::host_table::HostTable;
use crate::locale::Locale;
use crate::outcome::{Trouble, Verdict};
use crate::render::{Report, Screen};
use crate::setup;
use crate::texts::Text;

mod doctor;
mod probe;
mod record;
mod replay;
mod send;
mod status;
mod stopped;

/// One question: where it is asked, and where the answer goes.
struct Desk<'a> {
    files: Files,
    host: HostTable,
    screen: Screen<'a>,
}

/// Answers one question of the command line.
pub(crate) fn answer(command: ChannelCommand) -> Result<Verdict, Trouble> {
    let mut out = io::stdout().lock();
    match command {
        // Not a question: it is what answers them.
        ChannelCommand::Run {
            names,
            allow_downgrade,
            config,
        } => {
            let older = allow_downgrade;
            crate::run::channels(&names, config.path.as_deref(), older).map(|()| Verdict::Good)
        }
        ChannelCommand::List { asked } => Desk::new(&asked, &mut out)?.list(),
        ChannelCommand::Status { name, watch, asked } => {
            Desk::new(&asked, &mut out)?.status(name.as_deref(), watch)
        }
        ChannelCommand::Doctor {
            name,
            identify,
            asked,
        } => {
            let mut desk = Desk::new(&asked, &mut out)?;
            match name {
                Some(name) => desk.doctor(&name, identify),
                None => desk.doctor_all(),
            }
        }
        ChannelCommand::Pair { name, what, asked } => {
            Desk::new(&asked, &mut out)?.tell(&name, pairing(what), Text::Done)
        }
        ChannelCommand::Send {
            name,
            target,
            text,
            file,
            asked,
        } => Desk::new(&asked, &mut out)?.send(&name, target, text, &file),
        ChannelCommand::Reload {
            name,
            allow_downgrade,
            asked,
        } => Desk::new(&asked, &mut out)?.reload(&name, allow_downgrade),
        ChannelCommand::Record {
            name,
            out: file,
            redact,
            seconds,
            asked,
        } => {
            let wanted = record::Wanted {
                file,
                redact,
                seconds,
            };
            Desk::new(&asked, &mut out)?.record(&name, &wanted)
        }
        ChannelCommand::Replay {
            file,
            component,
            until,
            asked,
        } => replay::run(&file, component.as_deref(), until, &asked, &mut out),
        ChannelCommand::Forget { name, user, asked } => {
            let command = OperatorCommand::Forget(user);
            Desk::new(&asked, &mut out)?.tell(&name, command, Text::Done)
        }
    }
}

fn pairing(what: Option<PairCommand>) -> OperatorCommand {
    match what {
        None | Some(PairCommand::List) => OperatorCommand::PairList,
        Some(PairCommand::Code) => OperatorCommand::PairCode,
        Some(PairCommand::Approve { id }) => OperatorCommand::PairApprove(id),
        Some(PairCommand::Deny { id }) => OperatorCommand::PairDeny(id),
        Some(PairCommand::Revoke { user }) => OperatorCommand::PairRevoke(user),
    }
}

impl<'a> Desk<'a> {
    fn new(asked: &Asked, out: &'a mut dyn Write) -> Result<Self, Trouble> {
        let files = Files::read(asked.config.path.as_deref())?;
        let host = setup::host(&files)?;
        let screen = Screen {
            locale: Locale::here(),
            json: asked.json,
            out,
        };
        Ok(Self {
            files,
            host,
            screen,
        })
    }

    fn state_dir(&self) -> &PathBuf {
        &self.host.options.state_dir
    }

    /// The process that runs, or nothing.
    fn line(&self) -> anyhow::Result<Option<Line>> {
        Line::open(self.state_dir())
    }

    /// A channel that was named must be in the configuration: a slip is no channel that is stopped.
    fn known(&self, name: &str) -> Result<(), Trouble> {
        let there = self.files.layers.channels();
        if there.contains_key(name) {
            return Ok(());
        }
        Err(Trouble::mistake(setup::no_channel(name, &there)))
    }

    /// Tells a running channel something, and shows what it answers.
    fn tell(
        &mut self,
        name: &str,
        command: OperatorCommand,
        silent: Text,
    ) -> Result<Verdict, Trouble> {
        self.known(name)?;
        let Some(mut line) = self.line()? else {
            return self.nobody_to_tell(name);
        };
        let of = name.to_owned();
        let answer = line.ask(Ask::Command { name: of, command })?;
        self.told(name, answer, silent)
    }

    fn reload(&mut self, name: &str, allow_downgrade: bool) -> Result<Verdict, Trouble> {
        self.known(name)?;
        let Some(mut line) = self.line()? else {
            return self.nobody_to_tell(name);
        };
        let of = name.to_owned();
        let answer = line.ask(Ask::Reload {
            name: of,
            allow_downgrade,
        })?;
        self.told(name, answer, Text::TakenUp)
    }

    fn told(&mut self, name: &str, answer: Answer, silent: Text) -> Result<Verdict, Trouble> {
        let said = match answer {
            Ok(said) => said,
            Err(Refused {
                code: Code::NoChannel,
                ..
            }) => return self.nobody_to_tell(name),
            Err(refused) => return Err(refused.into()),
        };
        let mut report = replies(said);
        if report.lines.is_empty() && report.summary.is_none() {
            report.summary = Some(self.screen.say(silent, &[]));
        }
        self.show(name, true, &report, json!({}))
    }

    /// Nothing runs that could be told.
    fn nobody_to_tell(&mut self, name: &str) -> Result<Verdict, Trouble> {
        let report = self.stopped(name)?;
        self.show(name, false, &report, json!({}))
    }

    /// Shows a report of one channel.
    fn show(
        &mut self,
        name: &str,
        running: bool,
        report: &Report,
        more: Value,
    ) -> Result<Verdict, Trouble> {
        let shown = if self.screen.json {
            let mut object = json!({"channel": name, "running": running});
            for part in [report.json(), more] {
                if let (Some(all), Value::Object(part)) = (object.as_object_mut(), part) {
                    all.extend(part);
                }
            }
            self.screen.object(&object)
        } else {
            self.screen.report(report)
        };
        printed(shown)?;
        Ok(Verdict::of(!report.fails()))
    }

    /// How a channel is started, for whoever should.
    fn start_it(&self, name: &str) -> String {
        let how = format!("{name}{}", self.files.option());
        self.screen.say(Text::StartIt, &[&spelled(), &how])
    }
}

/// Whoever reads the output may have seen enough.
fn printed(shown: io::Result<()>) -> anyhow::Result<()> {
    match shown {
        Err(error) if error.kind() == io::ErrorKind::BrokenPipe => Ok(()),
        other => other.context("the answer cannot be written"),
    }
}

/// The channel's own replies, of all that was said.
fn replies(said: Vec<Say>) -> Report {
    let mut report = Report::default();
    for say in said {
        if let Say::Reply { reply } = say {
            report.add(reply);
        }
    }
    report
}
