//! Reactions: one of QQ's faces or an emoji on a message (`PROTOCOL.md`, "Reactions"). Guild channels only.

use serde_json::Value;

use super::CardError;
use super::fields::object;

/// QQ's largest face numbers have three digits; more than five are a mistake.
const MAX_FACE: u32 = 99_999;

/// Faces that have an emoji of the same meaning, for where there is only text.
const EMOJI: [(u32, &str); 14] = [
    (9, "😭"),
    (14, "🙂"),
    (16, "😎"),
    (32, "❓"),
    (63, "🌹"),
    (66, "❤️"),
    (76, "👍"),
    (78, "🤝"),
    (79, "✌️"),
    (99, "👏"),
    (124, "👌"),
    (182, "😂"),
    (201, "👍"),
    (320, "🎉"),
];

/// A reaction.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Reaction {
    /// One of QQ's faces, by its number.
    Face(u32),
    /// An emoji of one Unicode scalar value: the platform knows a reaction by one code point.
    Emoji(char),
}

impl Reaction {
    /// The `type` in the path of a reaction.
    #[must_use]
    pub fn kind(self) -> u8 {
        match self {
            Self::Face(_) => 1,
            Self::Emoji(_) => 2,
        }
    }

    /// The `id` in the path of a reaction: the number of the face, or the code point in decimal.
    #[must_use]
    pub fn id(self) -> String {
        match self {
            Self::Face(number) => number.to_string(),
            Self::Emoji(emoji) => u32::from(emoji).to_string(),
        }
    }

    /// The reaction as text.
    #[must_use]
    pub fn plain(self) -> String {
        match self {
            Self::Emoji(emoji) => emoji.to_string(),
            Self::Face(number) => EMOJI.iter().find(|(face, _)| *face == number).map_or_else(
                || format!("[表情{number}]"),
                |(_, emoji)| (*emoji).to_owned(),
            ),
        }
    }

    /// An emoji as people write it: variation selectors and skin tones say nothing that a reaction could show.
    #[must_use]
    pub fn of_emoji(text: &str) -> Option<Self> {
        let mut rest = text
            .trim()
            .chars()
            .filter(|c| !matches!(c, '\u{fe00}'..='\u{fe0f}' | '\u{1f3fb}'..='\u{1f3ff}'));
        let emoji = rest.next()?;
        let alone = rest.next().is_none();
        // Letters of all scripts end below, with a few symbols that are emoji as well.
        let symbol = matches!(u32::from(emoji), 0x203c..=0x2bff | 0x3030 | 0x303d | 0x3297 | 0x3299 | 0x1f000..=0x1faff);
        (alone && symbol && !emoji.is_alphanumeric()).then_some(Self::Emoji(emoji))
    }

    /// The card as the agent writes it.
    pub(super) fn block(self) -> Value {
        let said = match self {
            Self::Face(number) => ("face", number.into()),
            Self::Emoji(emoji) => ("emoji", emoji.to_string().into()),
        };
        object(vec![("type", "reaction".into()), said])
    }

    /// The number of a face may be a text.
    pub(super) fn read(block: &Value) -> Result<Self, CardError> {
        let field = |name: &str| block.get(name).filter(|value| !value.is_null());
        let read = match (field("emoji"), field("face")) {
            (Some(Value::String(emoji)), None) => Self::of_emoji(emoji),
            (None, Some(face)) => {
                let number = match face {
                    Value::String(text) => text.trim().parse().ok(),
                    _ => face.as_u64().and_then(|number| number.try_into().ok()),
                };
                number.filter(|number| *number <= MAX_FACE).map(Self::Face)
            }
            _ => None,
        };
        read.ok_or(CardError::NoReaction)
    }
}
