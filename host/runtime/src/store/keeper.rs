//! The background thread of the store: brings what was committed into the entries, and SQLite's own log into the
//! database file, with the fsync; and tries again what could not be committed. It sleeps until there is something to do.

use std::path::{Path, PathBuf};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::thread::JoinHandle;
use std::time::Duration;

use super::{Shared, StoreError, schema};

/// What has been committed is on the disk itself after so long at the latest.
const SYNC_AFTER: Duration = Duration::from_secs(2);
/// Or after so many bytes; the log is read at each start, so it is kept short.
const SYNC_AFTER_BYTES: usize = 4 << 20;
/// SQLite begins its log anew only when all of it is in the file, which a busy channel never lets happen. From this
/// length on it is made to: commits wait for that, about as long as for two fsyncs.
const LONGEST_LOG_BYTES: u64 = 32 << 20;
/// Between two looks at the state directory.
const LOOK_EVERY: Duration = Duration::from_secs(2);
/// Between two tries to commit what could not be committed.
const RETRY_AFTER: Duration = Duration::from_secs(1);

#[derive(Default)]
struct Todo {
    bytes: usize,
    dirty: bool,
    stop: bool,
}

struct Bell {
    todo: Mutex<Todo>,
    rung: Condvar,
}

/// Ends its thread when dropped.
pub(super) struct Keeper {
    bell: Arc<Bell>,
    thread: Option<JoinHandle<()>>,
}

impl Keeper {
    pub(super) fn start(shared: Arc<Shared>) -> Result<Self, StoreError> {
        let bell = Arc::new(Bell {
            todo: Mutex::default(),
            rung: Condvar::new(),
        });
        let dir = shared.dir.display().to_string();
        let mut file = Beside::of(&shared)?;
        let run = {
            let bell = Arc::clone(&bell);
            move || keep(&bell, &shared, &mut file)
        };
        let thread = std::thread::Builder::new()
            .name("prx-store".into())
            .spawn(run)
            .map_err(|cause| StoreError::Directory { path: dir, cause })?;
        Ok(Self {
            bell,
            thread: Some(thread),
        })
    }

    /// Something was committed, or could not be.
    pub(super) fn committed(&self, bytes: usize) {
        let mut todo = self.bell.lock();
        todo.bytes = todo.bytes.saturating_add(bytes);
        let first = !std::mem::replace(&mut todo.dirty, true);
        if first || todo.bytes >= SYNC_AFTER_BYTES {
            self.bell.rung.notify_one();
        }
    }
}

impl Drop for Keeper {
    fn drop(&mut self) {
        self.bell.lock().stop = true;
        self.bell.rung.notify_one();
        if let Some(thread) = self.thread.take() {
            // It has nothing to return; a panic in it has been printed by then.
            let _ = thread.join();
        }
    }
}

impl Bell {
    fn lock(&self) -> MutexGuard<'_, Todo> {
        self.todo.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Waits for work, or until it is time to look at the folder.
    fn wait(&self) -> Wake {
        let idle = |todo: &mut Todo| !todo.dirty && !todo.stop;
        let waited = self.rung.wait_timeout_while(self.lock(), LOOK_EVERY, idle);
        let (todo, _) = waited.unwrap_or_else(PoisonError::into_inner);
        if !todo.dirty && !todo.stop {
            return Wake::Look;
        }
        // Gather more, so that one fsync serves many commits.
        let enough = |todo: &mut Todo| !todo.stop && todo.bytes < SYNC_AFTER_BYTES;
        let waited = self.rung.wait_timeout_while(todo, SYNC_AFTER, enough);
        let (mut todo, _) = waited.unwrap_or_else(PoisonError::into_inner);
        todo.dirty = false;
        todo.bytes = 0;
        Wake::Work { stop: todo.stop }
    }

    fn pause(&self, time: Duration) -> bool {
        let todo = self.lock();
        let waited = self.rung.wait_timeout_while(todo, time, |todo| !todo.stop);
        let (todo, _) = waited.unwrap_or_else(PoisonError::into_inner);
        todo.stop
    }
}

/// Why the thread is awake.
enum Wake {
    Look,
    Work { stop: bool },
}

/// A connection of this thread's own to the file that is stored in.
struct Beside {
    path: PathBuf,
    connection: rusqlite::Connection,
}

impl Beside {
    /// None while nothing is kept.
    fn of(shared: &Shared) -> Result<Option<Self>, rusqlite::Error> {
        let Some(path) = shared.file() else {
            return Ok(None);
        };
        let connection = schema::connect(&path)?;
        // Whoever else reads the file is not waited for: commits would wait as well.
        connection.busy_timeout(Duration::from_millis(50))?;
        Ok(Some(Self { path, connection }))
    }
}

fn keep(bell: &Bell, shared: &Shared, file: &mut Option<Beside>) {
    // Said once, until it is over.
    let mut told = false;
    loop {
        let wake = bell.wait();
        shared.look();
        let Wake::Work { stop } = wake else { continue };
        let mut stop_retrying = stop;
        while shared.has_backlog() && !flushed(shared) && !stop_retrying {
            stop_retrying = bell.pause(RETRY_AFTER);
        }
        while let Err(error) = shared.fold() {
            tracing::warn!(%error, "what was committed could not be brought into the store's entries; it is tried again");
            if stop || bell.pause(RETRY_AFTER) {
                break;
            }
        }
        if file.is_none() {
            // Since the disk takes what is stored; the next work tries it again.
            *file = Beside::of(shared).unwrap_or_default();
        }
        let synced = match &file {
            Some(file) => sync(shared, file, stop),
            None => Ok(Log::Short),
        };
        match synced {
            Ok(Log::Short) => told = false,
            // A last one is read by the next process, whatever its length.
            Ok(Log::Kept { bytes }) if !stop && !std::mem::replace(&mut told, true) => {
                let mib = bytes >> 20;
                tracing::warn!(
                    mib,
                    "the store's log grows: another program has store.db open and reads in it; end that one"
                );
            }
            Ok(Log::Kept { .. }) => {}
            Err(error) => {
                tracing::warn!(%error, "the store's log could not be brought into its file; it is tried again with the next commit");
            }
        }
        if stop {
            return;
        }
    }
}

/// What became of SQLite's log.
#[derive(Debug, PartialEq, Eq)]
enum Log {
    /// It is short enough to be left as it is, or was begun anew.
    Short,
    /// It is as long as this, and somebody else who has the file open keeps it so.
    Kept { bytes: u64 },
}

/// Brings SQLite's log into the file, with the fsync, and begins it anew where it has become long, or is the last.
fn sync(shared: &Shared, file: &Beside, last: bool) -> Result<Log, rusqlite::Error> {
    // SQLite's first value: whether somebody was in the way.
    let checkpoint = |mode: &str| {
        let pragma = format!("PRAGMA wal_checkpoint({mode})");
        file.connection
            .query_row(&pragma, [], |row| row.get::<_, bool>(0))
    };
    // Most of it beside the commits that go on.
    checkpoint("PASSIVE")?;
    let bytes = std::fs::metadata(log_of(&file.path)).map_or(0, |log| log.len());
    if !last && bytes <= LONGEST_LOG_BYTES {
        return Ok(Log::Short);
    }
    let _nobody_commits = shared.lock();
    Ok(match checkpoint("TRUNCATE")? {
        true => Log::Kept { bytes },
        false => Log::Short,
    })
}

/// SQLite's own log of a database file.
fn log_of(path: &Path) -> PathBuf {
    let mut name = path.as_os_str().to_owned();
    name.push("-wal");
    name.into()
}

fn flushed(shared: &Shared) -> bool {
    let mut inner = shared.lock();
    shared.flush(&mut inner).is_ok()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::actor::Change;
    use crate::store::{STORE_FILE, Store};

    /// A store without a keeper, which would bring its log into the file at moments of its own.
    fn without_keeper(dir: &Path) -> (Shared, Beside) {
        let shared = Shared::open(dir).unwrap();
        let file = Beside::of(&shared).unwrap().unwrap();
        file.connection.busy_timeout(Duration::ZERO).unwrap();
        (shared, file)
    }

    fn commit_a_mebibyte(shared: &Shared, n: u64) {
        let (key, value) = (format!("k{n}"), vec![7; 1 << 20].into());
        shared.commit("a", &[Change::Put { key, value }]).unwrap();
    }

    fn log_bytes(shared: &Shared) -> u64 {
        std::fs::metadata(log_of(&shared.file().unwrap()))
            .unwrap()
            .len()
    }

    #[test]
    fn a_log_that_has_become_long_is_begun_anew_though_commits_go_on() {
        let dir = tempfile::tempdir().unwrap();
        let (shared, file) = without_keeper(dir.path());
        // One that reads keeps SQLite from beginning its log anew, as the commits of a busy channel do.
        let reader = schema::connect(&file.path).unwrap();
        reader.execute_batch("BEGIN").unwrap();
        let count = |_: &rusqlite::Row<'_>| Ok(());
        reader
            .query_row("SELECT count(*) FROM log", [], count)
            .unwrap();
        for n in 0..=LONGEST_LOG_BYTES >> 20 {
            commit_a_mebibyte(&shared, n);
        }
        let bytes = log_bytes(&shared);
        assert!(bytes > LONGEST_LOG_BYTES);
        let kept = sync(&shared, &file, false).unwrap();
        assert_eq!(kept, Log::Kept { bytes }, "as long as it is read");
        reader.execute_batch("COMMIT").unwrap();
        assert_eq!(sync(&shared, &file, false).unwrap(), Log::Short);
        assert_eq!(log_bytes(&shared), 0);
        commit_a_mebibyte(&shared, 0);
        assert_eq!(sync(&shared, &file, false).unwrap(), Log::Short);
        assert!(log_bytes(&shared) > 0, "a short one is left as it is");
    }

    #[test]
    fn what_was_deleted_is_not_readable_in_the_file_any_more() {
        let dir = tempfile::tempdir().unwrap();
        let store = Store::open(dir.path()).unwrap();
        let put = |key: &str, value: &str| Change::Put {
            key: key.into(),
            value: value.as_bytes().to_vec().into(),
        };
        store
            .commit("a", &[put("k", "taken back"), put("other", "stays")])
            .unwrap();
        store
            .commit("a", &[Change::Delete { key: "k".into() }])
            .unwrap();
        drop(store);
        let file = std::fs::read(dir.path().join(STORE_FILE)).unwrap();
        let holds = |text: &str| file.windows(text.len()).any(|part| part == text.as_bytes());
        assert!(holds("stays") && !holds("taken back"));
    }
}
