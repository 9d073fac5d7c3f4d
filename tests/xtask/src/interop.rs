//! Published clients against the emulator: `tests/emulator/interop/run.py`, with what it needs.

use std::path::Path;
use std::process::{Command, Stdio};

use anyhow::{Context, Result, ensure};

use crate::run as command;

/// The clients of continuous integration: all but the one whose build takes minutes.
pub(crate) const QUICK: [&str; 4] = ["botpy", "nonebot", "qq-official-bot", "satori"];

/// The emulator without its bot is built in a minute, and enough.
pub(crate) const LEAN: &[&str] = &["--no-default-features"];

/// Builds the emulator, and sets clients against it; without names, all of them.
pub(crate) fn run(root: &Path, features: &[&str], clients: &[&str]) -> Result<()> {
    let build = ["cargo", "build", "--locked", "--package", "qq-emulator"];
    command(root, &[&build[..], features].concat(), &[])?;
    if let Err(why) = find_python() {
        println!("{0}\n!! NO CLIENT WAS TRIED: {why:#}\n{0}", "!".repeat(78));
        return Ok(());
    }
    // Not by `run`: the script's count stands alone in the last line.
    let status = Command::new("python3")
        .arg("tests/emulator/interop/run.py")
        .args(clients)
        .env("PYTHONDONTWRITEBYTECODE", "1")
        .current_dir(root)
        .status()
        .context("python3 cannot be run")?;
    ensure!(status.success(), "the clients did not fare as expected");
    Ok(())
}

fn find_python() -> Result<()> {
    if works("python3", &["--version"]).is_ok() {
        return Ok(());
    }
    let why = "there is no python3, and apt-get did not bring one";
    works("apt-get", &["--quiet", "update"]).context(why)?;
    works("apt-get", &["--quiet", "install", "--yes", "python3-venv"]).context(why)
}

/// Runs a command that need not be there.
fn works(program: &str, arguments: &[&str]) -> Result<()> {
    let status = Command::new(program)
        .args(arguments)
        .stdout(Stdio::null())
        .status()
        .with_context(|| format!("{program} cannot be run"))?;
    ensure!(status.success(), "{program} failed: {status}");
    Ok(())
}
