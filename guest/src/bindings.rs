//! The types of `wit/`, generated, as the core uses them. The only file that knows how they are made.
#![allow(
    missing_docs,
    missing_debug_implementations,
    unreachable_pub,
    clippy::allow_attributes_without_reason,
    reason = "generated; every item is documented in wit/"
)]

wit_bindgen::generate!({
    path: "../wit/v0_1",
    world: "channel-plugin",
    generate_all,
    additional_derives: [serde::Serialize, serde::Deserialize, Clone, PartialEq],
});

#[cfg(target_family = "wasm")]
pub use prx::channel::log;
pub use prx::channel::types::*;
