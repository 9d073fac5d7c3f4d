//! A new configuration while the channel runs, and a person who is to be forgotten.

use crate::access::Person;
use crate::bindings::{Action, Mark, Problem, ReportLine};
use crate::config::Config;
use crate::env::Level;
use crate::inbound::conversation_key;
use crate::scene::Scene;

use super::Channel;
use super::operator::line;

impl Channel {
    /// Takes a new configuration, or says why not: then everything stays as it is.
    pub(super) fn reload(&mut self, command: u64, json: &str) {
        let problems = match Config::from_json(json) {
            Ok(config) => match only_at_a_start(&self.env.config, &config) {
                Some(problem) => vec![problem],
                None => return self.take_configuration(command, config),
            },
            Err(problems) => problems,
        };
        let lines: Vec<ReportLine> = problems.into_iter().map(line_of).collect();
        let summary = "the new configuration is not taken; the old one stays in force";
        self.reply(command, lines, None, summary);
    }

    fn take_configuration(&mut self, command: u64, config: Config) {
        let other_intents = config.intents != self.env.config.intents;
        self.env.config = config;
        // Which conversation a message belongs to may have changed with it.
        self.turns.requeue(&self.env.config);
        self.env.log(Level::Info, "a new configuration is in force");
        if other_intents {
            let valid = self.auth.valid(&self.env);
            let want = self.gateway.ask_for_other_intents(&mut self.env, valid);
            self.want(want);
        }
        let summary = if other_intents {
            "the new configuration is in force; a session with the new intents is being opened"
        } else {
            "the new configuration is in force"
        };
        self.reply(command, Vec::new(), None, summary);
    }

    /// Forgets a person: what was remembered of them here, and what the agent knows of the private conversation.
    pub(super) fn forget(&mut self, command: u64, openid: &str) {
        let revoked = self.access.bindings.revoke(&mut self.env, openid).len();
        let mut texts = 0;
        for scene in [Scene::C2c, Scene::Dm] {
            texts += self.turns.recent.forget_place(&mut self.env, scene, openid);
            self.turns.places.forget(&mut self.env, scene, openid);
            let person = Person::new(scene, openid);
            self.access.asks.forget(&mut self.env, &person);
            let key = conversation_key(&self.env.config, scene, openid, openid);
            self.env.emit_after_commit(Action::ConversationReset(key));
        }
        let summary = format!(
            "{openid} is forgotten: {revoked} bindings, {texts} remembered messages, and the private conversation"
        );
        self.reply(command, Vec::new(), None, &summary);
    }
}

/// What a running channel cannot change: it would be another bot.
fn only_at_a_start(old: &Config, new: &Config) -> Option<Problem> {
    let changed = [
        ("app_id", old.app_id != new.app_id),
        ("api_base", old.api_base != new.api_base),
        ("token_url", old.token_url != new.token_url),
    ];
    let (key, _) = changed.into_iter().find(|(_, changed)| *changed)?;
    Some(Problem {
        key: Some(key.to_owned()),
        sentence: format!("{key} (or sandbox) changes which platform or bot this is"),
        fix: "restart the channel for that".to_owned(),
    })
}

fn line_of(problem: Problem) -> ReportLine {
    let topic = problem.key.as_deref().unwrap_or("configuration");
    ReportLine {
        fix: Some(problem.fix),
        ..line(Mark::Fail, topic, problem.sentence)
    }
}
