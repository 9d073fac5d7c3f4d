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

#[test]
fn a_new_interval_counts_for_new_sockets_and_an_open_one_keeps_the_one_it_was_told() {
    let mut bench = Bench::new();
    let (old, _) = bench.login();
    let gateway = bench.platform.gateway_settings_mut();
    gateway.heartbeat_interval = Duration::from_secs(5);
    let (new, _) = bench.login();
    bench.pass(Duration::from_secs(14));
    bench.say(new, &json!({"op": 1, "d": 1}));
    bench.pass(Duration::from_secs(14));
    assert_eq!((bench.end(old), bench.end(new)), (None, None));
    bench.pass(Duration::from_secs(2));
    assert_eq!(
        (bench.end(old), bench.end(new)),
        (None, Some(End::Closed(4009)))
    );
    bench.pass(Duration::from_millis(3 * 41_250));
    assert_eq!(bench.end(old), Some(End::Closed(4009)));
}
