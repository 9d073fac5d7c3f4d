//! The terminal without a terminal: a line becomes something to do, and what a bot sends becomes
//! a line to print.

mod command;
mod obey;
mod texts;

use std::path::PathBuf;
use std::time::Duration;

pub use command::Command;
pub use texts::Language;

use serde_json::Value;

use crate::actions::{Act, ActionOutcome, InChannel, InGuild};
use crate::faults::{FAULT_HELP, FaultOrder};
use crate::ids::{GroupName, UserName};
use crate::ledger::{BotForm, BotMessage, ReplyTo, Scene, ViolationEntry};
use crate::platform::BotStats;
use crate::shell::Urls;

/// Whose words a plain line is, and where they are said.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Place {
    /// A user in the 1:1 chat with the bot.
    C2c {
        /// Who.
        user: UserName,
    },
    /// A user in a group.
    Group {
        /// Where.
        group: GroupName,
        /// Who.
        user: UserName,
    },
    /// A user in a channel of a guild.
    Channel(InChannel),
    /// A user in a direct message session of a guild.
    Dm(InGuild),
}

impl Place {
    /// Who speaks there.
    #[must_use]
    pub fn user(&self) -> &UserName {
        match self {
            Self::C2c { user } | Self::Group { user, .. } => user,
            Self::Channel(at) => &at.user,
            Self::Dm(at) => &at.user,
        }
    }
}

/// What a line asks for.
#[derive(Debug, Clone, PartialEq)]
pub enum Do {
    /// Nothing: an empty line, or a change of place that is done already.
    Nothing,
    /// Let a user act.
    Act(Act),
    /// Let a user send a message with a file of this machine.
    Attach {
        /// Where the file is.
        path: PathBuf,
        /// The message.
        act: Act,
    },
    /// Order faults.
    Fault(Vec<FaultOrder>),
    /// Take back the faults that wait.
    ClearFaults,
    /// Move the clock ahead.
    Advance(Duration),
    /// Wait until everything said is answered, but no longer than this.
    Wait(Duration),
    /// Print the last entries of the log.
    ShowLog(usize),
    /// Print the faults that wait, after what can be ordered.
    ShowFaults,
    /// Print the bots' numbers.
    ShowState,
    /// Print the broken rules.
    ShowViolations,
    /// Print a text.
    Print(String),
    /// End the built-in bot and start it again, as an operator would.
    RestartBot,
    /// End.
    Quit,
}

/// The state of the prompt.
#[derive(Debug, Clone)]
pub struct Console {
    place: Place,
    language: Language,
}

impl Console {
    /// A prompt for a user in the 1:1 chat.
    #[must_use]
    pub fn new(user: UserName, language: Language) -> Self {
        Self {
            place: Place::C2c { user },
            language,
        }
    }

    /// What a plain line is.
    #[must_use]
    pub fn place(&self) -> &Place {
        &self.place
    }

    /// What stands before the line.
    #[must_use]
    pub fn prompt(&self) -> String {
        match &self.place {
            Place::C2c { user } => format!("{user}> "),
            Place::Group { group, user } => format!("{user}@{group}> "),
            Place::Channel(at) => format!("{}@{}/{}> ", at.user, at.guild, at.channel),
            Place::Dm(at) => format!("{}@{} (dm)> ", at.user, at.guild),
        }
    }

    /// Reads a line. Commands begin with a colon; two colons begin a message with one.
    pub fn line(&mut self, line: &str) -> Do {
        let line = line.trim_end_matches(['\r', '\n']);
        match line.strip_prefix(':') {
            None if line.trim().is_empty() => Do::Nothing,
            None => Do::Act(self.say(line, true)),
            Some(rest) if rest.starts_with(':') => Do::Act(self.say(rest, true)),
            Some(rest) => match Command::parse(rest) {
                Ok(command) => self.obey(command),
                Err(error) => Do::Print(self.language.explain(&error)),
            },
        }
    }

    /// What a bot's message looks like in the terminal.
    #[must_use]
    pub fn bot_line(&self, message: &BotMessage) -> String {
        let place = match (message.scene, &message.user, &message.group) {
            (Scene::C2c, Some(user), _) => format!("bot → {user}"),
            (Scene::Group, _, Some(group)) => format!("bot → {group}"),
            (Scene::Dm, Some(user), _) => format!("bot → {user} (dm)"),
            (Scene::Channel, ..) => match (&message.guild, &message.channel) {
                (Some(guild), Some(channel)) => format!("bot → {guild}/{channel}"),
                _ => format!("bot → {}", message.target),
            },
            _ => format!("bot → {}", message.target),
        };
        if message.form == BotForm::Typing {
            return format!("{place}: {}", self.language.typing());
        }
        let text = shown(message);
        let note = match &message.reply_to {
            None => self.language.proactive(),
            Some(ReplyTo::MsgId(_)) => "",
            Some(ReplyTo::EventId(_)) => self.language.answers_event(),
        };
        let indented = text.replace('\n', "\n    ");
        let hidden = match message.hidden {
            true => self.language.hidden(),
            false => "",
        };
        format!("{place}: {indented}{note}{hidden}")
    }

    /// What is said about an action that no bot heard; none if one did.
    #[must_use]
    pub fn outcome_line(&self, outcome: &ActionOutcome) -> Option<String> {
        let unheard = outcome.event_id.is_some() && outcome.sessions == 0;
        unheard.then(|| self.language.unheard().to_owned())
    }

    /// What is printed at the start: how to point a bot here.
    #[must_use]
    pub fn greeting(&self, urls: &Urls, bots: &[(String, String)]) -> String {
        self.language.greeting(urls, bots)
    }

    /// The list of faults, and those that wait.
    #[must_use]
    pub fn faults_text(&self, waiting: &[FaultOrder]) -> String {
        let width = FAULT_HELP
            .iter()
            .map(|line| line.form.len())
            .max()
            .unwrap_or(0);
        let mut lines: Vec<String> = FAULT_HELP
            .iter()
            .map(|line| format!("  {:width$}  {}", line.form, line.what))
            .collect();
        lines.push(self.language.fault_suffixes().to_owned());
        if !waiting.is_empty() {
            let names: Vec<String> = waiting.iter().map(ToString::to_string).collect();
            lines.push(format!("{} {}", self.language.waiting(), names.join(", ")));
        }
        lines.join("\n")
    }

    /// A bot's numbers in one line.
    #[must_use]
    pub fn state_line(&self, app: &str, stats: &BotStats) -> String {
        format!(
            "{app}: {} live, {} sessions, {} identify, {} resume, {} tokens, {} accepted, \
             {} refused, {} deduplicated, {} events ({} lost, {} replayed)",
            stats.live_connections,
            stats.sessions,
            stats.identifies,
            stats.resumes,
            stats.tokens_issued,
            stats.accepted,
            stats.refused,
            stats.deduplicated,
            stats.events,
            stats.events_lost,
            stats.replayed,
        )
    }

    /// A broken rule in one line.
    #[must_use]
    pub fn violation_line(&self, entry: &ViolationEntry) -> String {
        format!("{} {}", entry.at, entry.what)
    }
}

/// A message in the words of a terminal.
fn shown(message: &BotMessage) -> String {
    let mut text = match message.form {
        BotForm::Markdown => format!("[markdown] {}", message.text),
        BotForm::Stream => format!("[stream] {}", message.text),
        BotForm::Embed => format!("[embed] {}", message.text),
        BotForm::Text | BotForm::Typing | BotForm::Ark | BotForm::Media => message.text.clone(),
    };
    if let Some(media) = &message.media {
        let kind = ["image", "video", "voice", "file"]
            .get(usize::from(media.file_type.saturating_sub(1)))
            .copied()
            .unwrap_or("file");
        text = format!("[{kind} {} {}] {text}", media.name, media.url);
    }
    for keyboard in [&message.keyboard, &message.prompt].into_iter().flatten() {
        let rows = keyboard.pointer("/content/rows").and_then(Value::as_array);
        let buttons = rows
            .into_iter()
            .flatten()
            .filter_map(|row| row.get("buttons")?.as_array())
            .flatten();
        let labels = buttons.filter_map(|it| it.pointer("/render_data/label")?.as_str());
        for label in labels {
            text.push_str(&format!(" ⟦{label}⟧"));
        }
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    fn console() -> Console {
        Console::new("alice".into(), Language::English)
    }

    #[test]
    fn a_plain_line_is_what_the_current_user_says() {
        let mut console = console();
        assert_eq!(console.line("hello\n"), Do::Act(Act::c2c("alice", "hello")));
        assert_eq!(console.line(":as group room bob"), Do::Nothing);
        assert_eq!(console.prompt(), "bob@room> ");
        assert_eq!(
            console.line("/help"),
            Do::Act(Act::group_at("room", "bob", "/help"))
        );
        let aside = Act::group_plain("room", "bob", "by the way");
        assert_eq!(console.line(":aside by the way"), Do::Act(aside));
        assert_eq!(console.line(":as c2c carol"), Do::Nothing);
        assert_eq!(console.line("::)"), Do::Act(Act::c2c("carol", ":)")));
        assert_eq!(console.line("   "), Do::Nothing);
    }

    #[test]
    fn guild_places_and_buttons_have_commands() {
        let mut console = console();
        assert_eq!(console.line(":as channel club/chat bob"), Do::Nothing);
        assert_eq!(console.prompt(), "bob@club/chat> ");
        let said = Act::channel_at("club", "chat", "bob", "hi");
        assert_eq!(console.line("hi"), Do::Act(said));
        let aside = Act::channel_plain("club", "chat", "bob", "well");
        assert_eq!(console.line(":aside well"), Do::Act(aside));
        let join = Act::AddToGuild(InGuild::new("club", "bob"));
        assert_eq!(console.line(":add"), Do::Act(join));
        assert_eq!(console.line(":as dm carol club"), Do::Nothing);
        assert_eq!(console.line("hi"), Do::Act(Act::dm("club", "carol", "hi")));
        let Do::Attach { mut act, .. } = console.line(":attach cat.png look at  this") else {
            panic!("not attached")
        };
        assert_eq!(act.message_mut().unwrap().text, "look at  this");
        assert!(matches!(console.line(":mute"), Do::Print(_)));
        assert!(matches!(
            console.line(":press Approve it"),
            Do::Act(Act::Press { button, .. }) if button == "Approve it"
        ));
        assert!(matches!(
            console.line(":react 2/128077"),
            Do::Act(Act::React { emoji, .. }) if emoji.key() == "2/128077"
        ));
        assert!(matches!(
            console.line(":audit pass"),
            Do::Act(Act::Judge { pass: true, .. })
        ));
    }

    #[test]
    fn relations_follow_the_place() {
        let mut console = console();
        assert_eq!(
            console.line(":add"),
            Do::Act(Act::AddFriend {
                user: "alice".into()
            })
        );
        assert!(matches!(console.line(":mode all"), Do::Print(_)));
        console.line(":as group room");
        let join = Act::AddToGroup {
            group: "room".into(),
            user: "alice".into(),
        };
        assert_eq!(console.line(":add"), Do::Act(join));
        assert!(matches!(
            console.line(":mode all"),
            Do::Act(Act::SetGroupMode { .. })
        ));
    }

    #[test]
    fn what_is_not_understood_is_explained() {
        let mut console = console();
        let Do::Print(text) = console.line(":fault meteor") else {
            panic!("not explained")
        };
        assert!(text.contains("meteor"));
        let Do::Print(text) = console.line(":fly") else {
            panic!("not explained")
        };
        assert!(text.contains(":help"));
    }

    #[test]
    fn every_fault_is_listed() {
        let text = console().faults_text(&["drop x2".parse().unwrap()]);
        assert_eq!(text.lines().count(), FAULT_HELP.len() + 2);
        assert!(text.ends_with("drop x2"));
    }
}
