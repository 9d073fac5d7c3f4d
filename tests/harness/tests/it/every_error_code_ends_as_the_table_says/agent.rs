//! The world of the cases: what the agent says when it is asked for something, and a platform that refuses nothing by
//! itself.

use std::sync::Arc;

use harness::native::NativeComponent;
use harness::sim::{Blobs, News, Setup, Stage, bot, says};
use prx_host::bindings::v0_1 as host;
use qq_emulator::settings::{BotSettings, Proactive};
use serde_json::{Value, json};

/// What the agent says where nothing else is asked for: long enough to be cut in two, and nothing but words.
pub(super) const WORDS: &str = "The ferry to the island leaves at seven in the morning and comes back at six. \
     Take warm clothes with you, because the wind is strong out there in spring. \
     There is one inn, and it has rooms for nine people; ask for the one under the roof. \
     The path to the lighthouse takes two hours, and nobody sells water on the way. \
     Whoever misses the last boat stays until the next day.";
/// A text with a link in it.
pub(super) const LINKED: &str = "Read [the manual](https://example.com/manual) first.";
/// A text with markup in it, and what is left without.
pub(super) const MARKED: (&str, &str) = ("Take the **last** boat.", "Take the last boat.");
/// The text above the buttons, and the buttons as text.
pub(super) const ABOVE: &str = "Take the last boat?";
pub(super) const BUTTONS: &str = "1. Yes\n2. No";
/// The text shown with a picture, and what stands for the picture where it cannot be shown.
pub(super) const CAPTION: &str = "The lighthouse";
pub(super) const NAMED: &str = "The lighthouse\n[tower.png]";
/// A card, as the emulator shows it and as text; an embed, as both.
pub(super) const ARK: (&str, &str) = ("[ark 23] Boats", "Boats\n• the early one\n• the late one");
pub(super) const EMBED: &str = "Boats\nearly: seven\nlate: six";
/// The beginning of a text that grows, and all of it.
pub(super) const GROWING: (&str, &str) = ("One boat", "One boat leaves at seven.");

fn card(json: &Value) -> News {
    let parts = vec![host::AnswerPart::Card(json.to_string())];
    vec![(10, host::TurnNews::Finished(parts))]
}

/// A text, and a message of its own after it.
fn card_after(text: &str) -> News {
    let buttons = json!({"type": "buttons", "text": ABOVE,
        "rows": [[{"label": "Yes", "callback": "yes"}, {"label": "No", "callback": "no"}]]});
    let parts = vec![
        host::AnswerPart::Text(text.to_owned()),
        host::AnswerPart::Card(buttons.to_string()),
    ];
    vec![(10, host::TurnNews::Finished(parts))]
}

fn mind(begin: &host::TurnBegin, blobs: &mut Blobs) -> News {
    let delta = |text: &str| host::TurnNews::Delta(text.to_owned());
    match begin.message.text.split_whitespace().next_back() {
        Some("linked") => says(LINKED.to_owned()),
        Some("marked") => says(MARKED.0.to_owned()),
        Some("everyone") => says(format!("@everyone {WORDS}")),
        Some("two") => card_after(WORDS),
        Some("buttons") => card(&json!({"type": "buttons", "text": ABOVE,
            "rows": [[{"label": "Yes", "callback": "yes"}, {"label": "No", "callback": "no"}]]})),
        Some("picture") => {
            let bytes = b"\x89PNG\r\n\x1a\nnot much of a picture".to_vec();
            let info = blobs.own("tower.png", "image/png", bytes);
            let media = host::MediaPart {
                kind: host::MediaKind::Image,
                source: host::MediaSource::Blob(info),
                caption: Some(CAPTION.to_owned()),
            };
            vec![(
                10,
                host::TurnNews::Finished(vec![host::AnswerPart::Media(media)]),
            )]
        }
        Some("ark") => card(&json!({"type": "list", "title": "Boats",
            "items": [{"text": "the early one"}, {"text": "the late one"}]})),
        Some("embed") => card(&json!({"type": "embed", "title": "Boats",
            "fields": ["early: seven", "late: six"]})),
        Some("growing") => {
            let whole = vec![host::AnswerPart::Text(GROWING.1.to_owned())];
            vec![
                (100, delta(GROWING.0)),
                (20_000, delta(" leaves at")),
                (60_000, host::TurnNews::Finished(whole)),
            ]
        }
        Some("recall") => card(&json!({"type": "recall"})),
        Some("reaction") => card(&json!({"type": "reaction", "face": "76"})),
        _ => says(WORDS.to_owned()),
    }
}

/// A bot that may do everything, so that nothing is refused but what a test refuses.
fn rules() -> BotSettings {
    let mut bot = bot();
    bot.messages.proactive = Proactive::Allowed;
    bot.quotas.wakeup = true;
    bot.grants.guild_markdown = true;
    bot.grants.guild_keyboard = true;
    bot.grants.guild_ark = true;
    bot.grants.at_everyone = true;
    // An audit takes until somebody decides.
    bot.moderation.audit_takes = std::time::Duration::ZERO;
    bot
}

/// A world for refusals.
pub(super) fn stage(keys: &Value) -> Stage {
    let mut table = json!({"language": "en", "intents": [
        "public_guild_messages", "group_and_c2c", "direct_messages", "interaction", "message_audit",
    ]});
    let (Value::Object(table), Value::Object(more)) = (&mut table, keys) else {
        panic!("{keys} is no table")
    };
    table.extend(more.clone());
    let setup = Setup {
        keys: table.clone(),
        bot: rules(),
        mind: Box::new(mind),
    };
    Stage::new(Arc::new(NativeComponent), setup)
}
