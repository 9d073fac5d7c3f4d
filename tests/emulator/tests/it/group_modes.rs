//! What the bot hears of a group, and the shapes in which it hears it.

use qq_emulator::actions::{Act, Attachment, Draft};
use qq_emulator::settings::{AtInFullMode, BodyShape, GroupMode, MemberIds};
use qq_emulator::time::TimestampForm;
use serde_json::{Value, json};

use crate::support::{Bench, INTENTS, contents, names};

fn heard(bench: &mut Bench, acts: Vec<Act>) -> Vec<Value> {
    let (conn, _) = bench.login();
    bench.frames(conn);
    for act in acts {
        bench.act(act);
    }
    bench.frames(conn)
}

#[test]
fn by_default_only_mentions_are_heard_with_a_leading_space() {
    let acts = vec![
        Act::group_plain("g", "bob", "aside"),
        Act::group_at("g", "bob", "/help"),
    ];
    let frames = heard(&mut Bench::new(), acts);
    assert_eq!(names(&frames), ["GROUP_AT_MESSAGE_CREATE"]);
    assert_eq!(contents(&frames), [" /help"]);
    assert_eq!(frames[0]["d"]["group_openid"], frames[0]["d"]["group_id"]);
}

#[test]
fn in_full_mode_everything_is_heard_and_mentions_are_marked() {
    let acts = vec![
        Act::group_plain("g", "bob", "aside"),
        Act::group_at("g", "bob", "you"),
    ];
    let frames = heard(
        &mut Bench::with(|bot| bot.events.group_mode = GroupMode::All),
        acts,
    );
    assert_eq!(
        names(&frames),
        ["GROUP_MESSAGE_CREATE", "GROUP_MESSAGE_CREATE"]
    );
    assert_eq!(frames[0]["d"]["mentions"], json!([]));
    let mention = &frames[1]["d"]["mentions"][0];
    assert_eq!(mention["is_you"], true);
    let tag = format!("<@{}> you", mention["member_openid"].as_str().unwrap());
    assert_eq!(frames[1]["d"]["content"], tag);
}

#[test]
fn full_mode_may_leave_out_the_tag_as_documented() {
    let mut bench = Bench::with(|bot| {
        bot.events.group_mode = GroupMode::All;
        bot.events.full_mode_keeps_tags = false;
    });
    let frames = heard(&mut bench, vec![Act::group_at("g", "bob", "you")]);
    assert_eq!(contents(&frames), [" you"]);
    assert_eq!(frames[0]["d"]["mentions"][0]["bot"], true);
}

#[test]
fn in_full_mode_a_mention_may_come_as_two_events_with_one_message_id() {
    let mut bench = Bench::with(|bot| {
        bot.events.group_mode = GroupMode::All;
        bot.events.at_in_full_mode = AtInFullMode::Both;
    });
    let frames = heard(&mut bench, vec![Act::group_at("g", "bob", "you")]);
    assert_eq!(
        names(&frames),
        ["GROUP_AT_MESSAGE_CREATE", "GROUP_MESSAGE_CREATE"]
    );
    assert_eq!(frames[0]["d"]["id"], frames[1]["d"]["id"]);
    assert_ne!(frames[0]["id"], frames[1]["id"]);
}

#[test]
fn with_context_a_mention_brings_what_was_said_before() {
    let mode = Act::SetGroupMode {
        group: "g".into(),
        mode: GroupMode::MentionAndContext,
    };
    let acts = vec![
        mode,
        Act::group_plain("g", "eve", "earlier"),
        Act::group_at("g", "bob", "well?"),
    ];
    let frames = heard(&mut Bench::new(), acts);
    assert_eq!(frames.len(), 1);
    assert_eq!(frames[0]["d"]["msg_elements"][0]["content"], "earlier");
}

#[test]
fn the_old_shape_has_only_what_was_there_in_2025() {
    let mut bench = Bench::with(|bot| bot.events.shape = BodyShape::Minimal);
    let frames = heard(
        &mut bench,
        vec![Act::c2c("alice", "123"), Act::group_at("g", "b", "x")],
    );
    let keys: Vec<&String> = frames[0]["d"].as_object().unwrap().keys().collect();
    assert_eq!(keys, ["author", "content", "id", "timestamp"]);
    assert_eq!(frames[0]["d"]["author"].as_object().unwrap().len(), 1);
    assert!(frames[1]["d"]["author"]["member_openid"].is_string());
}

#[test]
fn a_message_can_have_its_own_shape_timestamp_and_attachments() {
    let picture = Attachment {
        content_type: "image/jpeg".to_owned(),
        url: "//multimedia.nt.qq.com.cn/x".to_owned(),
        ..Attachment::default()
    };
    let message = Draft {
        shape: Some(BodyShape::Minimal),
        timestamp: Some(TimestampForm::Go),
        attachments: vec![picture],
        ..Draft::from("")
    };
    let frames = heard(
        &mut Bench::new(),
        vec![Act::C2c {
            user: "alice".into(),
            message,
        }],
    );
    let d = &frames[0]["d"];
    assert!(d["timestamp"].as_str().unwrap().contains("CST m=+"));
    assert_eq!(d["attachments"][0]["url"], "//multimedia.nt.qq.com.cn/x");
    assert!(d.get("message_type").is_none());
}

#[test]
fn a_quote_brings_the_quoted_text() {
    let mut bench = Bench::new();
    let frames = heard(&mut bench, vec![Act::c2c("alice", "first")]);
    let index = frames[0]["d"]["message_scene"]["ext"][0].as_str().unwrap();
    let index = index.strip_prefix("msg_idx=").unwrap();
    let message = Draft {
        quote: Some(index.into()),
        ..Draft::from("second")
    };
    let frames = heard(
        &mut bench,
        vec![Act::C2c {
            user: "alice".into(),
            message,
        }],
    );
    assert_eq!(frames[0]["d"]["message_type"], 103);
    assert_eq!(frames[0]["d"]["msg_elements"][0]["content"], "first");
}

#[test]
fn member_ids_can_equal_user_ids() {
    for (rule, equal) in [(MemberIds::SameAsUser, true), (MemberIds::PerGroup, false)] {
        let mut bench = Bench::with(|bot| bot.events.member_ids = rule);
        let user = bench.act(Act::c2c("bob", "x")).author;
        let member = bench.act(Act::group_at("g", "bob", "x")).author;
        assert_eq!(user == member, equal);
    }
}

#[test]
fn without_the_intent_nothing_is_heard_and_withdrawn_rights_stop_events() {
    let mut bench = Bench::new();
    let conn = bench.identify(1 << 30);
    bench.frames(conn);
    assert_eq!(bench.act(Act::c2c("alice", "x")).sessions, 0);
    assert!(bench.frames(conn).is_empty());
    let conn = bench.identify(INTENTS);
    bench.frames(conn);
    let app = bench.platform.default_app().cloned().unwrap();
    bench.platform.bot_settings_mut(&app).unwrap().intents.0 = 1 << 30;
    bench.act(Act::c2c("alice", "x"));
    assert!(bench.frames(conn).is_empty());
    assert_eq!(bench.end(conn), None);
}
