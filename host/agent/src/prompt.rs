//! A message and its place, in words for a model.

use std::fmt::Write;

use prx_host::bindings::v0_1::{Attachment, MediaKind, Quote, SceneShows, Sender, TurnMessage};

/// A message as the model reads it. In company, people have names.
pub(crate) fn message(message: &TurnMessage) -> String {
    let mut text = String::new();
    if let Some(quoted) = &message.quoted {
        text.push_str(&quote(quoted));
    }
    if !message.private {
        let _ = write!(text, "{}: ", name(&message.sender));
    }
    text.push_str(&message.text);
    for attached in &message.attachments {
        text.push('\n');
        text.push_str(&attachment(attached));
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

fn attachment(attached: &Attachment) -> String {
    let kind = kind(attached.kind);
    let name = attached
        .name
        .as_ref()
        .map(|n| format!(" {n}"))
        .unwrap_or_default();
    match (&attached.transcript, &attached.missing) {
        (Some(transcript), _) => format!("[{kind}{name}, heard as: {transcript}]"),
        (None, Some(missing)) => format!("[{kind}{name}, not available: {missing}]"),
        (None, None) => format!("[{kind}{name}]"),
    }
}

fn kind(kind: MediaKind) -> &'static str {
    match kind {
        MediaKind::Image => "image",
        MediaKind::Voice => "voice message",
        MediaKind::Audio => "audio",
        MediaKind::Video => "video",
        MediaKind::Document => "file",
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
    for note in &shows.notes {
        text.push(' ');
        text.push_str(note);
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::turn::tests::begin;

    #[test]
    fn names_quotes_and_attachments_are_put_into_words() {
        let mut turn = begin(1, "what is this?").message;
        assert_eq!(message(&turn), "what is this?");
        turn.private = false;
        turn.quoted = Some(Quote {
            author: None,
            text: Some("two\nlines".into()),
            by_bot: true,
        });
        turn.attachments = vec![Attachment {
            kind: MediaKind::Image,
            name: Some("cat.png".into()),
            blob: None,
            transcript: None,
            missing: Some("too large".into()),
        }];
        assert_eq!(
            message(&turn),
            "> you wrote:\n> two\n> lines\nAnna: what is this?\n[image cat.png, not available: too large]"
        );
    }

    #[test]
    fn the_model_is_told_what_the_place_can_show() {
        let shows = begin(1, "x").shows;
        let told = system("Be kind.", &shows, true);
        assert!(told.starts_with("Be kind.\n\n"), "{told}");
        assert!(
            told.contains("plain text") && told.contains("under 2000"),
            "{told}"
        );
        assert!(told.ends_with("Links are refused here."), "{told}");
    }
}
