//! Every code of the error table, refused once for each kind of message: what the person sees then.

mod again;
mod agent;
mod expect;
mod page;
mod play;
mod protocol;

use std::collections::BTreeSet;

use qq_channel::delivery::errors::{self, Class, TABLE};

use expect::expected;
use play::{Kind, Place, Theatre};

/// Codes inside the wide ranges that the documentation names.
const INSIDE: [i64; 10] = [
    501_001, 501_005, 501_008, 501_018, 502_001, 502_010, 503_001, 503_006, 504_001, 504_004,
];

/// Every code of the table with its class, wide ranges by their ends and the codes that are documented.
fn codes() -> Vec<(i64, Class)> {
    let mut codes = BTreeSet::from(INSIDE);
    for (from, to, _) in TABLE {
        if to - from > 40 {
            codes.extend([*from, *to]);
        } else {
            codes.extend(*from..=*to);
        }
    }
    let class = |code| errors::class(400, Some(code));
    codes.into_iter().map(|code| (code, class(code))).collect()
}

/// Refuses one kind of message with every code that `applies`, and says of each that ended otherwise.
fn every(kind: Kind, applies: impl Fn(i64, Class) -> bool) {
    let mut theatre = Theatre::new(codes().len());
    let mut wrong = Vec::new();
    let begin = std::time::Instant::now();
    let mut count = 0;
    for (code, class) in codes() {
        if !applies(code, class) || class == Class::Held {
            continue;
        }
        count += 1;
        let (end, expected) = (theatre.refuse(kind, code, 1), expected(kind, class, code));
        for unlike in end.unlike(&expected) {
            wrong.push(format!("{code} {class:?}: {unlike}"));
        }
    }
    eprintln!("{kind:?}: {count} codes in {:?}", begin.elapsed());
    assert!(
        wrong.is_empty(),
        "{kind:?}: {} wrong:\n{}",
        wrong.len(),
        wrong.join("\n")
    );
}

/// The token endpoint alone says this, and with another status than an error has.
const TOO_MANY_TOKENS: i64 = 100_001;

fn all(code: i64, _: Class) -> bool {
    code != TOO_MANY_TOKENS
}

/// What every endpoint may say, and some codes of messages, which mean nothing else at another one.
fn of_any_endpoint(code: i64) -> bool {
    const STRAYS: [i64; 8] = [
        304_003, 304_025, 304_057, 40_034_005, 40_034_105, 40_054_005, 40_054_007, 40_054_016,
    ];
    matches!(code, 10_000..=12_999 | 20_028 | 22_006 | 22_009) || STRAYS.contains(&code)
}

#[test]
fn a_refused_text_of_a_private_chat() {
    every(Kind::Words(Place::C2c), all);
}

#[test]
fn a_refused_text_of_a_group() {
    every(Kind::Words(Place::Group), all);
}

#[test]
fn a_refused_text_of_a_channel() {
    every(Kind::Words(Place::Channel), all);
}

#[test]
fn a_refused_text_of_a_guilds_direct_messages() {
    every(Kind::Words(Place::Dm), all);
}

#[test]
fn a_refused_text_with_a_link() {
    every(Kind::Linked(Place::C2c), all);
}

#[test]
fn a_refused_text_with_markup() {
    every(Kind::Marked(Place::Group), all);
}

#[test]
fn a_refused_text_with_markup_of_a_channel() {
    every(Kind::Marked(Place::Channel), all);
}

#[test]
fn a_refused_text_to_everybody() {
    every(Kind::Everyone, |_, class| class == Class::StripEveryone);
}

#[test]
fn refused_buttons_of_a_private_chat() {
    every(Kind::Buttons(Place::C2c), all);
}

#[test]
fn refused_buttons_of_a_channel() {
    every(Kind::Buttons(Place::Channel), all);
}

#[test]
fn a_refused_upload() {
    every(Kind::Upload(Place::C2c), all);
}

#[test]
fn a_refused_picture_of_a_group() {
    every(Kind::Picture(Place::Group), all);
}

#[test]
fn a_refused_picture_of_a_channel() {
    every(Kind::Picture(Place::Channel), all);
}

#[test]
fn a_refused_card() {
    every(Kind::Ark, all);
}

#[test]
fn a_refused_embed() {
    every(Kind::Embed, all);
}

#[test]
fn a_text_that_may_not_begin_to_grow() {
    every(Kind::StreamBegin, all);
}

#[test]
fn a_text_that_may_not_grow_on() {
    every(Kind::StreamMiddle, all);
}

#[test]
fn a_growing_text_that_may_not_end_so() {
    // 12002 says that there is no such stream, so that nothing is left to close.
    every(Kind::StreamEnd, |code, class| {
        code != 12_002 && all(code, class)
    });
}

#[test]
fn what_nobody_asked_for_in_a_private_chat() {
    every(Kind::Unasked(Place::C2c), all);
}

#[test]
fn what_nobody_asked_for_in_a_group() {
    every(Kind::Unasked(Place::Group), all);
}

#[test]
fn a_refused_recall() {
    every(Kind::Recall, |code, _| {
        of_any_endpoint(code)
            || matches!(code, 306_001..=306_011 | 40_061_001..=40_064_004 | 50_065_001)
    });
}

#[test]
fn a_refused_reaction() {
    every(Kind::Reaction, |code, _| {
        of_any_endpoint(code) || matches!(code, 620_001..=620_007)
    });
}

#[test]
fn a_refused_acknowledgement() {
    every(Kind::Ack, |code, _| {
        of_any_endpoint(code) || matches!(code, 630_001..=630_007)
    });
}
