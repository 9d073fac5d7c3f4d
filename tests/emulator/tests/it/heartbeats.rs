//! Heartbeats: answered, missed, too many.

use std::time::Duration;

use qq_emulator::ledger::Violation;
use serde_json::json;

use crate::support::{Bench, End};

#[test]
fn a_heartbeat_is_acknowledged_without_d() {
    let mut bench = Bench::new();
    let (conn, _) = bench.login();
    bench.say(conn, &json!({"op": 1, "d": 1}));
    assert_eq!(bench.frames(conn), [json!({"op": 11})]);
    bench.say(conn, &json!({"op": 1, "d": null}));
    assert_eq!(bench.frames(conn), [json!({"op": 11})]);
    assert!(bench.violations().is_empty());
    bench.say(conn, &json!({"op": 1, "d": 99}));
    assert!(matches!(bench.violations()[0], Violation::Malformed { .. }));
}

#[test]
fn a_silent_socket_is_closed_with_4009_and_a_lively_one_is_not() {
    let mut bench = Bench::new();
    let (silent, _) = bench.login();
    let (lively, _) = bench.login();
    for _ in 0..10 {
        bench.pass(Duration::from_millis(41_250));
        bench.say(lively, &json!({"op": 1, "d": 1}));
    }
    assert_eq!(bench.end(silent), Some(End::Closed(4009)));
    assert_eq!(bench.end(lively), None);
}

#[test]
fn too_many_heartbeats_are_closed_with_4008() {
    let mut bench = Bench::new();
    let (conn, _) = bench.login();
    for _ in 0..6 {
        bench.say(conn, &json!({"op": 1, "d": 1}));
    }
    assert_eq!(bench.end(conn), Some(End::Closed(4008)));
}
