//! A bot over real sockets, in the fewest lines that can be trusted.

use std::sync::Arc;
use std::time::Duration;

use futures_util::{SinkExt as _, StreamExt as _};
use qq_emulator::ids::AppId;
use qq_emulator::{Emulator, EmulatorOptions};
use rustls::pki_types::CertificateDer;
use serde_json::{Value, json};
use tokio::net::TcpStream;
use tokio_tungstenite::tungstenite::Message;
use tokio_tungstenite::tungstenite::client::IntoClientRequest as _;
use tokio_tungstenite::{WebSocketStream, client_async};

use super::{APP, INTENTS, SECRET};

/// Real time after which a test gives up.
pub(crate) const LIMIT: Duration = Duration::from_secs(20);

pub(crate) async fn start() -> Emulator {
    Emulator::start(EmulatorOptions::default()).await.unwrap()
}

pub(crate) fn client() -> reqwest::Client {
    client_trusting(None)
}

fn roots(certificate: Option<CertificateDer<'static>>) -> rustls::ClientConfig {
    let mut roots = rustls::RootCertStore::empty();
    roots.add_parsable_certificates(certificate);
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    rustls::ClientConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .unwrap()
        .with_root_certificates(roots)
        .with_no_client_auth()
}

fn client_trusting(certificate: Option<CertificateDer<'static>>) -> reqwest::Client {
    let builder = reqwest::Client::builder().timeout(LIMIT).no_proxy();
    builder
        .tls_backend_preconfigured(roots(certificate))
        .build()
        .unwrap()
}

/// Reading JSON without reqwest's own feature for it.
pub(crate) trait JsonValue {
    async fn json_value(self) -> Value;
}

impl JsonValue for reqwest::Response {
    async fn json_value(self) -> Value {
        serde_json::from_slice(&self.bytes().await.unwrap()).unwrap_or_default()
    }
}

pub(crate) struct Bot {
    pub(crate) app: AppId,
    pub(crate) token: String,
    base: String,
    gateway: String,
    client: reqwest::Client,
    certificate: Option<CertificateDer<'static>>,
}

impl Bot {
    pub(crate) async fn new(emulator: &Emulator) -> Self {
        Self::trusting(emulator, None).await
    }

    pub(crate) async fn trusting(
        emulator: &Emulator,
        certificate: Option<CertificateDer<'static>>,
    ) -> Self {
        let urls = emulator.urls().clone();
        let client = client_trusting(certificate.clone());
        let body = json!({"appId": APP, "clientSecret": SECRET}).to_string();
        let request = client
            .post(urls.token_url)
            .header("content-type", "application/json");
        let answer = request.body(body).send().await.unwrap().json_value().await;
        let token = answer["access_token"].as_str().unwrap().to_owned();
        let (base, gateway) = (urls.api_base, urls.gateway_url);
        Self {
            app: APP.into(),
            token,
            base,
            gateway,
            client,
            certificate,
        }
    }

    pub(crate) async fn get(&self, path: &str) -> Value {
        let request = self.client.get(format!("{}{path}", self.base));
        let request = request.header("authorization", format!("QQBot {}", self.token));
        request.send().await.unwrap().json_value().await
    }

    pub(crate) async fn post(&self, path: &str, body: &Value) -> reqwest::Result<(u16, Value)> {
        let request = self.client.post(format!("{}{path}", self.base));
        let request = request.header("authorization", format!("QQBot {}", self.token));
        let request = request
            .header("content-type", "application/json")
            .body(body.to_string());
        let response = request.send().await?;
        Ok((response.status().as_u16(), response.json_value().await))
    }

    pub(crate) async fn connect(&self) -> Socket {
        Socket::connect(&self.gateway, self.certificate.clone()).await
    }

    /// Logs in and gives back the session id.
    pub(crate) async fn identify(&self, socket: &mut Socket) -> String {
        assert_eq!(socket.frame().await["op"], 10);
        let token = format!("QQBot {}", self.token);
        let d = json!({"token": token, "intents": INTENTS, "shard": [0, 1]});
        socket.say(&json!({"op": 2, "d": d})).await;
        let ready = socket.frame().await;
        assert_eq!(ready["t"], "READY");
        ready["d"]["session_id"].as_str().unwrap().to_owned()
    }
}

/// How a socket ended.
#[derive(Debug, PartialEq)]
pub(crate) enum Ended {
    Closed(u16),
    Broken,
}

trait Stream: tokio::io::AsyncRead + tokio::io::AsyncWrite + Unpin + Send {}

impl<T: tokio::io::AsyncRead + tokio::io::AsyncWrite + Unpin + Send> Stream for T {}

pub(crate) struct Socket(WebSocketStream<Box<dyn Stream>>);

impl Socket {
    pub(crate) async fn connect(url: &str, certificate: Option<CertificateDer<'static>>) -> Self {
        let authority = url.split('/').nth(2).unwrap().to_owned();
        let stream = TcpStream::connect(&authority).await.unwrap();
        stream.set_nodelay(true).unwrap();
        let stream: Box<dyn Stream> = if url.starts_with("wss:") {
            let tls = tokio_rustls::TlsConnector::from(Arc::new(roots(certificate)));
            Box::new(
                tls.connect("localhost".try_into().unwrap(), stream)
                    .await
                    .unwrap(),
            )
        } else {
            Box::new(stream)
        };
        Self(client_async(url, stream).await.unwrap().0)
    }

    /// Whether a page of this origin may open a socket.
    pub(crate) async fn opens_for(url: &str, origin: &str) -> bool {
        let authority = url.split('/').nth(2).unwrap();
        let stream = TcpStream::connect(authority).await.unwrap();
        let mut request = url.into_client_request().unwrap();
        request
            .headers_mut()
            .insert("origin", origin.parse().unwrap());
        client_async(request, stream).await.is_ok()
    }

    pub(crate) async fn say(&mut self, frame: &Value) {
        // The other side may have closed already; what it said last is still to be read.
        self.0
            .send(Message::Text(frame.to_string().into()))
            .await
            .ok();
    }

    pub(crate) async fn say_binary(&mut self, bytes: &'static [u8]) {
        self.0.send(Message::Binary(bytes.into())).await.unwrap();
    }

    pub(crate) async fn frame(&mut self) -> Value {
        match tokio::time::timeout(LIMIT, self.0.next()).await.unwrap() {
            Some(Ok(Message::Text(text))) => serde_json::from_str(&text).unwrap(),
            other => panic!("no text frame but {other:?}"),
        }
    }

    pub(crate) async fn ended(&mut self) -> Ended {
        loop {
            match tokio::time::timeout(LIMIT, self.0.next()).await.unwrap() {
                Some(Ok(Message::Close(Some(frame)))) => return Ended::Closed(frame.code.into()),
                Some(Ok(_)) => {}
                Some(Err(_)) | None => return Ended::Broken,
            }
        }
    }
}
