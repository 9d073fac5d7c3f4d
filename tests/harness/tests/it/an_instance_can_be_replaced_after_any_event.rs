//! After every single event a fresh instance takes over from checkpoint and stored entries; it answers byte
//! for byte as one that lives on. So a swap may come between any two events, and a crash costs nothing.

use std::sync::Arc;

use harness::dual::DualComponent;
use harness::native::NativeComponent;
use harness::reborn::RebornComponent;
use harness::sim::{Faults, Plan, Shows, run};

fn days(first: u64, seeds: u64, plan: &Plan) {
    for seed in first..first + seeds {
        let plan = &Plan {
            shows: Shows::of_seed(seed),
            ..*plan
        };
        let dual = DualComponent {
            first: Arc::new(NativeComponent),
            second: Arc::new(RebornComponent(Arc::new(NativeComponent))),
        };
        let report = run(Arc::new(dual), plan, seed);
        let findings: Vec<String> = report
            .findings
            .iter()
            .take(3)
            .map(|f| f.chars().take(3000).collect())
            .collect();
        assert!(
            findings.is_empty(),
            "seed {seed} with {plan:?}:\n{}",
            findings.join("\n")
        );
        assert!(report.messages > 20);
    }
}

#[test]
fn on_quiet_days() {
    let plan = Plan {
        messages: 40,
        span_ms: 10 * 60_000,
        faults: 0,
        kind: Faults::None,
        kills: 0,
        swaps: 0,
        crashes: 0,
        shows: Shows::Nothing,
    };
    days(600_000, 3, &plan);
}

#[test]
fn on_days_on_which_everything_goes_wrong() {
    let plan = Plan {
        messages: 40,
        span_ms: 10 * 60_000,
        faults: 40,
        kind: Faults::All,
        kills: 4,
        swaps: 0,
        crashes: 0,
        shows: Shows::Nothing,
    };
    days(700_000, 9, &plan);
}
