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
        Text::PairHint => {
            "This bot only serves people who are paired. Ask its owner for a pairing code of 6 digits, then send: /bind CODE\n/whoami shows your OpenID."
        }
        Text::PairInPrivate => "Please write to me in private to pair.",
        Text::PairUsage => "Please write it like this: /bind 123456, with your code of 6 digits",
        Text::PairWrong => "That is not the code. Tries left: {left}.",
        Text::PairLocked => "Too many wrong tries. Please try again in {minutes} min.",
        Text::PairTooShort => {
            "Somebody keeps guessing codes, so 6 digits are not enough any more. Please ask the owner of the bot for the code of 12 digits and send /bind with that one."
        }
        Text::PairNoCode => {
            "There is no valid code at present. Please ask the owner of the bot to make a new one."
        }
        Text::PairFull => "Too many people are paired already. Please tell the owner of the bot.",
        Text::Paired => "You are paired and can talk to me now. /help lists the commands.",
        Text::PairedOwner => {
            "You are paired, and you are my owner: I will ask you when others want to talk to me. /help lists the commands."
        }
        Text::PairedBefore => "You are paired already.",
        Text::AskOwner => "Somebody wants to talk to me: {who}",
        Text::AskOwnerHow => {
            "On the server, run prx channel pair {name} approve {id} or prx channel pair {name} deny {id}."
        }
        Text::Approve => "Approve",
        Text::Approved => "Approved",
        Text::Deny => "Deny",
        Text::Denied => "Denied",
        Text::AskApproved => "Approved: {who}",
        Text::AskDenied => "Denied: {who}",
        Text::Whoami => "Scene: {scene}\nOpenID: {id}",
        Text::WhoamiHere => "For allowed_users, one of these lines:",
        Text::HelpHead => "Commands:",
        Text::HelpHelp => "shows the commands",
        Text::HelpWhoami => "shows your OpenID",
        Text::HelpNew => "forgets what was said and begins anew",
        Text::HelpStop => "stops what I am working on",
        Text::HelpStatus => "shows how the bot is",
        Text::HelpBind => "pairs with a code",
        Text::HelpAllow => "allows what was asked",
        Text::HelpDeny => "denies what was asked",
        Text::NothingToStop => "I am not working on anything for you.",
        Text::Stopped => "Stopped.",
        Text::BegunAnew => "All right, we begin anew.",
        Text::Status => {
            "Connected for {minutes} min\nYour messages: {working} in progress, {waiting} waiting\nReplies left to this message: {left}"
        }
        Text::Allow => "Allow",
        Text::Allowed => "Allowed",
        Text::ApprovalHow => "Answer /allow or /deny.",
        Text::WasAllowed => "Allowed.",
        Text::WasDenied => "Denied.",
    }
}
