//! Cards: blocks of JSON that an agent writes for what QQ shows as more than text (`PROTOCOL.md`, "Cards").
//!
//! A card is stored as the agent could have written it: reading is lenient and may grow, so a later version reads it too.

use serde::{Deserialize, Serialize};
use serde_json::Value;
use unicode_segmentation::UnicodeSegmentation;

mod ark;
mod buttons;
mod embed;
mod fields;
mod reaction;

pub use ark::{Ark, ListItem};
pub use buttons::{Action, Button, Buttons, Style, WhoMay};
pub use embed::Embed;
use fields::{Fields, object};
pub use reaction::Reaction;

/// The types that a card may have.
pub const TYPES: [&str; 7] = [
    "buttons", "list", "article", "picture", "embed", "reaction", "recall",
];

/// A card, checked against QQ's limits.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(into = "String", try_from = "String")]
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

impl From<Card> for String {
    fn from(card: Card) -> Self {
        let block = match card {
            Card::Buttons(card) => card.block(),
            Card::Ark(card) => card.block(),
            Card::Embed(card) => card.block(),
            Card::Reaction(card) => card.block(),
            Card::Recall => object(vec![("type", "recall".into())]),
        };
        block.to_string()
    }
}

impl TryFrom<String> for Card {
    type Error = CardError;

    fn try_from(json: String) -> Result<Self, CardError> {
        read(&json)
    }
}

/// Why a card cannot be shown, and what to write instead.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum CardError {
    /// It is not JSON.
    #[error(
        "a card is one JSON object with a \"type\", such as {{\"type\":\"recall\"}}, and this is none: {detail}"
    )]
    NotACard {
        /// What the reader of JSON said.
        detail: String,
    },
    /// Its type is missing or not known.
    #[error("there is no card of type \"{found}\"; write one of: {}", TYPES.join(", "))]
    UnknownType {
        /// The type it has.
        found: String,
    },
    /// A field is missing, empty or of another kind.
    #[error("\"{field}\" must be {kind}; write the card as {example}")]
    Field {
        /// The field.
        field: &'static str,
        /// What it must be.
        kind: &'static str,
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
    /// A command or callback of the channel's own.
    #[error(
        "the button \"{label}\" carries a command or callback that belongs to the channel itself; let the person type it, or use another word"
    )]
    Reserved {
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
    let block: Value = serde_json::from_str(json).map_err(|error| CardError::NotACard {
        detail: error.to_string(),
    })?;
    let found = block
        .get("type")
        .and_then(Value::as_str)
        .unwrap_or_default();
    Ok(match found {
        "buttons" => Card::Buttons(Buttons::read(&Fields::of(&block, buttons::EXAMPLE))?),
        "list" => Card::Ark(Ark::read_list(&Fields::of(&block, ark::LIST))?),
        "article" => Card::Ark(Ark::read_article(&Fields::of(&block, ark::ARTICLE))?),
        "picture" => Card::Ark(Ark::read_picture(&Fields::of(&block, ark::PICTURE))?),
        "embed" => Card::Embed(Embed::read(&Fields::of(&block, embed::EXAMPLE))?),
        "reaction" => Card::Reaction(Reaction::read(&block)?),
        "recall" => Card::Recall,
        _ => {
            return Err(CardError::UnknownType {
                found: shortened(found, 40),
            });
        }
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
fn lines(lines: &[Option<&str>]) -> String {
    let said: Vec<&str> = lines.iter().copied().flatten().collect();
    said.join("\n")
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
