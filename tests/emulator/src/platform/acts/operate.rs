//! The buttons that a private message has of its own: like, dislike, again, stop.
//!
//! What the bot is told: of a like, interaction 13, as the documentation has it; of the others,
//! interaction 11 with `callback_data`, as the official Go client says. The ids of those buttons are
//! named nowhere; here they are called as the fields are.

use serde_json::{Value, json};

use crate::actions::{ActionError, ActionOutcome, Operation};
use crate::ids::{AppId, MessageId, UserName};
use crate::platform::Platform;
use crate::platform::messages::Offers;
use crate::platform::place::Spot;

/// A message, finished or growing, with what it offers and the id by which the bot knows it.
struct Offered {
    spot: Spot,
    offers: Offers,
    told: String,
    grows: bool,
}

impl Platform {
    pub(super) fn user_operates(
        &mut self,
        app: &AppId,
        user: &UserName,
        id: &MessageId,
        button: Operation,
        on: bool,
    ) -> Result<ActionOutcome, ActionError> {
        let it = self
            .offered(app, id)
            .ok_or_else(|| ActionError::NoSuchMessage(id.clone()))?;
        let own = it.offers.buttons.unwrap_or_default();
        let there = own.get(button.field()) == Some(&Value::Bool(true));
        // There is nothing to stop once a message is finished.
        if !there || (button == Operation::Stop && !it.grows) {
            return Err(ActionError::NoSuchButton(button.name().to_owned()));
        }
        if it.spot.user.as_ref() != Some(user) {
            return Err(ActionError::MayNotPress(user.clone()));
        }
        self.mark_operation(id, user, button, on);
        let data = own.get("callback_data").and_then(Value::as_str);
        let data = data.unwrap_or_default();
        let (kind, resolved) = match button.opinion() {
            Some(opinion) => (
                13,
                json!({"message_id": it.told, "feedback_opt": opinion, "checked": on,
                    "button_data": data}),
            ),
            None => (
                11,
                json!({"button_data": data, "button_id": button.field(), "message_id": it.told}),
            ),
        };
        let who = it.spot.target.clone();
        Ok(self.interact(app, &it.spot, &who, kind, &resolved))
    }

    fn offered(&self, app: &AppId, id: &MessageId) -> Option<Offered> {
        let bot = self.bots.get(app)?;
        if let Some(post) = bot.posts.get(id.as_str()) {
            return Some(Offered {
                spot: post.spot.clone(),
                offers: post.offers.clone(),
                told: post.told.clone().unwrap_or_else(|| id.to_string()),
                grows: false,
            });
        }
        let (spot, offers) = bot.streams.get(id.as_str())?.offered();
        Some(Offered {
            spot: spot.clone(),
            offers: offers.clone(),
            told: id.to_string(),
            grows: true,
        })
    }

    /// One opinion of one person at a time; the others leave no mark.
    fn mark_operation(&mut self, id: &MessageId, user: &UserName, button: Operation, on: bool) {
        if button.opinion().is_none() {
            return;
        }
        let line = |it: Operation| format!("{user}: {}", it.name());
        let either = [line(Operation::Like), line(Operation::Dislike)];
        let presses = &mut self.ledger.mark_mut(id).presses;
        presses.retain(|it| !either.contains(it));
        if on {
            presses.push(line(button));
        }
    }
}
