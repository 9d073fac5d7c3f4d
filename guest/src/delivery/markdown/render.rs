//! Text inside of a line, for QQ and for places without Markdown.

use std::ops::Range;

use super::inline::{self, Token};
use super::protect;

/// Stands for a line break that HTML asks for, until somebody knows how the next line begins.
pub(super) const BREAK: char = '\u{2028}';

/// A line as QQ shows it. Emphasis stays as it is: QQ knows it.
pub(super) fn qq(text: &str) -> String {
    let mut shown = String::with_capacity(text.len());
    qq_into(text, false, &mut shown);
    shown
}

fn qq_into(text: &str, linked: bool, shown: &mut String) {
    each(text, |piece| match piece {
        Piece::Text(text) => push_text(text, shown),
        Piece::Refused(text, behind) => {
            push_text(text, shown);
            if text == "<" && behind.is_some_and(protect::begins_tag) {
                shown.push(protect::ZERO_WIDTH);
            }
        }
        Piece::Token(token) => qq_token(token, linked, shown),
    });
}

/// Text, in which nothing may be the middle of a link: what is one is made by [`link`]. QQ opens addresses of its own
/// scheme, which send commands in the name of whoever touches them.
fn push_text(text: &str, shown: &mut String) {
    let mut rest = text;
    loop {
        if shown.ends_with(']') && rest.starts_with(['(', ':']) {
            shown.push(protect::ZERO_WIDTH);
        }
        let Some(at) = rest.find(']') else {
            shown.push_str(rest);
            return;
        };
        let (before, after) = rest.split_at(at + 1);
        shown.push_str(before);
        rest = after;
        if rest.is_empty() {
            return;
        }
    }
}

fn qq_token(token: Token<'_>, linked: bool, shown: &mut String) {
    let first = shown.is_empty();
    match token {
        Token::Code(code) => protect::span(code, first, shown),
        Token::Escaped(character) => {
            let joins = shown.ends_with(']') && matches!(character, '(' | ':');
            if first || joins || matches!(character, '.' | ')') {
                shown.push(protect::ZERO_WIDTH);
            }
            protect::span(character.encode_utf8(&mut [0; 4]), false, shown);
        }
        Token::Link { text, .. } if linked => qq_into(text, true, shown),
        Token::Image { alt, .. } if linked => push_text(without_size(alt), shown),
        Token::Link { text, address } if inline::is_web(address) => {
            let mut says = String::with_capacity(text.len());
            qq_into(text, true, &mut says);
            link(&says, address, shown);
        }
        Token::Link { text, address } => {
            qq_into(text, linked, shown);
            if !address.starts_with('#') {
                shown.extend([" (", address, ")"]);
            }
        }
        Token::Image { alt, address, size } if inline::is_web(address) => {
            match size {
                Some((width, height)) => {
                    shown.push_str("![");
                    push_text(without_size(alt), shown);
                    shown.extend([" #", width, "px #", height, "px"]);
                }
                None if without_size(alt) != alt => {
                    shown.push_str("![");
                    push_text(alt, shown);
                }
                None => return link(alt, address, shown),
            }
            shown.push_str("](");
            push_address(address, shown);
            shown.push(')');
        }
        Token::Image { alt, address, .. } => {
            push_text(alt, shown);
            shown.extend([" (", address, ")"]);
        }
        Token::Address(address) => {
            shown.push('<');
            push_address(address, shown);
            shown.push('>');
        }
        Token::Own(tag) => shown.push_str(tag),
        Token::Html(breaks) => shown.extend(breaks.then_some(BREAK)),
    }
}

fn link(text: &str, address: &str, shown: &mut String) {
    if text.trim().is_empty() {
        shown.push('<');
        push_address(address, shown);
        shown.push('>');
        return;
    }
    shown.push('[');
    push_text(text, shown);
    shown.push_str("](");
    push_address(address, shown);
    shown.push(')');
}

fn push_address(address: &str, shown: &mut String) {
    // White space came from an address between angle brackets; with a bracket another link could begin in the middle.
    for character in address.chars() {
        match character {
            ' ' => shown.push_str("%20"),
            '[' => shown.push_str("%5B"),
            ']' => shown.push_str("%5D"),
            character => shown.push(character),
        }
    }
}

/// What an image shows, without the size that QQ takes from there.
pub(super) fn without_size(alt: &str) -> &str {
    let is_size = |word: &str| {
        word.strip_prefix('#')
            .and_then(|word| word.strip_suffix("px"))
            .is_some_and(|digits| {
                !digits.is_empty() && digits.bytes().all(|byte| byte.is_ascii_digit())
            })
    };
    let mut words = alt.rsplitn(3, ' ');
    match (words.next(), words.next()) {
        (Some(height), Some(width)) if is_size(height) && is_size(width) => {
            words.next().unwrap_or_default()
        }
        _ => alt,
    }
}

/// Text without any markup.
pub(super) fn plain(text: &str) -> String {
    let mut composed = Composed::default();
    plain_into(text, false, &mut composed);
    super::emphasis::strip(&composed.text, &composed.fixed)
}

/// Text that is put together, and the parts of it in which nothing is a mark of emphasis.
#[derive(Default)]
struct Composed {
    text: String,
    fixed: Vec<Range<usize>>,
}

impl Composed {
    fn push_fixed(&mut self, text: &str) {
        let start = self.text.len();
        self.text.push_str(text);
        self.fixed.push(start..self.text.len());
    }

    /// Text, in which addresses are fixed.
    fn push(&mut self, text: &str) {
        let mut rest = text;
        while let Some(start) = rest.find("http") {
            let (before, from) = rest.split_at(start);
            self.text.push_str(before);
            let length = if inline::is_web(from) {
                from.find(|character: char| {
                    !character.is_ascii_graphic() || "*<>\"'`|()[]".contains(character)
                })
                .unwrap_or(from.len())
            } else {
                "http".len()
            };
            let (address, after) = from.split_at(length);
            self.push_fixed(address);
            rest = after;
        }
        self.text.push_str(rest);
    }
}

fn plain_into(text: &str, linked: bool, composed: &mut Composed) {
    each(text, |piece| match piece {
        Piece::Text(text) | Piece::Refused(text, _) => composed.push(text),
        Piece::Token(token) => match token {
            Token::Code(code) => composed.push_fixed(code),
            Token::Escaped(character) => {
                composed.push_fixed(character.encode_utf8(&mut [0; 4]));
            }
            Token::Link { text, address } => {
                plain_into(text, true, composed);
                let same = |text: &str| {
                    let bare = |address: &str| {
                        let address = address.split_once("://").map_or(address, |(_, rest)| rest);
                        address.trim_end_matches('/').to_owned()
                    };
                    bare(text) == bare(address)
                };
                if text.trim().is_empty() {
                    composed.push_fixed(address);
                } else if !same(text) && !address.starts_with('#') {
                    composed.push_fixed(&format!(" ({address})"));
                }
            }
            Token::Image { alt, .. } if linked => composed.push(without_size(alt)),
            Token::Image { alt, address, .. } => {
                let alt = without_size(alt);
                let gap = if alt.is_empty() { "" } else { " " };
                composed.push_fixed(&format!("{alt}{gap}({address})"));
            }
            Token::Address(address) | Token::Own(address) => composed.push_fixed(address),
            Token::Html(breaks) => composed.text.extend(breaks.then_some(BREAK)),
        },
    });
}

/// A piece of a line.
enum Piece<'a> {
    /// Text.
    Text(&'a str),
    /// What could have begun something and did not, and the character behind it.
    Refused(&'a str, Option<char>),
    /// Something.
    Token(Token<'a>),
}

fn each<'a>(text: &'a str, mut take: impl FnMut(Piece<'a>)) {
    let mut rest = text;
    while let Some(start) = inline::next_special(rest) {
        let (before, from) = rest.split_at(start);
        take(Piece::Text(before));
        let length = match inline::read(from) {
            Ok((token, length)) => {
                take(Piece::Token(token));
                length
            }
            Err(_) => {
                let (refused, behind) = from.split_at(inline::refused(from));
                take(Piece::Refused(refused, behind.chars().next()));
                refused.len()
            }
        };
        rest = from.get(length..).unwrap_or_default();
    }
    take(Piece::Text(rest));
}
