//! A model's calls of tools: allowed where that is asked for, remembered where they do something.

use prx_host::bindings::v0_1::{Approval, TurnNews};
use rmcp::model::JsonObject;
use serde_json::Value;

use super::Turn;
use crate::history::archive::Act;
use crate::openai::Call;
use crate::tools::Offer;

/// Characters of a call that a person is shown, which is all of it: what is longer does not run where somebody is asked.
const MAX_DETAIL: usize = 1_500;

impl Turn {
    /// Why this attempt must not begin: an earlier one has done something, and nobody knows how much.
    pub(super) fn has_acted(&self) -> Result<(), String> {
        if self.begin.attempt <= 1 {
            return Ok(());
        }
        let remembered = self.shared.history().archive();
        match remembered.acted(self.act()) {
            Ok(None) => Ok(()),
            Ok(Some(tool)) => Err(format!(
                "the tool {tool} ran before the turn was interrupted; it is not begun again, so that nothing is done twice"
            )),
            Err(error) => Err(error.to_string()),
        }
    }

    fn act(&self) -> Act<'_> {
        Act {
            channel: &self.key.channel,
            turn: self.begin.id,
            message: &self.begin.message.platform_id,
        }
    }

    /// Runs a call. What goes wrong is for the model to read.
    pub(super) async fn call(&self, offers: &[Offer], call: Call) -> String {
        let Some(offer) = offers.iter().find(|offer| offer.name == call.name) else {
            return "error: there is no such tool".into();
        };
        let written = match call.arguments.trim() {
            "" => "{}",
            written => written,
        };
        let Ok(arguments) = serde_json::from_str::<JsonObject>(written) else {
            return "error: the arguments are not a JSON object".into();
        };
        if offer.asks {
            // What is parsed is what runs, so that is shown: white space and repeated keys of the model's own are gone.
            let detail = format!("{} {}", offer.name, Value::Object(arguments.clone()));
            if detail.chars().count() > MAX_DETAIL {
                return format!(
                    "error: a person has to allow this call and is shown all of it, at most {MAX_DETAIL} characters; shorten the arguments"
                );
            }
            if !self.allowed(offer, detail).await {
                return "error: the person did not allow it".into();
            }
        }
        if offer.acts {
            let remembered = self.shared.history().archive();
            if let Err(error) = remembered.acts(self.act(), &offer.name) {
                tracing::warn!("a tool does not run, as nobody would know that it did: {error}");
                return "error: the tool cannot run now".into();
            }
        }
        self.send(TurnNews::ToolNote(offer.title().to_owned()))
            .await;
        self.shared.tools.call(offer, arguments).await
    }

    /// Waits for a person, as long as the turn has time.
    async fn allowed(&self, offer: &Offer, detail: String) -> bool {
        let questions = &self.shared.questions;
        let approval = questions.name();
        let question = (self.key.channel.clone(), self.begin.id, approval.clone());
        let answered = questions.ask(question);
        self.send(TurnNews::ApprovalAsked(Approval {
            approval,
            title: offer.title().to_owned(),
            detail,
        }))
        .await;
        let allowed = self.without_seat(answered).await;
        matches!(allowed, Ok(Ok(true)))
    }
}
