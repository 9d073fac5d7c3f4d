//! What dependencies may be: licences, sources, crates that must not come in, and known faults.

use std::path::Path;
use std::process::{Command, Stdio};

use anyhow::Result;

use crate::run as command;

/// The version that reads `deny.toml` as it stands.
const VERSION: &str = "0.20.2";

/// Checks all of `deny.toml`. Advisories come from a database on the network; where that cannot be had, this is printed and
/// the rest counts.
pub(crate) fn run(root: &Path) -> Result<()> {
    if !succeeds(root, &["deny", "--version"]) {
        let install = [
            "cargo",
            "install",
            "cargo-deny",
            "--locked",
            "--version",
            VERSION,
        ];
        command(root, &install, &[])?;
    }
    let check = ["cargo", "deny", "check", "bans", "licenses", "sources"];
    command(root, &check, &[])?;
    if succeeds(root, &["deny", "fetch", "db"]) {
        return command(root, &["cargo", "deny", "check", "advisories"], &[]);
    }
    println!("\n== NOT CHECKED: advisories, whose database cannot be fetched from here");
    Ok(())
}

fn succeeds(root: &Path, words: &[&str]) -> bool {
    let status = Command::new("cargo")
        .args(words)
        .current_dir(root)
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .status();
    status.is_ok_and(|status| status.success())
}
