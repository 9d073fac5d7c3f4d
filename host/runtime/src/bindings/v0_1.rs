//! Generated from `wit/v0_1`. The only file that knows how the types are made.
#![allow(
    missing_docs,
    missing_debug_implementations,
    unreachable_pub,
    elided_lifetimes_in_paths,
    clippy::all,
    clippy::allow_attributes_without_reason,
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::missing_safety_doc,
    reason = "generated; every item is documented in wit/"
)]

wasmtime::component::bindgen!({
    path: "../../wit/v0_1",
    world: "channel-plugin",
    additional_derives: [serde::Serialize, serde::Deserialize, PartialEq],
});

pub use exports::prx::channel::channel::Guest as ChannelExports;
pub use prx::channel::log;
pub use prx::channel::types as types_host;
pub use prx::channel::types::*;

/// The export that a component must have, with its version.
pub const CHANNEL_EXPORT: &str = "prx:channel/channel@0.1.0";
/// The same without the version, to tell a wrong version from a wrong component.
pub const CHANNEL_EXPORT_STEM: &str = "prx:channel/channel@";
/// Imports of our own that a component may have.
pub const OWN_IMPORTS: [&str; 2] = ["prx:channel/log@0.1.0", "prx:channel/types@0.1.0"];
