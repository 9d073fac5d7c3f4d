//! A WebSocket from the upgrade request to its end, over the same client as everything else.

use std::time::Duration;

use bytes::Bytes;
use futures_util::stream::{SplitSink, SplitStream};
use futures_util::{SinkExt, StreamExt};
use reqwest::header::{
    CONNECTION, HeaderValue, SEC_WEBSOCKET_ACCEPT, SEC_WEBSOCKET_KEY, SEC_WEBSOCKET_VERSION,
    UPGRADE,
};
use reqwest::{StatusCode, Upgraded};
use tokio::sync::mpsc;
use tokio_tungstenite::WebSocketStream;
use tokio_tungstenite::tungstenite::handshake::{client::generate_key, derive_accept_key};
use tokio_tungstenite::tungstenite::protocol::frame::coding::CloseCode;
use tokio_tungstenite::tungstenite::protocol::{CloseFrame, Role, WebSocketConfig};
use tokio_tungstenite::tungstenite::{self, Message, Utf8Bytes};

use super::blobs::Blobs;
use super::body::in_memory;
use super::failure::{failed, of_client};
use super::network::Network;
use super::unsent::Room;
use crate::actor::{Input, SocketDial, SocketMessage};
use crate::bindings::v0_1::{
    CloseFrame as PeerClose, Failure, SocketBinary, SocketClose, SocketClosed, SocketEnd, SocketId,
    SocketText, Stage,
};

/// Read buffer of a connection, bytes. Frames of a chat are small, and a thousand sockets with the
/// library's 128 KiB each would be the largest part of the process.
const BUFFER_BYTES: usize = 4 << 10;
/// After the guest has closed a socket, for the other side to answer.
const CLOSE_TIMEOUT: Duration = Duration::from_secs(2);
/// Messages that may wait to be sent.
pub(crate) const SEND_QUEUE: usize = 1024;
/// Close code where a close frame has none (RFC 6455, 7.1.5).
const NO_CODE: u16 = 1005;

/// What is to be sent.
pub(crate) enum Outgoing {
    /// A message, and the room that it takes until it is sent.
    Message(SocketMessage, Room),
    /// The end.
    Close(SocketClose),
}

/// Where inputs go; waits while the channel is busy. False when the channel is gone.
pub(crate) trait Sink: Send + Sync {
    /// Hands one input over.
    fn put(&self, input: Input) -> impl Future<Output = bool> + Send;
}

type Stream = WebSocketStream<Upgraded>;

/// Opens a socket and serves it until it ends.
pub(crate) async fn run(
    network: Network,
    blobs: Blobs,
    dial: SocketDial,
    mut outgoing: mpsc::Receiver<Outgoing>,
    sink: impl Sink,
) {
    let id = dial.id;
    let open = async {
        let limit = dial.timeout;
        match tokio::time::timeout(limit, open(&network, &dial)).await {
            Ok(opened) => opened,
            Err(_) => {
                let detail = format!("not open within {} ms", limit.as_millis());
                Err(failed(Stage::Timeout, detail, false))
            }
        }
    };
    // The guest may lose patience before the other side answers.
    let stream = tokio::select! {
        stream = open => stream,
        () = until_closed(&mut outgoing) => return,
    };
    let end = match stream {
        Ok(stream) => {
            if !sink.put(Input::SocketOpened(id)).await {
                return;
            }
            serve(id, stream, &blobs, &mut outgoing, &sink).await
        }
        Err(failure) => Some(SocketEnd::Failed(failure)),
    };
    if let Some(end) = end {
        sink.put(Input::SocketClosed(SocketClosed { id, end }))
            .await;
    }
}

async fn until_closed(outgoing: &mut mpsc::Receiver<Outgoing>) {
    loop {
        match outgoing.recv().await {
            Some(Outgoing::Message(..)) => {}
            Some(Outgoing::Close(_)) | None => return,
        }
    }
}

async fn open(network: &Network, dial: &SocketDial) -> Result<Stream, Failure> {
    let mut url = dial.url.clone();
    let scheme = if url.scheme() == "wss" {
        "https"
    } else {
        "http"
    };
    if url.set_scheme(scheme).is_err() {
        return Err(failed(Stage::Policy, "not a WebSocket address", false));
    }
    let key = generate_key();
    let mut headers = super::http::headers(dial.headers.iter())?;
    headers.insert(CONNECTION, HeaderValue::from_static("Upgrade"));
    headers.insert(UPGRADE, HeaderValue::from_static("websocket"));
    headers.insert(SEC_WEBSOCKET_VERSION, HeaderValue::from_static("13"));
    let key_value = HeaderValue::from_str(&key);
    let key_value = key_value.map_err(|e| failed(Stage::Host, e.to_string(), false))?;
    headers.insert(SEC_WEBSOCKET_KEY, key_value);
    let sent = network.upgrade.get(url).headers(headers).send().await;
    let response = sent.map_err(|error| of_client(error, false))?;
    let status = response.status();
    if status != StatusCode::SWITCHING_PROTOCOLS {
        let detail = format!("the upgrade was answered with status {}", status.as_u16());
        return Err(failed(Stage::Upgrade, detail, false));
    }
    let accept = response.headers().get(SEC_WEBSOCKET_ACCEPT);
    let expected = derive_accept_key(key.as_bytes());
    if accept.map(HeaderValue::as_bytes) != Some(expected.as_bytes()) {
        let detail = "the upgrade was answered with a wrong key";
        return Err(failed(Stage::Upgrade, detail, false));
    }
    let upgraded = response.upgrade().await.map_err(|e| of_client(e, false))?;
    let config = WebSocketConfig::default()
        .read_buffer_size(BUFFER_BYTES)
        .write_buffer_size(0)
        .max_message_size(Some(dial.max_message))
        .max_frame_size(Some(dial.max_message));
    Ok(WebSocketStream::from_raw_socket(upgraded, Role::Client, Some(config)).await)
}

/// Serves an open socket. `None` when the guest closed it, and waits for no word about it.
async fn serve(
    id: SocketId,
    stream: Stream,
    blobs: &Blobs,
    outgoing: &mut mpsc::Receiver<Outgoing>,
    sink: &impl Sink,
) -> Option<SocketEnd> {
    let (writer, reader) = stream.split();
    let read = read(id, reader, sink);
    tokio::pin!(read);
    tokio::select! {
        end = &mut read => end,
        end = write(writer, blobs, outgoing) => match end {
            Some(end) => prefer_peer(end, read).await,
            None => {
                // The closing handshake: read until the other side has answered, or for a while.
                let _ = tokio::time::timeout(CLOSE_TIMEOUT, read).await;
                None
            }
        },
    }
}

/// Sends what is to be sent. `None` when the guest has closed the socket.
async fn write(
    mut writer: SplitSink<Stream, Message>,
    blobs: &Blobs,
    outgoing: &mut mpsc::Receiver<Outgoing>,
) -> Option<SocketEnd> {
    while let Some(next) = outgoing.recv().await {
        let close = match next {
            Outgoing::Message(message, _room) => {
                let sent = match outgoing_message(&message, blobs).await {
                    Ok(message) => writer.send(message).await.map_err(|e| of_protocol(&e)),
                    Err(failure) => Err(failure),
                };
                match sent {
                    Ok(()) => continue,
                    Err(failure) => return Some(SocketEnd::Failed(failure)),
                }
            }
            Outgoing::Close(close) => close,
        };
        let frame = CloseFrame {
            code: CloseCode::from(close.code),
            reason: Utf8Bytes::from(close.reason),
        };
        let say = writer.send(Message::Close(Some(frame)));
        // The guest has left; how the other side takes it makes no difference.
        let _ = tokio::time::timeout(CLOSE_TIMEOUT, say).await;
        break;
    }
    None
}

/// Hands over what arrives. `None` when the channel is gone.
async fn read(
    id: SocketId,
    mut reader: SplitStream<Stream>,
    sink: &impl Sink,
) -> Option<SocketEnd> {
    loop {
        let input = match reader.next().await {
            Some(Ok(Message::Text(text))) => {
                let text = text.to_string();
                Input::SocketText(SocketText { id, text })
            }
            Some(Ok(Message::Binary(bytes))) => {
                let bytes = bytes.to_vec();
                Input::SocketBinary(SocketBinary { id, bytes })
            }
            Some(Ok(Message::Close(frame))) => return Some(SocketEnd::Closed(peer_close(frame))),
            Some(Ok(_)) => continue,
            Some(Err(error)) => return Some(SocketEnd::Failed(of_protocol(&error))),
            None => return Some(SocketEnd::Failed(broken())),
        };
        if !sink.put(input).await {
            return None;
        }
    }
}

/// A write fails when the other side has closed; what it said on leaving is worth more.
async fn prefer_peer(
    end: SocketEnd,
    read: impl Future<Output = Option<SocketEnd>>,
) -> Option<SocketEnd> {
    match tokio::time::timeout(CLOSE_TIMEOUT, read).await {
        Ok(Some(SocketEnd::Closed(frame))) => Some(SocketEnd::Closed(frame)),
        _ => Some(end),
    }
}

fn peer_close(frame: Option<CloseFrame>) -> PeerClose {
    match frame {
        Some(frame) => PeerClose {
            code: frame.code.into(),
            reason: frame.reason.to_string(),
        },
        None => PeerClose {
            code: NO_CODE,
            reason: String::new(),
        },
    }
}

async fn outgoing_message(message: &SocketMessage, blobs: &Blobs) -> Result<Message, Failure> {
    let bytes: Bytes = in_memory(&message.payload, blobs)
        .await
        .map_err(|e| failed(Stage::Host, e.to_string(), false))?;
    if message.binary {
        return Ok(Message::Binary(bytes));
    }
    let text = Utf8Bytes::try_from(bytes);
    let text =
        text.map_err(|_| failed(Stage::Policy, "a text message that is not UTF-8", false))?;
    Ok(Message::Text(text))
}

fn broken() -> Failure {
    failed(
        Stage::Protocol,
        "the connection ended without a goodbye",
        true,
    )
}

fn of_protocol(error: &tungstenite::Error) -> Failure {
    match error {
        tungstenite::Error::Capacity(_) => failed(Stage::TooLarge, error.to_string(), true),
        tungstenite::Error::ConnectionClosed | tungstenite::Error::AlreadyClosed => broken(),
        error => failed(Stage::Protocol, error.to_string(), true),
    }
}
