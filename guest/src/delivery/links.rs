//! Text without what the platform refused: links, and mentions of everybody (`PROTOCOL.md`, "Links").

use super::markdown::link_at;

/// What stands for a dot where a name must not be a link: people know it from warnings about addresses.
const DOT: &str = "[.]";

/// What mentions everybody.
const EVERYONE: [&str; 4] = ["@everyone", "<@everyone>", "<@all>", "<@!all>"];
/// The beginning of the tag that does.
const EVERYONE_TAG: &str = "<qqbot-at-everyone";

/// Text without links, for codes 304003 and 40054010, or nothing if there are none.
///
/// Markdown links and images keep their text. Addresses and names with dots, such as `example.com/path` or `main.rs`, keep
/// their letters: the dots become `[.]` and the scheme is left out.
#[must_use]
pub fn without_links(text: &str) -> Option<String> {
    let mut says = String::with_capacity(text.len());
    what_links_say(text, &mut says);
    let shown = without_names(&says);
    (shown != text).then_some(shown)
}

fn what_links_say(text: &str, shown: &mut String) {
    let mut rest = text;
    while let Some(start) = rest.find(['[', '!', '<']) {
        let (before, from) = rest.split_at(start);
        shown.push_str(before);
        let length = match link_at(from) {
            // An image may stand in a link. What is inside is shorter, so this ends.
            Some((says, length)) => {
                what_links_say(says, shown);
                length
            }
            None => {
                shown.push_str(from.get(..1).unwrap_or_default());
                1
            }
        };
        rest = from.get(length..).unwrap_or_default();
    }
    shown.push_str(rest);
}

/// Replaces the dots of names and addresses.
fn without_names(text: &str) -> String {
    let mut shown = String::with_capacity(text.len());
    let mut rest = text;
    while let Some(start) = rest.find(is_name_char) {
        let (before, from) = rest.split_at(start);
        shown.push_str(before);
        let end = from
            .find(|c: char| !is_address_char(c))
            .unwrap_or(from.len());
        let (word, after) = from.split_at(end);
        let bare = word
            .strip_prefix("https://")
            .or_else(|| word.strip_prefix("http://"));
        let name = bare.unwrap_or(word);
        if bare.is_some() || is_dotted(name) {
            // The end of a sentence is no part of a name.
            let trimmed = name.trim_end_matches(['.', ',', ':', ';', '!', '?']);
            let (name, sentence) = name.split_at(trimmed.len());
            shown.push_str(&name.replace("://", " ").replace('.', DOT));
            shown.push_str(sentence);
        } else {
            shown.push_str(word);
        }
        rest = after;
    }
    shown.push_str(rest);
    shown
}

fn is_name_char(character: char) -> bool {
    character.is_ascii_alphanumeric()
}

/// What an address may consist of, but for brackets and quotes, which more often stand around it.
fn is_address_char(character: char) -> bool {
    is_name_char(character) || "-._~:/?#@!$&+,;=%".contains(character)
}

/// Whether a word begins with, or holds behind an `@`, labels with dots between them, the last of letters or all of digits.
fn is_dotted(word: &str) -> bool {
    word.split(['/', '?', '#', '@', ':', '=', '&', ',', ';'])
        .any(|name| {
            let labels: Vec<&str> = name.trim_end_matches(['.', '!']).split('.').collect();
            let Some((last, others)) = labels.split_last() else {
                return false;
            };
            let numeric = |label: &&str| label.parse::<u8>().is_ok();
            let named = last.len() >= 2 && last.bytes().all(|byte| byte.is_ascii_alphabetic());
            let whole = others.iter().all(|label| !label.is_empty());
            !others.is_empty()
                && whole
                && (named || (labels.len() == 4 && labels.iter().all(numeric)))
        })
}

/// Text that mentions not everybody, for code 304019, or nothing if it did not.
#[must_use]
pub fn without_everyone(text: &str) -> Option<String> {
    let mut shown = String::with_capacity(text.len());
    let mut rest = text.chars();
    while let Some(character) = rest.next() {
        shown.push(character);
        // What stands around a mention becomes one when it is gone, so the end of what is shown is looked at each time.
        if shown.ends_with(EVERYONE_TAG) {
            shown.truncate(shown.len() - EVERYONE_TAG.len());
            let behind = rest.as_str();
            let blank = behind.trim_start_matches([' ', '/']);
            rest = blank.strip_prefix('>').unwrap_or(behind).chars();
        }
        while let Some(mention) = EVERYONE.iter().find(|mention| shown.ends_with(**mention)) {
            shown.truncate(shown.len() - mention.len());
        }
    }
    (shown != text).then_some(shown)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn links_become_text_that_a_person_can_read() {
        for (text, expected) in [
            ("[docs](https://a.cn/x) here", "docs here"),
            ("![p #20px #30px](https://a.cn/p.png)", "p"),
            ("[a.cn](https://a.cn)", "a[.]cn"),
            ("<https://a.cn/x_y>", "a[.]cn/x_y"),
            (
                "See https://example.com/a.html?b=c#d.",
                "See example[.]com/a[.]html?b=c#d.",
            ),
            ("http://localhost:8080/x", "localhost:8080/x"),
            (
                "www.x.cn，example.com/path",
                "www[.]x[.]cn，example[.]com/path",
            ),
            (
                "in main.rs:10 and (src/lib.rs)",
                "in main[.]rs:10 and (src/lib[.]rs)",
            ),
            (
                "at 10.0.0.1:80 or me@a.org!",
                "at 10[.]0[.]0[.]1:80 or me@a[.]org!",
            ),
            ("go to http://a.cn, then", "go to a[.]cn, then"),
        ] {
            assert_eq!(without_links(text).as_deref(), Some(expected), "{text}");
        }
    }

    #[test]
    fn text_without_links_is_left_alone() {
        for text in [
            "Version 1.2.3 costs 3.14. Yes... e.g. a.",
            "Hello. World, 10:30 a/b",
            "arr[0](x) and a < b ![x]",
            "<qqbot-at-user id=\"7A\" /> 你好。再见",
        ] {
            assert_eq!(without_links(text), None, "{text}");
        }
    }

    #[test]
    fn mentions_of_everybody_are_removed() {
        for (text, expected) in [
            ("@everyone hi", Some(" hi")),
            ("a <@all> b <qqbot-at-everyone /> c", Some("a  b  c")),
            ("<qqbot-at-everyone/><qqbot-at-everyone x", Some(" x")),
            ("@every@everyoneone", Some("")),
            ("@every <@7A> a < b", None),
        ] {
            assert_eq!(without_everyone(text).as_deref(), expected, "{text}");
        }
    }

    proptest! {
        #[test]
        fn there_is_nothing_left_to_remove(text in r"(https?://|www|[a-z]{1,3}|[./:@ \[\]()<>!-]|\]\(https://a\.cn\)|@everyone|<@all>|中){0,30}") {
            let once = without_links(&text).unwrap_or_else(|| text.clone());
            prop_assert_eq!(without_links(&once), None, "{}", once);
            prop_assert!(!once.contains("https://a.cn"));
            let once = without_everyone(&text).unwrap_or(text);
            prop_assert_eq!(without_everyone(&once), None);
        }

        #[test]
        fn no_text_makes_it_panic(text in "\\PC{0,60}") {
            let _ = (without_links(&text), without_everyone(&text));
        }
    }
}
