//! What a model writes, GitHub's Markdown, brought down to what QQ shows (`PROTOCOL.md`, "Markdown").
//!
//! Blocks are rewritten line by line: what a line becomes depends on the lines before it only, but for the first row of a
//! table, which waits for the second. So the rendering of a growing text grows too, which no parser of whole documents
//! promises; and `pulldown-cmark` was measured at 240 KB of component, more than there is room for.

mod blocks;
mod emphasis;
mod inline;
mod line;
mod protect;
mod render;
mod stable;
mod table;

use inline::Token;
pub use stable::stable_prefix;

/// For whom a text is rendered.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Style {
    /// QQ's Markdown.
    Qq,
    /// Places without Markdown.
    Plain,
}

/// Markdown as QQ shows it: what QQ does not know becomes what it knows, or text that nothing can misread.
///
/// Headings of the third level and deeper become bold lines, code becomes quoted lines, tables become lines or
/// blocks, and images without a size become links.
#[must_use]
pub fn to_qq(text: &str) -> String {
    blocks::render(text, Style::Qq)
}

/// Markdown as good plain text: without marks of emphasis, with links written out, and code as it is.
#[must_use]
pub fn to_plain(text: &str) -> String {
    blocks::render(text, Style::Plain)
}

/// The web link or image at the beginning of a text: what it says, and how long it is.
pub(super) fn link_at(text: &str) -> Option<(&str, usize)> {
    let (token, length) = inline::read(text).ok()?;
    match token {
        Token::Link { text, address } if inline::is_web(address) => Some((text, length)),
        Token::Image { alt, address, .. } if inline::is_web(address) => {
            Some((render::without_size(alt), length))
        }
        Token::Address(address) => Some((address, length)),
        _ => None,
    }
}

/// How long the link, image or tag at the beginning of a text is, which means nothing when it is cut.
pub(super) fn unit_at(text: &str) -> Option<usize> {
    match inline::read(text) {
        Ok((Token::Code(_) | Token::Escaped(_), _)) | Err(_) => inline::angled(text),
        Ok((_, length)) => Some(length),
    }
}

#[cfg(test)]
mod tests;
