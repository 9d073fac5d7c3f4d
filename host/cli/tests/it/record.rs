//! `record` and `replay`, as typed.

use std::path::Path;
use std::time::{Duration, Instant};

use crate::support::{Home, Line};

/// Waits until a file has a line with this in it.
fn written(file: &Path, text: &str) {
    let until = Instant::now() + Duration::from_secs(60);
    while !std::fs::read_to_string(file).is_ok_and(|all| all.contains(text)) {
        assert!(Instant::now() < until, "{text:?} is not written");
        std::thread::sleep(Duration::from_millis(20));
    }
}

fn echoes(line: &mut Line<'_>, text: &str) {
    line.say(text);
    assert_eq!(line.hear(), format!("echo: {text}"));
}

/// Records while something is said; the file's name.
fn recorded(home: &Home, line: &mut Line<'_>, more: &[&str]) -> String {
    let file = home.dir.path().join("a.trace").display().to_string();
    let mut words = vec!["channel", "record", "bot", "--out", &file];
    words.extend(more);
    let recorder = home.begin(&words);
    echoes(line, "before anybody records");
    written(Path::new(&file), "\"start\"");
    for n in 0..5 {
        echoes(line, &format!("Zanzibar {n}"));
    }
    // Events in the file lag behind; a command marks the end.
    home.ask(&["channel", "status", "bot"]);
    written(Path::new(&file), "Status");
    recorder.signal("-INT");
    let (status, _) = recorder.end();
    assert!(status.success());
    file
}

#[test]
fn a_recording_runs_again_and_shows_what_differs() {
    let home = Home::new();
    let (_run, mut line) = home.run();
    let file = recorded(&home, &mut line, &[]);
    let text = std::fs::read_to_string(&file).unwrap();
    assert!(text.contains("Zanzibar 4"));
    let said = home.ask(&["channel", "replay", &file]);
    assert_eq!(said.code, 0, "{said:?}");
    assert!(
        said.out
            .contains("events were answered as in the recording"),
        "{}",
        said.out
    );
    // With another build of it.
    let other = home.dir.path().join("other.wasm");
    std::fs::write(&other, Home::build(1)).unwrap();
    let said = home.ask(&[
        "channel",
        "replay",
        &file,
        "--component",
        other.to_str().unwrap(),
    ]);
    assert!(
        said.code == 0 && said.out.contains("run with another component"),
        "{said:?}"
    );
    // One that answered otherwise: the field is named, with both values.
    let (answered, changed) = (
        "\"payload\":[{\"Text\":\"echo: Zanzibar 2\"",
        "\"payload\":[{\"Text\":\"echo: Sansibar 2\"",
    );
    assert!(text.contains(answered));
    std::fs::write(&file, text.replace(answered, changed)).unwrap();
    let json = home.json(&["channel", "replay", &file]);
    let field = &json["difference"]["fields"][0];
    assert!(
        field["path"].as_str().unwrap().starts_with("effects["),
        "{json}"
    );
    assert!(
        field["recorded"].as_str().unwrap().contains("Sansibar 2"),
        "{json}"
    );
    assert!(
        field["replayed"].as_str().unwrap().contains("Zanzibar 2"),
        "{json}"
    );
    let said = home.ask(&["channel", "replay", &file, "--until", "2"]);
    assert_eq!(said.code, 0, "it differs later: {said:?}");
    let said = home.ask(&["channel", "replay", &file]);
    assert!(
        said.code == 1 && said.out.contains("differs at event"),
        "{said:?}"
    );
}

#[test]
fn a_redacted_recording_has_no_words_and_runs_again_all_the_same() {
    let home = Home::new();
    let (_run, mut line) = home.run();
    let file = recorded(&home, &mut line, &["--redact"]);
    let text = std::fs::read_to_string(&file).unwrap();
    assert!(
        !text.contains("Zanzibar") && !text.contains("anybody"),
        "{text}"
    );
    assert!(text.contains("Xxxxxxxx 0"));
    let said = home.ask(&["channel", "replay", &file]);
    assert_eq!(said.code, 0, "{said:?}");
}

#[test]
fn mistakes_about_recordings_are_one_sentence_each() {
    let home = Home::new();
    let file = home.dir.path().join("x.trace").display().to_string();
    let said = home.ask(&["channel", "record", "bot", "--out", &file]);
    assert!(
        said.code == 1 && said.out.contains("nothing runs here"),
        "{said:?}"
    );
    let (_run, _line) = home.run();
    std::fs::write(&file, "not a trace\n").unwrap();
    let said = home.ask(&["channel", "record", "bot", "--out", &file]);
    assert!(
        said.code == 2 && said.err.contains("choose a file that can be made"),
        "{said:?}"
    );
    let said = home.ask(&["channel", "replay", &file]);
    assert!(
        said.code == 2 && said.err.contains("has no beginning"),
        "{said:?}"
    );
    let said = home.ask(&["channel", "replay", &format!("{file}.gone")]);
    assert!(
        said.code == 2 && said.err.contains("x.trace.gone"),
        "{said:?}"
    );
}
