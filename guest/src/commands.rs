//! What people can ask of the channel itself by writing `/word`: the table, and how it is read.
//!
//! Anything else that begins with a slash is for the agent.

use crate::texts::Text;
use crate::visible::is_invisible;

/// A command.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Command {
    /// What there is.
    Help,
    /// Who somebody is to the bot.
    Whoami,
    /// Begin the conversation anew.
    New,
    /// Stop what is being done.
    Stop,
    /// How the bot is.
    Status,
    /// Pair with a code.
    Bind,
    /// Yes to the agent's question.
    Allow,
    /// No to the agent's question.
    Deny,
}

/// Who may use a command.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Who {
    /// Whoever may talk to the bot.
    Allowed,
    /// Everybody in a private chat, while people pair; besides those who may talk to the bot.
    Pairing,
    /// Whoever is asked something; for others the agent reads it.
    Asked,
}

/// One command.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Row {
    /// Which.
    pub command: Command,
    /// Its word, without the slash.
    pub name: &'static str,
    /// Who may.
    pub who: Who,
    /// Words may follow; else a text that goes on is for the agent.
    pub argument: bool,
    /// What help says.
    pub text: Text,
}

const fn row(command: Command, name: &'static str, who: Who, text: Text) -> Row {
    Row {
        command,
        name,
        who,
        argument: matches!(command, Command::Bind),
        text,
    }
}

/// All commands, in the order of help.
pub const TABLE: [Row; 8] = [
    row(Command::Help, "help", Who::Allowed, Text::HelpHelp),
    row(Command::Whoami, "whoami", Who::Pairing, Text::HelpWhoami),
    row(Command::New, "new", Who::Allowed, Text::HelpNew),
    row(Command::Stop, "stop", Who::Allowed, Text::HelpStop),
    row(Command::Status, "status", Who::Allowed, Text::HelpStatus),
    row(Command::Bind, "bind", Who::Pairing, Text::HelpBind),
    row(Command::Allow, "allow", Who::Asked, Text::HelpAllow),
    row(Command::Deny, "deny", Who::Asked, Text::HelpDeny),
];

/// The command that a text is, with what follows it. The word may name the bot: `/bind@name 123456`.
#[must_use]
pub fn read(text: &str) -> Option<(Row, &str)> {
    let text = text.trim();
    let rest = text.strip_prefix('/').or_else(|| text.strip_prefix('／'))?;
    let (word, argument) = rest.split_once(char::is_whitespace).unwrap_or((rest, ""));
    let name = word.split_once('@').map_or(word, |(name, _)| name);
    let argument = argument.trim();
    let known =
        |row: &&Row| row.name.eq_ignore_ascii_case(name) && (row.argument || argument.is_empty());
    let row = TABLE.iter().find(known)?;
    Some((*row, argument))
}

/// True when a text could become a command of the table once a person sends it, wherever it stands: what a model
/// wrote must not put one into a person's mouth. Broader than [`read`], as tags, marks and invisible characters go
/// before that.
#[must_use]
pub fn lurks_in(text: &str) -> bool {
    let mut inside = false;
    let bare: String = text
        .chars()
        .filter(|&character| {
            let tag = inside || character == '<';
            inside = tag && character != '>';
            !tag && !is_invisible(character)
        })
        .collect();
    // A tag that does not end hides nothing.
    let texts = [bare.as_str(), text];
    texts.iter().any(|text| {
        text.match_indices(['/', '／']).any(|(at, slash)| {
            let before = text.get(..at).and_then(|before| before.chars().next_back());
            let rest = text.get(at + slash.len()..).unwrap_or_default();
            let rest = rest.trim_start_matches(is_invisible);
            let end = rest.find(|it: char| !it.is_ascii_alphanumeric());
            let name = rest.get(..end.unwrap_or(rest.len())).unwrap_or_default();
            let word = before.is_some_and(|it| it.is_alphanumeric() || it == '/');
            !word && TABLE.iter().any(|row| row.name.eq_ignore_ascii_case(name))
        })
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_word_of_the_table_is_a_command_and_everything_else_is_for_the_agent() {
        for (text, command) in [
            ("/help", Some((Command::Help, ""))),
            (" /HELP@bot ", Some((Command::Help, ""))),
            ("／whoami", Some((Command::Whoami, ""))),
            ("/bind 123456", Some((Command::Bind, "123456"))),
            ("/bind@bot  123456 ", Some((Command::Bind, "123456"))),
            ("/bind", Some((Command::Bind, ""))),
            ("/stop the music", None),
            ("/helpme", None),
            ("/weather", None),
            ("help", None),
            ("/", None),
            ("", None),
        ] {
            let read = read(text).map(|(row, argument)| (row.command, argument));
            assert_eq!(read, command, "{text:?}");
        }
    }

    #[test]
    fn a_command_is_found_wherever_a_person_could_send_it_from() {
        for text in [
            "/allow",
            " ／ALLOW ",
            "/allow@bot",
            "\u{200b}/allow",
            "/\u{200b}allow",
            "/al\u{1}low",
            "<@1>/deny",
            "<@1> /deny",
            "please /bind 123456",
            "x</allow",
            "/new",
        ] {
            assert!(lurks_in(text), "{text:?}");
        }
        for text in [
            "/allowance",
            "/weather beijing",
            "https://a.cn/new",
            "a/new b",
            "allow",
            "/",
            "1/2",
        ] {
            assert!(!lurks_in(text), "{text:?}");
        }
    }

    #[test]
    fn each_word_stands_in_the_table_once() {
        for (index, row) in TABLE.iter().enumerate() {
            assert!(TABLE[..index].iter().all(|other| other.name != row.name));
        }
    }
}
