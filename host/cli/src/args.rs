//! What can be typed.

use std::ffi::{OsStr, OsString};
use std::path::{Path, PathBuf};

use clap::{CommandFactory, Parser, Subcommand, ValueEnum};

/// Under this name the program leaves out the word `channel`: the other name may be the daemon's.
const SHORT_NAME: &str = "prx-channel";

/// Runs chat channels as sandboxed components.
#[derive(Debug, Parser)]
#[command(name = "prx", version)]
pub(crate) struct Args {
    #[command(flatten)]
    pub(crate) log: LogArgs,
    #[command(subcommand)]
    pub(crate) command: Command,
}

/// Runs chat channels as sandboxed components.
#[derive(Debug, Parser)]
#[command(name = SHORT_NAME, version)]
struct ShortArgs {
    #[command(flatten)]
    log: LogArgs,
    #[command(subcommand)]
    command: ShortCommand,
}

#[derive(Debug, Subcommand)]
enum ShortCommand {
    #[command(flatten)]
    Channel(ChannelCommand),
    /// Configuration.
    #[command(subcommand)]
    Config(ConfigCommand),
    /// Plugins: the components that channels are made of.
    #[command(subcommand)]
    Plugin(PluginCommand),
}

impl Args {
    /// Reads the words that were typed, the program's name first.
    pub(crate) fn read(words: Vec<OsString>) -> Result<Self, clap::Error> {
        if !is_short(words.first()) {
            return Self::try_parse_from(words);
        }
        let ShortArgs { log, command } = ShortArgs::try_parse_from(words)?;
        let command = match command {
            ShortCommand::Channel(command) => Command::Channel(command),
            ShortCommand::Config(command) => Command::Config(command),
            ShortCommand::Plugin(command) => Command::Plugin(command),
        };
        Ok(Self { log, command })
    }

    /// The commands, for the reference page.
    pub(crate) fn described() -> clap::Command {
        Self::command()
    }
}

/// How a command of channels begins, under the name that the program was called by.
pub(crate) fn spelled() -> &'static str {
    match is_short(std::env::args_os().next().as_ref()) {
        true => SHORT_NAME,
        false => "prx channel",
    }
}

fn is_short(program: Option<&OsString>) -> bool {
    let name = program.and_then(|program| Path::new(program).file_stem());
    name == Some(OsStr::new(SHORT_NAME))
}

#[derive(Debug, clap::Args)]
pub(crate) struct LogArgs {
    /// How log lines are written, to stderr. RUST_LOG chooses which.
    #[arg(long = "log", global = true, value_enum, default_value_t = LogForm::Text)]
    pub(crate) form: LogForm,
}

/// The form of log lines.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum LogForm {
    /// For people.
    Text,
    /// One JSON object a line.
    Json,
}

#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    /// Channels.
    #[command(subcommand)]
    Channel(ChannelCommand),
    /// Configuration.
    #[command(subcommand)]
    Config(ConfigCommand),
    /// Plugins: the components that channels are made of.
    #[command(subcommand)]
    Plugin(PluginCommand),
}

/// Which configuration.
#[derive(Debug, clap::Args)]
pub(crate) struct ConfigArg {
    /// The configuration file. Default: config.toml and channels.toml in $OPENPRX_CONFIG_DIR or ~/.openprx.
    #[arg(long = "config", value_name = "PATH", global = true)]
    pub(crate) path: Option<PathBuf>,
}

/// What every question to a channel takes.
#[derive(Debug, clap::Args)]
pub(crate) struct Asked {
    #[command(flatten)]
    pub(crate) config: ConfigArg,
    /// Print one JSON object, for programs.
    #[arg(long, global = true)]
    pub(crate) json: bool,
}

#[derive(Debug, Subcommand)]
pub(crate) enum ChannelCommand {
    /// Runs channels until SIGTERM or ctrl-c.
    Run {
        /// Names of tables [channels_config.NAME]; all that a plugin is known for when none is given.
        names: Vec<String>,
        /// Run a signed plugin that is older than the one that ran last.
        #[arg(long)]
        allow_downgrade: bool,
        #[command(flatten)]
        config: ConfigArg,
    },
    /// Lists the channels of the configuration, and how those that run are.
    List {
        #[command(flatten)]
        asked: Asked,
    },
    /// Says how a channel is; how all are, in a line each, without a name.
    Status {
        /// The channel.
        name: Option<String>,
        /// Again every two seconds.
        #[arg(long)]
        watch: bool,
        #[command(flatten)]
        asked: Asked,
    },
    /// Examines a channel step by step and says what to do; all channels, in a line each, without a name.
    ///
    /// A channel that runs is asked for the facts of its connection. One that does not run is examined
    /// by this program, which stores nothing and leaves the connection out unless --identify is given.
    Doctor {
        /// The channel.
        name: Option<String>,
        /// Also open a connection of its own, where the channel does not run.
        #[arg(long, requires = "name")]
        identify: bool,
        #[command(flatten)]
        asked: Asked,
    },
    /// Lets people in: codes, requests and who has been let in.
    Pair {
        /// The channel.
        name: String,
        #[command(subcommand)]
        what: Option<PairCommand>,
        #[command(flatten)]
        asked: Asked,
    },
    /// Sends a message.
    Send {
        /// The channel.
        name: String,
        /// To whom, in the channel's own words.
        target: String,
        /// What; `-` reads it from standard input.
        #[arg(required_unless_present = "file")]
        text: Option<String>,
        /// A file to send, before the text. May be given several times.
        #[arg(long, value_name = "PATH")]
        file: Vec<PathBuf>,
        #[command(flatten)]
        asked: Asked,
    },
    /// Makes a running channel take up its changed plugin and configuration.
    ///
    /// A plugin of its folder that is another one than the one that runs takes over between two events:
    /// connections, requests and answers under way stay. One that fails a check leaves the one that runs.
    Reload {
        /// The channel.
        name: String,
        /// Take a signed plugin that is older than the one that ran last.
        #[arg(long)]
        allow_downgrade: bool,
        #[command(flatten)]
        asked: Asked,
    },
    /// Records what happens in a running channel, until ctrl-c: for a report, or to look into.
    ///
    /// The file holds no secrets. It can be run again with `replay`.
    Record {
        /// The channel.
        name: String,
        /// Where the recording goes; a new file.
        #[arg(long, value_name = "FILE")]
        out: PathBuf,
        /// Replace letters and digits of what people wrote: for a file that others see.
        #[arg(long)]
        redact: bool,
        /// End after so many seconds.
        #[arg(long = "for", value_name = "SECONDS")]
        seconds: Option<u64>,
        #[command(flatten)]
        asked: Asked,
    },
    /// Runs a recording again, and shows the first thing that differs.
    Replay {
        /// The recording.
        file: PathBuf,
        /// The component to run; default: the plugin that the configuration, or this program, has of that name.
        #[arg(long, value_name = "FILE")]
        component: Option<PathBuf>,
        /// Stop after this event.
        #[arg(long, value_name = "N")]
        until: Option<u64>,
        #[command(flatten)]
        asked: Asked,
    },
    /// Removes a person: permission, texts and names.
    Forget {
        /// The channel.
        name: String,
        /// The person, by the id that the channel knows.
        user: String,
        #[command(flatten)]
        asked: Asked,
    },
}

#[derive(Debug, Subcommand)]
pub(crate) enum PairCommand {
    /// Makes a new code.
    Code,
    /// Lists requests and who has been let in. The same as nothing.
    List,
    /// Lets somebody in.
    Approve {
        /// The request.
        id: String,
    },
    /// Turns somebody away.
    Deny {
        /// The request.
        id: String,
    },
    /// Takes a permission back.
    Revoke {
        /// The person, by the id that the channel knows.
        user: String,
    },
}

#[derive(Debug, Subcommand)]
pub(crate) enum ConfigCommand {
    /// Checks the configuration and says what is wrong, with file and line.
    Check {
        #[command(flatten)]
        config: ConfigArg,
    },
}

#[derive(Debug, Subcommand)]
pub(crate) enum PluginCommand {
    /// Writes a plugin as a folder that is ready to be copied, with the component's digest in its manifest.
    ///
    /// The folder NAME appears whole, in place of one that is there.
    Pack {
        /// A folder with plugin.toml, or the name of a plugin that this program knows.
        what: String,
        /// The component. Default: the file beside the manifest that it names.
        #[arg(long, value_name = "FILE")]
        wasm: Option<PathBuf>,
        /// Where NAME is written, such as the folder that `[host] plugin_dir` names.
        #[arg(long, value_name = "DIR", default_value = ".")]
        out: PathBuf,
        /// Signs manifest and component with the secret key in this file.
        #[arg(long, value_name = "FILE")]
        sign_with: Option<PathBuf>,
        #[command(flatten)]
        asked: Asked,
    },
    /// Says what a plugin is: versions, keys, limits, where it may connect to, digest, signatures.
    Inspect {
        /// A folder with plugin.toml, a component, or the name of a plugin that this program knows.
        what: String,
        #[command(flatten)]
        asked: Asked,
    },
    /// Says whether a plugin would be run here, or the one reason why not.
    ///
    /// Examines what a start examines: files, who can write them, digest, signatures, imports, interface.
    Verify {
        /// A folder with plugin.toml, or the name of a plugin that this program knows.
        what: String,
        /// A key that must have signed it, in place of those in the configuration. May be given several times.
        #[arg(long, value_name = "KEY")]
        key: Vec<String>,
        #[command(flatten)]
        asked: Asked,
    },
    /// Tries a component out, as a conformance kit: with made-up events, on instances that run nowhere but here.
    ///
    /// Whether it loads, describes itself, opens nothing as a probe, breaks over no event, does the same at the same
    /// calls, goes on from a checkpoint as if it had never stopped, counts on what is held, and stays within its limits.
    Check {
        /// A folder with plugin.toml, a component, or the name of a plugin that this program knows.
        what: String,
        /// A value of the channel's table, where its defaults do not start it. May be given several times.
        #[arg(long, value_name = "KEY=VALUE")]
        set: Vec<String>,
        /// A folder of texts that the other side may say, one in each file: they come as they are, and changed. A connection begins with those whose names begin with a digit, in order.
        #[arg(long, value_name = "DIR")]
        corpus: Option<PathBuf>,
        /// The first seed: the same seed makes the same events.
        #[arg(long, value_name = "NUMBER", default_value_t = 1)]
        seed: u64,
        /// How many seeds.
        #[arg(long, value_name = "NUMBER", default_value_t = 4)]
        seeds: u64,
        /// Events of each seed.
        #[arg(long, value_name = "NUMBER", default_value_t = 1000)]
        events: usize,
        /// How far timers take each seed. Less than a day: what is forgotten with age is not to be compared.
        #[arg(long, value_name = "NUMBER", default_value_t = 20, value_parser = clap::value_parser!(u64).range(1..=8760))]
        hours: u64,
        #[command(flatten)]
        asked: Asked,
    },
    /// Makes a key for signing plugins: the secret half goes into a new file, the public half is printed.
    Keygen {
        /// The new file.
        file: PathBuf,
    },
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(line: &str) -> Result<Args, clap::Error> {
        Args::read(line.split(' ').map(OsString::from).collect())
    }

    #[test]
    fn the_commands_are_well_formed() {
        Args::command().debug_assert();
        ShortArgs::command().debug_assert();
    }

    #[test]
    fn under_the_short_name_the_word_channel_is_left_out() {
        for line in ["prx channel status bot", "/usr/bin/prx-channel status bot"] {
            let args = read(line).unwrap();
            let Command::Channel(ChannelCommand::Status { name, .. }) = args.command else {
                panic!("{line}")
            };
            assert_eq!(name.as_deref(), Some("bot"));
        }
        assert!(read("prx-channel channel status bot").is_err());
        assert!(read("prx status bot").is_err());
        let check = read("prx-channel config check").unwrap();
        assert!(matches!(check.command, Command::Config(_)));
    }

    #[test]
    fn options_may_stand_behind_a_subcommand() {
        let args = read("prx channel pair bot approve 7 --json --config c.toml").unwrap();
        let Command::Channel(ChannelCommand::Pair { asked, what, .. }) = args.command else {
            panic!()
        };
        assert!(asked.json && asked.config.path.is_some());
        assert!(matches!(what, Some(PairCommand::Approve { id }) if id == "7"));
        assert!(read("prx channel send bot peer").is_err());
        assert!(read("prx channel send bot peer --file x").is_ok());
        assert!(read("prx channel doctor --identify").is_err());
    }
}
