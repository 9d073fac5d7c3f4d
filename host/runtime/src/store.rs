//! What is remembered: entries per instance, and how often each instance has been started.
//!
//! One SQLite file for all channels of a process. A commit survives kill -9 without an fsync on
//! the path: it is in the system's page cache before [`Store::commit`] returns. The fsync is done
//! by a background thread, so a power cut may lose the last seconds, always a consistent tail. A
//! commit is a row of a log, which the same thread brings into the entries.
//!
//! A commit that fails is kept, merged with what comes after, and tried again; the channel goes on. A start on a disk
//! that takes nothing comes up on memory alone (`unkept`), loudly. What is stored must be found again: a folder that was
//! removed or replaced is noticed.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use parking_lot::{Mutex, MutexGuard};
use rusqlite::{Connection, params};
use tokio::sync::watch;

use crate::actor::Change;
use crate::bindings::v0_1::Entry;
use crate::files::PlaceError;

mod home;
mod keeper;
mod log;
mod look;
pub mod schema;
mod unkept;

use home::Home;
use keeper::Keeper;
use log::Changes;
use unkept::Unkept;

pub use look::{Kept, StoreCopy};

/// File name of the database inside the state directory.
pub const STORE_FILE: &str = "store.db";

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
    /// Somebody else could change what is kept, or the folder cannot be had.
    #[error("the state directory cannot be used: {0}")]
    Place(#[from] PlaceError),
    /// Nothing is stored at all.
    #[error("nothing is stored: {0}")]
    Unkept(String),
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

impl StoreError {
    /// True when it is the disk that takes or gives nothing. All else is somebody's to put right before a start.
    pub fn is_of_the_disk(&self) -> bool {
        match self {
            Self::Directory { cause, .. } => of_the_system(cause),
            Self::Place(error) => error.is_system(),
            Self::Sqlite(error) => !schema::is_corrupt(error),
            Self::Locked { .. } | Self::Newer { .. } | Self::Unkept(_) => false,
        }
    }
}

/// What the system says, and not what was found to be wrong: a link where a file should be is such a find.
fn of_the_system(error: &std::io::Error) -> bool {
    let number = error.raw_os_error();
    number.is_some() && number != Some(rustix::io::Errno::LOOP.raw_os_error())
}

struct Inner {
    /// To the file, or to memory alone.
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
    /// What the trouble is made of.
    troubles: Mutex<Troubles>,
    /// The state directory as it is configured.
    dir: PathBuf,
    set_aside: Option<PathBuf>,
    footing: Mutex<Footing>,
}

/// What the store stands on.
enum Footing {
    /// A file of this folder.
    Kept(Home),
    /// Memory.
    Unkept(Unkept),
}

#[derive(Default)]
struct Troubles {
    /// Commits fail.
    commits: Option<String>,
    /// What is stored is not where the next process looks for it.
    place: Option<String>,
}

impl std::fmt::Debug for Store {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_tuple("Store").field(&self.shared.dir).finish()
    }
}

impl Store {
    /// Opens the store of a state directory, or makes one. A file that is damaged is renamed, and
    /// a new one begun; [`Store::set_aside`] tells. On a disk that takes nothing it is kept in memory, with what could be
    /// read; [`Store::trouble`] tells.
    ///
    /// # Errors
    /// Another process has it, a newer one wrote it, or somebody else could change it.
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
        if let Footing::Unkept(unkept) = &*self.shared.footing.lock() {
            // The next process would count from the same number on.
            return Err(StoreError::Unkept(unkept.why.clone()));
        }
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
        let (home, cause) = match Home::take(dir) {
            Ok(mut home) => match home.open() {
                Ok((inner, aside)) => return Ok(Self::on(dir, inner, aside, Footing::Kept(home))),
                Err(error) => (Some(home), error),
            },
            Err(error) => (None, error),
        };
        if !cause.is_of_the_disk() {
            return Err(cause);
        }
        let (inner, unkept) = Unkept::begin(dir, home, cause.to_string())?;
        Ok(Self::on(dir, inner, None, Footing::Unkept(unkept)))
    }

    fn on(dir: &Path, inner: Inner, set_aside: Option<PathBuf>, footing: Footing) -> Self {
        let place = match &footing {
            Footing::Kept(_) => None,
            Footing::Unkept(unkept) => Some(unkept.why.clone()),
        };
        let (trouble, _) = watch::channel(place.clone());
        Self {
            inner: Mutex::new(inner),
            trouble,
            troubles: Mutex::new(Troubles {
                commits: None,
                place,
            }),
            dir: dir.to_owned(),
            set_aside,
            footing: Mutex::new(footing),
        }
    }

    /// The file that is stored in; none while nothing is kept.
    fn file(&self) -> Option<PathBuf> {
        match &*self.footing.lock() {
            Footing::Kept(home) => Some(home.file()),
            Footing::Unkept(_) => None,
        }
    }

    /// Looks whether what is stored is where the next process looks for it; where nothing is kept, tries to store again.
    fn look(&self) {
        let mut footing = self.footing.lock();
        let place = match &mut *footing {
            Footing::Kept(home) => home.missing(),
            Footing::Unkept(unkept) => match unkept.settle(&self.dir, &mut self.lock()) {
                Ok(home) => {
                    *footing = Footing::Kept(home);
                    None
                }
                Err(why) => Some(why),
            },
        };
        drop(footing);
        let mut troubles = self.troubles.lock();
        if troubles.place != place {
            troubles.place.clone_from(&place);
            self.say(&troubles);
            match place {
                Some(why) => tracing::error!("{why}"),
                None => {
                    tracing::info!("the state directory is in order again; everything is stored");
                }
            }
        }
    }

    /// Tells the channels, when there is something new.
    fn say(&self, troubles: &Troubles) {
        let now = troubles.place.as_ref().or(troubles.commits.as_ref());
        self.trouble.send_if_modified(|trouble| {
            let changed = trouble.as_ref() != now;
            *trouble = now.cloned();
            changed
        });
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
                self.commits_fail(None);
                Ok(bytes)
            }
            Err(error) => {
                let error = StoreError::from(error);
                self.commits_fail(Some(error.to_string()));
                Err(error)
            }
        }
    }

    fn commits_fail(&self, why: Option<String>) {
        let mut troubles = self.troubles.lock();
        if troubles.commits != why {
            troubles.commits = why;
            self.say(&troubles);
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
    fn new(connection: Connection) -> Result<Self, rusqlite::Error> {
        let pending = log::read(&connection)?;
        let mut inner = Self {
            connection,
            backlog: Changes::new(),
            pending,
        };
        while inner.fold()? {}
        Ok(inner)
    }

    /// Brings a part of the log into the entries; false when there was nothing left to bring.
    fn fold(&mut self) -> Result<bool, rusqlite::Error> {
        if self.pending.is_empty() {
            return Ok(false);
        }
        log::fold(&mut self.connection, &mut self.pending)?;
        Ok(true)
    }
}

#[cfg(test)]
mod tests;
