//! What the core wants done, in order. A shell or a simulator carries it out.

use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use url::Url;

use super::swap::SwapRefused;
use crate::agent::AgentAsk;
use crate::bindings::v0_1::{
    BlobDigest, BlobId, BlobRange, BodySink, Boot, EntropyAsk, Event, Extension, Health, Instant,
    Metric, Problem, Reply, RequestId, SocketClose, SocketId,
};
use crate::egress::EgressPolicy;
use crate::guest::{Component, GuestFault, LogLine};
use crate::limits::Limits;
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
    /// A component took over, or was refused.
    Swapped {
        /// As in `Swap`.
        ticket: u64,
        /// What runs now; or why it is still what it was.
        outcome: Box<Result<Taken, SwapRefused>>,
    },
    /// A component that had taken over broke in its probation; the one before goes on.
    RolledBack {
        /// The digest of the one that broke.
        broke: String,
        /// What goes on.
        standing: Box<Standing>,
        /// How it broke.
        fault: GuestFault,
    },
    /// A line of a trace.
    Trace(Box<TraceItem>),
    /// The guest has started.
    Started,
    /// The guest does not start.
    Refused(Refusal),
    /// Something new.
    Extension(Extension),
}

/// What runs.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Standing {
    /// Counts the components that have run, from 1.
    pub generation: u64,
    /// The plugin.
    pub plugin: String,
    /// Its version.
    pub version: String,
    /// The state version it writes.
    pub state_version: u32,
    /// SHA-256 of its code, lower-case hexadecimal.
    pub digest: String,
    /// What it may use.
    pub limits: Limits,
}

/// A component that took over.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Taken {
    /// It.
    pub standing: Standing,
    /// The version before.
    pub from: String,
    /// True when the one before goes on by itself should this one break soon.
    pub way_back: bool,
}

/// What a trace is made of.
#[derive(Debug, Clone)]
pub enum TraceItem {
    /// An instance like the one that runs starts with this.
    Boot {
        /// Which component.
        generation: u64,
        /// The code.
        component: Arc<dyn Component>,
        /// When.
        now: Instant,
        /// With what.
        boot: Box<Boot>,
    },
    /// Nothing more can be told: one sentence.
    Broken(String),
    /// The instance takes an event.
    Event {
        /// When.
        now: Instant,
        /// Which.
        event: Event,
    },
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
    /// Bytes to read of an answer in memory: more than the sink has, so that what is cut there can be masked before.
    pub read_bytes: usize,
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
    /// The component had just taken over; the one before goes on, and takes the event.
    RolledBack,
    /// The channel was taken down, to start from its stored entries.
    TakenDown,
}
