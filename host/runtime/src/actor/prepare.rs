//! Requests and sockets made ready: egress is decided, bounds are put on what may come back, and secrets are joined in.

use std::sync::Arc;
use std::time::Duration;

use super::command::{BodyPiece, HttpCall, SocketDial};
use super::places::{HeadersOf, Joiner, Misplaced, carries_secret, plain};
use crate::bindings::v0_1::{BodySink, HttpRequest, Piece, SecretUse, SocketOpen};
use crate::egress::secrets::Position;
use crate::egress::{EgressDenied, EgressPolicy, Scheme};
use crate::limits::Limits;
use crate::vault::{MAX_SPELLING_BYTES, SecretRefused, Vault};

/// Headers that belong to the host, and those that would carry credentials past the vault.
const REFUSED_HEADERS: [&str; 20] = [
    "connection",
    "content-length",
    "cookie",
    "expect",
    "forwarded",
    "host",
    "keep-alive",
    "proxy-authenticate",
    "proxy-authorization",
    "proxy-connection",
    "te",
    "trailer",
    "transfer-encoding",
    "upgrade",
    "x-forwarded-for",
    // Servers take another method or path from these than the ones that were checked.
    "x-http-method",
    "x-http-method-override",
    "x-method-override",
    "x-original-url",
    "x-rewrite-url",
];
/// However long the guest would wait: a server that goes on sending answers of no meaning (1xx) costs the host for as long.
const MAX_REQUEST_TIME: Duration = Duration::from_secs(600);
/// Bytes that are read of an answer that brings a secret, whatever the guest's own bound is.
const MAX_CAPTURED_BODY: usize = 64 << 10;

/// Why something is not sent.
#[derive(Debug, thiserror::Error)]
pub(super) enum Denied {
    #[error(transparent)]
    Egress(#[from] EgressDenied),
    #[error(transparent)]
    Secret(#[from] SecretRefused),
    #[error("the header {0:?} belongs to the host, or is not a valid one")]
    Header(String),
    #[error("{0:?} is not a method that the host sends")]
    Method(String),
    #[error("bytes of a blob cannot stand in a header")]
    BlobInHeader,
    #[error("a secret cannot be put into a blob")]
    SecretInBlob,
    #[error(transparent)]
    Misplaced(#[from] Misplaced),
    #[error(
        "the answer to a request with a secret in it cannot go into a blob, where an echo of the secret would be seen; ask for text"
    )]
    BlobAnswer,
    #[error("answers of this address bring a secret and cannot go into a blob; ask for text")]
    BlobOfSecret,
    #[error("more than {0} at once, which is [resources] {1} of plugin.toml; wait for one to end")]
    TooMany(usize, &'static str),
    #[error(
        "answers of more than {0} bytes at once, which is [resources] max_answers_mb of plugin.toml; ask for less, or wait for one to end"
    )]
    Answers(usize),
    #[error(
        "more than {0} {1} within a minute, which is [resources] {2} of plugin.toml; wait a minute"
    )]
    TooOften(usize, &'static str, &'static str),
}

/// True for a header that a component may set.
pub(super) fn header_allowed(name: &str) -> bool {
    let token =
        |b: u8| b.is_ascii_lowercase() || b.is_ascii_digit() || b"-_.!#$%&'*+^`|~".contains(&b);
    !name.is_empty()
        && name.bytes().all(token)
        && !name.starts_with("sec-websocket-")
        && !name.starts_with("proxy-")
        && !REFUSED_HEADERS.contains(&name)
}

/// A request, ready to be made, and the secrets in it.
pub(super) fn http(
    request: HttpRequest,
    egress: &Arc<EgressPolicy>,
    vault: &Vault,
    limits: &Limits,
) -> Result<(HttpCall, Vec<SecretUse>), Denied> {
    const METHODS: [&str; 7] = ["GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"];
    if !METHODS.contains(&request.method.as_str()) {
        return Err(Denied::Method(request.method));
    }
    let grant = egress.decide(&request.url, Scheme::Http)?;
    let into_blob = matches!(request.sink, BodySink::Blob(_));
    if into_blob && !egress.captures_at(&grant.url).is_empty() {
        return Err(Denied::BlobOfSecret);
    }
    if into_blob && carries_secret(&request.headers, &request.body) {
        return Err(Denied::BlobAnswer);
    }
    let method = request.method.as_str();
    let mut joiner = Joiner::new(vault, &grant.positions);
    let headers = joiner.headers(HeadersOf::Request { method }, request.headers)?;
    let body = joiner.body(method, request.body, &headers)?;
    let used = joiner.used();
    let mut want_headers = request.want_headers;
    // Cookies do not go out, and nothing else is a reason to see one.
    want_headers.retain(|name| !name.eq_ignore_ascii_case("set-cookie"));
    let call = HttpCall {
        id: request.id,
        method: request.method,
        url: grant.url,
        headers,
        body,
        timeout: Duration::from_millis(request.timeout_ms.into()).min(MAX_REQUEST_TIME),
        redirects: request.redirects,
        read_bytes: read_bytes(&request.sink, limits),
        sink: request.sink,
        want_headers,
        purpose: request.purpose,
        egress: Arc::clone(egress),
    };
    Ok((call, used))
}

/// Bytes of an answer that the guest gets to see as text.
pub(super) fn text_bytes(sink: &BodySink, limits: &Limits) -> usize {
    match sink {
        BodySink::Text(max) => usize::try_from(*max)
            .unwrap_or(usize::MAX)
            .min(limits.answer_bytes),
        BodySink::Blob(_) => 0,
    }
}

/// Bytes that are read of an answer in memory: what is shown, what may be the rest of a secret that begins in it, and
/// in any case as much as an answer may have that brings a secret.
fn read_bytes(sink: &BodySink, limits: &Limits) -> usize {
    match sink {
        BodySink::Text(_) => text_bytes(sink, limits)
            .saturating_add(MAX_SPELLING_BYTES)
            .max(MAX_CAPTURED_BODY),
        BodySink::Blob(_) => 0,
    }
}

/// A socket, ready to be dialled, and where secrets may stand in what is sent on it.
pub(super) fn socket(
    open: SocketOpen,
    egress: &EgressPolicy,
    vault: &Vault,
    limits: &Limits,
) -> Result<(SocketDial, Vec<Arc<Position>>), Denied> {
    let grant = egress.decide(&open.url, Scheme::Socket)?;
    let headers = Joiner::new(vault, &grant.positions).headers(HeadersOf::Upgrade, open.headers)?;
    let asked = usize::try_from(open.max_message).unwrap_or(usize::MAX);
    let dial = SocketDial {
        id: open.id,
        url: grant.url,
        headers,
        timeout: Duration::from_millis(open.timeout_ms.into()).min(MAX_REQUEST_TIME),
        max_message: asked.min(limits.message_bytes),
    };
    Ok((dial, grant.positions))
}

/// Content for a blob. A blob can be sent anywhere, so no secret goes in.
pub(super) fn blob_content(pieces: Vec<Piece>) -> Result<Vec<BodyPiece>, Denied> {
    if pieces.iter().any(|p| matches!(p, Piece::Secret(_))) {
        return Err(Denied::SecretInBlob);
    }
    Ok(plain(pieces))
}

#[cfg(test)]
mod tests {
    use super::header_allowed;

    #[test]
    fn headers_of_the_host_and_of_the_protocol_are_refused() {
        for good in ["authorization", "content-type", "x-app", "user-agent"] {
            assert!(header_allowed(good), "{good}");
        }
        for bad in [
            "host",
            "cookie",
            "content-length",
            "transfer-encoding",
            "sec-websocket-key",
            "upgrade",
            "proxy-authorization",
            "",
            "a b",
            "a:b",
            "a\r\nb",
            "Authorization",
            "é",
        ] {
            assert!(!header_allowed(bad), "{bad:?}");
        }
    }
}
