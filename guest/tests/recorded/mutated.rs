//! Frames that are almost right: each field missing, and each field with something else in its place.

use qq_channel::inbound::Inbound;
use serde_json::{Value, json};

use crate::reading::{Frame, ONE_OF_EACH, assert_bounded, everything, frames, message, occasion};

/// Fields without which a message is none, or is empty.
const NEEDED: &[&str] = &[
    "/id",
    "/author",
    "/author/id",
    "/author/user_openid",
    "/author/member_openid",
    "/group_openid",
    "/channel_id",
    "/guild_id",
];

fn pointers(value: &Value, path: &str, found: &mut Vec<String>) {
    let inner: Vec<(String, &Value)> = match value {
        Value::Object(fields) => fields
            .iter()
            .map(|(name, inner)| (name.clone(), inner))
            .collect(),
        Value::Array(elements) => {
            let numbered = elements.iter().enumerate();
            numbered
                .map(|(number, inner)| (number.to_string(), inner))
                .collect()
        }
        _ => return,
    };
    for (name, inner) in inner {
        let path = format!("{path}/{name}");
        pointers(inner, &path, found);
        found.push(path);
    }
}

/// The body with this in the place of one field, or without it.
fn with(body: &Value, pointer: &str, instead: Option<&Value>) -> Value {
    let mut body = body.clone();
    match instead {
        Some(instead) => *body.pointer_mut(pointer).unwrap() = instead.clone(),
        None => {
            let (parent, name) = pointer.rsplit_once('/').unwrap();
            match body.pointer_mut(parent).unwrap() {
                Value::Object(fields) => drop(fields.remove(name)),
                Value::Array(elements) => drop(elements.remove(name.parse().unwrap())),
                _ => unreachable!("only objects and arrays have something inside"),
            }
        }
    }
    body
}

/// Fields of the message that are not as they were before one field of the body was odd.
fn differences(frame: &Frame, inbound: &Inbound) -> Vec<String> {
    let fields = |inbound: &Inbound| match serde_json::to_value(inbound) {
        Ok(Value::Object(fields)) => fields,
        other => unreachable!("{other:?}"),
    };
    let whole = message(&frame.event, &frame.body.to_string())
        .unwrap()
        .unwrap();
    let (before, after) = (fields(&whole), fields(inbound));
    let differ = before
        .iter()
        .filter(|(name, value)| after.get(*name) != Some(*value));
    differ.map(|(name, _)| name.clone()).collect()
}

#[test]
fn one_odd_field_costs_that_field_and_not_the_message() {
    let instead = [
        Value::Null,
        json!(7),
        json!(-1.5e300),
        json!(18_446_744_073_709_551_615_u64),
        json!("odd"),
        json!(""),
        json!([]),
        json!([null, 1, ["x"], {"id": []}]),
        json!({}),
        json!({"id": {"id": null}}),
    ];
    for frame in frames() {
        let mut paths = Vec::new();
        pointers(&frame.body, "", &mut paths);
        for pointer in paths {
            for instead in instead.iter().map(Some).chain([None]) {
                let body = with(&frame.body, &pointer, instead).to_string();
                everything(&frame.event, &frame.id, &body);
                if let Some(Ok(inbound)) = occasion(&frame.event, &frame.id, &body) {
                    assert_bounded(&inbound, &body);
                }
                match message(&frame.event, &body) {
                    Some(Ok(inbound)) => {
                        assert_bounded(&inbound, &body);
                        let differ = differences(&frame, &inbound);
                        assert!(
                            differ.len() <= 2,
                            "{}: {pointer} = {instead:?} cost {differ:?}",
                            frame.name
                        );
                    }
                    // Without its only content it is empty, and that is what it is called.
                    Some(Err(why)) => assert!(
                        NEEDED.contains(&pointer.as_str())
                            || pointer.starts_with("/content")
                            || pointer.starts_with("/attachments")
                            || pointer.starts_with("/ark_data")
                            || pointer.starts_with("/msg_elements"),
                        "{}: {pointer} = {instead:?}: {why:?}",
                        frame.name
                    ),
                    None => {}
                }
            }
        }
    }
}

#[test]
fn every_reader_survives_every_body() {
    for frame in frames() {
        let body = frame.body.to_string();
        for event in ONE_OF_EACH {
            everything(event, &frame.id, &body);
            for made in [message(event, &body), occasion(event, "", &body)]
                .into_iter()
                .flatten()
                .flatten()
            {
                assert_bounded(&made, &body);
            }
        }
    }
}

#[test]
fn what_is_no_object_is_no_event() {
    for body in [
        "",
        "null",
        "7",
        "\"x\"",
        "[]",
        "{",
        "{\"id\":1e999}",
        "\u{0}",
    ] {
        for event in ONE_OF_EACH {
            assert!(
                everything(event, "id", body).contains(if event.ends_with("MESSAGE_CREATE") {
                    "Incomplete"
                } else {
                    "None"
                })
            );
        }
    }
}

#[test]
fn nesting_without_end_has_an_end() {
    let mut element = json!({"content": "innermost"});
    for _ in 0..40 {
        element = json!({"content": "x", "message_type": 102, "msg_elements": [element.clone(), element]});
        if element.to_string().len() > 200_000 {
            break;
        }
    }
    let body = json!({
        "id": "m", "author": {"user_openid": "A"}, "message_type": 102, "msg_elements": [element],
    })
    .to_string();
    let inbound = message("C2C_MESSAGE_CREATE", &body).unwrap().unwrap();
    assert_bounded(&inbound, &body);
    assert!(!inbound.text.contains("innermost"));
}
