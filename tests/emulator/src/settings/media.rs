//! Settings of files: what may be uploaded, how, and how it is served.

use std::time::Duration;

use serde::{Deserialize, Serialize};

use super::NumberForm;
use crate::time::as_millis;

/// Uploads and downloads (documentation: "rich media messages").
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct MediaSettings {
    /// Life of a `file_info`; zero means for ever (`ttl` 0).
    #[serde(with = "as_millis")]
    pub ttl: Duration,
    /// Whether `file_data` (base64) is taken: clients send it, the newest documentation has no such field.
    pub base64: bool,
    /// Whether any file (type 4) may be sent; closed until 2025 (else 850019).
    pub files: bool,
    /// Formats of pictures, video and voice, by the usual ending.
    pub formats: Formats,
    /// Soft limits in bytes of pictures, video, voice and files: above, an item becomes a file.
    pub soft: [u64; 4],
    /// Hard limit in bytes: above, 850031.
    pub hard: u64,
    /// What becomes of a `url` that is not the emulator's own.
    pub foreign_urls: ForeignUrls,
    /// Whether `msg_type` 7 needs a caption that is not empty, as older servers did (else 50006).
    pub caption_needed: bool,
    /// Bytes of one part of a chunked upload.
    pub part_bytes: u64,
    /// The first index of parts in C2C.
    pub first_part_c2c: u32,
    /// The first index of parts in groups.
    pub first_part_group: u32,
    /// How sizes are written in the answer to `upload_prepare`.
    pub sizes: NumberForm,
    /// Whether `upload_config` is an object of its own, or its fields stand at the top.
    pub config_nested: bool,
    /// How long an uploaded part is not visible yet (40093001).
    #[serde(with = "as_millis")]
    pub part_lag: Duration,
    /// Bytes per day by chunked upload before 40093002; 0 means any number.
    pub daily_bytes: u64,
    /// Life of the `rkey` in the addresses of attachments.
    #[serde(with = "as_millis")]
    pub rkey_life: Duration,
    /// How attachments are addressed in C2C and groups.
    pub urls: UrlForm,
    /// How attachments are addressed in guild scenes: documented without scheme.
    pub guild_urls: UrlForm,
}

impl Default for MediaSettings {
    fn default() -> Self {
        Self {
            ttl: Duration::from_secs(259_200),
            base64: true,
            files: true,
            formats: Formats::default(),
            soft: [20 << 20, 30 << 20, 20 << 20, 200 << 20],
            hard: 200 << 20,
            foreign_urls: ForeignUrls::Trusted,
            caption_needed: false,
            part_bytes: 5 << 20,
            first_part_c2c: 0,
            first_part_group: 0,
            sizes: NumberForm::Text,
            config_nested: true,
            part_lag: Duration::ZERO,
            daily_bytes: 0,
            rkey_life: Duration::from_secs(3600),
            urls: UrlForm::Full,
            guild_urls: UrlForm::Bare,
        }
    }
}

/// The formats that are taken.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Formats {
    /// Pictures.
    pub image: Vec<String>,
    /// Video.
    pub video: Vec<String>,
    /// Voice.
    pub voice: Vec<String>,
}

impl Default for Formats {
    fn default() -> Self {
        let all = |names: &[&str]| names.iter().map(|&name| name.to_owned()).collect();
        Self {
            image: all(&["png", "jpg", "gif", "webp", "bmp"]),
            video: all(&["mp4"]),
            voice: all(&["silk", "mp3", "wav", "ogg"]),
        }
    }
}

/// What becomes of a `url` that leads out of the emulator, which fetches nothing itself.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum ForeignUrls {
    /// Taken as if it had been fetched; its size is not known, its format is that of its ending.
    #[default]
    Trusted,
    /// Refused as unreachable: 850026.
    Unreachable,
}

/// The forms of an attachment's `url`.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum UrlForm {
    /// `https://host/path` (here: the emulator's own base).
    #[default]
    Full,
    /// `//host/path`.
    NoScheme,
    /// `host/path`.
    Bare,
}
