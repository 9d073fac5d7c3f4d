//! What outlives the process: histories, and which turns ran a tool that did something.
//!
//! A file of its own beside the channels' store. Histories are written behind by a thread, the last
//! state of each line only; what a tool is about to do is written before it is done.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use prx_host::bindings::v0_1::TurnId;
use prx_host::store::schema::{self, Schema};
use prx_host::store::{StoreCopy, StoreError};
use rusqlite::{Connection, OptionalExtension, params};

use super::{Exchange, Key, Said, now_ms};

/// File name of the database inside the state directory.
pub const HISTORY_FILE: &str = "agent.sqlite3";
/// "prxa".
const SCHEMA: Schema = Schema {
    application_id: 0x7072_7861,
    migrations: &["CREATE TABLE said (
        number INTEGER PRIMARY KEY NOT NULL, channel TEXT NOT NULL, conversation TEXT NOT NULL,
        sender TEXT NOT NULL, at_ms INTEGER NOT NULL, turn INTEGER, message TEXT,
        asked TEXT NOT NULL, answered TEXT, lost TEXT
     );
     CREATE INDEX said_by_time ON said (at_ms);
     CREATE TABLE acted (
        channel TEXT NOT NULL, turn INTEGER NOT NULL, message TEXT NOT NULL, tool TEXT NOT NULL,
        at_ms INTEGER NOT NULL, PRIMARY KEY (channel, turn, message)
     );"],
    check: None,
};
/// Lines that wait for a disk that does not answer; the oldest of more are not remembered.
const MAX_WAITING: usize = 50_000;
/// What comes within so long is written together: most lines change more than once in a moment.
const GATHER: Duration = Duration::from_millis(100);
/// Between two tries to write what could not be written.
const RETRY_AFTER: Duration = Duration::from_secs(1);
/// What has been committed is on the disk itself after so long.
const SYNC_AFTER: Duration = Duration::from_secs(2);
/// Between two looks for what has been kept long enough.
const SWEEP_EVERY: Duration = Duration::from_secs(3600);

/// One line of a conversation, as it is stored.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Row {
    pub(crate) number: u64,
    pub(crate) key: Key,
    pub(crate) sender: String,
    pub(crate) at_ms: u64,
    pub(crate) said: Said,
}

/// The file, or nothing. Cheap to clone.
#[derive(Debug, Clone)]
pub(crate) struct Archive(Option<Arc<Writer>>);

/// Ends its thread when dropped, once everything is written.
#[derive(Debug)]
struct Writer {
    shared: Arc<Shared>,
    thread: Mutex<Option<JoinHandle<()>>>,
}

#[derive(Debug)]
struct Shared {
    connection: Mutex<Connection>,
    todo: Mutex<Todo>,
    rung: Condvar,
    retention: Duration,
    path: PathBuf,
}

#[derive(Debug, Default)]
struct Todo {
    /// By number; nothing where the line is to go.
    changes: BTreeMap<u64, Option<Row>>,
    /// Some are being written right now.
    busy: bool,
    /// How many wait for everything to be written.
    awaited: usize,
    stop: bool,
}

impl Archive {
    /// Remembers nothing.
    pub(crate) fn none() -> Self {
        Self(None)
    }

    /// Opens the file of a state directory, or makes one, and reads what is in it.
    pub(crate) fn open(dir: &Path, retention: Duration) -> Result<(Self, Vec<Row>), StoreError> {
        let (connection, path) = open(dir)?;
        expire(&connection, retention)?;
        let rows = read(&connection)?;
        let shared = Arc::new(Shared {
            connection: Mutex::new(connection),
            todo: Mutex::default(),
            rung: Condvar::new(),
            retention,
            path,
        });
        let run = {
            let shared = Arc::clone(&shared);
            move || shared.run()
        };
        let thread = std::thread::Builder::new().name("prx-agent-store".into());
        let thread = thread.spawn(run).map_err(|cause| StoreError::Directory {
            path: dir.display().to_string(),
            cause,
        })?;
        let thread = Mutex::new(Some(thread));
        Ok((Self(Some(Arc::new(Writer { shared, thread }))), rows))
    }

    /// Reads what is in the file of a state directory that cannot be written to, as far as it can be read.
    pub(crate) fn look(dir: &Path) -> Vec<Row> {
        let read = StoreCopy::of_file(dir, HISTORY_FILE).and_then(|copy| {
            let (connection, _) = schema::open(&copy.dir().join(HISTORY_FILE), &SCHEMA)?;
            read(&connection)
        });
        read.unwrap_or_else(|error| {
            tracing::error!(%error, "what was said before cannot be read");
            Vec::new()
        })
    }

    /// Writes a line, soon.
    pub(crate) fn put(&self, row: Row) {
        self.change([(row.number, Some(row))]);
    }

    /// Removes lines, soon.
    pub(crate) fn delete(&self, numbers: impl IntoIterator<Item = u64>) {
        self.change(numbers.into_iter().map(|number| (number, None)));
    }

    fn change(&self, changes: impl IntoIterator<Item = (u64, Option<Row>)>) {
        let Some(writer) = &self.0 else { return };
        let mut todo = locked(&writer.shared.todo);
        let first = todo.changes.is_empty();
        todo.changes.extend(changes);
        while todo.changes.len() > MAX_WAITING {
            todo.changes.pop_first();
        }
        if first {
            writer.shared.rung.notify_all();
        }
    }

    /// Waits until everything is written, or for so long. False when it is not.
    pub(crate) fn flush(&self, patience: Duration) -> bool {
        let Some(writer) = &self.0 else { return true };
        let until = Instant::now() + patience;
        let mut todo = locked(&writer.shared.todo);
        todo.awaited += 1;
        writer.shared.rung.notify_all();
        let left = until.saturating_duration_since(Instant::now());
        let unwritten = |todo: &mut Todo| todo.busy || !todo.changes.is_empty();
        let waited = writer.shared.rung.wait_timeout_while(todo, left, unwritten);
        let (mut todo, waited) = waited.unwrap_or_else(PoisonError::into_inner);
        todo.awaited -= 1;
        !waited.timed_out()
    }

    /// A tool that does something is about to run for this turn. On return it is remembered, so that
    /// a kill of the process at any later moment does not lead to its running again.
    pub(crate) fn acts(&self, at: Act<'_>, tool: &str) -> Result<(), StoreError> {
        let Some(writer) = &self.0 else { return Ok(()) };
        let connection = locked(&writer.shared.connection);
        connection.execute(
            "INSERT OR REPLACE INTO acted (channel, turn, message, tool, at_ms) VALUES (?1, ?2, ?3, ?4, ?5)",
            params![at.channel, bits(at.turn), at.message, tool, bits(now_ms())],
        )?;
        Ok(())
    }

    /// The last tool that ran for an earlier attempt of this turn and does something.
    pub(crate) fn acted(&self, at: Act<'_>) -> Result<Option<String>, StoreError> {
        let Some(writer) = &self.0 else {
            return Ok(None);
        };
        let connection = locked(&writer.shared.connection);
        let tool = connection.query_row(
            "SELECT tool FROM acted WHERE channel = ?1 AND turn = ?2 AND message = ?3",
            params![at.channel, bits(at.turn), at.message],
            |row| row.get(0),
        );
        Ok(tool.optional()?)
    }
}

/// A turn, as it is told apart from all others that ever were.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Act<'a> {
    pub(crate) channel: &'a str,
    pub(crate) turn: TurnId,
    pub(crate) message: &'a str,
}

impl Drop for Writer {
    fn drop(&mut self) {
        locked(&self.shared.todo).stop = true;
        self.shared.rung.notify_all();
        if let Some(thread) = locked(&self.thread).take() {
            // It has nothing to return; a panic in it has been printed by then.
            let _ = thread.join();
        }
    }
}

impl Shared {
    fn run(&self) {
        let (mut failing, mut synced) = (false, None);
        loop {
            let patience = match (failing, synced) {
                (true, _) => RETRY_AFTER,
                (false, None) => SWEEP_EVERY,
                (false, Some(_)) => SYNC_AFTER,
            };
            let (changes, stop) = self.next(failing, patience);
            let written = self.write(&changes, stop, &mut synced);
            let path = self.path.display();
            match &written {
                Err(error) if !failing => tracing::warn!(
                    "histories cannot be written to {path}: {error}; look for a full disk; it is tried again"
                ),
                Ok(()) if failing => tracing::info!("histories are written to {path} again"),
                Ok(()) | Err(_) => {}
            }
            failing = written.is_err();
            let mut todo = locked(&self.todo);
            todo.busy = false;
            if failing {
                // What came meanwhile is newer.
                for (number, row) in changes {
                    todo.changes.entry(number).or_insert(row);
                }
            }
            self.rung.notify_all();
            if stop {
                return;
            }
        }
    }

    /// Waits for work, and takes it.
    fn next(&self, failing: bool, patience: Duration) -> (BTreeMap<u64, Option<Row>>, bool) {
        let todo = locked(&self.todo);
        let idle = |todo: &mut Todo| !todo.stop && (failing || todo.changes.is_empty());
        let waited = self.rung.wait_timeout_while(todo, patience, idle);
        let (mut todo, _) = waited.unwrap_or_else(PoisonError::into_inner);
        if !todo.changes.is_empty() {
            let more = |todo: &mut Todo| !todo.stop && todo.awaited == 0;
            let waited = self.rung.wait_timeout_while(todo, GATHER, more);
            (todo, _) = waited.unwrap_or_else(PoisonError::into_inner);
        }
        todo.busy = true;
        (std::mem::take(&mut todo.changes), todo.stop)
    }

    /// Commits at once, which survives a kill, and brings it to the disk itself every now and then.
    /// `since` is when the first change was committed that is not there yet.
    fn write(
        &self,
        changes: &BTreeMap<u64, Option<Row>>,
        stop: bool,
        since: &mut Option<Instant>,
    ) -> rusqlite::Result<()> {
        let connection = locked(&self.connection);
        if !changes.is_empty() {
            write(&connection, changes)?;
            since.get_or_insert_with(Instant::now);
        }
        let enough = since.is_none_or(|since| since.elapsed() >= SYNC_AFTER);
        if stop || changes.is_empty() || enough {
            expire(&connection, self.retention)?;
            checkpoint(&connection, stop)?;
            *since = None;
        }
        Ok(())
    }
}

/// Forgets a person in the file of a state directory whose agent does not run. Returns how many
/// messages there were.
///
/// # Errors
/// The file cannot be used.
pub fn forget_sender(dir: &Path, channel: &str, sender: &str) -> Result<usize, StoreError> {
    let (connection, _) = open(dir)?;
    let gone = connection.execute(
        "DELETE FROM said WHERE channel = ?1 AND sender = ?2",
        params![channel, sender],
    )?;
    checkpoint(&connection, true)?;
    Ok(gone)
}

fn open(dir: &Path) -> Result<(Connection, PathBuf), StoreError> {
    let path = prx_host::files::private_dir(dir)?.join(HISTORY_FILE);
    let (connection, set_aside) = schema::open(&path, &SCHEMA)?;
    if let Some(aside) = set_aside {
        let aside = aside.display();
        tracing::error!(
            "{} was damaged; it is kept as {aside}, and histories begin anew",
            path.display()
        );
    }
    Ok((connection, path))
}

fn read(connection: &Connection) -> Result<Vec<Row>, StoreError> {
    let mut statement = connection.prepare(
        "SELECT number, channel, conversation, sender, at_ms, turn, message, asked, answered, lost
         FROM said ORDER BY number",
    )?;
    let rows = statement.query_map([], |row| {
        let turn: Option<i64> = row.get(5)?;
        let asked: String = row.get(7)?;
        let said = match turn {
            None => Said::Aside(asked.into()),
            Some(turn) => Said::Exchange(Arc::new(Exchange {
                turn: turn.cast_unsigned(),
                message: row.get::<_, Option<String>>(6)?.unwrap_or_default(),
                asked,
                answered: row.get(8)?,
                lost: row.get(9)?,
            })),
        };
        Ok(Row {
            number: row.get::<_, i64>(0)?.cast_unsigned(),
            key: Key {
                channel: row.get(1)?,
                conversation: row.get(2)?,
            },
            sender: row.get(3)?,
            at_ms: row.get::<_, i64>(4)?.cast_unsigned(),
            said,
        })
    })?;
    Ok(rows.collect::<Result<_, _>>()?)
}

fn write(connection: &Connection, changes: &BTreeMap<u64, Option<Row>>) -> rusqlite::Result<()> {
    // Not checked by the compiler to be the only one: the lock that is held sees to it.
    let transaction = connection.unchecked_transaction()?;
    {
        let mut put = transaction.prepare_cached(
            "INSERT OR REPLACE INTO said
             (number, channel, conversation, sender, at_ms, turn, message, asked, answered, lost)
             VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10)",
        )?;
        let mut delete = transaction.prepare_cached("DELETE FROM said WHERE number = ?1")?;
        for (number, row) in changes {
            let Some(row) = row else {
                delete.execute(params![bits(*number)])?;
                continue;
            };
            let (asked, exchange) = match &row.said {
                Said::Aside(text) => (&**text, None),
                Said::Exchange(exchange) => (exchange.asked.as_str(), Some(exchange)),
            };
            put.execute(params![
                bits(*number),
                row.key.channel,
                row.key.conversation,
                row.sender,
                bits(row.at_ms),
                exchange.map(|e| bits(e.turn)),
                exchange.map(|e| &e.message),
                asked,
                exchange.and_then(|e| e.answered.as_ref()),
                exchange.and_then(|e| e.lost.as_ref()),
            ])?;
        }
    }
    transaction.commit()
}

/// Removes what has been kept long enough.
fn expire(connection: &Connection, retention: Duration) -> rusqlite::Result<()> {
    let kept = u64::try_from(retention.as_millis()).unwrap_or(u64::MAX);
    let oldest = bits(now_ms().saturating_sub(kept));
    connection.execute("DELETE FROM said WHERE at_ms < ?1", params![oldest])?;
    connection.execute("DELETE FROM acted WHERE at_ms < ?1", params![oldest])?;
    Ok(())
}

/// Brings the log into the file, with the fsync.
fn checkpoint(connection: &Connection, last: bool) -> rusqlite::Result<()> {
    let mode = if last { "TRUNCATE" } else { "PASSIVE" };
    connection.query_row(&format!("PRAGMA wal_checkpoint({mode})"), [], |_| Ok(()))
}

/// SQLite has signed numbers only; the bits are the same.
fn bits(number: u64) -> i64 {
    number.cast_signed()
}

fn locked<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

#[cfg(test)]
mod tests;
