//! Keys of an answer: its form, its length, and what stands at its top.

use harness::sim::{Stage, says};
use prx_host::bindings::v0_1::{AnswerPart, TurnNews};
use qq_emulator::actions::Act;

use super::{answers, ask, quiet, refused, rules, said, shown, stage, stage_of};

/// A message to the bot in each scene: private chat, group, guild channel, guild direct message.
fn scenes(text: &str) -> [Act; 4] {
    [
        Act::c2c("ann", text),
        Act::group_at("room", "ann", text),
        Act::channel_at("guild", "talk", "ann", text),
        Act::dm("guild", "ann", text),
    ]
}

#[test]
pub(super) fn markdown_is_tried_insisted_on_or_left() {
    let marked = "# Title\n\n**bold**";
    // Seen with Markdown in the text; then while QQ refuses it; then once QQ grants it again.
    for (line, granted, again) in [
        ("", "markdown", "text"),
        (r#"markdown = "auto""#, "markdown", "text"),
        (r#"markdown = "on""#, "markdown", "markdown"),
        (r#"markdown = "off""#, "text", "text"),
    ] {
        for act in scenes("go") {
            let mut stage = stage_of(line, rules(), answers(marked));
            stage.act(act);
            assert_eq!(shown(&stage), granted, "{line}");
            quiet(&stage);
        }
        let mut stage = stage_of(line, rules(), answers(marked));
        stage.rules().messages.markdown = false;
        let refused = ask(&mut stage, Act::c2c("ann", "go"));
        assert_eq!(refused.len(), 1, "{line}: {refused:?}");
        assert!(!refused[0].contains("**"), "{line}: {refused:?}");
        stage.rules().messages.markdown = true;
        stage.act(Act::c2c("ann", "go"));
        assert_eq!(shown(&stage), format!("text, {again}"), "{line}");
        quiet(&stage);
    }
    refused("markdown", r#""yes""#);
}

#[test]
pub(super) fn long_answers_end_in_a_file_or_are_cut() {
    let long = "A sentence of an answer. ".repeat(600);
    for (line, wanted) in [
        ("", "text, text, text, file"),
        (r#"long_answers = "file""#, "text, text, text, file"),
        (r#"long_answers = "cut""#, "text, text, text, text"),
    ] {
        let mut stage = stage_of(line, rules(), answers(&long));
        stage.act(Act::c2c("ann", "go"));
        assert_eq!(shown(&stage), wanted, "{line}");
        let last = stage.said().pop().unwrap();
        match &last.media {
            Some(file) => assert_eq!(file.size, Some(long.len() as u64), "the whole of it"),
            None => assert!(last.text.contains("后面的内容已省略"), "{}", last.text),
        }
        quiet(&stage);
    }
    refused("long_answers", r#""split""#);
}

#[test]
pub(super) fn ai_notice_is_never_given_once_a_day_or_always() {
    let label = "【本回答由 AI 生成】";
    let labelled = |stage: &mut Stage, act: Act| {
        let answer = ask(stage, act);
        assert_eq!(answer.len(), 1, "it costs no reply");
        assert!(answer[0].ends_with("echo: hi"), "{answer:?}");
        answer[0].contains(label)
    };
    // The first message of a day, the second, and the first of another conversation and of another day.
    for (line, wanted) in [
        ("", [false; 4]),
        (r#"ai_notice = "off""#, [false; 4]),
        (r#"ai_notice = "first""#, [true, false, true, true]),
        (r#"ai_notice = "always""#, [true; 4]),
    ] {
        let mut stage = stage(line);
        let ann = || Act::c2c("ann", "hi");
        let mut labels = vec![labelled(&mut stage, ann()), labelled(&mut stage, ann())];
        labels.push(labelled(&mut stage, Act::c2c("bob", "hi")));
        stage.pass(25 * 3_600_000);
        labels.push(labelled(&mut stage, ann()));
        assert_eq!(labels, wanted, "{line}: {:?}", said(&stage));
        quiet(&stage);
    }
    refused("ai_notice", r#""never""#);
}

#[test]
pub(super) fn quote_replies_nowhere_in_groups_or_everywhere() {
    for (line, wanted) in [
        ("", [false; 4]),
        (r#"quote_replies = "off""#, [false; 4]),
        (r#"quote_replies = "groups""#, [false, true, true, false]),
        (r#"quote_replies = "always""#, [true; 4]),
    ] {
        for (act, quotes) in scenes("hi").into_iter().zip(wanted) {
            let mut stage = stage(line);
            stage.act(act);
            let said = stage.said();
            assert_eq!(said[0].quote.is_some(), quotes, "{line} {:?}", said[0]);
            quiet(&stage);
        }
    }
    refused("quote_replies", r#""private""#);
}

#[test]
pub(super) fn mention_sender_begins_public_answers_with_a_name() {
    for (line, wanted) in [
        ("", [false; 4]),
        ("mention_sender = false", [false; 4]),
        ("mention_sender = true", [false, true, true, false]),
    ] {
        for (act, named) in scenes("hi").into_iter().zip(wanted) {
            let mut stage = stage(line);
            let author = stage.act(act).author.unwrap();
            let text = said(&stage).pop().unwrap();
            assert!(text.ends_with("echo: hi"), "{text}");
            assert_eq!(text.contains(author.as_str()), named, "{line}: {text}");
            assert_eq!(text.starts_with('<'), named, "{line}: {text}");
            quiet(&stage);
        }
    }
    refused("mention_sender", "\"ann\"");
}

#[test]
pub(super) fn mention_others_lets_the_agent_mention_people_who_did_not_ask() {
    for (line, allowed) in [
        ("", false),
        ("mention_others = false", false),
        ("mention_others = true", true),
    ] {
        let mind: harness::sim::Mind = Box::new(|_, _| {
            let text = "ask <@SOMEBODY7>, <@everyone> and @everyone".to_owned();
            vec![(0, TurnNews::Finished(vec![AnswerPart::Text(text)]))]
        });
        let mut stage = stage_of(line, rules(), mind);
        stage.act(Act::group_at("friends", "ann", "whom do I ask?"));
        let said = said(&stage);
        assert!(
            said.iter().any(|text| text.contains("SOMEBODY7")),
            "{said:?}"
        );
        assert_eq!(
            said.iter().any(|text| text.contains("<@SOMEBODY7>")),
            allowed,
            "{line}: {said:?}"
        );
        assert!(
            !said.iter().any(|text| text.contains("<@everyone>")),
            "{said:?}"
        );
        quiet(&stage);
    }
    refused("mention_others", "\"ann\"");
}

#[test]
pub(super) fn typing_costs_reply_or_is_free_and_renewed() {
    // An answer that takes more than two minutes and all the replies that are left.
    let long = || -> harness::sim::Mind {
        Box::new(|_, _| {
            let text = "A sentence of an answer. ".repeat(600);
            let answer = vec![AnswerPart::Text(text)];
            vec![(130_000, TurnNews::Finished(answer))]
        })
    };
    for (line, wanted) in [
        ("", "typing, text, text, file"),
        ("typing_costs_reply = true", "typing, text, text, file"),
        (
            "typing_costs_reply = false",
            "typing, typing, typing, text, text, text, file",
        ),
    ] {
        let mut rules = rules();
        rules.messages.typing_counts = !line.ends_with("false");
        let line = format!("{line}\nstream_mode = \"typing\"");
        let mut stage = stage_of(&line, rules, long());
        stage.begin(Act::c2c("ann", "go"));
        stage.pass(4 * 60_000);
        assert_eq!(shown(&stage), wanted, "{line}: {:#?}", stage.log());
        quiet(&stage);
    }
    // Without notices there is nothing to pay for.
    let mut none = stage_of("typing_costs_reply = true", rules(), long());
    none.begin(Act::c2c("ann", "go"));
    none.pass(4 * 60_000);
    assert_eq!(shown(&none), "text, text, text, file");
    // Once the answer is there the notice is not renewed.
    let free = "typing_costs_reply = false\nstream_mode = \"typing\"";
    let mut quick = stage_of(free, rules(), Box::new(|_, _| says("hello".into())));
    quick.act(Act::c2c("ann", "go"));
    quick.pass(5 * 60_000);
    assert_eq!(shown(&quick), "typing, text");
    refused("typing_costs_reply", "2");
}
