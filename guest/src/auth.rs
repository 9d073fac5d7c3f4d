//! The access token, known by generation only: when it runs out, when to ask for another, and what a refusal means.

use serde::{Deserialize, Serialize};

use crate::bindings::{Captured, HealthLevel, HttpDone, HttpOutcome, HttpResponse};
use crate::delivery::errors;
use crate::env::{Clock, Env, Level};
use crate::gateway::backoff::Backoff;
use crate::gateway::close::Stop;
use crate::health;
use crate::ids::RequestId;
use crate::requests::ACCESS_TOKEN;
use crate::timers::Timer;

/// Milliseconds before its end at which a token is renewed.
///
/// The platform hands out a new token in the last 60 s of the old one, and the same one before
/// (`PROTOCOL.md`, "Tokens"), so anything over a minute would only bring the old one back.
const MARGIN_MS: u64 = 45_000;
/// Milliseconds over which renewals are spread.
const SPREAD_MS: u64 = 10_000;
/// Milliseconds to wait when the platform says that we ask too often.
const TOO_MANY_MS: u64 = 60_000;
/// Lifetime assumed when an answer has none, milliseconds. The platform's maximum is 7200 s.
const ASSUMED_LIFETIME_MS: u64 = 600_000;
/// Differences of clocks that we ignore, milliseconds: the header has a resolution of one second.
const IGNORED_SKEW_MS: u64 = 3_000;

/// What a token answer means for the rest of the channel.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum News {
    /// A token is there.
    Valid,
    /// None yet; a timer brings the next attempt.
    Later,
    /// None until somebody acts.
    Stop(Stop, i64),
}

/// What is known of the token.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Auth {
    generation: u64,
    valid_until_ms: u64,
    refused: bool,
    asking: Option<RequestId>,
    backoff: Backoff,
}

impl Default for Auth {
    fn default() -> Self {
        Self {
            generation: 0,
            valid_until_ms: 0,
            refused: false,
            asking: None,
            backoff: Backoff::new(1_000, 60_000),
        }
    }
}

impl Auth {
    /// True while there is a token that has not run out and was not refused.
    #[must_use]
    pub fn valid(&self, env: &Env) -> bool {
        self.generation > 0 && !self.refused && env.now.mono_ms < self.valid_until_ms
    }

    /// Monotonic milliseconds until which the token is good.
    #[must_use]
    pub fn valid_until_ms(&self) -> u64 {
        self.valid_until_ms
    }

    /// A token is needed: asks for one unless it is there, being asked for, or waited for.
    pub fn want(&mut self, env: &mut Env) {
        if !self.valid(env) && self.asking.is_none() && !env.timers.is_set(Timer::TokenRefresh) {
            self.ask(env);
        }
    }

    /// The platform refused a token. With its generation we know whether that is the one we have:
    /// if a newer one is already there, trying again is all that is needed.
    pub fn refused(&mut self, env: &mut Env, generation: Option<u64>) {
        if generation.is_some_and(|used| used < self.generation) {
            return;
        }
        if !self.refused {
            env.log(
                Level::Warn,
                "token: refused by the platform before its time; asking for a new one",
            );
        }
        self.refused = true;
        if self.asking.is_none() {
            // The timer set is that of the ordinary renewal, or of a backoff; only the latter still counts.
            if self.backoff.failures() == 0 {
                env.clear_timer(Timer::TokenRefresh);
            }
            self.want(env);
        }
    }

    /// Time to renew, or to try again.
    pub fn on_timer(&mut self, env: &mut Env) {
        if self.asking.is_none() {
            self.ask(env);
        }
    }

    fn ask(&mut self, env: &mut Env) {
        env.clear_timer(Timer::TokenRefresh);
        self.asking = Some(env.call_token());
    }

    /// The answer to a token request.
    pub fn on_done(&mut self, env: &mut Env, done: &HttpDone) -> News {
        self.asking = None;
        let response = match &done.outcome {
            HttpOutcome::Response(response) => response,
            HttpOutcome::Failed(failure) => {
                env.log(
                    Level::Warn,
                    format!("token: {:?}: {}", failure.stage, failure.detail),
                );
                return self.later(env, 0);
            }
        };
        learn_clock(env, response);
        match done
            .captured
            .iter()
            .find(|captured| captured.name == ACCESS_TOKEN)
        {
            Some(captured) => self.on_token(env, captured, &response.body),
            None => self.on_refusal(env, response),
        }
    }

    fn on_token(&mut self, env: &mut Env, captured: &Captured, body: &str) -> News {
        let lifetime_ms = lifetime_ms(body).unwrap_or(ASSUMED_LIFETIME_MS);
        if self.refused && !captured.changed {
            env.log(
                Level::Warn,
                "token: the platform returned the token that it had just refused",
            );
        }
        self.generation = captured.generation;
        self.refused = false;
        self.backoff.reset();
        self.valid_until_ms = env.now.mono_ms.saturating_add(lifetime_ms);
        let spread = env.jitter.below(SPREAD_MS);
        // A token with little left is the old one again: wait into the time in which a new one is given,
        // and never ask more often than every five seconds.
        let wait_ms = lifetime_ms
            .saturating_sub(MARGIN_MS.saturating_sub(spread))
            .max(5_000);
        env.set_timer(Timer::TokenRefresh, wait_ms);
        env.count(
            "token_refreshes",
            if captured.changed { "new" } else { "same" },
        );
        env.log(
            Level::Info,
            format!(
                "token: generation {}, good for {} s, renewal in {} s",
                self.generation,
                lifetime_ms / 1_000,
                wait_ms / 1_000
            ),
        );
        News::Valid
    }

    fn on_refusal(&mut self, env: &mut Env, response: &HttpResponse) -> News {
        let problem = errors::read(response.status, &response.body);
        let evidence = problem.evidence(response.status, errors::trace_header(response));
        env.log(Level::Warn, format!("token: none given, {evidence}"));
        match problem.code {
            Some(100_001) => self.later(env, TOO_MANY_MS),
            Some(code) => match token_stop(code) {
                Some(stop) => {
                    self.later(env, stop.retry_after_ms());
                    News::Stop(stop, code)
                }
                None => self.later(env, 0),
            },
            None => self.later(
                env,
                if response.status == 429 {
                    TOO_MANY_MS
                } else {
                    0
                },
            ),
        }
    }

    fn later(&mut self, env: &mut Env, least_ms: u64) -> News {
        let wait_ms = self.backoff.next_ms(&mut env.jitter).max(least_ms);
        env.count("token_refreshes", "failed");
        if !self.valid(env) {
            let summary = "there is no valid access token; answers wait for one";
            health::report(env, HealthLevel::Degraded, "no-token", summary, None);
        }
        env.set_timer(Timer::TokenRefresh, wait_ms);
        News::Later
    }
}

/// Codes of the token endpoint that no waiting mends (`PROTOCOL.md`, "Tokens").
fn token_stop(code: i64) -> Option<Stop> {
    match code {
        100_007 | 10_004 => Some(Stop::BadAppId),
        100_016 => Some(Stop::BadSecret),
        11_298 => Some(Stop::AddressNotAllowed),
        _ => None,
    }
}

/// `expires_in` in milliseconds: seconds, as a number or as a string.
fn lifetime_ms(body: &str) -> Option<u64> {
    let value: serde_json::Value = serde_json::from_str(body).ok()?;
    let field = value.get("expires_in")?;
    let seconds = field
        .as_u64()
        .or_else(|| field.as_str()?.trim().parse().ok())?;
    Some(seconds.min(86_400) * 1_000)
}

/// Reply windows are counted on the platform's clock, so we set ours by it.
fn learn_clock(env: &mut Env, response: &HttpResponse) {
    let date = response.headers.iter().find(|header| header.name == "date");
    let Some(theirs) = date.and_then(|header| http_date_ms(&header.value)) else {
        return;
    };
    let ours = env.now.wall_ms;
    let apart = theirs.abs_diff(ours);
    let platform_ms = if apart < IGNORED_SKEW_MS {
        ours
    } else {
        theirs
    };
    env.clock = Clock {
        platform_ms,
        mono_ms: env.now.mono_ms,
    };
    if apart > 60_000 {
        env.log(
            Level::Warn,
            format!(
                "clock: this machine differs from the platform by {} s",
                apart / 1_000
            ),
        );
    }
}

fn http_date_ms(value: &str) -> Option<u64> {
    use time::macros::format_description;
    let format = format_description!(
        "[weekday repr:short], [day] [month repr:short] [year] [hour]:[minute]:[second] GMT"
    );
    let date = time::PrimitiveDateTime::parse(value.trim(), format).ok()?;
    u64::try_from(date.assume_utc().unix_timestamp())
        .ok()
        .map(|seconds| seconds * 1_000)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_lifetime_is_a_number_or_a_string() {
        assert_eq!(lifetime_ms(r#"{"expires_in":"7200"}"#), Some(7_200_000));
        assert_eq!(lifetime_ms(r#"{"expires_in":52}"#), Some(52_000));
        assert_eq!(lifetime_ms(r#"{"expires_in":-1}"#), None);
        assert_eq!(lifetime_ms("<html>"), None);
    }

    #[test]
    fn dates_of_http_are_read() {
        assert_eq!(
            http_date_ms("Sun, 06 Nov 1994 08:49:37 GMT"),
            Some(784_111_777_000)
        );
        assert_eq!(http_date_ms("yesterday"), None);
    }
}
