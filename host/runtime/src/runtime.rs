//! The host: what all channels of a process share, and how a channel is started and stopped.

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::sync::{Arc, Mutex, PoisonError, Weak};
use std::time::Duration;

use tokio::runtime::Handle;
use tokio::sync::{broadcast, mpsc, watch};
use wasmtime::Engine;

use crate::actor::{Actor, ActorSpec, Command, Incident, Refusal};
use crate::agent::AgentPort;
use crate::bindings::v0_1::{Health, HealthLevel, OperatorCommand, Reply};
use crate::claim::Claim;
use crate::clock::Clock;
use crate::config::{Checked, ConfigError};
use crate::drivers::blobs::Blobs;
use crate::drivers::network::{Network, NetworkError, NetworkOptions};
use crate::drivers::workers::Workers;
use crate::egress::{BadWidening, EgressPolicy, OperatorEgress};
use crate::engine::{self, EngineError};
use crate::files::PlaceError;
use crate::guest::wasm::{LoadError, WasmComponent};
use crate::guest::{Component, GuestFault};
use crate::limits::Limits;
use crate::manifest::Manifest;
use crate::metrics::Metrics;
use crate::shell::incidents::Incidents;
use crate::shell::pool::Pool;
use crate::shell::{Channel, Parts};
use crate::store::{Store, StoreError};
use crate::vault::Vault;

mod view;

pub use crate::shell::record::{RecordRefused, Recording};
pub use crate::shell::swap::{Offer, SwapFailed, Swapped};
pub use view::ChannelView;

/// Most digests at once, of all channels.
const MAX_WORKERS: usize = 4;
/// Name and version, as components put them into a user agent.
pub const HOST_NAME: &str = concat!("prx-host/", env!("CARGO_PKG_VERSION"));

/// How a host is set up.
#[derive(Debug, Clone)]
pub struct HostOptions {
    /// Everything that is kept goes here: the store, blobs, compiled code, incident reports.
    pub state_dir: PathBuf,
    /// Which hosts plugins may reach, of those that their manifests ask for.
    pub operator: OperatorEgress,
    /// Proxy, certificates, addresses.
    pub network: NetworkOptions,
    /// Where compiled components are kept; `None` = in the state directory. It must be writable for
    /// this user only: what is found there is executed.
    pub compiled_dir: Option<PathBuf>,
    /// Threads for guests; `None` = one per core, at least two.
    pub guest_threads: Option<usize>,
}

impl HostOptions {
    /// Where compiled components are kept.
    pub fn compiled_dir(&self) -> PathBuf {
        let own = self.compiled_dir.clone();
        own.unwrap_or_else(|| self.state_dir.join("compiled"))
    }
}

/// The host cannot be set up.
#[derive(Debug, thiserror::Error)]
pub enum HostError {
    /// The store.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// The engine.
    #[error(transparent)]
    Engine(#[from] EngineError),
    /// The network.
    #[error(transparent)]
    Network(#[from] NetworkError),
    /// No threads.
    #[error("no threads for guests: {0}; raise the limit on threads")]
    Threads(std::io::Error),
    /// Called outside of tokio.
    #[error("a host must be made inside a tokio runtime")]
    NoRuntime,
}

/// What all channels of a process share.
#[derive(Clone)]
pub struct Host {
    shared: Arc<Shared>,
}

struct Shared {
    options: HostOptions,
    engine: Engine,
    network: Network,
    store: Store,
    pool: Pool,
    workers: Workers,
    tokio: Handle,
    clock: Clock,
    metrics: Metrics,
    channels: Mutex<BTreeMap<String, Weak<Channel>>>,
}

impl std::fmt::Debug for Host {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_tuple("Host").field(&self.shared.options).finish()
    }
}

/// What a channel is started from.
#[derive(Debug)]
pub struct ChannelSpec {
    /// The instance's name.
    pub name: String,
    /// The code.
    pub component: Arc<dyn Component>,
    /// What the plugin asks for.
    pub manifest: Manifest,
    /// The operator's table, checked against the component's keys.
    pub config: Checked,
    /// Who answers.
    pub agent: Arc<dyn AgentPort>,
}

/// A channel does not start.
#[derive(Debug, thiserror::Error)]
pub enum StartError {
    /// It runs already.
    #[error("{channel} runs already; stop it first")]
    RunsAlready {
        /// The channel.
        channel: String,
    },
    /// Another process has the same account connected.
    #[error(
        "another process on this machine{holder} runs a channel with the {keys} of {channel}; stop that one first: of one account, only one may be connected"
    )]
    Twice {
        /// The channel.
        channel: String,
        /// The keys that say who it is.
        keys: String,
        /// Which process, where it can be told.
        holder: String,
    },
    /// Its blobs cannot be kept.
    #[error("the blobs of {channel} cannot be kept: {cause}")]
    Blobs {
        /// The channel.
        channel: String,
        /// What the system says.
        cause: PlaceError,
    },
    /// Its entries cannot be read.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// It may store more than its manifest allows, so that a start could find too much.
    #[error(
        "the component of {channel} stores up to {most} bytes and [resources] max_store_mb of plugin.toml allows {allowed}; raise it, with max_memory_mb to three times as much"
    )]
    StoresTooMuch {
        /// The channel.
        channel: String,
        /// Bytes that it stores at most, by its description.
        most: usize,
        /// Bytes that it may store.
        allowed: usize,
    },
    /// A configured URL cannot be used.
    #[error("[channels_config.{channel}]: {cause}")]
    Egress {
        /// The channel.
        channel: String,
        /// What is wrong.
        cause: BadWidening,
    },
    /// The component found something wrong.
    #[error("{}", .0.iter().map(ToString::to_string).collect::<Vec<_>>().join("\n"))]
    Problems(Vec<ConfigError>),
    /// The component broke.
    #[error(
        "the component of {channel} breaks at its start: {fault}; report this, or use another version of the plugin"
    )]
    Fault {
        /// The channel.
        channel: String,
        /// How.
        fault: GuestFault,
    },
    /// The host was stopped meanwhile.
    #[error("{channel} was stopped before it had started")]
    Stopped {
        /// The channel.
        channel: String,
    },
}

impl Host {
    /// Sets a host up. Must be called inside a tokio runtime, which then serves its sockets.
    ///
    /// # Errors
    /// See [`HostError`].
    pub fn new(options: HostOptions) -> Result<Self, HostError> {
        let tokio = Handle::try_current().map_err(|_| HostError::NoRuntime)?;
        let store = Store::open(&options.state_dir)?;
        if let Some(aside) = store.set_aside() {
            tracing::error!(file = %aside.display(), "the store was damaged and is set aside; a new one is begun, and what was remembered is forgotten");
        }
        if let Some(why) = &*store.trouble().borrow() {
            tracing::error!("{why}; messages are answered all the same");
        }
        let engine = engine::new(Some(&options.compiled_dir()))?;
        let network = Network::new(&options.network)?;
        let cores = std::thread::available_parallelism().map_or(2, usize::from);
        let threads = options.guest_threads.unwrap_or(cores.max(2));
        let pool = Pool::new(threads).map_err(HostError::Threads)?;
        // A digest takes a whole core; half of them are left for everything else.
        let workers = Workers::new((cores / 2).min(MAX_WORKERS));
        Ok(Self {
            shared: Arc::new(Shared {
                options,
                engine,
                network,
                store,
                pool,
                workers,
                tokio,
                clock: Clock::new(),
                metrics: Metrics::default(),
                channels: Mutex::default(),
            }),
        })
    }

    /// Checks and compiles a component; quick when it was compiled before.
    ///
    /// # Errors
    /// See [`LoadError`].
    pub fn load(&self, wasm: &[u8], limits: Limits) -> Result<Arc<dyn Component>, LoadError> {
        let component = WasmComponent::load(&self.shared.engine, wasm, limits)?;
        Ok(Arc::new(component))
    }

    /// Starts a channel and waits until its guest has taken up its work.
    ///
    /// # Errors
    /// See [`StartError`].
    pub async fn start_channel(&self, spec: ChannelSpec) -> Result<ChannelHandle, StartError> {
        self.start(spec, false).await
    }

    /// Starts a channel only to ask it something: it opens nothing until a command comes. Use a state
    /// directory that may be thrown away.
    ///
    /// # Errors
    /// See [`StartError`].
    pub async fn start_probe(&self, spec: ChannelSpec) -> Result<ChannelHandle, StartError> {
        self.start(spec, true).await
    }

    async fn start(&self, spec: ChannelSpec, probe: bool) -> Result<ChannelHandle, StartError> {
        let name = spec.name.clone();
        let (places, table) = (spec.config.clone(), format!("channels_config.{name}"));
        if self.runs(&name) {
            return Err(StartError::RunsAlready { channel: name });
        }
        // A probe only asks.
        let claim = match probe {
            true => None,
            false => claim(&spec)?,
        };
        let (parts, actor, commands) = self.prepare(spec, claim)?;
        let actor = if probe { actor.as_probe() } else { actor };
        let (channel, started) = Channel::new(parts, actor);
        self.channels()
            .insert(name.clone(), Arc::downgrade(&channel));
        for command in commands {
            channel.begin(command);
        }
        let handle = ChannelHandle { channel };
        let refusal = match started.await {
            Ok(Ok(())) => return Ok(handle),
            Ok(Err(refusal)) => Some(refusal),
            Err(_) => None,
        };
        handle.stop().await;
        Err(match refusal {
            Some(Refusal::Problems(problems)) => {
                let problems = problems.iter().map(|p| places.problem(&table, p));
                StartError::Problems(problems.collect())
            }
            Some(Refusal::Fault(fault)) => StartError::Fault {
                channel: name,
                fault,
            },
            None => StartError::Stopped { channel: name },
        })
    }

    fn channels(&self) -> std::sync::MutexGuard<'_, BTreeMap<String, Weak<Channel>>> {
        let channels = self.shared.channels.lock();
        channels.unwrap_or_else(PoisonError::into_inner)
    }

    fn runs(&self, name: &str) -> bool {
        let running = self.channels().get(name).and_then(Weak::upgrade);
        running.is_some_and(|channel| !channel.is_stopped())
    }

    fn prepare(
        &self,
        spec: ChannelSpec,
        claim: Option<Claim>,
    ) -> Result<(Parts, Actor, Vec<Command>), StartError> {
        let shared = &self.shared;
        let (name, manifest) = (spec.name, spec.manifest);
        let (limits, captured) = (manifest.limits, manifest.captured());
        let dir = shared.options.state_dir.join("blobs").join(&name);
        let (one, all) = (limits.blob_bytes, limits.blobs_total_bytes);
        let blobs = match Blobs::open(dir.clone(), one, all) {
            Ok(blobs) => blobs,
            Err(error) if error.is_system() => {
                tracing::error!(channel = %name, %error, "no attachments can be taken until this is put right");
                Blobs::without_folder(dir, one, all)
            }
            Err(cause) => {
                let channel = name;
                return Err(StartError::Blobs { channel, cause });
            }
        };
        if let Ok(info) = spec.component.describe() {
            let most = limits.weight(&info.stores);
            if most > limits.store_bytes {
                return Err(StartError::StoresTooMuch {
                    channel: name,
                    most,
                    allowed: limits.store_bytes,
                });
            }
        }
        let egress = EgressPolicy::new(
            manifest.egress,
            shared.options.operator.clone(),
            shared.options.network.addresses.clone(),
            &spec.config.widenings,
        );
        let egress = egress.map_err(|cause| StartError::Egress {
            channel: name.clone(),
            cause,
        })?;
        let (actor, commands) = Actor::new(ActorSpec {
            instance: name.clone(),
            component: spec.component,
            config: spec.config.json_text(),
            vault: Vault::new(spec.config.secrets, captured),
            egress: Arc::new(egress),
            limits,
            entries: shared.store.load(&name)?,
            host: HOST_NAME.into(),
        });
        let parts = Parts {
            name,
            agent: spec.agent,
            blobs,
            network: shared.network.clone(),
            store: Mutex::new(Some(shared.store.clone())),
            claim: Mutex::new(claim),
            pool: shared.pool.clone(),
            workers: shared.workers.clone(),
            tokio: shared.tokio.clone(),
            clock: shared.clock,
            metrics: shared.metrics.clone(),
            incidents: Incidents::new(shared.options.state_dir.join("incidents")),
            health: Health {
                level: HealthLevel::Degraded,
                code: "starting".into(),
                summary: "the channel is starting".into(),
                fix: None,
            },
        };
        Ok((parts, actor, commands))
    }

    /// The channels that run, ascending by name.
    pub fn running(&self) -> Vec<ChannelView> {
        let channels = self.channels();
        let running = channels.values().filter_map(Weak::upgrade);
        running.map(ChannelView::new).collect()
    }

    /// Where everything is kept.
    pub fn state_dir(&self) -> &std::path::Path {
        &self.shared.options.state_dir
    }

    /// The clients of this host, for an agent's own requests: same proxy, same checks.
    pub fn network(&self) -> &Network {
        &self.shared.network
    }

    /// The numbers that channels report.
    pub fn metrics(&self) -> &Metrics {
        &self.shared.metrics
    }

    /// The engine, for tools that look at components.
    pub fn engine(&self) -> &Engine {
        &self.shared.engine
    }
}

/// Takes the name of a channel's account.
fn claim(spec: &ChannelSpec) -> Result<Option<Claim>, StartError> {
    let Some(identity) = &spec.config.identity else {
        return Ok(None);
    };
    let claim = Claim::take(&identity.name(&spec.manifest.plugin.name));
    claim.map(Some).map_err(|holder| StartError::Twice {
        channel: spec.name.clone(),
        keys: identity.keys.join(" and "),
        holder: holder.shown(),
    })
}

/// A running channel. It is stopped when the handle is dropped.
pub struct ChannelHandle {
    channel: Arc<Channel>,
}

impl std::fmt::Debug for ChannelHandle {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_tuple("ChannelHandle").field(&self.name()).finish()
    }
}

impl ChannelHandle {
    /// The instance's name.
    pub fn name(&self) -> &str {
        self.channel.name()
    }

    /// Another look at the same channel, which does not stop it.
    pub fn view(&self) -> ChannelView {
        ChannelView::new(Arc::clone(&self.channel))
    }

    /// How the channel is, now and whenever it changes.
    pub fn health(&self) -> watch::Receiver<Health> {
        self.channel.health()
    }

    /// Whenever the component breaks.
    pub fn incidents(&self) -> broadcast::Receiver<Arc<Incident>> {
        self.channel.incidents()
    }

    /// Asks the running guest something. Replies come until the one that is `done`.
    pub fn command(&self, ask: OperatorCommand) -> mpsc::UnboundedReceiver<Reply> {
        self.channel.command(ask)
    }

    /// Begins no new turns and waits until what is under way is delivered. False when the time ran
    /// out first; the rest is taken up at the next start.
    pub async fn drain(&self, limit: Duration) -> bool {
        let mut replies = self.command(OperatorCommand::Drain);
        let drained = async {
            while let Some(reply) = replies.recv().await {
                if reply.done {
                    return true;
                }
            }
            false
        };
        tokio::time::timeout(limit, drained).await.unwrap_or(false)
    }

    /// Stops the channel, and waits until nothing of it runs any more. What was committed is taken
    /// up at the next start.
    pub async fn stop(self) {
        self.channel.stop().await;
    }
}

impl Drop for ChannelHandle {
    fn drop(&mut self) {
        self.channel.halt();
    }
}
