//! Whatever people write, however much and however fast: what is open stays within its bounds, everybody gets an answer
//! or a recorded refusal, and a new process starts with what is stored.

use std::collections::BTreeSet;

use qq_channel::bindings::*;
use qq_channel::turns::room::{ACCEPTED_BYTES, MESSAGES, OPEN_BYTES, WORDS};
use serde_json::{Value, json};

mod world;

use world::{CHECKPOINT_BYTES, Overfull, Sends, World};

#[test]
fn one_person_who_floods_long_texts_is_told_and_harms_nobody() {
    let mut world = World::new();
    for _ in 0..150 {
        world.writes("FLOODER", &"洪".repeat(20_000), json!({}));
    }
    assert!(world.stored_bytes("turn/") <= ACCEPTED_BYTES);
    world = world.restarted(2);
    world.settle();
    let world = world.check();
    assert_eq!(world.count(Outcome::Refused), 150 - 21);
    assert_eq!((world.count(Outcome::Sent), world.told()), (22, 1));
    assert!(!world.sent.iter().any(|text| text.contains('洪')));
}

#[test]
fn a_thousand_people_write_while_nothing_can_be_sent() {
    let mut world = World::new();
    world.answer = |_| "答".repeat(3_000);
    for number in 0..1_000 {
        world.writes(&format!("U{number}"), &"文".repeat(1_500), json!({}));
        if number % 10 == 0 {
            world.work(Sends::Waiting);
        }
    }
    for number in 2..5 {
        world.work(Sends::Waiting);
        world = world.restarted(number);
    }
    world.settle();
    let world = world.check();
    assert_eq!(
        world.count(Outcome::Sent) + world.count(Outcome::Refused),
        1_001
    );
    assert!(
        world.count(Outcome::Sent) > 500,
        "{}",
        world.count(Outcome::Sent)
    );
}

#[test]
fn a_crowd_beyond_the_number_of_open_messages_is_refused_and_the_oldest_are_answered() {
    let mut world = World::new();
    for number in 0..MESSAGES + 500 {
        world.writes(&format!("U{number}"), "hi", json!({}));
    }
    let refused = world.count(Outcome::Refused) + world.sent.len();
    assert!(refused <= 500);
    world.settle();
    let world = world.check();
    assert_eq!(world.count(Outcome::Sent), MESSAGES + 1);
    assert_eq!(world.count(Outcome::Refused), 500);
    // Each of them is somebody else, and so is told, as many as there is room for.
    assert!(
        (WORDS / 2..=500).contains(&world.told()),
        "{}",
        world.told()
    );
}

#[test]
fn attachments_quotes_and_forwarded_records_are_bounded_too() {
    let long = |text: &str, times: usize| text.repeat(times);
    let attachment = json!({"content_type": "image/png", "filename": long("名", 500), "size": 7,
        "url": format!("https://multimedia.nt.qq.com.cn/{}", long("a", 1_500)), "asr_refer_text": long("听", 4_000)});
    let element = json!({"msg_idx": "REFIDX_A==", "content": long("引", 60_000), "author": {"username": long("人", 400)}});
    let more = json!({
        "attachments": vec![attachment; 64], "message_type": 103,
        "message_scene": {"ext": [format!("msg_idx={}", long("x", 8_000)), "ref_msg_idx=REFIDX_A=="]},
        "msg_elements": vec![element; 3],
    });
    let mut world = World::new();
    for number in 0..120 {
        world.writes(&format!("U{number}"), &long("字", 2_000), more.clone());
        world.work(Sends::Waiting);
    }
    world = world.restarted(2);
    world.settle();
    let world = world.check();
    assert!(
        world.count(Outcome::Sent) > 60,
        "{}",
        world.count(Outcome::Sent)
    );
}

#[test]
fn text_that_grows_when_it_is_stored_fits_into_an_entry() {
    for piece in ["\u{1}", "\"", "\\", "🙂", "\n", "\u{7f}", "中", "\u{202e}"] {
        let mut world = World::new();
        world.writes("A", &piece.repeat(70_000), json!({}));
        world.writes("B", "x", json!({"attachments": [{"content_type": piece.repeat(5_000), "url": piece.repeat(8_000), "asr_refer_text": piece.repeat(5_000)}]}));
        world.settle();
        world.check();
    }
}

#[test]
fn answers_that_grow_when_they_are_stored_fit_as_well() {
    let answers: [fn(&str) -> String; 6] = [
        |_| "\"".repeat(300_000),
        |_| "\u{1}".repeat(300_000),
        |_| "**粗**\\`".repeat(40_000),
        |_| "🙂".repeat(60_000),
        |_| "\n\n- x".repeat(50_000),
        |_| "|a|b|\n|-|-|\n|1|2|\n".repeat(5_000),
    ];
    for answer in answers {
        let mut world = World::new();
        world.answer = answer;
        for number in 0..40 {
            world.writes(&format!("U{number}"), "hi", json!({}));
        }
        for _ in 0..5 {
            world.work(Sends::Waiting);
        }
        let (mode, checkpoint) = (
            CheckpointMode::Normal,
            world.channel.checkpoint(&CheckpointMode::Normal),
        );
        assert!(checkpoint.unwrap().len() < CHECKPOINT_BYTES, "{mode:?}");
        world = world.restarted(2);
        world.settle();
        world.check();
    }
}

#[test]
fn orders_and_presses_are_bounded_while_nothing_can_be_sent() {
    let mut world = World::new();
    for number in 0..2_000 {
        let word = ["/help", "/status", "/whoami", "/new", "/stop"][number % 5];
        world.writes(&format!("U{}", number % 700), word, json!({}));
    }
    for number in 0..2_000 {
        world.seq += 1;
        let data = json!({"type": 11, "resolved": {"button_data": "x", "button_id": "1"}});
        let body = json!({"id": format!("i{number}"), "type": 11, "chat_type": 2, "scene": "c2c",
            "user_openid": format!("U{number}"), "timestamp": "2027-01-15T16:00:00+08:00", "data": data});
        let frame = json!({"op": 0, "s": world.seq, "t": "INTERACTION_CREATE", "id": format!("INTERACTION_CREATE:{number}"), "d": body});
        world.frame(&frame);
    }
    world.settle();
    world.answer = |_| "still here".to_owned();
    world.writes("SOMEBODY", "hello", json!({}));
    world.settle();
    assert_eq!(world.sent.last().unwrap(), "still here");
}

#[test]
fn a_store_with_more_than_fits_sheds_the_oldest_with_a_record() {
    let mut world = World::new();
    world.writes("A", &"x".repeat(30_000), json!({}));
    let (_, value) = world.store.range("turn/".to_owned()..).next().unwrap();
    let turn: Value = serde_json::from_slice(value).unwrap();
    let mut store = world.store.clone();
    let mut ids = BTreeSet::new();
    for number in 1..600_u64 {
        let id = 1 << 32 | (1_000 + number);
        let mut more = turn.clone();
        more["id"] = id.into();
        more["inbound"]["sender"] = format!("U{number}").into();
        more["inbound"]["target"] = format!("U{number}").into();
        more["inbound"]["id"] = format!("old{number}").into();
        if number % 3 == 0 {
            // One that was refused, and whose word was not sent yet.
            more["stage"] = json!({"answering": {"parts": [], "means": "Refused", "remarks": []}});
        }
        ids.insert(id);
        store.insert(
            format!("turn/{id:016x}"),
            serde_json::to_vec(&more).unwrap(),
        );
    }
    assert!(store.values().map(Vec::len).sum::<usize>() > OPEN_BYTES + (2 << 20));
    world.store = store;
    world.store.retain(|key, _| key.starts_with("turn/"));
    let mut world = Overfull::start(world);
    world.settle();
    let expired: Vec<u64> = world
        .outcomes
        .iter()
        .filter(|(_, it)| **it == Outcome::Expired)
        .map(|(id, _)| *id)
        .collect();
    assert!(!expired.is_empty());
    let oldest: Vec<u64> = world.outcomes.keys().take(expired.len()).copied().collect();
    assert_eq!(expired, oldest, "the oldest go");
    assert_eq!(world.outcomes.len(), 600);
    let status = world.status();
    assert!(
        status.contains(&format!("{} ended at the start", expired.len())),
        "{status}"
    );
    world.check_anybody();
}

#[test]
fn a_group_that_floods_is_told_once_for_all_of_its_members() {
    let mut world = World::start(&json!({"share_group_history": true}), Default::default(), 1);
    for number in 0..200 {
        world.seq += 1;
        world.written += 1;
        let body = json!({"id": format!("m{number}"), "group_openid": "G", "content": "hi",
            "author": {"member_openid": format!("U{number}")}, "timestamp": world.now.wall_ms / 1_000});
        let frame = json!({"op": 0, "s": world.seq, "t": "GROUP_AT_MESSAGE_CREATE", "id": format!("x{number}"), "d": body});
        world.frame(&frame);
    }
    world.settle();
    assert_eq!((world.count(Outcome::Refused), world.told()), (200 - 21, 1));
    assert_eq!(world.count(Outcome::Sent), 21);
}
