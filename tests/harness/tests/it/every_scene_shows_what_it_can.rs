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

const SCENES: [&str; 4] = ["C2C", "group", "guild channel", "guild DM"];

/// What a person sees of something that the bot sends, in each scene.
struct Out {
    what: &'static str,
    /// In the order of [`SCENES`]: a word of [`seen`], and `words: reason` where it goes as text instead.
    cells: [&'static str; 4],
    parts: fn(&mut Blobs) -> Vec<AnswerPart>,
}

const GUILD_ONLY: &str = "words: QQ shows cards in guilds only";
const NO_FILES: &str = "words: guilds take pictures only";
const NO_REACTIONS: &str = "nothing: reactions exist in guild channels only";

const OUT: &[Out] = &[
    Out {
        what: "text",
        cells: ["text"; 4],
        parts: |_| text("hello"),
    },
    Out {
        what: "Markdown",
        cells: ["markdown"; 4],
        parts: |_| text("# Title\n\n**bold**"),
    },
    Out {
        what: "buttons",
        cells: ["markdown with buttons"; 4],
        parts: |_| {
            card(
                json!({"type": "buttons", "text": "Deploy?", "rows": [[{"label": "Yes", "callback": "yes"}, {"label": "Docs", "link": "https://qq.com"}]]}),
            )
        },
    },
    Out {
        what: "link list (ark 23)",
        cells: [GUILD_ONLY, GUILD_ONLY, "ark", "ark"],
        parts: |_| {
            card(
                json!({"type": "list", "title": "News", "items": [{"text": "one", "link": "https://qq.com"}]}),
            )
        },
    },
    Out {
        what: "article (ark 24)",
        cells: [GUILD_ONLY, GUILD_ONLY, "ark", "ark"],
        parts: |_| {
            card(
                json!({"type": "article", "title": "T", "text": "x", "image": "https://qq.com/a.png", "link": "https://qq.com", "source": "s"}),
            )
        },
    },
    Out {
        what: "large picture (ark 37)",
        cells: [GUILD_ONLY, GUILD_ONLY, "ark", "ark"],
        parts: |_| {
            card(
                json!({"type": "picture", "title": "T", "subtitle": "s", "image": "https://qq.com/a.png", "link": "https://qq.com"}),
            )
        },
    },
    Out {
        what: "embed",
        cells: [GUILD_ONLY, GUILD_ONLY, "embed", "embed"],
        parts: |_| {
            card(
                json!({"type": "embed", "title": "T", "description": "one\ntwo", "fields": ["three"]}),
            )
        },
    },
    Out {
        what: "picture by address",
        cells: ["picture"; 4],
        parts: |_| {
            media(
                MediaKind::Image,
                MediaSource::Url("https://qq.com/cat.png".into()),
            )
        },
    },
    Out {
        what: "picture",
        cells: ["picture"; 4],
        parts: |blobs| {
            file(
                blobs,
                MediaKind::Image,
                "cat.png",
                "image/png",
                b"\x89PNG\r\n\x1a\n....",
            )
        },
    },
    Out {
        what: "voice",
        cells: ["voice", "voice", NO_FILES, NO_FILES],
        parts: |blobs| {
            file(
                blobs,
                MediaKind::Voice,
                "a.wav",
                "audio/x-wav",
                b"RIFF....WAVEfmt ....",
            )
        },
    },
    Out {
        what: "video",
        cells: ["video", "video", NO_FILES, NO_FILES],
        parts: |blobs| {
            file(
                blobs,
                MediaKind::Video,
                "a.mp4",
                "video/mp4",
                b"\0\0\0\x18ftypmp42....",
            )
        },
    },
    Out {
        what: "file",
        cells: ["file", "file", NO_FILES, NO_FILES],
        parts: |blobs| {
            file(
                blobs,
                MediaKind::Document,
                "a.pdf",
                "application/pdf",
                b"%PDF-1.7 ....",
            )
        },
    },
    Out {
        what: "reaction",
        cells: [NO_REACTIONS, NO_REACTIONS, "reaction", NO_REACTIONS],
        parts: |_| card(json!({"type": "reaction", "emoji": "👍"})),
    },
    Out {
        what: "answer longer than its replies",
        cells: [
            "text, text, text, file",
            "text, text, text, text, file",
            "text, text, text, text, text",
            "text, text, text, text, text",
        ],
        parts: |_| text(&"A sentence of an answer. ".repeat(600)),
    },
];

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
fn every_message_type_is_shown_or_goes_as_words_for_a_reason() {
    for out in OUT {
        for (scene, cell) in out.cells.iter().enumerate() {
            let what = format!("{} in {}", out.what, SCENES[scene]);
            let mut stage = stage(json!({}), out.parts);
            stage.act(says(scene, "go"));
            let expected = match cell.split_once(':') {
                Some(("words", _)) => "text",
                Some(("nothing", _)) => "",
                _ => cell,
            };
            assert_eq!(shown(&stage), expected, "{what}: {:#?}", stage.log());
            if cell.starts_with("words") || cell.starts_with("nothing") {
                let detail = stage.outcomes().last().unwrap().detail.clone();
                assert!(
                    cell.starts_with("nothing") || detail.contains("Note:"),
                    "{what}: the agent is told: {detail}"
                );
            }
            quiet(&stage, &what);
        }
    }
}

#[test]
fn quotes_mentions_and_labels_go_with_the_first_message() {
    for (scene, name) in SCENES.iter().enumerate() {
        let keys = json!({"quote_replies": "always", "mention_sender": true, "ai_notice": "always", "language": "en"});
        let mut stage = stage(keys, |_| text("hello"));
        let id = stage.act(says(scene, "go")).message_id.unwrap();
        let said = stage.said();
        let message = said.first().unwrap();
        assert!(
            message.text.contains("[Written by AI]") && message.text.ends_with("hello"),
            "{}",
            message.text
        );
        let mentions = message.text.contains("<qqbot-at-user") || message.text.contains("<@!");
        assert_eq!(mentions, scene == 1 || scene == 2, "{}", message.text);
        let quote = message.quote.clone().unwrap();
        assert_eq!(quote.starts_with("REFIDX_"), scene < 2, "{quote}");
        assert_eq!(quote == id.as_str(), scene >= 2, "{quote}");
        quiet(&stage, name);
    }
}

#[test]
fn the_last_message_is_taken_back_where_the_agent_asks_for_it() {
    for (scene, name) in SCENES.iter().enumerate() {
        let mut stage = stage_of(
            json!({}),
            Box::new(|begin, _| {
                let undo = begin.message.text == "undo";
                let said = if undo {
                    card(json!({"type": "recall"}))
                } else {
                    text("hello")
                };
                vec![(10, TurnNews::Finished(said))]
            }),
        );
        stage.act(says(scene, "go"));
        stage.act(says(scene, "undo"));
        let said = stage.said();
        let mark = stage.platform().ledger().mark(&said.first().unwrap().id);
        assert!(
            mark.is_some_and(|mark| mark.recalled.is_some()),
            "{name}: {:#?}",
            stage.log()
        );
        quiet(&stage, name);
    }
}

#[test]
fn a_typing_notice_and_a_growing_text_exist_in_private_chats_only() {
    for (scene, name) in SCENES.iter().enumerate() {
        let typing = {
            let mut stage = stage(json!({"stream_mode": "typing"}), |_| text("hello"));
            stage.act(says(scene, "go"));
            quiet(&stage, name);
            shown(&stage)
        };
        assert_eq!(
            typing,
            if scene == 0 { "typing, text" } else { "text" },
            "{}",
            name
        );
        let mut stage = growing();
        stage.act(says(scene, "go"));
        let forms: Vec<&str> = stage.said().iter().map(|message| seen(message)).collect();
        assert_eq!(
            forms,
            [if scene == 0 { "stream" } else { "text" }],
            "{}: {:#?}",
            name,
            stage.log()
        );
        assert_eq!(
            stage.said()[0].text.trim(),
            "One sentence. Another one. The end."
        );
        quiet(&stage, name);
    }
}

fn growing() -> Stage {
    let mind = |begin: &TurnBegin, _: &mut Blobs| {
        let mut news = Vec::new();
        if begin.shows.streaming {
            for (after_ms, delta) in [
                (0, "One sentence. "),
                (900, "Another one. "),
                (1_800, "The end."),
            ] {
                news.push((after_ms, TurnNews::Delta(delta.to_owned())));
            }
        }
        news.push((
            4_000,
            TurnNews::Finished(text("One sentence. Another one. The end.")),
        ));
        news
    };
    stage_of(json!({"stream_mode": "stream"}), Box::new(mind))
}

#[test]
fn the_operator_writes_first_where_the_platform_lets_the_bot() {
    for scene in 0..4 {
        let mut stage = stage(json!({}), |_| text("hello"));
        let target = stage.act(says(scene, "go")).target.unwrap();
        let word = ["user", "group", "channel", "dm"][scene];
        // Within the window the last message pays. Long after it nobody does, and it is for the platform to say:
        // guilds take some, a private chat takes one recall message, and a group's owner has not allowed any.
        for (wait_ms, fine) in [(0, true), (2 * 3_600_000, scene != 1)] {
            stage.pass(wait_ms);
            stage.ask(OperatorCommand::Send(OperatorSend {
                target: format!("{word}:{target}"),
                parts: text("news"),
            }));
            let reply = stage.replies().last().unwrap().clone();
            let summary = reply.summary.unwrap();
            assert_eq!(
                summary.contains("accepted the answer"),
                fine,
                "{word} after {wait_ms}: {summary} {:#?}",
                stage.log()
            );
        }
        assert_eq!(stage.findings(), Vec::<String>::new());
    }
}

/// What the agent gets of something that a person does.
struct In {
    what: &'static str,
    cells: [&'static str; 4],
    act: fn(usize) -> Draft,
}

fn attached(content_type: &str, name: &str) -> Draft {
    Draft {
        attachments: vec![Attachment {
            content_type: content_type.into(),
            filename: name.into(),
            url: format!("https://multimedia.nt.qq.com.cn/gone/{name}"),
            size: 3,
            asr_refer_text: (content_type == "voice").then(|| "turn on the light".to_owned()),
            ..Attachment::default()
        }],
        ..Draft::default()
    }
}

const NOT_HERE: &str = "-";

const IN: &[In] = &[
    In {
        what: "text",
        cells: ["hello"; 4],
        act: |_| "hello".into(),
    },
    In {
        what: "picture",
        cells: ["[Image a.jpg]"; 4],
        act: |_| attached("image/jpeg", "a.jpg"),
    },
    In {
        what: "voice, with QQ's transcript",
        cells: ["[Voice a.amr: turn on the light]"; 4],
        act: |_| attached("voice", "a.amr"),
    },
    In {
        what: "video",
        cells: ["[Video a.mp4]"; 4],
        act: |_| attached("video/mp4", "a.mp4"),
    },
    In {
        what: "file",
        cells: ["[Document a.pdf]"; 4],
        act: |_| attached("file", "a.pdf"),
    },
    In {
        what: "face",
        cells: ["[呲牙]", "[呲牙]", "[得意]", "[得意]"],
        act: |scene| {
            if scene < 2 {
                r#"<faceType=1,faceId="13",ext="eyJ0ZXh0Ijoi5ZGy54mZIn0=">"#
            } else {
                "<emoji:4>"
            }
            .into()
        },
    },
    In {
        what: "forwarded messages",
        cells: ["has one, has two", "has one, has two", NOT_HERE, NOT_HERE],
        act: |_| Draft {
            forward: vec!["one".into(), "two".into()],
            ..Draft::default()
        },
    },
    In {
        what: "card",
        cells: [
            "has People's Square",
            "has People's Square",
            NOT_HERE,
            NOT_HERE,
        ],
        act: |_| Draft {
            ark: Some(
                json!({"ark_type": "map", "ark_name": "位置卡片", "prompt": "[位置]People's Square", "fields": {"address": "x", "desc": "People's Square"}}),
            ),
            ..Draft::default()
        },
    },
];

fn received(begin: &TurnBegin) -> String {
    let mut text = begin.message.text.clone();
    for attached in &begin.message.attachments {
        let name = attached.name.clone().unwrap_or_default();
        let heard = attached
            .transcript
            .as_ref()
            .map(|heard| format!(": {heard}"))
            .unwrap_or_default();
        let kind = format!("{:?}", attached.kind);
        let kind = kind.rsplit("::").next().unwrap();
        let _ = write!(text, "[{kind} {name}{heard}]");
    }
    text
}

#[test]
fn every_kind_of_message_reaches_the_agent_as_what_it_is() {
    for row in IN {
        for (scene, cell) in row.cells.iter().enumerate() {
            if *cell == NOT_HERE {
                continue;
            }
            let what = format!("{} in {}", row.what, SCENES[scene]);
            let mut stage = stage(json!({}), |_| text("hello"));
            stage.act(says(scene, (row.act)(scene)));
            let begun: Vec<String> = stage.begun().iter().map(received).collect();
            assert_eq!(begun.len(), 1, "{what}: {:#?}", stage.log());
            match cell.strip_prefix("has ") {
                Some(parts) => {
                    for part in parts.split(", has ") {
                        assert!(begun[0].contains(part), "{what}: {}", begun[0]);
                    }
                }
                None => assert_eq!(begun[0], *cell, "{what}"),
            }
            quiet(&stage, &what);
        }
    }
}

#[test]
fn presses_reactions_and_newcomers_are_turns_that_are_answered_by_their_event() {
    // A press.
    for (scene, name) in SCENES.iter().enumerate() {
        let mut stage = stage(json!({}), OUT[2].parts);
        stage.act(says(scene, "go"));
        stage.act(Act::Press {
            user: "ann".into(),
            message_id: None,
            button: "Yes".into(),
        });
        let begin = stage.begun().last().unwrap();
        assert_eq!(
            (begin.message.occasion, begin.message.text.as_str()),
            (Occasion::Press, "yes")
        );
        assert_eq!(
            shown(&stage),
            "markdown with buttons, text",
            "{name}: {:#?}",
            stage.log()
        );
        quiet(&stage, name);
    }
    // A reaction to the bot's own message, in a channel.
    let mut reacted = stage(json!({}), |_| text("hello"));
    reacted.act(says(2, "go"));
    reacted.act(Act::React {
        user: "ann".into(),
        message_id: None,
        emoji: Emoji {
            kind: 2,
            id: "128077".into(),
        },
        remove: false,
    });
    let begin = reacted.begun().last().unwrap();
    assert_eq!(
        (begin.message.occasion, begin.message.text.as_str()),
        (Occasion::Reaction, "👍")
    );
    assert_eq!(
        begin.message.quoted.as_ref().unwrap().text.as_deref(),
        Some("hello")
    );
    assert_eq!(reacted.said().len(), 2, "{:#?}", reacted.log());
    quiet(&reacted, "a reaction");
    // The bot is added.
    for act in [
        Act::AddToGroup {
            group: "room".into(),
            user: "ann".into(),
        },
        Act::AddFriend { user: "ann".into() },
    ] {
        let mut added = stage(json!({}), |_| text("hello"));
        added.act(act);
        assert_eq!(
            added.begun().last().unwrap().message.occasion,
            Occasion::Notice
        );
        assert_eq!(shown(&added), "text", "{:#?}", added.log());
        quiet(&added, "a newcomer");
    }
}

#[test]
fn a_quote_is_resolved_from_the_event_or_from_what_was_said_lately() {
    for (scene, name) in SCENES.iter().enumerate() {
        let mut stage = stage(json!({}), |_| text("the answer"));
        stage.act(says(scene, "go"));
        let said = stage.said();
        let own = said.first().unwrap();
        let quote = Draft {
            reply: (scene >= 2).then(|| own.id.clone()),
            quote: (scene < 2).then(|| own.index.clone()),
            ..Draft::from("why?")
        };
        stage.act(says(scene, quote));
        let quoted = stage.begun().last().unwrap().message.quoted.clone();
        let quoted = quoted.unwrap_or_else(|| panic!("{}: no quote", name));
        assert_eq!(
            (quoted.text.as_deref(), quoted.by_bot),
            (Some("the answer"), true),
            "{}",
            name
        );
    }
}

#[test]
fn what_was_said_before_a_mention_is_context_and_each_of_it_once() {
    let mut stage = stage(json!({}), |_| text("hello"));
    stage.act(says(1, "first"));
    let mode = GroupMode::MentionAndContext;
    stage.act(Act::SetGroupMode {
        group: "room".into(),
        mode,
    });
    for aside in ["it rains", "it pours"] {
        stage.act(Act::group_plain("room", "bob", aside));
    }
    stage.act(says(1, "what did bob say?"));
    stage.act(Act::group_plain("room", "bob", "the sun is out"));
    stage.act(says(1, "and now?"));
    assert_eq!(
        stage.overheard(),
        ["it rains", "it pours", "the sun is out"],
        "{:#?}",
        stage.log()
    );
    quiet(&stage, "context");
}

#[test]
fn a_message_that_is_taken_back_before_it_is_answered_is_not_answered() {
    let mut stage = stage(json!({}), |_| text("hello"));
    let id = stage.begin(says(2, "go")).message_id.unwrap();
    stage.begin(Act::DeleteMessage {
        user: "ann".into(),
        message_id: id,
    });
    stage.pass(60_000);
    assert_eq!(shown(&stage), "", "{:#?}", stage.log());
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
