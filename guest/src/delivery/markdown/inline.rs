//! What stands inside of a line: code, links, images, tags, escapes. Emphasis is nobody's business here.
//!
//! Everything is read from its beginning, within a bounded length, and never beyond the end of the line. So
//! reading a text that still grows gives one of three answers, and only "more" can change.

use super::protect::begins_tag;

/// Bytes that code, the text of a link or a tag may have: keeps the time linear, whatever is written.
const MAX_SPAN: usize = 300;
/// Bytes of an address.
const MAX_ADDRESS: usize = 2_048;
/// Runs of back ticks that may stand in code that another number of them encloses.
const MAX_RUNS: usize = 8;
/// Brackets that may be open inside of brackets: a text of nothing but `[` is otherwise read [`MAX_SPAN`] times.
const MAX_DEPTH: usize = 4;

/// Why nothing was found.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Stop {
    /// It is text, whatever follows.
    No,
    /// The text ends before that is clear.
    More,
}

/// Something that is not text.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Token<'a> {
    /// Code, without its back ticks.
    Code(&'a str),
    /// A link.
    Link {
        /// What it says.
        text: &'a str,
        /// Where it leads.
        address: &'a str,
    },
    /// An image.
    Image {
        /// What it shows, perhaps with a size as QQ writes it.
        alt: &'a str,
        /// Where it is.
        address: &'a str,
        /// Width and height, where they stand behind the address.
        size: Option<(&'a str, &'a str)>,
    },
    /// An address between angle brackets.
    Address(&'a str),
    /// A tag of QQ's that we use ourselves.
    Own(&'a str),
    /// A tag or comment of HTML. True for a line break.
    Html(bool),
    /// A character that is meant as itself.
    Escaped(char),
}

/// Where the next token may begin.
pub(super) fn next_special(text: &str) -> Option<usize> {
    text.find(['`', '[', '!', '<', '\\'])
}

/// Reads the token at the beginning of `text`, and how long it is.
pub(super) fn read(text: &str) -> Result<(Token<'_>, usize), Stop> {
    let mut cursor = Cursor { rest: text };
    let token = match cursor.next()? {
        '`' => code(text, &mut cursor)?,
        '\\' => match cursor.next()? {
            character if "*_#[]<>~`|\\-+.!()".contains(character) => Token::Escaped(character),
            _ => return Err(Stop::No),
        },
        '[' => {
            let text = bracketed(&mut cursor)?;
            let (address, size) = target(&mut cursor)?;
            if size.is_some() {
                return Err(Stop::No);
            }
            Token::Link { text, address }
        }
        '!' => {
            cursor.eat('[')?;
            let alt = bracketed(&mut cursor)?;
            let (address, size) = target(&mut cursor)?;
            Token::Image { alt, address, size }
        }
        '<' => tag(text, &mut cursor)?,
        _ => return Err(Stop::No),
    };
    Ok((token, text.len() - cursor.rest.len()))
}

/// How many bytes of text stand at the beginning of what [`read`] refused.
pub(super) fn refused(text: &str) -> usize {
    let ticks = text.bytes().take_while(|&byte| byte == b'`').count();
    ticks.max(1)
}

/// Whether an address leads into the web.
pub(super) fn is_web(address: &str) -> bool {
    address.starts_with("https://") || address.starts_with("http://")
}

/// How long whatever stands between angle brackets is, where nothing but QQ knows what it is.
pub(super) fn angled(text: &str) -> Option<usize> {
    let inside = text.strip_prefix('<')?;
    inside.chars().next().filter(|&next| begins_tag(next))?;
    let end = inside.find(['<', '>', '\n'])?;
    let whole = inside.get(end..)?.starts_with('>');
    (whole && end <= MAX_SPAN).then_some(end + 2)
}

struct Cursor<'a> {
    rest: &'a str,
}

impl<'a> Cursor<'a> {
    fn peek(&self) -> Result<char, Stop> {
        match self.rest.chars().next() {
            None => Err(Stop::More),
            Some('\n') => Err(Stop::No),
            Some(character) => Ok(character),
        }
    }

    fn next(&mut self) -> Result<char, Stop> {
        let character = self.peek()?;
        self.rest = self.rest.get(character.len_utf8()..).unwrap_or_default();
        Ok(character)
    }

    fn eat(&mut self, wanted: char) -> Result<(), Stop> {
        (self.next()? == wanted).then_some(()).ok_or(Stop::No)
    }

    fn eat_all(&mut self, wanted: &str) -> Result<(), Stop> {
        wanted.chars().try_for_each(|character| self.eat(character))
    }

    /// Takes characters while they fit, at most `limit` bytes; there must be one behind that does not.
    fn take(&mut self, limit: usize, fits: impl Fn(char) -> bool) -> Result<&'a str, Stop> {
        let start = self.rest;
        while fits(self.peek()?) {
            self.next()?;
            if start.len() - self.rest.len() > limit {
                return Err(Stop::No);
            }
        }
        Ok(start
            .get(..start.len() - self.rest.len())
            .unwrap_or_default())
    }

    fn blanks(&mut self) -> Result<(), Stop> {
        self.take(MAX_SPAN, |character| character == ' ')
            .map(|_| ())
    }
}

/// Code at the end of a text that still grows counts, although another back tick could follow: whoever cares sees that
/// it ends there.
fn code<'a>(text: &'a str, cursor: &mut Cursor<'a>) -> Result<Token<'a>, Stop> {
    let inside = text.trim_start_matches('`');
    let fence = text.len() - inside.len();
    let (line, ends) = near(inside);
    let mut from = 0;
    for run in 0.. {
        let found = line.get(from..).and_then(|rest| rest.find('`'));
        let Some(start) = found.map(|at| from + at).filter(|&start| start <= MAX_SPAN) else {
            break;
        };
        if run == MAX_RUNS {
            return Err(Stop::No);
        }
        let behind = inside.get(start..).unwrap_or_default();
        let ticks = behind.len() - behind.trim_start_matches('`').len();
        if ticks == fence {
            let code = inside.get(..start).ok_or(Stop::No)?;
            cursor.rest = inside.get(start + ticks..).unwrap_or_default();
            let trimmed = code
                .strip_prefix(' ')
                .and_then(|code| code.strip_suffix(' '))
                .filter(|code| !code.trim().is_empty());
            return Ok(Token::Code(trimmed.unwrap_or(code)));
        }
        from = start + ticks;
    }
    Err(ends)
}

/// The beginning of the first line of a text in which the end of a span can stand, and why a span does not end there:
/// what is to come changes something only while the line is short. No more is searched, or a line of many beginnings
/// is read to its end for each of them.
fn near(text: &str) -> (&str, Stop) {
    let near = text
        .get(..text.floor_char_boundary(MAX_SPAN + "-->".len()))
        .unwrap_or_default();
    match near.split_once('\n') {
        Some((line, _)) => (line, Stop::No),
        None if near.len() < text.len() => (near, Stop::No),
        None => (near, Stop::More),
    }
}

/// The text between square brackets, of which the first is behind us.
fn bracketed<'a>(cursor: &mut Cursor<'a>) -> Result<&'a str, Stop> {
    let start = cursor.rest;
    let mut depth = 0_usize;
    loop {
        let length = start.len() - cursor.rest.len();
        if length > MAX_SPAN {
            return Err(Stop::No);
        }
        match cursor.next()? {
            '\\' => {
                cursor.next()?;
            }
            '[' if depth == MAX_DEPTH => return Err(Stop::No),
            '[' => depth += 1,
            ']' if depth == 0 => return start.get(..length).ok_or(Stop::No),
            ']' => depth -= 1,
            _ => {}
        }
    }
}

/// The address of a link or an image in its parentheses, and the size that some write behind it.
#[allow(
    clippy::type_complexity,
    reason = "a pair of a part and an optional pair"
)]
fn target<'a>(cursor: &mut Cursor<'a>) -> Result<(&'a str, Option<(&'a str, &'a str)>), Stop> {
    cursor.eat('(')?;
    cursor.blanks()?;
    let address = if cursor.peek()? == '<' {
        cursor.next()?;
        let address = cursor.take(MAX_ADDRESS, |character| !matches!(character, '<' | '>'))?;
        cursor.eat('>')?;
        address
    } else {
        bare_address(cursor)?
    };
    // Text such as `f[a](b)` is no link.
    let leads = [
        "https://", "http://", "/", "./", "../", "#", "mailto:", "tel:",
    ];
    if !leads.iter().any(|lead| address.starts_with(lead)) {
        return Err(Stop::No);
    }
    cursor.blanks()?;
    let mut size = None;
    match cursor.peek()? {
        '=' => {
            cursor.next()?;
            let width = cursor.take(4, |character| character.is_ascii_digit())?;
            cursor.eat('x')?;
            let height = cursor.take(4, |character| character.is_ascii_digit())?;
            if width.is_empty() || height.is_empty() {
                return Err(Stop::No);
            }
            size = Some((width, height));
        }
        quote @ ('"' | '\'') => {
            cursor.next()?;
            cursor.take(MAX_SPAN, |character| character != quote)?;
            cursor.next()?;
        }
        _ => {}
    }
    cursor.blanks()?;
    cursor.eat(')')?;
    Ok((address, size))
}

fn bare_address<'a>(cursor: &mut Cursor<'a>) -> Result<&'a str, Stop> {
    let start = cursor.rest;
    let mut depth = 0_usize;
    loop {
        match cursor.peek()? {
            ' ' | '\t' => break,
            ')' if depth == 0 => break,
            '(' if depth == MAX_DEPTH => return Err(Stop::No),
            '(' => depth += 1,
            ')' => depth -= 1,
            _ => {}
        }
        cursor.next()?;
        if start.len() - cursor.rest.len() > MAX_ADDRESS {
            return Err(Stop::No);
        }
    }
    start.get(..start.len() - cursor.rest.len()).ok_or(Stop::No)
}

fn tag<'a>(text: &'a str, cursor: &mut Cursor<'a>) -> Result<Token<'a>, Stop> {
    match cursor.peek()? {
        '@' => {
            cursor.next()?;
            if cursor.peek()? == '!' {
                cursor.next()?;
            }
            own_id(cursor)?;
            cursor.eat('>')?;
            Ok(Token::Own(behind(text, cursor)?))
        }
        '!' => {
            cursor.eat_all("!--")?;
            let (line, ends) = near(cursor.rest);
            let end = line.find("-->").filter(|&end| end <= MAX_SPAN);
            let end = end.ok_or(ends)?;
            cursor.rest = cursor.rest.get(end + 3..).unwrap_or_default();
            Ok(Token::Html(false))
        }
        '/' => {
            cursor.next()?;
            html(cursor)
        }
        _ => {
            let name = cursor.take(16, |character| {
                character.is_ascii_alphanumeric() || character == '-'
            })?;
            match (name, cursor.peek()?) {
                ("qqbot-at-user", ' ') => {
                    cursor.eat_all(" id=\"")?;
                    own_id(cursor)?;
                    cursor.eat('"')?;
                    cursor.blanks()?;
                    cursor.eat_all("/>")?;
                    Ok(Token::Own(behind(text, cursor)?))
                }
                ("http" | "https", ':') => {
                    cursor.eat_all("://")?;
                    cursor.take(MAX_ADDRESS, |character| {
                        !character.is_whitespace() && !matches!(character, '<' | '>')
                    })?;
                    let address = behind(text, cursor)?.trim_start_matches('<');
                    cursor.eat('>')?;
                    Ok(Token::Address(address))
                }
                _ => attributes(name, cursor),
            }
        }
    }
}

fn behind<'a>(text: &'a str, cursor: &Cursor<'a>) -> Result<&'a str, Stop> {
    text.get(..text.len() - cursor.rest.len()).ok_or(Stop::No)
}

/// The id of one person; everybody is not one.
fn own_id(cursor: &mut Cursor<'_>) -> Result<(), Stop> {
    let id = cursor.take(64, |character| character.is_ascii_alphanumeric())?;
    let one = !id.is_empty() && id != "all" && id != "everyone";
    one.then_some(()).ok_or(Stop::No)
}

fn html<'a>(cursor: &mut Cursor<'a>) -> Result<Token<'a>, Stop> {
    let name = cursor.take(16, |character| character.is_ascii_alphanumeric())?;
    attributes(name, cursor)
}

/// Tags that say how text looks, so that it can be shown without them.
const LOOKS: [&str; 40] = [
    "b",
    "big",
    "blockquote",
    "br",
    "center",
    "code",
    "dd",
    "del",
    "details",
    "div",
    "dl",
    "dt",
    "em",
    "font",
    "h1",
    "h2",
    "h3",
    "h4",
    "hr",
    "i",
    "ins",
    "kbd",
    "li",
    "mark",
    "ol",
    "p",
    "pre",
    "s",
    "small",
    "span",
    "strong",
    "sub",
    "summary",
    "sup",
    "table",
    "td",
    "th",
    "tr",
    "u",
    "ul",
];

/// The rest of a tag of HTML. An attribute has a value, or `a <b and c> d` would be one.
fn attributes<'a>(name: &str, cursor: &mut Cursor<'a>) -> Result<Token<'a>, Stop> {
    let name = name.to_ascii_lowercase();
    if !LOOKS.contains(&name.as_str()) {
        return Err(Stop::No);
    }
    let start = cursor.rest.len();
    loop {
        if start - cursor.rest.len() > MAX_SPAN {
            return Err(Stop::No);
        }
        cursor.blanks()?;
        match cursor.peek()? {
            '>' => break,
            '/' => {
                cursor.next()?;
                if cursor.peek()? != '>' {
                    return Err(Stop::No);
                }
            }
            _ => {
                let key = cursor.take(32, |character| {
                    character.is_ascii_alphabetic() || character == '-'
                })?;
                if key == "open" && matches!(cursor.peek()?, '>' | ' ') {
                    continue;
                }
                cursor.eat('=')?;
                let quote = cursor.next()?;
                if !matches!(quote, '"' | '\'') {
                    return Err(Stop::No);
                }
                cursor.take(MAX_SPAN, |character| character != quote)?;
                cursor.next()?;
            }
        }
    }
    cursor.eat('>')?;
    Ok(Token::Html(name == "br"))
}
