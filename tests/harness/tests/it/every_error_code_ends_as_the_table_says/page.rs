//! The reference page of the codes is printed from the channel's table.

use std::fmt::Write as _;
use std::path::Path;

use qq_channel::delivery::errors::{Class, TABLE};

/// Each class but `Accepted`: its name, what the channel does, what a person sees, what the operator reads.
#[rustfmt::skip]
pub(super) const CLASSES: &[(&str, &str, &str, &str)] = &[
    ("Held", "Waits for the verdict, and sends nothing again.", "Nothing yet; the message appears if it passes.", "Outcome `held`, then `sent` or `refused`; `in_review` in status."),
    ("Duplicate", "Takes it as delivered if it was repeating itself; else sends it under a fresh number.", "The answer, once.", "A line in the log."),
    ("RetryOnce", "Sends the same once more after 1.5 s.", "The answer, a little later; nothing if it is refused again.", "A line in the log; outcome `refused` the second time."),
    ("Backoff", "Sends the same again with growing waits, up to 12 times; slows down where the code is about speed.", "The answer, later; nothing if the reply window closes first.", "A line in the log for each try."),
    ("Token", "Gets a new access token, and sends the same again.", "The answer.", "A line in the log; outcome `refused` when new tokens are refused, too."),
    ("Plain", "Sends it as plain text. Remembers for a day where a right is missing.", "The same words without markup, buttons as a list; plain text that is refused so is given up.", "A note on the outcome; `learned` in status."),
    ("NoKeyboard", "Sends it without buttons. Remembers for a day where a right is missing.", "The same text with the buttons as a list.", "A note on the outcome; `learned` in status."),
    ("Split", "Sends the text in two messages, and shorter ones there for an hour. Cards and captions become text.", "The same words in more messages.", "`learned` in status."),
    ("StripLinks", "Takes the links out, and asks the agent for an hour to write none there.", "The text of the links without their addresses.", "A note on the outcome; `learned` in status."),
    ("StripEveryone", "Takes the mention of everyone out.", "The text without the mention.", "A note on the outcome."),
    ("Reupload", "Uploads the media once more, then names it in text.", "The media, or its name or address.", "A note on the outcome where it was named."),
    ("MediaAsText", "Names the media in text; an unknown format goes as a plain file first.", "The name or address of the media, with its caption.", "A note on the outcome."),
    ("WindowClosed", "Answers under another message of the same place that still has replies, or on its own accord where that is allowed; else gives up.", "The answer, or nothing.", "Outcome `expired`."),
    ("NoProactive", "In private chats tries a wake-up message once; else gives up. Remembers for a day.", "Nothing, or the wake-up message.", "Outcome `refused` with the code; `learned` in status."),
    ("Unsafe", "Gives up the message, and says so neutrally, once.", "A note that QQ did not let a part of the answer through.", "Outcome `refused` with the code."),
    ("Drop", "Gives up the message.", "Nothing; at an upload the name of the media.", "Outcome `refused` with the code."),
    ("Gone", "Gives up the message, and remembers that the bot is not there any more until something is heard from there.", "Nothing.", "Outcome `refused` with the code."),
    ("Fatal", "Gives up the message, and reports the channel's health as degraded.", "Nothing.", "One sentence of what is wrong, and how to mend it, in health; outcome `refused` with the code."),
];

/// A page of rows, in the order of codes, each with the name of its class.
fn page() -> String {
    let mut page = String::from(
        "# Error codes\n\n\
         What the channel does when QQ refuses something, by code. Printed from the table in `src/delivery/errors.rs` by a test\n\
         (`UPDATE_EXPECT=1 cargo test -p harness every_error`); every row is tried against the emulator. A code that is not here\n\
         counts by its HTTP status: 401 as Token, 429 and 5xx as Backoff, 201 and 202 as Held, all else as Drop. A 5xx without\n\
         a code says nothing of what became of the message: it is repeated under its number in private chats and groups, and\n\
         left `unconfirmed` in guilds. Every refused message is in the log with its code and QQ's trace id.\n\n\
         | reaction | what the channel does | what a person sees | what the operator reads |\n|---|---|---|---|\n",
    );
    for (name, does, sees, reads) in CLASSES {
        let _ = writeln!(page, "| {name} | {does} | {sees} | {reads} |");
    }
    page.push_str(
        "\nAt the end of a growing text, what is on the screen is closed as it is, and what is missing follows as a message where\n\
         that can help. A recall, a reaction, a typing notice or the acknowledgement of a press has no other form: what does not\n\
         say \"again\" ends it. In streams alone, 40007 is Plain, 50001 is RetryOnce and 50002 is Backoff.\n\n\
         | codes | reaction |\n|---|---|\n",
    );
    for (class, codes) in rows() {
        let _ = writeln!(page, "| {} | {class} |", codes.join(", "));
    }
    page
}

/// Codes and ranges of each class, in the order of the classes.
fn rows() -> Vec<(String, Vec<String>)> {
    let named = |class: &Class| match class {
        Class::Fatal(stop) => format!("Fatal: {}", stop.code()),
        other => format!("{other:?}"),
    };
    let mut rows: Vec<(String, Vec<String>)> = Vec::new();
    for (name, ..) in CLASSES {
        let of_class = TABLE
            .iter()
            .filter(|(_, _, class)| named(class).starts_with(name));
        for (from, to, class) in of_class {
            let codes = if from == to {
                from.to_string()
            } else {
                format!("{from}–{to}")
            };
            let class = named(class);
            match rows.iter_mut().find(|(known, _)| *known == class) {
                Some((_, known)) => known.push(codes),
                None => rows.push((class, vec![codes])),
            }
        }
    }
    rows
}

#[test]
fn the_page_of_error_codes_is_the_table() {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../guest/docs/errors.md");
    if std::env::var_os("UPDATE_EXPECT").is_some() {
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        std::fs::write(&path, page()).unwrap();
        return;
    }
    assert_eq!(
        std::fs::read_to_string(&path).unwrap_or_default(),
        page(),
        "run: UPDATE_EXPECT=1 cargo test -p harness every_error"
    );
}
