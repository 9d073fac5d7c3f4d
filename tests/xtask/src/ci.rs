//! What continuous integration runs.

use std::fs;
use std::io::Write;
use std::path::Path;
use std::process::{Command, Stdio};

use anyhow::{Context, Result, ensure};

use crate::{browser, deny, dist, interop, run as command, tidy, walk};

/// What is typed into the emulator, as the README does.
const CHAT: &str = "hello\n/buttons\n:wait 3s\n:press Yes\n/image\n:as group friends\nhello\n\
    :as channel guild/general\nhello\n:as dm alice\nhello\n";

/// Floods, in a short form: by one person with long texts, and by a crowd while sends are slow and the bot is killed.
/// Afterwards everybody else is answered, or the command fails.
const FLOODS: [&str; 2] = [
    "--flood 300 --flooders 1 --flood-chars 20000",
    "--flood 1000 --flooders 1000 --flood-chars 1500 --flood-slow 1 --flood-kill",
];

/// Everything, in the order in which failures are cheapest to find.
pub(crate) fn run(root: &Path) -> Result<()> {
    tidy::run(root)?;
    deny::run(root)?;
    typed(root, "cargo fmt --all --check", &[])?;
    let lint = "cargo clippy --all-targets --locked";
    let (all, alone) = ("--workspace", "--package qq-emulator --no-default-features");
    for what in [all, alone] {
        typed(root, &format!("{lint} {what} -- -D warnings"), &[])?;
    }
    let rules = [("RUSTDOCFLAGS", "-D warnings")];
    typed(root, "cargo doc --workspace --no-deps --locked", &rules)?;
    typed(root, "cargo test --workspace --locked --no-fail-fast", &[])?;
    let load =
        "cargo run --locked --package harness --bin load -- --messages 3000 --faults 13 --kills 3";
    typed(root, load, &[])?;
    for flood in FLOODS {
        let line =
            format!("cargo run --locked --package harness --bin load -- --messages 200 {flood}");
        typed(root, &line, &[])?;
    }
    emulator(root, "without the bot", &["--no-default-features"], "")?;
    emulator(root, "as the README begins", &[], CHAT)?;
    browser::run(root)?;
    check_config(root)?;
    walk::run(root)?;
    conformance(root)?;
    dist::try_out(root)?;
    interop::run(root, &[], &interop::QUICK)
}

/// A command as one types it; no word of it has a space in it.
fn typed(root: &Path, line: &str, env: &[(&str, &str)]) -> Result<()> {
    let words: Vec<&str> = line.split_whitespace().collect();
    command(root, &words, env)
}

/// The emulator with this typed into it: each line gets its answer, or its exit code says so.
fn emulator(root: &Path, how: &str, features: &[&str], typed: &str) -> Result<()> {
    println!("\n== the emulator {how}");
    let mut emulator = Command::new("cargo")
        .args(["run", "--locked", "--package", "qq-emulator"])
        .args(features)
        .args(["--", "--port", "0"])
        .current_dir(root)
        .stdin(Stdio::piped())
        .spawn()?;
    let mut input = emulator.stdin.take().context("no standard input")?;
    input.write_all(typed.as_bytes())?;
    drop(input);
    let status = emulator.wait()?;
    ensure!(status.success(), "not every line was answered: {status}");
    Ok(())
}

/// The channel keeps the rules of every channel, whatever its other side says.
fn conformance(root: &Path) -> Result<()> {
    let words = "cargo run --locked --package prx -- plugin check qq --corpus guest/tests/conformance --seeds 20 --hours 48 \
        --set app_id=102012345 --set allowed_users=[\"*\"] \
        --set intents=[\"group_and_c2c\",\"public_guild_messages\",\"interaction\"]";
    typed(root, words, &[])
}

/// The README's `channels.toml` is one that the program takes.
fn check_config(root: &Path) -> Result<()> {
    let readme = fs::read_to_string(root.join("README.md"))?;
    let blocks = readme.split("```toml\n").skip(1);
    let mut blocks = blocks.filter_map(|rest| rest.split("```").next());
    let block = blocks.find(|block| block.contains("env:QQ_APP_SECRET"));
    let block = block.context("README.md has no file for real QQ")?;
    let text: String = block
        .lines()
        .map(|line| format!("{}\n", line.trim()))
        .collect();
    let file = root.join("target").join("readme-channels.toml");
    fs::write(&file, text)?;
    let file = file.display().to_string();
    command(
        root,
        &[
            "cargo",
            "run",
            "--locked",
            "--package",
            "prx",
            "--",
            "config",
            "check",
            "--config",
            &file,
        ],
        &[("QQ_APP_SECRET", "x"), ("AGENT_KEY", "x")],
    )
}
