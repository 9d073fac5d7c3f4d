//! What the host knows of a channel's code: two traits and one kind of failure.
//!
//! [`Component`] makes instances, [`Guest`] is one of them. The component in wasm is one
//! implementation ([`wasm`]); a native one takes its place in a simulator. Nothing here knows how
//! a guest is run.

use std::fmt;

use crate::bindings::v0_1::{
    Boot, ChannelInfo, CheckpointMode, Effect, Entry, Event, Holdings, Instant, Problem, log::Level,
};

pub mod check;
pub mod wasm;

/// What `start` answers: the first effects, or what keeps the channel from starting.
pub type StartAnswer = Result<Vec<Effect>, Vec<Problem>>;

/// One instance of a channel. After any [`GuestFault`] it is dropped and never called again.
pub trait Guest: Send {
    /// Begins; called once, first.
    ///
    /// # Errors
    /// The instance faulted.
    fn start(&mut self, now: Instant, boot: &Boot) -> Result<StartAnswer, GuestFault>;

    /// Takes one event and returns what is to be done, in order.
    ///
    /// # Errors
    /// The instance faulted; the event has had no effect.
    fn handle(&mut self, now: Instant, event: &Event) -> Result<Vec<Effect>, GuestFault>;

    /// Writes down what is in flight. The inner error is the guest's own refusal.
    ///
    /// # Errors
    /// The instance faulted.
    fn checkpoint(&mut self, mode: CheckpointMode) -> Result<Result<Vec<u8>, String>, GuestFault>;

    /// What the instance counts on the host to hold.
    ///
    /// # Errors
    /// The instance faulted.
    fn inventory(&mut self) -> Result<Holdings, GuestFault>;

    /// The event with what people wrote made unreadable, for a trace. Called on instances that were not
    /// started, too.
    ///
    /// # Errors
    /// The instance faulted.
    fn blank_event(&mut self, event: &Event) -> Result<Event, GuestFault>;

    /// The same for a stored entry.
    ///
    /// # Errors
    /// The instance faulted.
    fn blank_entry(&mut self, entry: &Entry) -> Result<Entry, GuestFault>;

    /// Linear memory that the instance has now, bytes. It never shrinks.
    fn memory_bytes(&self) -> u64 {
        0
    }

    /// Fuel that the instance has used since it was made: a measure of its work that no other load on the
    /// machine changes. 0 where the engine counts none (see [`crate::engine::counting`]).
    fn fuel_used(&self) -> u64 {
        0
    }

    /// Lines logged since the last call of this function, oldest first.
    fn take_log(&mut self) -> Vec<LogLine> {
        Vec::new()
    }
}

/// A channel's code, checked and ready to be instantiated.
pub trait Component: Send + Sync + fmt::Debug {
    /// A fresh instance that has not been started.
    ///
    /// # Errors
    /// No instance could be made: memory, or code that faults while it is set up.
    fn instantiate(&self) -> Result<Box<dyn Guest>, GuestFault>;

    /// What the component says of itself.
    ///
    /// # Errors
    /// The component faulted.
    fn describe(&self) -> Result<ChannelInfo, GuestFault>;

    /// SHA-256 of the code, lower-case hexadecimal; empty where there is no file.
    fn digest(&self) -> String {
        String::new()
    }
}

/// One line that a guest logged.
#[derive(Debug, Clone, PartialEq)]
pub struct LogLine {
    /// How much it matters.
    pub level: Level,
    /// The line, bounded.
    pub text: String,
}

/// How a guest broke.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum FaultKind {
    /// The code trapped: a panic, an out-of-bounds access, an `unreachable`.
    Trap,
    /// The call used more CPU time than it may.
    Deadline,
    /// The call wanted more memory than the instance may have.
    OutOfMemory,
    /// The call returned more than it may, or something that breaks the interface's rules.
    BadOutput,
}

impl fmt::Display for FaultKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Trap => "trap",
            Self::Deadline => "deadline",
            Self::OutOfMemory => "out of memory",
            Self::BadOutput => "bad output",
        })
    }
}

/// A guest broke in the middle of a call. The instance cannot be used any more; the call has had no
/// effect, so whoever reads this makes a fresh instance from the last checkpoint.
#[derive(Debug, Clone, thiserror::Error)]
#[error("{kind}: {message}")]
pub struct GuestFault {
    /// Which way it broke.
    pub kind: FaultKind,
    /// One line: the panic's text where there is one.
    pub message: String,
    /// What the instance wrote to stderr, and the wasm backtrace; may be empty.
    pub detail: String,
}

impl GuestFault {
    /// A fault without a backtrace.
    pub fn new(kind: FaultKind, message: impl Into<String>) -> Self {
        Self {
            kind,
            message: message.into(),
            detail: String::new(),
        }
    }
}
