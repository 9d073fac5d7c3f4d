//! What a component writes is shown, and moves no cursor and begins no line: not on the terminal, not in the log.

use crate::support::{Home, Said, hostile, write_private};

/// A channel of a component that writes what a terminal would act on; see `tests/fixtures/hostile`.
fn home() -> Home {
    let home = Home::new();
    hostile("words", &home.dir.path().join("plugins/hostile"));
    let toml = format!(
        "[host]\nplugin_dir = \"plugins\"\nproxy = \"none\"\nwatch_plugins = false\n[channels_config.bot]\nplugin = \"hostile\"\nurl = {:?}\nkey = \"k\"\n",
        home.server.url()
    );
    write_private(&home.dir.path().join("channels.toml"), &toml);
    home
}

fn assert_plain(text: &str) {
    let plain = |c: char| c == '\n' || (!c.is_control() && !"\u{202e}\u{200b}\u{2028}".contains(c));
    assert!(text.chars().all(plain), "{text:?}");
    for line in text.lines() {
        assert!(!line.starts_with("2026-01-01T00:00:00Z"), "{text}");
    }
}

#[test]
fn on_the_terminal_it_is_an_escape() {
    let home = home();
    let (_run, mut line) = home.run();
    line.say("go");
    assert_eq!(line.hear(), "ok");
    for asked in [
        &["channel", "status", "bot"][..],
        &["channel", "status"],
        &["channel", "list"],
        &["channel", "doctor", "bot"],
        &["channel", "doctor"],
        &["channel", "pair", "bot"],
        &["channel", "pair", "bot", "code"],
        &["channel", "pair", "bot", "approve", "7"],
        &["channel", "send", "bot", "peer", "hi"],
        &["channel", "forget", "bot", "U"],
        &["channel", "reload", "bot"],
        &["plugin", "inspect", "hostile"],
        &["plugin", "verify", "hostile"],
        &[
            "plugin", "check", "hostile", "--seeds", "1", "--events", "20",
        ],
    ] {
        let said: Said = home.ask(asked);
        assert_plain(&said.out);
        assert_plain(&said.err);
        let mut all = asked.to_vec();
        all.push("--json");
        let said = home.ask(&all);
        assert_plain(&said.out);
        assert_plain(&said.err);
    }
    let said = home.ask(&["channel", "pair", "bot"]);
    let shown = "x\\u{1b}[2J\\u{1b}]0;title\\u{7}";
    assert_eq!(said.out.matches(shown).count(), 5, "{said:?}");
    assert!(
        said.out
            .contains("\\r\\n2026-01-01T00:00:00Z  INFO forged line\\u{202e}\\u{9b}31m")
    );
}

#[test]
fn in_the_log_it_stays_on_its_line() {
    let home = home();
    let mut program = home.program(&["channel", "run"]);
    program.env("RUST_LOG", "debug");
    let run = crate::support::Run::of(program);
    let mut line = home.server.line();
    run.wait_for("running; SIGTERM");
    line.say("go");
    assert_eq!(line.hear(), "ok");
    run.terminate();
    let (_, log) = run.end();
    let forged: Vec<&String> = log
        .iter()
        .filter(|line| line.contains("forged line"))
        .collect();
    assert!(forged.len() >= 5, "four lines and the health: {log:#?}");
    for line in &log {
        assert_plain(line);
    }
}
