//! What a private message offers beside what it says: suggestions above the place where one writes,
//! and a row of buttons of its own below it.
//!
//! Source: the message type of the official Go client. The documentation names neither, so that the
//! settings can switch them off, and only what that type says is checked.

use serde_json::{Map, Value};

use super::Refusal;
use super::cards::read_keyboard;
use super::fields::{Kind, chars, check_types, object_of, text_of};
use crate::ledger::Scene;
use crate::settings::BotSettings;

/// Characters of `callback_data`.
const CALLBACK: usize = 128;

const BUTTONS: &[(&str, Kind)] = &[
    ("template_id", Kind::Whole),
    ("callback_data", Kind::Text),
    ("feedback", Kind::Flag),
    ("tts", Kind::Flag),
    ("re_generate", Kind::Flag),
    ("stop_generate", Kind::Flag),
];

/// The two of them, as they were sent.
#[derive(Debug, Clone, Default)]
pub(crate) struct Offers {
    /// The keyboard of `prompt_keyboard`.
    pub(crate) prompt: Option<Value>,
    /// `action_button`.
    pub(crate) buttons: Option<Value>,
}

impl Offers {
    /// What a later piece of a stream offers takes the place of what was offered before.
    pub(crate) fn take(&mut self, newer: &Self) {
        if let Some(prompt) = &newer.prompt {
            self.prompt = Some(prompt.clone());
        }
        if let Some(buttons) = &newer.buttons {
            self.buttons = Some(buttons.clone());
        }
    }
}

/// Reads both out of a body. Elsewhere than in C2C, and where they are switched off, they are fields
/// that nobody knows.
pub(crate) fn read_offers(
    fields: &Map<String, Value>,
    scene: Scene,
    bot: &BotSettings,
) -> Result<Offers, Refusal> {
    if scene != Scene::C2c || !bot.messages.offers {
        return Ok(Offers::default());
    }
    let prompt = object_of(fields, "prompt_keyboard").map(|prompt| {
        let keyboard = object_of(prompt, "keyboard");
        let keyboard = keyboard
            .ok_or_else(|| Refusal::malformed(304_039, "a prompt_keyboard without keyboard"))?;
        read_keyboard(keyboard, bot)?;
        Ok(Value::Object(keyboard.clone()))
    });
    let buttons = object_of(fields, "action_button").map(|buttons| {
        check_types(buttons, BUTTONS, bot.messages.nulls)?;
        if text_of(buttons, "callback_data").is_some_and(|data| chars(data) > CALLBACK) {
            let why = "a callback_data of more than 128 characters";
            return Err(Refusal::malformed(305_007, why));
        }
        Ok(Value::Object(buttons.clone()))
    });
    Ok(Offers {
        prompt: prompt.transpose()?,
        buttons: buttons.transpose()?,
    })
}
