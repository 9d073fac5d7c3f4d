//! The threads that guests run on. A guest may use its thread for as long as its CPU deadline, so
//! these are not the threads that serve sockets.

use std::collections::VecDeque;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::{Arc, Condvar, Mutex, PoisonError};

/// Something with work to do, a little at a time.
pub(crate) trait Job: Send + Sync {
    /// Does one piece. True when the job wants to be queued again, behind the others.
    fn run_once(self: Arc<Self>) -> bool;

    /// The piece panicked; the job is not queued again.
    fn broke(&self, what: &str);
}

#[derive(Default)]
struct Queue {
    jobs: VecDeque<Arc<dyn Job>>,
    stop: bool,
}

#[derive(Default)]
struct Shared {
    queue: Mutex<Queue>,
    rung: Condvar,
}

/// A fixed number of threads with one queue. Cheap to clone; the threads end with the last clone.
#[derive(Clone)]
pub(crate) struct Pool {
    shared: Arc<Shared>,
    _end: Arc<End>,
}

struct End(Arc<Shared>);

impl Drop for End {
    fn drop(&mut self) {
        lock(&self.0).stop = true;
        self.0.rung.notify_all();
    }
}

fn lock(shared: &Shared) -> std::sync::MutexGuard<'_, Queue> {
    shared.queue.lock().unwrap_or_else(PoisonError::into_inner)
}

impl Pool {
    /// Starts the threads.
    ///
    /// # Errors
    /// The system gives none.
    pub(crate) fn new(threads: usize) -> std::io::Result<Self> {
        let shared = Arc::new(Shared::default());
        for index in 0..threads.max(1) {
            let shared = Arc::clone(&shared);
            std::thread::Builder::new()
                .name(format!("prx-guest-{index}"))
                .spawn(move || work(&shared))?;
        }
        Ok(Self {
            _end: Arc::new(End(Arc::clone(&shared))),
            shared,
        })
    }

    /// Queues a job.
    pub(crate) fn submit(&self, job: Arc<dyn Job>) {
        lock(&self.shared).jobs.push_back(job);
        self.shared.rung.notify_one();
    }
}

fn work(shared: &Shared) {
    while let Some(job) = next(shared) {
        let running = Arc::clone(&job);
        match catch_unwind(AssertUnwindSafe(|| running.run_once())) {
            // Nobody is woken: this thread takes the next job in a moment, be it this one or one before it, and
            // for each of the others somebody was woken when it was queued.
            Ok(true) => lock(shared).jobs.push_back(job),
            Ok(false) => {}
            Err(panic) => {
                let text = panic.downcast_ref::<&str>().map(|s| (*s).to_owned());
                let text = text.or_else(|| panic.downcast_ref::<String>().cloned());
                job.broke(text.as_deref().unwrap_or("a panic without a message"));
            }
        }
    }
}

fn next(shared: &Shared) -> Option<Arc<dyn Job>> {
    let mut queue = lock(shared);
    loop {
        if queue.stop {
            return None;
        }
        if let Some(job) = queue.jobs.pop_front() {
            return Some(job);
        }
        queue = shared
            .rung
            .wait(queue)
            .unwrap_or_else(PoisonError::into_inner);
    }
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::{AtomicUsize, Ordering};
    use std::sync::mpsc;

    use super::*;

    struct Counting {
        name: char,
        left: AtomicUsize,
        log: mpsc::Sender<char>,
    }

    impl Job for Counting {
        fn run_once(self: Arc<Self>) -> bool {
            self.log.send(self.name).unwrap();
            assert!(self.name != 'x', "told to");
            self.left.fetch_sub(1, Ordering::Relaxed) > 1
        }

        fn broke(&self, what: &str) {
            assert_eq!(what, "told to");
            self.log.send('!').unwrap();
        }
    }

    #[test]
    fn all_jobs_come_to_their_end_though_nobody_is_woken_for_one_that_goes_on() {
        let pool = Pool::new(3).unwrap();
        let (log, order) = mpsc::channel();
        for _ in 0..50 {
            let left = AtomicUsize::new(20);
            let (name, log) = ('a', log.clone());
            pool.submit(Arc::new(Counting { name, left, log }));
        }
        let patience = std::time::Duration::from_secs(60);
        for piece in 0..50 * 20 {
            assert!(order.recv_timeout(patience).is_ok(), "stuck after {piece}");
        }
    }

    #[test]
    fn a_busy_job_lets_the_others_take_their_turn() {
        let (log, order) = mpsc::channel();
        let shared = Shared::default();
        for name in ['a', 'b', 'x'] {
            let left = AtomicUsize::new(2);
            let log = log.clone();
            lock(&shared)
                .jobs
                .push_back(Arc::new(Counting { name, left, log }));
        }
        std::thread::scope(|scope| {
            scope.spawn(|| work(&shared));
            let seen: Vec<char> = order.iter().take(6).collect();
            assert_eq!(seen, ['a', 'b', 'x', '!', 'a', 'b']);
            lock(&shared).stop = true;
            shared.rung.notify_all();
        });
    }
}
