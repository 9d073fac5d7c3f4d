//! Getting, renewing and losing the access token.

use qq_channel::bindings::HealthLevel;
use serde_json::json;

use crate::driver::Driver;

#[test]
fn the_lifetime_may_be_a_string_or_a_number() {
    for body in [
        r#"{"access_token":"","expires_in":"7200"}"#,
        r#"{"access_token":"","expires_in":7200}"#,
    ] {
        let mut driver = Driver::start(&json!({}));
        driver.token(body, true);
        let wait = driver.wait_of("token-refresh").unwrap();
        assert!(
            (7_150_000..7_170_000).contains(&wait),
            "{body}: renewal in {wait} ms"
        );
    }
}

#[test]
fn the_secret_is_a_name_and_never_a_value() {
    let driver = Driver::start(&json!({}));
    let request = driver.request("token").unwrap();
    assert_eq!(
        crate::driver::joined(&request.body),
        r#"{"appId":"102012345","clientSecret":"TOKEN"}"#
    );
}

#[test]
fn the_same_token_again_is_waited_out_and_not_asked_for_in_a_loop() {
    let mut driver = Driver::start(&json!({}));
    driver.good_token(true);
    assert!(driver.fire("token-refresh"));
    driver.token(r#"{"access_token":"","expires_in":"40"}"#, false);
    let wait = driver.wait_of("token-refresh").unwrap();
    assert!(wait >= 5_000, "next try in {wait} ms");
}

#[test]
fn errors_that_come_with_status_200_stop_or_wait_as_their_code_says() {
    for (code, word) in [
        (100_007, "bad-app-id"),
        (100_016, "bad-secret"),
        (10_004, "bad-app-id"),
        (11_298, "address-not-allowed"),
    ] {
        let mut driver = Driver::start(&json!({}));
        driver.answer("token", 200, &format!(r#"{{"code":{code},"message":"?"}}"#));
        let health = driver.health().unwrap();
        assert_eq!(
            (health.level, health.code.as_str()),
            (HealthLevel::Stopped, word)
        );
        assert!(health.summary.contains(&code.to_string()) && health.fix.is_some());
        assert!(
            driver.wait_of("token-refresh").unwrap() >= 3_600_000,
            "no hammering"
        );
    }
    let mut driver = Driver::start(&json!({}));
    driver.answer("token", 200, r#"{"code":100001,"message":"too many"}"#);
    assert!(driver.wait_of("token-refresh").unwrap() >= 60_000);
}

#[test]
fn html_and_silence_are_tried_again_with_growing_waits() {
    let mut driver = Driver::start(&json!({}));
    driver.answer("token", 502, "<html>bad gateway</html>");
    let first = driver.wait_of("token-refresh").unwrap();
    driver.fire("token-refresh");
    driver.fail("token", qq_channel::bindings::Stage::Timeout);
    let second = driver.wait_of("token-refresh").unwrap();
    assert!(
        (500..=1_000).contains(&first) && (1_000..=2_000).contains(&second),
        "{first}, {second}"
    );
}

#[test]
fn a_refused_token_is_renewed_once_for_all_that_were_refused() {
    let mut driver = Driver::connected(&json!({}));
    for (seq, user) in [(2, "A"), (3, "B"), (4, "C")] {
        driver.c2c(seq, &format!("m{user}"), user, "hi");
        driver.finish_turn("hello");
    }
    let sends: Vec<u64> = driver.channel.holdings().requests;
    assert_eq!(sends.len(), 3);
    driver.send(refusal(sends[0], 1));
    driver.send(refusal(sends[1], 1));
    assert_eq!(driver.requests("token"), 1);
    driver.good_token(true);
    assert_eq!(driver.requests("send"), 5, "each is sent once more");
    // A late refusal of the old token asks for nothing: the new one is there.
    driver.send(refusal(sends[2], 1));
    assert_eq!((driver.requests("token"), driver.requests("send")), (1, 6));
}

fn refusal(id: u64, generation: u64) -> qq_channel::bindings::Event {
    use qq_channel::bindings::*;
    Event::HttpDone(HttpDone {
        id,
        outcome: HttpOutcome::Response(HttpResponse {
            status: 401,
            headers: Vec::new(),
            body: r#"{"code":11244,"message":"expired"}"#.into(),
            truncated: false,
            blob: None,
        }),
        used: vec![SecretUse {
            name: "access_token".into(),
            generation,
        }],
        captured: Vec::new(),
    })
}
