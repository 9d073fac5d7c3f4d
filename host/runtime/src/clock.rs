//! The host's two clocks, read together.

use std::time::{Duration, SystemTime, UNIX_EPOCH};

use crate::bindings::v0_1::Instant;

/// Monotonic time counts from the making of this clock, plus a little, so that 0 is in the past.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Clock {
    zero: tokio::time::Instant,
}

const HEAD_START: Duration = Duration::from_secs(1);

impl Clock {
    pub(crate) fn new() -> Self {
        Self {
            zero: tokio::time::Instant::now(),
        }
    }

    /// Now, on both clocks.
    pub(crate) fn now(&self) -> Instant {
        let mono = self.zero.elapsed() + HEAD_START;
        let wall = SystemTime::now().duration_since(UNIX_EPOCH);
        Instant {
            mono_ms: millis(mono),
            wall_ms: millis(wall.unwrap_or_default()),
        }
    }

    /// A moment of the monotonic clock, for tokio's timers. Far futures are cut to a year.
    pub(crate) fn tokio(&self, mono_ms: u64) -> tokio::time::Instant {
        const YEAR: Duration = Duration::from_secs(365 * 24 * 3600);
        let after = Duration::from_millis(mono_ms).saturating_sub(HEAD_START);
        self.zero + after.min(self.zero.elapsed() + YEAR)
    }
}

fn millis(duration: Duration) -> u64 {
    u64::try_from(duration.as_millis()).unwrap_or(u64::MAX)
}
