//! Streaming in C2C.

use std::time::Duration;

use qq_emulator::actions::{Act, ActionError, Operation};
use qq_emulator::ids::MessageId;
use qq_emulator::ledger::{BotForm, Violation};
use qq_emulator::wire::HttpResponse;
use serde_json::{Value, json};

use crate::support::guilds::ALL_PUBLIC;
use crate::support::{Bench, code};

struct Streamer {
    bench: Bench,
    path: String,
    id: MessageId,
    stream: Option<Value>,
    /// `action_button` of the pieces.
    extra: Value,
}

fn operate(id: &str, button: Operation) -> Act {
    Act::Operate {
        user: "alice".into(),
        message_id: id.into(),
        button,
        on: true,
    }
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
            extra: Value::Null,
        }
    }

    fn send(&mut self, mode: &str, index: u64, state: u64, text: &str) -> HttpResponse {
        let mut body = json!({"input_mode": mode, "input_state": state, "index": index,
            "content_type": "markdown", "content_raw": text, "msg_id": self.id, "msg_seq": 1,
            "action_button": self.extra});
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

#[test]
fn a_growing_message_is_stopped_and_a_finished_one_is_liked_under_the_id_that_the_bot_knows() {
    let mut it = Streamer::new();
    let conn = it.bench.identify(ALL_PUBLIC);
    it.extra = json!({"feedback": true, "stop_generate": true, "callback_data": "turn 1"});
    it.send("append", 0, 1, "Once");
    let stream = it.stream.clone().unwrap();
    it.bench.frames(conn);
    it.bench
        .act(operate(stream.as_str().unwrap(), Operation::Stop));
    let frame = it.bench.frames(conn).pop().unwrap();
    let resolved = json!({
        "button_data": "turn 1", "button_id": "stop_generate", "message_id": stream,
    });
    assert_eq!(
        frame["d"]["data"],
        json!({"type": 11, "resolved": resolved})
    );
    it.send("append", 1, 10, ".");
    let message = it.bench.platform.ledger().bot_message(0).unwrap().clone();
    assert_eq!(message.buttons, Some(it.extra.clone()));
    it.bench.act(operate(message.id.as_str(), Operation::Like));
    let frame = it.bench.frames(conn).pop().unwrap();
    let resolved = json!({"message_id": stream, "feedback_opt": "LIKE", "checked": true,
        "button_data": "turn 1"});
    assert_eq!(
        frame["d"]["data"],
        json!({"type": 13, "resolved": resolved})
    );
    let presses = |bench: &Bench| {
        bench
            .platform
            .ledger()
            .mark(&message.id)
            .unwrap()
            .presses
            .clone()
    };
    assert_eq!(presses(&it.bench), ["alice: like"]);
    it.bench
        .act(operate(message.id.as_str(), Operation::Dislike));
    assert_eq!(presses(&it.bench), ["alice: dislike"]);
    let stop = it.bench.platform.act(
        it.bench.platform.now(),
        &operate(message.id.as_str(), Operation::Stop).into(),
    );
    assert_eq!(stop.0, Err(ActionError::NoSuchButton("stop".to_owned())));
}
