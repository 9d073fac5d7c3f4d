//! A start that would read more than the manifest allows.

use super::swapping::GOOD;
use super::*;

#[test]
fn a_start_that_would_read_too_much_sheds_what_may_go_and_says_so() {
    let entry = |number: u32| Entry {
        key: format!("old/{number:04}"),
        value: vec![0; 100_000],
    };
    let mut entries: Vec<Entry> = (0..30).map(entry).collect();
    entries.push(Entry {
        key: "kept".into(),
        value: vec![1],
    });
    let limits = Limits {
        store_bytes: 1 << 20,
        ..Limits::STANDARD
    };
    let (actor, commands) = booted(Arc::new(GOOD), limits, entries);
    let deleted = commands.iter().find_map(|command| match command {
        Command::Commit(changes) => Some(changes.iter().map(Change::key).collect::<Vec<_>>()),
        _ => None,
    });
    let deleted = deleted.unwrap();
    assert_eq!(
        (deleted.len(), deleted[0], deleted[19]),
        (20, "old/0000", "old/0019")
    );
    assert!(actor.memory.bytes() <= 1 << 20);
    let boot = actor.boot_record(StartReason::Restart);
    assert_eq!((boot.shed, boot.entries.len()), (20, 11));
    let said = commands.iter().any(|command| match command {
        Command::Log(line) => line
            .text
            .contains("the oldest 20 entries of old/ were deleted"),
        _ => false,
    });
    assert!(said);
    assert!(
        commands.iter().any(|it| matches!(it, Command::Started)),
        "it starts all the same"
    );
}
