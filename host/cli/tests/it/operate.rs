//! An operator at work: a channel is run by the program, and asked by the program.

use std::io::Write;
use std::os::unix::fs::PermissionsExt;
use std::path::Path;
use std::process::Stdio;

use crate::support::{Home, KEY, Run, Said, write_private};

fn mode(path: &Path) -> u32 {
    std::fs::metadata(path).unwrap().permissions().mode() & 0o777
}

#[test]
fn a_running_channel_says_how_it_is() {
    let home = Home::new();
    let (run, mut line) = home.run();
    line.say("one");
    assert_eq!(line.hear(), "echo: one");
    let said = home.ask(&["channel", "status", "bot"]);
    assert_eq!(said.code, 0, "{said:?}");
    for part in [
        "[ok]   health",
        "ok: ready (ready)",
        "tiny 0.1.0",
        " of 16 MiB",
        "heard 1",
    ] {
        assert!(said.out.contains(part), "{part} is not in\n{}", said.out);
    }
    assert_eq!(said.out.lines().last(), Some("heard 1"));
    let json = home.json(&["channel", "status", "bot"]);
    assert_eq!(
        (&json["running"], &json["data"]["heard"]),
        (&true.into(), &1.into())
    );
    assert_eq!(json["host"]["health"]["level"], "ok");
    assert!(json["host"]["memory"]["bytes"].as_u64().unwrap() > 0);
    let all = home.ask(&["channel", "status"]);
    assert_eq!(
        (all.out.as_str(), all.code),
        ("[ok]   bot  ok: ready (ready)\n", 0)
    );
    // What broke is remembered, with when and where to look.
    line.say("!trap now");
    run.wait_for("the component broke");
    let said = home.ask(&["channel", "status", "bot"]);
    assert!(said.out.contains("told to trap: now"), "{}", said.out);
    assert!(said.out.contains("incidents/bot"), "{}", said.out);
    line.say("!stop");
    while line.hear() != "ok" {}
    let said = home.ask(&["channel", "status"]);
    assert!(
        said.code == 1 && said.out.starts_with("[FAIL] bot"),
        "{said:?}"
    );
}

#[test]
fn a_stopped_channel_is_described_from_its_store() {
    let home = Home::new();
    let said = home.ask(&["channel", "status", "bot"]);
    assert_eq!(said.code, 1);
    assert!(said.out.contains("nothing runs here"), "{}", said.out);
    assert!(said.out.contains("there is no store yet"), "{}", said.out);
    let (run, mut line) = home.run();
    line.say("!put color blue");
    line.say("x");
    assert_eq!(line.hear(), "echo: x");
    run.kill();
    let said = home.ask(&["channel", "status", "bot"]);
    assert!(
        said.out.contains("1 entries, 9 B; started 1 times"),
        "{}",
        said.out
    );
    assert_eq!(
        said.out.lines().last(),
        Some("start it with `prx channel run bot`")
    );
    for asked in [
        &["channel", "pair", "bot"][..],
        &["channel", "reload", "bot"],
        &["channel", "send", "bot", "peer", "hi"],
        &["channel", "forget", "bot", "somebody"],
    ] {
        let said = home.ask(asked);
        assert!(
            said.code == 1 && said.out.contains("nothing runs here"),
            "{said:?}"
        );
    }
    let json = home.json(&["channel", "status", "bot"]);
    assert_eq!(
        (&json["running"], &json["ok"]),
        (&false.into(), &false.into())
    );
    let listed = home.json(&["channel", "list"]);
    assert_eq!(listed["channels"][0]["running"], false);
    let other = home.ask(&["channel", "status", "bat"]);
    assert!(
        other.code == 2 && other.err.contains("the channels are: bot"),
        "{other:?}"
    );
}

#[test]
fn people_are_let_in_and_forgotten_in_the_channels_own_words() {
    let home = Home::new();
    let (_run, _line) = home.run();
    for (asked, says) in [
        (&["pair", "bot"][..], "PairList"),
        (&["pair", "bot", "list"], "PairList"),
        (&["pair", "bot", "approve", "7"], "PairApprove(\"7\")"),
        (&["pair", "bot", "deny", "7"], "PairDeny(\"7\")"),
        (&["pair", "bot", "revoke", "U"], "PairRevoke(\"U\")"),
        (&["forget", "bot", "U"], "forgotten  U"),
    ] {
        let asked: Vec<&str> = ["channel"].iter().chain(asked).copied().collect();
        let said = home.ask(&asked);
        assert!(
            said.code == 0 && said.out.contains(says),
            "{asked:?}: {said:?}"
        );
        assert_eq!(said.out.lines().last(), Some("done"));
    }
    let code = home.ask(&["channel", "pair", "bot", "code"]);
    assert_eq!(code.out, "[info] code  271828\nsend it to the bot\n");
}

#[test]
fn texts_and_files_are_sent() {
    let home = Home::new();
    let (_run, mut line) = home.run();
    let send = |more: &[&str]| {
        let all: Vec<&str> = ["channel", "send", "bot"]
            .iter()
            .chain(more)
            .copied()
            .collect();
        home.ask(&all)
    };
    let said = send(&["peer", "good morning"]);
    assert_eq!(
        (said.out.lines().last(), said.code),
        (Some("sent"), 0),
        "{said:?}"
    );
    assert_eq!(line.hear(), "to peer: good morning");
    let note = home.dir.path().join("note.txt");
    std::fs::write(&note, "a note").unwrap();
    send(&["peer", "look", "--file", note.to_str().unwrap()]);
    let heard = line.hear();
    assert!(heard.ends_with("note.txt a notelook"), "{heard}");
    let mut child = home
        .program(&["channel", "send", "bot", "peer", "-"])
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    child
        .stdin
        .take()
        .unwrap()
        .write_all(b"from a pipe\n")
        .unwrap();
    assert_eq!(Said::of_child(child).code, 0);
    assert_eq!(line.hear(), "to peer: from a pipe");
    let said = send(&["nobody", "hi"]);
    assert!(
        said.code == 1 && said.out.starts_with("[FAIL] target"),
        "{said:?}"
    );
    let said = send(&["peer", "--file", "/no/such/file"]);
    assert!(
        said.code == 2 && said.err.contains("/no/such/file cannot be sent"),
        "{said:?}"
    );
}

#[test]
fn a_changed_file_is_taken_up_by_the_process_that_runs() {
    let home = Home::new();
    let (_run, mut line) = home.run();
    let channel = |url: &str| format!("url = {url:?}\nkey = \"{KEY}2\"\n");
    let url = home.server.url();
    home.write_channel("", &channel(&url));
    let said = home.ask(&["channel", "reload", "bot"]);
    assert!(
        said.code == 0 && said.out.ends_with("in force\n"),
        "{said:?}"
    );
    line.say("!secret key");
    assert_eq!(line.hear(), format!(r#"{{"it is":"{KEY}2"}}"#));
    home.write_channel("", &channel(&format!("{url}refuse")));
    let said = home.ask(&["channel", "reload", "bot"]);
    assert!(
        said.code == 1 && said.out.contains("not to be used"),
        "{said:?}"
    );
    home.write_channel("", "url = 7\nkey = \"x\"\n");
    let said = home.ask(&["channel", "reload", "bot"]);
    assert!(
        said.code == 2 && said.err.contains("channels.toml:6: `url` must be a string"),
        "{said:?}"
    );
}

#[test]
fn the_doctor_asks_what_runs_and_examines_what_does_not() {
    let home = Home::new();
    let (run, mut line) = home.run();
    line.say("!put color blue");
    line.say("x");
    assert_eq!(line.hear(), "echo: x");
    let said = home.ask(&["channel", "doctor", "bot"]);
    assert!(
        said.code == 0 && said.out.contains("[ok]   server  connected"),
        "{said:?}"
    );
    run.kill();
    let state = |name: &str| std::fs::read(home.state().join(name)).unwrap_or_default();
    let names = || {
        let mut names: Vec<_> = std::fs::read_dir(home.state())
            .unwrap()
            .map(|entry| entry.unwrap().file_name())
            .collect();
        names.sort();
        names
    };
    // A process that was killed leaves its socket and its log behind; nobody is misled by them.
    let before = (state("store.db"), state("store.db-wal"), names());
    let said = home.ask(&["channel", "doctor", "bot"]);
    assert_eq!(
        said.out,
        "[info] stored  {\"color\": \"blue\"}\n[skip] server  not tested\nnothing to do\n"
    );
    assert_eq!(said.code, 0);
    assert!(!home.server.was_called());
    let closed = home.server.url();
    home.write_channel(
        "",
        &format!(
            "url = \"{}x\"\nkey = \"k\"\n",
            closed.replace("ws:", "wss:")
        ),
    );
    let said = home.ask(&["channel", "doctor", "bot", "--identify", "--json"]);
    let json: serde_json::Value = serde_json::from_str(&said.out).unwrap();
    assert_eq!(
        (said.code, &json["running"]),
        (1, &false.into()),
        "{said:?}"
    );
    assert_eq!(json["lines"][0]["fix"], "start the server");
    assert_eq!(json["summary"], "start the server");
    assert!(
        before == (state("store.db"), state("store.db-wal"), names()),
        "something was written"
    );
    // A mistake in the file is the operator's.
    home.write_channel("", "url = \"ws://127.0.0.1:1/refuse\"\nkey = \"k\"\n");
    let said = home.ask(&["channel", "doctor", "bot"]);
    assert!(
        said.code == 2
            && said
                .err
                .contains("channels.toml:6: [channels_config.bot] url"),
        "{said:?}"
    );
}

#[test]
fn the_doctor_of_all_has_a_line_for_each_and_a_line_of_totals() {
    let home = Home::new();
    home.write_channel(
        "",
        "url = \"ws://127.0.0.1:1/\"\nkey = \"k\"\n[channels_config.ill]\nplugin = \"tiny\"\nurl = \"ws://127.0.0.1:1/refuse\"\nkey = \"k\"\n[channels_config.other]\n",
    );
    let said = home.ask(&["channel", "doctor"]);
    let lines: Vec<&str> = said.out.lines().collect();
    assert_eq!(lines[0], "[ok]   bot  healthy");
    assert!(lines[1].starts_with("[FAIL] ill  unhealthy: "), "{said:?}");
    assert!(
        lines[2].starts_with("Summary: 1 healthy, 1 unhealthy, 0 timed out"),
        "{said:?}"
    );
    assert_eq!(said.code, 1);
    let json = home.json(&["channel", "doctor"]);
    assert_eq!(json["channels"][1]["state"], "unhealthy");
}

#[test]
fn a_file_may_be_named_from_the_folder_that_it_is_in() {
    let home = Home::new();
    let here = |arguments: &[&str]| {
        let mut program = home.program(arguments);
        program
            .args(["--config", "channels.toml"])
            .current_dir(home.dir.path());
        program
    };
    let run = Run::of(here(&["channel", "run"]));
    let _line = home.server.line();
    run.wait_for("running; SIGTERM");
    let said = Said::of(here(&["channel", "status"]).output().unwrap());
    assert_eq!(said.code, 0, "{said:?}");
    run.kill();
    let said = Said::of(here(&["channel", "status", "bot"]).output().unwrap());
    let last = "start it with `prx channel run bot --config channels.toml`";
    assert_eq!(said.out.lines().last(), Some(last), "{said:?}");
}

#[test]
fn the_language_follows_the_locale_and_the_name_the_program() {
    let home = Home::new();
    let link = home.dir.path().join("prx-channel");
    std::os::unix::fs::symlink(env!("CARGO_BIN_EXE_prx"), &link).unwrap();
    let mut program = home.program_at(&link, &["status", "bot"]);
    let said = program.env("LC_ALL", "zh_CN.UTF-8").output().unwrap();
    let said = String::from_utf8(said.stdout).unwrap();
    assert!(said.contains("这里没有正在运行的进程"), "{said}");
    assert!(said.ends_with("用 `prx-channel run bot` 启动\n"), "{said}");
}

#[test]
fn sigterm_delivers_what_is_under_way_and_begins_nothing_new() {
    let home = Home::new();
    let (run, mut line) = home.run();
    line.say("/slow 1");
    line.say("!state");
    assert!(line.hear().starts_with("heard 2"));
    run.terminate();
    assert_eq!(line.hear(), "draining");
    line.say("too late");
    assert_eq!(line.hear(), "echo: /slow 1 (after 1 s)");
    assert_eq!(line.hear(), "drained");
    line.say("!drained");
    assert_eq!(line.hear(), "<closed>");
    let (status, log) = run.end();
    assert_eq!(status.code(), Some(0), "{log:?}");
    assert!(!home.state().join("control.sock").exists());
    let (_again, mut line) = home.run();
    assert_eq!(line.hear(), "echo: too late");
}

#[test]
fn what_does_not_end_in_time_is_taken_up_at_the_next_start() {
    let home = Home::new();
    home.write("drain_seconds = 0\n");
    let (run, mut line) = home.run();
    line.say("/slow 600");
    line.say("!state");
    assert!(line.hear().starts_with("heard 2"));
    run.terminate();
    let (status, log) = run.end();
    assert_eq!(status.code(), Some(0));
    let told = log
        .iter()
        .any(|line| line.contains("taken up at the next start"));
    assert!(told, "{log:?}");
    let (_again, _line) = home.run();
    let json = home.json(&["channel", "status", "bot"]);
    assert_eq!(json["host"]["now"]["turns"], 1);
}

#[test]
fn a_log_line_is_an_object_with_time_level_and_message() {
    let home = Home::new();
    home.write("metrics = \"0\"\n");
    let run = home.begin(&["channel", "run", "--log", "json"]);
    let line = run.wait_for("numbers are at /metrics");
    let json: serde_json::Value = serde_json::from_str(&line).unwrap();
    assert_eq!(json["level"], "INFO");
    assert!(json["timestamp"].as_str().unwrap().ends_with('Z'));
    assert!(json["message"].as_str().unwrap().contains("/healthz"));
    assert!(json["address"].as_str().unwrap().starts_with("127.0.0.1:"));
    let _line = home.server.line();
    for line in [
        run.wait_for("opening a socket"),
        run.wait_for("running; SIGTERM"),
    ] {
        let json: serde_json::Value = serde_json::from_str(&line).unwrap();
        assert!(
            json["timestamp"].is_string() && json["level"] == "INFO",
            "{line}"
        );
    }
}

#[test]
fn socket_store_and_incidents_are_the_owners_alone() {
    let home = Home::new();
    let (run, mut line) = home.run();
    line.say("!trap now");
    run.wait_for("the component broke");
    let state = home.state();
    assert_eq!(mode(&state), 0o700);
    for file in ["control.sock", "store.db", "store.db-wal", "store.lock"] {
        assert_eq!(mode(&state.join(file)), 0o600, "{file}");
    }
    let incidents = state.join("incidents/bot");
    assert_eq!(mode(&incidents), 0o700);
    let report = std::fs::read_dir(incidents)
        .unwrap()
        .next()
        .unwrap()
        .unwrap();
    assert_eq!(mode(&report.path()), 0o600);
}

#[test]
fn a_second_process_is_refused_and_the_first_one_goes_on() {
    let home = Home::new();
    let (_run, mut line) = home.run();
    let said = home.ask(&["channel", "run"]);
    assert!(
        said.code == 2 && said.err.contains("is in use by another process (pid "),
        "{said:?}"
    );
    line.say("still there?");
    assert_eq!(line.hear(), "echo: still there?");
    assert_eq!(home.ask(&["channel", "status"]).code, 0);
}

#[test]
fn keys_that_the_daemon_would_refuse_are_named_in_its_own_file_only() {
    let home = Home::new();
    let url = home.server.url();
    let daemon = home.dir.path().join("config.toml");
    let text = format!(
        "provider = \"x\"\n[channels_config.bot]\nplugin = \"tiny\"\nurl = {url:?}\nkey = \"k\"\n"
    );
    write_private(&daemon, &text);
    let said = home.ask(&["config", "check"]);
    assert_eq!(said.code, 0, "{said:?}");
    assert_eq!(said.out, "[channels_config.bot] is good\n");
    let warnings: Vec<&str> = said.err.lines().collect();
    assert_eq!(warnings.len(), 2, "{said:?}");
    let shown = daemon.display();
    assert!(warnings[0].starts_with(&format!(
        "warning: {shown}:3: PRX 0.8.32 does not know `plugin`"
    )));
    assert!(warnings[1].starts_with(&format!(
        "warning: {shown}:5: PRX 0.8.32 does not know `key`"
    )));
}

#[test]
fn numbers_for_everybody_are_allowed_with_a_warning() {
    let home = Home::new();
    for (written, code, says) in [
        ("9310", 0, ""),
        ("127.0.0.1:9310", 0, ""),
        ("[::1]:9310", 0, ""),
        ("0.0.0.0:9310", 0, "is not on loopback"),
        ("9310x", 2, "is no address with a port"),
    ] {
        home.write(&format!("metrics = {written:?}\n"));
        let said = home.ask(&["config", "check"]);
        assert_eq!(said.code, code, "{said:?}");
        assert!(
            said.err.contains(says) && said.err.is_empty() == says.is_empty(),
            "{said:?}"
        );
    }
}
