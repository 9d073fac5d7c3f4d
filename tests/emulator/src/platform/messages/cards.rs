//! Markdown, keyboards, arks and embeds, each read strictly with its documented codes.
//!
//! Source: the documentation's pages on Markdown, message buttons, ark and embed.

mod keyboard;
mod markdown;
mod tags;

use serde_json::{Map, Value};

use super::Refusal;
use super::fields::{chars, object_of, text_of};
use crate::settings::{Grants, GuildSettings};

pub(crate) use keyboard::{find_button, read_keyboard};
pub(crate) use markdown::read_markdown;
pub(crate) use tags::check_tags;

/// Reads an ark: template and key-value pairs; what it says in a few words.
pub(crate) fn read_ark(ark: &Map<String, Value>, grants: &Grants) -> Result<String, Refusal> {
    let bad = |why: &str| Refusal::malformed(12_002, format!("ark: {why}"));
    let template = ark.get("template_id").and_then(Value::as_u64);
    let template = template.ok_or_else(|| bad("no template_id"))?;
    if !grants.ark_templates.contains(&template) {
        return Err(Refusal::malformed(
            304_011,
            "an ark template that does not exist",
        ));
    }
    let kv = ark.get("kv").and_then(Value::as_array);
    let kv = kv.filter(|kv| !kv.is_empty()).ok_or_else(|| bad("no kv"))?;
    let mut prompt = String::new();
    for item in kv {
        let item = item
            .as_object()
            .ok_or_else(|| bad("an item is no object"))?;
        let key = text_of(item, "key").ok_or_else(|| bad("an item without key"))?;
        match (item.get("value"), item.get("obj")) {
            (Some(Value::String(value)), None) => {
                if key == "#PROMPT#" || (key == "#DESC#" && prompt.is_empty()) {
                    prompt.clone_from(value);
                }
            }
            (None, Some(obj)) => check_obj(obj).ok_or_else(|| bad("obj is not [{obj_kv}]"))?,
            _ => return Err(bad("an item needs either value or obj")),
        }
    }
    Ok(format!("[ark {template}] {prompt}"))
}

fn check_obj(obj: &Value) -> Option<()> {
    for entry in obj.as_array()? {
        for pair in entry.get("obj_kv")?.as_array()? {
            pair.get("key")?.as_str()?;
            pair.get("value")?.as_str()?;
        }
    }
    Some(())
}

/// Reads an embed; what it says in a few words.
pub(crate) fn read_embed(
    embed: &Map<String, Value>,
    grants: &Grants,
    settings: &GuildSettings,
) -> Result<String, Refusal> {
    if !grants.embed {
        return Err(Refusal::code(304_014));
    }
    let bad = |why: &str| Refusal::malformed(12_002, format!("embed: {why}"));
    let mut lines = Vec::new();
    lines.extend(text_of(embed, "title"));
    if let Some(thumbnail) = embed.get("thumbnail") {
        let url = thumbnail.get("url").and_then(Value::as_str);
        url.ok_or_else(|| bad("thumbnail without url"))?;
    }
    if let Some(fields) = embed.get("fields") {
        let fields = fields.as_array().ok_or_else(|| bad("fields is no list"))?;
        for field in fields {
            let name = field.get("name").and_then(Value::as_str);
            lines.push(name.ok_or_else(|| bad("a field without name"))?);
        }
    }
    if lines.is_empty() {
        return Err(Refusal::malformed(50_006, "an embed that says nothing"));
    }
    let prompt = text_of(embed, "prompt").unwrap_or_default();
    let text = lines.join("\n");
    if chars(&text) + chars(prompt) > settings.embed_chars {
        return Err(Refusal::code(304_005));
    }
    Ok(text)
}

/// The keyboard object of a body, if there is one.
pub(crate) fn keyboard_of(fields: &Map<String, Value>) -> Option<&Map<String, Value>> {
    object_of(fields, "keyboard")
}
