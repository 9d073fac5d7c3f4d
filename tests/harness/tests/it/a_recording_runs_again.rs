//! A recording, plain or redacted, is answered by the same component as it was, and tells nothing that it
//! should not.

use std::sync::Arc;

use harness::mutant::{Flaw, Mutant, Trigger};
use harness::sim::{Setup, Stage, bot, echo};
use prx_host::actor::TraceForm;
use prx_host::trace::replay::{Replayed, replay};
use qq_emulator::actions::{Act, Attachment};
use serde_json::json;

use crate::common::component;

/// A day in which the words `Zanzibar` and `桑给巴尔` fall, with attachments, faults and a trap.
fn day(form: TraceForm) -> Vec<String> {
    let mut keys = serde_json::Map::new();
    keys.insert("stream_mode".into(), json!("stream"));
    keys.insert("ack_reactions".into(), json!(true));
    let mut stage = Stage::new(
        component(),
        Setup {
            keys,
            bot: bot(),
            mind: echo(),
        },
    );
    stage.act(Act::c2c("alice", "Zanzibar before the recording"));
    stage.record(form);
    let said = "Zanzibar 桑给巴尔 **by boat**, https://zanzibar.example/?ticket=Zanzibar1";
    stage.act(Act::c2c("alice", said));
    stage.act(Act::group_at("friends", "bob", said));
    stage.act(Act::channel_at("guild", "general", "carol", said));
    stage.act(Act::dm("guild", "carol", said));
    stage.act(Act::c2c("alice", "/long 9000 Zanzibar"));
    stage.act(Act::c2c("alice", "/picture 2000 Zanzibar"));
    stage.fault("drop");
    let mut attached = Act::c2c("alice", "look, Zanzibar");
    if let Some(message) = attached.message_mut() {
        message.attachments.push(Attachment {
            content_type: "image/png".into(),
            filename: "Zanzibar.png".into(),
            url: "https://multimedia.nt.qq.com.cn/d?appid=1407&rkey=CAISKEYOFZANZIBAR".into(),
            size: 3,
            ..Attachment::default()
        });
    }
    stage.act(attached);
    stage.trigger().once();
    stage.act(Act::c2c("alice", "Zanzibar again"));
    stage.ask(prx_host::bindings::v0_1::OperatorCommand::Status);
    assert!(stage.findings().is_empty(), "{:?}", stage.findings());
    stage.trace()
}

fn run(lines: &[String], build: Arc<dyn prx_host::guest::Component>) -> Replayed {
    replay(lines.iter().map(String::as_str), build, None).unwrap()
}

#[test]
fn a_recording_is_answered_as_it_was() {
    for form in [TraceForm::Plain, TraceForm::Blank] {
        let lines = day(form);
        let replayed = run(&lines, component());
        assert_eq!(replayed.difference, None, "{form:?}");
        assert!(replayed.steps > 60, "{form:?}: {}", replayed.steps);
        assert_eq!(replayed.header.redacted, form == TraceForm::Blank);
    }
}

#[test]
fn no_recording_has_a_secret_or_the_key_of_an_address_and_a_redacted_one_no_words() {
    let plain = day(TraceForm::Plain).join("\n");
    assert!(plain.contains("Zanzibar") && plain.contains("桑给巴尔"));
    assert!(plain.contains("rkey=xxx"), "the address itself is kept");
    let redacted = day(TraceForm::Blank).join("\n");
    for gone in ["anzibar", "桑给巴尔", "by boat", "of the answer"] {
        assert!(!redacted.contains(gone), "{gone}");
    }
    assert!(redacted.contains("GROUP_AT_MESSAGE_CREATE"));
    for text in [&plain, &redacted] {
        assert!(!text.contains("CAISKEY") && !text.contains("ticket=Zanzibar"));
        assert!(!text.contains(harness::sim::SECRET));
    }
}

#[test]
fn a_build_that_answers_otherwise_is_shown_where_it_first_does() {
    let lines = day(TraceForm::Plain);
    let other = Mutant::new(component(), 7, Trigger::default()).with(Flaw::TrapsAtEvent(5));
    let replayed = run(&lines, Arc::new(other));
    let difference = replayed.difference.unwrap();
    assert_eq!(difference.n, 5);
    assert_eq!(difference.fields[0].path, "fault");
    assert!(
        replayed.notes[0].contains("run with another component"),
        "{:?}",
        replayed.notes
    );
    let until = replay(lines.iter().map(String::as_str), component(), Some(3)).unwrap();
    assert_eq!(until.steps, 3);
}

#[test]
fn a_recording_that_was_cut_off_runs_as_far_as_it_goes() {
    let mut lines = day(TraceForm::Plain);
    let last = lines.pop().unwrap();
    lines.push(last[..last.len() / 2].to_owned());
    let replayed = run(&lines, component());
    assert_eq!(replayed.difference, None);
    assert!(
        replayed.notes.iter().any(|n| n.contains("cut off")),
        "{:?}",
        replayed.notes
    );
}
