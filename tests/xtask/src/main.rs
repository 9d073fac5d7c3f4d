//! `cargo xtask ci`: everything that continuous integration runs, in order. `cargo xtask tidy`: the house rules
//! that a compiler does not know. `cargo xtask walk`: the README's walk to a paired bot, as it stands there.
//! `cargo xtask browser`: the emulator's page in a real browser; `cargo xtask pictures`: the pictures of it.
//! `cargo xtask interop [CLIENT…]`: clients that others wrote, against the emulator.
//! `cargo xtask deny`: what dependencies may be.
//! `cargo xtask fuzz [SECONDS] [TARGET…]`: libFuzzer on the readers of bytes from outside, with a nightly compiler.
//! `cargo xtask dist`: what a small server gets. `cargo xtask try-dist`: runs that, of the development build.

use std::path::{Path, PathBuf};
use std::process::{Command, ExitCode};
use std::time::Instant;

use anyhow::{Context, Result, bail};

mod browser;
mod ci;
mod deny;
mod dist;
mod fuzz;
mod interop;
mod tidy;
mod walk;
mod wit;

fn main() -> ExitCode {
    let words: Vec<String> = std::env::args().skip(1).collect();
    let task = words.first().cloned().unwrap_or_default();
    let rest: Vec<&str> = words.iter().skip(1).map(String::as_str).collect();
    let outcome = match task.as_str() {
        "ci" => ci::run(&root()),
        "tidy" => tidy::run(&root()),
        "walk" => walk::run(&root()),
        "browser" => browser::run(&root()),
        "pictures" => browser::pictures(&root()),
        "interop" => interop::run(&root(), interop::LEAN, &rest),
        "deny" => deny::run(&root()),
        "fuzz" => fuzz::run(&root(), &rest),
        "dist" => dist::run(&root(), &rest),
        "try-dist" => dist::try_out(&root()),
        _ => Err(anyhow::anyhow!(
            "say what to do: cargo xtask ci, tidy, walk, browser, pictures, interop, deny, fuzz, dist, or try-dist"
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
