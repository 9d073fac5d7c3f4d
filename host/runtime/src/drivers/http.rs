//! One request at a time: sent, redirected where allowed, answered into memory or into a blob.

use reqwest::header::{HeaderMap, HeaderName, HeaderValue, LOCATION};
use reqwest::{Method, Response, StatusCode};
use url::Url;

use super::blobs::{BlobError, Blobs};
use super::body::{Begun, SizedBody};
use super::failure::{failed, of_client};
use super::network::Network;
use crate::actor::{HeaderOut, HttpCall, RawBody, RawHttpDone, RawResponse};
use crate::bindings::v0_1::{BodySink, Failure, HeaderText, Stage};
use crate::egress::Scheme;

/// Makes a request and waits for all of its answer, within its time.
pub(crate) async fn call(network: &Network, blobs: &Blobs, call: HttpCall) -> RawHttpDone {
    let id = call.id;
    let begun = Begun::default();
    let limit = call.timeout;
    let with_body = !call.body.is_empty();
    let run = run(network, blobs, &call, &begun);
    let outcome = match tokio::time::timeout(limit, run).await {
        Ok(outcome) => outcome,
        Err(_) => {
            let detail = format!("no answer within {} ms", limit.as_millis());
            // Without a body there is no telling whether the head has left.
            Err(failed(Stage::Timeout, detail, begun.get() || !with_body))
        }
    };
    RawHttpDone { id, outcome }
}

async fn run(
    network: &Network,
    blobs: &Blobs,
    call: &HttpCall,
    begun: &Begun,
) -> Result<RawResponse, Failure> {
    let method = Method::from_bytes(call.method.as_bytes());
    let method = method.map_err(|e| failed(Stage::Policy, e.to_string(), false))?;
    let mut hop = Hop {
        url: call.url.clone(),
        method,
        first: true,
    };
    let mut hops = Vec::new();
    for _ in 0..=call.redirects {
        hops.push(hop.url.clone());
        let response = send(network, blobs, call, &hop, begun).await?;
        match hop.next(call, &response)? {
            Some(next) => hop = next,
            None => return answer(blobs, call, hops, response).await,
        }
    }
    let detail = format!("more than {} redirects", call.redirects);
    Err(failed(Stage::Protocol, detail, true))
}

/// Where a request goes now.
struct Hop {
    url: Url,
    method: Method,
    first: bool,
}

impl Hop {
    /// Where an answer leads, if it is followed: only what was asked without a body, only to where
    /// the rules allow, and without anything secret.
    fn next(&self, call: &HttpCall, response: &Response) -> Result<Option<Self>, Failure> {
        let followed = call.redirects > 0
            && matches!(self.method, Method::GET | Method::HEAD)
            && response.status().is_redirection();
        let location = response.headers().get(LOCATION);
        let Some(location) = location.filter(|_| followed) else {
            return Ok(None);
        };
        let target = location.to_str().ok().and_then(|l| self.url.join(l).ok());
        let target =
            target.ok_or_else(|| failed(Stage::Protocol, "a redirect to nowhere", true))?;
        let grant = call.egress.decide_url(target, Scheme::Http);
        let grant = grant.map_err(|denied| {
            failed(
                Stage::Policy,
                format!("a redirect was refused: {denied}"),
                true,
            )
        })?;
        let into_blob = matches!(call.sink, BodySink::Blob(_));
        if into_blob && !call.egress.captures_at(&grant.url).is_empty() {
            let detail = "a redirect was refused: answers of its address bring a secret and cannot go into a blob";
            return Err(failed(Stage::Policy, detail, true));
        }
        Ok(Some(Self {
            url: grant.url,
            method: self.method.clone(),
            first: false,
        }))
    }
}

async fn send(
    network: &Network,
    blobs: &Blobs,
    call: &HttpCall,
    hop: &Hop,
    begun: &Begun,
) -> Result<Response, Failure> {
    let keep = |h: &&HeaderOut| hop.first || !(h.secret || h.name == "authorization");
    let headers = headers(call.headers.iter().filter(keep))?;
    let mut request = network
        .http
        .request(hop.method.clone(), hop.url.clone())
        .headers(headers);
    if hop.first {
        let body = SizedBody::new(&call.body, blobs, begun.clone()).await;
        let body = body.map_err(|e| failed(Stage::Host, e.to_string(), false))?;
        if let Some(body) = body {
            request = request.body(reqwest::Body::wrap(body));
        }
    }
    let sent = request.send().await;
    sent.map_err(|error| of_client(error, begun.get() || call.body.is_empty()))
}

/// Prepared headers for the client.
///
/// # Errors
/// A name or value that cannot be sent.
pub(super) fn headers<'a>(
    headers: impl Iterator<Item = &'a HeaderOut>,
) -> Result<HeaderMap, Failure> {
    let mut map = HeaderMap::new();
    for header in headers {
        let bad = |what| {
            failed(
                Stage::Policy,
                format!("the header {} has {what}", header.name),
                false,
            )
        };
        let name = HeaderName::from_bytes(header.name.as_bytes());
        let name = name.map_err(|_| bad("a name that cannot be sent"))?;
        let value = HeaderValue::from_str(header.value.expose());
        let mut value = value.map_err(|_| bad("a value that cannot be sent"))?;
        value.set_sensitive(header.secret);
        map.append(name, value);
    }
    Ok(map)
}

async fn answer(
    blobs: &Blobs,
    call: &HttpCall,
    hops: Vec<Url>,
    response: Response,
) -> Result<RawResponse, Failure> {
    let status = response.status();
    let headers = wanted(&call.want_headers, response.headers());
    let body = match &call.sink {
        BodySink::Text(_) => text(response, call.read_bytes).await?,
        BodySink::Blob(_) if !status.is_success() => nothing(),
        BodySink::Blob(sink) => {
            let name = file_name(&call.url);
            into_blob(blobs, sink.blob, sink.max_bytes, name, response).await?
        }
    };
    Ok(RawResponse {
        status: StatusCode::as_u16(&status),
        hops,
        headers,
        body,
    })
}

fn wanted(names: &[String], headers: &HeaderMap) -> Vec<HeaderText> {
    let found = names.iter().filter_map(|name| {
        let value = headers.get(name.as_str())?;
        Some(HeaderText {
            name: name.clone(),
            value: String::from_utf8_lossy(value.as_bytes()).into_owned(),
        })
    });
    found.collect()
}

fn nothing() -> RawBody {
    RawBody::Bytes {
        bytes: Vec::new(),
        truncated: false,
    }
}

async fn text(mut response: Response, max: usize) -> Result<RawBody, Failure> {
    let mut bytes = Vec::new();
    while let Some(chunk) = response.chunk().await.map_err(|e| of_client(e, true))? {
        let room = max - bytes.len();
        bytes.extend_from_slice(chunk.get(..room).unwrap_or(&chunk));
        if chunk.len() > room {
            return Ok(RawBody::Bytes {
                bytes,
                truncated: true,
            });
        }
    }
    Ok(RawBody::Bytes {
        bytes,
        truncated: false,
    })
}

async fn into_blob(
    blobs: &Blobs,
    id: u64,
    max_bytes: u64,
    name: Option<String>,
    mut response: Response,
) -> Result<RawBody, Failure> {
    let store_failed = |error: BlobError| {
        let stage = match error {
            BlobError::TooLarge(_) => Stage::TooLarge,
            BlobError::Full(_) | BlobError::Gone(_) | BlobError::Io(_) => Stage::Host,
        };
        failed(stage, error.to_string(), true)
    };
    let declared = response.content_length().unwrap_or(0);
    if declared > max_bytes {
        return Err(store_failed(BlobError::TooLarge(max_bytes)));
    }
    let mut writer = blobs.writer(id, max_bytes).await.map_err(store_failed)?;
    while let Some(chunk) = response.chunk().await.map_err(|e| of_client(e, true))? {
        writer.write(&chunk).await.map_err(store_failed)?;
    }
    let info = writer.finish(name).await.map_err(store_failed)?;
    Ok(RawBody::Blob(info))
}

/// A name for what was downloaded, where the address ends in one.
fn file_name(url: &Url) -> Option<String> {
    let last = url.path_segments()?.next_back()?;
    let named = last.contains('.') && !last.is_empty();
    named.then(|| {
        percent_encoding::percent_decode_str(last)
            .decode_utf8_lossy()
            .into_owned()
    })
}

#[cfg(test)]
mod tests;
