//! Files: what users attach, what bots upload, and where both are fetched.

mod chunks;
mod files;
mod store;

pub(crate) use chunks::Uploads;
pub(crate) use files::Files;
pub(crate) use store::Store;

/// What bytes look like: 1 picture, 2 video, 3 voice; and the usual ending.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Sniffed {
    pub(crate) kind: u8,
    pub(crate) ending: &'static str,
}

/// Beginnings of files: where, what, kind, ending.
const MAGIC: &[(usize, &[u8], u8, &str)] = &[
    (0, b"\x89PNG\r\n\x1a\n", 1, "png"),
    (0, b"\xff\xd8\xff", 1, "jpg"),
    (0, b"GIF8", 1, "gif"),
    (8, b"WEBP", 1, "webp"),
    (0, b"BM", 1, "bmp"),
    (4, b"ftyp", 2, "mp4"),
    (0, b"\x02#!SILK_V3", 3, "silk"),
    (0, b"#!SILK_V3", 3, "silk"),
    (0, b"#!AMR", 3, "amr"),
    (8, b"WAVE", 3, "wav"),
    (0, b"OggS", 3, "ogg"),
    (0, b"ID3", 3, "mp3"),
    (0, b"\xff\xfb", 3, "mp3"),
    (0, b"\xff\xf3", 3, "mp3"),
];

/// What bytes are, by their beginning; none if they are nothing known.
pub(crate) fn sniff(bytes: &[u8]) -> Option<Sniffed> {
    let row = MAGIC
        .iter()
        .find(|(at, magic, ..)| bytes.get(*at..).is_some_and(|rest| rest.starts_with(magic)));
    row.map(|&(_, _, kind, ending)| Sniffed { kind, ending })
}

/// What a name or an address says that it is, by its ending.
pub(crate) fn by_ending(name: &str) -> Option<Sniffed> {
    let path = name.split(['?', '#']).next().unwrap_or(name);
    let (_, ending) = path.rsplit_once('.')?;
    let ending = match ending.to_ascii_lowercase().as_str() {
        "jpeg" => "jpg".to_owned(),
        other => other.to_owned(),
    };
    let row = MAGIC.iter().find(|(_, _, _, known)| *known == ending);
    row.map(|&(_, _, kind, ending)| Sniffed { kind, ending })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bytes_and_endings_tell_what_a_file_is() {
        let of = |bytes: &[u8]| sniff(bytes).map(|it| (it.kind, it.ending));
        assert_eq!(of(b"\x89PNG\r\n\x1a\n..."), Some((1, "png")));
        assert_eq!(of(b"RIFF....WAVEfmt "), Some((3, "wav")));
        assert_eq!(of(b"RIFF....WEBPVP8 "), Some((1, "webp")));
        assert_eq!(of(b"hello"), None);
        assert_eq!(of(b""), None);
        let named = |name: &str| by_ending(name).map(|it| it.ending);
        assert_eq!(named("https://x.example/a.JPEG?x=1"), Some("jpg"));
        assert_eq!(named("https://x.example/a"), None);
    }
}
