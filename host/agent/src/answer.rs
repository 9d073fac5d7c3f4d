//! From what a model wrote to the parts of an answer.
//!
//! **What a model writes cannot make the host read a file outside the media folder or fetch a
//! private address.** Files are opened by [`crate::media`]; addresses are never fetched here, and
//! only public ones are passed on for the platform to fetch. Where a public name leads to is for
//! whoever fetches it to check. What is refused stays text, exactly as it was written.

mod address;

use std::sync::Arc;

use prx_host::bindings::v0_1::{AnswerPart, BlobId, BlobInfo, MediaPart, MediaSource};
use prx_host::drivers::blobs::{BlobError, Blobs};
use tokio::fs::File;
use tokio::io::AsyncReadExt;

use self::address::{NotPublic, public_url};
use crate::marks::{Piece, pieces};
use crate::media::{MediaFolder, NotThere, Opened};

/// Media of one answer; markers beyond stay text. A model that repeats itself must not fill the disk.
const MAX_MEDIA: usize = 10;
/// Bytes of a card. The finished answer is stored by the channel, and an entry has a bound.
const MAX_CARD_BYTES: usize = 16 << 10;
/// Bytes read at a time.
const CHUNK_BYTES: usize = 48 << 10;

/// A marker or a card is not passed on. Says nothing of what was written.
#[derive(Debug, thiserror::Error)]
enum Refused {
    #[error(transparent)]
    Address(#[from] NotPublic),
    #[error(transparent)]
    Path(#[from] NotThere),
    #[error("a path, and the agent has no media folder")]
    NoFolder,
    #[error("a file that cannot become a blob: {0}")]
    Blob(#[from] BlobError),
    #[error("more than {MAX_MEDIA} media in one answer")]
    TooMany,
    #[error("a card that is not a JSON object of at most {MAX_CARD_BYTES} bytes")]
    Card,
}

/// A piece of an answer, looked at.
pub(crate) enum Fetched<'a> {
    /// Words, or what is refused and stays as it was written.
    Words(&'a str),
    /// Anything else.
    Part(AnswerPart),
}

/// Where an answer's media come from and go to.
pub(crate) struct Answers<'a> {
    pub(crate) folder: Option<&'a Arc<MediaFolder>>,
    pub(crate) blobs: &'a Blobs,
    /// The channel, for the log.
    pub(crate) channel: &'a str,
}

impl Answers<'_> {
    /// The parts of an answer. Dropped before it is done, it leaves no blobs behind.
    pub(crate) async fn parts(&self, text: &str) -> Vec<AnswerPart> {
        let mut made = Made {
            blobs: self.blobs,
            ids: Vec::new(),
        };
        let mut fetched = Vec::new();
        let mut media = 0;
        let mut refused = None;
        for piece in pieces(text) {
            let (raw, part) = match piece {
                Piece::Text(words) => {
                    fetched.push(Fetched::Words(words));
                    continue;
                }
                Piece::Media { raw, .. } if media >= MAX_MEDIA => (raw, Err(Refused::TooMany)),
                Piece::Media { raw, kind, target } => {
                    media += 1;
                    let source = self.source(target, &mut made).await;
                    let caption = None;
                    let part = |source| MediaPart {
                        kind,
                        source,
                        caption,
                    };
                    (raw, source.map(part).map(AnswerPart::Media))
                }
                Piece::Card { raw, json } => (raw, card(json)),
            };
            match part {
                Ok(part) => fetched.push(Fetched::Part(part)),
                Err(why) => {
                    fetched.push(Fetched::Words(raw));
                    refused.get_or_insert(why);
                }
            }
        }
        if let Some(why) = refused {
            let channel = self.channel;
            tracing::info!(channel, "part of an answer stays text, as it names {why}");
        }
        made.keep();
        assemble(fetched)
    }

    async fn source(&self, target: &str, made: &mut Made<'_>) -> Result<MediaSource, Refused> {
        if let Some(url) = public_url(target)? {
            return Ok(MediaSource::Url(url));
        }
        let folder = self.folder.ok_or(Refused::NoFolder)?;
        let opened = folder.open_file(target).await?;
        let info = made.fill(opened).await?;
        Ok(MediaSource::Blob(info))
    }
}

/// Only that it is an object is checked: what it means is the channel's.
fn card(json: &str) -> Result<AnswerPart, Refused> {
    type Object = serde_json::Map<String, serde_json::Value>;
    let object = json.len() <= MAX_CARD_BYTES && serde_json::from_str::<Object>(json).is_ok();
    match object {
        true => Ok(AnswerPart::Card(json.to_owned())),
        false => Err(Refused::Card),
    }
}

/// Puts words together again and drops the space around what was taken out of them. An answer of
/// nothing but words is left as it is.
pub(crate) fn assemble<'a>(fetched: impl IntoIterator<Item = Fetched<'a>>) -> Vec<AnswerPart> {
    let mut parts = Vec::new();
    let mut words = String::new();
    let add = |words: &str, parts: &mut Vec<AnswerPart>| {
        // The first text keeps its beginning: it has been shown already where text grows.
        let words = if parts.is_empty() {
            words
        } else {
            words.trim_start()
        };
        if !words.trim().is_empty() {
            parts.push(AnswerPart::Text(words.to_owned()));
        }
    };
    for piece in fetched {
        match piece {
            Fetched::Words(more) => words.push_str(more),
            Fetched::Part(part) => {
                add(words.trim_end(), &mut parts);
                parts.push(part);
                words.clear();
            }
        }
    }
    add(&words, &mut parts);
    parts
}

/// Blobs of an answer in the making, removed unless it is kept.
struct Made<'a> {
    blobs: &'a Blobs,
    ids: Vec<BlobId>,
}

impl Made<'_> {
    async fn fill(&mut self, opened: Opened) -> Result<BlobInfo, BlobError> {
        let id = self.blobs.allot();
        self.ids.push(id);
        let mut writer = self.blobs.writer(id, u64::MAX).await?;
        // Known before a byte of it is copied.
        if opened.bytes > writer.max_bytes() {
            return Err(BlobError::TooLarge(writer.max_bytes()));
        }
        let mut file = File::from_std(opened.file);
        let mut chunk = vec![0; CHUNK_BYTES];
        loop {
            let read = file.read(&mut chunk).await?;
            match chunk.get(..read) {
                Some(bytes) if !bytes.is_empty() => writer.write(bytes).await?,
                _ => break,
            }
        }
        writer.finish(Some(opened.name)).await
    }

    fn keep(mut self) {
        self.ids.clear();
    }
}

impl Drop for Made<'_> {
    fn drop(&mut self) {
        for id in self.ids.drain(..) {
            self.blobs.remove(id);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn text(text: &str) -> AnswerPart {
        AnswerPart::Text(text.into())
    }

    fn card() -> AnswerPart {
        AnswerPart::Card("{}".into())
    }

    #[test]
    fn space_around_what_is_taken_out_goes_and_blank_pieces_too() {
        let parts = assemble([
            Fetched::Words("  one\n\n"),
            Fetched::Part(card()),
            Fetched::Words(" \n"),
            Fetched::Part(card()),
            Fetched::Words("\n two \n"),
        ]);
        assert_eq!(parts, [text("  one"), card(), card(), text("two \n")]);
    }

    #[test]
    fn nothing_but_words_stays_as_it_was() {
        let words = assemble([
            Fetched::Words(" a "),
            Fetched::Words("[b] "),
            Fetched::Words("c\n"),
        ]);
        assert_eq!(words, [text(" a [b] c\n")]);
        assert_eq!(assemble([Fetched::Words(" \n")]), []);
    }

    #[tokio::test]
    async fn an_answer_that_is_not_kept_leaves_no_blobs() {
        let dir = tempfile::tempdir().unwrap();
        let blobs = Blobs::open(dir.path().join("blobs"), 1000, 1000).unwrap();
        let folder = MediaFolder::open(&dir.path().join("media")).unwrap();
        let folder = Arc::new(folder);
        let name = folder.make("a.txt", 2, &b"hi"[..]).await.unwrap();
        let ids = Vec::new();
        let mut made = Made { blobs: &blobs, ids };
        let opened = folder.open_file(&name).await.unwrap();
        let info = made.fill(opened).await.unwrap();
        assert_eq!(blobs.info(info.blob), Some(info));
        drop(made);
        let left = std::fs::read_dir(dir.path().join("blobs")).unwrap();
        assert_eq!(left.count(), 0);
    }

    #[test]
    fn a_card_is_a_json_object_and_nothing_else_of_it_is_checked() {
        assert!(super::card(r#"{"type":"unheard of"}"#).is_ok());
        for json in ["", "[]", "\"x\"", "{", "{} {}"] {
            assert!(super::card(json).is_err(), "{json}");
        }
        let long = format!("{{\"x\":\"{}\"}}", "y".repeat(MAX_CARD_BYTES));
        assert!(super::card(&long).is_err());
    }
}
