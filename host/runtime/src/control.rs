//! The local socket on which an operator asks a running process.
//!
//! A Unix socket in the state directory, the owner's alone. A connection carries requests, one JSON
//! object a line, answered in order; every answer is some lines and ends with `done` or `error`. Both
//! sides say their version in every line. Only `blob` is followed by bytes that are not a line.
//!
//! Must not know how an answer is shown, nor where configuration comes from: [`Owner`] has it.

use std::fmt;
use std::os::unix::fs::{FileTypeExt, PermissionsExt};
use std::os::unix::net::{UnixListener as StdListener, UnixStream as StdStream};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use rustix::process::geteuid;
use tokio::net::{UnixListener, UnixStream};
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

use crate::claim::{self, Name};
use crate::config::Checked;
use crate::files::{PlaceError, Writers, trusted};
use crate::runtime::Host;
use crate::runtime::Offer;

mod seats;
mod serve;
mod wire;

use seats::Seats;

pub use wire::{Ask, Code, MAX_LINE_BYTES, Request, Said, Say, VERSION};

/// File name of the socket inside the state directory.
pub const SOCKET_FILE: &str = "control.sock";
/// Of the names under which a process is asked.
const KIND: &str = "control";
/// After a failed accept, which is a lack of file descriptors.
const ACCEPT_PAUSE: Duration = Duration::from_millis(200);

/// Who runs this process: what a request asks for beyond the channels.
pub trait Owner: Send + Sync + fmt::Debug {
    /// Reads a channel's plugin and configuration again and checks them as at the start. `running` is the
    /// digest of the component that runs; `older`: a signed plugin may be older than the one that ran last. Blocks on the
    /// disk.
    ///
    /// # Errors
    /// Every mistake, one sentence each.
    fn renewal(&self, channel: &str, running: &str, older: bool) -> Result<Renewal, Vec<String>>;

    /// A renewal is over, and this component runs. Blocks on the disk.
    fn renewed(&self, _channel: &str, _running: &str) {}

    /// Ends the process as SIGTERM does. Returns at once.
    fn shut_down(&self);
}

/// What an operator may have changed of a channel that runs.
#[derive(Debug)]
pub struct Renewal {
    /// Another component than the one that runs.
    pub plugin: Option<Offer>,
    /// The table, checked against the keys of the component that will run.
    pub config: Checked,
}

/// The socket cannot be offered.
#[derive(Debug, thiserror::Error)]
pub enum ControlError {
    /// Somebody answers on it.
    #[error(
        "another process answers on {path}; stop that one first, or give this one its own state_dir"
    )]
    Taken {
        /// The socket.
        path: String,
    },
    /// Something else stands where it should be.
    #[error("{path} is not a socket; move it away")]
    NotASocket {
        /// Where.
        path: String,
    },
    /// The system refuses.
    #[error(
        "the control socket {path} cannot be made: {cause}; a state_dir with a shorter path, on a local disk, can hold one"
    )]
    Io {
        /// Where.
        path: String,
        /// What the system says.
        cause: std::io::Error,
    },
}

/// The socket of a state directory.
pub fn socket_path(state_dir: &Path) -> PathBuf {
    state_dir.join(SOCKET_FILE)
}

/// The user at the other end is not the one that is meant.
#[derive(Debug, thiserror::Error)]
pub enum ConnectError {
    /// The folder of the socket is not to be trusted.
    #[error("{0}; nothing was asked: if the bot is another user's, ask as that user")]
    Place(#[from] PlaceError),
    /// Another user's process answers.
    #[error(
        "{path} is served by a process of user {user}, not of this one; nothing was asked of it: ask as that user if it is the bot's, and look into who made the socket if it is not"
    )]
    Stranger {
        /// The socket.
        path: String,
        /// The user, as a number.
        user: u32,
    },
    /// The system refuses.
    #[error("{path} cannot be asked: {cause}{advice}")]
    Io {
        /// The socket.
        path: String,
        /// What the system says.
        cause: std::io::Error,
        /// What to do, where that is known.
        advice: &'static str,
    },
}

/// Connects to the process that has a state directory; `None` when there is none. Nothing is sent before it is known
/// that the process is this user's, or root's.
///
/// # Errors
/// See [`ConnectError`].
pub fn connect(state_dir: &Path) -> Result<Option<StdStream>, ConnectError> {
    let path = socket_path(state_dir);
    let failed = |cause: std::io::Error| ConnectError::Io {
        path: path.display().to_string(),
        advice: match cause.kind() {
            std::io::ErrorKind::PermissionDenied => "; ask as the user that runs it",
            _ => "",
        },
        cause,
    };
    if state_dir.exists() {
        trusted(state_dir, Writers::Sticky)?;
    }
    let stream = match StdStream::connect(&path) {
        Ok(stream) => stream,
        Err(error) if nobody_there(&error) => {
            // The socket may have been removed, and the process that had made it be there.
            let named = Name::of_path(KIND, state_dir).and_then(|name| claim::connect(&name));
            let Some(named) = named else { return Ok(None) };
            let stream = StdStream::from(named);
            stream.set_nonblocking(false).map_err(failed)?;
            stream
        }
        Err(error) => return Err(failed(error)),
    };
    match claim::peer_user(&stream) {
        Some(user) if user != 0 && user != geteuid().as_raw() => Err(ConnectError::Stranger {
            path: path.display().to_string(),
            user,
        }),
        _ => Ok(Some(stream)),
    }
}

/// No socket, or one that a killed process left.
fn nobody_there(error: &std::io::Error) -> bool {
    let kinds = [
        std::io::ErrorKind::NotFound,
        std::io::ErrorKind::ConnectionRefused,
    ];
    kinds.contains(&error.kind())
}

/// Serves the socket until it is dropped.
#[derive(Debug)]
pub struct ControlServer {
    path: PathBuf,
    stop: CancellationToken,
    tasks: TaskTracker,
}

impl ControlServer {
    /// Offers the socket of this host, and the same under a name that nobody can remove. Must be called inside a tokio
    /// runtime.
    ///
    /// # Errors
    /// See [`ControlError`].
    pub fn start(host: &Host, owner: Arc<dyn Owner>) -> Result<Self, ControlError> {
        let path = socket_path(host.state_dir());
        let named = named(host.state_dir());
        let listeners = match listen(&path) {
            Ok(listener) => [Some(listener), named],
            Err(error @ ControlError::Io { .. }) if named.is_some() => {
                tracing::error!("{error}; until then it is asked under its name alone");
                [named, None]
            }
            Err(error) => return Err(error),
        };
        let stop = CancellationToken::new();
        let server = Arc::new(serve::Server {
            host: host.clone(),
            owner,
            stop: stop.clone(),
        });
        let tasks = TaskTracker::new();
        let seats = Arc::new(Seats::new());
        for listener in listeners.into_iter().flatten() {
            let (server, seats) = (Arc::clone(&server), Arc::clone(&seats));
            tasks.spawn(accept(listener, server, seats, tasks.clone()));
        }
        Ok(Self { path, stop, tasks })
    }

    /// Stops serving, and waits until nothing of it holds the host any more: the store is free for
    /// another process then.
    pub async fn stop(self) {
        self.stop.cancel();
        self.tasks.close();
        self.tasks.wait().await;
    }
}

impl Drop for ControlServer {
    fn drop(&mut self) {
        self.stop.cancel();
        // A stale one is replaced by the next start.
        let _ = std::fs::remove_file(&self.path);
    }
}

fn named(state_dir: &Path) -> Option<UnixListener> {
    let listener = claim::listen(&Name::of_path(KIND, state_dir)?)?;
    UnixListener::from_std(StdListener::from(listener)).ok()
}

fn listen(path: &Path) -> Result<UnixListener, ControlError> {
    let shown = || path.display().to_string();
    let failed = |cause| ControlError::Io {
        path: shown(),
        cause,
    };
    if let Some(dir) = path.parent() {
        crate::files::private_dir(dir).map_err(|e| failed(std::io::Error::other(e)))?;
    }
    match std::fs::symlink_metadata(path) {
        Ok(there) if !there.file_type().is_socket() => {
            return Err(ControlError::NotASocket { path: shown() });
        }
        Ok(_) if StdStream::connect(path).is_ok() => {
            return Err(ControlError::Taken { path: shown() });
        }
        // Left behind by a process that was killed.
        Ok(_) => std::fs::remove_file(path).map_err(failed)?,
        Err(_) => {}
    }
    let listener = StdListener::bind(path).map_err(failed)?;
    let only_owner = std::fs::Permissions::from_mode(0o600);
    std::fs::set_permissions(path, only_owner).map_err(failed)?;
    listener.set_nonblocking(true).map_err(failed)?;
    UnixListener::from_std(listener).map_err(failed)
}

async fn accept(
    listener: UnixListener,
    server: Arc<serve::Server>,
    seats: Arc<Seats>,
    tasks: TaskTracker,
) {
    loop {
        let accepted = tokio::select! {
            () = server.stop.cancelled() => return,
            accepted = listener.accept() => accepted,
        };
        let stream = match accepted {
            Ok((stream, _)) => stream,
            // For want of a file descriptor, most likely: the one that is kept for this serves one connection.
            Err(_) if seats.give_up_reserve() => continue,
            Err(error) => {
                tracing::warn!(%error, "the control socket takes no connection");
                tokio::time::sleep(ACCEPT_PAUSE).await;
                seats.refill();
                continue;
            }
        };
        if !same_user(&stream) {
            tracing::warn!("another user's process tried to use the control socket");
            continue;
        }
        let Some(seat) = seats.take() else {
            tasks.spawn(serve::turn_away(stream));
            continue;
        };
        let (server, seats) = (Arc::clone(&server), Arc::clone(&seats));
        tasks.spawn(async move {
            let stop = server.stop.clone();
            tokio::select! {
                () = stop.cancelled() => {}
                stream = serve::connection(&server, stream, seat) => seats.keep(stream),
            }
        });
    }
}

/// The folder's mode says the same; this holds where somebody has loosened it, and for the name.
fn same_user(stream: &UnixStream) -> bool {
    let user = geteuid().as_raw();
    stream.peer_cred().is_ok_and(|peer| peer.uid() == user)
}
