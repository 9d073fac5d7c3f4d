//! A text made unreadable: each letter and digit becomes the one of its class and length.

use crate::commands;

/// What opens a stretch that is left alone, and what closes it: mentions, emoji, the scheme of an address.
const LEFT: [(&str, &str); 6] = [
    ("<@", ">"),
    ("<#", ">"),
    ("<emoji:", ">"),
    ("<faceType=", ">"),
    ("https://", ""),
    ("http://", ""),
];

/// The text without its words. The name of a command stays, for the channel acts on it.
#[must_use]
pub fn blank(text: &str) -> String {
    if let Some((row, argument)) = commands::read(text) {
        let argument = letters(argument);
        return format!("/{} {argument}", row.name).trim_end().to_owned();
    }
    letters(text)
}

fn letters(text: &str) -> String {
    let mut blank = String::with_capacity(text.len());
    let mut rest = text;
    while let Some(first) = rest.chars().next() {
        let left = LEFT.iter().find(|(begin, _)| rest.starts_with(begin));
        let length = left.and_then(|(begin, end)| match *end {
            "" => Some(begin.len()),
            // One that does not close, or closes far away, is no tag.
            end => rest
                .find(end)
                .filter(|at| is_tag(rest, *at))
                .map(|at| at + end.len()),
        });
        let (kept, after) = match length {
            Some(length) => rest.split_at(length),
            None => rest.split_at(first.len_utf8()),
        };
        match length {
            Some(_) => blank.push_str(kept),
            None => blank.push(letter(first)),
        }
        rest = after;
    }
    blank
}

/// True when nothing between the brackets is anybody's words: ids and attributes have no spaces.
fn is_tag(text: &str, end: usize) -> bool {
    let inside = text.get(..end).unwrap_or_default();
    let plain = |c: char| c.is_ascii_alphanumeric() || "<@#!:=\",+/_-".contains(c);
    end <= 512 && inside.chars().all(plain)
}

fn letter(c: char) -> char {
    match c {
        '0'..='9' => '0',
        'a'..='z' => 'x',
        'A'..='Z' => 'X',
        c if !c.is_alphanumeric() => c,
        c => match c.len_utf8() {
            2 => 'ü',
            3 => '字',
            _ => '𠀀',
        },
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn words_go_and_what_the_channel_acts_on_stays() {
        for (from, to) in [
            ("Hello, 世界! 42", "Xxxxx, 字字! 00"),
            ("/bind@bot 123456", "/bind 000000"),
            ("/stop", "/stop"),
            ("/weather Berlin", "/xxxxxxx Xxxxxx"),
            ("<@!1a> <#2b> <emoji:4>x", "<@!1a> <#2b> <emoji:4>x"),
            ("a <b> c", "x <x> x"),
            ("<@ my street 7 >", "<@ xx xxxxxx 0 >"),
            ("see https://a.b/c?d=1", "xxx https://x.x/x?x=0"),
            ("**é** 🎉", "**ü** 🎉"),
        ] {
            assert_eq!(blank(from), to);
        }
    }

    proptest! {
        #[test]
        fn a_blank_text_is_as_long_and_stays_blank(text in "([a-zA-Z0-9 <>@/:世é🎉*_]|https://|<@!|/help)*") {
            let once = blank(&text);
            prop_assert_eq!(blank(&once), once.clone());
            if commands::read(&text).is_none() {
                prop_assert_eq!(once.len(), text.len());
            }
        }
    }
}
