//! One function for each reader of bytes that come from outside: the platform, a model, a plugin's author, whoever
//! reaches the control socket. Each panics when the reader breaks a promise, and is otherwise silent.
//!
//! `cargo test -p fuzz` runs them on the corpus and on seeded variations of it; `cargo xtask fuzz` lets libFuzzer
//! look for more. What must not live here: a reader of its own, and anything that a reader cannot reach from its bytes.
//!
//! ```
//! fuzz::markdown(b"[a](https://a.cn) **b**");
//! ```

#![forbid(unsafe_code)]

use std::fs;
use std::path::Path;

use prx_host::control::Request;
use prx_host::manifest::Manifest;
use prx_host::package::Package;
use prx_host::trace::line::Line;
use qq_channel::bindings::{
    Boot, Captured, Event, HttpDone, HttpOutcome, HttpResponse, Instant, SocketText, StartReason,
};
use qq_channel::channel::{Channel, describe};
use qq_channel::delivery::tags::{Mentions, harmless};
use qq_channel::delivery::{cards, links, markdown, split};
use qq_channel::gateway::frame;

/// A function for the bytes of one reader.
pub type Target = fn(&[u8]);

/// All of them, by the names of their corpora.
pub const TARGETS: [(&str, Target); 8] = [
    ("gateway_frame", gateway_frame),
    ("inbound_event", inbound_event),
    ("markdown", markdown),
    ("card_block", card_block),
    ("trace_line", trace_line),
    ("plugin_package", plugin_package),
    ("control_request", control_request),
    ("manifest", manifest),
];

/// Names of events whose bodies are tried; the first byte chooses one.
const EVENTS: [&str; 16] = [
    "C2C_MESSAGE_CREATE",
    "GROUP_AT_MESSAGE_CREATE",
    "GROUP_MESSAGE_CREATE",
    "AT_MESSAGE_CREATE",
    "MESSAGE_CREATE",
    "DIRECT_MESSAGE_CREATE",
    "INTERACTION_CREATE",
    "MESSAGE_REACTION_ADD",
    "MESSAGE_AUDIT_PASS",
    "PUBLIC_MESSAGE_DELETE",
    "GROUP_ADD_ROBOT",
    "GROUP_DEL_ROBOT",
    "FRIEND_ADD",
    "GUILD_CREATE",
    "CHANNEL_UPDATE",
    "UNHEARD_OF",
];

/// A channel with a token, a session and a connection.
struct Connected {
    channel: Channel,
    now: Instant,
    socket: u64,
}

impl Connected {
    fn new() -> Option<Self> {
        let mut table = serde_json::Map::new();
        for key in describe().keys.into_iter().filter(|key| !key.secret) {
            let default = key
                .default
                .and_then(|json| serde_json::from_str(&json).ok());
            table.extend(default.map(|value| (key.name, value)));
        }
        table.insert("app_id".into(), "102012345".into());
        table.insert("allowed_users".into(), serde_json::json!(["*"]));
        let boot = Boot {
            instance: "qq".into(),
            boot_number: 1,
            entropy: vec![7; 32],
            reason: StartReason::Cold,
            config: serde_json::Value::Object(table).to_string(),
            secrets: vec!["app_secret".into()],
            entries: Vec::new(),
            shed: 0,
            checkpoint: None,
            host: "fuzz".into(),
        };
        let now = Instant {
            mono_ms: 1_000,
            wall_ms: 1_800_000_000_000,
        };
        let (channel, _) = Channel::start(now, boot, Box::new(|_, _| {})).ok()?;
        let mut connected = Self {
            channel,
            now,
            socket: 0,
        };
        connected.answer(r#"{"access_token":"","expires_in":"7200"}"#, true);
        connected.answer(r#"{"url":"wss://api.sgroup.qq.com/websocket"}"#, false);
        connected.socket = *connected.channel.holdings().sockets.first()?;
        connected.handle(Event::SocketOpened(connected.socket));
        connected.frame(r#"{"op":10,"d":{"heartbeat_interval":41250}}"#);
        connected.frame(r#"{"op":0,"s":1,"t":"READY","d":{"session_id":"s","user":{"id":"9"}}}"#);
        Some(connected)
    }

    fn handle(&mut self, event: Event) {
        self.now.mono_ms += 10;
        self.now.wall_ms += 10;
        let effects = self.channel.handle(self.now, event);
        assert!(effects.len() <= 4_096, "{} effects", effects.len());
    }

    fn frame(&mut self, text: &str) {
        self.handle(Event::SocketText(SocketText {
            id: self.socket,
            text: text.to_owned(),
        }));
    }

    fn answer(&mut self, body: &str, token: bool) {
        let Some(id) = self.channel.holdings().requests.last().copied() else {
            return;
        };
        let captured = token.then(|| Captured {
            name: "access_token".into(),
            generation: 1,
            changed: true,
        });
        self.handle(Event::HttpDone(HttpDone {
            id,
            outcome: HttpOutcome::Response(HttpResponse {
                status: 200,
                headers: Vec::new(),
                body: body.to_owned(),
                truncated: false,
                blob: None,
            }),
            used: Vec::new(),
            captured: captured.into_iter().collect(),
        }));
    }
}

/// Frames of the gateway, one in each line: the channel takes whatever comes.
pub fn gateway_frame(data: &[u8]) {
    let text = String::from_utf8_lossy(data);
    drop(frame::read(&text));
    let Some(mut connected) = Connected::new() else {
        panic!("the channel does not start");
    };
    for line in text.lines().take(16) {
        connected.frame(line);
    }
}

/// The body of an event, behind a byte for its name.
pub fn inbound_event(data: &[u8]) {
    let Some((first, body)) = data.split_first() else {
        return;
    };
    let Ok(body) = std::str::from_utf8(body) else {
        return;
    };
    let name = EVENTS[usize::from(*first) % EVENTS.len()];
    let frame = format!("{{\"op\":0,\"s\":2,\"t\":\"{name}\",\"id\":\"{name}:x\",\"d\":{body}}}");
    if let Some(mut connected) = Connected::new() {
        connected.frame(&frame);
        connected.frame(&frame);
    }
}

/// What a model writes: rendered, cut and defused.
pub fn markdown(data: &[u8]) {
    let text = String::from_utf8_lossy(data);
    let (shown, plain) = (markdown::to_qq(&text), markdown::to_plain(&text));
    for (at, _) in shown.match_indices("](") {
        let target = shown.get(at + 2..).unwrap_or_default();
        let web = target.starts_with("https://") || target.starts_with("http://");
        assert!(web, "a link leads elsewhere: {shown:?}");
    }
    let stable = markdown::to_qq(markdown::stable_prefix(&text));
    assert!(
        shown.starts_with(stable.trim_end()),
        "taken back: {stable:?} of {shown:?}"
    );
    for limit in [1, 7, 2_048] {
        let mut pieces = split::split_markdown(&shown, limit).chain(split::split(&plain, limit));
        assert!(pieces.all(|piece| split::length(piece) <= limit && !piece.trim().is_empty()));
    }
    let without = links::without_links(&shown).unwrap_or(shown);
    drop(links::without_everyone(&without));
    let harmless_once = harmless(&without, Mentions::Sender("A"));
    assert!(!harmless_once.contains("<qqbot-cmd") && !harmless_once.contains("@everyone"));
    assert_eq!(
        harmless(&harmless_once, Mentions::Sender("A")),
        harmless_once
    );
}

/// A card that a model writes: read, written and read again.
pub fn card_block(data: &[u8]) {
    let text = String::from_utf8_lossy(data);
    let Ok(card) = cards::read(&text) else {
        return;
    };
    drop(card.plain());
    let written = String::from(card.clone());
    match cards::read(&written) {
        Ok(again) => assert_eq!(again, card),
        Err(error) => panic!("what was written cannot be read: {error}: {written}"),
    }
}

/// A line of a trace, which somebody else may have written.
pub fn trace_line(data: &[u8]) {
    let text = String::from_utf8_lossy(data);
    if let Ok(line) = Line::read(&text, 1) {
        let written = line.write().unwrap_or_default();
        assert!(Line::read(&written, 1).is_ok(), "{written}");
    }
}

/// A plugin's folder: the manifest, a zero byte, the signature, a zero byte, the component.
pub fn plugin_package(data: &[u8]) {
    let mut parts = data.splitn(3, |byte| *byte == 0);
    let files = ["plugin.toml", "plugin.sig", "plugin.wasm"];
    let Ok(folder) = tempfile::tempdir() else {
        return;
    };
    let folder = folder.path().join("qq");
    if fs::create_dir(&folder).is_err() {
        return;
    }
    for file in files {
        if let Some(bytes) = parts.next() {
            write(&folder, file, bytes);
        }
    }
    drop(Package::look(&folder));
}

fn write(folder: &Path, file: &str, bytes: &[u8]) {
    if let Err(error) = fs::write(folder.join(file), bytes) {
        panic!("{file} cannot be written: {error}");
    }
}

/// A line on the control socket.
pub fn control_request(data: &[u8]) {
    drop(Request::read(data));
}

/// A manifest.
pub fn manifest(data: &[u8]) {
    drop(Manifest::parse(&String::from_utf8_lossy(data)));
}
