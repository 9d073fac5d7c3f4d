//! The types of `wit/`, as the rest of the host uses them. One module per interface version; the
//! newest one owns the types, an older one would only convert.

pub mod v0_1;

impl v0_1::Event {
    /// Its case, in the words of the interface.
    pub fn case(&self) -> &'static str {
        match self {
            Self::SocketOpened(_) => "socket-opened",
            Self::SocketText(_) => "socket-text",
            Self::SocketBinary(_) => "socket-binary",
            Self::SocketClosed(_) => "socket-closed",
            Self::HttpDone(_) => "http-done",
            Self::TimerFired(_) => "timer-fired",
            Self::Entropy(_) => "entropy",
            Self::BlobMade(_) => "blob-made",
            Self::DigestDone(_) => "digest-done",
            Self::Turn(_) => "turn",
            Self::Command(_) => "command",
            Self::Skipped(_) => "skipped",
            Self::Extension(_) => "extension",
        }
    }
}
