//! Pieces become frames, headers and bodies: egress is decided and secrets are joined in here.

use std::collections::BTreeSet;
use std::time::Duration;

use super::command::{BodyPiece, HeaderOut, HttpCall, SocketDial};
use crate::bindings::v0_1::{Header, HttpRequest, Piece, SecretUse, SocketOpen};
use crate::egress::{EgressDenied, EgressPolicy, Scheme};
use crate::vault::{Hidden, SecretRefused, Vault};

/// Headers that belong to the host, and those that would carry credentials past the vault.
const REFUSED_HEADERS: [&str; 15] = [
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
];

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
    #[error(
        "{0:?} is not among the secrets that responses may bring; add it to [secrets] captured in plugin.toml"
    )]
    Capture(String),
    #[error("more than {0} at once; wait for one to end")]
    TooMany(usize),
    #[error(
        "more than {0} requests within a minute, which is [resources] max_requests_per_minute of plugin.toml; wait a minute"
    )]
    TooOften(usize),
}

/// Joins pieces towards one destination and keeps account of the secrets that went in.
pub(super) struct Joiner<'a> {
    vault: &'a Vault,
    bound: &'a BTreeSet<String>,
    used: BTreeSet<String>,
}

impl<'a> Joiner<'a> {
    pub(super) fn new(vault: &'a Vault, bound: &'a BTreeSet<String>) -> Self {
        Self {
            vault,
            bound,
            used: BTreeSet::new(),
        }
    }

    /// Which generation of each secret went in.
    pub(super) fn used(&self) -> Vec<SecretUse> {
        let used = self.used.iter().map(|name| SecretUse {
            name: name.clone(),
            generation: self.vault.generation(name),
        });
        used.collect()
    }

    /// Joins text and secrets; blobs stay ranges.
    pub(super) fn body(&mut self, pieces: Vec<Piece>) -> Result<Vec<BodyPiece>, Denied> {
        let mut body: Vec<BodyPiece> = Vec::new();
        for piece in pieces {
            let text = match piece {
                Piece::Text(text) => Hidden::new(text),
                Piece::Secret(secret) => {
                    let value = self.vault.fill(&secret.name, secret.encoding, self.bound)?;
                    self.used.insert(secret.name);
                    value
                }
                Piece::Blob(range) => {
                    body.push(BodyPiece::Blob(range));
                    continue;
                }
            };
            match body.last_mut() {
                Some(BodyPiece::Text(before)) => before.push(text.expose()),
                _ => body.push(BodyPiece::Text(text)),
            }
        }
        Ok(body)
    }

    fn headers(&mut self, headers: Vec<Header>) -> Result<Vec<HeaderOut>, Denied> {
        headers.into_iter().map(|h| self.header(h)).collect()
    }

    fn header(&mut self, header: Header) -> Result<HeaderOut, Denied> {
        let name = header.name;
        if !header_allowed(&name) {
            return Err(Denied::Header(name));
        }
        let secret = header.value.iter().any(|p| matches!(p, Piece::Secret(_)));
        let mut value = Hidden::new("");
        for piece in self.body(header.value)? {
            match piece {
                BodyPiece::Text(text) => value.push(text.expose()),
                BodyPiece::Blob(_) => return Err(Denied::BlobInHeader),
            }
        }
        // A line break would begin a header of the guest's choosing, or a second request.
        if value.expose().chars().any(|c| c.is_control() && c != '\t') {
            return Err(Denied::Header(name));
        }
        Ok(HeaderOut {
            name,
            value,
            secret,
        })
    }
}

fn header_allowed(name: &str) -> bool {
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
    egress: &std::sync::Arc<EgressPolicy>,
    vault: &Vault,
) -> Result<(HttpCall, Vec<SecretUse>), Denied> {
    const METHODS: [&str; 7] = ["GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"];
    if !METHODS.contains(&request.method.as_str()) {
        return Err(Denied::Method(request.method));
    }
    let foreign = request
        .capture
        .iter()
        .find(|c| !vault.may_capture(&c.secret));
    if let Some(foreign) = foreign {
        return Err(Denied::Capture(foreign.secret.clone()));
    }
    let grant = egress.decide(&request.url, Scheme::Http)?;
    let mut joiner = Joiner::new(vault, &grant.secrets);
    let headers = joiner.headers(request.headers)?;
    let body = joiner.body(request.body)?;
    let used = joiner.used();
    let call = HttpCall {
        id: request.id,
        method: request.method,
        url: grant.url,
        headers,
        body,
        timeout: Duration::from_millis(request.timeout_ms.into()),
        redirects: request.redirects,
        sink: request.sink,
        want_headers: request.want_headers,
        purpose: request.purpose,
        egress: std::sync::Arc::clone(egress),
    };
    Ok((call, used))
}

/// A socket, ready to be dialled, and the secrets that may be sent on it.
pub(super) fn socket(
    open: SocketOpen,
    egress: &EgressPolicy,
    vault: &Vault,
) -> Result<(SocketDial, BTreeSet<String>), Denied> {
    let grant = egress.decide(&open.url, Scheme::Socket)?;
    let headers = Joiner::new(vault, &grant.secrets).headers(open.headers)?;
    let dial = SocketDial {
        id: open.id,
        url: grant.url,
        headers,
        timeout: Duration::from_millis(open.timeout_ms.into()),
        max_message: usize::try_from(open.max_message).unwrap_or(usize::MAX),
    };
    Ok((dial, grant.secrets))
}

/// Content for a blob. A blob can be sent anywhere, so no secret goes in.
pub(super) fn blob_content(pieces: Vec<Piece>, vault: &Vault) -> Result<Vec<BodyPiece>, Denied> {
    if pieces.iter().any(|p| matches!(p, Piece::Secret(_))) {
        return Err(Denied::SecretInBlob);
    }
    Joiner::new(vault, &BTreeSet::new()).body(pieces)
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
