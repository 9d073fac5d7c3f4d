//! Faults of the gateway.

use std::time::Duration;

use qq_emulator::actions::Act;
use serde_json::json;

use crate::support::{Bench, End, INTENTS, contents, names};

#[test]
fn drop_before_event_keeps_the_event_for_resume() {
    let mut bench = Bench::new();
    let (conn, session) = bench.login();
    bench.frames(conn);
    bench.fault("drop-before-event");
    bench.act(Act::c2c("alice", "unsent"));
    assert!(bench.frames(conn).is_empty());
    assert_eq!(bench.end(conn), Some(End::Cut));
    let conn = bench.resume(&session, 1);
    assert_eq!(contents(&bench.frames(conn)), ["unsent"]);
}

#[test]
fn drop_after_event_sends_it_first() {
    let mut bench = Bench::new();
    let (conn, _) = bench.login();
    bench.frames(conn);
    bench.fault("drop-after-event");
    bench.act(Act::c2c("alice", "sent"));
    assert_eq!(contents(&bench.frames(conn)), ["sent"]);
    assert_eq!(bench.end(conn), Some(End::Cut));
}

#[test]
fn op_7_is_followed_by_4009_if_the_bot_stays() {
    let mut bench = Bench::new();
    let (conn, session) = bench.login();
    bench.frames(conn);
    bench.fault("op7");
    assert_eq!(bench.frames(conn), [json!({"op": 7})]);
    bench.pass(Duration::from_secs(4));
    assert_eq!(bench.end(conn), None);
    bench.pass(Duration::from_secs(1));
    assert_eq!(bench.end(conn), Some(End::Closed(4009)));
    let conn = bench.resume(&session, 1);
    assert_eq!(names(&bench.frames(conn)), ["RESUMED"]);
}

#[test]
fn op_9_ends_the_session_unless_it_is_true() {
    for (form, frame, resumes) in [
        ("true", json!({"op": 9, "d": true}), true),
        ("false", json!({"op": 9, "d": false}), false),
        ("missing", json!({"op": 9}), false),
    ] {
        let mut bench = Bench::new();
        let (conn, session) = bench.login();
        bench.frames(conn);
        bench.fault(&format!("op9 {form}"));
        assert_eq!(bench.frames(conn), [frame]);
        assert_eq!(bench.end(conn), None, "the client must close");
        bench.gone(conn);
        let conn = bench.resume(&session, 1);
        assert_eq!(names(&bench.frames(conn)) == ["RESUMED"], resumes, "{form}");
    }
}

#[test]
fn a_lost_ack_is_lost_once() {
    let mut bench = Bench::new();
    let (conn, _) = bench.login();
    bench.frames(conn);
    bench.fault("lost-ack");
    bench.say(conn, &json!({"op": 1, "d": 1}));
    assert!(bench.frames(conn).is_empty());
    bench.say(conn, &json!({"op": 1, "d": 1}));
    assert_eq!(bench.frames(conn).len(), 1);
}

#[test]
fn messages_can_be_pushed_several_times_with_one_id_or_with_two() {
    let mut bench = Bench::new();
    let (conn, _) = bench.login();
    bench.frames(conn);
    bench.fault("triple");
    let id = bench.act(Act::c2c("alice", "thrice")).message_id.unwrap();
    let frames = bench.frames(conn);
    assert_eq!(frames.len(), 3);
    assert!(frames.iter().all(|frame| frame["d"]["id"] == id.as_str()));
    assert_eq!(
        bench
            .platform
            .ledger()
            .user_message(&id)
            .unwrap()
            .deliveries
            .len(),
        3
    );
    bench.fault("double-new-id");
    bench.act(Act::c2c("alice", "twice"));
    let frames = bench.frames(conn);
    assert_ne!(frames[0]["d"]["id"], frames[1]["d"]["id"]);
    assert_eq!(
        frames[0]["d"]["message_scene"],
        frames[1]["d"]["message_scene"]
    );
    bench.act(Act::c2c("alice", "once"));
    assert_eq!(bench.frames(conn).len(), 1);
}

#[test]
fn quiet_events_come_late_but_in_order() {
    let mut bench = Bench::new();
    let (conn, _) = bench.login();
    bench.frames(conn);
    bench.fault("quiet 30s");
    bench.act(Act::c2c("alice", "one"));
    bench.act(Act::c2c("alice", "two"));
    bench.pass(Duration::from_millis(29_999));
    assert!(bench.frames(conn).is_empty());
    bench.pass(Duration::from_millis(1));
    assert_eq!(contents(&bench.frames(conn)), ["one", "two"]);
}

#[test]
fn garbage_comes_in_every_kind_and_numbered_garbage_counts() {
    let mut bench = Bench::new();
    let (conn, _) = bench.login();
    bench.raw_frames();
    bench.fault("garbage");
    let raw = bench.raw_frames();
    assert_eq!(raw.len(), 10);
    assert!(raw.iter().any(|text| text.len() > 290_000));
    assert!(raw.iter().any(String::is_empty));
    assert_eq!(bench.end(conn), None);
    bench.act(Act::c2c("alice", "after"));
    let last = bench.frames(conn).pop().unwrap();
    assert_eq!(
        (&last["s"], &last["d"]["content"]),
        (&json!(6), &json!("after"))
    );
}

#[test]
fn a_fault_for_a_live_connection_waits_for_one() {
    let mut bench = Bench::new();
    bench.fault("drop x2");
    let first = bench.identify(INTENTS);
    assert_eq!(names(&bench.frames(first)), ["READY"]);
    assert_eq!(bench.end(first), Some(End::Cut));
    let second = bench.identify(INTENTS);
    assert_eq!(bench.end(second), Some(End::Cut));
    let third = bench.identify(INTENTS);
    assert_eq!(bench.end(third), None);
}

#[test]
fn logins_can_be_refused_and_hello_withheld() {
    let mut bench = Bench::new();
    bench.fault("login-close 4900");
    let conn = bench.identify(INTENTS);
    assert_eq!(bench.end(conn), Some(End::Closed(4900)));
    bench.fault("login-op9 false");
    let conn = bench.identify(INTENTS);
    assert_eq!(bench.frames(conn)[1], json!({"op": 9, "d": false}));
    bench.fault("no-hello");
    let conn = bench.open();
    assert!(bench.frames(conn).is_empty());
}

#[test]
fn resume_can_replay_too_much_and_sessions_can_be_forgotten() {
    let mut bench = Bench::new();
    let (conn, session) = bench.login();
    for text in ["one", "two", "three"] {
        bench.act(Act::c2c("alice", text));
    }
    bench.gone(conn);
    bench.fault("replay-extra 2");
    let conn = bench.resume(&session, 4);
    assert_eq!(contents(&bench.frames(conn)), ["two", "three"]);
    bench.gone(conn);
    bench.fault("forget-sessions");
    let conn = bench.resume(&session, 4);
    assert_eq!(bench.frames(conn)[1]["op"], 9);
}

#[test]
fn the_server_may_ask_for_a_heartbeat() {
    let mut bench = Bench::new();
    let (conn, _) = bench.login();
    bench.frames(conn);
    bench.fault("ask-heartbeat");
    assert_eq!(bench.frames(conn)[0]["op"], 1);
}
