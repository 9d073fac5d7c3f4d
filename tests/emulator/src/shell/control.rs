//! The control API under `/_emulator`: what the terminal does, over HTTP and WebSocket, for load
//! generators in other processes and for pages.

mod bots;
mod feed;
mod files;
mod stream;

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use axum::extract::{DefaultBodyLimit, Path, Query, State};
use axum::http::StatusCode;
use axum::middleware::from_fn_with_state;
use axum::response::{IntoResponse, Response};
use axum::routing::{get, post, put};
use axum::{Json, Router};
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use super::hub::Shared;
use super::{Handle, guard};
use crate::actions::{ActionError, ActionOutcome, UserAction};
use crate::faults::FAULT_HELP;
use crate::ids::{AppId, MessageId};
use crate::ledger::UserMessage;
use crate::settings::GatewaySettings;

/// Entries in one answer, if no limit is asked for.
const PAGE: usize = 1_000;

/// With a shorter interval of heartbeats a bot does little else, and with none it cannot be right.
const LEAST_INTERVAL: Duration = Duration::from_secs(1);

type Emulated = State<Arc<Shared>>;

/// An error as JSON.
#[derive(Debug, Serialize)]
struct Failure {
    error: String,
}

type Outcome<T> = Result<Json<T>, (StatusCode, Json<Failure>)>;

pub(super) fn router(scheme: guard::Scheme) -> Router<Arc<Shared>> {
    Router::new()
        .route("/user", post(user))
        .route("/fault", post(fault))
        .route("/faults", get(list_faults).delete(clear_faults))
        .route("/clock", post(clock))
        .route("/state", get(state))
        .route("/ledger", get(ledger))
        .route("/message/{id}", get(message))
        .route("/log", get(log))
        .route("/gateway", get(gateway).put(put_gateway))
        .route("/bots", post(bots::add))
        .route(
            "/bots/{app}/settings",
            get(bots::settings).put(bots::put_settings),
        )
        .route("/bots/{app}/world", get(bots::world))
        .route("/bots/{app}/restart", post(bots::restart))
        .route("/bots/{app}/manner", put(bots::set_manner))
        .route("/bots/{app}/component", post(bots::swap))
        .route("/bots/{app}/trace", get(bots::trace))
        .route("/events", get(stream::events))
        .route("/feed", get(feed::feed))
        .route("/files", post(files::upload))
        .route("/download", get(files::download))
        .layer(DefaultBodyLimit::max(super::api::BODY_LIMIT))
        .fallback(no_such_path)
        .layer(from_fn_with_state(scheme, guard::only_own))
}

fn failed<T>(status: StatusCode, error: impl ToString) -> Outcome<T> {
    Err((
        status,
        Json(Failure {
            error: error.to_string(),
        }),
    ))
}

/// `POST /user`: an action; the answer tells ids and openids.
async fn user(State(shared): Emulated, Json(action): Json<UserAction>) -> Outcome<ActionOutcome> {
    match (Handle { shared }).user(action) {
        Ok(outcome) => Ok(Json(outcome)),
        Err(error @ (ActionError::NoSuchBot(_) | ActionError::NoBot)) => {
            failed(StatusCode::NOT_FOUND, error)
        }
        Err(error) => failed(StatusCode::CONFLICT, error),
    }
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct FaultBody {
    #[serde(default)]
    bot: Option<AppId>,
    fault: String,
}

/// `POST /fault`: `{"fault": "drop x3"}`.
async fn fault(State(shared): Emulated, Json(body): Json<FaultBody>) -> Outcome<Value> {
    match (Handle { shared }).fault_text(body.bot.as_ref(), &body.fault) {
        Ok(()) => Ok(Json(json!({"ordered": body.fault}))),
        Err(error) => failed(StatusCode::BAD_REQUEST, error),
    }
}

/// `GET /faults`: what can be ordered, and what waits.
async fn list_faults(State(shared): Emulated) -> Json<Value> {
    let known: Vec<Value> = FAULT_HELP
        .iter()
        .map(|line| json!({"form": line.form, "what": line.what}))
        .collect();
    let waiting = (Handle { shared }).with(|platform| {
        let all = platform
            .apps()
            .map(|app| (app.to_string(), json!(platform.waiting_faults(app))));
        Value::Object(all.collect())
    });
    Json(json!({"known": known, "waiting": waiting}))
}

/// `DELETE /faults`: takes back what waits.
async fn clear_faults(State(shared): Emulated) -> StatusCode {
    (Handle { shared }).with_mut(|platform| {
        let apps: Vec<AppId> = platform.apps().cloned().collect();
        for app in apps {
            platform.clear_faults(&app);
        }
    });
    StatusCode::NO_CONTENT
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct ClockBody {
    advance_ms: u64,
}

/// `POST /clock`: `{"advance_ms": 300000}`.
async fn clock(State(shared): Emulated, Json(body): Json<ClockBody>) -> Json<Value> {
    let handle = Handle { shared };
    handle.advance(Duration::from_millis(body.advance_ms));
    Json(json!({"now_ms": handle.now()}))
}

/// `GET /gateway`: the rules of the gateway, the same for all bots.
async fn gateway(State(shared): Emulated) -> Json<GatewaySettings> {
    Json((Handle { shared }).with(|platform| platform.settings().gateway.clone()))
}

/// `PUT /gateway`: all of them; what is left out gets its default. Sockets that are open go on as
/// they were told when they opened.
async fn put_gateway(
    State(shared): Emulated,
    Json(wanted): Json<GatewaySettings>,
) -> Outcome<GatewaySettings> {
    if wanted.heartbeat_interval < LEAST_INTERVAL {
        let why = "heartbeat_interval is less than a second";
        return failed(StatusCode::BAD_REQUEST, why);
    }
    let changed = (Handle { shared }).with_mut(|platform| {
        let settings = platform.gateway_settings_mut();
        *settings = wanted;
        settings.clone()
    });
    Ok(Json(changed))
}

/// `GET /state`: where everything is, and how the bots are.
async fn state(State(shared): Emulated) -> Json<Value> {
    let inside = |app: &AppId| shared.inside.find(app);
    let handle = Handle {
        shared: Arc::clone(&shared),
    };
    let (urls, now) = (handle.urls().clone(), handle.now());
    let (bots, counts) = handle.with(|platform| {
        let bots: Vec<Value> = platform
            .settings()
            .bots
            .iter()
            .map(|bot| &bot.app_id)
            .map(|app| bots::state(platform, app, inside(app).as_deref()))
            .collect();
        let ledger = platform.ledger();
        let counts = json!({
            "user_messages": ledger.user_message_count(),
            "bot_messages": ledger.bot_message_count(),
            "unanswered": ledger.unanswered_count(),
            "violations": ledger.violation_count(),
            "log": platform.record().next(),
        });
        (bots, counts)
    });
    Json(json!({
        "now_ms": now, "api_base": urls.api_base, "token_url": urls.token_url,
        "gateway_url": urls.gateway_url, "bots": bots, "counts": counts,
    }))
}

#[derive(Debug, Deserialize)]
#[serde(default, deny_unknown_fields)]
struct LedgerQuery {
    /// First user message.
    users_from: u64,
    /// First bot message.
    bots_from: u64,
    /// Most of each.
    limit: usize,
    /// Only user messages without an answer.
    unanswered: bool,
}

impl Default for LedgerQuery {
    fn default() -> Self {
        Self {
            users_from: 0,
            bots_from: 0,
            limit: PAGE,
            unanswered: false,
        }
    }
}

/// `GET /ledger`: messages and violations.
async fn ledger(State(shared): Emulated, Query(query): Query<LedgerQuery>) -> Json<Value> {
    let (users, bots, violations, marks) = (Handle { shared }).with(|platform| {
        let ledger = platform.ledger();
        let users: Vec<UserMessage> = if query.unanswered {
            ledger.unanswered().take(query.limit).cloned().collect()
        } else {
            ledger
                .user_messages_since(query.users_from)
                .take(query.limit)
                .cloned()
                .collect()
        };
        let bots: Vec<_> = ledger
            .bot_messages_since(query.bots_from)
            .take(query.limit)
            .cloned()
            .collect();
        let violations: Vec<_> = ledger.violations().cloned().collect();
        let marks: BTreeMap<_, _> = ledger
            .marks()
            .map(|(id, mark)| (id.to_string(), mark.clone()))
            .collect();
        (users, bots, violations, marks)
    });
    Json(json!({
        "user_messages": users, "bot_messages": bots, "violations": violations, "marks": marks,
    }))
}

/// `GET /message/{id}`: one user message, its replies, its budget.
async fn message(State(shared): Emulated, Path(id): Path<MessageId>) -> Outcome<Value> {
    let found = (Handle { shared }).with(|platform| {
        let message = platform.ledger().user_message(&id)?;
        let replies: Vec<_> = platform.ledger().replies_to(&id).collect();
        let budget = platform.reply_budget(&message.app, &id);
        Some(json!({"message": message, "replies": replies, "budget": budget}))
    });
    found.map_or_else(
        || failed(StatusCode::NOT_FOUND, "no such message"),
        |it| Ok(Json(it)),
    )
}

#[derive(Debug, Deserialize)]
#[serde(default, deny_unknown_fields)]
struct LogQuery {
    from: u64,
    limit: usize,
}

impl Default for LogQuery {
    fn default() -> Self {
        Self {
            from: 0,
            limit: PAGE,
        }
    }
}

/// `GET /log`: the log from an entry on.
async fn log(State(shared): Emulated, Query(query): Query<LogQuery>) -> Json<Value> {
    let (entries, next) = (Handle { shared }).with(|platform| {
        let record = platform.record();
        let page: Vec<_> = record
            .since(query.from)
            .take(query.limit)
            .cloned()
            .collect();
        (page, record.next())
    });
    Json(json!({"entries": entries, "next": next}))
}

async fn no_such_path() -> Response {
    let error = "no such path in the control API".to_owned();
    (StatusCode::NOT_FOUND, Json(Failure { error })).into_response()
}
