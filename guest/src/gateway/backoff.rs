//! How long to wait before the next attempt.

use serde::{Deserialize, Serialize};

use crate::env::Jitter;

/// Exponential backoff with jitter: the wait is drawn from the upper half of a range that doubles.
///
/// Whether and when to try again is a decision of the state machine, on its own clock, so a crate that
/// sleeps and loops would not fit; this is the arithmetic alone.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Backoff {
    failures: u32,
    base_ms: u64,
    cap_ms: u64,
}

impl Backoff {
    /// Starts with waits of up to `base_ms` and never waits longer than `cap_ms`.
    #[must_use]
    pub fn new(base_ms: u64, cap_ms: u64) -> Self {
        Self {
            failures: 0,
            base_ms,
            cap_ms,
        }
    }

    /// Milliseconds to wait after one more failure.
    pub fn next_ms(&mut self, jitter: &mut Jitter) -> u64 {
        let ceiling = self
            .base_ms
            .saturating_mul(1 << self.failures.min(16))
            .min(self.cap_ms);
        self.failures = self.failures.saturating_add(1);
        ceiling / 2 + jitter.below(ceiling / 2 + 1)
    }

    /// Forgets the failures: something worked.
    pub fn reset(&mut self) {
        self.failures = 0;
    }

    /// Failures in a row.
    #[must_use]
    pub fn failures(&self) -> u32 {
        self.failures
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn waits_grow_to_the_cap_and_fall_back() {
        let mut jitter = Jitter::from_entropy(&[7; 32]);
        let mut backoff = Backoff::new(1_000, 60_000);
        let waits: Vec<u64> = (0..10).map(|_| backoff.next_ms(&mut jitter)).collect();
        assert!((500..=1_000).contains(&waits[0]), "{waits:?}");
        assert!((30_000..=60_000).contains(&waits[9]), "{waits:?}");
        backoff.reset();
        assert!(backoff.next_ms(&mut jitter) <= 1_000);
    }
}
