//! The QQ component and its manifest, as bytes for a program to carry with it.
//!
//! Nothing else belongs here: whoever edits the channel or the host must not have to build the other.

/// The component, built from `guest/` for `wasm32-wasip2`.
pub const COMPONENT: &[u8] = include_bytes!(concat!(env!("OUT_DIR"), "/qq_channel.wasm"));

/// Its manifest: `guest/plugin.toml`.
pub const MANIFEST: &str = include_str!("../../plugin.toml");
