//! The table of keys in the README is printed from the key table of the channel, and both languages show the same
//! commands.

use std::fmt::Write as _;
use std::fs;
use std::path::Path;

use qq_channel::bindings::{KeyKind, KeySpec};
use qq_channel::channel::describe;

fn table() -> String {
    let mut table = String::from(
        "| key in `[channels_config.qq]` | type, default | meaning |\n|---|---|---|\n",
    );
    for key in describe().keys {
        let _ = writeln!(
            table,
            "| `{}`{} | {} | {} |",
            key.name,
            if key.documented { "" } else { " (own)" },
            form(&key),
            meaning(&key)
        );
    }
    table
}

fn form(key: &KeySpec) -> String {
    let kind = match key.kind {
        KeyKind::Text => "string",
        KeyKind::Boolean => "bool",
        KeyKind::Integer => "number",
        KeyKind::TextList => "list",
    };
    match (&key.default, key.required) {
        (Some(default), _) => format!("{kind}, `{default}`"),
        (None, true) => format!("{kind}, required"),
        (None, false) => kind.to_owned(),
    }
}

fn meaning(key: &KeySpec) -> String {
    let mut meaning = key.doc.clone();
    if !key.allowed.is_empty() {
        let words: Vec<String> = key.allowed.iter().map(|word| format!("`{word}`")).collect();
        let _ = write!(meaning, " One of {}.", words.join(", "));
    }
    for alias in &key.aliases {
        let _ = write!(meaning, " `{}` means `{}`.", alias.written, alias.means);
    }
    if let (Some(minimum), Some(maximum)) = (key.minimum, key.maximum) {
        let _ = write!(meaning, " From {minimum} to {maximum}.");
    }
    if let Some(parent) = &key.inherits_from {
        let _ = write!(meaning, " Inherited from `[channels_config].{parent}`.");
    }
    meaning.replace('|', "\\|")
}

#[test]
fn the_readme_has_the_keys_of_the_channel() {
    crate::readme::check("keys", &table());
}

#[test]
fn both_languages_show_the_same_commands_and_files() {
    let shown = |name: &str| -> Vec<String> {
        let path = Path::new(env!("CARGO_MANIFEST_DIR"))
            .join("../..")
            .join(name);
        let page = fs::read_to_string(path).unwrap();
        let lines = page.lines().map(str::trim);
        let of_file = |line: &str| line.contains(" = \"") && !line.contains('`');
        let told = |line: &&str| line.starts_with("cargo ") || of_file(line);
        lines.filter(told).map(str::to_owned).collect()
    };
    assert_eq!(shown("README.md"), shown("README.zh-CN.md"));
}
