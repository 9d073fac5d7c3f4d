//! The agent behind its port, with a model's server on loopback.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "helpers of tests fail by panicking, as tests do"
)]

#[cfg(unix)]
mod command;
mod echo;
mod media;
mod model;
mod openai;
mod support;
#[cfg(unix)]
mod tools;
mod tricks;
mod waiting;
