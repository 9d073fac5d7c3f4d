//! What a line of Markdown is, seen by itself.

/// A line, without the marks of a quote around it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Line<'a> {
    /// Nothing but white space.
    Blank,
    /// The beginning of fenced code.
    Fence(Fence<'a>),
    /// A heading and its level.
    Heading(usize, &'a str),
    /// A horizontal rule.
    Rule,
    /// An item of a list.
    Item(Item<'a>),
    /// It begins with a pipe: perhaps a row of a table.
    Row(&'a str),
    /// Anything else.
    Text(&'a str),
}

/// The beginning of fenced code.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Fence<'a> {
    /// What the fence is made of.
    pub(super) mark: char,
    /// How many.
    pub(super) length: usize,
    /// The language, or nothing.
    pub(super) language: &'a str,
}

/// An item of a list.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Item<'a> {
    /// `1.` or `1)`; nothing for a bullet.
    pub(super) number: Option<&'a str>,
    /// Ticked or not, for a task.
    pub(super) done: Option<bool>,
    /// What it says.
    pub(super) text: &'a str,
}

/// Columns of white space in front of a line, and the rest of it.
pub(super) fn indent(line: &str) -> (usize, &str) {
    let rest = line.trim_start_matches([' ', '\t']);
    let lead = line.get(..line.len() - rest.len()).unwrap_or_default();
    let columns = lead.bytes().fold(0, |column, byte| match byte {
        b'\t' => (column / 4 + 1) * 4,
        _ => column + 1,
    });
    (columns, rest)
}

/// A line without so many columns of white space in front.
pub(super) fn dedent(line: &str, columns: usize) -> &str {
    let mut rest = line;
    let mut column = 0;
    while column < columns {
        if let Some(after) = rest.strip_prefix(' ') {
            rest = after;
            column += 1;
        } else if let Some(after) = rest.strip_prefix('\t') {
            rest = after;
            column = (column / 4 + 1) * 4;
        } else {
            break;
        }
    }
    rest
}

/// Takes the marks of a quote off a line, all levels of them.
pub(super) fn unquote(line: &str) -> Option<&str> {
    let mut rest = line.trim_start_matches([' ', '\t']).strip_prefix('>')?;
    // Faces and comparisons, not quotes.
    if rest.starts_with(['=', '_', '<', '.']) {
        return None;
    }
    loop {
        rest = rest.strip_prefix(' ').unwrap_or(rest);
        match rest.strip_prefix('>') {
            Some(deeper) => rest = deeper,
            None => return Some(rest),
        }
    }
}

/// Reads the line; `content` has no white space in front.
pub(super) fn classify(content: &str) -> Line<'_> {
    let content = content.trim_end();
    let Some(first) = content.chars().next() else {
        return Line::Blank;
    };
    match first {
        '`' | '~' => fence(content, first),
        '#' => heading(content),
        '-' | '*' | '_' if is_rule(content, first) => Some(Line::Rule),
        '-' | '*' | '+' => bullet(content),
        '0'..='9' => number(content),
        '|' => Some(Line::Row(content)),
        _ => None,
    }
    .unwrap_or(Line::Text(content))
}

fn fence(content: &str, mark: char) -> Option<Line<'_>> {
    let info = content.trim_start_matches(mark);
    let length = content.len() - info.len();
    // With a back tick behind it, it is code inside of a line.
    if length < 3 || (mark == '`' && info.contains('`')) {
        return None;
    }
    let language = info.split_whitespace().next().unwrap_or_default();
    Some(Line::Fence(Fence {
        mark,
        length,
        language,
    }))
}

/// Whether a line ends code that such a fence began.
pub(super) fn closes(content: &str, mark: char, length: usize) -> bool {
    let content = content.trim();
    content.len() >= length && content.chars().all(|character| character == mark)
}

fn heading(content: &str) -> Option<Line<'_>> {
    let rest = content.trim_start_matches('#');
    let level = content.len() - rest.len();
    if level > 6 || !(rest.is_empty() || rest.starts_with([' ', '\t'])) {
        return None;
    }
    let text = rest.trim();
    let opened = text.trim_end_matches('#');
    let text = if opened.is_empty() || opened.ends_with([' ', '\t']) {
        opened.trim_end()
    } else {
        text
    };
    Some(Line::Heading(level, text))
}

fn is_rule(content: &str, mark: char) -> bool {
    let marks = content.chars().filter(|&character| character == mark);
    marks.count() >= 3
        && content
            .chars()
            .all(|character| character == mark || character == ' ' || character == '\t')
}

/// A line of `=` under a text: what other Markdown takes for the mark of a heading.
pub(super) fn is_underline(content: &str) -> bool {
    content.len() >= 3 && content.bytes().all(|byte| byte == b'=')
}

fn bullet(content: &str) -> Option<Line<'_>> {
    let mut rest = content.chars();
    rest.next();
    let rest = rest.as_str();
    let text = rest.trim_start_matches([' ', '\t']);
    if text.len() == rest.len() || text.is_empty() {
        return None;
    }
    let done = [("[ ] ", false), ("[x] ", true), ("[X] ", true)]
        .into_iter()
        .find_map(|(mark, done)| Some((done, text.strip_prefix(mark)?)));
    Some(Line::Item(Item {
        number: None,
        done: done.map(|(done, _)| done),
        text: done.map_or(text, |(_, text)| text.trim_start()),
    }))
}

fn number(content: &str) -> Option<Line<'_>> {
    let digits = content.bytes().take_while(u8::is_ascii_digit).count();
    let (number, rest) = content.split_at_checked(digits + 1)?;
    let text = rest.trim_start_matches([' ', '\t']);
    let marked = digits <= 9 && number.ends_with(['.', ')']);
    if !marked || text.len() == rest.len() || text.is_empty() {
        return None;
    }
    Some(Line::Item(Item {
        number: Some(number),
        done: None,
        text,
    }))
}
