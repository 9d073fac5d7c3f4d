//! What the emulator does, one behaviour per test. The core is driven on virtual time; the shell
//! through real sockets on loopback.

#![allow(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    clippy::panic,
    reason = "a test that meets the unexpected has failed"
)]

mod support;

mod bots_send;
mod control_api;
mod faults_at_requests;
mod faults_on_the_socket;
mod group_modes;
mod heartbeats;
mod identify;
mod many_users;
mod proactive_and_events;
mod random_inputs;
mod reply_windows;
mod resume;
mod shell_http;
mod shell_socket;
mod shell_tls;
mod tokens;
