//! `/_emulator/bots`: what the bots are, what they may do, who is around them.

use axum::Json;
use axum::body::Bytes;
use axum::extract::{Path, State};
use axum::http::StatusCode;
use serde::Deserialize;
use serde_json::{Value, json};

use super::{Emulated, Outcome, failed};
use crate::ids::AppId;
use crate::platform::{Platform, WorldView};
use crate::settings::BotSettings;
use crate::shell::{BotControl, Handle, Manner};

/// How a bot is.
pub(super) fn state(platform: &Platform, app: &AppId, inside: Option<&dyn BotControl>) -> Value {
    json!({
        "app_id": app,
        "name": platform.bot_settings(app).map(|bot| bot.name.as_str()),
        "stats": platform.stats(app),
        "sessions": platform.sessions(app),
        "waiting_faults": platform.waiting_faults(app),
        "built_in": inside.is_some(),
        "manner": inside.and_then(BotControl::manner),
        "can_swap": inside.is_some_and(BotControl::can_swap),
    })
}

/// `GET /bots/{app}/settings`.
pub(super) async fn settings(
    State(shared): Emulated,
    Path(app): Path<AppId>,
) -> Outcome<BotSettings> {
    let found = (Handle { shared }).with(|platform| platform.bot_settings(&app).cloned());
    found.map_or_else(
        || failed(StatusCode::NOT_FOUND, "no such bot"),
        |it| Ok(Json(it)),
    )
}

/// `PUT /bots/{app}/settings`: all of them; what is left out gets its default.
pub(super) async fn put_settings(
    State(shared): Emulated,
    Path(app): Path<AppId>,
    Json(wanted): Json<BotSettings>,
) -> Outcome<BotSettings> {
    if wanted.app_id != app {
        return failed(StatusCode::BAD_REQUEST, "app_id must stay");
    }
    let changed = (Handle { shared }).with_mut(|platform| {
        let settings = platform.bot_settings_mut(&app)?;
        *settings = wanted;
        Some(settings.clone())
    });
    changed.map_or_else(
        || failed(StatusCode::NOT_FOUND, "no such bot"),
        |it| Ok(Json(it)),
    )
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct NewBot {
    app_id: AppId,
    secret: String,
    name: String,
}

/// `POST /bots`: another bot, with default settings.
pub(super) async fn add(
    State(shared): Emulated,
    Json(wanted): Json<NewBot>,
) -> Outcome<BotSettings> {
    let digits = wanted.app_id.as_str().bytes();
    if wanted.app_id.as_str().is_empty() || !{ digits }.all(|byte| byte.is_ascii_digit()) {
        return failed(StatusCode::BAD_REQUEST, "an AppID consists of digits");
    }
    let mut settings = BotSettings::new(wanted.app_id, wanted.secret);
    settings.name = wanted.name;
    let made = (Handle { shared }).with_mut(|platform| platform.add_bot(settings.clone()));
    match made {
        true => Ok(Json(settings)),
        false => failed(StatusCode::CONFLICT, "there is a bot with this AppID"),
    }
}

/// `GET /bots/{app}/world`.
pub(super) async fn world(State(shared): Emulated, Path(app): Path<AppId>) -> Outcome<WorldView> {
    let found = (Handle { shared }).with(|platform| platform.world(&app));
    found.map_or_else(
        || failed(StatusCode::NOT_FOUND, "no such bot"),
        |it| Ok(Json(it)),
    )
}

/// `POST /bots/{app}/restart`: a bot of this process ends and starts again.
pub(super) async fn restart(State(shared): Emulated, Path(app): Path<AppId>) -> Outcome<Value> {
    let Some(bot) = shared.inside.find(&app) else {
        return failed(StatusCode::NOT_FOUND, "this bot does not live here");
    };
    said(bot.restart().await)
}

/// `PUT /bots/{app}/manner`: how a bot of this process shows that it writes, as `"typing"`.
pub(super) async fn set_manner(
    State(shared): Emulated,
    Path(app): Path<AppId>,
    Json(manner): Json<Manner>,
) -> Outcome<Value> {
    let Some(bot) = shared.inside.find(&app) else {
        return failed(StatusCode::NOT_FOUND, "this bot does not live here");
    };
    said(bot.set_manner(manner).await)
}

/// `GET /bots/{app}/trace`: what a bot of this process was given, as lines that its own tools replay.
pub(super) async fn trace(State(shared): Emulated, Path(app): Path<AppId>) -> Outcome<Value> {
    let Some(bot) = shared.inside.find(&app) else {
        return failed(StatusCode::NOT_FOUND, "this bot does not live here");
    };
    said(bot.trace().await)
}

/// `POST /bots/{app}/component`: the body takes the place of the component of a bot of this process.
pub(super) async fn swap(
    State(shared): Emulated,
    Path(app): Path<AppId>,
    component: Bytes,
) -> Outcome<Value> {
    let Some(bot) = shared.inside.find(&app) else {
        return failed(StatusCode::NOT_FOUND, "this bot does not live here");
    };
    said(bot.swap(component.to_vec()).await)
}

fn said(outcome: Result<String, String>) -> Outcome<Value> {
    match outcome {
        Ok(text) => Ok(Json(json!({"said": text}))),
        Err(why) => failed(StatusCode::CONFLICT, why),
    }
}
