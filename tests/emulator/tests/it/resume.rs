//! Resume: what was missed comes again, in order, then RESUMED.

use std::time::Duration;

use qq_emulator::actions::Act;
use qq_emulator::settings::LoginRefusal;
use serde_json::{Value, json};

use crate::support::{APP, Bench, End, contents, names};

#[test]
fn events_while_disconnected_are_replayed_before_resumed() {
    let mut bench = Bench::new();
    let (conn, session) = bench.login();
    bench.act(Act::c2c("alice", "one"));
    assert_eq!(contents(&bench.frames(conn)), ["one"]);
    bench.gone(conn);
    bench.act(Act::c2c("alice", "two"));
    bench.act(Act::c2c("alice", "three"));
    let conn = bench.resume(&session, 2);
    let frames = bench.frames(conn);
    assert_eq!(
        names(&frames),
        ["C2C_MESSAGE_CREATE", "C2C_MESSAGE_CREATE", "RESUMED"]
    );
    assert_eq!(contents(&frames), ["two", "three"]);
    assert_eq!(frames[3]["d"], "");
    let numbers: Vec<Value> = frames[1..].iter().map(|frame| frame["s"].clone()).collect();
    assert_eq!(numbers, [json!(3), json!(4), json!(5)]);
    bench.act(Act::c2c("alice", "four"));
    assert_eq!(bench.frames(conn)[0]["s"], 6);
}

#[test]
fn everything_after_the_given_number_is_replayed_even_if_it_was_sent_before() {
    let mut bench = Bench::new();
    let (conn, session) = bench.login();
    for text in ["one", "two", "three"] {
        bench.act(Act::c2c("alice", text));
    }
    let first = bench.frames(conn);
    bench.fault("drop");
    assert_eq!(bench.end(conn), Some(End::Cut));
    let conn = bench.resume(&session, 2);
    let again = bench.frames(conn);
    assert_eq!(contents(&again), ["two", "three"]);
    assert_eq!(again[1..3], first[1..3]);
}

#[test]
fn a_second_resume_does_not_replay_the_first_resumed() {
    let mut bench = Bench::new();
    let (conn, session) = bench.login();
    bench.gone(conn);
    let conn = bench.resume(&session, 1);
    assert_eq!(names(&bench.frames(conn)), ["RESUMED"]);
    bench.gone(conn);
    let conn = bench.resume(&session, 1);
    let frames = bench.frames(conn);
    assert_eq!(names(&frames), ["RESUMED"]);
    assert_eq!(frames[1]["s"], 3);
}

#[test]
fn an_unknown_session_gets_op_9_or_4006() {
    let mut bench = Bench::new();
    let conn = bench.resume("nowhere", 1);
    assert_eq!(bench.frames(conn)[1], json!({"op": 9, "d": false}));
    assert_eq!(bench.end(conn), None);
    bench.platform.gateway_settings_mut().unknown_session = LoginRefusal::Close(4006);
    let conn = bench.resume("nowhere", 1);
    assert_eq!(bench.end(conn), Some(End::Closed(4006)));
}

#[test]
fn a_number_that_was_never_given_is_closed_with_4007_and_ends_the_session() {
    let mut bench = Bench::new();
    let (conn, session) = bench.login();
    bench.gone(conn);
    let conn = bench.resume(&session, 2);
    assert_eq!(bench.end(conn), Some(End::Closed(4007)));
    let conn = bench.resume(&session, 1);
    assert_eq!(bench.frames(conn)[1]["op"], 9);
}

#[test]
fn a_stale_token_gets_op_9() {
    let mut bench = Bench::new();
    let (conn, session) = bench.login();
    bench.gone(conn);
    let old = format!("QQBot {}", bench.token());
    bench.fault("token-death");
    let conn = bench.open();
    let d = json!({"token": old, "session_id": session, "seq": 1});
    bench.say(conn, &json!({"op": 6, "d": d}));
    assert_eq!(bench.frames(conn)[1], json!({"op": 9, "d": false}));
    // The session itself is still there for a fresh token.
    let conn = bench.resume(&session, 1);
    assert_eq!(names(&bench.frames(conn)), ["RESUMED"]);
}

#[test]
fn a_bare_token_resumes_only_where_it_may() {
    let mut bench = Bench::new();
    let (conn, session) = bench.login();
    bench.gone(conn);
    let d = json!({"token": bench.token(), "session_id": session, "seq": 1});
    let conn = bench.open();
    bench.say(conn, &json!({"op": 6, "d": d}));
    assert_eq!(bench.frames(conn)[1], json!({"op": 9, "d": false}));
    bench.platform.gateway_settings_mut().bare_resume_token = true;
    let conn = bench.open();
    bench.say(conn, &json!({"op": 6, "d": d}));
    assert_eq!(names(&bench.frames(conn)), ["RESUMED"]);
    // An Identify needs its prefix in any case.
    let conn = bench.open();
    let d = json!({"token": bench.token(), "intents": 1});
    bench.say(conn, &json!({"op": 2, "d": d}));
    assert_eq!(bench.end(conn), Some(End::Closed(4004)));
}

#[test]
fn a_session_is_forgotten_after_its_time_without_a_socket() {
    let mut bench = Bench::new();
    let (conn, session) = bench.login();
    bench.gone(conn);
    bench.pass(Duration::from_secs(200));
    let conn = bench.resume(&session, 1);
    assert_eq!(names(&bench.frames(conn)), ["RESUMED"]);
    bench.gone(conn);
    bench.pass(Duration::from_secs(299));
    let conn = bench.resume(&session, 1);
    assert_eq!(names(&bench.frames(conn)), ["RESUMED"]);
    bench.gone(conn);
    bench.pass(Duration::from_secs(300));
    let conn = bench.resume(&session, 1);
    assert_eq!(bench.frames(conn)[1]["op"], 9);
}

#[test]
fn of_many_sessions_without_a_socket_the_oldest_are_forgotten() {
    let mut bench = Bench::with(|bot| bot.sessions.resumable = 2);
    let sessions: Vec<String> = (0..4)
        .map(|_| {
            let (conn, session) = bench.login();
            bench.gone(conn);
            bench.pass(Duration::from_secs(1));
            session
        })
        .collect();
    let resumes = |bench: &mut Bench, session: &str| {
        let conn = bench.resume(session, 1);
        let resumed = names(&bench.frames(conn)) == ["RESUMED"];
        bench.gone(conn);
        resumed
    };
    let kept: Vec<bool> = sessions
        .iter()
        .map(|session| resumes(&mut bench, session))
        .collect();
    assert_eq!(kept, [false, true, true, true]);
}

#[test]
fn resuming_a_session_that_has_a_socket_closes_that_one() {
    let mut bench = Bench::new();
    let (old, session) = bench.login();
    let new = bench.resume(&session, 1);
    assert_eq!(bench.end(old), Some(End::Closed(4009)));
    bench.act(Act::c2c("alice", "hi"));
    assert_eq!(contents(&bench.frames(new)), ["hi"]);
}

#[test]
fn closes_that_forbid_a_resume_end_the_session() {
    for (code, resumes) in [(4009, true), (4008, true), (4006, false), (4903, false)] {
        let mut bench = Bench::new();
        let (conn, session) = bench.login();
        bench.fault(&format!("close {code}"));
        assert_eq!(bench.end(conn), Some(End::Closed(code)));
        let conn = bench.resume(&session, 1);
        assert_eq!(names(&bench.frames(conn)) == ["RESUMED"], resumes, "{code}");
    }
}

#[test]
fn identifies_and_resumes_are_counted() {
    let mut bench = Bench::new();
    let (conn, session) = bench.login();
    bench.gone(conn);
    bench.resume(&session, 1);
    let stats = bench.platform.stats(&APP.into()).unwrap();
    assert_eq!(
        (stats.identifies, stats.resumes, stats.live_connections),
        (1, 1, 1)
    );
}
