//! Files and folders that are the owner's alone.
//!
//! Two rules hold for everything that this program keeps. Whoever is neither root nor this user can change nothing on
//! the way to it: each folder of the path is checked ([`trusted`]). And no link is followed where a file is made, opened
//! or replaced: files are opened by plain names beneath an open folder ([`PrivateDir`]), or with `O_NOFOLLOW`.

use std::ffi::OsStr;
use std::fs::{File, OpenOptions};
use std::io::{self, Write};
use std::os::fd::OwnedFd;
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};

use rustix::fs::{
    AtFlags, CWD, FileType, Mode, OFlags, Stat, fstat, mkdirat, openat, renameat, statat, unlinkat,
};
use rustix::io::Errno;

mod trusted;

pub(crate) use trusted::check;
pub use trusted::{PlaceError, Writers, trusted};

/// What is written to see whether a disk has room: more than fits into the smallest block.
const PROBE_BYTES: usize = 64 << 10;
/// A folder and a file of the owner's alone.
const DIR_MODE: u32 = 0o700;
const FILE_MODE: u32 = 0o600;

/// Makes a directory, and its parents, with mode 0700. One that is there keeps its mode. Returns the path with no link
/// left in it.
///
/// # Errors
/// Somebody else could change what is in it, or what the path leads to; or whatever the system says.
pub fn private_dir(path: &Path) -> Result<PathBuf, PlaceError> {
    owned_dir(path, Writers::Owner)
}

/// The same for a directory in which the owner's group may write as well.
///
/// # Errors
/// See [`private_dir`].
pub fn group_dir(path: &Path) -> Result<PathBuf, PlaceError> {
    owned_dir(path, Writers::Group)
}

fn owned_dir(path: &Path, writers: Writers) -> Result<PathBuf, PlaceError> {
    let absolute = std::path::absolute(path).map_err(|cause| PlaceError::system(path, cause))?;
    make_missing(&absolute)?;
    // After it was made: where everybody may make folders, somebody may have been quicker.
    let found = trusted(&absolute, writers)?;
    match std::fs::symlink_metadata(&found) {
        Ok(metadata) if metadata.is_dir() => Ok(found),
        Ok(_) => Err(PlaceError::Kind {
            path: found.display().to_string(),
            what: "a file",
            want: "a folder",
        }),
        Err(cause) => Err(PlaceError::system(&found, cause)),
    }
}

fn make_missing(path: &Path) -> Result<(), PlaceError> {
    let mut builder = std::fs::DirBuilder::new();
    builder.recursive(true);
    std::os::unix::fs::DirBuilderExt::mode(&mut builder, DIR_MODE);
    match builder.create(path) {
        Ok(()) => Ok(()),
        // The caller reports what is there instead.
        Err(error) if error.kind() == io::ErrorKind::AlreadyExists => Ok(()),
        Err(cause) => Err(PlaceError::system(path, cause)),
    }
}

/// Makes a directory with mode 0700 for what is believed as it is found. Whatever is in one that others could write
/// until now is removed: they may have put it there.
///
/// # Errors
/// It is a link, or somebody else's; or whatever the system says.
pub(crate) fn emptied_dir(path: &Path) -> Result<PathBuf, PlaceError> {
    let system = |cause| PlaceError::system(path, cause);
    let absolute = std::path::absolute(path).map_err(system)?;
    let above = absolute.parent().unwrap_or(Path::new("/"));
    private_parent(above)?;
    match statat(CWD, &absolute, AtFlags::SYMLINK_NOFOLLOW) {
        Err(Errno::NOENT) => {}
        Err(errno) => return Err(system(errno.into())),
        Ok(found) if FileType::from_raw_mode(found.st_mode) != FileType::Directory => {
            return Err(PlaceError::Kind {
                path: path.display().to_string(),
                what: "a link or a file",
                want: "a folder",
            });
        }
        // Out of the way first: whoever writes there still must not keep it from being removed.
        Ok(found) if trusted::is_ours(&found) && trusted::others_write(&found) => {
            let aside = tempfile::Builder::new()
                .prefix(".distrusted-")
                .tempdir_in(above)
                .map_err(system)?;
            std::fs::rename(&absolute, aside.path().join("all")).map_err(system)?;
            if let Err(error) = aside.close() {
                tracing::warn!(%error, "a folder that others could write is not used, and could not be removed");
            }
        }
        Ok(_) => {}
    }
    private_dir(path)
}

/// A folder that something private is made in: whoever else may write there must not rename it.
fn private_parent(path: &Path) -> Result<(), PlaceError> {
    make_missing(path)?;
    trusted(path, Writers::Sticky).map(drop)
}

/// An open folder of the owner's alone.
#[derive(Debug)]
pub struct PrivateDir {
    fd: OwnedFd,
    path: PathBuf,
}

impl PrivateDir {
    /// Opens a directory, made with mode 0700 where it is not there.
    ///
    /// # Errors
    /// See [`private_dir`].
    pub fn open(path: &Path) -> Result<Self, PlaceError> {
        let path = private_dir(path)?;
        let fd = openat(CWD, &path, folder_flags(), Mode::empty());
        Self::checked(fd, path)
    }

    /// Opens one that has to be there already.
    ///
    /// # Errors
    /// It is not there, or see [`private_dir`].
    pub fn existing(path: &Path) -> Result<Self, PlaceError> {
        let path = trusted(path, Writers::Owner)?;
        let fd = openat(CWD, &path, folder_flags(), Mode::empty());
        Self::checked(fd, path)
    }

    /// Opens a directory in this one, made with mode 0700 where it is not there.
    ///
    /// # Errors
    /// See [`private_dir`].
    pub fn within(&self, name: &str) -> Result<Self, PlaceError> {
        let path = self.path.join(name);
        plain(name).map_err(|cause| PlaceError::system(&path, cause))?;
        match mkdirat(&self.fd, name, Mode::from_raw_mode(DIR_MODE)) {
            Ok(()) | Err(Errno::EXIST) => {}
            Err(errno) => return Err(PlaceError::system(&path, errno.into())),
        }
        let fd = openat(&self.fd, name, folder_flags(), Mode::empty());
        Self::checked(fd, path)
    }

    fn checked(fd: Result<OwnedFd, Errno>, path: PathBuf) -> Result<Self, PlaceError> {
        let fd = match fd {
            Ok(fd) => fd,
            Err(Errno::LOOP | Errno::NOTDIR) => {
                return Err(PlaceError::Kind {
                    path: path.display().to_string(),
                    what: "a link or a file",
                    want: "a folder",
                });
            }
            Err(errno) => return Err(PlaceError::system(&path, errno.into())),
        };
        let stat = fstat(&fd).map_err(|errno| PlaceError::system(&path, errno.into()))?;
        trusted::check(&path, &stat, Writers::Owner)?;
        Ok(Self { fd, path })
    }

    /// Where it is, with no link in it.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// Opens a file for reading and writing, made with mode 0600 when it is not there.
    ///
    /// # Errors
    /// It is a link, another user's or no regular file, or it has a second name; or whatever the system says.
    pub fn file(&self, name: &str) -> io::Result<File> {
        plain(name)?;
        let flags = OFlags::RDWR | OFlags::CREATE | file_flags();
        let fd = openat(&self.fd, name, flags, Mode::from_raw_mode(FILE_MODE))?;
        checked_file(fd)
    }

    /// Opens a file for reading.
    ///
    /// # Errors
    /// See [`PrivateDir::file`].
    pub fn look(&self, name: &str) -> io::Result<File> {
        plain(name)?;
        let flags = OFlags::RDONLY | file_flags();
        checked_file(openat(&self.fd, name, flags, Mode::empty())?)
    }

    /// Puts a file in the place of one, or of a link, that is there: whole or not at all.
    ///
    /// # Errors
    /// Whatever the system says.
    pub fn replace(&self, name: &str, bytes: &[u8]) -> io::Result<()> {
        plain(name)?;
        let made = format!(".{name}.new");
        // What a process left that was killed meanwhile.
        let _ = unlinkat(&self.fd, &made, AtFlags::empty());
        let flags = OFlags::WRONLY | OFlags::CREATE | OFlags::EXCL | file_flags();
        let fd = openat(&self.fd, &made, flags, Mode::from_raw_mode(FILE_MODE))?;
        let mut file = File::from(fd);
        let written = file
            .write_all(bytes)
            .and_then(|()| Ok(renameat(&self.fd, &made, &self.fd, name)?));
        if written.is_err() {
            let _ = unlinkat(&self.fd, &made, AtFlags::empty());
        }
        written
    }

    /// The folder itself as a file: whoever locks it holds what nobody can remove from within.
    ///
    /// # Errors
    /// Whatever the system says.
    pub fn handle(&self) -> io::Result<File> {
        Ok(File::from(self.fd.try_clone()?))
    }

    /// Whether the path still leads to this folder, and this name in it to this file.
    pub(crate) fn still_holds(&self, name: &str, file: FileId) -> bool {
        let here = fstat(&self.fd).ok().as_ref().map(FileId::of);
        let there = statat(CWD, &self.path, AtFlags::SYMLINK_NOFOLLOW).ok();
        let kept = statat(&self.fd, name, AtFlags::SYMLINK_NOFOLLOW).ok();
        here.is_some()
            && here == there.as_ref().map(FileId::of)
            && kept.as_ref().map(FileId::of) == Some(file)
    }
}

/// Which file something is, whatever it is called.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct FileId {
    device: u64,
    inode: u64,
}

impl FileId {
    fn of(stat: &Stat) -> Self {
        Self {
            device: stat.st_dev,
            inode: stat.st_ino,
        }
    }

    pub(crate) fn of_file(file: &File) -> io::Result<Self> {
        Ok(Self::of(&fstat(file)?))
    }
}

fn folder_flags() -> OFlags {
    OFlags::RDONLY | OFlags::DIRECTORY | OFlags::NOFOLLOW | OFlags::CLOEXEC
}

/// Not to wait for whoever might write into a pipe.
fn file_flags() -> OFlags {
    OFlags::NOFOLLOW | OFlags::NONBLOCK | OFlags::CLOEXEC
}

fn plain(name: &str) -> io::Result<()> {
    match Path::new(name).file_name() == Some(OsStr::new(name)) {
        true => Ok(()),
        false => Err(refused("it is not a plain name")),
    }
}

fn refused(why: &str) -> io::Error {
    io::Error::new(io::ErrorKind::PermissionDenied, why)
}

fn checked_file(fd: OwnedFd) -> io::Result<File> {
    let stat = fstat(&fd)?;
    if FileType::from_raw_mode(stat.st_mode) != FileType::RegularFile {
        return Err(refused("it is no regular file"));
    }
    if !trusted::is_ours(&stat) {
        return Err(refused("it belongs to another user"));
    }
    if stat.st_nlink > 1 {
        return Err(refused("it has a second name, a hard link, elsewhere"));
    }
    Ok(File::from(fd))
}

/// Opens a file for reading and writing, made with mode 0600 when it is not there. The folder has to be trusted.
///
/// # Errors
/// See [`PrivateDir::file`].
pub(crate) fn private_file(path: &Path) -> io::Result<File> {
    let mut options = OpenOptions::new();
    options.read(true).write(true).create(true).truncate(false);
    checked_file(
        options
            .mode(FILE_MODE)
            .custom_flags(no_link())
            .open(path)?
            .into(),
    )
}

/// Opens a file for reading. The folder has to be trusted.
///
/// # Errors
/// See [`PrivateDir::file`].
pub(crate) fn kept_file(path: &Path) -> io::Result<File> {
    let mut options = OpenOptions::new();
    checked_file(
        options
            .read(true)
            .custom_flags(no_link())
            .open(path)?
            .into(),
    )
}

fn no_link() -> i32 {
    file_flags().bits().cast_signed()
}

/// What keeps something from being written into a directory, or into the one in which it would be made; `None` when
/// nothing does. What is written to find out has no name, and is gone at once.
pub fn takes_nothing(path: &Path) -> Option<io::Error> {
    let there = path.ancestors().find(|above| above.exists())?;
    let file = tempfile::tempfile_in(there);
    let tried = file.and_then(|mut file| file.write_all(&[1; PROBE_BYTES]));
    tried.err()
}

/// Makes a file for writing, with mode 0600. One that is there, or a link, is left alone.
///
/// # Errors
/// Something is there already, or whatever else the system says.
pub fn new_private_file(path: &Path) -> io::Result<File> {
    let mut options = OpenOptions::new();
    options
        .write(true)
        .create_new(true)
        .mode(FILE_MODE)
        .open(path)
}

#[cfg(test)]
mod tests;
