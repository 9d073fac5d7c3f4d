//! The emulator's clock: real time plus what it was moved ahead, or no time but that.

use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use crate::time::{Millis, whole_millis};

/// Whether time passes by itself.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ClockMode {
    /// Real time, from now on.
    Real,
    /// Time stands at this moment until it is moved.
    Manual(Millis),
}

#[derive(Debug)]
pub(super) struct Clock {
    base: Millis,
    /// None if time passes only by hand.
    started: Option<Instant>,
    /// Milliseconds that it was moved ahead.
    ahead: AtomicU64,
}

impl Clock {
    pub(super) fn new(mode: ClockMode) -> Self {
        let (base, started) = match mode {
            ClockMode::Manual(at) => (at, None),
            ClockMode::Real => {
                let wall = SystemTime::now()
                    .duration_since(UNIX_EPOCH)
                    .unwrap_or_default();
                (Millis(whole_millis(wall)), Some(Instant::now()))
            }
        };
        Self {
            base,
            started,
            ahead: AtomicU64::new(0),
        }
    }

    pub(super) fn now(&self) -> Millis {
        let passed = self
            .started
            .map(|started| started.elapsed())
            .unwrap_or_default();
        let ahead = Duration::from_millis(self.ahead.load(Ordering::SeqCst));
        self.base.plus(passed).plus(ahead)
    }

    pub(super) fn advance(&self, span: Duration) {
        let span = whole_millis(span);
        let further = |ahead: u64| Some(ahead.saturating_add(span));
        // It always moves, so there is nothing that could fail here.
        self.ahead
            .fetch_update(Ordering::SeqCst, Ordering::SeqCst, further)
            .ok();
    }

    /// How long until a moment comes by itself; none if it does not.
    pub(super) fn until(&self, at: Millis) -> Option<Duration> {
        let left = at.since(self.now());
        (left.is_zero() || self.started.is_some()).then_some(left)
    }
}
