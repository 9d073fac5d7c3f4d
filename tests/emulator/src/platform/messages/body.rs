//! The body of a send, read strictly: types, combinations, lengths, rights.

use serde_json::{Map, Value};

use super::{Refusal, key_of};
use crate::ledger::{BotForm, ReplyTo, Scene};
use crate::settings::{MessageSettings, Nulls};

/// A message that may be sent, if its chat and what it answers allow it.
#[derive(Debug)]
pub(crate) struct Outgoing {
    pub(crate) form: BotForm,
    /// What a user will read.
    pub(crate) text: String,
    pub(crate) reply_to: Option<ReplyTo>,
    pub(crate) msg_seq: u32,
    pub(crate) is_wakeup: bool,
}

/// The types that the documentation gives to fields.
#[derive(Debug, Clone, Copy)]
enum Kind {
    Text,
    Whole,
    Flag,
    Object,
}

const FIELDS: &[(&str, Kind)] = &[
    ("content", Kind::Text),
    ("msg_type", Kind::Whole),
    ("msg_id", Kind::Text),
    ("event_id", Kind::Text),
    ("msg_seq", Kind::Whole),
    ("is_wakeup", Kind::Flag),
    ("markdown", Kind::Object),
    ("keyboard", Kind::Object),
    ("media", Kind::Object),
    ("ark", Kind::Object),
    ("embed", Kind::Object),
    ("message_reference", Kind::Object),
    ("input_notify", Kind::Object),
    ("stream", Kind::Object),
    ("prompt_keyboard", Kind::Object),
    ("action_button", Kind::Object),
];

/// Reads a body for a scene.
pub(crate) fn read(
    json: &Value,
    scene: Scene,
    settings: &MessageSettings,
) -> Result<Outgoing, Refusal> {
    let Some(fields) = json.as_object() else {
        return Err(Refusal::malformed(
            12_002,
            "a message body that is no object",
        ));
    };
    check_types(fields, settings.nulls)?;
    check_ids(fields)?;
    let msg_seq = read_seq(fields)?;
    let (form, text) = match fields.get("msg_type").and_then(Value::as_u64).unwrap_or(0) {
        0 => (BotForm::Text, read_text(fields)?),
        2 => (BotForm::Markdown, read_markdown(fields, settings)?),
        3 => return Err(Refusal::code(304_004)),
        4 => return Err(Refusal::malformed(22_006, "an embed outside guilds")),
        6 => (BotForm::Typing, read_typing(fields, scene)?),
        7 => return Err(read_media(fields)),
        other => {
            return Err(Refusal::malformed(
                340_069,
                format!("msg_type {other} does not exist"),
            ));
        }
    };
    if text.chars().count() > settings.max_chars {
        return Err(Refusal::code(40_054_007));
    }
    if scene == Scene::Group && !settings.urls_in_groups && has_url(&text) {
        return Err(Refusal::code(40_054_010));
    }
    let is_wakeup = fields
        .get("is_wakeup")
        .and_then(Value::as_bool)
        .unwrap_or(false);
    let reply_to = key_of(text_of(fields, "msg_id"), text_of(fields, "event_id"));
    Ok(Outgoing {
        form,
        text,
        reply_to,
        msg_seq,
        is_wakeup,
    })
}

/// What a body answers and with which number, without judging the rest.
pub(crate) fn reply_key(json: &Value) -> Option<(ReplyTo, u32)> {
    let fields = json.as_object()?;
    let key = key_of(text_of(fields, "msg_id"), text_of(fields, "event_id"))?;
    Some((key, read_seq(fields).ok()?))
}

fn text_of<'a>(fields: &'a Map<String, Value>, name: &str) -> Option<&'a str> {
    fields
        .get(name)
        .and_then(Value::as_str)
        .filter(|text| !text.is_empty())
}

fn object_of<'a>(fields: &'a Map<String, Value>, name: &str) -> Option<&'a Map<String, Value>> {
    fields.get(name).and_then(Value::as_object)
}

fn check_types(fields: &Map<String, Value>, nulls: Nulls) -> Result<(), Refusal> {
    for (name, kind) in FIELDS {
        let Some(value) = fields.get(*name) else {
            continue;
        };
        let fits = match kind {
            _ if value.is_null() => nulls == Nulls::Absent,
            Kind::Text => value.is_string(),
            Kind::Whole => value.is_u64(),
            Kind::Flag => value.is_boolean(),
            Kind::Object => value.is_object(),
        };
        if !fits {
            return Err(Refusal::malformed(
                12_002,
                format!("{name} has the wrong type"),
            ));
        }
    }
    Ok(())
}

fn check_ids(fields: &Map<String, Value>) -> Result<(), Refusal> {
    let (message, event) = (text_of(fields, "msg_id"), text_of(fields, "event_id"));
    if message.is_some() && event.is_some() {
        return Err(Refusal::malformed(
            12_002,
            "msg_id and event_id exclude each other",
        ));
    }
    let wakeup = fields.get("is_wakeup").and_then(Value::as_bool) == Some(true);
    if wakeup && (message.is_some() || event.is_some()) {
        return Err(Refusal::malformed(
            12_002,
            "is_wakeup excludes msg_id and event_id",
        ));
    }
    let quote = object_of(fields, "message_reference");
    let index = quote.and_then(|quote| text_of(quote, "message_id"));
    if quote.is_some() && !index.is_some_and(|index| index.starts_with("REFIDX_")) {
        return Err(Refusal::malformed(
            12_002,
            "a quote in C2C and groups needs a REFIDX_ index",
        ));
    }
    Ok(())
}

fn read_seq(fields: &Map<String, Value>) -> Result<u32, Refusal> {
    let seq = match fields.get("msg_seq") {
        None | Some(Value::Null) => Some(1),
        Some(seq) => seq.as_u64().and_then(|seq| u32::try_from(seq).ok()),
    };
    seq.ok_or_else(|| Refusal::malformed(12_002, "msg_seq is no 32-bit number"))
}

fn read_text(fields: &Map<String, Value>) -> Result<String, Refusal> {
    for other in [
        "markdown",
        "media",
        "ark",
        "embed",
        "keyboard",
        "input_notify",
    ] {
        if object_of(fields, other).is_some() {
            let why = format!("{other} does not go with msg_type 0");
            return Err(Refusal::malformed(22_006, why));
        }
    }
    match text_of(fields, "content") {
        Some(text) if !text.trim().is_empty() => Ok(text.to_owned()),
        _ => Err(Refusal::malformed(50_006, "a text without content")),
    }
}

fn read_markdown(
    fields: &Map<String, Value>,
    settings: &MessageSettings,
) -> Result<String, Refusal> {
    let Some(markdown) = object_of(fields, "markdown") else {
        return Err(Refusal::malformed(22_006, "msg_type 2 without markdown"));
    };
    for other in ["media", "ark", "embed", "input_notify"] {
        if object_of(fields, other).is_some() {
            return Err(Refusal::malformed(
                50_037,
                format!("{other} does not go with markdown"),
            ));
        }
    }
    if !settings.markdown {
        return Err(Refusal::code(settings.markdown_refusal));
    }
    let custom = object_of(fields, "keyboard").is_some_and(|it| it.contains_key("content"));
    if custom && !settings.keyboard {
        return Err(Refusal::code(304_057));
    }
    if let Some(content) = text_of(markdown, "content") {
        return Ok(content.to_owned());
    }
    match text_of(markdown, "custom_template_id") {
        Some(template) => Ok(format!("[template {template}]")),
        None => Err(Refusal::malformed(
            40_034_008,
            "markdown without content and template",
        )),
    }
}

fn read_typing(fields: &Map<String, Value>, scene: Scene) -> Result<String, Refusal> {
    if scene == Scene::Group {
        return Err(Refusal::malformed(22_006, "a typing notice outside C2C"));
    }
    let Some(notify) = object_of(fields, "input_notify") else {
        return Err(Refusal::malformed(
            22_006,
            "msg_type 6 without input_notify",
        ));
    };
    let number = |name: &str| notify.get(name).and_then(Value::as_u64);
    if !number("input_type").is_some_and(|kind| (1..=5).contains(&kind)) {
        return Err(Refusal::malformed(50_059, "input_type is not 1 to 5"));
    }
    if !number("input_second").is_some_and(|seconds| (1..=60).contains(&seconds)) {
        return Err(Refusal::malformed(50_059, "input_second is not 1 to 60"));
    }
    Ok(String::new())
}

/// Files cannot be uploaded here yet, so no `file_info` can be right.
fn read_media(fields: &Map<String, Value>) -> Refusal {
    let media = object_of(fields, "media");
    match media.and_then(|media| text_of(media, "file_info")) {
        Some(_) => Refusal::code(304_080),
        None => Refusal::malformed(22_006, "msg_type 7 without media.file_info"),
    }
}

fn has_url(text: &str) -> bool {
    text.contains("http://") || text.contains("https://") || text.contains("www.")
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn code(body: &Value, scene: Scene) -> u32 {
        read(body, scene, &MessageSettings::default()).map_or_else(|refusal| refusal.code, |_| 0)
    }

    #[test]
    fn message_types_and_contents_must_match() {
        let cases = [
            (json!({"content": "x"}), 0),
            (json!({"content": "x", "msg_type": 0, "msg_id": null}), 0),
            (json!({"msg_type": 0, "content": " "}), 50_006),
            (
                json!({"msg_type": 0, "content": "x", "markdown": {"content": "x"}}),
                22_006,
            ),
            (json!({"msg_type": 2, "markdown": {"content": "# x"}}), 0),
            (json!({"msg_type": 2, "markdown": {}}), 40_034_008),
            (json!({"msg_type": 2, "content": "x"}), 22_006),
            (json!({"msg_type": 3, "ark": {}}), 304_004),
            (
                json!({"msg_type": 6, "input_notify": {"input_type": 1, "input_second": 60}}),
                0,
            ),
            (
                json!({"msg_type": 6, "input_notify": {"input_type": 9, "input_second": 6}}),
                50_059,
            ),
            (json!({"msg_type": 7, "media": {"file_info": "x"}}), 304_080),
            (json!({"msg_type": 9}), 340_069),
            (json!({"msg_type": "0", "content": "x"}), 12_002),
            (
                json!({"content": "x", "msg_id": "a", "event_id": "b"}),
                12_002,
            ),
            (
                json!({"content": "x", "msg_seq": 4_294_967_296_u64}),
                12_002,
            ),
            (
                json!({"content": "x", "message_reference": {"message_id": "ROBOT1.0_"}}),
                12_002,
            ),
            (json!({"content": "x".repeat(5001)}), 40_054_007),
            (json!([]), 12_002),
        ];
        for (body, want) in cases {
            assert_eq!(code(&body, Scene::C2c), want, "{body}");
        }
    }

    #[test]
    fn groups_have_no_typing_notice() {
        let body = json!({"msg_type": 6, "input_notify": {"input_type": 1, "input_second": 5}});
        assert_eq!(code(&body, Scene::Group), 22_006);
    }
}
