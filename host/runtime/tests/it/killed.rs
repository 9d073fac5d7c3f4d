//! What a commit has returned for is there after kill -9.

use std::io::{BufRead, BufReader};
use std::process::{Command, Stdio};

use bytes::Bytes;
use prx_host::actor::Change;
use prx_host::store::Store;

/// Names the store's folder to the process that is to be killed.
const FOLDER: &str = "PRX_TEST_STORE";

/// Not a test by itself: what the process of the next one does.
#[test]
fn commits_until_it_is_killed() {
    let Some(folder) = std::env::var_os(FOLDER) else {
        return;
    };
    let store = Store::open(folder.as_ref()).unwrap();
    for n in 0u64.. {
        let put = |key: String| Change::Put {
            key,
            value: Bytes::from(vec![7; 200]),
        };
        store
            .commit("bot", &[put(format!("a{n}")), put(format!("b{n}"))])
            .unwrap();
        println!("committed {n}");
    }
}

#[test]
fn every_commit_that_returned_survives_a_kill() {
    let dir = tempfile::tempdir().unwrap();
    for round in 1..=3u64 {
        let mut child = Command::new(std::env::current_exe().unwrap())
            .args([
                "killed::commits_until_it_is_killed",
                "--exact",
                "--nocapture",
            ])
            .env(FOLDER, dir.path())
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        let lines = BufReader::new(child.stdout.take().unwrap()).lines();
        let numbers =
            lines.filter_map(|line| line.unwrap().strip_prefix("committed ")?.parse().ok());
        let last: u64 = numbers.take(300).last().unwrap();
        child.kill().unwrap();
        child.wait().unwrap();
        let store = Store::open(dir.path()).unwrap();
        assert!(store.set_aside().is_none());
        let entries = store.load("bot").unwrap();
        let has = |key: String| entries.iter().any(|entry| entry.key == key);
        assert!((0..=last).all(|n| has(format!("a{n}")) && has(format!("b{n}"))));
        assert_eq!(entries.len() % 2, 0, "a commit came apart");
        assert_eq!(u64::from(store.next_boot("bot").unwrap()), round);
    }
}
