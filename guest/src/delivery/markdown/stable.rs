//! How much of a text that still grows can be shown already.

use super::Style;
use super::blocks::{Blocks, Open};
use super::inline::{self, Stop, Token};
use super::line::{self, Line};

/// Bytes after which text behind `**` is shown although nothing ends it yet.
const MAX_STRONG: usize = 200;

/// The longest beginning of a growing text of which [`to_qq`](super::to_qq) gives a beginning of what it will give for
/// the whole, whatever is to come, but for white space at its end.
///
/// Complete lines count but for the first row of a possible table. Of the last line, text and items of lists count, up to what
/// could still become something else; also held back is a bold text, for a while, until it is complete.
#[must_use]
pub fn stable_prefix(text: &str) -> &str {
    let complete = text.rfind('\n').map_or(0, |end| end + 1);
    let (lines, last) = text.split_at(complete);
    let mut blocks = Blocks::new(Style::Qq);
    let mut end = 0;
    let mut row_start = 0;
    for line in lines.split_inclusive('\n') {
        row_start = end;
        end += line.len();
        blocks.line(line.strip_suffix('\n').unwrap_or(line));
    }
    let shown = match blocks.open {
        Open::Perhaps(_) => row_start,
        Open::Nothing => complete + of_last(&blocks, last).unwrap_or_default(),
        Open::Fence { .. } | Open::Indented { .. } | Open::Table(_) => complete,
    };
    text.get(..shown).unwrap_or_default()
}

/// How many bytes of the last line are safe, if any.
fn of_last(blocks: &Blocks, last: &str) -> Option<usize> {
    let (columns, content) = line::indent(last);
    // The lists of a quote end with it.
    let in_list = !blocks.lists.is_empty() && !blocks.quoted;
    if columns >= 4 && !in_list || line::unquote(last).is_some() {
        return None;
    }
    let inside = if is_text(content) {
        content
    } else {
        item_text(content)?
    };
    let safe = safe_inline(inside);
    let before = last.len() - inside.len();
    let something = inside.get(..safe)?.chars().any(char::is_alphanumeric);
    something.then_some(before + safe)
}

/// Whether a line that begins so is text, whatever follows.
fn is_text(content: &str) -> bool {
    let Some(first) = content.chars().next() else {
        return false;
    };
    let behind = |marks: &str| {
        content
            .trim_start_matches(|character| marks.contains(character))
            .chars()
            .next()
    };
    match first {
        '|' | '>' | '=' | ':' | '#' | '+' | '~' => false,
        '-' => behind("-").is_some_and(|next| !" \t-:|".contains(next)),
        '*' => behind("*").is_some_and(|next| !" \t*".contains(next)),
        '_' => behind("_").is_some_and(|next| !" \t_".contains(next)),
        '`' => content.len() >= 3 && !content.starts_with("```"),
        '0'..='9' => {
            let rest = content.trim_start_matches(|character: char| character.is_ascii_digit());
            let mut rest = rest.chars();
            match (rest.next(), rest.next()) {
                (None, _) | (Some('.' | ')'), None | Some(' ' | '\t')) => false,
                (Some(_), _) => true,
            }
        }
        _ => true,
    }
}

/// The text of an item, once it is clear that it is one.
fn item_text(content: &str) -> Option<&str> {
    let Line::Item(item) = line::classify(content) else {
        return None;
    };
    let mark = content.chars().next()?;
    // The box of a task comes in pieces, and a rule may look like an item at first.
    let unclear = item.done.is_none() && item.text.starts_with('[') || item.text.starts_with(mark);
    if unclear && item.number.is_none() {
        return None;
    }
    // What `classify` cut off at the end is white space.
    let start = content.trim_end().len() - item.text.len();
    content.get(start..)
}

/// How many bytes of an unfinished line nothing can change any more.
fn safe_inline(text: &str) -> usize {
    let mut at = 0;
    // Where bold text begins that has no end yet.
    let mut strong = None;
    // Where the text begins in which a mark stands for itself.
    let mut floor = 0;
    let end = loop {
        let rest = text.get(at..).unwrap_or_default();
        let start = inline::next_special(rest).unwrap_or(rest.len());
        let (plain, from) = rest.split_at(start);
        for (mark, _) in plain.match_indices("**") {
            strong = match strong {
                None => Some(at + mark),
                Some(_) => None,
            };
        }
        at += start;
        if from.is_empty() {
            break at;
        }
        at += match inline::read(from) {
            // One more back tick, and it ends elsewhere.
            Ok((Token::Code(_), length)) if length == from.len() => break at,
            Ok((_, length)) => length,
            Err(Stop::More) => break at,
            Err(Stop::No) if inline::refused(from) == from.len() => break at,
            Err(Stop::No) => inline::refused(from),
        };
        floor = at;
    };
    // Marks at the end belong to what comes.
    let tail = text.get(floor..end).unwrap_or_default();
    let safe = floor
        + tail
            .trim_end_matches(['*', '_', '~', ' ', '\t', '\r'])
            .len();
    strong
        .filter(|start| text.len() - start <= MAX_STRONG)
        .map_or(safe, |start| start.min(safe))
}
