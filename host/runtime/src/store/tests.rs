//! The store's promises, on real files.

use std::time::Instant;

use bytes::Bytes;

use super::*;

fn put(key: &str, value: &[u8]) -> Change {
    Change::Put {
        key: key.into(),
        value: Bytes::copy_from_slice(value),
    }
}

fn keys(store: &Store, instance: &str) -> Vec<String> {
    let entries = store.load(instance).unwrap();
    entries.into_iter().map(|e| e.key).collect()
}

#[test]
fn what_was_committed_is_there_after_a_reopening() {
    let dir = tempfile::tempdir().unwrap();
    let store = Store::open(dir.path()).unwrap();
    store
        .commit("a", &[put("z", b"1"), put("b", b"2")])
        .unwrap();
    store
        .commit("a", &[Change::Delete { key: "z".into() }])
        .unwrap();
    store.commit("other", &[put("x", b"3")]).unwrap();
    drop(store);
    let store = Store::open(dir.path()).unwrap();
    assert_eq!(keys(&store, "a"), ["b"]);
    assert_eq!(keys(&store, "other"), ["x"]);
    assert!(store.set_aside().is_none());
}

#[test]
fn boots_are_counted_per_instance_and_never_go_back() {
    let dir = tempfile::tempdir().unwrap();
    let store = Store::open(dir.path()).unwrap();
    assert_eq!(store.next_boot("a").unwrap(), 1);
    assert_eq!(store.next_boot("a").unwrap(), 2);
    assert_eq!(store.next_boot("b").unwrap(), 1);
    drop(store);
    let store = Store::open(dir.path()).unwrap();
    assert_eq!(store.next_boot("a").unwrap(), 3);
}

#[test]
fn a_second_process_is_refused_by_name() {
    let dir = tempfile::tempdir().unwrap();
    let _first = Store::open(dir.path()).unwrap();
    // The lock belongs to the open file, so a second opening stands for a second process.
    let error = Store::open(dir.path()).unwrap_err().to_string();
    assert!(error.contains("in use by another process"), "{error}");
    assert!(error.contains(&std::process::id().to_string()), "{error}");
}

#[test]
fn a_damaged_file_is_set_aside_and_not_wiped() {
    let dir = tempfile::tempdir().unwrap();
    std::fs::write(dir.path().join(STORE_FILE), vec![b'x'; 8192]).unwrap();
    let store = Store::open(dir.path()).unwrap();
    let aside = store.set_aside().unwrap();
    assert_eq!(std::fs::read(aside).unwrap(), vec![b'x'; 8192]);
    store.commit("a", &[put("k", b"v")]).unwrap();
    assert_eq!(keys(&store, "a"), ["k"]);
}

#[test]
fn a_byte_that_has_changed_is_found_and_the_file_is_set_aside() {
    let dir = tempfile::tempdir().unwrap();
    let store = Store::open(dir.path()).unwrap();
    store
        .commit("a", &[put("k", b"a value of some length")])
        .unwrap();
    drop(store);
    let path = dir.path().join(STORE_FILE);
    let mut bytes = std::fs::read(&path).unwrap();
    let needle = b"of some length";
    let at = bytes
        .windows(needle.len())
        .position(|w| w == needle)
        .unwrap();
    bytes[at] ^= 1;
    std::fs::write(&path, &bytes).unwrap();
    let store = Store::open(dir.path()).unwrap();
    assert_eq!(
        std::fs::read(store.set_aside().unwrap()).unwrap().len(),
        bytes.len()
    );
    assert!(keys(&store, "a").is_empty());
}

#[test]
fn commits_gather_in_the_log_and_end_in_the_entries() {
    let dir = tempfile::tempdir().unwrap();
    // No keeper works on this one.
    let (mut connection, _) = schema::open(&dir.path().join("x"), &schema::STORE).unwrap();
    let counted = |connection: &Connection, table: &str| -> i64 {
        let query = format!("SELECT count(*) FROM {table}");
        connection.query_row(&query, [], |row| row.get(0)).unwrap()
    };
    let mut pending = Changes::new();
    let gone = |key: &str| Change::Delete { key: key.into() };
    for n in 0..300 {
        let same = format!("same {n}");
        let commit = [put(&format!("k{n:03}"), b"1"), put("same", same.as_bytes())];
        let commit = commit.into_iter().chain((n == 299).then(|| gone("k007")));
        let commit: Changes = commit.map(|c| (("a".into(), c.key().into()), c)).collect();
        log::append(&mut connection, &commit).unwrap();
        pending.extend(commit);
    }
    assert_eq!(counted(&connection, "log"), 300);
    assert_eq!(counted(&connection, "entries"), 0);
    assert_eq!(log::read(&connection).unwrap(), pending);
    let mut slices = 0;
    while !pending.is_empty() {
        log::fold(&mut connection, &mut pending).unwrap();
        slices += 1;
    }
    assert_eq!(slices, 3, "a commit is let in between");
    assert_eq!(counted(&connection, "log"), 0);
    assert_eq!(counted(&connection, "entries"), 300);
    let same = "SELECT CAST(value AS TEXT) FROM entries WHERE key = 'same'";
    let same: String = connection.query_row(same, [], |row| row.get(0)).unwrap();
    assert_eq!(same, "same 299");
}

#[test]
fn a_commit_whose_bytes_have_changed_is_found_and_the_file_is_set_aside() {
    let (dir, copy) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
    let store = Store::open(dir.path()).unwrap();
    store
        .commit("a", &[put("k", b"a value of some length")])
        .unwrap();
    for file in [STORE_FILE, "store.db-wal"] {
        std::fs::copy(dir.path().join(file), copy.path().join(file)).unwrap();
    }
    let changed = Connection::open(copy.path().join(STORE_FILE)).unwrap();
    let change =
        "UPDATE log SET changes = CAST(replace(CAST(changes AS TEXT), 'some', 'same') AS BLOB)";
    assert_eq!(changed.execute(change, []).unwrap(), 1);
    drop(changed);
    assert!(Store::open(copy.path()).unwrap().set_aside().is_some());
}

#[test]
fn what_the_first_version_stored_is_taken_over() {
    let dir = tempfile::tempdir().unwrap();
    let file = Connection::open(dir.path().join(STORE_FILE)).unwrap();
    file.execute_batch(schema::STORE.migrations[0]).unwrap();
    file.execute_batch("INSERT INTO entries VALUES ('a', 'k', x'76')")
        .unwrap();
    file.pragma_update(None, "user_version", 1).unwrap();
    drop(file);
    let store = Store::open(dir.path()).unwrap();
    assert!(store.set_aside().is_none());
    assert_eq!(keys(&store, "a"), ["k"]);
}

#[test]
fn a_file_of_a_newer_program_is_left_alone() {
    let dir = tempfile::tempdir().unwrap();
    drop(Store::open(dir.path()).unwrap());
    let file = Connection::open(dir.path().join(STORE_FILE)).unwrap();
    file.pragma_update(None, "user_version", 99).unwrap();
    drop(file);
    let error = Store::open(dir.path()).unwrap_err();
    assert!(matches!(error, StoreError::Newer { found: 99, .. }));
}

#[cfg(unix)]
#[test]
fn the_files_are_the_owners_alone() {
    use std::os::unix::fs::PermissionsExt;
    let dir = tempfile::tempdir().unwrap();
    let state = dir.path().join("state");
    let store = Store::open(&state).unwrap();
    store.commit("a", &[put("k", b"v")]).unwrap();
    let mode = |path: &Path| std::fs::metadata(path).unwrap().permissions().mode() & 0o777;
    assert_eq!(mode(&state), 0o700);
    for file in std::fs::read_dir(&state).unwrap() {
        assert_eq!(mode(&file.unwrap().path()), 0o600);
    }
}

#[test]
fn a_commit_that_fails_is_made_up_for_by_the_next() {
    let dir = tempfile::tempdir().unwrap();
    let store = Store::open(dir.path()).unwrap();
    let trouble = store.trouble();
    // A second writer in the middle of a transaction stands for a disk that does not answer.
    let blocker = Connection::open(dir.path().join(STORE_FILE)).unwrap();
    store
        .shared
        .lock()
        .connection
        .busy_timeout(std::time::Duration::ZERO)
        .unwrap();
    blocker.execute_batch("BEGIN IMMEDIATE").unwrap();
    assert!(store.commit("a", &[put("first", b"1")]).is_err());
    assert!(trouble.borrow().is_some());
    blocker.execute_batch("ROLLBACK").unwrap();
    store.commit("a", &[put("second", b"2")]).unwrap();
    assert_eq!(keys(&store, "a"), ["first", "second"]);
    assert!(trouble.borrow().is_none());
}

#[test]
fn a_commit_takes_microseconds() {
    let dir = tempfile::tempdir().unwrap();
    let store = Store::open(dir.path()).unwrap();
    let mut times: Vec<_> = (0..500u32)
        .map(|n| {
            let started = Instant::now();
            let changes = [put("ring", &n.to_le_bytes()), put("mark", &[7; 300])];
            store.commit("a", &changes).unwrap();
            started.elapsed()
        })
        .collect();
    times.sort();
    let median = times[times.len() / 2];
    println!("median commit: {median:?}");
    assert!(median < std::time::Duration::from_millis(5), "{median:?}");
}

#[test]
fn a_look_at_a_store_changes_nothing_and_sees_what_a_killed_process_committed() {
    let (dir, killed) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
    let store = Store::open(dir.path()).unwrap();
    store.next_boot("bot").unwrap();
    store.next_boot("bot").unwrap();
    store.commit("bot", &[put("key", b"value")]).unwrap();
    let held = StoreCopy::of(dir.path()).unwrap_err();
    let pid = format!("(pid {})", std::process::id());
    assert!(held.to_string().contains(&pid), "{held}");
    // The files as they are in the middle of its life, most of it in the log.
    for file in [STORE_FILE, "store.db-wal"] {
        std::fs::copy(dir.path().join(file), killed.path().join(file)).unwrap();
    }
    drop(store);
    for dir in [dir.path(), killed.path()] {
        let files = || {
            let all = std::fs::read_dir(dir).unwrap().map(|e| e.unwrap().path());
            let mut all: Vec<_> = all.map(|p| (std::fs::read(&p).unwrap(), p)).collect();
            all.sort();
            all
        };
        let before = files();
        let copy = StoreCopy::of(dir).unwrap();
        let kept = Kept {
            boots: 2,
            entries: 1,
            bytes: 8,
        };
        assert_eq!(copy.kept("bot").unwrap(), Some(kept));
        assert_eq!(copy.kept("other").unwrap(), None);
        assert!(copy.written().is_some());
        assert_eq!(
            Store::open(copy.dir()).unwrap().next_boot("bot").unwrap(),
            3
        );
        assert!(files() == before);
    }
    let nothing = tempfile::tempdir().unwrap();
    let copy = StoreCopy::of(nothing.path()).unwrap();
    assert_eq!((copy.kept("bot").unwrap(), copy.written()), (None, None));
}

/// A store whose folder has another folder in the place of the database: the disk takes nothing.
fn unkept(dir: &Path) -> Shared {
    std::fs::create_dir(dir.join(STORE_FILE)).unwrap();
    let shared = Shared::open(dir).unwrap();
    assert!(shared.trouble.borrow().is_some());
    shared
}

#[test]
fn what_was_kept_in_memory_is_stored_once_the_disk_takes_it() {
    let dir = tempfile::tempdir().unwrap();
    let shared = unkept(dir.path());
    shared
        .commit("a", &[put("k", b"1"), put("gone", b"2")])
        .unwrap();
    shared
        .commit("a", &[Change::Delete { key: "gone".into() }])
        .unwrap();
    shared.look();
    let why = shared.trouble.borrow().clone().unwrap();
    assert!(why.contains("nothing is stored since the start"), "{why}");
    std::fs::remove_dir(dir.path().join(STORE_FILE)).unwrap();
    shared.look();
    assert_eq!(*shared.trouble.borrow(), None);
    shared.commit("a", &[put("later", b"3")]).unwrap();
    drop(shared);
    let store = Store::open(dir.path()).unwrap();
    assert_eq!(keys(&store, "a"), ["k", "later"]);
    assert!(store.set_aside().is_none());
}

#[test]
fn starts_are_not_counted_while_the_next_process_would_count_them_again() {
    let dir = tempfile::tempdir().unwrap();
    std::fs::create_dir(dir.path().join(STORE_FILE)).unwrap();
    let store = Store::open(dir.path()).unwrap();
    let error = store.next_boot("a").unwrap_err();
    assert!(matches!(error, StoreError::Unkept(_)), "{error}");
    std::fs::remove_dir(dir.path().join(STORE_FILE)).unwrap();
    store.shared.look();
    assert_eq!(store.next_boot("a").unwrap(), 1);
}

#[test]
fn what_is_stored_is_read_where_nothing_can_be_written_and_goes_on_from_there() {
    let dir = tempfile::tempdir().unwrap();
    let store = Store::open(dir.path()).unwrap();
    store.next_boot("a").unwrap();
    store
        .commit("a", &[put("old", b"1"), put("k", b"2")])
        .unwrap();
    drop(store);
    let home = Home::take(dir.path()).unwrap();
    let cause = "no room".to_owned();
    let (mut inner, mut unkept) = Unkept::begin(dir.path(), Some(home), cause).unwrap();
    assert!(
        unkept
            .why
            .ends_with("what was stored before is known: no room")
    );
    let changes = [
        put("k", b"3"),
        Change::Delete { key: "old".into() },
        put("new", b"4"),
    ];
    let changes = changes.map(|c| (("a".to_owned(), c.key().to_owned()), c));
    log::append(&mut inner.connection, &changes.clone().into()).unwrap();
    inner.pending.extend(changes);
    drop(unkept.settle(dir.path(), &mut inner).unwrap());
    drop(inner);
    let store = Store::open(dir.path()).unwrap();
    assert_eq!(keys(&store, "a"), ["k", "new"]);
    assert_eq!(store.load("a").unwrap()[0].value, b"3");
    assert_eq!(
        store.next_boot("a").unwrap(),
        2,
        "counted by the file alone"
    );
}

#[test]
fn a_store_that_has_come_since_the_start_is_not_written_over() {
    let (dir, other) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
    let store = Store::open(other.path()).unwrap();
    store.commit("a", &[put("theirs", b"1")]).unwrap();
    drop(store);
    let shared = unkept(dir.path());
    shared.commit("a", &[put("ours", b"2")]).unwrap();
    let file = dir.path().join(STORE_FILE);
    std::fs::remove_dir(&file).unwrap();
    std::fs::copy(other.path().join(STORE_FILE), &file).unwrap();
    shared.look();
    assert!(shared.trouble.borrow().is_some());
    drop(shared);
    assert_eq!(keys(&Store::open(dir.path()).unwrap(), "a"), ["theirs"]);
}

#[test]
fn whatever_is_no_database_is_set_aside_whatever_its_size() {
    for size in [0, 1, 15, 16, 100, 511, 512, 4096, 4097] {
        for byte in [0, b'S', 0xff] {
            let dir = tempfile::tempdir().unwrap();
            std::fs::write(dir.path().join(STORE_FILE), vec![byte; size]).unwrap();
            let store = Store::open(dir.path()).unwrap();
            let aside = store.set_aside().expect("it is set aside");
            assert_eq!(std::fs::read(aside).unwrap(), vec![byte; size]);
            store.commit("a", &[put("k", b"v")]).unwrap();
        }
    }
    let dir = tempfile::tempdir().unwrap();
    drop(Store::open(dir.path()).unwrap());
    assert!(Store::open(dir.path()).unwrap().set_aside().is_none());
}

#[test]
fn a_place_that_is_gone_is_said_until_it_is_back() {
    let dir = tempfile::tempdir().unwrap();
    let state = dir.path().join("state");
    let aside = dir.path().join("aside");
    let shared = Shared::open(&state).unwrap();
    shared.look();
    assert_eq!(*shared.trouble.borrow(), None);
    std::fs::rename(&state, &aside).unwrap();
    shared.look();
    let why = shared.trouble.borrow().clone().unwrap();
    assert!(why.contains("was removed or replaced"), "{why}");
    // A commit that works does not take the word back.
    shared.commit("a", &[put("k", b"v")]).unwrap();
    assert!(shared.trouble.borrow().is_some());
    assert!(matches!(
        Store::open(&state),
        Err(StoreError::Locked { .. })
    ));
    assert!(!state.exists(), "nothing was made");
    std::fs::rename(&aside, &state).unwrap();
    shared.look();
    assert_eq!(*shared.trouble.borrow(), None);
}
