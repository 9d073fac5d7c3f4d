//! What is remembered: entries per instance, and how often each instance has been started.
//!
//! One SQLite file for all channels of a process. A commit survives kill -9 without an fsync on
//! the path: it is in the system's page cache before [`Store::commit`] returns. The fsync is done
//! by a background thread, so a power cut may lose the last seconds, always a consistent tail. A
//! commit is a row of a log, which the same thread brings into the entries.
//!
//! A commit that fails is kept, merged with what comes after, and tried again; the channel goes on.

use std::collections::BTreeMap;
use std::fs::File;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use parking_lot::{Mutex, MutexGuard};
use rusqlite::{Connection, params};
use tokio::sync::watch;

use crate::actor::Change;
use crate::bindings::v0_1::Entry;

mod keeper;
mod log;
mod look;
pub mod schema;

use keeper::Keeper;
use log::Changes;

pub use look::{Kept, StoreCopy};

/// File name of the database inside the state directory.
pub const STORE_FILE: &str = "store.db";
const LOCK_FILE: &str = "store.lock";

/// The store cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum StoreError {
    /// Another process has it.
    #[error(
        "{dir} is in use by another process{holder}; stop that one first, or give this one its own state_dir"
    )]
    Locked {
        /// The state directory.
        dir: String,
        /// Which process, where it can be told.
        holder: String,
    },
    /// The directory or a file in it cannot be used.
    #[error(
        "the state directory {path} cannot be used: {cause}; make it writable for this user or choose another state_dir"
    )]
    Directory {
        /// Where.
        path: String,
        /// What the system says.
        cause: std::io::Error,
    },
    /// A newer host wrote the file.
    #[error(
        "{path} was written by a newer version of this program (schema {found}, this one knows {known}); use that version, or move the file away"
    )]
    Newer {
        /// The file.
        path: String,
        /// Its schema.
        found: i64,
        /// The newest schema known here.
        known: i64,
    },
    /// SQLite refuses.
    #[error("the store fails: {0}; look for a full disk or a damaged file")]
    Sqlite(#[from] rusqlite::Error),
}

struct Inner {
    connection: Connection,
    /// Changes that could not be committed yet.
    backlog: Changes,
    /// What is in the log and not yet in the entries.
    pending: Changes,
}

/// The store of one process. Cheap to clone.
#[derive(Clone)]
pub struct Store {
    shared: Arc<Shared>,
    keeper: Arc<Keeper>,
}

struct Shared {
    inner: Mutex<Inner>,
    trouble: watch::Sender<Option<String>>,
    path: PathBuf,
    set_aside: Option<PathBuf>,
    _lock: File,
}

impl std::fmt::Debug for Store {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_tuple("Store").field(&self.shared.path).finish()
    }
}

impl Store {
    /// Opens the store of a state directory, or makes one. A file that is damaged is renamed, and
    /// a new one begun; [`Store::set_aside`] tells.
    ///
    /// # Errors
    /// See [`StoreError`].
    pub fn open(dir: &Path) -> Result<Self, StoreError> {
        let shared = Arc::new(Shared::open(dir)?);
        let keeper = Arc::new(Keeper::start(Arc::clone(&shared))?);
        Ok(Self { shared, keeper })
    }

    /// Where a damaged file went, if there was one at the start.
    pub fn set_aside(&self) -> Option<&Path> {
        self.shared.set_aside.as_deref()
    }

    /// All entries of an instance, ordered by key.
    ///
    /// # Errors
    /// SQLite refuses.
    pub fn load(&self, instance: &str) -> Result<Vec<Entry>, StoreError> {
        let inner = self.shared.lock();
        let mut statement = inner
            .connection
            .prepare_cached("SELECT key, value FROM entries WHERE instance = ?1 ORDER BY key")?;
        let rows = statement.query_map(params![instance], |row| Ok((row.get(0)?, row.get(1)?)))?;
        let mut entries: BTreeMap<String, Vec<u8>> = rows.collect::<Result<_, _>>()?;
        // What is in the log is newer, and what could not be committed is newer still.
        for ((_, key), change) in inner
            .pending
            .iter()
            .chain(&inner.backlog)
            .filter(|((of, _), _)| of == instance)
        {
            match change {
                Change::Put { value, .. } => entries.insert(key.clone(), value.to_vec()),
                Change::Delete { .. } => entries.remove(key),
            };
        }
        let entries = entries.into_iter();
        Ok(entries.map(|(key, value)| Entry { key, value }).collect())
    }

    /// Counts a start of an instance, on disk before this returns. The first is 1.
    ///
    /// # Errors
    /// SQLite refuses.
    pub fn next_boot(&self, instance: &str) -> Result<u32, StoreError> {
        let inner = self.shared.lock();
        // Ids are made of this number: it must not go back, not even with the power.
        inner
            .connection
            .pragma_update(None, "synchronous", "FULL")?;
        let counted = inner.connection.query_row(
            "INSERT INTO boots (instance, number) VALUES (?1, 1)
             ON CONFLICT (instance) DO UPDATE SET number = number + 1 RETURNING number",
            params![instance],
            |row| row.get(0),
        );
        inner
            .connection
            .pragma_update(None, "synchronous", "NORMAL")?;
        Ok(counted?)
    }

    /// Commits changes together. Two small entries took 15 us in the median (500 commits, dev
    /// profile, which optimises SQLite; the test beside this measures it again).
    ///
    /// # Errors
    /// They are not stored yet; they will be, with the next commit or before it.
    pub fn commit(&self, instance: &str, changes: &[Change]) -> Result<(), StoreError> {
        let flushed = self.shared.commit(instance, changes);
        // Also after a failure: the keeper is the one that tries again.
        self.keeper.committed(*flushed.as_ref().unwrap_or(&0));
        flushed.map(|_| ())
    }

    /// One sentence while commits fail, `None` while they work.
    pub fn trouble(&self) -> watch::Receiver<Option<String>> {
        self.shared.trouble.subscribe()
    }
}

impl Shared {
    fn open(dir: &Path) -> Result<Self, StoreError> {
        let in_dir = |cause| StoreError::Directory {
            path: dir.display().to_string(),
            cause,
        };
        crate::files::private_dir(dir).map_err(in_dir)?;
        let lock = lock(dir)?;
        let path = dir.join(STORE_FILE);
        let (connection, set_aside) = schema::open(&path, &schema::STORE)?;
        let pending = log::read(&connection)?;
        let mut inner = Inner {
            connection,
            backlog: Changes::new(),
            pending,
        };
        while inner.fold()? {}
        let (trouble, _) = watch::channel(None);
        Ok(Self {
            inner: Mutex::new(inner),
            trouble,
            path,
            set_aside,
            _lock: lock,
        })
    }

    /// Keeps changes and commits them with what is kept already. See [`Store::commit`].
    fn commit(&self, instance: &str, changes: &[Change]) -> Result<usize, StoreError> {
        let mut inner = self.lock();
        for change in changes {
            let at = (instance.to_owned(), change.key().to_owned());
            inner.backlog.insert(at, change.clone());
        }
        self.flush(&mut inner)
    }

    fn lock(&self) -> MutexGuard<'_, Inner> {
        self.inner.lock()
    }

    /// Commits the backlog. Returns the bytes that were written.
    fn flush(&self, inner: &mut Inner) -> Result<usize, StoreError> {
        let written = log::append(&mut inner.connection, &inner.backlog);
        match written {
            Ok(bytes) => {
                inner.pending.extend(std::mem::take(&mut inner.backlog));
                self.trouble.send_if_modified(|t| t.take().is_some());
                Ok(bytes)
            }
            Err(error) => {
                let error = StoreError::from(error);
                let sentence = error.to_string();
                self.trouble.send_if_modified(|trouble| {
                    let changed = trouble.as_ref() != Some(&sentence);
                    *trouble = Some(sentence);
                    changed
                });
                Err(error)
            }
        }
    }

    fn has_backlog(&self) -> bool {
        !self.lock().backlog.is_empty()
    }

    /// Brings the log into the entries. Commits are let in between.
    fn fold(&self) -> Result<(), rusqlite::Error> {
        loop {
            let mut inner = self.lock();
            if !inner.fold()? {
                return Ok(());
            }
            MutexGuard::unlock_fair(inner);
        }
    }
}

impl Inner {
    /// Brings a part of the log into the entries; false when there was nothing left to bring.
    fn fold(&mut self) -> Result<bool, rusqlite::Error> {
        if self.pending.is_empty() {
            return Ok(false);
        }
        log::fold(&mut self.connection, &mut self.pending)?;
        Ok(true)
    }
}

/// Held as long as the process lives; the system lets go of it however the process ends.
fn lock(dir: &Path) -> Result<File, StoreError> {
    use std::io::{Seek, Write};
    let path = dir.join(LOCK_FILE);
    let in_dir = |cause| StoreError::Directory {
        path: path.display().to_string(),
        cause,
    };
    let mut file = crate::files::private_file(&path).map_err(in_dir)?;
    match file.try_lock() {
        Ok(()) => {}
        Err(std::fs::TryLockError::WouldBlock) => {
            return Err(held(dir, &file));
        }
        Err(std::fs::TryLockError::Error(cause)) => return Err(in_dir(cause)),
    }
    let write_pid = |file: &mut File| {
        file.set_len(0)?;
        file.rewind()?;
        write!(file, "{}", std::process::id())?;
        file.flush()
    };
    write_pid(&mut file).map_err(in_dir)?;
    Ok(file)
}

/// The refusal, with the holder's pid where it can be read.
fn held(dir: &Path, mut file: &File) -> StoreError {
    use std::io::Read;
    let mut pid = String::new();
    // Who holds it is a courtesy; that it is held is the fact.
    let _ = file.read_to_string(&mut pid);
    let holder = match pid.trim() {
        "" => String::new(),
        pid => format!(" (pid {pid})"),
    };
    let dir = dir.display().to_string();
    StoreError::Locked { dir, holder }
}

#[cfg(test)]
mod tests;
