//! `GET /_emulator/events`: a WebSocket on which things are told as they happen.
//!
//! To the client: every accepted message of a bot, or with `?log=1` every entry of the log, one
//! JSON object per frame. If the reader is too slow for what is kept, `{"missed": N}` says so.
//! From the client: actions as for `POST /user`, with an optional `tag`; each is answered by
//! `{"tag": …, "outcome": …}` or `{"tag": …, "error": "…"}`.

use std::sync::Arc;

use axum::extract::ws::{Message, WebSocket, WebSocketUpgrade};
use axum::extract::{Query, State};
use axum::response::Response;
use futures_util::stream::SplitSink;
use futures_util::{SinkExt as _, StreamExt as _};
use serde::Deserialize;
use serde_json::{Value, json};

use crate::actions::UserAction;
use crate::platform::Platform;
use crate::shell::Handle;
use crate::shell::hub::Shared;

/// Things told in one go.
const BATCH: usize = 256;

type Sink = SplitSink<WebSocket, Message>;

#[derive(Debug, Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub(super) struct EventsQuery {
    /// 1: the log instead of the bots' messages.
    log: u8,
    /// The first number wanted; none means from now on.
    from: Option<u64>,
}

pub(super) async fn events(
    State(shared): State<Arc<Shared>>,
    Query(query): Query<EventsQuery>,
    upgrade: WebSocketUpgrade,
) -> Response {
    upgrade.on_upgrade(move |socket| run(Handle { shared }, socket, query))
}

async fn run(handle: Handle, socket: WebSocket, query: EventsQuery) {
    let (mut sink, mut stream) = socket.split();
    let mut changes = handle.shared.changed.subscribe();
    let log = query.log != 0;
    let end = |platform: &Platform| match log {
        true => platform.record().next(),
        false => platform.ledger().bot_message_count(),
    };
    let mut next = query.from.unwrap_or_else(|| handle.with(end));
    loop {
        if !tell(&handle, &mut sink, log, &mut next).await {
            return;
        }
        tokio::select! {
            changed = changes.changed() => if changed.is_err() { return },
            said = stream.next() => match said {
                Some(Ok(Message::Text(text))) => {
                    let answer = act(&handle, text.as_str()).to_string();
                    if sink.feed(Message::Text(answer.into())).await.is_err() {
                        return;
                    }
                }
                Some(Ok(Message::Close(_)) | Err(_)) | None => return,
                Some(Ok(_)) => {}
            },
        }
    }
}

/// Tells everything from `next` on; false if nobody listens any more.
async fn tell(handle: &Handle, sink: &mut Sink, log: bool, next: &mut u64) -> bool {
    loop {
        let batch = handle.with(|platform| batch(platform, log, *next));
        if batch.is_empty() {
            return sink.flush().await.is_ok();
        }
        for (n, item) in batch {
            let missed = n.saturating_sub(*next);
            let mut texts = Vec::with_capacity(2);
            if missed > 0 {
                texts.push(json!({"missed": missed}).to_string());
            }
            texts.push(item.text());
            for text in texts {
                if sink.feed(Message::Text(text.into())).await.is_err() {
                    return false;
                }
            }
            *next = n + 1;
        }
    }
}

/// Something to tell, taken out of the lock by counting and written outside it.
enum Item {
    Message(Arc<crate::ledger::BotMessage>),
    Entry(Arc<crate::record::Entry>),
}

impl Item {
    fn text(&self) -> String {
        let text = match self {
            Self::Message(message) => serde_json::to_string(message),
            Self::Entry(entry) => serde_json::to_string(entry),
        };
        text.unwrap_or_default()
    }
}

fn batch(platform: &Platform, log: bool, next: u64) -> Vec<(u64, Item)> {
    if log {
        let entries = platform.record().since(next).take(BATCH);
        entries
            .map(|entry| (entry.n, Item::Entry(Arc::clone(entry))))
            .collect()
    } else {
        let messages = platform.ledger().bot_messages_since(next).take(BATCH);
        messages
            .map(|message| (message.n, Item::Message(Arc::clone(message))))
            .collect()
    }
}

fn act(handle: &Handle, text: &str) -> Value {
    let mut asked: Value = match serde_json::from_str(text) {
        Ok(asked) => asked,
        Err(error) => return json!({"error": error.to_string()}),
    };
    let tag = asked.as_object_mut().and_then(|asked| asked.remove("tag"));
    let outcome = serde_json::from_value::<UserAction>(asked)
        .map_err(|error| error.to_string())
        .and_then(|action| handle.user(action).map_err(|error| error.to_string()));
    match outcome {
        Ok(outcome) => json!({"tag": tag, "outcome": outcome}),
        Err(error) => json!({"tag": tag, "error": error}),
    }
}
