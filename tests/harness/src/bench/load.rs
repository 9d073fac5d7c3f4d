//! One phase of load on one subject, and what it came to.

use std::time::{Duration, Instant};

use anyhow::{Result, bail};
use hdrhistogram::Histogram;

use super::machine;
use super::platform::{Flow, Platform};

/// A reply that takes longer than this is lost.
const PATIENCE: Duration = Duration::from_secs(30);

/// What is to be done.
#[derive(Debug, Clone, Copy)]
pub struct Phase {
    /// Messages that wait for a reply at a time.
    pub in_flight: usize,
    /// Before anything is measured.
    pub warm_up: Duration,
    /// Measured.
    pub span: Duration,
}

/// What it came to. Phases of the same kind can be added up.
#[derive(Debug, Clone)]
pub struct Measured {
    /// Messages replied to while it was measured.
    pub replies: u64,
    /// How long it was measured.
    pub took: Duration,
    /// CPU time of the subject meanwhile.
    pub cpu: Duration,
    /// From push to reply, nanoseconds.
    pub latency_ns: Histogram<u64>,
    /// Messages that were never replied to.
    pub lost: usize,
    /// Replies to nothing that waits for one: a message that was answered twice.
    pub strays: u64,
}

impl Measured {
    /// Messages a second.
    #[must_use]
    pub fn rate(&self) -> f64 {
        self.replies as f64 / self.took.as_secs_f64().max(1e-9)
    }

    /// CPU time of the subject for one message, microseconds.
    #[must_use]
    pub fn cpu_us(&self) -> f64 {
        self.cpu.as_secs_f64() * 1e6 / (self.replies.max(1) as f64)
    }

    /// A latency, milliseconds.
    #[must_use]
    pub fn latency_ms(&self, quantile: f64) -> f64 {
        self.latency_ns.value_at_quantile(quantile) as f64 / 1e6
    }
}

/// Loads the subject behind a gateway connection.
///
/// # Errors
/// Its process has ended.
pub async fn run(platform: &Platform, users: usize, pid: u32, phase: Phase) -> Result<Measured> {
    if platform.waiting() > 0 {
        bail!("messages of the phase before are still waiting");
    }
    let strays = platform.tally().strays;
    platform.flow(Flow::Closed);
    for user in users..users + phase.in_flight {
        platform.push(user);
    }
    tokio::time::sleep(phase.warm_up).await;
    let before = machine::used(pid)?;
    platform.measure()?;
    let begin = Instant::now();
    tokio::time::sleep(phase.span).await;
    let latency_ns = platform.measured()?;
    let took = begin.elapsed();
    let after = machine::used(pid)?;
    platform.flow(Flow::Open);
    let lost = settle(platform, PATIENCE).await;
    Ok(Measured {
        replies: latency_ns.len(),
        took,
        cpu: after.cpu.saturating_sub(before.cpu),
        latency_ns,
        lost,
        strays: platform.tally().strays - strays,
    })
}

/// Waits until nobody waits for a reply any more. Returns how many did in the end.
pub async fn settle(platform: &Platform, patience: Duration) -> usize {
    let begin = Instant::now();
    while platform.waiting() > 0 && begin.elapsed() < patience {
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
    platform.forget()
}
