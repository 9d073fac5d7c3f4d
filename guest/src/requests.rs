//! HTTP requests under way: what each is for, and the one way in which they are made.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use crate::bindings::{
    Action, BlobDigest, BlobMake, BlobRange, BlobSink, BodySink, Encoding, EntropyAsk, Hash,
    Header, HttpRequest, Piece, SecretRef,
};
use crate::channel::Check;
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
/// Milliseconds that a file may take, up or down.
const BYTES_TIMEOUT_MS: u32 = 120_000;
/// Milliseconds after which the acknowledgement of a press helps nobody (`PROTOCOL.md`, "Interactions").
const ACK_TIMEOUT_MS: u32 = 3_000;

/// Which of the two discovery endpoints is asked.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Discovery {
    /// `/gateway/bot`: with shards and the session start limit.
    WithLimits,
    /// `/gateway`: the address only.
    Plain,
}

/// What random bytes are for: what they become is known to nobody else.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Random {
    /// A pairing code, for the operator's command with this id, or for the log.
    Code(Option<u64>),
    /// What a press of the owner's must carry, who is asked about the request with this number.
    Ask(u32),
    /// What a press must carry that answers a question of the agent's in this turn.
    Approval(TurnId),
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
    /// A step of the upload of a part's media: a request, a digest or a blob.
    Upload {
        /// Whose.
        turn: TurnId,
        /// Which, from 0.
        part: usize,
    },
    /// An attachment of a message.
    Fetch {
        /// Whose.
        turn: TurnId,
        /// Which, from 0.
        attachment: usize,
    },
    /// A piece of a text that grows.
    Stream {
        /// Whose.
        turn: TurnId,
    },
    /// A typing notice.
    Typing {
        /// For which turn.
        turn: TurnId,
    },
    /// Random bytes.
    Random(Random),
    /// A question of the doctor's.
    Doctor(Check),
    /// The acknowledgement of a press.
    Ack,
    /// An emoji that says how far a message is.
    Mark,
}

/// Requests that share a number of places. Together they stay below what the manifest allows at once
/// (`max_requests`), so that a token, the gateway's address and whatever else is asked for one at a time always finds one.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Lane {
    /// Parts of answers, their uploads, and pieces of growing texts.
    Sends,
    /// Attachments.
    Fetches,
    /// Typing notices and emoji.
    Signs,
    /// Acknowledgements of presses.
    Acks,
}

impl Lane {
    /// Requests of it that may be under way at once.
    #[must_use]
    pub const fn places(self) -> usize {
        match self {
            Self::Sends => 128,
            Self::Fetches => 48,
            Self::Signs | Self::Acks => 32,
        }
    }
}

impl Purpose {
    /// Where it counts; nowhere, for what is asked for one at a time.
    fn lane(&self) -> Option<Lane> {
        match self {
            Self::Send { .. } | Self::Upload { .. } | Self::Stream { .. } => Some(Lane::Sends),
            Self::Fetch { .. } => Some(Lane::Fetches),
            Self::Typing { .. } | Self::Mark => Some(Lane::Signs),
            Self::Ack => Some(Lane::Acks),
            Self::Token | Self::Discover(_) | Self::Random(_) | Self::Doctor(_) => None,
        }
    }

    /// The word that the host shows for it.
    fn word(&self) -> &'static str {
        match self {
            Self::Token => "token",
            Self::Discover(_) => "gateway",
            Self::Send { .. } => "send",
            Self::Upload { .. } => "upload",
            Self::Fetch { .. } => "fetch",
            Self::Stream { .. } => "stream",
            Self::Typing { .. } => "typing",
            Self::Random(_) => "random",
            Self::Doctor(_) => "doctor",
            Self::Ack => "ack",
            Self::Mark => "mark",
        }
    }

    /// Milliseconds that it may take.
    fn timeout_ms(&self) -> u32 {
        match self {
            Self::Token => TOKEN_TIMEOUT_MS,
            Self::Upload { .. } | Self::Fetch { .. } => BYTES_TIMEOUT_MS,
            Self::Ack => ACK_TIMEOUT_MS,
            _ => API_TIMEOUT_MS,
        }
    }
}

/// The body of an API call.
#[derive(Clone, Debug, PartialEq)]
pub enum Body {
    /// None.
    None,
    /// JSON.
    Json(String),
    /// JSON in pieces, some of them bytes of a blob.
    JsonPieces(Vec<Piece>),
    /// `multipart/form-data` with this boundary.
    Form {
        /// The line between two fields.
        boundary: String,
        /// The body.
        pieces: Vec<Piece>,
    },
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

    /// How many more requests of a lane may be made now.
    #[must_use]
    pub fn room(&self, lane: Lane) -> usize {
        let taken = self.by_id.values().filter(|it| it.lane() == Some(lane));
        lane.places().saturating_sub(taken.count())
    }

    /// True while something like this is under way.
    #[must_use]
    pub fn any(&self, is: impl Fn(&Purpose) -> bool) -> bool {
        self.by_id.values().any(is)
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
        body: Body,
        after_commit: bool,
    ) -> RequestId {
        self.call_api_at(None, purpose, method, path, body, after_commit)
    }

    /// The same at another base than the configured one.
    pub fn call_api_at(
        &mut self,
        base: Option<&str>,
        purpose: Purpose,
        method: &str,
        path: &str,
        body: Body,
        after_commit: bool,
    ) -> RequestId {
        let mut headers = vec![
            header(
                "authorization",
                vec![text("QQBot "), secret(ACCESS_TOKEN, Encoding::Raw)],
            ),
            header("x-union-appid", vec![text(self.config.app_id.as_str())]),
        ];
        let body = match body {
            Body::None => Vec::new(),
            Body::Json(json) => {
                headers.push(json_header());
                vec![text(json)]
            }
            Body::JsonPieces(pieces) => {
                headers.push(json_header());
                pieces
            }
            Body::Form { boundary, pieces } => {
                let kind = format!("multipart/form-data; boundary={boundary}");
                headers.push(header("content-type", vec![text(kind)]));
                pieces
            }
        };
        let request = HttpRequest {
            url: format!("{}{path}", base.unwrap_or(&self.config.api_base)),
            headers,
            body,
            want_headers: vec!["x-tps-trace-id".into(), "retry-after".into()],
            ..plain_request(method)
        };
        self.request(purpose, request, after_commit)
    }

    /// Puts a range of a blob somewhere that needs no token of ours: its address is the permission.
    pub fn put_range(&mut self, purpose: Purpose, url: &str, range: BlobRange) -> RequestId {
        let request = HttpRequest {
            url: url.to_owned(),
            body: vec![Piece::Blob(range)],
            ..plain_request("PUT")
        };
        self.request(purpose, request, false)
    }

    /// Fetches a file into a new blob of at most so many bytes. No credentials go with it.
    pub fn fetch(&mut self, purpose: Purpose, url: &str, max_bytes: u64) -> u64 {
        let blob = self.ids.request().0;
        let request = HttpRequest {
            url: url.to_owned(),
            redirects: 3,
            sink: BodySink::Blob(BlobSink { blob, max_bytes }),
            ..plain_request("GET")
        };
        self.request(purpose, request, false);
        blob
    }

    /// Asks for digests of a range of a blob.
    pub fn digest(
        &mut self,
        purpose: Purpose,
        blob: u64,
        range: (u64, Option<u64>),
        hashes: Vec<Hash>,
    ) -> RequestId {
        let id = self.ids.request();
        self.requests.by_id.insert(id, purpose);
        self.emit(Action::BlobDigest(BlobDigest {
            id: id.0,
            blob,
            offset: range.0,
            length: range.1,
            hashes,
        }));
        id
    }

    /// Asks the host for random bytes.
    pub fn ask_random(&mut self, random: Random, count: u32) -> RequestId {
        let id = self.ids.request();
        self.requests.by_id.insert(id, Purpose::Random(random));
        self.emit(Action::EntropyAsk(EntropyAsk { id: id.0, count }));
        id
    }

    /// Makes a blob of a text. The answer comes under the blob's own id.
    pub fn make_blob(&mut self, purpose: Purpose, content: String, name: &str) -> RequestId {
        let id = self.ids.request();
        self.requests.by_id.insert(id, purpose);
        self.emit(Action::BlobMake(BlobMake {
            blob: id.0,
            content: vec![text(content)],
            name: Some(name.to_owned()),
        }));
        id
    }

    /// Asks for an access token. The host puts the secret in and takes the token out, as `plugin.toml` declares.
    pub fn call_token(&mut self) -> RequestId {
        let app_id = serde_json::Value::from(self.config.app_id.as_str()).to_string();
        let request = HttpRequest {
            url: self.config.token_url.clone(),
            headers: vec![json_header()],
            body: vec![
                text(format!("{{\"appId\":{app_id},\"clientSecret\":\"")),
                secret(APP_SECRET, Encoding::JsonString),
                text("\"}"),
            ],
            want_headers: vec!["date".into(), "x-tps-trace-id".into()],
            ..plain_request("POST")
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
        request.timeout_ms = purpose.timeout_ms();
        request.purpose = purpose.word().to_owned();
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

fn header(name: &str, value: Vec<Piece>) -> Header {
    Header {
        name: name.to_owned(),
        value,
    }
}

fn json_header() -> Header {
    header("content-type", vec![text("application/json")])
}

/// A request with nothing in it: id, purpose and time limit come when it is made.
fn plain_request(method: &str) -> HttpRequest {
    HttpRequest {
        id: 0,
        method: method.to_owned(),
        url: String::new(),
        headers: Vec::new(),
        body: Vec::new(),
        timeout_ms: 0,
        redirects: 0,
        sink: BodySink::Text(MAX_ANSWER),
        want_headers: Vec::new(),
        purpose: String::new(),
    }
}
