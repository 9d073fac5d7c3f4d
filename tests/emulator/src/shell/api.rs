//! The bot's side: every request but those of the control API goes to the platform as it is.

use std::path::PathBuf;
use std::sync::Arc;

use axum::Router;
use axum::body::{Body, to_bytes};
use axum::extract::ws::WebSocketUpgrade;
use axum::extract::{FromRequestParts, Request, State};
use axum::http::request::Parts;
use axum::http::{HeaderName, HeaderValue, StatusCode, header};
use axum::middleware::{Next, from_fn_with_state};
use axum::response::{IntoResponse, Response};
use axum::routing::any;

use super::guard::{self, Expected, Scheme};
use super::hub::{HttpOut, Pending, Shared};
use super::server::CutConnection;
use super::{control, page, socket};
use crate::wire::{HttpRequest, HttpResponse};

/// Largest request body, in bytes: a 20 MB file as base64, and some.
pub(super) const BODY_LIMIT: usize = 32 << 20;

/// Largest frame from a bot, in bytes.
const FRAME_LIMIT: usize = 1 << 20;

pub(super) fn router(
    shared: Arc<Shared>,
    page: Option<PathBuf>,
    expected: Expected,
    scheme: Scheme,
) -> Router {
    Router::new()
        .route("/websocket", any(gateway))
        .route("/websocket/", any(gateway))
        .fallback(platform)
        .layer(from_fn_with_state(expected, guard::only_expected))
        .nest("/_emulator", control::router(scheme))
        .merge(page::router(page, scheme))
        .layer(from_fn_with_state(Arc::clone(&shared), dated))
        .with_state(shared)
}

async fn platform(State(shared): State<Arc<Shared>>, request: Request) -> Response {
    let (parts, body) = request.into_parts();
    let Ok(body) = to_bytes(body, BODY_LIMIT).await else {
        return StatusCode::PAYLOAD_TOO_LARGE.into_response();
    };
    let request = HttpRequest {
        body: body.into(),
        ..described(&parts)
    };
    let out = match shared.request(request) {
        Pending::Ready(out) => Some(out),
        Pending::Later(later) => later.await.ok(),
    };
    match out {
        Some(HttpOut::Reply(response)) => to_axum(response),
        // The emulator stops: the connection breaks as it would with any server.
        Some(HttpOut::Cut) | None => {
            let mut response = Response::new(Body::empty());
            response.extensions_mut().insert(CutConnection);
            response
        }
    }
}

/// Gives every answer the date of the emulator's clock, which the server would take from the machine.
async fn dated(State(shared): State<Arc<Shared>>, request: Request, next: Next) -> Response {
    let mut response = next.run(request).await;
    if let Ok(date) = HeaderValue::from_str(&shared.clock.now().http_date()) {
        response.headers_mut().entry(header::DATE).or_insert(date);
    }
    response
}

async fn gateway(State(shared): State<Arc<Shared>>, request: Request) -> Response {
    let (mut parts, _) = request.into_parts();
    let asked = described(&parts);
    match WebSocketUpgrade::from_request_parts(&mut parts, &shared).await {
        Ok(upgrade) => upgrade
            .max_message_size(FRAME_LIMIT)
            .on_upgrade(move |stream| socket::run(shared, stream, asked)),
        Err(rejection) => rejection.into_response(),
    }
}

fn described(parts: &Parts) -> HttpRequest {
    let headers = parts.headers.iter().map(|(name, value)| {
        let value = String::from_utf8_lossy(value.as_bytes()).into_owned();
        (name.as_str().to_owned(), value)
    });
    HttpRequest {
        method: parts.method.as_str().to_owned(),
        path: parts.uri.path().to_owned(),
        query: parts.uri.query().map(str::to_owned),
        headers: headers.collect(),
        body: Vec::new(),
    }
}

fn to_axum(response: HttpResponse) -> Response {
    let mut answer = Response::new(Body::from(response.bytes().to_vec()));
    *answer.status_mut() =
        StatusCode::from_u16(response.status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
    if response.raw.is_some() {
        guard::keep_inert(&mut answer);
    }
    for (name, value) in &response.headers {
        if let Ok(value) = HeaderValue::from_str(value) {
            answer
                .headers_mut()
                .append(HeaderName::from_static(name), value);
        }
    }
    answer
}
