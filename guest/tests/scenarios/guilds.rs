//! Channels and direct messages of guilds.

use qq_channel::bindings::{Outcome, Stage};
use serde_json::{Value, json};

use crate::driver::{Driver, boot};

fn message(seq: u64, kind: &str, content: &str) -> Value {
    json!({"op": 0, "s": seq, "t": kind, "id": format!("{kind}:{seq}"), "d": {
        "id": format!("08{seq}"), "guild_id": "18700000000001", "channel_id": "100010", "content": content,
        "timestamp": "2027-01-15T16:00:00+08:00", "author": {"id": "1234", "username": "abc", "bot": false},
        "member": {"nick": "Abc"}}})
}

#[test]
fn a_channel_message_is_answered_in_its_channel_escaped_and_without_a_number() {
    let mut driver = Driver::connected(&json!({}));
    driver.frame(&message(2, "AT_MESSAGE_CREATE", "<@!9> a &lt; b &amp; c"));
    let begin = driver.begun().pop().unwrap();
    assert_eq!(
        (begin.message.text.as_str(), begin.message.scene.as_str()),
        ("a < b & c", "channel")
    );
    assert_eq!(begin.message.sender.name.as_deref(), Some("Abc"));
    driver.finish_turn("1 < 2 & 3");
    assert_eq!(
        driver.sent(),
        [json!({"content": "1 &lt; 2 &amp; 3", "msg_id": "082"})]
    );
    assert!(
        driver
            .request("send")
            .unwrap()
            .url
            .ends_with("/channels/100010/messages")
    );
    driver.answer("send", 200, r#"{"id":"08f1"}"#);
    assert_eq!(driver.outcomes(), [Outcome::Sent]);
}

#[test]
fn a_direct_message_is_answered_in_its_session() {
    let mut driver = Driver::connected(&json!({}));
    driver.frame(&message(2, "DIRECT_MESSAGE_CREATE", "hi"));
    assert!(driver.begun()[0].message.private);
    driver.finish_turn("hello");
    assert!(
        driver
            .request("send")
            .unwrap()
            .url
            .ends_with("/dms/18700000000001/messages")
    );
}

#[test]
fn one_message_with_two_events_is_one_turn_and_what_is_not_for_the_bot_is_context() {
    let mut driver = Driver::connected(&json!({"mention_only": true}));
    driver.frame(&message(2, "MESSAGE_CREATE", "<@!99> hi"));
    assert_eq!(driver.begun().len(), 0, "somebody else is meant");
    let mentioned = message(3, "MESSAGE_CREATE", "<@!9> hi");
    driver.frame(&mentioned);
    let mut again = mentioned.clone();
    again["t"] = "AT_MESSAGE_CREATE".into();
    driver.frame(&again);
    assert_eq!(driver.begun().len(), 1);
}

#[test]
fn what_perhaps_arrived_in_a_guild_is_never_repeated() {
    for (status, body) in [
        (0, ""),
        (500, "<html></html>"),
        (500, r#"{"code":500,"message":"?"}"#),
    ] {
        let mut driver = Driver::connected(&json!({}));
        driver.frame(&message(2, "AT_MESSAGE_CREATE", "hi"));
        driver.finish_turn("hello");
        if status == 0 {
            driver.fail("send", Stage::Timeout);
        } else {
            driver.answer("send", status, body);
        }
        assert_eq!(
            (driver.sent().len(), driver.outcomes()),
            (1, vec![Outcome::Unconfirmed]),
            "{status} {body}"
        );
    }
    // What certainly did not arrive is.
    let mut driver = Driver::connected(&json!({}));
    driver.frame(&message(2, "AT_MESSAGE_CREATE", "hi"));
    driver.finish_turn("hello");
    driver.answer("send", 429, r#"{"code":20028,"message":"slow down"}"#);
    driver.fire("resend");
    assert_eq!(driver.sent().len(), 2);
    // And after a restart nobody knows.
    let driver = Driver::start_with(boot(&json!({}), driver.stored(), 2));
    assert_eq!(
        (driver.sent().len(), driver.outcomes()),
        (0, vec![Outcome::Unconfirmed])
    );
}
