//! Faults written as the text that [`super::parse`] reads.

use std::fmt;

use super::{CallPoint, Fault, FaultOrder, Garbage, HttpFault, Op9};
use crate::time::span_text;

impl fmt::Display for Garbage {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::NotJson => "not-json",
            Self::NotObject => "not-object",
            Self::Empty => "empty",
            Self::UnknownOp => "unknown-op",
            Self::UnknownEvent => "unknown-event",
            Self::MissingSeq => "missing-seq",
            Self::OddBody => "odd-body",
            Self::OddFields => "odd-fields",
            Self::MissingName => "missing-name",
            Self::Huge => "huge",
        })
    }
}

impl fmt::Display for Op9 {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::True => "true",
            Self::False => "false",
            Self::Missing => "missing",
        })
    }
}

impl fmt::Display for HttpFault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Status(status @ (401 | 429 | 500)) => write!(f, "{status}"),
            Self::Status(status) => write!(f, "status {status}"),
            Self::Html(status) => write!(f, "{status}-html"),
            Self::Refuse(code) => write!(f, "refuse {code}"),
            Self::SlowBefore(span) => write!(f, "slow {}", span_text(*span)),
            Self::SlowAfter(span) => write!(f, "slow-after-delivery {}", span_text(*span)),
            Self::CutAfter => f.write_str("cut-after-delivery"),
            Self::CutBefore => f.write_str("reset-on-next-post"),
            Self::FailAfter => f.write_str("fail-after-delivery"),
            Self::NotJson => f.write_str("answer-not-json"),
        }
    }
}

impl fmt::Display for Fault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Drop => f.write_str("drop"),
            Self::DropBeforeEvent => f.write_str("drop-before-event"),
            Self::DropAfterEvent => f.write_str("drop-after-event"),
            Self::LostAck => f.write_str("lost-ack"),
            Self::Reconnect => f.write_str("op7"),
            Self::InvalidSession(d) => write!(f, "op9 {d}"),
            Self::Close(code) => write!(f, "close {code}"),
            Self::CloseAtLogin(code) => write!(f, "login-close {code}"),
            Self::InvalidAtLogin(d) => write!(f, "login-op9 {d}"),
            Self::NoHello => f.write_str("no-hello"),
            Self::ForgetSessions => f.write_str("forget-sessions"),
            Self::Quiet(span) => write!(f, "quiet {}", span_text(*span)),
            Self::Deliver(2) => f.write_str("double"),
            Self::Deliver(3) => f.write_str("triple"),
            Self::Deliver(times) => write!(f, "deliver {times}"),
            Self::NewIdDouble => f.write_str("double-new-id"),
            Self::ReplayExtra(count) => write!(f, "replay-extra {count}"),
            Self::Garbage(kind) => write!(f, "garbage {kind}"),
            Self::AskHeartbeat => f.write_str("ask-heartbeat"),
            Self::TokenDeath => f.write_str("token-death"),
            Self::Http {
                at: CallPoint::Post,
                what,
            } => write!(f, "{what}"),
            Self::Http { at, what } => write!(f, "{what} at {at}"),
        }
    }
}

impl fmt::Display for CallPoint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Post => "post",
            Self::Gateway => "gateway",
            Self::Token => "token",
            Self::Upload => "upload",
            Self::Storage => "storage",
            Self::Ack => "ack",
            Self::Any => "any",
        })
    }
}

impl fmt::Display for FaultOrder {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.times {
            1 => write!(f, "{}", self.fault),
            times => write!(f, "{} x{times}", self.fault),
        }
    }
}
