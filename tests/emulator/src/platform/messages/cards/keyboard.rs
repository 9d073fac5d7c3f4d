//! Keyboards: rows, buttons, and what each of them must have.

use std::collections::BTreeSet;

use serde_json::{Map, Value};

use super::super::Refusal;
use super::super::fields::{chars, number_of, object_of, text_of};
use crate::settings::BotSettings;

/// Rows, and buttons in a row.
const SIDE: usize = 5;

/// Characters of a label.
const LABEL: usize = 10;

/// Characters of a command that a button inserts.
const COMMAND: usize = 100;

/// Reads a `keyboard` object: a template, or rows of one's own if they are allowed.
pub(crate) fn read_keyboard(
    keyboard: &Map<String, Value>,
    bot: &BotSettings,
) -> Result<(), Refusal> {
    match (text_of(keyboard, "id"), keyboard.get("content")) {
        (Some(_), Some(_)) => Err(Refusal::malformed(
            304_040,
            "a keyboard with both template and content",
        )),
        (Some(id), None) => match &bot.grants.keyboard_templates {
            Some(known) if !known.iter().any(|it| it == id) => Err(Refusal::code(304_038)),
            _ => Ok(()),
        },
        (None, Some(_)) if !bot.messages.keyboard => Err(Refusal::code(304_057)),
        (None, Some(content)) => read_rows(content, bot.messages.button_tips),
        (None, None) => Err(Refusal::malformed(
            304_039,
            "a keyboard without template and content",
        )),
    }
}

/// The button with this id or label.
pub(crate) fn find_button<'a>(keyboard: &'a Value, wanted: &str) -> Option<&'a Value> {
    let rows = keyboard.pointer("/content/rows")?.as_array()?;
    let mut buttons = rows
        .iter()
        .filter_map(|row| row.get("buttons")?.as_array())
        .flatten();
    buttons.find(|button| {
        let label = button.pointer("/render_data/label");
        [button.get("id"), label]
            .into_iter()
            .flatten()
            .any(|it| it == wanted)
    })
}

fn read_rows(content: &Value, tips: bool) -> Result<(), Refusal> {
    let rows = content.get("rows").and_then(Value::as_array);
    let rows = rows
        .filter(|rows| !rows.is_empty())
        .ok_or_else(|| Refusal::malformed(304_039, "a keyboard without rows"))?;
    let too_big = || Refusal::malformed(40_034_029, "a keyboard with too many rows or columns");
    if rows.len() > SIDE {
        return Err(too_big());
    }
    let mut ids = BTreeSet::new();
    for row in rows {
        let buttons = row.get("buttons").and_then(Value::as_array);
        let buttons = buttons
            .filter(|buttons| !buttons.is_empty())
            .ok_or_else(|| Refusal::malformed(304_039, "a row without buttons"))?;
        if buttons.len() > SIDE {
            return Err(too_big());
        }
        for button in buttons {
            read_button(button, &mut ids, tips)
                .map_err(|why| Refusal::malformed(305_007, format!("a button {why}")))?;
        }
    }
    Ok(())
}

fn read_button<'a>(
    button: &'a Value,
    ids: &mut BTreeSet<&'a str>,
    tips: bool,
) -> Result<(), &'static str> {
    let button = button.as_object().ok_or("that is no object")?;
    if let Some(id) = text_of(button, "id")
        && !ids.insert(id)
    {
        return Err("with the id of another one");
    }
    let shown = object_of(button, "render_data").ok_or("without render_data")?;
    let label = text_of(shown, "label").ok_or("without label")?;
    let visited = text_of(shown, "visited_label").unwrap_or_default();
    if chars(label) > LABEL || chars(visited) > LABEL {
        return Err("with a label of more than 10 characters");
    }
    if number_of(shown, "style").is_none_or(|style| style > 4) {
        return Err("with an unknown style");
    }
    let action = object_of(button, "action").ok_or("without action")?;
    if tips && text_of(action, "unsupport_tips").is_none() {
        return Err("without unsupport_tips");
    }
    read_action(action)
}

fn read_action(action: &Map<String, Value>) -> Result<(), &'static str> {
    let kind = number_of(action, "type").filter(|kind| *kind <= 4);
    let kind = kind.ok_or("with an unknown action type")?;
    let permission = object_of(action, "permission").ok_or("without permission")?;
    let listed = |name: &str| {
        let all = permission.get(name).and_then(Value::as_array);
        all.is_some_and(|all| all.iter().all(Value::is_string))
    };
    match number_of(permission, "type") {
        Some(0) if !listed("specify_user_ids") => return Err("for listed users, without a list"),
        Some(3) if !listed("specify_role_ids") => return Err("for listed roles, without a list"),
        Some(0..=3) => {}
        _ => return Err("with an unknown permission type"),
    }
    let data = text_of(action, "data");
    match (kind, data) {
        (0..=3, None) => return Err("without data"),
        (2, Some(data)) if chars(data) > COMMAND => {
            return Err("with a command of more than 100 characters");
        }
        _ => {}
    }
    if kind == 4 && object_of(action, "subscribe_data").is_none() {
        return Err("that subscribes to nothing");
    }
    object_of(action, "modal").map_or(Ok(()), read_modal)
}

fn read_modal(modal: &Map<String, Value>) -> Result<(), &'static str> {
    for (name, most) in [("content", 40), ("confirm_text", 4), ("cancel_text", 4)] {
        if text_of(modal, name).is_some_and(|text| chars(text) > most) {
            return Err("with a modal that says too much");
        }
    }
    if text_of(modal, "content").is_some_and(|text| text.contains("://")) {
        return Err("with a URL in its modal");
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn code(keyboard: &Value) -> u32 {
        let fields = keyboard.as_object().unwrap();
        read_keyboard(fields, &BotSettings::default()).map_or_else(|it| it.code, |()| 0)
    }

    fn button(id: &str) -> Value {
        json!({"id": id, "render_data": {"label": "Yes", "visited_label": "Done", "style": 1},
            "action": {"type": 1, "data": "yes", "permission": {"type": 2},
                "unsupport_tips": "update"}})
    }

    #[test]
    fn keyboards_are_read_strictly() {
        let of = |rows: Value| json!({"content": {"rows": rows}});
        let row =
            |ids: &[&str]| json!({"buttons": ids.iter().map(|id| button(id)).collect::<Vec<_>>()});
        assert_eq!(code(&of(json!([row(&["a", "b"])]))), 0);
        assert_eq!(code(&of(json!([row(&["a", "a"])]))), 305_007);
        assert_eq!(
            code(&of(json!([row(&["1", "2", "3", "4", "5", "6"])]))),
            40_034_029
        );
        assert_eq!(code(&of(json!([]))), 304_039);
        assert_eq!(code(&json!({"id": "1", "content": {}})), 304_040);
        assert_eq!(code(&json!({"id": "1"})), 0);
        let mut long = button("a");
        long["render_data"]["label"] = json!("more than ten");
        assert_eq!(code(&of(json!([{"buttons": [long]}]))), 305_007);
    }

    #[test]
    fn a_button_is_found_by_id_and_by_label() {
        let keyboard = json!({"content": {"rows": [{"buttons": [button("a")]}]}});
        assert!(find_button(&keyboard, "a").is_some());
        assert!(find_button(&keyboard, "Yes").is_some());
        assert!(find_button(&keyboard, "No").is_none());
    }
}
