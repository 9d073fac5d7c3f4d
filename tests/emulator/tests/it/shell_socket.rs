//! The shell over real WebSockets.

use qq_emulator::actions::Act;
use serde_json::json;

use crate::support::live::{Bot, Ended, start};

#[tokio::test]
async fn events_come_as_frames_and_a_drop_is_healed_by_resume() {
    let emulator = start().await;
    let bot = Bot::new(&emulator).await;
    let mut socket = bot.connect().await;
    let session = bot.identify(&mut socket).await;
    emulator.user(Act::c2c("alice", "one")).unwrap();
    assert_eq!(socket.frame().await["d"]["content"], "one");
    emulator.fault_text(None, "drop-before-event").unwrap();
    emulator.user(Act::c2c("alice", "two")).unwrap();
    assert_eq!(socket.ended().await, Ended::Broken);
    let mut socket = bot.connect().await;
    assert_eq!(socket.frame().await["op"], 10);
    let token = format!("QQBot {}", bot.token);
    let d = json!({"token": token, "session_id": session, "seq": 2});
    socket.say(&json!({"op": 6, "d": d})).await;
    assert_eq!(socket.frame().await["d"]["content"], "two");
    assert_eq!(socket.frame().await["t"], "RESUMED");
}

#[tokio::test]
async fn close_codes_arrive() {
    let emulator = start().await;
    let bot = Bot::new(&emulator).await;
    for code in [4009, 4914, 4900] {
        let mut socket = bot.connect().await;
        bot.identify(&mut socket).await;
        emulator.fault_text(None, &format!("close {code}")).unwrap();
        assert_eq!(socket.ended().await, Ended::Closed(code));
    }
}

#[tokio::test]
async fn a_close_code_arrives_although_the_bot_was_still_talking() {
    let emulator = start().await;
    let bot = Bot::new(&emulator).await;
    let mut socket = bot.connect().await;
    bot.identify(&mut socket).await;
    socket.say(&json!({"op": 3})).await;
    for _ in 0..50 {
        socket.say(&json!({"op": 1, "d": 1})).await;
    }
    assert_eq!(socket.ended().await, Ended::Closed(4001));
}

#[tokio::test]
async fn the_platform_learns_when_a_bot_goes() {
    let emulator = start().await;
    let bot = Bot::new(&emulator).await;
    let mut socket = bot.connect().await;
    bot.identify(&mut socket).await;
    let app = bot.app.clone();
    let live = |platform: &qq_emulator::Platform| platform.stats(&app).unwrap().live_connections;
    assert_eq!(emulator.with(live), 1);
    drop(socket);
    let gone = emulator.wait_for(crate::support::live::LIMIT, |platform| {
        (live(platform) == 0).then_some(())
    });
    gone.await.unwrap();
}

#[tokio::test]
async fn a_huge_frame_and_a_binary_one_pass_the_shell() {
    let emulator = start().await;
    let bot = Bot::new(&emulator).await;
    let mut socket = bot.connect().await;
    bot.identify(&mut socket).await;
    emulator.fault_text(None, "garbage huge").unwrap();
    assert_eq!(socket.frame().await["t"], "EMULATOR_HUGE");
    socket.say_binary(b"\x01\x02").await;
    assert_eq!(socket.ended().await, Ended::Closed(4002));
}
