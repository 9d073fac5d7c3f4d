//! Messages that answer no message: refused, allowed, or answering an event.

use std::time::Duration;

use qq_emulator::actions::Act;
use qq_emulator::ledger::Violation;
use qq_emulator::settings::Proactive;
use serde_json::{Value, json};

use crate::support::{Bench, code, names};

fn post(bench: &mut Bench, path: &str, body: &Value) -> u64 {
    code(&bench.post(path, body).unwrap())
}

#[test]
fn proactive_messages_are_refused_unless_allowed_and_wanted() {
    let mut bench = Bench::new();
    let (_, path) = bench.asked(Act::c2c("alice", "hi"));
    let text = json!({"content": "x"});
    assert_eq!(post(&mut bench, &path, &text), 40_034_105);
    assert_eq!(bench.violations(), [Violation::ProactiveRefused]);
    let mut bench = Bench::with(|bot| bot.messages.proactive = Proactive::Allowed);
    let (_, path) = bench.asked(Act::c2c("alice", "hi"));
    assert_eq!(post(&mut bench, &path, &text), 0);
    bench.act(Act::RejectMessages {
        user: "alice".into(),
    });
    assert_eq!(post(&mut bench, &path, &text), 40_054_013);
    bench.act(Act::AcceptMessages {
        user: "alice".into(),
    });
    assert_eq!(post(&mut bench, &path, &text), 0);
}

#[test]
fn an_event_can_be_answered_by_its_outer_id_only() {
    let mut bench = Bench::with(|bot| bot.messages.event_id_lag = Duration::from_secs(1));
    let (conn, _) = bench.login();
    bench.frames(conn);
    let outcome = bench.act(Act::AddToGroup {
        group: "room".into(),
        user: "bob".into(),
    });
    let frames = bench.frames(conn);
    assert_eq!(names(&frames), ["GROUP_ADD_ROBOT"]);
    assert!(frames[0]["d"]["timestamp"].is_u64());
    let path = format!("/v2/groups/{}/messages", outcome.target.unwrap());
    let id = frames[0]["id"].as_str().unwrap();
    let welcome = json!({"content": "hello", "event_id": id});
    assert_eq!(post(&mut bench, &path, &welcome), 40_034_025);
    bench.pass(Duration::from_secs(1));
    assert_eq!(post(&mut bench, &path, &welcome), 0);
    let bare = id.split_once(':').unwrap().1;
    assert_eq!(
        post(
            &mut bench,
            &path,
            &json!({"content": "x", "event_id": bare})
        ),
        40_034_025
    );
    bench.pass(Duration::from_secs(300));
    let late = json!({"content": "x", "event_id": id, "msg_seq": 2});
    assert_eq!(post(&mut bench, &path, &late), 40_034_026);
}

#[test]
fn events_that_cannot_be_answered_say_so() {
    let mut bench = Bench::new();
    let (_, path) = bench.asked(Act::c2c("alice", "hi"));
    let body = json!({"content": "x", "event_id": "C2C_MSG_REJECT:1"});
    assert_eq!(post(&mut bench, &path, &body), 40_034_027);
}

#[test]
fn friends_come_and_go_with_events() {
    let mut bench = Bench::new();
    let (conn, _) = bench.login();
    bench.frames(conn);
    let user = || "alice".into();
    bench.act(Act::AddFriend { user: user() });
    bench.act(Act::RejectMessages { user: user() });
    bench.act(Act::RemoveFriend { user: user() });
    assert_eq!(
        names(&bench.frames(conn)),
        ["FRIEND_ADD", "C2C_MSG_REJECT", "FRIEND_DEL"]
    );
    let gone = Act::c2c("alice", "hi").into();
    assert!(bench.platform.act(bench.now, &gone).0.is_err());
}
