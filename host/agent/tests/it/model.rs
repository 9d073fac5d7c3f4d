//! An OpenAI-compatible server that does what the model's name says.

use std::convert::Infallible;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};

use axum::Router;
use axum::body::{Body, Bytes};
use axum::extract::State;
use axum::http::{HeaderMap, StatusCode};
use axum::response::{IntoResponse, Response};
use axum::routing::post;
use futures_util::StreamExt;
use futures_util::stream;
use serde_json::Value;
use tokio::sync::Notify;
use url::Url;

/// What the server has seen.
#[derive(Default)]
pub(crate) struct Seen {
    pub(crate) requests: Mutex<Vec<Value>>,
    pub(crate) keys: Mutex<Vec<String>>,
    refusals: AtomicUsize,
    /// Rung when a client goes away before the end of an answer.
    pub(crate) dropped: Notify,
    /// Rung when a request came that gets no answer at all.
    pub(crate) asked: Notify,
}

pub(crate) struct Model {
    pub(crate) url: Url,
    pub(crate) seen: Arc<Seen>,
}

impl Model {
    pub(crate) async fn new() -> Self {
        let seen = Arc::new(Seen::default());
        let app = Router::new()
            .route("/v1/chat/completions", post(complete))
            .with_state(Arc::clone(&seen));
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("http://{}/v1", listener.local_addr().unwrap());
        tokio::spawn(async move { axum::serve(listener, app).await });
        Self {
            url: url.parse().unwrap(),
            seen,
        }
    }

    /// The messages of a request, as `role: content`.
    pub(crate) fn messages(&self, request: usize) -> Vec<String> {
        let requests = self.seen.requests.lock().unwrap();
        let messages = requests[request]["messages"].as_array().unwrap();
        let line = |m: &Value| {
            format!(
                "{}: {}",
                m["role"].as_str().unwrap(),
                m["content"].as_str().unwrap()
            )
        };
        messages.iter().map(line).collect()
    }
}

struct OnDrop(Arc<Seen>);

impl Drop for OnDrop {
    fn drop(&mut self) {
        self.0.dropped.notify_one();
    }
}

async fn complete(State(seen): State<Arc<Seen>>, headers: HeaderMap, body: Bytes) -> Response {
    let request: Value = serde_json::from_slice(&body).unwrap();
    let model = request["model"].as_str().unwrap().to_owned();
    let message = request["messages"].as_array().unwrap().last().unwrap();
    let last = match message["role"].as_str().unwrap() {
        "tool" => format!("= {}", message["content"].as_str().unwrap()),
        _ => message["content"].as_str().unwrap_or_default().to_owned(),
    };
    let request_choice = request["tool_choice"].as_str().map(str::to_owned);
    seen.requests.lock().unwrap().push(request);
    let key = headers["authorization"].to_str().unwrap().to_owned();
    seen.keys.lock().unwrap().push(key);
    match model.as_str() {
        "streams" => sse(vec![
            word("你好"),
            word(", Anna"),
            role_only(),
            word("!"),
            stop(),
            "[DONE]".into(),
        ]),
        "draws" => sse(vec![
            word("Look:"),
            word(" [IMA"),
            word("GE:https://example.com/x.png]\n"),
            word("Nice?\n```ca"),
            word("rd\n{\"type\":\"recall\"}\n```"),
            stop(),
        ]),
        "bare" => sse(vec![
            r#"{"choices":[{"delta":{"content":"hi"},"finish_reason":"stop"}]}"#.into(),
        ]),
        "breaks" => sse(vec![word("half an ans")]),
        "empty" => sse(vec![stop(), "[DONE]".into()]),
        "stalls" => stalls(seen),
        "busy" if seen.refusals.fetch_add(1, Ordering::Relaxed) < 2 => {
            let body =
                r#"{"error":{"message":"slow down","type":"rate","param":null,"code":null}}"#;
            (StatusCode::TOO_MANY_REQUESTS, [("retry-after", "1")], body).into_response()
        }
        "booked" => {
            let told = [("retry-after", "3600")];
            (StatusCode::TOO_MANY_REQUESTS, told, "come back later").into_response()
        }
        "hiccups" if seen.refusals.fetch_add(1, Ordering::Relaxed) < 2 => {
            (StatusCode::BAD_GATEWAY, [("retry-after", "0")], "<html>").into_response()
        }
        "hiccups" => sse(vec![word("well again"), stop()]),
        "tools" => calls(&last),
        "insists" => match request_choice.as_deref() {
            Some("none") => sse(vec![word("enough"), stop()]),
            _ => calls("look {}"),
        },
        "cut" => cut(),
        "deaf" => {
            let _held = OnDrop(Arc::clone(&seen));
            seen.asked.notify_one();
            std::future::pending().await
        }
        "busy" => sse(vec![word("at last"), stop()]),
        "broken" => {
            let now = [("retry-after", "0")];
            (StatusCode::INTERNAL_SERVER_ERROR, now, "out of memory").into_response()
        }
        "locked" => {
            // Many servers echo the key that they refuse.
            let keys = seen.keys.lock().unwrap();
            let message = format!("bad key: {}", keys.last().map_or("none", String::as_str));
            let body = serde_json::json!({"error": {"message": message, "type": "auth", "param": null, "code": "invalid_api_key"}});
            (StatusCode::UNAUTHORIZED, body.to_string()).into_response()
        }
        other => panic!("{other}"),
    }
}

fn word(text: &str) -> String {
    let text = serde_json::Value::from(text);
    format!(
        r#"{{"id":"1","object":"chat.completion.chunk","created":1,"model":"m","choices":[{{"index":0,"delta":{{"content":{text}}},"finish_reason":null}}]}}"#
    )
}

fn role_only() -> String {
    r#"{"choices":[{"index":0,"delta":{"role":"assistant","content":null}}]}"#.into()
}

fn stop() -> String {
    r#"{"choices":[{"index":0,"delta":{},"finish_reason":"stop"}]}"#.into()
}

fn sse(events: Vec<String>) -> Response {
    let events = events
        .into_iter()
        .map(|e| Ok::<_, Infallible>(format!("data: {e}\n\n")));
    let body = Body::from_stream(stream::iter(events));
    ([("content-type", "text/event-stream")], body).into_response()
}

/// A word, and then nothing until the client goes away.
fn stalls(seen: Arc<Seen>) -> Response {
    let guard = OnDrop(seen);
    let first = stream::iter([Ok::<_, Infallible>(format!("data: {}\n\n", word("so")))]);
    let rest = stream::pending().map(move |never: Result<String, Infallible>| {
        let _held = &guard;
        never
    });
    let body = Body::from_stream(first.chain(rest));
    ([("content-type", "text/event-stream")], body).into_response()
}

/// A word, and then the connection breaks.
fn cut() -> Response {
    let first = format!("data: {}\n\n", word("half"));
    // The word is on its way before the connection breaks.
    let broken = stream::once(async {
        tokio::task::yield_now().await;
        Err(std::io::Error::other("cut"))
    });
    let body = Body::from_stream(stream::iter([Ok(first)]).chain(broken));
    ([("content-type", "text/event-stream")], body).into_response()
}

/// Calls the tool that the message names, in pieces; or tells what the tool said.
fn calls(message: &str) -> Response {
    if let Some(result) = message.strip_prefix("= ") {
        return sse(vec![word(result), stop()]);
    }
    let (name, arguments) = message.split_once(' ').unwrap();
    let piece = |call: Value| {
        serde_json::json!({"choices": [{"index": 0, "delta": {"tool_calls": [call]}}]}).to_string()
    };
    let named = serde_json::json!({"index": 0, "id": "c1", "type": "function",
        "function": {"name": format!("bench_{name}"), "arguments": ""}});
    let mut events = vec![piece(named)];
    for letter in arguments.chars() {
        let letter = letter.to_string();
        events.push(piece(
            serde_json::json!({"index": 0, "function": {"arguments": letter}}),
        ));
    }
    events.push(r#"{"choices":[{"index":0,"delta":{},"finish_reason":"tool_calls"}]}"#.into());
    sse(events)
}
