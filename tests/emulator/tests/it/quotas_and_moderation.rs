//! Quotas of proactive and wake-up messages, audits, silence, and the sandbox.

use std::time::Duration;

use qq_emulator::actions::{Act, ActionError};
use qq_emulator::settings::{Judgement, Proactive};
use serde_json::json;

use crate::support::guilds::ALL_PUBLIC;
use crate::support::{Bench, names};

#[test]
fn proactive_messages_are_held_against_the_quotas() {
    let mut bench = Bench::with(|bot| {
        bot.messages.proactive = Proactive::Quota;
        bot.quotas.c2c_per_second = 2;
        bot.quotas.user_per_minute = 3;
        bot.quotas.group_per_day = 1;
    });
    let (_, path) = bench.asked(Act::c2c("alice", "hi"));
    let (_, group) = bench.asked(Act::group_at("room", "bob", "hi"));
    let text = json!({"content": "news"});
    let codes: Vec<u64> = (0..3).map(|_| bench.post_code(&path, &text)).collect();
    assert_eq!(codes, [0, 0, 40_034_100]);
    bench.pass(Duration::from_secs(1));
    let codes: Vec<u64> = (0..2).map(|_| bench.post_code(&path, &text)).collect();
    assert_eq!(codes, [0, 40_034_100]);
    let codes: Vec<u64> = (0..2).map(|_| bench.post_code(&group, &text)).collect();
    assert_eq!(codes, [0, 40_034_100]);
    bench.act(Act::RejectMessages {
        user: "alice".into(),
    });
    assert_eq!(bench.post_code(&path, &text), 40_054_013);
}

#[test]
fn one_wake_up_message_is_allowed_per_period_after_the_last_word() {
    let mut bench = Bench::new();
    let (_, path) = bench.asked(Act::c2c("alice", "hi"));
    let wake = json!({"content": "still there?", "is_wakeup": true});
    assert_eq!(bench.post_code(&path, &wake), 40_034_123);
    bench.change(|bot| bot.quotas.wakeup = true);
    for days in [0, 1, 3, 10] {
        bench.pass(Duration::from_secs(days * 86_400));
        assert_eq!(bench.post_code(&path, &wake), 0, "after {days} more days");
        assert_eq!(bench.post_code(&path, &wake), 40_034_122);
    }
    bench.pass(Duration::from_secs(30 * 86_400));
    assert_eq!(bench.post_code(&path, &wake), 40_034_122);
    bench.act(Act::c2c("alice", "here again"));
    assert_eq!(bench.post_code(&path, &wake), 0);
}

#[test]
fn an_audit_answers_like_an_error_and_ends_with_an_event() {
    let mut bench = Bench::with(|bot| {
        bot.moderation.verdict = Judgement::Audit;
        bot.moderation.words = vec!["odd".to_owned()];
    });
    let conn = bench.identify(ALL_PUBLIC);
    let (id, path) = bench.channel_asked("hi");
    bench.frames(conn);
    let answer = bench
        .post(&path, &json!({"content": "odd", "msg_id": id}))
        .unwrap();
    assert_eq!(
        (answer.status, &answer.json()["code"]),
        (202, &json!(304_024))
    );
    let audit = answer.json()["data"]["message_audit"]["audit_id"].clone();
    assert!(bench.said().is_empty());
    bench.pass(Duration::from_secs(5));
    let frames = bench.frames(conn);
    assert_eq!(names(&frames), ["MESSAGE_AUDIT_PASS"]);
    assert_eq!(frames[0]["d"]["audit_id"], audit);
    assert!(frames[0]["d"]["message_id"].is_string());
    assert_eq!(bench.said(), ["odd"]);
    let pushed = bench.post(&path, &json!({"content": "odd"})).unwrap();
    assert_eq!(pushed.json()["code"], 304_023);
    let judge = || Act::Judge {
        audit_id: None,
        pass: false,
    };
    bench.act(judge());
    let frames = bench.frames(conn);
    assert_eq!(names(&frames), ["MESSAGE_AUDIT_REJECT"]);
    assert!(frames[0]["d"].get("message_id").is_none());
    assert!(frames[0]["d"]["guild_id"].is_string());
    let (nothing, _) = bench.platform.act(bench.now, &judge().into());
    assert_eq!(nothing, Err(ActionError::NoSuchAudit));
    assert_eq!(
        bench.post_code(&path, &json!({"content": "fine", "msg_id": id})),
        0
    );
    bench.pass(Duration::from_secs(10));
    assert_eq!(bench.said(), ["odd", "fine"]);
}

#[test]
fn a_silenced_message_has_an_id_and_nobody_reads_it() {
    let mut bench = Bench::with(|bot| bot.moderation.verdict = Judgement::Silent);
    let (id, path) = bench.asked(Act::c2c("alice", "hi"));
    assert_eq!(bench.answer(&path, &id, 1), 0);
    let ledger = bench.platform.ledger();
    assert!(ledger.reply_texts(&id).is_empty());
    assert_eq!(ledger.unanswered_count(), 1);
    assert!(ledger.bot_messages().next().unwrap().hidden);
    bench.change(|bot| bot.moderation.verdict = Judgement::Refuse(40_034_006));
    assert_eq!(bench.answer(&path, &id, 2), 40_034_006);
}

#[test]
fn the_sandbox_shows_only_those_it_lists() {
    let mut bench = Bench::with(|bot| {
        bot.sandbox = true;
        bot.visible.users = vec!["alice".into()];
    });
    let conn = bench.identify(ALL_PUBLIC);
    bench.frames(conn);
    let (id, path) = bench.asked(Act::c2c("alice", "hi"));
    bench.act(Act::c2c("bob", "hi"));
    bench.act(Act::group_at("room", "alice", "hi"));
    bench.channel_asked("hi");
    assert_eq!(names(&bench.frames(conn)), ["C2C_MESSAGE_CREATE"]);
    assert_eq!(bench.answer(&path, &id, 1), 0);
    let bob = bench
        .platform
        .user_openid(&crate::support::APP.into(), &"bob".into());
    let path = format!("/v2/users/{bob}/messages");
    assert_eq!(bench.post_code(&path, &json!({"content": "x"})), 40_054_004);
}
