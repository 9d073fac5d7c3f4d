//! Delivery of an answer: part after part, each paid for and under its own number, until every part has an outcome.

use crate::bindings::{HttpDone, Outcome};
use crate::env::{Env, Level};
use crate::gateway::Want;
use crate::ids::TurnId;
use crate::inbound::Inbound;
use crate::requests::{ACCESS_TOKEN, Body, Purpose};
use crate::scene::Scene;
use crate::timers::Timer;
use crate::turns::{Origin, Stage, Turn, Turns};

mod answer;
pub mod body;
pub mod budget;
pub mod cards;
pub mod errors;
mod fallback;
pub mod files;
pub mod links;
pub mod markdown;
pub mod pacing;
mod paying;
pub mod plan;
pub mod split;
pub mod stream;
pub mod tags;
pub mod upload;
mod verdict;

pub use answer::{Answer, Content, Flight, Media, Part, PartState, Ready, Source};
use budget::{Paid, Via};
use pacing::Key;
use tags::Mentions;

/// New tokens that one part may ask for: the first retry is immediate, later ones wait.
const MAX_REFRESHES: u8 = 3;

impl Turns {
    /// Takes the next step with a turn's answer, if nothing of it is under way. Closes the turn when all is settled.
    pub fn deliver(&mut self, env: &mut Env, id: TurnId, token_valid: bool) -> Want {
        let growing = self.is_growing(id);
        let Some(Turn {
            stage: Stage::Answering(answer),
            inbound,
            ..
        }) = self.open.get_mut(&id)
        else {
            return Want::Nothing;
        };
        let flight = self.flights.entry(id).or_default();
        if growing || flight.request.is_some() || flight.resend_ms.is_some() {
            return Want::Nothing;
        }
        let late = env.platform_ms() >= inbound.deadline_ms().saturating_sub(budget::MARGIN_MS);
        if late && answer.next().is_some() {
            self.on_closed_window(env, id);
        } else if flight.tries == 0 {
            // An earlier process sent it, or was about to. Where nothing would notice a repetition, there is none.
            self.leave_open_what_cannot_be_repeated(id);
        }
        let Some(index) = self.next_part(id) else {
            self.close(env, id);
            return Want::Nothing;
        };
        if !token_valid {
            // What waits for a token must survive a restart, and must not wait for ever.
            let deadline_ms = self
                .open
                .get(&id)
                .map_or(0, |turn| turn.inbound.deadline_ms());
            self.watch(env, deadline_ms);
            return Want::Token;
        }
        if self.may_send(env, id) {
            self.step_of(env, id, index);
        }
        Want::Nothing
    }

    /// What was perhaps sent is not repeated any more; the rest goes on where somebody else pays for it.
    fn on_closed_window(&mut self, env: &mut Env, id: TurnId) {
        self.expire_sending(id);
        if !self.can_pay(env, id) {
            env.log(
                Level::Warn,
                format!("turn {id}: the reply window is used up"),
            );
            self.expire(id);
        }
    }

    fn leave_open_what_cannot_be_repeated(&mut self, id: TurnId) {
        let Some(Turn {
            stage: Stage::Answering(answer),
            inbound,
            ..
        }) = self.open.get_mut(&id)
        else {
            return;
        };
        let sending = answer.next().and_then(|index| answer.parts.get(index));
        if let Some(PartState::Sending { paid }) = sending.map(|part| &part.state)
            && !repeatable(inbound.scene, paid)
        {
            answer.settle_sending(&PartState::Unconfirmed);
        }
    }

    fn next_part(&self, id: TurnId) -> Option<usize> {
        match &self.open.get(&id)?.stage {
            Stage::Answering(answer) => answer.next(),
            Stage::Queued | Stage::Fetching | Stage::Thinking => None,
        }
    }

    /// What a part needs next: its upload, its turn among others, or to be sent.
    fn step_of(&mut self, env: &mut Env, id: TurnId, index: usize) {
        let Some(Turn {
            stage: Stage::Answering(answer),
            inbound,
            ..
        }) = self.open.get(&id)
        else {
            return;
        };
        let Some(part) = answer.parts.get(index) else {
            return;
        };
        let uploads = !inbound.scene.of_guild();
        match &part.content {
            Content::Media(media) if uploads && media.ready.is_none() => {
                return self.upload(env, id, index);
            }
            Content::StreamEnd(_) => return self.end_stream(env, id, index),
            Content::Reaction { .. } | Content::Recall => return self.touch(env, id, index),
            _ => {}
        }
        let paid = match &part.state {
            PartState::Sending { paid } => Some(paid.clone()),
            _ => None,
        };
        let again = paid.is_some();
        if !self.paced(env, id, paid.as_ref()) {
            return;
        }
        match paid.or_else(|| self.pay(env, id)) {
            Some(paid) => self.send(env, id, index, &paid, !again),
            None => {
                env.log(
                    Level::Warn,
                    format!("turn {id}: no reply is left for part {index}"),
                );
                self.expire(id);
                self.schedule(id);
            }
        }
    }

    /// True when the part may leave now; else it is sent when the rate allows.
    fn paced(&mut self, env: &mut Env, id: TurnId, paid: Option<&Paid>) -> bool {
        let Some(turn) = self.open.get(&id) else {
            return false;
        };
        let mut keys = Key::of_place(
            turn.inbound.scene,
            &turn.inbound.guild,
            &turn.inbound.target,
        );
        let proactive = paid.is_some_and(|paid| paid.via == Via::Proactive)
            || (paid.is_none() && !self.can_pay_with_a_reply(env, id));
        if proactive {
            keys.extend(Key::proactive(&turn.inbound.target));
        }
        let flight = self.flights.entry(id).or_default();
        if std::mem::replace(&mut flight.paced, true) {
            return true;
        }
        match self
            .pacing
            .reserve(&keys, &env.config.rates, env.now.mono_ms)
        {
            0 => true,
            wait_ms => {
                self.resend_later(env, id, wait_ms);
                false
            }
        }
    }

    fn send(&mut self, env: &mut Env, id: TurnId, index: usize, paid: &Paid, first: bool) {
        let Some(turn) = self.open.get_mut(&id) else {
            return;
        };
        let Stage::Answering(answer) = &mut turn.stage else {
            return;
        };
        let Some(part) = answer.parts.get_mut(index) else {
            return;
        };
        part.state = PartState::Sending { paid: paid.clone() };
        let scene = turn.inbound.scene;
        let mentions = mentions(env, turn.origin, &turn.inbound);
        let body = body::of(scene, part, paid, mentions);
        let path = scene.messages_path(turn.inbound.target.as_str());
        let purpose = Purpose::Send {
            turn: id,
            part: index,
        };
        let request = env.call_api(purpose, "POST", &path, body, first);
        let flight = self.flights.entry(id).or_default();
        flight.request = Some(request);
        flight.tries += 1;
        flight.repeated |= !first;
    }

    /// Closes a stream with all of its text.
    fn end_stream(&mut self, env: &mut Env, id: TurnId, index: usize) {
        let Some(turn) = self.open.get_mut(&id) else {
            return;
        };
        let Stage::Answering(answer) = &mut turn.stage else {
            return;
        };
        let Some(part) = answer.parts.get_mut(index) else {
            return;
        };
        let Content::StreamEnd(text) = &part.content else {
            return;
        };
        let text = text.clone();
        let Some(stream) = turn.stream.as_ref().filter(|stream| !stream.id.is_empty()) else {
            turn.stream = None;
            if answer.means == Outcome::Superseded {
                // Nobody waits for what it would have shown.
                answer.parts.remove(index);
                return self.schedule(id);
            }
            // It never began: the text goes as a message like any other.
            part.content = plan::markdown_of(text);
            return self.schedule(id);
        };
        let again = matches!(part.state, PartState::Sending { .. });
        part.state = PartState::Sending {
            paid: stream.paid.clone(),
        };
        let request = self.send_piece(env, id, text, true, !again);
        let flight = self.flights.entry(id).or_default();
        flight.request = request;
        flight.tries += 1;
        flight.repeated |= again;
    }

    /// A reaction or a recall: nothing that costs a reply.
    fn touch(&mut self, env: &mut Env, id: TurnId, index: usize) {
        let Some(turn) = self.open.get(&id) else {
            return;
        };
        let Stage::Answering(answer) = &turn.stage else {
            return;
        };
        let (scene, target) = (turn.inbound.scene, turn.inbound.target.as_str());
        let call = match answer.parts.get(index).map(|part| &part.content) {
            Some(Content::Reaction { kind, id: emoji }) => scene
                .reaction_path(target, turn.inbound.id.as_str(), *kind, emoji)
                .map(|path| ("PUT", path)),
            Some(Content::Recall) => self
                .recent
                .latest_own(scene, target)
                .and_then(|said| said.own.as_ref())
                .map(|own| ("DELETE", scene.message_path(target, own.id.as_str()))),
            _ => None,
        };
        let Some((method, path)) = call else {
            self.settle(env, id, index, PartState::Refused { code: None });
            return self.schedule(id);
        };
        let purpose = Purpose::Send {
            turn: id,
            part: index,
        };
        let request = env.call_api(purpose, method, &path, Body::None, false);
        let flight = self.flights.entry(id).or_default();
        flight.request = Some(request);
        flight.tries += 1;
        self.set_state(
            id,
            index,
            PartState::Sending {
                paid: Paid {
                    account: None,
                    via: Via::Proactive,
                    seq: 0,
                },
            },
        );
    }

    /// Sends the part that is under way again, later.
    pub(super) fn resend_later(&mut self, env: &mut Env, id: TurnId, wait_ms: u64) {
        let due = env.now.mono_ms.saturating_add(wait_ms);
        self.flights.entry(id).or_default().resend_ms = Some(due);
        env.set_timer_by(Timer::Resends, wait_ms);
    }

    /// Time to send some parts again.
    pub fn on_resends(&mut self, env: &mut Env) {
        let now = env.now.mono_ms;
        let mut next = None::<u64>;
        let mut due = Vec::new();
        for (id, flight) in &mut self.flights {
            match flight.resend_ms {
                Some(at) if at <= now => {
                    flight.resend_ms = None;
                    due.push(*id);
                }
                Some(at) => next = Some(next.map_or(at, |known| known.min(at))),
                None => {}
            }
        }
        for id in due {
            self.schedule(id);
        }
        if let Some(at) = next {
            env.set_timer(Timer::Resends, at - now);
        }
    }
}

/// Whom the texts of a turn may mention: the operator's own, anybody.
fn mentions<'a>(env: &Env, origin: Origin, inbound: &'a Inbound) -> Mentions<'a> {
    if env.config.mention_others || matches!(origin, Origin::Operator(_)) {
        Mentions::Anybody
    } else {
        Mentions::Sender(inbound.sender.as_str())
    }
}

/// True where the platform refuses a message that it has, so that repeating one is safe. What costs nothing is too.
fn repeatable(scene: Scene, paid: &Paid) -> bool {
    paid.seq == 0 || (scene.deduplicates() && matches!(paid.via, Via::Message(_) | Via::Event(_)))
}

/// Which version of the token a request went out with.
#[must_use]
pub fn token_generation(done: &HttpDone) -> Option<u64> {
    let used = done.used.iter().find(|used| used.name == ACCESS_TOKEN);
    used.map(|used| used.generation)
}
