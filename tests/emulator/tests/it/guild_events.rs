//! What bots are told about guilds, channels, members, and messages that go.

use qq_emulator::actions::{Act, Emoji, InChannel, InGuild};
use qq_emulator::settings::TargetForm;
use serde_json::json;

use crate::support::guilds::{ALL_PUBLIC, private};
use crate::support::{Bench, names};

#[test]
fn guilds_channels_and_members_come_change_and_go() {
    let mut bench = Bench::new();
    let conn = bench.identify(ALL_PUBLIC);
    bench.frames(conn);
    let (at, in_channel) = (
        InGuild::new("club", "bob"),
        InChannel::new("club", "chat", "bob"),
    );
    for act in [
        Act::AddToGuild(at.clone()),
        Act::AddChannel(in_channel.clone()),
        Act::UpdateChannel(in_channel.clone()),
        Act::JoinGuild(at.clone()),
        Act::UpdateMember(at.clone()),
        Act::UpdateGuild(at.clone()),
        Act::LeaveGuild(at.clone()),
        Act::DeleteChannel(in_channel),
        Act::RemoveFromGuild(at),
    ] {
        bench.act(act);
    }
    let frames = bench.frames(conn);
    let want = [
        "GUILD_CREATE",
        "CHANNEL_CREATE",
        "CHANNEL_UPDATE",
        "GUILD_MEMBER_ADD",
        "GUILD_MEMBER_UPDATE",
        "GUILD_UPDATE",
        "GUILD_MEMBER_REMOVE",
        "CHANNEL_DELETE",
        "GUILD_DELETE",
    ];
    assert_eq!(names(&frames), want);
    assert_eq!(frames[0]["d"]["name"], "club");
    assert_eq!(frames[1]["d"]["guild_id"], frames[0]["d"]["id"]);
    assert_eq!(frames[3]["d"]["user"]["username"], "bob");
    let gone = bench.platform.act(
        bench.now,
        &Act::channel_at("club", "chat", "bob", "hi").into(),
    );
    assert!(gone.0.is_err());
}

#[test]
fn events_about_channels_are_whole_or_as_the_sample_shows() {
    let mut bench = Bench::new();
    let conn = bench.identify(ALL_PUBLIC);
    bench.frames(conn);
    let at = InChannel::new("club", "chat", "bob");
    bench.act(Act::AddChannel(at.clone()));
    let whole = bench.frames(conn)[0]["d"].clone();
    assert_eq!(whole["position"], 1);
    assert_eq!(whole["owner_id"], whole["op_user_id"]);
    bench.change(|bot| bot.guilds.whole_channels = false);
    bench.act(Act::UpdateChannel(at));
    let sample = bench.frames(conn)[0]["d"].clone();
    assert!(sample.get("position").is_none());
    for (name, value) in sample.as_object().unwrap() {
        assert_eq!(&whole[name], value);
    }
}

#[test]
fn an_answer_may_name_the_event_of_a_new_member() {
    let mut bench = Bench::new();
    let conn = bench.identify(ALL_PUBLIC);
    let (_, path) = bench.channel_asked("hi");
    bench.frames(conn);
    bench.act(Act::JoinGuild(InGuild::new("club", "carol")));
    let event = bench.frames(conn)[0]["id"].clone();
    let welcome = json!({"content": "welcome", "event_id": event});
    assert_eq!(bench.post_code(&path, &welcome), 0);
    let wrong = json!({"content": "welcome", "event_id": "GUILD_MEMBER_ADD:x"});
    assert_eq!(bench.post_code(&path, &wrong), 304_026);
}

#[test]
fn deleted_messages_are_told_by_scene_and_domain() {
    let mut bench = Bench::with(private);
    let conn = bench.identify(ALL_PUBLIC | 1 << 9);
    let (id, _) = bench.channel_asked("hi");
    let (dm, _) = bench.dm_asked("hi");
    bench.frames(conn);
    for message_id in [id.clone(), dm] {
        let user = "bob".into();
        bench.act(Act::DeleteMessage { user, message_id });
    }
    let frames = bench.frames(conn);
    let want = [
        "PUBLIC_MESSAGE_DELETE",
        "MESSAGE_DELETE",
        "DIRECT_MESSAGE_DELETE",
    ];
    assert_eq!(names(&frames), want);
    assert_eq!(frames[0]["d"]["message"]["id"], json!(id));
    assert!(frames[0]["d"]["message"].get("content").is_none());
    assert!(frames[2]["d"]["message"]["src_guild_id"].is_string());
}

#[test]
fn a_users_reaction_is_told_in_either_form() {
    let mut bench = Bench::new();
    let conn = bench.identify(ALL_PUBLIC);
    let (id, _) = bench.channel_asked("hi");
    bench.frames(conn);
    let emoji = Emoji {
        kind: 2,
        id: "128077".to_owned(),
    };
    let react = |remove| Act::React {
        user: "bob".into(),
        message_id: Some(id.clone()),
        emoji: emoji.clone(),
        remove,
    };
    bench.act(react(false));
    bench.change(|bot| bot.guilds.reaction_target = TargetForm::Text);
    bench.act(react(true));
    let frames = bench.frames(conn);
    assert_eq!(
        names(&frames),
        ["MESSAGE_REACTION_ADD", "MESSAGE_REACTION_REMOVE"]
    );
    assert_eq!(frames[0]["d"]["target"], json!({"id": id, "type": 0}));
    assert_eq!(frames[1]["d"]["target"]["type"], "ReactionTargetType_MSG");
    assert_eq!(frames[0]["d"]["emoji"], json!({"id": "128077", "type": 2}));
}

#[test]
fn any_event_can_be_pushed_by_name_to_those_who_asked_for_it() {
    let mut bench = Bench::with(private);
    let conn = bench.identify(ALL_PUBLIC | 1 << 28 | 1 << 29);
    bench.frames(conn);
    for name in [
        "FORUM_THREAD_CREATE",
        "AUDIO_START",
        "SUBSCRIBE_MESSAGE_STATUS",
    ] {
        let (name, body) = (name.to_owned(), json!({"x": 1}));
        assert_eq!(bench.act(Act::Event { name, body }).sessions, 1);
    }
    let unheard = Act::Event {
        name: "OPEN_FORUM_POST_CREATE".to_owned(),
        body: json!({}),
    };
    assert_eq!(bench.act(unheard).sessions, 0);
    let name = "NOTHING_LIKE_IT".to_owned();
    let body = json!({});
    let refused = bench
        .platform
        .act(bench.now, &Act::Event { name, body }.into());
    assert!(refused.0.is_err());
}
