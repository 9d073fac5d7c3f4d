//! Codes, strangers, requests and the owner.

use qq_channel::bindings::{Action, CheckpointMode, OperatorCommand, StartReason};
use serde_json::{Value, json};

use crate::driver::{Driver, boot};

const CODE: &str = "234567";

fn bytes() -> Vec<u8> {
    let mut bytes = 1_234_567u32.to_le_bytes().to_vec();
    bytes.resize(32, 0);
    bytes
}

fn keys() -> Value {
    json!({"allowed_users": [], "language": "en", "intents": ["group_and_c2c", "interaction"]})
}

/// A bot whose code was just shown.
fn unpaired() -> Driver {
    let mut driver = Driver::start(&keys());
    driver.random(bytes());
    driver.good_token(true);
    driver.gateway();
    driver.greet();
    driver.frame(&json!({"op": 0, "s": 1, "t": "READY", "d": {"session_id": "s-1", "user": {"id": "9", "username": "bot"}}}));
    driver.later(10_000);
    driver
}

/// A bot that is paired with its owner, OWNER, and a message of STRANGER about whom the owner was asked.
fn asked() -> Driver {
    let mut driver = unpaired();
    driver.c2c(2, "m1", "OWNER", &format!("/bind {CODE}"));
    driver.answer("send", 200, r#"{"id":"x"}"#);
    driver.c2c(3, "m2", "STRANGER", "let me in");
    driver.answer("send", 200, r#"{"id":"y"}"#);
    driver.random(vec![0xAB; 16]);
    driver
}

fn data(driver: &Driver) -> Value {
    serde_json::from_str(driver.reply().data.as_deref().unwrap()).unwrap()
}

#[test]
fn a_code_is_shown_in_the_log_once_and_is_nowhere_else() {
    let driver = unpaired();
    let shown: Vec<String> = driver
        .log()
        .into_iter()
        .filter(|line| line.contains(CODE))
        .collect();
    assert_eq!(shown.len(), 1, "{shown:?}");
    assert!(shown[0].starts_with("Info pairing code 234567: write /bind 234567"));
    let everything = format!("{:?}", driver.actions);
    assert!(!everything.contains(CODE));
    let of = |mode| {
        let checkpoint = driver.channel.checkpoint(&mode).unwrap();
        checkpoint
            .windows(6)
            .any(|window| window == CODE.as_bytes())
    };
    assert!(of(CheckpointMode::Normal) && !of(CheckpointMode::BlankText));
}

#[test]
fn whoever_has_the_code_is_paired_and_answered_and_owns_the_bot() {
    let mut driver = unpaired();
    driver.c2c(2, "m1", "A", &format!("/bind@bot {CODE}"));
    assert!(
        driver.said().contains("you are my owner"),
        "{}",
        driver.said()
    );
    let all = format!("{:?}", driver.stored());
    assert!(!all.contains(CODE), "what was written is not stored");
    driver.answer("send", 200, r#"{"id":"x"}"#);
    assert!(driver.outcomes().is_empty(), "no agent hears of it");
    driver.c2c(3, "m2", "A", "hi");
    assert_eq!(driver.begun().len(), 1);
    driver.c2c(4, "m3", "B", &format!("/bind {CODE}"));
    assert!(driver.said().contains("no valid code"), "it works once");
}

#[test]
fn a_binding_outlives_the_process_and_can_be_taken_away() {
    let mut driver = asked();
    driver.later(1);
    let mut driver = Driver::connected_with(boot(&keys(), driver.stored(), 2));
    assert_eq!(
        driver.randoms(),
        0,
        "no code is made while somebody is paired"
    );
    driver.c2c(2, "m5", "OWNER", "hi");
    assert_eq!(driver.begun().len(), 1);
    driver.ask(OperatorCommand::PairRevoke("OWNER".into()));
    assert!(driver.reply().summary.unwrap().contains("any more"));
    driver.c2c(3, "m6", "OWNER", "hi");
    assert_eq!(driver.begun().len(), 1);
    driver.ask(OperatorCommand::PairRevoke("OWNER".into()));
    assert!(driver.reply().summary.unwrap().contains("not paired"));
    let driver = Driver::connected_with(boot(&keys(), driver.stored(), 3));
    assert!(
        !driver
            .stored()
            .iter()
            .any(|entry| entry.key.starts_with("bind/"))
    );
}

#[test]
fn a_stranger_is_told_how_to_ask_once_in_a_while_and_starts_no_turn() {
    let mut driver = unpaired();
    for seq in 2..6 {
        driver.c2c(seq, &format!("m{seq}"), "A", "hi");
    }
    assert_eq!((driver.sent().len(), driver.begun().len()), (1, 0));
    assert!(driver.said().contains("/bind CODE"));
    driver.answer("send", 200, r#"{"id":"x"}"#);
    driver.later(10 * 60_000);
    driver.c2c(7, "m7", "A", "hi");
    assert_eq!(driver.sent().len(), 2);
    driver.answer("send", 200, r#"{"id":"y"}"#);
    for number in 0..1_000 {
        driver.c2c(
            8 + number,
            &format!("n{number}"),
            &format!("P{number}"),
            "hi",
        );
    }
    assert!(driver.sent().len() <= 2 + 20, "{}", driver.sent().len());
    assert!(driver.begun().is_empty() && driver.outcomes().is_empty());
    let agent = |action: &Action| {
        matches!(
            action,
            Action::TurnBegin(_) | Action::TurnContext(_) | Action::TurnOutcome(_)
        )
    };
    assert!(!driver.actions.iter().any(agent));
}

#[test]
fn in_a_group_codes_are_not_taken_and_the_word_private_comes_once() {
    let mut driver = unpaired();
    driver.group(2, "m2", "A", &format!("/bind {CODE}"), true);
    driver.group(3, "m3", "B", "hello", true);
    driver.group(4, "m4", "C", "among ourselves", false);
    assert_eq!(driver.sent().len(), 1);
    assert!(driver.said().contains("in private"));
    driver.answer("send", 200, r#"{"id":"x"}"#);
    driver.c2c(5, "m5", "A", &format!("/bind {CODE}"));
    assert!(driver.said().contains("paired"), "the code was not used up");
}

#[test]
fn a_stranger_may_ask_who_it_is_in_private_while_people_pair() {
    let mut driver = unpaired();
    driver.c2c(2, "m2", "A", "/whoami");
    assert!(driver.said().ends_with("\"A\""), "{}", driver.said());
    driver.c2c(3, "m3", "A", "/help");
    driver.group(4, "m4", "B", "/whoami", true);
    assert!(!driver.said().contains("OpenID: B"));
    let mut named = Driver::connected(&json!({"allowed_users": ["FRIEND"]}));
    named.c2c(2, "m2", "A", "/whoami");
    named.c2c(3, "m3", "A", "/bind 123456");
    assert!(named.sent().is_empty());
}

#[test]
fn a_code_ends_after_ten_minutes_and_the_operator_gets_another_one() {
    let mut driver = unpaired();
    assert!(driver.fire("pairing-code"));
    let log = driver.log();
    assert!(log.iter().any(|line| line.contains("was not used in time")));
    driver.c2c(2, "m2", "A", &format!("/bind {CODE}"));
    assert!(driver.said().contains("no valid code"));
    driver.ask(OperatorCommand::PairCode);
    // Numbers above the last whole million do not do.
    driver.random(vec![0xFF; 32]);
    driver.random(bytes());
    assert_eq!(
        data(&driver),
        json!({"code": CODE, "long_code": format!("{CODE}000000"), "valid_s": 600})
    );
    assert!(driver.reply().lines[0].text.contains("/bind 234567"));
    let shown = driver.log();
    assert_eq!(
        shown.iter().filter(|line| line.contains(CODE)).count(),
        1,
        "only the one of the start"
    );
    driver.ask(OperatorCommand::PairCode);
    driver.random(Vec::new());
    assert!(driver.reply().summary.unwrap().contains("no randomness"));
    let mut named = Driver::connected(&json!({}));
    named.ask(OperatorCommand::PairCode);
    assert!(named.reply().lines[0].fix.is_some());
}

#[test]
fn the_owner_lets_somebody_in_with_a_button() {
    let mut driver = asked();
    let card = driver.said();
    assert!(card.contains("STRANGER"), "{card}");
    let [yes, no] = <[String; 2]>::try_from(driver.buttons()).unwrap();
    driver.answer("send", 200, r#"{"id":"z"}"#);
    // Others cannot press it, nor can the owner with another nonce.
    driver.press(10, "STRANGER", &yes);
    assert_eq!(driver.acknowledged(), 4);
    driver.press(11, "OWNER", &yes.replace("abab", "cdcd"));
    assert_eq!(driver.acknowledged(), 3);
    driver.c2c(12, "m12", "STRANGER", "now?");
    assert!(driver.begun().is_empty());
    driver.press(13, "OWNER", &yes);
    assert_eq!(driver.acknowledged(), 0);
    driver.c2c(14, "m14", "STRANGER", "hi");
    assert_eq!(driver.begun().len(), 1);
    for again in [&yes, &no] {
        driver.press(15, "OWNER", again);
        driver.later(1);
    }
    assert_eq!(driver.acknowledged(), 3, "it was decided");
    let stored: Vec<String> = driver.stored().into_iter().map(|entry| entry.key).collect();
    assert!(
        stored.contains(&"bind/qq/STRANGER".to_owned()),
        "{stored:?}"
    );
    assert!(!stored.iter().any(|key| key.starts_with("ask/")));
}

#[test]
fn the_owner_denies_and_is_not_asked_again_even_after_a_restart() {
    let driver = asked();
    let no = driver.buttons().pop().unwrap();
    let mut driver = Driver::connected_with(boot(&keys(), driver.stored(), 2));
    driver.press(2, "OWNER", &no);
    assert_eq!(driver.acknowledged(), 0);
    driver.answer("send", 200, r#"{"id":"z"}"#);
    let before = (driver.randoms(), driver.sent().len());
    driver.later(3_600_000);
    driver.c2c(3, "m3", "STRANGER", "please");
    assert_eq!((driver.randoms(), driver.sent().len()), before);
}

#[test]
fn where_buttons_are_refused_the_owner_reads_how_to_answer() {
    let mut driver = asked();
    driver.answer("send", 400, r#"{"code":304057}"#);
    let said = driver.said();
    assert!(said.contains("prx channel pair qq approve 1"), "{said}");
}

#[test]
fn the_operator_lists_approves_and_denies() {
    let mut driver = unpaired();
    driver.c2c(2, "m2", "A", "hi");
    driver.c2c(3, "m3", "B", "hi");
    driver.ask(OperatorCommand::PairList);
    let listed = data(&driver);
    assert_eq!(listed["pairing"], true);
    assert_eq!(listed["requests"][1]["openid"], "B");
    assert_eq!(listed["requests"][1]["id"], "2");
    assert!(listed["code_s"].as_u64().unwrap() > 500);
    assert!(
        driver
            .reply()
            .lines
            .iter()
            .any(|line| { line.fix.as_deref() == Some("prx channel pair qq approve 1") })
    );
    driver.ask(OperatorCommand::PairApprove("1".into()));
    driver.ask(OperatorCommand::PairDeny("B".into()));
    driver.ask(OperatorCommand::PairApprove("2".into()));
    assert!(driver.reply().summary.unwrap().contains("no request"));
    driver.c2c(4, "m4", "A", "hi");
    driver.c2c(5, "m5", "B", "hi");
    assert_eq!(driver.begun().len(), 1);
    driver.ask(OperatorCommand::PairList);
    let listed = data(&driver);
    assert_eq!(listed["requests"], json!([]));
    assert_eq!(listed["bindings"][0]["how"], "operator");
}

#[test]
fn a_code_survives_a_swap_and_not_a_restart() {
    let driver = unpaired();
    let mut swap = boot(&keys(), driver.stored(), 1);
    swap.reason = StartReason::Swap;
    swap.checkpoint = Some(driver.channel.checkpoint(&CheckpointMode::Normal).unwrap());
    let mut other = Driver::start_with(swap);
    assert_eq!(other.channel.holdings(), driver.channel.holdings());
    other.now = driver.now;
    other.c2c(2, "m1", "A", &format!("/bind {CODE}"));
    assert!(other.said().contains("owner"));
    let mut next = Driver::connected_with(boot(&keys(), driver.stored(), 2));
    next.c2c(2, "m1", "A", &format!("/bind {CODE}"));
    assert!(next.said().contains("no valid code"));
}

#[test]
fn to_pair_private_chats_are_asked_for_and_what_is_refused_is_left_out() {
    let mut keys = keys();
    keys["intents"] = json!(["guilds", "public_guild_messages"]);
    let mut driver = Driver::start(&keys);
    driver.good_token(true);
    driver.gateway();
    driver.greet();
    let chats = 1u64 << 25;
    let asked = |driver: &Driver| {
        driver.frames().pop().unwrap()["d"]["intents"]
            .as_u64()
            .unwrap()
    };
    assert_ne!(asked(&driver) & chats, 0);
    driver.later(10_000);
    driver.close(4014);
    driver.fire("reconnect");
    driver.gateway();
    driver.greet();
    assert_eq!(asked(&driver), 1 | 1 << 30);
    driver.frame(&json!({"op": 0, "s": 1, "t": "READY", "d": {"session_id": "s-1", "user": {"id": "9", "username": "bot"}}}));
    let health = driver.health().unwrap();
    assert_eq!(health.code, "nowhere-to-pair");
    assert!(health.fix.as_deref().unwrap().contains("allowed_users"));
}
