//! A version of the interface that has been published does not change: what its files say, without comments and
//! spaces, has the digest that `wit/FROZEN` records. `wit/VERSIONING.md` says why, and what to do instead.

use std::fmt::Write as _;
use std::fs;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result};
use sha2::{Digest as _, Sha256};

const FROZEN: &str = "wit/FROZEN";
const HEAD: &str = "# Digests of the versions of the interface; see VERSIONING.md. Compared by `cargo xtask tidy`,\n\
    # written by `UPDATE_EXPECT=1 cargo xtask tidy`.\n";

/// Compares each version with its record, or writes the records anew.
pub(crate) fn check(root: &Path, update: bool, breaches: &mut Vec<String>) -> Result<()> {
    let mut now = String::from(HEAD);
    for (version, digest) in versions(root)? {
        writeln!(now, "{version} {digest}")?;
    }
    let file = root.join(FROZEN);
    if update {
        return fs::write(&file, now).context(FROZEN);
    }
    let recorded = fs::read_to_string(&file).context(FROZEN)?;
    let lines = |text: &str| -> Vec<String> {
        let lines = text.lines().filter(|line| !line.starts_with('#'));
        lines.map(str::to_owned).collect()
    };
    let (recorded, now) = (lines(&recorded), lines(&now));
    for line in recorded.iter().filter(|line| !now.contains(line)) {
        let version = line.split(' ').next().unwrap_or_default();
        breaches.push(format!(
            "wit/{version}: its meaning is not the one that {FROZEN} records; wit/VERSIONING.md says what to do"
        ));
    }
    for line in now.iter().filter(|line| !recorded.contains(line)) {
        let version = line.split(' ').next().unwrap_or_default();
        let known = |line: &String| line.split(' ').next() == Some(version);
        if !recorded.iter().any(known) {
            breaches.push(format!("wit/{version}: {FROZEN} does not record it"));
        }
    }
    Ok(())
}

/// Each folder of a version, with the digest of its files in the order of their names.
fn versions(root: &Path) -> Result<Vec<(String, String)>> {
    let mut folders = entries(&root.join("wit"))?;
    folders.retain(|path| path.is_dir());
    folders
        .iter()
        .map(|folder| Ok((name(folder), digest(folder)?)))
        .collect()
}

fn digest(folder: &Path) -> Result<String> {
    let mut hash = Sha256::new();
    for file in entries(folder)? {
        let text = fs::read_to_string(&file).with_context(|| file.display().to_string())?;
        // The name separates files, so that moving something between two is a change.
        hash.update(format!("{}\0{}\0", name(&file), meaning(&text)));
    }
    let mut hex = String::new();
    for byte in hash.finalize() {
        write!(hex, "{byte:02x}")?;
    }
    Ok(hex)
}

/// A text of the interface without what a reader alone needs. There are no strings in it that could look like a comment.
fn meaning(text: &str) -> String {
    let mut rest = text;
    let mut code = String::new();
    while let Some(at) = rest.find("//").into_iter().chain(rest.find("/*")).min() {
        let (before, comment) = rest.split_at(at);
        code.push_str(before);
        code.push(' ');
        let end = match comment.starts_with("//") {
            true => comment.find('\n').unwrap_or(comment.len()),
            false => comment.find("*/").map_or(comment.len(), |end| end + 2),
        };
        rest = comment.get(end..).unwrap_or_default();
    }
    code.push_str(rest);
    code.split_whitespace().collect::<Vec<_>>().join(" ")
}

fn entries(folder: &Path) -> Result<Vec<PathBuf>> {
    let entries = fs::read_dir(folder).with_context(|| folder.display().to_string())?;
    let mut paths = entries
        .map(|entry| Ok(entry?.path()))
        .collect::<Result<Vec<PathBuf>>>()?;
    paths.sort();
    Ok(paths)
}

fn name(path: &Path) -> String {
    path.file_name()
        .unwrap_or_default()
        .to_string_lossy()
        .into_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn tree(channel: &str) -> tempfile::TempDir {
        let dir = tempfile::tempdir().unwrap();
        fs::create_dir_all(dir.path().join("wit/v0_1")).unwrap();
        fs::write(dir.path().join("wit/v0_1/channel.wit"), channel).unwrap();
        dir
    }

    fn breaches(now: &str, recorded: &str) -> Vec<String> {
        let before = tree(recorded);
        let mut records = String::from(HEAD);
        for (version, digest) in versions(before.path()).unwrap() {
            writeln!(records, "{version} {digest}").unwrap();
        }
        let dir = tree(now);
        fs::write(dir.path().join(FROZEN), records).unwrap();
        let mut breaches = Vec::new();
        check(dir.path(), false, &mut breaches).unwrap();
        breaches
    }

    #[test]
    fn words_for_readers_may_change_and_nothing_else() {
        let recorded = "/// Old words.\ninterface a {\n    b: func() -> u8;\n}\n";
        let words = "/// New words, and more of them.\n// And here.\ninterface a { /* short */ b: func() -> u8; }\n";
        assert_eq!(breaches(words, recorded), Vec::<String>::new());
        for changed in [
            "interface a { b: func() -> u16; }",
            "interface a { b: func() -> u8; c: func(); }",
            "interface a { }",
            "// interface a { b: func() -> u8; }",
        ] {
            let said = breaches(changed, recorded);
            assert!(
                said.len() == 1 && said[0].contains("VERSIONING.md"),
                "{changed}: {said:?}"
            );
        }
    }

    #[test]
    fn a_new_version_has_to_be_recorded() {
        let dir = tree("interface a { }");
        fs::write(dir.path().join(FROZEN), HEAD).unwrap();
        let mut said = Vec::new();
        check(dir.path(), false, &mut said).unwrap();
        assert_eq!(said, ["wit/v0_1: wit/FROZEN does not record it"]);
    }
}
