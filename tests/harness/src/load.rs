//! A load generator that stands outside: it knows the emulator's control API over HTTP and WebSocket, and nothing
//! of the bot. Many users write, each waits for the answer to what was written, and everything is counted.

mod client;
mod drive;
mod flood;
mod report;
pub mod swaps;

pub use client::{Client, Heard, Place};
pub use drive::{Bot, Load, drive};
pub use flood::{Flood, Flooded, flood};
pub use report::Report;
