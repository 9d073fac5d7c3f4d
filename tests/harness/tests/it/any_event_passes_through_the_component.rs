//! Whatever the gateway sends, the component takes it: recorded events, each of them with any field wrong, and JSON of
//! random shape. No trap, no loop, no growth: it runs in 4 MiB and within the deadline of a call, or the test fails.

use std::path::Path;
use std::sync::OnceLock;

use prx_host::bindings::v0_1::*;
use prx_host::guest::wasm::WasmComponent;
use prx_host::guest::{Component, Guest};
use prx_host::limits::Limits;
use serde_json::{Map, Value, json};

use crate::common::engine;

/// The component with little memory, compiled once.
fn component() -> &'static WasmComponent {
    static COMPONENT: OnceLock<WasmComponent> = OnceLock::new();
    COMPONENT.get_or_init(|| {
        let limits = Limits {
            memory_bytes: 4 << 20,
            ..Limits::STANDARD
        };
        WasmComponent::load(engine(), qq_channel_embed::COMPONENT, limits).unwrap()
    })
}

/// A connected channel in the sandbox, whose requests nobody answers.
struct Wired {
    guest: Box<dyn Guest>,
    now: Instant,
    socket: u64,
    seq: u64,
}

impl Wired {
    fn new() -> Self {
        let component = component();
        let config = config(&component.describe().unwrap());
        let mut wired = Self {
            guest: component.instantiate().unwrap(),
            now: Instant {
                mono_ms: 1_000,
                wall_ms: 1_800_000_000_000,
            },
            socket: 0,
            seq: 0,
        };
        let boot = Boot {
            instance: "qq".into(),
            boot_number: 1,
            entropy: vec![7; 32],
            reason: StartReason::Cold,
            config,
            secrets: vec!["app_secret".into()],
            entries: Vec::new(),
            checkpoint: None,
            host: "test".into(),
        };
        let effects = wired
            .guest
            .start(wired.now, &boot)
            .unwrap()
            .unwrap_or_else(|_| panic!("refused"));
        let token = request(&effects);
        let captured = vec![Captured {
            name: "access_token".into(),
            generation: 1,
            changed: true,
        }];
        let effects = wired.answer(
            token,
            r#"{"access_token":"","expires_in":"7200"}"#,
            captured,
        );
        let effects = wired.answer(
            request(&effects),
            r#"{"url":"wss://api.sgroup.qq.com/websocket"}"#,
            vec![],
        );
        wired.socket = effects
            .iter()
            .find_map(|effect| match &effect.action {
                Action::SocketOpen(open) => Some(open.id),
                _ => None,
            })
            .unwrap();
        wired.handle(Event::SocketOpened(wired.socket));
        wired.frame(&json!({"op": 10, "d": {"heartbeat_interval": 41_250}}).to_string());
        wired.seq = 1;
        wired.frame(&json!({"op": 0, "s": 1, "t": "READY", "d": {"session_id": "s", "user": {"id": "9", "username": "bot"}}}).to_string());
        wired
    }

    fn handle(&mut self, event: Event) -> Vec<Effect> {
        self.now.mono_ms += 10;
        self.now.wall_ms += 10;
        self.guest
            .handle(self.now, &event)
            .unwrap_or_else(|fault| panic!("{fault} at {event:?}"))
    }

    fn answer(&mut self, id: u64, body: &str, captured: Vec<Captured>) -> Vec<Effect> {
        let response = HttpResponse {
            status: 200,
            headers: Vec::new(),
            body: body.to_owned(),
            truncated: false,
            blob: None,
        };
        self.handle(Event::HttpDone(HttpDone {
            id,
            outcome: HttpOutcome::Response(response),
            used: Vec::new(),
            captured,
        }))
    }

    fn frame(&mut self, text: &str) -> Vec<Effect> {
        let text = SocketText {
            id: self.socket,
            text: text.to_owned(),
        };
        self.handle(Event::SocketText(text))
    }

    /// An event with the next sequence number. True when the number counts as handled afterwards.
    fn event(&mut self, mut frame: Value) -> bool {
        self.seq += 1;
        frame["op"] = 0.into();
        frame["s"] = self.seq.into();
        let effects = self.frame(&frame.to_string());
        assert!(
            effects.len() < 200,
            "{} effects of one event",
            effects.len()
        );
        effects.iter().any(|effect| match &effect.action {
            Action::StorePut(entry) if entry.key == "session" => {
                let stored: Value = serde_json::from_slice(&entry.value).unwrap();
                stored["session"]["handled"] == self.seq
            }
            _ => false,
        })
    }
}

fn request(effects: &[Effect]) -> u64 {
    let found = effects.iter().find_map(|effect| match &effect.action {
        Action::Http(request) => Some(request.id),
        _ => None,
    });
    found.unwrap()
}

fn config(info: &ChannelInfo) -> String {
    let mut table = Map::new();
    for key in info.keys.iter().filter(|key| !key.secret) {
        if let Some(default) = &key.default {
            table.insert(key.name.clone(), serde_json::from_str(default).unwrap());
        }
    }
    table.insert("app_id".into(), "102012345".into());
    table.insert("allowed_users".into(), json!(["*"]));
    table.insert("intents".into(), json!(["group_and_c2c"]));
    Value::Object(table).to_string()
}

fn recorded() -> Vec<(String, Value)> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../guest/tests/recorded");
    let files = std::fs::read_dir(folder)
        .unwrap()
        .map(|file| file.unwrap().path());
    let mut events: Vec<(String, Value)> = files
        .filter(|path| path.extension().is_some_and(|end| end == "json"))
        .map(|path| {
            let text = std::fs::read_to_string(&path).unwrap();
            (
                path.display().to_string(),
                serde_json::from_str(&text).unwrap(),
            )
        })
        .collect();
    events.sort_by(|one, other| one.0.cmp(&other.0));
    assert!(events.len() > 40);
    events
}

#[test]
fn recorded_events_are_taken_and_none_is_lost() {
    let mut wired = Wired::new();
    for (name, frame) in recorded() {
        assert!(
            wired.event(frame),
            "{name}: its number does not count as handled"
        );
    }
}

/// Every path to a value, as JSON pointers.
fn pointers(value: &Value, here: &str, found: &mut Vec<String>) {
    let mut each = |name: String, inner: &Value| {
        let at = format!("{here}/{name}");
        found.push(at.clone());
        pointers(inner, &at, found);
    };
    match value {
        Value::Object(fields) => fields
            .iter()
            .for_each(|(name, inner)| each(name.clone(), inner)),
        Value::Array(items) => items
            .iter()
            .enumerate()
            .for_each(|(at, inner)| each(at.to_string(), inner)),
        _ => {}
    }
}

#[test]
fn an_event_with_any_field_wrong_does_no_harm() {
    let mut wired = Wired::new();
    let odd = [
        json!(null),
        json!(7),
        json!(-1.5),
        json!("x"),
        json!([]),
        json!({}),
        json!([[{"id": 1}]]),
        json!(true),
    ];
    for (name, frame) in recorded() {
        let mut at = Vec::new();
        pointers(&frame["d"], "/d", &mut at);
        for (number, pointer) in at.iter().enumerate() {
            let mut mutated = frame.clone();
            *mutated.pointer_mut(pointer).unwrap() = odd[number % odd.len()].clone();
            mutated["id"] = format!("{name}{number}").into();
            assert!(wired.event(mutated), "{name} with {pointer} wrong");
        }
    }
}

/// Names that some reader looks for, so that what is random gets anywhere.
const NAMES: &[&str] = &[
    "id",
    "author",
    "content",
    "timestamp",
    "message_type",
    "message_scene",
    "ext",
    "attachments",
    "msg_elements",
    "mentions",
    "is_you",
    "user_openid",
    "member_openid",
    "group_openid",
    "openid",
    "guild_id",
    "channel_id",
    "message_reference",
    "message_id",
    "ark_data",
    "fields",
    "url",
    "content_type",
    "data",
    "resolved",
    "type",
    "scene",
    "button_data",
    "target",
    "emoji",
    "user_id",
    "audit_id",
    "message",
    "op_user",
    "name",
    "bot",
    "d",
    "op",
    "s",
    "t",
];

const EVENTS: &[&str] = &[
    "C2C_MESSAGE_CREATE",
    "GROUP_AT_MESSAGE_CREATE",
    "GROUP_MESSAGE_CREATE",
    "AT_MESSAGE_CREATE",
    "MESSAGE_CREATE",
    "DIRECT_MESSAGE_CREATE",
    "MESSAGE_DELETE",
    "MESSAGE_REACTION_ADD",
    "INTERACTION_CREATE",
    "FRIEND_ADD",
    "GROUP_ADD_ROBOT",
    "C2C_MSG_RECEIVE",
    "MESSAGE_AUDIT_PASS",
    "GUILD_CREATE",
    "CHANNEL_CREATE",
    "READY",
    "RESUMED",
    "FORUM_THREAD_CREATE",
    "SOMETHING_NEW",
];

fn random(rng: &mut fastrand::Rng, depth: u32) -> Value {
    match rng.u32(0..if depth == 0 { 7 } else { 11 }) {
        0 => Value::Null,
        1 => rng.bool().into(),
        2 => rng.i64(..).into(),
        3 => rng.f64().into(),
        4 => rng.u32(0..120).into(),
        5 => {
            let length = rng.usize(0..30);
            let letters = std::iter::repeat_with(|| rng.char(..)).take(length);
            letters.collect::<String>().into()
        }
        6 => [
            "A",
            "",
            "group",
            "msg_idx=R==",
            "<@A> hi",
            "voice",
            "//a.b/c",
            "2026-07-21T10:30:00+08:00",
        ][rng.usize(0..8)]
        .into(),
        7 => (0..rng.usize(0..5))
            .map(|_| random(rng, depth - 1))
            .collect(),
        _ => {
            let fields = (0..rng.usize(0..9)).map(|_| {
                (
                    NAMES[rng.usize(0..NAMES.len())].to_owned(),
                    random(rng, depth - 1),
                )
            });
            Value::Object(fields.collect())
        }
    }
}

#[test]
fn json_of_any_shape_is_taken_without_trap_loop_or_growth() {
    let mut wired = Wired::new();
    let mut rng = fastrand::Rng::with_seed(3);
    for _ in 0..6_000 {
        let name = EVENTS[rng.usize(0..EVENTS.len())];
        let frame = json!({"op": 0, "s": rng.u32(0..9_000), "t": name, "id": rng.u32(..).to_string(), "d": random(&mut rng, 5)});
        wired.frame(&frame.to_string());
        let anything = random(&mut rng, 4);
        wired.frame(&anything.to_string());
    }
    // Ids that repeat are repetitions, and everything else has had its turn: nothing else is held.
    assert!(wired.guest.inventory().unwrap().timers.len() < 20);
}

#[test]
fn text_that_is_no_json_is_taken_too() {
    let mut wired = Wired::new();
    let deep = "[".repeat(100_000);
    let long = format!(
        "{{\"op\":0,\"s\":9,\"t\":\"C2C_MESSAGE_CREATE\",\"d\":{{\"id\":\"m\",\"author\":{{\"user_openid\":\"A\"}},\"content\":\"{}\"}}}}",
        "<".repeat(500_000)
    );
    for text in [
        "",
        "{",
        "null",
        "\u{0}",
        "{\"op\":",
        "\"op\"",
        "{\"op\":0}",
        "{\"op\":99999999999999999999}",
        &deep,
        &long,
    ] {
        wired.frame(text);
    }
}

#[test]
fn an_answer_of_any_text_is_planned_within_the_deadline() {
    for piece in [
        "*", "[", "`", "|", "<", "_", "> ", "- ", "#", "](", "![", "~~", "a|b\n", "```\n", "<@",
        "1. ", "**a", "http://", "a.b ",
    ] {
        let mut wired = Wired::new();
        let message = json!({"t": "C2C_MESSAGE_CREATE", "id": "e", "d": {"id": "m", "author": {"user_openid": "A"}, "content": "hi"}});
        assert!(wired.event(message));
        let turn = wired.guest.inventory().unwrap().turns[0];
        let text = piece.repeat(100_000 / piece.len());
        let news = TurnNews::Finished(vec![AnswerPart::Text(text)]);
        let effects = wired.handle(Event::Turn(TurnEvent {
            turn,
            attempt: 1,
            news,
        }));
        assert!(!effects.is_empty(), "{piece:?}");
    }
}
