//! What a channel may use. No `Default`: whoever builds limits says each one, or starts from
//! [`Limits::STANDARD`] knowingly.

use std::time::Duration;

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
        requests_at_once: 256,
        requests_per_minute: 60_000,
        sockets_at_once: 8,
        timers_at_once: 4096,
        store_bytes: 64 << 20,
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
        requests_at_once: 1024,
        requests_per_minute: 600_000,
        sockets_at_once: 64,
        timers_at_once: 65_536,
        store_bytes: 512 << 20,
        blob_bytes: 2 << 30,
        blobs_total_bytes: 8 << 30,
    };
}
