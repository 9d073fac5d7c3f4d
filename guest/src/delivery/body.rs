//! Bodies of messages, for each kind of place (`PROTOCOL.md`, "Sending").

use serde_json::{Map, Value, json};

use crate::bindings::{BlobRange, Encoding, Piece};
use crate::inbound::content::escape_guild;
use crate::requests::{Body, text};
use crate::scene::Scene;

use super::answer::{Content, Media, Part, Source};
use super::budget::{Paid, Via};
use super::tags::{Mentions, harmless};

/// The body of a part, under what was paid for it.
#[must_use]
pub fn of(scene: Scene, part: &Part, paid: &Paid, mentions: Mentions<'_>) -> Body {
    if scene.of_guild() {
        guild(part, paid, mentions)
    } else {
        Body::Json(Value::Object(chat(part, paid, mentions)).to_string())
    }
}

fn reply_to(fields: &mut Map<String, Value>, via: &Via) {
    match via {
        Via::Message(id) => fields.insert("msg_id".into(), id.as_str().into()),
        Via::Event(id) => fields.insert("event_id".into(), id.as_str().into()),
        Via::WakeUp => fields.insert("is_wakeup".into(), true.into()),
        Via::Proactive => None,
    };
}

/// JSON that we made or checked before, as a value. What cannot be read is left out by the caller.
fn parsed(json: &str) -> Value {
    serde_json::from_str(json).unwrap_or_default()
}

/// In private chats and groups.
fn chat(part: &Part, paid: &Paid, mentions: Mentions<'_>) -> Map<String, Value> {
    let mut fields = Map::new();
    match &part.content {
        Content::Text(text) | Content::StreamEnd(text) => {
            fields.insert("msg_type".into(), 0.into());
            fields.insert("content".into(), harmless(text, mentions).into());
        }
        Content::Markdown { text, keyboard, .. } => {
            fields.insert("msg_type".into(), 2.into());
            let text = harmless(text, mentions);
            fields.insert("markdown".into(), json!({"content": text}));
            if let Some(keyboard) = keyboard {
                fields.insert("keyboard".into(), parsed(keyboard));
            }
        }
        Content::Media(media) => {
            let info = media.ready.as_ref().map(|ready| ready.file_info.as_str());
            fields.insert("msg_type".into(), 7.into());
            // Older servers refuse an empty one.
            let caption = match media.caption.as_str() {
                "" => " ".to_owned(),
                caption => harmless(caption, mentions),
            };
            fields.insert("content".into(), caption.into());
            fields.insert(
                "media".into(),
                json!({"file_info": info.unwrap_or_default()}),
            );
        }
        Content::Ark { json, .. } => {
            fields.insert("msg_type".into(), 3.into());
            fields.insert("ark".into(), parsed(json));
        }
        Content::Embed { json, .. } => {
            fields.insert("msg_type".into(), 4.into());
            fields.insert("embed".into(), parsed(json));
        }
        Content::Reaction { .. } | Content::Recall => {}
    }
    if !part.quotes.is_empty() {
        fields.insert(
            "message_reference".into(),
            json!({"message_id": part.quotes}),
        );
    }
    reply_to(&mut fields, &paid.via);
    fields.insert("msg_seq".into(), paid.seq.into());
    fields
}

/// In guilds: no type, no number, and text that the platform un-escapes.
fn guild(part: &Part, paid: &Paid, mentions: Mentions<'_>) -> Body {
    let mut fields = Map::new();
    reply_to(&mut fields, &paid.via);
    if !part.quotes.is_empty() {
        let quotes = json!({"message_id": part.quotes, "ignore_get_message_error": true});
        fields.insert("message_reference".into(), quotes);
    }
    match &part.content {
        Content::Text(text) | Content::StreamEnd(text) => {
            let text = escape_guild(&harmless(text, mentions));
            fields.insert("content".into(), text.into());
        }
        Content::Markdown { text, keyboard, .. } => {
            let text = harmless(text, mentions);
            fields.insert("markdown".into(), json!({"content": text}));
            if let Some(keyboard) = keyboard {
                fields.insert("keyboard".into(), parsed(keyboard));
            }
        }
        Content::Ark { json, .. } => {
            fields.insert("ark".into(), parsed(json));
        }
        Content::Embed { json, .. } => {
            fields.insert("embed".into(), parsed(json));
        }
        Content::Media(media) => return picture(fields, media, mentions),
        Content::Reaction { .. } | Content::Recall => {}
    }
    Body::Json(Value::Object(fields).to_string())
}

/// A picture: by its address, or as a field of a form.
fn picture(mut fields: Map<String, Value>, media: &Media, mentions: Mentions<'_>) -> Body {
    if !media.caption.is_empty() {
        let caption = escape_guild(&harmless(&media.caption, mentions));
        fields.insert("content".into(), caption.into());
    }
    let blob = match &media.source {
        Source::Url(url) => {
            fields.insert("image".into(), url.as_str().into());
            return Body::Json(Value::Object(fields).to_string());
        }
        Source::Blob(blob) => *blob,
        Source::Text(_) => return Body::None,
    };
    // A file cannot be searched for the boundary here: it is long, and made of an id that was never used before.
    let boundary = format!("----prx-{blob:016x}-{blob:016x}");
    let mut head = String::new();
    for (name, value) in &fields {
        let value = value
            .as_str()
            .map_or_else(|| value.to_string(), str::to_owned);
        head.push_str(&format!(
            "--{boundary}\r\ncontent-disposition: form-data; name=\"{name}\"\r\n\r\n{value}\r\n"
        ));
    }
    let name: String = media
        .label()
        .chars()
        .filter(|letter| !letter.is_control() && *letter != '"')
        .collect();
    let kind = if media.media_type.is_empty() {
        "application/octet-stream"
    } else {
        &media.media_type
    };
    head.push_str(&format!(
        "--{boundary}\r\ncontent-disposition: form-data; name=\"file_image\"; filename=\"{name}\"\r\ncontent-type: {kind}\r\n\r\n"
    ));
    let bytes = Piece::Blob(BlobRange {
        blob,
        offset: 0,
        length: None,
        encoding: Encoding::Raw,
    });
    let pieces = vec![text(head), bytes, text(format!("\r\n--{boundary}--\r\n"))];
    Body::Form { boundary, pieces }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::bindings::MediaKind;

    fn paid(via: Via) -> Paid {
        Paid {
            account: None,
            via,
            seq: 3,
        }
    }

    fn json_of(scene: Scene, content: Content, via: Via) -> Value {
        match of(
            scene,
            &Part::new(content),
            &paid(via),
            Mentions::Sender("7A"),
        ) {
            Body::Json(json) => parsed(&json),
            other => panic!("{other:?}"),
        }
    }

    #[test]
    fn each_kind_of_message_has_the_body_that_its_scene_wants() {
        let message = || Via::Message("m".into());
        let markdown = || Content::Markdown {
            text: "**a**".into(),
            plain: "a".into(),
            keyboard: Some(r#"{"content":{"rows":[]}}"#.into()),
            buttons: String::new(),
        };
        for (scene, content, via, expected) in [
            (
                Scene::C2c,
                Content::Text("a <b".into()),
                message(),
                json!({"msg_type": 0, "content": "a <b", "msg_id": "m", "msg_seq": 3}),
            ),
            (
                Scene::Channel,
                Content::Text("a <b".into()),
                message(),
                json!({"content": "a &lt;b", "msg_id": "m"}),
            ),
            (
                Scene::Group,
                Content::Text("a".into()),
                Via::Event("E:1".into()),
                json!({"msg_type": 0, "content": "a", "event_id": "E:1", "msg_seq": 3}),
            ),
            (
                Scene::C2c,
                Content::Text("a".into()),
                Via::WakeUp,
                json!({"msg_type": 0, "content": "a", "is_wakeup": true, "msg_seq": 3}),
            ),
            (
                Scene::Dm,
                Content::Text("a".into()),
                Via::Proactive,
                json!({"content": "a"}),
            ),
            (
                Scene::Group,
                markdown(),
                message(),
                json!({"msg_type": 2, "markdown": {"content": "**a**"}, "keyboard": {"content": {"rows": []}}, "msg_id": "m", "msg_seq": 3}),
            ),
            (
                Scene::Channel,
                markdown(),
                message(),
                json!({"markdown": {"content": "**a**"}, "keyboard": {"content": {"rows": []}}, "msg_id": "m"}),
            ),
            (
                Scene::Channel,
                Content::Ark {
                    json: r#"{"template_id":23}"#.into(),
                    plain: String::new(),
                },
                message(),
                json!({"ark": {"template_id": 23}, "msg_id": "m"}),
            ),
            (
                Scene::Dm,
                Content::Embed {
                    json: r#"{"title":"t"}"#.into(),
                    plain: String::new(),
                },
                message(),
                json!({"embed": {"title": "t"}, "msg_id": "m"}),
            ),
        ] {
            assert_eq!(json_of(scene, content, via), expected);
        }
    }

    #[test]
    fn a_quote_is_an_index_in_chats_and_an_id_in_guilds() {
        let mut part = Part::new(Content::Text("a".into()));
        part.quotes = "REFIDX_1".into();
        let Body::Json(json) = of(
            Scene::C2c,
            &part,
            &paid(Via::Proactive),
            Mentions::Sender("7A"),
        ) else {
            panic!()
        };
        assert_eq!(
            parsed(&json)["message_reference"],
            json!({"message_id": "REFIDX_1"})
        );
        let Body::Json(json) = of(
            Scene::Channel,
            &part,
            &paid(Via::Proactive),
            Mentions::Sender("7A"),
        ) else {
            panic!()
        };
        assert_eq!(
            parsed(&json)["message_reference"]["ignore_get_message_error"],
            true
        );
    }

    #[test]
    fn a_picture_of_a_guild_is_a_field_of_a_form_and_its_name_cannot_break_out() {
        let media = Media {
            kind: MediaKind::Image,
            source: Source::Blob(7),
            name: "a\"\r\nx: y.png".into(),
            media_type: "image/png".into(),
            size: 3,
            caption: "look".into(),
            ready: None,
            retried: false,
        };
        let body = of(
            Scene::Channel,
            &Part::new(Content::Media(media)),
            &paid(Via::Message("m".into())),
            Mentions::Sender("7A"),
        );
        let Body::Form { boundary, pieces } = body else {
            panic!()
        };
        let Piece::Text(head) = &pieces[0] else {
            panic!()
        };
        assert!(
            head.contains("name=\"msg_id\"\r\n\r\nm\r\n")
                && head.contains("filename=\"ax: y.png\""),
            "{head}"
        );
        assert!(matches!(&pieces[1], Piece::Blob(range) if range.blob == 7));
        assert_eq!(pieces[2], Piece::Text(format!("\r\n--{boundary}--\r\n")));
    }
}
