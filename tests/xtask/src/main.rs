//! `cargo xtask ci`: everything that continuous integration runs, in order. `cargo xtask tidy`: the house rules
//! that a compiler does not know. `cargo xtask walk`: the README's walk to a paired bot, as it stands there.
//! `cargo xtask dist`: what a small server gets. `cargo xtask try-dist`: runs that, of the development build.

use std::path::{Path, PathBuf};
use std::process::{Command, ExitCode};
use std::time::Instant;

use anyhow::{Context, Result, bail};

mod ci;
mod dist;
mod tidy;
mod walk;
mod wit;

fn main() -> ExitCode {
    let task = std::env::args().nth(1).unwrap_or_default();
    let outcome = match task.as_str() {
        "ci" => ci::run(&root()),
        "tidy" => tidy::run(&root()),
        "walk" => walk::run(&root()),
        "dist" => dist::run(&root(), &std::env::args().skip(2).collect::<Vec<_>>()),
        "try-dist" => dist::try_out(&root()),
        _ => Err(anyhow::anyhow!(
            "say what to do: cargo xtask ci, cargo xtask tidy, cargo xtask walk, cargo xtask dist, or cargo xtask try-dist"
        )),
    };
    match outcome {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("xtask: {error:#}");
            ExitCode::FAILURE
        }
    }
}

/// The folder of the workspace.
fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../..")
}

/// Runs a command in the workspace's folder and says how long it took.
fn run(root: &Path, words: &[&str], env: &[(&str, &str)]) -> Result<()> {
    let (program, arguments) = words.split_first().context("no command")?;
    println!("\n== {}", words.join(" "));
    let begin = Instant::now();
    let status = Command::new(program)
        .args(arguments)
        .envs(env.iter().copied())
        .current_dir(root)
        .status();
    let status = status.with_context(|| format!("{program} cannot be run"))?;
    println!("== {:.0} s", begin.elapsed().as_secs_f64());
    if !status.success() {
        bail!("{} failed: {status}", words.join(" "));
    }
    Ok(())
}
