//! The commands of the prompt, as people write them after the colon.

use std::path::PathBuf;
use std::time::Duration;

use thiserror::Error;

use crate::actions::Emoji;
use crate::faults::{FaultOrder, FaultTextError, parse_orders};
use crate::ids::{ChannelName, GroupName, GuildName, UserName};
use crate::settings::GroupMode;
use crate::time::parse_span;

/// Entries of the log that `:log` shows.
const LOG_LINES: usize = 20;

/// How long `:wait` waits.
const WAIT: Duration = Duration::from_secs(10);

/// The guild of direct messages, where none is named.
const HOME: &str = "guild";

/// A command.
#[derive(Debug, Clone, PartialEq)]
pub enum Command {
    /// `as c2c NAME`
    AsC2c(UserName),
    /// `as group NAME [USER]`
    AsGroup(GroupName, Option<UserName>),
    /// `as channel GUILD/CHANNEL [USER]`
    AsChannel(GuildName, ChannelName, Option<UserName>),
    /// `as dm USER [GUILD]`
    AsDm(UserName, GuildName),
    /// `attach PATH [TEXT]`: a message with a file.
    Attach(PathBuf, String),
    /// `press BUTTON`: the newest message with buttons.
    Press(String),
    /// `react FACE`: to the newest message of the bot in a channel.
    React(Emoji),
    /// `audit pass|reject`: the oldest message that waits for its audit.
    Judge(bool),
    /// `mute` and `unmute`: the bot, in a group.
    Mute(bool),
    /// `aside TEXT`: in a group, without a mention.
    Aside(String),
    /// `add`: the bot, as a friend or to the group.
    Add,
    /// `remove`: the bot.
    Remove,
    /// `reject`: no proactive messages, please.
    Reject,
    /// `accept`: proactive messages again.
    Accept,
    /// `mode only_mention|mention_and_context|all`
    Mode(GroupMode),
    /// `fault TEXT`
    Fault(Vec<FaultOrder>),
    /// `faults`
    Faults,
    /// `faults clear`
    ClearFaults,
    /// `clock +SPAN`
    Clock(Duration),
    /// `wait [SPAN]`
    Wait(Duration),
    /// `log [N]`
    Log(usize),
    /// `state`
    State,
    /// `violations`
    Violations,
    /// `help`
    Help,
    /// `restart`
    Restart,
    /// `quit`
    Quit,
}

/// Why a line is no command.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum CommandError {
    /// There is no such command.
    #[error("no command is called :{0}")]
    Unknown(String),
    /// It is written in another way.
    #[error("usage: {0}")]
    Usage(&'static str),
    /// The fault is none.
    #[error(transparent)]
    Fault(#[from] FaultTextError),
}

impl Command {
    /// Reads what follows the colon.
    ///
    /// # Errors
    ///
    /// If it is no command.
    pub fn parse(text: &str) -> Result<Self, CommandError> {
        let (name, rest) = text.split_once(char::is_whitespace).unwrap_or((text, ""));
        let rest = rest.trim();
        let words: Vec<&str> = rest.split_whitespace().collect();
        let usage = |text| Err(CommandError::Usage(text));
        match (name, words.as_slice()) {
            ("as", ["c2c", user]) => Ok(Self::AsC2c((*user).into())),
            ("as", ["group", group]) => Ok(Self::AsGroup((*group).into(), None)),
            ("as", ["group", group, user]) => {
                Ok(Self::AsGroup((*group).into(), Some((*user).into())))
            }
            ("as", ["channel", place, user @ ..]) if user.len() < 2 => {
                let Some((guild, channel)) = place.split_once('/') else {
                    return usage(":as channel GUILD/CHANNEL [USER]");
                };
                let user = user.first().map(|&user| user.into());
                Ok(Self::AsChannel(guild.into(), channel.into(), user))
            }
            ("as", ["dm", user]) => Ok(Self::AsDm((*user).into(), HOME.into())),
            ("as", ["dm", user, guild]) => Ok(Self::AsDm((*user).into(), (*guild).into())),
            ("as", _) => usage(
                ":as c2c NAME | :as group NAME [USER] | :as channel GUILD/CHANNEL [USER] | :as dm NAME [GUILD]",
            ),
            ("attach", [path, ..]) => {
                let text = rest.strip_prefix(path).unwrap_or_default();
                Ok(Self::Attach(PathBuf::from(path), text.trim().to_owned()))
            }
            ("attach", []) => usage(":attach PATH [TEXT]"),
            ("press", [_, ..]) => Ok(Self::Press(rest.to_owned())),
            ("press", []) => usage(":press BUTTON"),
            ("react", [face]) => parse_face(face)
                .map(Self::React)
                .ok_or(CommandError::Usage(":react 277 | :react 2/128077")),
            ("react", _) => usage(":react 277 | :react 2/128077"),
            ("audit", ["pass"]) => Ok(Self::Judge(true)),
            ("audit", ["reject"]) => Ok(Self::Judge(false)),
            ("audit", _) => usage(":audit pass | reject"),
            ("mute", []) => Ok(Self::Mute(true)),
            ("unmute", []) => Ok(Self::Mute(false)),
            _ => Self::parse_rest(name, rest, &words),
        }
    }

    /// The commands that change no place and touch no message.
    fn parse_rest(name: &str, rest: &str, words: &[&str]) -> Result<Self, CommandError> {
        let usage = |text| Err(CommandError::Usage(text));
        match (name, words) {
            ("aside", [_, ..]) => Ok(Self::Aside(rest.to_owned())),
            ("aside", []) => usage(":aside TEXT"),
            ("add", []) => Ok(Self::Add),
            ("remove", []) => Ok(Self::Remove),
            ("reject", []) => Ok(Self::Reject),
            ("accept", []) => Ok(Self::Accept),
            ("mode", ["only_mention"]) => Ok(Self::Mode(GroupMode::OnlyMention)),
            ("mode", ["mention_and_context"]) => Ok(Self::Mode(GroupMode::MentionAndContext)),
            ("mode", ["all"]) => Ok(Self::Mode(GroupMode::All)),
            ("mode", _) => usage(":mode only_mention | mention_and_context | all"),
            ("fault", [_, ..]) => Ok(Self::Fault(parse_orders(rest)?)),
            ("fault", []) => usage(":fault NAME (see :faults)"),
            ("faults", []) => Ok(Self::Faults),
            ("faults", ["clear"]) => Ok(Self::ClearFaults),
            ("clock", [span]) => {
                let span = span.strip_prefix('+').and_then(parse_span);
                span.map(Self::Clock)
                    .ok_or(CommandError::Usage(":clock +5m"))
            }
            ("clock", _) => usage(":clock +5m"),
            ("wait", []) => Ok(Self::Wait(WAIT)),
            ("wait", [span]) => parse_span(span)
                .map(Self::Wait)
                .ok_or(CommandError::Usage(":wait [10s]")),
            ("log", []) => Ok(Self::Log(LOG_LINES)),
            ("log", [count]) => count
                .parse()
                .map(Self::Log)
                .map_err(|_| CommandError::Usage(":log [N]")),
            ("state", []) => Ok(Self::State),
            ("violations", []) => Ok(Self::Violations),
            ("help" | "h" | "?", _) => Ok(Self::Help),
            ("restart", []) => Ok(Self::Restart),
            ("quit" | "q" | "exit", _) => Ok(Self::Quit),
            _ => Err(CommandError::Unknown(name.to_owned())),
        }
    }
}

/// `277` is a QQ face, `2/128077` a Unicode emoji by its code point.
fn parse_face(text: &str) -> Option<Emoji> {
    let (kind, id) = text.split_once('/').unwrap_or(("1", text));
    let kind = kind.parse().ok()?;
    id.parse::<u32>().ok()?;
    Some(Emoji {
        kind,
        id: id.to_owned(),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn commands_are_read_with_their_arguments() {
        assert_eq!(
            Command::parse("as c2c bob"),
            Ok(Command::AsC2c("bob".into()))
        );
        assert_eq!(
            Command::parse("clock +5m"),
            Ok(Command::Clock(Duration::from_secs(300)))
        );
        assert_eq!(Command::parse("log 3"), Ok(Command::Log(3)));
        assert_eq!(Command::parse("faults clear"), Ok(Command::ClearFaults));
        assert!(
            matches!(Command::parse("fault garbage"), Ok(Command::Fault(all)) if all.len() > 5)
        );
    }

    #[test]
    fn wrong_arguments_say_how_it_is_written() {
        for text in [
            "as",
            "as bob",
            "clock 5m",
            "clock",
            "mode loud",
            "fault",
            "log x",
            "wait x",
        ] {
            assert!(
                matches!(Command::parse(text), Err(CommandError::Usage(_))),
                "{text}"
            );
        }
    }
}
