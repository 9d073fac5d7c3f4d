//! A look at a store that is not in use, without writing to it.
//!
//! The files are copied, log included, and the copy is opened as any store: SQLite writes even where
//! it only reads, and a component that is only asked something may store what it likes.

use std::os::unix::fs::PermissionsExt;
use std::path::Path;
use std::time::SystemTime;

use rusqlite::params;
use tempfile::TempDir;

use super::home::refuse_held;
use super::{STORE_FILE, Store, StoreError};

/// What is kept of one instance.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Kept {
    /// How often it has been started.
    pub boots: u32,
    /// Stored entries.
    pub entries: u64,
    /// Their bytes.
    pub bytes: u64,
}

/// A copy of a store, thrown away with this.
#[derive(Debug)]
pub struct StoreCopy {
    dir: TempDir,
    written: Option<SystemTime>,
}

impl StoreCopy {
    /// Copies the store of a state directory; an empty one when there is none.
    ///
    /// # Errors
    /// A process has it, or the disk.
    pub fn of(state_dir: &Path) -> Result<Self, StoreError> {
        refuse_held(state_dir)?;
        let copy = Self::copied(state_dir)?;
        // One that was started meanwhile may have written between the two copies.
        refuse_held(state_dir)?;
        Ok(copy)
    }

    /// Copies the store that this process has taken, or that nobody has.
    pub(super) fn copied(state_dir: &Path) -> Result<Self, StoreError> {
        Self::of_file(state_dir, STORE_FILE)
    }

    /// Copies another database of a state directory, which nobody else writes to.
    ///
    /// # Errors
    /// The disk.
    pub fn of_file(state_dir: &Path, file: &str) -> Result<Self, StoreError> {
        let mut copied = Self::copied_to(state_dir, file, &std::env::temp_dir());
        if copied.is_err() {
            // Memory, where the usual place is on a disk that is full.
            copied = Self::copied_to(state_dir, file, Path::new("/dev/shm")).or(copied);
        }
        copied
    }

    fn copied_to(state_dir: &Path, file: &str, place: &Path) -> Result<Self, StoreError> {
        let in_dir = |cause| StoreError::Directory {
            path: state_dir.display().to_string(),
            cause,
        };
        let own = std::fs::Permissions::from_mode(0o700);
        let mut dir = tempfile::Builder::new();
        let dir = dir.prefix("prx-look-").permissions(own).tempdir_in(place);
        let dir = dir.map_err(in_dir)?;
        let mut written = None;
        for suffix in ["", "-wal"] {
            let name = format!("{file}{suffix}");
            let mut from = match crate::files::kept_file(&state_dir.join(&name)) {
                Ok(from) => from,
                Err(error) if error.kind() == std::io::ErrorKind::NotFound => continue,
                Err(error) => return Err(in_dir(error)),
            };
            let metadata = from.metadata().map_err(in_dir)?;
            let to = crate::files::new_private_file(&dir.path().join(&name));
            to.and_then(|mut to| std::io::copy(&mut from, &mut to))
                .map_err(in_dir)?;
            written = written.max(metadata.modified().ok());
        }
        Ok(Self { dir, written })
    }

    /// A state directory with the copy in it.
    pub fn dir(&self) -> &Path {
        self.dir.path()
    }

    /// When the original was last written; `None` when there is none.
    pub fn written(&self) -> Option<SystemTime> {
        self.written
    }

    /// What is kept of an instance; `None` when it was never started.
    ///
    /// # Errors
    /// See [`StoreError`].
    pub fn kept(&self, instance: &str) -> Result<Option<Kept>, StoreError> {
        let store = Store::open(self.dir.path())?;
        let inner = store.shared.lock();
        let mut boots = inner
            .connection
            .prepare_cached("SELECT number FROM boots WHERE instance = ?1")?;
        let Some(row) = boots
            .query(params![instance])?
            .next()?
            .map(|row| row.get(0))
        else {
            return Ok(None);
        };
        let boots = row?;
        let (entries, bytes): (i64, i64) = inner.connection.query_row(
            "SELECT count(*), coalesce(sum(length(CAST(key AS BLOB)) + length(value)), 0)
             FROM entries WHERE instance = ?1",
            params![instance],
            |row| Ok((row.get(0)?, row.get(1)?)),
        )?;
        let number = |n: i64| u64::try_from(n).unwrap_or(0);
        Ok(Some(Kept {
            boots,
            entries: number(entries),
            bytes: number(bytes),
        }))
    }
}
