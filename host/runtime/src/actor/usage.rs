//! What a channel takes up, for whoever looks after the machine.

use super::{Actor, Life};

/// Sizes and counts at one moment.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Usage {
    /// Linear memory of the instance, bytes; 0 while none runs.
    pub memory_bytes: u64,
    /// Stored entries, bytes.
    pub stored_bytes: u64,
    /// Sockets open or opening.
    pub sockets: usize,
    /// Requests, digests, entropy and blobs not yet answered.
    pub requests: usize,
    /// Timers set.
    pub timers: usize,
    /// Turns with the agent.
    pub turns: usize,
}

impl Actor {
    /// What the channel takes up now. Cheap: nothing is counted for it.
    pub fn usage(&self) -> Usage {
        Usage {
            memory_bytes: match &self.life {
                Life::Running(guest) => guest.memory_bytes(),
                Life::Booting | Life::Down { .. } | Life::Ended => 0,
            },
            stored_bytes: self.memory.bytes() as u64,
            sockets: self.tables.sockets.len(),
            requests: self.tables.requests.len(),
            timers: self.tables.timers.len(),
            turns: self.tables.turns.len(),
        }
    }
}
