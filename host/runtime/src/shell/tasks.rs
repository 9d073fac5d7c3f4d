//! What a channel has running all the time: its timer, and an ear at the store.

use std::sync::Arc;
use std::sync::atomic::Ordering;

use tokio::sync::watch;

use super::Channel;
use crate::actor::Input;

/// Sleeps until the core's next due moment; no polling.
pub(super) fn spawn_timer(channel: &Arc<Channel>) {
    let mut due = channel.due.subscribe();
    let channel_of_task = Arc::clone(channel);
    let run = async move {
        let channel = channel_of_task;
        loop {
            let next = *due.borrow_and_update();
            let wait = async {
                match next {
                    Some(mono_ms) => {
                        tokio::time::sleep_until(channel.parts.clock.tokio(mono_ms)).await
                    }
                    None => std::future::pending().await,
                }
            };
            tokio::select! {
                () = channel.stop.cancelled() => return,
                changed = due.changed() => if changed.is_err() { return },
                () = wait => {
                    if !channel.tick_queued.swap(true, Ordering::AcqRel) {
                        channel.push(Input::Tick);
                    }
                    // The step that takes the tick says when the next one is due.
                    tokio::select! {
                        () = channel.stop.cancelled() => return,
                        changed = due.changed() => if changed.is_err() { return },
                    }
                }
            }
        }
    };
    channel.tasks.spawn_on(run, &channel.parts.tokio);
}

/// Tells the timer's task when the next tick is due. After a tick it waits for that word, whatever it is; at all
/// other times it is woken only when the moment is another.
pub(super) fn say_due(due: &watch::Sender<Option<u64>>, next: Option<u64>, ticked: bool) {
    due.send_if_modified(|known| {
        let differs = *known != next;
        *known = next;
        differs || ticked
    });
}

/// Tells the core when commits begin to fail, and when they work again.
pub(super) fn spawn_store_watch(channel: &Arc<Channel>) {
    let Some(store) = channel.store() else { return };
    let mut trouble = store.trouble();
    drop(store);
    let channel_of_task = Arc::clone(channel);
    let run = async move {
        let channel = channel_of_task;
        loop {
            let now = trouble.borrow_and_update().clone();
            channel.push(Input::Store(now.map_or(Ok(()), Err)));
            tokio::select! {
                () = channel.stop.cancelled() => return,
                changed = trouble.changed() => if changed.is_err() { return },
            }
        }
    };
    channel.tasks.spawn_on(run, &channel.parts.tokio);
}

#[cfg(test)]
mod tests {
    use tokio::sync::watch;

    use super::say_due;

    #[test]
    fn the_timer_is_woken_by_another_moment_and_after_each_tick() {
        let (due, mut heard) = watch::channel(None);
        for (next, ticked, wakes) in [
            (Some(5), false, true),
            (Some(5), false, false),
            (Some(5), true, true),
            (Some(7), false, true),
            (None, false, true),
            (None, false, false),
        ] {
            say_due(&due, next, ticked);
            assert_eq!(heard.has_changed().unwrap(), wakes, "{next:?} {ticked}");
            assert_eq!(*heard.borrow_and_update(), next);
        }
    }
}
