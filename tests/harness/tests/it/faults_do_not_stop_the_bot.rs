//! Every fault that can be typed into the emulator, one after the other, and a message after each.

use qq_emulator::actions::Act;

use crate::common::Pair;

/// Faults after which the very next message must be answered. Those that stop the bot for good are elsewhere.
const FAULTS: &[&str] = &[
    "drop",
    "drop-before-event",
    "drop-after-event",
    "op7",
    "op9 true",
    "op9 false",
    "op9 missing",
    "close 1000",
    "close 4000",
    "close 4003",
    "close 4004",
    "close 4006",
    "close 4007",
    "close 4009",
    "close 4900",
    "close 4913",
    "login-close 4009",
    "forget-sessions",
    "replay-extra 3",
    "ask-heartbeat",
    "double",
    "triple",
    "double-new-id",
    "garbage",
    "token-death",
    "401",
    "429",
    "500",
    "502-html",
    "cut-after-delivery",
    "reset-on-next-post",
    "fail-after-delivery",
    "answer-not-json",
    "slow-after-delivery 300ms",
    "500 at gateway",
    "429 at token",
];

#[tokio::test(flavor = "multi_thread")]
async fn a_message_after_each_fault_is_answered_once() {
    let pair = Pair::start().await;
    pair.until_connected().await;
    let begin = std::time::Instant::now();
    for (number, fault) in FAULTS.iter().enumerate() {
        eprintln!("{:?} {fault}", begin.elapsed());
        pair.emulator.fault_text(None, fault).unwrap();
        let text = format!("after {number}.");
        // What is said while a session is gone is lost with it, and no bot can help that: say it again until it is heard.
        let mut answers = Vec::new();
        for _ in 0..3 {
            pair.until_connected().await;
            answers = pair.ask(Act::c2c("alice", &text)).await;
            if !answers.is_empty() {
                break;
            }
        }
        assert_eq!(answers.len(), 1, "{fault}: {answers:?}");
        assert!(answers[0].contains(&text), "{fault}: {answers:?}");
    }
}
