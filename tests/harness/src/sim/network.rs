//! The network between process and platform: latency, order within a connection, and breaks.

use std::collections::{BTreeMap, BTreeSet};

use prx_host::actor::{
    BodyPiece, HttpCall, Input, RawBody, RawHttpDone, RawResponse, SocketDial, SocketMessage,
};
use prx_host::bindings::v0_1 as host;
use qq_emulator::ids::{ConnId, Ticket};
use qq_emulator::wire;

use super::world::{Coming, World};

/// A request on its way.
#[derive(Debug, Clone)]
struct Call {
    process: u32,
    id: u64,
    url: url::Url,
    want_headers: Vec<String>,
    sink: host::BodySink,
}

/// A connection.
#[derive(Debug, Clone)]
struct Conn {
    process: u32,
    socket: u64,
    /// When the last frame arrives, each way: frames do not overtake each other.
    up: u64,
    down: u64,
}

/// What is on its way.
#[derive(Debug, Default)]
pub(super) struct Network {
    next: u64,
    /// Where the requests went: scheme, host and port.
    pub(super) called: BTreeSet<String>,
    calls: BTreeMap<Ticket, Call>,
    conns: BTreeMap<ConnId, Conn>,
}

impl World {
    fn latency(&mut self) -> u64 {
        // Mostly quick, now and then slow.
        if self.rng.u32(0..20) == 0 {
            self.rng.u64(200..3_000)
        } else {
            self.rng.u64(1..60)
        }
    }

    pub(super) fn send_http(&mut self, process: u32, call: &HttpCall) {
        self.network.next += 1;
        let origin = call.url.origin().ascii_serialization();
        self.network.called.insert(origin);
        let ticket = Ticket(self.network.next);
        let request = wire::HttpRequest {
            method: call.method.clone(),
            path: call.url.path().to_owned(),
            query: call.url.query().map(str::to_owned),
            headers: call
                .headers
                .iter()
                .map(|header| (header.name.clone(), header.value.expose().to_owned()))
                .collect(),
            body: self.disk.blobs.joined(&call.body).unwrap_or_default(),
        };
        self.note_secrets(&request);
        let timeout = u64::try_from(call.timeout.as_millis()).unwrap_or(u64::MAX);
        self.network.calls.insert(
            ticket,
            Call {
                process,
                id: call.id,
                want_headers: call.want_headers.clone(),
                url: call.url.clone(),
                sink: call.sink,
            },
        );
        let latency = self.latency();
        self.later(
            latency,
            Coming::Platform(wire::Input::Http { ticket, request }),
        );
        // The driver gives up at the deadline; whichever comes first is taken by the actor, the other is unknown to it.
        let failed = host::Failure {
            stage: host::Stage::Timeout,
            detail: "no answer in time".into(),
            maybe_received: true,
        };
        let done = RawHttpDone {
            id: call.id,
            outcome: Err(failed),
        };
        self.later(
            timeout,
            Coming::Process(process, Box::new(Input::HttpDone(done))),
        );
    }

    /// Remembers the secrets that went out, so that a test can look for them everywhere else.
    fn note_secrets(&mut self, request: &wire::HttpRequest) {
        let token = request
            .header("authorization")
            .and_then(|value| value.strip_prefix("QQBot "));
        if let Some(token) = token {
            self.secrets.insert(token.to_owned());
        }
    }

    pub(super) fn open_socket(&mut self, process: u32, dial: &SocketDial) {
        self.network.next += 1;
        let conn = ConnId(self.network.next);
        let latency = self.latency();
        let opened = self.now + latency;
        self.network.conns.insert(
            conn,
            Conn {
                process,
                socket: dial.id,
                up: opened,
                down: opened,
            },
        );
        let request = wire::HttpRequest::new("GET", dial.url.path())
            .with_header("host", dial.url.host_str().unwrap_or_default());
        self.at(
            opened,
            Coming::Process(process, Box::new(Input::SocketOpened(dial.id))),
        );
        self.at(
            opened,
            Coming::Platform(wire::Input::SocketOpen { conn, request }),
        );
    }

    pub(super) fn send_frame(&mut self, process: u32, message: &SocketMessage) {
        let latency = self.latency();
        let text = text_of(&message.payload);
        let at = self.now + latency;
        let Some((conn, entry)) = self.conn_of(process, message.id) else {
            return;
        };
        entry.up = entry.up.max(at);
        let at = entry.up;
        self.at(at, Coming::Platform(wire::Input::SocketText { conn, text }));
    }

    pub(super) fn close_socket(&mut self, process: u32, socket: u64, code: u16) {
        let latency = self.latency();
        let Some((conn, entry)) = self.conn_of(process, socket) else {
            return;
        };
        let at = entry.up;
        self.network.conns.remove(&conn);
        let at = at.max(self.now + latency);
        self.at(
            at,
            Coming::Platform(wire::Input::SocketGone {
                conn,
                code: Some(code),
            }),
        );
    }

    /// The process is gone: the platform notices its connections breaking.
    pub(super) fn break_all(&mut self, process: u32) {
        let gone: Vec<ConnId> = self
            .network
            .conns
            .iter()
            .filter(|(_, conn)| conn.process == process)
            .map(|(id, _)| *id)
            .collect();
        for conn in gone {
            self.network.conns.remove(&conn);
            let latency = self.latency();
            self.later(
                latency,
                Coming::Platform(wire::Input::SocketGone { conn, code: None }),
            );
        }
    }

    fn conn_of(&mut self, process: u32, socket: u64) -> Option<(ConnId, &mut Conn)> {
        let found = self
            .network
            .conns
            .iter_mut()
            .find(|(_, conn)| conn.process == process && conn.socket == socket);
        found.map(|(id, conn)| (*id, conn))
    }

    pub(super) fn obey_platform(&mut self, commands: Vec<wire::Command>) {
        for command in commands {
            match command {
                wire::Command::HttpReply { ticket, response } => {
                    self.deliver_answer(ticket, &response)
                }
                wire::Command::HttpCut { ticket } => self.deliver_cut(ticket),
                wire::Command::SocketText { conn, text } => self.deliver_frame(conn, &text),
                wire::Command::SocketClose { conn, code, reason } => {
                    let frame = host::CloseFrame {
                        code,
                        reason: reason.to_owned(),
                    };
                    self.deliver_end(conn, host::SocketEnd::Closed(frame));
                }
                wire::Command::SocketCut { conn } => {
                    let broken = host::Failure {
                        stage: host::Stage::Protocol,
                        detail: "connection reset".into(),
                        maybe_received: true,
                    };
                    self.deliver_end(conn, host::SocketEnd::Failed(broken));
                }
            }
        }
    }

    fn deliver_answer(&mut self, ticket: Ticket, response: &wire::HttpResponse) {
        let Some(call) = self.network.calls.remove(&ticket) else {
            return;
        };
        let headers = call
            .want_headers
            .iter()
            .filter_map(|name| {
                Some(host::HeaderText {
                    name: name.clone(),
                    value: response.header(name)?.to_owned(),
                })
            })
            .collect();
        let bytes = response.body.as_bytes().to_vec();
        let body = match &call.sink {
            host::BodySink::Blob(sink) if (200..300).contains(&response.status) => {
                if bytes.len() as u64 > sink.max_bytes {
                    let failure = host::Failure {
                        stage: host::Stage::TooLarge,
                        detail: "more bytes than were allowed".into(),
                        maybe_received: true,
                    };
                    return self.deliver_done(&call, Err(failure));
                }
                let kind = response.header("content-type").unwrap_or_default();
                RawBody::Blob(self.disk.blobs.put(sink.blob, None, kind, bytes))
            }
            _ => RawBody::Bytes {
                bytes,
                truncated: false,
            },
        };
        let outcome = Ok(RawResponse {
            status: response.status,
            hops: vec![call.url.clone()],
            headers,
            body,
        });
        self.deliver_done(&call, outcome);
    }

    fn deliver_cut(&mut self, ticket: Ticket) {
        let Some(call) = self.network.calls.remove(&ticket) else {
            return;
        };
        let cut = host::Failure {
            stage: host::Stage::Protocol,
            detail: "connection reset".into(),
            maybe_received: true,
        };
        self.deliver_done(&call, Err(cut));
    }

    fn deliver_done(&mut self, call: &Call, outcome: Result<RawResponse, host::Failure>) {
        let latency = self.latency();
        let done = Input::HttpDone(RawHttpDone {
            id: call.id,
            outcome,
        });
        self.later(latency, Coming::Process(call.process, Box::new(done)));
    }

    fn deliver_frame(&mut self, conn: ConnId, text: &str) {
        let latency = self.latency();
        let at = self.now + latency;
        let Some(entry) = self.network.conns.get_mut(&conn) else {
            return;
        };
        entry.down = entry.down.max(at);
        let (at, process) = (entry.down, entry.process);
        let input = Input::SocketText(host::SocketText {
            id: entry.socket,
            text: text.to_owned(),
        });
        self.at(at, Coming::Process(process, Box::new(input)));
    }

    fn deliver_end(&mut self, conn: ConnId, end: host::SocketEnd) {
        let latency = self.latency();
        let Some(entry) = self.network.conns.remove(&conn) else {
            return;
        };
        let at = entry.down.max(self.now + latency);
        let input = Input::SocketClosed(host::SocketClosed {
            id: entry.socket,
            end,
        });
        self.at(at, Coming::Process(entry.process, Box::new(input)));
    }
}

fn text_of(pieces: &[BodyPiece]) -> String {
    pieces
        .iter()
        .map(|piece| match piece {
            BodyPiece::Text(text) => text.expose(),
            BodyPiece::Blob(_) => "",
        })
        .collect()
}
