//! Making an answer fit into what is paid for and what is kept: captions, a file, or an end that is cut.

use crate::bindings::{AnswerPart, MediaKind, Outcome};
use crate::config::LongAnswers;
use crate::texts::{self, Text};

use super::super::answer::{Answer, Content, Media, Source};
use super::super::split;
use super::{Place, as_text};

/// Bytes of a long answer that become a file.
const FILE_BYTES: usize = 64 << 10;
/// Bytes of an answer's text that always fit in there, whatever is in it.
const SHORT_BYTES: usize = 16 << 10;
/// Characters of a text that becomes the caption of the media after it, where replies are short.
const CAPTION_CHARS: usize = 500;

impl Place<'_> {
    /// Makes messages that are too many, or that do not hold the whole answer, as many as are paid for.
    pub(super) fn fit(
        &self,
        contents: &mut Vec<Content>,
        slots: usize,
        parts: &[AnswerPart],
        planned: &mut Answer,
    ) {
        planned.remark("the answer was longer than the replies that QQ allows to one message");
        if self.files && self.config.long_answers == LongAnswers::File && slots > 0 {
            keep(contents, slots - 1);
            let mut whole = as_text(parts);
            if whole.len() > FILE_BYTES {
                planned
                    .remark("the answer was longer than a file that is made of one, and was cut");
                whole.truncate(whole.floor_char_boundary(FILE_BYTES));
                whole.push_str(texts::text(self.config.language, Text::Cut));
            }
            let name = texts::text(self.config.language, Text::AnswerFile).to_owned();
            contents.push(Content::Media(Media {
                kind: MediaKind::Document,
                size: whole.len() as u64,
                source: Source::Text(whole),
                name,
                media_type: "text/markdown".into(),
                caption: String::new(),
                ready: None,
                retried: false,
            }));
            return;
        }
        keep(contents, slots);
        self.note_cut(contents);
    }

    /// The beginning of an answer of which too much would have to be stored: too many cards, or too much that grows when it
    /// is written down.
    pub(super) fn shortened(&self, parts: &[AnswerPart], slots: usize) -> Answer {
        let mut text = as_text(parts);
        text.truncate(text.floor_char_boundary(SHORT_BYTES));
        let pieces = split::split(&text, self.chars).take(slots);
        let mut contents: Vec<Content> = pieces.map(|it| Content::Text(it.to_owned())).collect();
        self.note_cut(&mut contents);
        let mut answer = Answer::of(contents, Outcome::Sent);
        answer.remark("the answer was larger than what is kept of one, and was cut");
        answer
    }

    fn note_cut(&self, contents: &mut [Content]) {
        let note = texts::text(self.config.language, Text::Cut);
        let room = self.chars.saturating_sub(split::length(note));
        match contents.last_mut() {
            Some(Content::Text(text) | Content::StreamEnd(text)) => {
                *text = format!("{}{note}", split::prefix(text, room));
            }
            Some(Content::Markdown { text, plain, .. }) => {
                *text = format!("{}{note}", split::prefix(text, room));
                *plain = format!("{}{note}", split::prefix(plain, room));
            }
            _ => {}
        }
    }
}

/// Bytes that an answer takes in its stored form.
pub(super) fn stored_bytes(answer: &Answer) -> usize {
    serde_json::to_vec(answer).map_or(usize::MAX, |bytes| bytes.len())
}

pub(super) fn cost(contents: &[Content]) -> usize {
    contents
        .iter()
        .filter(|content| content.costs_reply())
        .count()
}

/// Short texts become captions of the media that follow them.
pub(super) fn caption(contents: &mut Vec<Content>) {
    let mut index = 0;
    while let (Some(first), Some(second)) = (contents.get(index), contents.get(index + 1)) {
        let text = match first {
            Content::Text(text) if split::length(text) <= CAPTION_CHARS => Some(text.clone()),
            Content::Markdown {
                plain,
                keyboard: None,
                ..
            } if split::length(plain) <= CAPTION_CHARS => Some(plain.clone()),
            _ => None,
        };
        match (text, second) {
            (Some(text), Content::Media(media)) if media.caption.trim().is_empty() => {
                if let Some(Content::Media(media)) = contents.get_mut(index + 1) {
                    media.caption = text;
                }
                contents.remove(index);
            }
            _ => index += 1,
        }
    }
}

/// Keeps the first messages that cost a reply, and all that costs none.
fn keep(contents: &mut Vec<Content>, slots: usize) {
    let mut left = slots;
    contents.retain(|content| {
        if !content.costs_reply() {
            return true;
        }
        let fits = left > 0;
        left = left.saturating_sub(1);
        fits
    });
}
