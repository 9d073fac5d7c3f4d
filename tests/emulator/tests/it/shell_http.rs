//! The shell over real HTTP.

use std::time::Duration;

use qq_emulator::actions::Act;
use qq_emulator::shell::{ClockMode, StartError};
use qq_emulator::time::Millis;
use qq_emulator::{Emulator, EmulatorOptions};
use serde_json::{Value, json};

use crate::support::live::{Bot, LIMIT, client, start};

#[tokio::test]
async fn a_bot_gets_a_token_finds_the_gateway_and_answers() {
    let emulator = start().await;
    let bot = Bot::new(&emulator).await;
    let found = bot.get("/gateway/bot").await;
    assert_eq!(found["url"], emulator.urls().gateway_url);
    let asked = emulator.user(Act::c2c("alice", "hi")).unwrap();
    let id = asked.message_id.unwrap();
    let path = format!("/v2/users/{}/messages", asked.target.unwrap());
    let (status, body) = bot
        .post(&path, &json!({"content": "hello", "msg_id": id}))
        .await
        .unwrap();
    assert_eq!((status, body["id"].is_string()), (200, true));
    let texts = |platform: &qq_emulator::Platform| {
        let texts = platform.ledger().reply_texts(&id);
        texts.first().map(|text| (*text).to_owned())
    };
    assert_eq!(
        emulator.wait_for(LIMIT, texts).await.as_deref(),
        Some("hello")
    );
}

#[tokio::test]
async fn a_cut_breaks_the_connection_without_a_byte_of_an_answer() {
    let emulator = start().await;
    let bot = Bot::new(&emulator).await;
    let asked = emulator.user(Act::c2c("alice", "hi")).unwrap();
    let path = format!("/v2/users/{}/messages", asked.target.unwrap());
    let id = asked.message_id.unwrap();
    emulator.fault_text(None, "cut-after-delivery").unwrap();
    let body = json!({"content": "hello", "msg_id": id, "msg_seq": 1});
    assert!(bot.post(&path, &body).await.is_err());
    let (status, again) = bot.post(&path, &body).await.unwrap();
    assert_eq!((status, &again["code"]), (400, &json!(40_054_005)));
}

#[tokio::test]
async fn a_slow_answer_comes_when_the_clock_says_so() {
    let options = EmulatorOptions {
        clock: ClockMode::Manual(Millis(1_784_601_000_000)),
        ..EmulatorOptions::default()
    };
    let emulator = Emulator::start(options).await.unwrap();
    let bot = Bot::new(&emulator).await;
    let asked = emulator.user(Act::c2c("alice", "hi")).unwrap();
    let id = asked.message_id.unwrap();
    let path = format!("/v2/users/{}/messages", asked.target.unwrap());
    emulator.fault_text(None, "slow-after-delivery 6s").unwrap();
    let body = json!({"content": "hello", "msg_id": id});
    let handle = emulator.handle();
    let delivered = async {
        let seen = handle.wait_for(LIMIT, |platform| {
            (platform.ledger().bot_message_count() == 1).then_some(())
        });
        seen.await.unwrap();
        handle.advance(Duration::from_secs(6));
    };
    let (answer, ()) = tokio::join!(bot.post(&path, &body), delivered);
    assert_eq!(answer.unwrap().0, 200);
}

#[tokio::test]
async fn something_due_in_real_time_happens_without_another_input() {
    let emulator = start().await;
    let bot = Bot::new(&emulator).await;
    emulator
        .fault_text(None, "slow-after-delivery 20ms at any")
        .unwrap();
    assert!(bot.get("/users/@me").await["id"].is_string());
}

#[tokio::test]
async fn only_loopback_addresses_are_listened_on() {
    let options = EmulatorOptions {
        listen: "0.0.0.0:0".parse().unwrap(),
        ..EmulatorOptions::default()
    };
    let error = Emulator::start(options).await.unwrap_err();
    assert!(matches!(error, StartError::NotLoopback(_)));
}

#[tokio::test]
async fn a_stopped_emulator_serves_no_more() {
    let emulator = start().await;
    let url = format!("{}/gateway", emulator.urls().api_base);
    assert_eq!(client().get(&url).send().await.unwrap().status(), 401);
    let handle = emulator.handle();
    drop(emulator);
    let mut refused = false;
    for _ in 0..100 {
        refused = client().get(&url).send().await.is_err();
        if refused {
            break;
        }
        tokio::task::yield_now().await;
    }
    assert!(refused);
    assert_eq!(handle.with(|platform| platform.apps().count()), 1);
}

#[tokio::test]
async fn ids_with_reserved_characters_pass_through_paths() {
    let emulator = start().await;
    let asked = emulator.user(Act::c2c("alice", "hi")).unwrap();
    let id = asked.message_id.unwrap();
    let encoded = id.as_str().replace('!', "%21");
    let url = format!("{}/message/{encoded}", emulator.urls().control_base);
    let found: Value = client().get(&url).send().await.unwrap().json_value().await;
    assert_eq!(found["message"]["text"], "hi");
    assert_eq!(found["budget"]["slots"], 4);
}

use crate::support::live::JsonValue as _;
