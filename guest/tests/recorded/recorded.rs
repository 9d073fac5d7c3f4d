//! Every recorded frame is read by the reader that its name asks for, and nothing of it is lost unsaid.

use std::collections::BTreeMap;

use qq_channel::events::moment::timestamp_ms;
use serde_json::Value;

use crate::expected::EXPECTED;
use crate::reading::{everything, frames, occasion};

#[test]
fn every_recorded_frame_is_read_without_loss() {
    let mut expected: BTreeMap<&str, _> = EXPECTED
        .iter()
        .map(|(name, contains, left)| (*name, (*contains, *left)))
        .collect();
    for frame in frames() {
        let read = everything(&frame.event, &frame.id, &frame.body.to_string());
        let mut left = Vec::new();
        collect_left(&frame.body, "", &read, &mut left);
        let (contains, may_be_left) = expected
            .remove(frame.name.as_str())
            .unwrap_or_else(|| panic!("{} is not in the table: {read}\n{left:?}", frame.name));
        for part in contains {
            assert!(read.contains(part), "{}: no {part} in {read}", frame.name);
        }
        assert_eq!(left, may_be_left, "{}: {read}", frame.name);
    }
    assert!(expected.is_empty(), "not recorded: {expected:?}");
}

/// Values that are not in what was read, by their path. What is empty, zero or false says nothing.
fn collect_left(value: &Value, path: &str, read: &str, left: &mut Vec<String>) {
    let inside = |name: &dyn std::fmt::Display| match path {
        "" => name.to_string(),
        path => format!("{path}.{name}"),
    };
    let found = match value {
        Value::Object(fields) => {
            let mut names: Vec<&String> = fields.keys().collect();
            names.sort();
            for name in names {
                collect_left(&fields[name], &inside(name), read, left);
            }
            return;
        }
        Value::Array(elements) => {
            for (number, element) in elements.iter().enumerate() {
                collect_left(element, &inside(&number), read, left);
            }
            return;
        }
        Value::Null | Value::Bool(false) => true,
        Value::Bool(true) => read.contains("true"),
        Value::Number(number) if number.as_u64() == Some(0) => true,
        Value::Number(number) => read.contains(&number.to_string()),
        Value::String(text) => {
            // `key=value` pairs are read as such.
            let text = text
                .split_once('=')
                .map_or(text.as_str(), |(_, value)| value);
            let written = format!("{text:?}");
            read.contains(written.trim_matches('"'))
        }
    };
    let moment = timestamp_ms(value).is_some_and(|ms| read.contains(&ms.to_string()));
    if !found && !moment {
        left.push(path.to_owned());
    }
}

#[test]
fn what_calls_for_an_answer_becomes_a_message_to_answer() {
    let mut answered = Vec::new();
    for frame in frames() {
        let made = occasion(&frame.event, &frame.id, &frame.body.to_string());
        if let Some(Ok(inbound)) = made {
            assert_eq!(inbound.id.as_str(), frame.id, "{}", frame.name);
            answered.push((frame.name, inbound.scene.word(), inbound.text));
        }
    }
    let answered: Vec<(&str, &str, &str)> = answered
        .iter()
        .map(|(name, scene, text)| (name.as_str(), *scene, text.as_str()))
        .collect();
    assert_eq!(
        answered,
        [
            (
                "friend_add",
                "c2c",
                "This person has just added you as a contact. Greet them briefly and say what you can do."
            ),
            (
                "group_add_robot",
                "group",
                "You were added to this group. Greet its members briefly and say what you can do."
            ),
            ("interaction_in_channel", "channel", "yes"),
            ("interaction_in_group", "group", "approve:42"),
            ("interaction_menu_in_private", "c2c", "menu_7"),
            ("message_reaction_add", "channel", "[汪汪]"),
        ]
    );
}
