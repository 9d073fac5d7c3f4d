//! What a person does, and what the agent gets of it.

use super::*;

/// What the agent gets of something that a person does.
pub(super) struct In {
    pub(super) what: &'static str,
    pub(super) cells: [&'static str; 4],
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

pub(super) const NOT_HERE: &str = "-";

pub(super) const IN: &[In] = &[
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
