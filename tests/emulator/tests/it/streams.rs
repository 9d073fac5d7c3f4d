//! Streaming in C2C.

use std::time::Duration;

use qq_emulator::actions::Act;
use qq_emulator::ids::MessageId;
use qq_emulator::ledger::{BotForm, Violation};
use qq_emulator::wire::HttpResponse;
use serde_json::{Value, json};

use crate::support::{Bench, code};

struct Streamer {
    bench: Bench,
    path: String,
    id: MessageId,
    stream: Option<Value>,
}

impl Streamer {
    fn new() -> Self {
        let mut bench = Bench::new();
        let (id, path) = bench.asked(Act::c2c("alice", "tell me"));
        let path = path.replace("/messages", "/stream_messages");
        Self {
            bench,
            path,
            id,
            stream: None,
        }
    }

    fn send(&mut self, mode: &str, index: u64, state: u64, text: &str) -> HttpResponse {
        let mut body = json!({"input_mode": mode, "input_state": state, "index": index,
            "content_type": "markdown", "content_raw": text, "msg_id": self.id, "msg_seq": 1});
        if let Some(stream) = &self.stream {
            body["stream_msg_id"] = stream.clone();
        }
        let answer = self.bench.post(&self.path, &body).unwrap();
        if answer.json()["id"].is_string() {
            self.stream = Some(answer.json()["id"].clone());
        }
        self.bench.pass(Duration::from_millis(300));
        answer
    }
}

#[test]
fn a_stream_grows_finishes_and_counts_as_one_reply() {
    let mut it = Streamer::new();
    let first = it.send("replace", 0, 1, "Think").json();
    assert_eq!(first["remain_msg_len"], 4_995);
    assert_eq!(code(&it.send("replace", 1, 1, "Thinking done.")), 0);
    assert_eq!(it.bench.platform.ledger().bot_message_count(), 0);
    assert_eq!(code(&it.send("replace", 2, 10, "Thinking done. Bye.")), 0);
    let sent = it.bench.platform.ledger().bot_messages().next().unwrap();
    assert_eq!((sent.form, sent.slot), (BotForm::Stream, Some(1)));
    assert_eq!(sent.text, "Thinking done. Bye.");
    let ledger = it.bench.platform.ledger();
    assert_eq!(ledger.reply_texts(&it.id), ["Thinking done. Bye."]);
    assert_eq!(code(&it.send("replace", 3, 10, "more")), 12_002);
    let view = it
        .bench
        .platform
        .reply_budget(&crate::support::APP.into(), &it.id);
    assert_eq!(view.unwrap().used, 1);
}

#[test]
fn pieces_can_be_appended() {
    let mut it = Streamer::new();
    for (index, state, text) in [(0, 1, "one, "), (1, 1, "two, "), (5, 10, "three")] {
        assert_eq!(code(&it.send("append", index, state, text)), 0);
    }
    assert_eq!(it.bench.said(), ["one, two, three"]);
}

#[test]
fn the_rules_of_a_stream_have_their_codes() {
    let mut it = Streamer::new();
    assert_eq!(code(&it.send("append", 1, 1, "x")), 12_002);
    assert_eq!(code(&it.send("append", 0, 1, "  ")), 12_002);
    assert_eq!(code(&it.send("sideways", 0, 1, "x")), 12_002);
    assert_eq!(code(&it.send("replace", 0, 1, "abc")), 0);
    assert_eq!(code(&it.send("replace", 0, 1, "abcd")), 12_002);
    assert_eq!(code(&it.send("replace", 1, 1, "xyz")), 40_007);
    assert_eq!(code(&it.send("replace", 2, 7, "abcd")), 12_002);
    it.bench
        .change(|bot| bot.streams.least_gap = Duration::from_secs(5));
    assert_eq!(code(&it.send("replace", 3, 1, "abcd")), 50_002);
    assert_eq!(code(&it.send("replace", 4, 10, "abcd")), 0);
    it.bench.change(|bot| bot.streams.enabled = false);
    assert_eq!(code(&it.send("replace", 0, 1, "abc")), 11_253);
}

#[test]
fn a_stream_that_is_never_finished_is_noted_and_stays_as_it_is() {
    let mut it = Streamer::new();
    it.send("replace", 0, 1, "half an ans");
    it.bench.pass(Duration::from_secs(200));
    let violations = it.bench.violations();
    assert!(matches!(
        violations.as_slice(),
        [Violation::UnfinishedStream { .. }]
    ));
    assert_eq!(it.bench.said(), ["half an ans"]);
}

#[test]
fn groups_have_no_streams() {
    let mut bench = Bench::new();
    let (_, path) = bench.asked(Act::group_at("room", "bob", "hi"));
    let path = path.replace("/messages", "/stream_messages");
    assert_eq!(bench.post_code(&path, &json!({})), 404);
}
