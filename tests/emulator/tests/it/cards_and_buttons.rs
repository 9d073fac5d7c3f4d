//! Markdown, keyboards and cards in C2C and groups; presses and their acknowledgement.

use std::time::Duration;

use qq_emulator::actions::{Act, ActionError, Role};
use qq_emulator::ids::MessageId;
use qq_emulator::ledger::Violation;
use serde_json::{Value, json};

use crate::support::guilds::{ALL_PUBLIC, keyboard};
use crate::support::{Bench, code, contents, names};

fn with_buttons(id: &MessageId, keyboard: &Value) -> Value {
    json!({"msg_type": 2, "markdown": {"content": "Deploy?"}, "keyboard": keyboard, "msg_id": id})
}

fn press(user: &str, button: &str) -> Act {
    Act::Press {
        user: user.into(),
        message_id: None,
        button: button.to_owned(),
    }
}

#[test]
fn a_press_becomes_an_interaction_that_is_acknowledged_and_answered() {
    let mut bench = Bench::new();
    let conn = bench.identify(ALL_PUBLIC);
    let (id, path) = bench.asked(Act::group_at("room", "bob", "deploy"));
    assert_eq!(
        bench.post_code(&path, &with_buttons(&id, &keyboard(&["ok"], 1))),
        0
    );
    bench.frames(conn);
    let pressed = bench.act(press("bob", "ok"));
    let frame = bench.frames(conn)[0].clone();
    assert_eq!(frame["t"], "INTERACTION_CREATE");
    let d = &frame["d"];
    assert_eq!(
        (&d["scene"], &d["chat_type"], &d["type"]),
        (&json!("group"), &json!(1), &json!(11))
    );
    let resolved = json!({"button_data": "/do ok", "button_id": "ok"});
    assert_eq!(d["data"]["resolved"], resolved);
    assert_eq!(d["id"], json!(pressed.interaction));
    let ack = format!("/interactions/{}", d["id"].as_str().unwrap());
    assert_eq!(
        bench.call("PUT", &ack, Some(&json!({"code": 9}))).json()["code"],
        630_001
    );
    assert_eq!(
        bench.call("PUT", &ack, Some(&json!({"code": 0}))).status,
        204
    );
    assert_eq!(
        code(&bench.call("PUT", &ack, Some(&json!({"code": 0})))),
        630_002
    );
    let done = json!({"content": "done", "event_id": frame["id"]});
    assert_eq!(bench.post_code(&path, &done), 0);
    let bare = json!({"content": "done", "event_id": d["id"], "msg_seq": 2});
    assert_eq!(bench.post_code(&path, &bare), 40_034_025);
}

#[test]
fn missing_and_late_acknowledgements_are_noted() {
    let mut bench = Bench::new();
    let conn = bench.identify(ALL_PUBLIC);
    let (id, path) = bench.asked(Act::c2c("alice", "deploy"));
    bench.post_code(&path, &with_buttons(&id, &keyboard(&["ok"], 1)));
    bench.frames(conn);
    let pressed = bench.act(press("alice", "ok")).interaction.unwrap();
    bench.pass(Duration::from_secs(4));
    let path = format!("/interactions/{pressed}");
    assert_eq!(
        bench.call("PUT", &path, Some(&json!({"code": 0}))).status,
        204
    );
    let interaction = pressed.to_string();
    let late_ms = 1_000;
    let want = [
        Violation::MissingAck {
            interaction: interaction.clone(),
        },
        Violation::LateAck {
            interaction,
            late_ms,
        },
    ];
    assert_eq!(bench.violations(), want);
}

#[test]
fn buttons_are_for_those_whom_they_name() {
    let mut bench = Bench::new();
    bench.identify(ALL_PUBLIC);
    let (id, path) = bench.asked(Act::group_at("room", "bob", "deploy"));
    let mut admins = keyboard(&["ok"], 1);
    admins["content"]["rows"][0]["buttons"][0]["action"]["permission"] = json!({"type": 1});
    assert_eq!(bench.post_code(&path, &with_buttons(&id, &admins)), 0);
    let act = press("bob", "ok").into();
    let (refused, _) = bench.platform.act(bench.now, &act);
    assert_eq!(refused, Err(ActionError::MayNotPress("bob".into())));
    bench.act(Act::SetRole {
        group: "room".into(),
        user: Some("bob".into()),
        role: Role::Admin,
    });
    bench.act(press("bob", "ok"));
    let (unknown, _) = bench.platform.act(bench.now, &press("bob", "no").into());
    assert_eq!(unknown, Err(ActionError::NoSuchButton("no".to_owned())));
}

#[test]
fn a_command_button_speaks_for_the_user() {
    let mut bench = Bench::new();
    let conn = bench.identify(ALL_PUBLIC);
    let (id, path) = bench.asked(Act::group_at("room", "bob", "deploy"));
    bench.post_code(&path, &with_buttons(&id, &keyboard(&["ok"], 2)));
    bench.frames(conn);
    bench.act(press("bob", "ok"));
    let frames = bench.frames(conn);
    assert_eq!(names(&frames), ["GROUP_AT_MESSAGE_CREATE"]);
    assert_eq!(contents(&frames), [" /do ok"]);
}

#[test]
fn a_press_in_a_channel_names_guild_channel_user_and_message() {
    let mut bench = Bench::new();
    let conn = bench.identify(ALL_PUBLIC);
    let (id, path) = bench.channel_asked("deploy");
    let body =
        json!({"markdown": {"content": "Deploy?"}, "keyboard": keyboard(&["ok"], 1), "msg_id": id});
    assert_eq!(bench.post_code(&path, &body), 50_056);
    bench.change(|bot| bot.grants.guild_markdown = true);
    assert_eq!(bench.post_code(&path, &body), 304_037);
    bench.change(|bot| bot.grants.guild_keyboard = true);
    let sent = bench.post(&path, &body).unwrap().json();
    let asked = bench.frames(conn).last().unwrap()["d"].clone();
    bench.act(press("bob", "ok"));
    let d = bench.frames(conn)[0]["d"].clone();
    assert_eq!((&d["scene"], &d["chat_type"]), (&json!("guild"), &json!(0)));
    for name in ["guild_id", "channel_id"] {
        assert_eq!(d[name], asked[name]);
    }
    let resolved = &d["data"]["resolved"];
    assert_eq!(resolved["message_id"], sent["id"]);
    assert_eq!(resolved["user_id"], asked["author"]["id"]);
}

#[test]
fn other_interactions_come_as_their_type_says() {
    let mut bench = Bench::new();
    let conn = bench.identify(ALL_PUBLIC);
    bench.frames(conn);
    bench.act(Act::Interact {
        user: "alice".into(),
        group: None,
        kind: 13,
        resolved: json!({"feedback_opt": "LIKE", "message_id": "x"}),
    });
    bench.pass(Duration::from_secs(10));
    let frames = bench.frames(conn);
    assert_eq!(frames[0]["d"]["data"]["resolved"]["feedback_opt"], "LIKE");
    assert!(bench.violations().is_empty());
}

#[test]
fn markdown_and_its_tags_are_read_strictly() {
    let mut bench = Bench::new();
    let (id, path) = bench.asked(Act::c2c("alice", "hi"));
    let (room, group) = bench.asked(Act::group_at("room", "bob", "hi"));
    let mut seq = 0;
    let mut codes = |path: &str, id: &MessageId, markdown: Value| {
        seq += 1;
        let body = json!({"msg_type": 2, "markdown": markdown, "msg_id": id, "msg_seq": seq});
        bench.post_code(path, &body)
    };
    let param = |value: &str| json!({"custom_template_id": "1", "params": [{"key": "k", "values": [value]}]});
    let enter = json!({"content": "<qqbot-cmd-enter text=\"%2Fhelp\" />"});
    assert_eq!(codes(&path, &id, enter.clone()), 0);
    assert_eq!(codes(&group, &room, enter), 40_034_106);
    let long = format!("<qqbot-cmd-input text=\"{}\" />", "x".repeat(101));
    assert_eq!(codes(&group, &room, json!({"content": long})), 40_034_108);
    assert_eq!(
        codes(&group, &room, json!({"content": "<qqbot-cmd-input />"})),
        40_034_109
    );
    assert_eq!(
        codes(&path, &id, json!({"content": "x", "template_id": 1})),
        50_057
    );
    assert_eq!(codes(&path, &id, param("fine")), 0);
    assert_eq!(codes(&path, &id, param("")), 40_034_008);
    assert_eq!(codes(&path, &id, param("a\nb")), 40_034_009);
    assert_eq!(codes(&path, &id, param("**a**")), 40_034_010);
}

#[test]
fn cards_need_a_right_outside_guilds() {
    let ark = json!({"template_id": 23, "kv": [{"key": "#PROMPT#", "value": "look"}]});
    let mut bench = Bench::new();
    let (id, path) = bench.asked(Act::c2c("alice", "hi"));
    let body = json!({"msg_type": 3, "ark": ark, "msg_id": id});
    assert_eq!(bench.post_code(&path, &body), 304_004);
    bench.change(|bot| bot.grants.ark = true);
    assert_eq!(bench.post_code(&path, &body), 0);
    assert_eq!(bench.said(), ["[ark 23] look"]);
    let bad = json!({"msg_type": 3, "ark": {"template_id": 99, "kv": []}, "msg_id": id});
    assert_eq!(bench.post_code(&path, &bad), 304_011);
}

#[test]
fn fields_that_are_sent_empty_count_as_absent() {
    let mut bench = Bench::new();
    bench.identify(ALL_PUBLIC);
    let (id, path) = bench.asked(Act::c2c("alice", "hi"));
    let style = json!({"main_font_size": ""});
    let markdown = json!({"template_id": 0, "custom_template_id": "", "params": [],
        "content": "hi", "style": style});
    let body = json!({"msg_type": 2, "markdown": markdown, "msg_id": id});
    assert_eq!(bench.post_code(&path, &body), 0);
}

#[test]
fn a_button_may_lack_its_tip_unless_the_settings_want_it() {
    let mut bench = Bench::new();
    bench.identify(ALL_PUBLIC);
    let (id, path) = bench.asked(Act::c2c("alice", "hi"));
    let mut silent = keyboard(&["ok"], 1);
    let action = silent.pointer_mut("/content/rows/0/buttons/0/action");
    let tip = action
        .unwrap()
        .as_object_mut()
        .unwrap()
        .remove("unsupport_tips");
    assert!(tip.is_some());
    assert_eq!(bench.post_code(&path, &with_buttons(&id, &silent)), 0);
    bench.change(|bot| bot.messages.button_tips = true);
    assert_eq!(bench.post_code(&path, &with_buttons(&id, &silent)), 305_007);
}

#[test]
fn suggestions_are_kept_in_private_chats_and_pressed_like_buttons() {
    let mut bench = Bench::new();
    bench.identify(ALL_PUBLIC);
    let (id, path) = bench.asked(Act::c2c("alice", "what now?"));
    let prompt = keyboard(&["more"], 2);
    let body = json!({"content": "Ask on", "prompt_keyboard": {"keyboard": prompt},
        "action_button": {"feedback": true}, "msg_id": id});
    assert_eq!(bench.post_code(&path, &body), 0);
    let kept = bench.platform.ledger().bot_message(0).unwrap();
    assert_eq!(kept.prompt, Some(prompt));
    assert_eq!(kept.buttons, Some(json!({"feedback": true})));
    bench.act(press("alice", "more"));
    assert_eq!(
        bench.platform.ledger().user_message_at(1).unwrap().text,
        "/do more"
    );
    let long = json!({"content": "x", "action_button": {"callback_data": "x".repeat(129)},
        "msg_id": id, "msg_seq": 2});
    assert_eq!(bench.post_code(&path, &long), 305_007);
    let none = json!({"content": "x", "prompt_keyboard": {}, "msg_id": id, "msg_seq": 3});
    assert_eq!(bench.post_code(&path, &none), 304_039);
}

#[test]
fn groups_and_switched_off_platforms_do_not_know_suggestions() {
    let mut bench = Bench::new();
    let offers = |id: &MessageId| json!({"content": "x", "prompt_keyboard": {}, "action_button": {}, "msg_id": id});
    let (id, path) = bench.asked(Act::group_at("room", "bob", "hi"));
    assert_eq!(bench.post_code(&path, &offers(&id)), 0);
    bench.change(|bot| bot.messages.offers = false);
    let (id, path) = bench.asked(Act::c2c("alice", "hi"));
    assert_eq!(bench.post_code(&path, &offers(&id)), 0);
    let kept: Vec<_> = bench.platform.ledger().bot_messages_since(0).collect();
    assert!(
        kept.iter()
            .all(|it| it.prompt.is_none() && it.buttons.is_none())
    );
}
