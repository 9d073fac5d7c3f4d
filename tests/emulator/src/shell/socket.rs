//! One WebSocket of a bot: frames in to the platform, its frames out.

use std::pin::pin;
use std::sync::Arc;
use std::time::Duration;

use axum::extract::ws::{CloseFrame, Message, Utf8Bytes, WebSocket};
use futures_util::stream::{SplitSink, SplitStream};
use futures_util::{SinkExt as _, StreamExt as _};
use tokio::sync::mpsc::UnboundedReceiver;

use super::hub::{Shared, SocketOut};
use crate::ids::ConnId;
use crate::wire::{HttpRequest, Input};

/// How long a bot may take to answer a close frame before the connection is dropped. Dropping it
/// at once could reset it, and the close code would be lost on the way.
const CLOSE_GRACE: Duration = Duration::from_secs(2);

/// How the writing side ended.
#[derive(Debug, PartialEq, Eq)]
enum Ended {
    Closed,
    Cut,
}

pub(super) async fn run(shared: Arc<Shared>, socket: WebSocket, request: HttpRequest) {
    let (conn, told) = shared.open(request);
    let (sink, stream) = socket.split();
    let mut writer = pin!(write(sink, told));
    let mut reader = pin!(read(&shared, conn, stream));
    tokio::select! {
        code = &mut reader => shared.gone(conn, code),
        (ended, sink) = &mut writer => {
            if ended == Ended::Closed {
                tokio::time::timeout(CLOSE_GRACE, &mut reader).await.ok();
            }
            drop(sink);
        }
    }
}

/// Hands on frames until the bot's side ends; the code of its close frame, if it sent one.
async fn read(shared: &Shared, conn: ConnId, mut stream: SplitStream<WebSocket>) -> Option<u16> {
    let mut code = None;
    while let Some(Ok(message)) = stream.next().await {
        match message {
            Message::Text(text) => {
                shared.step(Input::SocketText {
                    conn,
                    text: text.as_str().to_owned(),
                });
            }
            Message::Binary(_) => shared.step(Input::SocketBinary { conn }),
            Message::Close(frame) => code = frame.map(|frame| frame.code),
            Message::Ping(_) | Message::Pong(_) => {}
        }
    }
    code
}

/// Sends until told to stop. What is waiting goes out together.
async fn write(
    mut sink: SplitSink<WebSocket, Message>,
    mut told: UnboundedReceiver<SocketOut>,
) -> (Ended, SplitSink<WebSocket, Message>) {
    while let Some(first) = told.recv().await {
        let mut next = Some(first);
        while let Some(out) = next {
            let sent = match out {
                SocketOut::Text(text) => sink.feed(Message::Text(Utf8Bytes::from(&*text))).await,
                SocketOut::Close(code, reason) => {
                    let frame = CloseFrame {
                        code,
                        reason: Utf8Bytes::from_static(reason),
                    };
                    sink.send(Message::Close(Some(frame))).await.ok();
                    return (Ended::Closed, sink);
                }
                SocketOut::Cut => {
                    sink.flush().await.ok();
                    return (Ended::Cut, sink);
                }
            };
            if sent.is_err() {
                return (Ended::Cut, sink);
            }
            next = told.try_recv().ok();
        }
        if sink.flush().await.is_err() {
            return (Ended::Cut, sink);
        }
    }
    (Ended::Cut, sink)
}
