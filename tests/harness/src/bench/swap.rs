//! Starts and swaps: how soon a bot is there, and how long it pauses for another build under load.

use std::path::{Path, PathBuf};
use std::process::{Child, Stdio};
use std::time::{Duration, Instant};

use anyhow::{Context, Result, bail};

use super::load::settle;
use super::machine::{self, Cores};
use super::platform::{Flow, Platform};
use super::subject::{Places, end};
use super::subjects;
use crate::load::swaps::Swaps;

/// What the channel remembers before the first swap.
const REMEMBERED: u64 = 10_000;
/// Messages that wait for a reply at a time while components are swapped.
const IN_FLIGHT: usize = 16;
/// Users, so that what is remembered is of many.
const USERS: usize = 500;
const PATIENCE: Duration = Duration::from_secs(300);

/// What swaps came to.
#[derive(Debug, Clone)]
pub struct Pauses {
    /// Ascending.
    pub pauses: Vec<Duration>,
    /// Messages answered meanwhile.
    pub answered: u64,
    /// Messages that were not answered, and answers too many.
    pub unclean: (usize, u64),
}

struct Process {
    child: Child,
    folder: PathBuf,
}

impl Process {
    fn start(places: &Places, folder: PathBuf, address: &str) -> Result<Self> {
        subjects::install(&folder, address)?;
        let child = spawn(places, &folder)?;
        Ok(Self { child, folder })
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        end(&mut self.child);
    }
}

fn spawn(places: &Places, folder: &Path) -> Result<Child> {
    let mut command = Cores::command(places.cores, &std::env::current_exe()?);
    command.args(["--be", "host", "-"]).arg(folder);
    let log = std::fs::File::create(folder.join("log.txt"))?;
    command
        .stdin(Stdio::null())
        .stdout(log.try_clone()?)
        .stderr(log);
    command.spawn().context("the bot does not start")
}

/// Swaps the component so many times under load, once the channel remembers 10,000 messages.
///
/// # Errors
/// The bot does not log in, or a swap is refused.
pub async fn measure(places: &Places, count: usize) -> Result<Pauses> {
    let platform = Platform::start(41_250).await?;
    let folder = places.scratch.join("swap");
    let process = Process::start(places, folder, &platform.address)?;
    connected(&platform, 1).await?;
    let first = platform.add_users(0, USERS);
    fill(&platform, first).await?;
    let before = platform.tally();
    platform.flow(Flow::Closed);
    for user in first..first + IN_FLIGHT {
        platform.push(user);
    }
    let plugins = process.folder.join("plugins");
    let state = process.folder.join("channels-state");
    let swaps = Swaps::of(plugins, &state, subjects::manifest());
    for _ in 0..count {
        swaps.one_more()?;
    }
    let mut pauses = swaps.finish().await?;
    pauses.sort();
    platform.flow(Flow::Open);
    let lost = settle(&platform, Duration::from_secs(30)).await;
    let after = platform.tally();
    Ok(Pauses {
        pauses,
        answered: after.replied - before.replied,
        unclean: (lost, after.strays - before.strays),
    })
}

async fn connected(platform: &Platform, sessions: usize) -> Result<()> {
    let connected = tokio::time::timeout(PATIENCE, platform.connected(sessions));
    connected.await.context("the bot does not log in")
}

/// Everybody writes, until the channel remembers as much as it can.
async fn fill(platform: &Platform, first: usize) -> Result<()> {
    let begin = Instant::now();
    platform.flow(Flow::Closed);
    for user in first..first + USERS {
        platform.push(user);
        if user % 32 == 0 {
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
    }
    while platform.tally().replied < REMEMBERED + REMEMBERED / 10 {
        if begin.elapsed() > PATIENCE {
            bail!("the bot is too slow to fill its memory");
        }
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    platform.flow(Flow::Open);
    settle(platform, PATIENCE).await;
    Ok(())
}

/// How a bot started.
#[derive(Debug, Clone, Copy)]
pub struct Start {
    /// From the start of the process to its login at the gateway.
    pub login: Duration,
    /// Memory after a hundred messages and a rest, bytes.
    pub rss: u64,
}

/// Starts a bot so many times from the compile cache, each time with nothing remembered; the first start of
/// all fills the cache and is not counted.
///
/// # Errors
/// It does not log in.
pub async fn starts(places: &Places, count: usize) -> Result<Vec<Start>> {
    let folder = places.scratch.join("start");
    let mut starts = Vec::with_capacity(count);
    for number in 0..=count {
        let platform = Platform::start(41_250).await?;
        // The state goes, the compiled code stays.
        let state = folder.join("channels-state");
        for file in ["store.db", "store.db-wal", "store.db-shm"] {
            // At the first start there is none.
            let _ = std::fs::remove_file(state.join(file));
        }
        let begin = Instant::now();
        let process = Process::start(places, folder.clone(), &platform.address)?;
        platform.connected(1).await;
        let login = begin.elapsed();
        let user = platform.add_users(0, 1);
        for _ in 0..100 {
            platform.push(user);
            settle(&platform, PATIENCE).await;
        }
        tokio::time::sleep(Duration::from_secs(1)).await;
        let rss = machine::used(process.child.id())?.rss;
        if number > 0 {
            starts.push(Start { login, rss });
        }
    }
    Ok(starts)
}
