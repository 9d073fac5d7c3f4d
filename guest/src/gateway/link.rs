//! Where the gateway connection stands.

use serde::{Deserialize, Serialize};

use crate::ids::{RequestId, SocketId};

use super::close::Stop;

/// Where the connection stands.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Link {
    /// Nothing under way: a timer brings the next attempt.
    Waiting,
    /// An access token is needed first.
    WantsToken,
    /// Asking for the address.
    Discovering(RequestId),
    /// A socket is being opened.
    Opening(SocketId),
    /// The socket is open; Hello is due.
    Greeting(SocketId),
    /// Identify is sent; READY is due.
    Identifying(SocketId),
    /// Resume is sent; missed events come, then RESUMED.
    Resuming(SocketId),
    /// Connected.
    Ready(SocketId),
    /// Stopped until somebody acts, but for a rare try.
    Stopped(Stop),
}

impl Link {
    /// A stable word for status.
    #[must_use]
    pub fn word(&self) -> &'static str {
        match self {
            Self::Waiting => "waiting",
            Self::WantsToken => "wants-token",
            Self::Discovering(_) => "discovering",
            Self::Opening(_) => "opening",
            Self::Greeting(_) => "greeting",
            Self::Identifying(_) => "identifying",
            Self::Resuming(_) => "resuming",
            Self::Ready(_) => "ready",
            Self::Stopped(_) => "stopped",
        }
    }

    pub(super) fn socket(&self) -> Option<SocketId> {
        match self {
            Self::Opening(id)
            | Self::Greeting(id)
            | Self::Identifying(id)
            | Self::Resuming(id)
            | Self::Ready(id) => Some(*id),
            Self::Waiting | Self::WantsToken | Self::Discovering(_) | Self::Stopped(_) => None,
        }
    }
}
