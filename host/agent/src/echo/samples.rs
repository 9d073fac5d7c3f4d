//! What the echo agent can show without a model: small files of each kind, and large ones.

use std::io::{self, Read};

use prx_host::bindings::v0_1::MediaKind;

use crate::marks::marker;

/// Markdown with one of everything that a place may or may not render.
pub(crate) const MARKDOWN: &str = "# A heading\n\nWords that are **bold**, *slanted* and `code`, and a [link](https://example.com/).\n\n| fruit | count |\n|---|---|\n| apple | 3 |\n| pear | 12 |\n\n1. first\n2. second\n   - inside\n\n> quoted\n\n```rust\nfn main() {\n    println!(\"你好\");\n}\n```\n\nThe end.";
const TEXT: &str = "A text file.\n文本文件。\n";
const PNG: &[u8] = include_bytes!("sample.png");
const WAV: &[u8] = include_bytes!("sample.wav");
const MP4: &[u8] = include_bytes!("sample.mp4");

/// A file that an answer names.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Sample {
    /// What it is sent as.
    pub kind: MediaKind,
    /// Its name, as the answer has it in a marker.
    pub name: String,
    /// What is in it.
    pub content: Content,
}

/// What is in a file.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Content {
    /// A PNG of 96 x 64.
    Picture,
    /// A second of a tone, as WAV.
    Voice,
    /// A second of a test picture, as MP4.
    Video,
    /// Two lines of text.
    Text,
    /// So many megabytes (2^20 bytes), the same every time and never in memory.
    Megabytes(u64),
}

impl Content {
    /// How many bytes it has.
    pub fn bytes(self) -> u64 {
        match self {
            Self::Megabytes(count) => count.saturating_mul(1 << 20),
            Self::Picture | Self::Voice | Self::Video | Self::Text => self.fixed().len() as u64,
        }
    }

    /// The bytes, one after the other.
    pub fn read(self) -> Box<dyn Read + Send> {
        match self {
            Self::Megabytes(_) => Box::new(Counting::default().take(self.bytes())),
            Self::Picture | Self::Voice | Self::Video | Self::Text => Box::new(self.fixed()),
        }
    }

    fn fixed(self) -> &'static [u8] {
        match self {
            Self::Picture => PNG,
            Self::Voice => WAV,
            Self::Video => MP4,
            Self::Text => TEXT.as_bytes(),
            Self::Megabytes(_) => &[],
        }
    }
}

impl Sample {
    /// An answer in which the file has the path that it was made under.
    pub(crate) fn put_into(&self, answer: &str, path: &str) -> String {
        answer.replace(&marker(self.kind, &self.name), &marker(self.kind, path))
    }
}

/// Eight bytes for each number from 0 on, so that every part of a file differs from every other.
#[derive(Debug, Default)]
struct Counting {
    at: u64,
}

impl Read for Counting {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        for byte in buffer.iter_mut() {
            let shift = 8 * (7 - self.at % 8);
            *byte = u8::try_from(((self.at / 8) >> shift) & 0xff).unwrap_or_default();
            self.at += 1;
        }
        Ok(buffer.len())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_large_file_has_its_size_and_repeats_nothing() {
        let mut bytes = Vec::new();
        let content = Content::Megabytes(1);
        content.read().read_to_end(&mut bytes).unwrap();
        assert_eq!(bytes.len() as u64, content.bytes());
        assert_eq!(bytes[8..16], 1_u64.to_be_bytes());
        assert_eq!(bytes[bytes.len() - 8..], ((1_u64 << 17) - 1).to_be_bytes());
    }
}
