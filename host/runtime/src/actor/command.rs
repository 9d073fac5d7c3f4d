//! What the core wants done, in order. A shell or a simulator carries it out.

use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use url::Url;

use crate::agent::AgentAsk;
use crate::bindings::v0_1::{
    BlobDigest, BlobId, BlobRange, BodySink, EntropyAsk, Extension, Health, Metric, Problem, Reply,
    RequestId, SocketClose, SocketId,
};
use crate::egress::EgressPolicy;
use crate::guest::{GuestFault, LogLine};
use crate::vault::Hidden;

/// One thing to do.
#[derive(Debug, Clone)]
pub enum Command {
    /// Count and store a boot number, then hand it back in `Input::Boot` with fresh entropy.
    AskBoot,
    /// Open a WebSocket.
    SocketOpen(SocketDial),
    /// Send one message.
    SocketSend(SocketMessage),
    /// Close a socket; nothing more is said of it.
    SocketClose(SocketClose),
    /// Make a request.
    Http(Box<HttpCall>),
    /// Give up a request; nothing more is said of it.
    HttpCancel(RequestId),
    /// Get random bytes.
    EntropyAsk(EntropyAsk),
    /// Make a blob.
    BlobMake(BlobContent),
    /// Compute digests.
    BlobDigest(BlobDigest),
    /// Drop a blob.
    BlobDrop(BlobId),
    /// For the agent.
    Agent(Box<AgentAsk>),
    /// Commit these changes together. What follows in the list waits for it; when it fails, what
    /// follows goes on all the same, and `Input::Store` says so.
    Commit(Vec<Change>),
    /// Count something.
    Metric(Metric),
    /// The channel's health has changed.
    Health(Health),
    /// For the operator.
    Reply(TicketReply),
    /// A line for the log.
    Log(LogLine),
    /// The guest broke: something to keep for whoever looks into it.
    Incident(Box<Incident>),
    /// The guest has started.
    Started,
    /// The guest does not start.
    Refused(Refusal),
    /// Something new.
    Extension(Extension),
}

/// Why a channel does not start.
#[derive(Debug, Clone)]
pub enum Refusal {
    /// The guest found something wrong with its configuration or its stored entries.
    Problems(Vec<Problem>),
    /// The guest broke.
    Fault(GuestFault),
}

/// A WebSocket to open.
#[derive(Debug, Clone)]
pub struct SocketDial {
    /// The guest's id.
    pub id: SocketId,
    /// Where; allowed by the egress policy.
    pub url: Url,
    /// Extra headers.
    pub headers: Vec<HeaderOut>,
    /// For DNS, proxy, TCP, TLS and upgrade together.
    pub timeout: Duration,
    /// Largest message, bytes.
    pub max_message: usize,
}

/// A message to send.
#[derive(Debug, Clone)]
pub struct SocketMessage {
    /// The socket.
    pub id: SocketId,
    /// True for a binary message.
    pub binary: bool,
    /// The message: text and blobs in order.
    pub payload: Vec<BodyPiece>,
}

/// A header, joined.
#[derive(Debug, Clone)]
pub struct HeaderOut {
    /// Lower-case name.
    pub name: String,
    /// The value.
    pub value: Hidden,
    /// True when a secret is in it: never sent on to where a redirect leads.
    pub secret: bool,
}

/// A piece of a body: joined text, or a range of a blob to be streamed.
#[derive(Debug, Clone)]
pub enum BodyPiece {
    /// Text, which may contain secrets.
    Text(Hidden),
    /// Bytes of a blob.
    Blob(BlobRange),
}

/// A request to make.
#[derive(Debug, Clone)]
pub struct HttpCall {
    /// The guest's id.
    pub id: RequestId,
    /// Upper-case method.
    pub method: String,
    /// Where; allowed by the egress policy.
    pub url: Url,
    /// Headers.
    pub headers: Vec<HeaderOut>,
    /// The body.
    pub body: Vec<BodyPiece>,
    /// Until the whole answer is there.
    pub timeout: Duration,
    /// Redirects to follow.
    pub redirects: u8,
    /// Where the answer's body goes.
    pub sink: BodySink,
    /// Headers of the answer to hand over, lower case.
    pub want_headers: Vec<String>,
    /// A word for logs and metrics.
    pub purpose: String,
    /// The rules for redirects.
    pub egress: Arc<EgressPolicy>,
}

/// A blob to make.
#[derive(Debug, Clone)]
pub struct BlobContent {
    /// Its id.
    pub blob: BlobId,
    /// What is in it.
    pub content: Vec<BodyPiece>,
    /// File name.
    pub name: Option<String>,
}

/// A reply for the asker with this ticket.
#[derive(Debug, Clone)]
pub struct TicketReply {
    /// As in `OperatorAsk`.
    pub ticket: u64,
    /// The reply. Its `id` means nothing outside the core.
    pub reply: Reply,
}

/// A change of a stored entry.
#[derive(Debug, Clone, PartialEq)]
pub enum Change {
    /// Store it.
    Put {
        /// The guest's key.
        key: String,
        /// The value.
        value: Bytes,
    },
    /// Delete it, if it is there.
    Delete {
        /// The guest's key.
        key: String,
    },
}

impl Change {
    /// The guest's key.
    pub fn key(&self) -> &str {
        match self {
            Self::Put { key, .. } | Self::Delete { key } => key,
        }
    }
}

/// A guest broke.
#[derive(Debug, Clone)]
pub struct Incident {
    /// What it was doing: the case of the event, `start` or `checkpoint`.
    pub during: String,
    /// The event as JSON, free of secrets; absent outside `handle`.
    pub event: Option<String>,
    /// How it broke.
    pub fault: GuestFault,
    /// What the host did about it.
    pub settled: Settled,
}

/// What the host did about a fault.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Settled {
    /// A fresh instance took the same event without trouble.
    Retried,
    /// The event broke a fresh instance too and was handed over as `skipped`.
    Skipped,
    /// The state was rebuilt; nothing was lost.
    Rebuilt,
    /// The channel was taken down, to start from its stored entries.
    TakenDown,
}
