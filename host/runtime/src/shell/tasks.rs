//! What a channel has running all the time: its timer, and an ear at the store.

use std::sync::Arc;
use std::sync::atomic::Ordering;

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
