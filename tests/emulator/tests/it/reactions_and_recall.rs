//! Reactions by bots, and taking messages back in every scene.

use std::time::Duration;

use qq_emulator::actions::{Act, Role};
use serde_json::json;

use crate::support::guilds::{ALL_PUBLIC, private};
use crate::support::{Bench, code};

#[test]
fn a_bot_reacts_once_and_takes_it_back_once() {
    let mut bench = Bench::new();
    bench.identify(ALL_PUBLIC);
    let (id, path) = bench.channel_asked("hi");
    let face = format!("{path}/{id}/reactions/1/277");
    assert_eq!(bench.call("PUT", &face, None).status, 204);
    assert_eq!(code(&bench.call("PUT", &face, None)), 620_003);
    let users = bench.call("GET", &format!("{face}?limit=20"), None).json();
    assert_eq!(users["users"][0]["username"], "demo-bot");
    assert_eq!(users["is_end"], true);
    assert_eq!(
        code(&bench.call("GET", &format!("{face}?limit=51"), None)),
        620_001
    );
    assert_eq!(bench.call("DELETE", &face, None).status, 204);
    assert_eq!(code(&bench.call("DELETE", &face, None)), 620_004);
    let odd = format!("{path}/{id}/reactions/2/👍");
    assert_eq!(code(&bench.call("PUT", &odd, None)), 620_001);
    let (_, chat) = bench.asked(Act::c2c("alice", "hi"));
    let nowhere = format!("{chat}/{id}/reactions/1/277");
    assert_eq!(bench.call("PUT", &nowhere, None).status, 404);
}

#[test]
fn own_messages_are_recalled_within_two_minutes() {
    let mut bench = Bench::new();
    for act in [Act::c2c("alice", "hi"), Act::group_at("room", "bob", "hi")] {
        let (id, path) = bench.asked(act);
        let mut send = |seq: u32| {
            let body = json!({"content": "x", "msg_id": id, "msg_seq": seq});
            let sent = bench.post(&path, &body).unwrap().json();
            let sent = sent["id"].as_str().unwrap().to_owned();
            (format!("{path}/{}", sent.replace('!', "%21")), sent)
        };
        let ((one, sent), (two, _)) = (send(1), send(2));
        assert_eq!(bench.call("DELETE", &one, None).status, 200);
        assert_eq!(code(&bench.call("DELETE", &one, None)), 40_061_002);
        let mark = bench.platform.ledger().mark(&sent.as_str().into()).unwrap();
        assert!(mark.recalled.is_some());
        assert_eq!(
            code(&bench.call("DELETE", &format!("{path}/{id}"), None)),
            40_062_003
        );
        bench.pass(Duration::from_secs(121));
        assert_eq!(code(&bench.call("DELETE", &two, None)), 40_064_004);
    }
}

#[test]
fn a_bot_that_is_administrator_recalls_what_members_say() {
    let mut bench = Bench::new();
    let (id, path) = bench.asked(Act::group_at("room", "bob", "hi"));
    let group = "room".into();
    let role = Role::Admin;
    bench.act(Act::SetRole {
        group,
        user: None,
        role,
    });
    assert_eq!(
        bench.call("DELETE", &format!("{path}/{id}"), None).status,
        200
    );
}

#[test]
fn only_private_bots_delete_in_guilds() {
    let mut bench = Bench::new();
    bench.identify(ALL_PUBLIC);
    let (id, path) = bench.channel_asked("hi");
    assert_eq!(
        code(&bench.call("DELETE", &format!("{path}/{id}"), None)),
        306_004
    );
    let mut bench = Bench::with(private);
    bench.identify(ALL_PUBLIC);
    let (id, path) = bench.channel_asked("hi");
    let (dm, dms) = bench.dm_asked("hi");
    let hide = format!("{path}/{id}?hidetip=true");
    assert_eq!(
        code(&bench.call("DELETE", &format!("{path}/{id}?hidetip=yes"), None)),
        306_001
    );
    assert_eq!(bench.call("DELETE", &hide, None).status, 200);
    assert_eq!(
        code(&bench.call("DELETE", &format!("{dms}/{dm}"), None)),
        306_004
    );
    let own = bench
        .post(&dms, &json!({"content": "x", "msg_id": dm}))
        .unwrap()
        .json();
    let own = format!("{dms}/{}", own["id"].as_str().unwrap());
    assert_eq!(bench.call("DELETE", &own, None).status, 200);
}
