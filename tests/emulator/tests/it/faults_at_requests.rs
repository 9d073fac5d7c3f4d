//! Faults of requests: refused, slow, cut, before and after being handled.

use std::time::Duration;

use qq_emulator::actions::Act;
use qq_emulator::ids::{MessageId, Ticket};
use qq_emulator::wire::HttpRequest;
use serde_json::json;

use crate::support::{Bench, code};

fn asked(bench: &mut Bench) -> (MessageId, String) {
    bench.asked(Act::c2c("alice", "hi"))
}

fn send(bench: &mut Bench, path: &str, id: &MessageId, seq: u32) -> Ticket {
    bench.ask_post(
        path,
        &json!({"content": "pong", "msg_id": id, "msg_seq": seq}),
    )
}

fn texts(bench: &Bench, id: &MessageId) -> usize {
    bench.platform.ledger().reply_texts(id).len()
}

#[test]
fn refusals_change_nothing_and_pass() {
    for (fault, status, want) in [
        ("401", 401, 11_243),
        ("429", 429, 22_009),
        ("500", 500, 500),
        ("refuse 40034127", 400, 40_034_127),
        ("refuse 304003 at any", 403, 304_003),
    ] {
        let mut bench = Bench::new();
        let (id, path) = asked(&mut bench);
        bench.fault(fault);
        let ticket = send(&mut bench, &path, &id, 1);
        let answer = bench.reply(ticket).unwrap().unwrap();
        assert_eq!((answer.status, code(&answer)), (status, want), "{fault}");
        assert_eq!(texts(&bench, &id), 0);
        assert_eq!(bench.answer(&path, &id, 1), 0);
    }
}

#[test]
fn a_proxy_answers_in_html() {
    let mut bench = Bench::new();
    let (id, path) = asked(&mut bench);
    bench.fault("502-html");
    let ticket = send(&mut bench, &path, &id, 1);
    let answer = bench.reply(ticket).unwrap().unwrap();
    assert_eq!(answer.status, 502);
    assert_eq!(answer.header("content-type"), Some("text/html"));
    assert!(answer.body.starts_with("<html>"));
}

#[test]
fn a_slow_answer_comes_after_the_message_was_delivered() {
    let mut bench = Bench::new();
    let (id, path) = asked(&mut bench);
    bench.fault("slow-after-delivery 6s");
    let ticket = send(&mut bench, &path, &id, 1);
    assert_eq!(texts(&bench, &id), 1);
    assert!(bench.reply(ticket).is_none());
    assert_eq!(bench.answer(&path, &id, 1), 40_054_005);
    bench.pass(Duration::from_secs(6));
    assert_eq!(bench.reply(ticket).unwrap().unwrap().status, 200);
}

#[test]
fn a_slow_request_is_handled_late() {
    let mut bench = Bench::new();
    let (id, path) = asked(&mut bench);
    bench.fault("slow 6s");
    let ticket = send(&mut bench, &path, &id, 1);
    assert_eq!(texts(&bench, &id), 0);
    bench.pass(Duration::from_secs(6));
    assert_eq!(texts(&bench, &id), 1);
    assert_eq!(bench.reply(ticket).unwrap().unwrap().status, 200);
}

#[test]
fn connections_can_be_cut_before_and_after_delivery() {
    for (fault, delivered) in [("cut-after-delivery", 1), ("reset-on-next-post", 0)] {
        let mut bench = Bench::new();
        let (id, path) = asked(&mut bench);
        bench.fault(fault);
        let ticket = send(&mut bench, &path, &id, 1);
        assert_eq!(bench.reply(ticket), Some(None));
        assert_eq!(texts(&bench, &id), delivered, "{fault}");
    }
}

#[test]
fn a_delivered_message_can_be_answered_with_an_error_or_nonsense() {
    for (fault, status) in [("fail-after-delivery", 500), ("answer-not-json", 200)] {
        let mut bench = Bench::new();
        let (id, path) = asked(&mut bench);
        bench.fault(fault);
        let ticket = send(&mut bench, &path, &id, 1);
        assert_eq!(bench.reply(ticket).unwrap().unwrap().status, status);
        assert_eq!(texts(&bench, &id), 1);
        assert!(bench.violations().is_empty());
    }
}

#[test]
fn faults_wait_for_their_kind_of_request() {
    let mut bench = Bench::new();
    let (id, path) = asked(&mut bench);
    bench.fault("429 at gateway x2");
    assert_eq!(bench.answer(&path, &id, 1), 0);
    assert_eq!(bench.get("/gateway/bot").status, 429);
    assert_eq!(bench.get("/gateway").status, 429);
    assert_eq!(bench.get("/gateway").status, 200);
    bench.fault("status 503 at token");
    assert!(bench.fetch_token().is_null());
    assert!(bench.fetch_token()["access_token"].is_string());
}

#[test]
fn uploads_storage_and_acknowledgements_have_occasions_of_their_own() {
    let mut bench = Bench::new();
    let (_, path) = bench.asked(Act::c2c("alice", "hi"));
    let files = path.replace("/messages", "/files");
    let file = json!({"file_type": 1, "url": "https://x.example/a.png"});
    for text in ["refuse 850026 at upload", "500 at storage", "429 at ack"] {
        bench.fault(text);
    }
    assert_eq!(bench.post_code(&files, &file), 850_026);
    assert_eq!(bench.post_code(&files, &file), 0);
    let get = HttpRequest::new("GET", "/download");
    assert_eq!(bench.http(get).unwrap().status, 500);
    let ack = bench.call("PUT", "/interactions/x", Some(&json!({"code": 0})));
    assert_eq!(ack.status, 429);
}
