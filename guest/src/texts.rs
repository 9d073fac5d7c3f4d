//! Texts that the bot itself writes in a chat: one table for each language.

use crate::config::Language;

mod en;
mod zh_cn;

/// A text.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Text {
    /// The answer was longer than the replies that are left.
    Cut,
    /// The agent failed.
    AgentFailed,
    /// The agent did not finish in time.
    TookTooLong,
    /// Too many messages wait already.
    TooMany,
    /// The platform refused something for its content.
    Refused,
    /// An AI wrote this.
    AiNotice,
    /// Name of the file that holds a long answer.
    AnswerFile,
}

/// The text in a language.
#[must_use]
pub fn text(language: Language, text: Text) -> &'static str {
    match language {
        Language::ZhCn => zh_cn::text(text),
        Language::En => en::text(text),
    }
}

/// Tells the agent which language the chat is in.
#[must_use]
pub fn language_note(language: Language) -> &'static str {
    match language {
        Language::ZhCn => {
            "The chat is in Simplified Chinese unless the person writes in another language."
        }
        Language::En => "The chat is in English unless the person writes in another language.",
    }
}
