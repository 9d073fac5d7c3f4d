//! Delivery of an answer: part after part, each under its own `msg_seq`, until every part has an outcome.

use crate::bindings::{HttpDone, HttpOutcome, HttpResponse};
use crate::env::{Env, Level};
use crate::gateway::Want;
use crate::health;
use crate::ids::TurnId;
use crate::requests::{ACCESS_TOKEN, Purpose};
use crate::scene::Scene;
use crate::timers::Timer;
use crate::turns::{Stage, Turn, Turns};

mod answer;
pub mod cards;
pub mod errors;
pub mod links;
pub mod markdown;
pub mod pacing;
pub mod plan;
pub mod split;

pub use answer::{Answer, Flight, Part, PartState};
use errors::Class;

/// Attempts at one part before its outcome is left open.
const MAX_TRIES: u32 = 12;
/// New tokens that one part may ask for: the first retry is immediate, later ones wait.
const MAX_REFRESHES: u8 = 3;
/// Milliseconds that a send may take to arrive: nothing is sent closer to the end of its window.
const MARGIN_MS: u64 = 2_000;
/// Milliseconds before the one repetition that some codes ask for.
const RETRY_ONCE_MS: u64 = 1_500;

impl Turns {
    /// Sends the next part of a turn's answer, if nothing of it is under way. Closes the turn when all is settled.
    pub fn deliver(&mut self, env: &mut Env, id: TurnId, token_valid: bool) -> Want {
        let Some(Turn {
            stage: Stage::Answering(answer),
            inbound,
            ..
        }) = self.open.get_mut(&id)
        else {
            return Want::Nothing;
        };
        let flight = self.flights.entry(id).or_default();
        if flight.request.is_some() || flight.resend_ms.is_some() {
            return Want::Nothing;
        }
        let open_ms = inbound.deadline_ms().saturating_sub(MARGIN_MS);
        let slots = inbound.scene.slots(&env.config) as usize;
        if answer.next().is_some() && (env.platform_ms() >= open_ms || answer.accepted() >= slots) {
            env.log(
                Level::Warn,
                format!("turn {id}: the reply window or its slots are used up"),
            );
            answer.settle_rest(&PartState::Expired);
        }
        if !inbound.scene.deduplicates() && flight.tries == 0 {
            // An earlier process sent it, or was about to: repeating it could double it.
            answer.leave_open();
        }
        let Some(index) = answer.next() else {
            self.close(env, id);
            return Want::Nothing;
        };
        if !token_valid {
            // What waits for a token must survive a restart, and must not wait for ever.
            let deadline_ms = inbound.deadline_ms();
            self.store(env, id);
            self.watch(env, deadline_ms);
            return Want::Token;
        }
        self.send(env, id, index);
        Want::Nothing
    }

    fn send(&mut self, env: &mut Env, id: TurnId, index: usize) {
        let Some(turn) = self.open.get_mut(&id) else {
            return;
        };
        let Stage::Answering(answer) = &mut turn.stage else {
            return;
        };
        let Some(part) = answer.parts.get_mut(index) else {
            return;
        };
        let (seq, first) = match part.state {
            PartState::Sending { seq } => (seq, false),
            _ => {
                let seq = answer.next_seq;
                answer.next_seq += 1;
                part.state = PartState::Sending { seq };
                (seq, true)
            }
        };
        let body = plan::text_body(turn.inbound.scene, &part.text, &turn.inbound.id, seq);
        let path = turn
            .inbound
            .scene
            .messages_path(turn.inbound.target.as_str());
        if first {
            self.store(env, id);
        }
        let request = env.call_api(
            Purpose::Send {
                turn: id,
                part: index,
            },
            "POST",
            &path,
            Some(body),
            first,
        );
        let flight = self.flights.entry(id).or_default();
        flight.request = Some(request);
        flight.tries += 1;
        flight.repeated |= !first;
    }

    /// Sends the part that is under way again, later.
    fn resend_later(&mut self, env: &mut Env, id: TurnId, wait_ms: u64) {
        let due = env.now.mono_ms.saturating_add(wait_ms);
        self.flights.entry(id).or_default().resend_ms = Some(due);
        if env.timers.due(Timer::Resends).is_none_or(|set| due < set) {
            env.set_timer(Timer::Resends, wait_ms);
        }
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
                env.log(
                    Level::Warn,
                    format!(
                        "turn {id}: part {index}: {:?}: {}",
                        failure.stage, failure.detail
                    ),
                );
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
        let problem = errors::read(response.status, &response.body);
        let problem = if matches!(response.status, 200 | 204) {
            errors::Problem::default()
        } else {
            problem
        };
        let class = errors::class(response.status, problem.code);
        if class != Class::Accepted {
            let trace = problem
                .trace
                .as_deref()
                .or_else(|| trace_header(response))
                .unwrap_or("none");
            env.log(
                Level::Warn,
                format!(
                    "turn {id}: part {index}: HTTP {}, code {:?}, trace {trace}",
                    response.status, problem.code
                ),
            );
        }
        let Some(flight) = self.flights.get_mut(&id) else {
            return Want::Nothing;
        };
        match class {
            Class::Accepted => self.settle(env, id, index, PartState::Sent),
            Class::Held => self.settle(env, id, index, PartState::Held),
            // Ours, when we were repeating it; else somebody used the number, and the body needs a fresh one.
            Class::Duplicate if flight.repeated => self.settle(env, id, index, PartState::Sent),
            Class::Duplicate if flight.tries < MAX_TRIES => {
                self.set_state(id, index, PartState::Waiting)
            }
            Class::Duplicate => {
                self.settle(env, id, index, PartState::Refused { code: problem.code })
            }
            // A fault of the platform's without a word about what it did with the message.
            Class::Backoff
                if response.status >= 500 && !problem.code.is_some_and(errors::known) =>
            {
                self.unknown(env, id, index)
            }
            Class::Backoff => self.again(env, id, index, problem.code),
            Class::RetryOnce if flight.retried => {
                self.settle(env, id, index, PartState::Refused { code: problem.code })
            }
            Class::RetryOnce => {
                flight.retried = true;
                self.resend_later(env, id, RETRY_ONCE_MS);
            }
            Class::Token if flight.refreshes >= MAX_REFRESHES => {
                self.settle(env, id, index, PartState::Refused { code: problem.code });
            }
            Class::Token => {
                flight.refreshes += 1;
                if flight.refreshes > 1 {
                    // The new token was refused too: at once is not when the next one will do better.
                    self.again(env, id, index, problem.code);
                }
                return Want::NewToken;
            }
            Class::Split => self.split_part(env, id, index, problem.code),
            Class::WindowClosed => self.expire(id),
            Class::Fatal(stop) => {
                let (sentence, fix) = health::explain(stop);
                health::report(
                    env,
                    crate::bindings::HealthLevel::Degraded,
                    stop.code(),
                    sentence,
                    Some(fix),
                );
                self.settle(env, id, index, PartState::Refused { code: problem.code });
            }
            Class::Plain
            | Class::NoKeyboard
            | Class::StripLinks
            | Class::StripEveryone
            | Class::Reupload
            | Class::MediaAsText
            | Class::NoProactive
            | Class::Drop
            | Class::Gone => self.settle(env, id, index, PartState::Refused { code: problem.code }),
        }
        Want::Nothing
    }

    /// The platform may have it or not. Where it refuses what it has, the part is repeated under its number; in
    /// guilds nothing would notice a repetition, so the outcome stays open and the next part goes on.
    fn unknown(&mut self, env: &mut Env, id: TurnId, index: usize) {
        match self.scene(id) {
            Some(scene) if !scene.deduplicates() => {
                self.settle(env, id, index, PartState::Unconfirmed)
            }
            _ => self.again(env, id, index, None),
        }
    }

    fn scene(&self, id: TurnId) -> Option<Scene> {
        self.open.get(&id).map(|turn| turn.inbound.scene)
    }

    /// The same part once more under the same number, later; or its outcome stays open.
    fn again(&mut self, env: &mut Env, id: TurnId, index: usize, code: Option<i64>) {
        let Some(flight) = self.flights.get_mut(&id) else {
            return;
        };
        if flight.tries >= MAX_TRIES {
            let state = if code.is_some() {
                PartState::Refused { code }
            } else {
                PartState::Unconfirmed
            };
            self.settle(env, id, index, state);
            return;
        }
        let wait_ms = flight.backoff.next_ms(&mut env.jitter);
        self.resend_later(env, id, wait_ms);
    }

    fn settle(&mut self, env: &mut Env, id: TurnId, index: usize, state: PartState) {
        env.count("parts", state.word());
        self.set_state(id, index, state);
        self.flights.insert(id, Flight::default());
        // Stored with the next part's send, or with the end of the turn: whichever comes, it is in this call.
    }

    fn set_state(&mut self, id: TurnId, index: usize, state: PartState) {
        if let Some(Turn {
            stage: Stage::Answering(answer),
            ..
        }) = self.open.get_mut(&id)
            && let Some(part) = answer.parts.get_mut(index)
        {
            part.state = state;
        }
    }

    fn expire(&mut self, id: TurnId) {
        if let Some(Turn {
            stage: Stage::Answering(answer),
            ..
        }) = self.open.get_mut(&id)
        {
            answer.settle_rest(&PartState::Expired);
        }
    }

    fn split_part(&mut self, env: &mut Env, id: TurnId, index: usize, code: Option<i64>) {
        let Some(Turn {
            stage: Stage::Answering(answer),
            ..
        }) = self.open.get_mut(&id)
        else {
            return;
        };
        let Some(part) = answer.parts.get(index) else {
            return;
        };
        let half = split::length(&part.text).div_ceil(2);
        let pieces = split::split(&part.text, half);
        if half < 50 || pieces.len() < 2 {
            self.settle(env, id, index, PartState::Refused { code });
            return;
        }
        let parts = pieces.into_iter().map(|text| Part {
            text,
            state: PartState::Waiting,
        });
        answer.parts.splice(index..=index, parts);
    }
}

fn trace_header(response: &HttpResponse) -> Option<&str> {
    response
        .headers
        .iter()
        .find(|header| header.name == "x-tps-trace-id")
        .map(|header| header.value.as_str())
}

/// Which version of the token a request went out with.
#[must_use]
pub fn token_generation(done: &HttpDone) -> Option<u64> {
    done.used
        .iter()
        .find(|used| used.name == ACCESS_TOKEN)
        .map(|used| used.generation)
}
