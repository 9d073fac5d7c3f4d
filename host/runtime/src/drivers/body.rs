//! A request's body: joined text in memory, blobs streamed from their files, the length known
//! before the first byte leaves.

use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::task::{Context, Poll};

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD as BASE64;
use bytes::{Bytes, BytesMut};
use http_body::{Body, Frame, SizeHint};
use tokio::io::AsyncReadExt;
use tokio::sync::mpsc;

use super::blobs::{BlobError, Blobs, CHUNK_BYTES};
use crate::actor::BodyPiece;
use crate::bindings::v0_1::{BlobRange, Encoding};

/// Says whether a body has begun to leave.
#[derive(Debug, Clone, Default)]
pub(super) struct Begun(Arc<AtomicBool>);

impl Begun {
    pub(super) fn get(&self) -> bool {
        self.0.load(Ordering::Relaxed)
    }
}

enum Source {
    Memory(Option<Bytes>),
    Stream(mpsc::Receiver<Result<Bytes, BlobError>>),
}

/// A body of known length.
pub(super) struct SizedBody {
    source: Source,
    left: u64,
    begun: Begun,
}

impl SizedBody {
    /// Puts a body together. `None` when it is empty.
    ///
    /// # Errors
    /// A blob is gone, or is asked for in a way that it cannot be written.
    pub(super) async fn new(
        pieces: &[BodyPiece],
        blobs: &Blobs,
        begun: Begun,
    ) -> Result<Option<Self>, BlobError> {
        if pieces.is_empty() {
            return Ok(None);
        }
        let left = length(pieces, blobs)?;
        let only_text = pieces.iter().all(|p| matches!(p, BodyPiece::Text(_)));
        let source = if only_text {
            Source::Memory(Some(in_memory(pieces, blobs).await?))
        } else {
            Source::Stream(streamed(pieces.to_vec(), blobs.clone()))
        };
        Ok(Some(Self {
            source,
            left,
            begun,
        }))
    }
}

/// All pieces as bytes, for a socket's message.
///
/// # Errors
/// A blob is gone.
pub(super) async fn in_memory(pieces: &[BodyPiece], blobs: &Blobs) -> Result<Bytes, BlobError> {
    let mut all = BytesMut::new();
    for piece in pieces {
        match piece {
            BodyPiece::Text(text) => all.extend_from_slice(text.expose().as_bytes()),
            BodyPiece::Blob(range) => {
                let (sender, mut receiver) = mpsc::channel(2);
                let read = send_blob(range, blobs, sender);
                let collect = async {
                    while let Some(chunk) = receiver.recv().await {
                        all.extend_from_slice(&chunk?);
                    }
                    Ok::<_, BlobError>(())
                };
                let (read, collected) = futures_util::join!(read, collect);
                read?;
                collected?;
            }
        }
    }
    Ok(all.freeze())
}

/// Bytes that the pieces have once they are joined.
///
/// # Errors
/// A blob is gone.
pub(crate) fn length(pieces: &[BodyPiece], blobs: &Blobs) -> Result<u64, BlobError> {
    let mut total = 0u64;
    for piece in pieces {
        let bytes = match piece {
            BodyPiece::Text(text) => text.expose().len() as u64,
            BodyPiece::Blob(range) => {
                let size = blobs
                    .info(range.blob)
                    .ok_or(BlobError::Gone(range.blob))?
                    .size;
                let left = size.saturating_sub(range.offset);
                let raw = range.length.unwrap_or(left).min(left);
                match range.encoding {
                    Encoding::Base64 => raw.div_ceil(3).saturating_mul(4),
                    Encoding::Raw | Encoding::JsonString | Encoding::Percent => raw,
                }
            }
        };
        total = total.saturating_add(bytes);
    }
    Ok(total)
}

fn streamed(pieces: Vec<BodyPiece>, blobs: Blobs) -> mpsc::Receiver<Result<Bytes, BlobError>> {
    let (sender, receiver) = mpsc::channel(2);
    tokio::spawn(async move {
        for piece in pieces {
            let sent = match piece {
                BodyPiece::Text(text) => {
                    let bytes = Bytes::copy_from_slice(text.expose().as_bytes());
                    sender.send(Ok(bytes)).await.is_ok()
                }
                BodyPiece::Blob(range) => match send_blob(&range, &blobs, sender.clone()).await {
                    Ok(sent) => sent,
                    Err(error) => {
                        // Nobody listens any more if this fails.
                        let _ = sender.send(Err(error)).await;
                        false
                    }
                },
            };
            if !sent {
                return;
            }
        }
    });
    receiver
}

/// Sends a range in chunks. False when nobody takes them any more.
async fn send_blob(
    range: &BlobRange,
    blobs: &Blobs,
    sender: mpsc::Sender<Result<Bytes, BlobError>>,
) -> Result<bool, BlobError> {
    // A multiple of three, so that the base64 of the chunks is the base64 of the whole.
    const { assert!(CHUNK_BYTES.is_multiple_of(3)) };
    let (mut reader, mut left) = blobs.read(range.blob, range.offset, range.length).await?;
    while left > 0 {
        let want = usize::try_from(left)
            .unwrap_or(CHUNK_BYTES)
            .min(CHUNK_BYTES);
        let mut chunk = vec![0; want];
        reader.read_exact(&mut chunk).await?;
        left -= want as u64;
        let bytes = match range.encoding {
            Encoding::Base64 => Bytes::from(BASE64.encode(&chunk)),
            Encoding::Raw | Encoding::JsonString | Encoding::Percent => Bytes::from(chunk),
        };
        if sender.send(Ok(bytes)).await.is_err() {
            return Ok(false);
        }
    }
    Ok(true)
}

impl Body for SizedBody {
    type Data = Bytes;
    type Error = BlobError;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, BlobError>>> {
        self.begun.0.store(true, Ordering::Relaxed);
        let next = match &mut self.source {
            Source::Memory(bytes) => bytes.take().map(Ok),
            Source::Stream(receiver) => match receiver.poll_recv(context) {
                Poll::Ready(next) => next,
                Poll::Pending => return Poll::Pending,
            },
        };
        if let Some(Ok(bytes)) = &next {
            self.left = self.left.saturating_sub(bytes.len() as u64);
        }
        Poll::Ready(next.map(|bytes| bytes.map(Frame::data)))
    }

    fn is_end_stream(&self) -> bool {
        matches!(self.source, Source::Memory(None))
    }

    fn size_hint(&self) -> SizeHint {
        SizeHint::with_exact(self.left)
    }
}
