//! Signs of life while a message is being answered: a typing notice in private chats, an emoji in guild channels.
//!
//! Neither is worth a retry, and neither may cost the answer: a notice is sent only where enough replies are left.

use crate::bindings::{HttpDone, HttpOutcome, Outcome};
use crate::capabilities::{Feature, Learned, RIGHT_MS};
use crate::config::StreamMode;
use crate::delivery::budget::Via;
use crate::delivery::errors;
use crate::env::Env;
use crate::ids::TurnId;
use crate::inbound::{Anchor, Inbound};
use crate::requests::{Body, Lane, Purpose};
use crate::scene::Scene;
use crate::timers::Timer;

use super::{Stage, Turn, Turns};

/// Seconds that a typing notice is asked to stay: the most that the platform takes.
const TYPING_S: u32 = 60;
/// Milliseconds after which it is renewed, where that costs nothing.
const TYPING_AGAIN_MS: u64 = 50_000;
/// Replies that must be left for a notice that costs one: itself, the answer, and one to spare.
const LEAST_REPLIES: u32 = 3;

/// An emoji: 1 and the number of a face, or 2 and a code point.
type Emoji = (u8, &'static str);
/// A message is being worked on: the face that ponders.
const RECEIVED: Emoji = (1, "314");
/// It is answered: the face that says OK.
const DONE: Emoji = (1, "124");
/// It is not: a red cross.
const FAILED: Emoji = (2, "10060");

impl Turns {
    /// Shows that an answer is being written, where the operator wants that and there are replies to spare.
    pub(super) fn show_typing(&mut self, env: &mut Env, id: TurnId) {
        let Some(turn) = self.open.get(&id) else {
            return;
        };
        let (scene, target) = (turn.inbound.scene, turn.inbound.target.clone());
        let wanted = env.config.stream_mode == StreamMode::Typing && scene == Scene::C2c;
        if !wanted || !self.caps.may(env, scene, &target, Feature::Typing) {
            return;
        }
        if env.requests.room(Lane::Signs) == 0 {
            return;
        }
        let cap = self.cap(env, scene, &target);
        let costs = env.config.typing_costs_reply;
        let paid = if !costs {
            self.budget.number(env, id)
        } else if self.budget.own_left(env, id, cap) >= LEAST_REPLIES {
            self.budget.pay(env, id, cap, &|_| true)
        } else {
            None
        };
        let Some(paid) = paid else { return };
        let mut body = serde_json::json!({
            "msg_type": 6,
            "input_notify": {"input_type": 1, "input_second": TYPING_S},
            "msg_seq": paid.seq,
        });
        let (name, value) = match &paid.via {
            Via::Message(id) => ("msg_id", id),
            Via::Event(id) => ("event_id", id),
            Via::Proactive | Via::WakeUp => return,
        };
        if let Some(fields) = body.as_object_mut() {
            fields.insert(name.into(), value.as_str().into());
        }
        let path = scene.messages_path(target.as_str());
        let body = Body::Json(body.to_string());
        env.call_api(Purpose::Typing { turn: id }, "POST", &path, body, true);
        if !costs {
            self.typing
                .insert(id, env.now.mono_ms.saturating_add(TYPING_AGAIN_MS));
            env.set_timer_by(Timer::Typing, TYPING_AGAIN_MS);
        }
    }

    /// Time to renew some notices.
    pub fn on_typing_time(&mut self, env: &mut Env) {
        let now = env.now.mono_ms;
        let due: Vec<TurnId> = self
            .typing
            .iter()
            .filter(|(_, at)| **at <= now)
            .map(|(id, _)| *id)
            .collect();
        for id in due {
            self.typing.remove(&id);
            if self
                .open
                .get(&id)
                .is_some_and(|turn| turn.stage == Stage::Thinking)
            {
                self.show_typing(env, id);
            }
        }
        if let Some(next) = self.typing.values().min().copied() {
            env.set_timer_by(Timer::Typing, next.saturating_sub(now));
        }
    }

    /// The answer to a typing notice: only what it teaches counts.
    pub fn on_typed(&mut self, env: &mut Env, id: TurnId, done: &HttpDone) {
        let HttpOutcome::Response(response) = &done.outcome else {
            return;
        };
        if (200..300).contains(&response.status) {
            return;
        }
        let code = errors::read(response.status, &response.body).code;
        let class = errors::class(response.status, code);
        let refused = response.status < 500 || code.is_some_and(errors::known);
        if refused && env.config.typing_costs_reply {
            // What the platform did not take costs no reply.
            self.budget.refund_own(env, id);
        }
        // What is wrong with this person or this moment says nothing about notices.
        if let Some((scene, _)) = self.place(id)
            && matches!(class, errors::Class::Drop | errors::Class::Plain)
        {
            let refused = (Learned::Refused, code);
            self.caps
                .learn(env, (scene, None), Feature::Typing, refused, RIGHT_MS);
        }
    }

    /// Puts an emoji on a message that was taken.
    pub(super) fn mark_received(&self, env: &mut Env, inbound: &Inbound) {
        put(env, inbound, "PUT", RECEIVED);
    }

    /// Puts the emoji of its end in its place.
    pub(super) fn mark_done(&self, env: &mut Env, turn: &Turn, outcome: Outcome) {
        if outcome == Outcome::Superseded {
            // Another message is answered in its place.
            return put(env, &turn.inbound, "DELETE", RECEIVED);
        }
        let emoji = match outcome {
            Outcome::Sent | Outcome::Held | Outcome::Silent | Outcome::PartlySent => DONE,
            _ => FAILED,
        };
        put(env, &turn.inbound, "DELETE", RECEIVED);
        put(env, &turn.inbound, "PUT", emoji);
    }
}

fn put(env: &mut Env, inbound: &Inbound, method: &str, (kind, id): Emoji) {
    if !env.config.ack_reactions || inbound.anchor != Anchor::Message {
        return;
    }
    if env.requests.room(Lane::Signs) == 0 {
        return;
    }
    let path = inbound
        .scene
        .reaction_path(inbound.target.as_str(), inbound.id.as_str(), kind, id);
    if let Some(path) = path {
        env.call_api(Purpose::Mark, method, &path, Body::None, false);
    }
}
