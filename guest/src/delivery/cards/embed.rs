//! Embeds: a box with a title, a picture and lines (`PROTOCOL.md`, "Cards"). Guilds only.

use serde_json::Value;

use super::fields::{Fields, object, value};
use super::{CardError, lines};

pub(super) const EXAMPLE: &str = r#"{"type":"embed","title":"Server","description":"all is well","thumbnail":"https://example.com/a.png","fields":["load: 0.3"]}"#;

/// An embed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Embed {
    /// The title, also shown in the notification.
    pub title: String,
    /// Public address of the picture.
    pub thumbnail: Option<String>,
    /// The lines: those of the description, then the fields. QQ knows no other place for a description.
    pub lines: Vec<String>,
}

impl Embed {
    /// The `embed` object of a message.
    #[must_use]
    pub fn embed(&self) -> Value {
        let mut fields = Vec::with_capacity(self.lines.len());
        for line in &self.lines {
            fields.push(object(vec![("name", line.as_str().into())]));
        }
        let thumbnail = self.thumbnail.as_ref().map_or(Value::Null, |url| {
            object(vec![("url", url.as_str().into())])
        });
        object(vec![
            ("title", self.title.as_str().into()),
            ("prompt", self.title.as_str().into()),
            ("fields", Value::Array(fields)),
            ("thumbnail", thumbnail),
        ])
    }

    /// Everything in it as text.
    #[must_use]
    pub fn plain(&self) -> String {
        let mut all = vec![Some(self.title.as_str())];
        all.extend(self.lines.iter().map(|line| Some(line.as_str())));
        all.push(self.thumbnail.as_deref());
        lines(&all)
    }

    /// The card as the agent writes it.
    pub(super) fn block(&self) -> Value {
        object(vec![
            ("type", "embed".into()),
            ("title", self.title.as_str().into()),
            ("thumbnail", value(self.thumbnail.as_ref())),
            ("fields", self.lines.clone().into()),
        ])
    }

    pub(super) fn read(fields: &Fields<'_>) -> Result<Self, CardError> {
        let title = fields.text("title")?;
        let mut said = fields.texts("fields")?;
        said.insert(0, fields.maybe("description")?.unwrap_or_default());
        let mut lines = Vec::new();
        for line in said.iter().flat_map(|text| text.lines()).map(str::trim) {
            if !line.is_empty() {
                lines.push(line.to_owned());
            }
        }
        Ok(Self {
            title,
            thumbnail: fields.link("thumbnail")?,
            lines,
        })
    }
}
