//! The program, as an operator types it: each mistake is one sentence, with exit code 2.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "helpers of tests fail by panicking, as tests do"
)]

mod conformance;
mod disk;
mod folders;
mod hostile_words;
mod operate;
mod plugin;
mod record;
mod reference;
mod renew;
mod socket;
mod support;

use std::path::Path;
use std::process::{Command, Output};

fn prx(dir: &Path, arguments: &[&str]) -> Output {
    Command::new(env!("CARGO_BIN_EXE_prx"))
        .args(arguments)
        .env("OPENPRX_CONFIG_DIR", dir)
        .env_remove("RUST_LOG")
        .output()
        .unwrap()
}

/// Runs with this `channels.toml`; what is said on stderr, and the exit code.
fn said(toml: &str, arguments: &[&str]) -> (String, i32) {
    let dir = tempfile::tempdir().unwrap();
    std::fs::write(dir.path().join("channels.toml"), toml).unwrap();
    let output = prx(dir.path(), arguments);
    let said = String::from_utf8(output.stderr).unwrap();
    (said, output.status.code().unwrap())
}

#[test]
fn no_configuration_says_where_it_was_looked_for() {
    let dir = tempfile::tempdir().unwrap();
    let output = prx(dir.path(), &["channel", "run"]);
    let said = String::from_utf8(output.stderr).unwrap();
    assert_eq!(output.status.code(), Some(2));
    assert!(
        said.contains("channels.toml") && said.contains("--config"),
        "{said}"
    );
}

#[test]
fn each_mistake_is_a_sentence_with_its_line() {
    for (toml, says) in [
        (
            "[channels_config.x]\nplugin = \"none\"\n",
            "no channel that this program can run",
        ),
        (
            "[host]\nstate = \"x\"\n",
            "channels.toml:2: `state` is not a key of [host]; did you mean `state_dir`?",
        ),
        (
            "[host]\nallow_hosts = [\"*\"]\n",
            "channels.toml:2: allow_hosts: \"*\" is not a host",
        ),
        (
            "[host]\nallow_addresses = [\"ten\"]\n",
            "\"ten\" is not a network",
        ),
        (
            "[agent]\nkind = \"openai\"\n",
            "channels.toml:2: [agent] needs `model`",
        ),
        ("[agent]\nkind = \"opnai\"\n", "did you mean \"openai\"?"),
        ("[agent\n", "channels.toml:1: this is not valid TOML"),
    ] {
        let (said, code) = said(toml, &["config", "check"]);
        assert!(said.contains(says), "{toml}: {said}");
        assert_eq!(code, 2, "{toml}");
    }
}

#[test]
fn a_channel_that_is_not_there_is_named() {
    let toml = "[channels_config.x]\nplugin = \"none\"\n";
    let (text, code) = said(toml, &["channel", "run", "y", "x"]);
    assert!(
        text.contains("no [channels_config.y]; the channels are: x"),
        "{text}"
    );
    assert!(
        text.contains("plugin \"none\", which is not known"),
        "{text}"
    );
    assert_eq!(code, 2);
}

#[test]
fn wrong_arguments_are_a_mistake_too() {
    let (_, code) = said("", &["channel", "fly"]);
    assert_eq!(code, 2);
}
