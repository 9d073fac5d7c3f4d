//! What the platform said about a part, and what becomes of the part for it.

use serde::Deserialize;

use crate::bindings::{HttpDone, HttpOutcome, HttpResponse};
use crate::capabilities::{Feature, LIMIT_MS, Learned};
use crate::env::{Env, Level};
use crate::gateway::Want;
use crate::ids::{MessageId, TurnId};
use crate::inbound::recent::{Own, Said};
use crate::turns::{Stage, Turn, Turns};

use super::answer::{Content, Flight, PartState};
use super::budget::{Paid, Via};
use super::errors::{self, Class};
use super::pacing::Key;
use super::{MAX_REFRESHES, repeatable};

/// Attempts at one part before its outcome is left open.
const MAX_TRIES: u32 = 12;
/// Milliseconds before the one repetition that some codes ask for.
const RETRY_ONCE_MS: u64 = 1_500;

impl Turns {
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
            let evidence = problem.evidence(response.status, errors::trace_header(response));
            let line = format!("turn {id}: part {index}: {evidence}");
            env.log(Level::Warn, line);
        }
        let Some(paid) = self.paid(id, index) else {
            return Want::Nothing;
        };
        let ends_stream = self.ends_stream(id, index);
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
            // The pieces of a stream share one number, so that a fresh one is no way out.
            Class::Duplicate if ends_stream => {
                self.again(env, id, index, problem.code);
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

    /// What a code asks of this part: for a stream's end some codes mean other things.
    fn class_of(&self, id: TurnId, index: usize, status: u16, code: Option<i64>) -> Class {
        if self.ends_stream(id, index) {
            errors::stream_class(status, code)
        } else {
            errors::class(status, code)
        }
    }

    pub(super) fn ends_stream(&self, id: TurnId, index: usize) -> bool {
        matches!(self.content(id, index), Some(Content::StreamEnd(_)))
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
    pub(super) fn expire_sending(&mut self, id: TurnId) {
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
}
