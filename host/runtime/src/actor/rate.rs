//! How much of something there was within the last minute, counted on the time that a step brings.

use std::collections::VecDeque;

/// Milliseconds that count.
const WINDOW_MS: u64 = 60_000;
/// What was within so many milliseconds is counted as one group, and forgotten together.
const GROUP_MS: u64 = 1_000;

/// Whatever counts of the last minute, in groups of a second: at most sixty-one numbers, however much it is.
#[derive(Debug, Clone, Default)]
pub(super) struct Rate {
    /// Which second, and how much.
    groups: VecDeque<(u64, usize)>,
    total: usize,
}

impl Rate {
    /// Counts one; false, and nothing counted, when there were so many within a minute.
    pub(super) fn take(&mut self, mono_ms: u64, max: usize) -> bool {
        self.take_some(mono_ms, 1, max)
    }

    /// Counts so much; false, and nothing counted, when it would be more than this within a minute.
    pub(super) fn take_some(&mut self, mono_ms: u64, amount: usize, max: usize) -> bool {
        let second = mono_ms / GROUP_MS;
        while let Some((oldest, count)) = self.groups.front().copied() {
            // A group is over once its last millisecond is a minute ago.
            if (oldest + 1) * GROUP_MS + WINDOW_MS > mono_ms + 1 {
                break;
            }
            self.groups.pop_front();
            self.total -= count;
        }
        if self.total.saturating_add(amount) > max {
            return false;
        }
        match self.groups.back_mut() {
            Some((newest, count)) if *newest >= second => *count += amount,
            _ => self.groups.push_back((second, amount)),
        }
        self.total += amount;
        true
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_minute_has_more_than_it_may() {
        for start in [0, 1, 999, 12_345] {
            let mut rate = Rate::default();
            let mut left: Vec<u64> = Vec::new();
            for step in 0..40_000 {
                let now = start + step * 7;
                if rate.take(now, 100) {
                    left.push(now);
                }
            }
            for pair in left.windows(101) {
                assert!(pair[100] - pair[0] >= WINDOW_MS, "{pair:?}");
            }
            // And it is not much less: a second is lost at most.
            assert!(left.len() >= 4 * 100, "{}", left.len());
        }
    }

    #[test]
    fn what_is_refused_does_not_count() {
        let mut rate = Rate::default();
        assert!(rate.take(500, 1));
        for now in (501..60_999).step_by(100) {
            assert!(!rate.take(now, 1), "{now}");
        }
        assert!(rate.take(61_000, 1));
        assert_eq!(rate.groups.len(), 1);
    }
}
