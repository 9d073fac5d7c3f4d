//! Names that one process of a machine has at a time, outside of any folder: nobody can remove them while it lives, and
//! the system takes them back however it ends.
//!
//! A name is an abstract Unix socket. Every user of the machine can bind any of them, so only one that this user or root
//! has counts: a stranger must not be able to keep a bot from starting.

use std::os::fd::OwnedFd;

use rustix::process::geteuid;
use sha2::{Digest, Sha256};

/// The name of something, as no other thing is called.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Name(Vec<u8>);

impl Name {
    /// Of a kind, made of parts.
    pub(crate) fn of<'a>(kind: &str, parts: impl IntoIterator<Item = &'a [u8]>) -> Self {
        let mut hash = Sha256::new();
        for part in parts {
            hash.update((part.len() as u64).to_le_bytes());
            hash.update(part);
        }
        let digest = hash.finalize();
        let hex: String = digest.iter().take(16).map(|b| format!("{b:02x}")).collect();
        Self(format!("prx-{kind}-{hex}").into_bytes())
    }

    /// Of a kind, for what stands under this path: its name, and the folder around it, which is still there when it is
    /// removed. None where there is no such folder.
    pub(crate) fn of_path(kind: &str, path: &std::path::Path) -> Option<Self> {
        use std::os::unix::ffi::OsStrExt;
        use std::os::unix::fs::MetadataExt;
        let path = std::path::absolute(path).ok()?;
        let path = path.canonicalize().unwrap_or(path);
        let around = std::fs::metadata(path.parent()?).ok()?;
        Some(Self::of(
            kind,
            [
                &geteuid().as_raw().to_le_bytes()[..],
                &around.dev().to_le_bytes(),
                &around.ino().to_le_bytes(),
                path.file_name()?.as_bytes(),
            ],
        ))
    }
}

/// Another process has the name.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Holder {
    /// Its process id, as this process sees it; 0 where it does not.
    pub(crate) pid: u32,
}

impl Holder {
    /// For a sentence.
    pub(crate) fn shown(self) -> String {
        match self.pid {
            0 => String::new(),
            pid => format!(" (pid {pid})"),
        }
    }
}

/// A name that this process has.
#[derive(Debug)]
pub(crate) struct Claim {
    /// Absent where the system has no such names, or a stranger has this one.
    socket: Option<OwnedFd>,
}

impl Claim {
    /// Takes a name.
    ///
    /// # Errors
    /// Another process of this user's, or of root's, has it.
    pub(crate) fn take(name: &Name) -> Result<Self, Holder> {
        if let Some(socket) = sockets::listen(name) {
            return Ok(Self {
                socket: Some(socket),
            });
        }
        if let Some(holder) = holder(name) {
            return Err(holder);
        }
        // Given back in between, a stranger's, or there are none here.
        let socket = sockets::listen(name);
        if socket.is_none() {
            tracing::warn!(
                "this process cannot be told from another one on this machine with the same state directory or channel: a name that shows it is not to be had"
            );
        }
        Ok(Self { socket })
    }

    /// To be called now and then: whoever looks for the holder of the name waits to be taken.
    pub(crate) fn drain(&self) {
        if let Some(socket) = &self.socket {
            sockets::drain(socket);
        }
    }
}

/// Who has a name: a process of this user's or of root's.
pub(crate) fn holder(name: &Name) -> Option<Holder> {
    let (pid, uid) = sockets::peer(&sockets::connect(name)?)?;
    (uid == 0 || uid == geteuid().as_raw()).then_some(Holder { pid })
}

/// Listens under a name. None when it is not to be had.
pub(crate) fn listen(name: &Name) -> Option<OwnedFd> {
    sockets::listen(name)
}

/// The user at the other end of a Unix socket.
pub(crate) fn peer_user(socket: &impl std::os::fd::AsFd) -> Option<u32> {
    sockets::peer(socket).map(|(_, uid)| uid)
}

/// Connects to whoever listens under a name. Who that is has to be looked at.
pub(crate) fn connect(name: &Name) -> Option<OwnedFd> {
    sockets::connect(name)
}

#[cfg(target_os = "linux")]
mod sockets {
    use std::os::fd::{AsFd, OwnedFd};

    use nix::sys::socket::{getsockopt, sockopt::PeerCredentials};
    use rustix::net::{
        AddressFamily, SocketAddrUnix, SocketFlags, SocketType, accept, bind, connect as to,
        listen as on, socket_with,
    };

    use super::Name;

    /// Connections that wait.
    const BACKLOG: i32 = 128;

    fn socket(name: &Name) -> Option<(OwnedFd, SocketAddrUnix)> {
        // Not to wait for one that takes no more connections.
        let flags = SocketFlags::CLOEXEC | SocketFlags::NONBLOCK;
        let socket = socket_with(AddressFamily::UNIX, SocketType::STREAM, flags, None).ok()?;
        Some((socket, SocketAddrUnix::new_abstract_name(&name.0).ok()?))
    }

    pub(super) fn listen(name: &Name) -> Option<OwnedFd> {
        let (socket, address) = socket(name)?;
        bind(&socket, &address).ok()?;
        on(&socket, BACKLOG).ok()?;
        Some(socket)
    }

    pub(super) fn connect(name: &Name) -> Option<OwnedFd> {
        let (socket, address) = socket(name)?;
        to(&socket, &address).ok()?;
        Some(socket)
    }

    /// Process and user at the other end.
    pub(super) fn peer(socket: &impl AsFd) -> Option<(u32, u32)> {
        let peer = getsockopt(socket, PeerCredentials).ok()?;
        Some((u32::try_from(peer.pid()).unwrap_or(0), peer.uid()))
    }

    /// Takes connections that nobody wants anything of.
    pub(super) fn drain(socket: &impl AsFd) {
        while accept(socket).is_ok() {}
    }
}

#[cfg(not(target_os = "linux"))]
mod sockets {
    use std::os::fd::{AsFd, OwnedFd};

    use super::Name;

    pub(super) fn listen(_: &Name) -> Option<OwnedFd> {
        None
    }

    pub(super) fn connect(_: &Name) -> Option<OwnedFd> {
        None
    }

    pub(super) fn peer(_: &impl AsFd) -> Option<(u32, u32)> {
        None
    }

    pub(super) fn drain(_: &impl AsFd) {}
}

#[cfg(target_os = "linux")]
#[cfg(test)]
mod tests {
    use super::*;

    fn name() -> Name {
        Name::of("test", [&getrandom::u64().unwrap().to_le_bytes()[..]])
    }

    #[test]
    fn a_name_is_had_once_and_given_back() {
        let name = name();
        let claim = Claim::take(&name).unwrap();
        let own = Holder {
            pid: std::process::id(),
        };
        assert_eq!(Claim::take(&name).unwrap_err(), own);
        assert_eq!(holder(&name), Some(own));
        drop(claim);
        assert_eq!(holder(&name), None);
        Claim::take(&name).unwrap();
    }

    #[test]
    fn one_that_is_asked_after_very_often_is_still_had() {
        let name = name();
        let claim = Claim::take(&name).unwrap();
        for _ in 0..500 {
            assert!(holder(&name).is_some());
            claim.drain();
        }
        assert!(Claim::take(&name).is_err());
    }

    #[test]
    fn parts_do_not_run_into_each_other() {
        let name = |parts: [&str; 2]| Name::of("test", parts.map(str::as_bytes));
        assert_ne!(name(["ab", "c"]), name(["a", "bc"]));
        assert_ne!(name(["a", ""]), name(["", "a"]));
    }

    #[test]
    fn a_path_is_called_the_same_when_it_is_gone_and_its_neighbour_is_not() {
        let dir = tempfile::tempdir().unwrap();
        let state = dir.path().join("state");
        let before = Name::of_path("test", &state).unwrap();
        std::fs::create_dir(&state).unwrap();
        assert_eq!(Name::of_path("test", &state).unwrap(), before);
        let link = dir.path().join("link");
        std::os::unix::fs::symlink(&state, &link).unwrap();
        assert_eq!(Name::of_path("test", &link).unwrap(), before);
        assert_ne!(
            Name::of_path("test", &dir.path().join("other")),
            Some(before)
        );
    }
}
