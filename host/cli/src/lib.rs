//! The command `prx`: runs channels and checks their configuration.
//!
//! Arguments, signals and words for people are here, and nothing else: the host is `prx-host`, what
//! answers is `prx-agent`. Exit codes: 0 when all went well, 1 when something failed while running,
//! 2 for a mistake in the arguments or the configuration.
//!
//! It is a library as well, for programs that carry a running bot with them: [`Running`].

use std::ffi::OsString;
use std::process::ExitCode;

use clap::Parser;

mod args;
mod builtin;
mod files;
mod host_table;
mod log;
mod outcome;
mod run;
mod setup;

pub use run::Running;

use args::{Args, ChannelCommand, Command, ConfigCommand};
use outcome::Trouble;

/// The whole program, from the words that were typed (the program's name first) to its exit code.
pub fn main(words: impl IntoIterator<Item = impl Into<OsString> + Clone>) -> ExitCode {
    let args = match Args::try_parse_from(words) {
        Ok(args) => args,
        Err(usage) => usage.exit(),
    };
    log::start(args.log);
    let done = match args.command {
        Command::Channel(ChannelCommand::Run { names, config }) => {
            run::channels(&names, config.as_deref())
        }
        Command::Config(ConfigCommand::Check { config }) => setup::check(config.as_deref()),
    };
    match done {
        Ok(()) => ExitCode::SUCCESS,
        Err(trouble) => report(&trouble),
    }
}

fn report(trouble: &Trouble) -> ExitCode {
    match trouble {
        Trouble::Mistakes(sentences) => {
            for sentence in sentences {
                eprintln!("error: {sentence}");
            }
            ExitCode::from(2)
        }
        Trouble::Failed(error) => {
            eprintln!("error: {error:#}");
            ExitCode::FAILURE
        }
    }
}
