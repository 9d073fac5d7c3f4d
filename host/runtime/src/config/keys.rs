//! Key tables of the host's own, written as briefly as a component's.

use crate::bindings::v0_1::{KeyKind, KeySpec};

fn key(name: &str, kind: KeyKind, doc: &str) -> KeySpec {
    KeySpec {
        name: name.into(),
        kind,
        required: false,
        default: None,
        allowed: Vec::new(),
        aliases: Vec::new(),
        minimum: None,
        maximum: None,
        inherits_from: None,
        secret: false,
        widens_egress: None,
        documented: false,
        native: false,
        doc: doc.into(),
    }
}

/// A key that takes a string.
pub fn text(name: &str, doc: &str) -> KeySpec {
    key(name, KeyKind::Text, doc)
}

/// A key that takes true or false, with its default.
pub fn boolean(name: &str, default: bool, doc: &str) -> KeySpec {
    key(name, KeyKind::Boolean, doc).default_json(default.to_string())
}

/// A key that takes a whole number of a range, with its default.
pub fn integer(
    name: &str,
    default: i64,
    range: std::ops::RangeInclusive<i64>,
    doc: &str,
) -> KeySpec {
    let mut spec = key(name, KeyKind::Integer, doc).default_json(default.to_string());
    spec.minimum = Some(*range.start());
    spec.maximum = Some(*range.end());
    spec
}

/// A key that takes a list of strings.
pub fn text_list(name: &str, doc: &str) -> KeySpec {
    key(name, KeyKind::TextList, doc)
}

impl KeySpec {
    fn default_json(mut self, json: String) -> Self {
        self.default = Some(json);
        self
    }

    /// The same key with this text as its default.
    #[must_use]
    pub fn default_text(self, text: &str) -> Self {
        self.default_json(serde_json::Value::from(text).to_string())
    }

    /// The same key with only these values allowed.
    #[must_use]
    pub fn one_of(mut self, allowed: &[&str]) -> Self {
        self.allowed = allowed.iter().map(|v| (*v).to_owned()).collect();
        self
    }

    /// The same key as a secret.
    #[must_use]
    pub fn secret(mut self) -> Self {
        self.secret = true;
        self
    }
}
