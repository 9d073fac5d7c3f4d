//! What reaches outside: HTTP, WebSockets, blobs. Each takes prepared commands and gives back raw
//! results; none decides what is allowed, except that [`network`] checks every address it dials.

pub mod blobs;
pub(crate) mod body;
mod failure;
pub(crate) mod http;
pub mod network;
mod resolver;
pub(crate) mod socket;
pub(crate) mod unsent;
pub(crate) mod workers;
