//! Fields of a card: reading them leniently, and writing them without those that are missing.
//!
//! By hand, because a derived reader for every kind of card was measured at ten times the size.

use serde_json::{Map, Value};

use super::{CardError, shortened};

/// The fields of an object that an agent wrote.
pub(super) struct Fields<'a> {
    object: &'a Value,
    example: &'static str,
}

impl<'a> Fields<'a> {
    /// Those of a card, or of a part of one; what is no object has none.
    pub(super) fn of(object: &'a Value, example: &'static str) -> Self {
        Self { object, example }
    }

    /// A field that is there.
    pub(super) fn get(&self, field: &str) -> Option<&'a Value> {
        self.object.get(field).filter(|value| !value.is_null())
    }

    /// A text that may be missing; an empty one is.
    pub(super) fn maybe(&self, field: &'static str) -> Result<Option<String>, CardError> {
        let Some(value) = self.get(field) else {
            return Ok(None);
        };
        let text = value.as_str().ok_or_else(|| self.wrong(field, "a text"))?;
        let text = text.trim();
        Ok((!text.is_empty()).then(|| text.to_owned()))
    }

    /// A text that must say something.
    pub(super) fn text(&self, field: &'static str) -> Result<String, CardError> {
        self.maybe(field)?
            .ok_or_else(|| self.wrong(field, "a text"))
    }

    /// A link that QQ can open; it may be missing.
    pub(super) fn link(&self, field: &'static str) -> Result<Option<String>, CardError> {
        let Some(link) = self.maybe(field)? else {
            return Ok(None);
        };
        let rest = link
            .strip_prefix("https://")
            .or_else(|| link.strip_prefix("http://"));
        if rest.is_some_and(|rest| !rest.is_empty()) && !link.contains(char::is_whitespace) {
            return Ok(Some(link));
        }
        Err(CardError::Link {
            found: shortened(&link, 60),
        })
    }

    /// Yes or no; no if it is missing.
    pub(super) fn flag(&self, field: &'static str) -> Result<bool, CardError> {
        self.get(field).map_or(Ok(false), |value| {
            value
                .as_bool()
                .ok_or_else(|| self.wrong(field, "true or false"))
        })
    }

    /// A list; nothing in it if it is missing.
    pub(super) fn list(&self, field: &'static str) -> Result<&'a [Value], CardError> {
        match self.get(field) {
            None => Ok(&[]),
            Some(Value::Array(list)) => Ok(list),
            Some(_) => Err(self.wrong(field, "a list")),
        }
    }

    /// A list of texts.
    pub(super) fn texts(&self, field: &'static str) -> Result<Vec<String>, CardError> {
        let mut texts = Vec::new();
        for value in self.list(field)? {
            let text = value
                .as_str()
                .ok_or_else(|| self.wrong(field, "a list of texts"))?;
            texts.push(text.to_owned());
        }
        Ok(texts)
    }

    /// A part of the card.
    pub(super) fn part(&self, object: &'a Value) -> Self {
        Self::of(object, self.example)
    }

    pub(super) fn wrong(&self, field: &'static str, kind: &'static str) -> CardError {
        CardError::Field {
            field,
            kind,
            example: self.example,
        }
    }
}

/// An object of these fields. `null` is left out: QQ wants missing keys.
pub(super) fn object(fields: Vec<(&str, Value)>) -> Value {
    let mut object = Map::new();
    for (key, value) in fields {
        if !value.is_null() {
            object.insert(key.to_owned(), value);
        }
    }
    Value::Object(object)
}

/// A text as a value, or nothing.
pub(super) fn value(text: Option<&String>) -> Value {
    text.map_or(Value::Null, |text| Value::String(text.clone()))
}
