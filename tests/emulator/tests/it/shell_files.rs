//! Files, pictures and the clock over real HTTP.

use std::time::Duration;

use serde_json::{Value, json};

use crate::support::live::{Bot, JsonValue as _, client, start};

#[tokio::test]
async fn a_file_is_uploaded_attached_and_downloaded() {
    let emulator = start().await;
    let bot = Bot::new(&emulator).await;
    let mut socket = bot.connect().await;
    bot.identify(&mut socket).await;
    let bytes = b"\x89PNG\r\n\x1a\nbytes".to_vec();
    let url = format!("{}/files?name=cat.png", emulator.urls().control_base);
    let request = client().post(url).body(bytes.clone());
    let kept = request.send().await.unwrap().json_value().await;
    let act = json!({"action": "c2c", "user": "alice", "text": "",
        "attachments": [{"file": kept["file"]}]});
    emulator
        .user(serde_json::from_value::<qq_emulator::actions::UserAction>(act).unwrap())
        .unwrap();
    let event = socket.frame().await;
    let url = event["d"]["attachments"][0]["url"].as_str().unwrap();
    assert!(url.starts_with(emulator.urls().api_base.as_str()));
    let response = client().get(url).send().await.unwrap();
    assert_eq!(response.headers()["content-type"], "image/png");
    assert_eq!(response.bytes().await.unwrap(), bytes);
}

#[tokio::test]
async fn every_answer_carries_the_date_of_the_emulators_clock() {
    let emulator = start().await;
    emulator.advance(Duration::from_secs(400 * 86_400));
    let year = emulator.now().http_date()[12..16].to_owned();
    for path in [
        "/gateway",
        "/nowhere",
        "/_emulator/state",
        "/download",
        "/websocket",
    ] {
        let url = format!("{}{path}", emulator.urls().api_base);
        let response = client().get(url).send().await.unwrap();
        let date = response.headers()["date"].to_str().unwrap();
        assert!(
            date.ends_with(" GMT") && date[12..16] == year,
            "{path}: {date}"
        );
    }
}

#[tokio::test]
async fn guild_acts_and_marks_pass_through_the_control_api() {
    let emulator = start().await;
    let act = json!({"action": "channel_at", "guild": "club", "channel": "chat", "user": "bob",
        "text": "hi"});
    let base = &emulator.urls().control_base;
    let send = |body: Value| {
        let request = client().post(format!("{base}/user"));
        let request = request.header("content-type", "application/json");
        request.body(body.to_string()).send()
    };
    let told = send(act).await.unwrap().json_value().await;
    let id = told["message_id"].as_str().unwrap();
    let emoji = json!({"type": 1, "id": "277"});
    let react = json!({"action": "react", "user": "bob", "message_id": id, "emoji": emoji});
    assert!(send(react).await.unwrap().status().is_success());
    let ledger = client().get(format!("{base}/ledger")).send().await.unwrap();
    let ledger = ledger.json_value().await;
    assert_eq!(ledger["marks"][id]["reactions"]["1/277"], json!(["bob"]));
    assert_eq!(ledger["user_messages"][0]["guild"], "club");
}
