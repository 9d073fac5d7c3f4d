//! The glass wall: everything that crossed it, in order, bounded, with codes explained.
//!
//! Secrets and tokens are masked on the way in. Entries are shared, so that a reader takes them
//! out of the lock by counting, not by copying.

use std::collections::VecDeque;
use std::fmt;
use std::sync::Arc;

use serde::Serialize;

use crate::actions::UserAction;
use crate::ids::{AppId, ConnId, MessageId, Openid, Ticket};
use crate::time::Millis;

/// One line of the log.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Entry {
    /// Numbered from 0 without gaps.
    pub n: u64,
    /// When.
    pub at: Millis,
    /// Which bot, as far as known.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub app: Option<AppId>,
    /// What.
    #[serde(flatten)]
    pub what: What,
}

/// What can be in the log.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(tag = "kind", rename_all = "snake_case")]
pub enum What {
    /// A bot opened a socket.
    SocketOpened {
        /// The connection.
        conn: ConnId,
        /// The path asked for.
        path: String,
    },
    /// A frame from the bot.
    FrameIn {
        /// The connection.
        conn: ConnId,
        /// The frame.
        text: Arc<str>,
    },
    /// A frame to the bot.
    FrameOut {
        /// The connection.
        conn: ConnId,
        /// The frame.
        text: Arc<str>,
    },
    /// The platform closed a socket.
    SocketClosed {
        /// The connection.
        conn: ConnId,
        /// The close code; none if the connection was simply cut.
        code: Option<u16>,
        /// What the code means, or why it was cut.
        meaning: &'static str,
    },
    /// The bot or the network ended a socket.
    SocketGone {
        /// The connection.
        conn: ConnId,
        /// The bot's close code, if it sent one.
        code: Option<u16>,
    },
    /// A request from the bot.
    Request {
        /// The request.
        ticket: Ticket,
        /// Its method.
        method: String,
        /// Its path.
        path: String,
        /// Its body.
        body: String,
    },
    /// An answer to the bot.
    Response {
        /// The request.
        ticket: Ticket,
        /// The HTTP status.
        status: u16,
        /// The body.
        body: Arc<str>,
        /// What the error code in it means.
        #[serde(skip_serializing_if = "Option::is_none")]
        meaning: Option<&'static str>,
    },
    /// A request's connection was broken without an answer.
    RequestCut {
        /// The request.
        ticket: Ticket,
    },
    /// A stream has grown.
    Stream {
        /// Its id.
        id: MessageId,
        /// The openid it goes to.
        target: Openid,
        /// All of its text so far.
        text: String,
        /// Whether it is finished.
        done: bool,
    },
    /// A user did something.
    User {
        /// In a few words.
        text: String,
        /// What exactly; none if it followed from another act.
        #[serde(skip_serializing_if = "Option::is_none")]
        act: Option<Arc<UserAction>>,
    },
    /// The clock was moved ahead by hand.
    ClockMoved {
        /// By how many milliseconds.
        by_ms: u64,
    },
    /// A fault was ordered.
    FaultOrdered {
        /// Which.
        fault: String,
    },
    /// A fault that waited has struck.
    FaultStruck {
        /// Which.
        fault: String,
    },
    /// The platform saw a rule broken.
    Violation {
        /// Which.
        text: String,
    },
    /// Something worth knowing.
    Note {
        /// What.
        text: String,
    },
}

/// The log.
#[derive(Debug, Clone)]
pub struct Record {
    entries: VecDeque<Arc<Entry>>,
    next: u64,
    bound: usize,
}

impl Record {
    /// An empty log that keeps at most `bound` entries.
    #[must_use]
    pub fn new(bound: usize) -> Self {
        Self {
            entries: VecDeque::new(),
            next: 0,
            bound,
        }
    }

    pub(crate) fn push(&mut self, at: Millis, app: Option<AppId>, what: What) {
        let n = self.next;
        self.next += 1;
        self.entries.push_back(Arc::new(Entry { n, at, app, what }));
        while self.entries.len() > self.bound {
            self.entries.pop_front();
        }
    }

    /// The number that the next entry will have.
    #[must_use]
    pub fn next(&self) -> u64 {
        self.next
    }

    /// Everything that is still kept, oldest first.
    pub fn entries(&self) -> impl DoubleEndedIterator<Item = &Arc<Entry>> {
        self.entries.iter()
    }

    /// What is kept from entry `n` on. If the first one has a larger number, some were lost.
    pub fn since(&self, n: u64) -> impl Iterator<Item = &Arc<Entry>> {
        let first = self.entries.front().map_or(self.next, |entry| entry.n);
        let skip = usize::try_from(n.saturating_sub(first)).unwrap_or(usize::MAX);
        self.entries.range(skip.min(self.entries.len())..)
    }
}

impl fmt::Display for Entry {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} ", self.at)?;
        match &self.what {
            What::SocketOpened { conn, path } => write!(f, "[{}] socket opened: {path}", conn.0),
            What::FrameIn { conn, text } => write!(f, "[{}] < {text}", conn.0),
            What::FrameOut { conn, text } => write!(f, "[{}] > {text}", conn.0),
            What::SocketClosed {
                conn,
                code: Some(code),
                meaning,
            } => {
                write!(f, "[{}] closed by the platform: {code} {meaning}", conn.0)
            }
            What::SocketClosed {
                conn,
                code: None,
                meaning,
            } => {
                write!(f, "[{}] cut by the platform: {meaning}", conn.0)
            }
            What::SocketGone {
                conn,
                code: Some(code),
            } => {
                write!(f, "[{}] closed by the bot: {code}", conn.0)
            }
            What::SocketGone { conn, code: None } => write!(f, "[{}] gone", conn.0),
            What::Request {
                ticket,
                method,
                path,
                body,
            } => {
                write!(f, "({}) < {method} {path} {body}", ticket.0)
            }
            What::Response {
                ticket,
                status,
                body,
                meaning,
            } => {
                write!(f, "({}) > {status} {body}", ticket.0)?;
                meaning.map_or(Ok(()), |meaning| write!(f, " [{meaning}]"))
            }
            What::RequestCut { ticket } => write!(f, "({}) > cut without an answer", ticket.0),
            What::Stream { id, text, done, .. } => {
                let end = if *done { " (finished)" } else { "" };
                write!(f, "stream {id}: {text}{end}")
            }
            What::User { text, .. } => write!(f, "user: {text}"),
            What::ClockMoved { by_ms } => write!(f, "clock moved by {by_ms} ms"),
            What::FaultOrdered { fault } => write!(f, "fault ordered: {fault}"),
            What::FaultStruck { fault } => write!(f, "fault: {fault}"),
            What::Violation { text } => write!(f, "VIOLATION: {text}"),
            What::Note { text } => write!(f, "note: {text}"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn note(text: &str) -> What {
        What::Note {
            text: text.to_owned(),
        }
    }

    #[test]
    fn the_log_keeps_the_newest_entries_with_their_numbers() {
        let mut record = Record::new(2);
        for text in ["a", "b", "c"] {
            record.push(Millis(1), None, note(text));
        }
        let kept: Vec<u64> = record.entries().map(|entry| entry.n).collect();
        assert_eq!(kept, [1, 2]);
        assert_eq!(record.since(2).count(), 1);
        assert_eq!(record.since(0).count(), 2);
        assert_eq!(record.since(99).count(), 0);
    }
}
