//! A look at a store that is not in use, without writing to it.
//!
//! The files are copied, log included, and the copy is opened as any store: SQLite writes even where
//! it only reads, and a component that is only asked something may store what it likes.

use std::fs::File;
use std::path::{Path, PathBuf};
use std::time::SystemTime;

use rusqlite::params;
use tempfile::TempDir;

use super::{LOCK_FILE, STORE_FILE, Store, StoreError};

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
        let in_dir = |cause| StoreError::Directory {
            path: state_dir.display().to_string(),
            cause,
        };
        let dir = TempDir::with_prefix("prx-look-").map_err(in_dir)?;
        refuse_held(state_dir)?;
        let mut written = None;
        for suffix in ["", "-wal"] {
            let name = format!("{STORE_FILE}{suffix}");
            let from = state_dir.join(&name);
            if let Ok(metadata) = std::fs::metadata(&from) {
                std::fs::copy(&from, dir.path().join(&name)).map_err(in_dir)?;
                written = written.max(metadata.modified().ok());
            }
        }
        // One that was started meanwhile may have written between the two copies.
        refuse_held(state_dir)?;
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

fn refuse_held(dir: &Path) -> Result<(), StoreError> {
    let path: PathBuf = dir.join(LOCK_FILE);
    // Without the file no process has ever had it. A shared lock, let go of at once, tells the rest.
    let Ok(file) = File::open(&path) else {
        return Ok(());
    };
    match file.try_lock_shared() {
        Err(std::fs::TryLockError::WouldBlock) => Err(super::held(dir, &file)),
        _ => Ok(()),
    }
}
