//! Members, roles, muting, cards and forwarded records in groups and C2C.

use qq_emulator::actions::{Act, Draft, InGroup, Role};
use serde_json::json;

use crate::support::guilds::ALL_PUBLIC;
use crate::support::{Bench, names};

fn at(user: &str) -> InGroup {
    InGroup {
        group: "room".into(),
        user: user.into(),
    }
}

#[test]
fn members_come_and_go_and_a_newcomer_can_be_welcomed() {
    let mut bench = Bench::new();
    let conn = bench.identify(ALL_PUBLIC);
    bench.frames(conn);
    let target = bench.act(Act::JoinGroup(at("carol"))).target.unwrap();
    bench.act(Act::LeaveGroup(at("carol")));
    let frames = bench.frames(conn);
    assert_eq!(names(&frames), ["GROUP_MEMBER_ADD", "GROUP_MEMBER_REMOVE"]);
    assert!(frames[0]["d"]["timestamp"].is_u64());
    let path = format!("/v2/groups/{target}/messages");
    let welcome = json!({"content": "welcome", "event_id": frames[0]["id"]});
    assert_eq!(bench.post_code(&path, &welcome), 0);
}

#[test]
fn only_an_administrator_hears_who_asks_to_join() {
    let mut bench = Bench::new();
    let conn = bench.identify(ALL_PUBLIC);
    let ask = || Act::RequestToJoin {
        at: at("dave"),
        text: "let me in".to_owned(),
    };
    bench.frames(conn);
    assert_eq!(bench.act(ask()).sessions, 0);
    let (group, role) = ("room".into(), Role::Admin);
    bench.act(Act::SetRole {
        group,
        user: None,
        role,
    });
    bench.act(ask());
    let frames = bench.frames(conn);
    assert_eq!(names(&frames), ["GROUP_JOIN_REQUEST"]);
    assert_eq!(frames[0]["d"]["verify_info"]["verify_message"], "let me in");
}

#[test]
fn a_muted_bot_is_told_so_when_it_speaks() {
    let mut bench = Bench::new();
    let (id, path) = bench.asked(Act::group_at("room", "bob", "hi"));
    let mute = |muted| Act::MuteBot {
        group: "room".into(),
        muted,
    };
    bench.act(mute(true));
    assert_eq!(bench.answer(&path, &id, 1), 40_054_002);
    let files = path.replace("/messages", "/files");
    let file = json!({"file_type": 1, "url": "https://x.example/a.png"});
    assert_eq!(bench.post_code(&files, &file), 850_018);
    bench.act(mute(false));
    assert_eq!(bench.answer(&path, &id, 1), 0);
}

#[test]
fn cards_and_forwarded_records_come_as_their_types() {
    let mut bench = Bench::new();
    let (conn, _) = bench.login();
    bench.frames(conn);
    let card = Draft {
        text: "[卡片消息] 位置".to_owned(),
        ark: Some(json!({"ark_type": "map", "prompt": "[位置]"})),
        ..Draft::default()
    };
    let records = Draft {
        forward: vec!["one".to_owned(), "two".to_owned()],
        ..Draft::default()
    };
    for message in [card, records] {
        let user = "alice".into();
        bench.act(Act::C2c { user, message });
    }
    let frames = bench.frames(conn);
    assert_eq!(frames[0]["d"]["message_type"], 3);
    assert_eq!(frames[0]["d"]["ark_data"]["ark_type"], "map");
    assert_eq!(frames[1]["d"]["message_type"], 102);
    let text = frames[1]["d"]["msg_elements"][0]["content"]
        .as_str()
        .unwrap();
    assert!(text.contains("=== 消息 2 ===\n[消息内容] two"));
}

#[test]
fn a_quote_of_the_bots_own_message_carries_its_text() {
    let mut bench = Bench::new();
    let (conn, _) = bench.login();
    let (id, path) = bench.asked(Act::c2c("alice", "hi"));
    let sent = bench
        .post(&path, &json!({"content": "pong", "msg_id": id}))
        .unwrap();
    let index = sent.json()["ext_info"]["ref_idx"]
        .as_str()
        .unwrap()
        .to_owned();
    bench.frames(conn);
    let message = Draft {
        text: "why?".to_owned(),
        quote: Some(index.as_str().into()),
        ..Draft::default()
    };
    let asked = bench.act(Act::C2c {
        user: "alice".into(),
        message,
    });
    let d = bench.frames(conn)[0]["d"].clone();
    assert_eq!(d["message_type"], 103);
    assert_eq!(d["msg_elements"][0]["content"], "pong");
    assert_eq!(d["msg_elements"][0]["author"]["bot"], true);
    bench.change(|bot| bot.messages.check_quotes = true);
    let quoting = |index: &str, seq: u32| {
        json!({"content": "x", "msg_id": asked.message_id, "msg_seq": seq,
            "message_reference": {"message_id": index}})
    };
    assert_eq!(
        bench.post_code(&path, &quoting("REFIDX_nobody==", 1)),
        12_002
    );
    assert_eq!(bench.post_code(&path, &quoting(&index, 2)), 0);
    let sent = bench.platform.ledger().bot_messages().last().unwrap();
    assert_eq!(sent.quote.as_deref(), Some(index.as_str()));
}

#[test]
fn members_that_are_mentioned_and_roles_are_shown() {
    let mut bench = Bench::new();
    let (conn, _) = bench.login();
    bench.act(Act::SetRole {
        group: "room".into(),
        user: Some("bob".into()),
        role: Role::Owner,
    });
    bench.frames(conn);
    bench.act(Act::GroupAt {
        group: "room".into(),
        user: "bob".into(),
        message: Draft {
            text: "look".to_owned(),
            mentions: vec!["carol".into()],
            ..Draft::default()
        },
    });
    let d = bench.frames(conn)[0]["d"].clone();
    assert_eq!(d["author"]["member_role"], "owner");
    assert_eq!(d["mentions"][0]["username"], "carol");
    let id = d["mentions"][0]["id"].as_str().unwrap();
    assert_eq!(d["content"], format!(" <@{id}> look"));
}
