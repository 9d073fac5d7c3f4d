//! What the gateway leaves behind for the next start, and how a discovery is read.

use serde::{Deserialize, Serialize};

use crate::bindings::HttpResponse;
use crate::delivery::errors::{self, Class};
use crate::env::Env;
use crate::state::Entries;

use super::Gateway;
use super::close::Stop;
use super::session::Session;

/// Key of the stored session.
const SESSION: &str = "session";
/// Key of what was learned about intents.
const INTENTS: &str = "intents";
/// Milliseconds after which a refused intent is asked for again: a week.
const FORGET_RUNG_MS: u64 = 7 * 24 * 3_600_000;

#[derive(Serialize, Deserialize)]
struct StoredSession {
    app_id: String,
    api_base: String,
    url: Option<String>,
    session: Option<Session>,
    bot_id: String,
}

#[derive(Serialize, Deserialize)]
struct StoredRung {
    asked: u32,
    rung: usize,
    wall_ms: u64,
}

impl Gateway {
    /// What an earlier process left: a session to resume, and intents that are not worth asking for.
    #[must_use]
    pub fn restore(env: &Env, entries: &Entries) -> Self {
        let mut gateway = Self::default();
        let stored = entries.json::<StoredSession>(SESSION);
        // A session belongs to one bot on one platform.
        if let Some(stored) = stored.filter(|stored| {
            stored.app_id == env.config.app_id && stored.api_base == env.config.api_base
        }) {
            gateway.session = stored.session;
            gateway.url = stored.url;
            gateway.bot_id = stored.bot_id;
        }
        if let Some(stored) = entries.json::<StoredRung>(INTENTS) {
            let fresh = env.now.wall_ms.saturating_sub(stored.wall_ms) < FORGET_RUNG_MS;
            if fresh && stored.asked == env.config.wanted_intents().bits() {
                gateway.rung = stored.rung;
            }
        }
        gateway
    }

    /// Stores the session with this call's commit, if it changed.
    pub fn store(&mut self, env: &mut Env) {
        if !std::mem::take(&mut self.dirty) {
            return;
        }
        let stored = StoredSession {
            app_id: env.config.app_id.clone(),
            api_base: env.config.api_base.clone(),
            url: self.url.clone(),
            session: self.session.clone(),
            bot_id: self.bot_id.clone(),
        };
        env.put_json(SESSION, &stored);
    }

    pub(super) fn remember_rung(&self, env: &mut Env) {
        let stored = StoredRung {
            asked: env.config.wanted_intents().bits(),
            rung: self.rung,
            wall_ms: env.now.wall_ms,
        };
        env.put_json(INTENTS, &stored);
    }
}

/// What a discovery answered.
pub(super) enum Discovered {
    /// The address, and how long to wait before an Identify when the limit is used up.
    Found { url: String, wait_ms: Option<u64> },
    /// This endpoint does not exist.
    Missing,
    /// Not an answer we can read.
    Unreadable,
    /// The token was refused.
    Token,
    /// Nothing will work until somebody acts.
    Stop(Stop, i64),
    /// Too many requests.
    TooFast,
}

#[derive(Deserialize)]
struct GatewayBody {
    url: String,
    #[serde(default)]
    session_start_limit: Option<StartLimit>,
}

#[derive(Deserialize)]
struct StartLimit {
    #[serde(default = "one")]
    remaining: i64,
    #[serde(default)]
    reset_after: u64,
}

fn one() -> i64 {
    1
}

pub(super) fn read_discovery(response: &HttpResponse) -> Discovered {
    if response.status == 200
        && let Ok(body) = serde_json::from_str::<GatewayBody>(&response.body)
    {
        let used_up = body
            .session_start_limit
            .filter(|limit| limit.remaining <= 0);
        return Discovered::Found {
            url: body.url,
            wait_ms: used_up.map(|limit| limit.reset_after),
        };
    }
    if response.status == 404 {
        return Discovered::Missing;
    }
    let problem = errors::read(response.status, &response.body);
    match errors::class(response.status, problem.code) {
        Class::Token => Discovered::Token,
        Class::Fatal(stop) => Discovered::Stop(stop, problem.code.unwrap_or_default()),
        _ if response.status == 429 || problem.code == Some(100_001) => Discovered::TooFast,
        _ => Discovered::Unreadable,
    }
}
