//! The pictures of a message, for a model that sees.

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use prx_host::bindings::v0_1::{Attachment, BlobId, MediaKind};
use prx_host::drivers::blobs::{BlobError, Blobs};
use tokio::io::AsyncReadExt;

/// Pictures of one message; of more than these the model is told the names.
const MAX_PICTURES: usize = 4;
/// Bytes of one picture. All of them are in memory at once, and servers have limits of this order.
const MAX_BYTES: u64 = 5_000_000;
/// What servers that see can read.
const MEDIA_TYPES: [&str; 4] = ["image/png", "image/jpeg", "image/gif", "image/webp"];

/// Data URIs of the pictures that can be shown.
pub(crate) async fn pictures(blobs: &Blobs, attached: &[Attachment]) -> Vec<String> {
    let mut pictures = Vec::new();
    let images = attached.iter().filter(|a| a.kind == MediaKind::Image);
    for blob in images.filter_map(|image| image.blob) {
        if pictures.len() == MAX_PICTURES {
            break;
        }
        match data_uri(blobs, blob).await {
            Ok(picture) => pictures.extend(picture),
            Err(error) => tracing::info!(%error, "the model is not shown a picture"),
        }
    }
    pictures
}

/// None for what is too large or not a picture that servers read.
async fn data_uri(blobs: &Blobs, blob: BlobId) -> Result<Option<String>, BlobError> {
    let info = blobs.info(blob).ok_or(BlobError::Gone(blob))?;
    let media_type = info.media_type.as_str();
    if info.size > MAX_BYTES || !MEDIA_TYPES.contains(&media_type) {
        return Ok(None);
    }
    let mut bytes = Vec::new();
    let (mut reader, _) = blobs.read(blob, 0, Some(MAX_BYTES)).await?;
    reader.read_to_end(&mut bytes).await?;
    let base64 = STANDARD.encode(&bytes);
    Ok(Some(format!("data:{media_type};base64,{base64}")))
}

#[cfg(test)]
mod tests {
    use super::*;

    const PNG: &[u8] = b"\x89PNG\r\n\x1a\n";

    #[tokio::test]
    async fn a_few_pictures_of_a_kind_that_servers_read_are_shown() {
        let dir = tempfile::tempdir().unwrap();
        let blobs = Blobs::open(dir.path().to_owned(), u64::MAX, u64::MAX).unwrap();
        let mut huge = PNG.to_vec();
        huge.resize(5_000_001, 0);
        blobs.put(1, None, &huge).await.unwrap();
        blobs.put(2, None, b"BM is not among them").await.unwrap();
        for id in 3..9 {
            blobs.put(id, None, PNG).await.unwrap();
        }
        let attached = |id| Attachment {
            kind: MediaKind::Image,
            name: None,
            blob: Some(id),
            transcript: None,
            missing: None,
        };
        // The last is gone, and one of them says that it is no picture.
        let mut attached: Vec<_> = [99, 1, 2, 3, 4, 5, 6, 7, 8].map(attached).to_vec();
        attached[3].kind = MediaKind::Document;
        let pictures = pictures(&blobs, &attached).await;
        assert_eq!(pictures, vec!["data:image/png;base64,iVBORw0KGgo="; 4]);
    }
}
