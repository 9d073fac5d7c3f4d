//! Discovery, Hello, Identify, READY.

use std::time::Duration;

use qq_emulator::ids::AppId;
use qq_emulator::ledger::Violation;
use qq_emulator::settings::{Discovery, LoginRefusal, Standing};
use serde_json::{Value, json};

use crate::support::{APP, Bench, End, INTENTS};

fn identify(bench: &mut Bench, change: impl FnOnce(&mut Value)) -> Option<End> {
    let token = format!("QQBot {}", bench.token());
    let mut d = json!({"token": token, "intents": INTENTS, "shard": [0, 1], "properties": {}});
    change(&mut d);
    let conn = bench.identify_with(&d);
    bench.end(conn)
}

#[test]
fn hello_comes_first_and_ready_has_the_first_sequence_number() {
    let mut bench = Bench::new();
    let conn = bench.identify(INTENTS);
    let frames = bench.frames(conn);
    assert_eq!(
        frames[0],
        json!({"op": 10, "d": {"heartbeat_interval": 41_250}})
    );
    assert_eq!(frames[1]["t"], "READY");
    assert_eq!(frames[1]["s"], 1);
    assert_eq!(
        frames[1]["d"]["user"]["id"],
        bench.get("/users/@me").json()["id"]
    );
    assert!(frames[1].get("id").is_none());
}

#[test]
fn discovery_counts_session_starts() {
    let mut bench = Bench::new();
    let limit = |bench: &mut Bench| {
        let answer = bench.get("/gateway/bot").json();
        answer["session_start_limit"]["remaining"].as_u64().unwrap()
    };
    assert_eq!(limit(&mut bench), 1000);
    bench.login();
    assert_eq!(limit(&mut bench), 999);
    bench.pass(Duration::from_secs(86_400));
    assert_eq!(limit(&mut bench), 1000);
    assert!(
        bench.get("/gateway").json()["url"]
            .as_str()
            .unwrap()
            .starts_with("ws://")
    );
}

#[test]
fn one_of_the_discovery_endpoints_may_not_exist() {
    let mut bench = Bench::with_settings(|it| it.gateway.discovery = Discovery::PlainOnly);
    assert_eq!(bench.get("/gateway/bot").status, 404);
    assert_eq!(bench.get("/gateway").status, 200);
}

#[test]
fn malformed_identifies_are_closed_with_the_documented_codes() {
    type Change = fn(&mut Value);
    let cases: [(Change, u16); 9] = [
        (|d| d["token"] = json!(1), 4002),
        (|d| d["token"] = json!("nonsense"), 4004),
        (|d| d["token"] = json!("Bot 102012345.x"), 4004),
        (|d| d["intents"] = json!("513"), 4002),
        (|d| d["intents"] = json!(1 << 3), 4013),
        (|d| d["intents"] = json!(512), 4014),
        (|d| d["shard"] = json!([0, 0]), 4010),
        (|d| d["shard"] = json!([1, 1]), 4010),
        (|d| d["properties"] = json!([]), 4002),
    ];
    for (change, want) in cases {
        let mut bench = Bench::new();
        assert_eq!(
            identify(&mut bench, change),
            Some(End::Closed(want)),
            "{want}"
        );
    }
    let mut bench = Bench::new();
    assert_eq!(
        identify(&mut bench, |d| drop(
            d.as_object_mut().unwrap().remove("shard")
        )),
        None
    );
}

#[test]
fn a_bad_token_can_be_answered_by_op_9_instead() {
    let mut bench = Bench::with_settings(|it| {
        it.gateway.identify_bad_token = LoginRefusal::InvalidSession;
    });
    let conn = bench.identify_with(&json!({"token": "QQBot old", "intents": 0}));
    assert_eq!(bench.end(conn), None);
    assert_eq!(bench.frames(conn)[1], json!({"op": 9, "d": false}));
}

#[test]
fn a_second_login_on_one_socket_is_closed_with_4005() {
    let mut bench = Bench::new();
    let (conn, _) = bench.login();
    let token = format!("QQBot {}", bench.token());
    bench.say(conn, &json!({"op": 2, "d": {"token": token, "intents": 0}}));
    assert_eq!(bench.end(conn), Some(End::Closed(4005)));
}

#[test]
fn other_frames_from_clients_are_closed_with_4001_and_4002() {
    for (frame, want) in [
        (json!({"op": 3}), 4001),
        (json!({"op": 0, "d": {}}), 4001),
        (json!({"d": 1}), 4002),
        (json!([]), 4002),
        (json!({"op": 1, "d": "7"}), 4002),
    ] {
        let mut bench = Bench::new();
        let (conn, _) = bench.login();
        bench.say(conn, &frame);
        assert_eq!(bench.end(conn), Some(End::Closed(want)), "{frame}");
    }
}

#[test]
fn who_does_not_log_in_is_closed_with_4003() {
    let mut bench = Bench::new();
    let conn = bench.open();
    bench.pass(Duration::from_secs(60));
    assert_eq!(bench.end(conn), Some(End::Closed(4003)));
}

#[test]
fn offline_and_banned_bots_are_turned_away_but_not_from_the_sandbox() {
    for (standing, sandbox, want) in [
        (Standing::Offline, false, Some(End::Closed(4914))),
        (Standing::Offline, true, None),
    ] {
        let mut bench = Bench::with(|bot| {
            bot.standing = standing;
            bot.sandbox = sandbox;
        });
        let conn = bench.identify(INTENTS);
        assert_eq!(bench.end(conn), want);
    }
    let mut bench = Bench::new();
    let token = format!("QQBot {}", bench.token());
    let app = AppId::from(APP);
    bench.platform.bot_settings_mut(&app).unwrap().standing = Standing::Banned;
    let conn = bench.identify_with(&json!({"token": token, "intents": INTENTS}));
    assert_eq!(bench.end(conn), Some(End::Closed(4915)));
}

#[test]
fn two_live_connections_and_hasty_identifies_are_noted() {
    let mut bench = Bench::new();
    bench.login();
    bench.login();
    let noted = bench.violations();
    assert!(noted.contains(&Violation::TwoLiveConnections { live: 2 }));
    assert!(noted.contains(&Violation::IdentifyTooFast));
    assert_eq!(
        bench
            .platform
            .stats(&AppId::from(APP))
            .unwrap()
            .live_connections,
        2
    );
}

#[test]
fn without_a_session_start_left_there_is_no_ready() {
    let mut bench = Bench::with(|bot| bot.sessions.start_total = 0);
    let conn = bench.identify(INTENTS);
    assert_eq!(bench.frames(conn)[1], json!({"op": 9, "d": false}));
    assert!(bench.violations().contains(&Violation::NoSessionStartLeft));
}

#[test]
fn shards_divide_the_places_between_them() {
    let mut bench = Bench::new();
    let token = format!("QQBot {}", bench.token());
    let shards: Vec<_> = (0..2)
        .map(|index| {
            let d = json!({"token": token, "intents": INTENTS, "shard": [index, 2]});
            bench.identify_with(&d)
        })
        .collect();
    let mut sessions = 0;
    for user in 0..20 {
        let act = qq_emulator::actions::Act::c2c(&format!("user{user}"), "hi");
        sessions += bench.act(act).sessions;
    }
    let counts: Vec<usize> = shards
        .iter()
        .map(|conn| bench.frames(*conn).len() - 2)
        .collect();
    assert_eq!(sessions, 20);
    assert_eq!(counts.iter().sum::<usize>(), 20);
    assert!(counts.iter().all(|count| *count > 2), "{counts:?}");
}
