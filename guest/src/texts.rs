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
    /// Somebody who may not talk to the bot is told how to ask.
    PairHint,
    /// The same in a group: there codes are not taken.
    PairInPrivate,
    /// A code has six digits.
    PairUsage,
    /// The code is wrong: `{left}` tries are left.
    PairWrong,
    /// Too many wrong tries: `{minutes}` minutes to wait.
    PairLocked,
    /// Somebody guesses, so that six digits are not enough.
    PairTooShort,
    /// There is no code at present.
    PairNoCode,
    /// There is no room for more people.
    PairFull,
    /// Somebody is paired.
    Paired,
    /// The first one is paired, and is the owner.
    PairedOwner,
    /// Somebody who is paired sends a code.
    PairedBefore,
    /// Asks the owner about somebody: `{who}`, as the request with number `{id}`.
    AskOwner,
    /// How the owner answers where there are no buttons.
    AskOwnerHow,
    /// On a button.
    Approve,
    /// On a button that was pressed.
    Approved,
    /// On a button.
    Deny,
    /// On a button that was pressed.
    Denied,
    /// The owner said yes to `{who}`.
    AskApproved,
    /// The owner said no to `{who}`.
    AskDenied,
    /// Who somebody is: `{scene}` and `{id}`.
    Whoami,
    /// The lines for the operator's list.
    WhoamiHere,
    /// Stands above the commands.
    HelpHead,
    /// What a command does.
    HelpHelp,
    /// What a command does.
    HelpWhoami,
    /// What a command does.
    HelpNew,
    /// What a command does.
    HelpStop,
    /// What a command does.
    HelpStatus,
    /// What a command does.
    HelpBind,
    /// What a command does.
    HelpAllow,
    /// What a command does.
    HelpDeny,
    /// Nothing is being done for this person.
    NothingToStop,
    /// What was being done is stopped.
    Stopped,
    /// The conversation begins anew.
    BegunAnew,
    /// How the bot is: `{minutes}`, `{working}`, `{waiting}`, `{left}`.
    Status,
    /// On a button.
    Allow,
    /// On a button that was pressed.
    Allowed,
    /// How to answer a question where there are no buttons.
    ApprovalHow,
    /// The person allowed it.
    WasAllowed,
    /// The person denied it.
    WasDenied,
}

/// The text in a language.
#[must_use]
pub fn text(language: Language, text: Text) -> &'static str {
    match language {
        Language::ZhCn => zh_cn::text(text),
        Language::En => en::text(text),
    }
}

/// The text in a language, with values in the place of `{name}`. A value is put in as it is.
#[must_use]
pub fn filled(language: Language, text: Text, values: &[(&str, &str)]) -> String {
    let mut rest = self::text(language, text);
    let mut out = String::with_capacity(rest.len());
    while let Some((before, after)) = rest.split_once('{') {
        out.push_str(before);
        let Some((name, after)) = after.split_once('}') else {
            rest = after;
            break;
        };
        let value = values.iter().find(|(known, _)| *known == name);
        out.push_str(value.map_or("", |(_, value)| value));
        rest = after;
    }
    out.push_str(rest);
    out
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
