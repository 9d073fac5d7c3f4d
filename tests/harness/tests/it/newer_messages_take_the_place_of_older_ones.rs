//! `interrupt_on_new_message` under load, and what waits where it is off.

use std::collections::BTreeMap;
use std::sync::Arc;

use harness::native::NativeComponent;
use harness::sim::{Setup, Stage, bot};
use prx_host::bindings::v0_1::{AnswerPart, Outcome, TurnNews};
use qq_emulator::actions::Act;
use qq_emulator::ids::MessageId;
use qq_emulator::ledger::ReplyTo;
use serde_json::{Value, json};

/// A bot whose agent needs three seconds and more.
fn stage(more: &Value) -> Stage {
    let mind = |begin: &prx_host::bindings::v0_1::TurnBegin, _: &mut harness::sim::Blobs| {
        let mut news = Vec::new();
        let mut text = format!("answer to {}", begin.message.text);
        if begin.shows.streaming {
            news.push((500, TurnNews::Delta(format!("{text}. "))));
            text.push_str(". Done.");
        }
        news.push((3_000, TurnNews::Finished(vec![AnswerPart::Text(text)])));
        news
    };
    let setup = Setup {
        keys: more.as_object().cloned().unwrap(),
        bot: bot(),
        mind: Box::new(mind),
    };
    Stage::new(Arc::new(NativeComponent), setup)
}

/// Everybody writes five messages, so many milliseconds apart. The ids of each, oldest first.
fn burst(stage: &mut Stage, gap_ms: u64) -> BTreeMap<usize, Vec<MessageId>> {
    let mut sent: BTreeMap<usize, Vec<MessageId>> = BTreeMap::new();
    for round in 0..5 {
        for user in 0..50 {
            let text = format!("message {round} of {user}");
            let name = format!("user{user}");
            let act = match user % 2 {
                0 => Act::c2c(&name, &text),
                _ => Act::group_at("room", &name, &text),
            };
            let id = stage.begin(act).message_id.unwrap();
            sent.entry(user).or_default().push(id);
        }
        stage.pass(gap_ms);
    }
    stage.pass(4 * 60_000);
    sent
}

#[test]
fn in_a_burst_of_fifty_people_each_gets_one_answer_to_the_newest_message() {
    for gap_ms in [0, 150, 600] {
        let mut stage = stage(&json!({"interrupt_on_new_message": true}));
        let sent = burst(&mut stage, gap_ms);
        for (user, ids) in &sent {
            let answers: Vec<String> = ids.iter().flat_map(|id| stage.texts(id)).collect();
            let newest = ids.last().unwrap();
            assert_eq!(
                stage.texts(newest),
                [format!("answer to message 4 of {user}")],
                "{gap_ms}"
            );
            assert_eq!(answers.len(), 1, "{gap_ms}: {answers:?}");
        }
        assert_eq!(stage.agent_at_work(), 0, "no agent works for nobody");
        let outcomes = stage.outcomes();
        assert_eq!(outcomes.len(), 250, "each message has one outcome");
        let of = |wanted: Outcome| {
            outcomes
                .iter()
                .filter(|told| told.outcome == wanted)
                .count()
        };
        assert_eq!((of(Outcome::Sent), of(Outcome::Superseded)), (50, 200));
        // What was begun and what was overheard is in the agent's history: nothing that was said is lost.
        assert_eq!(stage.begun().len() + stage.overheard().len(), 250);
        assert!(
            stage
                .stored_keys()
                .iter()
                .all(|key| !key.starts_with("turn/"))
        );
        assert_eq!(stage.violations(), Vec::<String>::new());
        assert_eq!(stage.findings(), Vec::<String>::new());
    }
}

#[test]
fn a_text_that_grows_is_closed_and_the_newest_answer_follows() {
    let keys = json!({"interrupt_on_new_message": true, "stream_mode": "stream"});
    let mut stage = stage(&keys);
    stage.begin(Act::c2c("ann", "one"));
    stage.pass(5_500);
    let newest = stage.act(Act::c2c("ann", "two")).message_id.unwrap();
    assert_eq!(stage.texts(&newest).len(), 1);
    assert_eq!(stage.agent_at_work(), 0);
    assert_eq!(
        stage.violations(),
        Vec::<String>::new(),
        "every stream is closed"
    );
    assert_eq!(stage.findings(), Vec::<String>::new());
}

#[test]
fn a_kill_in_the_middle_of_a_burst_leaves_one_answer_to_the_newest_message() {
    let mut stage = stage(&json!({"interrupt_on_new_message": true}));
    stage.begin(Act::c2c("ann", "one"));
    stage.pass(500);
    stage.kill();
    stage.begin(Act::c2c("ann", "two"));
    stage.pass(100);
    let newest = stage.begin(Act::c2c("ann", "three")).message_id.unwrap();
    stage.pass(5 * 60_000);
    assert_eq!(
        stage.texts(&newest),
        ["answer to three"],
        "{:#?}",
        stage.log()
    );
    assert_eq!(stage.agent_at_work(), 0);
    assert_eq!(stage.findings(), Vec::<String>::new());
}

#[test]
fn without_the_key_everything_is_answered_in_its_order() {
    let mut stage = stage(&json!({}));
    let sent = burst(&mut stage, 100);
    for ids in sent.values() {
        for id in ids {
            assert_eq!(stage.texts(id).len(), 1);
        }
    }
    let order: Vec<String> = stage
        .said()
        .iter()
        .filter(|said| matches!(&said.reply_to, Some(ReplyTo::MsgId(id)) if sent[&0].contains(id)))
        .map(|said| said.text.clone())
        .collect();
    let wanted: Vec<String> = (0..5)
        .map(|round| format!("answer to message {round} of 0"))
        .collect();
    assert_eq!(order, wanted);
}

#[test]
fn stop_ends_what_runs_and_what_waits_and_new_begins_anew() {
    let mut stage = stage(&json!({"language": "en"}));
    stage.begin(Act::c2c("ann", "one"));
    stage.pass(100);
    stage.begin(Act::c2c("ann", "two"));
    stage.pass(100);
    let stop = stage.act(Act::c2c("ann", "/stop")).message_id.unwrap();
    assert_eq!(stage.texts(&stop), ["Stopped."]);
    assert_eq!((stage.said().len(), stage.agent_at_work()), (1, 0));
    let outcomes = stage.outcomes();
    assert_eq!(outcomes.len(), 2);
    assert!(
        outcomes
            .iter()
            .all(|told| told.outcome == Outcome::Superseded)
    );
    stage.act(Act::c2c("ann", "/new"));
    assert_eq!(stage.resets().len(), 1);
    let help = stage
        .act(Act::group_at("room", "ann", "/help"))
        .message_id
        .unwrap();
    assert!(stage.texts(&help)[0].contains("/whoami"));
    assert_eq!(stage.begun().len(), 1, "commands are no turns");
    assert_eq!(stage.violations(), Vec::<String>::new());
    assert_eq!(stage.findings(), Vec::<String>::new());
}
