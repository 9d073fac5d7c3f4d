//! How long a channel takes to answer while another in the same process misbehaves, beside what it usually takes, in one
//! run: `cargo bench -p prx-host --bench neighbour`. Not a test: it prints numbers, and says nothing of them.

#![expect(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::indexing_slicing,
    reason = "what goes wrong ends the run"
)]

use std::time::{Duration, Instant};

use futures_util::{SinkExt, StreamExt};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio_tungstenite::accept_async;
use tokio_tungstenite::tungstenite::Message;

#[path = "../tests/it/support.rs"]
#[expect(dead_code, reason = "a bench needs a part of what tests do")]
mod support;

use support::{Line, Server, host, start, start_hostile};

/// Messages of one measurement.
const MESSAGES: usize = 400;
/// The bad one is left alone for so long before its neighbour is measured.
const BEGIN: Duration = Duration::from_millis(300);
/// What it does, again and again, and the limits that it does it under.
const ROWS: [(&str, &str); 21] = [
    ("", ""),
    ("loop", ""),
    ("hog", ""),
    ("flood", ""),
    ("big", ""),
    ("often", ""),
    ("requests", ""),
    ("sockets", ""),
    ("timers", ""),
    ("store", ""),
    ("small", ""),
    ("chatter", ""),
    ("see-token", ""),
    ("see-echo", ""),
    ("misplace", ""),
    ("bigsink", ""),
    ("bigframe", ""),
    ("pieces", ""),
    ("digests", ""),
    ("entropy", ""),
    ("turns", ""),
];

fn main() {
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .enable_all()
        .build();
    runtime.unwrap().block_on(async {
        println!(
            "| what the other does | p50 usual, beside (ms) | p99 usual, beside (ms) | p99 ratio |"
        );
        println!("|---|---|---|---|");
        for (how, resources) in ROWS {
            row(how, resources).await;
        }
    });
}

async fn row(how: &str, resources: &str) {
    let dir = tempfile::tempdir().unwrap();
    let host = host(dir.path());
    let (server, good_server) = (Server::new().await, Server::new().await);
    let _good = start(&host, "good", &good_server.url()).await.unwrap();
    let mut good = good_server.line().await;
    drop(measure(&mut good).await);
    let usual = measure(&mut good).await;
    let _bad = start_hostile(&host, &server.url(), how, resources)
        .await
        .unwrap();
    let other = tokio::spawn(serve(server));
    tokio::time::sleep(BEGIN).await;
    let beside = measure(&mut good).await;
    other.abort();
    let ms = |span: Duration| span.as_secs_f64() * 1e3;
    let at = |spans: &[Duration], part: usize| ms(spans[spans.len() * part / 100]);
    let name = if how.is_empty() { "nothing bad" } else { how };
    println!(
        "| {name} | {:.2}, {:.2} | {:.2}, {:.2} | {:.2} |",
        at(&usual, 50),
        at(&beside, 50),
        at(&usual, 99),
        at(&beside, 99),
        at(&beside, 99) / at(&usual, 99),
    );
}

/// What the neighbour's answers take, ascending.
async fn measure(line: &mut Line<TcpStream>) -> Vec<Duration> {
    let mut spans = Vec::with_capacity(MESSAGES);
    for _ in 0..MESSAGES {
        let began = Instant::now();
        line.ask("hello").await;
        spans.push(began.elapsed());
    }
    spans.sort();
    spans
}

/// The other side of the bad one: has it misbehave on each WebSocket, and answers its requests with too much.
async fn serve(server: Server) {
    loop {
        let stream = server.tcp().await;
        tokio::spawn(async move {
            let mut head = [0; 2048];
            let read = stream.peek(&mut head).await.unwrap_or(0);
            let head = String::from_utf8_lossy(&head[..read]).to_lowercase();
            match head.contains("upgrade: websocket") {
                true => drive(stream).await,
                false => answer(stream, &head).await,
            }
        });
    }
}

async fn drive(stream: TcpStream) {
    let Ok(mut socket) = accept_async(stream).await else {
        return;
    };
    let large = "x".repeat(2 << 20);
    while socket.send(Message::text("go")).await.is_ok() {
        // One frame that is large, for whoever would take it.
        if socket.send(Message::text(large.as_str())).await.is_err() {
            return;
        }
        let answer = tokio::time::timeout(Duration::from_millis(200), socket.next()).await;
        if matches!(answer, Ok(None | Some(Err(_)))) {
            return;
        }
    }
}

async fn answer(mut stream: TcpStream, head: &str) {
    let mut request = [0; 65_536];
    // What was asked makes no difference.
    drop(stream.read(&mut request).await);
    let token = format!(r#"{{"token":"{}"}}"#, "T".repeat(200_000));
    let (length, body) = match head.contains("/big") {
        true => (4_000_000_000, "x".repeat(65_536)),
        false => (token.len(), token),
    };
    let head = format!("HTTP/1.1 200 OK\r\ncontent-length: {length}\r\n\r\n");
    if stream.write_all(head.as_bytes()).await.is_err() {
        return;
    }
    let mut left = length;
    while left > 0 && stream.write_all(body.as_bytes()).await.is_ok() {
        left = left.saturating_sub(body.len());
    }
}
