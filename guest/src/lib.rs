//! The QQ channel: everything that is QQ, and nothing else.
//!
//! What lives here: the protocol, the gateway session, access rules, turns, delivery. All of it is one state
//! machine, [`channel::Channel`]: one event in, a list of effects out. The same events give the same effects.
//!
//! What must not live here: sockets, HTTP, clocks, randomness, threads, files, secrets. Time comes in as an
//! argument, randomness with the boot, and secrets are names that the host fills in.
//!
//! The path of a message, in the order of reading: [`gateway`] reads the frame, [`events`] names it,
//! [`inbound`] makes one message of it, [`dedup`] and [`access`] decide about it, [`turns`] hands it to the
//! agent, [`delivery`] brings the answer back, [`ledger`] records what became of it.

#![cfg_attr(not(target_family = "wasm"), forbid(unsafe_code))]

pub mod access;
pub mod auth;
pub mod bindings;
pub mod blank;
pub mod capabilities;
pub mod channel;
pub mod commands;
#[cfg(target_family = "wasm")]
mod component;
pub mod config;
pub mod dedup;
pub mod delivery;
pub mod doctor;
pub mod env;
pub mod events;
pub mod gateway;
pub mod health;
pub mod ids;
pub mod inbound;
pub mod ledger;
pub mod places;
pub mod requests;
pub mod scene;
pub mod state;
pub mod texts;
pub mod timers;
pub mod turns;
pub mod visible;
