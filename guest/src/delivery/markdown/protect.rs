//! Text that nothing may take for markup: code above all.
//!
//! QQ gives one protection, a zero-width space behind `<`. For the others it is what the rules of Markdown give: a mark
//! of emphasis with white space behind it opens nothing, and a zero-width space is no white space, so there it is
//! the thinnest that is. Back slashes would be shown where they are not understood.

/// Breaks up what only works when its characters stand side by side.
pub(super) const ZERO_WIDTH: char = '\u{200b}';
/// White space by the rules of Markdown, and hardly seen.
pub(super) const HAIR: char = '\u{200a}';
/// White space that is kept at the beginning of a line.
const FIXED: char = '\u{a0}';

/// A line of code: its indentation is kept, and its beginning makes no block.
pub(super) fn line(code: &str) -> String {
    let text = code.trim_start_matches([' ', '\t']);
    let mut shown = String::with_capacity(code.len() + 8);
    for space in code.chars().take(code.len() - text.len()) {
        shown.extend(std::iter::repeat_n(
            FIXED,
            if space == '\t' { 2 } else { 1 },
        ));
    }
    if shown.is_empty() {
        guard_start(text, &mut shown);
    }
    marks(text, false, &mut shown);
    if shown.is_empty() {
        shown.push(ZERO_WIDTH);
    }
    shown
}

/// Code inside of a line. `first` says that the line begins with it.
pub(super) fn span(code: &str, first: bool, shown: &mut String) {
    if first {
        guard_start(code, shown);
    }
    marks(code, true, shown);
}

/// Puts something in front where a line would begin a block.
pub(super) fn guard_start(text: &str, shown: &mut String) {
    let digits = text.trim_start_matches(|character: char| character.is_ascii_digit());
    let number = digits.len() < text.len() && digits.starts_with(['.', ')']);
    if number || text.starts_with(['#', '>', '-', '+', '=', '|', '~', '`', '*', '_']) {
        shown.push(ZERO_WIDTH);
    }
}

/// Whether `<` with this behind it could begin a tag.
pub(super) fn begins_tag(next: char) -> bool {
    next.is_ascii_alphabetic() || matches!(next, '/' | '@' | '#' | '!' | '?')
}

/// Copies text with its marks made harmless. `open_end` says that other text may follow directly.
fn marks(text: &str, open_end: bool, shown: &mut String) {
    let mut rest = text.chars();
    let mut before = None;
    while let Some(character) = rest.next() {
        shown.push(character);
        let next = rest.clone().next();
        let touches = next.map_or(open_end, |next| !next.is_whitespace());
        let is_word = |side: Option<char>| side.is_some_and(char::is_alphanumeric);
        let guard = match character {
            '<' => touches.then_some(ZERO_WIDTH),
            '*' => touches.then_some(HAIR),
            // Between letters it is no mark.
            '_' if is_word(before) && is_word(next) => None,
            '_' => touches.then_some(HAIR),
            '~' => (next == Some('~')).then_some(HAIR),
            ']' => next
                .map_or(open_end, |next| next == '(')
                .then_some(ZERO_WIDTH),
            '\\' => next
                .map_or(open_end, |next| next.is_ascii_punctuation())
                .then_some(ZERO_WIDTH),
            '&' => is_entity(rest.as_str()).then_some(ZERO_WIDTH),
            _ => None,
        };
        shown.extend(guard);
        before = Some(character);
    }
}

fn is_entity(behind: &str) -> bool {
    let name = behind.strip_prefix('#').unwrap_or(behind);
    let length = name
        .bytes()
        .take(12)
        .take_while(u8::is_ascii_alphanumeric)
        .count();
    length > 0 && name.as_bytes().get(length) == Some(&b';')
}
