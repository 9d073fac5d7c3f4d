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
mod cards_and_buttons;
mod chunked_uploads;
mod control_api;
mod faults_at_requests;
mod faults_on_the_socket;
mod files_and_media;
mod group_life;
mod group_modes;
mod guild_events;
mod guild_lookups;
mod guild_messages;
mod heartbeats;
mod identify;
mod many_users;
mod page_and_feed;
mod proactive_and_events;
mod quotas_and_moderation;
mod random_inputs;
mod reactions_and_recall;
mod reply_windows;
mod resume;
mod sentences;
mod shell_files;
mod shell_http;
mod shell_socket;
mod shell_tls;
mod streams;
mod tokens;
