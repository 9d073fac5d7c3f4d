//! The control API, as another process sees it.

use qq_emulator::Emulator;
use reqwest::StatusCode;
use serde_json::{Value, json};

use crate::support::live::{Bot, JsonValue as _, Socket, client, start};

async fn control(emulator: &Emulator, path: &str, body: &Value) -> (StatusCode, Value) {
    let url = format!("{}{path}", emulator.urls().control_base);
    let request = client()
        .post(url)
        .header("content-type", "application/json");
    let response = request.body(body.to_string()).send().await.unwrap();
    (response.status(), response.json_value().await)
}

async fn look(emulator: &Emulator, path: &str) -> Value {
    let url = format!("{}{path}", emulator.urls().control_base);
    client().get(url).send().await.unwrap().json_value().await
}

#[tokio::test]
async fn users_act_faults_are_ordered_and_the_ledger_tells() {
    let emulator = start().await;
    let act = json!({"action": "group_at", "group": "room", "user": "bob", "text": "hi"});
    let (status, outcome) = control(&emulator, "/user", &act).await;
    assert_eq!(
        (status, outcome["sessions"].as_u64()),
        (StatusCode::OK, Some(0))
    );
    let (status, _) = control(&emulator, "/fault", &json!({"fault": "429 x2"})).await;
    assert_eq!(status, StatusCode::OK);
    let (status, error) = control(&emulator, "/fault", &json!({"fault": "meteor"})).await;
    assert_eq!(status, StatusCode::BAD_REQUEST);
    assert!(error["error"].as_str().unwrap().contains("meteor"));
    let ledger = look(&emulator, "/ledger?unanswered=true").await;
    assert_eq!(ledger["user_messages"][0]["id"], outcome["message_id"]);
    let state = look(&emulator, "/state").await;
    assert_eq!(state["bots"][0]["waiting_faults"], json!(["429 x2"]));
    assert!(look(&emulator, "/log").await["next"].as_u64().unwrap() >= 2);
    assert!(
        look(&emulator, "/faults").await["known"]
            .as_array()
            .unwrap()
            .len()
            > 20
    );
}

#[tokio::test]
async fn the_clock_moves_and_settings_change() {
    let emulator = start().await;
    let before = look(&emulator, "/state").await["now_ms"].as_u64().unwrap();
    let (_, after) = control(&emulator, "/clock", &json!({"advance_ms": 600_000})).await;
    assert!(after["now_ms"].as_u64().unwrap() >= before + 600_000);
    let mut settings = look(&emulator, "/bots/102012345/settings").await;
    settings["messages"]["c2c_slots"] = json!(5);
    let url = format!("{}/bots/102012345/settings", emulator.urls().control_base);
    let put = client().put(url).header("content-type", "application/json");
    assert!(
        put.body(settings.to_string())
            .send()
            .await
            .unwrap()
            .status()
            .is_success()
    );
    let app = "102012345".into();
    let slots = emulator.with(|it| it.bot_settings(&app).unwrap().messages.c2c_slots);
    assert_eq!(slots, 5);
}

async fn put(emulator: &Emulator, path: &str, body: &Value) -> (StatusCode, Value) {
    let url = format!("{}{path}", emulator.urls().control_base);
    let put = client().put(url).header("content-type", "application/json");
    let response = put.body(body.to_string()).send().await.unwrap();
    (response.status(), response.json_value().await)
}

#[tokio::test]
async fn the_gateway_is_changed_while_it_runs_and_the_next_hello_says_so() {
    let emulator = start().await;
    let mut gateway = look(&emulator, "/gateway").await;
    assert_eq!(gateway["heartbeat_interval"], 41_250);
    gateway["heartbeat_interval"] = json!(5_000);
    gateway["unknown_session"] = json!({"close": 4006});
    let (status, now) = put(&emulator, "/gateway", &gateway).await;
    assert_eq!((status, &now), (StatusCode::OK, &gateway));
    let mut socket = Socket::connect(&emulator.urls().gateway_url, None).await;
    let hello = json!({"op": 10, "d": {"heartbeat_interval": 5_000}});
    assert_eq!(socket.frame().await, hello);
    for wrong in [json!({"heartbeat_interval": 10}), json!({"heart": 1})] {
        let (status, _) = put(&emulator, "/gateway", &wrong).await;
        assert!(status.is_client_error(), "{wrong}");
    }
    assert_eq!(look(&emulator, "/gateway").await, gateway);
}

#[tokio::test]
async fn what_bots_send_is_streamed_and_actions_are_taken_on_the_same_socket() {
    let emulator = start().await;
    let bot = Bot::new(&emulator).await;
    let url = format!("{}/events", emulator.urls().control_base).replace("http", "ws");
    let mut events = Socket::connect(&url, None).await;
    events
        .say(&json!({"action": "c2c", "user": "alice", "text": "hi", "tag": 7}))
        .await;
    let outcome = events.frame().await;
    assert_eq!(outcome["tag"], 7);
    let path = format!(
        "/v2/users/{}/messages",
        outcome["outcome"]["target"].as_str().unwrap()
    );
    let id = &outcome["outcome"]["message_id"];
    bot.post(&path, &json!({"content": "yo", "msg_id": id, "msg_seq": 4}))
        .await
        .unwrap();
    let told = events.frame().await;
    assert_eq!((&told["text"], &told["msg_seq"]), (&json!("yo"), &json!(4)));
    assert_eq!(&told["reply_to"]["msg_id"], id);
    events.say(&json!({"action": "fly", "tag": 8})).await;
    assert!(events.frame().await["error"].is_string());
}

#[tokio::test]
async fn the_log_can_be_followed_from_its_beginning() {
    let emulator = start().await;
    let url = format!("{}/events?log=1&from=0", emulator.urls().control_base).replace("http", "ws");
    control(&emulator, "/fault", &json!({"fault": "drop"})).await;
    let mut events = Socket::connect(&url, None).await;
    let first = events.frame().await;
    assert_eq!(
        (&first["n"], &first["kind"]),
        (&json!(0), &json!("fault_ordered"))
    );
}

#[tokio::test]
async fn pages_of_the_internet_are_turned_away() {
    let emulator = start().await;
    let url = format!("{}/state", emulator.urls().control_base);
    for (name, value) in [("origin", "https://evil.example"), ("host", "evil.example")] {
        let response = client().get(&url).header(name, value).send().await.unwrap();
        assert_eq!(response.status(), StatusCode::FORBIDDEN, "{name}");
    }
    let own = emulator.urls().api_base.clone();
    let response = client()
        .get(&url)
        .header("origin", own)
        .send()
        .await
        .unwrap();
    assert_eq!(response.status(), StatusCode::OK);
}

#[tokio::test]
async fn of_other_programs_pages_on_this_machine_none_may_act() {
    let emulator = start().await;
    let own = emulator.urls().api_base.clone();
    let port = own.rsplit(':').next().unwrap().to_owned();
    let now = || look(&emulator, "/state");
    let before = now().await["now_ms"].as_u64().unwrap();
    for origin in [
        "http://localhost:9999".to_owned(),
        "http://127.0.0.1:9999".into(),
        "http://127.0.0.1".into(),
        format!("http://localhost:{port}"),
        format!("https://127.0.0.1:{port}"),
        format!("http://127.0.0.1:{port}0"),
        own.to_uppercase(),
        "null".into(),
    ] {
        let clock = format!("{}/clock", emulator.urls().control_base);
        let post = client().post(clock).header("origin", &origin);
        let post = post.header("content-type", "application/json");
        let body = json!({"advance_ms": 3_600_000}).to_string();
        let response = post.body(body).send().await.unwrap();
        assert_eq!(response.status(), StatusCode::FORBIDDEN, "{origin}");
        let events = format!("{}/events", emulator.urls().control_base).replace("http", "ws");
        assert!(!Socket::opens_for(&events, &origin).await, "{origin}");
    }
    assert!(now().await["now_ms"].as_u64().unwrap() < before + 3_600_000);
    let events = format!("{}/events", emulator.urls().control_base).replace("http", "ws");
    assert!(Socket::opens_for(&events, &own).await);
}
