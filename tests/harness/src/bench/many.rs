//! Many channels in one process: what each costs, how long they take to start, whether one that is flooded
//! takes from the others, and whether their timers are on time.

use std::collections::VecDeque;
use std::fmt;
use std::path::Path;
use std::process::{Child, Stdio};
use std::sync::Arc;
use std::time::{Duration, Instant};

use anyhow::{Context, Result, bail};
use hdrhistogram::Histogram;
use prx_host::bindings::v0_1::HealthLevel;
use prx_host::guest::Component;
use prx_host::guest::wasm::WasmComponent;
use prx_host::manifest::Manifest;

use super::load::settle;
use super::machine::{self, Cores};
use super::platform::{Flow, Platform};
use super::subject::{Places, end};
use super::subjects;

/// Between two heartbeats.
const BEAT: Duration = Duration::from_millis(2_000);
/// Heartbeats are listened to for so long.
const LISTENED: Duration = Duration::from_secs(20);
/// Between two messages to the channel that is watched.
const PACE: Duration = Duration::from_millis(20);
/// Of the channel that is flooded.
const FLOOD: usize = 64;
/// Channels that log in, or answer their first message, at a time: all at once would measure how many connections
/// that takes.
const AT_ONCE: usize = 16;
/// Messages to the channel that is watched, without and with the flood.
const WATCHED: usize = 150;
/// For a thousand channels to log in.
const START: Duration = Duration::from_secs(180);

/// What so many channels came to.
#[derive(Debug, Clone)]
pub struct Crowd {
    /// Channels.
    pub channels: usize,
    /// From the start of the process until all of them are logged in.
    pub started: Duration,
    /// Memory once all have answered a message, bytes.
    pub rss: u64,
    /// How late a heartbeat is, against the middle of its channel's: the 99th of a hundred.
    pub late_p99: Duration,
    /// Latency of one channel while all others are quiet, then while one of them is flooded: p50 and p99.
    pub alone: (Duration, Duration),
    /// See there; `None` where there is no other channel.
    pub beside_flood: Option<(Duration, Duration)>,
}

impl fmt::Display for Crowd {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let ms = |span: Duration| span.as_secs_f64() * 1e3;
        let pair = |(p50, p99): (Duration, Duration)| format!("{:.2} / {:.2}", ms(p50), ms(p99));
        write!(
            f,
            "| {} | {:.0} | {:.1} | {:.2} | {} | {} |",
            self.channels,
            ms(self.started),
            self.rss as f64 / f64::from(1 << 20),
            ms(self.late_p99),
            pair(self.alone),
            self.beside_flood.map_or_else(|| "-".to_owned(), pair)
        )
    }
}

/// The head of the table that [`Crowd`]s are rows of.
pub const HEAD: &str = "| channels | all logged in, ms | memory MiB | heartbeat late p99, ms | one message, p50 / p99 ms | the same beside a flooded channel |\n|---|---|---|---|---|---|";

/// Compiles the component once, so that no process that is measured has to.
///
/// # Errors
/// It does not compile.
pub fn compile(places: &Places) -> Result<()> {
    let engine = prx_host::engine::new(Some(&places.scratch.join("compiled")))?;
    let limits = Manifest::parse(qq_channel_embed::MANIFEST)?.limits;
    WasmComponent::load(&engine, qq_channel_embed::COMPONENT, limits)?;
    Ok(())
}

/// Measures a process with so many channels.
///
/// # Errors
/// They do not log in.
pub async fn measure(places: &Places, channels: usize) -> Result<Crowd> {
    let beat_ms = u64::try_from(BEAT.as_millis())?;
    let platform = Platform::start(beat_ms).await?;
    let folder = places.scratch.join(format!("many-{channels}"));
    std::fs::create_dir_all(&folder)?;
    let begin = Instant::now();
    let mut process = Process(spawn(places, &folder, &platform.address, channels)?);
    tokio::select! {
        () = platform.connected(channels) => {}
        () = tokio::time::sleep(START) => {
            bail!("only {} of {channels} channels log in; see {}", platform.sessions(), folder.display())
        }
    }
    let started = begin.elapsed();
    let mut silent = 0;
    for gateway in 0..channels {
        platform.push(platform.add_users(gateway, 1));
        if gateway % AT_ONCE == 0 || gateway + 1 == channels {
            silent += settle(&platform, START).await;
        }
    }
    if silent > 0 {
        bail!("{silent} of {channels} channels do not answer");
    }
    let late_p99 = lateness(&platform).await?;
    let rss = machine::used(process.0.id())?.rss;
    let alone = watch(&platform).await?;
    let beside_flood = if channels > 1 {
        let flooded = platform.add_users(channels - 1, FLOOD);
        platform.flow(Flow::ClosedFrom(flooded));
        for user in flooded..flooded + FLOOD {
            platform.push(user);
        }
        let watched = watch(&platform).await;
        platform.flow(Flow::Open);
        settle(&platform, START).await;
        Some(watched?)
    } else {
        None
    };
    end(&mut process.0);
    Ok(Crowd {
        channels,
        started,
        rss,
        late_p99,
        alone,
        beside_flood,
    })
}

struct Process(Child);

impl Drop for Process {
    fn drop(&mut self) {
        end(&mut self.0);
    }
}

fn spawn(places: &Places, folder: &Path, address: &str, channels: usize) -> Result<Child> {
    let mut command = Cores::command(places.cores, &std::env::current_exe()?);
    command.args(["--be", "many", address]).arg(folder);
    command.arg(channels.to_string()).stdin(Stdio::null());
    let log = std::fs::File::create(folder.join("log.txt"))?;
    command.stdout(log.try_clone()?).stderr(log);
    command.spawn().context("the channels do not start")
}

/// How late heartbeats are.
async fn lateness(platform: &Platform) -> Result<Duration> {
    // The first one comes at a random moment, on purpose.
    tokio::time::sleep(BEAT * 2).await;
    platform.forget_beats();
    tokio::time::sleep(LISTENED).await;
    let mut late = Histogram::<u64>::new(3)?;
    for beats in platform.beats() {
        let mut gaps: Vec<Duration> = beats
            .iter()
            .zip(beats.iter().skip(1))
            .map(|(one, next)| next.saturating_duration_since(*one))
            .collect();
        gaps.sort();
        let middle = gaps.get(gaps.len() / 2).copied().unwrap_or_default();
        for gap in gaps {
            late.record(u64::try_from(gap.abs_diff(middle).as_micros())?.max(1))?;
        }
    }
    Ok(Duration::from_micros(late.value_at_quantile(0.99)))
}

/// Latency of the first channel, one message at a time, whatever the others do.
async fn watch(platform: &Platform) -> Result<(Duration, Duration)> {
    platform.measure_below(1)?;
    for _ in 0..WATCHED {
        platform.push(0);
        tokio::time::sleep(PACE).await;
    }
    let latency = platform.measured()?;
    if latency.is_empty() {
        bail!("the watched channel does not answer");
    }
    let at = |quantile| Duration::from_nanos(latency.value_at_quantile(quantile));
    Ok((at(0.5), at(0.99)))
}

/// So many channels in this process: what `--be many` runs.
///
/// # Errors
/// One of them does not start.
pub async fn be(address: &str, folder: &Path, channels: usize) -> Result<()> {
    let compiled = folder.with_file_name("compiled");
    let host = subjects::host(folder, &compiled)?;
    let limits = Manifest::parse(qq_channel_embed::MANIFEST)?.limits;
    let component = host.load(qq_channel_embed::COMPONENT, limits)?;
    let agent = subjects::agent(&host, folder)?;
    let mut running = Vec::with_capacity(channels);
    let mut connecting = VecDeque::new();
    for number in 0..channels {
        let (component, agent) = (Arc::<dyn Component>::clone(&component), Arc::clone(&agent));
        let name = format!("qq{number}");
        let channel = subjects::channel(&host, &name, address, component, agent).await?;
        connecting.push_back(channel.health());
        running.push(channel);
        if connecting.len() >= AT_ONCE
            && let Some(mut first) = connecting.pop_front()
        {
            first
                .wait_for(|health| health.level == HealthLevel::Ok)
                .await?;
        }
    }
    std::future::pending().await
}
