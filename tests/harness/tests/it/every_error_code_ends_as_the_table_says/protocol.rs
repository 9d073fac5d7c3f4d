//! The error table of the protocol notes, and what of it the channel's own table must say.

use std::collections::BTreeSet;

use qq_channel::delivery::errors::{self, Class, TABLE};
use qq_emulator::codes::ERROR_CODES;

/// What the notes ask for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Ask {
    Drop,
    Fatal,
    Retry,
    Backoff,
    Token,
    Plain,
    NoKeyboard,
    Split,
    StripLinks,
    StripEveryone,
    Reupload,
    MediaAsText,
    /// Proactively, or not at all.
    Late,
    /// Taken, and waiting.
    Pending,
    /// Done before.
    Done,
}

/// Codes from and to, and what they ask for; a narrower row comes before a wider one.
#[rustfmt::skip]
const SECTION: &[(i64, i64, Ask)] = &[
    (10_001, 10_001, Ask::Drop), (10_003, 10_004, Ask::Drop), (11_241, 11_241, Ask::Fatal),
    (11_242, 11_242, Ask::Retry), (11_243, 11_244, Ask::Token), (11_251, 11_251, Ask::Fatal),
    (11_261, 11_261, Ask::Fatal), (11_275, 11_275, Ask::Fatal), (11_252, 11_252, Ask::Retry),
    (11_253, 11_254, Ask::Fatal), (11_255, 11_255, Ask::Token), (11_262, 11_262, Ask::Fatal),
    (11_263, 11_263, Ask::Retry), (11_264, 11_265, Ask::Fatal), (11_273, 11_274, Ask::Fatal),
    (11_281, 11_281, Ask::Retry), (11_282, 11_282, Ask::Fatal), (11_298, 11_298, Ask::Fatal),
    (11_301, 11_306, Ask::Retry), (12_001, 12_002, Ask::Drop), (12_003, 12_003, Ask::Retry),
    (20_028, 20_028, Ask::Backoff), (22_006, 22_006, Ask::Plain), (22_009, 22_009, Ask::Backoff),
    (50_006, 50_006, Ask::Drop), (50_035, 50_035, Ask::Drop), (50_037, 50_037, Ask::Plain),
    (50_038, 50_040, Ask::Drop), (50_041, 50_044, Ask::Plain), (50_045, 50_045, Ask::Drop),
    (50_046, 50_048, Ask::Plain), (50_049, 50_053, Ask::Drop), (50_054, 50_057, Ask::Plain),
    (50_059, 50_059, Ask::Drop), (100_001, 100_001, Ask::Backoff), (301_000, 301_007, Ask::Drop),
    (304_003, 304_003, Ask::StripLinks), (304_004, 304_004, Ask::Plain), (304_005, 304_005, Ask::Split),
    (304_006, 304_009, Ask::Backoff), (304_016, 304_016, Ask::Backoff),
    (304_010, 304_010, Ask::MediaAsText), (304_017, 304_017, Ask::MediaAsText),
    (304_020, 304_021, Ask::MediaAsText), (304_011, 304_012, Ask::Plain), (304_014, 304_014, Ask::Plain),
    (304_018, 304_018, Ask::Backoff), (304_019, 304_019, Ask::StripEveryone), (304_022, 304_022, Ask::Drop),
    (304_023, 304_024, Ask::Pending), (304_025, 304_025, Ask::Drop), (304_026, 304_027, Ask::Late),
    (304_028, 304_028, Ask::Drop), (304_029, 304_029, Ask::Retry), (304_030, 304_034, Ask::Drop),
    (304_035, 304_035, Ask::Drop), (304_045, 304_050, Ask::Drop), (304_036, 304_036, Ask::Plain),
    (304_037, 304_040, Ask::NoKeyboard), (304_044, 304_044, Ask::Retry), (304_051, 304_052, Ask::Drop),
    (304_057, 304_057, Ask::NoKeyboard), (304_061, 304_061, Ask::Plain), (304_062, 304_062, Ask::NoKeyboard),
    (304_064, 304_064, Ask::Drop), (304_080, 304_080, Ask::Reupload), (304_082, 304_083, Ask::Reupload),
    (304_103, 304_103, Ask::Late), (305_007, 305_007, Ask::NoKeyboard),
    (306_003, 306_003, Ask::Retry), (306_005, 306_006, Ask::Retry), (306_010, 306_010, Ask::Retry),
    (306_001, 306_011, Ask::Drop), (340_067, 340_067, Ask::Backoff), (340_069, 340_069, Ask::Drop),
    (501_002, 501_004, Ask::Retry), (501_006, 501_007, Ask::Retry), (501_011, 501_012, Ask::Retry),
    (501_000, 504_999, Ask::Drop), (610_013, 610_013, Ask::Backoff), (610_001, 610_014, Ask::Drop),
    (620_003, 620_004, Ask::Done), (620_006, 620_006, Ask::Backoff), (620_007, 620_007, Ask::Retry),
    (620_001, 620_005, Ask::Drop), (630_001, 630_007, Ask::Drop), (10_000, 10_000, Ask::Drop),
    (850_018, 850_018, Ask::Drop), (850_019, 850_019, Ask::MediaAsText), (850_026, 850_027, Ask::Reupload),
    (850_031, 850_031, Ask::MediaAsText), (1_100_100, 1_100_100, Ask::Backoff), (1_100_308, 1_100_308, Ask::Backoff),
    (1_100_101, 1_100_101, Ask::Drop), (1_100_103, 1_100_104, Ask::Drop), (1_100_102, 1_100_102, Ask::Fatal),
    (1_100_300, 1_100_300, Ask::Retry), (1_100_302, 1_100_302, Ask::Retry), (1_100_305, 1_100_305, Ask::Retry),
    (1_100_499, 1_100_499, Ask::Retry), (1_100_301, 1_100_307, Ask::Drop), (3_300_006, 3_300_006, Ask::Drop),
    (40_034_004, 40_034_004, Ask::Reupload), (40_034_005, 40_034_005, Ask::Late),
    (40_034_006, 40_034_006, Ask::Drop), (40_034_008, 40_034_011, Ask::Plain), (40_034_024, 40_034_024, Ask::Late),
    (40_034_025, 40_034_025, Ask::Retry), (40_034_026, 40_034_027, Ask::Late),
    (40_034_029, 40_034_029, Ask::NoKeyboard), (40_034_100, 40_034_100, Ask::Backoff),
    (40_034_101, 40_034_101, Ask::Drop), (40_034_102, 40_034_102, Ask::Fatal), (40_034_105, 40_034_105, Ask::Fatal),
    (40_034_106, 40_034_106, Ask::Plain), (40_034_108, 40_034_109, Ask::Plain), (40_034_122, 40_034_123, Ask::Drop),
    (40_034_124, 40_034_124, Ask::Plain), (40_034_127, 40_034_127, Ask::Plain), (40_034_128, 40_034_128, Ask::Late),
    (40_054_002, 40_054_004, Ask::Drop), (40_054_005, 40_054_005, Ask::Done), (40_054_006, 40_054_006, Ask::Backoff),
    (40_054_007, 40_054_007, Ask::Split), (40_054_018, 40_054_018, Ask::Split), (40_054_010, 40_054_010, Ask::StripLinks),
    (40_054_013, 40_054_013, Ask::Drop), (40_054_016, 40_054_016, Ask::Fatal),
    (50_055_001, 50_055_002, Ask::Backoff), (50_055_006, 50_055_006, Ask::Backoff),
    (40_061_001, 40_061_002, Ask::Drop), (40_062_003, 40_062_003, Ask::Drop), (40_064_004, 40_064_004, Ask::Drop),
    (50_065_001, 50_065_001, Ask::Retry), (40_093_001, 40_093_001, Ask::Backoff), (40_093_002, 40_093_002, Ask::Drop),
    (40_030_013, 40_030_013, Ask::Drop), (40_030_017, 40_030_018, Ask::Drop), (40_030_021, 40_030_021, Ask::Drop),
];

fn ask(code: i64) -> Option<Ask> {
    let row = SECTION
        .iter()
        .find(|(from, to, _)| (*from..=*to).contains(&code));
    row.map(|(_, _, ask)| *ask)
}

/// Whether a class does what the notes ask for.
fn does(class: Class, ask: Ask) -> bool {
    match ask {
        Ask::Drop => matches!(
            class,
            Class::Drop | Class::Gone | Class::Unsafe | Class::NoProactive
        ),
        Ask::Fatal => matches!(class, Class::Drop | Class::NoProactive | Class::Fatal(_)),
        Ask::Retry => class == Class::RetryOnce,
        Ask::Backoff => class == Class::Backoff,
        Ask::Token => class == Class::Token,
        Ask::Plain => class == Class::Plain,
        Ask::NoKeyboard => class == Class::NoKeyboard,
        Ask::Split => class == Class::Split,
        Ask::StripLinks => class == Class::StripLinks,
        Ask::StripEveryone => class == Class::StripEveryone,
        Ask::Reupload => class == Class::Reupload,
        Ask::MediaAsText => class == Class::MediaAsText,
        Ask::Late => class == Class::WindowClosed,
        Ask::Pending => class == Class::Held,
        Ask::Done => class == Class::Duplicate,
    }
}

#[test]
fn the_table_says_of_every_code_what_the_protocol_notes_ask_for() {
    let ends = SECTION.iter().flat_map(|(from, to, _)| [*from, *to]);
    let rows = TABLE.iter().flat_map(|(from, to, _)| [*from, *to]);
    let codes: BTreeSet<i64> = ends.chain(rows).chain(super::INSIDE).collect();
    for code in codes {
        let class = errors::known(code).then(|| errors::class(400, Some(code)));
        match (ask(code), class) {
            (Some(ask), Some(class)) => {
                assert!(
                    does(class, ask),
                    "{code}: {class:?}, and asked for is {ask:?}"
                );
            }
            (Some(ask), None) => panic!("{code} is not in the table, and asks for {ask:?}"),
            // Seen by one bot, and not in the notes.
            (None, class) => assert_eq!((code, class), (40_034_012, Some(Class::Plain))),
        }
    }
}

/// Codes of the emulator that are in no row, and why.
const ELSEWHERE: [(u32, &str); 11] = [
    (404, "an HTTP status"),
    (405, "an HTTP status"),
    (429, "an HTTP status"),
    (500, "an HTTP status"),
    (502, "an HTTP status"),
    (504, "an HTTP status"),
    (100_007, "of the token endpoint, in auth.rs"),
    (100_016, "of the token endpoint, in auth.rs"),
    (
        40_007,
        "of streams, where it means something else than elsewhere",
    ),
    (
        50_001,
        "of streams, where it means something else than elsewhere",
    ),
    (
        50_002,
        "of streams, where it means something else than elsewhere",
    ),
];

#[test]
fn every_code_that_the_emulator_answers_with_is_in_the_table_or_known_elsewhere() {
    for row in ERROR_CODES {
        let elsewhere = ELSEWHERE.iter().any(|(code, _)| *code == row.code);
        let known = errors::known(i64::from(row.code));
        assert!(known != elsewhere, "{} {}", row.code, row.meaning);
    }
    for (code, why) in ELSEWHERE {
        let of_streams = errors::known_of_streams(i64::from(code));
        assert_eq!(of_streams, why.starts_with("of streams"), "{code}");
    }
}

#[test]
fn every_class_is_asked_for_by_a_code() {
    let classes = TABLE.iter().map(|(_, _, class)| format!("{class:?}"));
    let classes: BTreeSet<String> = classes
        .map(|class| class.split('(').next().unwrap().to_owned())
        .collect();
    // `Accepted` is no refusal; every other class has a code.
    let all = super::page::CLASSES
        .iter()
        .map(|(name, ..)| (*name).to_owned());
    assert_eq!(classes, all.collect());
}
