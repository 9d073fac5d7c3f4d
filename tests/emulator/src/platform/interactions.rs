//! Presses of buttons and the like: the event, and the acknowledgement that must come in time.

use std::collections::{BTreeMap, VecDeque};

use serde_json::{Value, json};

use super::Platform;
use super::due::Delayed;
use super::gateway::Event;
use super::messages::Origin;
use super::place::Spot;
use super::routes::{Answer, Call};
use crate::actions::ActionOutcome;
use crate::ids::{AppId, InteractionId, Openid};
use crate::intents::Intents;
use crate::ledger::{Scene, Violation};
use crate::record::What;
use crate::time::{Millis, whole_millis};

/// Interactions kept per bot.
const KEPT: usize = 1_000;

/// Largest body of an acknowledgement in bytes.
const LARGEST: usize = 16_000;

/// An interaction whose acknowledgement is waited for, or came.
#[derive(Debug)]
struct Waiting {
    at: Millis,
    acked: bool,
}

/// Those of one bot.
#[derive(Debug, Default)]
pub(crate) struct Interactions {
    waiting: BTreeMap<InteractionId, Waiting>,
    order: VecDeque<InteractionId>,
}

impl Platform {
    /// Pushes an interaction of a user in a chat. Types 11 and 12 want an acknowledgement.
    pub(super) fn interact(
        &mut self,
        app: &AppId,
        spot: &Spot,
        who: &Openid,
        kind: u32,
        resolved: &Value,
    ) -> ActionOutcome {
        let now = self.now;
        let id = InteractionId::from(self.ids.uuid());
        let event_id = self.ids.event("INTERACTION_CREATE");
        let d = self.interaction_body(app, spot, who, (&id, kind, resolved));
        let bound = self.settings.record.ledger;
        let Some(bot) = self.bots.get_mut(app) else {
            return ActionOutcome::default();
        };
        let origin = Origin::new(spot.scene, spot.target.clone(), now);
        bot.book.add_event(event_id.clone(), origin, bound);
        let deadline = bot.settings.interactions.deadline;
        let event = Event {
            name: "INTERACTION_CREATE",
            id: event_id.clone(),
            d: d.to_string(),
            intent: Intents::INTERACTION,
            place: &spot.target,
        };
        if matches!(kind, 11 | 12) {
            bot.interactions.add(id.clone(), now);
        }
        let sessions = self.push(app, &event).len();
        if matches!(kind, 11 | 12) && sessions > 0 {
            let (app, id) = (app.clone(), id.clone());
            self.due
                .plan(now.plus(deadline), Delayed::AckCheck { app, id });
        }
        ActionOutcome {
            event_id: Some(event_id),
            target: Some(spot.target.clone()),
            author: Some(who.clone()),
            interaction: Some(id),
            sessions,
            ..ActionOutcome::default()
        }
    }

    fn interaction_body(
        &self,
        app: &AppId,
        spot: &Spot,
        who: &Openid,
        what: (&InteractionId, u32, &Value),
    ) -> Value {
        let (id, kind, resolved) = what;
        let (scene, chat_type) = match spot.scene {
            Scene::C2c => ("c2c", 2),
            Scene::Group => ("group", 1),
            Scene::Channel | Scene::Dm => ("guild", 0),
        };
        let mut d = json!({
            "id": id, "application_id": app, "type": kind, "scene": scene,
            "chat_type": chat_type, "timestamp": self.now.rfc3339(), "version": 1,
            "data": {"type": kind, "resolved": resolved},
        });
        let Some(fields) = d.as_object_mut() else {
            return d;
        };
        let mut set = |name: &str, value: Value| fields.insert(name.to_owned(), value);
        match spot.scene {
            Scene::C2c => {
                set("user_openid", json!(who));
            }
            Scene::Group => {
                set("group_openid", json!(spot.target));
                set("group_member_openid", json!(who));
            }
            Scene::Channel | Scene::Dm => {
                let ids = self.bots.get(app).map(|bot| bot.world.guilds.ids_of(spot));
                let (guild, channel) = ids.unwrap_or((None, None));
                set("guild_id", json!(guild));
                set("channel_id", json!(channel));
            }
        }
        d
    }

    /// `PUT /interactions/{id}`.
    pub(super) fn acknowledge(&mut self, call: &Call, app: &AppId) -> Answer {
        let for_app = call.request.header("x-callback-appid");
        if for_app.is_some_and(|it| it != app.as_str()) {
            return Answer::error(630_003);
        }
        if call.request.body.len() > LARGEST {
            return Answer::error(630_007);
        }
        let code = call
            .json
            .as_ref()
            .and_then(|body| body.get("code")?.as_u64());
        let Some(code) = code.filter(|code| *code <= 5) else {
            self.malformed(Some(app), "an acknowledgement whose code is not 0 to 5");
            return Answer::error(630_001);
        };
        let now = self.now;
        let Some(bot) = self.bots.get_mut(app) else {
            return Answer::error(10_001);
        };
        let settings = bot.settings.interactions.clone();
        let id = call.segment(1);
        let waiting = bot.interactions.waiting.get_mut(id);
        let Some(waiting) = waiting.filter(|waiting| !waiting.acked) else {
            self.malformed(
                Some(app),
                format!("an acknowledgement of {id}, which is unknown or acknowledged"),
            );
            return Answer::error(630_002);
        };
        waiting.acked = true;
        let late = now.since(waiting.at).saturating_sub(settings.deadline);
        let text = format!("interaction {id} acknowledged with {code}");
        self.log(Some(app), What::Note { text });
        if late.is_zero() {
            return Answer::NoContent;
        }
        let (interaction, late_ms) = (id.to_owned(), whole_millis(late));
        let what = Violation::LateAck {
            interaction,
            late_ms,
        };
        self.violation(Some(app), what);
        match settings.refuse_late {
            true => Answer::error(630_002),
            false => Answer::NoContent,
        }
    }

    /// The deadline of an acknowledgement has come.
    pub(super) fn check_ack(&mut self, app: &AppId, id: &InteractionId) {
        let waiting = self.bots.get(app);
        let waiting = waiting.and_then(|bot| bot.interactions.waiting.get(id));
        if waiting.is_some_and(|waiting| !waiting.acked) {
            let interaction = id.to_string();
            self.violation(Some(app), Violation::MissingAck { interaction });
        }
    }
}

impl Interactions {
    fn add(&mut self, id: InteractionId, at: Millis) {
        self.order.push_back(id.clone());
        self.waiting.insert(id, Waiting { at, acked: false });
        while self.order.len() > KEPT {
            if let Some(old) = self.order.pop_front() {
                self.waiting.remove(&old);
            }
        }
    }
}
