//! One JSON object a line. The first is a [`Header`], the second a [`Start`]; then [`Step`]s, and another
//! [`Start`] wherever the instance is not the one before.
//!
//! Lists of bytes are written as `{"base64": ".."}`, wherever they stand.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD as BASE64;
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::bindings::v0_1::{Boot, Effect, Event, Instant};

/// The version of this format. A reader refuses another one.
pub const VERSION: u32 = 1;
/// The longest line that is read, bytes.
pub const MAX_LINE_BYTES: usize = 64 << 20;

/// A line.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Line {
    /// What this is.
    Trace(Header),
    /// An instance starts.
    Start(Box<Start>),
    /// It takes an event.
    Step(Box<Step>),
    /// The recording ends before whoever asked for it wanted it to.
    Broken(String),
}

/// What a file is.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Header {
    /// [`VERSION`].
    pub version: u32,
    /// Name and version of the host.
    pub host: String,
    /// The channel.
    pub channel: String,
    /// True when letters and digits of what people wrote are replaced.
    pub redacted: bool,
    /// When it was begun, milliseconds since 1970.
    pub began_wall_ms: u64,
}

/// How an instance starts.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Start {
    /// Counts the components that have run in the process.
    pub generation: u64,
    /// The plugin.
    pub plugin: String,
    /// Its version.
    pub plugin_version: String,
    /// SHA-256 of the component, lower-case hexadecimal.
    pub digest: String,
    /// When.
    pub now: Instant,
    /// With what.
    pub boot: Boot,
    /// What it made of that.
    pub effects: Vec<Effect>,
}

/// One event.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Step {
    /// Counts the events of the file, from 1.
    pub n: u64,
    /// When.
    pub now: Instant,
    /// What came.
    pub event: Event,
    /// What the instance made of it.
    pub effects: Vec<Effect>,
    /// How it broke instead.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub fault: Option<String>,
}

/// A line cannot be read.
#[derive(Debug, thiserror::Error)]
pub enum BadLine {
    /// Not a line of this format.
    #[error(
        "line {line} is not one of a trace: {cause}; record it again, the file may have been cut or edited"
    )]
    Syntax {
        /// From 1.
        line: usize,
        /// What is wrong.
        cause: String,
    },
    /// Another version.
    #[error(
        "the trace has format version {0}, and this program reads {VERSION}; use the one that recorded it"
    )]
    Version(u32),
}

impl Line {
    /// Writes it, without the line break.
    ///
    /// # Errors
    /// Values of our own types can be written; an error would be a mistake in them.
    pub fn write(&self) -> Result<String, serde_json::Error> {
        let mut json = serde_json::to_value(self)?;
        pack(&mut json);
        serde_json::to_string(&json)
    }

    /// Reads a line, the first one being 1.
    ///
    /// # Errors
    /// See [`BadLine`].
    pub fn read(text: &str, line: usize) -> Result<Self, BadLine> {
        let syntax = |cause: serde_json::Error| BadLine::Syntax {
            line,
            cause: cause.to_string(),
        };
        let mut json: Value = serde_json::from_str(text).map_err(syntax)?;
        if let Some(version) = json.pointer("/trace/version").and_then(Value::as_u64)
            && version != u64::from(VERSION)
        {
            return Err(BadLine::Version(u32::try_from(version).unwrap_or(u32::MAX)));
        }
        unpack(&mut json);
        serde_json::from_value(json).map_err(syntax)
    }
}

/// Carries a value through JSON, with every text in it changed.
pub(super) fn with_texts<T: Serialize + DeserializeOwned>(
    value: &T,
    change: &mut impl FnMut(&mut String),
) -> Result<T, serde_json::Error> {
    let mut json = serde_json::to_value(value)?;
    each_text(&mut json, change);
    serde_json::from_value(json)
}

fn each_text(json: &mut Value, change: &mut impl FnMut(&mut String)) {
    match json {
        Value::String(text) => change(text),
        Value::Array(list) => list.iter_mut().for_each(|v| each_text(v, change)),
        Value::Object(map) => map.values_mut().for_each(|v| each_text(v, change)),
        Value::Null | Value::Bool(_) | Value::Number(_) => {}
    }
}

fn pack(json: &mut Value) {
    match json {
        Value::Array(list) => {
            let byte = |v: &Value| v.as_u64().and_then(|n| u8::try_from(n).ok());
            let bytes: Option<Vec<u8>> = list.iter().map(byte).collect();
            match bytes.filter(|bytes| !bytes.is_empty()) {
                Some(bytes) => *json = serde_json::json!({ "base64": BASE64.encode(bytes) }),
                None => list.iter_mut().for_each(pack),
            }
        }
        Value::Object(map) => map.values_mut().for_each(pack),
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => {}
    }
}

fn unpack(json: &mut Value) {
    let packed = match json {
        Value::Object(map) if map.len() == 1 => map.get("base64").and_then(Value::as_str),
        _ => None,
    };
    if let Some(bytes) = packed.and_then(|text| BASE64.decode(text).ok()) {
        *json = Value::from(bytes);
        return;
    }
    match json {
        Value::Array(list) => list.iter_mut().for_each(unpack),
        Value::Object(map) => map.values_mut().for_each(unpack),
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => {}
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::bindings::v0_1::{Action, Entropy, Entry};

    fn step(event: Event, effects: Vec<Effect>) -> Line {
        let now = Instant {
            mono_ms: 1,
            wall_ms: 2,
        };
        Line::Step(Box::new(Step {
            n: 1,
            now,
            event,
            effects,
            fault: None,
        }))
    }

    #[test]
    fn a_line_is_read_as_it_was_written_and_bytes_are_short() {
        let value = vec![200; 3000];
        let put = Effect {
            after_commit: false,
            action: Action::StorePut(Entry {
                key: "k".into(),
                value,
            }),
        };
        let bytes = vec![1, 2];
        let line = step(Event::Entropy(Entropy { id: 1, bytes }), vec![put]);
        let text = line.write().unwrap();
        assert!(text.len() < 4400 && !text.contains('\n'), "{}", text.len());
        assert_eq!(Line::read(&text, 1).unwrap(), line);
    }

    #[test]
    fn another_version_is_refused_by_its_number() {
        let header = Line::Trace(Header {
            version: 7,
            host: "h".into(),
            channel: "c".into(),
            redacted: false,
            began_wall_ms: 0,
        });
        let error = Line::read(&header.write().unwrap(), 1).unwrap_err();
        assert!(error.to_string().contains("version 7"), "{error}");
        let cut = Line::read("{\"step\":{\"n\":1,", 3).unwrap_err();
        assert!(cut.to_string().starts_with("line 3"), "{cut}");
    }
}
