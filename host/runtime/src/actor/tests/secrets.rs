//! Where secrets may go, and that nobody reads them in what comes back.

use super::*;

#[test]
fn a_secret_goes_only_where_it_is_bound_and_the_refusal_comes_as_an_answer() {
    let answers = Arc::new(Mutex::new(Vec::new()));
    let log = Arc::clone(&answers);
    let mut bench = bench(move |event| match event {
        Event::SocketText(text) => Ok(vec![Action::Http(request(
            5,
            &text.text,
            vec![secret("key")],
        ))]),
        Event::HttpDone(done) => {
            log.lock().unwrap().push(done.clone());
            Ok(vec![])
        }
        _ => Ok(vec![]),
    });
    let commands = bench.say(1, "https://api.example.org/x");
    let [Command::Http(call)] = &commands[..] else {
        panic!("{commands:?}")
    };
    assert!(matches!(&call.body[..], [BodyPiece::Text(t)] if t.expose() == "canary-key"));
    assert!(!format!("{commands:?}").contains("canary"));
    let response = RawResponse {
        status: 200,
        headers: vec![],
        body: RawBody::Bytes {
            bytes: br#"{"t":"\u0061bcdef","n":1}"#.to_vec(),
            truncated: false,
        },
    };
    let outcome = Ok(response);
    bench
        .actor
        .step(now(2), Input::HttpDone(RawHttpDone { id: 5, outcome }));
    for refused in ["https://files.example.org/x", "https://evil.example/x"] {
        assert_eq!(names(&bench.say(3, refused)), ["log"]);
        assert_eq!(bench.actor.next_due(), Some(3));
        bench.actor.step(now(3), Input::Tick);
    }
    let answers = answers.lock().unwrap();
    let HttpOutcome::Response(response) = &answers[0].outcome else {
        panic!()
    };
    assert_eq!(response.body, r#"{"n":1,"t":"[token]"}"#);
    assert_eq!(answers[0].used[0].name, "key");
    assert_eq!(
        (
            answers[0].captured[0].generation,
            answers[0].captured[0].changed
        ),
        (1, true)
    );
    for answer in &answers[1..] {
        let HttpOutcome::Failed(failure) = &answer.outcome else {
            panic!()
        };
        assert_eq!(
            (failure.stage, failure.maybe_received),
            (Stage::Policy, false)
        );
    }
    assert_eq!(answers.len(), 3);
}

/// The body that a guest gets to see of an answer to a request for a token.
fn seen_of(status: u16, body: &[u8]) -> (String, usize) {
    let seen = Arc::new(Mutex::new(None));
    let slot = Arc::clone(&seen);
    let mut bench = bench(move |event| match event {
        Event::HttpDone(done) => {
            let HttpOutcome::Response(response) = &done.outcome else {
                panic!("{done:?}")
            };
            *slot.lock().unwrap() = Some((response.body.clone(), done.captured.len()));
            Ok(vec![])
        }
        _ => Ok(vec![Action::Http(request(
            5,
            "https://api.example.org/",
            vec![],
        ))]),
    });
    bench.say(1, "x");
    let response = RawResponse {
        status,
        headers: vec![],
        body: RawBody::Bytes {
            bytes: body.to_vec(),
            truncated: false,
        },
    };
    let outcome = Ok(response);
    bench
        .actor
        .step(now(2), Input::HttpDone(RawHttpDone { id: 5, outcome }));
    let seen = seen.lock().unwrap().take();
    seen.unwrap()
}

#[test]
fn a_secret_stays_hidden_in_answers_that_are_errors_or_cannot_be_read() {
    assert_eq!(seen_of(200, br#"{"t":"abcdef"}"#).1, 1);
    assert_eq!(
        seen_of(500, br#"{"t":"abcdef"}"#),
        (r#"{"t":"[token]"}"#.into(), 0)
    );
    assert!(seen_of(200, br#"{"t":"abcdef"#).0.contains("withheld"));
    assert_eq!(
        seen_of(502, b"<html>bad gateway"),
        ("<html>bad gateway".into(), 0)
    );
    assert_eq!(seen_of(200, br#"{"code":7}"#), (r#"{"code":7}"#.into(), 0));
}
