//! Embeds: a box with a title, a picture and lines (`PROTOCOL.md`, "Cards"). Guilds only.

use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use super::{CardError, lines, link, optional, required};

pub(super) const EXAMPLE: &str = r#"{"type":"embed","title":"Server","description":"all is well","thumbnail":"https://example.com/a.png","fields":["load: 0.3"]}"#;

/// An embed.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
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
        let fields: Vec<Value> = self
            .lines
            .iter()
            .map(|line| json!({ "name": line }))
            .collect();
        let mut embed = json!({ "title": self.title, "prompt": self.title, "fields": fields });
        if let (Some(embed), Some(url)) = (embed.as_object_mut(), &self.thumbnail) {
            embed.insert("thumbnail".to_owned(), json!({ "url": url }));
        }
        embed
    }

    /// Everything in it as text.
    #[must_use]
    pub fn plain(&self) -> String {
        lines(
            std::iter::once(Some(self.title.as_str()))
                .chain(self.lines.iter().map(|line| Some(line.as_str())))
                .chain([self.thumbnail.as_deref()]),
        )
    }
}

/// An embed as the agent writes it.
#[derive(Deserialize)]
pub(super) struct Wire {
    title: Option<String>,
    description: Option<String>,
    thumbnail: Option<String>,
    #[serde(default)]
    fields: Vec<String>,
}

impl Wire {
    pub(super) fn check(self) -> Result<Embed, CardError> {
        let description = optional(self.description).unwrap_or_default();
        let lines = description
            .lines()
            .chain(self.fields.iter().flat_map(|field| field.lines()))
            .map(|line| line.trim().to_owned())
            .filter(|line| !line.is_empty())
            .collect();
        Ok(Embed {
            title: required(self.title, "title", EXAMPLE)?,
            thumbnail: link(self.thumbnail)?,
            lines,
        })
    }
}
