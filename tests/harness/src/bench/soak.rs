//! A long run at a steady rate with faults: memory, files and latency must not drift.

use std::path::Path;
use std::time::{Duration, Instant};

use anyhow::{Result, bail};
use hdrhistogram::Histogram;

use super::load::settle;
use super::platform::{Flow, Platform};
use super::subject::{Kind, Places, Subject};
use super::table::median;

/// Users who write in turn.
const USERS: usize = 500;
/// A line is printed, and the connection broken, this often.
const STEP: Duration = Duration::from_secs(60);
/// Memory may differ by so much from the first third to the last before it is called a drift.
const MEMORY_DRIFT: f64 = 1.15;

/// A minute.
#[derive(Debug, Clone)]
struct Minute {
    rss: u64,
    files: u64,
    latency: Histogram<u64>,
}

/// Runs for so long at so many messages a second. Prints a row a minute. True when nothing was lost and
/// nothing drifts.
///
/// # Errors
/// The bot has ended.
pub async fn run(places: &Places, minutes: u64, rate: u64) -> Result<bool> {
    let subject = Subject::start(Kind::Host, places, USERS).await?;
    let platform = subject.platform.clone();
    let state = places.scratch.join("host").join("channels-state");
    println!("| minute | answered | p50 ms | p99 ms | memory MiB | files MiB | lost |");
    println!("|---|---|---|---|---|---|---|");
    let mut past: Vec<Minute> = Vec::new();
    let mut lost = 0;
    platform.flow(Flow::Open);
    let mut user = 0;
    for number in 1..=minutes {
        let before = platform.tally();
        platform.measure()?;
        pace(&platform, &subject, rate, &mut user).await;
        lost += settle(&platform, Duration::from_secs(30)).await;
        let latency = platform.measured()?;
        let minute = Minute {
            rss: subject.used()?.rss,
            files: size(&state),
            latency,
        };
        let mib = |bytes: u64| bytes as f64 / f64::from(1 << 20);
        let ms = |quantile| minute.latency.value_at_quantile(quantile) as f64 / 1e6;
        println!(
            "| {number} | {} | {:.2} | {:.2} | {:.1} | {:.1} | {lost} |",
            platform.tally().replied - before.replied,
            ms(0.5),
            ms(0.99),
            mib(minute.rss),
            mib(minute.files)
        );
        past.push(minute);
        reconnect(&platform).await?;
    }
    Ok(lost == 0 && steady(&past))
}

/// One minute of messages, evenly.
async fn pace(platform: &Platform, subject: &Subject, rate: u64, user: &mut usize) {
    let mut clock =
        tokio::time::interval(Duration::from_secs(1) / u32::try_from(rate.max(1)).unwrap_or(1));
    let begin = Instant::now();
    while begin.elapsed() < STEP {
        clock.tick().await;
        platform.push(subject.users + *user);
        *user = (*user + 1) % USERS;
    }
}

/// The fault: the connection breaks, and the bot has to come back.
async fn reconnect(platform: &Platform) -> Result<()> {
    let sessions = platform.sessions();
    platform.drop_connections();
    let back = platform.connected(sessions + 1);
    if tokio::time::timeout(Duration::from_secs(120), back)
        .await
        .is_err()
    {
        bail!("the bot does not come back");
    }
    platform.follow();
    Ok(())
}

/// Compares the first third with the last.
fn steady(past: &[Minute]) -> bool {
    let third = past.len() / 3;
    if third == 0 {
        return true;
    }
    let rss = |part: &[Minute]| median(part.iter().map(|minute| minute.rss as f64).collect());
    let (Some(first), Some(last)) = (past.get(..third), past.get(past.len() - third..)) else {
        return true;
    };
    let ratio = rss(last) / rss(first).max(1.0);
    println!("\nmemory, last third against the first: {ratio:.3}");
    ratio < MEMORY_DRIFT
}

/// Bytes of all files in a folder.
fn size(folder: &Path) -> u64 {
    let Ok(entries) = std::fs::read_dir(folder) else {
        return 0;
    };
    let one = |entry: std::fs::DirEntry| match entry.metadata() {
        Ok(meta) if meta.is_dir() => size(&entry.path()),
        Ok(meta) => meta.len(),
        // It went away meanwhile.
        Err(_) => 0,
    };
    entries.flatten().map(one).sum()
}
