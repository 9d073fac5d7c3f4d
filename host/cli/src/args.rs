//! What can be typed.

use std::path::PathBuf;

use clap::{Parser, Subcommand, ValueEnum};

/// Runs chat channels as sandboxed components.
#[derive(Debug, Parser)]
#[command(name = "prx", version)]
pub(crate) struct Args {
    /// How log lines are written, to stderr. RUST_LOG chooses which.
    #[arg(long, global = true, value_enum, default_value_t = LogForm::Text)]
    pub(crate) log: LogForm,
    #[command(subcommand)]
    pub(crate) command: Command,
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
}

#[derive(Debug, Subcommand)]
pub(crate) enum ChannelCommand {
    /// Runs channels until SIGTERM or ctrl-c.
    Run {
        /// Names of tables [channels_config.NAME]; all that a plugin is known for when none is given.
        names: Vec<String>,
        /// The configuration file. Default: config.toml and channels.toml in $OPENPRX_CONFIG_DIR or
        /// ~/.openprx.
        #[arg(long, value_name = "PATH")]
        config: Option<PathBuf>,
    },
}

#[derive(Debug, Subcommand)]
pub(crate) enum ConfigCommand {
    /// Checks the configuration and says what is wrong, with file and line.
    Check {
        /// The configuration file; see `channel run`.
        #[arg(long, value_name = "PATH")]
        config: Option<PathBuf>,
    },
}
