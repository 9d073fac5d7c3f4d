//! What is attached to a message: of what kind, under which name, and where its bytes are
//! (`PROTOCOL.md`, "Attachments").

use crate::bindings::MediaKind;
use crate::events::message::Attachment;

use super::Attached;

/// Characters of a file name.
const NAME_CHARS: usize = 120;

const NOWHERE: &str = "the platform did not say where it is";
const NOT_WEB: &str = "its address is not one of the web";
const UNREADABLE: &str = "its address cannot be read";

/// What a file is by the end of its name, where the event only says that it is one.
const BY_EXTENSION: &[(&str, MediaKind)] = &[
    ("jpg", MediaKind::Image),
    ("jpeg", MediaKind::Image),
    ("png", MediaKind::Image),
    ("gif", MediaKind::Image),
    ("webp", MediaKind::Image),
    ("bmp", MediaKind::Image),
    ("heic", MediaKind::Image),
    ("mp4", MediaKind::Video),
    ("mov", MediaKind::Video),
    ("mkv", MediaKind::Video),
    ("webm", MediaKind::Video),
    ("avi", MediaKind::Video),
    ("silk", MediaKind::Voice),
    ("slk", MediaKind::Voice),
    ("amr", MediaKind::Voice),
    ("mp3", MediaKind::Audio),
    ("wav", MediaKind::Audio),
    ("ogg", MediaKind::Audio),
    ("flac", MediaKind::Audio),
    ("m4a", MediaKind::Audio),
    ("aac", MediaKind::Audio),
];

impl Attached {
    /// An attachment as the event describes it.
    pub(super) fn read(attachment: &Attachment) -> Self {
        let kind = kind(attachment);
        let mut name = name(&attachment.filename);
        let mut address = &attachment.url;
        if kind == MediaKind::Voice && !attachment.voice_wav_url.is_empty() {
            address = &attachment.voice_wav_url;
            // The bytes are another format than the name says.
            if let Some((stem, _)) = name.rsplit_once('.') {
                name = format!("{stem}.wav");
            }
        }
        let (url, missing) = match mended(address) {
            Ok(url) => (url, String::new()),
            Err(why) => (String::new(), why.to_owned()),
        };
        Self {
            kind,
            name,
            transcript: attachment.asr_refer_text.trim().to_owned(),
            url,
            size: attachment.size,
            blob: None,
            missing,
        }
    }

    /// An attachment of a message that is only told about.
    pub(super) fn in_words(&self) -> String {
        let (word, name) = match self.kind {
            MediaKind::Image => ("image", ""),
            MediaKind::Voice => ("voice", ""),
            MediaKind::Audio => ("audio", self.name.as_str()),
            MediaKind::Video => ("video", self.name.as_str()),
            MediaKind::Document => ("file", self.name.as_str()),
        };
        match (self.transcript.as_str(), name) {
            ("", "") => format!("[{word}]"),
            ("", name) => format!("[{word}: {name}]"),
            (heard, _) => format!("[{word}: {heard}]"),
        }
    }
}

/// By the media type, or the word that stands in its place; a mere file by its name.
fn kind(attachment: &Attachment) -> MediaKind {
    let media_type = attachment.content_type.trim().to_ascii_lowercase();
    let general = media_type.split(['/', ';']).next().unwrap_or_default();
    let heard = !attachment.voice_wav_url.is_empty() || !attachment.asr_refer_text.is_empty();
    match general {
        "image" => MediaKind::Image,
        "video" => MediaKind::Video,
        "voice" => MediaKind::Voice,
        // Only voice messages come with what was heard in them.
        _ if heard => MediaKind::Voice,
        "audio" => MediaKind::Audio,
        _ => {
            let name = name(&attachment.filename).to_ascii_lowercase();
            let extension = name.rsplit_once('.').map(|(_, extension)| extension);
            BY_EXTENSION
                .iter()
                .find(|(known, _)| Some(*known) == extension)
                .map_or(MediaKind::Document, |(_, kind)| *kind)
        }
    }
}

/// The last piece of what may be a path, without what no name should have. Empty when nothing is left.
fn name(filename: &str) -> String {
    let last = filename.rsplit(['/', '\\', ':']).next().unwrap_or_default();
    let clean: String = last
        .chars()
        .filter(|character| !character.is_control() && !turns_text_around(*character))
        .collect();
    let clean = clean.trim();
    if clean.chars().all(|character| character == '.') {
        return String::new();
    }
    // The end is what says which kind of file it is.
    let skipped = clean.chars().count().saturating_sub(NAME_CHARS);
    clean.chars().skip(skipped).collect()
}

/// Characters that make `gpj.exe` read `exe.jpg`.
fn turns_text_around(character: char) -> bool {
    matches!(character, '\u{200e}' | '\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}')
}

/// An address with a scheme. The platform leaves it out, together with the slashes or not.
fn mended(address: &str) -> Result<String, &'static str> {
    let address = address.trim();
    if address.is_empty() {
        return Err(NOWHERE);
    }
    let odd = |character: char| character.is_control() || character.is_whitespace();
    if address.chars().any(odd) {
        return Err(UNREADABLE);
    }
    if let Some((scheme, rest)) = address.split_once("://")
        && scheme
            .bytes()
            .all(|byte| byte.is_ascii_alphanumeric() || b"+-.".contains(&byte))
        && !scheme.contains('.')
    {
        let web = ["http", "https"]
            .iter()
            .any(|web| scheme.eq_ignore_ascii_case(web));
        return match host(rest) {
            _ if !web => Err(NOT_WEB),
            None => Err(UNREADABLE),
            Some(_) => Ok(address.to_owned()),
        };
    }
    let rest = address.strip_prefix("//").unwrap_or(address);
    match host(rest) {
        Some(host) if host.contains('.') => Ok(format!("https://{rest}")),
        _ if rest.contains(':') => Err(NOT_WEB),
        _ => Err(UNREADABLE),
    }
}

/// The host at the beginning of an address without a scheme, when it looks like one.
fn host(rest: &str) -> Option<&str> {
    let authority = rest.split(['/', '?', '#']).next()?;
    let (host, port) = match authority.split_once(':') {
        Some((host, port)) => (host, port),
        None => (authority, "443"),
    };
    let plausible = !host.is_empty()
        && host
            .bytes()
            .all(|byte| byte.is_ascii_alphanumeric() || b".-_".contains(&byte))
        && port.parse::<u16>().is_ok();
    plausible.then_some(host)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn addresses_get_the_scheme_that_the_platform_leaves_out() {
        for (address, expected) in [
            (
                "https://multimedia.nt.qq.com.cn/d?rkey=1",
                Ok("https://multimedia.nt.qq.com.cn/d?rkey=1"),
            ),
            ("http://a.qpic.cn/x", Ok("http://a.qpic.cn/x")),
            ("HTTPS://a.qpic.cn/x", Ok("HTTPS://a.qpic.cn/x")),
            ("//gchat.qpic.cn/a", Ok("https://gchat.qpic.cn/a")),
            (
                "gchat.qpic.cn/qmeetpic/1/0",
                Ok("https://gchat.qpic.cn/qmeetpic/1/0"),
            ),
            (" gchat.qpic.cn:8443/a ", Ok("https://gchat.qpic.cn:8443/a")),
            (
                "gchat.qpic.cn/a?next=https://b.example",
                Ok("https://gchat.qpic.cn/a?next=https://b.example"),
            ),
            (
                "http://127.0.0.1:9000/blob/1",
                Ok("http://127.0.0.1:9000/blob/1"),
            ),
            ("", Err(NOWHERE)),
            ("  ", Err(NOWHERE)),
            ("file:///etc/passwd", Err(NOT_WEB)),
            ("ftp://a.b/c", Err(NOT_WEB)),
            ("data:image/png;base64,AA", Err(NOT_WEB)),
            ("javascript:alert(1)", Err(NOT_WEB)),
            ("https://", Err(UNREADABLE)),
            ("https:///x", Err(UNREADABLE)),
            ("https://a b/c", Err(UNREADABLE)),
            ("https://user@a.b/c", Err(UNREADABLE)),
            ("/etc/passwd", Err(UNREADABLE)),
            ("picture", Err(UNREADABLE)),
        ] {
            assert_eq!(mended(address), expected.map(str::to_owned), "{address:?}");
        }
    }

    #[test]
    fn kinds_come_from_the_type_or_the_word_or_the_name() {
        for (content_type, filename, kind_is) in [
            ("image/jpeg", "", MediaKind::Image),
            ("IMAGE/PNG", "", MediaKind::Image),
            ("image", "a.bin", MediaKind::Image),
            ("video/mp4", "", MediaKind::Video),
            ("audio/mpeg; q=1", "", MediaKind::Audio),
            ("voice", "a.amr", MediaKind::Voice),
            ("file", "a.PDF", MediaKind::Document),
            ("file", "a.JPG", MediaKind::Image),
            ("", "b.silk", MediaKind::Voice),
            ("application/octet-stream", "c.mp4", MediaKind::Video),
            ("", "", MediaKind::Document),
            ("nonsense", "jpg", MediaKind::Document),
        ] {
            let attachment = Attachment {
                content_type: content_type.to_owned(),
                filename: filename.to_owned(),
                ..Attachment::default()
            };
            assert_eq!(kind(&attachment), kind_is, "{content_type:?} {filename:?}");
        }
        let heard = Attachment {
            asr_refer_text: "hello".to_owned(),
            ..Attachment::default()
        };
        assert_eq!(kind(&heard), MediaKind::Voice);
    }

    #[test]
    fn a_name_is_never_a_path() {
        let long = format!("{}.pdf", "n".repeat(300));
        for (filename, expected) in [
            ("A1B2.jpg", "A1B2.jpg"),
            ("../../etc/passwd", "passwd"),
            ("C:\\Windows\\a.exe", "a.exe"),
            ("C:a.exe", "a.exe"),
            ("..", ""),
            ("a/", ""),
            ("a\u{0}b\n.txt", "ab.txt"),
            ("photo\u{202e}gpj.exe", "photogpj.exe"),
            ("报告.docx", "报告.docx"),
        ] {
            assert_eq!(name(filename), expected, "{filename:?}");
        }
        assert_eq!(name(&long).chars().count(), NAME_CHARS);
        assert!(name(&long).ends_with(".pdf"));
    }

    #[test]
    fn a_voice_message_is_fetched_in_the_format_that_others_read() {
        let attached = Attached::read(&Attachment {
            content_type: "voice".to_owned(),
            filename: "c7b1.amr".to_owned(),
            url: "https://multimedia.nt.qq.com.cn/a".to_owned(),
            voice_wav_url: "//multimedia.nt.qq.com.cn/a.wav".to_owned(),
            size: 4_120,
            asr_refer_text: " turn on the light ".to_owned(),
        });
        assert_eq!(
            attached.wanted(),
            Some("https://multimedia.nt.qq.com.cn/a.wav")
        );
        assert_eq!(
            (attached.name.as_str(), attached.transcript.as_str()),
            ("c7b1.wav", "turn on the light")
        );
    }

    #[test]
    fn what_cannot_be_fetched_says_why() {
        let attached = Attached::read(&Attachment {
            url: "file:///etc/passwd".to_owned(),
            ..Attachment::default()
        });
        assert_eq!(
            (attached.wanted(), attached.missing.as_str()),
            (None, NOT_WEB)
        );
    }
}
