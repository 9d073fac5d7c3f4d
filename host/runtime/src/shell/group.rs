//! A channel's turn on a thread of the pool: the inputs that wait, one after the other, and one commit for all of them.
//!
//! A commit costs more than the event that wants it. So what waits for one waits a little longer, for the events behind
//! it, while there are any; and whatever comes after it in their commands waits with it, so that the order stays.

use std::panic::AssertUnwindSafe;
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::{Duration, Instant};

use super::{Channel, locked, tasks};
use crate::actor::{Change, Command, Input};

/// Another channel gets the thread after so long, and what waits for the commit goes its way.
const SLICE: Duration = Duration::from_millis(1);
/// Inputs of one turn.
const MAX_INPUTS: usize = 64;

/// A commit that was not made yet, and what waits for it.
#[derive(Debug, Default)]
struct Held {
    changes: Vec<Change>,
    waiting: Vec<(Command, Instant)>,
}

impl Held {
    /// Takes the commands of one step. What may be carried out now comes back.
    fn take(held: &mut Option<Self>, commands: Vec<Command>, began: Instant) -> Vec<Command> {
        let mut now = Vec::new();
        for command in commands {
            match (held.as_mut(), command) {
                (None, Command::Commit(changes)) => {
                    let waiting = Vec::new();
                    *held = Some(Self { changes, waiting });
                }
                (None, command) => now.push(command),
                (Some(held), Command::Commit(more)) => held.changes.extend(more),
                (Some(held), command) => held.waiting.push((command, began)),
            }
        }
        now
    }
}

/// What a turn of the channel owes to the world. It is paid when this goes; the commit also when the host itself breaks
/// in a later step.
struct Owed<'a> {
    channel: &'a Arc<Channel>,
    held: Option<Held>,
    began: Instant,
}

impl Drop for Owed<'_> {
    fn drop(&mut self) {
        let Some(Held { changes, waiting }) = self.held.take() else {
            return;
        };
        let commit = || self.channel.execute(Command::Commit(changes), self.began);
        if std::thread::panicking() {
            // A second panic would take the whole process down. What waits for the commit is done by whoever starts the
            // channel again, as after a kill.
            drop(std::panic::catch_unwind(AssertUnwindSafe(commit)));
            return;
        }
        commit();
        for (command, step) in waiting {
            self.channel.execute(command, step);
        }
    }
}

impl Channel {
    /// Takes inputs from the queue. True when there may be more.
    pub(super) fn take_turn(self: &Arc<Self>) -> bool {
        let began = Instant::now();
        let mut owed = Owed {
            channel: self,
            held: None,
            began,
        };
        let (mut due, mut ticked) = (None, false);
        for _ in 0..MAX_INPUTS {
            let Some(input) = self.next_input(owed.held.is_some()) else {
                break;
            };
            ticked |= matches!(input, Input::Tick);
            let step = Instant::now();
            let commands = self.step(input, &mut due);
            for command in Held::take(&mut owed.held, commands, step) {
                self.execute(command, step);
            }
            if owed.held.is_none() || began.elapsed() >= SLICE {
                break;
            }
        }
        drop(owed);
        if let Some(due) = due {
            tasks::say_due(&self.due, due, ticked);
        }
        self.has_input() || !self.leave()
    }

    /// The next input; none when there is none, or when it is not one to wait for with a commit that is due.
    fn next_input(&self, waited_for: bool) -> Option<Input> {
        let mut inbox = locked(&self.inbox);
        if self.stop.is_cancelled() {
            inbox.clear();
        }
        if waited_for && !inbox.front().is_some_and(|next| is_event(&next.input)) {
            return None;
        }
        let queued = inbox.pop_front()?;
        drop(inbox);
        if matches!(queued.input, Input::Tick) {
            self.tick_queued.store(false, Ordering::Release);
        }
        Some(queued.input)
    }

    fn step(&self, input: Input, due: &mut Option<Option<u64>>) -> Vec<Command> {
        let mut actor = locked(&self.actor);
        let commands = actor.step(self.parts.clock.now(), input);
        self.stats.stepped(actor.usage(), actor.generation());
        *due = Some(actor.next_due());
        let retired = actor.take_retired();
        drop(actor);
        if !retired.is_empty() {
            // Beside the channel: it takes up to a millisecond.
            drop(self.parts.tokio.spawn_blocking(move || drop(retired)));
        }
        commands
    }

    fn has_input(&self) -> bool {
        !locked(&self.inbox).is_empty()
    }

    /// Leaves the pool; false when something has come meanwhile, so that it stays.
    fn leave(&self) -> bool {
        self.scheduled.store(false, Ordering::Release);
        !self.has_input() || self.scheduled.swap(true, Ordering::AcqRel)
    }
}

/// True for what happens in the world while a channel runs. All else begins or changes its life, and takes long.
fn is_event(input: &Input) -> bool {
    match input {
        Input::Tick
        | Input::SocketOpened(_)
        | Input::SocketText(_)
        | Input::SocketBinary(_)
        | Input::SocketClosed(_)
        | Input::HttpDone(_)
        | Input::Entropy(_)
        | Input::BlobMade(_)
        | Input::DigestDone(_)
        | Input::Turn(_) => true,
        Input::Boot(_)
        | Input::Operator(_)
        | Input::Reload(_)
        | Input::Swap(_)
        | Input::Record(_)
        | Input::Store(_)
        | Input::Extension(_) => false,
    }
}

#[cfg(test)]
mod tests {
    use bytes::Bytes;

    use super::*;

    fn commit(key: &str) -> Command {
        let (key, value) = (key.to_owned(), Bytes::new());
        Command::Commit(vec![Change::Put { key, value }])
    }

    fn keys(changes: &[Change]) -> Vec<&str> {
        changes.iter().map(Change::key).collect()
    }

    #[test]
    fn all_that_follows_a_commit_waits_for_the_one_commit_of_all_and_keeps_its_order() {
        let (mut held, began) = (None, Instant::now());
        let now = Held::take(&mut held, vec![Command::BlobDrop(1)], began);
        assert!(matches!(now[..], [Command::BlobDrop(1)]) && held.is_none());
        let first = vec![Command::BlobDrop(2), commit("a"), Command::BlobDrop(3)];
        let now = Held::take(&mut held, first, began);
        assert!(matches!(now[..], [Command::BlobDrop(2)]));
        let second = vec![Command::BlobDrop(4), commit("b"), Command::BlobDrop(5)];
        assert!(Held::take(&mut held, second, began).is_empty());
        let held = held.unwrap();
        assert_eq!(keys(&held.changes), ["a", "b"]);
        let waiting: Vec<_> = held.waiting.iter().map(|(command, _)| command).collect();
        assert!(matches!(
            waiting[..],
            [
                Command::BlobDrop(3),
                Command::BlobDrop(4),
                Command::BlobDrop(5)
            ]
        ));
    }
}
