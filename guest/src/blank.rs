//! Takes what people wrote out of events and entries, for a trace that is shown to others. Ids, codes and the
//! protocol's own words stay, lengths and structure too: what the channel does with the rest is the same.
//!
//! Where a field is not known it is blanked: a new field of the platform's shall not leak before anybody has
//! looked at it.

use serde_json::Value;

use crate::bindings::{
    AnswerPart, BlobInfo, Command, Entry, Event, HttpOutcome, MediaSource, OperatorCommand,
    TurnNews,
};
use crate::inbound::recent;

pub mod words;

/// Keys of the platform's JSON whose values stay, besides those of [`stays`].
const PROTOCOL: [&str; 27] = [
    "chat_type",
    "code",
    "content_type",
    "expires_in",
    "ext",
    "msg_type",
    "op",
    "result",
    "ret",
    "role",
    "roles",
    "s",
    "scene",
    "source",
    "src",
    "t",
    "timestamp",
    "trace_id",
    "ttl",
    "type",
    "url",
    "version",
    "subtype",
    "auto_approve",
    "ack",
    "shard",
    "hash",
];

/// True for keys whose values are ids, times and addresses.
fn stays(key: &str) -> bool {
    let ends = ["id", "ids", "_time", "_timestamp", "_at", "_url", "_role"];
    PROTOCOL.contains(&key) || ends.iter().any(|end| key.ends_with(end))
}

/// Keys of the channel's own JSON under which words of people and of the agent stand.
const OWN_TEXT: [&str; 18] = [
    "ahead",
    "author",
    "before",
    "buttons",
    "caption",
    "json",
    "keyboard",
    "name",
    "nonce",
    "plain",
    "remarks",
    "sender_name",
    "shown",
    "stream_end",
    "text",
    "transcript",
    "title",
    "reason",
];

/// The event without what people wrote.
#[must_use]
pub fn event(mut event: Event) -> Event {
    match &mut event {
        Event::SocketText(message) => message.text = frame(&message.text),
        // For anything but a frame it names a case of the interface.
        Event::Skipped(skipped) if skipped.kind == "socket-text" => {
            skipped.raw = skipped.raw.take().map(|raw| frame(&raw));
        }
        Event::HttpDone(done) => {
            if let HttpOutcome::Response(response) = &mut done.outcome {
                response.body = body(&response.body);
                response.blob.iter_mut().for_each(blob);
            }
        }
        Event::BlobMade(made) => made.made.iter_mut().for_each(blob),
        Event::Turn(turn) => news(&mut turn.news),
        Event::Command(Command {
            ask: OperatorCommand::Send(send),
            ..
        }) => parts(&mut send.parts),
        _ => {}
    }
    event
}

/// The entry without what people wrote.
#[must_use]
pub fn entry(mut entry: Entry) -> Entry {
    if entry.key.starts_with(recent::PREFIX) {
        entry.value = recent::blanked(&entry.value);
    } else if let Ok(mut json) = serde_json::from_slice::<Value>(&entry.value) {
        own(&mut json);
        if let Ok(value) = serde_json::to_vec(&json) {
            entry.value = value;
        }
    }
    entry
}

/// JSON of the platform's. What is no JSON is nothing that anybody knows.
fn frame(text: &str) -> String {
    let Ok(mut json) = serde_json::from_str::<Value>(text) else {
        return words::blank(text);
    };
    platform(&mut json, &stays);
    json.to_string()
}

/// An answer of the platform's: there a message says what went wrong.
fn body(text: &str) -> String {
    let Ok(mut json) = serde_json::from_str::<Value>(text) else {
        return words::blank(text);
    };
    let failed = json.get("code").is_some();
    platform(&mut json, &|key| stays(key) || (failed && key == "message"));
    json.to_string()
}

fn platform(json: &mut Value, stays: &dyn Fn(&str) -> bool) {
    match json {
        Value::String(text) => *text = words::blank(text),
        Value::Array(list) => list.iter_mut().for_each(|value| platform(value, stays)),
        Value::Object(map) => {
            for (key, value) in map {
                match value {
                    Value::String(_) if stays(key) => {}
                    Value::Array(list) if stays(key) && list.iter().all(Value::is_string) => {}
                    value => platform(value, stays),
                }
            }
        }
        Value::Null | Value::Bool(_) | Value::Number(_) => {}
    }
}

fn own(json: &mut Value) {
    match json {
        Value::Array(list) => list.iter_mut().for_each(own),
        Value::Object(map) => {
            for (key, value) in map {
                let text = OWN_TEXT.contains(&key.as_str());
                match value {
                    Value::String(text_of) if text => *text_of = card(text_of),
                    Value::Array(list) if text => list.iter_mut().for_each(all),
                    value => own(value),
                }
            }
        }
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => {}
    }
}

fn all(json: &mut Value) {
    match json {
        Value::String(text) => *text = words::blank(text),
        other => own(other),
    }
}

/// A text that may be JSON for the platform, such as a keyboard.
fn card(text: &str) -> String {
    match serde_json::from_str::<Value>(text) {
        Ok(json) if json.is_object() => frame(text),
        _ => words::blank(text),
    }
}

fn news(news: &mut TurnNews) {
    let blank = |text: &mut String| *text = words::blank(text);
    match news {
        TurnNews::Delta(text) | TurnNews::ToolNote(text) | TurnNews::Failed(text) => blank(text),
        TurnNews::ApprovalAsked(approval) => {
            blank(&mut approval.title);
            blank(&mut approval.detail);
        }
        TurnNews::Message(all) | TurnNews::Finished(all) => parts(all),
        TurnNews::Cancelled => {}
    }
}

fn parts(parts: &mut [AnswerPart]) {
    for part in parts {
        match part {
            AnswerPart::Text(text) => *text = words::blank(text),
            AnswerPart::Card(json) => *json = card(json),
            AnswerPart::Media(media) => {
                media.caption = media.caption.take().map(|text| words::blank(&text));
                match &mut media.source {
                    MediaSource::Blob(info) => blob(info),
                    MediaSource::Url(_) => {}
                }
            }
        }
    }
}

fn blob(info: &mut BlobInfo) {
    info.name = info.name.take().map(|name| words::blank(&name));
    // The beginning of a text is a text.
    if let Ok(text) = std::str::from_utf8(&info.head) {
        info.head = words::blank(text).into_bytes();
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::bindings::{HttpDone, HttpResponse, SocketText, TurnEvent};

    fn heard(text: &str) -> String {
        let text = text.to_owned();
        match event(Event::SocketText(SocketText { id: 1, text })) {
            Event::SocketText(message) => message.text,
            _ => String::new(),
        }
    }

    #[test]
    fn a_message_keeps_its_ids_and_loses_its_words() {
        let frame = serde_json::json!({"op": 0, "s": 7, "t": "GROUP_AT_MESSAGE_CREATE", "id": "GROUP_AT_MESSAGE_CREATE:x1",
            "d": {"id": "ROBOT1.0_a", "content": "<@!42> Meet me at 7, 小王 /help", "group_openid": "G1",
                "author": {"member_openid": "U1", "username": "Wang"}, "timestamp": "2026-01-02T03:04:05+08:00",
                "message_scene": {"source": "default", "ext": ["msg_idx=R1"]}, "new_field": "who knows",
                "attachments": [{"content_type": "image/png", "filename": "secret plan.png", "url": "https://h/p", "size": 3}]}});
        let blank: Value = serde_json::from_str(&heard(&frame.to_string())).unwrap();
        let kept = [
            "/op",
            "/s",
            "/t",
            "/id",
            "/d/id",
            "/d/group_openid",
            "/d/author/member_openid",
            "/d/timestamp",
            "/d/message_scene",
            "/d/attachments/0/content_type",
            "/d/attachments/0/url",
            "/d/attachments/0/size",
        ];
        for path in kept {
            assert_eq!(blank.pointer(path), frame.pointer(path), "{path}");
        }
        let text = |path: &str| {
            blank
                .pointer(path)
                .and_then(Value::as_str)
                .unwrap_or_default()
                .to_owned()
        };
        assert_eq!(text("/d/content"), "<@!42> Xxxx xx xx 0, 字字 /xxxx");
        assert_eq!(text("/d/author/username"), "Xxxx");
        assert_eq!(text("/d/new_field"), "xxx xxxxx");
        assert_eq!(text("/d/attachments/0/filename"), "xxxxxx xxxx.xxx");
    }

    #[test]
    fn what_the_platform_says_of_an_error_stays_and_what_the_agent_says_does_not() {
        let response = |body: &str| {
            HttpOutcome::Response(HttpResponse {
                status: 400,
                headers: vec![],
                body: body.into(),
                truncated: false,
                blob: None,
            })
        };
        let done = |body: &str| {
            Event::HttpDone(HttpDone {
                id: 1,
                outcome: response(body),
                used: vec![],
                captured: vec![],
            })
        };
        let error = r#"{"code":40054005,"message":"msg_seq repeated"}"#;
        assert_eq!(event(done(error)), done(error));
        assert_eq!(event(done("<html>Hi")), done("<xxxx>Xx"));
        let finished = |text: &str| {
            Event::Turn(TurnEvent {
                turn: 1,
                attempt: 1,
                news: TurnNews::Finished(vec![AnswerPart::Text(text.into())]),
            })
        };
        assert_eq!(
            event(finished("**Yes**, see https://a.b/c")),
            finished("**Xxx**, xxx https://x.x/x")
        );
    }

    #[test]
    fn stored_turns_can_be_read_after_they_were_blanked() {
        use crate::delivery::{Answer, Content};
        use crate::ids::TurnId;
        use crate::turns::{Origin, Stage, Turn};
        let mut inbound = crate::inbound::Inbound::of_operator(
            crate::scene::Scene::C2c,
            crate::ids::OpenId("U1".to_owned()),
            1,
        );
        inbound.text = "my address".into();
        let mut turn = Turn::new(TurnId(7), Origin::Inbound, inbound);
        let keyboard = Some(r#"{"content":{"rows":[{"buttons":[{"id":"1","render_data":{"label":"Go"},"action":{"type":2}}]}]}}"#.to_owned());
        let markdown = Content::Markdown {
            text: "**at 9**".into(),
            plain: "at 9".into(),
            keyboard,
            buttons: "Go".into(),
        };
        turn.stage = Stage::Answering(Answer::of(vec![markdown], crate::bindings::Outcome::Sent));
        let value = serde_json::to_vec(&turn).unwrap();
        let key = "turn/7".into();
        let blank = entry(Entry { key, value }).value;
        let read: Turn = serde_json::from_slice(&blank).unwrap();
        assert_eq!(read.inbound.text, "xx xxxxxxx");
        let text = String::from_utf8(blank).unwrap();
        assert!(
            text.contains("**xx 0**") && !text.contains("Go") && text.contains("U1"),
            "{text}"
        );
    }
}
