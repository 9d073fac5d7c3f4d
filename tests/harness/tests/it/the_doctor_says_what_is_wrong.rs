//! Each way in which a bot stays silent, and the sentence of the doctor's that says why and what to do.

use std::sync::Arc;

use harness::native::NativeComponent;
use harness::sim::{Setup, Stage, bot, echo};
use prx_host::bindings::v0_1::{Mark, OperatorCommand, Reply};
use qq_emulator::actions::Act;
use qq_emulator::intents::Intents;
use qq_emulator::settings::{BotSettings, Standing};
use serde_json::{Value, json};

fn stage(keys: Value, rules: BotSettings) -> Stage {
    let setup = Setup {
        keys: keys.as_object().cloned().unwrap_or_default(),
        bot: rules,
        mind: echo(),
    };
    Stage::started(Arc::new(NativeComponent), setup)
}

fn examined(stage: &mut Stage) -> Reply {
    stage.ask(OperatorCommand::Doctor(false));
    let reply = stage.replies().last().cloned();
    reply.unwrap_or_else(|| panic!("no reply: {:#?}", stage.log()))
}

fn says(stage: &mut Stage, wanted: &[&str]) {
    let reply = examined(stage);
    let summary = reply.summary.clone().unwrap();
    for words in wanted {
        assert!(
            summary.contains(words),
            "{words:?} is not in {summary:?}\n{:#?}",
            reply.lines
        );
    }
    let failing = reply
        .lines
        .iter()
        .filter(|line| matches!(line.mark, Mark::Fail | Mark::Warn));
    for line in failing {
        assert!(
            line.fix.is_some() || line.topic == "learned",
            "{line:?} names no remedy"
        );
    }
}

#[test]
fn a_bot_that_is_well_gets_a_clean_bill() {
    let mut stage = stage(json!({}), bot());
    says(
        &mut stage,
        &["everything that can be tested from here works"],
    );
    let identifies = stage
        .platform()
        .stats(stage.platform().default_app().unwrap())
        .unwrap()
        .identifies;
    assert_eq!(identifies, 1, "the doctor opens no second session");
}

#[test]
fn a_wrong_secret_is_named_with_the_page_to_copy_it_from() {
    let mut rules = bot();
    rules.secret = "another".into();
    says(&mut stage(json!({}), rules), &["AppSecret", "开发设置"]);
}

#[test]
fn a_bot_that_may_use_the_sandbox_only_or_is_banned_is_told_so() {
    for (standing, words) in [
        (Standing::Offline, "only the sandbox"),
        (Standing::Banned, "banned"),
    ] {
        let mut rules = bot();
        rules.standing = standing;
        says(&mut stage(json!({}), rules), &[words]);
    }
}

#[test]
fn an_address_that_is_not_on_the_allow_list_is_named() {
    let mut stage = stage(json!({}), bot());
    stage.fault("token-death");
    stage.fault("refuse 11298 at token x9");
    stage.act(Act::c2c("ann", "hello"));
    says(&mut stage, &["allow-list", "IP白名单"]);
}

#[test]
fn a_token_that_cannot_be_renewed_is_said() {
    let mut stage = stage(json!({}), bot());
    stage.fault("token-death");
    stage.fault("500 at token x9");
    stage.act(Act::c2c("ann", "hello"));
    says(&mut stage, &["token"]);
}

#[test]
fn a_gateway_that_does_not_answer_is_said() {
    let mut stage = stage(json!({}), bot());
    stage.fault("500 at gateway x99");
    stage.fault("forget-sessions");
    stage.pass(30_000);
    says(&mut stage, &["gateway"]);
}

#[test]
fn a_bot_that_hears_nothing_is_told_which_intents_to_add() {
    says(
        &mut stage(json!({"intents": ["guilds"]}), bot()),
        &["group_and_c2c", "public_guild_messages"],
    );
}

#[test]
fn intents_that_are_not_granted_are_named() {
    let mut rules = bot();
    rules.intents = Intents::DEFAULT_GRANTED;
    let mut stage = stage(
        json!({"intents": ["public_guild_messages", "group_and_c2c"]}),
        rules,
    );
    stage.pass(60_000);
    says(&mut stage, &["group_and_c2c", "功能配置"]);
}

#[test]
fn what_the_platform_refused_lately_is_in_the_report() {
    let mut rules = bot();
    rules.messages.markdown = false;
    let mut stage = stage(json!({}), rules);
    stage.act(Act::c2c("ann", "**bold**"));
    let reply = examined(&mut stage);
    let learned = reply
        .lines
        .iter()
        .find(|line| line.topic == "learned")
        .unwrap();
    assert!(learned.text.contains("markdown is refused"), "{learned:?}");
    assert_eq!(learned.evidence.as_deref(), Some("code 40034127"));
}
