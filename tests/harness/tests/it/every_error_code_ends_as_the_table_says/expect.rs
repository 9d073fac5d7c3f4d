//! What a person must see after a refusal, for each class of codes and each kind of message.
//!
//! Written down from the protocol and the design, and not from what the channel does.

use qq_channel::delivery::errors::Class;
use qq_channel::gateway::close::Stop;
use qq_emulator::ledger::BotForm;

use super::agent::{ABOVE, ARK, BUTTONS, CAPTION, EMBED, GROWING, LINKED, MARKED, NAMED, WORDS};
use super::play::{End, Kind, Place, Shown};

/// The neutral note about content that was refused.
pub(super) const NOTE: &str = "QQ did not let a part of my answer through.";

/// Whether a code is one of those.
fn is_right(code: i64) -> bool {
    RIGHTS.contains(&code)
}

/// Codes that say that the bot lacks a right, and not that this one message is wrong.
const RIGHTS: [i64; 9] = [
    50_056, 304_004, 304_014, 304_036, 304_037, 304_057, 40_034_012, 40_034_127, 22_006,
];

/// What is seen where nothing is refused.
pub(super) fn whole(kind: Kind) -> Vec<Shown> {
    let text = |text: &str| vec![Shown::new(BotForm::Text, text)];
    match kind {
        Kind::Words(_) | Kind::Unasked(_) | Kind::Ack => text(WORDS),
        Kind::Linked(_) => vec![Shown::new(BotForm::Markdown, LINKED)],
        Kind::Marked(_) => vec![Shown::new(BotForm::Markdown, MARKED.0)],
        Kind::Everyone => text(&format!("@everyone {WORDS}")),
        Kind::Buttons(_) => vec![Shown {
            buttons: true,
            ..Shown::new(BotForm::Markdown, ABOVE)
        }],
        Kind::Upload(_) | Kind::Picture(_) => vec![Shown {
            file: Some(1),
            ..Shown::new(BotForm::Media, CAPTION)
        }],
        Kind::Ark => vec![Shown::new(BotForm::Ark, ARK.0)],
        Kind::Embed => vec![Shown::new(BotForm::Embed, EMBED)],
        Kind::StreamBegin | Kind::StreamMiddle | Kind::StreamEnd => {
            vec![Shown::new(BotForm::Stream, GROWING.1)]
        }
        Kind::Recall | Kind::Reaction => Vec::new(),
    }
}

/// The words without whatever was refused; `None` where there is nothing to leave out.
fn plain(kind: Kind) -> Option<&'static str> {
    match kind {
        Kind::Linked(_) => Some("Read the manual (https://example.com/manual) first."),
        Kind::Marked(_) => Some(MARKED.1),
        Kind::Upload(_) | Kind::Picture(_) => Some(NAMED),
        Kind::Ark => Some(ARK.1),
        Kind::Embed => Some(EMBED),
        _ => None,
    }
}

fn end(shown: Vec<Shown>, outcome: &str, code: Option<i64>) -> End {
    End {
        shown,
        outcome: outcome.to_owned(),
        code,
        learned: Vec::new(),
        gone: false,
        health: None,
        recalled: false,
        reactions: 0,
        broken: Vec::new(),
        unstruck: false,
    }
}

fn text(text: &str) -> End {
    end(vec![Shown::new(BotForm::Text, text)], "Sent", None)
}

fn sent(kind: Kind) -> End {
    End {
        recalled: kind == Kind::Recall,
        reactions: usize::from(kind == Kind::Reaction),
        ..end(whole(kind), "Sent", None)
    }
}

/// What must come of it when the next request is refused once with this code.
pub(super) fn expected(kind: Kind, class: Class, code: i64) -> End {
    let refused = || end(Vec::new(), "Refused", Some(code));
    let mut expected = match kind {
        Kind::Upload(_) => upload(kind, class, code),
        Kind::StreamBegin => match class {
            Class::RetryOnce | Class::Backoff | Class::Token => sent(kind),
            _ => text(GROWING.1),
        },
        Kind::StreamMiddle | Kind::Ack => sent(kind),
        Kind::StreamEnd => stream_end(class, code),
        _ => match class {
            Class::Accepted | Class::Held => panic!("{class:?} is no refusal"),
            // What was done before is done.
            Class::Duplicate if kind == Kind::Recall => end(Vec::new(), "Sent", None),
            Class::Duplicate if kind == Kind::Reaction => end(Vec::new(), "Sent", None),
            Class::RetryOnce | Class::Backoff | Class::Token | Class::Duplicate => sent(kind),
            Class::Reupload if matches!(kind, Kind::Picture(Place::C2c | Place::Group)) => {
                sent(kind)
            }
            Class::Plain | Class::MediaAsText | Class::Reupload => match (kind, class) {
                (Kind::Buttons(_), _) => text(&format!("{ABOVE}\n\n{BUTTONS}")),
                _ => plain(kind).map_or_else(refused, text),
            },
            Class::NoKeyboard => match kind {
                Kind::Buttons(_) => {
                    let listed = format!("{ABOVE}\n\n{BUTTONS}");
                    end(vec![Shown::new(BotForm::Markdown, &listed)], "Sent", None)
                }
                _ => refused(),
            },
            Class::Split => split(kind).unwrap_or_else(refused),
            Class::StripLinks => match kind {
                Kind::Linked(_) => end(
                    vec![Shown::new(BotForm::Markdown, "Read the manual first.")],
                    "Sent",
                    None,
                ),
                Kind::Ark | Kind::Embed => text(plain(kind).unwrap()),
                _ => refused(),
            },
            Class::StripEveryone => match kind {
                Kind::Everyone => text(WORDS),
                Kind::Ark | Kind::Embed => text(plain(kind).unwrap()),
                _ => refused(),
            },
            Class::WindowClosed if matches!(kind, Kind::Recall | Kind::Reaction) => refused(),
            Class::NoProactive if kind == Kind::Unasked(Place::C2c) => sent(kind),
            Class::WindowClosed => end(Vec::new(), "Expired", None),
            Class::Unsafe if matches!(kind, Kind::Recall | Kind::Reaction) => refused(),
            Class::Unsafe => End {
                shown: vec![Shown::new(BotForm::Text, NOTE)],
                ..refused()
            },
            Class::Drop | Class::NoProactive | Class::Gone | Class::Fatal(_) => refused(),
        },
    };
    expected.learned = learned(kind, class, code, &expected);
    let own = !matches!(
        kind,
        Kind::Upload(_) | Kind::StreamBegin | Kind::StreamMiddle | Kind::Ack
    );
    expected.gone = class == Class::Gone && own;
    if let (Class::Fatal(stop), true) = (class, kind != Kind::Ack) {
        expected.health = Some(word(stop).to_owned());
    }
    expected
}

/// A picture that the platform does not take is named in a message of text.
fn upload(kind: Kind, class: Class, code: i64) -> End {
    match class {
        Class::RetryOnce | Class::Backoff | Class::Token | Class::Reupload => sent(kind),
        _ if code == 850_019 => end(
            vec![Shown {
                file: Some(4),
                ..Shown::new(BotForm::Media, CAPTION)
            }],
            "Sent",
            None,
        ),
        _ => text(NAMED),
    }
}

/// What is on the screen stays there, closed. What is missing follows where that can help.
fn stream_end(class: Class, code: i64) -> End {
    let shown = || Shown::new(BotForm::Stream, "One boat leaves at");
    match class {
        Class::RetryOnce | Class::Backoff | Class::Token | Class::Duplicate => {
            sent(Kind::StreamEnd)
        }
        Class::Unsafe => end(
            vec![shown(), Shown::new(BotForm::Text, NOTE)],
            "Refused",
            Some(code),
        ),
        Class::WindowClosed => end(vec![shown()], "Expired", None),
        Class::Gone | Class::Fatal(_) => end(vec![shown()], "Refused", Some(code)),
        _ => end(
            vec![shown(), Shown::new(BotForm::Text, "seven.")],
            "Sent",
            None,
        ),
    }
}

/// The same words in two messages; an embed's limit is not that of a text.
fn split(kind: Kind) -> Option<End> {
    match kind {
        Kind::Words(_) | Kind::Unasked(_) => {
            let at = "There is one inn";
            let cut = WORDS.find(at).unwrap_or_default();
            let (first, second) = WORDS.split_at(cut);
            let shown = [first, second].map(|part| Shown::new(BotForm::Text, part.trim()));
            Some(end(shown.to_vec(), "Sent", None))
        }
        Kind::Picture(_) | Kind::Ark | Kind::Embed => plain(kind).map(text),
        _ => None,
    }
}

fn learned(kind: Kind, class: Class, code: i64, end: &End) -> Vec<String> {
    let mut learned = Vec::new();
    let mut add = |line: &str| learned.push(line.to_owned());
    match (kind, class) {
        (Kind::Ack | Kind::StreamMiddle | Kind::StreamEnd, _) => {}
        (Kind::Upload(_), _) if code == 40_093_002 => add("files refused"),
        (Kind::Upload(_), _) => {}
        (Kind::StreamBegin, Class::Drop | Class::Plain) => add("stream refused"),
        (Kind::StreamBegin, _) => {}
        (Kind::Recall | Kind::Reaction, _) => {}
        (Kind::Marked(_) | Kind::Linked(_) | Kind::Buttons(_), Class::Plain) if is_right(code) => {
            add("markdown refused");
        }
        (Kind::Buttons(_), Class::NoKeyboard) if is_right(code) => add("keyboard refused"),
        (Kind::Ark, Class::Plain) if is_right(code) => add("ark refused"),
        (Kind::Embed, Class::Plain) if is_right(code) => add("embed refused"),
        (_, Class::StripLinks) => add("links refused"),
        (Kind::Unasked(_), Class::NoProactive) => add("proactive refused"),
        (Kind::Words(_) | Kind::Unasked(_), Class::Split) => {
            let half = WORDS.chars().count().div_ceil(2);
            let most = half + half / 4;
            add(&format!("length {{\"at-most\":{most}}}"));
        }
        _ => {}
    }
    let unasked = matches!(kind, Kind::Unasked(_));
    let woke = class == Class::NoProactive;
    if unasked && !woke && !end.shown.is_empty() {
        learned.insert(0, "proactive works".to_owned());
    }
    learned
}

fn word(stop: Stop) -> &'static str {
    match stop {
        Stop::BadAppId => "bad-app-id",
        Stop::Banned => "banned",
        Stop::AddressNotAllowed => "address-not-allowed",
        Stop::SandboxOnly => "sandbox-only",
        other => panic!("{other:?} is in no row"),
    }
}
