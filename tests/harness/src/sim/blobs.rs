//! The blobs of a simulated host: bytes in memory, under the names that the real host would use.

use std::collections::BTreeMap;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD as BASE64;
use md5::{Digest as _, Md5};
use prx_host::actor::BodyPiece;
use prx_host::bindings::v0_1::{
    BlobDigest, BlobInfo, BlobRange, Digest, DigestDone, Encoding, Hash,
};
use sha1::Sha1;
use sha2::Sha256;

/// Ids of the host's own begin with this bit.
const HOST_ID: u64 = 1 << 63;

/// The blobs that a channel holds.
#[derive(Debug, Default)]
pub struct Blobs {
    held: BTreeMap<u64, (BlobInfo, Vec<u8>)>,
    own: u64,
}

impl Blobs {
    /// Bytes of the agent's, with a media type as a sniffer would find it.
    pub fn own(&mut self, name: &str, media_type: &str, bytes: Vec<u8>) -> BlobInfo {
        self.own += 1;
        self.put(HOST_ID | self.own, Some(name), media_type, bytes)
    }

    pub(super) fn put(
        &mut self,
        id: u64,
        name: Option<&str>,
        media_type: &str,
        bytes: Vec<u8>,
    ) -> BlobInfo {
        let info = BlobInfo {
            blob: id,
            size: bytes.len() as u64,
            media_type: media_type.to_owned(),
            head: bytes.iter().take(64).copied().collect(),
            name: name.map(str::to_owned),
        };
        self.held.insert(id, (info.clone(), bytes));
        info
    }

    /// The bytes of a blob, if it is held.
    #[must_use]
    pub fn bytes(&self, id: u64) -> Option<&[u8]> {
        self.held.get(&id).map(|(_, bytes)| bytes.as_slice())
    }

    /// How many are held.
    #[must_use]
    pub fn len(&self) -> usize {
        self.held.len()
    }

    /// True when none is held.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.held.is_empty()
    }

    pub(super) fn drop(&mut self, id: u64) {
        self.held.remove(&id);
    }

    fn range(&self, id: u64, offset: u64, length: Option<u64>) -> Option<&[u8]> {
        let bytes = self.bytes(id)?;
        let from = usize::try_from(offset).ok()?.min(bytes.len());
        let length = length.and_then(|length| usize::try_from(length).ok());
        let to = length.map_or(bytes.len(), |length| (from + length).min(bytes.len()));
        bytes.get(from..to)
    }

    pub(super) fn digest(&self, ask: &BlobDigest) -> DigestDone {
        let digests = match self.range(ask.blob, ask.offset, ask.length) {
            Some(bytes) => ask.hashes.iter().map(|hash| digest(*hash, bytes)).collect(),
            None => Vec::new(),
        };
        DigestDone {
            id: ask.id,
            digests,
        }
    }

    /// A body as it goes out; `None` when one of its blobs is gone.
    pub(super) fn joined(&self, pieces: &[BodyPiece]) -> Option<Vec<u8>> {
        let mut body = Vec::new();
        for piece in pieces {
            match piece {
                BodyPiece::Text(text) => body.extend(text.expose().bytes()),
                BodyPiece::Blob(range) => body.extend(self.written(range)?),
            }
        }
        Some(body)
    }

    fn written(&self, range: &BlobRange) -> Option<Vec<u8>> {
        let bytes = self.range(range.blob, range.offset, range.length)?;
        Some(match range.encoding {
            Encoding::Base64 => BASE64.encode(bytes).into_bytes(),
            _ => bytes.to_vec(),
        })
    }
}

fn digest(hash: Hash, bytes: &[u8]) -> Digest {
    let hex = |bytes: &[u8]| bytes.iter().map(|byte| format!("{byte:02x}")).collect();
    Digest {
        hash,
        hex: match hash {
            Hash::Md5 => hex(&Md5::digest(bytes)),
            Hash::Sha1 => hex(&Sha1::digest(bytes)),
            Hash::Sha256 => hex(&Sha256::digest(bytes)),
        },
    }
}
