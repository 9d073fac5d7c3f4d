//! Accepting connections: one task each, with TCP_NODELAY, TLS if wanted, and the way to break a
//! connection without an answer.

use std::convert::Infallible;
use std::io;
use std::sync::Arc;

use axum::Router;
use axum::response::Response;
use hyper::body::Incoming;
use hyper::server::conn::http1;
use hyper::service::{Service, service_fn};
use hyper_util::rt::TokioIo;
use hyper_util::service::TowerToHyperService;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::{TcpListener, TcpStream};
use tokio::task::JoinSet;
use tokio_rustls::TlsAcceptor;

/// Marks a response that must not be sent: the connection is broken instead.
#[derive(Debug, Clone, Copy)]
pub(super) struct CutConnection;

/// Serves until it is aborted; its connections end with it.
pub(super) async fn serve(
    listener: TcpListener,
    tls: Option<Arc<rustls::ServerConfig>>,
    router: Router,
) {
    let acceptor = tls.map(TlsAcceptor::from);
    let mut connections = JoinSet::new();
    loop {
        tokio::select! {
            accepted = listener.accept() => match accepted {
                Ok((stream, _)) => {
                    connections.spawn(connection(stream, acceptor.clone(), router.clone()));
                }
                // Out of file handles, most likely: let others finish first.
                Err(error) => {
                    tracing::warn!(%error, "cannot accept a connection");
                    connections.join_next().await;
                }
            },
            Some(_) = connections.join_next(), if !connections.is_empty() => {}
        }
    }
}

async fn connection(stream: TcpStream, tls: Option<TlsAcceptor>, router: Router) {
    if let Err(error) = stream.set_nodelay(true) {
        tracing::debug!(%error, "no TCP_NODELAY");
    }
    match tls {
        None => speak(stream, router).await,
        Some(tls) => match tls.accept(stream).await {
            Ok(stream) => speak(stream, router).await,
            Err(error) => tracing::debug!(%error, "no TLS handshake"),
        },
    }
}

async fn speak(stream: impl AsyncRead + AsyncWrite + Unpin + Send + 'static, router: Router) {
    let router = TowerToHyperService::new(router);
    let service = service_fn(move |request: hyper::Request<Incoming>| {
        let answer = router.call(request);
        async move { refuse_if_cut(answer.await) }
    });
    let served = http1::Builder::new().serve_connection(TokioIo::new(stream), service);
    if let Err(error) = served.with_upgrades().await {
        tracing::debug!(%error, "a connection broke");
    }
}

/// An error of the service makes hyper drop the connection without a byte of an answer.
fn refuse_if_cut(answer: Result<Response, Infallible>) -> io::Result<Response> {
    let Ok(answer) = answer;
    match answer.extensions().get::<CutConnection>() {
        Some(CutConnection) => Err(io::Error::other("cut by a fault")),
        None => Ok(answer),
    }
}
