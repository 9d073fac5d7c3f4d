//! Each key of `[channels_config.qq]`, at its default and at its other values: what people see of it.
//!
//! The keys go through the host's own reading of the operator's file, so that aliases, inheritance and refusals are
//! those that an operator meets.

use std::collections::BTreeSet;
use std::fmt::Write as _;

use harness::sim::{Blobs, Mind, Setup, Stage, bot, says};
use prx_host::bindings::v0_1::{AnswerPart, TurnBegin, TurnNews};
use prx_host::config::Layers;
use qq_emulator::actions::Act;
use qq_emulator::intents::Intents;
use qq_emulator::ledger::{BotForm, BotMessage};
use qq_emulator::record::What;
use qq_emulator::settings::BotSettings;
use serde_json::{Map, Value};

use crate::common::component;

mod answers;
mod chats;
mod connecting;
mod numbers;

/// The test of each key.
const TESTS: &[(&str, fn())] = &[
    ("app_id", connecting::app_id_is_whose_bot_it_is),
    (
        "app_secret",
        connecting::app_secret_is_written_out_or_found_in_the_environment_or_a_file,
    ),
    (
        "allowed_users",
        connecting::allowed_users_names_people_groups_and_guilds_and_none_means_pairing,
    ),
    ("sandbox", connecting::sandbox_is_another_address),
    (
        "intents",
        connecting::intents_are_what_the_bot_hears_each_by_its_name,
    ),
    (
        "stream_mode",
        chats::stream_mode_is_what_is_seen_before_the_answer,
    ),
    (
        "interrupt_on_new_message",
        chats::interrupt_on_new_message_leaves_the_newest_answer,
    ),
    (
        "mention_only",
        chats::mention_only_makes_context_of_what_was_not_said_to_the_bot,
    ),
    (
        "ack_reactions",
        chats::ack_reactions_mark_what_was_received_and_are_inherited,
    ),
    ("api_base", connecting::api_base_is_another_api),
    ("token_url", connecting::token_url_is_another_token_endpoint),
    ("language", chats::language_is_that_of_the_bots_own_texts),
    ("message_chars", numbers::message_chars_split_an_answer),
    ("replies_c2c", numbers::replies_c2c_end_a_private_answer),
    ("replies_group", numbers::replies_group_end_a_group_answer),
    ("replies_guild", numbers::replies_guild_end_a_guild_answer),
    (
        "share_group_history",
        chats::share_group_history_is_one_history_for_all_of_a_group,
    ),
    ("queue", numbers::queue_is_how_many_messages_may_wait),
    ("markdown", answers::markdown_is_tried_insisted_on_or_left),
    (
        "long_answers",
        answers::long_answers_end_in_a_file_or_are_cut,
    ),
    (
        "ai_notice",
        answers::ai_notice_is_never_given_once_a_day_or_always,
    ),
    (
        "quote_replies",
        answers::quote_replies_nowhere_in_groups_or_everywhere,
    ),
    (
        "mention_sender",
        answers::mention_sender_begins_public_answers_with_a_name,
    ),
    (
        "mention_others",
        answers::mention_others_lets_the_agent_mention_people_who_did_not_ask,
    ),
    (
        "typing_costs_reply",
        answers::typing_costs_reply_or_is_free_and_renewed,
    ),
    (
        "stream_interval_ms",
        numbers::stream_interval_ms_is_how_fast_a_text_grows,
    ),
    ("media_mb", numbers::media_mb_bounds_files_in_and_out),
    (
        "upload_chunk_mb",
        numbers::upload_chunk_mb_is_where_pieces_begin,
    ),
    (
        "channel_per_second",
        numbers::channel_per_second_paces_a_channel,
    ),
    ("guild_per_second", numbers::guild_per_second_paces_a_guild),
    ("dm_per_second", numbers::dm_per_second_paces_a_session),
    (
        "proactive_per_minute",
        numbers::proactive_per_minute_paces_what_nobody_asked_for,
    ),
];

#[test]
fn no_key_is_without_a_test() {
    let tested: BTreeSet<String> = TESTS.iter().map(|(key, _)| (*key).to_owned()).collect();
    let described = component().describe().unwrap();
    let keys: BTreeSet<String> = described.keys.into_iter().map(|key| key.name).collect();
    assert_eq!(tested, keys, "left is tested, right is what there is");
    assert_eq!(tested.len(), TESTS.len(), "a key stands here twice");
    let tests: BTreeSet<usize> = TESTS.iter().map(|(_, test)| *test as usize).collect();
    assert_eq!(tests.len(), TESTS.len(), "two keys share a test");
}

/// What a test does not say of its bot: everybody may talk to it, and it hears everything.
fn usual(key: &str) -> String {
    match key {
        "app_id" => format!("{:?}", bot().app_id.as_str()),
        "app_secret" => format!("{:?}", bot().secret),
        "intents" => format!("{:?}", qq_channel::gateway::intents::Intents::names()),
        _ => r#"["*"]"#.to_owned(),
    }
}

/// The values of an operator's file, or the sentence that refuses it. `above` goes before the channel's table, and `lines`
/// into it; the keys `absent` are left out.
fn read(above: &str, lines: &str, absent: &[&str]) -> Result<Map<String, Value>, String> {
    let mut file = format!("{above}\n[channels_config.qq]\n{lines}\n");
    for key in ["app_id", "app_secret", "allowed_users", "intents"] {
        let written = lines.lines().any(|line| line.starts_with(key));
        if !written && !absent.contains(&key) {
            let _ = writeln!(file, "{key} = {}", usual(key));
        }
    }
    let layers = Layers::from_text("channels.toml", &file).map_err(|error| error.to_string())?;
    let specs = component().describe().unwrap().keys;
    let env = |name: &str| (name == "SECRET_OF_QQ").then(|| bot().secret);
    let checked = layers.channel("qq", &specs, &env).map_err(|errors| {
        let sentences: Vec<String> = errors.iter().map(ToString::to_string).collect();
        sentences.join("\n")
    })?;
    let mut keys = checked.json;
    for (name, secret) in checked.secrets {
        keys.insert(name, secret.expose().into());
    }
    Ok(keys)
}

/// A bot with every right that the platform can grant.
fn rules() -> BotSettings {
    let mut rules = bot();
    rules.intents = Intents::known();
    rules.grants.guild_markdown = true;
    rules.grants.guild_keyboard = true;
    // The bot's own pace is looked at here, not the platform's.
    rules.guilds.per_second = 0;
    rules
}

/// A bot that was started, with these values, and may or may not have connected.
fn started(keys: Map<String, Value>, rules: BotSettings, mind: Mind) -> Stage {
    let bot = rules;
    Stage::started(component(), Setup { keys, bot, mind })
}

/// A bot that runs with these lines in its table.
fn stage_of(lines: &str, rules: BotSettings, mind: Mind) -> Stage {
    let keys = read("", lines, &[]).unwrap_or_else(|sentence| panic!("{lines}: {sentence}"));
    let stage = started(keys, rules, mind);
    assert!(stage.connected(), "{lines}: {:#?}", stage.log());
    stage
}

/// The same, with an agent that echoes.
fn stage(lines: &str) -> Stage {
    stage_of(lines, rules(), echo())
}

fn echo() -> Mind {
    Box::new(|begin, _| says(format!("echo: {}", begin.message.text)))
}

/// An agent that gives the same answer to everybody.
fn answers(text: &str) -> Mind {
    let text = text.to_owned();
    Box::new(move |_, _| says(text.clone()))
}

/// An agent that writes an answer a piece at a time, where that is shown.
fn writes(pieces: usize, every_ms: u64) -> Mind {
    Box::new(move |begin: &TurnBegin, _: &mut Blobs| {
        let piece = |number: usize| format!("This is sentence {number}. ");
        let mut news = Vec::new();
        let mut at_ms = 0;
        for number in 0..pieces {
            if begin.shows.streaming {
                news.push((at_ms, TurnNews::Delta(piece(number))));
            }
            at_ms += every_ms;
        }
        let whole: String = (0..pieces).map(piece).collect();
        news.push((at_ms, TurnNews::Finished(vec![AnswerPart::Text(whole)])));
        news
    })
}

/// The sentence that refuses these lines, which names the key.
fn refused(key: &str, value: &str) -> String {
    let lines = format!("{key} = {value}");
    let sentence = match read("", &lines, &[]) {
        Err(sentence) => sentence,
        // What the key table cannot judge, the channel does.
        Ok(keys) => started(keys, rules(), echo()).findings().join("\n"),
    };
    assert!(sentence.contains(key), "{lines}: {sentence:?}");
    sentence
}

/// Both ends of a range are taken, and what is beyond them is refused.
fn ranges(key: &str, low: i64, high: i64) {
    for value in [low, high] {
        read("", &format!("{key} = {value}"), &[]).unwrap();
    }
    for value in [low - 1, high + 1, -1] {
        let sentence = refused(key, &value.to_string());
        let range = format!("from {low} to {high}");
        assert!(sentence.contains(&range), "{sentence}");
    }
    refused(key, "\"many\"");
}

/// A word for a message of the bot's, as a person sees it.
fn seen(message: &BotMessage) -> &'static str {
    match (message.form, &message.media) {
        (_, Some(media)) if media.file_type == 1 => "picture",
        (_, Some(_)) => "file",
        (BotForm::Markdown, _) => "markdown",
        (BotForm::Typing, _) => "typing",
        (BotForm::Stream, _) => "stream",
        _ => "text",
    }
}

fn shown(stage: &Stage) -> String {
    let words: Vec<&str> = stage.said().iter().map(|said| seen(said)).collect();
    words.join(", ")
}

/// What the bot said, in order.
fn said(stage: &Stage) -> Vec<String> {
    let said = stage.said().into_iter();
    said.map(|said| said.text.trim().to_owned()).collect()
}

/// What the bot answered to this.
fn ask(stage: &mut Stage, act: Act) -> Vec<String> {
    let id = stage.act(act).message_id.unwrap();
    stage.texts(&id)
}

/// The paths of the requests that reached the platform.
fn paths(stage: &Stage) -> Vec<String> {
    let entries = stage.platform().record().entries();
    let paths = entries.filter_map(|entry| match &entry.what {
        What::Request { path, .. } => Some(path.clone()),
        _ => None,
    });
    paths.collect()
}

/// Nothing was done that the platform forbids, and nothing stayed behind.
fn quiet(stage: &Stage) {
    let violations = stage.violations();
    assert!(violations.is_empty(), "{violations:?}: {:#?}", stage.log());
    assert_eq!(stage.findings(), Vec::<String>::new());
    assert!(stage.blobs().is_empty(), "blobs stay behind");
}
