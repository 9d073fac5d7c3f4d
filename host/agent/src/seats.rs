//! Which turns run: so many at once, of all channels together, and the others wait their turn.
//!
//! A place that comes free goes to the next channel that waits, and there to the next conversation, so that neither a busy
//! channel nor a person who writes a lot makes others wait for more than one turn of theirs. The queue is bounded. When it
//! is full, room is made by the newest turn of whoever has the most waiting; who has that many refuses his own.

use std::collections::{BTreeMap, VecDeque};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use tokio::sync::oneshot;

use crate::history::Key;

/// Most turns that wait, of all channels together.
pub(crate) const MAX_WAITING: usize = 1024;

/// The queue is full.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Full;

/// Items that wait, fair between channels and between their conversations. A synchronous core: it knows no tasks.
#[derive(Debug)]
struct Line<T> {
    /// In the order in which they are served; a channel that was served goes to the end.
    channels: VecDeque<String>,
    waiting: BTreeMap<String, OfChannel<T>>,
    max: usize,
    count: usize,
}

#[derive(Debug)]
struct OfChannel<T> {
    conversations: VecDeque<String>,
    waiting: BTreeMap<String, VecDeque<T>>,
    count: usize,
}

impl<T> Default for OfChannel<T> {
    fn default() -> Self {
        Self {
            conversations: VecDeque::new(),
            waiting: BTreeMap::new(),
            count: 0,
        }
    }
}

impl<T> OfChannel<T> {
    fn of(&self, conversation: &str) -> usize {
        self.waiting.get(conversation).map_or(0, VecDeque::len)
    }

    fn push(&mut self, conversation: &str, item: T) {
        self.count += 1;
        let waiting = self.waiting.entry(conversation.to_owned()).or_default();
        if waiting.is_empty() {
            self.conversations.push_back(conversation.to_owned());
        }
        waiting.push_back(item);
    }

    fn pop(&mut self) -> Option<T> {
        let conversation = self.conversations.pop_front()?;
        let waiting = self.waiting.get_mut(&conversation)?;
        let item = waiting.pop_front();
        match waiting.is_empty() {
            true => drop(self.waiting.remove(&conversation)),
            false => self.conversations.push_back(conversation),
        }
        self.count -= usize::from(item.is_some());
        item
    }

    /// Removes one item of a conversation.
    fn remove(
        &mut self,
        conversation: &str,
        which: impl FnOnce(&VecDeque<T>) -> Option<usize>,
    ) -> Option<T> {
        let waiting = self.waiting.get_mut(conversation)?;
        let item = which(waiting).and_then(|at| waiting.remove(at));
        if waiting.is_empty() {
            self.waiting.remove(conversation);
            self.conversations.retain(|name| name != conversation);
        }
        self.count -= usize::from(item.is_some());
        item
    }
}

impl<T> Line<T> {
    fn new(max: usize) -> Self {
        Self {
            channels: VecDeque::new(),
            waiting: BTreeMap::new(),
            max,
            count: 0,
        }
    }

    /// Queues an item. The item that has to go for it comes back: another's, or this one.
    fn push(&mut self, key: &Key, item: T) -> Option<T> {
        let mut gone = None;
        if self.count >= self.max {
            gone = self.make_room(key);
            if gone.is_none() {
                return Some(item);
            }
        }
        let known = self.waiting.contains_key(&key.channel);
        if !known {
            self.channels.push_back(key.channel.clone());
        }
        let channel = self.waiting.entry(key.channel.clone()).or_default();
        channel.push(&key.conversation, item);
        self.count += 1;
        gone
    }

    /// Takes the newest item of the longest conversation of the longest channel, if that has more than the newcomer's would.
    fn make_room(&mut self, newcomer: &Key) -> Option<T> {
        let own = self.waiting.get(&newcomer.channel);
        let (own_count, own_conversation) =
            own.map_or((0, 0), |c| (c.count, c.of(&newcomer.conversation)));
        let longest = self
            .waiting
            .iter()
            .max_by_key(|(_, channel)| channel.count)?;
        let other = longest.1.count > own_count + 1;
        let name = match other {
            true => longest.0.clone(),
            false => newcomer.channel.clone(),
        };
        let channel = self.waiting.get(&name)?;
        let (conversation, count) = channel
            .waiting
            .iter()
            .map(|(c, w)| (c, w.len()))
            .max_by_key(|(_, count)| *count)?;
        if !other && count <= own_conversation + 1 {
            return None;
        }
        let key = Key {
            conversation: conversation.clone(),
            channel: name,
        };
        self.remove(&key, |waiting| waiting.len().checked_sub(1))
    }

    fn remove(
        &mut self,
        key: &Key,
        which: impl FnOnce(&VecDeque<T>) -> Option<usize>,
    ) -> Option<T> {
        let channel = self.waiting.get_mut(&key.channel)?;
        let item = channel.remove(&key.conversation, which);
        if channel.count == 0 {
            self.waiting.remove(&key.channel);
            self.channels.retain(|name| *name != key.channel);
        }
        self.count -= usize::from(item.is_some());
        item
    }

    fn pop(&mut self) -> Option<T> {
        let name = self.channels.pop_front()?;
        let channel = self.waiting.get_mut(&name)?;
        let item = channel.pop();
        match channel.count {
            0 => drop(self.waiting.remove(&name)),
            _ => self.channels.push_back(name),
        }
        self.count -= usize::from(item.is_some());
        item
    }
}

#[derive(Debug)]
struct Waiter {
    number: u64,
    go: oneshot::Sender<Seat>,
}

#[derive(Debug)]
struct State {
    free: usize,
    line: Line<Waiter>,
    numbers: u64,
}

/// The places of a process. Cheap to clone.
#[derive(Debug, Clone)]
pub(crate) struct Seats {
    state: Arc<Mutex<State>>,
}

/// A place that a turn has until this is dropped.
#[derive(Debug)]
pub(crate) struct Seat {
    seats: Option<Seats>,
}

impl Drop for Seat {
    fn drop(&mut self) {
        if let Some(seats) = self.seats.take() {
            seats.give_back();
        }
    }
}

/// Leaves the queue when it is dropped.
struct Leaving<'s> {
    seats: &'s Seats,
    key: &'s Key,
    number: u64,
}

impl Drop for Leaving<'_> {
    fn drop(&mut self) {
        let number = self.number;
        let mut state = self.seats.state();
        let gone = state.line.remove(self.key, |waiting| {
            waiting.iter().position(|waiter| waiter.number == number)
        });
        // Outside of the lock: what it holds may be a place that has just come free.
        drop(state);
        drop(gone);
    }
}

impl Seats {
    /// So many at once, at least one.
    pub(crate) fn new(at_once: usize) -> Self {
        let state = State {
            free: at_once.max(1),
            line: Line::new(MAX_WAITING),
            numbers: 0,
        };
        Self {
            state: Arc::new(Mutex::new(state)),
        }
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// How many of a channel wait.
    pub(crate) fn waiting(&self, channel: &str) -> usize {
        let state = self.state();
        state.line.waiting.get(channel).map_or(0, |c| c.count)
    }

    /// Waits for a place. Whoever drops this leaves the queue.
    ///
    /// # Errors
    /// There is no room to wait in.
    pub(crate) async fn take(&self, key: &Key) -> Result<Seat, Full> {
        let (go, called) = oneshot::channel();
        let (number, gone) = {
            let mut state = self.state();
            // With a free place nobody waits.
            if state.free > 0 {
                state.free -= 1;
                return Ok(self.seat());
            }
            state.numbers += 1;
            let number = state.numbers;
            (number, state.line.push(key, Waiter { number, go }))
        };
        // The waiting turn learns by this that it was refused.
        drop(gone);
        let _leaving = Leaving {
            seats: self,
            key,
            number,
        };
        called.await.map_err(|_| Full)
    }

    fn seat(&self) -> Seat {
        Seat {
            seats: Some(self.clone()),
        }
    }

    fn give_back(&self) {
        loop {
            let mut state = self.state();
            let Some(next) = state.line.pop() else {
                state.free += 1;
                return;
            };
            drop(state);
            let Err(mut refused) = next.go.send(self.seat()) else {
                return;
            };
            // Nobody waits there any more: on to the next, without coming back here.
            refused.seats = None;
        }
    }
}

#[cfg(test)]
mod tests;
