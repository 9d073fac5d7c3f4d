//! Delivery of an answer: part after part, each paid for and under its own number, until every part has an outcome.

use serde::Deserialize;

use crate::bindings::{HttpDone, HttpOutcome, HttpResponse, Outcome};
use crate::capabilities::{Feature, LIMIT_MS, Learned};
use crate::env::{Env, Level};
use crate::gateway::Want;
use crate::ids::{MessageId, OpenId, TurnId};
use crate::inbound::recent::{Own, Said};
use crate::requests::{ACCESS_TOKEN, Body, Purpose};
use crate::scene::Scene;
use crate::timers::Timer;
use crate::turns::{Stage, Turn, Turns};

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
pub mod plan;
pub mod split;
pub mod stream;
pub mod upload;

pub use answer::{Answer, Content, Flight, Media, Part, PartState, Ready, Source};
use budget::{Paid, Via};
use errors::Class;
use pacing::Key;

/// Attempts at one part before its outcome is left open.
const MAX_TRIES: u32 = 12;
/// New tokens that one part may ask for: the first retry is immediate, later ones wait.
const MAX_REFRESHES: u8 = 3;
/// Milliseconds before the one repetition that some codes ask for.
const RETRY_ONCE_MS: u64 = 1_500;

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
            self.store(env, id);
            self.watch(env, deadline_ms);
            return Want::Token;
        }
        self.step_of(env, id, index);
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
        let body = body::of(scene, part, paid);
        let path = scene.messages_path(turn.inbound.target.as_str());
        if first {
            self.store(env, id);
        }
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

    /// The answer to a send.
    pub fn on_sent(&mut self, env: &mut Env, id: TurnId, index: usize, done: &HttpDone) -> Want {
        let Some(flight) = self.flights.get_mut(&id) else {
            return Want::Nothing;
        };
        flight.request = None;
        self.schedule(id);
        match &done.outcome {
            HttpOutcome::Failed(failure) => {
                let line = format!(
                    "turn {id}: part {index}: {:?}: {}",
                    failure.stage, failure.detail
                );
                env.log(Level::Warn, line);
                if failure.maybe_received {
                    self.unknown(env, id, index);
                } else {
                    self.again(env, id, index, None);
                }
                Want::Nothing
            }
            HttpOutcome::Response(response) => self.judge(env, id, index, response),
        }
    }

    fn judge(&mut self, env: &mut Env, id: TurnId, index: usize, response: &HttpResponse) -> Want {
        let problem = if matches!(response.status, 200 | 204) {
            errors::Problem::default()
        } else {
            errors::read(response.status, &response.body)
        };
        let class = self.class_of(id, index, response.status, problem.code);
        if class != Class::Accepted {
            let trace = problem
                .trace
                .as_deref()
                .or_else(|| trace_header(response))
                .unwrap_or("none");
            let line = format!(
                "turn {id}: part {index}: HTTP {}, code {:?}, trace {trace}",
                response.status, problem.code
            );
            env.log(Level::Warn, line);
        }
        let Some(paid) = self.paid(id, index) else {
            return Want::Nothing;
        };
        let Some(flight) = self.flights.get_mut(&id) else {
            return Want::Nothing;
        };
        match class {
            Class::Accepted => self.accepted(env, id, index, &paid, &response.body),
            Class::Held => self.held(env, id, index, problem.audit),
            // Ours, when we were repeating it; else somebody used the number, and the body needs a fresh one.
            Class::Duplicate if flight.repeated || paid.seq == 0 => {
                self.settle(env, id, index, PartState::Sent);
            }
            Class::Duplicate if flight.tries < MAX_TRIES => {
                self.budget.refund(env, &paid);
                self.set_state(id, index, PartState::Waiting);
            }
            // A fault of the platform's without a word about what it did with the message.
            Class::Backoff
                if response.status >= 500 && !problem.code.is_some_and(errors::known) =>
            {
                self.unknown(env, id, index);
            }
            Class::Backoff => self.slow_down(env, id, index, &problem, response),
            Class::RetryOnce if !flight.retried => {
                flight.retried = true;
                self.resend_later(env, id, RETRY_ONCE_MS);
            }
            Class::Token if flight.refreshes < MAX_REFRESHES => {
                flight.refreshes += 1;
                if flight.refreshes > 1 {
                    // The new token was refused too: at once is not when the next one will do better.
                    self.again(env, id, index, problem.code);
                }
                return Want::NewToken;
            }
            class => self.fall_back(env, (id, index), class, problem.code, &paid),
        }
        Want::Nothing
    }

    /// What a code asks of this part: for a stream's end and a recall some codes mean other things.
    fn class_of(&self, id: TurnId, index: usize, status: u16, code: Option<i64>) -> Class {
        let content = match self.open.get(&id).map(|turn| &turn.stage) {
            Some(Stage::Answering(answer)) => answer.parts.get(index).map(|part| &part.content),
            _ => None,
        };
        match content {
            Some(Content::StreamEnd(_)) => errors::stream_class(status, code),
            _ => errors::class(status, code),
        }
    }

    fn paid(&self, id: TurnId, index: usize) -> Option<Paid> {
        let Some(Stage::Answering(answer)) = self.open.get(&id).map(|turn| &turn.stage) else {
            return None;
        };
        match &answer.parts.get(index)?.state {
            PartState::Sending { paid } => Some(paid.clone()),
            _ => None,
        }
    }

    fn accepted(&mut self, env: &mut Env, id: TurnId, index: usize, paid: &Paid, body: &str) {
        if let Some((scene, target)) = self.place(id)
            && paid.via == Via::Proactive
            && paid.seq > 0
        {
            let works = (Learned::Works, None);
            self.caps.learn(
                env,
                (scene, Some(&target)),
                Feature::Proactive,
                works,
                LIMIT_MS,
            );
        }
        self.note_said(env, id, index, body);
        self.settle(env, id, index, PartState::Sent);
    }

    /// Remembers what the bot said, under the id and the index that the platform gave it: for quotes and recalls.
    fn note_said(&mut self, env: &mut Env, id: TurnId, index: usize, body: &str) {
        #[derive(Default, Deserialize)]
        #[serde(default)]
        struct Accepted {
            id: String,
            ext_info: Ext,
        }
        #[derive(Default, Deserialize)]
        #[serde(default)]
        struct Ext {
            ref_idx: String,
        }
        let Some((scene, target)) = self.place(id) else {
            return;
        };
        let Some(Stage::Answering(answer)) = self.open.get(&id).map(|turn| &turn.stage) else {
            return;
        };
        let content = answer.parts.get(index).map(|part| &part.content);
        if matches!(content, Some(Content::Recall)) {
            let own = self.recent.latest_own(scene, target.as_str());
            if let Some(own) = own
                .and_then(|said| said.own.as_ref())
                .map(|own| own.id.clone())
            {
                self.recent
                    .forget(env, scene, target.as_str(), own.as_str());
            }
            return;
        }
        let text = content.map(Content::plain).unwrap_or_default();
        let accepted: Accepted = serde_json::from_str(body).unwrap_or_default();
        if accepted.id.is_empty() {
            return;
        }
        let said = Said {
            author: String::new(),
            text,
            own: Some(Own {
                id: MessageId(accepted.id.clone()),
                sent_ms: env.now.wall_ms,
            }),
        };
        let names = [accepted.id.as_str(), accepted.ext_info.ref_idx.as_str()];
        self.recent.note(env, scene, target.as_str(), &names, said);
    }

    fn held(&mut self, env: &mut Env, id: TurnId, index: usize, audit: Option<String>) {
        if let Some(audit) = audit {
            self.ledger.await_review(env, &audit, id);
        }
        self.settle(env, id, index, PartState::Held);
    }

    /// The platform asks for less: this place is paced from now on, and the part goes again.
    fn slow_down(
        &mut self,
        env: &mut Env,
        id: TurnId,
        index: usize,
        problem: &errors::Problem,
        response: &HttpResponse,
    ) {
        if let Some((scene, target)) = self.place(id)
            && errors::too_fast(response.status, problem.code)
        {
            let key = Key::complaint(scene, &target);
            self.pacing
                .complain(&key, &env.config.rates, env.now.mono_ms);
        }
        self.again(env, id, index, problem.code);
        let after = response
            .headers
            .iter()
            .find(|header| header.name == "retry-after");
        let after_ms = after.and_then(|header| header.value.trim().parse::<u64>().ok());
        if let Some(after_ms) = after_ms.map(|seconds| seconds.min(60) * 1_000)
            && self
                .flights
                .get(&id)
                .and_then(|flight| flight.resend_ms)
                .is_some()
        {
            let due = env.now.mono_ms.saturating_add(after_ms);
            let flight = self.flights.entry(id).or_default();
            flight.resend_ms = flight.resend_ms.map(|at| at.max(due));
        }
    }

    /// The platform may have it or not. Where it refuses what it has, the part is repeated under its number; where
    /// nothing would notice a repetition, the outcome stays open and the next part goes on.
    fn unknown(&mut self, env: &mut Env, id: TurnId, index: usize) {
        let scene = self.place(id).map(|(scene, _)| scene);
        let paid = self.paid(id, index);
        let again = match (scene, &paid) {
            (Some(scene), Some(paid)) => repeatable(scene, paid),
            _ => true,
        };
        if again {
            self.flights.entry(id).or_default().in_doubt = true;
            self.again(env, id, index, None);
        } else {
            self.settle(env, id, index, PartState::Unconfirmed);
        }
    }

    /// The same part once more under the same number, later; or its outcome stays open.
    pub(super) fn again(&mut self, env: &mut Env, id: TurnId, index: usize, code: Option<i64>) {
        let Some(flight) = self.flights.get_mut(&id) else {
            return;
        };
        if flight.tries >= MAX_TRIES {
            if flight.upload.is_some() {
                return self.as_text(env, id, index, code);
            }
            let state = if code.is_some() && !flight.in_doubt {
                PartState::Refused { code }
            } else {
                PartState::Unconfirmed
            };
            return self.settle(env, id, index, state);
        }
        let wait_ms = flight.backoff.next_ms(&mut env.jitter);
        self.resend_later(env, id, wait_ms);
    }

    pub(super) fn settle(&mut self, env: &mut Env, id: TurnId, index: usize, state: PartState) {
        env.count("parts", state.word());
        self.set_state(id, index, state);
        self.flights.insert(id, Flight::default());
        // Stored with the next part's send, or with the end of the turn: whichever comes, it is in this call.
    }

    pub(super) fn set_state(&mut self, id: TurnId, index: usize, state: PartState) {
        if let Some(Turn {
            stage: Stage::Answering(answer),
            ..
        }) = self.open.get_mut(&id)
            && let Some(part) = answer.parts.get_mut(index)
        {
            part.state = state;
        }
    }

    /// What is left cannot be paid, or comes too late.
    pub(super) fn expire(&mut self, id: TurnId) {
        self.expire_sending(id);
        if let Some(Turn {
            stage: Stage::Answering(answer),
            ..
        }) = self.open.get_mut(&id)
        {
            answer.settle_waiting(&PartState::Expired);
        }
    }

    /// What is under way gets its outcome: in doubt, when a send of it may have arrived.
    fn expire_sending(&mut self, id: TurnId) {
        let flight = self.flights.get(&id);
        let in_doubt = flight.is_some_and(|flight| flight.in_doubt || flight.tries == 0);
        if let Some(Turn {
            stage: Stage::Answering(answer),
            ..
        }) = self.open.get_mut(&id)
        {
            answer.settle_sending(if in_doubt {
                &PartState::Unconfirmed
            } else {
                &PartState::Expired
            });
        }
    }

    /// Where a turn's answer goes.
    pub(crate) fn place(&self, id: TurnId) -> Option<(Scene, OpenId)> {
        let turn = self.open.get(&id)?;
        Some((turn.inbound.scene, turn.inbound.target.clone()))
    }

    /// How many replies one message of a place pays for.
    pub(crate) fn cap(&self, env: &Env, scene: Scene, target: &OpenId) -> u32 {
        self.caps
            .at_most(env, scene, target, Feature::Slots, scene.slots(&env.config))
    }

    /// Replies left in a turn's own account.
    pub(crate) fn own_left(&self, env: &Env, turn: &Turn) -> u32 {
        let cap = self.cap(env, turn.inbound.scene, &turn.inbound.target);
        self.budget.own_left(env, turn.id, cap)
    }

    /// Replies left to a turn, those that others can lend included.
    pub(crate) fn left(&self, env: &Env, id: TurnId) -> u32 {
        let Some((scene, target)) = self.place(id) else {
            return 0;
        };
        let cap = self.cap(env, scene, &target);
        self.budget
            .left(env, id, cap, &|other| self.open.contains_key(&other))
    }

    fn can_pay_with_a_reply(&self, env: &Env, id: TurnId) -> bool {
        self.left(env, id) > 0
    }

    /// True when something can pay for another message: a reply, or the bot's own accord.
    pub(super) fn can_pay(&self, env: &Env, id: TurnId) -> bool {
        self.can_pay_with_a_reply(env, id) || self.may_speak_up(env, id)
    }

    fn may_speak_up(&self, env: &Env, id: TurnId) -> bool {
        let Some(turn) = self.open.get(&id) else {
            return false;
        };
        let (scene, target) = (turn.inbound.scene, &turn.inbound.target);
        let switched = self.places.proactive(scene, target.as_str());
        Self::is_unasked(turn)
            || switched == Some(true)
            || (switched.is_none() && self.caps.works(env, scene, target, Feature::Proactive))
    }

    /// Pays for a message of this turn.
    pub(super) fn pay(&mut self, env: &mut Env, id: TurnId) -> Option<Paid> {
        let (scene, target) = self.place(id)?;
        let cap = self.cap(env, scene, &target);
        let open = &self.open;
        if let Some(paid) = self
            .budget
            .pay(env, id, cap, &|other| open.contains_key(&other))
        {
            return Some(paid);
        }
        let wakes = self.open.get(&id).is_some_and(|turn| turn.wakes);
        let via = if wakes { Via::WakeUp } else { Via::Proactive };
        let paid = Paid {
            account: None,
            via,
            seq: 1,
        };
        self.may_speak_up(env, id).then_some(paid)
    }
}

/// True where the platform refuses a message that it has, so that repeating one is safe. What costs nothing is too.
fn repeatable(scene: Scene, paid: &Paid) -> bool {
    paid.seq == 0 || (scene.deduplicates() && matches!(paid.via, Via::Message(_) | Via::Event(_)))
}

fn trace_header(response: &HttpResponse) -> Option<&str> {
    let header = response
        .headers
        .iter()
        .find(|header| header.name == "x-tps-trace-id");
    header.map(|header| header.value.as_str())
}

/// Which version of the token a request went out with.
#[must_use]
pub fn token_generation(done: &HttpDone) -> Option<u64> {
    let used = done.used.iter().find(|used| used.name == ACCESS_TOKEN);
    used.map(|used| used.generation)
}
