//! English.

use super::Text;

pub(super) fn text(text: Text) -> &'static str {
    match text {
        Text::Cut => "\n\n(The rest is left out: QQ allows no more replies to one message.)",
        Text::AgentFailed => {
            "Sorry, something went wrong while I was working on that. Please try again."
        }
        Text::TookTooLong => {
            "Sorry, that took longer than QQ gives me for an answer. Please ask again, perhaps in smaller steps."
        }
        Text::Refused => "QQ did not let a part of my answer through.",
        Text::AiNotice => "[Written by AI]",
        Text::AnswerFile => "answer.md",
        Text::TooMany => {
            "I have several of your messages waiting already. Please give me a moment."
        }
    }
}
