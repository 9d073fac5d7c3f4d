//! Uploading by URL, by base64, or by the id of a chunked upload; and the `file_info` that comes of it.

use std::collections::{BTreeMap, VecDeque};
use std::sync::Arc;

use base64::{Engine as _, engine::general_purpose::STANDARD};
use serde_json::{Map, Value, json};

use super::{Sniffed, by_ending, sniff};
use crate::ids::AppId;
use crate::ledger::{BotForm, MediaView, Scene};
use crate::platform::Platform;
use crate::platform::messages::fields::{Kind, check_types, text_of};
use crate::platform::messages::{Outgoing, Refusal, json_body};
use crate::platform::place::Spot;
use crate::platform::routes::{Answer, Call};
use crate::settings::MediaSettings;
use crate::time::Millis;

/// `file_info`s kept per bot.
const KEPT: usize = 10_000;

/// Something uploaded.
#[derive(Debug, Clone)]
struct Uploaded {
    scene: Scene,
    ends: Option<Millis>,
    view: MediaView,
}

/// What one bot has uploaded, by `file_info`.
#[derive(Debug, Default)]
pub(crate) struct Files {
    files: BTreeMap<String, Uploaded>,
    order: VecDeque<String>,
}

/// A file before it is judged.
pub(super) struct Arrived {
    pub(super) file_type: u8,
    pub(super) name: String,
    pub(super) bytes: Option<Arc<[u8]>>,
    /// Where it is, if it came by URL.
    pub(super) url: Option<String>,
}

const FIELDS: &[(&str, Kind)] = &[
    ("file_type", Kind::Whole),
    ("url", Kind::Text),
    ("file_data", Kind::Text),
    ("upload_id", Kind::Text),
    ("srv_send_msg", Kind::Flag),
    ("file_name", Kind::Text),
];

impl Platform {
    /// `POST /v2/users/{openid}/files` and `POST /v2/groups/{openid}/files`.
    pub(in crate::platform) fn post_file(
        &mut self,
        call: &Call,
        app: &AppId,
        scene: Scene,
    ) -> Answer {
        let outcome = self.try_file(call, app, scene);
        self.settle(app, outcome)
    }

    fn try_file(&mut self, call: &Call, app: &AppId, scene: Scene) -> Result<Answer, Refusal> {
        let fields = json_body(call)?.as_object();
        let fields = fields.ok_or_else(|| bad("a body that is no object"))?;
        let bot = self.bots.get(app).ok_or_else(|| Refusal::code(10_001))?;
        check_types(fields, FIELDS, bot.settings.messages.nulls)?;
        let spot = self.find_chat(app, scene, call.segment(2)).map_err(|it| {
            let muted = it.code == 40_054_002;
            if muted { Refusal::code(850_018) } else { it }
        })?;
        let (arrived, chunked) = self.arrived(app, &spot, fields)?;
        let send = fields.get("srv_send_msg").and_then(Value::as_bool) == Some(true);
        let view = self.judge_file(app, arrived)?;
        let (file_info, uuid) = (self.ids.letters(96), self.ids.letters(40));
        let now = self.now;
        let bot = self.bots.get_mut(app);
        let bot = bot.ok_or_else(|| Refusal::code(10_001))?;
        let ttl = bot.settings.media.ttl;
        let uploaded = Uploaded {
            scene,
            ends: (!ttl.is_zero()).then(|| now.plus(ttl)),
            view: view.clone(),
        };
        bot.files.add(file_info.clone(), uploaded);
        let mut answer = json!({
            "file_uuid": uuid, "file_info": file_info, "ttl": ttl.as_secs(), "id": "",
        });
        if let Some(answer) = answer.as_object_mut() {
            if chunked && view.file_type != 4 {
                answer.insert("raw_url".to_owned(), json!(view.url));
            }
            if send {
                let id = self.send_at_once(app, spot, view, call)?;
                answer.insert("id".to_owned(), id);
            }
        }
        Ok(Answer::ok(&answer))
    }

    /// The file that a body brings or names, and whether it came in parts.
    fn arrived(
        &mut self,
        app: &AppId,
        spot: &Spot,
        fields: &Map<String, Value>,
    ) -> Result<(Arrived, bool), Refusal> {
        let sources = ["url", "file_data", "upload_id"];
        let given = sources
            .iter()
            .filter(|name| text_of(fields, name).is_some());
        if given.count() != 1 {
            return Err(bad("exactly one of url, file_data and upload_id is needed"));
        }
        if let Some(upload) = text_of(fields, "upload_id") {
            let upload = upload.to_owned();
            return Ok((self.complete_upload(app, spot, &upload)?, true));
        }
        let file_type = fields.get("file_type").and_then(Value::as_u64);
        let file_type = file_type.and_then(|kind| u8::try_from(kind).ok());
        let file_type = file_type.filter(|kind| (1..=4).contains(kind));
        let file_type = file_type.ok_or_else(|| bad("file_type is not 1 to 4"))?;
        let name = text_of(fields, "file_name").unwrap_or_default().to_owned();
        if let Some(url) = text_of(fields, "url") {
            if !url.starts_with("http://") && !url.starts_with("https://") {
                return Err(bad("url is neither http nor https"));
            }
            if !self.reaches(app, url) {
                return Err(Refusal::code(850_026));
            }
            let arrived = Arrived {
                file_type,
                name,
                bytes: self.own_bytes(url),
                url: Some(url.to_owned()),
            };
            return Ok((arrived, false));
        }
        let allowed = self
            .bots
            .get(app)
            .is_some_and(|bot| bot.settings.media.base64);
        if !allowed {
            return Err(Refusal::code(10_000));
        }
        let data = text_of(fields, "file_data").unwrap_or_default();
        let bytes = STANDARD
            .decode(data)
            .map_err(|_| bad("file_data is not base64 (without a data: prefix)"))?;
        let arrived = Arrived {
            file_type,
            name,
            bytes: Some(Arc::from(bytes)),
            url: None,
        };
        Ok((arrived, false))
    }

    /// Checks format and size, and keeps the bytes.
    fn judge_file(&mut self, app: &AppId, arrived: Arrived) -> Result<MediaView, Refusal> {
        let bot = self.bots.get(app).ok_or_else(|| Refusal::code(10_001))?;
        let media = &bot.settings.media;
        let size = arrived.bytes.as_ref().map(|bytes| bytes.len());
        let size = size.map(|size| u64::try_from(size).unwrap_or(u64::MAX));
        if size == Some(0) {
            return Err(bad("the file is empty"));
        }
        if size.is_some_and(|size| size > media.hard) {
            return Err(Refusal::code(850_031));
        }
        let sniffed = match (&arrived.bytes, &arrived.url) {
            (Some(bytes), _) => sniff(bytes),
            (None, Some(url)) => by_ending(url),
            (None, None) => None,
        };
        let foreign = arrived.bytes.is_none();
        check_format(arrived.file_type, sniffed, foreign, media)?;
        let soft = media
            .soft
            .get(usize::from(arrived.file_type.saturating_sub(1)));
        let degraded = size.zip(soft).is_some_and(|(size, soft)| size > *soft);
        let url = match (arrived.url, arrived.bytes) {
            (Some(url), _) => url,
            (None, Some(bytes)) => self.keep_file(bytes, "file"),
            (None, None) => String::new(),
        };
        Ok(MediaView {
            file_type: if degraded { 4 } else { arrived.file_type },
            name: arrived.name,
            size,
            url,
        })
    }

    /// What a `file_info` stands for in a scene.
    pub(in crate::platform) fn find_file(
        &self,
        app: &AppId,
        scene: Scene,
        file_info: &str,
    ) -> Result<MediaView, Refusal> {
        let bot = self.bots.get(app).ok_or_else(|| Refusal::code(10_001))?;
        let file = bot.files.files.get(file_info);
        let file = file.filter(|file| file.scene == scene);
        let why = "a file_info that is unknown, or of another scene";
        let file = file.ok_or_else(|| Refusal::malformed(304_080, why))?;
        if file.ends.is_some_and(|ends| ends < self.now) {
            return Err(Refusal::code(40_034_004));
        }
        Ok(file.view.clone())
    }

    /// `srv_send_msg`: the file is sent as a proactive message.
    fn send_at_once(
        &mut self,
        app: &AppId,
        spot: Spot,
        view: MediaView,
        call: &Call,
    ) -> Result<Value, Refusal> {
        let mut outgoing = Outgoing::new(BotForm::Media, String::new());
        outgoing.media = Some(view);
        let body = Arc::clone(&call.text);
        let answer = self.send_unasked(app, spot, outgoing, body)?;
        let answer: Value = match answer {
            Answer::Json(text) => serde_json::from_str(&text).unwrap_or_default(),
            _ => Value::Null,
        };
        Ok(answer.get("id").cloned().unwrap_or_else(|| json!("")))
    }
}

impl Files {
    fn add(&mut self, file_info: String, file: Uploaded) {
        self.order.push_back(file_info.clone());
        self.files.insert(file_info, file);
        while self.order.len() > KEPT {
            if let Some(old) = self.order.pop_front() {
                self.files.remove(&old);
            }
        }
    }
}

/// Whether a file of this type may look like this. A foreign address without a telling ending
/// gets the benefit of the doubt.
fn check_format(
    file_type: u8,
    sniffed: Option<Sniffed>,
    foreign: bool,
    media: &MediaSettings,
) -> Result<(), Refusal> {
    let formats = match file_type {
        1 => &media.formats.image,
        2 => &media.formats.video,
        3 => &media.formats.voice,
        _ if media.files => return Ok(()),
        _ => return Err(Refusal::code(850_019)),
    };
    match sniffed {
        None if foreign => Ok(()),
        Some(it) if it.kind == file_type && formats.iter().any(|known| known == it.ending) => {
            Ok(())
        }
        _ => Err(Refusal::code(850_019)),
    }
}

fn bad(why: &str) -> Refusal {
    Refusal::malformed(12_002, format!("files: {why}"))
}
