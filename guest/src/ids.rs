//! Identifiers: those that this channel allots for the host, and those that QQ gave us.

use std::fmt;

use serde::{Deserialize, Serialize};

macro_rules! host_id {
    ($($(#[$doc:meta])* $name:ident),+ $(,)?) => {$(
        $(#[$doc])*
        #[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
        pub struct $name(pub u64);

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                write!(f, "{:x}", self.0)
            }
        }
    )+};
}

host_id! {
    /// A WebSocket held by the host.
    SocketId,
    /// A request to the host that gets one answer.
    RequestId,
    /// A timer held by the host.
    TimerId,
    /// One run of the agent for one inbound message.
    TurnId,
}

macro_rules! platform_id {
    ($($(#[$doc:meta])* $name:ident),+ $(,)?) => {$(
        $(#[$doc])*
        #[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
        #[serde(transparent)]
        pub struct $name(pub String);

        impl $name {
            /// The id as QQ writes it.
            #[must_use]
            pub fn as_str(&self) -> &str {
                &self.0
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(&self.0)
            }
        }
    )+};
}

platform_id! {
    /// Id of a message, valid as `msg_id` of a passive reply.
    MessageId,
    /// A person or a group, as this bot sees it (`PROTOCOL.md`, "Ids").
    OpenId,
    /// Id of a gateway session.
    SessionId,
}

/// Allots ids as `boot number << 32 | counter`.
///
/// The host counts boots durably before a start, so an id is never used twice: not across a swap
/// (the counter travels in the checkpoint) and not after a commit that was lost (the boot number differs).
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Ids {
    boot: u32,
    next: u32,
}

impl Ids {
    /// Starts counting for one boot.
    #[must_use]
    pub fn new(boot: u32) -> Self {
        Self { boot, next: 1 }
    }

    fn allot(&mut self) -> u64 {
        let id = u64::from(self.boot) << 32 | u64::from(self.next);
        // Four thousand million ids in one boot are 136 years at one a second; wrapping keeps it total.
        self.next = self.next.wrapping_add(1);
        id
    }

    /// A new socket id.
    pub fn socket(&mut self) -> SocketId {
        SocketId(self.allot())
    }

    /// A new request id.
    pub fn request(&mut self) -> RequestId {
        RequestId(self.allot())
    }

    /// A new timer id.
    pub fn timer(&mut self) -> TimerId {
        TimerId(self.allot())
    }

    /// A new turn id.
    pub fn turn(&mut self) -> TurnId {
        TurnId(self.allot())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ids_of_two_boots_never_meet() {
        let (mut first, mut second) = (Ids::new(1), Ids::new(2));
        assert_eq!(first.socket().0, 0x1_0000_0001);
        assert_eq!(first.turn().0, 0x1_0000_0002);
        assert_eq!(second.request().0, 0x2_0000_0001);
    }
}
