//! How an answer's text names what is not text: markers for media, fenced blocks for cards.
//!
//! Grammar alone, pure. Whether a marker's target may be sent is decided in [`crate::answer`];
//! what is refused there stays text, so the pieces of a text, put together, are that text.

pub(crate) mod growing;

use prx_host::bindings::v0_1::MediaKind;

/// The words of markers, as agents of this family write them: `[IMAGE:target]`.
pub(crate) const MARKERS: [(&str, MediaKind); 5] = [
    ("IMAGE", MediaKind::Image),
    ("DOCUMENT", MediaKind::Document),
    ("AUDIO", MediaKind::Audio),
    ("VOICE", MediaKind::Voice),
    ("VIDEO", MediaKind::Video),
];
/// The info string of a fenced block that is a card.
pub(crate) const CARD: &str = "card";
/// Longest target, bytes: as long as a path may be. It bounds what a stream holds back for a marker
/// that is never closed.
const MAX_TARGET: usize = 4096;
/// Spaces that a fence may be indented by; with more of them it is text (CommonMark 4.5).
const MAX_INDENT: usize = 3;
/// Shortest fence, characters.
const MIN_FENCE: usize = 3;

/// A piece of an answer as it was written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Piece<'a> {
    /// Words.
    Text(&'a str),
    /// A marker.
    Media {
        raw: &'a str,
        kind: MediaKind,
        target: &'a str,
    },
    /// A card's block.
    Card { raw: &'a str, json: &'a str },
}

/// A marker, ready to be read back.
pub(crate) fn marker(kind: MediaKind, target: &str) -> String {
    format!("[{}:{target}]", word(kind))
}

/// A kind's word in markers.
pub(crate) fn word(kind: MediaKind) -> &'static str {
    let known = MARKERS.iter().find(|(_, known)| *known == kind);
    known.map_or("DOCUMENT", |(word, _)| word)
}

/// Takes a text apart. Markers inside fenced blocks and code spans are words.
pub(crate) fn pieces(text: &str) -> Vec<Piece<'_>> {
    let mut cut = Cut {
        text,
        from: 0,
        pieces: Vec::new(),
    };
    let mut open: Option<Block<'_>> = None;
    let mut start = 0;
    for line in text.split_inclusive('\n') {
        let end = start + line.len();
        match &open {
            Some(block) if block.fence.is_closed_by(line) => {
                if block.fence.info == CARD {
                    cut.card(block, start, end);
                }
                open = None;
            }
            Some(_) => {}
            None => match Fence::opened_by(line) {
                Some(fence) => {
                    let body = end;
                    open = Some(Block { fence, start, body });
                }
                None => cut.markers(start, line),
            },
        }
        start = end;
    }
    cut.text_until(text.len());
    cut.pieces
}

/// A fenced block under way.
struct Block<'a> {
    fence: Fence<'a>,
    /// Where its first line begins.
    start: usize,
    /// Where what is in it begins.
    body: usize,
}

struct Cut<'a> {
    text: &'a str,
    /// Up to here it is cut.
    from: usize,
    pieces: Vec<Piece<'a>>,
}

impl<'a> Cut<'a> {
    fn slice(&self, from: usize, to: usize) -> &'a str {
        self.text.get(from..to).unwrap_or_default()
    }

    fn text_until(&mut self, to: usize) {
        let text = self.slice(self.from, to);
        if !text.is_empty() {
            self.pieces.push(Piece::Text(text));
        }
        self.from = to;
    }

    fn card(&mut self, block: &Block<'_>, body_end: usize, end: usize) {
        self.text_until(block.start);
        let raw = self.slice(block.start, end);
        let json = self.slice(block.body, body_end).trim();
        self.pieces.push(Piece::Card { raw, json });
        self.from = end;
    }

    /// Cuts the markers out of a line outside of blocks.
    fn markers(&mut self, start: usize, line: &'a str) {
        let mut at = 0;
        while let Some(rest) = line.get(at..) {
            let Some(next) = rest.find(['[', '`']) else {
                return;
            };
            at += next;
            let here = line.get(at..).unwrap_or_default();
            if here.starts_with('`') {
                at += code_span(here);
            } else if let Seen::Marker { kind, target, len } = marker_at(here) {
                self.text_until(start + at);
                let raw = self.slice(start + at, start + at + len);
                self.pieces.push(Piece::Media { raw, kind, target });
                at += len;
                self.from = start + at;
            } else {
                at += 1;
            }
        }
    }
}

/// Bytes of the code span that a text begins with, or of its backticks when nothing closes it.
fn code_span(text: &str) -> usize {
    let ticks = run(text, '`');
    let mut at = ticks;
    while let Some(next) = text.get(at..).and_then(|rest| rest.find('`')) {
        at += next;
        let closing = run(text.get(at..).unwrap_or_default(), '`');
        at += closing;
        if closing == ticks {
            return at;
        }
    }
    ticks
}

/// How many of one ASCII character a text begins with.
fn run(text: &str, of: char) -> usize {
    text.len() - text.trim_start_matches(of).len()
}

/// What a `[` begins.
enum Seen<'a> {
    /// A whole marker of so many bytes.
    Marker {
        kind: MediaKind,
        target: &'a str,
        len: usize,
    },
    /// Words.
    Nothing,
    /// What is there may still become a marker.
    Unfinished,
}

/// Reads a marker at the beginning of a text. Brackets inside the target must be balanced, as they
/// are in the address of an IPv6 host.
fn marker_at(text: &str) -> Seen<'_> {
    let Some(inside) = text.strip_prefix('[') else {
        return Seen::Nothing;
    };
    let named = MARKERS.iter().find_map(|(word, kind)| {
        let target = inside.strip_prefix(word)?.strip_prefix(':')?;
        Some((*kind, target))
    });
    let Some((kind, target)) = named else {
        return match MARKERS.iter().any(|(word, _)| word.starts_with(inside)) {
            true => Seen::Unfinished,
            false => Seen::Nothing,
        };
    };
    let mut depth = 0_usize;
    for (at, letter) in target.char_indices() {
        match letter {
            '\n' => return Seen::Nothing,
            _ if at > MAX_TARGET => return Seen::Nothing,
            '[' => depth += 1,
            ']' if depth > 0 => depth -= 1,
            ']' => {
                let len = text.len() - target.len() + at + 1;
                let target = target.get(..at).unwrap_or_default().trim();
                return match target.is_empty() {
                    true => Seen::Nothing,
                    false => Seen::Marker { kind, target, len },
                };
            }
            _ => {}
        }
    }
    Seen::Unfinished
}

/// The fence that opened a block.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Fence<'a> {
    mark: char,
    len: usize,
    info: &'a str,
}

impl<'a> Fence<'a> {
    fn opened_by(line: &'a str) -> Option<Self> {
        let (mark, len, rest) = fence_run(line)?;
        let info = rest.trim();
        // A line of code in backticks is not a fence.
        let code = mark == '`' && info.contains('`');
        (len >= MIN_FENCE && !code).then_some(Self { mark, len, info })
    }

    fn is_closed_by(&self, line: &str) -> bool {
        fence_run(line).is_some_and(|(mark, len, rest)| {
            mark == self.mark && len >= self.len && rest.trim().is_empty()
        })
    }
}

/// The character of a fence, how many of it there are, and what follows them.
fn fence_run(line: &str) -> Option<(char, usize, &str)> {
    let fence = line.trim_start_matches(' ');
    let mark = fence.chars().next().filter(|c| matches!(c, '`' | '~'))?;
    let len = run(fence, mark);
    let indented = line.len() - fence.len() <= MAX_INDENT;
    indented.then_some((mark, len, fence.get(len..)?))
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Pieces as a reader sees them: words as they are, markers in angle brackets, cards in braces.
    fn seen(text: &str) -> Vec<String> {
        let pieces = pieces(text);
        let raw = |piece: &Piece<'_>| match *piece {
            Piece::Text(raw) | Piece::Media { raw, .. } | Piece::Card { raw, .. } => raw.to_owned(),
        };
        assert_eq!(pieces.iter().map(raw).collect::<String>(), text);
        let show = |piece: &Piece<'_>| match *piece {
            Piece::Text(text) => text.to_owned(),
            Piece::Media { kind, target, .. } => format!("<{} {target}>", word(kind)),
            Piece::Card { json, .. } => format!("{{{json}}}"),
        };
        pieces.iter().map(show).collect()
    }

    #[test]
    fn markers_are_found_among_words() {
        for (text, expected) in [
            ("no marker", vec!["no marker"]),
            ("a [IMAGE:x.png] b", vec!["a ", "<IMAGE x.png>", " b"]),
            ("[VOICE: my voice.wav ]", vec!["<VOICE my voice.wav>"]),
            ("[AUDIO:a][VIDEO:b]", vec!["<AUDIO a>", "<VIDEO b>"]),
            ("[IMAGE:http://[::1]/x]", vec!["<IMAGE http://[::1]/x>"]),
            ("[DOCUMENT:[IMAGE:x]]", vec!["<DOCUMENT [IMAGE:x]>"]),
            ("[IMAGE:[VIDEO:b]", vec!["[IMAGE:", "<VIDEO b>"]),
        ] {
            assert_eq!(seen(text), expected, "{text}");
        }
    }

    #[test]
    fn what_only_looks_like_a_marker_stays_words() {
        for text in [
            "[IMAGE:]",
            "[IMAGE:  ]",
            "[IMAGE:x.png",
            "[IMAGE:x\n.png]",
            "[image:x.png]",
            "[PICTURE:x.png]",
            "[IMAGE x.png]",
            "`[IMAGE:x.png]` is how it is written",
            "``a ` [IMAGE:x.png]``",
            "```\n[IMAGE:x.png]\n```\n",
            "~~~~ text\n~~~\n[IMAGE:x.png]\n~~~~",
            "```never closed\n[IMAGE:x.png]\n",
        ] {
            assert_eq!(seen(text), [text], "{text}");
        }
        let long = format!("[IMAGE:{}]", "x".repeat(MAX_TARGET + 10));
        assert_eq!(seen(&long), [long.as_str()]);
    }

    #[test]
    fn a_backtick_that_nothing_closes_hides_no_marker() {
        assert_eq!(seen("a ` b [IMAGE:x]"), ["a ` b ", "<IMAGE x>"]);
    }

    #[test]
    fn cards_are_blocks_of_their_own_kind() {
        for (text, expected) in [
            (
                "a\n```card\n{\"x\":1}\n```\nb",
                vec!["a\n", "{{\"x\":1}}", "b"],
            ),
            ("  ```` card \n{}\n```\n````", vec!["{{}\n```}"]),
            ("```json\n{}\n```", vec!["```json\n{}\n```"]),
            ("```card\n{}", vec!["```card\n{}"]),
            (
                "````md\n```card\n{}\n```\n````",
                vec!["````md\n```card\n{}\n```\n````"],
            ),
            ("    ```card\n{}\n    ```", vec!["    ```card\n{}\n    ```"]),
            ("text ```card\n{}\n```", vec!["text ```card\n{}\n```"]),
        ] {
            assert_eq!(seen(text), expected, "{text}");
        }
    }
}
