//! Channels and direct messages: what bots hear, and what they may say there.

use std::time::Duration;

use qq_emulator::actions::{Act, Draft, InChannel};
use qq_emulator::ledger::Scene;
use qq_emulator::wire::HttpRequest;
use serde_json::json;

use crate::support::guilds::{ALL_PUBLIC, private};
use crate::support::{Bench, code, contents, names};

#[test]
fn an_at_message_reaches_a_public_bot_escaped_and_with_the_bots_own_id() {
    let mut bench = Bench::new();
    let conn = bench.identify(ALL_PUBLIC);
    let ready = bench.frames(conn)[1]["d"]["user"]["id"].clone();
    let own = ready.as_str().unwrap();
    bench.act(Act::channel_at("club", "chat", "bob", "a < b & c"));
    let frames = bench.frames(conn);
    assert_eq!(names(&frames), ["AT_MESSAGE_CREATE"]);
    let d = &frames[0]["d"];
    assert_eq!(d["content"], format!("<@!{own}> a &lt; b &amp; c"));
    assert_eq!(d["mentions"][0]["id"], ready);
    assert_eq!((&d["seq"], &d["seq_in_channel"]), (&json!(1), &json!("1")));
    assert!(d["id"].as_str().unwrap().starts_with("08"));
    assert!(d["guild_id"].as_str().unwrap().parse::<u64>().is_ok());
    assert_eq!(bench.get("/users/@me").json()["id"], ready);
}

#[test]
fn a_public_bot_hears_no_plain_message_but_a_reply_to_its_own() {
    let mut bench = Bench::new();
    let conn = bench.identify(ALL_PUBLIC);
    let (id, path) = bench.channel_asked("hi");
    let answer = bench
        .post(&path, &json!({"content": "yo", "msg_id": id}))
        .unwrap();
    bench.frames(conn);
    bench.act(Act::channel_plain("club", "chat", "bob", "not for you"));
    assert!(bench.frames(conn).is_empty());
    let message = Draft {
        text: "why?".to_owned(),
        reply: Some(answer.json()["id"].as_str().unwrap().into()),
        ..Draft::default()
    };
    let at = InChannel::new("club", "chat", "bob");
    bench.act(Act::ChannelPlain { at, message });
    let frames = bench.frames(conn);
    assert_eq!(names(&frames), ["AT_MESSAGE_CREATE"]);
    assert_eq!(contents(&frames), ["why?"]);
    assert_eq!(
        frames[0]["d"]["message_reference"]["message_id"],
        answer.json()["id"]
    );
}

#[test]
fn a_private_bot_hears_everything_and_a_mention_twice() {
    let mut bench = Bench::with(private);
    let conn = bench.identify(ALL_PUBLIC | 1 << 9);
    bench.frames(conn);
    let told = bench.act(Act::channel_at("club", "chat", "bob", "hi"));
    assert_eq!(told.sessions, 2);
    bench.act(Act::channel_plain("club", "chat", "bob", "well"));
    let frames = bench.frames(conn);
    assert_eq!(
        names(&frames),
        ["AT_MESSAGE_CREATE", "MESSAGE_CREATE", "MESSAGE_CREATE"]
    );
    assert_eq!(frames[0]["d"]["id"], frames[1]["d"]["id"]);
    assert_eq!(bench.platform.ledger().unanswered_count(), 1);
}

#[test]
fn a_direct_message_names_its_session_and_the_guild_it_came_from() {
    let mut bench = Bench::new();
    let conn = bench.identify(ALL_PUBLIC);
    bench.frames(conn);
    let (id, path) = bench.dm_asked("psst");
    let frames = bench.frames(conn);
    assert_eq!(names(&frames), ["DIRECT_MESSAGE_CREATE"]);
    let d = &frames[0]["d"];
    assert_eq!(
        (&d["content"], &d["direct_message"]),
        (&json!("psst"), &json!(true))
    );
    assert_ne!(d["guild_id"], d["src_guild_id"]);
    assert_eq!(
        path,
        format!("/dms/{}/messages", d["guild_id"].as_str().unwrap())
    );
    let answer = bench
        .post(&path, &json!({"content": "yes", "msg_id": id}))
        .unwrap();
    assert_eq!(answer.json()["guild_id"], d["guild_id"]);
    let kept = bench.platform.ledger().bot_messages().next().unwrap();
    assert_eq!(
        (kept.scene, kept.user.as_ref().unwrap().as_str()),
        (Scene::Dm, "bob")
    );
}

#[test]
fn the_answer_is_a_whole_message_and_nothing_is_seen_twice() {
    let mut bench = Bench::new();
    bench.identify(ALL_PUBLIC);
    let (id, path) = bench.channel_asked("hi");
    let body = json!({"content": "a &lt; b", "msg_id": id});
    for seq in ["2", "3"] {
        let answer = bench.post(&path, &body).unwrap().json();
        assert_eq!(answer["seq_in_channel"], seq);
        assert_eq!(answer["author"]["bot"], true);
        assert_eq!(answer["content"], "a &lt; b");
    }
    assert_eq!(bench.said(), ["a < b", "a < b"]);
    assert!(bench.violations().is_empty());
}

#[test]
fn a_bot_without_a_connection_cannot_speak_in_guilds() {
    let mut bench = Bench::new();
    let (id, path) = bench.channel_asked("hi");
    let body = json!({"content": "x", "msg_id": id});
    assert_eq!(bench.post_code(&path, &body), 304_018);
    bench.identify(ALL_PUBLIC);
    assert_eq!(bench.post_code(&path, &body), 0);
    bench.change(|bot| bot.guilds.needs_gateway = false);
    assert_eq!(bench.post_code(&path, &json!({"msg_id": id})), 50_006);
}

#[test]
fn replies_have_a_window_and_belong_to_their_channel() {
    let mut bench = Bench::new();
    bench.identify(ALL_PUBLIC);
    let (id, path) = bench.channel_asked("hi");
    let (other, dm) = bench.dm_asked("hi");
    assert_eq!(
        bench.post_code(&path, &json!({"content": "x", "msg_id": other})),
        304_026
    );
    assert_eq!(
        bench.post_code("/channels/1/messages", &json!({"content": "x"})),
        10_003
    );
    assert_eq!(
        bench.post_code("/dms/1/messages", &json!({"content": "x"})),
        304_033
    );
    bench.change(|bot| bot.guilds.needs_gateway = false);
    bench.pass(Duration::from_secs(301));
    assert_eq!(
        bench.post_code(&path, &json!({"content": "x", "msg_id": id})),
        304_027
    );
    assert_eq!(
        bench.post_code(&dm, &json!({"content": "x", "msg_id": other})),
        304_027
    );
}

#[test]
fn quotes_must_exist_unless_the_bot_does_not_mind() {
    let mut bench = Bench::new();
    bench.identify(ALL_PUBLIC);
    let (id, path) = bench.channel_asked("hi");
    let (foreign, _) = bench.dm_asked("hi");
    let quoting = |quote: &str, ignore: bool| {
        json!({"content": "x", "msg_id": id, "message_reference":
            {"message_id": quote, "ignore_get_message_error": ignore}})
    };
    assert_eq!(bench.post_code(&path, &quoting(id.as_str(), false)), 0);
    assert_eq!(bench.post_code(&path, &quoting("08beef", false)), 50_039);
    assert_eq!(
        bench.post_code(&path, &quoting(foreign.as_str(), false)),
        50_038
    );
    assert_eq!(bench.post_code(&path, &quoting("08beef", true)), 0);
}

#[test]
fn a_picture_comes_as_a_form_with_json_in_its_parts() {
    let mut bench = Bench::new();
    bench.identify(ALL_PUBLIC);
    let (id, path) = bench.channel_asked("draw");
    let auth = format!("QQBot {}", bench.token());
    let mut send = |parts: &str| {
        let mut request = HttpRequest::new("POST", &path)
            .with_header("authorization", &auth)
            .with_header("content-type", "multipart/form-data; boundary=XX");
        request.body = parts.replace('\n', "\r\n").into_bytes();
        bench.http(request).unwrap()
    };
    let file = "--XX\nContent-Disposition: form-data; name=\"file_image\"; filename=\"a.gif\"\n\
        Content-Type: image/gif\n\nGIF89a...\n";
    let field = format!("--XX\nContent-Disposition: form-data; name=\"msg_id\"\n\n{id}\n");
    let quote = "--XX\nContent-Disposition: form-data; name=\"message_reference\"\n\n\
        {\"message_reference\":{\"message_id\":\"08\",\"ignore_get_message_error\":true}}\n";
    let answer = send(&format!("{file}{field}{quote}--XX--\n"));
    assert_eq!(code(&answer), 0, "{}", answer.body);
    assert!(answer.json()["attachments"][0]["url"].is_string());
    assert_eq!(code(&send(&format!("{field}--XX--\n"))), 50_006);
    assert_eq!(code(&send("no form at all")), 50_035);
    let text = file.replace("GIF89a", "hello!");
    assert_eq!(code(&send(&format!("{text}{field}--XX--\n"))), 304_017);
    let nameless = file.replace("; filename=\"a.gif\"", "");
    assert_eq!(code(&send(&format!("{nameless}--XX--\n"))), 50_035);
}

#[test]
fn messages_can_be_fetched_wrapped_or_not_and_edited_if_they_are_markdown() {
    let mut bench = Bench::with(|bot| bot.grants.guild_markdown = true);
    bench.identify(ALL_PUBLIC);
    let (id, path) = bench.channel_asked("hi");
    let marked = json!({"markdown": {"content": "# one"}, "msg_id": id});
    let marked = bench.post(&path, &marked).unwrap().json()["id"].clone();
    let plain = bench
        .post(&path, &json!({"content": "x", "msg_id": id}))
        .unwrap();
    let plain = plain.json()["id"].clone();
    let of = |id: &serde_json::Value| format!("{path}/{}", id.as_str().unwrap());
    assert_eq!(bench.get(&of(&plain)).json()["content"], "x");
    bench.change(|bot| bot.guilds.wrapped_message = true);
    assert_eq!(bench.get(&of(&plain)).json()["message"]["content"], "x");
    assert_eq!(code(&bench.get(&format!("{path}/08"))), 50_039);
    let edit = json!({"markdown": {"content": "# two"}});
    assert_eq!(code(&bench.call("PATCH", &of(&marked), Some(&edit))), 0);
    assert_eq!(code(&bench.call("PATCH", &of(&plain), Some(&edit))), 50_049);
    assert_eq!(
        code(&bench.call("PATCH", &format!("{path}/{id}"), Some(&edit))),
        50_051
    );
    let mark = bench
        .platform
        .ledger()
        .mark(&marked.as_str().unwrap().into());
    assert_eq!(mark.unwrap().edited.as_deref(), Some("# two"));
}

#[test]
fn proactive_messages_and_the_rate_of_a_channel_have_their_limits() {
    let mut bench = Bench::with(|bot| {
        bot.guilds.channel_daily = 2;
        bot.guilds.channels_daily = 1;
        bot.guilds.needs_gateway = false;
    });
    let (id, path) = bench.channel_asked("hi");
    let (_, dm) = bench.dm_asked("hi");
    let other = bench.act(Act::channel_at("club", "news", "bob", "hi"));
    let other = format!("/channels/{}/messages", other.target.unwrap());
    let text = json!({"content": "news"});
    assert_eq!(bench.post_code(&path, &text), 0);
    assert_eq!(bench.post_code(&other, &text), 304_047);
    assert_eq!(bench.post_code(&path, &text), 0);
    assert_eq!(bench.post_code(&path, &text), 304_045);
    let codes: Vec<u64> = (0..3).map(|_| bench.post_code(&dm, &text)).collect();
    assert_eq!(codes, [0, 0, 304_049]);
    let reply = json!({"content": "x", "msg_id": id});
    bench.pass(Duration::from_secs(1));
    let codes: Vec<u64> = (0..6).map(|_| bench.post_code(&path, &reply)).collect();
    assert_eq!(codes, [0, 0, 0, 0, 0, 20_028]);
    bench.change(|bot| bot.guilds.proactive = false);
    assert_eq!(bench.post_code(&dm, &text), 304_048);
    bench.pass(Duration::from_secs(86_400));
    bench.change(|bot| bot.guilds.proactive = true);
    assert_eq!(bench.post_code(&path, &text), 0);
}
