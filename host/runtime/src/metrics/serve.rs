//! The port for a monitoring: `/metrics` and `/healthz`, and nothing else.

use std::convert::Infallible;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use hyper::body::Incoming;
use hyper::header::{ALLOW, CONTENT_TYPE, HeaderValue};
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper::{Method, Request, Response, StatusCode};
use hyper_util::rt::{TokioIo, TokioTimer};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::Semaphore;
use tokio_util::sync::CancellationToken;

use super::expose;
use crate::bindings::v0_1::HealthLevel;
use crate::runtime::Host;
use crate::status::ChannelStatus;

/// Connections at once; a monitoring has one.
const CONNECTIONS: usize = 32;
/// For the head of a request, and for the whole of a connection that asks again and again.
const HEAD_PATIENCE: Duration = Duration::from_secs(10);
const CONNECTION_LIFE: Duration = Duration::from_secs(300);
/// After a failed accept, which is a lack of file descriptors.
const ACCEPT_PAUSE: Duration = Duration::from_millis(200);

/// The port cannot be had.
#[derive(Debug, thiserror::Error)]
#[error(
    "[host] metrics: {address} cannot be listened on: {cause}; choose another port, or free it"
)]
pub struct MetricsError {
    /// The address.
    pub address: SocketAddr,
    /// What the system says.
    pub cause: std::io::Error,
}

/// Serves the port until it is dropped.
#[derive(Debug)]
pub struct MetricsServer {
    address: SocketAddr,
    stop: CancellationToken,
}

impl MetricsServer {
    /// Listens on an address. Must be called inside a tokio runtime.
    ///
    /// # Errors
    /// See [`MetricsError`].
    pub fn start(host: &Host, address: SocketAddr) -> Result<Self, MetricsError> {
        let failed = |cause| MetricsError { address, cause };
        // Bound at once, so that a port in use is a mistake at the start.
        let listener = std::net::TcpListener::bind(address).map_err(failed)?;
        listener.set_nonblocking(true).map_err(failed)?;
        let listener = TcpListener::from_std(listener).map_err(failed)?;
        let address = listener.local_addr().map_err(failed)?;
        tracing::info!(%address, "numbers are at /metrics, health is at /healthz");
        let stop = CancellationToken::new();
        tokio::spawn(accept(listener, host.clone(), stop.clone()));
        Ok(Self { address, stop })
    }

    /// Where it listens.
    pub fn address(&self) -> SocketAddr {
        self.address
    }
}

impl Drop for MetricsServer {
    fn drop(&mut self) {
        self.stop.cancel();
    }
}

async fn accept(listener: TcpListener, host: Host, stop: CancellationToken) {
    let places = Arc::new(Semaphore::new(CONNECTIONS));
    loop {
        let accepted = tokio::select! {
            () = stop.cancelled() => return,
            accepted = listener.accept() => accepted,
        };
        let Ok((stream, _)) = accepted else {
            tokio::time::sleep(ACCEPT_PAUSE).await;
            continue;
        };
        // Too many at once: whoever comes then is sent away, not kept.
        let Ok(place) = Arc::clone(&places).try_acquire_owned() else {
            continue;
        };
        let (host, stop) = (host.clone(), stop.clone());
        tokio::spawn(async move {
            tokio::select! {
                () = stop.cancelled() => {}
                () = tokio::time::sleep(CONNECTION_LIFE) => {}
                () = connection(stream, host) => {}
            }
            drop(place);
        });
    }
}

async fn connection(stream: TcpStream, host: Host) {
    let service = service_fn(move |request: Request<Incoming>| {
        let response = answer(&host, request.method(), request.uri().path());
        async move { Ok::<_, Infallible>(response) }
    });
    let served = http1::Builder::new()
        .timer(TokioTimer::new())
        .header_read_timeout(HEAD_PATIENCE)
        .serve_connection(TokioIo::new(stream), service)
        .await;
    if let Err(error) = served {
        tracing::debug!(%error, "a connection to the metrics ended badly");
    }
}

fn answer(host: &Host, method: &Method, path: &str) -> Response<String> {
    let known = matches!(path, "/metrics" | "/healthz");
    if known && !matches!(*method, Method::GET | Method::HEAD) {
        let mut response = text(StatusCode::METHOD_NOT_ALLOWED, "ask with GET\n".into());
        let allowed = HeaderValue::from_static("GET, HEAD");
        response.headers_mut().insert(ALLOW, allowed);
        return response;
    }
    let running = || -> Vec<ChannelStatus> {
        let running = host.running();
        running
            .iter()
            .map(crate::runtime::ChannelView::status)
            .collect()
    };
    match path {
        "/metrics" => {
            let numbers = expose::render(&running(), &host.metrics().snapshot());
            typed(StatusCode::OK, expose::MEDIA_TYPE, numbers)
        }
        "/healthz" => healthz(&running()),
        _ => text(
            StatusCode::NOT_FOUND,
            "here are /metrics and /healthz\n".into(),
        ),
    }
}

/// Good while every channel is at work or on its way there.
fn healthz(channels: &[ChannelStatus]) -> Response<String> {
    let word = |level| match level {
        HealthLevel::Ok => "ok",
        HealthLevel::Degraded => "degraded",
        HealthLevel::Stopped => "stopped",
    };
    let stopped = channels
        .iter()
        .any(|c| c.health.level == HealthLevel::Stopped);
    let all = channels.iter().map(|channel| {
        let (health, level) = (&channel.health, word(channel.health.level));
        let one = serde_json::json!({
            "level": level,
            "code": health.code,
            "summary": health.summary,
            "fix": health.fix,
        });
        (channel.name.clone(), one)
    });
    let all: serde_json::Map<String, serde_json::Value> = all.collect();
    let body = serde_json::json!({"ok": !stopped, "channels": all});
    let status = match stopped {
        true => StatusCode::SERVICE_UNAVAILABLE,
        false => StatusCode::OK,
    };
    typed(status, "application/json", format!("{body}\n"))
}

fn text(status: StatusCode, body: String) -> Response<String> {
    typed(status, "text/plain; charset=utf-8", body)
}

fn typed(status: StatusCode, media_type: &'static str, body: String) -> Response<String> {
    let mut response = Response::new(body);
    *response.status_mut() = status;
    let media_type = HeaderValue::from_static(media_type);
    response.headers_mut().insert(CONTENT_TYPE, media_type);
    response
}
