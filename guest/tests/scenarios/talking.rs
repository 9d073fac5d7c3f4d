//! Messages in, answers out.

use qq_channel::bindings::{Action, AnswerPart, Event, Outcome, TurnEvent, TurnNews};
use qq_channel::turns::room::{OPEN_BYTES, TURN_BYTES};
use serde_json::json;

use crate::driver::{Driver, boot};

#[test]
fn a_message_is_answered_under_its_id_and_a_fresh_number() {
    let mut driver = Driver::connected(&json!({}));
    driver.c2c(2, "ROBOT1.0_a!b", "USER", "hi");
    let begin = driver.begun().pop().unwrap();
    assert_eq!((begin.message.text.as_str(), begin.attempt), ("hi", 1));
    driver.finish_turn("hello");
    assert_eq!(
        driver.sent(),
        [json!({"msg_type": 0, "content": "hello", "msg_id": "ROBOT1.0_a!b", "msg_seq": 1})]
    );
    assert!(
        driver
            .request("send")
            .unwrap()
            .url
            .ends_with("/v2/users/USER/messages")
    );
    driver.answer("send", 200, r#"{"id":"x","timestamp":1}"#);
    assert_eq!(driver.outcomes(), [Outcome::Sent]);
}

#[test]
fn what_is_sent_first_waits_for_the_commit_and_what_is_sent_again_does_not() {
    let mut driver = Driver::connected(&json!({}));
    driver.c2c(2, "m", "A", "hi");
    let begin = driver.begun().pop().unwrap();
    let finished = TurnNews::Finished(vec![qq_channel::bindings::AnswerPart::Text("x".into())]);
    let event = Event::Turn(TurnEvent {
        turn: begin.id,
        attempt: 1,
        news: finished,
    });
    let effects = driver.channel.handle(driver.now, event);
    let send = effects
        .iter()
        .find(|effect| matches!(effect.action, Action::Http(_)))
        .unwrap();
    assert!(send.after_commit);
}

#[test]
fn a_stranger_starts_no_turn_and_learns_nothing() {
    let mut driver = Driver::connected(&json!({"allowed_users": ["FRIEND"]}));
    driver.c2c(2, "m1", "STRANGER", "hi");
    let loud = driver
        .actions
        .iter()
        .filter(|action| !matches!(action, Action::StorePut(_) | Action::Metric(_)));
    assert_eq!(loud.count(), 0, "{:?}", driver.actions);
    driver.c2c(3, "m2", "FRIEND", "hi");
    assert_eq!(driver.begun().len(), 1);
}

#[test]
fn a_time_out_is_repeated_under_the_same_number_and_a_duplicate_then_means_delivered() {
    let mut driver = Driver::connected(&json!({}));
    driver.c2c(2, "m", "A", "hi");
    driver.finish_turn("hello");
    driver.fail("send", qq_channel::bindings::Stage::Timeout);
    driver.fire("resend");
    let sent = driver.sent();
    assert_eq!((sent.len(), &sent[0]), (2, &sent[1]));
    driver.answer("send", 400, r#"{"code":40054005,"message":"dup"}"#);
    assert_eq!(driver.outcomes(), [Outcome::Sent]);
}

#[test]
fn a_duplicate_at_the_first_try_takes_a_fresh_number() {
    let mut driver = Driver::connected(&json!({}));
    driver.c2c(2, "m", "A", "hi");
    driver.finish_turn("hello");
    driver.answer("send", 400, r#"{"code":40054005,"message":"dup"}"#);
    let sent = driver.sent();
    assert_eq!(
        (sent[0]["msg_seq"].clone(), sent[1]["msg_seq"].clone()),
        (json!(1), json!(2))
    );
}

#[test]
fn error_answers_have_the_outcome_that_they_deserve() {
    for (status, body, outcome) in [
        (400, r#"{"code":40034005}"#, Outcome::Expired),
        (400, r#"{"err_code":40034128}"#, Outcome::Expired),
        (400, r#"{"code":40034006}"#, Outcome::Refused),
        (400, r#"{"code":304025}"#, Outcome::Refused),
        (
            202,
            r#"{"code":304024,"data":{"message_audit":{"audit_id":"a"}}}"#,
            Outcome::Held,
        ),
        (404, "<html></html>", Outcome::Refused),
    ] {
        let mut driver = Driver::connected(&json!({}));
        driver.c2c(2, "m", "A", "hi");
        driver.finish_turn("hello");
        driver.answer("send", status, body);
        // What was refused for its content is followed by a word about that.
        if driver.outcomes().is_empty() {
            assert!(
                driver.sent()[1]["content"]
                    .as_str()
                    .unwrap()
                    .contains("没有通过")
            );
            driver.answer("send", 200, r#"{"id":"x"}"#);
        }
        assert_eq!(driver.outcomes(), [outcome], "{status} {body}");
    }
}

#[test]
fn what_is_too_long_for_the_platform_is_cut_again_under_fresh_numbers() {
    let mut driver = Driver::connected(&json!({}));
    driver.c2c(2, "m", "A", "hi");
    let text = "word ".repeat(60);
    driver.finish_turn(&text);
    driver.answer("send", 400, r#"{"code":40054007}"#);
    driver.answer("send", 200, "{}");
    driver.answer("send", 200, "{}");
    let sent = driver.sent();
    assert_eq!(sent.len(), 3);
    assert_ne!(sent[0]["msg_seq"], sent[1]["msg_seq"]);
    assert_eq!(driver.outcomes(), [Outcome::Sent]);
}

#[test]
fn messages_of_one_conversation_wait_for_each_other_and_others_do_not() {
    let mut driver = Driver::connected(&json!({}));
    driver.c2c(2, "m1", "A", "one");
    driver.c2c(3, "m2", "A", "two");
    driver.c2c(4, "m3", "B", "three");
    let texts: Vec<String> = driver
        .begun()
        .iter()
        .map(|begin| begin.message.text.clone())
        .collect();
    assert_eq!(texts, ["one", "three"]);
}

#[test]
fn a_failed_agent_and_one_that_takes_too_long_are_apologised_for() {
    let mut driver = Driver::connected(&json!({"language": "en"}));
    driver.c2c(2, "m1", "A", "hi");
    let begin = driver.begun().pop().unwrap();
    driver.send(Event::Turn(TurnEvent {
        turn: begin.id,
        attempt: 1,
        news: TurnNews::Failed("x".into()),
    }));
    assert!(
        driver.sent()[0]["content"]
            .as_str()
            .unwrap()
            .starts_with("Sorry")
    );
    driver.answer("send", 200, "{}");
    assert_eq!(driver.outcomes(), [Outcome::Failed]);
    driver
        .actions
        .retain(|action| matches!(action, Action::TimerSet(_)));
    driver.c2c(3, "m2", "A", "hi");
    driver.fire("turn-deadlines");
    driver.fire("turn-deadlines");
    assert!(
        driver
            .actions
            .iter()
            .any(|action| matches!(action, Action::TurnCancel(_)))
    );
    assert!(
        driver.sent()[0]["content"]
            .as_str()
            .unwrap()
            .starts_with("Sorry")
    );
}

#[test]
fn a_new_process_delivers_what_was_answered_and_asks_again_what_was_not() {
    let mut driver = Driver::connected(&json!({}));
    driver.c2c(2, "m1", "A", "one");
    driver.finish_turn("answer one");
    driver.c2c(3, "m2", "B", "two");
    let mut driver = Driver::start_with(boot(&json!({}), driver.stored(), 2));
    let begun = driver.begun();
    assert_eq!(
        (
            begun.len(),
            begun[0].attempt,
            begun[0].message.text.as_str()
        ),
        (1, 2, "two")
    );
    assert_eq!(driver.sent().len(), 0, "no token yet");
    driver.good_token(true);
    assert_eq!(
        driver.sent(),
        [json!({"msg_type": 0, "content": "answer one", "msg_id": "m1", "msg_seq": 1})]
    );
    driver.answer("send", 400, r#"{"code":40054005}"#);
    assert_eq!(driver.outcomes(), [Outcome::Sent], "it had arrived");
}

#[test]
fn in_mention_only_mode_the_rest_is_context() {
    let mut driver = Driver::connected(&json!({"mention_only": true}));
    let message = |seq: u64, kind: &str| {
        json!({"op": 0, "s": seq, "t": kind, "id": format!("{kind}:{seq}"), "d": {"id": format!("m{seq}"), "author": {"member_openid": "A"},
            "group_openid": "G", "content": "hi", "timestamp": "2027-01-15T16:00:00+08:00"}})
    };
    driver.frame(&message(2, "GROUP_MESSAGE_CREATE"));
    assert!(
        driver
            .actions
            .iter()
            .any(|action| matches!(action, Action::TurnContext(_)))
    );
    assert!(driver.begun().is_empty());
    driver.frame(&message(3, "GROUP_AT_MESSAGE_CREATE"));
    assert_eq!(driver.begun().len(), 1);
}

#[test]
fn a_thousand_open_turns_are_taken_up_in_small_bites() {
    let mut driver = Driver::connected(&json!({}));
    for number in 0..1_000 {
        driver.c2c(
            2 + number,
            &format!("m{number}"),
            &format!("USER{number}"),
            "hi",
        );
    }
    let mut driver = Driver::start_with(boot(&json!({}), driver.stored(), 2));
    assert!(
        driver.actions.len() < 1_000,
        "{} effects in one call",
        driver.actions.len()
    );
    // Agents begin as there is room for their answers.
    let at_once = OPEN_BYTES / TURN_BYTES;
    assert!((32..100).contains(&at_once), "{at_once} agents at once");
    driver.good_token(true);
    let mut begun = Vec::new();
    while begun.len() < 1_000 {
        let before = driver.actions.len();
        match driver.channel.holdings().turns.first() {
            Some(turn) => {
                begun.push(*turn);
                let turn = *turn;
                let begin = driver.begun().into_iter().rev().find(|it| it.id == turn);
                let attempt = begin.unwrap().attempt;
                let news = TurnNews::Finished(vec![AnswerPart::Text("yes".into())]);
                driver.send(Event::Turn(TurnEvent {
                    turn,
                    attempt,
                    news,
                }));
                driver.answer("send", 200, r#"{"id":"ROBOT1.0_x","timestamp":1}"#);
            }
            None => assert!(driver.fire("agenda")),
        }
        assert!(driver.actions.len() - before < 1_000);
        assert!(driver.channel.holdings().turns.len() <= at_once);
    }
    assert!(begun.is_sorted(), "the oldest first");
}

#[test]
fn an_answer_does_not_wait_for_a_token_for_ever() {
    let mut stored = Driver::connected(&json!({}));
    stored.c2c(2, "m1", "A", "hi");
    stored.finish_turn("hello");
    let mut driver = Driver::start_with(boot(&json!({}), stored.stored(), 2));
    driver.answer("token", 500, "<html></html>");
    assert_eq!(driver.health().unwrap().code, "no-token");
    driver.later(3_600_000);
    driver.fire("turn-deadlines");
    // The process before this one had sent it, and nobody knows whether it arrived.
    assert_eq!(driver.outcomes(), [Outcome::Unconfirmed]);
}

#[test]
fn the_same_index_in_two_conversations_is_two_messages() {
    let mut driver = Driver::connected(&json!({}));
    for (seq, id, user) in [(2, "m1", "A"), (3, "m2", "B"), (4, "m3", "A")] {
        driver.frame(&json!({"op": 0, "s": seq, "t": "C2C_MESSAGE_CREATE", "id": "x", "d": {"id": id, "author": {"user_openid": user},
            "content": "hi", "timestamp": "2027-01-15T16:00:00+08:00", "message_scene": {"ext": ["msg_idx=REFIDX_A=="]}}}));
    }
    assert_eq!(
        driver.begun().len(),
        2,
        "the third is the first again, under another id"
    );
}

#[test]
fn a_step_of_the_clock_expires_nothing() {
    let mut driver = Driver::connected(&json!({}));
    driver.now.wall_ms += 600_000;
    driver.frame(&json!({"op": 0, "s": 2, "t": "GROUP_AT_MESSAGE_CREATE", "id": "x", "d": {"id": "m", "author": {"member_openid": "A"},
        "group_openid": "G", "content": "hi", "timestamp": crate::driver::BEGIN_MS + 10_000}}));
    assert_eq!(driver.begun().len(), 1);
}
