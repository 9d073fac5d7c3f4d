//! Files in and out, as the host sees them: what is asked for, in which order, and with which credentials.

use qq_channel::bindings::*;
use serde_json::json;

use crate::driver::{Driver, joined};

fn blob(size: u64, media_type: &str) -> BlobInfo {
    BlobInfo {
        blob: 1 << 63,
        size,
        media_type: media_type.into(),
        head: Vec::new(),
        name: Some("a.bin".into()),
    }
}

fn finish_with(driver: &mut Driver, kind: MediaKind, source: MediaSource) {
    let begin = driver.begun().pop().unwrap();
    let part = MediaPart {
        kind,
        source,
        caption: None,
    };
    driver.send(Event::Turn(TurnEvent {
        turn: begin.id,
        attempt: begin.attempt,
        news: TurnNews::Finished(vec![AnswerPart::Media(part)]),
    }));
}

fn digest(driver: &Driver) -> BlobDigest {
    let found = driver.actions.iter().rev().find_map(|action| match action {
        Action::BlobDigest(digest) => Some(digest.clone()),
        _ => None,
    });
    found.unwrap()
}

fn digested(driver: &mut Driver) {
    let ask = digest(driver);
    let digests = ask.hashes.iter().map(|hash| Digest {
        hash: *hash,
        hex: "ab".into(),
    });
    let done = DigestDone {
        id: ask.id,
        digests: digests.collect(),
    };
    driver.send(Event::DigestDone(done));
}

fn asked(overrides: &serde_json::Value) -> Driver {
    let mut driver = Driver::connected(overrides);
    driver.c2c(2, "m", "A", "hi");
    driver
}

#[test]
fn a_small_file_goes_in_one_request_and_is_sent_by_what_the_platform_calls_it() {
    let mut driver = asked(&json!({}));
    finish_with(
        &mut driver,
        MediaKind::Document,
        MediaSource::Blob(blob(1_000, "application/pdf")),
    );
    digested(&mut driver);
    let upload = driver.request("upload").unwrap().clone();
    assert!(upload.url.ends_with("/v2/users/A/files"), "{}", upload.url);
    assert!(joined(&upload.body).contains(r#""file_data":"BLOB"#));
    driver.answer("upload", 200, r#"{"file_info":"F","ttl":0}"#);
    let sent = driver.sent().pop().unwrap();
    assert_eq!(
        (&sent["msg_type"], &sent["media"]),
        (&json!(7), &json!({"file_info": "F"}))
    );
    driver.answer("send", 200, r#"{"id":"x"}"#);
    assert_eq!(driver.outcomes(), [Outcome::Sent]);
    let dropped = driver
        .actions
        .iter()
        .any(|action| matches!(action, Action::BlobDrop(id) if *id == 1 << 63));
    assert!(dropped, "its bytes are nobody's any more");
}

#[test]
fn the_same_file_for_the_same_person_is_uploaded_once() {
    let mut driver = asked(&json!({}));
    finish_with(
        &mut driver,
        MediaKind::Image,
        MediaSource::Blob(blob(10, "image/png")),
    );
    digested(&mut driver);
    driver.answer("upload", 200, r#"{"file_info":"F","ttl":3600}"#);
    driver.answer("send", 200, r#"{"id":"x"}"#);
    driver.c2c(3, "m2", "A", "again");
    finish_with(
        &mut driver,
        MediaKind::Image,
        MediaSource::Blob(blob(10, "image/png")),
    );
    digested(&mut driver);
    assert_eq!((driver.requests("upload"), driver.sent().len()), (1, 2));
    driver.answer("send", 200, r#"{"id":"y"}"#);
    // Once the platform has forgotten it, it is uploaded again.
    driver.later(3_600_000);
    driver.c2c(4, "m3", "A", "and again");
    finish_with(
        &mut driver,
        MediaKind::Image,
        MediaSource::Blob(blob(10, "image/png")),
    );
    digested(&mut driver);
    assert_eq!(driver.requests("upload"), 2);
}

#[test]
fn a_large_file_goes_in_pieces_to_storage_without_credentials() {
    let mut driver = asked(&json!({}));
    finish_with(
        &mut driver,
        MediaKind::Document,
        MediaSource::Blob(blob(12_000_000, "application/zip")),
    );
    digested(&mut driver);
    // The start has a digest of its own: not of ten mebibytes.
    assert_eq!(digest(&driver).length, Some(10_002_432));
    digested(&mut driver);
    let prepare = joined(&driver.request("upload").unwrap().body);
    assert!(
        prepare.contains(r#""md5_10m":"ab""#) && prepare.contains(r#""file_size":"12000000""#),
        "{prepare}"
    );
    let part = |index: u64| json!({"index": index, "presigned_url": format!("https://s.myqcloud.com/{index}?sign=x")});
    let prepared = json!({"upload_id": "U", "block_size": "8000000", "parts": [part(1), part(2)]});
    driver.answer("upload", 200, &prepared.to_string());
    for (index, size) in [(1, 8_000_000_u64), (2, 4_000_000)] {
        digested(&mut driver);
        let put = driver.request("upload").unwrap().clone();
        assert_eq!((put.method.as_str(), put.headers.len()), ("PUT", 0));
        assert!(matches!(&put.body[..], [Piece::Blob(range)] if range.length == Some(size)));
        driver.answer("upload", 200, "");
        let noted = joined(&driver.request("upload").unwrap().body);
        assert!(
            noted.contains(&format!(r#""part_index":{index}"#)),
            "{noted}"
        );
        driver.answer("upload", 200, "{}");
    }
    let whole = joined(&driver.request("upload").unwrap().body);
    assert!(whole.contains(r#""upload_id":"U""#), "{whole}");
    driver.answer("upload", 200, r#"{"file_info":"F","ttl":0}"#);
    driver.answer("send", 200, r#"{"id":"x"}"#);
    assert_eq!(driver.outcomes(), [Outcome::Sent]);
}

#[test]
fn a_piece_that_storage_does_not_take_is_sent_again_and_only_it() {
    let mut driver = asked(&json!({}));
    finish_with(
        &mut driver,
        MediaKind::Document,
        MediaSource::Blob(blob(6_000_000, "application/zip")),
    );
    digested(&mut driver);
    let prepared = json!({"upload_id": "U", "block_size": 6_000_000, "parts": [{"index": 0, "presigned_url": "https://s.myqcloud.com/0"}]});
    driver.answer("upload", 200, &prepared.to_string());
    digested(&mut driver);
    driver.answer("upload", 503, "<Error/>");
    assert!(driver.fire("resend"));
    assert_eq!(driver.request("upload").unwrap().method, "PUT");
    assert_eq!(driver.requests("upload"), 3, "prepared once, put twice");
}

#[test]
fn what_is_attached_is_fetched_first_without_credentials_and_what_cannot_be_had_is_said() {
    let mut driver = Driver::connected(&json!({"media_mb": 1}));
    let attachment = |url: &str, size: u64| json!({"content_type": "image/png", "filename": "a.png", "url": url, "size": size});
    driver.frame(&json!({"op": 0, "s": 2, "t": "C2C_MESSAGE_CREATE", "id": "e", "d": {
        "id": "m", "author": {"user_openid": "A"}, "content": "",
        "attachments": [attachment("//multimedia.nt.qq.com.cn/x", 3), attachment("https://gchat.qpic.cn/y", 5_000_000), attachment("https://gchat.qpic.cn/z", 3)]}}));
    assert_eq!(
        (driver.begun().len(), driver.requests("fetch")),
        (0, 2),
        "what is too large is not even asked for"
    );
    let fetch = driver.request("fetch").unwrap().clone();
    assert!(fetch.headers.is_empty());
    assert!(matches!(fetch.sink, BodySink::Blob(sink) if sink.max_bytes == 1_000_000));
    driver.answer("fetch", 404, "");
    let first = driver.actions.iter().find_map(|action| match action {
        Action::Http(request) if request.purpose == "fetch" => Some(request.clone()),
        _ => None,
    });
    let response = HttpResponse {
        status: 200,
        headers: vec![],
        body: String::new(),
        truncated: false,
        blob: Some(blob(3, "image/png")),
    };
    driver.send(Event::HttpDone(HttpDone {
        id: first.unwrap().id,
        outcome: HttpOutcome::Response(response),
        used: vec![],
        captured: vec![],
    }));
    let begin = driver.begun().pop().unwrap();
    let got: Vec<(Option<u64>, bool)> = begin
        .message
        .attachments
        .iter()
        .map(|attached| (attached.blob, attached.missing.is_some()))
        .collect();
    assert_eq!(got, [(Some(1 << 63), false), (None, true), (None, true)]);
}

#[test]
fn an_upload_whose_digest_trapped_goes_as_words() {
    let mut driver = asked(&json!({}));
    finish_with(
        &mut driver,
        MediaKind::Image,
        MediaSource::Blob(blob(10, "image/png")),
    );
    let id = digest(&driver).id;
    driver.send(Event::Skipped(Skipped {
        kind: "digest-done".into(),
        id: Some(id),
        raw: None,
        cause: "played".into(),
    }));
    assert_eq!(driver.sent().pop().unwrap()["content"], "[a.bin]");
}
