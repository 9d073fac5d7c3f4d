//! The reference pages in `host/docs`, printed from what the program itself reads: its commands and its
//! key tables. A test compares them.

use std::fmt::Write as _;

use clap::{Arg, Command};
use prx_host::bindings::v0_1::{KeyKind, KeySpec};

use crate::args::Args;
use crate::host_table;

const GENERATED: &str = "<!-- generated: run `UPDATE_EXPECT=1 cargo test -p prx reference` -->\n\n";

const CLI_HEAD: &str = "\
# The command `prx`

Where PRX owns the name `prx`, the same program is installed as `prx-channel` and leaves out the word `channel`.

Exit codes: 0 all is well, 1 something failed or somebody must act, 2 a mistake in the arguments or in the \
configuration. Reports are in Chinese where `LC_ALL`, `LC_MESSAGES` or `LANG` begins with `zh`; their marks are ASCII \
where the output is no terminal, `NO_COLOR` is set or the locale is not UTF-8. `--json` prints one object on one line \
(with `--watch` one for each look): a report has `channel`, `running`, `ok`, `lines` (`mark` is `ok`, `info`, `warn`, \
`fail` or `skip`; `topic`, `text`, `evidence`, `fix`), `data` and `summary`, the one sentence to act on.

A process that runs answers on `control.sock` in its state directory, which is its user's alone.
";

const CONFIG_HEAD: &str = "\
# Tables of the host

These stand in `channels.toml` or in the file that `--config` names; of PRX's own `config.toml` only \
`[channels_config]` is read. The keys of a channel, in `[channels_config.NAME]`, are its component's own. One key there \
is the host's: `plugin` names the component, and its default is NAME.

Secrets may be written as `env:NAME` or `file:PATH`. Paths are meant from the folder of the file.
";

/// `host/docs/cli.md`.
pub fn cli() -> String {
    let mut page = format!("{GENERATED}{CLI_HEAD}");
    let mut prx = Args::described();
    prx.build();
    command(&prx, &mut page);
    page
}

/// `host/docs/config.md`.
pub fn config() -> String {
    let mut page = format!("{GENERATED}{CONFIG_HEAD}");
    for (table, keys) in [
        ("host", host_table::keys()),
        ("agent", prx_agent::keys()),
        ("agent.tools.NAME", prx_agent::tool_keys()),
    ] {
        let _ = write!(
            page,
            "\n## `[{table}]`\n\n| key | type, default | meaning |\n|---|---|---|\n"
        );
        for key in &keys {
            let (form, meaning) = (form(key), meaning(key));
            let _ = writeln!(page, "| `{}` | {form} | {meaning} |", key.name);
        }
    }
    page
}

/// A command without commands of its own, or all of these.
fn command(one: &Command, page: &mut String) {
    // A command that may stand alone is described itself, before what may follow it.
    if !one.is_subcommand_required_set() {
        let name = one.get_bin_name().unwrap_or(one.get_name());
        let _ = write!(page, "\n## `{name}`\n\n{}\n", about(one));
        let mut usage = one.clone();
        let usage = usage.render_usage().to_string();
        let usage = usage.trim_start_matches("Usage: ").trim();
        let _ = write!(page, "\n```text\n{usage}\n```\n");
        arguments(one, page);
    }
    for below in one
        .get_subcommands()
        .filter(|below| below.get_name() != "help")
    {
        command(below, page);
    }
}

fn about(command: &Command) -> String {
    let about = command.get_long_about().or(command.get_about());
    sentence(about.map(ToString::to_string).unwrap_or_default())
}

/// With the full stop that clap takes away.
fn sentence(text: String) -> String {
    match text.ends_with(['.', '?', '!']) || text.is_empty() {
        true => text,
        false => format!("{text}."),
    }
}

fn arguments(command: &Command, page: &mut String) {
    let own = |arg: &&Arg| !matches!(arg.get_id().as_str(), "help" | "version");
    let mut arguments = command.get_arguments().filter(own).peekable();
    if arguments.peek().is_some() {
        page.push_str("\n| argument | meaning |\n|---|---|\n");
    }
    for arg in arguments {
        let help = arg.get_help().map(ToString::to_string);
        let mut meaning = sentence(help.unwrap_or_default());
        let allowed: Vec<String> = match arg.get_action().takes_values() {
            true => arg
                .get_possible_values()
                .iter()
                .map(|value| format!("`{}`", value.get_name()))
                .collect(),
            false => Vec::new(),
        };
        if !allowed.is_empty() {
            let _ = write!(meaning, " One of {}.", allowed.join(", "));
        }
        let _ = writeln!(page, "| `{}` | {} |", spelled(arg), escaped(&meaning));
    }
}

/// How an argument is typed.
fn spelled(arg: &Arg) -> String {
    let value = arg.get_value_names().and_then(|names| names.first());
    let value = value.map(ToString::to_string).unwrap_or_default();
    match arg.get_long() {
        Some(long) if arg.get_action().takes_values() => format!("--{long} {value}"),
        Some(long) => format!("--{long}"),
        None => value,
    }
}

fn form(key: &KeySpec) -> String {
    let kind = match key.kind {
        KeyKind::Text => "string",
        KeyKind::Boolean => "bool",
        KeyKind::Integer => "number",
        KeyKind::TextList => "list",
    };
    let secret = if key.secret { ", secret" } else { "" };
    match (&key.default, key.required) {
        (Some(default), _) => format!("{kind}, `{}`", escaped(default)),
        (None, true) => format!("{kind}{secret}, required"),
        (None, false) => format!("{kind}{secret}"),
    }
}

fn meaning(key: &KeySpec) -> String {
    let mut meaning = key.doc.clone();
    if !key.allowed.is_empty() {
        let words: Vec<String> = key.allowed.iter().map(|word| format!("`{word}`")).collect();
        let _ = write!(meaning, " One of {}.", words.join(", "));
    }
    if let (Some(minimum), Some(maximum)) = (key.minimum, key.maximum) {
        let _ = write!(meaning, " From {minimum} to {maximum}.");
    }
    escaped(&meaning)
}

/// For a cell of a table.
fn escaped(text: &str) -> String {
    text.replace('|', "\\|").replace('\n', " ")
}
