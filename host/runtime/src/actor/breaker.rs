//! When to stop believing that a guest will recover.

use std::collections::VecDeque;

/// Faults older than this say nothing about now.
const WINDOW_MS: u64 = 60_000;
/// Faults that a retry got over.
const FAULTS: usize = 3;
/// Events that broke two instances in a row. They are the sender's doing, and do not count as the
/// guest's faults; but a guest that breaks at everything is not running.
const POISONED: usize = 20;
/// First wait after a trip, doubled by each further one.
const FIRST_WAIT_MS: u64 = 1_000;
/// Longest wait.
const MAX_WAIT_MS: u64 = 300_000;
/// A guest that ran for so long after a trip is well again.
const HEALED_MS: u64 = 300_000;

/// Counts faults on the monotonic clock.
#[derive(Debug, Default)]
pub(super) struct Breaker {
    faults: VecDeque<u64>,
    poisoned: VecDeque<u64>,
    trips: u32,
    last_trip: Option<u64>,
}

impl Breaker {
    /// A fault that the event cannot be blamed for. True when that was one too many.
    pub(super) fn fault(&mut self, mono_ms: u64) -> bool {
        count(&mut self.faults, mono_ms) > FAULTS
    }

    /// An event that broke a fresh instance too. True when that was one too many.
    pub(super) fn poisoned(&mut self, mono_ms: u64) -> bool {
        count(&mut self.poisoned, mono_ms) > POISONED
    }

    /// The guest is taken down. Returns how long to wait, milliseconds.
    pub(super) fn trip(&mut self, mono_ms: u64) -> u64 {
        let healed = |last: u64| mono_ms.saturating_sub(last) > HEALED_MS;
        if self.last_trip.is_some_and(healed) {
            self.trips = 0;
        }
        let wait = FIRST_WAIT_MS
            .saturating_mul(1 << self.trips.min(16))
            .min(MAX_WAIT_MS);
        self.trips += 1;
        self.last_trip = Some(mono_ms.saturating_add(wait));
        self.faults.clear();
        self.poisoned.clear();
        wait
    }
}

fn count(times: &mut VecDeque<u64>, mono_ms: u64) -> usize {
    times.push_back(mono_ms);
    while times.front().is_some_and(|t| t + WINDOW_MS < mono_ms) {
        times.pop_front();
    }
    times.len()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn four_faults_in_a_minute_are_too_many_and_four_in_an_hour_are_not() {
        let mut breaker = Breaker::default();
        assert!(!breaker.fault(0) && !breaker.fault(1) && !breaker.fault(2));
        assert!(breaker.fault(3));
        let mut breaker = Breaker::default();
        assert!((0..100).all(|n| !breaker.fault(n * WINDOW_MS)));
    }

    #[test]
    fn waits_grow_to_a_bound_and_shrink_after_health() {
        let mut breaker = Breaker::default();
        let mut now = 0;
        let waits: Vec<u64> = (0..12)
            .map(|_| {
                let wait = breaker.trip(now);
                now += wait;
                wait
            })
            .collect();
        assert_eq!(waits.first(), Some(&FIRST_WAIT_MS));
        assert_eq!(waits.last(), Some(&MAX_WAIT_MS));
        assert_eq!(breaker.trip(now + HEALED_MS + 1), FIRST_WAIT_MS);
    }
}
