//! Taking marks of emphasis out of text.
//!
//! Somewhat stricter than Markdown where people write stars and underscores without meaning them (`2*3*4`,
//! `src/*.rs`, `__init__`), and somewhat more generous beside Chinese punctuation, where Markdown sees no mark.

use std::ops::Range;

/// A run of marks.
struct Run {
    mark: char,
    /// Bytes of it that are still marks: what is taken out goes from the inner side.
    left: Range<usize>,
    opens: bool,
    closes: bool,
}

/// The text without its marks of emphasis. `fixed` are ranges in which there are none, in order.
pub(super) fn strip(text: &str, fixed: &[Range<usize>]) -> String {
    let mut open: [Vec<Run>; 3] = [Vec::new(), Vec::new(), Vec::new()];
    let mut gone = vec![false; text.len()];
    let mut take_out = |marks: Range<usize>| {
        gone.iter_mut()
            .skip(marks.start)
            .take(marks.len())
            .for_each(|gone| *gone = true);
    };
    for mut run in runs(text, fixed) {
        let Some(stack) = open.get_mut(match run.mark {
            '*' => 0,
            '_' => 1,
            _ => 2,
        }) else {
            continue;
        };
        while run.closes && !run.left.is_empty() {
            let Some(opener) = stack.last_mut() else {
                break;
            };
            let both = opener.left.len().min(run.left.len());
            if run.mark == '~' && opener.left.len() != run.left.len() {
                break;
            }
            if !is_name(text, opener, &run) {
                take_out(opener.left.end - both..opener.left.end);
                take_out(run.left.start..run.left.start + both);
            }
            opener.left.end -= both;
            run.left.start += both;
            if opener.left.is_empty() {
                stack.pop();
            }
        }
        if run.opens && !run.left.is_empty() {
            stack.push(run);
        }
    }
    text.char_indices()
        .filter(|(at, _)| gone.get(*at) == Some(&false))
        .map(|(_, character)| character)
        .collect()
}

/// `__init__`: between two underscores on each side stands one name in small letters.
fn is_name(text: &str, opener: &Run, closer: &Run) -> bool {
    opener.mark == '_'
        && opener.left.len() == 2
        && closer.left.len() == 2
        && text
            .get(opener.left.end..closer.left.start)
            .is_some_and(|name| {
                name.bytes()
                    .all(|byte| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'_')
            })
}

fn runs<'a>(text: &'a str, fixed: &'a [Range<usize>]) -> impl Iterator<Item = Run> + 'a {
    let mut at = 0;
    let mut before: Option<char> = None;
    let mut fixed = fixed.iter().peekable();
    std::iter::from_fn(move || {
        loop {
            let rest = text.get(at..)?;
            let mark = rest.chars().next()?;
            while fixed.next_if(|range| range.end <= at).is_some() {}
            let is_fixed = fixed.peek().is_some_and(|range| range.contains(&at));
            if is_fixed || !matches!(mark, '*' | '_' | '~') {
                at += mark.len_utf8();
                before = Some(mark);
                continue;
            }
            // A run does not go on into what is fixed, and nobody looks there for its end.
            let free = fixed.peek().map_or(text.len(), |range| range.start);
            let marks = text.get(at..free).unwrap_or_default();
            let end = free - marks.trim_start_matches(mark).len();
            let after = text.get(end..).and_then(|rest| rest.chars().next());
            let (opens, closes) = sides(mark, end - at, before, after);
            let run = Run {
                mark,
                left: at..end,
                opens,
                closes,
            };
            before = Some(mark);
            at = end;
            return Some(run);
        }
    })
}

/// Whether a run between these characters can open emphasis, and whether it can close it.
fn sides(mark: char, length: usize, before: Option<char>, after: Option<char>) -> (bool, bool) {
    let touches = |side: Option<char>| side.is_some_and(|character| !character.is_whitespace());
    let word = |side: Option<char>| side.is_some_and(char::is_alphanumeric);
    let latin =
        |side: Option<char>| side.is_some_and(|character| character.is_ascii_alphanumeric());
    let path = |side: Option<char>| matches!(side, Some('/' | '\\'));
    let (opens, closes) = (touches(after), touches(before));
    match mark {
        '*' if latin(before) && latin(after) => (false, false),
        '*' if length == 1 && (path(before) || path(after)) => (false, false),
        '*' => (opens, closes),
        '_' => (opens && !word(before), closes && !word(after)),
        _ => (opens && length == 2, closes && length == 2),
    }
}
