//! The channel driven by hand, event by event: what it does, and what it does not do.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "tests"
)]

mod approving;
mod commands;
mod connecting;
mod driver;
mod flooding;
mod guilds;
mod interrupting;
mod media;
mod mentioning;
mod operator;
mod pairing;
mod settings;
mod talking;
mod tokens;
