//! The media folder: what was attached to messages, for the agent to look at, and the only folder
//! whose files an answer can send.
//!
//! One folder for all conversations, so a file's name begins with the time and with random digits:
//! who was not told it cannot ask for it. Files that others put there can be sent too; they are
//! neither counted nor removed.

use std::io;
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use cap_std::ambient_authority;
use cap_std::fs::{Dir, OpenOptions};
use prx_host::bindings::v0_1::{BlobId, MediaKind};
use prx_host::drivers::blobs::{BlobError, Blobs};
use prx_host::files::{PlaceError, group_dir, new_private_file};

/// Files that are kept; with more of them the oldest goes. As the daemon's own agent has it.
const MAX_FILES: usize = 256;
/// Bytes of all of them. As the daemon's own agent has it.
pub(crate) const MAX_BYTES: u64 = 512 << 20;
/// A file older than this is removed when a new one comes: longer than any turn takes.
const MAX_AGE: Duration = Duration::from_secs(3600);
/// Longest name that is kept, bytes, so that with its prefix any file system takes it.
const MAX_NAME: usize = 120;
/// Longest extension that is kept when a name is cut, bytes.
const MAX_EXTENSION: usize = 16;
/// Hexadecimal digits of the time, in seconds.
const TIME_DIGITS: usize = 8;
/// Digits before the name: of the time, and of 64 random bits, which nobody guesses.
const PREFIX_DIGITS: usize = TIME_DIGITS + 16;

/// A file cannot be kept.
#[derive(Debug, thiserror::Error)]
pub(crate) enum MediaError {
    #[error("it has more than {0} bytes")]
    TooLarge(u64),
    #[error(transparent)]
    Blob(#[from] BlobError),
    #[error("the media folder fails: {0}; look for a full disk, or set [agent] media_dir")]
    Io(#[from] io::Error),
}

/// A path leads to nothing that may be sent. Says nothing of the path itself.
#[derive(Debug, thiserror::Error)]
pub(crate) enum NotThere {
    #[error("a path outside the media folder")]
    Outside,
    #[error("a path where no file is")]
    Missing,
    #[error("a path of something that is not a file")]
    NotAFile,
    #[error("a file that has a second name, a hard link, elsewhere")]
    Linked,
    #[error("a file that cannot be opened")]
    Unreadable,
}

/// A file of the folder, open.
#[derive(Debug)]
pub(crate) struct Opened {
    pub(crate) file: std::fs::File,
    pub(crate) bytes: u64,
    /// Its name as people know it.
    pub(crate) name: String,
}

/// The folder.
#[derive(Debug)]
pub(crate) struct MediaFolder {
    root: PathBuf,
    /// Counting and adding are one step.
    adding: Mutex<()>,
}

impl MediaFolder {
    /// Makes the folder where it is not there.
    pub(crate) fn open(dir: &Path) -> Result<Self, PlaceError> {
        Ok(Self {
            root: group_dir(dir)?,
            adding: Mutex::default(),
        })
    }

    /// Puts a blob into the folder, and returns the path for a marker.
    pub(crate) async fn take_in(
        self: &Arc<Self>,
        blobs: &Blobs,
        blob: BlobId,
        name: Option<&str>,
        kind: MediaKind,
    ) -> Result<String, MediaError> {
        let info = blobs.info(blob).ok_or(BlobError::Gone(blob))?;
        let name = name.or(info.name.as_deref()).map(clean_name);
        let name = name.unwrap_or_else(|| nameless(kind, &info.media_type));
        let (folder, blobs) = (Arc::clone(self), blobs.clone());
        blocking(move || folder.add(&name, info.size, |path| Ok(blobs.copy_to(blob, path)?))).await
    }

    /// Makes a file of so many bytes, and returns the path for a marker.
    pub(crate) async fn make(
        self: &Arc<Self>,
        name: &str,
        bytes: u64,
        mut content: impl io::Read + Send + 'static,
    ) -> Result<String, MediaError> {
        let (folder, name) = (Arc::clone(self), clean_name(name));
        let write = move |path: &Path| {
            io::copy(&mut content, &mut new_private_file(path)?)?;
            Ok(())
        };
        blocking(move || folder.add(&name, bytes, write)).await
    }

    /// Opens a file of the folder by a path that a model wrote.
    pub(crate) async fn open_file(self: &Arc<Self>, path: &str) -> Result<Opened, NotThere> {
        let (folder, path) = (Arc::clone(self), PathBuf::from(path));
        let opened = tokio::task::spawn_blocking(move || folder.open_beneath(&path));
        opened.await.unwrap_or(Err(NotThere::Unreadable))
    }

    /// The system resolves the path, links included, and never leaves the folder while it does. What
    /// is judged is what was opened, so there is no moment to put something else in its place.
    fn open_beneath(&self, path: &Path) -> Result<Opened, NotThere> {
        let inside = match path.is_absolute() {
            true => path.strip_prefix(&self.root),
            false => Ok(path),
        };
        let inside = inside.map_err(|_| NotThere::Outside)?;
        let folder = Dir::open_ambient_dir(&self.root, ambient_authority());
        let folder = folder.map_err(|_| NotThere::Unreadable)?;
        let file = folder.open_with(inside, &reading());
        let file = file.map_err(|error| match error.kind() {
            io::ErrorKind::NotFound | io::ErrorKind::NotADirectory => NotThere::Missing,
            io::ErrorKind::PermissionDenied => NotThere::Outside,
            _ => NotThere::Unreadable,
        })?;
        let file = file.into_std();
        let metadata = file.metadata().map_err(|_| NotThere::Unreadable)?;
        if !metadata.is_file() {
            return Err(NotThere::NotAFile);
        }
        // Under another name it is a file of somewhere else, which nobody meant to send.
        if metadata.nlink() > 1 {
            return Err(NotThere::Linked);
        }
        let name = inside.file_name().and_then(|name| name.to_str());
        Ok(Opened {
            file,
            bytes: metadata.len(),
            name: shown_name(name.unwrap_or_default()).to_owned(),
        })
    }

    fn add(
        &self,
        name: &str,
        bytes: u64,
        write: impl FnOnce(&Path) -> Result<(), MediaError>,
    ) -> Result<String, MediaError> {
        let _adding = self.adding.lock().unwrap_or_else(PoisonError::into_inner);
        // Somebody may have cleaned up by hand.
        group_dir(&self.root).map_err(io::Error::other)?;
        let now = SystemTime::now();
        self.make_room(bytes, now)?;
        let name = own_name(name, now)?;
        let path = self.root.join(&name);
        write(&path).inspect_err(|_| remove(&path))?;
        Ok(name)
    }

    /// Removes own files that are too old, and then the oldest until there is room.
    fn make_room(&self, bytes: u64, now: SystemTime) -> Result<(), MediaError> {
        if bytes > MAX_BYTES {
            return Err(MediaError::TooLarge(MAX_BYTES));
        }
        let mut files = self.own_files()?;
        files.sort_by_key(|file| file.since);
        let mut used: u64 = files.iter().map(|file| file.bytes).sum();
        let mut count = files.len();
        for file in files {
            let old = now
                .duration_since(file.since)
                .is_ok_and(|age| age > MAX_AGE);
            let full = count >= MAX_FILES || used.saturating_add(bytes) > MAX_BYTES;
            if !old && !full {
                break;
            }
            remove(&file.path);
            count -= 1;
            used -= file.bytes;
        }
        Ok(())
    }

    fn own_files(&self) -> io::Result<Vec<Own>> {
        let mut files = Vec::new();
        for entry in std::fs::read_dir(&self.root)? {
            let entry = entry?;
            let since = entry.file_name().to_str().and_then(since);
            // A link is not followed, and one that is gone by now is not there.
            let (Some(since), Ok(metadata)) = (since, entry.metadata()) else {
                continue;
            };
            files.push(Own {
                path: entry.path(),
                since,
                bytes: metadata.len(),
            });
        }
        Ok(files)
    }
}

/// A file that this folder was given by the host.
struct Own {
    path: PathBuf,
    since: SystemTime,
    bytes: u64,
}

async fn blocking(
    work: impl FnOnce() -> Result<String, MediaError> + Send + 'static,
) -> Result<String, MediaError> {
    let done = tokio::task::spawn_blocking(work).await;
    done.unwrap_or_else(|error| Err(io::Error::other(error).into()))
}

/// Reading, without waiting: a pipe that nobody writes to must not hold a thread.
fn reading() -> OpenOptions {
    let mut options = OpenOptions::new();
    options.read(true);
    #[cfg(unix)]
    {
        use cap_std::fs::OpenOptionsExt;
        options.custom_flags(rustix::fs::OFlags::NONBLOCK.bits().cast_signed());
    }
    options
}

fn remove(path: &Path) {
    match std::fs::remove_file(path) {
        Ok(()) => {}
        Err(error) if error.kind() == io::ErrorKind::NotFound => {}
        Err(error) => tracing::warn!(%error, "a file stays in the media folder"),
    }
}

/// A name that nothing has yet.
fn own_name(name: &str, now: SystemTime) -> io::Result<String> {
    let seconds = now.duration_since(UNIX_EPOCH).unwrap_or_default().as_secs();
    let random = getrandom::u64().map_err(io::Error::from)?;
    Ok(format!("{:08x}{random:016x}-{name}", seconds & 0xffff_ffff))
}

/// Splits an own name into its digits and the name as people know it.
fn split_own(name: &str) -> Option<(&str, &str)> {
    let (digits, shown) = name.split_once('-')?;
    let hex = digits
        .bytes()
        .all(|b| matches!(b, b'0'..=b'9' | b'a'..=b'f'));
    (digits.len() == PREFIX_DIGITS && hex).then_some((digits, shown))
}

fn since(name: &str) -> Option<SystemTime> {
    let (digits, _) = split_own(name)?;
    let seconds = u64::from_str_radix(digits.get(..TIME_DIGITS)?, 16).ok()?;
    UNIX_EPOCH.checked_add(Duration::from_secs(seconds))
}

fn shown_name(name: &str) -> &str {
    split_own(name).map_or(name, |(_, shown)| shown)
}

/// A name without anything that a path, a marker or a terminal could take for more than a name.
pub(crate) fn clean_name(name: &str) -> String {
    let base = name.rsplit(['/', '\\']).next().unwrap_or(name);
    let plain = |c: char| c.is_alphanumeric() || matches!(c, '.' | '-' | '_');
    let clean = |c: char| if plain(c) { c } else { '_' };
    let clean: String = base
        .trim()
        .trim_start_matches('.')
        .chars()
        .map(clean)
        .collect();
    if clean.is_empty() {
        return "file".into();
    }
    if clean.len() <= MAX_NAME {
        return clean;
    }
    let dot = clean
        .rfind('.')
        .filter(|dot| clean.len() - dot <= MAX_EXTENSION);
    let (stem, extension) = clean.split_at(dot.unwrap_or(clean.len()));
    let end = stem.floor_char_boundary(MAX_NAME - extension.len());
    format!("{}{extension}", stem.get(..end).unwrap_or_default())
}

/// A name for something that has none, from what its bytes look like.
fn nameless(kind: MediaKind, media_type: &str) -> String {
    let stem = crate::marks::word(kind).to_lowercase();
    let subtype = media_type
        .split_once('/')
        .map_or("", |(_, subtype)| subtype);
    let extension = match subtype.trim_start_matches("x-") {
        "jpeg" => "jpg",
        "mpeg" if kind != MediaKind::Video => "mp3",
        "quicktime" => "mov",
        "matroska" => "mkv",
        "octet-stream" | "" => "bin",
        short if short.len() <= 4 => short,
        _ => "bin",
    };
    format!("{stem}.{extension}")
}

#[cfg(test)]
mod tests;
