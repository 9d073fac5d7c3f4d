//! Pairing from end to end: codes, guesses, strangers, the owner, restarts.

use std::sync::Arc;

use harness::dual::DualComponent;
use harness::native::NativeComponent;
use harness::sim::{Setup, Stage, bot, says};
use prx_host::bindings::v0_1::OperatorCommand;
use prx_host::guest::Component;
use qq_emulator::actions::{Act, InChannel};
use qq_emulator::intents::Intents;
use qq_emulator::ledger::Scene;
use qq_emulator::record::What;
use qq_emulator::settings::Proactive;
use serde_json::{Value, json};

use crate::common::component;

fn stage_of(component: Arc<dyn Component>) -> Stage {
    let mut rules = bot();
    rules.intents = Intents::known();
    rules.messages.proactive = Proactive::Quota;
    let mut keys = serde_json::Map::new();
    keys.insert("allowed_users".into(), json!([]));
    keys.insert("language".into(), json!("en"));
    keys.insert(
        "intents".into(),
        json!(["public_guild_messages", "direct_messages", "interaction"]),
    );
    let mind = Box::new(
        |begin: &prx_host::bindings::v0_1::TurnBegin, _: &mut harness::sim::Blobs| {
            says(format!("echo: {}", begin.message.text))
        },
    );
    let setup = Setup {
        keys,
        bot: rules,
        mind,
    };
    Stage::new(component, setup)
}

fn stage() -> Stage {
    stage_of(Arc::new(NativeComponent))
}

/// What follows "pairing code" in a log.
fn shown(log: &[String]) -> Vec<String> {
    let shown = log.iter().filter_map(|line| {
        let (_, after) = line.split_once("pairing code ")?;
        after.split(':').next().map(str::to_owned)
    });
    shown.collect()
}

/// The codes that the log showed, in their short form.
fn codes(stage: &Stage) -> Vec<String> {
    let mut codes = shown(&stage.log());
    codes.retain(|code| code.len() == 6);
    codes
}

fn code(stage: &Stage) -> String {
    codes(stage)
        .pop()
        .unwrap_or_else(|| panic!("{:#?}", stage.log()))
}

/// Six digits that are not the code.
fn wrong(stage: &Stage) -> &'static str {
    if code(stage) == "111111" {
        "222222"
    } else {
        "111111"
    }
}

/// What the bot said to somebody, in private chats.
fn told(stage: &Stage, user: &str) -> Vec<String> {
    let said = stage.said().into_iter();
    said.filter(|said| {
        said.user
            .as_ref()
            .is_some_and(|known| known.as_str() == user)
    })
    .map(|said| said.text.clone())
    .collect()
}

fn quiet(stage: &Stage) {
    assert_eq!(
        stage.violations(),
        Vec::<String>::new(),
        "{:#?}",
        stage.log()
    );
    assert_eq!(stage.findings(), Vec::<String>::new());
}

fn report(stage: &mut Stage, ask: OperatorCommand) -> (String, Value) {
    stage.ask(ask);
    let reply = stage.replies().last().unwrap();
    let data = reply.data.as_deref().unwrap_or("null");
    (
        reply.summary.clone().unwrap_or_default(),
        serde_json::from_str(data).unwrap(),
    )
}

/// The code of the newest acknowledgement.
fn acknowledged(stage: &Stage) -> String {
    let mut notes = stage.platform().record().entries().rev();
    let found = notes.find_map(|entry| match &entry.what {
        What::Note { text } => text
            .split_once("acknowledged with ")
            .map(|(_, code)| code.to_owned()),
        _ => None,
    });
    found.unwrap()
}

/// What the buttons carry of the newest message that has any.
fn carried(stage: &Stage) -> Vec<String> {
    let said = stage.said();
    let keyboard = said
        .iter()
        .rev()
        .find_map(|said| said.keyboard.clone())
        .unwrap();
    let mut data = Vec::new();
    for row in keyboard["content"]["rows"].as_array().unwrap() {
        for button in row["buttons"].as_array().unwrap() {
            data.push(button["action"]["data"].as_str().unwrap().to_owned());
        }
    }
    data
}

/// A bot whose owner is ann, and bob's message, about whom she was asked.
fn asked() -> Stage {
    let mut stage = stage();
    let code = code(&stage);
    stage.act(Act::c2c("ann", &format!("/bind {code}")));
    stage.act(Act::c2c("bob", "let me in"));
    assert!(
        told(&stage, "ann")[1].contains("wants to talk"),
        "{:?}",
        told(&stage, "ann")
    );
    stage
}

#[test]
fn whoever_has_the_code_is_answered_in_every_private_scene() {
    for dm in [false, true] {
        let mut stage = stage();
        let says = |text: &str| {
            if dm {
                Act::dm("guild", "ann", text)
            } else {
                Act::c2c("ann", text)
            }
        };
        stage.act(says("hi"));
        assert!(stage.begun().is_empty());
        let bind = format!("/bind {}", code(&stage));
        stage.act(says(&bind));
        stage.act(says("hello"));
        let said = told(&stage, "ann");
        assert_eq!(said.len(), 3, "{said:?}");
        assert!(
            said[0].contains("/bind CODE") && said[1].contains("owner"),
            "{said:?}"
        );
        assert_eq!(said[2], "echo: hello");
        stage.act(Act::c2c("bob", &bind));
        assert!(told(&stage, "bob")[0].contains("no valid code"));
        quiet(&stage);
    }
}

#[test]
fn ten_thousand_senders_who_guess_find_nothing_and_keep_nobody_out() {
    let mut stage = stage();
    let (right, wrong) = (code(&stage), wrong(&stage));
    let mut log = Vec::new();
    for number in 0..10_000 {
        let guess = Act::c2c(&format!("guesser{number}"), &format!("/bind {wrong}"));
        stage.begin(guess);
        if number % 100 == 99 {
            stage.pass(1_000);
        }
        if number == 199 {
            log = stage.log();
        }
    }
    stage.pass(60_000);
    let warned = log
        .iter()
        .filter(|line| line.contains("six digits are not enough"));
    assert_eq!(warned.count(), 1);
    let wrong = log
        .iter()
        .filter(|line| line.contains("a wrong pairing code"));
    assert_eq!(wrong.count(), 19, "the twentieth makes it longer");
    // The short form is not taken now, and nobody learns that it was right.
    stage.act(Act::c2c("ann", &format!("/bind {right}")));
    assert!(told(&stage, "ann")[0].contains("12 digits"));
    assert!(stage.begun().is_empty() && stage.outcomes().is_empty());
    assert!(stage.said().len() <= 20 * 4, "{}", stage.said().len());
    let (_, people) = report(&mut stage, OperatorCommand::PairList);
    assert!(people["requests"].as_array().unwrap().len() <= 50);
    assert_eq!(people["bindings"], json!([]));
    assert!(
        stage
            .stored_keys()
            .iter()
            .all(|key| !key.starts_with("turn/"))
    );
    quiet(&stage);
    // Whoever was invited pairs with all of its digits, which the log has.
    let long = shown(&log)
        .into_iter()
        .find(|code| code.len() == 12)
        .unwrap();
    stage.act(Act::c2c("ann", &format!("/bind {long}")));
    stage.act(Act::c2c("ann", "hello"));
    assert_eq!(told(&stage, "ann").pop().unwrap(), "echo: hello");
}

#[test]
fn a_sender_who_guesses_is_locked_for_five_minutes() {
    let mut stage = stage();
    let (right, wrong) = (code(&stage), wrong(&stage));
    for _ in 0..5 {
        stage.begin(Act::c2c("eve", &format!("/bind {wrong}")));
        stage.pass(1_000);
    }
    stage.begin(Act::c2c("eve", &format!("/bind {right}")));
    stage.pass(1_000);
    let said = told(&stage, "eve");
    assert!(said.last().unwrap().contains("again in 5 min"), "{said:?}");
    assert_eq!(said.len(), 5, "the right one is not told apart: {said:?}");
    stage.act(Act::c2c("ann", &format!("/bind {right}")));
    assert!(told(&stage, "ann")[0].contains("owner"));
    quiet(&stage);
}

#[test]
fn a_stranger_starts_no_turn_and_learns_how_to_ask_and_nothing_else() {
    let mut stage = stage();
    for text in [
        "hi", "/status", "/help", "/new", "/whoami", "/bind", "hi again",
    ] {
        stage.begin(Act::c2c("eve", text));
        stage.pass(1_000);
    }
    stage.act(Act::group_at("room", "eve", "/bind 123456"));
    stage.act(Act::group_at("room", "eve", "hi"));
    stage.act(Act::ChannelAt {
        at: InChannel::new("guild", "talk", "eve"),
        message: "hi".into(),
    });
    stage.act(Act::AddFriend {
        user: "mallory".into(),
    });
    let said = told(&stage, "eve");
    assert_eq!(
        said.len(),
        3,
        "how to ask, who she is, how a code is written: {said:?}"
    );
    let in_public = stage.said().into_iter();
    let in_public = in_public.filter(|said| matches!(said.scene, Scene::Group | Scene::Channel));
    let in_public: Vec<String> = in_public.map(|said| said.text.clone()).collect();
    assert_eq!(in_public, ["Please write to me in private to pair."; 2]);
    assert!(told(&stage, "mallory")[0].contains("/bind CODE"));
    assert!(stage.begun().is_empty() && stage.outcomes().is_empty());
    assert!(stage.overheard().is_empty() && stage.resets().is_empty());
    quiet(&stage);
}

#[test]
fn a_restart_keeps_who_is_paired_and_revoking_takes_it_away() {
    let mut stage = stage();
    let bind = format!("/bind {}", code(&stage));
    stage.act(Act::c2c("ann", &bind));
    for _ in 0..3 {
        stage.kill();
        stage.pass(3 * 60_000);
    }
    assert_eq!(codes(&stage).len(), 1, "somebody is paired: no new code");
    let id = stage.act(Act::c2c("ann", "hello")).message_id.unwrap();
    assert_eq!(stage.texts(&id), ["echo: hello"]);
    let (_, people) = report(&mut stage, OperatorCommand::PairList);
    let openid = people["bindings"][0]["openid"].as_str().unwrap().to_owned();
    assert_eq!(people["bindings"][0]["owner"], true);
    let (said, _) = report(&mut stage, OperatorCommand::PairRevoke(openid));
    assert!(said.contains("any more"), "{said}");
    stage.act(Act::c2c("ann", "hello?"));
    assert_eq!(stage.begun().len(), 1);
    stage.kill();
    stage.pass(3 * 60_000);
    stage.act(Act::c2c("ann", "still?"));
    assert_eq!(stage.begun().len(), 1);
    assert_eq!(codes(&stage).len(), 2, "nobody is paired: a new code");
}

#[test]
fn the_owner_lets_in_and_keeps_out_with_buttons_that_are_the_owners_alone() {
    let mut stage = asked();
    let data = carried(&stage);
    let stolen = Act::Interact {
        user: "bob".into(),
        group: None,
        kind: 11,
        resolved: json!({"button_data": data[0], "button_id": "1"}),
    };
    stage.act(stolen);
    assert_eq!(acknowledged(&stage), "4");
    stage.act(Act::c2c("bob", "am I in?"));
    assert!(stage.begun().is_empty());
    let press = |label: &str| Act::Press {
        user: "ann".into(),
        message_id: None,
        button: label.into(),
    };
    stage.act(press("Approve"));
    assert_eq!(acknowledged(&stage), "0");
    assert!(told(&stage, "bob").last().unwrap().contains("paired"));
    let id = stage.act(Act::c2c("bob", "hello")).message_id.unwrap();
    assert_eq!(stage.texts(&id), ["echo: hello"]);
    stage.act(press("Deny"));
    assert_eq!(acknowledged(&stage), "3", "it was decided");

    stage.act(Act::c2c("eve", "and me?"));
    stage.pass(120_000);
    stage.act(press("Deny"));
    assert_eq!(acknowledged(&stage), "0");
    stage.pass(3_600_000);
    let before = (stage.said().len(), stage.begun().len());
    stage.act(Act::c2c("eve", "please"));
    assert_eq!((stage.said().len(), stage.begun().len()), before);
    quiet(&stage);
}

#[test]
fn the_operator_approves_while_the_bot_runs() {
    let mut stage = stage();
    stage.act(Act::c2c("ann", "hi"));
    let (said, people) = report(&mut stage, OperatorCommand::PairList);
    assert_eq!(said, "0 paired, 1 asking");
    let id = people["requests"][0]["id"].as_str().unwrap().to_owned();
    let (said, _) = report(&mut stage, OperatorCommand::PairApprove(id));
    assert!(said.contains("may talk"), "{said}");
    assert!(told(&stage, "ann").pop().unwrap().contains("paired"));
    let id = stage.act(Act::c2c("ann", "hello")).message_id.unwrap();
    assert_eq!(stage.texts(&id), ["echo: hello"]);
    quiet(&stage);
}

#[test]
fn without_a_private_scene_health_says_that_nobody_can_pair() {
    let mut rules = bot();
    rules.intents = Intents::DEFAULT_GRANTED;
    let mut keys = serde_json::Map::new();
    keys.insert("allowed_users".into(), json!([]));
    keys.insert("intents".into(), json!(["guilds", "public_guild_messages"]));
    let setup = Setup {
        keys,
        bot: rules,
        mind: harness::sim::echo(),
    };
    let stage = Stage::new(Arc::new(NativeComponent), setup);
    let health = stage.health().last().unwrap();
    assert_eq!(health.code, "nowhere-to-pair");
    let fix = health.fix.as_deref().unwrap();
    assert!(fix.contains("allowed_users"), "{fix}");
    // What others may read of the bot has no code in it.
    let codes = codes(&stage);
    assert_eq!(codes.len(), 1);
    let mut summaries = stage.health().iter().map(|health| &health.summary);
    assert!(!summaries.any(|summary| summary.contains(codes[0].as_str())));
}

#[test]
fn pairing_is_byte_for_byte_alike_in_the_component() {
    let both = DualComponent {
        first: component(),
        second: Arc::new(NativeComponent),
    };
    let mut stage = stage_of(Arc::new(both));
    let bind = format!("/bind {}", code(&stage));
    stage.act(Act::c2c("ann", &bind));
    stage.act(Act::c2c("bob", "let me in"));
    stage.act(Act::Press {
        user: "ann".into(),
        message_id: None,
        button: "Approve".into(),
    });
    let id = stage.act(Act::c2c("bob", "hello")).message_id.unwrap();
    assert_eq!(stage.texts(&id), ["echo: hello"]);
    quiet(&stage);
}
