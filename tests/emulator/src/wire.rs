//! What goes into the platform and what comes out of it: HTTP and frames as plain data.

use std::sync::Arc;

use crate::actions::UserAction;
use crate::faults::FaultOrder;
use crate::ids::{AppId, ConnId, Ticket};

/// One thing that happens to the platform.
#[derive(Debug, Clone, PartialEq)]
pub enum Input {
    /// A request that was read whole. It is answered exactly once, now or later.
    Http {
        /// The shell's number for it.
        ticket: Ticket,
        /// The request.
        request: HttpRequest,
    },
    /// A WebSocket handshake was made.
    SocketOpen {
        /// The shell's number for the connection.
        conn: ConnId,
        /// The request that asked for the upgrade; its body is empty.
        request: HttpRequest,
    },
    /// A text frame from the bot.
    SocketText {
        /// The connection.
        conn: ConnId,
        /// The frame.
        text: String,
    },
    /// A binary frame from the bot, which the gateway does not speak.
    SocketBinary {
        /// The connection.
        conn: ConnId,
    },
    /// The connection ended, by the bot or by the network.
    SocketGone {
        /// The connection.
        conn: ConnId,
        /// The code of the bot's close frame, if there was one.
        code: Option<u16>,
    },
    /// A QQ user does something.
    User(UserAction),
    /// Something goes wrong, now or at the next occasion.
    Fault {
        /// The bot it concerns.
        app: AppId,
        /// What goes wrong, and how often.
        order: FaultOrder,
    },
    /// Time has passed; everything that is due happens.
    Tick,
}

/// One thing that the shell must do, in the order given.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Command {
    /// Answer a request.
    HttpReply {
        /// Which.
        ticket: Ticket,
        /// With what.
        response: HttpResponse,
    },
    /// Break the connection of a request without an answer.
    HttpCut {
        /// Which.
        ticket: Ticket,
    },
    /// Send a text frame.
    SocketText {
        /// Where.
        conn: ConnId,
        /// The frame.
        text: Arc<str>,
    },
    /// Send a close frame and end the connection.
    SocketClose {
        /// Which.
        conn: ConnId,
        /// The close code.
        code: u16,
        /// The reason, for people; clients must not read it.
        reason: &'static str,
    },
    /// End the connection without a close frame.
    SocketCut {
        /// Which.
        conn: ConnId,
    },
}

/// A request as the platform sees it.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct HttpRequest {
    /// `GET`, `POST`, … in capitals.
    pub method: String,
    /// The path, still percent-encoded.
    pub path: String,
    /// What follows `?`, if anything.
    pub query: Option<String>,
    /// Headers in order, names in lower case.
    pub headers: Vec<(String, String)>,
    /// The body.
    pub body: Vec<u8>,
}

impl HttpRequest {
    /// A request without headers and body.
    pub fn new(method: &str, path: &str) -> Self {
        Self {
            method: method.to_owned(),
            path: path.to_owned(),
            ..Self::default()
        }
    }

    /// Adds a header; the name must be in lower case.
    #[must_use]
    pub fn with_header(mut self, name: &str, value: &str) -> Self {
        self.headers.push((name.to_owned(), value.to_owned()));
        self
    }

    /// Adds a JSON body and its content type.
    #[must_use]
    pub fn with_json(mut self, body: &serde_json::Value) -> Self {
        self.body = body.to_string().into_bytes();
        self.with_header("content-type", "application/json")
    }

    /// The first header of this name (lower case).
    #[must_use]
    pub fn header(&self, name: &str) -> Option<&str> {
        let mut all = self.headers.iter();
        all.find(|(key, _)| key == name)
            .map(|(_, value)| value.as_str())
    }

    /// The segments of the path, percent-decoded; none if one is not UTF-8.
    #[must_use]
    pub fn segments(&self) -> Option<Vec<String>> {
        let path = self.path.strip_prefix('/')?;
        path.split('/').map(percent_decoded).collect()
    }
}

/// An answer as the platform gives it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct HttpResponse {
    /// The status code.
    pub status: u16,
    /// Headers, names in lower case; the content type is among them.
    pub headers: Vec<(&'static str, String)>,
    /// The body.
    pub body: Arc<str>,
    /// The body where it is not text; `body` is empty then.
    pub raw: Option<Arc<[u8]>>,
}

impl HttpResponse {
    /// The first header of this name (lower case).
    #[must_use]
    pub fn header(&self, name: &str) -> Option<&str> {
        let mut all = self.headers.iter();
        all.find(|(key, _)| *key == name)
            .map(|(_, value)| value.as_str())
    }

    /// The bytes of the body, text or not.
    #[must_use]
    pub fn bytes(&self) -> &[u8] {
        self.raw.as_deref().unwrap_or(self.body.as_bytes())
    }

    /// The body as JSON; `null` if it is not.
    #[must_use]
    pub fn json(&self) -> serde_json::Value {
        serde_json::from_str(&self.body).unwrap_or_default()
    }
}

/// A text with `%41` and the like decoded; none if it is not UTF-8 then.
pub(crate) fn percent_decoded(segment: &str) -> Option<String> {
    if !segment.contains('%') {
        return Some(segment.to_owned());
    }
    let mut bytes = Vec::with_capacity(segment.len());
    let mut rest = segment.as_bytes();
    while let Some((&first, tail)) = rest.split_first() {
        let decoded = match (first, tail) {
            (b'%', [high, low, ..]) => hex_digit(*high).zip(hex_digit(*low)),
            _ => None,
        };
        match decoded {
            Some((high, low)) => {
                bytes.push(high * 16 + low);
                rest = tail.get(2..).unwrap_or_default();
            }
            None => {
                bytes.push(first);
                rest = tail;
            }
        }
    }
    String::from_utf8(bytes).ok()
}

fn hex_digit(byte: u8) -> Option<u8> {
    char::from(byte)
        .to_digit(16)
        .and_then(|digit| u8::try_from(digit).ok())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn path_segments_are_percent_decoded_one_by_one() {
        let request = HttpRequest::new("GET", "/v2/users/ROBOT1.0_a%21b%2Fc/messages");
        assert_eq!(
            request.segments().unwrap(),
            ["v2", "users", "ROBOT1.0_a!b/c", "messages"]
        );
        assert_eq!(percent_decoded("100%").as_deref(), Some("100%"));
        assert_eq!(percent_decoded("%zz").as_deref(), Some("%zz"));
        assert_eq!(percent_decoded("%ff"), None);
    }
}
