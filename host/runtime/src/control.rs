//! The local socket on which an operator asks a running process.
//!
//! A Unix socket in the state directory, the owner's alone. A connection carries requests, one JSON
//! object a line, answered in order; every answer is some lines and ends with `done` or `error`. Both
//! sides say their version in every line. Only `blob` is followed by bytes that are not a line.
//!
//! Must not know how an answer is shown, nor where configuration comes from: [`Owner`] has it.

use std::fmt;
use std::os::unix::fs::{FileTypeExt, MetadataExt, PermissionsExt};
use std::os::unix::net::{UnixListener as StdListener, UnixStream as StdStream};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use tokio::net::{UnixListener, UnixStream};
use tokio::sync::Semaphore;
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

use crate::config::Checked;
use crate::runtime::Host;
use crate::runtime::Offer;

mod serve;
mod wire;

pub use wire::{Ask, Code, MAX_LINE_BYTES, Request, Said, Say, VERSION};

/// File name of the socket inside the state directory.
pub const SOCKET_FILE: &str = "control.sock";
/// Connections served at once; an operator has few hands.
const CONNECTIONS: usize = 16;
/// After a failed accept, which is a lack of file descriptors.
const ACCEPT_PAUSE: Duration = Duration::from_millis(200);

/// Who runs this process: what a request asks for beyond the channels.
pub trait Owner: Send + Sync + fmt::Debug {
    /// Reads a channel's plugin and configuration again and checks them as at the start. `running` is the
    /// digest of the component that runs. Blocks on the disk.
    ///
    /// # Errors
    /// Every mistake, one sentence each.
    fn renewal(&self, channel: &str, running: &str) -> Result<Renewal, Vec<String>>;

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

/// Serves the socket until it is dropped.
#[derive(Debug)]
pub struct ControlServer {
    path: PathBuf,
    stop: CancellationToken,
    tasks: TaskTracker,
}

impl ControlServer {
    /// Offers the socket of this host. Must be called inside a tokio runtime.
    ///
    /// # Errors
    /// See [`ControlError`].
    pub fn start(host: &Host, owner: Arc<dyn Owner>) -> Result<Self, ControlError> {
        let path = socket_path(host.state_dir());
        let (listener, uid) = listen(&path)?;
        let stop = CancellationToken::new();
        let server = serve::Server {
            host: host.clone(),
            owner,
            stop: stop.clone(),
        };
        let tasks = TaskTracker::new();
        tasks.spawn(accept(listener, uid, Arc::new(server), tasks.clone()));
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

/// The listener, and the user that the socket belongs to.
fn listen(path: &Path) -> Result<(UnixListener, u32), ControlError> {
    let shown = || path.display().to_string();
    let failed = |cause| ControlError::Io {
        path: shown(),
        cause,
    };
    if let Some(dir) = path.parent() {
        crate::files::private_dir(dir).map_err(failed)?;
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
    let uid = std::fs::metadata(path).map_err(failed)?.uid();
    listener.set_nonblocking(true).map_err(failed)?;
    let listener = UnixListener::from_std(listener).map_err(failed)?;
    Ok((listener, uid))
}

async fn accept(listener: UnixListener, uid: u32, server: Arc<serve::Server>, tasks: TaskTracker) {
    let places = Arc::new(Semaphore::new(CONNECTIONS));
    loop {
        let accepted = tokio::select! {
            () = server.stop.cancelled() => return,
            accepted = listener.accept() => accepted,
        };
        let stream = match accepted {
            Ok((stream, _)) => stream,
            Err(error) => {
                tracing::warn!(%error, "the control socket takes no connection");
                tokio::time::sleep(ACCEPT_PAUSE).await;
                continue;
            }
        };
        if !same_user(&stream, uid) {
            tracing::warn!("another user's process tried to use the control socket");
            continue;
        }
        // Too many at once: whoever comes then is sent away, not kept.
        let Ok(place) = Arc::clone(&places).try_acquire_owned() else {
            continue;
        };
        let server = Arc::clone(&server);
        tasks.spawn(async move {
            let stop = server.stop.clone();
            tokio::select! {
                () = stop.cancelled() => {}
                () = serve::connection(&server, stream) => {}
            }
            drop(place);
        });
    }
}

/// The folder's mode says the same; this holds where somebody has loosened it.
fn same_user(stream: &UnixStream, uid: u32) -> bool {
    stream.peer_cred().is_ok_and(|peer| peer.uid() == uid)
}
