//! Approvals from end to end: the agent asks, the person whose turn it is decides.

use std::sync::Arc;

use harness::native::NativeComponent;
use harness::sim::{Setup, Stage, bot};
use prx_host::bindings::v0_1::{AnswerPart, Approval, TurnNews};
use qq_emulator::actions::{Act, Draft, InChannel, InGuild};
use qq_emulator::intents::Intents;
use serde_json::json;

const SCENES: [&str; 4] = ["C2C", "group", "guild channel", "guild DM"];

/// A bot whose agent asks before it does anything, and is done after two minutes.
fn stage(buttons: bool) -> Stage {
    stage_of(buttons, 120_000)
}

fn stage_of(buttons: bool, takes_ms: u64) -> Stage {
    let mut rules = bot();
    rules.intents = Intents::known();
    rules.grants.guild_markdown = buttons;
    rules.grants.guild_keyboard = buttons;
    rules.messages.markdown = buttons;
    rules.messages.keyboard = buttons;
    let mut keys = serde_json::Map::new();
    let names = qq_channel::gateway::intents::Intents::names();
    keys.insert("intents".into(), json!(names));
    keys.insert("language".into(), json!("en"));
    let mind = move |_: &prx_host::bindings::v0_1::TurnBegin, _: &mut harness::sim::Blobs| {
        let wants = Approval {
            approval: "call-1".into(),
            title: "Delete everything".into(),
            detail: "rm -rf /srv".into(),
        };
        let done = vec![AnswerPart::Text("done".into())];
        vec![
            (10, TurnNews::ApprovalAsked(wants)),
            (takes_ms, TurnNews::Finished(done)),
        ]
    };
    let setup = Setup {
        keys,
        bot: rules,
        mind: Box::new(mind),
    };
    Stage::new(Arc::new(NativeComponent), setup)
}

fn says(scene: usize, user: &str, text: &str) -> Act {
    let message = Draft::from(text);
    let user = user.into();
    match scene {
        0 => Act::C2c { user, message },
        1 => Act::GroupAt {
            group: "room".into(),
            user,
            message,
        },
        2 => Act::ChannelAt {
            at: InChannel::new("guild", "talk", user.as_str()),
            message,
        },
        _ => Act::Dm {
            at: InGuild::new("guild", user.as_str()),
            message,
        },
    }
}

fn verdict(stage: &Stage, what: &str) -> bool {
    let decided = stage.approvals();
    assert_eq!(decided.len(), 1, "{what}: {decided:?} {:#?}", stage.log());
    decided[0].allowed
}

fn quiet(stage: &Stage, what: &str) {
    assert_eq!(
        stage.violations(),
        Vec::<String>::new(),
        "{what}: {:#?}",
        stage.log()
    );
    assert_eq!(stage.findings(), Vec::<String>::new(), "{what}");
}

#[test]
fn a_button_decides_in_every_scene_and_the_answer_keeps_its_reply() {
    for (scene, name) in SCENES.iter().enumerate() {
        for (label, allowed) in [("Allow", true), ("Deny", false)] {
            let mut stage = stage(true);
            stage.begin(says(scene, "ann", "tidy up"));
            stage.pass(10_000);
            assert!(stage.said()[0].text.contains("rm -rf /srv"), "{name}");
            stage.begin(Act::Press {
                user: "ann".into(),
                message_id: None,
                button: label.into(),
            });
            stage.pass(3 * 60_000);
            assert_eq!(verdict(&stage, name), allowed, "{name}");
            assert_eq!(stage.said().last().unwrap().text, "done", "{name}");
            assert_eq!(stage.begun().len(), 1, "a press is no turn: {name}");
            quiet(&stage, name);
        }
    }
}

#[test]
fn without_buttons_a_word_decides_and_only_that_of_the_person_who_asked() {
    for (scene, name) in SCENES.iter().enumerate() {
        let mut stage = stage(false);
        stage.begin(says(scene, "ann", "tidy up"));
        stage.pass(10_000);
        let asked = stage.said().last().unwrap().text.clone();
        assert!(asked.contains("/allow or /deny"), "{name}: {asked}");
        stage.begin(says(scene, "bob", "/allow"));
        stage.pass(10_000);
        assert!(stage.approvals().is_empty(), "{name}: bob was not asked");
        stage.begin(says(scene, "ann", "/allow"));
        stage.pass(10_000);
        assert!(verdict(&stage, name), "{name}");
        assert_eq!(stage.findings(), Vec::<String>::new(), "{name}");
    }
}

#[test]
fn a_stolen_button_decides_nothing() {
    let mut stage = stage(true);
    stage.begin(says(0, "ann", "tidy up"));
    stage.pass(10_000);
    let keyboard = stage.said()[0].keyboard.clone().unwrap();
    let data = keyboard
        .pointer("/content/rows/0/buttons/0/action/data")
        .unwrap();
    stage.begin(Act::Interact {
        user: "eve".into(),
        group: None,
        kind: 11,
        resolved: json!({"button_data": data, "button_id": "1"}),
    });
    stage.pass(10_000);
    assert!(stage.approvals().is_empty());
    quiet(&stage, "a stolen button");
}

#[test]
fn nobody_answers_in_a_group_and_the_agent_hears_no_before_the_window_closes() {
    let mut stage = stage_of(true, 265_000);
    stage.begin(says(1, "ann", "tidy up"));
    stage.pass(10 * 60_000);
    assert!(!verdict(&stage, "no answer"));
    assert_eq!(stage.approvals()[0].by, "channel");
    assert_eq!(stage.said().last().unwrap().text, "done");
    quiet(&stage, "no answer");
}
