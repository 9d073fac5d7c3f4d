//! What happens later by itself, in the order of its time.

use std::collections::BTreeMap;

use super::routes::Call;
use crate::ids::{AppId, ConnId, InteractionId, SessionId, Ticket};
use crate::time::Millis;
use crate::wire::HttpResponse;

/// Something that waits for its time. None of these holds on to what it names: whoever is gone
/// by then is passed over.
#[derive(Debug)]
pub(crate) enum Delayed {
    /// A request is handled late.
    Request { ticket: Ticket, call: Box<Call> },
    /// An answer is given late; `token_of` if it ends a token fetch in flight.
    Reply {
        ticket: Ticket,
        response: HttpResponse,
        token_of: Option<AppId>,
    },
    /// A socket is closed, if it is still there.
    Close { conn: ConnId, code: u16 },
    /// Has this socket sent heartbeats?
    HeartbeatCheck { conn: ConnId },
    /// Has this socket logged in?
    LoginCheck { conn: ConnId },
    /// A session that has had no socket since `left` ends.
    ForgetSession {
        app: AppId,
        session: SessionId,
        left: Millis,
    },
    /// Events that were held back are sent.
    QuietEnds { app: AppId },
    /// An audit decides by itself.
    Audit { app: AppId, audit_id: String },
    /// Has this interaction been acknowledged?
    AckCheck { app: AppId, id: InteractionId },
    /// Has this stream gone on?
    StreamCheck { app: AppId, stream: String },
}

/// The queue: by time, then by the order of planning.
#[derive(Debug, Default)]
pub(crate) struct DueQueue {
    waiting: BTreeMap<(Millis, u64), Delayed>,
    planned: u64,
}

impl DueQueue {
    pub(crate) fn plan(&mut self, at: Millis, delayed: Delayed) {
        self.waiting.insert((at, self.planned), delayed);
        self.planned += 1;
    }

    pub(crate) fn next(&self) -> Option<Millis> {
        self.waiting.first_key_value().map(|((at, _), _)| *at)
    }

    /// The first one that is due at `now`.
    pub(crate) fn pop(&mut self, now: Millis) -> Option<(Millis, Delayed)> {
        let entry = self.waiting.first_entry()?;
        let at = entry.key().0;
        (at <= now).then(|| (at, entry.remove()))
    }
}
