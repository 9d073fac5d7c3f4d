//! Scene by message type by direction: each cell is delivered, or goes as words for a reason that the platform gives.
//! The table of features in the README is printed from the data in here.

use std::fmt::Write as _;
use std::sync::Arc;

use harness::native::NativeComponent;
use harness::sim::{Blobs, Mind, Setup, Stage, bot};
use prx_host::bindings::v0_1::{
    AnswerPart, MediaKind, MediaPart, MediaSource, Occasion, OperatorCommand, OperatorSend,
    TurnBegin, TurnNews,
};
use qq_emulator::actions::{Act, Attachment, Draft, Emoji, InChannel, InGuild};
use qq_emulator::intents::Intents;
use qq_emulator::ledger::{BotForm, BotMessage};
use qq_emulator::settings::GroupMode;
use serde_json::json;

use crate::readme;

mod getting;
mod sending;

use getting::{IN, NOT_HERE};
use sending::OUT;

const SCENES: [&str; 4] = ["C2C", "group", "guild channel", "guild DM"];

fn text(text: &str) -> Vec<AnswerPart> {
    vec![AnswerPart::Text(text.to_owned())]
}

fn card(card: serde_json::Value) -> Vec<AnswerPart> {
    vec![AnswerPart::Card(card.to_string())]
}

fn media(kind: MediaKind, source: MediaSource) -> Vec<AnswerPart> {
    vec![AnswerPart::Media(MediaPart {
        kind,
        source,
        caption: None,
    })]
}

fn file(
    blobs: &mut Blobs,
    kind: MediaKind,
    name: &str,
    media_type: &str,
    bytes: &[u8],
) -> Vec<AnswerPart> {
    let info = blobs.own(name, media_type, bytes.to_vec());
    media(kind, MediaSource::Blob(info))
}

/// A bot whose agent says `parts` to every message.
fn stage(more: serde_json::Value, parts: fn(&mut Blobs) -> Vec<AnswerPart>) -> Stage {
    stage_of(
        more,
        Box::new(move |begin, blobs| {
            let message = begin.message.occasion == Occasion::Message;
            let said = if message { parts(blobs) } else { text("seen") };
            vec![(10, TurnNews::Finished(said))]
        }),
    )
}

/// A bot with every right that the platform can grant.
fn stage_of(more: serde_json::Value, mind: Mind) -> Stage {
    let mut rules = bot();
    rules.intents = Intents::known();
    rules.grants.guild_markdown = true;
    rules.grants.guild_keyboard = true;
    rules.grants.guild_ark = true;
    rules.grants.embed = true;
    rules.quotas.wakeup = true;
    let names = qq_channel::gateway::intents::Intents::names();
    let mut keys = serde_json::Map::new();
    keys.insert("intents".into(), json!(names));
    keys.extend(more.as_object().cloned().unwrap_or_default());
    Stage::new(
        Arc::new(NativeComponent),
        Setup {
            keys,
            bot: rules,
            mind,
        },
    )
}

fn says(scene: usize, message: impl Into<Draft>) -> Act {
    let message = message.into();
    match scene {
        0 => Act::C2c {
            user: "ann".into(),
            message,
        },
        1 => Act::GroupAt {
            group: "room".into(),
            user: "ann".into(),
            message,
        },
        2 => Act::ChannelAt {
            at: InChannel::new("guild", "talk", "ann"),
            message,
        },
        _ => Act::Dm {
            at: InGuild::new("guild", "ann"),
            message,
        },
    }
}

/// A word for a message of the bot's, as a person sees it.
fn seen(message: &BotMessage) -> &'static str {
    let file_type = message.media.as_ref().map(|media| media.file_type);
    match (message.form, file_type) {
        (_, Some(1)) => "picture",
        (_, Some(2)) => "video",
        (_, Some(3)) => "voice",
        (_, Some(_)) => "file",
        (BotForm::Markdown, _) if message.keyboard.is_some() => "markdown with buttons",
        (BotForm::Markdown, _) => "markdown",
        (BotForm::Ark, _) => "ark",
        (BotForm::Embed, _) => "embed",
        (BotForm::Typing, _) => "typing",
        (BotForm::Stream, _) => "stream",
        (BotForm::Text | BotForm::Media, _) => "text",
    }
}

fn shown(stage: &Stage) -> String {
    let mut words: Vec<&str> = stage.said().iter().map(|message| seen(message)).collect();
    let reacted = stage
        .platform()
        .ledger()
        .marks()
        .any(|(_, mark)| !mark.reactions.is_empty());
    words.extend(reacted.then_some("reaction"));
    words.join(", ")
}

fn quiet(stage: &Stage, what: &str) {
    assert_eq!(
        stage.violations(),
        Vec::<String>::new(),
        "{what}: {:#?}",
        stage.log()
    );
    assert_eq!(stage.findings(), Vec::<String>::new(), "{what}");
    assert!(stage.blobs().is_empty(), "{what}: blobs stay behind");
}

#[test]
fn the_readme_shows_this_table() {
    let mut table = String::from(
        "| the bot sends | C2C | group | guild channel | guild DM |\n|---|---|---|---|---|\n",
    );
    let cell = |cell: &str| match cell.split_once(": ") {
        Some(("words", reason)) => format!("as text: {reason}"),
        Some(("nothing", reason)) => format!("not sent: {reason}"),
        _ => cell.to_owned(),
    };
    for out in OUT {
        let cells: Vec<String> = out.cells.iter().map(|text| cell(text)).collect();
        let _ = writeln!(table, "| {} | {} |", out.what, cells.join(" | "));
    }
    let extra = [
        ("typing notice", ["yes", "-", "-", "-"]),
        ("growing text", ["yes", "-", "-", "-"]),
        ("quote, mention, recall", ["yes"; 4]),
    ];
    for (what, cells) in extra {
        let _ = writeln!(table, "| {what} | {} |", cells.join(" | "));
    }
    table.push_str(
        "\n| the agent gets | C2C | group | guild channel | guild DM |\n|---|---|---|---|---|\n",
    );
    for row in IN {
        let yes = |cell: &&str| {
            if **cell == *NOT_HERE {
                "QQ has none"
            } else {
                "yes"
            }
        };
        let cells: Vec<&str> = row.cells.iter().map(yes).collect();
        let _ = writeln!(table, "| {} | {} |", row.what, cells.join(" | "));
    }
    let extra = [
        ("quote, with its text", ["yes", "yes", "yes", "yes"]),
        ("press of a button", ["yes", "yes", "yes", "yes"]),
        ("reaction to the bot's message", ["-", "-", "yes", "-"]),
        ("the bot was added", ["yes", "yes", "counted", "-"]),
    ];
    for (what, cells) in extra {
        let _ = writeln!(table, "| {what} | {} |", cells.join(" | "));
    }
    readme::check("features", &table);
}
