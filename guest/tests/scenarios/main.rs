//! The channel driven by hand, event by event: what it does, and what it does not do.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "tests"
)]

mod connecting;
mod driver;
mod guilds;
mod media;
mod operator;
mod talking;
mod tokens;
