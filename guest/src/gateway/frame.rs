//! Gateway frames: reading in two stages (envelope first, body only for what somebody wants) and writing.

use std::borrow::Cow;

use serde::Deserialize;
use serde_json::value::RawValue;

use crate::bindings::{Encoding, Piece};
use crate::ids::SessionId;
use crate::requests::{ACCESS_TOKEN, secret, text};

/// What a frame is for (`PROTOCOL.md`, "Op codes").
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Op {
    /// An event.
    Dispatch,
    /// The other side asks for a heartbeat.
    Heartbeat,
    /// Close and resume.
    Reconnect,
    /// The session, or what we sent to get one, is no good.
    InvalidSession,
    /// The first frame: how often to beat.
    Hello,
    /// A heartbeat was received.
    HeartbeatAck,
    /// Something this version does not know.
    Unknown(u64),
}

impl Op {
    fn from_number(number: u64) -> Self {
        match number {
            0 => Self::Dispatch,
            1 => Self::Heartbeat,
            7 => Self::Reconnect,
            9 => Self::InvalidSession,
            10 => Self::Hello,
            11 => Self::HeartbeatAck,
            other => Self::Unknown(other),
        }
    }
}

/// A frame, its body unread.
#[derive(Clone, Debug)]
pub struct Frame<'a> {
    /// What it is for.
    pub op: Op,
    /// The body as JSON text; `null` when there was none.
    pub body: Cow<'a, str>,
    /// Sequence number of a dispatch.
    pub seq: Option<u64>,
    /// Name of a dispatch's event; empty when there was none.
    pub event: Cow<'a, str>,
    /// The outer id, valid as `event_id`; empty when there was none.
    pub id: Cow<'a, str>,
}

#[derive(Deserialize)]
struct Strict<'a> {
    op: u64,
    #[serde(borrow)]
    d: Option<&'a RawValue>,
    s: Option<u64>,
    #[serde(borrow)]
    t: Option<Cow<'a, str>>,
    #[serde(borrow)]
    id: Option<Cow<'a, str>>,
}

/// Reads a frame. `None` for what is not a JSON object with an `op`; it is counted and passed over.
#[must_use]
pub fn read(text: &str) -> Option<Frame<'_>> {
    match serde_json::from_str::<Strict<'_>>(text) {
        Ok(strict) => Some(Frame {
            op: Op::from_number(strict.op),
            body: strict
                .d
                .map_or(Cow::Borrowed("null"), |body| Cow::Borrowed(body.get())),
            seq: strict.s,
            event: strict.t.unwrap_or_default(),
            id: strict.id.unwrap_or_default(),
        }),
        // A field of an odd type must not cost us the frame: take what can be read.
        Err(_) => read_leniently(text),
    }
}

fn read_leniently(text: &str) -> Option<Frame<'static>> {
    let value: serde_json::Value = serde_json::from_str(text).ok()?;
    let word = |name: &str| {
        value
            .get(name)
            .and_then(|field| field.as_str())
            .unwrap_or_default()
            .to_owned()
    };
    let number = |name: &str| {
        let field = value.get(name)?;
        field.as_u64().or_else(|| field.as_str()?.parse().ok())
    };
    Some(Frame {
        op: Op::from_number(number("op")?),
        body: Cow::Owned(
            value
                .get("d")
                .map_or_else(|| "null".to_owned(), ToString::to_string),
        ),
        seq: number("s"),
        event: Cow::Owned(word("t")),
        id: Cow::Owned(word("id")),
    })
}

/// Milliseconds between heartbeats, from the body of Hello. `None` when it has none that makes sense.
#[must_use]
pub fn heartbeat_interval(body: &str) -> Option<u64> {
    #[derive(Deserialize)]
    struct Hello {
        heartbeat_interval: f64,
    }
    let hello: Hello = serde_json::from_str(body).ok()?;
    // A second at least: a zero must not make us flood. An hour at most: the timer must come at all.
    (hello.heartbeat_interval >= 1.0)
        .then(|| (hello.heartbeat_interval as u64).clamp(1_000, 3_600_000))
}

/// Body of READY.
#[derive(Clone, Debug, Deserialize)]
pub struct Ready {
    /// The new session.
    pub session_id: SessionId,
    /// The bot itself.
    #[serde(default)]
    pub user: ReadyUser,
}

/// The bot, in READY.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default)]
pub struct ReadyUser {
    /// Its id in guilds; not an OpenID and not the AppID.
    pub id: String,
    /// Its name.
    pub username: String,
}

/// A heartbeat with the last sequence number received.
#[must_use]
pub fn heartbeat(received: Option<u64>) -> Vec<Piece> {
    vec![text(match received {
        Some(seq) => format!("{{\"op\":1,\"d\":{seq}}}"),
        None => "{\"op\":1,\"d\":null}".to_owned(),
    })]
}

/// Identify. The host puts the token in.
#[must_use]
pub fn identify(intents: u32) -> Vec<Piece> {
    vec![
        text("{\"op\":2,\"d\":{\"token\":\"QQBot "),
        secret(ACCESS_TOKEN, Encoding::JsonString),
        text(format!(
            "\",\"intents\":{intents},\"shard\":[0,1],\
             \"properties\":{{\"$os\":\"linux\",\"$browser\":\"prx\",\"$device\":\"prx\"}}}}}}"
        )),
    ]
}

/// Resume. The host puts the token in, with the same scheme as in Identify.
#[must_use]
pub fn resume(session: &SessionId, handled: u64) -> Vec<Piece> {
    let session = serde_json::Value::from(session.as_str());
    vec![
        text("{\"op\":6,\"d\":{\"token\":\"QQBot "),
        secret(ACCESS_TOKEN, Encoding::JsonString),
        text(format!("\",\"session_id\":{session},\"seq\":{handled}}}}}")),
    ]
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn joined(pieces: &[Piece]) -> serde_json::Value {
        let text: String = pieces
            .iter()
            .map(|piece| match piece {
                Piece::Text(text) => text.as_str(),
                Piece::Secret(_) => "TOKEN",
                Piece::Blob(_) => unreachable!("frames hold no blobs"),
            })
            .collect();
        serde_json::from_str(&text).unwrap()
    }

    #[test]
    fn what_we_send_is_the_json_that_the_platform_reads() {
        let identify = joined(&identify(33_554_432));
        assert_eq!(identify["d"]["token"], "QQBot TOKEN");
        assert_eq!(identify["d"]["shard"], serde_json::json!([0, 1]));
        let resume = joined(&resume(&SessionId("a\"b".into()), 1337));
        assert_eq!(
            resume["d"],
            serde_json::json!({"token": "QQBot TOKEN", "session_id": "a\"b", "seq": 1337})
        );
        assert_eq!(
            joined(&heartbeat(None)),
            serde_json::json!({"op": 1, "d": null})
        );
        assert_eq!(joined(&heartbeat(Some(0)))["d"], 0);
    }

    #[test]
    fn bodies_of_every_json_type_are_read() {
        let resumed = read(r#"{"op":0,"s":2002,"t":"RESUMED","d":""}"#).unwrap();
        assert_eq!((resumed.body.as_ref(), resumed.seq), ("\"\"", Some(2002)));
        assert_eq!(read(r#"{"op":11}"#).unwrap().body, "null");
        assert_eq!(read(r#"{"op":9,"d":false}"#).unwrap().body, "false");
        assert_eq!(
            read(r#"{"op":0,"s":"7","t":4,"d":[1]}"#).unwrap().seq,
            Some(7)
        );
    }

    #[test]
    fn what_is_not_a_frame_is_none() {
        for text in [
            "",
            "null",
            "[]",
            "<html>",
            "{}",
            r#"{"op":"x"}"#,
            r#"{"op":-1}"#,
        ] {
            assert!(read(text).is_none(), "{text}");
        }
    }

    #[test]
    fn an_absurd_heartbeat_interval_is_bounded() {
        assert_eq!(
            heartbeat_interval(r#"{"heartbeat_interval":41250}"#),
            Some(41_250)
        );
        assert_eq!(
            heartbeat_interval(r#"{"heartbeat_interval":5}"#),
            Some(1_000)
        );
        assert_eq!(
            heartbeat_interval(r#"{"heartbeat_interval":1e300}"#),
            Some(3_600_000)
        );
        assert_eq!(heartbeat_interval(r#"{"heartbeat_interval":0}"#), None);
        assert_eq!(heartbeat_interval("null"), None);
    }

    proptest! {
        #[test]
        fn no_text_makes_the_reader_panic(text in ".{0,200}") {
            let _ = read(&text);
        }

        #[test]
        fn no_field_type_makes_the_reader_panic(op in 0u64..20, s in any::<Option<i64>>(), t in ".{0,20}") {
            let frame = serde_json::json!({"op": op, "s": s, "t": t, "id": s, "d": {"x": t}}).to_string();
            prop_assert!(read(&frame).is_some());
        }
    }
}
