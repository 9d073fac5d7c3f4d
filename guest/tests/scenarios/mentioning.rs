//! `mention_only` and `ack_reactions`, in each kind of place.

use qq_channel::bindings::Action;
use serde_json::{Value, json};

use crate::driver::{Driver, boot};

fn guild(seq: u64, kind: &str) -> Value {
    json!({"op": 0, "s": seq, "t": kind, "id": format!("{kind}:{seq}"), "d": {
        "id": format!("08{seq}"), "guild_id": "1", "channel_id": "2", "content": "hi",
        "timestamp": "2027-01-15T16:00:00+08:00", "author": {"id": "3", "bot": false}}})
}

/// The turns begun, and what became context, after a message of each kind.
fn after(mention_only: bool, act: impl Fn(&mut Driver)) -> (usize, usize) {
    let mut driver = Driver::connected(&json!({"mention_only": mention_only}));
    act(&mut driver);
    let context = |action: &&Action| matches!(action, Action::TurnContext(_));
    let contexts = driver.actions.iter().filter(context).count();
    (driver.begun().len(), contexts)
}

#[test]
fn private_chats_are_always_answered_and_the_rest_where_the_bot_is_meant() {
    for only in [false, true] {
        let unaddressed = if only { (0, 1) } else { (1, 0) };
        assert_eq!(after(only, |driver| driver.c2c(2, "m", "A", "hi")), (1, 0));
        let dm = |driver: &mut Driver| driver.frame(&guild(2, "DIRECT_MESSAGE_CREATE"));
        assert_eq!(after(only, dm), (1, 0));
        let group = |driver: &mut Driver| driver.group(2, "m", "A", "hi", true);
        assert_eq!(after(only, group), (1, 0));
        let group = |driver: &mut Driver| driver.group(2, "m", "A", "hi", false);
        assert_eq!(after(only, group), unaddressed);
        let channel = |driver: &mut Driver| driver.frame(&guild(2, "AT_MESSAGE_CREATE"));
        assert_eq!(after(only, channel), (1, 0));
        let channel = |driver: &mut Driver| driver.frame(&guild(2, "MESSAGE_CREATE"));
        assert_eq!(after(only, channel), unaddressed);
    }
}

#[test]
fn reactions_are_for_guild_channels_and_the_log_says_so_once_where_there_are_none() {
    let marks = |keys: &Value| {
        let mut driver = Driver::connected(keys);
        driver.c2c(2, "m1", "A", "hi");
        driver.group(3, "m2", "A", "hi", true);
        driver.frame(&guild(4, "DIRECT_MESSAGE_CREATE"));
        let elsewhere = driver.requests("mark");
        driver.frame(&guild(5, "AT_MESSAGE_CREATE"));
        (elsewhere, driver.requests("mark"))
    };
    assert_eq!(marks(&json!({})), (0, 0));
    assert_eq!(marks(&json!({"ack_reactions": true})), (0, 1));
    let said = |keys: &Value| {
        let driver = Driver::start_with(boot(keys, Vec::new(), 1));
        let log = driver.log();
        log.iter()
            .filter(|line| line.contains("only guild channels have reactions"))
            .count()
    };
    assert_eq!(said(&json!({"ack_reactions": true})), 0);
    assert_eq!(said(&json!({"intents": ["group_and_c2c"]})), 0);
    let nowhere = json!({"ack_reactions": true, "intents": ["group_and_c2c"]});
    assert_eq!(said(&nowhere), 1);
}
