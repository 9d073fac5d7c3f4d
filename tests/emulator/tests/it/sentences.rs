//! Every sentence of the emulator that people can see on the page is known there in Chinese.

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};

/// Where sentences are: what the platform says of bots, and what it says to people.
const SOURCES: &[&str] = &[
    "src/actions.rs",
    "src/bot.rs",
    "src/faults/parse.rs",
    "src/ledger/violations.rs",
    "src/platform",
    "src/platform.rs",
    "src/shell/control",
    "src/shell/control.rs",
    "src/shell/inside.rs",
];

/// Texts with a space in them that are no sentences: keys, names, wire formats, and what only a
/// terminal shows.
const OTHERS: &[&str] = &[
    " {fix}",
    " {text}",
    "# ",
    "({} bytes)",
    "(bot: {why})",
    "(bot: {}.{fix})",
    "<@!{}> ",
    "<@{id}> ",
    "<@{own}> {text}",
    "=== 消息 {} ===\\n[消息内容] {text}",
    "QQBot ",
    "[ark {template}] {prompt}",
    "[template {template}]",
    "bot {app}",
    "dm channel",
    "dm guild",
    "dm {today} {chat}",
    "dms {today}",
    "guild user",
    "guild {today} {guild} ",
    "no folder for the bot",
    "ok, {\\\"id\\\":",
    "rate {}",
    "revision {}",
    "rkey expired",
    "rkey missing",
    "text/plain; charset=utf-8",
    "the bot's configuration",
    "{user}: {name}",
    "{user}: {}",
];

#[test]
fn every_sentence_is_known_in_chinese_and_none_is_that_is_not_said() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let mut said = BTreeSet::new();
    for source in SOURCES {
        for file in files(&root.join(source)) {
            let text = fs::read_to_string(&file).unwrap();
            let code = text.split("#[cfg(test)]").next().unwrap();
            said.extend(
                literals(code, "\"")
                    .into_iter()
                    .filter(|it| is_sentence(it)),
            );
        }
    }
    let page = fs::read_to_string(root.join("page/words/sentences.js")).unwrap();
    let words = literals(&page, "'\"");
    let known: BTreeSet<String> = words.iter().step_by(2).cloned().collect();
    assert_eq!(words.len(), known.len() * 2, "a sentence is there twice");
    let missing: Vec<_> = said.difference(&known).collect();
    assert!(missing.is_empty(), "not known in Chinese: {missing:#?}");
    let idle: Vec<_> = known.difference(&said).collect();
    assert!(idle.is_empty(), "never said: {idle:#?}");
}

fn is_sentence(text: &str) -> bool {
    let markup = text.starts_with(['<', '[']) && text.contains("\\n") || text.starts_with("<?xml");
    text.contains(' ') && !markup && !OTHERS.contains(&text)
}

/// A file, or the files below a folder.
fn files(path: &Path) -> Vec<PathBuf> {
    if path.is_file() {
        return vec![path.to_owned()];
    }
    let entries = fs::read_dir(path).unwrap();
    entries
        .flat_map(|entry| files(&entry.unwrap().path()))
        .collect()
}

/// The texts between any of these quotes, outside of comments; lines that go on are one.
fn literals(code: &str, quotes: &str) -> Vec<String> {
    let mut found = Vec::new();
    for line in joined(code).lines() {
        let mut rest = line;
        while let Some(at) = rest.find(|it| quotes.contains(it) || it == '/') {
            let quote = rest[at..].chars().next().unwrap();
            let inside = &rest[at + 1..];
            if quote == '/' {
                if inside.starts_with('/') {
                    break;
                }
                rest = inside;
                continue;
            }
            // A quote as a character is none.
            if quotes == "\"" && rest[..at].ends_with('\'') && inside.starts_with('\'') {
                rest = inside;
                continue;
            }
            let end = end_of(inside, quote);
            found.push(inside[..end].to_owned());
            rest = inside.get(end + 1..).unwrap_or_default();
        }
    }
    found
}

fn end_of(inside: &str, quote: char) -> usize {
    let mut escaped = false;
    let end = inside.char_indices().find(|(_, it)| {
        let ends = *it == quote && !escaped;
        escaped = *it == '\\' && !escaped;
        ends
    });
    end.map_or(inside.len(), |(at, _)| at)
}

/// Texts that go on in the next line, in one.
fn joined(code: &str) -> String {
    let mut parts = code.split("\\\n");
    let first = parts.next().unwrap_or_default().to_owned();
    parts.fold(first, |whole, part| whole + part.trim_start())
}
