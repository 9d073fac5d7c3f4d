//! What the bot sends, and what a person sees of it.

use super::*;

/// What a person sees of something that the bot sends, in each scene.
pub(super) struct Out {
    pub(super) what: &'static str,
    /// In the order of [`SCENES`]: a word of [`seen`], and `words: reason` where it goes as text instead.
    pub(super) cells: [&'static str; 4],
    pub(super) parts: fn(&mut Blobs) -> Vec<AnswerPart>,
}

const GUILD_ONLY: &str = "words: QQ shows cards in guilds only";
const NO_FILES: &str = "words: guilds take pictures only";
const NO_REACTIONS: &str = "nothing: reactions exist in guild channels only";

pub(super) const OUT: &[Out] = &[
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
