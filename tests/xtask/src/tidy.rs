//! House rules that a compiler does not know.

use std::fs;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result, bail};

use crate::wit;

/// Lines that a source file may have; tests are excepted.
const MAX_LINES: usize = 500;
/// What a source file may end with; all of them have a bound.
const SOURCES: [&str; 5] = ["rs", "js", "mjs", "css", "html"];
/// Folders of files that others wrote, or a tool.
const FOREIGN: [&str; 3] = ["target", "node_modules", "vendor"];
/// What may stand at the top of the tree.
const FOLDERS: [&str; 4] = ["guest", "host", "wit", "tests"];
/// Words that the host must not know: it serves any channel.
const PLATFORM_WORDS: [&str; 8] = [
    "qq",
    "openid",
    "msg_seq",
    "sgroup",
    "tencent",
    "group_at_message",
    "c2c",
    "msg_id",
];
/// The one file of the host that names the component it carries.
const BUILTIN: &str = "host/cli/src/builtin.rs";

/// Checks all rules and reports every breach.
pub(crate) fn run(root: &Path) -> Result<()> {
    let mut breaches = Vec::new();
    for file in source_files(root)? {
        let name = file.strip_prefix(root)?.display().to_string();
        let text = fs::read_to_string(&file).with_context(|| name.clone())?;
        check_length(&name, &text, &mut breaches);
        check_host(&name, &text, &mut breaches);
        if name.ends_with("/mod.rs") {
            breaches.push(format!(
                "{name}: name the file after the module, not mod.rs"
            ));
        }
    }
    check_top(root, &mut breaches)?;
    check_architecture(root, &mut breaches)?;
    let update = std::env::var_os("UPDATE_EXPECT").is_some_and(|set| set == "1");
    wit::check(root, update, &mut breaches)?;
    if breaches.is_empty() {
        println!("tidy: nothing to say");
        return Ok(());
    }
    bail!("{} breaches:\n{}", breaches.len(), breaches.join("\n"));
}

fn is_test(name: &str) -> bool {
    name.contains("/tests/it/") || name.ends_with("/tests.rs") || name.contains("/benches/")
}

fn check_length(name: &str, text: &str, breaches: &mut Vec<String>) {
    let code = text
        .split("#[cfg(test)]\nmod tests {")
        .next()
        .unwrap_or(text);
    let lines = code.lines().count();
    if lines > MAX_LINES && !is_test(name) {
        breaches.push(format!(
            "{name}: {lines} lines; over {MAX_LINES} it wants to be two files"
        ));
    }
}

fn check_host(name: &str, text: &str, breaches: &mut Vec<String>) {
    if !name.starts_with("host/") || name == BUILTIN {
        return;
    }
    for (number, line) in text.lines().enumerate() {
        let line = line.to_lowercase();
        let words = line.split(|letter: char| !(letter.is_alphanumeric() || letter == '_'));
        for word in words.filter(|word| PLATFORM_WORDS.contains(word)) {
            breaches.push(format!(
                "{name}:{}: {word:?}: the host serves any channel",
                number + 1
            ));
        }
    }
}

fn check_top(root: &Path, breaches: &mut Vec<String>) -> Result<()> {
    for entry in fs::read_dir(root)? {
        let entry = entry?;
        let name = entry.file_name().to_string_lossy().into_owned();
        let known =
            name.starts_with('.') || name.starts_with("target") || FOLDERS.contains(&name.as_str());
        if entry.file_type()?.is_dir() && !known {
            breaches.push(format!("{name}/: the top has {} only", FOLDERS.join(", ")));
        }
    }
    Ok(())
}

/// The ordered list of files in ARCHITECTURE.md is the path of a message: every file on it must be there.
fn check_architecture(root: &Path, breaches: &mut Vec<String>) -> Result<()> {
    let text = fs::read_to_string(root.join("ARCHITECTURE.md")).context("ARCHITECTURE.md")?;
    let listed: Vec<&str> = text
        .lines()
        .filter(|line| {
            line.trim_start()
                .starts_with(|first: char| first.is_ascii_digit())
        })
        .flat_map(|line| line.split('`').skip(1).step_by(2))
        .filter(|path| path.contains('/') && path.ends_with(".rs"))
        .collect();
    if listed.len() < 10 {
        breaches.push(format!(
            "ARCHITECTURE.md: its list has {} files only",
            listed.len()
        ));
    }
    for path in listed.into_iter().filter(|path| !root.join(path).is_file()) {
        breaches.push(format!("ARCHITECTURE.md: {path} is not there"));
    }
    Ok(())
}

fn source_files(root: &Path) -> Result<Vec<PathBuf>> {
    let mut files = Vec::new();
    let mut folders: Vec<PathBuf> = FOLDERS.iter().map(|folder| root.join(folder)).collect();
    while let Some(folder) = folders.pop() {
        for entry in fs::read_dir(&folder).with_context(|| folder.display().to_string())? {
            let path = entry?.path();
            let name = path.file_name().unwrap_or_default().to_string_lossy();
            if path.is_dir() && !FOREIGN.contains(&&*name) {
                folders.push(path);
            } else if path
                .extension()
                .is_some_and(|it| SOURCES.iter().any(|known| it == *known))
            {
                files.push(path);
            }
        }
    }
    files.sort();
    Ok(files)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_tree_keeps_the_house_rules() {
        run(&crate::root()).unwrap();
    }

    #[test]
    fn a_word_of_the_platform_in_the_host_is_found() {
        let mut breaches = Vec::new();
        check_host(
            "host/runtime/src/x.rs",
            "let openid = 1;\nlet square = 2;",
            &mut breaches,
        );
        assert_eq!(breaches.len(), 1);
        check_host(BUILTIN, "qq", &mut breaches);
        assert_eq!(breaches.len(), 1);
    }

    #[test]
    fn long_files_are_found_and_tests_do_not_count() {
        let mut breaches = Vec::new();
        let long: String = std::iter::repeat_n("x\n", MAX_LINES + 1).collect();
        check_length("host/a.rs", &long, &mut breaches);
        assert_eq!(breaches.len(), 1);
        check_length(
            "host/a.rs",
            &format!("x\n#[cfg(test)]\nmod tests {{\n{long}"),
            &mut breaches,
        );
        assert_eq!(breaches.len(), 1);
    }
}
