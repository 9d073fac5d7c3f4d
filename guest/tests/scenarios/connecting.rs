//! Discovery, Identify, Resume, heartbeats, and every way of losing the connection.

use qq_channel::bindings::{Action, HealthLevel};
use serde_json::{Value, json};

use crate::driver::{Driver, boot};

fn before_gateway() -> Driver {
    let mut driver = Driver::start(&json!({}));
    driver.good_token(true);
    driver
}

#[test]
fn discovery_falls_back_where_one_endpoint_is_missing() {
    let mut driver = before_gateway();
    assert!(
        driver
            .request("gateway")
            .unwrap()
            .url
            .ends_with("/gateway/bot")
    );
    driver.answer("gateway", 404, r#"{"message":"no such API"}"#);
    assert!(driver.request("gateway").unwrap().url.ends_with("/gateway"));
    driver.gateway();
    driver.open();
}

#[test]
fn a_used_up_session_limit_is_waited_for() {
    let mut driver = before_gateway();
    let limit = json!({"url": "wss://x", "shards": 1, "session_start_limit": {"total": 1000, "remaining": 0, "reset_after": 7_200_000}});
    driver.answer("gateway", 200, &limit.to_string());
    assert_eq!(driver.wait_of("reconnect"), Some(7_200_000));
    assert!(
        driver.channel.holdings().sockets.is_empty(),
        "no connection meanwhile"
    );
}

#[test]
fn identify_and_resume_have_the_form_that_the_platform_wants() {
    let mut driver = Driver::connected(&json!({}));
    driver.c2c(2, "m1", "A", "hi");
    driver.close(4009);
    driver.fire("reconnect");
    driver.greet();
    let resume = driver.frames().pop().unwrap();
    assert_eq!(
        resume,
        json!({"op": 6, "d": {"token": "QQBot TOKEN", "session_id": "s-1", "seq": 2}})
    );
    assert_eq!(driver.requests("gateway"), 0, "the address is known");
}

#[test]
fn heartbeats_carry_the_last_number_received_and_a_missing_ack_ends_the_connection() {
    let mut driver = Driver::connected(&json!({}));
    driver.c2c(7, "m1", "A", "hi");
    driver.hello();
    driver.fire("heartbeat");
    assert_eq!(driver.frames().pop().unwrap(), json!({"op": 1, "d": 7}));
    driver.frame(&json!({"op": 11}));
    driver.fire("heartbeat");
    driver.fire("heartbeat");
    assert!(
        driver
            .actions
            .iter()
            .any(|action| matches!(action, Action::SocketClose(_))),
        "unanswered: closed"
    );
    assert!(driver.wait_of("reconnect").is_some());
}

#[test]
fn the_platform_may_ask_for_a_heartbeat() {
    let mut driver = Driver::connected(&json!({}));
    driver.frame(&json!({"op": 1}));
    assert_eq!(driver.frames(), [json!({"op": 1, "d": 1})]);
}

/// What the channel does after a close code: resume, identify, or stop.
fn after_close(code: u16) -> (String, Option<u64>, Option<Value>) {
    let mut driver = Driver::connected(&json!({}));
    driver.close(code);
    let health = driver
        .health()
        .map(|health| health.code.clone())
        .unwrap_or_default();
    let wait = driver.wait_of("reconnect");
    if driver.requests("token") > 0 {
        driver.good_token(true);
    }
    driver.fire("reconnect");
    if driver.requests("gateway") > 0 {
        driver.gateway();
    }
    driver.greet();
    (health, wait, driver.frames().pop())
}

#[test]
fn every_close_code_leads_to_what_the_table_says() {
    let op = |frame: &Option<Value>| frame.as_ref().and_then(|frame| frame["op"].as_u64());
    for code in [1000, 1001, 1006, 4004, 4008, 4009, 4999] {
        let (health, wait, frame) = after_close(code);
        assert_eq!(
            (health.as_str(), op(&frame)),
            ("connecting", Some(6)),
            "close code {code}"
        );
        assert!(code != 4008 || wait.unwrap() >= 60_000, "4008 waits");
        assert!(code != 4009 || wait.unwrap() < 100, "4009 resumes at once");
    }
    for code in [4000, 4003, 4006, 4007, 4900, 4913] {
        let (health, _, frame) = after_close(code);
        assert_eq!(
            (health.as_str(), op(&frame)),
            ("connecting", Some(2)),
            "close code {code}"
        );
    }
    for (code, word) in [
        (4001, "protocol-fault"),
        (4002, "protocol-fault"),
        (4005, "protocol-fault"),
        (4010, "bad-shard"),
        (4011, "too-many-guilds"),
        (4012, "bad-version"),
        (4013, "bad-intents"),
        (4914, "sandbox-only"),
        (4915, "banned"),
    ] {
        let (health, wait, _) = after_close(code);
        assert_eq!(health, word, "close code {code}");
        assert!(wait.unwrap() >= 600_000, "close code {code}: no hammering");
    }
}

#[test]
fn op_7_resumes_and_op_9_costs_the_token_first_and_then_the_session() {
    let mut driver = Driver::connected(&json!({}));
    driver.frame(&json!({"op": 7}));
    assert!(
        driver
            .actions
            .iter()
            .any(|action| matches!(action, Action::SocketClose(_)))
    );
    for expected in [6, 6, 2] {
        driver.fire("reconnect");
        if driver.requests("gateway") > 0 {
            driver.gateway();
        }
        driver.greet();
        assert_eq!(driver.frames().pop().unwrap()["op"], expected);
        driver.actions.clear();
        driver.frame(&json!({"op": 9, "d": false}));
        driver.good_token(false);
    }
}

#[test]
fn refused_intents_are_left_out_remembered_and_explained() {
    let mut driver =
        Driver::start(&json!({"intents": ["guilds", "guild_messages", "direct_messages"]}));
    driver.good_token(true);
    let mut asked = Vec::new();
    loop {
        driver.gateway();
        driver.greet();
        asked.push(
            driver.frames().pop().unwrap()["d"]["intents"]
                .as_u64()
                .unwrap(),
        );
        // A public bot: bit 9 is refused, bit 12 was not granted.
        if asked.last().unwrap() & (1 << 9 | 1 << 12) == 0 {
            break;
        }
        driver.close(4014);
        driver.later(10_000);
        driver.fire("reconnect");
    }
    assert_eq!(asked.first(), Some(&4609));
    assert_eq!(
        asked.last(),
        Some(&(1 | 1 << 30)),
        "guilds and public messages"
    );
    driver.frame(&json!({"op": 0, "s": 1, "t": "READY", "d": {"session_id": "s-1"}}));
    let health = driver.health().unwrap();
    assert_eq!(health.level, HealthLevel::Degraded);
    assert!(
        health.summary.contains("guild_messages") && health.summary.contains("direct_messages"),
        "{}",
        health.summary
    );
    // The next process asks for what works.
    let again = boot(
        &json!({"intents": ["guilds", "guild_messages", "direct_messages"]}),
        driver.stored(),
        2,
    );
    let mut driver = Driver::start_with(again);
    driver.good_token(true);
    driver.greet();
    assert_eq!(
        driver.frames().pop().unwrap()["op"],
        6,
        "and its session is resumed"
    );
}

#[test]
fn a_connection_without_ready_is_given_up() {
    let mut driver = before_gateway();
    driver.gateway();
    driver.open();
    driver.fire("handshake-deadline");
    assert!(driver.channel.holdings().sockets.is_empty());
    assert!(driver.wait_of("reconnect").is_some());
}

#[test]
fn nothing_that_arrives_is_fatal() {
    let mut driver = Driver::connected(&json!({}));
    for text in [
        "",
        "[]",
        "nonsense",
        r#"{"op":99}"#,
        r#"{"op":0}"#,
        r#"{"op":0,"t":"X","s":5,"d":7}"#,
        r#"{"op":0,"t":"C2C_MESSAGE_CREATE","s":6,"d":[]}"#,
    ] {
        driver.text(text);
    }
    driver.c2c(7, "m1", "A", "hi");
    assert_eq!(driver.begun().len(), 1);
}

#[test]
fn identifies_are_five_seconds_apart() {
    let mut driver = before_gateway();
    driver.gateway();
    driver.greet();
    let first = driver.now.mono_ms;
    driver.close(4900);
    while driver.channel.holdings().sockets.is_empty() {
        assert!(driver.fire("reconnect"));
        if driver.requests("gateway") > 1 {
            driver.gateway();
        }
    }
    assert!(driver.now.mono_ms - first >= 5_000);
}
