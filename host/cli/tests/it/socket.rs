//! The control socket, from the side of whoever asks.

use std::collections::BTreeMap;
use std::os::unix::fs::PermissionsExt;
use std::os::unix::net::{UnixListener, UnixStream};
use std::os::unix::process::CommandExt;
use std::path::PathBuf;
use std::process::Stdio;

use rustix::process::{Pid, Resource, Rlimit, prlimit};

use crate::support::{Home, Run};

#[test]
fn silent_connections_do_not_keep_the_operator_out() {
    let home = Home::new();
    let (_run, _line) = home.run();
    let socket = home.state().join("control.sock");
    let silent: Vec<_> = (0..40)
        .map(|_| UnixStream::connect(&socket).unwrap())
        .collect();
    for _ in 0..3 {
        let said = home.ask(&["channel", "status"]);
        assert_eq!((said.code, said.err.as_str()), (0, ""), "{said:?}");
    }
    drop(silent);
}

/// The file descriptors of a process: what each of them is.
fn descriptors(run: &Run) -> BTreeMap<u64, PathBuf> {
    let folder = PathBuf::from(format!("/proc/{}/fd", run.pid()));
    let open = std::fs::read_dir(&folder).unwrap().flatten();
    let named = open.filter_map(|fd| {
        let number = fd.file_name().to_str()?.parse().ok()?;
        Some((number, std::fs::read_link(fd.path()).ok()?))
    });
    named.collect()
}

#[test]
fn a_process_without_a_free_file_descriptor_can_be_asked() {
    let home = Home::new();
    let (run, _line) = home.run();
    let all = descriptors(&run);
    let is_reserve = |path: &PathBuf| path.as_os_str() == "/dev/null";
    let reserve = all.iter().rfind(|(_, path)| is_reserve(path)).unwrap();
    let limit = reserve.0 + 1;
    let pid = Pid::from_raw(i32::try_from(run.pid()).unwrap());
    let none = Rlimit {
        current: Some(limit),
        maximum: Some(limit),
    };
    prlimit(pid, Resource::Nofile, none).unwrap();
    // The free ones below are taken by connections, fewer than there are places.
    let taken = || descriptors(&run).range(..limit).count() as u64;
    let free = limit - taken();
    assert!(free < 15, "{free} are free");
    let socket = home.state().join("control.sock");
    let connect = |_| UnixStream::connect(&socket).unwrap();
    let silent: Vec<_> = (0..free).map(connect).collect();
    while taken() < limit {
        std::thread::yield_now();
    }
    for _ in 0..3 {
        let said = home.ask(&["channel", "status", "bot"]);
        assert_eq!(said.code, 0, "{said:?}");
    }
    drop(silent);
}

#[test]
fn the_file_limit_is_raised_to_what_the_system_allows() {
    let home = Home::new();
    let prx = env!("CARGO_BIN_EXE_prx");
    let mut program = home.program_at("sh".as_ref(), &["-c"]);
    program.arg(format!("ulimit -S -n 200; exec {prx} channel run"));
    let run = Run::of(program);
    let _line = home.server.line();
    run.wait_for("running; SIGTERM");
    let limits = std::fs::read_to_string(format!("/proc/{}/limits", run.pid())).unwrap();
    let line = limits
        .lines()
        .find(|line| line.starts_with("Max open files"))
        .unwrap();
    let mut numbers = line.split_whitespace().skip(3);
    assert_eq!(numbers.next(), numbers.next(), "{line}");
}

/// Not a test: another user's process, which listens where the bot should and keeps what it hears.
#[test]
#[ignore = "run by the test of another user's socket"]
fn another_users_socket() {
    use std::io::Read;
    let Some(path) = std::env::var_os("PRX_TEST_SOCKET") else {
        return;
    };
    let listener = UnixListener::bind(&path).unwrap();
    std::fs::set_permissions(&path, std::fs::Permissions::from_mode(0o777)).unwrap();
    println!("ready");
    let (mut stream, _) = listener.accept().unwrap();
    let mut heard = String::new();
    stream.read_to_string(&mut heard).unwrap();
    println!("heard {heard:?}");
}

#[test]
fn nothing_is_sent_to_another_users_process() {
    use std::io::{BufRead, BufReader};
    let home = Home::new();
    std::fs::create_dir(home.state()).unwrap();
    let theirs = std::env::temp_dir().join(format!("prx-test-{}.sock", std::process::id()));
    let mut stranger = std::process::Command::new(std::env::current_exe().unwrap());
    stranger
        .args([
            "--ignored",
            "--exact",
            "socket::another_users_socket",
            "--nocapture",
        ])
        .env("PRX_TEST_SOCKET", &theirs)
        .stdout(Stdio::piped())
        .uid(4711);
    let Ok(mut stranger) = stranger.spawn() else {
        println!("skipped: only root starts a process of another user");
        return;
    };
    let mut said = BufReader::new(stranger.stdout.take().unwrap()).lines();
    let ready = said.find(|line| line.as_ref().is_ok_and(|line| line.ends_with("ready")));
    assert!(ready.is_some());
    std::os::unix::fs::symlink(&theirs, home.state().join("control.sock")).unwrap();
    let asked = home.ask(&["channel", "send", "bot", "peer", "secret text"]);
    let _ = std::fs::remove_file(&theirs);
    assert!(
        asked.code == 1 && asked.err.contains("is served by a process of user 4711"),
        "{asked:?}"
    );
    let heard = said.find_map(|line| line.ok().filter(|line| line.contains("heard ")));
    assert!(heard.unwrap().ends_with("heard \"\""));
    stranger.wait().unwrap();
}
