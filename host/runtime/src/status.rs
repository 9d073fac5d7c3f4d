//! How a channel is, as the host sees it. The channel's own account is the reply to a command.

use serde::{Deserialize, Serialize};

use crate::bindings::v0_1::{Health, log::Level};

/// One channel at one moment.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct ChannelStatus {
    /// The instance's name.
    pub name: String,
    /// The component's name.
    pub plugin: String,
    /// The component's version.
    pub version: String,
    /// Counts the components that have run, from 1: one more with each that takes over.
    pub generation: u64,
    /// SHA-256 of the component, lower-case hexadecimal.
    pub digest: String,
    /// The last time that one took over, or was sent back.
    pub last_swap: Option<SwapNote>,
    /// How well it is.
    pub health: Health,
    /// When it was started, milliseconds since 1970.
    pub started_wall_ms: u64,
    /// How long it has run, milliseconds.
    pub uptime_ms: u64,
    /// How often the component has broken since.
    pub incidents: u64,
    /// How often it was started over from what is stored, since.
    pub restarts: u64,
    /// Linear memory of the component.
    pub memory: Share,
    /// Stored entries.
    pub store: Share,
    /// Why nothing of it is being stored, one sentence; `None` while everything is.
    pub not_stored: Option<String>,
    /// Blobs on the disk.
    pub blobs: Share,
    /// How many blobs.
    pub blob_count: usize,
    /// What is under way.
    pub now: Now,
    /// What has been since the start.
    pub counted: Counted,
    /// Warnings and errors, the oldest first.
    pub recent: Vec<Noted>,
}

/// Another component took over.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct SwapNote {
    /// When, milliseconds since 1970.
    pub wall_ms: u64,
    /// The version before.
    pub from: String,
    /// The version since.
    pub to: String,
    /// How.
    pub end: SwapEnd,
}

/// How a component came to run.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum SwapEnd {
    /// It was offered.
    TookOver {
        /// How long the channel took no events, microseconds.
        pause_us: u64,
        /// The one before can go on should it break.
        way_back: bool,
    },
    /// The one that had taken over broke.
    RolledBack {
        /// How.
        fault: String,
    },
}

/// Bytes used of bytes allowed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Share {
    /// Used.
    pub bytes: u64,
    /// Allowed.
    pub limit: u64,
}

/// What is under way.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Now {
    /// Inputs that wait for the component.
    pub queue: usize,
    /// Sockets open or opening.
    pub sockets: usize,
    /// Requests, digests and the like without an answer.
    pub requests: usize,
    /// Timers set.
    pub timers: usize,
    /// Turns with the agent.
    pub turns: usize,
    /// Those of them that wait to begin.
    pub turns_waiting: usize,
}

/// What has been, since the start.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Counted {
    /// Inputs handed to the component.
    pub inputs: u64,
    /// Effects carried out.
    pub effects: u64,
    /// HTTP requests begun.
    pub requests: u64,
    /// HTTP requests that ended without an answer.
    pub requests_failed: u64,
    /// Sockets opened.
    pub sockets: u64,
    /// Commits that did not succeed at once.
    pub commits_failed: u64,
}

/// A line of the log that somebody may want to see later.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Noted {
    /// When, milliseconds since 1970.
    pub wall_ms: u64,
    /// How much it matters.
    pub level: Level,
    /// The line.
    pub text: String,
}
