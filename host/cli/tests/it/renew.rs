//! Another component takes over in a process that runs: by `reload`, by SIGHUP, and out of the folder. The
//! connection stays, and what was heard is still known.

use crate::support::{Home, Line};

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
