//! The platform itself: one synchronous core that is given the time and everything that happens.
//!
//! No sockets, no threads, no clock and no randomness of its own: equal settings, seed and inputs
//! give equal outputs. The shell obeys one rule: *one input in, all commands out, carried out in
//! order, before the next input*; and it sends [`Input::Tick`] when [`Platform::next_due`] comes.

mod acts;
mod bodies;
mod bot;
mod due;
mod gateway;
mod guilds;
mod http;
mod interactions;
mod media;
mod messages;
mod place;
mod posts;
mod routes;
mod strikes;
mod tokens;
mod view;
mod world;

use std::collections::BTreeMap;

pub use bot::{BotStats, SessionView};
pub use messages::ReplyBudget;
pub use view::{AuditView, GroupView, GuildView, UserView, WorldView};

use crate::actions::{ActionError, ActionOutcome, UserAction};
use crate::faults::{FaultOrder, Occasion};
use crate::ids::{AppId, ConnId, Openid, UserName};
use crate::ledger::{Ledger, Violation};
use crate::random::{IdSource, OpenidKind};
use crate::record::{Record, What};
use crate::settings::{BotSettings, Settings};
use crate::time::Millis;
use crate::wire::{Command, Input};
use bot::Bot;
use due::{Delayed, DueQueue};
use gateway::Conn;

/// The QQ bot platform: bots, users, sessions, messages.
///
/// - Inputs: [`Platform::step`], or [`Platform::act`] and [`Platform::fault`] where the outcome
///   matters; all return the commands that follow.
/// - Time: [`Platform::next_due`].
/// - Questions: [`Platform::ledger`], [`Platform::record`], [`Platform::stats`] and the like.
/// - Choices: [`Platform::settings`], [`Platform::bot_settings_mut`].
#[derive(Debug)]
pub struct Platform {
    settings: Settings,
    bots: BTreeMap<AppId, Bot>,
    conns: BTreeMap<ConnId, Conn>,
    due: DueQueue,
    ids: IdSource,
    record: Record,
    ledger: Ledger,
    store: media::Store,
    now: Millis,
    out: Vec<Command>,
}

impl Platform {
    /// A platform on which nothing has happened yet. All ids are drawn from the seed.
    #[must_use]
    pub fn new(settings: Settings, seed: u64) -> Self {
        let ids = IdSource::new(seed);
        let bots = settings.bots.iter().map(|bot| {
            let user_id = ids.bot_user(&bot.app_id);
            (bot.app_id.clone(), Bot::new(bot.clone(), user_id))
        });
        Self {
            bots: bots.collect(),
            conns: BTreeMap::new(),
            due: DueQueue::default(),
            record: Record::new(settings.record.log),
            ledger: Ledger::new(settings.record.clone()),
            store: media::Store::new(settings.keep_bytes),
            now: Millis(0),
            out: Vec::new(),
            ids,
            settings,
        }
    }

    /// Takes one input at a moment and returns what the shell must do. Everything that was due
    /// until then happens first. A moment before an earlier one is taken as the earlier one.
    pub fn step(&mut self, now: Millis, input: Input) -> Vec<Command> {
        self.pass_time(now);
        match input {
            Input::Http { ticket, request } => self.on_http(ticket, request),
            Input::SocketOpen { conn, request } => self.on_socket_open(conn, &request),
            Input::SocketText { conn, text } => self.on_socket_text(conn, text),
            Input::SocketBinary { conn } => self.on_socket_binary(conn),
            Input::SocketGone { conn, code } => self.on_socket_gone(conn, code),
            Input::User(action) => {
                if let Err(error) = self.on_act(&action) {
                    self.note(action.bot.as_ref(), error.to_string());
                }
            }
            Input::Fault { app, order } => self.on_fault(&app, order),
            Input::Tick => {}
        }
        std::mem::take(&mut self.out)
    }

    /// Lets a user act, and tells what came of it besides the commands.
    pub fn act(
        &mut self,
        now: Millis,
        action: &UserAction,
    ) -> (Result<ActionOutcome, ActionError>, Vec<Command>) {
        self.pass_time(now);
        let outcome = self.on_act(action);
        (outcome, std::mem::take(&mut self.out))
    }

    /// Orders a fault for a bot; without a bot, for the first one of the settings.
    pub fn fault(
        &mut self,
        now: Millis,
        app: Option<&AppId>,
        order: FaultOrder,
    ) -> (Result<(), ActionError>, Vec<Command>) {
        self.pass_time(now);
        let outcome = self.resolve(app).map(|app| self.on_fault(&app, order));
        (outcome, std::mem::take(&mut self.out))
    }

    /// When the next thing happens by itself, if any is planned.
    #[must_use]
    pub fn next_due(&self) -> Option<Millis> {
        self.due.next()
    }

    /// The moment of the last input.
    #[must_use]
    pub fn now(&self) -> Millis {
        self.now
    }

    /// The settings that the platform was made with. Those of bots may have changed since: see
    /// [`Platform::bot_settings`].
    #[must_use]
    pub fn settings(&self) -> &Settings {
        &self.settings
    }

    /// The settings of the gateway, to change them while it runs.
    pub fn gateway_settings_mut(&mut self) -> &mut crate::settings::GatewaySettings {
        &mut self.settings.gateway
    }

    /// A bot's settings as they are now.
    #[must_use]
    pub fn bot_settings(&self, app: &AppId) -> Option<&BotSettings> {
        self.bots.get(app).map(|bot| &bot.settings)
    }

    /// A bot's settings, to change them while it runs. Its app id must stay.
    pub fn bot_settings_mut(&mut self, app: &AppId) -> Option<&mut BotSettings> {
        self.bots.get_mut(app).map(|bot| &mut bot.settings)
    }

    /// Every bot's app id.
    pub fn apps(&self) -> impl Iterator<Item = &AppId> {
        self.bots.keys()
    }

    /// The bot that is meant where none is named: the first one of the settings.
    #[must_use]
    pub fn default_app(&self) -> Option<&AppId> {
        self.settings.bots.first().map(|bot| &bot.app_id)
    }

    /// The log of everything.
    #[must_use]
    pub fn record(&self) -> &Record {
        &self.record
    }

    /// Messages and broken rules.
    #[must_use]
    pub fn ledger(&self) -> &Ledger {
        &self.ledger
    }

    /// What a bot has done so far, in numbers.
    #[must_use]
    pub fn stats(&self, app: &AppId) -> Option<BotStats> {
        let bot = self.bots.get(app)?;
        let mut stats = bot.stats.clone();
        stats.live_connections = bot.live_connections();
        stats.sessions = bot.sessions.len();
        Some(stats)
    }

    /// A bot's sessions, in the order of their ids.
    pub fn sessions(&self, app: &AppId) -> Vec<SessionView> {
        let bot = self.bots.get(app);
        bot.map(|bot| bot.sessions.values().map(gateway::Session::view).collect())
            .unwrap_or_default()
    }

    /// Faults of a bot that still wait for their occasion.
    #[must_use]
    pub fn waiting_faults(&self, app: &AppId) -> &[FaultOrder] {
        self.bots
            .get(app)
            .map(|bot| bot.armed.waiting())
            .unwrap_or_default()
    }

    /// Takes back every fault of a bot that still waits.
    pub fn clear_faults(&mut self, app: &AppId) {
        if let Some(bot) = self.bots.get_mut(app) {
            bot.armed.clear();
        }
    }

    /// The openid by which a bot knows a user in C2C, whether or not they have met.
    #[must_use]
    pub fn user_openid(&self, app: &AppId, user: &UserName) -> Openid {
        self.ids.openid(app, OpenidKind::User, user.as_str())
    }

    /// Notes that the clock was moved ahead by hand.
    pub(crate) fn note_clock(&mut self, by_ms: u64) {
        self.log(None, What::ClockMoved { by_ms });
    }

    fn pass_time(&mut self, now: Millis) {
        let now = self.now.max(now);
        while let Some((at, delayed)) = self.due.pop(now) {
            self.now = self.now.max(at);
            self.on_due(delayed);
        }
        self.now = now;
    }

    fn on_due(&mut self, delayed: Delayed) {
        match delayed {
            Delayed::Request { ticket, call } => self.on_late_request(ticket, &call),
            Delayed::Reply {
                ticket,
                response,
                token_of,
            } => {
                self.on_late_reply(ticket, response, token_of.as_ref());
            }
            Delayed::Close { conn, code } => self.close(conn, code),
            Delayed::HeartbeatCheck { conn } => self.check_heartbeat(conn),
            Delayed::LoginCheck { conn } => self.check_login(conn),
            Delayed::ForgetSession { app, session, left } => {
                self.forget_session(&app, &session, left);
            }
            Delayed::QuietEnds { app } => self.flush_all(&app),
            Delayed::Audit { app, audit_id } => self.audit_due(&app, &audit_id),
            Delayed::AckCheck { app, id } => self.check_ack(&app, &id),
            Delayed::StreamCheck { app, stream } => self.check_stream(&app, &stream),
        }
    }

    /// The bot that is meant.
    fn resolve(&self, app: Option<&AppId>) -> Result<AppId, ActionError> {
        match app {
            Some(app) if self.bots.contains_key(app) => Ok(app.clone()),
            Some(app) => Err(ActionError::NoSuchBot(app.clone())),
            None => self.default_app().cloned().ok_or(ActionError::NoBot),
        }
    }

    /// Takes one strike of a waiting fault of a bot, and logs that it struck.
    fn strike(&mut self, app: &AppId, occasion: Occasion) -> Option<crate::faults::Fault> {
        let fault = self.bots.get_mut(app)?.armed.take(occasion)?;
        self.log(
            Some(app),
            What::FaultStruck {
                fault: fault.to_string(),
            },
        );
        Some(fault)
    }

    fn log(&mut self, app: Option<&AppId>, what: What) {
        self.record.push(self.now, app.cloned(), what);
    }

    fn note(&mut self, app: Option<&AppId>, text: String) {
        self.log(app, What::Note { text });
    }

    fn violation(&mut self, app: Option<&AppId>, what: Violation) {
        self.log(
            app,
            What::Violation {
                text: what.to_string(),
            },
        );
        self.ledger.add_violation(self.now, app.cloned(), what);
    }

    fn malformed(&mut self, app: Option<&AppId>, why: impl Into<String>) {
        self.violation(app, Violation::Malformed { why: why.into() });
    }
}
