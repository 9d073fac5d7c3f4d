//! Requests: secrets go out and are taken in, answers are masked, failures told truly.

use tokio::io::{AsyncReadExt, AsyncWriteExt};

use crate::support::{Bench, KEY, Server, soon};

/// Answers one request with these bytes and returns what was asked.
async fn serve_once(server: &Server, answer: &str) -> String {
    let mut stream = server.tcp().await;
    let mut asked = Vec::new();
    let mut chunk = [0; 4096];
    loop {
        let read = soon(stream.read(&mut chunk)).await.unwrap();
        asked.extend_from_slice(&chunk[..read]);
        let text = String::from_utf8_lossy(&asked);
        let Some((head, body)) = text.split_once("\r\n\r\n") else {
            assert!(read > 0, "{text}");
            continue;
        };
        let length = head
            .lines()
            .find_map(|l| l.strip_prefix("content-length: "));
        if body.len() >= length.map_or(0, |l| l.parse().unwrap()) {
            break;
        }
    }
    stream.write_all(answer.as_bytes()).await.unwrap();
    String::from_utf8(asked).unwrap()
}

fn json(body: &str) -> String {
    let length = body.len();
    format!("HTTP/1.1 200 OK\r\ncontent-length: {length}\r\nconnection: close\r\n\r\n{body}")
}

#[tokio::test(flavor = "multi_thread")]
async fn a_captured_token_never_reaches_the_guest_and_goes_where_it_may() {
    let mut bench = Bench::new().await;
    let url = bench.server.http();
    let body = format!(r#"{{"token":"tok-en\/value-99","echo":"{KEY}","also":"tok-en/value-99"}}"#);
    let answer = json(&body);
    let (asked, told) = tokio::join!(
        serve_once(&bench.server, &answer),
        bench.line.ask(format!("!token {url}/t"))
    );
    assert!(asked.ends_with(&format!(r#"{{"key":"{KEY}"}}"#)), "{asked}");
    assert_eq!(
        told,
        r#"200 {"also":"[token]","echo":"[key]"} captured token 1 used key"#
    );
    assert_eq!(
        bench.line.ask("!secret token").await,
        r#"{"it is":"tok-en/value-99"}"#
    );
    // What the other side says back is masked on the way in.
    let answered = bench.line.ask("I heard tok-en/value-99").await;
    assert_eq!(answered, "echo: I heard [token]");
    assert!(!format!("{:?}", bench.handle).contains("tok-en"));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_secret_without_a_value_closes_the_socket_it_was_for() {
    let mut bench = Bench::new().await;
    assert_eq!(bench.line.ask("!secret token").await, "<closed>");
    bench.line = bench.server.line().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn hosts_outside_the_rules_are_refused_without_a_packet() {
    let mut bench = Bench::new().await;
    for url in [
        "https://example.org/",
        "http://10.0.0.1/",
        "https://127.0.0.1.example.org/",
        "http://127.0.0.1:1/",
        "nonsense",
    ] {
        let told = bench.line.ask(format!("!get {url}")).await;
        assert!(told.starts_with("failed Stage::Policy"), "{told}");
        assert!(told.ends_with("maybe false"), "{told}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_refused_connection_is_told_as_such_and_surely_not_received() {
    let closed = Server::new().await;
    let mut bench = Bench::with_ports([closed.port()].into()).await;
    let url = closed.http();
    drop(closed);
    let told = bench.line.ask(format!("!get {url}/x")).await;
    assert!(told.starts_with("failed Stage::Connect"), "{told}");
    assert!(told.ends_with("maybe false"), "{told}");
    assert!(!told.contains("/x"), "{told}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_connection_that_breaks_after_the_request_may_have_been_received() {
    let mut bench = Bench::new().await;
    let url = bench.server.http();
    let (asked, told) = tokio::join!(
        serve_once(&bench.server, ""),
        bench.line.ask(format!("!token {url}/x"))
    );
    assert!(asked.starts_with("POST /x"), "{asked}");
    assert!(told.starts_with("failed Stage::Protocol"), "{told}");
    assert!(told.ends_with("maybe true"), "{told}");
}

#[tokio::test(flavor = "multi_thread")]
async fn silence_is_a_timeout_that_may_have_been_received() {
    let mut bench = Bench::new().await;
    let url = bench.server.http();
    let hold = async { bench.server.tcp().await };
    let (_held, told) = tokio::join!(hold, bench.line.ask(format!("!token {url}/x")));
    assert!(told.starts_with("failed Stage::Timeout"), "{told}");
    assert!(told.ends_with("maybe true"), "{told}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_redirect_of_an_api_call_is_an_answer_and_is_not_followed() {
    let mut bench = Bench::new().await;
    let url = bench.server.http();
    let answer = "HTTP/1.1 302 Found\r\nlocation: http://127.0.0.1:1/\r\ncontent-length: 0\r\nconnection: close\r\n\r\n";
    let (_, told) = tokio::join!(
        serve_once(&bench.server, answer),
        bench.line.ask(format!("!get {url}/x"))
    );
    assert!(told.starts_with("302"), "{told}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_long_answer_is_cut_where_the_guest_said() {
    let mut bench = Bench::new().await;
    let url = bench.server.http();
    let answer = json(&"x".repeat(10_000));
    let (_, told) = tokio::join!(
        serve_once(&bench.server, &answer),
        bench.line.ask(format!("!get {url}/x"))
    );
    assert_eq!(told.len(), "200 ".len() + 4096);
}
