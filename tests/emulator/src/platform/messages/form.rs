//! `multipart/form-data`, as guild scenes take it for pictures.

use futures_util::FutureExt as _;
use serde_json::{Map, Value};

use super::Refusal;
use crate::wire::HttpRequest;

/// Parts of a form; a client that sends more is not a client.
const PARTS: usize = 50;

/// Parts whose text is JSON.
const OBJECTS: &[&str] = &["embed", "ark", "markdown", "keyboard", "message_reference"];

/// A form: its fields as a JSON body would have them, and its picture.
pub(crate) type Form = (Map<String, Value>, Option<Vec<u8>>);

/// Reads a form that is there as a whole.
pub(crate) fn read(request: &HttpRequest) -> Result<Form, Refusal> {
    let bad = |why: &str| Refusal::malformed(50_035, format!("form-data: {why}"));
    let kind = request.header("content-type").unwrap_or_default();
    let boundary = multer::parse_boundary(kind).map_err(|_| bad("no boundary"))?;
    let body = request.body.clone();
    let whole = futures_util::stream::once(async move { Ok::<_, std::io::Error>(body) });
    // Everything is in memory already, so that nothing is ever waited for.
    let parts = take_all(multer::Multipart::new(whole, boundary)).now_or_never();
    parts
        .ok_or_else(|| bad("it does not end"))?
        .map_err(|why| bad(&why))
}

async fn take_all(mut parts: multer::Multipart<'_>) -> Result<Form, String> {
    let (mut fields, mut file) = (Map::new(), None);
    for _ in 0..PARTS {
        let Some(part) = parts
            .next_field()
            .await
            .map_err(|error| error.to_string())?
        else {
            return Ok((fields, file));
        };
        let name = part.name().ok_or("a part without name")?.to_owned();
        if name == "file_image" {
            if part.file_name().is_none_or(str::is_empty) {
                return Err("file_image without filename".to_owned());
            }
            let bytes = part.bytes().await.map_err(|error| error.to_string())?;
            file = Some(bytes.to_vec());
            continue;
        }
        let text = part.text().await.map_err(|error| error.to_string())?;
        let value = if OBJECTS.contains(&name.as_str()) {
            let value: Value =
                serde_json::from_str(&text).map_err(|_| format!("the part {name} is not JSON"))?;
            unwrapped(&name, value)
        } else {
            Value::String(text)
        };
        fields.insert(name, value);
    }
    Err("too many parts".to_owned())
}

/// The documentation's example wraps an object once more: `{"ark": {…}}` in the part `ark`.
fn unwrapped(name: &str, mut value: Value) -> Value {
    match value.get_mut(name) {
        Some(inner) if inner.is_object() => inner.take(),
        _ => value,
    }
}
