//! A model behind an OpenAI-compatible chat endpoint, streamed.
//!
//! async-openai makes the requests, [`patience`] makes them again before an answer has begun; the
//! answers are read with types of our own, since compatible servers leave out what they like.

use std::time::Duration;

use async_openai::Client;
use async_openai::config::OpenAIConfig;
use async_openai::error::OpenAIError as ClientError;
use futures_util::StreamExt;
use futures_util::future::BoxFuture;
use prx_host::drivers::network::{Network, NetworkError};
use prx_host::vault::Hidden;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use tokio::time::Instant;

use crate::config::OpenAiConfig;
use crate::history::{Exchange, Said};

mod patience;

/// Requests of one turn that may call tools; the one after them must answer.
const MAX_ROUNDS: u32 = 8;
/// Calls in one round.
const MAX_CALLS: usize = 16;
/// Bytes of a call's arguments.
const MAX_ARGUMENTS: usize = 64 << 10;

/// The model gave no answer. For the operator; a person is told less.
#[derive(Debug, thiserror::Error)]
pub enum OpenAiError {
    /// The server refused or could not be reached.
    #[error("the model's server fails: {0}; check [agent] base_url, model and api_key")]
    Server(String),
    /// The server stopped in the middle.
    #[error("the model's server broke off after {chars} characters; it may be overloaded")]
    BrokenOff {
        /// Characters that had come.
        chars: usize,
    },
    /// The server went quiet.
    #[error(
        "the model's server said nothing for {0} s; raise [agent] silence_seconds if it is that slow"
    )]
    Silent(u64),
    /// A model that repeats itself.
    #[error("the model calls too many tools at once, or with too much; try another model")]
    TooManyCalls,
    /// The answer has no text.
    #[error("the model answered without a word")]
    Empty,
}

#[derive(Debug, Serialize)]
struct Request<'a> {
    model: &'a str,
    messages: &'a [Value],
    stream: bool,
    #[serde(skip_serializing_if = "<[Value]>::is_empty")]
    tools: &'a [Value],
    #[serde(skip_serializing_if = "Option::is_none")]
    tool_choice: Option<&'static str>,
}

#[derive(Debug, Serialize)]
struct Message {
    role: &'static str,
    content: Content,
}

/// Text alone is written as a string: not every server takes a list of parts.
#[derive(Debug, Serialize)]
#[serde(untagged)]
enum Content {
    Text(String),
    Parts(Vec<ContentPart>),
}

#[derive(Debug, Serialize)]
#[serde(tag = "type", rename_all = "snake_case")]
enum ContentPart {
    Text { text: String },
    ImageUrl { image_url: ImageUrl },
}

#[derive(Debug, Serialize)]
struct ImageUrl {
    url: String,
}

#[derive(Debug, Deserialize)]
struct Chunk {
    #[serde(default)]
    choices: Vec<Choice>,
}

#[derive(Debug, Deserialize)]
struct Choice {
    #[serde(default)]
    delta: Delta,
    finish_reason: Option<String>,
}

#[derive(Debug, Default, Deserialize)]
struct Delta {
    content: Option<String>,
    tool_calls: Option<Vec<CallDelta>>,
}

/// A piece of a call: the first has the name, all have some of the arguments.
#[derive(Debug, Default, Deserialize)]
struct CallDelta {
    #[serde(default)]
    index: usize,
    id: Option<String>,
    function: Option<FunctionDelta>,
}

#[derive(Debug, Default, Deserialize)]
struct FunctionDelta {
    name: Option<String>,
    arguments: Option<String>,
}

/// A call of a tool, as the model wrote it.
#[derive(Debug, Default, Clone)]
pub(crate) struct Call {
    id: String,
    pub(crate) name: String,
    pub(crate) arguments: String,
}

/// What a model is asked.
#[derive(Debug)]
pub(crate) struct Ask<'a> {
    pub(crate) system: String,
    pub(crate) said: &'a [Said],
    /// Data URIs; they belong to what was said last.
    pub(crate) pictures: Vec<String>,
    /// As OpenAI describes them.
    pub(crate) tools: Vec<Value>,
    /// After it nobody waits any more.
    pub(crate) until: Instant,
}

/// Runs a call of a tool.
pub(crate) type CallSink<'a> = dyn Fn(Call) -> BoxFuture<'a, String> + Send + Sync + 'a;

/// Where words go as they come.
pub(crate) type WordSink = dyn Fn(String) -> BoxFuture<'static, ()> + Send + Sync;

/// The endpoint.
#[derive(Debug, Clone)]
pub(crate) struct OpenAi {
    client: Client<OpenAIConfig>,
    http: reqwest::Client,
    model: String,
    key: Option<Hidden>,
    silence_limit: Duration,
}

impl OpenAi {
    pub(crate) fn new(config: &OpenAiConfig, network: &Network) -> Result<Self, NetworkError> {
        let http = network.client_for(&config.base_url)?;
        let base = config.base_url.as_str().trim_end_matches('/');
        // Both are set, so that no variable of the environment has a say.
        let key = config.api_key.as_ref().map_or("none", |key| key.expose());
        let settings = OpenAIConfig::new().with_api_base(base).with_api_key(key);
        Ok(Self {
            client: Client::build(http.clone(), settings),
            http,
            model: config.model.clone(),
            key: config.api_key.clone(),
            silence_limit: config.silence_limit,
        })
    }

    /// Asks the model, runs the tools that it calls, one after the other, and hands over its words as
    /// they come. Dropped, the request is dropped too.
    pub(crate) async fn answer(
        &self,
        ask: Ask<'_>,
        word: &WordSink,
        run: &CallSink<'_>,
    ) -> Result<String, OpenAiError> {
        let mut messages = messages(ask.system, ask.said, ask.pictures);
        let mut text = String::new();
        for round in 0.. {
            let request = Request {
                model: &self.model,
                messages: &messages,
                stream: true,
                tools: &ask.tools,
                // Then it has to make do with what it knows.
                tool_choice: (round == MAX_ROUNDS && !ask.tools.is_empty()).then_some("none"),
            };
            let before = text.len();
            let calls = self.round(request, ask.until, &mut text, word).await?;
            if calls.is_empty() || round == MAX_ROUNDS {
                break;
            }
            let said = text.get(before..).unwrap_or_default();
            messages.push(called(said, &calls));
            for call in calls {
                let id = call.id.clone();
                let content = run(call).await;
                messages.push(json!({"role": "tool", "tool_call_id": id, "content": content}));
            }
            if !text.is_empty() && !text.ends_with('\n') {
                text.push_str("\n\n");
                word("\n\n".into()).await;
            }
        }
        if text.trim().is_empty() {
            return Err(OpenAiError::Empty);
        }
        Ok(text)
    }

    /// One request. Adds its words to `text`, and returns what it calls.
    async fn round(
        &self,
        request: Request<'_>,
        until: Instant,
        text: &mut String,
        word: &WordSink,
    ) -> Result<Vec<Call>, OpenAiError> {
        let (http, limit) = (self.http.clone(), self.silence_limit);
        let send = move |request| patience::send(http.clone(), request, until, limit);
        let client = self.client.clone();
        let client = client.with_http_service(tower::service_fn(send));
        let chat = client.chat();
        let stream = chat.create_stream_byot::<_, Chunk>(request).await;
        let mut stream = stream.map_err(|e| self.server_failed(&e))?;
        let mut calls = Vec::new();
        let mut finished = false;
        loop {
            let next = tokio::time::timeout(self.silence_limit, stream.next()).await;
            let next = next.map_err(|_| OpenAiError::Silent(self.silence_limit.as_secs()))?;
            let chunk = match next {
                Some(Ok(chunk)) => chunk,
                Some(Err(error)) if text.is_empty() => return Err(self.server_failed(&error)),
                Some(Err(_)) => return Err(broken_off(text)),
                None if finished => return Ok(calls),
                None => return Err(broken_off(text)),
            };
            for choice in chunk.choices {
                finished |= choice.finish_reason.is_some();
                for piece in choice.delta.tool_calls.into_iter().flatten() {
                    add_piece(&mut calls, piece)?;
                }
                if let Some(more) = choice.delta.content.filter(|c| !c.is_empty()) {
                    text.push_str(&more);
                    word(more).await;
                }
            }
        }
    }

    /// Servers echo keys in their errors; the log, the guest and incident reports must not have them.
    fn server_failed(&self, error: &ClientError) -> OpenAiError {
        let mut text = words(error);
        if let Some(key) = self.key.as_ref().filter(|key| !key.expose().is_empty()) {
            text = text.replace(key.expose(), "***");
        }
        OpenAiError::Server(text)
    }
}

fn add_piece(calls: &mut Vec<Call>, piece: CallDelta) -> Result<(), OpenAiError> {
    if piece.index >= MAX_CALLS {
        return Err(OpenAiError::TooManyCalls);
    }
    if calls.len() <= piece.index {
        calls.resize_with(piece.index + 1, Call::default);
    }
    let Some(call) = calls.get_mut(piece.index) else {
        return Ok(());
    };
    call.id.push_str(&piece.id.unwrap_or_default());
    let function = piece.function.unwrap_or_default();
    call.name.push_str(&function.name.unwrap_or_default());
    let more = function.arguments.unwrap_or_default();
    call.arguments.push_str(&more);
    match call.arguments.len() > MAX_ARGUMENTS {
        true => Err(OpenAiError::TooManyCalls),
        false => Ok(()),
    }
}

/// What the model said and called, as it is told afterwards.
fn called(said: &str, calls: &[Call]) -> Value {
    let calls = calls.iter().map(|call| {
        json!({"id": call.id, "type": "function",
            "function": {"name": call.name, "arguments": call.arguments}})
    });
    let calls: Vec<Value> = calls.collect();
    let said = Some(said).filter(|said| !said.is_empty());
    json!({"role": "assistant", "content": said, "tool_calls": calls})
}

fn broken_off(text: &str) -> OpenAiError {
    let chars = text.chars().count();
    OpenAiError::BrokenOff { chars }
}

/// What the server, or the way to it, said.
fn words(error: &ClientError) -> String {
    match error {
        ClientError::ApiError(api) => {
            let status = api.status_code.as_u16();
            format!("status {status}, {}", api.api_error)
        }
        ClientError::JSONDeserialize(_, content) => {
            let start: String = content.chars().take(200).collect();
            format!("an answer that cannot be read: {start}")
        }
        ClientError::Reqwest(error) => chain(error),
        ClientError::InvalidArgument(sentence) => sentence.clone(),
        other => other.to_string(),
    }
}

fn chain(error: &dyn std::error::Error) -> String {
    let mut text = error.to_string();
    let mut cause = error.source();
    while let Some(error) = cause {
        text.push_str(": ");
        text.push_str(&error.to_string());
        cause = error.source();
    }
    text
}

fn messages(system: String, said: &[Said], pictures: Vec<String>) -> Vec<Value> {
    let mut messages = vec![Message::text("system", system)];
    for said in said {
        match said {
            Said::Aside(text) => {
                messages.push(Message::text("user", format!("(not to you) {text}")))
            }
            Said::Exchange(exchange) => exchange_messages(exchange, &mut messages),
        }
    }
    if let Some(last) = messages.last_mut().filter(|_| !pictures.is_empty()) {
        last.show(pictures);
    }
    let json = messages.into_iter().map(|message| json!(message));
    json.collect()
}

impl Message {
    fn text(role: &'static str, text: String) -> Self {
        let content = Content::Text(text);
        Self { role, content }
    }

    fn show(&mut self, pictures: Vec<String>) {
        let Content::Text(text) = &mut self.content else {
            return;
        };
        let text = std::mem::take(text);
        let mut parts = vec![ContentPart::Text { text }];
        parts.extend(pictures.into_iter().map(|url| ContentPart::ImageUrl {
            image_url: ImageUrl { url },
        }));
        self.content = Content::Parts(parts);
    }
}

fn exchange_messages(exchange: &Exchange, messages: &mut Vec<Message>) {
    messages.push(Message::text("user", exchange.asked.clone()));
    if let Some(answer) = exchange.answer() {
        messages.push(Message::text("assistant", answer));
    }
}
