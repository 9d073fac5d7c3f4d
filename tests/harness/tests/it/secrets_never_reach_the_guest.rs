//! Everything that goes in and out of the guest is written down, and searched for the secrets that went over the wire.

use std::sync::Arc;

use harness::native::NativeComponent;
use harness::sim::{Faults, Plan, Shows, run};
use harness::spy::SpyComponent;

#[test]
fn no_secret_is_in_events_effects_checkpoints_log_or_store() {
    let spy = Arc::new(SpyComponent::new(Arc::new(NativeComponent)));
    let plan = Plan {
        messages: 30,
        span_ms: 10 * 60_000,
        faults: 30,
        kind: Faults::All,
        kills: 3,
        swaps: 0,
        crashes: 0,
        shows: Shows::Stream,
    };
    let report = run(Arc::<SpyComponent>::clone(&spy), &plan, 7);
    let transcript = spy.transcript();
    assert!(
        report.secrets.len() >= 2,
        "the app secret and at least one token went out"
    );
    assert!(
        transcript.len() > 10_000 && transcript.contains("access_token"),
        "secrets are there by name"
    );
    for secret in &report.secrets {
        assert!(secret.len() >= 16);
        for (place, text) in [
            ("the guest", &transcript),
            ("the store", &report.disk),
            ("the log", &report.log.join("\n")),
        ] {
            assert!(!text.contains(secret.as_str()), "a secret is in {place}");
        }
    }
}
