//! The bytes themselves, bounded, and the addresses under which they are fetched.

use std::collections::{BTreeMap, VecDeque};
use std::sync::Arc;
use std::time::Duration;

use sha2::{Digest as _, Sha256};

use super::{by_ending, sniff};
use crate::actions::{ActionError, Attachment, Draft};
use crate::ids::AppId;
use crate::ledger::Violation;
use crate::platform::Platform;
use crate::platform::routes::{Answer, Call};
use crate::settings::{ForeignUrls, UrlForm};
use crate::time::Millis;

/// Life of the address of what a bot sent: people look at it much later.
const LONG: Duration = Duration::from_secs(10 * 365 * 86_400);

/// A file.
#[derive(Debug, Clone)]
struct Blob {
    name: String,
    kind: String,
    bytes: Arc<[u8]>,
}

/// All files of the platform.
#[derive(Debug)]
pub(crate) struct Store {
    blobs: BTreeMap<String, Blob>,
    order: VecDeque<String>,
    held: usize,
    bound: usize,
}

impl Store {
    pub(crate) fn new(bound: usize) -> Self {
        Self {
            blobs: BTreeMap::new(),
            order: VecDeque::new(),
            held: 0,
            bound,
        }
    }

    fn add(&mut self, id: String, blob: Blob) {
        self.held += blob.bytes.len();
        self.order.push_back(id.clone());
        self.blobs.insert(id, blob);
        while self.held > self.bound && self.order.len() > 1 {
            let Some(old) = self.order.pop_front() else {
                return;
            };
            if let Some(gone) = self.blobs.remove(&old) {
                self.held = self.held.saturating_sub(gone.bytes.len());
            }
        }
    }
}

impl Platform {
    /// Keeps a file that users can attach by its id; without a content type, its bytes decide.
    pub fn add_file(&mut self, name: &str, content_type: Option<&str>, bytes: Vec<u8>) -> String {
        let kind = match content_type {
            Some(kind) => kind.to_owned(),
            None => guessed_kind(name, &bytes),
        };
        self.store_blob(name, &kind, Arc::from(bytes))
    }

    /// Where a file can be fetched from now on, by people; none if it is not kept (any more).
    #[must_use]
    pub fn file_url(&self, id: &str) -> Option<String> {
        self.store
            .blobs
            .contains_key(id)
            .then(|| self.address(id, LONG))
    }

    /// Keeps a file of a bot; its address.
    pub(in crate::platform) fn keep_file(&mut self, bytes: Arc<[u8]>, kind: &str) -> String {
        let id = self.store_blob("", kind, bytes);
        self.address(&id, LONG)
    }

    fn store_blob(&mut self, name: &str, kind: &str, bytes: Arc<[u8]>) -> String {
        let id = self.ids.letters(24);
        let blob = Blob {
            name: name.to_owned(),
            kind: kind.to_owned(),
            bytes,
        };
        self.store.add(id.clone(), blob);
        id
    }

    fn address(&self, id: &str, life: Duration) -> String {
        let ends = self.now.plus(life);
        let rkey = rkey(id, ends);
        let base = &self.settings.media_url;
        format!("{base}/download?appid=1406&fileid={id}&rkey={rkey}&spec=0")
    }

    /// The bytes behind one of the emulator's own addresses; none if they are not kept (any more).
    #[must_use]
    pub fn own_bytes(&self, url: &str) -> Option<Arc<[u8]>> {
        let rest = url.strip_prefix(self.settings.media_url.as_str())?;
        let (_, query) = rest.split_once('?')?;
        let blob = self.store.blobs.get(field(query, "fileid")?)?;
        Some(Arc::clone(&blob.bytes))
    }

    /// A file behind the query of one of the emulator's own addresses, with what it is labelled as,
    /// for people who look at it: nothing is logged, and no key expires.
    #[must_use]
    pub fn own_file(&self, query: &str) -> Option<(String, Arc<[u8]>)> {
        let blob = self.store.blobs.get(field(query, "fileid")?)?;
        Some((mime(blob), Arc::clone(&blob.bytes)))
    }

    /// Whether the platform can fetch from an address: its own, or any, as the settings say.
    pub(in crate::platform) fn reaches(&self, app: &AppId, url: &str) -> bool {
        if url.starts_with(self.settings.media_url.as_str()) {
            return self.own_bytes(url).is_some();
        }
        let foreign = self
            .bots
            .get(app)
            .map(|bot| bot.settings.media.foreign_urls);
        foreign == Some(ForeignUrls::Trusted)
    }

    /// `GET /download`: an attachment, for whoever has its address and sends no authorization.
    pub(in crate::platform) fn download(&mut self, call: &Call) -> Answer {
        if self.refuse_authorization(call) {
            return storage_error(403, "AccessDenied");
        }
        let query = call.request.query.as_deref().unwrap_or_default();
        let id = field(query, "fileid").unwrap_or_default();
        let given = field(query, "rkey").unwrap_or_default();
        let ends = given
            .split_once('.')
            .and_then(|(ends, _)| u64::from_str_radix(ends, 16).ok())
            .map(Millis);
        match ends {
            Some(ends) if rkey(id, ends) == given && ends >= self.now => {}
            Some(_) => return storage_error(403, "rkey expired"),
            None => return storage_error(400, "rkey missing"),
        }
        match self.store.blobs.get(id) {
            None => storage_error(404, "NoSuchKey"),
            Some(blob) => Answer::Bytes {
                status: 200,
                kind: mime(blob),
                bytes: Arc::clone(&blob.bytes),
            },
        }
    }

    /// Notes a bot's authorization where it must not be.
    pub(super) fn refuse_authorization(&mut self, call: &Call) -> bool {
        let sent = call.request.header("authorization").is_some();
        if sent {
            let path = call.request.path.clone();
            self.violation(call.app.as_ref(), Violation::LeakedAuthorization { path });
        }
        sent
    }

    /// A draft whose attachments name uploaded files, with addresses, types and sizes filled in.
    pub(in crate::platform) fn resolved(
        &self,
        app: &AppId,
        draft: &Draft,
        guild: bool,
    ) -> Result<Draft, ActionError> {
        let mut draft = draft.clone();
        let Some(bot) = self.bots.get(app) else {
            return Ok(draft);
        };
        let media = &bot.settings.media;
        let form = if guild { media.guild_urls } else { media.urls };
        for attachment in &mut draft.attachments {
            if let Some(id) = attachment.file.take() {
                let blob = self.store.blobs.get(&id);
                let blob = blob.ok_or_else(|| ActionError::NoSuchFile(id.clone()))?;
                let full = self.address(&id, media.rkey_life);
                fill(attachment, blob, &without_scheme(&full, form));
            }
        }
        Ok(draft)
    }
}

fn fill(attachment: &mut Attachment, blob: &Blob, url: &str) {
    if attachment.content_type.is_empty() {
        attachment.content_type.clone_from(&blob.kind);
    }
    if attachment.filename.is_empty() {
        attachment.filename.clone_from(&blob.name);
    }
    attachment.size = u64::try_from(blob.bytes.len()).unwrap_or(u64::MAX);
    url.clone_into(&mut attachment.url);
    let wav = sniff(&blob.bytes).is_some_and(|it| it.ending == "wav");
    if attachment.content_type == "voice" && wav {
        attachment
            .voice_wav_url
            .get_or_insert_with(|| url.to_owned());
    }
}

fn without_scheme(url: &str, form: UrlForm) -> String {
    let bare = url.split_once("://").map_or(url, |(_, rest)| rest);
    match form {
        UrlForm::Full => url.to_owned(),
        UrlForm::NoScheme => format!("//{bare}"),
        UrlForm::Bare => bare.to_owned(),
    }
}

/// What a file is called in events: a media type for pictures and video, else `voice` or `file`.
fn guessed_kind(name: &str, bytes: &[u8]) -> String {
    match sniff(bytes).or_else(|| by_ending(name)) {
        Some(it) if it.kind == 1 && it.ending == "jpg" => "image/jpeg".to_owned(),
        Some(it) if it.kind == 1 => format!("image/{}", it.ending),
        Some(it) if it.kind == 2 => "video/mp4".to_owned(),
        Some(it) if it.kind == 3 => "voice".to_owned(),
        _ => "file".to_owned(),
    }
}

/// What a download is labelled as.
fn mime(blob: &Blob) -> String {
    match sniff(&blob.bytes) {
        Some(it) if it.kind == 1 && it.ending == "jpg" => "image/jpeg".to_owned(),
        Some(it) if it.kind == 1 => format!("image/{}", it.ending),
        Some(it) if it.ending == "wav" => "audio/wav".to_owned(),
        Some(it) if it.kind == 2 => "video/mp4".to_owned(),
        _ => "application/octet-stream".to_owned(),
    }
}

/// The value of a query field, as it stands.
fn field<'a>(query: &'a str, name: &str) -> Option<&'a str> {
    query
        .split('&')
        .filter_map(|pair| pair.split_once('='))
        .find(|(key, _)| *key == name)
        .map(|(_, value)| value)
}

/// The key to a file until a moment: the moment, and a mark that nobody guesses by accident.
fn rkey(id: &str, ends: Millis) -> String {
    let digest = Sha256::digest(format!("rkey/{id}/{}", ends.0));
    let mark: String = digest
        .iter()
        .take(8)
        .map(|byte| format!("{byte:02x}"))
        .collect();
    format!("{:x}.{mark}", ends.0)
}

/// An error as object storage writes it.
pub(super) fn storage_error(status: u16, code: &str) -> Answer {
    let body = format!("<?xml version='1.0' encoding='utf-8'?><Error><Code>{code}</Code></Error>");
    Answer::Bytes {
        status,
        kind: "application/xml".to_owned(),
        bytes: Arc::from(body.into_bytes()),
    }
}
