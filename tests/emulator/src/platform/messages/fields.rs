//! Fields of a JSON body, and their types.

use serde_json::{Map, Value};

use super::Refusal;
use crate::settings::Nulls;

/// The types that the documentation gives to fields.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Kind {
    Text,
    Whole,
    Flag,
    Object,
}

pub(crate) fn text_of<'a>(fields: &'a Map<String, Value>, name: &str) -> Option<&'a str> {
    fields
        .get(name)
        .and_then(Value::as_str)
        .filter(|text| !text.is_empty())
}

pub(crate) fn object_of<'a>(
    fields: &'a Map<String, Value>,
    name: &str,
) -> Option<&'a Map<String, Value>> {
    fields.get(name).and_then(Value::as_object)
}

/// A number; missing counts as 0, as official clients leave zeros out.
pub(crate) fn number_of(fields: &Map<String, Value>, name: &str) -> Option<u64> {
    match fields.get(name) {
        None | Some(Value::Null) => Some(0),
        Some(value) => value.as_u64(),
    }
}

/// Refuses fields of the wrong type with 12002.
pub(crate) fn check_types(
    fields: &Map<String, Value>,
    table: &[(&str, Kind)],
    nulls: Nulls,
) -> Result<(), Refusal> {
    for (name, kind) in table {
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

pub(crate) fn chars(text: &str) -> usize {
    text.chars().count()
}
