//! A disk that takes nothing, and a state directory that goes away: messages are answered, and whoever asks is told.

use std::process::Command;

use crate::support::{Home, Line, Run, Said};

fn echoes(line: &mut Line<'_>, text: &str) {
    line.say(text);
    assert_eq!(line.hear(), format!("echo: {text}"));
}

/// Runs the channel where its store cannot be opened, as on a disk that takes nothing.
fn run_without_a_store(home: &Home) -> (Run, Line<'_>) {
    std::fs::create_dir_all(home.state().join("store.db")).unwrap();
    let run = home.begin(&["channel", "run"]);
    run.wait_for("nothing is stored since the start");
    let line = home.server.line();
    run.wait_for("running; SIGTERM");
    (run, line)
}

fn mend(home: &Home) {
    std::fs::remove_dir(home.state().join("store.db")).unwrap();
}

fn doctor(home: &Home) -> Said {
    home.ask(&["channel", "doctor", "bot"])
}

#[test]
fn a_start_without_a_store_answers_says_so_and_stores_when_it_can() {
    let home = Home::new();
    let (run, mut line) = run_without_a_store(&home);
    echoes(&mut line, "one");
    line.say("!put color blue");
    echoes(&mut line, "two");
    let status = home.ask(&["channel", "status", "bot"]);
    assert!(
        status.code == 1 && status.out.contains("[FAIL] store"),
        "{status:?}"
    );
    assert!(status.out.contains("(store-failing)"), "{status:?}");
    let json = home.json(&["channel", "status", "bot"]);
    assert!(json["host"]["not_stored"].is_string(), "{json}");
    let said = doctor(&home);
    assert_eq!(said.code, 1, "{said:?}");
    assert!(said.out.contains("nothing is being stored"), "{said:?}");
    assert!(
        said.out.lines().last().unwrap().contains("make room"),
        "{said:?}"
    );
    let all = home.ask(&["channel", "doctor"]);
    assert!(all.code == 1 && all.out.contains("unhealthy"), "{all:?}");
    mend(&home);
    run.wait_for("everything is stored");
    echoes(&mut line, "three");
    assert_eq!(doctor(&home).code, 0);
    run.kill();
    let (_run, mut line) = home.run();
    echoes(&mut line, "four");
    run_state(&home, "color");
}

/// A number of the channel's, as a monitoring reads it.
fn metric(address: &str, name: &str) -> String {
    use std::io::{Read, Write};
    let mut stream = std::net::TcpStream::connect(address).unwrap();
    let request = "GET /metrics HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n";
    stream.write_all(request.as_bytes()).unwrap();
    let mut numbers = String::new();
    stream.read_to_string(&mut numbers).unwrap();
    let line = numbers.lines().find(|line| line.starts_with(name));
    line.unwrap().rsplit(' ').next().unwrap().to_owned()
}

#[test]
fn a_monitoring_sees_that_nothing_is_stored() {
    let home = Home::new();
    home.write("metrics = \"0\"\n");
    std::fs::create_dir_all(home.state().join("store.db")).unwrap();
    let run = home.begin(&["channel", "run"]);
    let said = run.wait_for("numbers are at /metrics");
    let address = said.split("address=").nth(1).unwrap();
    let address = address.split_whitespace().next().unwrap();
    let _line = home.server.line();
    run.wait_for("running; SIGTERM");
    assert_eq!(metric(address, "prx_channel_not_stored{"), "1");
    mend(&home);
    run.wait_for("everything is stored");
    assert_eq!(metric(address, "prx_channel_not_stored{"), "0");
}

/// What the channel has stored has this key in it.
fn run_state(home: &Home, key: &str) {
    let (_, entries) = stored(home);
    assert!(entries.iter().any(|entry| entry == key), "{entries:?}");
}

/// How often the channel was started, and the keys that it has stored, from a copy of its files.
fn stored(home: &Home) -> (u32, Vec<String>) {
    let copy = tempfile::tempdir().unwrap();
    for file in ["store.db", "store.db-wal"] {
        // There may be no log.
        let _ = std::fs::copy(home.state().join(file), copy.path().join(file));
    }
    let store = prx_host::store::Store::open(copy.path()).unwrap();
    let entries = store.load("bot").unwrap().into_iter();
    let keys = entries.map(|entry| entry.key).collect();
    (store.next_boot("bot").unwrap() - 1, keys)
}

#[test]
fn a_store_that_was_not_read_is_left_as_it_is() {
    let home = Home::new();
    let (run, mut line) = home.run();
    line.say("!put color blue");
    echoes(&mut line, "one");
    run.terminate();
    assert!(run.end().0.success());
    let before = stored(&home);
    let aside = home.dir.path().join("aside.db");
    std::fs::rename(home.state().join("store.db"), &aside).unwrap();
    let (run, mut line) = run_without_a_store(&home);
    line.say("!put shape round");
    echoes(&mut line, "two");
    // A disk that was not there at the start, with a state of its own.
    mend(&home);
    std::fs::rename(&aside, home.state().join("store.db")).unwrap();
    assert_eq!(doctor(&home).code, 1, "only a restart takes it up");
    run.kill();
    assert_eq!(stored(&home), before);
    let (_run, mut line) = home.run();
    echoes(&mut line, "three");
    run_state(&home, "color");
}

/// A small disk of its own at the state directory; none where this user cannot have one.
struct SmallDisk<'a>(&'a Home);

impl<'a> SmallDisk<'a> {
    fn new(home: &'a Home) -> Option<Self> {
        std::fs::create_dir(home.state()).unwrap();
        let mounted = Command::new("mount")
            .args(["-t", "tmpfs", "-o", "size=1m,mode=0700", "tmpfs"])
            .arg(home.state())
            .status();
        if !mounted.is_ok_and(|status| status.success()) {
            println!("skipped: only root mounts a small disk");
            return None;
        }
        Some(Self(home))
    }

    fn fill(&self) {
        use std::io::Write;
        let mut filler = std::fs::File::create(self.0.state().join("filler")).unwrap();
        while filler.write_all(&[0; 4096]).is_ok() {}
        while filler.write_all(&[0]).is_ok() {}
    }

    fn remount(&self, how: &str) {
        let mut mount = Command::new("mount");
        let done = mount.args(["-o", how]).arg(self.0.state()).status();
        assert!(done.unwrap().success(), "{how}");
    }

    fn make_room(&self) {
        std::fs::remove_file(self.0.state().join("filler")).unwrap();
    }
}

impl Drop for SmallDisk<'_> {
    fn drop(&mut self) {
        let _ = Command::new("umount")
            .arg("-l")
            .arg(self.0.state())
            .status();
    }
}

#[test]
fn what_was_stored_before_the_disk_was_full_is_known_and_what_came_after_is_not_lost() {
    let home = Home::new();
    let Some(disk) = SmallDisk::new(&home) else {
        return;
    };
    let (run, mut line) = home.run();
    line.say("!put color blue");
    echoes(&mut line, "one");
    run.kill();
    disk.fill();
    let stopped = doctor(&home);
    assert!(
        stopped.code == 1 && stopped.out.contains("nothing is being stored"),
        "{stopped:?}"
    );
    let run = home.begin(&["channel", "run"]);
    let said = run.wait_for("nothing is stored since the start");
    assert!(said.contains("what was stored before is known"), "{said}");
    let mut line = home.server.line();
    run.wait_for("running; SIGTERM");
    line.say("!put shape round");
    echoes(&mut line, "two");
    assert_eq!(doctor(&home).code, 1);
    disk.make_room();
    run.wait_for("everything is stored");
    echoes(&mut line, "three");
    assert_eq!(doctor(&home).code, 0);
    run.kill();
    run_state(&home, "color");
    run_state(&home, "shape");
    let (_run, mut line) = home.run();
    echoes(&mut line, "four");
}

#[test]
fn a_disk_that_can_only_be_read_is_a_start_without_a_store() {
    let home = Home::new();
    let Some(disk) = SmallDisk::new(&home) else {
        return;
    };
    let (run, mut line) = home.run();
    line.say("!put color blue");
    echoes(&mut line, "one");
    run.kill();
    disk.remount("remount,ro");
    let stopped = doctor(&home);
    assert!(
        stopped.code == 1 && stopped.out.contains("nothing is being stored"),
        "{stopped:?}"
    );
    let run = home.begin(&["channel", "run"]);
    let said = run.wait_for("nothing is stored since the start");
    assert!(said.contains("what was stored before is known"), "{said}");
    let mut line = home.server.line();
    run.wait_for("running; SIGTERM");
    line.say("!put shape round");
    echoes(&mut line, "two");
    // The socket's file cannot be made there.
    let said = doctor(&home);
    assert!(
        said.code == 1 && said.out.contains("nothing is being stored"),
        "{said:?}"
    );
    disk.remount("remount,rw");
    run.wait_for("everything is stored");
    run.kill();
    run_state(&home, "color");
    run_state(&home, "shape");
}

#[test]
fn a_state_directory_that_goes_away_is_noticed_and_the_process_can_still_be_asked() {
    let home = Home::new();
    let (run, mut line) = home.run();
    let aside = home.dir.path().join("aside");
    std::fs::rename(home.state(), &aside).unwrap();
    run.wait_for("was removed or replaced while this process has it open");
    echoes(&mut line, "one");
    for replaced in [false, true] {
        if replaced {
            std::fs::create_dir(home.state()).unwrap();
        }
        let status = home.ask(&["channel", "status", "bot"]);
        assert!(status.out.contains("was removed or replaced"), "{status:?}");
        assert!(!status.out.contains("nothing runs here"), "{status:?}");
        let said = doctor(&home);
        assert!(
            said.code == 1 && said.out.contains("was removed or replaced"),
            "{said:?}"
        );
        // The folder is new, and the process is there all the same.
        let second = home.ask(&["channel", "run"]);
        assert!(
            second.code == 2 && second.err.contains("in use by another process (pid "),
            "{second:?}"
        );
    }
    std::fs::remove_dir_all(home.state()).unwrap();
    std::fs::rename(&aside, home.state()).unwrap();
    run.wait_for("everything is stored");
    assert_eq!(doctor(&home).code, 0);
}

#[test]
fn a_store_or_a_socket_that_is_removed_is_noticed_too() {
    let home = Home::new();
    let (run, mut line) = home.run();
    std::fs::remove_file(home.state().join("control.sock")).unwrap();
    let status = home.ask(&["channel", "status", "bot"]);
    assert_eq!(status.code, 0, "{status:?}");
    std::fs::remove_file(home.state().join("store.lock")).unwrap();
    let second = home.ask(&["channel", "run"]);
    assert!(
        second.err.contains("in use by another process"),
        "{second:?}"
    );
    std::fs::remove_file(home.state().join("store.db")).unwrap();
    run.wait_for("store.db was removed or replaced");
    echoes(&mut line, "one");
}

#[test]
fn a_store_that_is_no_database_is_set_aside_with_a_word_whatever_its_size() {
    let home = Home::new();
    std::fs::create_dir(home.state()).unwrap();
    for size in [0, 1, 100, 511, 512, 4096] {
        std::fs::write(home.state().join("store.db"), vec![0; size]).unwrap();
        let run = home.begin(&["channel", "run"]);
        run.wait_for("the store was damaged and is set aside");
        let mut line = home.server.line();
        echoes(&mut line, "one");
        run.kill();
        let aside = std::fs::read_dir(home.state()).unwrap().flatten();
        let aside: Vec<_> = aside
            .filter(|file| {
                file.file_name()
                    .to_string_lossy()
                    .starts_with("store.db.corrupt-")
            })
            .collect();
        assert_eq!(aside.len(), 1, "{size}");
        assert_eq!(aside[0].metadata().unwrap().len(), size as u64);
        std::fs::remove_file(aside[0].path()).unwrap();
        for file in ["store.db", "store.db-wal", "store.db-shm"] {
            let _ = std::fs::remove_file(home.state().join(file));
        }
    }
}
