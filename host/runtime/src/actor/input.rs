//! What comes into the core from the world.

use std::collections::BTreeSet;
use std::sync::Arc;

use crate::bindings::v0_1::{
    BlobInfo, BlobMade, DigestDone, Entropy, Extension, Failure, HeaderText, OperatorCommand,
    RequestId, SocketBinary, SocketClosed, SocketId, SocketText, TurnEvent,
};
use crate::egress::{EgressPolicy, Widening};
use crate::guest::Component;
use crate::limits::Limits;
use crate::vault::Hidden;

/// One input. Everything that the core cannot know by itself arrives in one of these.
#[derive(Debug, Clone)]
pub enum Input {
    /// The answer to `Command::AskBoot`.
    Boot(BootInput),
    /// `next_due` has come.
    Tick,
    /// A socket is open.
    SocketOpened(SocketId),
    /// A text message, as it came.
    SocketText(SocketText),
    /// A binary message, as it came.
    SocketBinary(SocketBinary),
    /// A socket is gone.
    SocketClosed(SocketClosed),
    /// A request ended.
    HttpDone(RawHttpDone),
    /// Random bytes.
    Entropy(Entropy),
    /// A blob of the guest's making is there.
    BlobMade(BlobMade),
    /// Digests are there.
    DigestDone(DigestDone),
    /// The agent reports.
    Turn(TurnEvent),
    /// The operator asks.
    Operator(OperatorAsk),
    /// The operator's file has changed, and was checked.
    Reload(Box<Reload>),
    /// Another component is to take over.
    Swap(Box<Swap>),
    /// Begin to tell what happens, or stop.
    Record(Option<TraceForm>),
    /// Commits work, or do not: one sentence.
    Store(Result<(), String>),
    /// Something new.
    Extension(Extension),
}

/// What a start needs that the core cannot make.
#[derive(Debug, Clone, PartialEq)]
pub struct BootInput {
    /// Counts the starts of this instance; stored before it is handed over.
    pub number: u32,
    /// From the system.
    pub entropy: [u8; 32],
}

/// A command of the operator, with a ticket that comes back with each reply.
#[derive(Debug, Clone, PartialEq)]
pub struct OperatorAsk {
    /// The shell's own number.
    pub ticket: u64,
    /// What is asked.
    pub ask: OperatorCommand,
}

/// A configuration for a channel that runs.
#[derive(Debug, Clone, PartialEq)]
pub struct Reload {
    /// The shell's own number, for the reply.
    pub ticket: u64,
    /// The operator's table as JSON, checked, without secrets.
    pub config: String,
    /// The secrets in it.
    pub secrets: Vec<(String, Hidden)>,
    /// What it widens of where the channel may connect to.
    pub widenings: Vec<Widening>,
}

/// A component that is to take over, and the rules it comes with.
#[derive(Debug, Clone)]
pub struct Candidate {
    /// The code.
    pub component: Arc<dyn Component>,
    /// What it may use.
    pub limits: Limits,
    /// The operator's table as JSON, checked against its keys, without secrets.
    pub config: String,
    /// Its secrets. Those that are known already stay as they are: a change is a matter of the configuration.
    pub secrets: Vec<(String, Hidden)>,
    /// Names of the secrets that responses may bring.
    pub captured: BTreeSet<String>,
    /// Where it may connect to.
    pub egress: Arc<EgressPolicy>,
}

/// A component is to take over.
#[derive(Debug, Clone)]
pub struct Swap {
    /// The shell's own number, for the outcome.
    pub ticket: u64,
    /// What takes over.
    pub candidate: Candidate,
}

/// What a trace may show.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum TraceForm {
    /// What people wrote, as they wrote it.
    Plain,
    /// Letters and digits of it replaced.
    Blank,
}

/// The end of a request, before secrets are taken out.
#[derive(Debug, Clone, PartialEq)]
pub struct RawHttpDone {
    /// The request.
    pub id: RequestId,
    /// What came.
    pub outcome: Result<RawResponse, Failure>,
}

/// A response, before secrets are taken out.
#[derive(Debug, Clone, PartialEq)]
pub struct RawResponse {
    /// Status code.
    pub status: u16,
    /// Every address that was asked, the one that answered last.
    pub hops: Vec<url::Url>,
    /// The wanted headers that were there, names in lower case.
    pub headers: Vec<HeaderText>,
    /// The body.
    pub body: RawBody,
}

/// A response's body.
#[derive(Debug, Clone, PartialEq)]
pub enum RawBody {
    /// In memory, cut at the call's `read_bytes`.
    Bytes {
        /// The bytes.
        bytes: Vec<u8>,
        /// True when there were more.
        truncated: bool,
    },
    /// In a blob.
    Blob(BlobInfo),
}
