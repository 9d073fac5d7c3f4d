//! Windows, slots and pairs of passive replies.

use std::time::Duration;

use qq_emulator::actions::Act;
use qq_emulator::ids::MessageId;
use qq_emulator::ledger::Violation;
use serde_json::json;

use crate::support::{Bench, code};

#[test]
fn a_group_message_can_be_answered_five_times_within_five_minutes() {
    let mut bench = Bench::new();
    let (id, path) = bench.asked(Act::group_at("room", "bob", "hi"));
    for seq in 1..=5 {
        assert_eq!(bench.answer(&path, &id, seq), 0);
    }
    assert_eq!(bench.answer(&path, &id, 6), 40_034_128);
    let slots: Vec<_> = bench
        .platform
        .ledger()
        .replies_to(&id)
        .map(|it| it.slot)
        .collect();
    assert_eq!(slots, [Some(1), Some(2), Some(3), Some(4), Some(5)]);
    let (late, path) = bench.asked(Act::group_at("room", "bob", "hi"));
    bench.pass(Duration::from_secs(300));
    assert_eq!(bench.answer(&path, &late, 1), 0);
    bench.pass(Duration::from_millis(1));
    assert_eq!(bench.answer(&path, &late, 2), 40_034_005);
    assert!(matches!(
        bench.violations()[..],
        [
            Violation::SlotsUsedUp { slots: 5, .. },
            Violation::PastWindow { late_ms: 1, .. },
        ]
    ));
}

#[test]
fn a_c2c_message_can_be_answered_four_times_within_an_hour() {
    let mut bench = Bench::new();
    let (id, path) = bench.asked(Act::c2c("alice", "hi"));
    bench.pass(Duration::from_secs(3600));
    for seq in 1..=4 {
        assert_eq!(bench.answer(&path, &id, seq), 0);
    }
    assert_eq!(bench.answer(&path, &id, 5), 40_034_128);
    let budget = bench
        .platform
        .reply_budget(&"102012345".into(), &id)
        .unwrap();
    assert_eq!((budget.used, budget.slots), (4, 4));
}

#[test]
fn a_typing_notice_takes_a_slot_unless_the_settings_say_otherwise() {
    for (counts, want) in [(true, 40_034_128), (false, 0)] {
        let mut bench = Bench::with(|bot| bot.messages.typing_counts = counts);
        let (id, path) = bench.asked(Act::c2c("alice", "hi"));
        let notify = json!({"input_type": 1, "input_second": 60});
        let typing = json!({"msg_type": 6, "input_notify": notify, "msg_id": id, "msg_seq": 9});
        assert_eq!(code(&bench.post(&path, &typing).unwrap()), 0);
        for seq in 1..=3 {
            assert_eq!(bench.answer(&path, &id, seq), 0);
        }
        assert_eq!(bench.answer(&path, &id, 4), want);
        let late = json!({"msg_type": 6, "input_notify": notify, "msg_id": id, "msg_seq": 10});
        assert_eq!(code(&bench.post(&path, &late).unwrap()), want);
        assert!(!bench.platform.ledger().reply_texts(&id).is_empty());
    }
}

#[test]
fn a_pair_is_deduplicated_even_after_the_window() {
    let mut bench = Bench::new();
    let (id, path) = bench.asked(Act::c2c("alice", "hi"));
    assert_eq!(bench.answer(&path, &id, 1), 0);
    assert_eq!(bench.answer(&path, &id, 1), 40_054_005);
    bench.pass(Duration::from_secs(3601));
    assert_eq!(bench.answer(&path, &id, 1), 40_054_005);
    assert!(bench.violations().is_empty());
    assert_eq!(bench.platform.ledger().reply_texts(&id), ["pong"]);
}

#[test]
fn a_forgotten_pair_is_accepted_again() {
    let mut bench = Bench::with(|bot| bot.messages.dedup_memory = Duration::from_secs(10));
    let (id, path) = bench.asked(Act::c2c("alice", "hi"));
    assert_eq!(bench.answer(&path, &id, 1), 0);
    bench.pass(Duration::from_secs(10));
    assert_eq!(bench.answer(&path, &id, 1), 0);
    assert_eq!(bench.platform.ledger().reply_texts(&id), ["pong", "pong"]);
}

#[test]
fn two_bodies_for_one_pair_are_noted_even_if_the_first_was_never_handled() {
    let mut bench = Bench::new();
    let (id, path) = bench.asked(Act::c2c("alice", "hi"));
    bench.fault("500");
    assert_eq!(bench.answer_with(&path, &id, 1, "one"), 500);
    assert_eq!(bench.answer_with(&path, &id, 1, "two"), 0);
    assert!(matches!(
        bench.violations()[..],
        [Violation::TwoBodies { msg_seq: 1, .. }]
    ));
}

#[test]
fn an_id_of_another_chat_or_of_nobody_is_refused() {
    let mut bench = Bench::new();
    let (of_alice, _) = bench.asked(Act::c2c("alice", "hi"));
    let (_, to_bob) = bench.asked(Act::c2c("bob", "hi"));
    assert_eq!(bench.answer(&to_bob, &of_alice, 1), 40_034_024);
    assert_eq!(
        bench.answer(&to_bob, &MessageId::from("ROBOT1.0_x"), 1),
        40_034_024
    );
}

#[test]
fn a_missing_msg_seq_is_one() {
    let mut bench = Bench::new();
    let (id, path) = bench.asked(Act::c2c("alice", "hi"));
    let body = json!({"content": "pong", "msg_id": id});
    assert_eq!(code(&bench.post(&path, &body).unwrap()), 0);
    assert_eq!(bench.answer(&path, &id, 1), 40_054_005);
}

#[test]
fn a_late_reply_can_be_called_exhausted() {
    let mut bench = Bench::with(|bot| bot.messages.late_is_exhausted = true);
    let (id, path) = bench.asked(Act::group_at("room", "bob", "hi"));
    bench.pass(Duration::from_secs(301));
    assert_eq!(bench.answer(&path, &id, 1), 40_034_128);
}
