//! Who is connected. Places are few: one that waits without a question makes room for whoever comes next.

use std::collections::BTreeMap;
use std::fs::File;
use std::os::fd::OwnedFd;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use tokio::net::UnixStream;
use tokio_util::sync::CancellationToken;

/// Connections served at once; an operator has few hands.
const SEATS: usize = 16;

/// All connections of a socket.
#[derive(Debug)]
pub(super) struct Seats {
    taken: Mutex<Taken>,
    /// A file descriptor for the next connection, for when the process has no other.
    reserve: Mutex<Option<OwnedFd>>,
}

#[derive(Debug, Default)]
struct Taken {
    /// In the order in which they came, or last had an answer.
    order: u64,
    idle: BTreeMap<u64, CancellationToken>,
    busy: usize,
}

/// A place of a connection; given back when it is dropped.
#[derive(Debug)]
pub(super) struct Seat {
    seats: Arc<Seats>,
    state: State,
}

#[derive(Debug)]
enum State {
    Idle {
        order: u64,
        leave: CancellationToken,
    },
    Busy,
    /// It had to make room.
    Left,
}

impl Seats {
    pub(super) fn new() -> Self {
        Self {
            taken: Mutex::default(),
            reserve: Mutex::new(spare()),
        }
    }

    fn taken(&self) -> MutexGuard<'_, Taken> {
        self.taken.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn reserve(&self) -> MutexGuard<'_, Option<OwnedFd>> {
        self.reserve.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// A place for one that has just come. Where all are taken, the one that has been silent longest goes. None where
    /// all of them are being answered.
    pub(super) fn take(self: &Arc<Self>) -> Option<Seat> {
        let mut taken = self.taken();
        if taken.idle.len() + taken.busy >= SEATS {
            let (_, silent) = taken.idle.pop_first()?;
            silent.cancel();
        }
        let (order, leave) = taken.sit();
        drop(taken);
        Some(Seat {
            seats: Arc::clone(self),
            state: State::Idle { order, leave },
        })
    }

    /// Closes the descriptor that was kept. False when there was none.
    pub(super) fn give_up_reserve(&self) -> bool {
        self.reserve().take().is_some()
    }

    /// Keeps a descriptor again, where there is one.
    pub(super) fn refill(&self) {
        let mut reserve = self.reserve();
        if reserve.is_none() {
            *reserve = spare();
        }
    }

    /// Takes a connection that is over. Its descriptor is kept where none is: a new one may not be had.
    pub(super) fn keep(&self, stream: Option<UnixStream>) {
        let Some(stream) = stream.and_then(|stream| stream.into_std().ok()) else {
            return self.refill();
        };
        let mut reserve = self.reserve();
        if reserve.is_none() {
            // The other side need not know that it lives on.
            let _ = stream.shutdown(std::net::Shutdown::Both);
            *reserve = Some(stream.into());
        }
    }
}

fn spare() -> Option<OwnedFd> {
    File::open("/dev/null").ok().map(OwnedFd::from)
}

impl Taken {
    fn sit(&mut self) -> (u64, CancellationToken) {
        self.order += 1;
        let leave = CancellationToken::new();
        self.idle.insert(self.order, leave.clone());
        (self.order, leave)
    }
}

impl Seat {
    /// Ends when this one has to make room.
    pub(super) async fn asked_to_leave(&self) {
        match &self.state {
            State::Idle { leave, .. } => leave.cancelled().await,
            State::Busy => std::future::pending().await,
            State::Left => {}
        }
    }

    /// It is being answered, and stays until then. False when it had to make room before.
    pub(super) fn begin(&mut self) -> bool {
        let State::Idle { order, .. } = &self.state else {
            return false;
        };
        let mut taken = self.seats.taken();
        let stays = taken.idle.remove(order).is_some();
        taken.busy += usize::from(stays);
        drop(taken);
        self.state = if stays { State::Busy } else { State::Left };
        stays
    }

    /// It has its answer.
    pub(super) fn end(&mut self) {
        if matches!(self.state, State::Busy) {
            let mut taken = self.seats.taken();
            taken.busy = taken.busy.saturating_sub(1);
            let (order, leave) = taken.sit();
            drop(taken);
            self.state = State::Idle { order, leave };
        }
    }
}

impl Drop for Seat {
    fn drop(&mut self) {
        self.end();
        if let State::Idle { order, .. } = &self.state {
            self.seats.taken().idle.remove(order);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn seats() -> Arc<Seats> {
        Arc::new(Seats::new())
    }

    fn full(seats: &Arc<Seats>) -> Vec<Seat> {
        (0..SEATS).map(|_| seats.take().unwrap()).collect()
    }

    fn has_to_leave(seat: &Seat) -> bool {
        use futures_util::FutureExt;
        seat.asked_to_leave().now_or_never().is_some()
    }

    #[test]
    fn the_one_that_is_silent_longest_makes_room() {
        let seats = seats();
        let mut taken = full(&seats);
        // The first has asked something meanwhile, so the second is silent longest; the third is being answered.
        assert!(taken[0].begin());
        taken[0].end();
        assert!(taken[2].begin());
        let more: Vec<Seat> = (0..3).map(|_| seats.take().unwrap()).collect();
        for (index, seat) in taken.iter().enumerate() {
            assert_eq!(has_to_leave(seat), matches!(index, 1 | 3 | 4), "{index}");
        }
        assert!(!more.iter().any(has_to_leave));
        assert!(!taken[1].begin(), "too late");
        assert!(taken[5].begin());
    }

    #[test]
    fn one_that_is_being_answered_never_makes_room() {
        let seats = seats();
        let mut taken = full(&seats);
        assert!(taken.iter_mut().all(Seat::begin));
        assert!(seats.take().is_none());
        assert!(!taken.iter().any(has_to_leave));
        taken.pop();
        let seat = seats.take().unwrap();
        assert!(seats.take().is_some(), "in the place of the silent one");
        assert!(has_to_leave(&seat));
    }

    #[test]
    fn places_are_given_back_whatever_their_state() {
        let seats = seats();
        for round in 0..3 {
            let mut taken = full(&seats);
            match round {
                0 => {}
                1 => assert!(taken.iter_mut().all(Seat::begin)),
                _ => drop((0..SEATS).map(|_| seats.take()).collect::<Vec<_>>()),
            }
            drop(taken);
            let now = seats.taken();
            assert_eq!((now.idle.len(), now.busy), (0, 0), "{round}");
        }
    }

    #[tokio::test]
    async fn a_descriptor_is_kept_for_the_next_connection() {
        let seats = seats();
        assert!(seats.give_up_reserve() && !seats.give_up_reserve());
        let (over, mut other) = UnixStream::pair().unwrap();
        seats.keep(Some(over));
        // To the other side it is closed.
        let mut byte = [0];
        assert_eq!(
            tokio::io::AsyncReadExt::read(&mut other, &mut byte)
                .await
                .unwrap(),
            0
        );
        assert!(seats.give_up_reserve());
        seats.refill();
        assert!(seats.give_up_reserve());
    }
}
