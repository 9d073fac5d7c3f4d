//! Commands in a chat, answered by the channel itself: no agent hears of them.

use crate::bindings::Action;
use crate::commands::{self, Command, Row, Who};
use crate::delivery::Content;
use crate::inbound::Inbound;
use crate::scene::Scene;
use crate::texts::{self, Text};

use super::Channel;

impl Channel {
    /// Deals with a command of somebody who may talk to the bot. False when the message is for the agent.
    pub(super) fn on_chat_command(&mut self, inbound: &Inbound) -> bool {
        // What nobody said to the bot may be meant for another one.
        let Some((row, said)) = commands::read(&inbound.text).filter(|_| inbound.addressed) else {
            return false;
        };
        match row.command {
            Command::Help => self.say_help(inbound),
            Command::Whoami => self.say_whoami(inbound),
            Command::New => self.begin_anew(inbound),
            Command::Stop => {
                let text = match self.turns.stop(&mut self.env, inbound) {
                    0 => Text::NothingToStop,
                    _ => Text::Stopped,
                };
                self.say(inbound, text, &[]);
            }
            Command::Status => self.say_status(inbound),
            Command::Bind if !self.env.config.pairs() => return false,
            Command::Bind if inbound.scene.private() => self.say(inbound, Text::PairedBefore, &[]),
            Command::Bind => self.on_bind(inbound, said),
            Command::Allow | Command::Deny => {
                return self.on_said_decision(inbound, row.command == Command::Allow);
            }
        }
        self.env.count("commands", row.name);
        true
    }

    fn say_help(&mut self, inbound: &Inbound) {
        let language = self.env.config.language;
        let shown = |row: &&Row| row.who != Who::Asked && row.command != Command::Bind;
        let lines = commands::TABLE.iter().filter(shown);
        let lines = lines.map(|row| format!("/{} {}", row.name, texts::text(language, row.text)));
        let head = texts::text(language, Text::HelpHead).to_owned();
        let lines: Vec<String> = std::iter::once(head).chain(lines).collect();
        self.say_lines(inbound, &lines);
    }

    /// Who somebody is to the bot, with the lines that would let this one in.
    pub(super) fn say_whoami(&mut self, inbound: &Inbound) {
        let language = self.env.config.language;
        let (person, target) = (inbound.sender.as_str(), inbound.target.as_str());
        let values = [("scene", inbound.scene.word()), ("id", person)];
        let mut lines = vec![
            texts::filled(language, Text::Whoami, &values),
            texts::text(language, Text::WhoamiHere).to_owned(),
        ];
        lines.extend(match inbound.scene {
            Scene::C2c => vec![format!("\"{person}\"")],
            Scene::Group => vec![
                format!("\"{person}@group:{target}\""),
                format!("\"group:{target}\""),
            ],
            Scene::Channel | Scene::Dm => vec![
                format!("\"{person}\""),
                format!("\"guild:{}\"", inbound.guild),
            ],
        });
        self.say_lines(inbound, &lines);
    }

    fn begin_anew(&mut self, inbound: &Inbound) {
        self.turns.stop(&mut self.env, inbound);
        let conversation = inbound.conversation(&self.env.config);
        self.env
            .emit_after_commit(Action::ConversationReset(conversation));
        self.say(inbound, Text::BegunAnew, &[]);
    }

    fn say_status(&mut self, inbound: &Inbound) {
        let now_ms = self.env.now.mono_ms;
        let since_ms = self.gateway.ready_since_ms().unwrap_or(now_ms);
        let minutes = now_ms.saturating_sub(since_ms) / 60_000;
        let (working, waiting) = self.turns.counts_of(&self.env, inbound);
        let cap = self.turns.cap(&self.env, inbound.scene, &inbound.target);
        let values = [
            ("minutes", minutes.to_string()),
            ("working", working.to_string()),
            ("waiting", waiting.to_string()),
            // This answer is one of them.
            ("left", cap.saturating_sub(1).to_string()),
        ];
        let values = values
            .each_ref()
            .map(|(name, value)| (*name, value.as_str()));
        self.say(inbound, Text::Status, &values);
    }

    /// Yes or no to a question of the agent's, in words.
    fn on_said_decision(&mut self, inbound: &Inbound, allowed: bool) -> bool {
        if !self.turns.on_said_decision(&mut self.env, inbound, allowed) {
            return false;
        }
        let text = if allowed {
            Text::WasAllowed
        } else {
            Text::WasDenied
        };
        self.say(inbound, text, &[]);
        true
    }

    fn say_lines(&mut self, inbound: &Inbound, lines: &[String]) {
        self.turns
            .say(&mut self.env, inbound, Content::Text(lines.join("\n")));
    }
}
