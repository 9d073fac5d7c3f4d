//! What bots may send, and what the ledger knows of it.

use qq_emulator::actions::Act;
use qq_emulator::ids::AppId;
use qq_emulator::ledger::{BotForm, ReplyTo, Scene};
use qq_emulator::settings::{BotSettings, Nulls, Standing};
use qq_emulator::wire::HttpRequest;
use serde_json::json;

use crate::support::{APP, Bench, code};

#[test]
fn an_accepted_message_has_an_id_a_timestamp_and_an_index() {
    let mut bench = Bench::new();
    let (id, path) = bench.asked(Act::c2c("alice", "hi"));
    let body = json!({"content": "hello", "msg_type": 0, "msg_id": id, "msg_seq": 3});
    let answer = bench.post(&path, &body).unwrap().json();
    assert!(answer["id"].as_str().unwrap().starts_with("ROBOT1.0_"));
    assert_eq!(answer["timestamp"], "2026-07-21T10:30:00+08:00");
    assert!(
        answer["ext_info"]["ref_idx"]
            .as_str()
            .unwrap()
            .starts_with("REFIDX_")
    );
    let ledger = bench.platform.ledger();
    let kept = ledger.bot_messages().next().unwrap();
    assert_eq!(
        (kept.scene, kept.msg_seq, kept.slot),
        (Scene::C2c, 3, Some(1))
    );
    assert_eq!(kept.reply_to, Some(ReplyTo::MsgId(id.clone())));
    assert_eq!((kept.text.as_str(), kept.form), ("hello", BotForm::Text));
    assert_eq!(kept.user.as_ref().unwrap().as_str(), "alice");
    assert_eq!(ledger.unanswered().count(), 0);
}

#[test]
fn markdown_is_a_right_with_a_code_of_its_own() {
    let mut bench = Bench::new();
    let (id, path) = bench.asked(Act::c2c("alice", "hi"));
    let body = json!({"msg_type": 2, "markdown": {"content": "# x"}, "msg_id": id, "msg_seq": 1});
    assert_eq!(code(&bench.post(&path, &body).unwrap()), 0);
    bench
        .platform
        .bot_settings_mut(&AppId::from(APP))
        .unwrap()
        .messages
        .markdown = false;
    let body = json!({"msg_type": 2, "markdown": {"content": "# x"}, "msg_id": id, "msg_seq": 2});
    assert_eq!(code(&bench.post(&path, &body).unwrap()), 40_034_127);
}

#[test]
fn strangers_and_those_who_left_cannot_be_written_to() {
    let mut bench = Bench::new();
    let stranger = format!("/v2/users/{}/messages", "A".repeat(32));
    let text = json!({"content": "x"});
    assert_eq!(code(&bench.post(&stranger, &text).unwrap()), 40_054_004);
    assert_eq!(
        code(&bench.post("/v2/users/alice/messages", &text).unwrap()),
        12_001
    );
    let (id, path) = bench.asked(Act::c2c("alice", "hi"));
    bench.act(Act::RemoveFriend {
        user: "alice".into(),
    });
    assert_eq!(bench.answer(&path, &id, 1), 40_054_004);
    let (id, path) = bench.asked(Act::group_at("room", "bob", "hi"));
    bench.act(Act::RemoveFromGroup {
        group: "room".into(),
        user: "bob".into(),
    });
    assert_eq!(bench.answer(&path, &id, 1), 40_054_003);
}

#[test]
fn bodies_must_be_json_with_the_right_content_type() {
    let mut bench = Bench::new();
    let (_, path) = bench.asked(Act::c2c("alice", "hi"));
    let auth = format!("QQBot {}", bench.token());
    let mut request = HttpRequest::new("POST", &path).with_header("authorization", &auth);
    request.body = b"{\"content\":\"x\"}".to_vec();
    assert_eq!(code(&bench.http(request.clone()).unwrap()), 12_002);
    request.body = b"{\"content\":".to_vec();
    let request = request.with_header("content-type", "application/json");
    assert_eq!(code(&bench.http(request).unwrap()), 12_002);
}

#[test]
fn explicit_nulls_can_be_refused() {
    for (nulls, want) in [(Nulls::Absent, 0), (Nulls::Refused, 12_002)] {
        let mut bench = Bench::with(|bot| bot.messages.nulls = nulls);
        let (id, path) = bench.asked(Act::c2c("alice", "hi"));
        let body = json!({"content": "x", "msg_id": id, "markdown": null});
        assert_eq!(code(&bench.post(&path, &body).unwrap()), want);
    }
}

#[test]
fn an_offline_bot_cannot_send() {
    let mut bench = Bench::new();
    let (id, path) = bench.asked(Act::c2c("alice", "hi"));
    bench
        .platform
        .bot_settings_mut(&AppId::from(APP))
        .unwrap()
        .standing = Standing::Offline;
    assert_eq!(bench.answer(&path, &id, 1), 40_054_016);
}

#[test]
fn two_bots_know_one_user_by_two_openids_and_do_not_share_messages() {
    let mut bench = Bench::with_settings(|settings| {
        settings.bots.push(BotSettings::new("200", "other"));
    });
    let (id, path) = bench.asked(Act::c2c("alice", "hi"));
    let other = AppId::from("200");
    let openid = bench.platform.user_openid(&other, &"alice".into());
    assert!(!path.contains(openid.as_str()));
    let body = json!({"appId": "200", "clientSecret": "other"});
    let request = HttpRequest::new("POST", "/app/getAppAccessToken").with_json(&body);
    let token = bench.http(request).unwrap().json();
    let auth = format!("QQBot {}", token["access_token"].as_str().unwrap());
    let body = json!({"content": "x", "msg_id": id});
    let request = HttpRequest::new("POST", &path).with_json(&body);
    let answer = bench
        .http(request.with_header("authorization", &auth))
        .unwrap();
    assert_eq!(code(&answer), 40_054_004);
}
