//! Bringing media to the platform before it is sent: by address, in the request itself, or in pieces through
//! object storage (`PROTOCOL.md`, "Media"). The bytes stay with the host; digests and ranges are all that is here.

use serde::{Deserialize, Serialize};
use serde_json::json;

use crate::bindings::{BlobInfo, BlobRange, Digest, Encoding, Hash, MediaKind, Piece};
use crate::env::{Env, Level};
use crate::ids::TurnId;
use crate::requests::{Body, Purpose, text};
use crate::turns::{Stage, Turn, Turns};

use super::answer::{Content, Media, Source};
use super::{Flight, files};

mod answers;

/// Bytes at the start of a file whose digest the platform wants by itself. Not ten mebibytes.
const START_BYTES: u64 = 10_002_432;

/// What the upload waits for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
enum Step {
    /// The host makes a file of a text.
    Making,
    /// Digests of the whole file.
    Hashing,
    /// The digest of its start.
    HashingStart,
    /// The platform takes the file, or its address, at once.
    Posting,
    /// The platform says where the pieces go.
    Preparing,
    /// The digest of a piece.
    HashingPiece,
    /// A piece goes to object storage.
    Putting,
    /// The platform notes a piece.
    Noting,
    /// The platform puts the pieces together.
    Completing,
}

/// A piece of a file on its way through object storage.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
struct PieceOf {
    index: i64,
    offset: u64,
    size: u64,
    url: String,
    md5: String,
}

/// How far an upload is.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Upload {
    step: Step,
    md5: String,
    sha1: String,
    md5_start: String,
    id: String,
    pieces: Vec<PieceOf>,
    at: usize,
}

impl Upload {
    fn new(step: Step) -> Self {
        Self {
            step,
            md5: String::new(),
            sha1: String::new(),
            md5_start: String::new(),
            id: String::new(),
            pieces: Vec::new(),
            at: 0,
        }
    }
}

/// The number that the platform has for a kind of file. A type that it does not show becomes a plain file.
#[must_use]
pub fn file_type(media: &Media) -> u8 {
    let is =
        |types: &[&str]| media.media_type.is_empty() || types.contains(&media.media_type.as_str());
    match media.kind {
        MediaKind::Image
            if is(&[
                "image/png",
                "image/jpeg",
                "image/gif",
                "image/webp",
                "image/bmp",
            ]) =>
        {
            1
        }
        MediaKind::Video if is(&["video/mp4"]) => 2,
        MediaKind::Voice | MediaKind::Audio
            if is(&[
                "audio/mpeg",
                "audio/x-wav",
                "audio/wav",
                "audio/ogg",
                "audio/silk",
            ]) =>
        {
            3
        }
        _ => 4,
    }
}

impl Turns {
    /// Begins or goes on with the upload of a part's media.
    pub(super) fn upload(&mut self, env: &mut Env, id: TurnId, index: usize) {
        let Some(media) = self.media(id, index).cloned() else {
            return;
        };
        let flight = self.flights.entry(id).or_default();
        let step = flight.upload.as_ref().map(|upload| upload.step);
        let (purpose, source) = (
            Purpose::Upload {
                turn: id,
                part: index,
            },
            &media.source,
        );
        let request = match (step, source) {
            (None, Source::Text(content)) => {
                flight.upload = Some(Upload::new(Step::Making));
                env.make_blob(purpose, content.clone(), &media.name)
            }
            (None, Source::Url(_)) => {
                flight.upload = Some(Upload::new(Step::Posting));
                return self.post_file(env, id, index);
            }
            (None, Source::Blob(blob)) => {
                flight.upload = Some(Upload::new(Step::Hashing));
                env.digest(purpose, *blob, (0, None), vec![Hash::Md5, Hash::Sha1])
            }
            // What was under way is asked again, after a wait.
            (Some(Step::Making | Step::Hashing | Step::HashingStart | Step::HashingPiece), _) => {
                return;
            }
            (Some(Step::Posting), _) => return self.post_file(env, id, index),
            (Some(Step::Preparing), _) => return self.prepare(env, id, index),
            (Some(Step::Putting | Step::Noting), _) => return self.put_piece(env, id, index),
            (Some(Step::Completing), _) => return self.complete(env, id, index),
        };
        flight.request = Some(request);
    }

    fn media(&self, id: TurnId, index: usize) -> Option<&Media> {
        let Some(Turn {
            stage: Stage::Answering(answer),
            ..
        }) = self.open.get(&id)
        else {
            return None;
        };
        match &answer.parts.get(index)?.content {
            Content::Media(media) => Some(media),
            _ => None,
        }
    }

    fn media_mut(&mut self, id: TurnId, index: usize) -> Option<&mut Media> {
        let Some(Turn {
            stage: Stage::Answering(answer),
            ..
        }) = self.open.get_mut(&id)
        else {
            return None;
        };
        match &mut answer.parts.get_mut(index)?.content {
            Content::Media(media) => Some(media),
            _ => None,
        }
    }

    /// A file of a text is there, or is not.
    pub fn on_made(
        &mut self,
        env: &mut Env,
        (id, index): (TurnId, usize),
        made: &Result<BlobInfo, String>,
    ) {
        self.flights.insert(id, Flight::default());
        self.schedule(id);
        match made {
            Ok(info) => {
                if let Some(media) = self.media_mut(id, index) {
                    media.source = Source::Blob(info.blob);
                    media.size = info.size;
                }
            }
            Err(why) => {
                env.log(
                    Level::Warn,
                    format!("turn {id}: part {index}: no file: {why}"),
                );
                self.as_text(env, id, index, None);
            }
        }
    }

    /// Digests are there.
    pub fn on_digest(&mut self, env: &mut Env, (id, index): (TurnId, usize), digests: &[Digest]) {
        self.schedule(id);
        let hex = |hash: Hash| {
            let found = digests.iter().find(|digest| digest.hash == hash);
            found.map(|digest| digest.hex.clone()).unwrap_or_default()
        };
        let md5 = hex(Hash::Md5);
        let Some(size) = self.media(id, index).map(|media| media.size) else {
            return;
        };
        let above = size > env.config.upload_chunk_bytes;
        let Some(flight) = self.flights.get_mut(&id) else {
            return;
        };
        flight.request = None;
        let Some(upload) = flight.upload.as_mut() else {
            return;
        };
        if md5.is_empty() {
            env.log(
                Level::Warn,
                format!("turn {id}: part {index}: its bytes are gone"),
            );
            return self.as_text(env, id, index, None);
        }
        match upload.step {
            Step::Hashing => {
                upload.md5.clone_from(&md5);
                upload.md5_start = md5;
                upload.sha1 = hex(Hash::Sha1);
                upload.step = match (above, size > START_BYTES) {
                    (false, _) => Step::Posting,
                    (true, false) => Step::Preparing,
                    (true, true) => Step::HashingStart,
                };
                self.go_on(env, id, index);
            }
            Step::HashingStart => {
                upload.md5_start = md5;
                upload.step = Step::Preparing;
            }
            Step::HashingPiece => {
                let at = upload.at;
                if let Some(piece) = upload.pieces.get_mut(at) {
                    piece.md5 = md5;
                }
                upload.step = Step::Putting;
            }
            _ => {}
        }
    }

    /// After the digests: known already, or the digest of the start is wanted too.
    fn go_on(&mut self, env: &mut Env, id: TurnId, index: usize) {
        let Some((scene, target)) = self.place(id) else {
            return;
        };
        let Some(media) = self.media(id, index) else {
            return;
        };
        let (blob, kind) = (media.source.clone(), file_type(media));
        let Some(flight) = self.flights.get_mut(&id) else {
            return;
        };
        let Some(upload) = flight.upload.as_ref() else {
            return;
        };
        let name = files::name(scene, &target, kind, &upload.sha1);
        if let Some(ready) = self.files.find(env, &name) {
            flight.upload = None;
            if let Some(media) = self.media_mut(id, index) {
                media.ready = Some(ready);
            }
        } else if let (Step::HashingStart, Source::Blob(blob)) = (upload.step, blob) {
            let purpose = Purpose::Upload {
                turn: id,
                part: index,
            };
            let start = (0, Some(START_BYTES));
            flight.request = Some(env.digest(purpose, blob, start, vec![Hash::Md5]));
        }
    }

    /// The whole file in one request, or its address.
    fn post_file(&mut self, env: &mut Env, id: TurnId, index: usize) {
        let Some(media) = self.media(id, index) else {
            return;
        };
        let mut fields = json!({"file_type": file_type(media), "srv_send_msg": false});
        if file_type(media) == 4 && !media.name.is_empty() {
            set(&mut fields, "file_name", media.name.as_str());
        }
        let body = match &media.source {
            Source::Url(url) => {
                set(&mut fields, "url", url.as_str());
                Body::Json(fields.to_string())
            }
            Source::Blob(blob) => {
                let open = fields.to_string();
                let head = open.strip_suffix('}').unwrap_or(&open);
                let bytes = BlobRange {
                    blob: *blob,
                    offset: 0,
                    length: None,
                    encoding: Encoding::Base64,
                };
                Body::JsonPieces(vec![
                    text(format!("{head},\"file_data\":\"")),
                    Piece::Blob(bytes),
                    text("\"}"),
                ])
            }
            Source::Text(_) => return,
        };
        self.call(env, id, index, "files", body);
    }

    fn upload_of(&self, id: TurnId) -> Option<&Upload> {
        let flight = self.flights.get(&id)?;
        flight.upload.as_ref()
    }

    fn prepare(&mut self, env: &mut Env, id: TurnId, index: usize) {
        let (Some(media), Some(upload)) = (self.media(id, index), self.upload_of(id)) else {
            return;
        };
        let body = json!({
            "file_type": file_type(media),
            "file_name": if media.name.is_empty() { "file" } else { &media.name },
            // The documentation has a string, and some clients send a number; the string is what it says.
            "file_size": media.size.to_string(),
            "md5": upload.md5,
            "sha1": upload.sha1,
            "md5_10m": upload.md5_start,
        });
        self.call(
            env,
            id,
            index,
            "upload_prepare",
            Body::Json(body.to_string()),
        );
    }

    fn put_piece(&mut self, env: &mut Env, id: TurnId, index: usize) {
        let Some(Source::Blob(blob)) = self.media(id, index).map(|media| media.source.clone())
        else {
            return;
        };
        let Some(flight) = self.flights.get_mut(&id) else {
            return;
        };
        let Some(upload) = flight.upload.as_mut() else {
            return;
        };
        let Some(piece) = upload.pieces.get(upload.at) else {
            return;
        };
        let purpose = Purpose::Upload {
            turn: id,
            part: index,
        };
        if piece.md5.is_empty() {
            upload.step = Step::HashingPiece;
            let range = (piece.offset, Some(piece.size));
            flight.request = Some(env.digest(purpose, blob, range, vec![Hash::Md5]));
            return;
        }
        if upload.step == Step::Putting {
            let range = BlobRange {
                blob,
                offset: piece.offset,
                length: Some(piece.size),
                encoding: Encoding::Raw,
            };
            flight.request = Some(env.put_range(purpose, &piece.url, range));
            return;
        }
        let body = json!({
            "upload_id": upload.id,
            "part_index": piece.index,
            "block_size": piece.size.to_string(),
            "md5": piece.md5,
        });
        self.call(
            env,
            id,
            index,
            "upload_part_finish",
            Body::Json(body.to_string()),
        );
    }

    fn complete(&mut self, env: &mut Env, id: TurnId, index: usize) {
        let (Some(media), Some(upload)) = (self.media(id, index), self.upload_of(id)) else {
            return;
        };
        let body = json!({
            "upload_id": upload.id,
            "file_type": file_type(media),
            "file_name": media.name,
            "srv_send_msg": false,
        });
        self.call(env, id, index, "files", Body::Json(body.to_string()));
    }

    fn call(&mut self, env: &mut Env, id: TurnId, index: usize, what: &str, body: Body) {
        let Some(path) = self
            .place(id)
            .and_then(|(scene, target)| scene.upload_path(&target, what))
        else {
            return;
        };
        let purpose = Purpose::Upload {
            turn: id,
            part: index,
        };
        let request = env.call_api(purpose, "POST", &path, body, false);
        let flight = self.flights.entry(id).or_default();
        flight.request = Some(request);
        flight.tries += 1;
    }
}

fn set(fields: &mut serde_json::Value, name: &str, value: &str) {
    if let Some(object) = fields.as_object_mut() {
        object.insert(name.to_owned(), value.into());
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_the_platform_does_not_show_becomes_a_plain_file() {
        let media = |kind, media_type: &str| Media {
            kind,
            source: Source::Blob(1),
            name: String::new(),
            media_type: media_type.into(),
            size: 1,
            caption: String::new(),
            ready: None,
            retried: false,
        };
        for (kind, media_type, number) in [
            (MediaKind::Image, "image/png", 1),
            (MediaKind::Image, "image/tiff", 4),
            (MediaKind::Video, "video/mp4", 2),
            (MediaKind::Video, "video/x-matroska", 4),
            (MediaKind::Voice, "audio/mpeg", 3),
            (MediaKind::Audio, "audio/x-wav", 3),
            (MediaKind::Voice, "audio/amr", 4),
            (MediaKind::Document, "image/png", 4),
            (MediaKind::Image, "", 1),
        ] {
            assert_eq!(file_type(&media(kind, media_type)), number, "{media_type}");
        }
    }
}
