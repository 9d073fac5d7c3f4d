//! The process: the host's actor, its agent, and a disk that holds what was committed.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use prx_host::actor::{
    Actor, ActorSpec, BlobContent, BootInput, Change, Command, Input, OperatorAsk, TraceItem,
};
use prx_host::agent::AgentAsk;
use prx_host::bindings::v0_1 as host;
use prx_host::egress::address::AddressPolicy;
use prx_host::egress::{EgressPolicy, OperatorEgress, Widening};
use prx_host::guest::Component;
use prx_host::limits::Limits;
use prx_host::manifest::Manifest;
use prx_host::trace::line::Line;
use prx_host::trace::scribe::Scribe;
use prx_host::vault::{Hidden, Vault};

use super::blobs::Blobs;
use super::check::Watch;
use super::stage::Mind;
use super::swap::Offered;
use super::world::{APP_ID, Coming, SECRET, World};
use crate::mutant::PLANNED;

/// The key of the secret in the operator's table; the component never sees it.
pub(super) const APP_SECRET: &str = "app_secret";

/// What survives a kill.
#[derive(Debug, Default)]
pub(super) struct Disk {
    pub(super) entries: BTreeMap<String, Vec<u8>>,
    boots: u32,
    pub(super) blobs: Blobs,
    /// What the commits showed, for the checks.
    pub(super) watch: Watch,
}

/// The process, alive or not.
pub(super) struct Process {
    /// What is installed.
    pub(super) component: Arc<dyn Component>,
    pub(super) offered: Option<Offered>,
    /// Writes a recording, and what it has written.
    pub(super) scribe: Option<Scribe>,
    pub(super) trace: Vec<Line>,
    actor: Option<Actor>,
    /// Counts processes: what was meant for an earlier one does not reach a later one.
    pub(super) number: u32,
    /// Killed in the middle of its next step.
    doomed: bool,
    /// Turns that the agent of this process works on.
    agent: BTreeSet<(u64, u32)>,
    /// How often any turn was begun.
    pub(super) begun: BTreeMap<u64, Vec<u32>>,
    pub(super) outcomes: BTreeMap<u64, Vec<host::Outcome>>,
    pub(super) incidents: Vec<String>,
    /// Faults that were meant to happen.
    pub(super) planned: usize,
    pub(super) last_lines: std::collections::VecDeque<String>,
    /// Keys of the operator's table, besides the defaults.
    pub(super) keys: serde_json::Map<String, serde_json::Value>,
    mind: Mind,
    pub(super) begins: Vec<host::TurnBegin>,
    pub(super) told: Vec<host::TurnOutcome>,
    pub(super) replies: Vec<host::Reply>,
    pub(super) overheard: Vec<String>,
    pub(super) health: Vec<host::Health>,
    pub(super) approvals: Vec<host::ApprovalAnswer>,
    pub(super) resets: Vec<String>,
}

impl std::fmt::Debug for Process {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Process")
            .field("number", &self.number)
            .finish_non_exhaustive()
    }
}

impl Process {
    pub(super) fn new(
        component: Arc<dyn Component>,
        keys: serde_json::Map<String, serde_json::Value>,
        mind: Mind,
    ) -> Self {
        Self {
            component,
            offered: None,
            scribe: None,
            trace: Vec::new(),
            actor: None,
            number: 0,
            doomed: false,
            agent: BTreeSet::new(),
            begun: BTreeMap::new(),
            outcomes: BTreeMap::new(),
            incidents: Vec::new(),
            planned: 0,
            last_lines: std::collections::VecDeque::new(),
            keys,
            mind,
            begins: Vec::new(),
            told: Vec::new(),
            replies: Vec::new(),
            overheard: Vec::new(),
            health: Vec::new(),
            approvals: Vec::new(),
            resets: Vec::new(),
        }
    }

    /// True where some of what people say is passed over or only overheard, and leaves no turn.
    fn passes_over(&self) -> bool {
        let everybody = serde_json::json!(["*"]);
        let listed = self.keys.get("allowed_users");
        listed.is_some_and(|listed| *listed != everybody)
            || self.keys.get("mention_only") == Some(&true.into())
    }

    /// A line more of the recording, if there is one.
    fn trace(&mut self, item: TraceItem) {
        let line = self.scribe.as_mut().and_then(|scribe| scribe.write(item));
        self.trace.extend(line);
    }

    /// Where the running channel may connect to.
    pub(super) fn egress(&self) -> Option<Arc<EgressPolicy>> {
        self.actor.as_ref().map(Actor::egress)
    }

    /// The component that has proved itself.
    pub(super) fn proven(&self) -> Option<Arc<dyn Component>> {
        self.actor.as_ref().map(Actor::proven)
    }

    /// Turns that the agent works on.
    pub(super) fn at_work(&self) -> usize {
        self.agent.len()
    }

    /// Kills the process in the middle of what it does next.
    pub(super) fn doom(&mut self) {
        self.doomed = true;
    }

    /// When the actor wants to be woken; its monotonic clock is the world's.
    pub(super) fn next_due_wall(&self, now: u64) -> Option<u64> {
        self.actor.as_ref()?.next_due().map(|due| due.max(now))
    }

    pub(super) fn holdings(&mut self) -> Option<(host::Holdings, host::Holdings)> {
        let actor = self.actor.as_mut()?;
        let inventory = actor.inventory()?;
        Some((actor.holdings(), inventory))
    }
}

/// The operator's table of a run.
pub(super) fn config(
    component: &dyn Component,
    more: &serde_json::Map<String, serde_json::Value>,
) -> String {
    let keys = component
        .describe()
        .map(|info| info.keys)
        .unwrap_or_default();
    let mut table = serde_json::Map::new();
    for key in keys.into_iter().filter(|key| !key.secret) {
        if let Some(default) = key
            .default
            .and_then(|default| serde_json::from_str(&default).ok())
        {
            table.insert(key.name, default);
        }
    }
    table.insert("app_id".into(), APP_ID.into());
    table.insert("allowed_users".into(), serde_json::json!(["*"]));
    table.insert(
        "intents".into(),
        serde_json::json!(["public_guild_messages", "group_and_c2c", "direct_messages"]),
    );
    table.extend(more.clone());
    table.remove(APP_SECRET);
    serde_json::Value::Object(table).to_string()
}

/// The addresses that the operator's table names besides the manifest's.
fn widenings(
    component: &dyn Component,
    keys: &serde_json::Map<String, serde_json::Value>,
) -> Result<Vec<Widening>, String> {
    let specs = component.describe().map_err(|error| error.to_string())?;
    let named = specs.keys.into_iter().filter_map(|spec| {
        let url = keys.get(&spec.name)?.as_str()?.parse();
        Some((spec.widens_egress?, url))
    });
    named
        .map(|(group, url)| {
            let url = url.map_err(|error| format!("{error}"))?;
            Ok(Widening { group, url })
        })
        .collect()
}

fn spec(process: &Process, disk: &Disk) -> Result<ActorSpec, String> {
    let manifest =
        Manifest::parse(qq_channel_embed::MANIFEST).map_err(|error| error.to_string())?;
    let captured = manifest.captured();
    let egress = EgressPolicy::new(
        manifest.egress,
        OperatorEgress::AsManifest,
        AddressPolicy::default(),
        &widenings(process.component.as_ref(), &process.keys)?,
    )
    .map_err(|error| error.to_string())?;
    let component = &process.component;
    let written = process
        .keys
        .get(APP_SECRET)
        .and_then(|value| value.as_str());
    let secret = (
        APP_SECRET.to_owned(),
        Hidden::new(written.unwrap_or(SECRET)),
    );
    Ok(ActorSpec {
        instance: "qq".into(),
        component: Arc::clone(component),
        config: config(component.as_ref(), &process.keys),
        vault: Vault::new([secret], captured),
        egress: Arc::new(egress),
        limits: Limits::STANDARD,
        entries: disk
            .entries
            .iter()
            .map(|(key, value)| host::Entry {
                key: key.clone(),
                value: value.clone(),
            })
            .collect(),
        host: "simulator".into(),
    })
}

impl World {
    pub(super) fn instant(&self) -> host::Instant {
        host::Instant {
            mono_ms: self.now,
            wall_ms: self.now,
        }
    }

    pub(super) fn boot_process(&mut self) {
        match spec(&self.process, &self.disk) {
            Ok(spec) => {
                self.process.number += 1;
                let (actor, commands) = Actor::new(spec);
                self.process.actor = Some(actor);
                self.obey_actor(commands);
            }
            Err(error) => self
                .findings
                .push(format!("the process does not start: {error}")),
        }
    }

    pub(super) fn tick_process(&mut self) {
        self.step_process(self.process.number, Input::Tick);
    }

    pub(super) fn step_process(&mut self, number: u32, input: Input) {
        if number != self.process.number {
            return;
        }
        if let Input::Turn(news) = &input {
            let over = matches!(
                news.news,
                host::TurnNews::Finished(_) | host::TurnNews::Failed(_) | host::TurnNews::Cancelled
            );
            let key = (news.turn, news.attempt);
            let known = if over {
                self.process.agent.remove(&key)
            } else {
                self.process.agent.contains(&key)
            };
            if !known {
                return;
            }
        }
        let now = self.instant();
        let Some(actor) = self.process.actor.as_mut() else {
            return;
        };
        let mut commands = actor.step(now, input);
        let doomed = std::mem::take(&mut self.process.doomed);
        if doomed {
            let survives = self.rng.usize(0..=commands.len());
            commands.truncate(survives);
        }
        self.obey_actor(commands);
        if doomed {
            self.kill();
            return;
        }
        if let Some((held, counted)) = self.process.holdings()
            && held != counted
        {
            self.findings.push(format!(
                "host and guest count differently: {held:?} and {counted:?}"
            ));
        }
    }

    fn kill(&mut self) {
        self.put_back();
        self.process.actor = None;
        self.process.agent.clear();
        let number = self.process.number;
        self.process.number += 1;
        self.break_all(number);
        let away = if self.rng.bool() {
            self.rng.u64(20..2_000)
        } else {
            self.rng.u64(2_000..40_000)
        };
        self.later(away, Coming::Boot);
    }

    fn obey_actor(&mut self, commands: Vec<Command>) {
        for command in commands {
            let number = self.process.number;
            match command {
                Command::AskBoot => {
                    self.disk.boots += 1;
                    let mut entropy = [0; 32];
                    self.rng.fill(&mut entropy);
                    let boot = BootInput {
                        number: self.disk.boots,
                        entropy,
                    };
                    self.later(1, Coming::Process(number, Box::new(Input::Boot(boot))));
                }
                Command::SocketOpen(dial) => self.open_socket(number, &dial),
                Command::SocketSend(message) => self.send_frame(number, &message),
                Command::SocketClose(close) => self.close_socket(number, close.id, close.code),
                Command::Http(call) => self.send_http(number, &call),
                Command::Agent(ask) => self.ask_agent(number, *ask),
                Command::Commit(changes) => self.commit(&changes),
                Command::Incident(incident) => {
                    if incident.fault.message.starts_with(PLANNED) {
                        self.process.planned += 1;
                    } else {
                        self.process.incidents.push(format!("{incident:?}"));
                    }
                }
                Command::Refused(refusal) => self
                    .findings
                    .push(format!("the channel does not start: {refusal:?}")),
                Command::Log(line) => {
                    let line = format!("{} {}", self.now, line.text);
                    self.process.last_lines.push_back(line);
                    if self.process.last_lines.len() > 4_000 {
                        self.process.last_lines.pop_front();
                    }
                }
                Command::BlobMake(content) => self.make_blob(number, content),
                Command::BlobDigest(ask) => {
                    let done = Input::DigestDone(self.disk.blobs.digest(&ask));
                    self.later(3, Coming::Process(number, Box::new(done)));
                }
                Command::BlobDrop(id) => self.disk.blobs.drop(id),
                Command::Reply(reply) => self.process.replies.push(reply.reply),
                Command::Health(health) => self.process.health.push(health),
                Command::EntropyAsk(ask) => {
                    let mut bytes = vec![0; usize::try_from(ask.count).unwrap_or_default()];
                    self.rng.fill(&mut bytes);
                    let entropy = Input::Entropy(host::Entropy { id: ask.id, bytes });
                    self.later(1, Coming::Process(number, Box::new(entropy)));
                }
                Command::Swapped { outcome, .. } => self.swapped(*outcome),
                Command::RolledBack { .. } => self.rolled_back(),
                Command::Trace(item) => self.process.trace(*item),
                Command::HttpCancel(_)
                | Command::Metric(_)
                | Command::Started
                | Command::Extension(_) => {}
            }
        }
    }

    fn make_blob(&mut self, number: u32, content: BlobContent) {
        let bytes = self.disk.blobs.joined(&content.content);
        let made = bytes
            .map(|bytes| {
                let name = content.name.as_deref();
                self.disk
                    .blobs
                    .put(content.blob, name, "application/octet-stream", bytes)
            })
            .ok_or_else(|| "a blob of it is gone".to_owned());
        let made = host::BlobMade {
            blob: content.blob,
            made,
        };
        self.later(3, Coming::Process(number, Box::new(Input::BlobMade(made))));
    }

    /// The operator asks the running process for something.
    pub(super) fn ask_operator(&mut self, ask: host::OperatorCommand) {
        let number = self.process.number;
        let ask = Input::Operator(OperatorAsk { ticket: 1, ask });
        self.later(1, Coming::Process(number, Box::new(ask)));
    }

    fn commit(&mut self, changes: &[Change]) {
        for change in changes {
            match change {
                Change::Put { key, value } => {
                    self.disk.entries.insert(key.clone(), value.to_vec());
                    self.disk.watch.on_put(key, value);
                }
                Change::Delete { key } => {
                    self.disk.entries.remove(key);
                }
            }
        }
        if self.process.passes_over() {
            return;
        }
        let findings = self
            .disk
            .watch
            .check_watermark(&self.disk.entries, &self.platform);
        self.findings.extend(findings);
    }

    fn ask_agent(&mut self, number: u32, ask: AgentAsk) {
        match ask {
            AgentAsk::Begin(begin) => {
                self.process
                    .begun
                    .entry(begin.id)
                    .or_default()
                    .push(begin.attempt);
                let thinks = self.rng.u64(1..4_000);
                self.process.agent.insert((begin.id, begin.attempt));
                for (after, news) in (self.process.mind)(&begin, &mut self.disk.blobs) {
                    let event = host::TurnEvent {
                        turn: begin.id,
                        attempt: begin.attempt,
                        news,
                    };
                    let event = Box::new(Input::Turn(event));
                    self.later(thinks + after, Coming::Process(number, event));
                }
                self.process.begins.push(begin);
            }
            AgentAsk::Cancel(cancel) => {
                let running: Vec<(u64, u32)> = self
                    .process
                    .agent
                    .iter()
                    .filter(|(turn, _)| *turn == cancel.id)
                    .copied()
                    .collect();
                for (turn, attempt) in running {
                    let event = host::TurnEvent {
                        turn,
                        attempt,
                        news: host::TurnNews::Cancelled,
                    };
                    self.later(5, Coming::Process(number, Box::new(Input::Turn(event))));
                }
            }
            AgentAsk::Outcome(outcome) => {
                let known = self.process.outcomes.entry(outcome.id).or_default();
                known.push(outcome.outcome);
                self.process.told.push(outcome);
            }
            AgentAsk::Context(context) => self.process.overheard.push(context.message.text),
            AgentAsk::Approval(answer) => self.process.approvals.push(answer),
            AgentAsk::Reset(conversation) => self.process.resets.push(conversation),
        }
    }
}
