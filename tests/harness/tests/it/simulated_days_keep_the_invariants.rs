//! Guest, actor and platform under seeded faults and kills, on virtual time.
//!
//! Each plan runs 40 seeds: 200 in all. `SEEDS=400 cargo test -p harness simulated` runs 2,000, and `SEED=400017` the one
//! that failed.

use std::sync::Arc;

use harness::native::NativeComponent;
use harness::sim::{Faults, Plan, Report, Shows, run};

const SPAN_MS: u64 = 20 * 60_000;

/// So many seeds from this one on; or the one that is wanted, in the plan that it belongs to.
fn from(first: u64) -> std::ops::Range<u64> {
    let number = |name: &str| std::env::var(name).ok()?.parse::<u64>().ok();
    match number("SEED") {
        Some(seed) if (first..first + 100_000).contains(&seed) => seed..seed + 1,
        Some(_) => first..first,
        None => first..first + number("SEEDS").unwrap_or(40),
    }
}

fn native(plan: &Plan, seed: u64) -> Report {
    run(Arc::new(NativeComponent), plan, seed)
}

/// Runs seeds, each with a plan, and fails with the first one that breaks something.
fn seeds(range: std::ops::Range<u64>, plan: &Plan) -> (usize, usize) {
    let (mut messages, mut answered) = (0, 0);
    for seed in range {
        let plan = &Plan {
            shows: Shows::of_seed(seed),
            ..*plan
        };
        let report = native(plan, seed);
        if !report.findings.is_empty() {
            let log = std::env::temp_dir().join(format!("simulation-{seed}.log"));
            let _ = std::fs::write(&log, report.log.join("\n"));
            panic!(
                "seed {seed} with {plan:?}:\n{}\nlog: {}",
                report.findings.join("\n"),
                log.display()
            );
        }
        messages += report.messages;
        answered += report.answered;
    }
    (messages, answered)
}

#[test]
fn a_quiet_day_answers_every_message() {
    let plan = Plan {
        messages: 60,
        span_ms: SPAN_MS,
        faults: 0,
        kind: Faults::None,
        kills: 0,
        swaps: 0,
        crashes: 0,
        shows: Shows::Nothing,
    };
    let (messages, answered) = seeds(0..5, &plan);
    assert_eq!((messages, answered), (300, 300));
}

#[test]
fn resumable_faults_lose_nothing_and_double_nothing() {
    let plan = Plan {
        messages: 60,
        span_ms: SPAN_MS,
        faults: 40,
        kind: Faults::Resumable,
        kills: 0,
        swaps: 0,
        crashes: 0,
        shows: Shows::Nothing,
    };
    seeds(from(100_000), &plan);
}

#[test]
fn kills_at_any_moment_lose_nothing_and_double_nothing() {
    let plan = Plan {
        messages: 60,
        span_ms: SPAN_MS,
        faults: 10,
        kind: Faults::Resumable,
        kills: 12,
        swaps: 0,
        crashes: 0,
        shows: Shows::Nothing,
    };
    seeds(from(200_000), &plan);
}

#[test]
fn all_faults_together_break_no_invariant() {
    let plan = Plan {
        messages: 60,
        span_ms: SPAN_MS,
        faults: 50,
        kind: Faults::All,
        kills: 6,
        swaps: 0,
        crashes: 0,
        shows: Shows::Nothing,
    };
    seeds(from(300_000), &plan);
}

#[test]
fn swaps_rollbacks_and_crashes_in_the_middle_lose_nothing_and_double_nothing() {
    let plan = Plan {
        messages: 60,
        span_ms: SPAN_MS,
        faults: 10,
        kind: Faults::Resumable,
        kills: 2,
        swaps: 30,
        crashes: 8,
        shows: Shows::Nothing,
    };
    seeds(from(400_000), &plan);
}

#[test]
fn all_faults_with_swaps_and_crashes_break_no_invariant() {
    let plan = Plan {
        messages: 60,
        span_ms: SPAN_MS,
        faults: 50,
        kind: Faults::All,
        kills: 6,
        swaps: 20,
        crashes: 8,
        shows: Shows::Nothing,
    };
    seeds(from(500_000), &plan);
}
