//! What a component does to read a secret, or to have another side repeat it, is refused or shows nothing.

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

use crate::hostile_components_are_stopped::Street;
use crate::support::{KEY, soon};

const TOKEN: &str = "fresh-token-0123456789";

/// Reads a request to its end and answers it.
async fn answer(mut stream: TcpStream, body: &str) -> String {
    let mut asked = Vec::new();
    let mut chunk = [0; 4096];
    loop {
        let read = soon(stream.read(&mut chunk)).await.unwrap();
        asked.extend_from_slice(&chunk[..read]);
        let text = String::from_utf8_lossy(&asked);
        let Some((head, rest)) = text.split_once("\r\n\r\n") else {
            assert!(read > 0, "{text}");
            continue;
        };
        let mut lines = head.lines();
        let length = lines.find_map(|l| l.strip_prefix("content-length: "));
        if rest.len() >= length.map_or(0, |l| l.parse().unwrap()) {
            break;
        }
    }
    let length = body.len();
    let head = format!("HTTP/1.1 200 OK\r\ncontent-length: {length}\r\nconnection: close\r\n\r\n");
    stream.write_all(head.as_bytes()).await.unwrap();
    stream.write_all(body.as_bytes()).await.unwrap();
    String::from_utf8(asked).unwrap()
}

/// Lets it ask, answers that, and returns what it got to see.
async fn seen(how: &str, body: &str) -> (Street, String) {
    let mut street = Street::new(how, "").await;
    street.bad.say("go").await;
    answer(street.server.tcp().await, body).await;
    let seen = street.bad.hear().await;
    street.neighbour_does_not_notice().await;
    (street, seen)
}

#[tokio::test(flavor = "multi_thread")]
async fn a_token_is_not_seen_however_it_is_asked_for() {
    let body = format!(r#"{{"token":"{TOKEN}","code":0,"echo":"{TOKEN}","other":"{KEY}"}}"#);
    for (how, captured) in [("see-token", 1), ("see-bare", 0), ("see-spelled", 1)] {
        let (street, seen) = seen(how, &body).await;
        assert_eq!(seen, format!(r#"{{"code":0}} None {captured}"#), "{how}");
        assert!(!format!("{:?}", street.noted()).contains("fresh"));
    }
    // Another field than the manifest says, and something that cannot be read.
    for odd in [
        r#"{"Token":"fresh-token-0123456789"}"#,
        "fresh-token-0123456789",
        "[\"fresh\"]",
    ] {
        let (_, seen) = seen("see-token", odd).await;
        assert_eq!(seen, "{} None 0", "{odd}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn an_echo_is_masked_before_it_is_cut() {
    let (_, whole) = seen("see-echo", &format!("key={KEY}")).await;
    assert_eq!(whole, "key=[key] None 0");
    // The bound is in the middle of the secret.
    let (_, cut) = seen("see-cut", &format!("key={KEY}")).await;
    assert_eq!(cut, "key=[key] None 0");
}

#[tokio::test(flavor = "multi_thread")]
async fn no_answer_with_a_secret_goes_into_a_blob() {
    for (how, why) in [
        ("see-echo-blob", "where an echo of the secret would be seen"),
        ("see-token-blob", "answers of this address bring a secret"),
    ] {
        let mut street = Street::new(how, "").await;
        let answer = street.go().await;
        assert!(answer.contains(why), "{how}: {answer}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_secret_in_another_place_is_refused_by_name() {
    let mut street = Street::new("misplace", "").await;
    let answer = street.go().await;
    let refusals: Vec<&str> = answer.lines().collect();
    assert_eq!(refusals.len(), 9, "{answer}");
    for (refusal, why) in refusals.iter().zip([
        "the secret key may not stand in /content of a JSON body",
        "the secret key may not stand in /key of a JSON body",
        "the secret key may not stand in /key of a JSON body",
        "must be sent as application/json",
        "written in another way than as a JSON string",
        "a key is there twice",
        "may not stand in the header user-agent",
        "may not stand in the header x-key",
        "the secret key may not stand in /key of a JSON body",
    ]) {
        assert!(refusal.contains(why), "{why}: {refusal}");
    }
    assert!(!answer.contains(KEY), "{answer}");
    assert_eq!(street.handle.view().status().counted.requests, 0);

    let mut street = Street::new("misframe", "").await;
    street.bad.say("go").await;
    assert_eq!(street.bad.hear().await, "<closed>");
    street.bad = street.server.line().await;
    street.has_noted("the secret key may not stand in /text of a JSON message");
    street.neighbour_does_not_notice().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_token_of_200_kilobytes_is_refused_and_nobody_notices() {
    for value in ["T".repeat(200_000), "T".repeat(5_000)] {
        let (mut street, seen) = seen("see-token", &format!(r#"{{"token":"{value}"}}"#)).await;
        let read = "{} None 0";
        let refused = "the answer brings a value for token that cannot be used";
        // Beyond what is read of such an answer it is none at all.
        assert!(seen == read || seen.contains(refused), "{seen}");
        assert!(street.bad.ask("well?").await.starts_with("heard"));
    }
}
