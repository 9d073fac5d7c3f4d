//! QQ in a box: an emulator of the QQ bot platform, for people and for tests.
//!
//! In the middle is [`Platform`], a synchronous core without sockets, clock or randomness of its
//! own: it takes [`wire::Input`]s and gives [`wire::Command`]s. Around it, [`shell`] speaks HTTP
//! and WebSocket on loopback and keeps the time, and [`console`] turns lines of a terminal into
//! actions. Rules that the platform leaves open are [`settings`]; what goes wrong on purpose is
//! [`faults`]; what happened is in [`record`] and [`ledger`].
//!
//! What must not live here: a line or a type of any bot. The emulator is written from the public
//! documentation alone, so that a misreading cannot hide on both sides. And nothing is printed
//! here but by the binary.

pub mod actions;
pub mod codes;
pub mod console;
pub mod faults;
pub mod ids;
pub mod intents;
pub mod ledger;
pub mod platform;
mod random;
pub mod record;
pub mod settings;
pub mod shell;
pub mod time;
pub mod wire;

pub use platform::Platform;
pub use shell::{Emulator, EmulatorOptions, Handle};
