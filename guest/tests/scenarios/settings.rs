//! A new configuration while the channel runs, and a person who is forgotten.

use qq_channel::bindings::*;
use serde_json::{Value, json};

use crate::driver::{Driver, config};

fn ask(driver: &mut Driver, ask: OperatorCommand) -> Reply {
    driver.send(Event::Command(Command { id: 1 << 63, ask }));
    let found = driver.actions.iter().rev().find_map(|action| match action {
        Action::Reply(reply) => Some(reply.clone()),
        _ => None,
    });
    found.unwrap()
}

fn reload(driver: &mut Driver, overrides: &Value) -> Reply {
    ask(driver, OperatorCommand::ReloadConfig(config(overrides)))
}

#[test]
fn a_new_configuration_is_in_force_from_the_next_message_on_without_a_new_session() {
    let mut driver = Driver::connected(&json!({"allowed_users": ["A"]}));
    driver.c2c(2, "m1", "B", "hi");
    assert_eq!(driver.begun().len(), 0);
    let reply = reload(&mut driver, &json!({"allowed_users": ["A", "B"]}));
    assert!(reply.lines.is_empty() && reply.summary.unwrap().contains("in force"));
    driver.c2c(3, "m2", "B", "hi");
    assert_eq!(driver.begun().len(), 1);
    let closed = driver
        .actions
        .iter()
        .any(|action| matches!(action, Action::SocketClose(_)));
    assert!(!closed, "the session goes on");
}

#[test]
fn other_intents_open_another_session() {
    let mut driver = Driver::connected(&json!({}));
    driver.later(60_000);
    reload(
        &mut driver,
        &json!({"intents": ["group_and_c2c", "interaction", "public_guild_messages"]}),
    );
    driver.gateway();
    driver.greet();
    let identify = driver.frames().pop().unwrap();
    assert_eq!(
        (&identify["op"], &identify["d"]["intents"]),
        (&json!(2), &json!(1_174_405_120))
    );
}

#[test]
fn what_would_make_it_another_bot_is_refused_and_everything_stays() {
    let mut driver = Driver::connected(&json!({}));
    for change in [
        json!({"app_id": "1"}),
        json!({"sandbox": true}),
        json!({"intents": ["nothing"]}),
    ] {
        let reply = reload(&mut driver, &change);
        assert_eq!(reply.lines[0].mark, Mark::Fail, "{change}");
    }
    driver.c2c(2, "m", "A", "hi");
    driver.finish_turn("hello");
    assert!(
        driver
            .request("send")
            .unwrap()
            .url
            .starts_with("https://api.sgroup.qq.com/")
    );
}

#[test]
fn messages_that_wait_are_answered_after_conversations_were_sorted_anew() {
    let mut driver = Driver::connected(&json!({}));
    let group = |seq: u64, user: &str| {
        json!({"op": 0, "s": seq, "t": "GROUP_AT_MESSAGE_CREATE", "id": format!("e{seq}"),
        "d": {"id": format!("m{seq}"), "group_openid": "G", "author": {"member_openid": user}, "content": "hi"}})
    };
    for (seq, user) in [(2, "A"), (3, "A"), (4, "B")] {
        driver.frame(&group(seq, user));
    }
    reload(&mut driver, &json!({"share_group_history": true}));
    for _ in 0..3 {
        let open: Vec<TurnBegin> = driver.begun();
        for begin in open {
            let news = TurnNews::Finished(vec![AnswerPart::Text("x".into())]);
            driver.send(Event::Turn(TurnEvent {
                turn: begin.id,
                attempt: begin.attempt,
                news,
            }));
            if driver.request("send").is_some() && !driver.channel.holdings().requests.is_empty() {
                driver.answer("send", 200, r#"{"id":"x"}"#);
            }
        }
    }
    assert_eq!(driver.outcomes().len(), 3);
}

#[test]
fn a_person_who_is_forgotten_leaves_no_text_behind() {
    let mut driver = Driver::connected(&json!({}));
    driver.c2c(2, "m", "A", "my secret plan");
    driver.finish_turn("a quiet answer");
    driver.answer(
        "send",
        200,
        r#"{"id":"x","ext_info":{"ref_idx":"REFIDX_1"}}"#,
    );
    let reply = ask(&mut driver, OperatorCommand::Forget("A".into()));
    assert!(reply.summary.unwrap().contains("2 remembered messages"));
    let left: Vec<u8> = driver
        .stored()
        .into_iter()
        .flat_map(|entry| entry.value)
        .collect();
    let left = String::from_utf8_lossy(&left);
    assert!(!left.contains("secret plan") && !left.contains("quiet answer"));
    let reset = driver
        .actions
        .iter()
        .any(|action| matches!(action, Action::ConversationReset(key) if key.ends_with("c2c:A")));
    assert!(reset, "the agent forgets, too");
}

#[test]
fn a_command_that_cannot_be_done_has_a_line_that_fails() {
    let mut driver = Driver::connected(&json!({}));
    let send = OperatorSend {
        target: "A".into(),
        parts: vec![AnswerPart::Text("x".into())],
    };
    let reply = ask(&mut driver, OperatorCommand::Send(send));
    assert_eq!(reply.lines[0].mark, Mark::Fail);
    assert!(reply.lines[0].fix.as_ref().unwrap().contains("user:"));
}
