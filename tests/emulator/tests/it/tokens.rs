//! The token endpoint and the authorization of calls.

use std::time::Duration;

use qq_emulator::ledger::Violation;
use qq_emulator::settings::{NumberForm, Standing};
use qq_emulator::wire::HttpRequest;
use serde_json::{Value, json};

use crate::support::{APP, Bench, SECRET, code};

fn fetch(bench: &mut Bench, body: &Value) -> (u16, u64) {
    let request = HttpRequest::new("POST", "/app/getAppAccessToken").with_json(body);
    let response = bench.http(request).unwrap();
    (response.status, code(&response))
}

fn get_me(bench: &mut Bench, authorization: &str) -> (u16, u64) {
    let request = HttpRequest::new("GET", "/users/@me");
    let response = bench
        .http(request.with_header("authorization", authorization))
        .unwrap();
    (response.status, code(&response))
}

#[test]
fn the_same_token_comes_back_until_its_last_minute_and_then_both_work() {
    let mut bench = Bench::new();
    let first = bench.fetch_token();
    assert_eq!(first["expires_in"], "7200");
    bench.pass(Duration::from_secs(7139));
    let same = bench.fetch_token();
    assert_eq!(same["access_token"], first["access_token"]);
    assert_eq!(same["expires_in"], "61");
    bench.pass(Duration::from_secs(1));
    let new = bench.fetch_token();
    assert_ne!(new["access_token"], first["access_token"]);
    let old = format!("QQBot {}", first["access_token"].as_str().unwrap());
    bench.pass(Duration::from_secs(59));
    assert_eq!(get_me(&mut bench, &old), (200, 0));
    bench.pass(Duration::from_secs(1));
    assert_eq!(get_me(&mut bench, &old), (401, 11_244));
}

#[test]
fn expires_in_can_be_a_number() {
    let mut bench = Bench::with(|bot| bot.token.expires_in = NumberForm::Number);
    assert_eq!(bench.fetch_token()["expires_in"], 7200);
}

#[test]
fn errors_of_the_token_endpoint_come_with_http_200() {
    let mut bench = Bench::with(|bot| bot.token.per_minute = 3);
    assert_eq!(fetch(&mut bench, &json!({"clientId": APP})), (200, 100_007));
    assert_eq!(
        fetch(&mut bench, &json!({"appId": 102_012_345})),
        (200, 100_007)
    );
    assert_eq!(
        fetch(&mut bench, &json!({"appId": "1", "clientSecret": "x"})),
        (200, 10_004)
    );
    let wrong = json!({"appId": APP, "clientSecret": "x"});
    assert_eq!(fetch(&mut bench, &wrong), (200, 100_016));
    assert!(bench.violations().contains(&Violation::WrongSecret));
    let right = json!({"appId": APP, "clientSecret": SECRET});
    assert_eq!(fetch(&mut bench, &right), (200, 0));
    assert_eq!(fetch(&mut bench, &right), (200, 0));
    assert_eq!(fetch(&mut bench, &right), (200, 100_001));
    bench.pass(Duration::from_secs(60));
    assert_eq!(fetch(&mut bench, &right), (200, 0));
}

#[test]
fn only_the_one_documented_authorization_is_taken() {
    let mut bench = Bench::new();
    let token = bench.token();
    let cases = [
        (format!("QQBot {token}"), (200, 0)),
        (format!("Bearer {token}"), (401, 11_273)),
        (format!("Bot {APP}.{token}"), (401, 11_262)),
        (token.clone(), (401, 11_243)),
        ("QQBot ".to_owned(), (401, 11_241)),
        ("QQBot nonsense".to_owned(), (401, 11_244)),
    ];
    for (header, want) in cases {
        assert_eq!(get_me(&mut bench, &header), want, "{header}");
    }
    let bare = bench.http(HttpRequest::new("GET", "/users/@me")).unwrap();
    assert_eq!((bare.status, code(&bare)), (401, 11_241));
}

#[test]
fn every_answer_has_a_trace_id_and_errors_repeat_it() {
    let mut bench = Bench::new();
    let bare = bench.http(HttpRequest::new("GET", "/gateway")).unwrap();
    let trace = bare.header("x-tps-trace-id").unwrap();
    assert_eq!(trace.len(), 32);
    assert_eq!(bare.json()["trace_id"], trace);
    assert_eq!(bare.json()["err_code"], 11_241);
    assert!(bench.get("/users/@me").header("x-tps-trace-id").is_some());
}

#[test]
fn tokens_can_die_before_their_time() {
    let mut bench = Bench::new();
    let old = format!("QQBot {}", bench.token());
    bench.fault("token-death");
    assert_eq!(get_me(&mut bench, &old), (401, 11_244));
    let new = format!("QQBot {}", bench.token());
    assert_ne!(new, old);
    assert_eq!(get_me(&mut bench, &new), (200, 0));
}

#[test]
fn fetches_that_overlap_are_noted() {
    let mut bench = Bench::with(|bot| bot.token.latency = Duration::from_millis(300));
    let body = json!({"appId": APP, "clientSecret": SECRET});
    let request = HttpRequest::new("POST", "/app/getAppAccessToken").with_json(&body);
    let first = bench.ask(request.clone());
    bench.pass(Duration::from_millis(300));
    assert!(bench.reply(first).unwrap().is_some());
    assert!(bench.violations().is_empty());
    bench.ask(request.clone());
    bench.ask(request);
    assert_eq!(bench.violations(), [Violation::OverlappingTokenFetches]);
}

#[test]
fn a_banned_bot_gets_no_token_and_no_answers() {
    let mut bench = Bench::new();
    let token = format!("QQBot {}", bench.token());
    let app = qq_emulator::ids::AppId::from(APP);
    bench.platform.bot_settings_mut(&app).unwrap().standing = Standing::Banned;
    assert_eq!(get_me(&mut bench, &token), (403, 11_265));
    assert_eq!(
        fetch(&mut bench, &json!({"appId": APP, "clientSecret": SECRET})),
        (200, 100_007)
    );
}

#[test]
fn unknown_paths_and_methods_are_told_apart() {
    let mut bench = Bench::new();
    assert_eq!(bench.get("/nowhere").status, 404);
    let wrong_method = bench.http(HttpRequest::new("DELETE", "/gateway")).unwrap();
    assert_eq!(wrong_method.status, 405);
    let later = bench.get("/v2/menu");
    assert_eq!(
        (later.status, later.json()["code"].as_u64()),
        (404, Some(404))
    );
}
