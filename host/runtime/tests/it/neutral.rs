//! The host knows no platform: none of its words appears anywhere under `host/`.

use std::path::{Path, PathBuf};

/// The one file that maps a plugin's name to the component that is built in, and the manifest that
/// links it.
const MAY_NAME_THEM: [&str; 2] = ["cli/src/builtin.rs", "cli/Cargo.toml"];

fn words() -> Vec<String> {
    // Put together here, so that this file passes its own test.
    let parts = [
        ("q", "q"),
        ("open", "id"),
        ("msg_", "seq"),
        ("sgr", "oup."),
        ("union_op", "enid"),
        ("guil", "d_id"),
    ];
    parts.iter().map(|(a, b)| format!("{a}{b}")).collect()
}

fn files(dir: &Path, found: &mut Vec<PathBuf>) {
    for entry in std::fs::read_dir(dir).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            files(&path, found);
        } else {
            found.push(path);
        }
    }
}

#[test]
fn no_word_of_any_platform_is_written_under_host() {
    let host = Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("..")
        .canonicalize()
        .unwrap();
    let mut found = Vec::new();
    files(&host, &mut found);
    assert!(found.len() > 30);
    for path in found {
        let short = path.strip_prefix(&host).unwrap().display().to_string();
        let Ok(text) = std::fs::read_to_string(&path) else {
            continue;
        };
        if MAY_NAME_THEM.contains(&short.as_str()) || short.starts_with("docs/") {
            continue;
        }
        let text = text.to_lowercase();
        for word in words() {
            assert!(!text.contains(&word), "{short} contains {word:?}");
        }
    }
}
