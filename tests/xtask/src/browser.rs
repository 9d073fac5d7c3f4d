//! `cargo xtask browser`: the emulator's page, driven in a real browser by the tests of
//! `tests/emulator/browser`. `cargo xtask pictures` takes the pictures of the README with it.
//!
//! Chromium and node are installed where they are missing and can be. Where they cannot, this says
//! so loudly and is no failure: nothing else depends on them.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context, Result, ensure};

use crate::run as command;

/// Names under which the browser is installed.
const BROWSERS: &[&str] = &[
    "chromium",
    "chromium-browser",
    "google-chrome-stable",
    "google-chrome",
];
/// What is installed with Debian's package manager: fonts are for what the tests take pictures of.
const BROWSER_PACKAGES: &[&str] = &["chromium", "fonts-noto-cjk", "fonts-noto-color-emoji"];
const NODE_PACKAGES: &[&str] = &["nodejs", "npm"];
/// The oldest node whose test runner does what is asked of it here.
const NODE: u32 = 20;
/// Tests there are at least. A run that finds fewer has lost some.
const LEAST: u32 = 41;
/// The component that the tests drop on the page, as the build of the emulator leaves it.
const COMPONENT: &str = "target/component-build/wasm32-wasip2/component/qq_channel.wasm";

/// Runs every test, and counts what passed.
pub(crate) fn run(root: &Path) -> Result<()> {
    let Some(tools) = Tools::find(root)? else {
        return Ok(());
    };
    let check = Command::new("npm")
        .args(["run", "--silent", "check"])
        .current_dir(folder(root))
        .status()?;
    ensure!(
        check.success(),
        "npm run format, in tests/emulator/browser, puts the page's files in form"
    );
    println!("\n== the page in a real browser");
    let results = root.join("target").join("browser.tap");
    let status = tools
        .node(root)
        .args(["--test", "--test-concurrency=1"])
        .args(["--test-reporter=spec", "--test-reporter-destination=stdout"])
        .args(["--test-reporter=tap", "--test-reporter-destination"])
        .arg(&results)
        .status()?;
    let tap = fs::read_to_string(&results).context("the tests left no results")?;
    let passed = count(&tap, "pass");
    ensure!(
        status.success() && passed == count(&tap, "tests"),
        "tests in the browser failed: {status}"
    );
    ensure!(
        passed >= LEAST,
        "{passed} tests in the browser, and there should be {LEAST}"
    );
    println!("== {passed} tests passed in a real browser");
    Ok(())
}

/// Takes the pictures of the README.
pub(crate) fn pictures(root: &Path) -> Result<()> {
    let Some(tools) = Tools::find(root)? else {
        return Ok(());
    };
    let status = tools.node(root).arg("pictures.mjs").status()?;
    ensure!(status.success(), "no pictures: {status}");
    Ok(())
}

/// A count of the closing lines: `# pass 25`.
fn count(tap: &str, name: &str) -> u32 {
    let start = format!("# {name} ");
    let found = tap.lines().rev().find_map(|line| line.strip_prefix(&start));
    found
        .and_then(|text| text.trim().parse().ok())
        .unwrap_or_default()
}

struct Tools {
    browser: PathBuf,
}

impl Tools {
    /// Builds the emulator and finds what drives it; none, loudly, where that cannot be had.
    fn find(root: &Path) -> Result<Option<Self>> {
        let Some(browser) = installed(BROWSERS, BROWSER_PACKAGES) else {
            return Ok(skip("there is no Chromium, and it cannot be installed"));
        };
        let node = installed(&["node"], NODE_PACKAGES);
        if !node.is_some_and(|node| is_new_enough(&node)) {
            return Ok(skip(
                "there is no node 20 or newer, and it cannot be installed",
            ));
        }
        let npm = Command::new("npm")
            .args(["ci", "--no-fund", "--no-audit"])
            .current_dir(folder(root))
            .status();
        if !npm.is_ok_and(|status| status.success()) {
            return Ok(skip("the packages that drive the browser cannot be had"));
        }
        let build = ["cargo", "build", "--locked", "--package", "qq-emulator"];
        command(root, &build, &[])?;
        Ok(Some(Self { browser }))
    }

    fn node(&self, root: &Path) -> Command {
        let mut node = Command::new("node");
        node.current_dir(folder(root))
            .env("CHROMIUM", &self.browser)
            .env("QQ_EMULATOR", root.join("target/debug/qq-emulator"))
            .env("QQ_COMPONENT", root.join(COMPONENT));
        node
    }
}

fn folder(root: &Path) -> PathBuf {
    root.join("tests/emulator/browser")
}

/// A program, after an attempt to install it if there is none.
fn installed(names: &[&str], packages: &[&str]) -> Option<PathBuf> {
    find(names).or_else(|| {
        println!("== installing {}", packages.join(", "));
        let apt = |words: &[&str]| {
            let mut apt = Command::new("apt-get");
            apt.args(words).env("DEBIAN_FRONTEND", "noninteractive");
            apt.status().is_ok_and(|status| status.success())
        };
        let mut install = vec!["install", "--yes", "--no-install-recommends"];
        install.extend_from_slice(packages);
        (apt(&["update"]) && apt(&install)).then(|| find(names))?
    })
}

/// `v20.20.2` is.
fn is_new_enough(node: &Path) -> bool {
    let version = Command::new(node).arg("--version").output();
    let text = version.map(|out| String::from_utf8_lossy(&out.stdout).into_owned());
    text.is_ok_and(|text| major(&text) >= NODE)
}

fn major(version: &str) -> u32 {
    let number = version.trim().trim_start_matches('v').split('.').next();
    number
        .and_then(|number| number.parse().ok())
        .unwrap_or_default()
}

fn find(names: &[&str]) -> Option<PathBuf> {
    let path = std::env::var_os("PATH")?;
    let folders: Vec<PathBuf> = std::env::split_paths(&path).collect();
    let mut all = names
        .iter()
        .flat_map(|name| folders.iter().map(move |folder| folder.join(name)));
    all.find(|program| program.is_file())
}

fn skip<T>(why: &str) -> Option<T> {
    let line = "!".repeat(78);
    println!("\n{line}\n!! SKIPPED: the page was not tested in a browser: {why}\n{line}\n");
    None
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_version_of_node_is_read() {
        assert_eq!(
            (major("v20.20.2\n"), major("v8"), major("none")),
            (20, 8, 0)
        );
    }

    #[test]
    fn the_closing_lines_are_counted() {
        let tap = "ok 1 - a\n# tests 3\n# pass 2\n# fail 1\n";
        assert_eq!((count(tap, "tests"), count(tap, "pass")), (3, 2));
        assert_eq!(count("", "pass"), 0);
    }
}
