//! The world of a run: one queue of things to come, and the parties that they come to.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use std::time::Duration;

use prx_host::guest::Component;
use qq_emulator::intents::Intents;
use qq_emulator::settings::{BotSettings, SessionSettings, Settings};
use qq_emulator::time::Millis;
use qq_emulator::{Platform, wire};

use super::network::Network;
use super::process::{Disk, Process};
use super::script::{Faults, Plan, Step, script};
use super::stage::Setup;
use crate::mutant::{Mutant, Trigger};

/// Wall-clock milliseconds at which a run begins.
const BEGIN_MS: u64 = 1_800_000_000_000;
/// Milliseconds of quiet after the script, in which everything must come to an end.
const AFTERMATH_MS: u64 = 3 * 3_600_000;
/// Steps after which a run is a loop.
const MAX_STEPS: u64 = 2_000_000;
/// The bot.
pub(super) const APP_ID: &str = "102012345";
/// Its secret.
/// The secret of the bot in every world.
pub const SECRET: &str = "secret-of-the-simulation";

/// Something that will happen.
#[derive(Debug)]
pub(super) enum Coming {
    Script(Step),
    /// To the platform, over the network.
    Platform(wire::Input),
    /// To the process with this number, over the network or from its agent.
    Process(u32, Box<prx_host::actor::Input>),
    /// The process starts.
    Boot,
}

/// The rules for the bot of a run: one of the public domain, whose sessions can be resumed for a day.
#[must_use]
pub fn bot() -> BotSettings {
    let mut bot = BotSettings::new(APP_ID, SECRET);
    bot.intents = Intents::public_domain();
    bot.sessions = SessionSettings {
        replay_keep: Duration::from_secs(86_400),
        ..SessionSettings::default()
    };
    // Long enough that a second fetch beside a first one is seen.
    bot.token.latency = Duration::from_millis(400);
    bot
}

/// A run under way.
#[derive(Debug)]
pub struct World {
    pub(super) now: u64,
    pub(super) rng: fastrand::Rng,
    coming: BTreeMap<(u64, u64), Coming>,
    counter: u64,
    pub(super) platform: Platform,
    pub(super) process: Process,
    pub(super) disk: Disk,
    pub(super) network: Network,
    pub(super) plan: Plan,
    steps: u64,
    /// Secrets that went out to the platform.
    pub(super) secrets: BTreeSet<String>,
    /// The channel itself, of which other builds are made.
    pub(super) base: Arc<dyn Component>,
    /// Builds made so far.
    pub(super) builds: u64,
    pub(super) trigger: Trigger,
    /// Builds that took over, and those of them that were sent back.
    pub(super) swaps: usize,
    pub(super) rollbacks: usize,
    /// What went wrong while it ran: broken invariants that only show in the middle.
    pub(super) findings: Vec<String>,
}

impl World {
    /// A world in which nothing has happened yet.
    #[must_use]
    pub fn new(component: Arc<dyn Component>, plan: &Plan, seed: u64) -> Self {
        let mut keys = serde_json::Map::new();
        keys.insert("stream_mode".into(), plan.shows.key().into());
        let setup = Setup {
            keys,
            bot: bot(),
            mind: super::stage::echo(),
        };
        Self::with(component, plan, seed, setup)
    }

    pub(super) fn with(
        component: Arc<dyn Component>,
        plan: &Plan,
        seed: u64,
        setup: Setup,
    ) -> Self {
        let mut rng = fastrand::Rng::with_seed(seed);
        let settings = Settings {
            bots: vec![setup.bot],
            gateway_url: "wss://api.sgroup.qq.com/websocket".into(),
            media_url: "https://multimedia.nt.qq.com.cn".into(),
            ..Settings::default()
        };
        let script = script(plan, &mut rng);
        let trigger = Trigger::default();
        let first = Mutant::new(Arc::clone(&component), 0, trigger.clone());
        let mut world = Self {
            now: BEGIN_MS,
            coming: BTreeMap::new(),
            counter: 0,
            platform: Platform::new(settings, rng.u64(..)),
            process: Process::new(Arc::new(first), setup.keys, setup.mind),
            base: component,
            builds: 0,
            trigger,
            swaps: 0,
            rollbacks: 0,
            disk: Disk::default(),
            network: Network::default(),
            plan: *plan,
            steps: 0,
            secrets: BTreeSet::from([SECRET.to_owned()]),
            findings: Vec::new(),
            rng,
        };
        // People write once the bot is there for the first time: what is said before is nobody's.
        for (at, step) in script {
            world.later(10_000 + at, Coming::Script(step));
        }
        world.later(0, Coming::Boot);
        world
    }

    /// Plans something so many milliseconds from now.
    pub(super) fn later(&mut self, after_ms: u64, coming: Coming) {
        self.at(self.now + after_ms, coming);
    }

    /// Plans something at a moment.
    pub(super) fn at(&mut self, at: u64, coming: Coming) {
        self.counter += 1;
        self.coming.insert((at, self.counter), coming);
    }

    /// Runs the script and its aftermath.
    pub fn run(&mut self) {
        self.run_until(BEGIN_MS + self.plan.span_ms + AFTERMATH_MS);
    }

    /// Runs until nothing more happens before this moment.
    pub(super) fn run_until(&mut self, end: u64) {
        while self.steps < MAX_STEPS {
            let queued = self.coming.keys().next().map(|(at, _)| *at);
            let platform = self.platform.next_due().map(|due| due.0);
            let process = self.process.next_due_wall(self.now);
            let Some(next) = [queued, platform, process].into_iter().flatten().min() else {
                self.now = self.now.max(end);
                return;
            };
            if next > end {
                self.now = self.now.max(end);
                return;
            }
            self.now = self.now.max(next);
            self.steps += 1;
            if queued == Some(next) {
                if let Some((_, coming)) = self.coming.pop_first() {
                    self.happen(coming);
                }
            } else if platform == Some(next) {
                let commands = self.platform.step(Millis(self.now), wire::Input::Tick);
                self.obey_platform(commands);
            } else {
                self.tick_process();
            }
        }
        self.findings
            .push(format!("the run does not end: {MAX_STEPS} steps"));
    }

    fn happen(&mut self, coming: Coming) {
        match coming {
            Coming::Script(Step::Act(act)) => {
                let (outcome, commands) = self.platform.act(Millis(self.now), &act.into());
                if let Err(error) = outcome {
                    self.findings.push(format!("the script is wrong: {error}"));
                }
                self.obey_platform(commands);
            }
            Coming::Script(Step::Fault(order)) => {
                let (_, commands) = self.platform.fault(Millis(self.now), None, order);
                self.obey_platform(commands);
            }
            Coming::Script(Step::Kill) => self.process.doom(),
            Coming::Script(Step::Swap) => self.swap_at_random(),
            Coming::Script(Step::Crash) => self.trigger.once(),
            Coming::Platform(input) => {
                let commands = self.platform.step(Millis(self.now), input);
                self.obey_platform(commands);
            }
            Coming::Process(number, input) => self.step_process(number, *input),
            Coming::Boot => self.boot_process(),
        }
    }

    /// True when what was said is never lost in this run.
    #[must_use]
    pub(super) fn loses_nothing(&self) -> bool {
        self.plan.kind != Faults::All
    }
}
