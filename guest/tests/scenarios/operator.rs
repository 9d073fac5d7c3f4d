//! What the operator asks of a running channel.

use qq_channel::bindings::{Action, Command, Event, OperatorCommand, Reply};
use serde_json::json;

use crate::driver::{Driver, boot};

fn replies(driver: &Driver) -> Vec<Reply> {
    driver
        .actions
        .iter()
        .filter_map(|action| match action {
            Action::Reply(reply) => Some(reply.clone()),
            _ => None,
        })
        .collect()
}

#[test]
fn status_names_the_connection_and_the_session() {
    let mut driver = Driver::connected(&json!({}));
    driver.send(Event::Command(Command {
        id: 5,
        ask: OperatorCommand::Status,
    }));
    let reply = replies(&driver).pop().unwrap();
    let data: serde_json::Value = serde_json::from_str(reply.data.as_deref().unwrap()).unwrap();
    assert_eq!(
        (reply.id, reply.done, &data["link"], &data["session"]),
        (5, true, &json!("ready"), &json!("s-1"))
    );
}

#[test]
fn draining_finishes_what_is_begun_and_keeps_the_rest_for_the_next_process() {
    let mut driver = Driver::connected(&json!({}));
    driver.c2c(2, "m1", "A", "one");
    driver.send(Event::Command(Command {
        id: 5,
        ask: OperatorCommand::Drain,
    }));
    driver.c2c(3, "m2", "B", "two");
    assert_eq!(driver.begun().len(), 1, "no new turn");
    assert!(replies(&driver).is_empty());
    driver.finish_turn("answer one");
    driver.answer("send", 200, "{}");
    assert!(replies(&driver)[0].done);
    let driver = Driver::start_with(boot(&json!({}), driver.stored(), 2));
    assert_eq!(driver.begun()[0].message.text, "two");
}

#[test]
fn a_probe_opens_nothing_and_takes_nothing_up() {
    let mut driver = Driver::connected(&json!({}));
    driver.c2c(2, "m1", "A", "one");
    let mut probe = boot(&json!({}), driver.stored(), 2);
    probe.reason = qq_channel::bindings::StartReason::Probe;
    let mut probe = Driver::start_with(probe);
    assert!(probe.actions.is_empty(), "{:?}", probe.actions);
    probe.send(Event::Command(Command {
        id: 5,
        ask: OperatorCommand::Status,
    }));
    assert!(replies(&probe)[0].done);
    assert_eq!(probe.actions.len(), 1, "{:?}", probe.actions);
}

#[test]
fn a_checkpoint_carries_everything_that_is_in_flight() {
    let mut driver = Driver::connected(&json!({}));
    driver.c2c(2, "m1", "A", "one");
    driver.finish_turn("answer");
    let checkpoint = driver
        .channel
        .checkpoint(&qq_channel::bindings::CheckpointMode::Normal)
        .unwrap();
    let mut swap = boot(&json!({}), driver.stored(), 1);
    swap.reason = qq_channel::bindings::StartReason::Swap;
    swap.checkpoint = Some(checkpoint.clone());
    let mut other = Driver::start_with(swap);
    assert!(other.actions.is_empty(), "{:?}", other.actions);
    assert_eq!(other.channel.holdings(), driver.channel.holdings());
    assert_eq!(
        other
            .channel
            .checkpoint(&qq_channel::bindings::CheckpointMode::Normal)
            .unwrap(),
        checkpoint
    );
    // It goes on where the other one stopped.
    other.now = driver.now;
    let id = other.channel.holdings().requests[0];
    other.actions.push(
        driver
            .actions
            .iter()
            .find(|action| matches!(action, Action::Http(request) if request.id == id))
            .unwrap()
            .clone(),
    );
    other.answer("send", 200, "{}");
    assert_eq!(other.outcomes().len(), 1);
}
