//! What a model reads.

use super::*;
use crate::turn::tests::begin;

fn attached(kind: MediaKind, name: Option<&str>) -> Attachment {
    Attachment {
        kind,
        name: name.map(str::to_owned),
        blob: None,
        transcript: None,
        missing: None,
    }
}

fn quoted(text: &str) -> Option<Quote> {
    Some(Quote {
        author: None,
        text: Some(text.into()),
        by_bot: true,
    })
}

#[test]
fn names_quotes_and_attachments_are_put_into_words() {
    let mut turn = begin(1, "what is this?").message;
    assert_eq!(message(&turn, &[]), "what is this?");
    turn.private = false;
    turn.quoted = quoted("two\nlines");
    turn.attachments = vec![Attachment {
        missing: Some("too large".into()),
        ..attached(MediaKind::Image, Some("cat.png"))
    }];
    assert_eq!(
        message(&turn, &[]),
        "> you wrote:\n> two\n> lines\nAnna: what is this?\n[image cat.png, not available: too large]"
    );
}

#[test]
fn what_was_given_is_named_by_its_marker_and_what_was_not_says_why() {
    let mut turn = begin(1, "").message;
    turn.attachments = vec![
        attached(MediaKind::Image, Some("cat.png")),
        Attachment {
            transcript: Some("good morning".into()),
            ..attached(MediaKind::Voice, None)
        },
        attached(MediaKind::Document, Some("a.pdf")),
        Attachment {
            transcript: Some("hello".into()),
            ..attached(MediaKind::Voice, None)
        },
        attached(MediaKind::Video, None),
    ];
    let given = [
        Ok("1-cat.png".into()),
        Ok("2-voice.amr".into()),
        Err("the disk is full".into()),
    ];
    assert_eq!(
        message(&turn, &given),
        "[IMAGE:1-cat.png]\n[VOICE:2-voice.amr] (heard as: good morning)\n\
         [file a.pdf, not available: the disk is full]\n[voice message, heard as: hello]\n[video]"
    );
}

#[test]
fn every_occasion_has_its_words() {
    for (occasion, text, quote, expected) in [
        (Occasion::Message, "hi", None, "Anna: hi"),
        (
            Occasion::Press,
            "deploy yes",
            None,
            "Anna: (pressed the button: deploy yes)",
        ),
        (
            Occasion::Reaction,
            "👍",
            quoted("Done.\nAnything else?"),
            "Anna: (reacted with 👍 to your message: Done. Anything else?)",
        ),
        (
            Occasion::Reaction,
            "👍",
            None,
            "Anna: (reacted with 👍 to your message)",
        ),
        (
            Occasion::Notice,
            "you were added to the group",
            None,
            "(notice: you were added to the group)",
        ),
    ] {
        let mut turn = begin(1, text).message;
        turn.private = false;
        turn.occasion = occasion;
        turn.quoted = quote;
        assert_eq!(message(&turn, &[]), expected);
    }
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

#[test]
fn only_what_the_place_knows_is_explained() {
    let mut shows = begin(1, "x").shows;
    let told = system("", &shows, true);
    assert!(
        !told.contains("[IMAGE") && !told.contains("```card"),
        "{told}"
    );

    shows.media = vec![MediaKind::Image, MediaKind::Document];
    shows.cards = vec!["list".into(), "hologram".into()];
    let told = system("", &shows, true);
    assert!(told.contains("[IMAGE:...], [DOCUMENT:...]."), "{told}");
    assert!(
        !told.contains("VOICE") && !told.contains("hologram"),
        "{told}"
    );
    assert!(told.contains("```card"), "{told}");
    let forms = told.lines().filter(|line| line.starts_with('{'));
    let list = r#"{"type":"list","title":"..","items":[{"text":"..","link":"https://.."}]}"#;
    assert_eq!(forms.collect::<Vec<_>>(), [list]);

    shows.buttons = true;
    shows.cards.push("buttons".into());
    let told = system("", &shows, true);
    assert_eq!(
        told.matches(r#"{"type":"buttons","text":"Deploy?""#)
            .count(),
        1
    );
}
