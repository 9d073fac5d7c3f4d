//! Chunked upload: prepare, PUT the parts to object storage, finish each, name the whole.
//!
//! Source: the documentation's page on uploading in parts.

use std::collections::{BTreeMap, VecDeque};
use std::sync::Arc;

use md5::{Digest as _, Md5};
use serde_json::{Map, Value, json};
use sha1::Sha1;

use super::files::Arrived;
use super::store::storage_error;
use crate::ids::{AppId, Openid};
use crate::ledger::Scene;
use crate::platform::Platform;
use crate::platform::messages::fields::text_of;
use crate::platform::messages::{Refusal, json_body};
use crate::platform::place::Spot;
use crate::platform::routes::{Answer, Call};
use crate::settings::{MediaSettings, NumberForm};
use crate::time::Millis;

/// Bytes of the beginning whose hash is asked for. It is not 10 MiB.
const PREFIX: usize = 10_002_432;

/// Uploads kept per bot.
const KEPT: usize = 32;

/// An upload in parts.
#[derive(Debug)]
struct Upload {
    target: Openid,
    file_type: u8,
    name: String,
    size: u64,
    md5: String,
    sha1: String,
    md5_10m: String,
    first: u32,
    parts: Vec<Part>,
}

#[derive(Debug, Default)]
struct Part {
    size: u64,
    sign: String,
    bytes: Option<Arc<[u8]>>,
    put_at: Millis,
    finished: bool,
}

/// Those of one bot, and the volume of the day.
#[derive(Debug, Default)]
pub(crate) struct Uploads {
    uploads: BTreeMap<String, Upload>,
    order: VecDeque<String>,
    day: u64,
    bytes: u64,
}

impl Platform {
    /// `POST …/upload_prepare`.
    pub(in crate::platform) fn upload_prepare(
        &mut self,
        call: &Call,
        app: &AppId,
        scene: Scene,
    ) -> Answer {
        let outcome = self.try_prepare(call, app, scene);
        self.settle(app, outcome)
    }

    fn try_prepare(&mut self, call: &Call, app: &AppId, scene: Scene) -> Result<Answer, Refusal> {
        let fields = json_body(call)?.as_object();
        let fields = fields.ok_or_else(|| bad("a body that is no object"))?;
        let spot = self.find_chat(app, scene, call.segment(2))?;
        let mut upload = Upload::read(fields, spot.target)?;
        let id = format!("up_{}", self.ids.letters(20));
        let signs: Vec<String> = (0..100).map(|_| self.ids.letters(16)).collect();
        let (now, base) = (self.now, self.settings.media_url.clone());
        let most = u64::try_from(self.settings.keep_bytes).unwrap_or(u64::MAX);
        let bot = self.bots.get_mut(app);
        let bot = bot.ok_or_else(|| Refusal::code(10_001))?;
        let media = &bot.settings.media;
        if upload.size > media.hard {
            return Err(Refusal::code(850_031));
        }
        let today = (now.0 + 8 * 3_600_000) / 86_400_000;
        if bot.uploads.day != today {
            (bot.uploads.day, bot.uploads.bytes) = (today, 0);
        }
        bot.uploads.bytes = bot.uploads.bytes.saturating_add(upload.size);
        if media.daily_bytes > 0 && bot.uploads.bytes > media.daily_bytes {
            return Err(Refusal::code(40_093_002));
        }
        upload.first = match scene {
            Scene::Group => media.first_part_group,
            _ => media.first_part_c2c,
        };
        let answer = upload.divide(&id, &base, signs, media);
        bot.uploads.add(id, upload, most);
        Ok(Answer::ok(&answer))
    }

    /// `PUT /cos/{upload}/{index}`: object storage, which knows the signature and nothing else.
    pub(in crate::platform) fn put_part(&mut self, call: &Call) -> Answer {
        if self.refuse_authorization(call) {
            return storage_error(403, "SignatureDoesNotMatch");
        }
        let (now, app) = (self.now, call.app.clone());
        let bot = app.and_then(|app| self.bots.get_mut(&app));
        let upload = bot.and_then(|bot| bot.uploads.uploads.get_mut(call.segment(1)));
        let Some(part) = upload.and_then(|upload| upload.part(call.segment(2))) else {
            return storage_error(404, "NoSuchUpload");
        };
        let sign = format!("sign={}", part.sign);
        if call.request.query.as_deref() != Some(sign.as_str()) {
            return storage_error(403, "SignatureDoesNotMatch");
        }
        if u64::try_from(call.request.body.len()) != Ok(part.size) {
            return storage_error(400, "EntityTooLarge");
        }
        part.bytes = Some(Arc::from(call.request.body.as_slice()));
        part.put_at = now;
        Answer::Bytes {
            status: 200,
            kind: "application/xml".to_owned(),
            bytes: Arc::from(Vec::new()),
        }
    }

    /// Whose upload an address of object storage is about.
    pub(in crate::platform) fn upload_owner(&self, upload: &str) -> Option<AppId> {
        let mut bots = self.bots.iter();
        let found = bots.find(|(_, bot)| bot.uploads.uploads.contains_key(upload));
        found.map(|(app, _)| app.clone())
    }

    /// `POST …/upload_part_finish`.
    pub(in crate::platform) fn upload_part_finish(
        &mut self,
        call: &Call,
        app: &AppId,
        _scene: Scene,
    ) -> Answer {
        let outcome = self.try_part_finish(call, app);
        self.settle(app, outcome)
    }

    fn try_part_finish(&mut self, call: &Call, app: &AppId) -> Result<Answer, Refusal> {
        let fields = json_body(call)?.as_object();
        let fields = fields.ok_or_else(|| bad("a body that is no object"))?;
        let now = self.now;
        let bot = self.bots.get_mut(app);
        let bot = bot.ok_or_else(|| Refusal::code(10_001))?;
        let lag = bot.settings.media.part_lag;
        let id = text_of(fields, "upload_id").unwrap_or_default();
        let upload = bot.uploads.uploads.get_mut(id);
        let upload = upload.filter(|it| it.target.as_str() == call.segment(2));
        let upload = upload.ok_or_else(|| bad("no such upload_id in this chat"))?;
        let index = number(fields, "part_index").ok_or_else(|| bad("no part_index"))?;
        let part = upload.part(&index.to_string());
        let part = part.ok_or_else(|| bad("part_index is none of the parts"))?;
        if number(fields, "block_size") != Some(part.size) {
            return Err(bad("block_size is not the size of this part"));
        }
        let Some(bytes) = part
            .bytes
            .as_ref()
            .filter(|_| now.since(part.put_at) >= lag)
        else {
            return Err(Refusal::code(40_093_001));
        };
        if text_of(fields, "md5") != Some(hex(&Md5::digest(bytes)).as_str()) {
            return Err(Refusal::malformed(
                40_093_001,
                "upload: wrong md5 of a part",
            ));
        }
        part.finished = true;
        Ok(Answer::Json("{}".to_owned()))
    }

    /// Puts an upload together whose parts are all there, if its hashes are right.
    pub(super) fn complete_upload(
        &mut self,
        app: &AppId,
        spot: &Spot,
        id: &str,
    ) -> Result<Arrived, Refusal> {
        let bot = self.bots.get_mut(app);
        let bot = bot.ok_or_else(|| Refusal::code(10_001))?;
        let upload = bot.uploads.uploads.get(id);
        let upload = upload.filter(|upload| upload.target == spot.target);
        let upload = upload.ok_or_else(|| bad("no such upload_id in this chat"))?;
        if upload.parts.iter().any(|part| !part.finished) {
            return Err(Refusal::malformed(
                40_093_001,
                "upload: a part is not finished",
            ));
        }
        let parts = upload.parts.iter().filter_map(|part| part.bytes.as_deref());
        let whole: Vec<u8> = parts.flatten().copied().collect();
        let start = whole.get(..PREFIX).unwrap_or(&whole);
        let hashes = [
            ("md5", hex(&Md5::digest(&whole)), &upload.md5),
            ("sha1", hex(&Sha1::digest(&whole)), &upload.sha1),
            ("md5_10m", hex(&Md5::digest(start)), &upload.md5_10m),
        ];
        for (name, is, said) in hashes {
            if !said.eq_ignore_ascii_case(&is) {
                let why = format!("upload: {name} is {is}, not {said}");
                return Err(Refusal::malformed(40_093_001, why));
            }
        }
        let arrived = Arrived {
            file_type: upload.file_type,
            name: upload.name.clone(),
            bytes: Some(Arc::from(whole)),
            url: None,
        };
        bot.uploads.uploads.remove(id);
        Ok(arrived)
    }
}

impl Upload {
    fn read(fields: &Map<String, Value>, target: Openid) -> Result<Self, Refusal> {
        let file_type = number(fields, "file_type").and_then(|kind| u8::try_from(kind).ok());
        let file_type = file_type.filter(|kind| (1..=4).contains(kind));
        let size = number(fields, "file_size").filter(|size| *size > 0);
        let hash = |name: &'static str, digits: usize| {
            let text = text_of(fields, name).unwrap_or_default();
            let good = text.len() == digits && text.bytes().all(|b| b.is_ascii_hexdigit());
            let why = format!("{name} is not {digits} hex digits");
            good.then(|| text.to_owned()).ok_or_else(|| bad(&why))
        };
        let name = text_of(fields, "file_name");
        Ok(Self {
            target,
            file_type: file_type.ok_or_else(|| bad("file_type is not 1 to 4"))?,
            name: name.ok_or_else(|| bad("no file_name"))?.to_owned(),
            size: size.ok_or_else(|| bad("no file_size"))?,
            md5: hash("md5", 32)?,
            sha1: hash("sha1", 40)?,
            md5_10m: hash("md5_10m", 32)?,
            first: 0,
            parts: Vec::new(),
        })
    }

    /// Divides the file into parts, each with its address; the answer that tells of them.
    fn divide(&mut self, id: &str, base: &str, signs: Vec<String>, media: &MediaSettings) -> Value {
        let block = media.part_bytes.max(self.size / 99 + 1).min(self.size);
        let number = |n: u64| match media.sizes {
            NumberForm::Text => json!(n.to_string()),
            NumberForm::Number => json!(n),
        };
        let (mut listed, mut left, mut index) = (Vec::new(), self.size, self.first);
        for sign in signs {
            if left == 0 {
                break;
            }
            let size = left.min(block);
            left -= size;
            listed.push(json!({
                "index": index, "block_size": number(size),
                "presigned_url": format!("{base}/cos/{id}/{index}?sign={sign}"),
            }));
            self.parts.push(Part {
                size,
                sign,
                ..Part::default()
            });
            index = index.saturating_add(1);
        }
        let mut answer = json!({
            "upload_id": id, "block_size": number(block), "parts": listed,
        });
        let config = json!({"concurrency": 1, "retry_timeout": 300, "retry_delay": 1});
        if let (Some(answer), Value::Object(config)) = (answer.as_object_mut(), config) {
            if media.config_nested {
                answer.insert("upload_config".to_owned(), Value::Object(config));
            } else {
                answer.extend(config);
            }
        }
        answer
    }

    /// The part with the index that was given out for it.
    fn part(&mut self, index: &str) -> Option<&mut Part> {
        let index: u32 = index.parse().ok()?;
        let at = usize::try_from(index.checked_sub(self.first)?).ok()?;
        self.parts.get_mut(at)
    }
}

impl Uploads {
    /// Keeps an upload; the oldest go when there are too many, or too many bytes are expected.
    fn add(&mut self, id: String, upload: Upload, most: u64) {
        self.order.push_back(id.clone());
        self.uploads.insert(id, upload);
        let expected = |all: &BTreeMap<String, Upload>| -> u64 {
            all.values().map(|upload| upload.size).sum()
        };
        while self.order.len() > 1 && (self.order.len() > KEPT || expected(&self.uploads) > most) {
            if let Some(old) = self.order.pop_front() {
                self.uploads.remove(&old);
            }
        }
    }
}

/// A number that may be written as text.
fn number(fields: &Map<String, Value>, name: &str) -> Option<u64> {
    match fields.get(name)? {
        Value::String(text) => text.parse().ok(),
        value => value.as_u64(),
    }
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

fn bad(why: &str) -> Refusal {
    Refusal::malformed(12_002, format!("upload: {why}"))
}
