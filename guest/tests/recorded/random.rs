//! Anything at all: random JSON with the names that events have.

use proptest::prelude::*;
use serde_json::{Map, Value};

use crate::reading::{ONE_OF_EACH, assert_bounded, everything, message, occasion};

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
    "username",
    "user_openid",
    "member_openid",
    "group_openid",
    "openid",
    "guild_id",
    "channel_id",
    "src_guild_id",
    "message_reference",
    "message_id",
    "ark_data",
    "ark_type",
    "prompt",
    "fields",
    "msg_idx",
    "url",
    "voice_wav_url",
    "content_type",
    "filename",
    "size",
    "asr_refer_text",
    "data",
    "resolved",
    "type",
    "scene",
    "chat_type",
    "button_data",
    "feature_id",
    "target",
    "emoji",
    "user_id",
    "audit_id",
    "user",
    "roles",
    "result",
    "message",
    "op_user",
    "name",
    "bot",
    "member",
    "nick",
    "verify_info",
    "authorize_data",
];

/// Texts that mean something to some reader.
const TEXTS: &[&str] = &[
    "",
    " ",
    "A",
    "7",
    "true",
    "c2c",
    "group",
    "guild",
    "msg_idx=REFIDX_A==",
    "ref_msg_idx=REFIDX_B==",
    "ref_msg_idx=TMP_1",
    "<@A> hi",
    "<emoji:4>",
    "&lt;",
    "voice",
    "image/png",
    "file",
    "//a.b/c",
    "a.b/c",
    "file:///x",
    "../x",
    "2026-07-21T10:30:00+08:00",
    "2024-10-15 16:33:15 +0800 CST",
    "1699240365",
    "\u{202e}x",
];

fn leaf() -> impl Strategy<Value = Value> {
    prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::from),
        any::<u64>().prop_map(Value::from),
        any::<i64>().prop_map(Value::from),
        any::<f64>().prop_map(Value::from),
        (0_u64..120).prop_map(Value::from),
        proptest::sample::select(TEXTS).prop_map(Value::from),
        ".{0,40}".prop_map(Value::from),
    ]
}

fn json() -> impl Strategy<Value = Value> {
    let name = prop_oneof![
        9 => proptest::sample::select(NAMES).prop_map(str::to_owned),
        1 => ".{0,8}",
    ];
    leaf().prop_recursive(5, 96, 10, move |inner| {
        prop_oneof![
            proptest::collection::vec(inner.clone(), 0..6).prop_map(Value::from),
            proptest::collection::vec((name.clone(), inner), 0..10)
                .prop_map(|fields| Value::Object(fields.into_iter().collect::<Map<_, _>>())),
        ]
    })
}

/// An object that has what a message needs, and anything else.
fn complete() -> impl Strategy<Value = Value> {
    json().prop_map(|value| {
        let mut fields = match value {
            Value::Object(fields) => fields,
            other => Map::from_iter([("msg_elements".to_owned(), other)]),
        };
        let author = serde_json::json!({"id": "A", "user_openid": "A", "member_openid": "A"});
        fields.insert("author".to_owned(), author);
        for id in ["id", "group_openid", "channel_id", "guild_id"] {
            fields.insert(id.to_owned(), Value::from("X"));
        }
        // Something to read, or it is empty whatever else it has.
        fields.insert("content".to_owned(), Value::from("hi <@A> &amp;"));
        Value::Object(fields)
    })
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(512))]

    #[test]
    fn no_json_does_harm(value in json()) {
        let body = value.to_string();
        for event in ONE_OF_EACH {
            let read = everything(event, "E:1", &body);
            prop_assert!(read.len() <= 20_000 + 64 * body.len());
            for made in [message(event, &body), occasion(event, "E:1", &body)].into_iter().flatten().flatten() {
                assert_bounded(&made, &body);
            }
        }
    }

    #[test]
    fn a_message_with_id_sender_and_target_is_one_whatever_else_it_has(value in complete()) {
        let body = value.to_string();
        for event in ONE_OF_EACH.iter().filter(|event| event.ends_with("MESSAGE_CREATE")) {
            let inbound = message(event, &body).unwrap();
            prop_assert!(inbound.is_ok(), "{event}: {inbound:?}");
            assert_bounded(&inbound.unwrap(), &body);
        }
    }
}
