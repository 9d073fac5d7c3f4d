//! Keys that are numbers: each at its default, at another value, and out of range.

use harness::sim::{Blobs, Mind, Stage, says};
use prx_host::bindings::v0_1::{
    AnswerPart, MediaKind, MediaPart, MediaSource, OperatorCommand, OperatorSend, TurnBegin,
    TurnNews,
};
use qq_emulator::actions::{Act, Attachment, Draft};
use qq_emulator::record::What;
use qq_emulator::settings::Proactive;

use super::{answers, ask, paths, quiet, ranges, rules, said, shown, stage, stage_of, writes};

/// So many characters of an answer that can be split at each sentence.
fn long(characters: usize) -> String {
    let sentence = "A sentence of some answer. ";
    sentence.repeat(characters / sentence.len())
}

#[test]
pub(super) fn message_chars_split_an_answer() {
    for (line, most, pieces) in [
        ("", 2048, 3),
        ("message_chars = 1000", 1000, 6),
        ("message_chars = 5000", 5000, 2),
    ] {
        // Ten replies, so that it is the length that splits.
        let lines = format!("{line}\nreplies_c2c = 10");
        let mut rules = rules();
        rules.messages.c2c_slots = 10;
        let mut stage = stage_of(&lines, rules, answers(&long(5_500)));
        stage.act(Act::c2c("ann", "go"));
        let said = said(&stage);
        let longest = said.iter().map(|text| text.chars().count()).max().unwrap();
        assert!(longest <= most && longest > most / 2, "{line}: {longest}");
        assert_eq!(said.len(), pieces, "{line}");
        assert_eq!(said.join(" "), long(5_500).trim(), "{line}");
        quiet(&stage);
    }
    ranges("message_chars", 200, 5000);
}

/// An answer that is too long is as many messages as this many replies pay for, and no more.
fn replies(key: &str, default: usize, most: i64, act: fn() -> Act, ending: &str) {
    for (line, count) in [
        (String::new(), default),
        (format!("{key} = {default}"), default),
        (format!("{key} = 2"), 2),
        (format!("{key} = 1"), 1),
    ] {
        let mut stage = stage_of(&line, rules(), answers(&long(30_000)));
        stage.act(act());
        let mut wanted = vec!["text"; count - 1];
        wanted.push(ending);
        assert_eq!(shown(&stage), wanted.join(", "), "{line}");
        quiet(&stage);
    }
    ranges(key, 1, most);
}

#[test]
pub(super) fn replies_c2c_end_a_private_answer() {
    replies("replies_c2c", 4, 10, || Act::c2c("ann", "go"), "file");
}

#[test]
pub(super) fn replies_group_end_a_group_answer() {
    let act = || Act::group_at("room", "ann", "go");
    replies("replies_group", 5, 10, act, "file");
}

#[test]
pub(super) fn replies_guild_end_a_guild_answer() {
    let act = || Act::channel_at("guild", "talk", "ann", "go");
    replies("replies_guild", 5, 20, act, "text");
    let act = || Act::dm("guild", "ann", "go");
    replies("replies_guild", 5, 20, act, "text");
}

#[test]
pub(super) fn queue_is_how_many_messages_may_wait() {
    for (line, waiting) in [("", 20), ("queue = 20", 20), ("queue = 1", 1)] {
        let mind: Mind = Box::new(|begin: &TurnBegin, _: &mut Blobs| {
            let answer = vec![AnswerPart::Text(format!("echo: {}", begin.message.text))];
            vec![(5_000, TurnNews::Finished(answer))]
        });
        let mut stage = stage_of(line, rules(), mind);
        let mut sent = Vec::new();
        for number in 0..25 {
            let act = Act::c2c("ann", &format!("message {number}"));
            sent.push(stage.begin(act).message_id.unwrap());
            // One after the other, so that they come in their order.
            stage.pass(100);
        }
        // Somebody else has a queue of their own.
        let bob = stage.begin(Act::c2c("bob", "me too")).message_id.unwrap();
        stage.pass(10 * 60_000);
        assert_eq!(stage.texts(&bob), ["echo: me too"], "{line}");
        let mut answers = (0, 0);
        for (number, id) in sent.iter().enumerate() {
            let texts = stage.texts(id);
            match texts.as_slice() {
                [] => {}
                [text] if *text == format!("echo: message {number}") => answers.0 += 1,
                [text] => {
                    assert!(text.contains("排队"), "{text}");
                    answers.1 += 1;
                }
                _ => panic!("{line}: {number}: {texts:?}"),
            }
        }
        // The one that is being answered does not wait. Who is refused many times in a row is told once.
        assert_eq!(answers, (waiting + 1, (24 - waiting).min(1)), "{line}");
        quiet(&stage);
    }
    ranges("queue", 1, 200);
}

#[test]
pub(super) fn stream_interval_ms_is_how_fast_a_text_grows() {
    for (line, interval) in [
        ("", 500),
        ("stream_interval_ms = 500", 500),
        ("stream_interval_ms = 3000", 3_000),
    ] {
        let lines = format!("{line}\nstream_mode = \"stream\"");
        let mut stage = stage_of(&lines, rules(), writes(60, 200));
        stage.act(Act::c2c("ann", "go"));
        let entries = stage.platform().record().entries();
        let grown = entries.filter(|entry| matches!(entry.what, What::Stream { done: false, .. }));
        let count = grown.count();
        // Twelve seconds of writing; a request that is slow may make it fewer pieces.
        let most = 12_000 / interval + 2;
        assert!((most / 3..=most).contains(&count), "{line}: {count}");
        assert_eq!(shown(&stage), "stream", "{line}");
        assert!(said(&stage)[0].ends_with("This is sentence 59."));
        quiet(&stage);
    }
    ranges("stream_interval_ms", 300, 10_000);
}

/// An agent that sends a picture of so many bytes.
fn paints(bytes: usize) -> Mind {
    Box::new(move |_: &TurnBegin, blobs: &mut Blobs| {
        let mut picture = b"\x89PNG\r\n\x1a\n".to_vec();
        picture.resize(bytes, 7);
        let info = blobs.own("cat.png", "image/png", picture);
        let part = MediaPart {
            kind: MediaKind::Image,
            source: MediaSource::Blob(info),
            caption: None,
        };
        vec![(10, TurnNews::Finished(vec![AnswerPart::Media(part)]))]
    })
}

/// What the agent is told of a file of this size that somebody sends, where there are no bytes of it.
fn missing(line: &str, size: u64) -> String {
    let mut stage = stage(line);
    let attachment = Attachment {
        content_type: "image/png".into(),
        filename: "big.png".into(),
        url: "https://multimedia.nt.qq.com.cn/gone/big.png".into(),
        size,
        ..Attachment::default()
    };
    let message = Draft {
        attachments: vec![attachment],
        ..Draft::from("look")
    };
    let user = "ann".into();
    assert_eq!(ask(&mut stage, Act::C2c { user, message }).len(), 1);
    quiet(&stage);
    let attached = &stage.begun()[0].message.attachments[0];
    assert_eq!(attached.name.as_deref(), Some("big.png"));
    attached.missing.clone().unwrap_or_default()
}

#[test]
pub(super) fn media_mb_bounds_files_in_and_out() {
    for (line, bound) in [("", 20), ("media_mb = 20", 20), ("media_mb = 1", 1)] {
        let bound = bound * 1_000_000;
        for (bytes, wanted) in [(bound, "picture"), (bound + 1, "text")] {
            let mut stage = stage_of(line, rules(), paints(bytes));
            stage.act(Act::c2c("ann", "paint"));
            assert_eq!(shown(&stage), wanted, "{line}: {bytes}");
            if wanted == "text" {
                assert!(said(&stage)[0].contains("cat.png"), "{:?}", said(&stage));
            }
            quiet(&stage);
        }
        // The bytes of the small one are gone at the platform, which is another reason.
        let (small, large) = (missing(line, 3), missing(line, bound as u64 + 1));
        let size = format!("{}", bound / 1_000_000);
        assert!(large.contains(&size) && large != small, "{line}: {large}");
        assert!(small.contains("status"), "{line}: {small}");
    }
    ranges("media_mb", 1, 200);
}

#[test]
pub(super) fn upload_chunk_mb_is_where_pieces_begin() {
    for (line, bytes, in_pieces) in [
        ("", 5_000_000, false),
        ("", 5_000_001, true),
        ("upload_chunk_mb = 5", 5_000_001, true),
        ("upload_chunk_mb = 1", 1_000_000, false),
        ("upload_chunk_mb = 1", 1_000_001, true),
        ("upload_chunk_mb = 10", 5_000_001, false),
    ] {
        for act in [
            Act::c2c("ann", "paint"),
            Act::group_at("room", "ann", "paint"),
        ] {
            let mut stage = stage_of(line, rules(), paints(bytes));
            stage.act(act);
            assert_eq!(shown(&stage), "picture", "{line}: {:#?}", stage.log());
            let paths = paths(&stage);
            let prepared = paths.iter().any(|path| path.ends_with("/upload_prepare"));
            assert_eq!(prepared, in_pieces, "{line}: {bytes}");
            quiet(&stage);
        }
    }
    ranges("upload_chunk_mb", 1, 200);
}

/// Seconds between the first message of the bot and the last.
fn lasted(stage: &Stage) -> u64 {
    let said = stage.said();
    let at = |index: usize| said[index].at.0;
    (at(said.len() - 1) - at(0)) / 1_000
}

/// Seconds that a hundred people in these channels of one guild wait for their answers.
fn crowd(lines: &str, channels: &[&str]) -> u64 {
    let mut stage = stage(lines);
    for number in 0..100 {
        let channel = channels[number % channels.len()];
        let name = format!("user{number}");
        stage.begin(Act::channel_at("guild", channel, &name, "hi"));
    }
    stage.pass(4 * 60_000);
    assert_eq!(said(&stage), vec!["echo: hi"; 100], "{lines}");
    quiet(&stage);
    lasted(&stage)
}

#[test]
pub(super) fn channel_per_second_paces_a_channel() {
    // The guild's own pace is out of the way.
    for (line, seconds) in [
        ("", 18..25),
        ("channel_per_second = 5", 18..25),
        ("channel_per_second = 1", 97..105),
        ("channel_per_second = 100", 0..12),
    ] {
        let lines = format!("{line}\nguild_per_second = 100");
        let lasted = crowd(&lines, &["talk"]);
        assert!(seconds.contains(&lasted), "{line}: {lasted}");
    }
    ranges("channel_per_second", 1, 100);
}

#[test]
pub(super) fn guild_per_second_paces_a_guild() {
    // Two channels, each of which may have all of it.
    for (line, seconds) in [
        ("", 18..25),
        ("guild_per_second = 5", 18..25),
        ("guild_per_second = 1", 97..105),
        ("guild_per_second = 100", 0..12),
    ] {
        let lines = format!("{line}\nchannel_per_second = 100");
        let lasted = crowd(&lines, &["talk", "news"]);
        assert!(seconds.contains(&lasted), "{line}: {lasted}");
    }
    ranges("guild_per_second", 1, 100);
}

#[test]
pub(super) fn dm_per_second_paces_a_session() {
    for (line, seconds) in [
        ("", 9..17),
        ("dm_per_second = 2", 9..17),
        ("dm_per_second = 1", 19..27),
        ("dm_per_second = 100", 0..9),
    ] {
        // One answer in twenty messages.
        let lines = format!("{line}\nreplies_guild = 20\nmessage_chars = 200");
        let mut stage = stage_of(&lines, rules(), answers(&long(20_000)));
        stage.act(Act::dm("guild", "ann", "go"));
        assert_eq!(stage.said().len(), 20, "{line}");
        let lasted = lasted(&stage);
        assert!(seconds.contains(&lasted), "{line}: {lasted}");
        quiet(&stage);
    }
    ranges("dm_per_second", 1, 100);
}

#[test]
pub(super) fn proactive_per_minute_paces_what_nobody_asked_for() {
    for (line, first_minute) in [
        ("", 20),
        ("proactive_per_minute = 20", 20),
        ("proactive_per_minute = 5", 5),
        ("proactive_per_minute = 1000", 25),
    ] {
        let mut rules = rules();
        rules.messages.proactive = Proactive::Allowed;
        let mut stage = stage_of(line, rules, Box::new(|_, _| says("hello".into())));
        let target = stage.act(Act::c2c("ann", "hi")).target.unwrap();
        // Long enough that her message pays for nothing any more.
        stage.pass(2 * 3_600_000);
        for number in 0..25 {
            stage.order(OperatorCommand::Send(OperatorSend {
                target: format!("user:{target}"),
                parts: vec![AnswerPart::Text(format!("news {number}"))],
            }));
        }
        stage.pass(10 * 60_000);
        let said = stage.said();
        assert_eq!(said.len(), 26, "{line}: {:#?}", stage.log());
        let begin = said[1].at.0;
        let soon = said
            .iter()
            .skip(1)
            .filter(|said| said.at.0 < begin + 55_000);
        assert_eq!(soon.count(), first_minute, "{line}");
        quiet(&stage);
    }
    ranges("proactive_per_minute", 1, 1_000);
}
