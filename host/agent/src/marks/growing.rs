//! What of an answer may be shown while it is still being written.
//!
//! All that was let through is the beginning of the first text of the finished answer: whatever may
//! still turn out to be a marker or a card is held back, and with it everything that follows.

use super::{CARD, MIN_FENCE, Seen, fence_run, marker_at};

/// A text that grows.
#[derive(Debug, Default)]
pub(crate) struct Growing {
    /// What came and was not let through.
    held: String,
    /// Something was let through, so what is held does not begin a line.
    begun: bool,
    /// A marker or a card was seen: the rest comes with the whole answer, and is not kept here.
    over: bool,
}

impl Growing {
    /// Takes more text, and returns what may be shown now; often nothing.
    pub(crate) fn push(&mut self, more: &str) -> String {
        if self.over {
            return String::new();
        }
        self.held.push_str(more);
        let safe = self.safe();
        let text = self.held.get(..safe).unwrap_or_default();
        // Space before a marker goes with the marker, and this may be such space.
        let text = text.trim_end().to_owned();
        self.begun |= !text.is_empty();
        self.held.drain(..text.len());
        text
    }

    /// How much of what is held is words, whatever follows.
    fn safe(&mut self) -> usize {
        let mut start = 0;
        for line in self.held.split_inclusive('\n') {
            let begins = start > 0 || !self.begun;
            match held_in(line, begins) {
                Hold::Nothing => start += line.len(),
                Hold::From(at) => return start + at,
                Hold::Over(at) => {
                    self.over = true;
                    return start + at;
                }
            }
        }
        start
    }
}

/// What must be held back of a line.
enum Hold {
    Nothing,
    /// What begins here is undecided.
    From(usize),
    /// A marker or a card begins here.
    Over(usize),
}

/// `begins`: the line is whole at its beginning. Where it stands does not matter: a marker in a
/// block of code ends the showing too, which is early, and not wrong.
fn held_in(line: &str, begins: bool) -> Hold {
    if begins {
        match may_open_card(line) {
            Some(true) => return Hold::Over(0),
            None => return Hold::From(0),
            Some(false) => {}
        }
    }
    for (at, _) in line.match_indices('[') {
        match marker_at(line.get(at..).unwrap_or_default()) {
            Seen::Marker { .. } => return Hold::Over(at),
            Seen::Unfinished => return Hold::From(at),
            Seen::Nothing => {}
        }
    }
    Hold::Nothing
}

/// Whether a line opens a card; none while that is open.
fn may_open_card(line: &str) -> Option<bool> {
    let whole = line.ends_with('\n');
    let Some((_, len, rest)) = fence_run(line) else {
        let indent = line.chars().all(|letter| letter == ' ');
        return (whole || !indent).then_some(false);
    };
    let info = rest.trim();
    if whole || (len < MIN_FENCE && !rest.is_empty()) {
        return Some(len >= MIN_FENCE && info == CARD);
    }
    let may_become = CARD.starts_with(info);
    (!may_become).then_some(false)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::answer::{Fetched, assemble};
    use crate::marks::{Piece, pieces};
    use prx_host::bindings::v0_1::{AnswerPart, MediaPart, MediaSource};

    fn shown(chunks: &[&str]) -> Vec<String> {
        let mut growing = Growing::default();
        chunks.iter().map(|chunk| growing.push(chunk)).collect()
    }

    #[test]
    fn words_pass_at_once_and_space_waits_for_words() {
        assert_eq!(
            shown(&["one", " ", "two\n", "three"]),
            ["one", "", " two", "\nthree"]
        );
    }

    #[test]
    fn what_may_become_a_marker_waits_until_it_does_not() {
        assert_eq!(shown(&["see [", "1", "]"]), ["see", " [1", "]"]);
        assert_eq!(shown(&["see [IMA", "GE]"]), ["see", " [IMAGE]"]);
        assert_eq!(shown(&["x [IMAGE:a", "\n", "b"]), ["x", " [IMAGE:a", "\nb"]);
        assert_eq!(shown(&["x [IMAGE:a", "]", " and more"]), ["x", "", ""]);
    }

    #[test]
    fn what_may_become_a_card_waits_until_it_does_not() {
        assert_eq!(
            shown(&["x\n``", "`", "c", "++\n1"]),
            ["x", "", "", "\n```c++\n1"]
        );
        assert_eq!(
            shown(&["x\n```ca", "rd\n", "{}", "\n```"]),
            ["x", "", "", ""]
        );
        assert_eq!(shown(&["```", "card", "s\n"]), ["", "", "```cards"]);
    }

    /// Texts of the bits that matter, in any order.
    fn text() -> impl Strategy<Value = String> {
        let bit = prop::sample::select(vec![
            "[",
            "]",
            "IMAGE",
            "[IMAGE:",
            "[VOICE:a.wav]",
            ":",
            "x.png",
            "`",
            "```",
            "~~~",
            "card",
            "```card\n",
            "{}",
            "{\"a\":1}",
            "\n```\n",
            "\n",
            " ",
            "  ",
            "\t",
            "\r\n",
            "word",
            "你好",
            "\u{3000}",
            "[IMAGE:http://[::1]/]",
        ]);
        prop::collection::vec(bit, 0..24).prop_map(|bits| bits.concat())
    }

    /// The parts when what `allow` says may be sent.
    fn parts(text: &str, allow: fn(usize) -> bool) -> Vec<AnswerPart> {
        let fetched = pieces(text)
            .into_iter()
            .enumerate()
            .map(|(n, piece)| match piece {
                Piece::Text(text) => Fetched::Words(text),
                Piece::Media { raw, .. } | Piece::Card { raw, .. } if !allow(n) => {
                    Fetched::Words(raw)
                }
                Piece::Media { kind, target, .. } => Fetched::Part(AnswerPart::Media(MediaPart {
                    kind,
                    source: MediaSource::Url(target.to_owned()),
                    caption: None,
                })),
                Piece::Card { json, .. } => Fetched::Part(AnswerPart::Card(json.to_owned())),
            });
        assemble(fetched)
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(4000))]

        #[test]
        fn what_was_shown_is_the_beginning_of_the_first_text(
            text in text(),
            cuts in prop::collection::vec(any::<prop::sample::Index>(), 0..12),
        ) {
            let letters: Vec<char> = text.chars().collect();
            let mut cuts: Vec<usize> = cuts.iter().map(|cut| cut.index(letters.len() + 1)).collect();
            cuts.push(letters.len());
            cuts.sort_unstable();
            let (mut growing, mut shown, mut from) = (Growing::default(), String::new(), 0);
            for cut in cuts {
                let chunk: String = letters[from..cut].iter().collect();
                shown.push_str(&growing.push(&chunk));
                from = cut;
            }
            let all: fn(usize) -> bool = |_| true;
            let none: fn(usize) -> bool = |_| false;
            let some: fn(usize) -> bool = |n| n % 3 == 0;
            for allow in [all, none, some] {
                let parts = parts(&text, allow);
                let first = parts.iter().find_map(|part| match part {
                    AnswerPart::Text(text) => Some(text.as_str()),
                    AnswerPart::Media(_) | AnswerPart::Card(_) => None,
                });
                let first = first.unwrap_or_default();
                prop_assert!(first.starts_with(&shown), "{shown:?} is shown of {parts:?}");
            }
        }

        #[test]
        fn words_without_brackets_and_fences_are_all_shown(text in "[a-z \n]{0,40}", cut in 0_usize..40) {
            let cut = cut.min(text.len());
            let shown = shown(&[&text[..cut], &text[cut..]]).concat();
            prop_assert_eq!(shown, text.trim_end());
        }
    }
}
