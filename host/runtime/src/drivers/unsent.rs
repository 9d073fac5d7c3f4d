//! What waits to be sent on the sockets of a channel, in bytes: with blobs in it a message is much larger than its pieces.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

/// The bytes that wait, of all sockets of a channel together. Cheap to clone.
#[derive(Debug, Clone, Default)]
pub(crate) struct Unsent(Arc<AtomicUsize>);

/// Room that a message takes until it is sent, or given up.
#[derive(Debug)]
pub(crate) struct Room {
    of: Unsent,
    bytes: usize,
}

impl Unsent {
    /// Takes room for a message; none when it would be more than `max` with those that wait.
    pub(crate) fn take(&self, bytes: u64, max: usize) -> Option<Room> {
        let bytes = usize::try_from(bytes).ok()?;
        let fits = |now: usize| now.checked_add(bytes).filter(|all| *all <= max);
        let taken = self.0.try_update(Ordering::AcqRel, Ordering::Acquire, fits);
        taken.ok().map(|_| Room {
            of: self.clone(),
            bytes,
        })
    }
}

impl Drop for Room {
    fn drop(&mut self) {
        self.of.0.fetch_sub(self.bytes, Ordering::AcqRel);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_waits_is_bounded_together_and_room_comes_back() {
        let unsent = Unsent::default();
        let first = unsent.take(6, 10).unwrap();
        assert!(unsent.take(5, 10).is_none());
        let second = unsent.clone().take(4, 10).unwrap();
        assert!(unsent.take(1, 10).is_none());
        drop(first);
        assert!(unsent.take(6, 10).is_some());
        drop(second);
        for bytes in [11, u64::MAX] {
            assert!(unsent.take(bytes, 10).is_none(), "{bytes}");
        }
        assert!(unsent.take(10, 10).is_some());
    }
}
