//! More steps of the bot on the bench: guild scenes, files, requests of any method.

use qq_emulator::actions::Act;
use qq_emulator::ids::{AppId, MessageId};
use qq_emulator::intents::Intents;
use qq_emulator::settings::BotSettings;
use qq_emulator::wire::{HttpRequest, HttpResponse};
use serde_json::{Value, json};

use super::{APP, Bench, code};

/// Bits 0, 1, 10, 12, 24, 25, 26, 27 and 30: all that a public bot of these tests asks for.
pub(crate) const ALL_PUBLIC: u64 = 1 | 2 | 1 << 10 | 1 << 12 | 15 << 24 | 1 << 30;

impl Bench {
    pub(crate) fn call(&mut self, method: &str, path: &str, body: Option<&Value>) -> HttpResponse {
        let token = self.token();
        let mut request = HttpRequest::new(method, path);
        if let Some((path, query)) = path.split_once('?') {
            request = HttpRequest::new(method, path);
            request.query = Some(query.to_owned());
        }
        if let Some(body) = body {
            request = request.with_json(body);
        }
        self.http(request.with_header("authorization", &format!("QQBot {token}")))
            .unwrap()
    }

    /// The code of the refusal of a POST, or 0.
    pub(crate) fn post_code(&mut self, path: &str, body: &Value) -> u64 {
        code(&self.post(path, body).unwrap())
    }

    pub(crate) fn change(&mut self, change: impl FnOnce(&mut BotSettings)) {
        change(self.platform.bot_settings_mut(&AppId::from(APP)).unwrap());
    }

    /// A message in `club/chat` with an @, and the path for answers.
    pub(crate) fn channel_asked(&mut self, text: &str) -> (MessageId, String) {
        let outcome = self.act(Act::channel_at("club", "chat", "bob", text));
        let path = format!("/channels/{}/messages", outcome.target.unwrap());
        (outcome.message_id.unwrap(), path)
    }

    /// A direct message from `club`, and the path for answers.
    pub(crate) fn dm_asked(&mut self, text: &str) -> (MessageId, String) {
        let outcome = self.act(Act::dm("club", "bob", text));
        let path = format!("/dms/{}/messages", outcome.target.unwrap());
        (outcome.message_id.unwrap(), path)
    }

    /// What the bot has sent, oldest first.
    pub(crate) fn said(&self) -> Vec<String> {
        let all = self.platform.ledger().bot_messages();
        all.map(|message| message.text.clone()).collect()
    }
}

/// A bot of the private domain, which may ask for every intent.
pub(crate) fn private(bot: &mut BotSettings) {
    bot.intents = Intents::known();
}

/// A keyboard of one row, with a button for each id; all may press.
pub(crate) fn keyboard(ids: &[&str], kind: u64) -> Value {
    let buttons: Vec<Value> = ids
        .iter()
        .map(|id| {
            json!({"id": id, "render_data": {"label": id, "visited_label": id, "style": 1},
                "action": {"type": kind, "data": format!("/do {id}"), "permission": {"type": 2},
                    "unsupport_tips": "update"}})
        })
        .collect();
    json!({"content": {"rows": [{"buttons": buttons}]}})
}
