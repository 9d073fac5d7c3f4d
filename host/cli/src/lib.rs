//! The command `prx`: runs channels, checks their configuration, asks those that run, and examines plugins.
//!
//! Arguments, signals and words for people are here, and nothing else: the host is `prx-host`, what
//! answers is `prx-agent`. Exit codes: 0 when all is well, 1 when something failed or somebody must act,
//! 2 for a mistake in the arguments or the configuration.
//!
//! It is a library as well, for programs that carry a running bot with them: [`Running`].

use std::ffi::OsString;
use std::process::ExitCode;

mod args;
mod builtin;
mod check;
mod client;
mod files;
mod host_table;
mod locale;
mod log;
mod operate;
mod outcome;
mod plugin;
mod plugins;
mod ran;
pub mod reference;
mod render;
mod run;
mod safety;
mod setup;
mod texts;

pub use run::Running;

use args::{Args, ChannelCommand, Command, ConfigCommand};
use outcome::{Trouble, Verdict};
use prx_host::plain::plain;

/// The whole program, from the words that were typed (the program's name first) to its exit code.
pub fn main(words: impl IntoIterator<Item = impl Into<OsString> + Clone>) -> ExitCode {
    let args = match Args::read(words.into_iter().map(Into::into).collect()) {
        Ok(args) => args,
        Err(usage) => usage.exit(),
    };
    let runs = matches!(args.command, Command::Channel(ChannelCommand::Run { .. }));
    log::start(args.log.form, runs);
    let done = match args.command {
        Command::Channel(command) => operate::answer(command),
        Command::Plugin(command) => plugin::answer(command),
        Command::Config(ConfigCommand::Check { config }) => check::config(config.path.as_deref()),
    };
    match done {
        Ok(Verdict::Good) => ExitCode::SUCCESS,
        Ok(Verdict::Act) => ExitCode::FAILURE,
        Err(trouble) => report(&trouble),
    }
}

fn report(trouble: &Trouble) -> ExitCode {
    match trouble {
        Trouble::Mistakes(sentences) => {
            for sentence in sentences {
                eprintln!("error: {}", plain(sentence));
            }
            ExitCode::from(2)
        }
        Trouble::Failed(error) => {
            eprintln!("error: {}", plain(&format!("{error:#}")));
            ExitCode::FAILURE
        }
    }
}
