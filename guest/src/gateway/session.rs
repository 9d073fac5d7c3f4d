//! A gateway session as a value: what has to be known to resume it.

use serde::{Deserialize, Serialize};

use crate::ids::SessionId;

/// A session of the gateway, and how far we are in it.
///
/// Two numbers, because they answer two questions. The heartbeat reports what was *received*; Resume asks
/// for everything after what was *handled*, and that number is stored in the same commit as the effects of
/// the event that it counts, so that a crash can repeat an event but never skip one.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Session {
    /// Its id.
    pub id: SessionId,
    /// Last sequence number received.
    pub received: u64,
    /// Last sequence number whose event was handled.
    pub handled: u64,
    /// Intents it was opened with: a session opened with others is not resumed.
    pub intents: u32,
}

impl Session {
    /// A session just opened by a READY with this sequence number.
    #[must_use]
    pub fn opened(id: SessionId, seq: u64, intents: u32) -> Self {
        Self {
            id,
            received: seq,
            handled: seq,
            intents,
        }
    }

    /// Notes a dispatch. One that was handled before is not passed over here: if the platform ever counted
    /// afresh inside a session, that would silence the bot. Repetition is found by message id.
    pub fn receive(&mut self, seq: u64) {
        self.received = self.received.max(seq);
    }

    /// Notes that a dispatch was handled.
    pub fn handle(&mut self, seq: u64) {
        self.handled = self.handled.max(seq);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_never_go_back() {
        let mut session = Session::opened(SessionId("s".into()), 1, 0);
        session.receive(5);
        session.handle(5);
        session.receive(3);
        session.handle(3);
        assert_eq!((session.received, session.handled), (5, 5));
    }
}
