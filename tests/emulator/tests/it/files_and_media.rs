//! Uploading files, sending them, and the files that users attach.

use std::time::Duration;

use base64::{Engine as _, engine::general_purpose::STANDARD};
use qq_emulator::actions::{Act, Attachment, Draft, InChannel};
use qq_emulator::ledger::{BotForm, Violation};
use qq_emulator::settings::{ForeignUrls, UrlForm};
use qq_emulator::wire::{HttpRequest, HttpResponse};
use serde_json::{Value, json};

use crate::support::guilds::ALL_PUBLIC;
use crate::support::{Bench, code};

const PNG: &[u8] = b"\x89PNG\r\n\x1a\nand so on";

fn base64_of(bytes: &[u8], file_type: u8) -> Value {
    json!({"file_type": file_type, "file_data": STANDARD.encode(bytes), "srv_send_msg": false})
}

fn upload(bench: &mut Bench, messages: &str, body: &Value) -> HttpResponse {
    let files = messages.replace("/messages", "/files");
    bench.post(&files, body).unwrap()
}

fn fetch(bench: &mut Bench, url: &str) -> HttpResponse {
    let path = url.strip_prefix("http://emulator.invalid").unwrap();
    let (path, query) = path.split_once('?').unwrap();
    let mut request = HttpRequest::new("GET", path);
    request.query = Some(query.to_owned());
    bench.http(request).unwrap()
}

#[test]
fn a_file_is_uploaded_sent_and_can_be_fetched() {
    let mut bench = Bench::new();
    let (id, path) = bench.asked(Act::c2c("alice", "draw"));
    let answer = upload(&mut bench, &path, &base64_of(PNG, 1)).json();
    assert_eq!(answer["ttl"], 259_200);
    let media = json!({"file_info": answer["file_info"]});
    let body = json!({"msg_type": 7, "content": " ", "media": media, "msg_id": id, "msg_seq": 1});
    assert_eq!(bench.post_code(&path, &body), 0);
    let sent = bench
        .platform
        .ledger()
        .bot_messages()
        .next()
        .unwrap()
        .clone();
    let view = sent.media.clone().unwrap();
    assert_eq!(
        (sent.form, view.file_type, view.size),
        (BotForm::Media, 1, Some(17))
    );
    let fetched = fetch(&mut bench, &view.url);
    assert_eq!((fetched.status, fetched.bytes()), (200, PNG));
}

#[test]
fn a_file_info_belongs_to_its_scene_and_dies() {
    let mut bench = Bench::new();
    let (id, path) = bench.asked(Act::c2c("alice", "draw"));
    let (room, group) = bench.asked(Act::group_at("room", "bob", "draw"));
    let info = upload(&mut bench, &path, &base64_of(PNG, 1)).json()["file_info"].clone();
    let body = |id, seq: u32, info: &Value| json!({"msg_type": 7, "media": {"file_info": info}, "msg_id": id, "msg_seq": seq});
    assert_eq!(bench.post_code(&group, &body(&room, 1, &info)), 304_080);
    assert_eq!(
        bench.post_code(&path, &body(&id, 1, &json!("made up"))),
        304_080
    );
    bench.change(|bot| bot.media.caption_needed = true);
    assert_eq!(bench.post_code(&path, &body(&id, 2, &info)), 50_006);
    bench.change(|bot| bot.media.caption_needed = false);
    bench.pass(Duration::from_secs(259_201));
    let (id, path) = bench.asked(Act::c2c("alice", "again"));
    assert_eq!(bench.post_code(&path, &body(&id, 1, &info)), 40_034_004);
}

#[test]
fn formats_and_sizes_are_judged_with_their_codes() {
    let mut bench = Bench::new();
    let (_, path) = bench.asked(Act::c2c("alice", "draw"));
    let mut codes = |body: &Value| code(&upload(&mut bench, &path, body));
    assert_eq!(codes(&base64_of(b"plain text", 1)), 850_019);
    assert_eq!(codes(&base64_of(b"plain text", 4)), 0);
    assert_eq!(codes(&base64_of(PNG, 3)), 850_019);
    assert_eq!(
        codes(&json!({"file_type": 1, "url": "https://x.example/a.png"})),
        0
    );
    assert_eq!(
        codes(&json!({"file_type": 1, "url": "https://x.example/a.exe"})),
        0
    );
    assert_eq!(
        codes(&json!({"file_type": 1, "url": "https://x.example/a.mp4"})),
        850_019
    );
    assert_eq!(
        codes(&json!({"file_type": 1, "url": "file:///etc/passwd"})),
        12_002
    );
    assert_eq!(
        codes(&json!({"file_type": 5, "url": "https://x.example/a"})),
        12_002
    );
    assert_eq!(
        codes(&json!({"file_type": 1, "file_data": "data:image/png;base64,AA"})),
        12_002
    );
    assert_eq!(codes(&json!({"file_type": 1})), 12_002);
    bench.change(|bot| {
        bot.media.foreign_urls = ForeignUrls::Unreachable;
        bot.media.hard = 16;
        bot.media.files = false;
    });
    let mut codes = |body: &Value| code(&upload(&mut bench, &path, body));
    assert_eq!(
        codes(&json!({"file_type": 1, "url": "https://x.example/a.png"})),
        850_026
    );
    assert_eq!(codes(&base64_of(PNG, 1)), 850_031);
    assert_eq!(codes(&base64_of(b"text", 4)), 850_019);
    bench.change(|bot| bot.media.base64 = false);
    assert_eq!(code(&upload(&mut bench, &path, &base64_of(PNG, 1))), 10_000);
}

#[test]
fn above_its_soft_limit_a_picture_becomes_a_file() {
    let mut bench = Bench::with(|bot| bot.media.soft[0] = 10);
    let (id, path) = bench.asked(Act::c2c("alice", "draw"));
    let info = upload(&mut bench, &path, &base64_of(PNG, 1)).json()["file_info"].clone();
    let body = json!({"msg_type": 7, "media": {"file_info": info}, "msg_id": id});
    assert_eq!(bench.post_code(&path, &body), 0);
    let sent = bench.platform.ledger().bot_messages().next().unwrap();
    assert_eq!(sent.media.as_ref().unwrap().file_type, 4);
}

#[test]
fn sending_at_once_is_a_proactive_message() {
    let mut bench = Bench::new();
    let (_, path) = bench.asked(Act::c2c("alice", "draw"));
    let body = json!({"file_type": 1, "url": "https://x.example/a.png", "srv_send_msg": true});
    assert_eq!(code(&upload(&mut bench, &path, &body)), 40_034_105);
    bench.change(|bot| bot.messages.proactive = qq_emulator::settings::Proactive::Allowed);
    let answer = upload(&mut bench, &path, &body).json();
    assert!(answer["id"].as_str().unwrap().starts_with("ROBOT1.0_"));
}

fn attach(file: &str) -> Draft {
    let attachment = Attachment {
        file: Some(file.to_owned()),
        ..Attachment::default()
    };
    Draft {
        attachments: vec![attachment],
        ..Draft::default()
    }
}

#[test]
fn what_users_attach_is_served_until_its_key_expires() {
    let mut bench = Bench::new();
    let (conn, _) = bench.login();
    let file = bench.platform.add_file("cat.png", None, PNG.to_vec());
    let message = attach(&file);
    let user = "alice".into();
    bench.frames(conn);
    bench.act(Act::C2c { user, message });
    let attachment = bench.frames(conn)[0]["d"]["attachments"][0].clone();
    assert_eq!(attachment["content_type"], "image/png");
    assert_eq!(attachment["filename"], "cat.png");
    assert!(attachment.get("file").is_none());
    let url = attachment["url"].as_str().unwrap().to_owned();
    assert_eq!(fetch(&mut bench, &url).bytes(), PNG);
    assert_eq!(
        fetch(&mut bench, &url.replace("rkey=", "rkey=f")).status,
        403
    );
    bench.pass(Duration::from_secs(3601));
    assert_eq!(fetch(&mut bench, &url).status, 403);
    let path = url.strip_prefix("http://emulator.invalid").unwrap();
    bench.call("GET", path, None);
    assert!(matches!(
        bench.violations().last(),
        Some(Violation::LeakedAuthorization { .. })
    ));
}

#[test]
fn addresses_come_with_and_without_scheme() {
    let mut bench = Bench::new();
    let conn = bench.identify(ALL_PUBLIC);
    let file = bench
        .platform
        .add_file("a.wav", None, b"RIFF....WAVEfmt ".to_vec());
    bench.frames(conn);
    for form in [UrlForm::Full, UrlForm::NoScheme, UrlForm::Bare] {
        bench.change(|bot| bot.media.urls = form);
        let (user, message) = ("alice".into(), attach(&file));
        bench.act(Act::C2c { user, message });
    }
    let at = InChannel::new("club", "chat", "bob");
    let message = attach(&file);
    bench.act(Act::ChannelAt { at, message });
    let frames = bench.frames(conn);
    let url = |at: usize| frames[at]["d"]["attachments"][0]["url"].as_str().unwrap();
    assert!(url(0).starts_with("http://emulator.invalid/download"));
    assert!(url(1).starts_with("//emulator.invalid/download"));
    assert!(url(2).starts_with("emulator.invalid/download"));
    assert!(url(3).starts_with("emulator.invalid/download"));
    let voice = &frames[0]["d"]["attachments"][0];
    assert_eq!(voice["content_type"], "voice");
    assert_eq!(voice["voice_wav_url"], voice["url"]);
    let (user, message) = ("alice".into(), attach("nothing"));
    assert!(
        bench
            .platform
            .act(bench.now, &Act::C2c { user, message }.into())
            .0
            .is_err()
    );
}
