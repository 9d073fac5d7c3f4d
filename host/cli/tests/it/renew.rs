//! Another component takes over in a process that runs: by `reload`, by SIGHUP, and out of the folder. The
//! connection stays, and what was heard is still known.

use crate::support::{Home, Line, hostile};

fn echoes(line: &mut Line<'_>, text: &str) {
    line.say(text);
    assert_eq!(line.hear(), format!("echo: {text}"));
}

#[test]
fn reload_brings_the_plugin_that_was_put_into_its_folder() {
    let home = Home::new();
    home.write("watch_plugins = false\n");
    let (run, mut line) = home.run();
    echoes(&mut line, "one");
    home.install(&Home::build(1));
    let said = home.ask(&["channel", "reload", "bot"]);
    assert_eq!(said.code, 0, "{said:?}");
    let took_over = "tiny 0.1.0 took over from 0.1.0 as generation 2, after a pause of ";
    assert!(said.out.contains(took_over), "{}", said.out);
    run.wait_for("another component took over");
    echoes(&mut line, "two");
    let status = home.ask(&["channel", "status", "bot"]).out;
    for part in [
        "generation 2; 0.1.0 took over from 0.1.0",
        "after a pause of",
        "heard 2",
        "(sha256 ",
    ] {
        assert!(status.contains(part), "{part} is not in\n{status}");
    }
    let json = home.json(&["channel", "status", "bot"]);
    assert_eq!(json["host"]["generation"], 2);
    assert!(
        json["host"]["last_swap"]["end"]["took-over"]["pause_us"]
            .as_u64()
            .is_some(),
        "{json}"
    );
    // Once more, with nothing new in the folder: only the configuration is read.
    let said = home.ask(&["channel", "reload", "bot"]);
    assert!(
        said.code == 0 && !said.out.contains("took over"),
        "{said:?}"
    );
    echoes(&mut line, "three");
}

#[test]
fn sighup_does_what_reload_does() {
    let home = Home::new();
    home.write("watch_plugins = false\n");
    let (run, mut line) = home.run();
    home.install(&Home::build(1));
    run.signal("-HUP");
    run.wait_for("SIGHUP: plugins and configuration are read again");
    run.wait_for("another component took over");
    echoes(&mut line, "still here");
}

#[test]
fn a_plugin_that_changes_in_its_folder_takes_over_by_itself() {
    let home = Home::new();
    let (run, mut line) = home.run();
    for number in 1..4 {
        home.install(&Home::build(number));
        run.wait_for("another component took over");
        echoes(&mut line, "still here");
    }
}

#[test]
fn what_is_no_component_of_this_plugin_changes_nothing_and_the_reason_is_said() {
    let home = Home::new();
    home.write("watch_plugins = false\n");
    let (_run, mut line) = home.run();
    let good = Home::build(1);
    let cut = &good[..good.len() / 2];
    for (wasm, says) in [
        (cut, "not a valid wasm component"),
        (b"hello".as_slice(), "not a valid wasm component"),
    ] {
        home.install(wasm);
        let said = home.ask(&["channel", "reload", "bot"]);
        assert!(said.code != 0 && said.err.contains(says), "{said:?}");
        echoes(&mut line, "still here");
    }
    let status = home.json(&["channel", "status", "bot"]);
    assert_eq!(status["host"]["generation"], 1);
    home.install(&good);
    assert_eq!(home.ask(&["channel", "reload", "bot"]).code, 0);
    echoes(&mut line, "the good one");
}

#[test]
fn one_that_breaks_soon_after_is_sent_back_and_the_message_is_answered() {
    let home = Home::new();
    home.write("watch_plugins = false\n");
    let (run, mut line) = home.run();
    home.install(&Home::build(1));
    assert_eq!(home.ask(&["channel", "reload", "bot"]).code, 0);
    // Both builds break at it: the new one is sent back, the event is to blame, and the bot goes on.
    line.say("!trap now");
    run.wait_for("the component that had taken over broke; the one before goes on");
    assert!(line.hear().starts_with("skipped socket-text"));
    echoes(&mut line, "still here");
    let status = home.ask(&["channel", "status", "bot"]).out;
    assert!(
        status.contains("generation 3; 0.1.0 goes on in the place of 0.1.0, which broke"),
        "{status}"
    );
}

#[test]
fn a_hostile_candidate_is_refused_for_its_own_reason_and_nobody_notices() {
    let home = Home::new();
    let folder = home.dir.path().join("plugins/hostile");
    // Without a marker it misbehaves in no way.
    hostile("", &folder);
    let toml = format!(
        "[host]\nplugin_dir = \"plugins\"\nproxy = \"none\"\nwatch_plugins = false\n[channels_config.bot]\nplugin = \"hostile\"\nurl = {:?}\nkey = \"k\"\n",
        home.server.url()
    );
    std::fs::write(home.dir.path().join("channels.toml"), toml).unwrap();
    let (_run, mut line) = home.run();
    let mut heard = 0;
    for (how, says) in [
        ("describe", "does not say what it is"),
        ("start", "broke when it was to start"),
        ("liar", "broke when it was to start"),
        (
            "newer",
            "writes state version 1, and the candidate reads 2 to 2",
        ),
        ("inventory", "broke when it was to say what it counts on"),
        ("forgets", "counts on other sockets than the host holds"),
    ] {
        hostile(how, &folder);
        let said = home.ask(&["channel", "reload", "bot"]);
        let text = format!("{}{}", said.out, said.err);
        assert!(said.code != 0 && text.contains(says), "{how}: {said:?}");
        heard += 1;
        line.say("still here");
        assert_eq!(line.hear(), format!("heard {heard}"), "{how}");
    }
    assert_eq!(
        home.json(&["channel", "status", "bot"])["host"]["generation"],
        1
    );
}

#[test]
fn an_unsigned_candidate_is_refused_where_keys_are_trusted() {
    let home = Home::new();
    home.write("watch_plugins = false\n");
    let key = home.dir.path().join("release.key").display().to_string();
    let made = home.ask(&["plugin", "keygen", &key]);
    assert_eq!(made.code, 0, "{made:?}");
    let public = made.out.trim().to_owned();
    let plugins = home.dir.path().join("plugins").display().to_string();
    let pack = [
        "plugin",
        "pack",
        "tiny",
        "--out",
        &plugins,
        "--sign-with",
        &key,
    ];
    assert_eq!(home.ask(&pack).code, 0);
    home.write(&format!(
        "watch_plugins = false\ntrusted_keys = [{public:?}]\n"
    ));
    let (_run, mut line) = home.run();
    home.install(&Home::build(1));
    let said = home.ask(&["channel", "reload", "bot"]);
    assert!(said.code == 2 && said.err.contains("plugin"), "{said:?}");
    echoes(&mut line, "still here");
    assert_eq!(home.ask(&pack).code, 0);
    let said = home.ask(&["channel", "reload", "bot"]);
    assert!(said.code == 0 && said.out.contains("took over"), "{said:?}");
    echoes(&mut line, "and here");
}
