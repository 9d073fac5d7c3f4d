//! Attack-shaped cases: each row is a way in which somebody would put a secret where its value can be read.

use super::*;
use crate::bindings::v0_1::{BlobRange, SecretRef};
use crate::egress::secrets::PathPattern;

fn position(secret: &str, place: Place, prefix: &str) -> Arc<Position> {
    Arc::new(Position {
        secret: secret.into(),
        place,
        prefix: prefix.into(),
        method: None,
        path: PathPattern::any(),
    })
}

fn positions() -> Vec<Arc<Position>> {
    let pointer = |text: &str| text.parse().unwrap();
    let posted = Position {
        method: Some("POST".into()),
        ..(*position("key", Place::Body(pointer("/a/key")), "")).clone()
    };
    vec![
        position("token", Place::Header("authorization".into()), "Bearer "),
        position("key", Place::Upgrade("x-key".into()), ""),
        position("token", Place::Frame(pointer("/d/token")), "Bot "),
        Arc::new(posted),
    ]
}

fn vault() -> Vault {
    let mut vault = Vault::new(
        [("key".to_owned(), Hidden::new("k\"e/y"))],
        ["token".to_owned()],
    );
    vault.capture("token", Hidden::new("tok")).unwrap();
    vault
}

fn text(text: &str) -> Piece {
    Piece::Text(text.into())
}

fn secret(name: &str, encoding: Encoding) -> Piece {
    let name = name.to_owned();
    Piece::Secret(SecretRef { name, encoding })
}

/// Pieces of a text in which `<key>` and `<token>` are secrets, as JSON strings.
fn pieces(written: &str) -> Vec<Piece> {
    let mut pieces = Vec::new();
    let mut rest = written;
    while let Some(at) = rest.find('<') {
        let (before, from) = rest.split_at(at);
        let (name, after) = from[1..].split_once('>').unwrap();
        pieces.push(text(before));
        pieces.push(secret(name, Encoding::JsonString));
        rest = after;
    }
    pieces.push(text(rest));
    pieces
}

fn joined(pieces: Result<Vec<BodyPiece>, Denied>) -> Result<String, String> {
    let pieces = pieces.map_err(|denied| denied.to_string())?;
    let text = pieces.iter().map(|piece| match piece {
        BodyPiece::Text(text) => text.expose(),
        BodyPiece::Blob(_) => "<blob>",
    });
    Ok(text.collect())
}

fn headers(all: &[(&str, &[Piece])], of: HeadersOf<'_>) -> Result<Vec<HeaderOut>, String> {
    let header = |(name, value): &(&str, &[Piece])| Header {
        name: (*name).into(),
        value: value.to_vec(),
    };
    let (vault, positions) = (vault(), positions());
    let joined = Joiner::new(&vault, &positions).headers(of, all.iter().map(header).collect());
    joined.map_err(|denied| denied.to_string())
}

fn json_headers() -> Vec<HeaderOut> {
    let json: &[Piece] = &[text("application/json")];
    headers(
        &[("content-type", json)],
        HeadersOf::Request { method: "POST" },
    )
    .unwrap()
}

fn body(pieces: Vec<Piece>) -> Result<String, String> {
    let (vault, positions) = (vault(), positions());
    joined(Joiner::new(&vault, &positions).body("POST", pieces, &json_headers()))
}

fn message(pieces: Vec<Piece>) -> Result<String, String> {
    let (vault, positions) = (vault(), positions());
    joined(Joiner::new(&vault, &positions).message(false, pieces))
}

#[test]
fn a_secret_is_written_where_it_was_declared() {
    let written = body(pieces(
        r#"{"app":"1","a":{"key":"<key>","n":[1,{"x":null}]}}"#,
    ));
    assert_eq!(
        written.unwrap(),
        r#"{"app":"1","a":{"key":"k\"e/y","n":[1,{"x":null}]}}"#
    );
    // Where a name is written with an escape, it is the same name.
    let escaped = body(pieces(r#" {"\u0061" : {"k\u0065y":"<key>"}}"#));
    assert!(escaped.unwrap().contains(r#""k\"e/y""#));
    let frame = message(pieces(r#"{"op":2,"d":{"token":"Bot <token>","seq":1}}"#));
    assert_eq!(
        frame.unwrap(),
        r#"{"op":2,"d":{"token":"Bot tok","seq":1}}"#
    );
    let split = message(vec![
        text(r#"{"d":{"token":"B"#),
        text("ot "),
        secret("token", Encoding::JsonString),
        text(r#""}}"#),
    ]);
    assert!(split.unwrap().contains("Bot tok"));
}

#[test]
fn a_secret_in_another_place_of_a_json_text_is_refused() {
    for written in [
        // Another field, another level, a list, a key, the whole text.
        r#"{"content":"<key>"}"#,
        r#"{"key":"<key>"}"#,
        r#"{"a":{"a":{"key":"<key>"}}}"#,
        r#"{"a":{"key":["<key>"]}}"#,
        r#"{"a":{"key":{"x":"<key>"}}}"#,
        r#"[{"a":{"key":"<key>"}}]"#,
        r#"{"a":[{"key":"<key>"}]}"#,
        r#"{"a":{"<key>":1}}"#,
        r#"{"<key>":{"key":"x"}}"#,
        r#"{"a/key":"<key>"}"#,
        r#""<key>""#,
        // With something around it.
        r#"{"a":{"key":"x<key>"}}"#,
        r#"{"a":{"key":"<key>x"}}"#,
        r#"{"a":{"key":"<key><key>"}}"#,
        // In its place, and in another.
        r#"{"a":{"key":"<key>"},"content":"<key>"}"#,
        // Another secret in its place.
        r#"{"a":{"key":"<token>"}}"#,
        // The message's place in a body.
        r#"{"d":{"token":"Bot <token>"}}"#,
        // Read in one way here and in another there.
        r#"{"a":{"key":"x","key":"<key>"}}"#,
        r#"{"a":{"key":"<key>","key":"x"}}"#,
        r#"{"a":{"key":"<key>"},"a":{}}"#,
        r#"{"a":{"key":"<key>"},"\u0061":{"key":"x"}}"#,
        r#"{"a":{"key":"<key>","x":1,"x":2}}"#,
        // Not JSON, or more than that.
        r#"{"a":{"key":<key>}}"#,
        r#"{"a":{"key":"<key>"}} {"x":1}"#,
        r#"{"a":{"key":"<key>"}"#,
        r#"{"a":{"key":"<key>"},}"#,
        r#"{"a":{"key":"\<key>"}}"#,
        r#"{"a":{"key":"\u00<key>"}}"#,
        "key=<key>",
        "<key>",
        "\u{feff}{\"a\":{\"key\":\"<key>\"}}",
        "{\"a\":{\"key\":\"\n<key>\"}}",
    ] {
        let refused = body(pieces(written)).unwrap_err();
        assert!(!refused.contains("k\"e"), "{written}: {refused}");
    }
    for written in [
        r#"{"d":{"token":"<token>"}}"#,
        r#"{"d":{"token":"bot <token>"}}"#,
        r#"{"d":{"token":"Bot  <token>"}}"#,
        r#"{"a":{"key":"<key>"}}"#,
        r#"{"d":{"content":"Bot <token>"}}"#,
    ] {
        assert!(message(pieces(written)).is_err(), "{written}");
    }
    let deep = format!("{}\"<key>\"{}", "[".repeat(100_000), "]".repeat(100_000));
    assert!(body(pieces(&deep)).is_err());
}

#[test]
fn an_encoding_that_is_not_the_places_own_is_refused() {
    for encoding in [Encoding::Raw, Encoding::Base64, Encoding::Percent] {
        let pieces = vec![
            text(r#"{"a":{"key":""#),
            secret("key", encoding),
            text(r#""}}"#),
        ];
        assert!(body(pieces).is_err(), "{encoding:?}");
        let pieces = vec![
            text(r#"{"d":{"token":"Bot "#),
            secret("token", encoding),
            text(r#""}}"#),
        ];
        assert!(message(pieces).is_err(), "{encoding:?}");
    }
    let request = HeadersOf::Request { method: "GET" };
    for encoding in [Encoding::JsonString, Encoding::Base64, Encoding::Percent] {
        let value = [text("Bearer "), secret("token", encoding)];
        assert!(
            headers(&[("authorization", &value)], request).is_err(),
            "{encoding:?}"
        );
    }
}

#[test]
fn a_header_holds_a_secret_only_as_declared() {
    let request = HeadersOf::Request { method: "GET" };
    let raw = |name: &str| secret(name, Encoding::Raw);
    let good = headers(
        &[("authorization", &[text("Bearer "), raw("token")])],
        request,
    )
    .unwrap();
    assert_eq!(good[0].value.expose(), "Bearer tok");
    assert!(good[0].secret);
    let upgrade = headers(&[("x-key", &[raw("key")])], HeadersOf::Upgrade).unwrap();
    assert_eq!(upgrade[0].value.expose(), "k\"e/y");
    let rows: [(&str, Vec<Piece>); 9] = [
        ("x-other", vec![text("Bearer "), raw("token")]),
        ("user-agent", vec![raw("token")]),
        ("authorization", vec![raw("token")]),
        ("authorization", vec![text("Basic "), raw("token")]),
        (
            "authorization",
            vec![text("Bearer "), raw("token"), text(" ")],
        ),
        (
            "authorization",
            vec![text("Bearer "), raw("token"), raw("token")],
        ),
        ("authorization", vec![text("Bearer "), raw("key")]),
        ("cookie", vec![text("Bearer "), raw("token")]),
        ("x-key", vec![raw("key")]),
    ];
    for (name, value) in &rows {
        let refused = headers(&[(name, value)], request).unwrap_err();
        assert!(!refused.contains("tok\n"), "{name}: {refused}");
    }
    let good: &[Piece] = &[text("Bearer "), raw("token")];
    assert!(headers(&[("authorization", good)], HeadersOf::Upgrade).is_err());
    let twice = headers(
        &[("authorization", good), ("authorization", &[text("x")])],
        request,
    );
    assert!(twice.unwrap_err().contains("twice"));
}

#[test]
fn a_body_with_a_secret_is_sent_as_what_it_was_read_as() {
    let (vault, positions) = (vault(), positions());
    let good = r#"{"a":{"key":"<key>"}}"#;
    let send = |all: &[(&str, &str)], method: &str| {
        let all: Vec<(&str, Vec<Piece>)> = all.iter().map(|(n, v)| (*n, vec![text(v)])).collect();
        let all: Vec<(&str, &[Piece])> = all.iter().map(|(n, v)| (*n, v.as_slice())).collect();
        let headers = headers(&all, HeadersOf::Request { method }).unwrap();
        joined(Joiner::new(&vault, &positions).body(method, pieces(good), &headers))
    };
    for kind in ["application/json", "Application/JSON; charset=UTF-8"] {
        assert!(send(&[("content-type", kind)], "POST").is_ok(), "{kind}");
    }
    for kind in [
        "application/x-www-form-urlencoded",
        "text/plain",
        "multipart/form-data; boundary=x",
        "application/json; charset=utf-16",
        "application/jsonx",
        "",
    ] {
        assert!(send(&[("content-type", kind)], "POST").is_err(), "{kind}");
    }
    let json = ("content-type", "application/json");
    assert!(send(&[], "POST").is_err());
    assert!(send(&[json, json], "POST").is_err());
    assert!(send(&[json, ("content-encoding", "gzip")], "POST").is_err());
    // The declared method, and no other.
    assert!(send(&[json], "PUT").is_err());
}

#[test]
fn a_secret_is_joined_with_no_bytes_that_are_not_here() {
    let blob = || {
        Piece::Blob(BlobRange {
            blob: 1,
            offset: 0,
            length: None,
            encoding: Encoding::Raw,
        })
    };
    let mut with_blob = pieces(r#"{"a":{"key":"<key>"}}"#);
    with_blob.push(blob());
    assert!(body(with_blob.clone()).unwrap_err().contains("blob"));
    assert!(message(with_blob).unwrap_err().contains("blob"));
    let (vault, positions) = (vault(), positions());
    let frame = pieces(r#"{"d":{"token":"Bot <token>"}}"#);
    let binary = Joiner::new(&vault, &positions).message(true, frame);
    assert!(joined(binary).unwrap_err().contains("binary"));
    // Without a secret they may be anything.
    let plain = message(vec![text("a"), text("b"), blob()]);
    assert_eq!(plain.unwrap(), "ab<blob>");
}

#[test]
fn what_stands_for_a_secret_cannot_be_written_by_the_component() {
    let honest = pieces(r#"{"a":{"key":"<key>"}}"#);
    let known = StandIn::for_text(&honest).of(0);
    // The stand-in of another text, in any spelling, is text like any other.
    let escaped: String = known
        .chars()
        .map(|c| format!("\\u{:04x}", u32::from(c)))
        .collect();
    for copy in [known.as_str(), escaped.as_str()] {
        let forged = format!(r#"{{"content":"{copy}","a":{{"key":"<key>"}}}}"#);
        let written = body(pieces(&forged)).unwrap();
        assert!(written.contains(copy), "{written}");
        assert_eq!(written.matches("k\\\"e/y").count(), 1);
    }
}

#[test]
fn a_secret_that_is_unknown_or_empty_is_named() {
    let vault = Vault::new([], ["token".to_owned()]);
    let positions = positions();
    let frame = pieces(r#"{"d":{"token":"Bot <token>"}}"#);
    let empty = joined(Joiner::new(&vault, &positions).message(false, frame));
    assert!(empty.unwrap_err().contains("no value yet"));
}
