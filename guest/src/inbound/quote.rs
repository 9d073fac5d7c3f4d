//! The message that a message quotes (`PROTOCOL.md`, "Quotes").

use crate::events::message::Message;

use super::content::Markup;
use super::words::{self, FORWARDED_CHARS, Words};
use super::{Before, Quoted};

/// What the index of a bundle of forwarded messages begins with: it names no message.
const BUNDLE: &str = "TMP_";

/// Earlier messages that are taken from one event: the platform sends about ten.
const MOST_BEFORE: usize = 16;
/// Characters of each.
const BEFORE_CHARS: usize = 1_000;

/// The index of the message that is quoted. Forwarded messages come with one as well, which names their bundle.
pub(super) fn index(message: &Message) -> Option<&str> {
    let index = message.message_scene.get("ref_msg_idx")?;
    let names_nothing = words::is_record(&message.body) && index.starts_with(BUNDLE);
    (!index.is_empty() && !names_nothing).then_some(index)
}

/// The quoted message, as far as the event has it.
pub(super) fn of(message: &Message, markup: Markup<'_>) -> Option<Quoted> {
    let Some(index) = index(message) else {
        return of_guild(message);
    };
    let elements = &message.body.elements;
    // Where the event brings what was said before as well, the quoted message need not be the first; and what has
    // another index is another message.
    let named = elements.iter().find(|element| element.index == index);
    let first = elements.first();
    let nameless = first.filter(|first| first.index.is_empty() && !words::is_record(&message.body));
    let element = named.or(nameless);
    let mut text = Words::new(FORWARDED_CHARS);
    if let Some(element) = element {
        words::everything(&element.body, markup, &mut text, 0);
    }
    Some(Quoted {
        author: element
            .map(|element| element.author.username.clone())
            .unwrap_or_default(),
        text: text.into_text(),
        by_bot: element.is_some_and(|element| element.author.bot),
        index: index.to_owned(),
    })
}

/// What was said before, where the group's owner lets the bot know: neither the quoted message nor forwarded ones.
pub(super) fn before(message: &Message, markup: Markup<'_>) -> Vec<Before> {
    let elements = &message.body.elements;
    let quoted = index(message).unwrap_or_default();
    if words::is_record(&message.body) || !quoted.is_empty() && elements.len() < 2 {
        return Vec::new();
    }
    let others = elements
        .iter()
        .filter(|element| !element.index.is_empty() && element.index != quoted);
    others
        .take(MOST_BEFORE)
        .map(|element| {
            let mut text = Words::new(BEFORE_CHARS);
            words::everything(&element.body, markup, &mut text, 0);
            Before {
                index: element.index.clone(),
                author: element.author.username.clone(),
                by_bot: element.author.bot,
                text: text.into_text(),
            }
        })
        .collect()
}

/// In guilds there is an id and nothing else.
fn of_guild(message: &Message) -> Option<Quoted> {
    (!message.reference.is_empty()).then(|| Quoted {
        author: String::new(),
        text: String::new(),
        by_bot: false,
        index: message.reference.clone(),
    })
}

#[cfg(test)]
mod tests {
    use crate::events::message;

    use super::*;

    fn quoted(rest: &str) -> Option<Quoted> {
        let message = message::read(&format!(r#"{{"id":"m",{rest}}}"#)).unwrap();
        of(&message, Markup::Plain(&message.mentions))
    }

    const REF: &str = r#""message_scene":{"ext":["ref_msg_idx=REFIDX_A==","msg_idx=REFIDX_B=="]}"#;

    #[test]
    fn a_quote_has_its_index_and_what_the_event_says_of_it() {
        let elements = r#""msg_elements":[
            {"msg_idx":"REFIDX_0","content":"something else"},
            {"msg_idx":"REFIDX_A==","content":"earlier <@7A>","author":{"username":"demo","bot":true}}],
            "mentions":[{"id":"7A","username":"Li"}]"#;
        let quoted = quoted(&format!(r#""message_type":103,{REF},{elements}"#)).unwrap();
        assert_eq!(quoted.index, "REFIDX_A==");
        assert_eq!(
            (quoted.text.as_str(), quoted.author.as_str(), quoted.by_bot),
            ("earlier @Li", "demo", true)
        );
    }

    #[test]
    fn quoted_media_is_put_into_words() {
        for (element, text) in [
            (
                r#"{"content":" ","attachments":[{"content_type":"image/jpeg"}]}"#,
                "[image]",
            ),
            (
                r#"{"attachments":[{"content_type":"voice","asr_refer_text":"lights on"}]}"#,
                "[voice: lights on]",
            ),
            (
                r#"{"content":"see","attachments":[{"content_type":"file","filename":"../a.pdf"}]}"#,
                "see [file: a.pdf]",
            ),
            (
                r#"{"message_type":3,"ark_data":{"ark_type":"map","prompt":"[位置]Square"}}"#,
                "[card: location] [位置]Square",
            ),
            (
                r#"{"message_type":102,"msg_elements":[{"content":"x","author":{"username":"Li"}}]}"#,
                "[forwarded messages]\n  Li: x",
            ),
            ("{}", ""),
            ("7", ""),
        ] {
            let quoted = quoted(&format!(
                r#""message_type":103,{REF},"msg_elements":[{element}]"#
            ))
            .unwrap();
            assert_eq!(quoted.text.trim(), text, "{element}");
        }
    }

    #[test]
    fn another_message_is_not_taken_for_the_quoted_one() {
        let other = r#""msg_elements":[{"msg_idx":"REFIDX_0","content":"context"}]"#;
        let quoted = quoted(&format!(r#""message_type":0,{REF},{other}"#)).unwrap();
        assert_eq!(
            (quoted.index.as_str(), quoted.text.as_str()),
            ("REFIDX_A==", "")
        );
    }

    #[test]
    fn a_bundle_of_forwarded_messages_is_no_quote() {
        let bundle =
            r#""message_scene":{"ext":["ref_msg_idx=TMP_1"]},"msg_elements":[{"content":"x"}]"#;
        assert_eq!(quoted(&format!(r#""message_type":102,{bundle}"#)), None);
        let told_as_quote = quoted(&format!(r#""message_type":103,{bundle}"#)).unwrap();
        assert_eq!(
            (told_as_quote.index.as_str(), told_as_quote.text.as_str()),
            ("TMP_1", "x")
        );
    }

    #[test]
    fn in_guilds_a_quote_is_an_id() {
        let quoted = quoted(r#""message_reference":{"message_id":"08aa"}"#).unwrap();
        assert_eq!((quoted.index.as_str(), quoted.text.as_str()), ("08aa", ""));
    }
}
