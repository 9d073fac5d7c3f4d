//! As much of the platform as a benchmark needs: tokens, a gateway, messages that are pushed and replies that
//! are timed. It checks nothing; whether a bot does right is the emulator's to say.
//!
//! The load is a closed loop: so many messages wait for a reply, and each reply brings the next message, of the
//! same user. A message's id holds the user's number and the message's, so that nothing has to be looked up.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use anyhow::{Context, Result};
use bytes::BytesMut;
use futures_util::stream::SplitSink;
use futures_util::{SinkExt, StreamExt};
use hdrhistogram::Histogram;
use serde_json::{Value, json};
use tokio::io::AsyncWriteExt;
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::mpsc::{UnboundedReceiver, UnboundedSender, unbounded_channel};
use tokio::sync::watch;
use tokio_tungstenite::WebSocketStream;
use tokio_tungstenite::tungstenite::Message;
use tokio_tungstenite::tungstenite::handshake::derive_accept_key;
use tokio_tungstenite::tungstenite::protocol::Role;

use super::{messages, wire};

/// AppID of the bot; any secret will do.
pub const APP_ID: &str = "102012345";
/// AppSecret of the bot.
pub const SECRET: &str = "Zx8kQ0r3TtY1bVn5cMq7WsLd2FgHjKpA";

/// Messages carry a date that is at most so old: a bot has an hour to reply.
const DATED: Duration = Duration::from_secs(10);

/// A running platform. It lives in the tokio runtime that it was started in.
#[derive(Debug, Clone)]
pub struct Platform {
    /// Where it listens, as `127.0.0.1:PORT`.
    pub address: String,
    shared: Arc<Shared>,
}

#[derive(Debug)]
struct Shared {
    address: String,
    /// Milliseconds between two heartbeats.
    heartbeat_ms: u64,
    state: Mutex<State>,
    /// Gateway connections with a session, in the order in which they came.
    ready: watch::Sender<usize>,
}

#[derive(Debug)]
struct State {
    gateways: Vec<Gateway>,
    users: Vec<User>,
    timestamp: String,
    flow: Flow,
    /// While a phase is measured.
    latency_ns: Option<Histogram<u64>>,
    /// Users from this number on are not measured.
    measured_below: usize,
    waiting: usize,
    tally: Tally,
}

/// What happened since the beginning.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Tally {
    /// Messages pushed.
    pub pushed: u64,
    /// Messages replied to.
    pub replied: u64,
    /// Replies to nothing that waits for one.
    pub strays: u64,
}

#[derive(Debug)]
struct Gateway {
    out: UnboundedSender<Message>,
    seq: u64,
    /// When heartbeats came.
    beats: Vec<Instant>,
    open: bool,
}

#[derive(Debug, Clone)]
struct User {
    gateway: usize,
    message: u64,
    since: Option<Instant>,
}

/// What a reply brings about.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Flow {
    /// The user's next message.
    Closed,
    /// The next message of users from this number on.
    ClosedFrom(usize),
    /// Nothing.
    Open,
}

impl Platform {
    /// Starts one on a port that is free.
    ///
    /// # Errors
    /// There is none.
    pub async fn start(heartbeat_ms: u64) -> Result<Self> {
        let listener = TcpListener::bind("127.0.0.1:0").await.context("no port")?;
        let address = listener.local_addr()?.to_string();
        let (ready, _) = watch::channel(0);
        let shared = Arc::new(Shared {
            address: address.clone(),
            heartbeat_ms,
            state: Mutex::new(State {
                gateways: Vec::new(),
                users: Vec::new(),
                timestamp: messages::now(),
                flow: Flow::Open,
                latency_ns: None,
                measured_below: usize::MAX,
                waiting: 0,
                tally: Tally::default(),
            }),
            ready,
        });
        let dating = Arc::downgrade(&shared);
        tokio::spawn(async move {
            while let Some(shared) = dating.upgrade() {
                shared.state().timestamp = messages::now();
                drop(shared);
                tokio::time::sleep(DATED).await;
            }
        });
        let serving = Arc::clone(&shared);
        tokio::spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                tokio::spawn(connection(stream, Arc::clone(&serving)));
            }
        });
        Ok(Self { address, shared })
    }

    /// Waits until so many gateway connections have a session.
    pub async fn connected(&self, connections: usize) {
        let mut ready = self.shared.ready.subscribe();
        // The sender lives as long as this platform.
        let _ = ready.wait_for(|count| *count >= connections).await;
    }

    /// Gateway connections that have had a session.
    #[must_use]
    pub fn sessions(&self) -> usize {
        *self.shared.ready.borrow()
    }

    /// Users who write to the bot behind one of the connections, in addition to those before. Returns the
    /// number of the first one.
    #[must_use]
    pub fn add_users(&self, gateway: usize, count: usize) -> usize {
        let mut state = self.shared.state();
        let first = state.users.len();
        let user = User {
            gateway,
            message: 0,
            since: None,
        };
        state.users.resize(first + count, user);
        first
    }

    /// Moves all users of the last connection to the one that took its place.
    pub fn follow(&self) {
        let mut state = self.shared.state();
        let last = state.gateways.len().saturating_sub(1);
        for user in &mut state.users {
            user.gateway = last;
        }
    }

    /// Lets a user write, unless the one before is still waiting.
    pub fn push(&self, user: usize) {
        self.shared.state().push(user);
    }

    /// What replies bring about from now on.
    pub fn flow(&self, flow: Flow) {
        self.shared.state().flow = flow;
    }

    /// Begins to measure.
    ///
    /// # Errors
    /// There is no room for a histogram.
    pub fn measure(&self) -> Result<()> {
        self.measure_below(usize::MAX)
    }

    /// Begins to measure the users below this number.
    ///
    /// # Errors
    /// There is no room for a histogram.
    pub fn measure_below(&self, user: usize) -> Result<()> {
        let mut state = self.shared.state();
        state.latency_ns = Some(Histogram::new(3)?);
        state.measured_below = user;
        Ok(())
    }

    /// Ends the measurement, nanoseconds from push to reply.
    ///
    /// # Errors
    /// It was not begun.
    pub fn measured(&self) -> Result<Histogram<u64>> {
        let measured = self.shared.state().latency_ns.take();
        measured.context("nothing was measured")
    }

    /// Users who wait for a reply.
    #[must_use]
    pub fn waiting(&self) -> usize {
        self.shared.state().waiting
    }

    /// Counts.
    #[must_use]
    pub fn tally(&self) -> Tally {
        self.shared.state().tally
    }

    /// Nobody waits any more, whatever comes. Returns how many did.
    pub fn forget(&self) -> usize {
        let mut state = self.shared.state();
        let waited = std::mem::take(&mut state.waiting);
        for user in &mut state.users {
            user.since = None;
        }
        waited
    }

    /// Breaks all gateway connections.
    pub fn drop_connections(&self) {
        for gateway in &mut self.shared.state().gateways {
            gateway.open = false;
            // A connection that is gone is broken already.
            let _ = gateway.out.send(Message::Close(None));
        }
    }

    /// Forgets the heartbeats so far.
    pub fn forget_beats(&self) {
        for gateway in &mut self.shared.state().gateways {
            gateway.beats.clear();
        }
    }

    /// When heartbeats came, a list for each connection.
    #[must_use]
    pub fn beats(&self) -> Vec<Vec<Instant>> {
        let state = self.shared.state();
        state.gateways.iter().map(|g| g.beats.clone()).collect()
    }
}

impl Shared {
    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl State {
    fn push(&mut self, user: usize) {
        let Some(writer) = self.users.get_mut(user) else {
            return;
        };
        let Some(gateway) = self.gateways.get_mut(writer.gateway) else {
            return;
        };
        if writer.since.is_some() || !gateway.open {
            return;
        }
        writer.message += 1;
        gateway.seq += 1;
        let (seq, id) = (gateway.seq, messages::id(user, writer.message));
        let (timestamp, openid) = (&self.timestamp, messages::openid(user));
        let frame = format!(
            r#"{{"op":0,"s":{seq},"t":"C2C_MESSAGE_CREATE","id":"C2C_MESSAGE_CREATE:{seq:016x}","d":{{"id":"{id}","author":{{"id":"{openid}","user_openid":"{openid}","union_openid":"","username":"","bot":false}},"content":"\u4f60\u597d\uff0c\u673a\u5668\u4eba {id}","timestamp":"{timestamp}","message_type":0,"message_scene":{{"source":"default","ext":["msg_idx=REFIDX_{seq:024X}"]}}}}}}"#
        );
        writer.since = Some(Instant::now());
        self.waiting += 1;
        self.tally.pushed += 1;
        // A connection that is gone takes nothing, and the message counts as lost.
        let _ = gateway.out.send(Message::text(frame));
    }

    fn replied(&mut self, body: &[u8]) {
        let Some((user, message)) = messages::answered(body) else {
            return;
        };
        let since = match self.users.get_mut(user) {
            Some(writer) if writer.message == message => writer.since.take(),
            _ => None,
        };
        let Some(since) = since else {
            self.tally.strays += 1;
            return;
        };
        self.waiting = self.waiting.saturating_sub(1);
        self.tally.replied += 1;
        if let Some(latency) = &mut self.latency_ns
            && user < self.measured_below
        {
            let nanos = u64::try_from(since.elapsed().as_nanos()).unwrap_or(u64::MAX);
            // The histogram grows by itself; it refuses nothing below 2^63.
            let _ = latency.record(nanos.max(1));
        }
        let again = match self.flow {
            Flow::Closed => true,
            Flow::ClosedFrom(first) => user >= first,
            Flow::Open => false,
        };
        if again {
            self.push(user);
        }
    }
}

/// One connection, until its end. What goes wrong on it is the client's to notice.
async fn connection(stream: TcpStream, shared: Arc<Shared>) {
    if let Err(error) = serve(stream, &shared).await {
        eprintln!("bench: the platform does not understand a client: {error:#}");
    }
}

async fn serve(mut stream: TcpStream, shared: &Arc<Shared>) -> Result<()> {
    stream.set_nodelay(true)?;
    let mut buffer = BytesMut::with_capacity(8 << 10);
    loop {
        let request = match wire::read(&mut stream, &mut buffer).await {
            Ok(Some(request)) => request,
            Ok(None) => return Ok(()),
            // A subject was ended; that is how each of them ends.
            Err(error) if error.is::<std::io::Error>() => return Ok(()),
            Err(error) => return Err(error),
        };
        if let Some(key) = &request.socket_key {
            let accept = derive_accept_key(key.as_bytes());
            let answer = format!(
                "HTTP/1.1 101 Switching Protocols\r\nconnection: Upgrade\r\nupgrade: websocket\r\nsec-websocket-accept: {accept}\r\n\r\n"
            );
            stream.write_all(answer.as_bytes()).await?;
            let rest = buffer.to_vec();
            let socket =
                WebSocketStream::from_partially_read(stream, rest, Role::Server, None).await;
            gateway(socket, shared).await;
            return Ok(());
        }
        let answer = answer(shared, &request);
        if stream.write_all(answer.as_bytes()).await.is_err() {
            return Ok(());
        }
    }
}

fn answer(shared: &Shared, request: &wire::Request) -> String {
    let path = request.path.as_str();
    if path.ends_with("/messages") {
        let mut state = shared.state();
        state.replied(&request.body);
        let (seq, at) = (state.tally.replied, &state.timestamp);
        return wire::ok(&format!(
            r#"{{"id":"ROBOT1.0_R{seq:038x}","timestamp":"{at}"}}"#
        ));
    }
    let body = match path {
        "/app/getAppAccessToken" => json!({"access_token": "bench-token", "expires_in": "7200"}),
        "/users/@me" | "/v2/users/@me" => {
            json!({"id": APP_ID, "username": "bot", "avatar": "", "bot": true})
        }
        "/gateway" | "/gateway/bot" => json!({
            "url": format!("ws://{}/websocket", shared.address),
            "shards": 1,
            "session_start_limit": {
                "total": 100_000, "remaining": 100_000, "reset_after": 86_400_000, "max_concurrency": 100,
            },
        }),
        _ => json!({}),
    };
    wire::ok(&body.to_string())
}

type Socket = WebSocketStream<TcpStream>;

async fn gateway(socket: Socket, shared: &Arc<Shared>) {
    let (write, mut read) = socket.split();
    let (out, queue) = unbounded_channel();
    let writing = tokio::spawn(write_out(write, queue));
    let hello = json!({"op": 10, "d": {"heartbeat_interval": shared.heartbeat_ms}});
    // A client that has gone is noticed below.
    let _ = out.send(Message::text(hello.to_string()));
    let mut number = None;
    while let Some(Ok(message)) = read.next().await {
        let Message::Text(text) = message else {
            continue;
        };
        let said: Value = serde_json::from_str(&text).unwrap_or_default();
        match said.get("op").and_then(Value::as_u64) {
            Some(1) => {
                if let Some(number) = number
                    && let Some(gateway) = shared.state().gateways.get_mut::<usize>(number)
                {
                    gateway.beats.push(Instant::now());
                }
                let _ = out.send(Message::text(r#"{"op":11}"#));
            }
            Some(op @ (2 | 6)) => {
                let seq = said.pointer("/d/seq").and_then(Value::as_u64);
                number = Some(login(shared, &out, op == 6, seq.unwrap_or(0)));
            }
            _ => {}
        }
    }
    if let Some(number) = number
        && let Some(gateway) = shared.state().gateways.get_mut::<usize>(number)
    {
        gateway.open = false;
    }
    writing.abort();
}

fn login(shared: &Shared, out: &UnboundedSender<Message>, resumes: bool, seen: u64) -> usize {
    let mut state = shared.state();
    let number = state.gateways.len();
    let seq = seen + 1;
    let dispatch = if resumes {
        json!({"op": 0, "s": seq, "t": "RESUMED", "d": ""})
    } else {
        json!({"op": 0, "s": seq, "t": "READY", "d": {
            "version": 1, "session_id": format!("00000000-0000-4000-8000-{number:012x}"),
            "user": {"id": APP_ID, "username": "bot", "bot": true, "status": 1}, "shard": [0, 1],
        }})
    };
    // A client that has gone comes again.
    let _ = out.send(Message::text(dispatch.to_string()));
    state.gateways.push(Gateway {
        out: out.clone(),
        seq,
        beats: Vec::new(),
        open: true,
    });
    drop(state);
    shared.ready.send_modify(|count| *count += 1);
    number
}

/// Writes what is queued, as much at a time as there is.
async fn write_out(mut socket: SplitSink<Socket, Message>, mut queue: UnboundedReceiver<Message>) {
    let mut batch = Vec::with_capacity(64);
    while queue.recv_many(&mut batch, 64).await > 0 {
        for message in batch.drain(..) {
            let ends = message.is_close();
            if socket.feed(message).await.is_err() {
                return;
            }
            if ends {
                let _ = socket.close().await;
                return;
            }
        }
        if socket.flush().await.is_err() {
            return;
        }
    }
}
