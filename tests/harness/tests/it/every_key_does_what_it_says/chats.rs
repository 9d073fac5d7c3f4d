//! Keys of a chat: what is shown meanwhile, whose turn it is, what counts as said to the bot.

use std::collections::BTreeMap;

use harness::sim::{Mind, Stage, says};
use qq_emulator::actions::{Act, InChannel};

use super::{
    ask, echo, quiet, read, refused, rules, said, shown, stage, stage_of, started, writes,
};

#[test]
pub(super) fn stream_mode_is_what_is_seen_before_the_answer() {
    for (line, wanted) in [
        ("", "text"),
        (r#"stream_mode = "none""#, "text"),
        (r#"stream_mode = "off""#, "text"),
        (r#"stream_mode = "typing""#, "typing, text"),
        (r#"stream_mode = "stream""#, "stream"),
        (r#"stream_mode = "partial""#, "stream"),
    ] {
        let mut private = stage_of(line, rules(), writes(4, 900));
        private.act(Act::c2c("ann", "go"));
        assert_eq!(shown(&private), wanted, "{line}: {:#?}", private.log());
        assert!(
            said(&private)
                .last()
                .unwrap()
                .ends_with("This is sentence 3.")
        );
        quiet(&private);
        let mut public = stage_of(line, rules(), writes(4, 900));
        public.act(Act::group_at("room", "ann", "go"));
        assert_eq!(shown(&public), "text", "{line} in a group");
        quiet(&public);
    }
    let sentence = refused("stream_mode", r#""streem""#);
    assert!(sentence.contains(r#"did you mean "stream"?"#), "{sentence}");
}

#[test]
pub(super) fn interrupt_on_new_message_leaves_the_newest_answer() {
    let slow = || -> Mind {
        Box::new(|begin, _| {
            let text = format!("echo: {}", begin.message.text);
            let said = says(text).into_iter();
            said.map(|(_, news)| (8_000, news)).collect()
        })
    };
    for (line, first) in [
        ("", vec!["echo: one"]),
        ("interrupt_on_new_message = false", vec!["echo: one"]),
        ("interrupt_on_new_message = true", vec![]),
    ] {
        let mut stage = stage_of(line, rules(), slow());
        let one = stage.begin(Act::c2c("ann", "one")).message_id.unwrap();
        stage.pass(4_000);
        let two = ask(&mut stage, Act::c2c("ann", "two"));
        assert_eq!(two, ["echo: two"], "{line}");
        assert_eq!(stage.texts(&one), first, "{line}");
        quiet(&stage);
    }
    refused("interrupt_on_new_message", "1");
}

#[test]
pub(super) fn mention_only_makes_context_of_what_was_not_said_to_the_bot() {
    let plain = || Act::channel_plain("guild", "talk", "ann", "it rains");
    for (line, answers) in [
        ("", vec!["echo: it rains"]),
        ("mention_only = false", vec!["echo: it rains"]),
        ("mention_only = true", vec![]),
    ] {
        let mut stage = stage(line);
        assert_eq!(ask(&mut stage, plain()), answers, "{line}");
        let overheard = if answers.is_empty() {
            vec!["it rains"]
        } else {
            vec![]
        };
        assert_eq!(stage.overheard(), overheard, "{line}");
        let at = Act::channel_at("guild", "talk", "ann", "hi");
        assert_eq!(ask(&mut stage, at), ["echo: hi"], "{line}");
        assert_eq!(
            ask(&mut stage, Act::c2c("ann", "hi")),
            ["echo: hi"],
            "{line}"
        );
        quiet(&stage);
    }
    refused("mention_only", "\"no\"");
}

/// The reactions of the bot to somebody's message in a channel.
fn reacted(mut stage: Stage) -> usize {
    let at = InChannel::new("guild", "talk", "ann");
    let message = "hi".into();
    stage.act(Act::ChannelAt { at, message });
    stage.act(Act::c2c("ann", "hi"));
    assert_eq!(said(&stage), ["echo: hi", "echo: hi"]);
    quiet(&stage);
    let marks = stage.platform().ledger().marks();
    marks.filter(|(_, mark)| !mark.reactions.is_empty()).count()
}

#[test]
pub(super) fn ack_reactions_mark_what_was_received_and_are_inherited() {
    for (above, own, wanted) in [
        ("", "", 0),
        ("", "ack_reactions = false", 0),
        ("", "ack_reactions = true", 1),
        ("true", "", 1),
        ("false", "", 0),
        ("true", "ack_reactions = false", 0),
        ("false", "ack_reactions = true", 1),
    ] {
        let above = match above {
            "" => String::new(),
            value => format!("[channels_config]\nack_reactions = {value}"),
        };
        let keys = read(&above, own, &[]).unwrap();
        let stage = started(keys, rules(), echo());
        assert_eq!(reacted(stage), wanted, "{above:?} {own:?}");
    }
    refused("ack_reactions", "\"on\"");
}

#[test]
pub(super) fn language_is_that_of_the_bots_own_texts() {
    for (line, wanted) in [
        ("", "可以使用的命令"),
        (r#"language = "zh-CN""#, "可以使用的命令"),
        (r#"language = "en""#, "Commands"),
    ] {
        let mut stage = stage(line);
        let help = ask(&mut stage, Act::c2c("ann", "/help"));
        assert!(help[0].contains(wanted), "{line}: {help:?}");
        assert_eq!(ask(&mut stage, Act::c2c("ann", "你好")), ["echo: 你好"]);
        quiet(&stage);
    }
    assert!(refused("language", r#""zh""#).contains("zh-CN"));
}

#[test]
pub(super) fn share_group_history_is_one_history_for_all_of_a_group() {
    let counts = || -> Mind {
        let mut histories: BTreeMap<String, usize> = BTreeMap::new();
        Box::new(move |begin, _| {
            let seen = histories.entry(begin.conversation.clone()).or_default();
            *seen += 1;
            says(format!("I know {seen}"))
        })
    };
    for (line, wanted) in [
        ("", "I know 1"),
        ("share_group_history = false", "I know 1"),
        ("share_group_history = true", "I know 2"),
    ] {
        let mut stage = stage_of(line, rules(), counts());
        for (first, second) in [
            (
                Act::group_at("room", "ann", "one"),
                Act::group_at("room", "bob", "two"),
            ),
            (
                Act::channel_at("guild", "talk", "ann", "one"),
                Act::channel_at("guild", "talk", "bob", "two"),
            ),
        ] {
            assert_eq!(ask(&mut stage, first), ["I know 1"], "{line}");
            assert_eq!(ask(&mut stage, second), [wanted], "{line}");
        }
        for name in ["ann", "bob"] {
            assert_eq!(ask(&mut stage, Act::c2c(name, "x")), ["I know 1"], "{line}");
        }
        quiet(&stage);
    }
    refused("share_group_history", "0");
}
