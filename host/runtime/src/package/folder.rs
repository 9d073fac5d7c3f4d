//! Files beneath one folder: opened by plain names, never through a link, never more than was allowed.

use std::ffi::OsStr;
use std::fs::File;
use std::io::{self, Read};
use std::os::fd::OwnedFd;
use std::path::{Path, PathBuf};

use rustix::fs::{FileType, Mode, OFlags, fstat, open, openat};
use rustix::io::Errno;

use super::PackageError;
use crate::files::{Writers, check, trusted};

/// An open folder.
pub(super) struct Folder {
    fd: OwnedFd,
    path: PathBuf,
}

impl Folder {
    /// Opens a folder that is no link.
    pub(super) fn open(path: &Path) -> Result<Self, PackageError> {
        // Without a slash at its end, which would make the system follow a link.
        let path: PathBuf = path.components().collect();
        let flags = OFlags::RDONLY | OFlags::DIRECTORY | OFlags::NOFOLLOW | OFlags::CLOEXEC;
        match open(&path, flags, Mode::empty()) {
            Ok(fd) => Ok(Self { fd, path }),
            Err(Errno::LOOP | Errno::NOTDIR) => Err(PackageError::Kind {
                path: path.display().to_string(),
                what: "a link or a file",
                want: "a folder",
            }),
            Err(errno) => Err(unreadable(&path, errno.into())),
        }
    }

    /// Refuses a folder that others could change, or put another one in the place of.
    pub(super) fn check_path(&self) -> Result<(), PackageError> {
        trusted(&self.path, Writers::Owner)?;
        let stat = fstat(&self.fd).map_err(|errno| unreadable(&self.path, errno.into()))?;
        Ok(check(&self.path, &stat, Writers::Owner)?)
    }

    /// Its name, with no link in it.
    pub(super) fn name(&self) -> Option<String> {
        let path = self.path.canonicalize().ok()?;
        Some(path.file_name()?.to_string_lossy().into_owned())
    }

    /// Reads a file, whole.
    pub(super) fn read(
        &self,
        name: &str,
        max: usize,
        guarded: bool,
    ) -> Result<Vec<u8>, PackageError> {
        let path = self.path.join(name);
        let read = self.read_if_there(name, max, guarded)?;
        read.ok_or_else(|| unreadable(&path, io::ErrorKind::NotFound.into()))
    }

    /// Reads a file, whole; nothing when it is not there. Guarded: not one that others could change.
    pub(super) fn read_if_there(
        &self,
        name: &str,
        max: usize,
        guarded: bool,
    ) -> Result<Option<Vec<u8>>, PackageError> {
        let path = self.path.join(name);
        let kind = |what| PackageError::Kind {
            path: path.display().to_string(),
            what,
            want: "a file",
        };
        if Path::new(name).file_name() != Some(OsStr::new(name)) {
            return Err(kind("not a plain name"));
        }
        // Not to wait for whoever might write into a pipe.
        let flags = OFlags::RDONLY | OFlags::NOFOLLOW | OFlags::NONBLOCK | OFlags::CLOEXEC;
        let fd = match openat(&self.fd, name, flags, Mode::empty()) {
            Ok(fd) => fd,
            Err(Errno::NOENT) => return Ok(None),
            Err(Errno::LOOP) => return Err(kind("a link")),
            Err(errno) => return Err(unreadable(&path, errno.into())),
        };
        let stat = fstat(&fd).map_err(|errno| unreadable(&path, errno.into()))?;
        if FileType::from_raw_mode(stat.st_mode) != FileType::RegularFile {
            return Err(kind("no regular file"));
        }
        if guarded {
            check(&path, &stat, Writers::Owner)?;
        }
        let bound = max as u64;
        let too_large = |bytes| PackageError::TooLarge {
            path: path.display().to_string(),
            bytes,
            max,
        };
        let size = u64::try_from(stat.st_size).unwrap_or(0);
        if size > bound {
            return Err(too_large(size));
        }
        let mut bytes = Vec::new();
        // It may grow while it is read.
        let read = File::from(fd).take(bound + 1).read_to_end(&mut bytes);
        read.map_err(|cause| unreadable(&path, cause))?;
        if bytes.len() as u64 > bound {
            return Err(too_large(bytes.len() as u64));
        }
        Ok(Some(bytes))
    }
}

fn unreadable(path: &Path, cause: io::Error) -> PackageError {
    PackageError::Read {
        path: path.display().to_string(),
        cause,
    }
}
