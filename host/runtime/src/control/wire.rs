//! What is said on the control socket, both ways.

use serde::{Deserialize, Serialize};

use crate::bindings::v0_1::{BlobInfo, Health, OperatorCommand, Reply};
use crate::status::ChannelStatus;

/// The version of this protocol. Another one is refused, in words.
pub const VERSION: u32 = 1;
/// Longest line either side takes.
pub const MAX_LINE_BYTES: usize = 1 << 20;

/// A request.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Request {
    /// [`VERSION`].
    pub v: u32,
    /// What is asked.
    #[serde(flatten)]
    pub ask: Ask,
}

/// What is asked.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(tag = "ask", rename_all = "kebab-case")]
pub enum Ask {
    /// Which channels run, and how they are.
    List,
    /// How well all channels are.
    Health,
    /// One channel: the host's view, then the channel's own.
    Status {
        /// The channel.
        name: String,
    },
    /// Something for a channel to answer.
    Command {
        /// The channel.
        name: String,
        /// What.
        command: OperatorCommand,
    },
    /// Read a channel's plugin and configuration again.
    Reload {
        /// The channel.
        name: String,
        /// Take a signed plugin that is older than the one that ran last.
        #[serde(default)]
        allow_downgrade: bool,
    },
    /// Tell what happens in a channel, until the client goes.
    Record {
        /// The channel.
        name: String,
        /// With letters and digits of what people wrote replaced.
        redact: bool,
    },
    /// Keep bytes for a channel. They follow the line.
    Blob {
        /// The channel.
        name: String,
        /// A file name for the other side; never a path.
        file: Option<String>,
        /// How many bytes follow.
        bytes: u64,
    },
    /// End as SIGTERM does.
    Shutdown,
}

/// One line of an answer.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Said {
    /// [`VERSION`].
    pub v: u32,
    /// What is said.
    #[serde(flatten)]
    pub say: Say,
}

/// What is said.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(tag = "say", rename_all = "kebab-case")]
pub enum Say {
    /// The channels that run.
    Channels {
        /// Ascending by name.
        channels: Vec<ChannelStatus>,
    },
    /// How well they are.
    Health {
        /// By name.
        channels: std::collections::BTreeMap<String, Health>,
    },
    /// The host's view of one channel.
    Status {
        /// The view.
        status: Box<ChannelStatus>,
    },
    /// A reply of the channel's.
    Reply {
        /// The reply.
        reply: Reply,
    },
    /// A line of a trace.
    Trace {
        /// As it belongs into the file.
        line: String,
    },
    /// The bytes are kept.
    Blob {
        /// Under this name and number.
        blob: BlobInfo,
    },
    /// The end of an answer.
    Done,
    /// The end of an answer that went wrong.
    Error {
        /// For programs.
        code: Code,
        /// For people: what is wrong and what to do, one thing each.
        sentences: Vec<String>,
    },
}

/// What kind of thing went wrong.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Code {
    /// The request cannot be read, or is not for this socket.
    BadRequest,
    /// The two sides are of different versions.
    Version,
    /// No such channel runs.
    NoChannel,
    /// The channel did not answer in time.
    Timeout,
    /// The channel was stopped meanwhile.
    Gone,
    /// Something that the operator wrote.
    Config,
    /// Anything else.
    Failed,
}

impl Request {
    /// A request of this version.
    pub fn new(ask: Ask) -> Self {
        Self { v: VERSION, ask }
    }

    /// Reads a line.
    ///
    /// # Errors
    /// Another version, or nothing that is asked here; as the answer that says so.
    pub fn read(line: &[u8]) -> Result<Self, Say> {
        #[derive(Deserialize)]
        struct Versioned {
            v: u32,
        }
        let bad = |code, sentence: String| Say::Error {
            code,
            sentences: vec![sentence],
        };
        let unreadable = |error: serde_json::Error| {
            bad(
                Code::BadRequest,
                format!("this is no request: {error}; write one JSON object a line"),
            )
        };
        let version: Versioned = serde_json::from_slice(line).map_err(unreadable)?;
        if version.v != VERSION {
            let theirs = version.v;
            return Err(bad(
                Code::Version,
                format!(
                    "the running process speaks version {VERSION} of the control protocol, and was asked in {theirs}; restart it with the program that you asked with"
                ),
            ));
        }
        serde_json::from_slice(line).map_err(unreadable)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_request_reads_as_it_is_written() {
        for (ask, written) in [
            (Ask::List, r#"{"v":1,"ask":"list"}"#),
            (
                Ask::Command {
                    name: "bot".into(),
                    command: OperatorCommand::Doctor(true),
                },
                r#"{"v":1,"ask":"command","name":"bot","command":{"Doctor":true}}"#,
            ),
            (
                Ask::Blob {
                    name: "bot".into(),
                    file: None,
                    bytes: u64::MAX,
                },
                r#"{"v":1,"ask":"blob","name":"bot","file":null,"bytes":18446744073709551615}"#,
            ),
        ] {
            let request = Request::new(ask);
            assert_eq!(serde_json::to_string(&request).unwrap(), written);
            assert_eq!(Request::read(written.as_bytes()), Ok(request));
        }
    }

    #[test]
    fn nothing_older_is_taken_where_nothing_is_said_of_it() {
        let read = Request::read(br#"{"v":1,"ask":"reload","name":"bot"}"#).unwrap();
        let ask = Ask::Reload {
            name: "bot".into(),
            allow_downgrade: false,
        };
        assert_eq!(read, Request::new(ask));
    }

    #[test]
    fn another_version_is_told_from_nonsense() {
        for (line, expected) in [
            (r#"{"v":2,"ask":"something new"}"#, Code::Version),
            (r#"{"v":1,"ask":"something new"}"#, Code::BadRequest),
            ("{", Code::BadRequest),
        ] {
            let Err(Say::Error { code, .. }) = Request::read(line.as_bytes()) else {
                panic!("{line}")
            };
            assert_eq!(code, expected, "{line}");
        }
    }
}
