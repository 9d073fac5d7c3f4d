//! Where secrets may go, and that nobody reads them in what comes back, whatever a component asks for.

use super::*;
use crate::egress::secrets::Capture;
use crate::vault::MAX_SECRET_BYTES;

pub(super) fn position(secret: &str, place: Place, prefix: &str, path: &str) -> Position {
    Position {
        secret: secret.into(),
        place,
        prefix: prefix.into(),
        method: None,
        path: path.parse().unwrap(),
    }
}

pub(super) fn capture(path: &str, pointer: &str) -> Capture {
    Capture {
        secret: "token".into(),
        method: "POST".into(),
        path: path.parse().unwrap(),
        pointer: pointer.parse().unwrap(),
        show: ["/code", "/message", "/in/n"]
            .map(|p| p.parse().unwrap())
            .to_vec(),
    }
}

/// What a guest makes of each request, by the text that it is told, and the answers that it gets.
struct Asking {
    bench: Bench,
    answers: Arc<Mutex<Vec<HttpDone>>>,
    log: Vec<String>,
}

impl Asking {
    fn new(make: impl Fn(&str) -> HttpRequest + Send + 'static) -> Self {
        let answers = Arc::new(Mutex::new(Vec::new()));
        let kept = Arc::clone(&answers);
        let bench = bench(move |event| match event {
            Event::SocketText(text) => Ok(vec![Action::Http(make(&text.text))]),
            Event::HttpDone(done) => {
                kept.lock().unwrap().push(done.clone());
                Ok(vec![])
            }
            _ => Ok(vec![]),
        });
        Self {
            bench,
            answers,
            log: Vec::new(),
        }
    }

    fn note(&mut self, commands: Vec<Command>) -> Option<HttpCall> {
        let mut call = None;
        for command in commands {
            match command {
                Command::Log(line) => self.log.push(line.text),
                Command::Http(made) => call = Some(*made),
                _ => {}
            }
        }
        call
    }

    /// Has it ask; the call that leaves, or the refusal that it gets.
    fn ask(&mut self, said: &str) -> Result<HttpCall, Failure> {
        let commands = self.bench.say(1, said);
        if let Some(call) = self.note(commands) {
            return Ok(call);
        }
        assert_eq!(self.bench.actor.next_due(), Some(1));
        let commands = self.bench.actor.step(now(1), Input::Tick);
        self.note(commands);
        match self.last().outcome {
            HttpOutcome::Failed(failure) => Err(failure),
            HttpOutcome::Response(response) => panic!("{response:?}"),
        }
    }

    fn answer(&mut self, call: &HttpCall, status: u16, body: &[u8]) -> HttpDone {
        self.answer_after(call, &[call.url.as_str()], status, body)
    }

    fn answer_after(
        &mut self,
        call: &HttpCall,
        hops: &[&str],
        status: u16,
        body: &[u8],
    ) -> HttpDone {
        let end = body.len().min(call.read_bytes);
        let response = RawResponse {
            status,
            hops: hops.iter().map(|hop| hop.parse().unwrap()).collect(),
            headers: vec![HeaderText {
                name: "x-echo".into(),
                value: "canary-key fresh-token-1".into(),
            }],
            body: RawBody::Bytes {
                bytes: body[..end].to_vec(),
                truncated: end < body.len(),
            },
        };
        let done = RawHttpDone {
            id: call.id,
            outcome: Ok(response),
        };
        let commands = self.bench.actor.step(now(2), Input::HttpDone(done));
        self.note(commands);
        self.last()
    }

    fn last(&self) -> HttpDone {
        self.answers.lock().unwrap().last().unwrap().clone()
    }
}

fn body_of(done: &HttpDone) -> &str {
    match &done.outcome {
        HttpOutcome::Response(response) => &response.body,
        HttpOutcome::Failed(failure) => panic!("{failure:?}"),
    }
}

const TOKEN: &str = "https://api.example.org/token";

fn json_header() -> Header {
    Header {
        name: "content-type".into(),
        value: vec![own("application/json")],
    }
}

/// A request for a token, as an honest component makes it.
fn token_request(url: &str) -> HttpRequest {
    let body = vec![own("{\"key\":\""), secret("key"), own("\"}")];
    HttpRequest {
        headers: vec![json_header()],
        ..request(5, url, body)
    }
}

#[test]
fn a_secret_goes_where_it_was_declared_and_the_token_that_comes_back_is_never_seen() {
    let mut asking = Asking::new(token_request);
    let call = asking.ask(TOKEN).unwrap();
    assert!(
        matches!(&call.body[..], [BodyPiece::Text(t)] if t.expose() == r#"{"key":"canary-key"}"#)
    );
    assert!(!format!("{call:?}").contains("canary"));
    let body = br#"{"t":"\u0066resh-token-1","code":0,"message":"canary-key fresh-token-1","in":{"n":"7","o":1},"other":"fresh-token-1"}"#;
    let done = asking.answer(&call, 200, body);
    assert_eq!(
        body_of(&done),
        r#"{"code":0,"in":{"n":"7"},"message":"[key] [token]"}"#
    );
    assert_eq!(done.used[0].name, "key");
    let brought = &done.captured[0];
    assert_eq!((brought.generation, brought.changed), (1, true));
    let HttpOutcome::Response(response) = done.outcome else {
        panic!()
    };
    assert_eq!(response.headers[0].value, "[key] [token]");
}

#[test]
fn a_misplaced_secret_is_refused_with_a_sentence_as_an_answer() {
    let mut asking = Asking::new(token_request);
    for url in [
        "https://files.example.org/token",
        "https://evil.example/token",
        "https://api.example.org/other",
        "https://api.example.org/token/",
        "https://api.example.org//token",
        "https://api.example.org/tok%65n",
        "https://api.example.org/token%2f..%2fother",
    ] {
        let refused = asking.ask(url).unwrap_err();
        assert_eq!(
            (refused.stage, refused.maybe_received),
            (Stage::Policy, false)
        );
    }
    assert!(
        asking
            .log
            .iter()
            .any(|line| line.contains("the secret key may not stand in /key of a JSON body"))
    );
    assert!(!asking.log.join("\n").contains("canary"));
}

#[test]
fn what_an_endpoint_brings_is_withheld_whatever_the_component_asks_for() {
    let fresh = br#"{"t":"fresh-token-1","code":0}"#;
    // The method, the spelling of the path, and whether a secret went out, are the component's choice.
    for (method, url) in [
        ("POST", TOKEN),
        ("GET", TOKEN),
        ("PUT", TOKEN),
        ("POST", "https://api.example.org/token/"),
        ("POST", "https://api.example.org//Token"),
        ("POST", "https://api.example.org/%74oken?x=1"),
        ("POST", "https://api.example.org/x/..%2ftoken"),
    ] {
        let method = method.to_owned();
        let mut asking = Asking::new(move |url| HttpRequest {
            method: method.clone(),
            ..request(5, url, vec![])
        });
        let call = asking.ask(url).unwrap();
        let posts = call.method == "POST";
        let done = asking.answer(&call, 200, fresh);
        assert_eq!(body_of(&done), r#"{"code":0}"#, "{url}");
        assert_eq!(done.captured.len(), usize::from(posts), "{url}");
    }
    // Whatever comes: an error, a page, another pointer, the secret among others.
    let mut asking = Asking::new(|url| request(5, url, vec![]));
    for (status, body, seen, captured) in [
        (200, r#"{"t":"abcdef"}"#, "{}", 1),
        (500, r#"{"t":"abcdefg","code":7}"#, r#"{"code":7}"#, 0),
        (200, r#"{"T":"abcdefh"}"#, "{}", 0),
        (200, r#"[{"t":"abcdefi"}]"#, "{}", 0),
        (200, r#""abcdefj""#, "{}", 0),
        (200, r#"{"t":"abcdefk"#, "{}", 0),
        (502, "<html>abcdefl", "{}", 0),
        (
            200,
            r#"{"t":["abcdefm"],"code":["abcdefn"],"message":{"x":"abcdefo"}}"#,
            "{}",
            0,
        ),
        (200, "", "{}", 0),
    ] {
        let call = asking.ask(TOKEN).unwrap();
        let done = asking.answer(&call, status, body.as_bytes());
        assert_eq!(
            (body_of(&done), done.captured.len()),
            (seen, captured),
            "{body}"
        );
    }
}

#[test]
fn a_small_bound_does_not_keep_a_token_from_being_found() {
    let mut asking = Asking::new(|url| HttpRequest {
        sink: BodySink::Text(12),
        ..request(5, url, vec![])
    });
    let call = asking.ask(TOKEN).unwrap();
    let padded = format!(
        r#"{{"x":"{}","t":"fresh-token-1","message":"more than twelve"}}"#,
        "x".repeat(30_000)
    );
    let done = asking.answer(&call, 200, padded.as_bytes());
    assert_eq!(done.captured.len(), 1);
    assert_eq!(body_of(&done), r#"{"message":""#);
}

#[test]
fn every_hop_of_a_redirect_counts() {
    let fresh = br#"{"t":"fresh-token-1"}"#;
    let elsewhere = "https://files.example.org/x";
    for hops in [[elsewhere, TOKEN], [TOKEN, elsewhere]] {
        let mut asking = Asking::new(|url| request(5, url, vec![]));
        let call = asking.ask(elsewhere).unwrap();
        let done = asking.answer_after(&call, &hops, 200, fresh);
        assert_eq!(body_of(&done), "{}", "{hops:?}");
    }
}

#[test]
fn what_carries_or_brings_a_secret_does_not_go_into_a_blob() {
    let into_blob = |request| HttpRequest {
        sink: BodySink::Blob(BlobSink {
            blob: 5,
            max_bytes: 9,
        }),
        ..request
    };
    let mut asking = Asking::new(move |url| into_blob(request(5, url, vec![])));
    let refused = asking.ask(TOKEN).unwrap_err();
    assert!(
        refused.detail.contains("bring a secret"),
        "{}",
        refused.detail
    );
    assert!(asking.ask("https://api.example.org/x").is_ok());
    let mut asking = Asking::new(move |url| {
        let header = Header {
            name: "authorization".into(),
            value: vec![
                own("Bearer "),
                Piece::Secret(SecretRef {
                    name: "token".into(),
                    encoding: Encoding::Raw,
                }),
            ],
        };
        into_blob(HttpRequest {
            headers: vec![header],
            ..request(5, url, vec![])
        })
    });
    let refused = asking.ask("https://api.example.org/x").unwrap_err();
    assert!(refused.detail.contains("echo"), "{}", refused.detail);
}

#[test]
fn a_value_that_cannot_be_a_token_ends_the_request_with_a_sentence() {
    for value in [
        "T".repeat(MAX_SECRET_BYTES + 1),
        "T".repeat(60_000),
        "a b".into(),
        "a\\r\\nb".into(),
        "\u{4e2d}".into(),
    ] {
        let mut asking = Asking::new(|url| request(5, url, vec![]));
        let call = asking.ask(TOKEN).unwrap();
        let body = format!(r#"{{"t":"{value}"}}"#);
        let done = asking.answer(&call, 200, body.as_bytes());
        let HttpOutcome::Failed(failure) = &done.outcome else {
            panic!("{done:?}")
        };
        assert!(
            failure
                .detail
                .contains("a value for token that cannot be used"),
            "{}",
            failure.detail
        );
        assert!(failure.detail.len() < 200 && done.captured.is_empty());
        assert!(
            asking
                .log
                .iter()
                .any(|line| line.contains("cannot be used"))
        );
    }
    let mut asking = Asking::new(|url| request(5, url, vec![]));
    let call = asking.ask(TOKEN).unwrap();
    let body = format!(r#"{{"t":"{}"}}"#, "T".repeat(MAX_SECRET_BYTES));
    assert_eq!(asking.answer(&call, 200, body.as_bytes()).captured.len(), 1);
}

#[test]
fn an_echo_is_masked_before_it_is_cut() {
    let echo = "it is canary-key, and once more canary-key.";
    let whole = "it is [key], and once more [key].";
    for max in 1..=echo.len() + 2 {
        let mut asking = Asking::new(move |url| HttpRequest {
            sink: BodySink::Text(max.try_into().unwrap()),
            ..request(5, url, vec![])
        });
        let call = asking.ask("https://api.example.org/echo").unwrap();
        let done = asking.answer(&call, 200, echo.as_bytes());
        let seen = body_of(&done);
        assert!(
            whole.starts_with(seen) && seen.len() <= max,
            "{max}: {seen}"
        );
        let HttpOutcome::Response(response) = &done.outcome else {
            panic!()
        };
        assert_eq!(response.truncated, max < echo.len(), "{max}");
    }
}

#[test]
fn a_frame_with_a_secret_in_another_place_closes_the_socket() {
    let mut bench = bench(|event| match event {
        Event::SocketText(text) => {
            let (before, after) = text.text.split_once('|').unwrap();
            Ok(vec![say(vec![own(before), secret("token"), own(after)])])
        }
        Event::HttpDone(_) | Event::SocketClosed(_) => Ok(vec![]),
        _ => Ok(vec![Action::Http(request(5, TOKEN, vec![]))]),
    });
    let commands = bench.say(1, "{\"content\":\"|\"}");
    assert_eq!(names(&commands), ["close", "log"]);
    let Command::Log(line) = &commands[1] else {
        panic!()
    };
    assert!(
        line.text.contains("/content of a JSON message"),
        "{}",
        line.text
    );
}
