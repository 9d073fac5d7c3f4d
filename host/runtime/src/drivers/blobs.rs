//! Bytes that the host holds for a channel: downloads, attachments, an agent's media.
//!
//! Files under the state directory, named by id, bounded in size each and together, dropped by the
//! guest or after [`TTL`].

use std::collections::BTreeMap;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use md5::Md5;
use sha1::Sha1;
use sha2::{Digest as _, Sha256};
use tokio::fs::File;
use tokio::io::{AsyncReadExt, AsyncSeekExt, AsyncWriteExt};

use super::workers::Cancelled;
use crate::bindings::v0_1::{BlobDigest, BlobId, BlobInfo, Digest, Hash};
use crate::files::PlaceError;

/// A blob that nobody dropped is gone after this: longer than any turn is taken up again.
pub const TTL: Duration = Duration::from_secs(24 * 3600);
/// First bytes that a guest gets to see.
const HEAD_BYTES: usize = 64;
/// Bytes that the sniffer looks at.
const SNIFF_BYTES: usize = 8 << 10;
/// Bytes read at a time.
pub(crate) const CHUNK_BYTES: usize = 48 << 10;
/// Longest file name that is kept, bytes.
const MAX_NAME_BYTES: usize = 200;
const UNKNOWN_TYPE: &str = "application/octet-stream";

/// A blob cannot be had.
#[derive(Debug, thiserror::Error)]
pub enum BlobError {
    /// It is larger than it may be.
    #[error("more than {0} bytes; that is more than was allowed")]
    TooLarge(u64),
    /// All blobs together are larger than they may be.
    #[error("the channel's blobs fill their {0} bytes; drop some, or raise max_blobs_mb")]
    Full(u64),
    /// There is none under this id.
    #[error("there is no blob {0:x}; it was dropped, or its time was over")]
    Gone(BlobId),
    /// The disk.
    #[error("the blob's file fails: {0}; look for a full disk")]
    Io(#[from] io::Error),
}

/// The blobs of one channel. Cheap to clone.
#[derive(Debug, Clone)]
pub struct Blobs {
    inner: Arc<Inner>,
}

#[derive(Debug)]
struct Inner {
    dir: PathBuf,
    max_one: u64,
    max_all: u64,
    held: Mutex<BTreeMap<BlobId, Held>>,
    next_own: AtomicU64,
}

#[derive(Debug)]
struct Held {
    info: BlobInfo,
    since: SystemTime,
}

impl Held {
    fn is_old(&self) -> bool {
        self.since.elapsed().is_ok_and(|age| age > TTL)
    }
}

impl Blobs {
    /// Opens a channel's folder and drops what is too old.
    ///
    /// # Errors
    /// The folder cannot be used.
    pub fn open(dir: PathBuf, max_one: u64, max_all: u64) -> Result<Self, PlaceError> {
        let dir = crate::files::private_dir(&dir)?;
        let held = found_in(&dir).map_err(|cause| PlaceError::system(&dir, cause))?;
        Ok(Self::holding(dir, held, max_one, max_all))
    }

    /// A channel's blobs while its folder cannot be made: there are none, and each new one tries it again.
    pub(crate) fn without_folder(dir: PathBuf, max_one: u64, max_all: u64) -> Self {
        Self::holding(dir, BTreeMap::new(), max_one, max_all)
    }

    fn holding(dir: PathBuf, held: BTreeMap<BlobId, Held>, max_one: u64, max_all: u64) -> Self {
        let started = SystemTime::now().duration_since(UNIX_EPOCH);
        let started = started.map_or(0, |d| d.as_secs());
        Self {
            inner: Arc::new(Inner {
                dir,
                max_one,
                max_all,
                held: Mutex::new(held),
                next_own: AtomicU64::new((1 << 63) | ((started & 0xffff_ffff) << 24)),
            }),
        }
    }

    /// An id of the host's own, for what an agent makes.
    pub fn allot(&self) -> BlobId {
        self.inner.next_own.fetch_add(1, Ordering::Relaxed)
    }

    /// What is known of a blob.
    pub fn info(&self, id: BlobId) -> Option<BlobInfo> {
        self.held().get(&id).map(|held| held.info.clone())
    }

    /// How many there are, and their bytes.
    pub fn used(&self) -> (usize, u64) {
        let held = self.held();
        (held.len(), held.values().map(|held| held.info.size).sum())
    }

    /// Stores bytes that are in memory.
    ///
    /// # Errors
    /// Too large, or the disk.
    pub async fn put(
        &self,
        id: BlobId,
        name: Option<String>,
        bytes: &[u8],
    ) -> Result<BlobInfo, BlobError> {
        let mut writer = self.writer(id, u64::MAX).await?;
        writer.write(bytes).await?;
        writer.finish(name).await
    }

    /// Begins a blob of at most so many bytes. It is there once the writer has finished.
    ///
    /// # Errors
    /// No room, or the disk.
    pub async fn writer(&self, id: BlobId, max_bytes: u64) -> Result<BlobWriter, BlobError> {
        self.drop_old();
        let (_, used) = self.used();
        let room = self.inner.max_all.saturating_sub(used);
        if room == 0 {
            return Err(BlobError::Full(self.inner.max_all));
        }
        let part = self.path(id).with_extension("part");
        let opened = match crate::files::private_file(&part) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => {
                // Somebody has removed the folder, or the disk had no room for it at the start.
                crate::files::private_dir(&self.inner.dir).map_err(io::Error::other)?;
                crate::files::private_file(&part)
            }
            opened => opened,
        };
        let file = File::from_std(opened?);
        file.set_len(0).await?;
        Ok(BlobWriter {
            blobs: self.clone(),
            id,
            part,
            file,
            size: 0,
            max: max_bytes.min(self.inner.max_one).min(room),
            start: Vec::new(),
            done: false,
        })
    }

    /// Opens a range for reading. The second value is how many bytes it has.
    ///
    /// # Errors
    /// Gone, or the disk.
    pub async fn read(
        &self,
        id: BlobId,
        offset: u64,
        length: Option<u64>,
    ) -> Result<(tokio::io::Take<File>, u64), BlobError> {
        let size = self.info(id).ok_or(BlobError::Gone(id))?.size;
        let left = size.saturating_sub(offset);
        let length = length.unwrap_or(left).min(left);
        let mut file = File::from_std(crate::files::kept_file(&self.path(id))?);
        file.seek(io::SeekFrom::Start(offset)).await?;
        Ok((file.take(length), length))
    }

    /// Copies a blob's bytes under a path where nothing is yet. Blocks on the disk; where the file system can, the two
    /// share their bytes.
    ///
    /// # Errors
    /// Gone, something is there already, or the disk.
    pub fn copy_to(&self, id: BlobId, to: &Path) -> Result<(), BlobError> {
        self.info(id).ok_or(BlobError::Gone(id))?;
        let from = self.path(id);
        let mut copy = crate::files::new_private_file(to)?;
        io::copy(&mut crate::files::kept_file(&from)?, &mut copy)?;
        Ok(())
    }

    /// Digests of a range; none when the blob is gone, or nobody waits for them any more. Blocks on the disk, and keeps a
    /// core busy.
    pub(crate) fn digest(&self, ask: &BlobDigest, cancelled: &Cancelled) -> Vec<Digest> {
        self.hash(ask, cancelled).unwrap_or_else(|error| {
            tracing::warn!(blob = ask.blob, %error, "no digest");
            Vec::new()
        })
    }

    fn hash(&self, ask: &BlobDigest, cancelled: &Cancelled) -> Result<Vec<Digest>, BlobError> {
        use std::io::{Read, Seek};
        let size = self.info(ask.blob).ok_or(BlobError::Gone(ask.blob))?.size;
        let left = size.saturating_sub(ask.offset);
        let mut file = std::fs::File::open(self.path(ask.blob))?;
        file.seek(io::SeekFrom::Start(ask.offset))?;
        let mut reader = file.take(ask.length.unwrap_or(left).min(left));
        let wanted = |hash: Hash| ask.hashes.contains(&hash);
        let (mut md5, mut sha1, mut sha256) = (Md5::new(), Sha1::new(), Sha256::new());
        let mut chunk = vec![0; CHUNK_BYTES];
        loop {
            let read = reader.read(&mut chunk)?;
            let Some(bytes) = chunk.get(..read).filter(|b| !b.is_empty()) else {
                break;
            };
            if cancelled.get() {
                return Ok(Vec::new());
            }
            // Each once, however often it is asked for.
            if wanted(Hash::Md5) {
                md5.update(bytes);
            }
            if wanted(Hash::Sha1) {
                sha1.update(bytes);
            }
            if wanted(Hash::Sha256) {
                sha256.update(bytes);
            }
        }
        let (md5, sha1, sha256) = (
            hex(&md5.finalize()),
            hex(&sha1.finalize()),
            hex(&sha256.finalize()),
        );
        let digests = ask.hashes.iter().map(|hash| Digest {
            hash: *hash,
            hex: match hash {
                Hash::Md5 => md5.clone(),
                Hash::Sha1 => sha1.clone(),
                Hash::Sha256 => sha256.clone(),
            },
        });
        Ok(digests.collect())
    }

    /// Drops a blob, if it is there.
    pub fn remove(&self, id: BlobId) {
        self.held().remove(&id);
        remove_files(&self.path(id));
    }

    /// What nobody dropped in time. Done when a new one comes: until then nobody needs the room.
    fn drop_old(&self) {
        let old: Vec<BlobId> = {
            let held = self.held();
            let old = held.iter().filter(|(_, held)| held.is_old());
            old.map(|(id, _)| *id).collect()
        };
        for id in old {
            self.remove(id);
        }
    }

    fn held(&self) -> MutexGuard<'_, BTreeMap<BlobId, Held>> {
        self.inner
            .held
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
    }

    fn path(&self, id: BlobId) -> PathBuf {
        self.inner.dir.join(format!("{id:016x}"))
    }
}

/// A blob being filled. Dropped unfinished, it leaves nothing behind.
#[derive(Debug)]
pub struct BlobWriter {
    blobs: Blobs,
    id: BlobId,
    part: PathBuf,
    file: File,
    size: u64,
    max: u64,
    start: Vec<u8>,
    done: bool,
}

impl BlobWriter {
    /// How many bytes it takes at most.
    pub fn max_bytes(&self) -> u64 {
        self.max
    }

    /// Adds bytes.
    ///
    /// # Errors
    /// Too many of them, or the disk.
    pub async fn write(&mut self, bytes: &[u8]) -> Result<(), BlobError> {
        self.size = self.size.saturating_add(bytes.len() as u64);
        if self.size > self.max {
            return Err(BlobError::TooLarge(self.max));
        }
        let wanted = SNIFF_BYTES.saturating_sub(self.start.len());
        self.start.extend(bytes.iter().take(wanted));
        self.file.write_all(bytes).await?;
        Ok(())
    }

    /// Makes the blob visible.
    ///
    /// # Errors
    /// The disk.
    pub async fn finish(mut self, name: Option<String>) -> Result<BlobInfo, BlobError> {
        self.file.flush().await?;
        let info = BlobInfo {
            blob: self.id,
            size: self.size,
            media_type: sniff(&self.start).to_owned(),
            head: self.start.iter().take(HEAD_BYTES).copied().collect(),
            name: name.and_then(|name| base_name(&name)),
        };
        let path = self.blobs.path(self.id);
        let json = serde_json::to_vec(&info).map_err(io::Error::from)?;
        let described = crate::files::private_file(&path.with_extension("json"))?;
        let mut described = File::from_std(described);
        described.set_len(0).await?;
        described.write_all(&json).await?;
        described.flush().await?;
        tokio::fs::rename(&self.part, &path).await?;
        self.done = true;
        let held = Held {
            info: info.clone(),
            since: SystemTime::now(),
        };
        self.blobs.held().insert(self.id, held);
        Ok(info)
    }
}

impl Drop for BlobWriter {
    fn drop(&mut self) {
        if !self.done {
            // Nobody knows of the file yet, and the next start sweeps what stays.
            let _ = std::fs::remove_file(&self.part);
        }
    }
}

fn sniff(start: &[u8]) -> &'static str {
    infer::get(start).map_or(UNKNOWN_TYPE, |kind| kind.mime_type())
}

/// The last component of a name, whatever separators its maker used.
fn base_name(name: &str) -> Option<String> {
    let base = name.rsplit(['/', '\\']).next()?;
    let clean: String = base.chars().filter(|c| !c.is_control()).collect();
    let end = clean.floor_char_boundary(MAX_NAME_BYTES);
    let clean = clean.get(..end)?.trim();
    (!clean.is_empty() && clean != "." && clean != "..").then(|| clean.to_owned())
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

fn remove_files(path: &Path) {
    for file in [path.to_owned(), path.with_extension("json")] {
        match std::fs::remove_file(&file) {
            Ok(()) => {}
            Err(error) if error.kind() == io::ErrorKind::NotFound => {}
            Err(error) => tracing::warn!(file = %file.display(), %error, "a blob's file stays"),
        }
    }
}

/// What an earlier process left: finished blobs that are not too old. All else is removed.
fn found_in(dir: &Path) -> io::Result<BTreeMap<BlobId, Held>> {
    let mut found = BTreeMap::new();
    for file in std::fs::read_dir(dir)? {
        let file = file?;
        let path = file.path();
        let since = file.metadata()?.modified()?;
        let age = since.elapsed().unwrap_or_default();
        let extension = path.extension().and_then(|e| e.to_str());
        match extension {
            Some("json") => {}
            None if age <= TTL => {
                let described = std::fs::read(path.with_extension("json"));
                let info = described
                    .ok()
                    .and_then(|json| serde_json::from_slice(&json).ok());
                match info {
                    Some(info) => {
                        let info: BlobInfo = info;
                        found.insert(info.blob, Held { info, since });
                    }
                    None => remove_files(&path),
                }
            }
            _ => remove_files(&path),
        }
    }
    Ok(found)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn blobs(dir: &tempfile::TempDir) -> Blobs {
        Blobs::open(dir.path().join("blobs"), 1000, 1500).unwrap()
    }

    #[tokio::test]
    async fn a_blob_is_sniffed_named_and_survives_a_restart() {
        let dir = tempfile::tempdir().unwrap();
        let png = b"\x89PNG\r\n\x1a\n rest of it";
        let name = Some("../../etc/pic.png".to_owned());
        let info = blobs(&dir).put(7, name, png).await.unwrap();
        assert_eq!(info.media_type, "image/png");
        assert_eq!(info.name.as_deref(), Some("pic.png"));
        assert_eq!(blobs(&dir).info(7), Some(info));
    }

    #[tokio::test]
    async fn too_large_a_blob_leaves_nothing_behind() {
        let dir = tempfile::tempdir().unwrap();
        let blobs = blobs(&dir);
        let error = blobs.put(1, None, &[0; 1001]).await.unwrap_err();
        assert!(matches!(error, BlobError::TooLarge(1000)));
        assert_eq!(
            std::fs::read_dir(dir.path().join("blobs")).unwrap().count(),
            0
        );
        blobs.put(1, None, &[0; 900]).await.unwrap();
        let error = blobs.put(2, None, &[0; 900]).await.unwrap_err();
        assert!(matches!(error, BlobError::TooLarge(600)));
        blobs.remove(1);
        blobs.put(2, None, &[0; 900]).await.unwrap();
    }

    #[tokio::test]
    async fn a_copy_outlives_its_blob_and_takes_no_other_files_place() {
        let dir = tempfile::tempdir().unwrap();
        let blobs = blobs(&dir);
        blobs.put(1, None, b"abc").await.unwrap();
        let copy = dir.path().join("copy");
        blobs.copy_to(1, &copy).unwrap();
        assert!(matches!(blobs.copy_to(1, &copy), Err(BlobError::Io(_))));
        blobs.remove(1);
        assert_eq!(std::fs::read(&copy).unwrap(), b"abc");
        let gone = blobs.copy_to(1, &dir.path().join("other"));
        assert!(matches!(gone, Err(BlobError::Gone(1))));
    }

    #[tokio::test]
    async fn digests_are_of_the_range_that_was_asked_for() {
        let dir = tempfile::tempdir().unwrap();
        let blobs = blobs(&dir);
        blobs.put(1, None, b"xxabcyy").await.unwrap();
        let ask = BlobDigest {
            id: 9,
            blob: 1,
            offset: 2,
            length: Some(3),
            hashes: vec![Hash::Md5, Hash::Sha1],
        };
        let nobody = Cancelled::default();
        let digests = blobs.digest(&ask, &nobody);
        let hex: Vec<_> = digests.iter().map(|d| d.hex.as_str()).collect();
        assert_eq!(
            hex,
            [
                "900150983cd24fb0d6963f7d28e17f72",
                "a9993e364706816aba3e25717850c26c9cd0d89d"
            ]
        );
        let gone = BlobDigest { blob: 2, ..ask };
        assert!(blobs.digest(&gone, &nobody).is_empty());
    }
}
