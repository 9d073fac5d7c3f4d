//! A world without a script: a test says what happens next, and looks at what people see.
#![allow(
    clippy::panic,
    reason = "a test that asks for what cannot be is a wrong test, and ends there"
)]

use std::sync::Arc;

use prx_host::actor::{Input, TraceForm};
use prx_host::bindings::v0_1 as host;
use prx_host::guest::Component;
use prx_host::trace::scribe::Scribe;
use qq_emulator::Platform;
use qq_emulator::actions::{Act, ActionOutcome};
use qq_emulator::faults::parse_orders;
use qq_emulator::ids::MessageId;
use qq_emulator::ledger::BotMessage;
use qq_emulator::settings::BotSettings;
use qq_emulator::time::Millis;
use serde_json::{Map, Value};

use super::blobs::Blobs;
use super::script::{Faults, Plan, Shows, answer, picture};
use super::world::World;
use crate::mutant::{Flaw, Trigger};

/// What the agent reports of a turn, each after so many milliseconds.
pub type News = Vec<(u64, host::TurnNews)>;

/// An agent: what it reports of a turn, with the blobs in which its media are.
pub type Mind = Box<dyn FnMut(&host::TurnBegin, &mut Blobs) -> News + Send>;

/// What a world is like.
pub struct Setup {
    /// Keys of the operator's table, besides the defaults; `app_secret` may be among them.
    pub keys: Map<String, Value>,
    /// The platform's rules for the bot.
    pub bot: BotSettings,
    /// The agent.
    pub mind: Mind,
}

impl std::fmt::Debug for Setup {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Setup")
            .field("keys", &self.keys)
            .finish_non_exhaustive()
    }
}

/// An agent that says one thing.
#[must_use]
pub fn says(text: String) -> News {
    let parts = vec![host::AnswerPart::Text(text)];
    vec![(10, host::TurnNews::Finished(parts))]
}

/// The agent of the simulated days: it echoes, at length where that is asked for, with a picture where one is, and in
/// pieces where the place shows them.
#[must_use]
pub fn echo() -> Mind {
    Box::new(|begin, blobs| {
        let text = answer(&begin.message.text);
        let mut news = Vec::new();
        if begin.shows.streaming {
            let mut rest = text.as_str();
            while !rest.is_empty() {
                let (piece, after) = rest.split_at(rest.len().min(700));
                news.push((
                    news.len() as u64 * 300,
                    host::TurnNews::Delta(piece.to_owned()),
                ));
                rest = after;
            }
        }
        let mut parts = vec![host::AnswerPart::Text(text)];
        if let Some(size) = picture(&begin.message.text) {
            let mut bytes = b"\x89PNG\r\n\x1a\n".to_vec();
            bytes.resize(usize::try_from(size).unwrap_or_default(), 7);
            parts.push(host::AnswerPart::Media(host::MediaPart {
                kind: host::MediaKind::Image,
                source: host::MediaSource::Blob(blobs.own("a.png", "image/png", bytes)),
                caption: None,
            }));
        }
        let last_ms = news.len() as u64 * 300;
        news.push((last_ms, host::TurnNews::Finished(parts)));
        news
    })
}

/// A world on which a test plays.
#[derive(Debug)]
pub struct Stage {
    world: World,
}

impl Stage {
    /// A world in which the bot has just connected.
    ///
    /// # Panics
    /// When the bot does not connect.
    #[must_use]
    pub fn new(component: Arc<dyn Component>, setup: Setup) -> Self {
        let stage = Self::started(component, setup);
        assert!(stage.connected(), "{:?}", stage.log());
        stage
    }

    /// A world in which the bot was started, and may or may not have connected.
    #[must_use]
    pub fn started(component: Arc<dyn Component>, setup: Setup) -> Self {
        let plan = Plan {
            messages: 0,
            span_ms: 0,
            faults: 0,
            kind: Faults::None,
            kills: 0,
            swaps: 0,
            crashes: 0,
            shows: Shows::Nothing,
        };
        let mut stage = Self {
            world: World::with(component, &plan, 7, setup),
        };
        stage.pass(20_000);
        stage
    }

    /// True while the bot has a connection.
    #[must_use]
    pub fn connected(&self) -> bool {
        let app = self.platform().default_app();
        app.and_then(|app| self.platform().stats(app))
            .is_some_and(|stats| stats.live_connections > 0)
    }

    /// Offers another build of the channel, newer or not, with this flaw.
    pub fn offer(&mut self, flaw: Flaw, newer: bool) {
        self.world.offer(flaw, newer);
    }

    /// Begins to record.
    pub fn record(&mut self, form: TraceForm) {
        let now = self.world.instant();
        let (scribe, header) = Scribe::new("qq", form, now);
        self.world.process.scribe = Some(scribe);
        self.world.process.trace = vec![header];
        let number = self.world.process.number;
        self.world.step_process(number, Input::Record(Some(form)));
    }

    /// What was recorded, a line each.
    ///
    /// # Panics
    /// When a line cannot be written.
    #[must_use]
    pub fn trace(&self) -> Vec<String> {
        let lines = self.world.process.trace.iter();
        lines
            .map(|line| line.write().unwrap_or_else(|e| panic!("{e}")))
            .collect()
    }

    /// What makes the running build trap.
    #[must_use]
    pub fn trigger(&self) -> &Trigger {
        &self.world.trigger
    }

    /// Builds that took over, and those of them that were sent back.
    #[must_use]
    pub fn swaps(&self) -> (usize, usize) {
        (self.world.swaps, self.world.rollbacks)
    }

    /// Lets time pass.
    pub fn pass(&mut self, ms: u64) {
        self.world.run_until(self.world.now + ms);
    }

    /// Somebody does something, and a minute passes.
    ///
    /// # Panics
    /// When it is not possible.
    pub fn act(&mut self, act: Act) -> ActionOutcome {
        let outcome = self.begin(act);
        self.pass(60_000);
        outcome
    }

    /// Somebody does something, and no time passes.
    ///
    /// # Panics
    /// When it is not possible.
    pub fn begin(&mut self, act: Act) -> ActionOutcome {
        let now = Millis(self.world.now);
        let (outcome, commands) = self.world.platform.act(now, &act.into());
        self.world.obey_platform(commands);
        outcome.unwrap_or_else(|error| panic!("{error}"))
    }

    /// Orders a fault in words.
    ///
    /// # Panics
    /// When there is no such fault.
    pub fn fault(&mut self, text: &str) {
        let orders = parse_orders(text).unwrap_or_else(|error| panic!("{text}: {error}"));
        for order in orders {
            let now = Millis(self.world.now);
            let (outcome, commands) = self.world.platform.fault(now, None, order);
            outcome.unwrap_or_else(|error| panic!("{error}"));
            self.world.obey_platform(commands);
        }
    }

    /// The operator asks for something.
    pub fn ask(&mut self, ask: host::OperatorCommand) {
        self.order(ask);
        self.pass(60_000);
    }

    /// The operator asks for something, and no time passes.
    pub fn order(&mut self, ask: host::OperatorCommand) {
        self.world.ask_operator(ask);
    }

    /// What the operator was answered, newest last.
    #[must_use]
    pub fn replies(&self) -> &[host::Reply] {
        &self.world.process.replies
    }

    /// The process is killed and starts again.
    pub fn kill(&mut self) {
        self.world.process.doom();
    }

    /// The platform.
    #[must_use]
    pub fn platform(&self) -> &Platform {
        &self.world.platform
    }

    /// The platform's rules for the bot, to change them.
    ///
    /// # Panics
    /// When there is no bot, which cannot be.
    pub fn rules(&mut self) -> &mut BotSettings {
        let app = self.world.platform.default_app().cloned();
        app.and_then(|app| self.world.platform.bot_settings_mut(&app))
            .unwrap_or_else(|| panic!("no bot"))
    }

    /// Where the bot's requests went: scheme, host and port of each address once.
    #[must_use]
    pub fn called(&self) -> Vec<String> {
        self.world.network.called.iter().cloned().collect()
    }

    /// All that the bot said, in order.
    #[must_use]
    pub fn said(&self) -> Vec<Arc<BotMessage>> {
        self.platform().ledger().bot_messages().cloned().collect()
    }

    /// The texts that answer a message.
    #[must_use]
    pub fn texts(&self, id: &MessageId) -> Vec<String> {
        let texts = self.platform().ledger().reply_texts(id);
        texts.into_iter().map(str::to_owned).collect()
    }

    /// Rules of the platform that the bot broke.
    #[must_use]
    pub fn violations(&self) -> Vec<String> {
        let violations = self.platform().ledger().violations();
        violations.map(|entry| entry.what.to_string()).collect()
    }

    /// What the agent was told of its answers.
    #[must_use]
    pub fn outcomes(&self) -> Vec<host::TurnOutcome> {
        self.world.process.told.clone()
    }

    /// What the agent was told that was not said to it.
    #[must_use]
    pub fn overheard(&self) -> &[String] {
        &self.world.process.overheard
    }

    /// What the agent was answered to its questions.
    #[must_use]
    pub fn approvals(&self) -> &[host::ApprovalAnswer] {
        &self.world.process.approvals
    }

    /// The conversations that were begun anew.
    #[must_use]
    pub fn resets(&self) -> &[String] {
        &self.world.process.resets
    }

    /// How often the component broke because it was told to.
    #[must_use]
    pub fn planned_faults(&self) -> usize {
        self.world.process.planned
    }

    /// Requests of the bot's without an answer.
    #[must_use]
    pub fn pending_requests(&mut self) -> usize {
        let holdings = self.world.process.holdings();
        holdings.map_or(0, |(held, _)| held.requests.len())
    }

    /// Turns that the agent works on.
    #[must_use]
    pub fn agent_at_work(&self) -> usize {
        self.world.process.at_work()
    }

    /// The keys of what is stored.
    #[must_use]
    pub fn stored_keys(&self) -> Vec<String> {
        self.world.disk.entries.keys().cloned().collect()
    }

    /// The blobs that the host holds.
    #[must_use]
    pub fn blobs(&self) -> &Blobs {
        &self.world.disk.blobs
    }

    /// The turns that began.
    #[must_use]
    pub fn begun(&self) -> &[host::TurnBegin] {
        &self.world.process.begins
    }

    /// What the channel said of its own health, newest last.
    #[must_use]
    pub fn health(&self) -> &[host::Health] {
        &self.world.process.health
    }

    /// A value that the channel stored, as text.
    #[must_use]
    pub fn stored(&self, key: &str) -> Option<String> {
        let value = self.world.disk.entries.get(key)?;
        Some(String::from_utf8_lossy(value).into_owned())
    }

    /// The last lines of the channel's log.
    #[must_use]
    pub fn log(&self) -> Vec<String> {
        self.world.process.last_lines.iter().cloned().collect()
    }

    /// What was found wrong with host and guest.
    #[must_use]
    pub fn findings(&self) -> Vec<String> {
        let incidents = self.world.process.incidents.iter();
        let broken = incidents.map(|incident| format!("the guest broke: {incident}"));
        broken.chain(self.world.findings.iter().cloned()).collect()
    }
}
