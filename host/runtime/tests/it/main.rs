//! The host with a real component on real sockets. One binary, since each one links wasmtime.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "helpers of tests fail by panicking, as tests do"
)]

mod channel;
mod control;
mod faults;
mod hostile_components_are_stopped;
mod hostile_components_get_no_secret;
mod http;
mod killed;
mod loading;
mod metrics;
mod neutral;
mod proxy;
mod support;
mod the_host_itself_breaks;
mod tls;
