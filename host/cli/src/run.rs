//! `prx channel run`: from the configuration to a signal.

use std::net::SocketAddr;
use std::path::Path;
use std::sync::Arc;
use std::time::{Duration, Instant};

use anyhow::Context;
use prx_agent::Agent;
use prx_host::agent::AgentPort;
use prx_host::control::{ControlError, ControlServer};
use prx_host::metrics::MetricsServer;
use prx_host::runtime::{ChannelHandle, ChannelSpec, Host, HostError, Recording, StartError};
use tokio_util::sync::CancellationToken;

use crate::files::Files;
use crate::outcome::Trouble;
use crate::ran::{Ran, Release};
use crate::safety;
use crate::setup::{self, Channel};

mod renew;

use renew::{Operated, Renewing};

/// Runs channels until a signal comes.
pub(crate) fn channels(
    names: &[String],
    config: Option<&Path>,
    older: bool,
) -> Result<(), Trouble> {
    raise_file_limit();
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .enable_all()
        .build()
        .context("no threads to serve sockets with")?;
    let files = Files::read(config)?;
    runtime.block_on(run(files, names, older))
}

async fn run(files: Files, names: &[String], older: bool) -> Result<(), Trouble> {
    let signals = Signals::listen().context("signals cannot be listened for")?;
    let running = Running::begin(files, names, older).await?;
    let names: Vec<&str> = running.channels.iter().map(ChannelHandle::name).collect();
    tracing::info!(
        channels = names.join(", "),
        "running; SIGTERM or ctrl-c ends it"
    );
    tokio::select! {
        () = signals.wait_then_arm() => {}
        () = running.asked_to_end.cancelled() => {}
    }
    running.stop().await;
    Ok(())
}

/// Channels that run in this process.
#[derive(Debug)]
pub struct Running {
    channels: Vec<ChannelHandle>,
    agent: Arc<Agent>,
    drain: Duration,
    asked_to_end: CancellationToken,
    /// Absent where no socket can be made; what runs is then asked nothing.
    control: Option<ControlServer>,
    metrics: Option<MetricsServer>,
    renewing: Renewing,
}

impl Running {
    /// Starts all channels of a configuration file, as `prx channel run --config PATH` does. Must be
    /// called inside a tokio runtime.
    ///
    /// # Errors
    /// Every mistake in the file, one sentence each; or what failed.
    pub async fn start(config: &Path) -> anyhow::Result<Self> {
        let files = Files::read(Some(config)).map_err(Trouble::into_error)?;
        Self::begin(files, &[], false)
            .await
            .map_err(Trouble::into_error)
    }

    /// The running channels.
    pub fn channels(&self) -> &[ChannelHandle] {
        &self.channels
    }

    /// Offers a component to a channel that runs, as a changed plugin folder does.
    ///
    /// # Errors
    /// One sentence that says why the component that ran goes on.
    pub async fn swap(&self, channel: &str, wasm: &[u8]) -> Result<String, String> {
        self.renewing.swap(channel, wasm).await
    }

    /// Begins to record a channel, as `prx channel record` does: each item is a line of its file.
    ///
    /// # Errors
    /// One sentence that says why it cannot be recorded now.
    pub fn record(&self, channel: &str) -> Result<Recording, String> {
        self.renewing.record(channel)
    }

    async fn begin(files: Files, names: &[String], older: bool) -> Result<Self, Trouble> {
        let tables = setup::tables(&files)?;
        let chosen = setup::chosen(&files, &tables.host.plugins, names)?;
        let mut safety = safety::look(&files, &tables);
        if !safety.refused.is_empty() {
            return Err(Trouble::Mistakes(safety.refused));
        }
        let ran = Ran::new(&tables.host.options.state_dir);
        let host = Host::new(tables.host.options).map_err(host_failed)?;
        let channels = setup::channels(&files, chosen, &|plugin| {
            Ok(host.load(&plugin.wasm, plugin.manifest.limits)?)
        })?;
        safety.channels(&channels);
        for warning in safety.warnings {
            tracing::warn!("{warning}");
        }
        let releases = releases(&channels, (!older).then_some(&ran))?;
        let agent = Agent::new(&tables.agent, host.network()).map_err(Trouble::mistake)?;
        let agent = Arc::new(agent);
        let port: Arc<dyn AgentPort> = agent.clone();
        let metrics = tables.host.metrics;
        let metrics = metrics.map(|address| MetricsServer::start(&host, address));
        let metrics = metrics.transpose().map_err(Trouble::mistake)?;
        let asked_to_end = CancellationToken::new();
        let plugins = tables.host.plugins;
        let watched = plugins.dir().filter(|_| tables.host.watch);
        let owner = Arc::new(Operated {
            host: host.clone(),
            files,
            plugins: plugins.clone(),
            asked_to_end: asked_to_end.clone(),
            ran: ran.clone(),
            offered: std::sync::Mutex::default(),
        });
        let channels = start(&host, channels, &port).await?;
        ran.note(
            releases
                .iter()
                .map(|(name, release)| (name.as_str(), release.clone())),
        );
        let renewing = Renewing::begin(host.clone(), Arc::clone(&owner), watched);
        Ok(Self {
            channels,
            agent,
            drain: tables.host.drain,
            asked_to_end,
            control: control(&host, owner)?,
            metrics,
            renewing,
        })
    }

    /// Where `/metrics` and `/healthz` are, if they are offered.
    pub fn metrics_address(&self) -> Option<SocketAddr> {
        self.metrics.as_ref().map(MetricsServer::address)
    }

    /// Lets answers in flight be delivered, and stops. Until then an operator can ask how it goes.
    pub async fn stop(self) {
        self.renewing.end().await;
        stop(self.channels, self.drain).await;
        if !self.agent.flush(WRITTEN_WITHIN) {
            tracing::warn!("the last of what was said could not be written down");
        }
        // Waited for, so that whoever starts again at once finds the store free.
        if let Some(control) = self.control {
            control.stop().await;
        }
        if let Some(metrics) = self.metrics {
            metrics.stop().await;
        }
    }
}

/// What is about to run; with a record, nothing signed that is older than what ran last.
fn releases(channels: &[Channel], ran: Option<&Ran>) -> Result<Vec<(String, Release)>, Trouble> {
    let mut releases = Vec::new();
    let mut mistakes = Vec::new();
    for channel in channels {
        let release = Release::of(&channel.manifest);
        let ran = ran.filter(|_| channel.signed);
        mistakes.extend(ran.and_then(|ran| ran.check(&channel.name, &release).err()));
        releases.push((channel.name.clone(), release));
    }
    match mistakes.is_empty() {
        true => Ok(releases),
        false => Err(Trouble::Mistakes(mistakes)),
    }
}

/// As many files and sockets as the system lets this process have: the usual number is meant for programs that are older
/// than that.
fn raise_file_limit() {
    use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};
    let limit = getrlimit(Resource::Nofile);
    let raised = Rlimit {
        current: limit.maximum,
        ..limit
    };
    if let Err(error) = setrlimit(Resource::Nofile, raised) {
        tracing::debug!(%error, "the number of open files stays limited");
    }
}

fn control(host: &Host, owner: Arc<Operated>) -> Result<Option<ControlServer>, Trouble> {
    match ControlServer::start(host, owner) {
        Ok(server) => Ok(Some(server)),
        Err(error @ ControlError::Taken { .. }) => Err(Trouble::mistake(error)),
        // A bot that cannot be asked is better than none.
        Err(error) => {
            tracing::error!("{error}; until then nothing can be asked of this process");
            Ok(None)
        }
    }
}

fn host_failed(error: HostError) -> Trouble {
    match error {
        // Something that the operator wrote, or another process of theirs.
        HostError::Store(_) | HostError::Network(_) => Trouble::mistake(error),
        error => Trouble::Failed(error.into()),
    }
}

async fn start(
    host: &Host,
    channels: Vec<Channel>,
    agent: &Arc<dyn AgentPort>,
) -> Result<Vec<ChannelHandle>, Trouble> {
    let mut handles = Vec::new();
    let mut mistakes = Vec::new();
    for channel in channels {
        let spec = ChannelSpec {
            name: channel.name,
            component: channel.component,
            manifest: channel.manifest,
            config: channel.config,
            agent: Arc::clone(agent),
        };
        match host.start_channel(spec).await {
            Ok(handle) => handles.push(handle),
            Err(StartError::Problems(problems)) => {
                mistakes.extend(problems.iter().map(ToString::to_string));
            }
            Err(error @ (StartError::Egress { .. } | StartError::Twice { .. })) => {
                mistakes.push(error.to_string());
            }
            Err(error) => return Err(Trouble::Failed(error.into())),
        }
    }
    if mistakes.is_empty() {
        Ok(handles)
    } else {
        Err(Trouble::Mistakes(mistakes))
    }
}

/// Lets answers in flight be delivered, and stops.
async fn stop(handles: Vec<ChannelHandle>, drain: Duration) {
    tracing::info!(
        seconds = drain.as_secs(),
        "ending; answers in flight are delivered first"
    );
    let ends = handles.into_iter().map(|handle| async move {
        let drained = handle.drain(drain).await;
        if !drained {
            tracing::warn!(
                channel = handle.name(),
                "not all was delivered; the rest is taken up at the next start"
            );
        }
        handle.stop().await;
    });
    let ends: Vec<_> = ends.map(tokio::spawn).collect();
    for end in ends {
        if let Err(error) = end.await {
            tracing::error!(%error, "a channel did not end cleanly");
        }
    }
}

/// The disk has so long for what was said last.
const WRITTEN_WITHIN: Duration = Duration::from_secs(5);
/// Some supervisors signal a process and then its group: that is one wish, not two.
const ONE_SIGNAL: Duration = Duration::from_secs(1);

/// SIGTERM and ctrl-c.
struct Signals {
    #[cfg(unix)]
    terminate: tokio::signal::unix::Signal,
}

impl Signals {
    fn listen() -> std::io::Result<Self> {
        Ok(Self {
            #[cfg(unix)]
            terminate: tokio::signal::unix::signal(tokio::signal::unix::SignalKind::terminate())?,
        })
    }

    /// Waits for the first signal. From then on the next one ends the program at once.
    async fn wait_then_arm(mut self) {
        self.next().await;
        let first = Instant::now();
        tokio::spawn(async move {
            while first.elapsed() < ONE_SIGNAL {
                self.next().await;
            }
            tracing::warn!("ending at once; the rest is taken up at the next start");
            std::process::exit(1);
        });
    }

    async fn next(&mut self) {
        #[cfg(unix)]
        let terminated = self.terminate.recv();
        #[cfg(not(unix))]
        let terminated = std::future::pending::<Option<()>>();
        tokio::select! {
            _ = terminated => {}
            _ = tokio::signal::ctrl_c() => {}
        }
    }
}
