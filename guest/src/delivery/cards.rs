//! Cards: blocks of JSON that an agent writes for what QQ shows as more than text (`PROTOCOL.md`, "Cards").
//!
//! Reading is separate from what is kept: the agent's JSON is lenient and may grow, the types here are stored and
//! must not depend on how it is written.

use serde::{Deserialize, Serialize, de::DeserializeOwned};
use unicode_segmentation::UnicodeSegmentation;

mod ark;
mod buttons;
mod embed;
mod reaction;

pub use ark::{Ark, ListItem};
pub use buttons::{Action, Button, Buttons, Style, WhoMay};
pub use embed::Embed;
pub use reaction::Reaction;

/// The types that a card may have.
pub const TYPES: [&str; 7] = [
    "buttons", "list", "article", "picture", "embed", "reaction", "recall",
];

/// A card, checked against QQ's limits.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Card {
    /// A Markdown text with buttons under it.
    Buttons(Buttons),
    /// A message in one of QQ's public templates.
    Ark(Ark),
    /// A box of lines with a picture. Guilds only.
    Embed(Embed),
    /// A reaction to the message that is answered. Guild channels only.
    Reaction(Reaction),
    /// Take back the bot's last message here.
    Recall,
}

impl Card {
    /// Everything in the card as readable text, for where the card is refused or impossible.
    ///
    /// Empty for [`Card::Recall`], which has nothing to say.
    #[must_use]
    pub fn plain(&self) -> String {
        match self {
            Self::Buttons(card) => card.plain(),
            Self::Ark(card) => card.plain(),
            Self::Embed(card) => card.plain(),
            Self::Reaction(card) => card.plain(),
            Self::Recall => String::new(),
        }
    }
}

/// Why a card cannot be shown, and what to write instead.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum CardError {
    /// It is not an object with a type.
    #[error(
        "a card is one JSON object with a \"type\", such as {{\"type\":\"recall\"}}, and this is none: {detail}"
    )]
    NotACard {
        /// What the reader of JSON said.
        detail: String,
    },
    /// Its type is not known.
    #[error("there is no card of type \"{found}\"; write one of: {}", TYPES.join(", "))]
    UnknownType {
        /// The type it has.
        found: String,
    },
    /// A field is missing or of another kind.
    #[error("write it as {example}; here {detail}")]
    Shape {
        /// How it is written.
        example: &'static str,
        /// What the reader of JSON said.
        detail: String,
    },
    /// A field is empty.
    #[error("\"{field}\" is empty; write it as {example}")]
    Empty {
        /// The field.
        field: &'static str,
        /// How the card is written.
        example: &'static str,
    },
    /// Something that is not a link.
    #[error("\"{found}\" is no link; write one that begins with https://")]
    Link {
        /// What stands there.
        found: String,
    },
    /// Too many buttons, or none.
    #[error(
        "\"rows\" holds 1 to 5 rows of 1 to 5 buttons each; write fewer, or ask in several steps"
    )]
    Rows,
    /// A button does nothing, or several things.
    #[error(
        "the button \"{label}\" needs one of \"callback\", \"link\" and \"command\", and only one"
    )]
    OneAction {
        /// Its label.
        label: String,
    },
    /// A button for these users and for admins.
    #[error(
        "the button \"{label}\" is either for \"users\" or for \"admins\"; write only one of them"
    )]
    OneAudience {
        /// Its label.
        label: String,
    },
    /// A command that QQ would not take.
    #[error(
        "the command of the button \"{label}\" is longer than 100 characters; write a shorter one, or a callback"
    )]
    LongCommand {
        /// Its label.
        label: String,
    },
    /// Not one emoji, or not one that can be a reaction.
    #[error(
        "a reaction is one emoji without parts, {{\"type\":\"reaction\",\"emoji\":\"👍\"}}, or the number of one of QQ's faces, {{\"type\":\"reaction\",\"face\":\"76\"}}"
    )]
    NoReaction,
}

/// Reads a card as the agent writes it. Fields that are not known are ignored.
///
/// # Errors
/// When it is no card, or QQ's limits do not allow it: a sentence that says what to write instead.
pub fn read(json: &str) -> Result<Card, CardError> {
    #[derive(Deserialize)]
    struct Typed {
        r#type: String,
    }
    let Typed { r#type: found } =
        serde_json::from_str(json).map_err(|error| CardError::NotACard {
            detail: error.to_string(),
        })?;
    Ok(match found.as_str() {
        "buttons" => Card::Buttons(shape::<buttons::Wire>(json, buttons::EXAMPLE)?.check()?),
        "list" => Card::Ark(shape::<ark::ListWire>(json, ark::LIST)?.check()?),
        "article" => Card::Ark(shape::<ark::ArticleWire>(json, ark::ARTICLE)?.check()?),
        "picture" => Card::Ark(shape::<ark::PictureWire>(json, ark::PICTURE)?.check()?),
        "embed" => Card::Embed(shape::<embed::Wire>(json, embed::EXAMPLE)?.check()?),
        "reaction" => Card::Reaction(shape::<reaction::Wire>(json, reaction::EXAMPLE)?.check()?),
        "recall" => Card::Recall,
        _ => {
            return Err(CardError::UnknownType {
                found: shortened(&found, 40),
            });
        }
    })
}

fn shape<T: DeserializeOwned>(json: &str, example: &'static str) -> Result<T, CardError> {
    serde_json::from_str(json).map_err(|error| CardError::Shape {
        example,
        detail: error.to_string(),
    })
}

/// A field that must say something.
fn required(
    value: Option<String>,
    field: &'static str,
    example: &'static str,
) -> Result<String, CardError> {
    optional(value).ok_or(CardError::Empty { field, example })
}

/// A field that may be missing; an empty one is.
fn optional(value: Option<String>) -> Option<String> {
    value
        .map(|text| text.trim().to_owned())
        .filter(|text| !text.is_empty())
}

/// A link that QQ can open.
fn link(value: Option<String>) -> Result<Option<String>, CardError> {
    let Some(link) = optional(value) else {
        return Ok(None);
    };
    let web = ["https://", "http://"].iter().any(|scheme| {
        link.strip_prefix(scheme)
            .is_some_and(|rest| !rest.is_empty())
    });
    if web && !link.contains(char::is_whitespace) {
        return Ok(Some(link));
    }
    Err(CardError::Link {
        found: shortened(&link, 60),
    })
}

/// At most `limit` Unicode scalar values, the last one `…` where something was cut.
fn shortened(text: &str, limit: usize) -> String {
    if text.chars().count() <= limit {
        return text.to_owned();
    }
    let mut short = String::new();
    let mut room = limit.saturating_sub(1);
    for grapheme in text.graphemes(true) {
        let Some(left) = room.checked_sub(grapheme.chars().count()) else {
            break;
        };
        room = left;
        short.push_str(grapheme);
    }
    format!("{}…", short.trim_end())
}

/// The lines that say something, one under the other.
fn lines<'a>(lines: impl IntoIterator<Item = Option<&'a str>>) -> String {
    lines.into_iter().flatten().collect::<Vec<_>>().join("\n")
}

/// A text with its link.
fn with_link(text: &str, link: Option<&str>) -> String {
    match link {
        Some(link) if link != text => format!("{text}: {link}"),
        _ => text.to_owned(),
    }
}

#[cfg(test)]
mod tests;
