//! HTTP requests under way: what each is for, and the one way in which they are made.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use crate::bindings::{Action, BodySink, Capture, Encoding, Header, HttpRequest, Piece, SecretRef};
use crate::env::Env;
use crate::ids::{RequestId, TurnId};

/// Name of the operator's secret in the vault.
pub const APP_SECRET: &str = "app_secret";
/// Name under which the vault keeps the captured token.
pub const ACCESS_TOKEN: &str = "access_token";

/// Bytes of an answer that we read; the platform's answers are far smaller.
const MAX_ANSWER: u32 = 256 * 1024;
/// Milliseconds an API call may take. The platform asks for at least 5 s (`PROTOCOL.md`, "Sending").
const API_TIMEOUT_MS: u32 = 15_000;
/// Milliseconds a token request may take.
const TOKEN_TIMEOUT_MS: u32 = 10_000;

/// Which of the two discovery endpoints is asked.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Discovery {
    /// `/gateway/bot`: with shards and the session start limit.
    WithLimits,
    /// `/gateway`: the address only.
    Plain,
}

/// What a request is for.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Purpose {
    /// A new access token.
    Token,
    /// The address of the gateway.
    Discover(Discovery),
    /// A part of an answer.
    Send {
        /// Whose.
        turn: TurnId,
        /// Which, from 0.
        part: usize,
    },
}

impl Purpose {
    /// The word that the host shows for it.
    fn word(&self) -> &'static str {
        match self {
            Self::Token => "token",
            Self::Discover(_) => "gateway",
            Self::Send { .. } => "send",
        }
    }
}

/// The requests under way.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Requests {
    by_id: BTreeMap<RequestId, Purpose>,
}

impl Requests {
    /// What a finished request was for. `None` for one that nobody waits for any more.
    pub fn take(&mut self, id: RequestId) -> Option<Purpose> {
        self.by_id.remove(&id)
    }

    /// Ids of all requests under way, ascending.
    #[must_use]
    pub fn ids(&self) -> Vec<u64> {
        self.by_id.keys().map(|id| id.0).collect()
    }

    /// How many are under way.
    #[must_use]
    pub fn len(&self) -> usize {
        self.by_id.len()
    }

    /// True when none is under way.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.by_id.is_empty()
    }
}

/// A text piece.
#[must_use]
pub fn text(text: impl Into<String>) -> Piece {
    Piece::Text(text.into())
}

/// A secret piece.
#[must_use]
pub fn secret(name: &str, encoding: Encoding) -> Piece {
    Piece::Secret(SecretRef {
        name: name.to_owned(),
        encoding,
    })
}

impl Env {
    /// Makes an API call with the bot's token. `after_commit` as in [`Env::emit_after_commit`].
    pub fn call_api(
        &mut self,
        purpose: Purpose,
        method: &str,
        path: &str,
        body: Option<String>,
        after_commit: bool,
    ) -> RequestId {
        let mut headers = vec![
            Header {
                name: "authorization".into(),
                value: vec![text("QQBot "), secret(ACCESS_TOKEN, Encoding::Raw)],
            },
            Header {
                name: "x-union-appid".into(),
                value: vec![text(self.config.app_id.as_str())],
            },
        ];
        if body.is_some() {
            headers.push(json_header());
        }
        let request = HttpRequest {
            id: 0,
            method: method.to_owned(),
            url: format!("{}{path}", self.config.api_base),
            headers,
            body: body.map(|body| vec![text(body)]).unwrap_or_default(),
            timeout_ms: API_TIMEOUT_MS,
            redirects: 0,
            sink: BodySink::Text(MAX_ANSWER),
            want_headers: vec!["x-tps-trace-id".into(), "retry-after".into()],
            capture: Vec::new(),
            purpose: purpose.word().to_owned(),
        };
        self.request(purpose, request, after_commit)
    }

    /// Asks for an access token. The host puts the secret in and takes the token out.
    pub fn call_token(&mut self) -> RequestId {
        let app_id = serde_json::Value::from(self.config.app_id.as_str()).to_string();
        let request = HttpRequest {
            id: 0,
            method: "POST".to_owned(),
            url: self.config.token_url.clone(),
            headers: vec![json_header()],
            body: vec![
                text(format!("{{\"appId\":{app_id},\"clientSecret\":\"")),
                secret(APP_SECRET, Encoding::JsonString),
                text("\"}"),
            ],
            timeout_ms: TOKEN_TIMEOUT_MS,
            redirects: 0,
            sink: BodySink::Text(MAX_ANSWER),
            want_headers: vec!["date".into(), "x-tps-trace-id".into()],
            capture: vec![Capture {
                secret: ACCESS_TOKEN.into(),
                pointer: "/access_token".into(),
            }],
            purpose: Purpose::Token.word().to_owned(),
        };
        self.request(Purpose::Token, request, false)
    }

    fn request(
        &mut self,
        purpose: Purpose,
        mut request: HttpRequest,
        after_commit: bool,
    ) -> RequestId {
        let id = self.ids.request();
        request.id = id.0;
        self.requests.by_id.insert(id, purpose);
        let action = Action::Http(request);
        if after_commit {
            self.emit_after_commit(action);
        } else {
            self.emit(action);
        }
        id
    }
}

fn json_header() -> Header {
    Header {
        name: "content-type".into(),
        value: vec![text("application/json")],
    }
}
