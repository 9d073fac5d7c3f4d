//! Every target takes its corpus, and what is like it.
#![allow(clippy::unwrap_used, clippy::panic, reason = "tests")]

use std::fs;
use std::path::{Path, PathBuf};

/// Variations of each file.
const VARIATIONS: usize = 200;
/// What variations put in: what readers look for.
const PIECES: [&str; 24] = [
    "\"",
    "{",
    "}",
    "[",
    "]",
    ",",
    ":",
    "\\u0000",
    "null",
    "-1",
    "1e999",
    "99999999999999999999",
    "true",
    "\n",
    "\r\n",
    "\0",
    "\u{202e}",
    "名",
    "<@",
    "](",
    "`",
    "\t",
    "[[egress]]",
    "=",
];

fn corpus(target: &str) -> Vec<Vec<u8>> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("corpus")
        .join(target);
    let mut files: Vec<PathBuf> = fs::read_dir(folder)
        .unwrap()
        .map(|file| file.unwrap().path())
        .collect();
    files.sort();
    assert!(!files.is_empty(), "{target} has no corpus");
    files.iter().map(|file| fs::read(file).unwrap()).collect()
}

/// Something like this, a few bytes of it changed.
fn varied(rng: &mut fastrand::Rng, bytes: &[u8], other: &[u8]) -> Vec<u8> {
    let mut varied = bytes.to_vec();
    for _ in 0..rng.usize(1..6) {
        let at = rng.usize(0..=varied.len());
        let end = rng.usize(at..=varied.len()).min(at + 40);
        match rng.u8(0..5) {
            0 => varied.truncate(at),
            1 => drop(varied.splice(at..at, PIECES[rng.usize(0..PIECES.len())].bytes())),
            2 => drop(varied.drain(at..end)),
            3 if at < varied.len() => varied[at] = rng.u8(..),
            _ => {
                let from = rng.usize(0..=other.len());
                let some: Vec<u8> = other[from..].iter().take(60).copied().collect();
                drop(varied.splice(at..at, some));
            }
        }
    }
    varied
}

#[test]
fn every_target_takes_its_corpus_and_variations_of_it() {
    for (name, target) in fuzz::TARGETS {
        let files = corpus(name);
        let mut rng = fastrand::Rng::with_seed(1);
        for bytes in &files {
            target(bytes);
            for _ in 0..VARIATIONS {
                let other = &files[rng.usize(0..files.len())];
                target(&varied(&mut rng, bytes, other));
            }
        }
    }
}

#[test]
fn no_bytes_at_all_and_any_single_byte_are_taken() {
    for (_, target) in fuzz::TARGETS {
        target(&[]);
        for byte in 0..=u8::MAX {
            target(&[byte]);
        }
    }
}
