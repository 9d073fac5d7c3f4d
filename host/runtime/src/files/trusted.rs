//! Whether a path leads where its owner thinks: nobody but root and this user can change what is on the way.

use std::ffi::OsString;
use std::io;
use std::os::unix::ffi::OsStringExt;
use std::path::{Component, Path, PathBuf};

use rustix::fs::{FileType, Stat, lstat, readlink};
use rustix::io::Errno;
use rustix::process::geteuid;

/// Permission to write, for the group and for everybody.
const GROUP_WRITES: u32 = 0o020;
const ALL_WRITE: u32 = 0o002;
/// Only owners rename and remove, as in `/tmp`.
const STICKY: u32 = 0o1000;
/// Links on the way; as many as the system itself follows.
const MAX_LINKS: usize = 40;

/// Who may write the last part of a path.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Writers {
    /// Its owner alone.
    Owner,
    /// Its group, too.
    Group,
    /// Everybody, where only owners may rename: what is in it is checked by itself.
    Sticky,
}

/// A file or folder is not to be trusted, or cannot be had. Each says what to do.
#[derive(Debug, thiserror::Error)]
pub enum PlaceError {
    /// Others can write it.
    #[error(
        "others can write {path} (its mode is {mode:03o}), and so could change what is in it; take that away with: chmod {fix} {path}"
    )]
    Writable {
        /// Which.
        path: String,
        /// Its permission bits.
        mode: u32,
        /// What to take away, as chmod takes it.
        fix: &'static str,
    },
    /// Somebody else's.
    #[error(
        "{path} belongs to user {owner}, who could change what is in it; make it root's or this user's with chown"
    )]
    Owner {
        /// Which.
        path: String,
        /// Whose it is, as a number.
        owner: u32,
    },
    /// Something of another kind.
    #[error("{path} is {what}; put {want} in its place")]
    Kind {
        /// Which.
        path: String,
        /// What it is.
        what: &'static str,
        /// What it should be.
        want: &'static str,
    },
    /// The system refuses.
    #[error(
        "{path}: {cause}; make it writable for this user, look for a full disk, or choose another place"
    )]
    System {
        /// Which.
        path: String,
        /// What the system says.
        cause: io::Error,
    },
}

impl PlaceError {
    pub(crate) fn system(path: &Path, cause: io::Error) -> Self {
        Self::System {
            path: path.display().to_string(),
            cause,
        }
    }

    /// True when it is the disk, or permission, that is missing: nothing was found that is not to be trusted.
    pub fn is_system(&self) -> bool {
        matches!(self, Self::System { .. })
    }
}

/// Checks every part of a path that is there, and returns it with no link left in it. A link counts as what it leads
/// to, where nobody else could change the link.
///
/// # Errors
/// The first part that somebody else could change, or that cannot be looked at.
pub fn trusted(path: &Path, writers: Writers) -> Result<PathBuf, PlaceError> {
    let absolute = std::path::absolute(path).map_err(|cause| PlaceError::system(path, cause))?;
    let mut at = PathBuf::from("/");
    let mut left = parts(&absolute);
    let mut links = 0;
    check(&at, &look(&at)?, writers_at(&left, writers))?;
    while let Some(part) = left.pop() {
        if part == ".." {
            at.pop();
            continue;
        }
        let next = at.join(&part);
        let stat = match lstat(&next) {
            Ok(stat) => stat,
            Err(Errno::NOENT) => {
                at = next;
                at.extend(left.into_iter().rev());
                return Ok(at);
            }
            Err(errno) => return Err(PlaceError::system(&next, errno.into())),
        };
        if FileType::from_raw_mode(stat.st_mode) != FileType::Symlink {
            check(&next, &stat, writers_at(&left, writers))?;
            at = next;
            continue;
        }
        check_owner(&next, &stat)?;
        links += 1;
        if links > MAX_LINKS {
            return Err(PlaceError::system(&next, Errno::LOOP.into()));
        }
        let target = readlink(&next, Vec::new());
        let target = target.map_err(|errno| PlaceError::system(&next, errno.into()))?;
        let target = PathBuf::from(OsString::from_vec(target.into_bytes()));
        if target.is_absolute() {
            at = PathBuf::from("/");
        }
        left.extend(parts(&target));
    }
    Ok(at)
}

fn look(path: &Path) -> Result<Stat, PlaceError> {
    lstat(path).map_err(|errno| PlaceError::system(path, errno.into()))
}

/// The names of a path, the last one first.
fn parts(path: &Path) -> Vec<OsString> {
    let named = path.components().filter_map(|part| match part {
        Component::Normal(name) => Some(name.to_owned()),
        Component::ParentDir => Some("..".into()),
        Component::RootDir | Component::CurDir | Component::Prefix(_) => None,
    });
    let mut parts: Vec<OsString> = named.collect();
    parts.reverse();
    parts
}

/// On the way only renaming matters; at its end, writing.
fn writers_at(left: &[OsString], writers: Writers) -> Writers {
    if left.is_empty() {
        writers
    } else {
        Writers::Sticky
    }
}

/// Refuses what others could change.
pub(crate) fn check(path: &Path, stat: &Stat, writers: Writers) -> Result<(), PlaceError> {
    let (refused, fix) = match writers {
        Writers::Owner => (GROUP_WRITES | ALL_WRITE, "go-w"),
        Writers::Group => (ALL_WRITE, "o-w"),
        Writers::Sticky if stat.st_mode & STICKY != 0 => (0, ""),
        Writers::Sticky => (GROUP_WRITES | ALL_WRITE, "go-w"),
    };
    if stat.st_mode & refused != 0 {
        return Err(PlaceError::Writable {
            path: path.display().to_string(),
            mode: stat.st_mode & 0o7777,
            fix,
        });
    }
    check_owner(path, stat)
}

fn check_owner(path: &Path, stat: &Stat) -> Result<(), PlaceError> {
    match is_ours(stat) {
        true => Ok(()),
        false => Err(PlaceError::Owner {
            path: path.display().to_string(),
            owner: stat.st_uid,
        }),
    }
}

/// This user's, or root's.
pub(crate) fn is_ours(stat: &Stat) -> bool {
    stat.st_uid == 0 || stat.st_uid == geteuid().as_raw()
}

pub(crate) fn others_write(stat: &Stat) -> bool {
    stat.st_mode & (GROUP_WRITES | ALL_WRITE) != 0
}
