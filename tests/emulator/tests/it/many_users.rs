//! Many users at once: 64 messages in flight, one reply each, nothing lost on the way.

use std::sync::Arc;

use qq_emulator::{Emulator, EmulatorOptions};
use serde_json::{Value, json};
use tokio::task::JoinSet;

use crate::support::live::{Bot, Socket};

const MESSAGES: u64 = 1_500;
const USERS: u64 = 500;
const IN_FLIGHT: u64 = 64;

/// Echoes until it is aborted.
async fn echo(bot: Arc<Bot>, mut socket: Socket) {
    let mut sends = JoinSet::new();
    loop {
        let event = socket.frame().await;
        let (bot, d) = (Arc::clone(&bot), event["d"].clone());
        sends.spawn(async move {
            let user = d["author"]["user_openid"].as_str().unwrap();
            let path = format!("/v2/users/{user}/messages");
            let body = json!({"content": d["content"], "msg_id": d["id"], "msg_seq": 1});
            assert_eq!(bot.post(&path, &body).await.unwrap().0, 200);
        });
        while let Some(done) = sends.try_join_next() {
            done.unwrap();
        }
    }
}

fn message(n: u64) -> Value {
    json!({"action": "c2c", "user": format!("user{}", n % USERS), "text": format!("m{n}")})
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn five_hundred_users_get_one_reply_to_each_message() {
    let emulator = Emulator::start(EmulatorOptions::default()).await.unwrap();
    let bot = Arc::new(Bot::new(&emulator).await);
    let mut socket = bot.connect().await;
    bot.identify(&mut socket).await;
    let echo = tokio::spawn(echo(Arc::clone(&bot), socket));
    let url = format!("{}/events", emulator.urls().control_base).replace("http", "ws");
    let mut users = Socket::connect(&url, None).await;
    let (mut said, mut heard) = (0, 0);
    while heard < MESSAGES {
        while said < MESSAGES && said < heard + IN_FLIGHT {
            users.say(&message(said)).await;
            said += 1;
        }
        let told = users.frame().await;
        heard += u64::from(told["reply_to"].is_object());
    }
    echo.abort();
    emulator.with(|platform| {
        let ledger = platform.ledger();
        assert_eq!(ledger.user_message_count(), MESSAGES);
        assert!(
            ledger
                .user_messages()
                .all(|it| ledger.reply_texts(&it.id) == [it.text.as_str()])
        );
        assert_eq!(ledger.violation_count(), 0);
    });
}
