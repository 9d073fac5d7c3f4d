//! Whatever a person or a model writes, reading it takes time in proportion to its length. Counted in fuel, which is
//! about one for each instruction of wasm and the same on every machine.

use std::sync::OnceLock;

use prx_host::bindings::v0_1::*;
use prx_host::guest::wasm::WasmComponent;
use prx_host::limits::Limits;
use serde_json::json;

use crate::wired::{Wired, request};

/// What some scanner looks for: in Markdown, links, cards, faces, tags or tables.
const ODD: [&str; 42] = [
    "*",
    "[",
    "]",
    "(",
    ")",
    "`",
    "|",
    "<",
    ">",
    "_",
    "~",
    "#",
    "!",
    "\\",
    "\"",
    "'",
    "&",
    "@",
    "/",
    "=",
    ":",
    "-",
    "+",
    "1.",
    " ",
    "\t",
    "\n",
    "a",
    "中",
    "\u{1}",
    "**",
    "](",
    "](/",
    "![",
    "~~",
    "```",
    "<!--",
    "<b a='",
    "</",
    "http://",
    "a.b",
    "@everyone",
];
/// Of these, the ones that no scanner stops at in pairs with others.
const DULL: [&str; 17] = [
    "#",
    "+",
    "&",
    "=",
    ":",
    "/",
    "@",
    "\t",
    "a",
    "中",
    "\u{1}",
    "](/",
    "1.",
    "a.b",
    "@everyone",
    "http://",
    "</",
];
/// A text may take so many times what one of a fifth of its length takes: five, and what a long one needs besides, such as
/// being cut. What is quadratic takes twenty-five.
const PROPORTION: u64 = 8;
/// Fuel for each byte that needs no comparison: it is as cheap as reading can be.
const CHEAP: u64 = 100;
/// Fuel for a text of any length: about half of what a call may use on this project's slowest machines.
const MOST: u64 = 300_000_000;

fn counting() -> &'static WasmComponent {
    static COMPONENT: OnceLock<WasmComponent> = OnceLock::new();
    COMPONENT.get_or_init(|| {
        let engine = prx_host::engine::counting().unwrap();
        WasmComponent::load(&engine, qq_channel_embed::COMPONENT, Limits::STANDARD).unwrap()
    })
}

fn message(content: &str) -> serde_json::Value {
    json!({"t": "C2C_MESSAGE_CREATE", "id": "e", "d": {"id": "m", "author": {"user_openid": "A"}, "content": content}})
}

/// Who wrote a text, and what happens to it.
#[derive(Clone, Copy, Debug)]
enum Way {
    /// A person.
    Person,
    /// A person, in a guild, where text is escaped.
    Guild,
    /// The agent.
    Agent,
    /// The agent, little by little.
    Growing,
    /// The agent; the platform refuses it with this code, and another form is found.
    Refused(i64),
}

/// Fuel of all that is done with a text.
fn fuel(way: Way, text: &str) -> u64 {
    let keys = match way {
        Way::Growing => json!({"stream_mode": "stream"}),
        Way::Guild => json!({"intents": ["public_guild_messages"]}),
        Way::Person | Way::Agent | Way::Refused(_) => json!({}),
    };
    let mut wired = Wired::new(counting(), &keys);
    let turn = match way {
        Way::Person | Way::Guild => 0,
        Way::Agent | Way::Growing | Way::Refused(_) => {
            wired.event(message("hi"));
            wired.guest.inventory().unwrap().turns[0]
        }
    };
    let news = |news| {
        Event::Turn(TurnEvent {
            turn,
            attempt: 1,
            news,
        })
    };
    let before = wired.guest.fuel_used();
    match way {
        Way::Person => drop(wired.event(message(text))),
        Way::Guild => {
            let body = json!({"id": "m", "channel_id": "7", "guild_id": "8", "author": {"id": "9"}, "content": text});
            wired.event(json!({"t": "AT_MESSAGE_CREATE", "id": "e", "d": body}));
        }
        Way::Growing => drop(wired.handle(news(TurnNews::Delta(text.to_owned())))),
        Way::Agent | Way::Refused(_) => {
            let finished = TurnNews::Finished(vec![AnswerPart::Text(text.to_owned())]);
            let effects = wired.handle(news(finished));
            let sends = effects
                .iter()
                .any(|effect| matches!(effect.action, Action::Http(_)));
            if let (Way::Refused(code), true) = (way, sends) {
                let body = json!({"code": code, "message": "x"}).to_string();
                wired.answer_with(request(&effects), 400, &body, Vec::new());
            }
        }
    }
    wired.guest.fuel_used() - before
}

/// What is wrong with the time that a text of this piece takes; nothing when it has its share.
fn found(way: Way, piece: &str, bytes: usize) -> Option<String> {
    let text = |bytes: usize| piece.repeat(bytes / piece.len());
    let (short, long) = (fuel(way, &text(bytes / 5)), fuel(way, &text(bytes)));
    let bytes = bytes as u64;
    // What does not depend on the text.
    let fixed = fuel(way, "x");
    let share = (short.saturating_sub(fixed) * PROPORTION).max(bytes * CHEAP);
    (long > (fixed + share).min(MOST)).then(|| {
        format!(
            "{way:?} {piece:?}: {} fuel a byte for {} bytes, {} for {bytes}\n",
            short / (bytes / 5),
            bytes / 5,
            long / bytes
        )
    })
}

/// Fails with all that is wrong.
fn check<'a>(ways: &[Way], pieces: impl IntoIterator<Item = &'a str>, bytes: usize) {
    let pieces: Vec<&str> = pieces.into_iter().collect();
    let tried = ways
        .iter()
        .flat_map(|way| pieces.iter().map(move |piece| (*way, *piece)));
    let wrong: String = tried
        .filter_map(|(way, piece)| found(way, piece, bytes))
        .collect();
    assert!(wrong.is_empty(), "{wrong}");
}

const WAYS: [Way; 6] = [
    Way::Person,
    Way::Guild,
    Way::Agent,
    Way::Growing,
    Way::Refused(304_003),
    Way::Refused(304_019),
];

#[test]
fn a_long_text_of_any_odd_piece_takes_five_times_what_a_fifth_of_it_takes() {
    check(&WAYS, ODD, 100_000);
}

#[test]
fn a_text_of_any_two_odd_pieces_does_too() {
    let marks = ODD.iter().filter(|piece| !DULL.contains(piece));
    let pairs = marks
        .clone()
        .flat_map(|one| marks.clone().map(move |other| format!("{one}{other}")));
    let pairs: Vec<String> = pairs.collect();
    check(
        &[Way::Person, Way::Agent],
        pairs.iter().map(String::as_str),
        40_000,
    );
}

#[test]
fn text_made_against_one_scanner_does_too() {
    let against = [
        "[](/[](/ ",
        "[a](https://a.cn/(",
        "<b a=\"<b a='\" x=\"' y=\"",
        "`a``b```c````d",
        "@every@everyone",
        "<qqbot-at-user ",
        "<@1><@2>",
        "<faceType=1,ext=\"",
        "a|b\n",
        "|a|b|c\n|-|-|-\n",
        "- [ ] ",
        "> > > ",
        "__a_",
        "([__a",
        "![[[[]]]](",
        "<https://a",
        "[x](https://a.cn/\"",
        "**a*",
        "1.1.1.1",
        "a@b.c",
    ];
    check(&WAYS, against, 50_000);
    for (one, other) in [
        ("@every", "one"),
        ("<@a", "ll>"),
        ("[", "]"),
        ("(", ")"),
        ("[a](", ")"),
        ("**", "**"),
    ] {
        let nested = |bytes: usize| {
            let times = bytes / (one.len() + other.len());
            one.repeat(times) + &other.repeat(times)
        };
        for way in WAYS {
            let (short, long) = (fuel(way, &nested(8_000)), fuel(way, &nested(40_000)));
            assert!(
                long <= short * PROPORTION,
                "{way:?} {one:?} {other:?}: {short}, {long}"
            );
        }
    }
}
