//! Reading JSON that may be anything: a field of an odd type costs that field, and nothing grows without bound.

use serde_json::Value;

use super::moment::timestamp_ms;

/// Bytes of an id. The longest seen has 120; what is longer than this is no id.
const ID_BYTES: usize = 256;
/// Characters of a name or another short text.
const NAME_CHARS: usize = 64;
/// Elements of a list: more than any event of the platform's has.
pub(crate) const LIST: usize = 64;

/// An object, or whatever stands where one was expected.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Fields<'a>(pub(crate) &'a Value);

impl<'a> Fields<'a> {
    /// An object inside this one; without fields when it is missing.
    pub(crate) fn inner(self, name: &str) -> Self {
        Self(self.0.get(name).unwrap_or(&Value::Null))
    }

    /// Text, or a number as text; empty when it is neither.
    pub(crate) fn text(self, name: &str) -> String {
        self.0.get(name).map(as_text).unwrap_or_default()
    }

    /// An id. Empty when there is none, or when it is too long to be one: a shortened id would name another thing.
    pub(crate) fn id(self, name: &str) -> String {
        let id = self.text(name);
        if id.len() > ID_BYTES {
            return String::new();
        }
        id
    }

    /// The first id of these that is there.
    pub(crate) fn first_id(self, names: &[&str]) -> String {
        names
            .iter()
            .map(|name| self.id(name))
            .find(|id| !id.is_empty())
            .unwrap_or_default()
    }

    /// A short text, cut where it is not.
    pub(crate) fn name(self, name: &str) -> String {
        cut(&self.text(name), NAME_CHARS)
    }

    /// A number that is not negative, also as text.
    pub(crate) fn number(self, name: &str) -> Option<u64> {
        match self.0.get(name)? {
            Value::Number(number) => number.as_u64().or_else(|| {
                let float = number.as_f64()?;
                // Some serialisers write whole numbers as floats.
                (float.fract() == 0.0 && (0.0..9.0e15).contains(&float)).then_some(float as u64)
            }),
            Value::String(text) => text.trim().parse().ok(),
            _ => None,
        }
    }

    /// A small number; 0 when it is missing, as official clients leave zeros out.
    pub(crate) fn small(self, name: &str) -> u32 {
        self.number(name)
            .and_then(|number| u32::try_from(number).ok())
            .unwrap_or_default()
    }

    /// A truth: a boolean, or 1 or `true` as text.
    pub(crate) fn truth(self, name: &str) -> bool {
        match self.0.get(name) {
            Some(Value::Bool(truth)) => *truth,
            Some(Value::Number(number)) => number.as_u64() == Some(1),
            Some(Value::String(text)) => matches!(text.as_str(), "true" | "1"),
            _ => false,
        }
    }

    /// A moment in wall-clock milliseconds, in any of the formats seen.
    pub(crate) fn moment(self, name: &str) -> Option<u64> {
        timestamp_ms(self.0.get(name)?)
    }

    /// A list, its first elements; a single object where a list was expected counts as a list of one.
    pub(crate) fn list(self, name: &str) -> impl Iterator<Item = Fields<'a>> {
        let elements = match self.0.get(name) {
            Some(Value::Array(elements)) => elements.as_slice(),
            Some(one @ Value::Object(_)) => std::slice::from_ref(one),
            _ => &[],
        };
        elements.iter().take(LIST).map(Fields)
    }
}

/// Reads a body. `None` when it is not a JSON object.
pub(crate) fn object(body: &str) -> Option<Value> {
    serde_json::from_str(body).ok().filter(Value::is_object)
}

/// Text, or a number as text; empty for everything else.
pub(crate) fn as_text(value: &Value) -> String {
    match value {
        Value::String(text) => text.clone(),
        Value::Number(number) => number.to_string(),
        _ => String::new(),
    }
}

/// The text, at most this many characters of it, the last one an ellipsis when something is missing.
pub(crate) fn cut(text: &str, chars: usize) -> String {
    if text.len() <= chars || text.chars().count() <= chars {
        return text.to_owned();
    }
    let kept = text.chars().take(chars.saturating_sub(1));
    kept.chain(['…']).collect()
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn fields_are_read_in_every_shape_that_was_seen() {
        let value = json!({
            "id": 18_700_000_000_001_u64, "text": "7", "float": 3.0, "negative": -1, "yes": "true", "one": 1,
            "when": "1699240365", "single": {"id": "a"}, "many": ["x", {"id": "b"}],
        });
        let fields = Fields(&value);
        assert_eq!(fields.id("id"), "18700000000001");
        assert_eq!(fields.number("text"), Some(7));
        assert_eq!(
            (fields.number("float"), fields.number("negative")),
            (Some(3), None)
        );
        assert!(fields.truth("yes") && fields.truth("one") && !fields.truth("text"));
        assert_eq!(fields.moment("when"), Some(1_699_240_365_000));
        assert_eq!(fields.list("single").count(), 1);
        assert_eq!(
            fields
                .list("many")
                .map(|one| one.id("id"))
                .collect::<Vec<_>>(),
            ["", "b"]
        );
        assert_eq!(fields.inner("nothing").inner("at all").text("here"), "");
    }

    #[test]
    fn what_is_too_long_is_cut_and_an_id_is_dropped() {
        let value = json!({"id": "x".repeat(600), "name": "名".repeat(100)});
        assert_eq!(Fields(&value).id("id"), "");
        assert_eq!(Fields(&value).name("name").chars().count(), NAME_CHARS);
        assert_eq!(cut("abc", 3), "abc");
        assert_eq!(cut("abcd", 3), "ab…");
        assert_eq!(cut("abcd", 0), "…");
    }
}
