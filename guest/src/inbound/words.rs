//! What a message says, in words: its text, its card, the messages that are forwarded in it, what is attached.

use crate::events::message::{Body, Element, Message};

use super::content::Markup;
use super::{Attached, cards};

/// Characters that forwarded messages may have, all together: enough for a long conversation, and no more than a
/// prompt can bear.
pub(super) const FORWARDED_CHARS: usize = 4_000;
/// What says that something is missing.
const CUT: char = '…';

/// Text that stops growing.
#[derive(Debug)]
pub(super) struct Words {
    text: String,
    left: usize,
    full: bool,
}

impl Words {
    /// Room for this many characters, the last of them for what says that something is missing.
    pub(super) fn new(chars: usize) -> Self {
        Self {
            text: String::new(),
            left: chars,
            full: false,
        }
    }

    /// Adds text, as much of it as there is room for.
    pub(super) fn push(&mut self, text: &str) {
        for character in text.chars() {
            if self.full {
                return;
            }
            // The last character says that there was more.
            if self.left <= 1 {
                self.text.push(CUT);
                self.full = true;
                return;
            }
            self.left -= 1;
            self.text.push(character);
        }
    }

    /// Begins a line, unless it is the first.
    pub(super) fn line(&mut self, depth: usize) {
        if !self.text.is_empty() {
            self.push("\n");
        }
        for _ in 0..depth {
            self.push("  ");
        }
    }

    /// No room is left.
    pub(super) fn is_full(&self) -> bool {
        self.full
    }

    /// The text.
    pub(super) fn into_text(self) -> String {
        self.text
    }
}

/// The text of a message, for the agent.
pub(super) fn text_of(message: &Message, markup: Markup<'_>) -> String {
    let body = &message.body;
    let text = own_text(body, markup);
    let mut forwarded = Words::new(FORWARDED_CHARS);
    if is_record(body) {
        // What is quoted stands among the forwarded; it is told as a quote.
        let quoted = super::quote::index(message);
        let elements = body
            .elements
            .iter()
            .filter(|element| quoted.is_none_or(|index| element.index != index));
        record(elements, markup, &mut forwarded, 0);
    }
    let forwarded = forwarded.into_text();
    match (text.as_str(), forwarded.as_str()) {
        (_, "") => text,
        ("", _) => forwarded,
        _ => format!("{text}\n{forwarded}"),
    }
}

/// Everything that a quoted or forwarded message says, in one text.
pub(super) fn everything(body: &Body, markup: Markup<'_>, words: &mut Words, depth: usize) {
    let text = own_text(body, markup);
    let attachments = body.attachments.iter();
    let attached = attachments.map(|attachment| Attached::read(attachment).in_words());
    let parts = std::iter::once(text).chain(attached);
    let parts: Vec<String> = parts.filter(|part| !part.is_empty()).collect();
    let text = parts.join(" ");
    words.push(&text);
    if body.elements.is_empty() || words.is_full() {
        return;
    }
    if is_record(body) || body.message_type != QUOTE {
        if !text.is_empty() {
            words.line(depth);
        }
        record(body.elements.iter(), markup, words, depth);
    } else if let Some(quoted) = body.elements.first() {
        words.push(" [quoting ");
        said(quoted, markup, words, depth + 1);
        words.push("]");
    }
}

/// `message_type` of a reply.
const QUOTE: u32 = 103;

/// Forwarded messages, one to three of many (`PROTOCOL.md`, "Quotes").
pub(super) fn is_record(body: &Body) -> bool {
    matches!(body.message_type, 101 | 102)
}

fn record<'a>(
    elements: impl Iterator<Item = &'a Element>,
    markup: Markup<'_>,
    words: &mut Words,
    depth: usize,
) {
    let mut first = true;
    for element in elements {
        if words.is_full() {
            return;
        }
        if first {
            words.push("[forwarded messages]");
            first = false;
        }
        words.line(depth + 1);
        said(element, markup, words, depth + 1);
    }
}

fn said(element: &Element, markup: Markup<'_>, words: &mut Words, depth: usize) {
    if !element.author.username.is_empty() {
        words.push(&element.author.username);
        words.push(": ");
    }
    everything(&element.body, markup, words, depth);
}

/// `message_type` of a card.
const CARD: u32 = 3;

fn own_text(body: &Body, markup: Markup<'_>) -> String {
    let text = markup.clean(&body.content);
    let Some(card) = &body.card else {
        return text;
    };
    // The text beside a card is the card once more, as somebody without cards would see it.
    if body.message_type == CARD || text.is_empty() {
        return cards::text(card, &text);
    }
    format!("{text}\n{}", cards::text(card, ""))
}

#[cfg(test)]
mod tests {
    use crate::events::message;

    use super::*;

    fn text(json: &str) -> String {
        let message = message::read(json).unwrap();
        text_of(&message, Markup::Plain(&[]))
    }

    #[test]
    fn forwarded_messages_are_told_with_their_authors() {
        let told = text(
            r#"{"id":"m","message_type":102,"content":" ","message_scene":{"ext":["ref_msg_idx=TMP_1"]},"msg_elements":[
                {"author":{"username":"Li"},"content":"dinner?"},
                {"author":{"username":"Wang"},"content":"","attachments":[{"content_type":"image/png"}]},
                {"author":{"username":"Li"},"message_type":103,"content":"nice","msg_elements":[
                    {"author":{"username":"Wang"},"attachments":[{"content_type":"image/png"}]}]},
                {"message_type":102,"msg_elements":[{"author":{"username":"Zhao"},"content":"inner"}]}]}"#,
        );
        assert_eq!(
            told,
            "[forwarded messages]\n  Li: dinner?\n  Wang: [image]\n  Li: nice [quoting Wang: [image]]\n  [forwarded messages]\n    Zhao: inner"
        );
    }

    #[test]
    fn a_record_that_is_text_already_is_taken_as_it_is() {
        let told = text(
            r#"{"id":"m","message_type":101,"msg_elements":[{"content":"=== 消息 1 ===\n[消息内容] hi"}]}"#,
        );
        assert_eq!(
            told,
            "[forwarded messages]\n  === 消息 1 ===\n[消息内容] hi"
        );
    }

    #[test]
    fn a_record_has_an_end() {
        let element = r#"{"content":"0123456789"}"#;
        let many = vec![element; 60].join(",");
        let nested = format!(r#"{{"message_type":102,"msg_elements":[{many}]}}"#);
        let nested = vec![nested; 60].join(",");
        let told = text(&format!(
            r#"{{"id":"m","message_type":102,"msg_elements":[{nested}]}}"#
        ));
        assert_eq!(told.chars().count(), FORWARDED_CHARS);
        assert!(told.ends_with('…'));
    }

    #[test]
    fn words_stop_at_their_limit() {
        let mut words = Words::new(4);
        words.push("abc");
        assert!(!words.is_full());
        words.push("de");
        words.push("f");
        assert_eq!(words.into_text(), "abc…");
    }
}
