//! Markdown: of one's own, or a template with parameters.

use serde_json::{Map, Value};

use super::super::Refusal;
use super::super::fields::{object_of, text_of};
use super::check_tags;
use crate::ledger::Scene;
use crate::settings::Grants;

/// Values of one list parameter.
const LIST: usize = 50;

/// Reads a `markdown` object; its source, or the name of its template.
pub(crate) fn read_markdown(
    markdown: &Map<String, Value>,
    scene: Scene,
    grants: &Grants,
) -> Result<String, Refusal> {
    let content = text_of(markdown, "content");
    let custom = text_of(markdown, "custom_template_id").map(str::to_owned);
    // Clients whose types have no "absent" send every field: 0 and "" name nothing.
    let numbered = markdown.get("template_id").and_then(Value::as_u64);
    let numbered = numbered.filter(|id| *id != 0);
    let template = custom.or_else(|| numbered.map(|id| id.to_string()));
    check_extras(markdown)?;
    match (content, template) {
        (Some(_), Some(_)) => Err(Refusal::malformed(
            50_057,
            "markdown with both content and template",
        )),
        (Some(content), None) if content.trim().is_empty() => {
            Err(Refusal::malformed(40_034_008, "blank markdown"))
        }
        (Some(content), None) => {
            check_tags(content, scene, true, grants)?;
            Ok(content.to_owned())
        }
        (None, Some(template)) => {
            let known = grants.markdown_templates.as_ref();
            if known.is_some_and(|known| !known.contains(&template)) {
                return Err(Refusal::code(304_036));
            }
            check_params(markdown.get("params"))?;
            Ok(format!("[template {template}]"))
        }
        (None, None) => Err(Refusal::malformed(
            40_034_008,
            "markdown without content and template",
        )),
    }
}

fn check_extras(markdown: &Map<String, Value>) -> Result<(), Refusal> {
    let bad = |why: &str| Err(Refusal::malformed(40_034_124, format!("markdown: {why}")));
    if markdown
        .get("force_verify_image_resource")
        .is_some_and(|flag| !flag.is_boolean())
    {
        return bad("force_verify_image_resource is no flag");
    }
    let style = object_of(markdown, "style");
    let size = style.and_then(|style| text_of(style, "main_font_size"));
    if size.is_some_and(|size| !["small", "middle", "large"].contains(&size)) {
        return bad("unknown font size");
    }
    Ok(())
}

fn check_params(params: Option<&Value>) -> Result<(), Refusal> {
    let Some(params) = params else { return Ok(()) };
    let bad = |code: u32, why: &str| Refusal::malformed(code, format!("template: {why}"));
    let params = params
        .as_array()
        .ok_or_else(|| bad(40_034_124, "params is no list"))?;
    for param in params {
        let key = param.get("key").and_then(Value::as_str);
        key.ok_or_else(|| bad(40_034_124, "a parameter without key"))?;
        let values = param.get("values").and_then(Value::as_array);
        let values = values.ok_or_else(|| bad(40_034_124, "a parameter without values"))?;
        if values.len() > LIST {
            return Err(bad(50_042, "too many values"));
        }
        for value in values {
            let value = value.as_str().unwrap_or_default();
            if value.is_empty() {
                return Err(bad(40_034_008, "an empty value"));
            }
            if value.contains(['\n', '\r']) {
                return Err(bad(40_034_009, "a value with a line break"));
            }
            let marks = ["**", "](", "```", "# ", "~~"];
            if marks.iter().any(|mark| value.contains(mark)) {
                return Err(bad(40_034_010, "a value with Markdown in it"));
            }
        }
    }
    Ok(())
}
