//! What a channel may use. No `Default`: whoever builds limits says each one, or starts from
//! [`Limits::STANDARD`] knowingly.

use std::time::Duration;

use crate::bindings::v0_1::Stored;

/// What each stored entry counts for besides its key and its value, bytes: memory and a line of the store's log.
pub const ENTRY_COST_BYTES: usize = 128;

/// Upper bounds for one channel.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Limits {
    /// Linear memory of the instance, bytes.
    pub memory_bytes: usize,
    /// Elements of each of its tables, such as the one of function pointers.
    pub table_elements: usize,
    /// Core instances that the component is made of.
    pub instances: usize,
    /// CPU time of one `handle`, `checkpoint` or `inventory`.
    pub call_cpu: Duration,
    /// CPU time of `start`, which may read everything that is stored.
    pub start_cpu: Duration,
    /// Effects of one call.
    pub effects_per_call: usize,
    /// Bytes of text and data in the effects of one call.
    pub effect_bytes_per_call: usize,
    /// Bytes of one checkpoint.
    pub checkpoint_bytes: usize,
    /// Log lines of one call; more are dropped and counted.
    pub log_lines_per_call: usize,
    /// Bytes of one log line; longer ones are cut.
    pub log_line_bytes: usize,
    /// Bytes of one answer that the guest gets to see as text.
    pub answer_bytes: usize,
    /// Bytes of all answers that are read into memory at once.
    pub answers_bytes: usize,
    /// Bytes of one message that arrives on a socket.
    pub message_bytes: usize,
    /// Bytes of all messages that wait to be sent on sockets, blobs in them included.
    pub unsent_bytes: usize,
    /// Digests and blobs in the making at once.
    pub work_at_once: usize,
    /// Asks for random bytes, digests and blobs within any minute.
    pub asks_per_minute: usize,
    /// Turns of the agent at once.
    pub turns_at_once: usize,
    /// Turns that begin, and messages for the agent's memory alone, within any minute.
    pub turns_per_minute: usize,
    /// Log lines within any minute; more are dropped and counted.
    pub log_lines_per_minute: usize,
    /// Bytes of log lines within any minute; more are dropped and counted.
    pub log_bytes_per_minute: usize,
    /// HTTP requests under way at once.
    pub requests_at_once: usize,
    /// HTTP requests that leave within any minute.
    pub requests_per_minute: usize,
    /// Sockets at once.
    pub sockets_at_once: usize,
    /// Timers set at once.
    pub timers_at_once: usize,
    /// Bytes of all stored entries.
    pub store_bytes: usize,
    /// Bytes of one blob.
    pub blob_bytes: u64,
    /// Bytes of all blobs.
    pub blobs_total_bytes: u64,
}

impl Limits {
    /// What a chat bot needs, with room. A manifest may ask for less or, within
    /// [`Limits::CEILING`], for more.
    pub const STANDARD: Self = Self {
        memory_bytes: 64 << 20,
        table_elements: 20_000,
        instances: 32,
        call_cpu: Duration::from_millis(250),
        start_cpu: Duration::from_secs(5),
        effects_per_call: 4096,
        effect_bytes_per_call: 8 << 20,
        checkpoint_bytes: 4 << 20,
        log_lines_per_call: 256,
        log_line_bytes: 2048,
        answer_bytes: 1 << 20,
        answers_bytes: 128 << 20,
        message_bytes: 8 << 20,
        unsent_bytes: 32 << 20,
        work_at_once: 64,
        asks_per_minute: 6_000,
        turns_at_once: 1024,
        turns_per_minute: 60_000,
        log_lines_per_minute: 60_000,
        log_bytes_per_minute: 8 << 20,
        requests_at_once: 256,
        requests_per_minute: 60_000,
        sockets_at_once: 8,
        timers_at_once: 4096,
        store_bytes: 21 << 20,
        blob_bytes: 200 << 20,
        blobs_total_bytes: 1 << 30,
    };

    /// The most that a manifest can ask for.
    pub const CEILING: Self = Self {
        memory_bytes: 512 << 20,
        table_elements: 1_000_000,
        instances: 128,
        call_cpu: Duration::from_secs(2),
        start_cpu: Duration::from_secs(30),
        effects_per_call: 4096,
        effect_bytes_per_call: 32 << 20,
        checkpoint_bytes: 16 << 20,
        log_lines_per_call: 256,
        log_line_bytes: 2048,
        answer_bytes: 16 << 20,
        answers_bytes: 256 << 20,
        message_bytes: 32 << 20,
        unsent_bytes: 128 << 20,
        work_at_once: 1024,
        asks_per_minute: 60_000,
        turns_at_once: 4096,
        turns_per_minute: 600_000,
        log_lines_per_minute: 600_000,
        log_bytes_per_minute: 64 << 20,
        requests_at_once: 1024,
        requests_per_minute: 600_000,
        sockets_at_once: 64,
        timers_at_once: 65_536,
        store_bytes: 170 << 20,
        blob_bytes: 2 << 30,
        blobs_total_bytes: 8 << 30,
    };

    /// What stored entries count for, bytes.
    #[must_use]
    pub fn weight(&self, stored: &Stored) -> usize {
        let fixed = ENTRY_COST_BYTES.saturating_mul(stored.entries as usize);
        fixed.saturating_add(usize::try_from(stored.bytes).unwrap_or(usize::MAX))
    }
}
