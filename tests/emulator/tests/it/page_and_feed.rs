//! The page is served from the binary to this machine only, and its feed tells everything in order.

use qq_emulator::Emulator;
use reqwest::StatusCode;
use serde_json::{Value, json};

use crate::support::live::{Bot, JsonValue as _, Socket, client, start};

async fn act(emulator: &Emulator, body: &Value) -> Value {
    let url = format!("{}/user", emulator.urls().control_base);
    let request = client()
        .post(url)
        .header("content-type", "application/json");
    let answer = request.body(body.to_string()).send().await.unwrap();
    answer.json_value().await
}

async fn follow(emulator: &Emulator, query: &str) -> Socket {
    let url = format!("{}/feed{query}", emulator.urls().control_base).replace("http", "ws");
    Socket::connect(&url, None).await
}

/// Happenings from the feed, as many as asked for.
async fn happenings(feed: &mut Socket, count: usize) -> Vec<Value> {
    let mut all = Vec::new();
    while all.len() < count {
        let frame = feed.frame().await;
        all.extend(frame["chat"].as_array().cloned().unwrap_or_default());
    }
    all
}

#[tokio::test]
async fn the_page_is_there_with_a_policy_that_loads_nothing_from_elsewhere() {
    let emulator = start().await;
    let page = client().get(&emulator.urls().page).send().await.unwrap();
    let policy = page.headers()["content-security-policy"].to_str().unwrap();
    assert!(policy.starts_with("default-src 'self'"), "{policy}");
    assert!(page.text().await.unwrap().contains("/_page/app.js"));
    let script = format!("{}_page/app.js", emulator.urls().page);
    let script = client().get(script).send().await.unwrap();
    assert_eq!(
        script.headers()["content-type"],
        "text/javascript; charset=utf-8"
    );
    let missing = format!("{}_page/../Cargo.toml", emulator.urls().page);
    let missing = client().get(missing).send().await.unwrap();
    assert_ne!(missing.status(), StatusCode::OK);
}

#[tokio::test]
async fn no_door_opens_to_pages_of_the_internet() {
    let emulator = start().await;
    let base = emulator.urls().api_base.clone();
    for path in [
        "/",
        "/_page/app.js",
        "/_emulator/feed",
        "/gateway",
        "/websocket",
    ] {
        for (name, value) in [("origin", "https://evil.example"), ("host", "evil.example")] {
            let request = client().get(format!("{base}{path}")).header(name, value);
            let status = request.send().await.unwrap().status();
            assert_eq!(status, StatusCode::FORBIDDEN, "{path} {name}");
        }
    }
    let redirected = client().get(format!("{base}/gateway"));
    let redirected = redirected.header("host", "api.sgroup.qq.com").send().await;
    assert_ne!(redirected.unwrap().status(), StatusCode::FORBIDDEN);
}

#[tokio::test]
async fn messages_answers_marks_and_acts_come_in_the_order_in_which_they_happened() {
    let emulator = start().await;
    let bot = Bot::new(&emulator).await;
    let mut feed = follow(&emulator, "?tail=0").await;
    assert_eq!(feed.frame().await["end"], 0);
    let asked = act(
        &emulator,
        &json!({"action": "c2c", "user": "alice", "text": "hi"}),
    )
    .await;
    let path = format!("/v2/users/{}/messages", asked["target"].as_str().unwrap());
    let reply = json!({"content": "yo", "msg_id": asked["message_id"], "msg_seq": 1});
    let (_, sent) = bot.post(&path, &reply).await.unwrap();
    let remove = json!({"action": "delete_message", "user": "alice", "message_id": sent["id"]});
    act(&emulator, &remove).await;
    act(
        &emulator,
        &json!({"action": "reject_messages", "user": "alice"}),
    )
    .await;
    let told = happenings(&mut feed, 5).await;
    let kinds: Vec<&str> = told.iter().map(|it| it["kind"].as_str().unwrap()).collect();
    assert_eq!(kinds, ["user", "bot", "mark", "act", "act"]);
    assert_eq!(told[0]["message"]["text"], "hi");
    assert_eq!(
        told[1]["message"]["reply_to"]["msg_id"],
        asked["message_id"]
    );
    assert!(told[2]["mark"]["recalled"].is_u64());
    assert_eq!(told[4]["acted"]["act"]["action"], "reject_messages");
    let mut late = follow(&emulator, "?chat=3&tail=0").await;
    assert_eq!(late.frame().await["end"], 5);
    assert_eq!(happenings(&mut late, 2).await[0]["n"], 3);
}

#[tokio::test]
async fn the_world_around_a_bot_is_told_and_another_bot_is_made() {
    let emulator = start().await;
    act(
        &emulator,
        &json!({"action": "group_at", "group": "room", "user": "bob", "text": "hi"}),
    )
    .await;
    act(
        &emulator,
        &json!({"action": "mute_bot", "group": "room", "muted": true}),
    )
    .await;
    let base = emulator.urls().control_base.clone();
    let world = client().get(format!("{base}/bots/102012345/world"));
    let world = world.send().await.unwrap().json_value().await;
    assert_eq!(world["groups"]["room"]["muted"], true);
    assert_eq!(world["groups"]["room"]["members"]["bob"], "member");
    let make = |app: &str| {
        let body = json!({"app_id": app, "secret": "s", "name": "mine"}).to_string();
        let request = client().post(format!("{base}/bots"));
        request
            .header("content-type", "application/json")
            .body(body)
            .send()
    };
    assert_eq!(make("7").await.unwrap().status(), StatusCode::OK);
    assert_eq!(make("7").await.unwrap().status(), StatusCode::CONFLICT);
    assert_eq!(make("x").await.unwrap().status(), StatusCode::BAD_REQUEST);
    let state = client().get(format!("{base}/state")).send().await.unwrap();
    let bots = state.json_value().await["bots"].clone();
    assert_eq!(
        (&bots[1]["name"], &bots[1]["built_in"]),
        (&json!("mine"), &json!(false))
    );
    let swap = client().post(format!("{base}/bots/7/component")).body("x");
    assert_eq!(swap.send().await.unwrap().status(), StatusCode::NOT_FOUND);
}

#[tokio::test]
async fn what_people_look_at_is_not_on_the_wire() {
    let emulator = start().await;
    let base = emulator.urls().control_base.clone();
    let file = emulator.with_mut(|it| it.add_file("a.txt", None, b"words".to_vec()));
    let before = emulator.with(|it| it.record().next());
    let url = format!("{base}/download?fileid={file}");
    let answer = client().get(url).send().await.unwrap();
    assert!(
        answer.headers()["content-security-policy"]
            .to_str()
            .unwrap()
            .contains("sandbox")
    );
    assert_eq!(answer.text().await.unwrap(), "words");
    assert_eq!(emulator.with(|it| it.record().next()), before);
}
