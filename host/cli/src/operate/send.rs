//! `send`: a text, and files that become blobs of the host's.

use std::fs::File;
use std::io::{Read, stdin};
use std::path::Path;

use anyhow::Context;
use prx_host::bindings::v0_1::{
    AnswerPart, MediaKind, MediaPart, MediaSource, OperatorCommand, OperatorSend,
};
use prx_host::control::Ask;

use super::Desk;
use crate::client::Line;
use crate::outcome::{Trouble, Verdict};
use crate::texts::Text;

/// Longest text that is read from standard input.
const MAX_TEXT_BYTES: u64 = 512 << 10;

impl Desk<'_> {
    pub(super) fn send(
        &mut self,
        name: &str,
        target: String,
        text: Option<String>,
        files: &[impl AsRef<Path>],
    ) -> Result<Verdict, Trouble> {
        self.known(name)?;
        let Some(mut line) = self.line()? else {
            return self.nobody_to_tell(name);
        };
        // Read first: what is not there is found before anything is handed over.
        let text = text.map(text_of).transpose()?;
        let files = files.iter().map(|path| open(path.as_ref()));
        let files: Vec<_> = files.collect::<Result<_, _>>()?;
        let mut parts = Vec::new();
        for file in files {
            match hand_over(&mut line, name, file)? {
                Ok(part) => parts.push(part),
                Err(refused) => return self.told(name, Err(refused), Text::Sent),
            }
        }
        parts.extend(text.map(AnswerPart::Text));
        let command = OperatorCommand::Send(OperatorSend { target, parts });
        let of = name.to_owned();
        let answer = line.ask(Ask::Command { name: of, command })?;
        self.told(name, answer, Text::Sent)
    }
}

fn text_of(typed: String) -> Result<String, Trouble> {
    if typed != "-" {
        return Ok(typed);
    }
    let mut text = String::new();
    let read = stdin()
        .lock()
        .take(MAX_TEXT_BYTES + 1)
        .read_to_string(&mut text);
    read.context("standard input cannot be read as text")?;
    if text.len() as u64 > MAX_TEXT_BYTES {
        return Err(Trouble::mistake(format!(
            "standard input has more than {MAX_TEXT_BYTES} bytes; send it with --file"
        )));
    }
    let text = text.trim_end().to_owned();
    if text.is_empty() {
        return Err(Trouble::mistake(
            "standard input is empty: there is nothing to send",
        ));
    }
    Ok(text)
}

struct Opened {
    name: Option<String>,
    file: File,
    bytes: u64,
}

fn open(path: &Path) -> Result<Opened, Trouble> {
    let shown = path.display();
    let wrong = |cause: &dyn std::fmt::Display| {
        Trouble::mistake(format!("{shown} cannot be sent: {cause}; check the path"))
    };
    let file = File::open(path).map_err(|error| wrong(&error))?;
    let metadata = file.metadata().map_err(|error| wrong(&error))?;
    if !metadata.is_file() {
        return Err(wrong(&"it is no file"));
    }
    let name = path
        .file_name()
        .map(|name| name.to_string_lossy().into_owned());
    let bytes = metadata.len();
    Ok(Opened { name, file, bytes })
}

fn hand_over(
    line: &mut Line,
    channel: &str,
    mut opened: Opened,
) -> anyhow::Result<Result<AnswerPart, crate::client::Refused>> {
    let blob = line.hand_over(channel, opened.name, &mut opened.file, opened.bytes)?;
    Ok(blob.map(|blob| {
        AnswerPart::Media(MediaPart {
            kind: kind(&blob.media_type),
            source: MediaSource::Blob(blob),
            caption: None,
        })
    }))
}

/// What a file is sent as. A voice message is not told from other sound here; the channel knows.
fn kind(media_type: &str) -> MediaKind {
    match media_type.split('/').next() {
        Some("image") => MediaKind::Image,
        Some("audio") => MediaKind::Audio,
        Some("video") => MediaKind::Video,
        _ => MediaKind::Document,
    }
}
