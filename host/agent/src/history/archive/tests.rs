//! Histories on real files.

use super::super::{Bounds, History, Source};
use super::*;

const PATIENCE: Duration = Duration::from_secs(60);

fn key(conversation: &str) -> Key {
    Key {
        channel: "bot".into(),
        conversation: conversation.into(),
    }
}

fn open_at(dir: &Path) -> History {
    let bounds = Bounds::default();
    let (archive, rows) = Archive::open(dir, bounds.retention).unwrap();
    History::with(bounds, archive, rows)
}

fn say(history: &mut History, at: &Key, turn: TurnId, sender: &str) -> Vec<Said> {
    let source = Source {
        message: "m",
        sender,
        at_ms: now_ms(),
    };
    history.asked(at, turn, source, format!("q{turn}"))
}

#[test]
fn what_was_said_is_there_after_a_restart_in_order_and_once() {
    let dir = tempfile::tempdir().unwrap();
    let mut history = open_at(dir.path());
    say(&mut history, &key("a"), 1, "anna");
    history.answered(&key("a"), 1, "a1".into());
    let aside = Source {
        message: "m",
        sender: "ben",
        at_ms: now_ms(),
    };
    history.overheard(&key("a"), aside, "by the way".into());
    say(&mut history, &key("b"), u64::MAX - 1, "anna");
    let before = say(&mut history, &key("a"), 2, "anna");
    history.lose("bot", 2, "interrupted");
    drop(history);
    let mut history = open_at(dir.path());
    assert_eq!(say(&mut history, &key("a"), 2, "anna"), before);
    assert_eq!(say(&mut history, &key("a"), 3, "anna").len(), 4);
    assert_eq!(say(&mut history, &key("b"), u64::MAX - 1, "anna").len(), 1);
}

#[test]
fn a_kill_loses_nothing_that_was_written() {
    let dir = tempfile::tempdir().unwrap();
    let mut history = open_at(dir.path());
    say(&mut history, &key("a"), 1, "anna");
    assert!(history.archive().flush(PATIENCE));
    // Leaked, it is never closed: the next one finds what a killed process leaves.
    std::mem::forget(history);
    assert_eq!(say(&mut open_at(dir.path()), &key("a"), 2, "anna").len(), 2);
}

#[test]
fn what_was_reset_trimmed_or_forgotten_is_gone_from_the_file() {
    let dir = tempfile::tempdir().unwrap();
    let mut history = open_at(dir.path());
    for turn in 0..100 {
        say(&mut history, &key("a"), turn, "anna");
        say(&mut history, &key("b"), turn + 1000, "ben");
    }
    history.forget(&key("b"));
    drop(history);
    let (archive, rows) = Archive::open(dir.path(), Bounds::default().retention).unwrap();
    assert_eq!(rows.len(), Bounds::default().messages);
    assert!(rows.iter().all(|row| row.sender == "anna"));
    drop((archive, rows));
    assert_eq!(forget_sender(dir.path(), "other", "anna").unwrap(), 0);
    assert_eq!(forget_sender(dir.path(), "bot", "anna").unwrap(), 40);
    let file = std::fs::read(dir.path().join(HISTORY_FILE)).unwrap();
    assert!(!file.windows(4).any(|bytes| bytes == b"anna"));
}

#[test]
fn what_is_older_than_the_retention_is_gone_from_the_file() {
    let dir = tempfile::tempdir().unwrap();
    let mut history = open_at(dir.path());
    say(&mut history, &key("a"), 1, "anna");
    drop(history);
    let (_archive, rows) = Archive::open(dir.path(), Duration::from_secs(3600)).unwrap();
    assert_eq!(rows.len(), 1);
    drop(_archive);
    let file = Connection::open(dir.path().join(HISTORY_FILE)).unwrap();
    file.execute("UPDATE said SET at_ms = at_ms - 3700000", [])
        .unwrap();
    drop(file);
    let (_archive, rows) = Archive::open(dir.path(), Duration::from_secs(3600)).unwrap();
    assert_eq!(rows, []);
}

#[test]
fn a_damaged_file_is_kept_under_another_name() {
    let dir = tempfile::tempdir().unwrap();
    std::fs::write(dir.path().join(HISTORY_FILE), vec![b'x'; 8192]).unwrap();
    let mut history = open_at(dir.path());
    assert_eq!(say(&mut history, &key("a"), 1, "anna").len(), 1);
    let names = std::fs::read_dir(dir.path()).unwrap();
    let names = names.map(|entry| entry.unwrap().file_name().into_string().unwrap());
    let aside: Vec<String> = names.filter(|name| name.contains(".corrupt-")).collect();
    let kept = std::fs::read(dir.path().join(&aside[0])).unwrap();
    assert_eq!(kept, vec![b'x'; 8192]);
}

#[test]
fn a_file_of_a_newer_program_is_left_alone() {
    let dir = tempfile::tempdir().unwrap();
    drop(open_at(dir.path()));
    let file = Connection::open(dir.path().join(HISTORY_FILE)).unwrap();
    file.pragma_update(None, "user_version", 99).unwrap();
    drop(file);
    let error = Archive::open(dir.path(), Duration::MAX).unwrap_err();
    assert!(matches!(error, StoreError::Newer { found: 99, .. }));
}

#[cfg(unix)]
#[test]
fn the_file_is_the_owners_alone() {
    use std::os::unix::fs::PermissionsExt;
    let dir = tempfile::tempdir().unwrap();
    let mut history = open_at(dir.path());
    say(&mut history, &key("a"), 1, "anna");
    assert!(history.archive().flush(PATIENCE));
    for file in std::fs::read_dir(dir.path()).unwrap() {
        let mode = file.unwrap().metadata().unwrap().permissions().mode();
        assert_eq!(mode & 0o777, 0o600);
    }
}

#[test]
fn a_write_that_fails_is_made_up_for() {
    let dir = tempfile::tempdir().unwrap();
    let mut history = open_at(dir.path());
    let archive = history.archive();
    let connection = &archive.0.as_ref().unwrap().shared.connection;
    locked(connection).busy_timeout(Duration::ZERO).unwrap();
    // A second writer in the middle of a transaction stands for a disk that does not answer.
    let blocker = Connection::open(dir.path().join(HISTORY_FILE)).unwrap();
    blocker.execute_batch("BEGIN IMMEDIATE").unwrap();
    say(&mut history, &key("a"), 1, "anna");
    assert!(!archive.flush(Duration::from_millis(1)));
    blocker.execute_batch("ROLLBACK").unwrap();
    assert!(archive.flush(PATIENCE));
}

#[test]
fn a_turn_that_acted_is_known_after_a_kill() {
    let dir = tempfile::tempdir().unwrap();
    let history = open_at(dir.path());
    let act = Act {
        channel: "bot",
        turn: 1,
        message: "m",
    };
    history.archive().acts(act, "mail_send").unwrap();
    std::mem::forget(history);
    let archive = open_at(dir.path()).archive();
    let tool = archive.acted(act).unwrap();
    assert_eq!(tool.as_deref(), Some("mail_send"));
    let other = Act {
        message: "other",
        ..act
    };
    assert_eq!(archive.acted(other).unwrap(), None);
}
