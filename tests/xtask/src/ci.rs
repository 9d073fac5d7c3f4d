//! What continuous integration runs.

use std::path::Path;

use anyhow::Result;

use crate::{run as command, tidy};

/// Everything, in the order in which failures are cheapest to find.
pub(crate) fn run(root: &Path) -> Result<()> {
    tidy::run(root)?;
    command(root, &["cargo", "fmt", "--all", "--check"], &[])?;
    command(
        root,
        &[
            "cargo",
            "clippy",
            "--workspace",
            "--all-targets",
            "--locked",
            "--",
            "-D",
            "warnings",
        ],
        &[],
    )?;
    command(
        root,
        &["cargo", "doc", "--workspace", "--no-deps", "--locked"],
        &[("RUSTDOCFLAGS", "-D warnings")],
    )?;
    command(root, &["cargo", "test", "--workspace", "--locked"], &[])?;
    command(
        root,
        &[
            "cargo",
            "run",
            "--locked",
            "--package",
            "harness",
            "--bin",
            "load",
            "--",
            "--messages",
            "3000",
            "--faults",
            "13",
            "--kills",
            "3",
        ],
        &[],
    )
}
