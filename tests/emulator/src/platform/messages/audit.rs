//! Audits: messages that were taken and wait for a verdict.

use serde_json::json;

use super::publish::Sent;
use crate::actions::{ActionError, ActionOutcome};
use crate::ids::{AppId, MessageId};
use crate::intents::Intents;
use crate::ledger::Scene;
use crate::platform::Platform;
use crate::platform::due::Delayed;
use crate::platform::gateway::Event;
use crate::platform::routes::Answer;
use crate::time::Millis;

/// Audits that wait at once; the oldest are forgotten.
const WAITING: usize = 1_000;

/// A message that waits.
#[derive(Debug)]
pub(crate) struct Held {
    pub(crate) audit_id: String,
    pub(crate) sent: Sent,
    pub(crate) since: Millis,
}

impl Platform {
    /// Takes a message into audit: the answer looks like an error and is none.
    pub(super) fn hold(&mut self, app: &AppId, sent: Sent) -> Answer {
        let (audit_id, now) = (self.ids.uuid(), self.now);
        let Some(bot) = self.bots.get_mut(app) else {
            return Answer::error(10_001);
        };
        let code = match sent.outgoing.reply_to {
            None => 304_023,
            Some(_) => 304_024,
        };
        let moderation = &bot.settings.moderation;
        let (status, takes) = (moderation.audit_status, moderation.audit_takes);
        bot.audits.push_back(Held {
            audit_id: audit_id.clone(),
            sent,
            since: now,
        });
        while bot.audits.len() > WAITING {
            bot.audits.pop_front();
        }
        if !takes.is_zero() {
            let (app, audit_id) = (app.clone(), audit_id.clone());
            self.due
                .plan(now.plus(takes), Delayed::Audit { app, audit_id });
        }
        let row = crate::codes::error_code(code);
        let body = json!({
            "code": code, "message": row.message,
            "data": {"message_audit": {"audit_id": audit_id}},
        });
        Answer::Status {
            status,
            body: body.to_string(),
        }
    }

    /// An audit whose time has come decides as the settings say.
    pub(in crate::platform) fn audit_due(&mut self, app: &AppId, audit_id: &str) {
        let bot = self.bots.get(app);
        let pass = bot.is_some_and(|bot| bot.settings.moderation.audit_passes);
        // Somebody may have decided before.
        self.judge(app, Some(audit_id), pass).ok();
    }

    /// Decides an audit: the message appears, or not, and the bot is told.
    pub(in crate::platform) fn judge(
        &mut self,
        app: &AppId,
        audit_id: Option<&str>,
        pass: bool,
    ) -> Result<ActionOutcome, ActionError> {
        let bot = self.bots.get_mut(app).ok_or(ActionError::NoBot)?;
        let at = bot
            .audits
            .iter()
            .position(|held| audit_id.is_none_or(|id| held.audit_id == id));
        let held = at.and_then(|at| bot.audits.remove(at));
        let held = held.ok_or(ActionError::NoSuchAudit)?;
        let spot = held.sent.spot.clone();
        let published = pass.then(|| self.publish(app, held.sent, false));
        let name = match pass {
            true => "MESSAGE_AUDIT_PASS",
            false => "MESSAGE_AUDIT_REJECT",
        };
        let mut d = json!({
            "audit_id": held.audit_id, "audit_time": self.now.rfc3339(),
            "create_time": held.since.rfc3339(),
        });
        let mut message_id: Option<MessageId> = None;
        if let Some(fields) = d.as_object_mut() {
            let ids = self.bots.get(app).map(|bot| bot.world.guilds.ids_of(&spot));
            let (guild, channel) = ids.unwrap_or((None, None));
            let places = match spot.scene {
                Scene::C2c => vec![("user_openid", json!(spot.target))],
                Scene::Group => vec![("group_openid", json!(spot.target))],
                Scene::Channel | Scene::Dm => {
                    vec![("guild_id", json!(guild)), ("channel_id", json!(channel))]
                }
            };
            fields.extend(places.into_iter().map(|(name, id)| (name.to_owned(), id)));
            if let Some(published) = published {
                if let Some(seq) = published.message.get("seq_in_channel") {
                    fields.insert("seq_in_channel".to_owned(), seq.clone());
                }
                fields.insert("message_id".to_owned(), json!(published.id));
                message_id = Some(published.id);
            }
        }
        let id = self.ids.event(name);
        let event = Event {
            name,
            id: id.clone(),
            d: d.to_string(),
            intent: Intents::AUDIT,
            place: &spot.target,
        };
        let sessions = self.push(app, &event).len();
        Ok(ActionOutcome {
            message_id,
            event_id: Some(id),
            target: Some(spot.target),
            sessions,
            ..ActionOutcome::default()
        })
    }
}
