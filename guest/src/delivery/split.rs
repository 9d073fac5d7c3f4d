//! Cutting long text into messages: at paragraphs, else lines, else sentences, else words, else characters.
//!
//! Where sentences, words and characters end is the business of `unicode-segmentation` (UAX 29); this file
//! only takes as much as fits.

use unicode_segmentation::UnicodeSegmentation;

/// Cuts text into pieces of at most `limit` Unicode scalar values, none of them blank.
///
/// White space around a cut is dropped; everything else comes out as it went in, in order.
#[must_use]
pub fn split(text: &str, limit: usize) -> Vec<String> {
    let limit = limit.max(1);
    let mut pieces = Vec::new();
    let mut rest = text.trim();
    while !rest.is_empty() {
        let fits = prefix(rest, limit);
        let end = if fits.len() == rest.len() {
            rest.len()
        } else {
            best_cut(fits)
        };
        let (piece, after) = rest.split_at(end);
        let piece = piece.trim_end();
        if !piece.is_empty() {
            pieces.push(piece.to_owned());
        }
        rest = after.trim_start_matches(['\n', '\r', ' ', '\t']);
    }
    pieces
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
            good(last_start(
                fits.split_sentence_bound_indices().map(|(start, _)| start),
            ))
        })
        .or_else(|| {
            good(last_start(
                fits.split_word_bound_indices().map(|(start, _)| start),
            ))
        })
        .or_else(|| {
            last_start(fits.grapheme_indices(true).map(|(start, _)| start)).filter(|&end| end > 0)
        })
        .unwrap_or(fits.len())
}

/// The start of the last unit: what begins there may go on behind the cut.
fn last_start(starts: impl Iterator<Item = usize>) -> Option<usize> {
    starts.last()
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
        assert_eq!(split("hello", 2048), ["hello"]);
        assert_eq!(split("  \n ", 2048), Vec::<String>::new());
    }

    #[test]
    fn cuts_prefer_paragraphs_then_lines_then_sentences_then_words() {
        assert_eq!(
            split("one two\n\nthree four", 12),
            ["one two", "three four"]
        );
        assert_eq!(split("one two\nthree four", 12), ["one two", "three four"]);
        assert_eq!(
            split("One two. Three four.", 12),
            ["One two.", "Three four."]
        );
        assert_eq!(split("one two three", 9), ["one two", "three"]);
        assert_eq!(
            split("你好。今天天气很好。", 6),
            ["你好。", "今天天气很", "好。"]
        );
    }

    #[test]
    fn a_family_of_emoji_is_not_torn_apart_where_it_fits() {
        let family = "👨‍👩‍👧‍👦";
        let text = format!("{family}{family}");
        assert_eq!(split(&text, family.chars().count() + 2), [family, family]);
    }

    proptest! {
        #[test]
        fn nothing_is_lost_and_nothing_is_too_long(text in "[a-z。，\n 你好🙂\u{200d}.]{0,400}", limit in 1usize..60) {
            let pieces = split(&text, limit);
            for piece in &pieces {
                prop_assert!(length(piece) <= limit && !piece.trim().is_empty());
            }
            prop_assert_eq!(squeeze(&pieces.concat()), squeeze(&text));
        }
    }
}
/// stub
pub fn split_markdown(text: &str, limit: usize) -> Vec<String> {
    split(text, limit)
}
