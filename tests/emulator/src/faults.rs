//! Things that go wrong on purpose, each also writable as a line of text.
//!
//! A fault strikes at once, or waits for its occasion (the next event, heartbeat, login or
//! request of one bot) and strikes there. `x3` at the end of the text makes it strike three times.

mod help;
mod parse;
mod write;

use std::time::Duration;

use serde::{Deserialize, Deserializer, Serialize, Serializer};

pub use help::{FAULT_HELP, FaultHelp};
pub use parse::{FaultTextError, parse_orders};

/// Something that goes wrong.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Fault {
    /// The live connection breaks without a close frame.
    Drop,
    /// The next event is logged in the session, and the connection breaks before it is sent.
    DropBeforeEvent,
    /// The next event is sent, and the connection breaks right after it.
    DropAfterEvent,
    /// The next heartbeat is not acknowledged.
    LostAck,
    /// Op 7; the connection is closed with 4009 some seconds later.
    Reconnect,
    /// Op 9 on the live connection.
    InvalidSession(Op9),
    /// The live connection is closed with this code. Codes that forbid a Resume end the session.
    Close(u16),
    /// The next login (Identify or Resume) is answered by a close with this code.
    CloseAtLogin(u16),
    /// The next login is answered by op 9.
    InvalidAtLogin(Op9),
    /// The next connection gets no Hello.
    NoHello,
    /// Every session is forgotten, and the connections break: the next Resume is refused.
    ForgetSessions,
    /// Events are held back for this long, then come in order.
    Quiet(Duration),
    /// The next user message is pushed this many times, with one id.
    Deliver(u32),
    /// The next user message is pushed twice with two ids and one `msg_idx`.
    NewIdDouble,
    /// The next Resume replays this many events more than it asked for.
    ReplayExtra(u32),
    /// A frame that no client expects.
    Garbage(Garbage),
    /// The server asks for a heartbeat with op 1.
    AskHeartbeat,
    /// Every access token dies now.
    TokenDeath,
    /// The next request of a kind goes wrong.
    Http {
        /// Which request.
        at: CallPoint,
        /// What happens to it.
        what: HttpFault,
    },
}

/// The forms of op 9.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Op9 {
    /// `d: true`: the session may be resumed.
    True,
    /// `d: false`: the session is over.
    False,
    /// No `d` at all: the session is over.
    Missing,
}

/// Frames that no client expects. Those with a sequence number stay in the session's log.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Garbage {
    /// Text that is not JSON.
    NotJson,
    /// JSON that is no object.
    NotObject,
    /// No text at all.
    Empty,
    /// An opcode that does not exist.
    UnknownOp,
    /// An event that does not exist, with a sequence number.
    UnknownEvent,
    /// An event without a sequence number.
    MissingSeq,
    /// A message event whose `d` is a number.
    OddBody,
    /// A message event whose fields have other types.
    OddFields,
    /// An event without a name.
    MissingName,
    /// An unknown event of about 300 KB.
    Huge,
}

/// Every kind of garbage, in the order in which `garbage` without a kind sends them.
pub const ALL_GARBAGE: [Garbage; 10] = [
    Garbage::NotJson,
    Garbage::NotObject,
    Garbage::Empty,
    Garbage::UnknownOp,
    Garbage::UnknownEvent,
    Garbage::MissingSeq,
    Garbage::OddBody,
    Garbage::OddFields,
    Garbage::MissingName,
    Garbage::Huge,
];

/// Which requests a fault waits for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum CallPoint {
    /// The next POST of a message.
    Post,
    /// `/gateway` or `/gateway/bot`.
    Gateway,
    /// The token endpoint.
    Token,
    /// Uploading a file, whole or in parts, but for the parts themselves.
    Upload,
    /// Object storage: the parts of an upload, and downloads.
    Storage,
    /// The acknowledgement of an interaction.
    Ack,
    /// Any request but to the token endpoint.
    Any,
}

/// What happens to a request.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum HttpFault {
    /// Nothing is done, and the answer is this status with the documented body (HTML for 502).
    Status(u16),
    /// Nothing is done, and the answer is HTML of an edge proxy with this status.
    Html(u16),
    /// Nothing is done, and the answer is this business code.
    Refuse(u32),
    /// Everything is done; the answer comes late.
    SlowAfter(Duration),
    /// Nothing is done yet; the request waits, then it is handled.
    SlowBefore(Duration),
    /// Everything is done; the connection breaks before the answer.
    CutAfter,
    /// Nothing is done; the connection breaks.
    CutBefore,
    /// Everything is done; the answer is a 500.
    FailAfter,
    /// Everything is done; the answer is not JSON.
    NotJson,
}

/// A fault and how many times it strikes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FaultOrder {
    /// What goes wrong.
    pub fault: Fault,
    /// How many times, at least 1.
    pub times: u32,
}

impl From<Fault> for FaultOrder {
    fn from(fault: Fault) -> Self {
        Self { fault, times: 1 }
    }
}

/// When a fault strikes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Occasion {
    /// At once.
    Now,
    /// When a connection is opened.
    Connect,
    /// At the next Identify or Resume.
    Login,
    /// At the next Resume.
    Resume,
    /// At the next heartbeat.
    Heartbeat,
    /// When the next event is pushed.
    Event,
    /// When the next user message is pushed.
    Message,
    /// At the next request of this kind.
    Request(CallPoint),
}

impl Fault {
    /// When it strikes.
    #[must_use]
    pub fn occasion(&self) -> Occasion {
        match self {
            Self::Drop
            | Self::Reconnect
            | Self::InvalidSession(_)
            | Self::Close(_)
            | Self::ForgetSessions
            | Self::Quiet(_)
            | Self::Garbage(_)
            | Self::AskHeartbeat
            | Self::TokenDeath => Occasion::Now,
            Self::NoHello => Occasion::Connect,
            Self::CloseAtLogin(_) | Self::InvalidAtLogin(_) => Occasion::Login,
            Self::ReplayExtra(_) => Occasion::Resume,
            Self::LostAck => Occasion::Heartbeat,
            Self::DropBeforeEvent | Self::DropAfterEvent => Occasion::Event,
            Self::Deliver(_) | Self::NewIdDouble => Occasion::Message,
            Self::Http { at, .. } => Occasion::Request(*at),
        }
    }
}

/// Faults that wait for their occasion, oldest first.
#[derive(Debug, Clone, Default)]
pub(crate) struct Armed {
    waiting: Vec<FaultOrder>,
}

impl Armed {
    pub(crate) fn arm(&mut self, order: FaultOrder) {
        self.waiting.push(order);
    }

    /// Takes one strike of the oldest fault that waits for this occasion.
    pub(crate) fn take(&mut self, occasion: Occasion) -> Option<Fault> {
        let at = self
            .waiting
            .iter()
            .position(|order| order.fault.occasion() == occasion)?;
        let order = self.waiting.get_mut(at)?;
        let fault = order.fault.clone();
        order.times = order.times.saturating_sub(1);
        if order.times == 0 {
            self.waiting.remove(at);
        }
        Some(fault)
    }

    /// Those that still wait.
    pub(crate) fn waiting(&self) -> &[FaultOrder] {
        &self.waiting
    }

    pub(crate) fn clear(&mut self) {
        self.waiting.clear();
    }
}

impl Serialize for FaultOrder {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for FaultOrder {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = String::deserialize(deserializer)?;
        text.parse().map_err(serde::de::Error::custom)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_armed_fault_strikes_as_often_as_ordered() {
        let mut armed = Armed::default();
        armed.arm(FaultOrder {
            fault: Fault::LostAck,
            times: 2,
        });
        armed.arm(Fault::NoHello.into());
        assert_eq!(armed.take(Occasion::Login), None);
        assert_eq!(armed.take(Occasion::Heartbeat), Some(Fault::LostAck));
        assert_eq!(armed.take(Occasion::Heartbeat), Some(Fault::LostAck));
        assert_eq!(armed.take(Occasion::Heartbeat), None);
        assert_eq!(armed.waiting(), [FaultOrder::from(Fault::NoHello)]);
    }
}
