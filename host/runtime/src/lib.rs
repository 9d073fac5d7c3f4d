//! The thin host for channel components.
//!
//! A channel (see `wit/`) is a state machine without I/O. Here lives everything that such a
//! machine cannot do: sockets, HTTP, timers, secrets, blobs, storage, and the pool of threads that
//! it runs on. Nothing in here knows what any channel talks to: no platform's host name, opcode or
//! field name, and no agent either; [`agent::AgentPort`] is where one plugs in.
//!
//! Two layers. [`actor::Actor`] is the synchronous core of one channel, free of I/O: inputs in,
//! commands out. `shell` and `drivers` carry the commands out on real sockets, [`store`] keeps what
//! is committed, [`runtime::Host`] holds what all channels share. A simulator uses the core alone.
//!
//! | module | owns |
//! |---|---|
//! | [`bindings`] | the types of `wit/`, generated |
//! | [`guest`] | instances of a channel's code, native or wasm, and how they break |
//! | [`engine`], [`limits`] | wasm settings and upper bounds |
//! | [`actor`] | the core: ids, effects, egress decisions, recovery from crashes |
//! | [`vault`], [`egress`] | secret values; where they and everything else may go |
//! | [`manifest`], [`config`] | `plugin.toml`; the operator's files |
//! | [`package`] | a plugin's files: bounds, digest, signatures, who could change them |
//! | [`drivers`] | HTTP, WebSocket, blobs, DNS with address checks |
//! | [`files`] | files and folders that are the owner's alone |
//! | [`plain`] | what others wrote, for a terminal or a log |
//! | [`store`] | entries and boot numbers in SQLite |
//! | [`runtime`] | the host, and handles of running channels |
//! | [`status`], [`metrics`] | how channels are, in words and numbers |
//! | [`trace`] | what happened, in a file that can be run again |
//! | [`control`] | the local socket on which an operator asks |

pub mod actor;
pub mod agent;
pub mod bindings;
mod claim;
mod clock;
pub mod config;
pub mod control;
pub mod drivers;
pub mod egress;
pub mod engine;
pub mod files;
pub mod guest;
pub mod limits;
pub mod manifest;
pub mod metrics;
pub mod package;
pub mod plain;
pub mod runtime;
mod shell;
pub mod status;
pub mod store;
pub mod trace;
pub mod vault;
