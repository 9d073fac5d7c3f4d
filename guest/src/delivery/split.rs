//! Cutting long text into messages: at paragraphs, else lines, else sentences, else words, else characters.
//!
//! Where sentences, words and characters end is the business of `unicode-segmentation` (UAX 29); this file
//! only takes as much as fits.

use std::ops::Range;

use unicode_segmentation::UnicodeSegmentation;

use super::markdown::unit_at;

/// Cuts text into pieces of at most `limit` Unicode scalar values, none of them blank.
///
/// White space around a cut is dropped; everything else comes out as it went in, in order. Each piece is found when it
/// is asked for: of a long text few are sent, and finding where a sentence ends is dear.
pub fn split(text: &str, limit: usize) -> impl Iterator<Item = &str> {
    let limit = limit.max(1);
    let mut rest = text.trim();
    std::iter::from_fn(move || {
        while !rest.is_empty() {
            let fits = prefix(rest, limit);
            let end = if fits.len() == rest.len() {
                rest.len()
            } else {
                best_cut(fits)
            };
            let (piece, after) = rest.split_at(end);
            rest = after.trim_start_matches(['\n', '\r', ' ', '\t']);
            let piece = piece.trim_end();
            if !piece.is_empty() {
                return Some(piece);
            }
        }
        None
    })
}

/// Cuts Markdown as [`split`] cuts text, with the same guarantees, but not inside of a link, an image, a tag, bold text or a
/// line of code, where that can be avoided. White space at the beginning of a line stays: it is the level of an item.
///
/// Made for what [`to_qq`](super::markdown::to_qq) gives: code is a quoted line there.
pub fn split_markdown(text: &str, limit: usize) -> impl Iterator<Item = &str> {
    let limit = limit.max(1);
    let mut rest = text.trim_start_matches(['\n', '\r']).trim_end();
    std::iter::from_fn(move || {
        while !rest.trim_start().is_empty() {
            let fits = prefix(rest, limit);
            let end = if fits.len() == rest.len() {
                rest.len()
            } else {
                best_markdown_cut(rest, fits)
            };
            let (piece, after) = rest.split_at(end);
            let at_line = piece.ends_with('\n') || after.starts_with(['\n', '\r']);
            let after_lines = after.trim_start_matches(['\n', '\r']);
            rest = if at_line {
                after_lines
            } else {
                after.trim_start()
            };
            if !piece.trim().is_empty() {
                return Some(piece.trim_end());
            }
        }
        None
    })
}

/// How long a text is for the platform: Unicode scalar values.
#[must_use]
pub fn length(text: &str) -> usize {
    text.chars().count()
}

/// The longest beginning of at most `limit` scalar values.
#[must_use]
pub fn prefix(text: &str, limit: usize) -> &str {
    text.char_indices()
        .nth(limit)
        .and_then(|(end, _)| text.get(..end))
        .unwrap_or(text)
}

/// Where to end a piece that must end somewhere in `fits`. Never 0.
fn best_cut(fits: &str) -> usize {
    // A cut in the first third would waste a message; the next finer boundary is better then.
    let least = fits.len() / 3;
    let good = |cut: Option<usize>| cut.filter(|&end| end > least);
    good(fits.rfind("\n\n"))
        .or_else(|| good(fits.rfind('\n')))
        .or_else(|| {
            // The start of the last one: what begins there may go on behind the cut.
            good(
                fits.split_sentence_bound_indices()
                    .last()
                    .map(|(start, _)| start),
            )
        })
        .or_else(|| {
            good(
                fits.split_word_bound_indices()
                    .next_back()
                    .map(|(start, _)| start),
            )
        })
        .or_else(|| {
            let last = fits.grapheme_indices(true).next_back();
            last.map(|(start, _)| start).filter(|&end| end > 0)
        })
        .unwrap_or(fits.len())
}

/// Where to end a piece of Markdown that must end somewhere in `fits`, which `rest` begins with. Never 0.
fn best_markdown_cut(rest: &str, fits: &str) -> usize {
    let mut units = units(rest, fits.len(), length(fits));
    cut_between(rest, fits, &units)
        .or_else(|| {
            // Units may overlap so that every place is in one. Links suffer most.
            units.retain(|unit| {
                let text = rest.get(unit.clone()).unwrap_or_default();
                text.starts_with(['[', '!'])
            });
            cut_between(rest, fits, &units)
        })
        .unwrap_or_else(|| best_cut(fits))
}

fn cut_between(rest: &str, fits: &str, units: &[Range<usize>]) -> Option<usize> {
    // A cut in the first third would waste a message, but is better than one in a unit.
    let least = fits.len() / 3;
    let inside = inside(units, fits.len());
    let whole = |end: usize| inside.get(end) != Some(&true);
    let best = |ends: &[usize], least: usize| {
        ends.iter()
            .rev()
            .copied()
            .find(|&end| end > least && whole(end))
    };
    let breaks = |mark: &str| {
        let full = rest
            .get(fits.len()..)
            .is_some_and(|after| after.starts_with(mark));
        let inside = fits.match_indices(mark).map(|(at, _)| at);
        inside
            .chain(full.then_some(fits.len()))
            .collect::<Vec<usize>>()
    };
    let (paragraphs, lines) = (breaks("\n\n"), breaks("\n"));
    let words = || -> Vec<usize> { fits.split_word_bound_indices().map(|(at, _)| at).collect() };
    best(&paragraphs, least)
        .or_else(|| best(&lines, least))
        .or_else(|| {
            let sentences = fits.split_sentence_bound_indices().map(|(at, _)| at);
            best(&sentences.collect::<Vec<usize>>(), least)
        })
        .or_else(|| best(&words(), least))
        .or_else(|| best(&lines, 0))
        .or_else(|| best(&words(), 0))
        .or_else(|| whole(fits.len()).then_some(fits.len()))
}

/// For each byte up to `end`, whether a cut before it goes through a unit. Units are many, and so are the places that are
/// tried.
fn inside(units: &[Range<usize>], end: usize) -> Vec<bool> {
    let mut inside = vec![false; end + 1];
    let mut done = 0;
    let mut sorted: Vec<&Range<usize>> = units.iter().collect();
    sorted.sort_unstable_by_key(|unit| unit.start);
    for unit in sorted {
        let from = (unit.start + 1).max(done);
        let to = unit.end.min(end + 1);
        if let Some(bytes) = inside.get_mut(from..to.max(from)) {
            bytes.fill(true);
        }
        done = done.max(to);
    }
    inside
}

/// What should not be cut, as far as it begins in the first `end` bytes and is not longer than `limit`.
fn units(text: &str, end: usize, limit: usize) -> Vec<Range<usize>> {
    let mut units = Vec::new();
    let mut start = 0;
    for line in text.split_inclusive('\n') {
        if start >= end {
            break;
        }
        if line.starts_with('>') {
            units.push(start..start + line.trim_end().len());
        }
        // What begins behind the cut is read with the next piece; only the end of what is open can be there.
        let (cut, far) = (end - start, end - start + limit * 4);
        let far = line.get(..line.floor_char_boundary(far)).unwrap_or(line);
        units_of_line(far, cut, start, &mut units);
        start += line.len();
    }
    units.retain(|unit| {
        text.get(unit.clone())
            .is_some_and(|unit| unit.len() <= limit * 4 && length(unit) <= limit)
    });
    units
}

/// The units of a line that begin in its first `cut` bytes, with the bold text that ends behind them.
fn units_of_line(line: &str, cut: usize, start: usize, units: &mut Vec<Range<usize>>) {
    let mut at = 0;
    let mut bold = None;
    while let Some(special) = line
        .get(at..)
        .and_then(|rest| rest.find(['[', '!', '<', '*']))
        .map(|special| at + special)
        .filter(|&special| special < cut || bold.is_some())
    {
        let from = line.get(special..).unwrap_or_default();
        at = special + 1;
        if from.starts_with("**") {
            at = special + 2;
            match bold.take() {
                Some(opened) => units.push(start + opened..start + at),
                None => bold = Some(special),
            }
        } else if special < cut
            && let Some(length) = unit_at(from)
        {
            // There may be another inside, which counts where the outer one is too long.
            units.push(start + special..start + special + length);
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn squeeze(text: &str) -> String {
        text.chars()
            .filter(|character| !character.is_whitespace())
            .collect()
    }

    #[test]
    fn short_text_is_one_piece() {
        assert!(split("hello", 2048).eq(["hello"]));
        assert_eq!(split("  \n ", 2048).next(), None);
    }

    #[test]
    fn cuts_prefer_paragraphs_then_lines_then_sentences_then_words() {
        assert_eq!(
            split("one two\n\nthree four", 12).collect::<Vec<_>>(),
            ["one two", "three four"]
        );
        assert_eq!(
            split("one two\nthree four", 12).collect::<Vec<_>>(),
            ["one two", "three four"]
        );
        assert_eq!(
            split("One two. Three four.", 12).collect::<Vec<_>>(),
            ["One two.", "Three four."]
        );
        assert_eq!(
            split("one two three", 9).collect::<Vec<_>>(),
            ["one two", "three"]
        );
        assert_eq!(
            split("你好。今天天气很好。", 6).collect::<Vec<_>>(),
            ["你好。", "今天天气很", "好。"]
        );
    }

    #[test]
    fn a_family_of_emoji_is_not_torn_apart_where_it_fits() {
        let family = "👨‍👩‍👧‍👦";
        let text = format!("{family}{family}");
        assert_eq!(
            split(&text, family.chars().count() + 2).collect::<Vec<_>>(),
            [family, family]
        );
    }

    #[test]
    fn what_belongs_together_in_markdown_is_not_cut() {
        for (text, limit, pieces) in [
            (
                "See the [long title](https://a.cn/b) now",
                30,
                vec!["See the", "[long title](https://a.cn/b)", "now"],
            ),
            (
                "hello hello <qqbot-at-user id=\"7A\" /> you",
                31,
                vec!["hello hello", "<qqbot-at-user id=\"7A\" /> you"],
            ),
            (
                "text\n\n> let a = b c;\n> let d = e;",
                20,
                vec!["text\n\n> let a = b c;", "> let d = e;"],
            ),
            (
                "one two **three four** five",
                17,
                vec!["one two", "**three four**", "five"],
            ),
            (
                "- one\n    - two\n    - three",
                16,
                vec!["- one\n    - two", "    - three"],
            ),
            (
                "[t](https://a.cn/bcd)",
                8,
                vec!["[t](", "https:/", "/a.cn/", "bcd)"],
            ),
        ] {
            assert_eq!(
                split_markdown(text, limit).collect::<Vec<_>>(),
                pieces,
                "{text}"
            );
        }
    }

    proptest! {
        #[test]
        fn markdown_is_not_lost_and_not_too_long(
            text in r"([a-z]{1,6} |。|\n|\n\n|> |你好|\*\*|\[x\]\(https://a\.cn/b\)|<@7A>|<|    - |🙂){0,60}",
            limit in 1usize..60,
        ) {
            let pieces: Vec<&str> = split_markdown(&text, limit).collect();
            for piece in &pieces {
                prop_assert!(length(piece) <= limit && !piece.trim().is_empty());
                if limit >= 30 {
                    prop_assert_eq!(piece.matches("[x](").count(), piece.matches("https://a.cn/b)").count(), "{}", piece);
                }
            }
            prop_assert_eq!(squeeze(&pieces.concat()), squeeze(&text));
        }

        #[test]
        fn nothing_is_lost_and_nothing_is_too_long(text in "[a-z。，\n 你好🙂\u{200d}.]{0,400}", limit in 1usize..60) {
            let pieces: Vec<&str> = split(&text, limit).collect();
            for piece in &pieces {
                prop_assert!(length(piece) <= limit && !piece.trim().is_empty());
            }
            prop_assert_eq!(squeeze(&pieces.concat()), squeeze(&text));
        }
    }
}
