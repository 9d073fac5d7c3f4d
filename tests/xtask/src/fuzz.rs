//! libFuzzer on every reader of bytes from outside, one target after the other.

use std::path::Path;

use anyhow::{Context, Result, ensure};

use crate::run as command;

/// Seconds for each target, as a night has them.
const SECONDS: &str = "600";
/// The targets, by the names of their corpora.
const TARGETS: [&str; 8] = [
    "gateway_frame",
    "inbound_event",
    "markdown",
    "card_block",
    "trace_line",
    "plugin_package",
    "control_request",
    "manifest",
];

/// Runs the targets named, or all, for so many seconds each. What libFuzzer finds stays below the target folder; what is
/// worth keeping goes into the corpus by hand, under a name that says why.
pub(crate) fn run(root: &Path, words: &[&str]) -> Result<()> {
    let (seconds, named) = match words.split_first() {
        Some((first, rest)) if first.parse::<u32>().is_ok() => (*first, rest),
        _ => (SECONDS, words),
    };
    let unknown = named.iter().find(|name| !TARGETS.contains(name));
    ensure!(
        unknown.is_none(),
        "there is no target {}; there are {}",
        unknown.unwrap_or(&""),
        TARGETS.join(", ")
    );
    let chosen = if named.is_empty() {
        &TARGETS[..]
    } else {
        named
    };
    let found = root.join("target").join("fuzz");
    for target in chosen {
        let grown = found.join("corpus").join(target);
        std::fs::create_dir_all(&grown)
            .with_context(|| format!("{} cannot be made", grown.display()))?;
        let (grown, seeds) = (
            grown.display().to_string(),
            format!("tests/fuzz/corpus/{target}"),
        );
        let artifacts = format!("-artifact_prefix={}/{target}-", found.display());
        let time = format!("-max_total_time={seconds}");
        let folder = ["--fuzz-dir", "tests/fuzz", "--features", "libfuzzer"];
        // Beside the other targets, and not among them: other flags, another compiler.
        let built = ["--target-dir", "target/fuzz/build"];
        let mut line = vec!["cargo", "+nightly", "fuzz", "run"];
        line.extend(folder);
        line.extend(built);
        line.extend([
            target,
            grown.as_str(),
            seeds.as_str(),
            "--",
            time.as_str(),
            artifacts.as_str(),
        ]);
        line.push("-timeout=10");
        command(root, &line, &[])?;
    }
    Ok(())
}
