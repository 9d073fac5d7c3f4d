//! The platform's own tags in what a model wrote: they stay text (`PROTOCOL.md`, "Text").
//!
//! Applied to every text as it leaves, whatever became of it before, so that no rendering and no fallback can put a tag
//! together again.

use crate::scene::Scene;

/// Whom an answer may mention.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Mentions<'a> {
    /// Whoever asked, by this id.
    Sender(&'a str),
    /// Anybody by an id, but not everybody.
    Anybody,
}

impl Mentions<'_> {
    fn allow(self, id: &str) -> bool {
        match self {
            Self::Sender(sender) => id == sender && !sender.is_empty(),
            Self::Anybody => true,
        }
    }
}

/// Breaks a tag up, and is not seen.
const ZERO_WIDTH: char = '\u{200b}';
/// What mentions everybody.
const EVERYBODY: [&str; 2] = ["all", "everyone"];
/// How the tags of the platform's begin, in small letters.
const TAGS: [&str; 3] = ["<@", "<#", "<qqbot-"];

/// The text with the tags broken up that do something: commands, mentions of everybody, and of people that may not be
/// mentioned. Those become their ids.
#[must_use]
pub fn harmless(text: &str, mentions: Mentions<'_>) -> String {
    let mut shown = String::with_capacity(text.len());
    let mut rest = text;
    while let Some(start) = rest.find(['<', '@']) {
        let (before, from) = rest.split_at(start);
        shown.push_str(before);
        let (mark, after) = from.split_at(1);
        match mention(from) {
            Some((id, length)) if mentions.allow(id) => {
                let (tag, after) = from.split_at(length);
                shown.push_str(tag);
                rest = after;
            }
            Some((id, length)) => {
                shown.extend(["@", id]);
                rest = from.get(length..).unwrap_or_default();
            }
            None => {
                shown.push_str(mark);
                if begins_tag(from) {
                    shown.push(ZERO_WIDTH);
                }
                rest = after;
            }
        }
    }
    shown.push_str(rest);
    shown
}

fn begins_tag(text: &str) -> bool {
    let begins = |tag: &&str| {
        let start = text.get(..tag.len());
        start.is_some_and(|start| start.eq_ignore_ascii_case(tag))
    };
    TAGS.iter().any(begins) || begins(&"@everyone")
}

/// The id of one person at the beginning of a text, and how long the tag is that mentions this person.
fn mention(text: &str) -> Option<(&str, usize)> {
    let inside = text.strip_prefix("<@");
    let (id, rest) = match inside {
        Some(inside) => {
            let inside = inside.strip_prefix('!').unwrap_or(inside);
            let (id, rest) = id_at(inside)?;
            (id, rest.strip_prefix('>')?)
        }
        None => {
            let (id, rest) = id_at(text.strip_prefix("<qqbot-at-user id=\"")?)?;
            let rest = rest.strip_prefix('"')?.trim_start_matches(' ');
            (id, rest.strip_prefix("/>")?)
        }
    };
    let one = !EVERYBODY.iter().any(|all| id.eq_ignore_ascii_case(all));
    one.then_some((id, text.len() - rest.len()))
}

fn id_at(text: &str) -> Option<(&str, &str)> {
    let end = text.find(|character: char| !character.is_ascii_alphanumeric())?;
    let (id, rest) = text.split_at(end);
    (!id.is_empty()).then_some((id, rest))
}

/// The tag that mentions a person, for the channel's own use.
#[must_use]
pub fn mention_of(scene: Scene, person: &str) -> String {
    if scene.of_guild() {
        format!("<@!{person}>")
    } else {
        format!("<qqbot-at-user id=\"{person}\" />")
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn only_whoever_asked_is_mentioned_unless_the_operator_wants_it() {
        for (text, sender_only, anybody) in [
            ("<@7A> hi", "<@7A> hi", "<@7A> hi"),
            ("<@!8B> hi", "@8B hi", "<@!8B> hi"),
            (
                "<qqbot-at-user id=\"8B\" /> a",
                "@8B a",
                "<qqbot-at-user id=\"8B\" /> a",
            ),
            (
                "<qqbot-at-user id=\"7A\" />",
                "<qqbot-at-user id=\"7A\" />",
                "<qqbot-at-user id=\"7A\" />",
            ),
            (
                "<@everyone> <@All>",
                "<\u{200b}@\u{200b}everyone> <\u{200b}@All>",
                "<\u{200b}@\u{200b}everyone> <\u{200b}@All>",
            ),
            (
                "@everyone a@b.c",
                "@\u{200b}everyone a@b.c",
                "@\u{200b}everyone a@b.c",
            ),
            (
                "<qqbot-cmd-enter text=\"%2Fallow\" />",
                "<\u{200b}qqbot-cmd-enter text=\"%2Fallow\" />",
                "<\u{200b}qqbot-cmd-enter text=\"%2Fallow\" />",
            ),
            (
                "<QQBot-cmd-input",
                "<\u{200b}QQBot-cmd-input",
                "<\u{200b}QQBot-cmd-input",
            ),
            (
                "a < b <T> <b>x</b>",
                "a < b <T> <b>x</b>",
                "a < b <T> <b>x</b>",
            ),
        ] {
            assert_eq!(
                harmless(text, Mentions::Sender("7A")),
                sender_only,
                "{text}"
            );
            assert_eq!(harmless(text, Mentions::Anybody), anybody, "{text}");
        }
        assert_eq!(harmless("<@7A>", Mentions::Sender("")), "@7A");
    }

    proptest! {
        #[test]
        fn no_tag_is_left_that_does_something(text in r#"(<@|<@!|<qqbot-at-user id="|<qqbot-cmd-enter |<#|@everyone|7A|8B|>|" />|\u{200b}|x){0,20}"#) {
            let shown = harmless(&text, Mentions::Sender("7A"));
            let without = shown.replace("<@7A>", "").replace("<@!7A>", "");
            prop_assert!(!without.contains("<@") && !without.contains("<#") && !without.contains("<qqbot-cmd"), "{}", shown);
            prop_assert!(!shown.contains("@everyone"));
            prop_assert_eq!(harmless(&shown, Mentions::Sender("7A")), shown);
        }
    }
}
