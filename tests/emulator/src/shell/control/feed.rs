//! `GET /_emulator/feed`: a WebSocket on which a page follows all chats and the log.
//!
//! The first frame is `{"run", "end", "log"}`: which run of the emulator this is, how much happened
//! until now, and where the log begins. Then come frames of `{"now", "chat": [{"n", "kind", …}], "log": [entry, …]}`, what is
//! kept first and what happens afterwards.

use std::sync::Arc;

use axum::extract::ws::{Message, WebSocket, WebSocketUpgrade};
use axum::extract::{Query, State};
use axum::response::Response;
use futures_util::StreamExt as _;
use serde::Deserialize;
use serde_json::{Value, json};

use crate::ledger::Happening;
use crate::platform::Platform;
use crate::record::Entry;
use crate::shell::Handle;
use crate::shell::hub::Shared;

/// Things of each kind in one frame.
const BATCH: usize = 256;

#[derive(Debug, Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub(super) struct FeedQuery {
    /// The first happening wanted.
    chat: u64,
    /// The first entry of the log wanted; none means the last `tail` ones.
    log: Option<u64>,
    tail: u64,
}

/// Where a reader is.
struct Place {
    chat: u64,
    log: u64,
}

pub(super) async fn feed(
    State(shared): State<Arc<Shared>>,
    Query(query): Query<FeedQuery>,
    upgrade: WebSocketUpgrade,
) -> Response {
    upgrade.on_upgrade(move |socket| run(Handle { shared }, socket, query))
}

async fn run(handle: Handle, mut socket: WebSocket, query: FeedQuery) {
    let mut changes = handle.shared.changed.subscribe();
    let (end, entries) = handle.with(|platform| {
        let happened = platform.ledger().happening_count();
        (happened, platform.record().next())
    });
    let mut place = Place {
        chat: query.chat,
        log: query.log.unwrap_or(entries.saturating_sub(query.tail)),
    };
    let hello = json!({"run": handle.shared.run, "end": end, "log": place.log});
    if send(&mut socket, &hello).await.is_none() {
        return;
    }
    loop {
        while let Some(frame) = next_frame(&handle, &mut place) {
            if send(&mut socket, &frame).await.is_none() {
                return;
            }
        }
        tokio::select! {
            changed = changes.changed() => if changed.is_err() { return },
            said = socket.next() => if !matches!(said, Some(Ok(_))) { return },
        }
    }
}

async fn send(socket: &mut WebSocket, frame: &Value) -> Option<()> {
    let text = frame.to_string();
    socket.send(Message::Text(text.into())).await.ok()
}

/// What comes next for a reader; none if nothing is new.
fn next_frame(handle: &Handle, place: &mut Place) -> Option<Value> {
    let (chat, log) = handle.with(|platform| {
        let ledger = platform.ledger();
        let chat = ledger.happenings_since(place.chat).take(BATCH);
        let chat: Vec<(u64, Value)> = chat.map(|(n, what)| (n, told(platform, n, what))).collect();
        let log = platform.record().since(place.log).take(BATCH);
        let log: Vec<Arc<Entry>> = log.cloned().collect();
        (chat, log)
    });
    if chat.is_empty() && log.is_empty() {
        return None;
    }
    place.chat = chat.last().map_or(place.chat, |(n, _)| n + 1);
    place.log = log.last().map_or(place.log, |entry| entry.n + 1);
    let chat: Vec<Value> = chat.into_iter().map(|(_, told)| told).collect();
    Some(json!({"now": handle.now(), "chat": chat, "log": log}))
}

/// A happening with everything that it is about, as far as that is kept.
fn told(platform: &Platform, n: u64, what: &Happening) -> Value {
    let ledger = platform.ledger();
    match what {
        Happening::UserMessage(at) => {
            json!({"n": n, "kind": "user", "message": ledger.user_message_at(*at)})
        }
        Happening::BotMessage(at) => {
            json!({"n": n, "kind": "bot", "message": ledger.bot_message(*at)})
        }
        Happening::Mark(id) => {
            json!({"n": n, "kind": "mark", "id": id, "mark": ledger.mark(id)})
        }
        Happening::Act(acted) => json!({"n": n, "kind": "act", "acted": acted}),
        Happening::Piece(piece) => json!({"n": n, "kind": "piece", "piece": piece}),
    }
}
