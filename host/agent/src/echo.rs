//! The agent that needs nothing: it says what it heard. A few orders exercise everything around it;
//! `/orders` lists them.
//!
//! Pure: a simulator on a clock of its own can use it as well. Files that an answer names are
//! described in the plan; `turn` makes them, and puts the names they got into the answer.

pub mod samples;

use std::fmt::Write;
use std::time::Duration;

use prx_host::bindings::v0_1::{MediaKind, Occasion, TurnMessage};

use self::samples::{Content, Sample};
use crate::cards;
use crate::marks::marker;
use crate::media::clean_name;
use crate::prompt::{Given, describe};

/// Longest wait that `/slow` can ask for.
const MAX_WAIT: Duration = Duration::from_secs(600);
/// Longest answer that `/long` and `/stream` can ask for, characters.
const MAX_CHARS: usize = 100_000;
/// Pieces in which `/stream` says its answer.
const STREAM_PIECES: usize = 10;
/// Time between two of them: all take about two seconds, as a quick model does.
const STREAM_PACE: Duration = Duration::from_millis(200);

const HELP: &str = "I say what I hear. Orders: /slow SECONDS, /long CHARS, /stream CHARS, /fail, /image, /voice, /video, /file NAME, /filemb MEGABYTES, /url-image URL, /back, /markdown, /buttons, /list, /article, /picture, /embed, /react EMOJI, /recall";

/// What the echo agent does with a message.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Plan {
    /// How long it takes before the first word.
    pub after: Duration,
    /// The answer grows in so many pieces, this long apart.
    pub grows: Option<(usize, Duration)>,
    /// Files that the answer names, to be made first.
    pub files: Vec<Sample>,
    /// The answer, with markers and blocks; or why there is none.
    pub answer: Result<String, String>,
}

impl Plan {
    fn now(answer: impl Into<String>) -> Self {
        Self {
            after: Duration::ZERO,
            grows: None,
            files: Vec::new(),
            answer: Ok(answer.into()),
        }
    }

    fn file(kind: MediaKind, name: &str, content: Content) -> Self {
        let name = clean_name(name);
        let plan = Self::now(marker(kind, &name));
        let sample = Sample {
            kind,
            name,
            content,
        };
        Self {
            files: vec![sample],
            ..plan
        }
    }
}

/// What to do with a message. `given` says where its attachments are, as in [`Given`]; a simulator
/// without a media folder has none.
pub fn plan(message: &TurnMessage, given: &[Given]) -> Plan {
    let text = message.text.as_str();
    match message.occasion {
        Occasion::Message => ordered(message, given),
        Occasion::Press => Plan::now(format!("echo: pressed {text}")),
        Occasion::Reaction => Plan::now(format!("echo: reacted {text}")),
        Occasion::Notice => {
            Plan::now("Hello! I say what I hear; /orders lists what else I can do.")
        }
    }
}

fn ordered(message: &TurnMessage, given: &[Given]) -> Plan {
    let text = message.text.as_str();
    let (word, rest) = text.trim().split_once(' ').unwrap_or((text.trim(), ""));
    let rest = rest.trim();
    let number = rest.parse::<u64>().unwrap_or(1);
    let chars = usize::try_from(number).unwrap_or(MAX_CHARS).min(MAX_CHARS);
    match word {
        "/slow" => {
            let after = Duration::from_secs(number).min(MAX_WAIT);
            let answer = format!("echo: {text} (after {} s)", after.as_secs());
            Plan {
                after,
                ..Plan::now(answer)
            }
        }
        "/long" => Plan::now(prose(chars)),
        "/stream" => Plan {
            grows: Some((STREAM_PIECES, STREAM_PACE)),
            ..Plan::now(prose(chars))
        },
        "/fail" => Plan {
            answer: Err("the echo agent was told to fail".into()),
            ..Plan::now("")
        },
        "/orders" => Plan::now(HELP),
        "/image" => Plan::file(MediaKind::Image, "sample.png", Content::Picture),
        "/voice" => Plan::file(MediaKind::Voice, "sample.wav", Content::Voice),
        "/video" => Plan::file(MediaKind::Video, "sample.mp4", Content::Video),
        "/file" if rest.is_empty() => Plan::file(MediaKind::Document, "sample.txt", Content::Text),
        "/file" => Plan::file(MediaKind::Document, rest, Content::Text),
        "/filemb" => {
            let name = format!("sample-{number}-mb.bin");
            Plan::file(MediaKind::Document, &name, Content::Megabytes(number))
        }
        "/url-image" => Plan::now(marker(MediaKind::Image, rest)),
        "/back" => Plan::now(back(message, given)),
        "/markdown" => Plan::now(samples::MARKDOWN),
        "/react" => Plan::now(reaction(rest)),
        "/recall" | "/buttons" | "/list" | "/article" | "/picture" | "/embed" => {
            let sample = cards::sample(word.trim_start_matches('/'));
            Plan::now(cards::block(sample.unwrap_or_default()))
        }
        _ => Plan::now(echo(text, message.attachments.len())),
    }
}

fn echo(text: &str, attachments: usize) -> String {
    match (text.is_empty(), attachments) {
        (false, 0) => format!("echo: {text}"),
        (true, 0) => "echo: (nothing)".into(),
        (true, n) => format!("echo: (attachments: {n})"),
        (false, n) => format!("echo: {text} (attachments: {n})"),
    }
}

/// What came with a message, each in its kind; or why it cannot be sent back.
fn back(message: &TurnMessage, given: &[Given]) -> String {
    let mut lines = vec![format!("echo: {} back", message.attachments.len())];
    for (n, attached) in message.attachments.iter().enumerate() {
        let without = || attached.missing.clone().unwrap_or_default();
        lines.push(match given.get(n) {
            Some(Ok(path)) => marker(attached.kind, path),
            Some(Err(why)) => format!("({}: {why})", describe(attached)),
            None => format!("({}: {})", describe(attached), without()),
        });
    }
    lines.join("\n")
}

fn reaction(emoji: &str) -> String {
    if emoji.is_empty() {
        return cards::block(cards::sample("reaction").unwrap_or_default());
    }
    let card = serde_json::json!({"type": "reaction", "emoji": emoji});
    cards::block(&card.to_string())
}

/// So many characters of numbered lines, so that a reader sees whether one is missing.
fn prose(chars: usize) -> String {
    let mut text = String::new();
    let mut line = 0;
    while text.len() < chars {
        line += 1;
        // Writing into a String does not fail.
        let _ = writeln!(
            text,
            "{line}. The quick brown fox jumps over the lazy dog, and line {line} ends here."
        );
    }
    // All of it is ASCII, so bytes are characters.
    text.truncate(chars);
    text
}

#[cfg(test)]
mod tests {
    use prx_host::bindings::v0_1::Attachment;

    use super::*;
    use crate::turn::tests::begin;

    fn plan(text: &str, attachments: usize) -> Plan {
        super::plan(&message(text, attachments), &[])
    }

    fn message(text: &str, attachments: usize) -> TurnMessage {
        let attached = Attachment {
            kind: MediaKind::Image,
            name: Some("cat.png".into()),
            blob: None,
            transcript: None,
            missing: Some("too large".into()),
        };
        TurnMessage {
            attachments: vec![attached; attachments],
            ..begin(1, text).message
        }
    }

    #[test]
    fn the_text_comes_back_as_it_was() {
        for text in ["hello", "你好 *x* <y>\nz", "  spaces  ", "/unknown 3"] {
            let answer = plan(text, 0).answer.unwrap();
            assert!(answer.contains(text), "{answer}");
        }
        assert_eq!(plan("", 2).answer.unwrap(), "echo: (attachments: 2)");
    }

    #[test]
    fn orders_are_obeyed_within_bounds() {
        assert_eq!(plan("/slow 3", 0).after, Duration::from_secs(3));
        assert_eq!(plan("/slow 99999999", 0).after, MAX_WAIT);
        assert_eq!(plan("/long 5000", 0).answer.unwrap().chars().count(), 5000);
        assert_eq!(plan("/long 0", 0).answer.unwrap(), "");
        assert!(plan("/fail", 0).answer.is_err());
        assert_eq!(plan("/stream 70", 0).answer.unwrap().len(), 70);
    }

    #[test]
    fn a_file_is_described_and_named_where_the_answer_has_it() {
        let file = plan("/file ../合同 1.pdf", 0);
        assert_eq!(file.answer.unwrap(), "[DOCUMENT:合同_1.pdf]");
        assert_eq!(file.files[0].name, "合同_1.pdf");
        let large = plan("/filemb 20", 0);
        assert_eq!(large.files[0].content, Content::Megabytes(20));
    }

    #[test]
    fn what_came_goes_back_or_says_why_not() {
        let given = [Ok("1-cat.png".into()), Err("gone".into())];
        let plan = super::plan(&message("/back", 3), &given);
        assert_eq!(
            plan.answer.unwrap(),
            "echo: 3 back\n[IMAGE:1-cat.png]\n(image cat.png: gone)\n(image cat.png: too large)"
        );
    }

    #[test]
    fn what_is_no_message_is_echoed_in_its_own_way() {
        let on = |occasion, text: &str| {
            let mut message = message(text, 0);
            message.occasion = occasion;
            super::plan(&message, &[]).answer.unwrap()
        };
        assert_eq!(on(Occasion::Press, "/fail"), "echo: pressed /fail");
        assert_eq!(on(Occasion::Reaction, "👍"), "echo: reacted 👍");
        assert!(on(Occasion::Notice, "added").starts_with("Hello!"));
    }

    #[test]
    fn every_form_of_card_has_its_order() {
        for form in &cards::FORMS {
            let order = if form.word == "reaction" {
                "react"
            } else {
                form.word
            };
            let answer = plan(&format!("/{order}"), 0).answer.unwrap();
            assert_eq!(answer, cards::block(form.sample));
        }
        let reacted = plan("/react \"🎉\"", 0).answer.unwrap();
        assert!(reacted.contains(r#""emoji":"\"🎉\"""#), "{reacted}");
    }
}
