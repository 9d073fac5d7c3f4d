//! What the end-to-end tests stand on: the channel as native code, and a simulator of days in seconds.
//!
//! Nothing here belongs to the product: no rule of the channel, of the host or of the platform is written here
//! a second time, except where a test says what must be true.

pub mod bench;
pub mod bot;
pub mod corpus;
pub mod dual;
pub mod load;
pub mod meter;
pub mod mutant;
pub mod native;
pub mod reborn;
pub mod sim;
pub mod spy;
