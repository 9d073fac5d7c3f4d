//! How the channel is, in one sentence and one thing to do.

use crate::bindings::{Action, Health, HealthLevel};
use crate::env::{Env, Level};
use crate::gateway::close::Stop;

/// Says how the channel is.
pub fn report(env: &mut Env, level: HealthLevel, code: &str, summary: &str, fix: Option<&str>) {
    env.health = Some((code.to_owned(), summary.to_owned(), fix.map(str::to_owned)));
    env.emit(Action::Health(Health {
        level,
        code: code.to_owned(),
        summary: summary.to_owned(),
        fix: fix.map(str::to_owned),
    }));
}

/// Says why the channel has stopped, in the log as well.
pub fn report_stop(env: &mut Env, stop: Stop, code: Option<i64>) {
    let (sentence, fix) = explain(stop);
    let summary = code.map_or_else(
        || sentence.to_owned(),
        |code| format!("{sentence} (code {code})"),
    );
    env.log(Level::Error, format!("stopped: {summary}. {fix}"));
    report(env, HealthLevel::Stopped, stop.code(), &summary, Some(fix));
}

/// Says which intents are missing, and how to get them.
pub fn report_missing_intents(env: &mut Env, missing: &[&str]) {
    let summary = format!(
        "connected, but the platform did not grant: {}",
        missing.join(", ")
    );
    env.log(Level::Warn, format!("{summary}. {MISSING_INTENTS_FIX}"));
    report(
        env,
        HealthLevel::Degraded,
        "missing-intents",
        &summary,
        Some(MISSING_INTENTS_FIX),
    );
}

pub(crate) const MISSING_INTENTS_FIX: &str = "Apply for them under 功能配置 (features) or 事件订阅 (event subscriptions) of the bot's console, \
     or take them out of intents.";

/// Says that nobody can pair, because nobody can write to the bot in private.
pub fn report_nowhere_to_pair(env: &mut Env) {
    let summary = "connected, but nobody can pair: the platform grants this bot neither private chats nor direct messages";
    env.log(Level::Warn, format!("{summary}. {NOWHERE_TO_PAIR_FIX}"));
    report(
        env,
        HealthLevel::Degraded,
        "nowhere-to-pair",
        summary,
        Some(NOWHERE_TO_PAIR_FIX),
    );
}

const NOWHERE_TO_PAIR_FIX: &str = "Open 单聊 (private chats) under 功能配置 (features) of the bot's console, \
     or name people in allowed_users.";

/// Cause and remedy of each reason to stop.
#[must_use]
pub fn explain(stop: Stop) -> (&'static str, &'static str) {
    match stop {
        Stop::ProtocolFault => (
            "the platform found a fault in what this channel sent",
            "This is a bug: please report it with a recording. The next try follows in ten minutes.",
        ),
        Stop::BadShard => (
            "the platform refused the shard numbers",
            "This channel uses one shard; please report it.",
        ),
        Stop::TooManyGuilds => (
            "the bot is in more guilds than one connection may hold",
            "This channel uses one connection; leave some guilds, or ask for sharding.",
        ),
        Stop::BadVersion => (
            "the platform refused the protocol version",
            "Update the channel.",
        ),
        Stop::BadIntents => (
            "the platform does not know one of the intents",
            "Take the newest names out of intents.",
        ),
        Stop::NoIntents => (
            "the platform grants none of the intents that are asked for",
            "Open the scene under 功能配置 (features) of the bot's console, or change intents.",
        ),
        Stop::SandboxOnly => (
            "the bot is not published, so only the sandbox may be used",
            "Set sandbox = true, or publish the bot under 发布设置 (release) of its console.",
        ),
        Stop::Banned => (
            "the platform has banned the bot",
            "See the notices in the bot's console, and appeal there.",
        ),
        Stop::BadAppId => (
            "the platform does not know this AppID, or has banned its bot",
            "Compare app_id with 开发设置 (development settings) of the bot's console.",
        ),
        Stop::BadSecret => (
            "AppID and AppSecret do not belong together",
            "Copy AppSecret anew from 开发设置 (development settings) of the bot's console; resetting it voids the old one.",
        ),
        Stop::AddressNotAllowed => (
            "this machine's address is not on the bot's allow-list",
            "Add its public address under 开发设置 / IP白名单 (development settings, IP allow-list) of the bot's console.",
        ),
        Stop::Refused => (
            "the platform refuses this bot",
            "See the notices in the bot's console; the code tells support what is wrong.",
        ),
    }
}
