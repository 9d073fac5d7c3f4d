//! How often people who may not talk to the bot are told something: seldom, and not too many of them.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

/// Milliseconds for which it is remembered who was told what; nothing asks for longer.
const REMEMBERED_MS: u64 = 10 * 60_000;
/// Words to strangers in a minute, all together.
const A_MINUTE: usize = 20;

/// Who was told what, and when. It holds the words of ten minutes, which are few.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Courtesy {
    /// Monotonic milliseconds, by what and whom.
    told: BTreeMap<String, u64>,
    /// Of the last minute, oldest first.
    minute: Vec<u64>,
}

impl Courtesy {
    /// True when this may be said now; then it counts as said. The same again after `every_ms`, ten minutes at most.
    pub fn may(&mut self, now_ms: u64, what: &str, every_ms: u64) -> bool {
        self.told
            .retain(|_, at_ms| now_ms.saturating_sub(*at_ms) < REMEMBERED_MS);
        self.minute
            .retain(|at_ms| now_ms.saturating_sub(*at_ms) < 60_000);
        let again = self
            .told
            .get(what)
            .is_none_or(|at_ms| now_ms.saturating_sub(*at_ms) >= every_ms);
        if !again || self.minute.len() >= A_MINUTE {
            return false;
        }
        self.told.insert(what.to_owned(), now_ms);
        self.minute.push(now_ms);
        true
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_is_told_once_in_a_while_and_all_together_not_too_often() {
        let mut courtesy = Courtesy::default();
        assert!(courtesy.may(0, "hint A", REMEMBERED_MS));
        assert!(!courtesy.may(REMEMBERED_MS - 1, "hint A", REMEMBERED_MS));
        assert!(courtesy.may(REMEMBERED_MS, "hint A", REMEMBERED_MS));
        let told = (0..10_000)
            .filter(|number| courtesy.may(2 * REMEMBERED_MS, &number.to_string(), 1))
            .count();
        assert_eq!(told, A_MINUTE);
        assert!(courtesy.may(2 * REMEMBERED_MS + 60_000, "later", 1));
    }

    #[test]
    fn a_crowd_does_not_make_it_grow() {
        let mut courtesy = Courtesy::default();
        for number in 0..100_000u64 {
            courtesy.may(number * 20, &number.to_string(), REMEMBERED_MS);
        }
        assert!(courtesy.told.len() <= 10 * A_MINUTE + A_MINUTE);
        assert!(courtesy.minute.len() <= A_MINUTE);
    }
}
