//! The driver alone: bodies with blobs, sinks, redirects.

use std::sync::Arc;
use std::time::Duration;

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpListener;

use super::*;
use crate::actor::BodyPiece;
use crate::bindings::v0_1::{BlobRange, BlobSink, Encoding};
use crate::drivers::network::{NetworkOptions, ProxyChoice};
use crate::egress::address::AddressPolicy;
use crate::egress::{EgressPolicy, OperatorEgress, Widening};
use crate::vault::Hidden;

struct Bench {
    network: Network,
    blobs: Blobs,
    listener: TcpListener,
    _dir: tempfile::TempDir,
}

impl Bench {
    async fn new() -> Self {
        let dir = tempfile::tempdir().unwrap();
        let network = Network::new(&NetworkOptions {
            proxy: ProxyChoice::Direct,
            extra_ca: None,
            addresses: AddressPolicy::default(),
        });
        Self {
            network: network.unwrap(),
            blobs: Blobs::open(dir.path().join("b"), 1 << 20, 1 << 20).unwrap(),
            listener: TcpListener::bind("127.0.0.1:0").await.unwrap(),
            _dir: dir,
        }
    }

    fn call(&self, path: &str) -> HttpCall {
        let base: Url = format!("http://{}", self.listener.local_addr().unwrap())
            .parse()
            .unwrap();
        let group = crate::egress::EgressGroup {
            name: "g".into(),
            hosts: vec![],
            ports: vec![443],
            positions: vec![],
            captures: vec![],
        };
        let widening = Widening {
            group: "g".into(),
            url: base.clone(),
        };
        let egress = EgressPolicy::new(
            vec![group],
            OperatorEgress::AsManifest,
            AddressPolicy::default(),
            &[widening],
        );
        HttpCall {
            id: 1,
            method: "GET".into(),
            url: base.join(path).unwrap(),
            headers: vec![],
            body: vec![],
            timeout: Duration::from_secs(30),
            redirects: 0,
            sink: BodySink::Text(1000),
            read_bytes: 1000,
            want_headers: vec!["x-trace".into()],
            purpose: "test".into(),
            egress: Arc::new(egress.unwrap()),
        }
    }

    /// Makes a call while these answers are given, one a connection. Returns what was asked each
    /// time as well.
    async fn run(
        &self,
        call: HttpCall,
        answers: &[&str],
    ) -> (Result<RawResponse, Failure>, Vec<String>) {
        let serve = async {
            let mut asked = Vec::new();
            for answer in answers {
                asked.push(self.serve_once(answer).await);
            }
            asked
        };
        let (done, asked) = tokio::join!(super::call(&self.network, &self.blobs, call), serve);
        (done.outcome, asked)
    }

    async fn serve_once(&self, answer: &str) -> String {
        let (mut stream, _) = self.listener.accept().await.unwrap();
        let mut asked = Vec::new();
        let mut chunk = [0; 65_536];
        loop {
            let read = stream.read(&mut chunk).await.unwrap();
            asked.extend_from_slice(&chunk[..read]);
            let text = String::from_utf8_lossy(&asked).into_owned();
            let Some((head, body)) = text.split_once("\r\n\r\n") else {
                continue;
            };
            let length = head
                .lines()
                .find_map(|l| l.strip_prefix("content-length: "));
            if body.len() >= length.map_or(0, |l| l.parse().unwrap()) {
                stream.write_all(answer.as_bytes()).await.unwrap();
                return text;
            }
        }
    }
}

fn ok(body: &str) -> String {
    let length = body.len();
    format!(
        "HTTP/1.1 200 OK\r\nx-trace: t1\r\ncontent-length: {length}\r\nconnection: close\r\n\r\n{body}"
    )
}

fn redirect(to: &str) -> String {
    format!(
        "HTTP/1.1 302 Found\r\nlocation: {to}\r\ncontent-length: 0\r\nconnection: close\r\n\r\n"
    )
}

fn header(name: &str, value: &str, secret: bool) -> HeaderOut {
    HeaderOut {
        name: name.into(),
        value: Hidden::new(value),
        secret,
    }
}

#[tokio::test]
async fn a_body_of_text_and_blobs_has_the_right_length_and_bytes() {
    let bench = Bench::new().await;
    let bytes: Vec<u8> = (0..100_001u32)
        .map(|n| b'a' + u8::try_from(n % 26).unwrap())
        .collect();
    bench.blobs.put(7, None, &bytes).await.unwrap();
    let range = |offset, length, encoding| {
        BodyPiece::Blob(BlobRange {
            blob: 7,
            offset,
            length,
            encoding,
        })
    };
    let mut call = bench.call("/up");
    call.method = "POST".into();
    call.body = vec![
        BodyPiece::Text(Hidden::new("[")),
        range(1, Some(4), Encoding::Raw),
        BodyPiece::Text(Hidden::new("|")),
        range(0, None, Encoding::Base64),
        BodyPiece::Text(Hidden::new("]")),
    ];
    let (done, asked) = bench.run(call, &[&ok("fine")]).await;
    let done = done.unwrap();
    assert_eq!(done.headers[0].value, "t1");
    use base64::Engine as _;
    let base64 = base64::engine::general_purpose::STANDARD.encode(&bytes);
    let (head, body) = asked[0].split_once("\r\n\r\n").unwrap();
    assert_eq!(body, format!("[bcde|{base64}]"));
    assert!(
        head.contains(&format!("content-length: {}", body.len())),
        "{head}"
    );
    assert!(!head.contains("chunked"), "{head}");
}

#[tokio::test]
async fn a_blob_that_is_gone_fails_before_anything_is_sent() {
    let bench = Bench::new().await;
    let mut call = bench.call("/up");
    call.method = "POST".into();
    call.body = vec![BodyPiece::Blob(BlobRange {
        blob: 404,
        offset: 0,
        length: None,
        encoding: Encoding::Raw,
    })];
    let (done, _) = bench.run(call, &[]).await;
    let failure = done.unwrap_err();
    assert_eq!(
        (failure.stage, failure.maybe_received),
        (Stage::Host, false)
    );
}

#[tokio::test]
async fn a_download_goes_into_a_blob_and_not_past_its_bound() {
    let bench = Bench::new().await;
    let sink = |max_bytes| BodySink::Blob(BlobSink { blob: 5, max_bytes });
    let mut call = bench.call("/files/a%20cat.gif?key=1");
    call.sink = sink(100);
    let (done, _) = bench.run(call.clone(), &[&ok("GIF89a....")]).await;
    let RawBody::Blob(info) = done.unwrap().body else {
        panic!()
    };
    assert_eq!((info.size, info.media_type.as_str()), (10, "image/gif"));
    assert_eq!(info.name.as_deref(), Some("a cat.gif"));
    call.sink = sink(9);
    let (declared, _) = bench.run(call.clone(), &[&ok("GIF89a....")]).await;
    assert_eq!(declared.unwrap_err().stage, Stage::TooLarge);
    let undeclared = "HTTP/1.1 200 OK\r\nconnection: close\r\n\r\nGIF89a....";
    let (undeclared, _) = bench.run(call.clone(), &[undeclared]).await;
    assert_eq!(undeclared.unwrap_err().stage, Stage::TooLarge);
    let refused = "HTTP/1.1 404 Not Found\r\ncontent-length: 2\r\nconnection: close\r\n\r\nno";
    let (refused, _) = bench.run(call, &[refused]).await;
    let refused = refused.unwrap();
    assert_eq!(refused.status, 404);
    assert!(matches!(refused.body, RawBody::Bytes { bytes, .. } if bytes.is_empty()));
}

#[tokio::test]
async fn a_redirect_is_followed_without_credentials() {
    let bench = Bench::new().await;
    let mut call = bench.call("/a");
    call.redirects = 2;
    call.headers = vec![
        header("x-key", "canary", true),
        header("authorization", "mine", false),
        header("accept", "image/*", false),
    ];
    let (done, asked) = bench.run(call, &[&redirect("/b"), &ok("there")]).await;
    assert_eq!(done.unwrap().status, 200);
    assert!(asked[0].contains("canary") && asked[0].contains("mine"));
    assert!(
        asked[1].starts_with("GET /b") && asked[1].contains("image/*"),
        "{}",
        asked[1]
    );
    assert!(
        !asked[1].contains("canary") && !asked[1].contains("mine"),
        "{}",
        asked[1]
    );
}

#[tokio::test]
async fn a_redirect_out_of_the_rules_or_in_a_circle_ends() {
    let bench = Bench::new().await;
    let mut call = bench.call("/a");
    call.redirects = 2;
    for target in [
        "http://169.254.169.254/latest",
        "https://evil.example/",
        "file:///etc/passwd",
    ] {
        let (done, _) = bench.run(call.clone(), &[&redirect(target)]).await;
        let failure = done.unwrap_err();
        assert_eq!(failure.stage, Stage::Policy, "{target}");
        assert!(!failure.detail.contains("latest"), "{}", failure.detail);
    }
    let circle = redirect("/a");
    let (done, _) = bench.run(call, &[&circle, &circle, &circle]).await;
    assert_eq!(done.unwrap_err().detail, "more than 2 redirects");
}
