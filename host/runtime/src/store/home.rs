//! The state directory: taken by one process at a time, and looked at from time to time.

use std::fs::{File, TryLockError};
use std::io::{self, Read, Seek, Write};
use std::path::{Path, PathBuf};

use super::{Inner, STORE_FILE, StoreError, schema};
use crate::claim::{self, Claim, Name};
use crate::files::{FileId, PrivateDir};

/// Who has the folder: its pid.
const LOCK_FILE: &str = "store.lock";
/// Of the names of state directories.
const KIND: &str = "state";

/// A state directory that this process has. The system releases it however the process ends.
pub(super) struct Home {
    dir: PrivateDir,
    /// The database, once it was opened.
    database: Option<FileId>,
    /// Its name, which is still this process's when the folder is gone.
    claim: Option<Claim>,
    _locks: Vec<File>,
}

impl Home {
    /// Takes a state directory, made where it is not there.
    ///
    /// # Errors
    /// Another process has it, somebody else could change it, or the disk.
    pub(super) fn take(dir: &Path) -> Result<Self, StoreError> {
        // Before anything is made: another process may have had the folder when it was removed.
        let early = claim(dir)?;
        let dir = PrivateDir::open(dir)?;
        let claim = match early {
            Some(claim) => Some(claim),
            None => claim(dir.path())?,
        };
        let mut locks = Vec::new();
        // The folder itself: what is in it can be removed while it is held. Some network file systems lock no folders.
        let handle = dir.handle().map_err(|cause| in_dir(dir.path(), cause))?;
        match handle.try_lock() {
            Ok(()) => locks.push(handle),
            Err(TryLockError::WouldBlock) => return Err(held(&dir)),
            Err(TryLockError::Error(_)) => {}
        }
        match dir.file(LOCK_FILE) {
            Ok(mut file) => match file.try_lock() {
                Err(TryLockError::WouldBlock) => return Err(held(&dir)),
                locked => {
                    // Who has it is a courtesy that a full disk does not take.
                    let _ = write_pid(&mut file);
                    locks.extend(locked.is_ok().then_some(file));
                }
            },
            Err(cause) if super::of_the_system(&cause) => {}
            Err(cause) => return Err(in_dir(&dir.path().join(LOCK_FILE), cause)),
        }
        Ok(Self {
            dir,
            database: None,
            claim,
            _locks: locks,
        })
    }

    /// Where the database is.
    pub(super) fn file(&self) -> PathBuf {
        self.dir.path().join(STORE_FILE)
    }

    /// Whether there is a database.
    pub(super) fn has_database(&self) -> bool {
        std::fs::symlink_metadata(self.file()).is_ok_and(|found| found.is_file())
    }

    /// Opens the database, or makes one. The second value says where a damaged one was put.
    ///
    /// # Errors
    /// See [`schema::open`].
    pub(super) fn open(&mut self) -> Result<(Inner, Option<PathBuf>), StoreError> {
        let path = self.file();
        let (connection, aside) = schema::open(&path, &schema::STORE)?;
        let database = self.dir.look(STORE_FILE);
        let database = database.and_then(|file| FileId::of_file(&file));
        self.database = Some(database.map_err(|cause| in_dir(&path, cause))?);
        Ok((Inner::new(connection)?, aside))
    }

    /// One sentence when the path does not lead to what is open any more.
    pub(super) fn missing(&self) -> Option<String> {
        if let Some(claim) = &self.claim {
            claim.drain();
        }
        let there = self
            .database
            .is_some_and(|id| self.dir.still_holds(STORE_FILE, id));
        (!there).then(|| {
            format!(
                "{} was removed or replaced while this process has it open: what is stored now is lost with the process; put it back, or restart",
                self.file().display()
            )
        })
    }
}

/// Takes the name of a state directory. None where the folder around it is not there.
fn claim(path: &Path) -> Result<Option<Claim>, StoreError> {
    let claim = Name::of_path(KIND, path).map(|name| Claim::take(&name));
    claim.transpose().map_err(|holder| StoreError::Locked {
        dir: path.display().to_string(),
        holder: holder.shown(),
    })
}

fn in_dir(path: &Path, cause: io::Error) -> StoreError {
    StoreError::Directory {
        path: path.display().to_string(),
        cause,
    }
}

fn write_pid(file: &mut File) -> io::Result<()> {
    file.set_len(0)?;
    file.rewind()?;
    write!(file, "{}", std::process::id())?;
    file.flush()
}

/// Refuses a state directory that another process has.
///
/// # Errors
/// It has; or somebody else could change what is in the folder.
pub(super) fn refuse_held(path: &Path) -> Result<(), StoreError> {
    if let Some(holder) = Name::of_path(KIND, path).and_then(|name| claim::holder(&name)) {
        return Err(StoreError::Locked {
            dir: path.display().to_string(),
            holder: holder.shown(),
        });
    }
    let dir = match PrivateDir::existing(path) {
        Ok(dir) => dir,
        // Nothing is there, or nothing that can be looked into: then no process of this user has it.
        Err(error) if error.is_system() => return Ok(()),
        Err(error) => return Err(error.into()),
    };
    // Shared locks, released at once.
    for file in [dir.handle(), dir.look(LOCK_FILE)].into_iter().flatten() {
        if let Err(TryLockError::WouldBlock) = file.try_lock_shared() {
            return Err(held(&dir));
        }
    }
    Ok(())
}

/// The refusal, with the holder's pid where it can be read.
fn held(dir: &PrivateDir) -> StoreError {
    let mut pid = String::new();
    // Who holds it is a courtesy; that it is held is the fact.
    if let Ok(file) = dir.look(LOCK_FILE) {
        let _ = file.take(32).read_to_string(&mut pid);
    }
    let holder = match pid.trim() {
        "" => String::new(),
        pid => format!(" (pid {pid})"),
    };
    let dir = dir.path().display().to_string();
    StoreError::Locked { dir, holder }
}
