//! A message and its place, in words for a model.

use std::fmt::Write;

use prx_host::bindings::v0_1::{
    Attachment, MediaKind, Occasion, Quote, SceneShows, Sender, TurnMessage,
};

use crate::cards;
use crate::marks::{CARD, MARKERS, marker, word};

/// Characters of a message of the agent's own that somebody reacted to.
const MAX_REACTED_TO: usize = 200;

/// What became of something that was attached: its path for a marker, or why it has none.
pub type Given = Result<String, String>;

/// A message as the model reads it. In company, people have names. `given` goes with the attachments,
/// one for each; where it ends, they were not looked at.
pub(crate) fn message(message: &TurnMessage, given: &[Given]) -> String {
    let mut text = String::new();
    let quoted = message.quoted.as_ref();
    // What a reaction is to stands in its sentence.
    let quoted_above = quoted.filter(|_| message.occasion != Occasion::Reaction);
    if let Some(quoted) = quoted_above {
        text.push_str(&quote(quoted));
    }
    if !message.private && message.occasion != Occasion::Notice {
        let _ = write!(text, "{}: ", name(&message.sender));
    }
    match message.occasion {
        Occasion::Message => text.push_str(&message.text),
        Occasion::Press => {
            let _ = write!(text, "(pressed the button: {})", message.text);
        }
        Occasion::Reaction => text.push_str(&reaction(&message.text, quoted)),
        Occasion::Notice => {
            let _ = write!(text, "(notice: {})", message.text);
        }
    }
    for (n, attached) in message.attachments.iter().enumerate() {
        // Nothing was written before the first of them.
        if !text.is_empty() {
            text.push('\n');
        }
        text.push_str(&attachment(attached, given.get(n)));
    }
    text
}

fn name(sender: &Sender) -> &str {
    sender.name.as_deref().unwrap_or(&sender.id)
}

fn quote(quoted: &Quote) -> String {
    let who = match (quoted.by_bot, &quoted.author) {
        (true, _) => "you",
        (false, Some(author)) => author,
        (false, None) => "somebody",
    };
    let text = quoted
        .text
        .as_deref()
        .unwrap_or("(a message that cannot be shown)");
    let lines: String = text.lines().map(|line| format!("> {line}\n")).collect();
    format!("> {who} wrote:\n{lines}")
}

fn reaction(emoji: &str, to: Option<&Quote>) -> String {
    let Some(text) = to.and_then(|quoted| quoted.text.as_deref()) else {
        return format!("(reacted with {emoji} to your message)");
    };
    let words: Vec<&str> = text.split_whitespace().collect();
    let line = words.join(" ");
    let mut start: String = line.chars().take(MAX_REACTED_TO).collect();
    if start.len() < line.len() {
        start.push('…');
    }
    format!("(reacted with {emoji} to your message: {start})")
}

fn attachment(attached: &Attachment, given: Option<&Given>) -> String {
    let heard = attached.transcript.as_deref();
    let missing = match given {
        Some(Ok(path)) => {
            let marker = marker(attached.kind, path);
            let heard = heard.map(|heard| format!(" (heard as: {heard})"));
            return format!("{marker}{}", heard.unwrap_or_default());
        }
        Some(Err(why)) => Some(why.as_str()),
        None => attached.missing.as_deref(),
    };
    let what = describe(attached);
    match (heard, missing) {
        (Some(transcript), _) => format!("[{what}, heard as: {transcript}]"),
        (None, Some(missing)) => format!("[{what}, not available: {missing}]"),
        (None, None) => format!("[{what}]"),
    }
}

/// Kind and name of what is attached.
pub(crate) fn describe(attached: &Attachment) -> String {
    let kind = match attached.kind {
        MediaKind::Image => "image",
        MediaKind::Voice => "voice message",
        MediaKind::Audio => "audio",
        MediaKind::Video => "video",
        MediaKind::Document => "file",
    };
    match &attached.name {
        Some(name) => format!("{kind} {name}"),
        None => kind.to_owned(),
    }
}

/// What the model is told first: the operator's words, then what this place can show.
pub(crate) fn system(operator: &str, shows: &SceneShows, private: bool) -> String {
    let mut text = operator.trim().to_owned();
    let place = if private {
        "You are in a private conversation."
    } else {
        "You are in a group. Messages begin with the name of whoever wrote them; do not begin yours with a name."
    };
    let form = if shows.markdown {
        "Markdown is shown as it should be."
    } else {
        "Markdown is not rendered here: write plain text."
    };
    let length = shows.max_chars;
    let _ = write!(
        text,
        "\n\n{place} {form} Keep an answer under {length} characters."
    );
    text.push_str(&media(shows));
    text.push_str(&card_forms(shows));
    // Last, where a model heeds them most: they are about what went wrong here.
    if !shows.notes.is_empty() {
        let _ = write!(text, "\n\n{}", shows.notes.join(" "));
    }
    text
}

/// How media are sent; nothing where there can be none.
fn media(shows: &SceneShows) -> String {
    let shown = MARKERS
        .iter()
        .filter(|(_, kind)| shows.media.contains(kind));
    let markers: Vec<String> = shown
        .map(|(_, kind)| format!("[{}:...]", word(*kind)))
        .collect();
    if markers.is_empty() {
        return String::new();
    }
    format!(
        "\n\nYou can send media here with a marker in your answer, outside of code: {}. After the colon stands the name of a file that you were given in such a marker, or a public https address of the file itself. No other files can be sent.",
        markers.join(", ")
    )
}

/// How cards are written; nothing where there can be none.
fn card_forms(shows: &SceneShows) -> String {
    let forms: String = cards::shown(shows)
        .map(|form| format!("\n{}", form.json))
        .collect();
    if forms.is_empty() {
        return String::new();
    }
    format!(
        "\n\nYou can show a card here: a fenced block that begins with ```{CARD} and holds JSON in one of these forms.{forms}"
    )
}

#[cfg(test)]
mod tests;
