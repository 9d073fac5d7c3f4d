//! Whatever the gateway sends, the component takes it: recorded events, each of them with any field wrong, and JSON of
//! random shape. No trap, no loop, no growth: it runs in 4 MiB and within the deadline of a call, or the test fails.

use std::path::Path;
use std::sync::OnceLock;

use prx_host::bindings::v0_1::*;
use prx_host::guest::wasm::WasmComponent;
use prx_host::limits::Limits;
use serde_json::{Value, json};

use crate::common::engine;
use crate::wired::Wired;

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

fn wired() -> Wired {
    Wired::new(component(), &json!({}))
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
    let mut wired = wired();
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
    let mut wired = wired();
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
    let mut wired = wired();
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
    let mut wired = wired();
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
        let mut wired = wired();
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
