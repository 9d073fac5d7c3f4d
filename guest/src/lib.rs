//! Placeholder.

pub mod bindings;
