//! Text of components and of people, made fit for a terminal and for a line of a log.
//!
//! What somebody else wrote may hold characters that move the cursor, begin another line, turn the direction of writing
//! around or are not seen at all. Each of them is shown as an escape. All text for a terminal or a log passes through
//! here once, where it is written.

use std::borrow::Cow;
use std::fmt::Write;

/// What is not shown as it is: controls of the terminal, ends of lines, and characters that have no width or change the
/// order of others. From and to, both included.
const HIDDEN: [(char, char); 27] = [
    // C0, with tab and the ends of lines; delete and C1.
    ('\u{0}', '\u{1f}'),
    ('\u{7f}', '\u{9f}'),
    // Soft hyphen; joiners and marks that are not seen.
    ('\u{ad}', '\u{ad}'),
    ('\u{34f}', '\u{34f}'),
    ('\u{600}', '\u{605}'),
    ('\u{61c}', '\u{61c}'),
    ('\u{6dd}', '\u{6dd}'),
    ('\u{70f}', '\u{70f}'),
    ('\u{890}', '\u{891}'),
    ('\u{8e2}', '\u{8e2}'),
    ('\u{115f}', '\u{1160}'),
    ('\u{17b4}', '\u{17b5}'),
    ('\u{180b}', '\u{180f}'),
    // Spaces without width, joiners, marks of direction.
    ('\u{200b}', '\u{200f}'),
    // Ends of lines and paragraphs, embeddings and overrides of direction.
    ('\u{2028}', '\u{202e}'),
    // Invisible operators, isolates of direction, and what is not assigned among them.
    ('\u{2060}', '\u{206f}'),
    ('\u{3164}', '\u{3164}'),
    ('\u{feff}', '\u{feff}'),
    ('\u{ffa0}', '\u{ffa0}'),
    ('\u{fff0}', '\u{fffb}'),
    ('\u{110bd}', '\u{110bd}'),
    ('\u{110cd}', '\u{110cd}'),
    ('\u{13430}', '\u{1343f}'),
    ('\u{1bca0}', '\u{1bca3}'),
    ('\u{1d173}', '\u{1d17a}'),
    // Tags, and selectors of variants that no font has.
    ('\u{e0000}', '\u{e0fff}'),
    ('\u{f0000}', '\u{10ffff}'),
];

fn is_hidden(c: char) -> bool {
    HIDDEN.iter().any(|(from, to)| (*from..=*to).contains(&c))
}

/// The text on one line, with what would not be seen as it is written as `\n`, `\t`, `\r` or `\u{..}`.
pub fn plain(text: &str) -> Cow<'_, str> {
    escaped(text, |c, out| match c {
        '\n' => out.push_str("\\n"),
        '\r' => out.push_str("\\r"),
        '\t' => out.push_str("\\t"),
        // Writing to a string does not fail.
        c => drop(write!(out, "\\u{{{:x}}}", u32::from(c))),
    })
}

/// JSON that a terminal may show: the same values, with such characters written as JSON writes them.
pub fn plain_json(json: &str) -> Cow<'_, str> {
    escaped(json, |c, out| {
        for unit in c.encode_utf16(&mut [0; 2]) {
            let _ = write!(out, "\\u{unit:04x}");
        }
    })
}

fn escaped(text: &str, escape: impl Fn(char, &mut String)) -> Cow<'_, str> {
    if !text.chars().any(is_hidden) {
        return Cow::Borrowed(text);
    }
    let mut out = String::with_capacity(text.len() + 16);
    for c in text.chars() {
        match is_hidden(c) {
            true => escape(c, &mut out),
            false => out.push(c),
        }
    }
    Cow::Owned(out)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_a_terminal_would_act_on_is_shown_as_an_escape() {
        for (text, shown) in [
            ("plain", "plain"),
            ("中文，ünïcödé — 👍🏽 ❤️", "中文，ünïcödé — 👍🏽 ❤️"),
            (
                "\u{1b}[2J\u{1b}]0;title\u{7}",
                "\\u{1b}[2J\\u{1b}]0;title\\u{7}",
            ),
            (
                "\u{1b}]8;;https://x\u{1b}\\y",
                "\\u{1b}]8;;https://x\\u{1b}\\y",
            ),
            ("\u{9b}2J \u{9d}0;t\u{9c}", "\\u{9b}2J \\u{9d}0;t\\u{9c}"),
            ("a\nb\r\nc\rd\te", "a\\nb\\r\\nc\\rd\\te"),
            (
                "\u{b}\u{c}\u{85}\u{2028}\u{2029}",
                "\\u{b}\\u{c}\\u{85}\\u{2028}\\u{2029}",
            ),
            ("a\u{0}b\u{8}c\u{7f}", "a\\u{0}b\\u{8}c\\u{7f}"),
            ("\u{202e}gpj.exe", "\\u{202e}gpj.exe"),
            (
                "\u{2066}\u{2067}\u{2068}\u{2069}",
                "\\u{2066}\\u{2067}\\u{2068}\\u{2069}",
            ),
            ("\u{200e}\u{200f}\u{61c}", "\\u{200e}\\u{200f}\\u{61c}"),
            (
                "a\u{200b}b\u{200d}c\u{feff}d\u{2060}e\u{ad}",
                "a\\u{200b}b\\u{200d}c\\u{feff}d\\u{2060}e\\u{ad}",
            ),
            (
                "\u{e0041}\u{e007f}\u{e0100}",
                "\\u{e0041}\\u{e007f}\\u{e0100}",
            ),
            (
                "\u{3164}\u{115f}\u{ffa0}\u{34f}",
                "\\u{3164}\\u{115f}\\u{ffa0}\\u{34f}",
            ),
            ("\u{100000}", "\\u{100000}"),
        ] {
            assert_eq!(plain(text), shown, "{text:?}");
        }
    }

    #[test]
    fn every_control_and_format_character_is_found_and_nothing_that_is_read() {
        for c in '\u{0}'..='\u{10ffff}' {
            assert!(!c.is_control() || is_hidden(c), "{c:?}");
        }
        for c in "aZ0 ~!é中、　한글กखא‐–…€𝄞👩".chars() {
            assert!(!is_hidden(c), "{c:?}");
        }
    }

    #[test]
    fn json_keeps_its_values() {
        let value = serde_json::json!({"a": "\u{1b}\n\u{9b}\u{202e}\u{e0041}中", "\u{200b}": 1});
        let json = value.to_string();
        let shown = plain_json(&json);
        assert!(!shown.chars().any(is_hidden), "{shown}");
        assert_eq!(
            serde_json::from_str::<serde_json::Value>(&shown).unwrap(),
            value
        );
        assert!(shown.contains("中"));
    }
}
