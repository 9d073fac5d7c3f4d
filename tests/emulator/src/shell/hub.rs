//! The lock around the platform, and the way of its commands to sockets and waiting requests.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use tokio::sync::{Notify, mpsc, oneshot, watch};

use super::Urls;
use super::clock::Clock;
use super::inside::Inside;
use crate::ids::{ConnId, Ticket};
use crate::platform::Platform;
use crate::time::Millis;
use crate::wire::{Command, HttpRequest, HttpResponse, Input};

/// What a socket's task must do.
#[derive(Debug)]
pub(super) enum SocketOut {
    Text(Arc<str>),
    Close(u16, &'static str),
    Cut,
}

/// What becomes of a request.
#[derive(Debug)]
pub(super) enum HttpOut {
    Reply(HttpResponse),
    Cut,
}

/// An answer that is there, or will be.
#[derive(Debug)]
pub(super) enum Pending {
    Ready(HttpOut),
    Later(oneshot::Receiver<HttpOut>),
}

/// Everything under the lock.
#[derive(Debug)]
pub(super) struct Hub {
    platform: Platform,
    sockets: HashMap<ConnId, mpsc::UnboundedSender<SocketOut>>,
    tickets: HashMap<Ticket, oneshot::Sender<HttpOut>>,
    next_conn: u64,
    next_ticket: u64,
}

/// What all tasks of one emulator share.
#[derive(Debug)]
pub(super) struct Shared {
    hub: Mutex<Hub>,
    pub(super) clock: Clock,
    pub(super) urls: Urls,
    /// Counts changes of the platform.
    pub(super) changed: watch::Sender<u64>,
    /// Bots that live in this process.
    pub(super) inside: Inside,
    /// Tells one run of an emulator from another at the same address.
    pub(super) run: Millis,
    due_changed: Notify,
}

impl Hub {
    pub(super) fn platform(&self) -> &Platform {
        &self.platform
    }

    fn dispatch(&mut self, commands: Vec<Command>) {
        for command in commands {
            match command {
                Command::HttpReply { ticket, response } => {
                    self.answer(ticket, HttpOut::Reply(response));
                }
                Command::HttpCut { ticket } => self.answer(ticket, HttpOut::Cut),
                Command::SocketText { conn, text } => self.tell(conn, SocketOut::Text(text)),
                Command::SocketClose { conn, code, reason } => {
                    self.tell(conn, SocketOut::Close(code, reason));
                    self.sockets.remove(&conn);
                }
                Command::SocketCut { conn } => {
                    self.tell(conn, SocketOut::Cut);
                    self.sockets.remove(&conn);
                }
            }
        }
    }

    /// Whoever asked may have gone meanwhile; that is its own affair.
    fn answer(&mut self, ticket: Ticket, out: HttpOut) {
        if let Some(waiting) = self.tickets.remove(&ticket) {
            waiting.send(out).ok();
        }
    }

    fn tell(&self, conn: ConnId, out: SocketOut) {
        if let Some(socket) = self.sockets.get(&conn) {
            socket.send(out).ok();
        }
    }
}

impl Shared {
    pub(super) fn new(platform: Platform, clock: Clock, urls: Urls) -> Self {
        let hub = Hub {
            platform,
            sockets: HashMap::new(),
            tickets: HashMap::new(),
            next_conn: 0,
            next_ticket: 0,
        };
        let (changed, _) = watch::channel(0);
        Self {
            hub: Mutex::new(hub),
            run: clock.now(),
            clock,
            urls,
            changed,
            inside: Inside::default(),
            due_changed: Notify::new(),
        }
    }

    /// The lock. A panic under it leaves the platform as it was between two inputs or in the
    /// middle of one; an emulator that goes on is of more use than one that does not.
    pub(super) fn lock(&self) -> MutexGuard<'_, Hub> {
        self.hub.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Changes the platform and carries out what follows.
    pub(super) fn change<T>(
        &self,
        change: impl FnOnce(&mut Platform, Millis) -> (T, Vec<Command>),
    ) -> T {
        self.locked(|hub, now| {
            let (outcome, commands) = change(&mut hub.platform, now);
            hub.dispatch(commands);
            outcome
        })
    }

    pub(super) fn step(&self, input: Input) {
        self.change(|platform, now| ((), platform.step(now, input)));
    }

    pub(super) fn tick(&self) {
        self.step(Input::Tick);
        self.due_changed.notify_one();
    }

    /// Gives a request to the platform.
    pub(super) fn request(&self, request: HttpRequest) -> Pending {
        self.locked(|hub, now| {
            let ticket = Ticket(hub.next_ticket);
            hub.next_ticket += 1;
            let (answer, later) = oneshot::channel();
            hub.tickets.insert(ticket, answer);
            let commands = hub.platform.step(now, Input::Http { ticket, request });
            hub.dispatch(commands);
            later
        })
        .into()
    }

    /// Gives a new socket to the platform.
    pub(super) fn open(
        &self,
        request: HttpRequest,
    ) -> (ConnId, mpsc::UnboundedReceiver<SocketOut>) {
        self.locked(|hub, now| {
            let conn = ConnId(hub.next_conn);
            hub.next_conn += 1;
            let (tell, told) = mpsc::unbounded_channel();
            hub.sockets.insert(conn, tell);
            let commands = hub.platform.step(now, Input::SocketOpen { conn, request });
            hub.dispatch(commands);
            (conn, told)
        })
    }

    pub(super) fn gone(&self, conn: ConnId, code: Option<u16>) {
        self.locked(|hub, now| {
            hub.sockets.remove(&conn);
            let commands = hub.platform.step(now, Input::SocketGone { conn, code });
            hub.dispatch(commands);
        });
    }

    /// Lets go of every socket and request.
    pub(super) fn hang_up(&self) {
        let mut hub = self.lock();
        hub.sockets.clear();
        hub.tickets.clear();
    }

    fn locked<T>(&self, change: impl FnOnce(&mut Hub, Millis) -> T) -> T {
        let mut hub = self.lock();
        let due = hub.platform.next_due();
        let outcome = change(&mut hub, self.clock.now());
        let due_moved = hub.platform.next_due() != due;
        drop(hub);
        self.changed.send_modify(|count| *count += 1);
        if due_moved {
            self.due_changed.notify_one();
        }
        outcome
    }
}

impl From<oneshot::Receiver<HttpOut>> for Pending {
    fn from(mut later: oneshot::Receiver<HttpOut>) -> Self {
        match later.try_recv() {
            Ok(out) => Self::Ready(out),
            Err(_) => Self::Later(later),
        }
    }
}

/// Ticks the platform whenever something is due.
pub(super) async fn keep_time(shared: Arc<Shared>) {
    loop {
        let next = shared.lock().platform().next_due();
        let left = next.and_then(|at| shared.clock.until(at));
        match left {
            Some(left) if left.is_zero() => shared.step(Input::Tick),
            Some(left) => {
                tokio::select! {
                    () = tokio::time::sleep(left) => {}
                    () = shared.due_changed.notified() => {}
                }
            }
            None => shared.due_changed.notified().await,
        }
    }
}
