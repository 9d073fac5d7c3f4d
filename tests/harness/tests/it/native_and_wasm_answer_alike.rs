//! The same calls to the native build and to the component give the same effects and the same state.

use std::sync::Arc;

use harness::dual::DualComponent;
use harness::native::NativeComponent;
use harness::sim::{Faults, Plan, Shows, run};

use crate::common::component;

#[test]
fn ten_simulated_days_are_byte_for_byte_alike() {
    let both = Arc::new(DualComponent {
        first: component(),
        second: Arc::new(NativeComponent),
    });
    let plan = Plan {
        messages: 40,
        span_ms: 10 * 60_000,
        faults: 30,
        kind: Faults::All,
        kills: 4,
        swaps: 0,
        crashes: 0,
        shows: Shows::Nothing,
    };
    for seed in 0..10 {
        let plan = Plan {
            shows: Shows::of_seed(seed),
            ..plan
        };
        let report = run(Arc::<DualComponent>::clone(&both), &plan, seed);
        assert!(
            report.findings.is_empty(),
            "seed {seed}:\n{}",
            report.findings.join("\n")
        );
        assert!(report.answered > 0);
    }
}
