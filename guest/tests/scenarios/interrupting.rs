//! A newer message takes the place of the one that is being answered, where the operator wants that.

use qq_channel::bindings::{Action, AnswerPart, Outcome, TurnNews};
use serde_json::{Value, json};

use crate::driver::{Driver, boot};

fn keys() -> Value {
    json!({"interrupt_on_new_message": true, "language": "en"})
}

fn finished(text: &str) -> TurnNews {
    TurnNews::Finished(vec![AnswerPart::Text(text.into())])
}

#[test]
fn the_agent_is_stopped_and_waited_for_and_the_newest_message_is_answered() {
    let mut driver = Driver::connected(&keys());
    driver.c2c(2, "m1", "A", "one");
    let first = driver.begun()[0].clone();
    for (seq, text) in [(3, "two"), (4, "three"), (5, "four")] {
        driver.c2c(seq, &format!("m{seq}"), "A", text);
    }
    assert_eq!(driver.cancelled(), [first.id], "once");
    assert_eq!(driver.begun().len(), 1, "the first must have ended");
    // What the agent never heard of is in its history all the same.
    let heard: Vec<String> = driver
        .actions
        .iter()
        .filter_map(|action| match action {
            Action::TurnContext(context) => Some(context.message.text.clone()),
            _ => None,
        })
        .collect();
    assert_eq!(heard, ["two", "three"]);
    driver.news_of(&first, TurnNews::Cancelled);
    assert_eq!(driver.begun().pop().unwrap().message.text, "four");
    assert_eq!(driver.outcomes(), [Outcome::Superseded; 3]);
    driver.news(finished("done"));
    assert_eq!(driver.sent().len(), 1);
    assert_eq!(driver.sent()[0]["msg_id"], "m5");
}

#[test]
fn an_answer_that_comes_too_late_to_be_stopped_is_dropped() {
    let mut driver = Driver::connected(&keys());
    driver.c2c(2, "m1", "A", "one");
    let first = driver.begun()[0].clone();
    driver.c2c(3, "m2", "A", "two");
    driver.news_of(&first, finished("late"));
    assert!(driver.sent().is_empty());
    assert_eq!(driver.begun().len(), 2);
}

#[test]
fn parts_that_were_not_sent_are_dropped_and_the_one_under_way_is_waited_for() {
    let mut keys = keys();
    keys["message_chars"] = json!(200);
    let mut driver = Driver::connected(&keys);
    driver.c2c(2, "m1", "A", "one");
    driver.finish_turn(&"A sentence of words. ".repeat(20));
    assert_eq!(driver.sent().len(), 1);
    driver.c2c(3, "m2", "A", "two");
    assert_eq!(driver.begun().len(), 1, "a part is under way");
    driver.answer("send", 200, r#"{"id":"x"}"#);
    assert_eq!(driver.outcomes(), [Outcome::Superseded]);
    assert_eq!(driver.begun().len(), 2);
    assert_eq!(driver.sent().len(), 1, "the rest is not sent");
}

#[test]
fn a_text_that_was_growing_is_closed_with_what_it_shows() {
    let mut keys = keys();
    keys["stream_mode"] = json!("stream");
    let mut driver = Driver::connected(&keys);
    driver.c2c(2, "m1", "A", "one");
    driver.news(TurnNews::Delta("A first sentence. And".into()));
    driver.answer("stream", 200, r#"{"id":"stream-1"}"#);
    let first = driver.begun()[0].clone();
    driver.c2c(3, "m2", "A", "two");
    driver.news_of(&first, TurnNews::Delta(" more that nobody reads. ".into()));
    driver.news_of(&first, TurnNews::Cancelled);
    let end = driver.sent().pop().unwrap();
    assert_eq!(
        (&end["input_state"], &end["stream_msg_id"]),
        (&json!(10), &json!("stream-1"))
    );
    assert!(!end["content_raw"].as_str().unwrap().contains("nobody"));
    assert_eq!(driver.begun().len(), 1, "the stream is closed first");
    driver.answer("send", 200, r#"{"id":"stream-1"}"#);
    assert_eq!(driver.begun().len(), 2);
}

#[test]
fn others_in_the_group_are_not_interrupted() {
    let mut keys = keys();
    keys["share_group_history"] = json!(true);
    let mut driver = Driver::connected(&keys);
    driver.group(2, "m1", "A", "one", true);
    driver.group(3, "m2", "B", "two", true);
    assert!(driver.cancelled().is_empty());
    driver.group(4, "m3", "B", "three", true);
    assert_eq!(driver.outcomes(), [Outcome::Superseded], "B's own");
    driver.finish_turn("for A");
    driver.answer("send", 200, "{}");
    assert_eq!(driver.begun().pop().unwrap().message.text, "three");
}

#[test]
fn a_restart_in_the_middle_does_not_begin_what_was_given_up() {
    let mut driver = Driver::connected(&keys());
    driver.c2c(2, "m1", "A", "one");
    driver.c2c(3, "m2", "A", "two");
    let driver = Driver::start_with(boot(&keys(), driver.stored(), 2));
    let texts: Vec<String> = driver
        .begun()
        .iter()
        .map(|begin| begin.message.text.clone())
        .collect();
    assert_eq!(texts, ["two"]);
    assert_eq!(driver.outcomes(), [Outcome::Superseded]);
}

#[test]
fn without_the_key_messages_wait_for_each_other() {
    let mut driver = Driver::connected(&json!({}));
    driver.c2c(2, "m1", "A", "one");
    driver.c2c(3, "m2", "A", "two");
    assert!(driver.cancelled().is_empty());
    driver.finish_turn("answer one");
    driver.answer("send", 200, "{}");
    assert_eq!(driver.begun().pop().unwrap().message.text, "two");
}
