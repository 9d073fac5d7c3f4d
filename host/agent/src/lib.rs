//! The agent loop: what answers the messages that channels bring.
//!
//! [`Agent`] takes turns from the host through [`prx_host::agent::AgentPort`], keeps each
//! conversation's history, and lets one of three minds answer: [`echo`], which needs nothing and
//! is the default, `openai`, any OpenAI-compatible chat endpoint, streamed, or `command`, a program.
//!
//! What is attached to a message goes into a media folder, and what an answer names in markers and
//! blocks becomes media and cards: [`Agent`] hands over parts, checked.
//!
//! Knows nothing of any channel or platform: what a place can show comes with each turn.

mod answer;
mod cards;
mod command;
mod config;
pub mod echo;
mod history;
mod marks;
mod media;
mod openai;
mod port;
mod program;
mod prompt;
mod seats;
mod tools;
mod turn;
mod vision;

pub use command::CommandError;
pub use config::{
    AgentConfig, Approve, CommandConfig, Mind, OpenAiConfig, ToolServer, keys, tool_keys,
};
pub use history::Bounds;
pub use history::archive::{HISTORY_FILE, forget_sender};
pub use openai::OpenAiError;
pub use port::{Agent, AgentError};
pub use prompt::Given;
