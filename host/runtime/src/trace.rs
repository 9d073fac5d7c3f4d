//! Traces: what a channel's component was given and what it made of it, in a file that anybody with the
//! component can run again. One is a bug report.
//!
//! | module | what |
//! |---|---|
//! | [`mod@line`] | the format: one JSON object a line; described in `host/docs/trace.md` |
//! | [`mask`] | takes the secret half out of addresses |
//! | [`scribe`] | writes a trace: a second instance takes the masked events, so that what it does is what a replay will do |
//! | [`replay`] | runs a trace and shows the first thing that differs |
//!
//! Knows events and effects, and of no platform which of their words are a person's: the component
//! itself blanks those.

pub mod line;
pub mod mask;
pub mod replay;
pub mod scribe;
