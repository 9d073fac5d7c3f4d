//! What people ask of the channel itself.

use qq_channel::bindings::{Action, Outcome, TurnNews};
use serde_json::json;

use crate::driver::Driver;

fn bot() -> Driver {
    Driver::connected(&json!({"language": "en"}))
}

#[test]
fn commands_are_answered_without_the_agent_and_only_once() {
    for (text, answer) in [
        ("/help", "/whoami shows your OpenID"),
        ("/whoami", "\"A\""),
        ("/new", "begin anew"),
        ("/stop", "not working on anything"),
        ("/status", "Replies left to this message: 3"),
        ("/Help@bot", "/stop"),
    ] {
        let mut driver = bot();
        driver.c2c(2, "m1", "A", text);
        driver.c2c(3, "m1", "A", text);
        assert!(driver.said().contains(answer), "{text}: {}", driver.said());
        driver.answer("send", 200, r#"{"id":"x"}"#);
        assert_eq!(
            (driver.sent().len(), driver.begun().len()),
            (1, 0),
            "{text}"
        );
        let log = driver.log();
        let recorded = log.iter().filter(|line| line.contains(": sent, 1 of 1"));
        assert_eq!(recorded.count(), 1, "{text}: its outcome is recorded");
        assert!(driver.outcomes().is_empty(), "{text}");
    }
}

#[test]
fn what_is_no_command_is_for_the_agent() {
    for text in [
        "/weather",
        "/help me with my homework",
        "/allow",
        "/bind 123456",
    ] {
        let mut driver = bot();
        driver.c2c(2, "m1", "A", text);
        assert_eq!(driver.begun().len(), 1, "{text}");
    }
}

#[test]
fn in_a_group_a_command_must_be_meant_for_the_bot() {
    let mut driver = Driver::connected(&json!({"language": "en", "mention_only": true}));
    driver.group(2, "m1", "A", "/help", false);
    assert!(driver.sent().is_empty());
    driver.group(3, "m2", "A", "/whoami", true);
    let said = driver.said();
    assert!(said.contains("\"A@group:G\"\n\"group:G\""), "{said}");
}

#[test]
fn new_forgets_the_conversation_and_stop_ends_what_runs_and_what_waits() {
    let mut driver = bot();
    driver.c2c(2, "m1", "A", "one");
    driver.c2c(3, "m2", "A", "two");
    driver.c2c(4, "m3", "B", "other");
    driver.c2c(5, "m4", "A", "/status");
    assert!(
        driver.said().contains("1 in progress, 1 waiting"),
        "{}",
        driver.said()
    );
    driver.c2c(6, "m5", "A", "/stop");
    assert_eq!(driver.said(), "Stopped.");
    let first = driver.begun()[0].clone();
    assert_eq!(driver.cancelled(), [first.id]);
    assert_eq!(
        driver.outcomes(),
        [Outcome::Superseded],
        "the one that waited"
    );
    driver.news_of(&first, TurnNews::Cancelled);
    assert_eq!(driver.outcomes(), [Outcome::Superseded; 2]);
    driver.c2c(7, "m6", "A", "/new");
    let reset = driver.actions.iter().find_map(|action| match action {
        Action::ConversationReset(key) => Some(key.clone()),
        _ => None,
    });
    assert_eq!(reset.as_deref(), Some(first.conversation.as_str()));
    driver.c2c(8, "m7", "A", "three");
    assert_eq!(driver.begun().pop().unwrap().message.text, "three");
}

#[test]
fn whoever_sends_a_code_and_is_paired_already_is_told_so() {
    let mut driver = Driver::connected(&json!({"language": "en", "allowed_users": ["A"]}));
    driver.c2c(2, "m1", "A", "/bind 123456");
    assert_eq!(driver.begun().len(), 1, "nobody pairs here");
}
