//! The doctor for a channel that does not run: its component is started here, without an agent and on
//! a copy of the store, so that nothing of the real one changes.

use std::sync::Arc;
use std::time::Duration;

use anyhow::Context;
use prx_host::agent::{AgentAsk, AgentLine, AgentPort};
use prx_host::bindings::v0_1::OperatorCommand;
use prx_host::runtime::{ChannelHandle, ChannelSpec, Host, HostOptions, StartError};
use prx_host::store::StoreCopy;

use crate::files::Files;
use crate::host_table::HostTable;
use crate::outcome::Trouble;
use crate::plugins::Plugins;
use crate::render::Report;
use crate::setup;

/// For all stages together.
const PATIENCE: Duration = Duration::from_secs(180);

/// What came of it.
pub(super) enum Examined {
    /// A report.
    Report(Report),
    /// No end, in one sentence.
    TimedOut(String),
}

/// Nobody answers: what a probe is asked is not for an agent.
#[derive(Debug)]
struct NoAgent;

impl AgentPort for NoAgent {
    fn attach(&self, _channel: &str, _line: AgentLine) {}
    fn ask(&self, _channel: &str, _ask: AgentAsk) {}
    fn detach(&self, _channel: &str) {}
}

/// Starts a channel and asks its doctor.
pub(super) fn examine(
    files: &Files,
    host: &HostTable,
    copy: &StoreCopy,
    name: &str,
    identify: bool,
) -> Result<Examined, Trouble> {
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .enable_all()
        .build()
        .context("no threads to serve sockets with")?;
    // What was compiled before is found again; what was not is thrown away with the copy.
    let compiled = host.options.compiled_dir();
    let options = HostOptions {
        state_dir: copy.dir().to_owned(),
        compiled_dir: compiled.is_dir().then_some(compiled),
        ..host.options.clone()
    };
    runtime.block_on(async {
        let handle = start(files, options, &host.plugins, name).await?;
        let examined = ask(&handle, identify).await;
        handle.stop().await;
        Ok(examined)
    })
}

async fn start(
    files: &Files,
    options: HostOptions,
    plugins: &Plugins,
    name: &str,
) -> Result<ChannelHandle, Trouble> {
    let host = Host::new(options).map_err(|error| Trouble::Failed(error.into()))?;
    let chosen = setup::chosen(files, plugins, &[name.to_owned()])?;
    let channels = setup::channels(files, chosen, &|plugin| {
        Ok(host.load(&plugin.wasm, plugin.manifest.limits)?)
    })?;
    let channel = channels.into_iter().next();
    let channel = channel.context("there is no channel to examine")?;
    let spec = ChannelSpec {
        name: channel.name,
        component: channel.component,
        manifest: channel.manifest,
        config: channel.config,
        agent: Arc::new(NoAgent),
    };
    host.start_probe(spec).await.map_err(|error| match error {
        StartError::Problems(problems) => {
            Trouble::Mistakes(problems.iter().map(ToString::to_string).collect())
        }
        error @ StartError::Egress { .. } => Trouble::mistake(error),
        error => Trouble::Failed(error.into()),
    })
}

async fn ask(handle: &ChannelHandle, identify: bool) -> Examined {
    let mut replies = handle.command(OperatorCommand::Doctor(identify));
    let mut report = Report::default();
    let all = async {
        while let Some(reply) = replies.recv().await {
            report.add(reply);
        }
    };
    match tokio::time::timeout(PATIENCE, all).await {
        Ok(()) => Examined::Report(report),
        Err(_) => Examined::TimedOut(format!("no end within {} s", PATIENCE.as_secs())),
    }
}
