//! Work that keeps a core busy for long, such as a digest of a large file: beside the threads that serve sockets and guests,
//! and never more of it at once than leaves room for them.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use tokio::sync::Semaphore;

/// Says to work that nobody waits for it any more.
#[derive(Debug, Clone, Default)]
pub(crate) struct Cancelled(Arc<AtomicBool>);

impl Cancelled {
    /// True once nobody waits.
    pub(crate) fn get(&self) -> bool {
        self.0.load(Ordering::Relaxed)
    }
}

struct OnDrop(Cancelled);

impl Drop for OnDrop {
    fn drop(&mut self) {
        self.0.0.store(true, Ordering::Relaxed);
    }
}

/// The places for such work, of a whole process. Cheap to clone.
#[derive(Debug, Clone)]
pub(crate) struct Workers {
    places: Arc<Semaphore>,
}

impl Workers {
    /// So many at once, at least one.
    pub(crate) fn new(places: usize) -> Self {
        Self {
            places: Arc::new(Semaphore::new(places.max(1))),
        }
    }

    /// Waits for a place and does it there. When this is dropped the work is told; it keeps its place until it has ended.
    pub(crate) async fn run<T: Default + Send + 'static>(
        &self,
        work: impl FnOnce(&Cancelled) -> T + Send + 'static,
    ) -> T {
        // Closed never, so there is always a place in the end.
        let place = Arc::clone(&self.places).acquire_owned().await;
        let cancelled = Cancelled::default();
        let _told = OnDrop(cancelled.clone());
        let done = tokio::task::spawn_blocking(move || {
            let _place = place;
            work(&cancelled)
        });
        // Broken work has no result.
        done.await.unwrap_or_default()
    }
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::AtomicUsize;

    use super::*;

    #[tokio::test(flavor = "multi_thread")]
    async fn never_more_at_once_than_there_are_places_and_all_come_to_their_end() {
        let workers = Workers::new(2);
        let (now, most) = (Arc::new(AtomicUsize::new(0)), Arc::new(AtomicUsize::new(0)));
        let all = (0..40).map(|_| {
            let (now, most) = (Arc::clone(&now), Arc::clone(&most));
            workers.run(move |_| {
                most.fetch_max(now.fetch_add(1, Ordering::SeqCst) + 1, Ordering::SeqCst);
                std::thread::yield_now();
                now.fetch_sub(1, Ordering::SeqCst);
                1
            })
        });
        let done: Vec<i32> = futures_util::future::join_all(all).await;
        assert_eq!(done.into_iter().sum::<i32>(), 40);
        assert!(most.load(Ordering::SeqCst) <= 2);
    }

    #[tokio::test(flavor = "multi_thread")]
    async fn work_that_nobody_waits_for_is_told_and_gives_its_place_back() {
        let workers = Workers::new(1);
        let (begun, on_begun) = tokio::sync::oneshot::channel();
        let endless = workers.clone();
        let task = tokio::spawn(async move {
            let work = |cancelled: &Cancelled| {
                begun.send(()).unwrap();
                while !cancelled.get() {
                    std::thread::yield_now();
                }
            };
            endless.run(work).await;
        });
        on_begun.await.unwrap();
        task.abort();
        assert_eq!(workers.run(|_| 7).await, 7);
    }
}
