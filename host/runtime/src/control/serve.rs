//! One connection of the control socket: requests in, answers out, nothing waited for without an end.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use tokio::io::{AsyncBufReadExt, AsyncReadExt, AsyncWriteExt, BufReader};
use tokio::net::UnixStream;
use tokio::net::unix::{OwnedReadHalf, OwnedWriteHalf};
use tokio::sync::mpsc::UnboundedReceiver;
use tokio_util::sync::CancellationToken;

use super::Owner;
use super::seats::Seat;
use super::wire::{Ask, Code, MAX_LINE_BYTES, Request, Said, Say, VERSION};
use crate::actor::TraceForm;
use crate::bindings::v0_1::{BlobInfo, OperatorCommand, Reply};
use crate::drivers::blobs::{BlobError, CHUNK_BYTES};
use crate::runtime::{ChannelView, Host};

/// Until the next line, or the next bytes, of a client that is there.
const CLIENT_PATIENCE: Duration = Duration::from_secs(30);
/// What a channel has at hand.
const QUICK: Duration = Duration::from_secs(5);
/// What takes a channel a few requests.
const REQUESTS: Duration = Duration::from_secs(60);
/// What takes it as long as the platform likes.
const LONG: Duration = Duration::from_secs(180);

pub(super) struct Server {
    pub(super) host: Host,
    pub(super) owner: Arc<dyn Owner>,
    pub(super) stop: CancellationToken,
}

/// How an answer ends.
type Ended = Result<(), (Code, Vec<String>)>;

fn wrong(code: Code, sentence: impl Into<String>) -> (Code, Vec<String>) {
    (code, vec![sentence.into()])
}

/// How long a channel may take for the whole of an answer.
fn patience(command: &OperatorCommand) -> Duration {
    match command {
        OperatorCommand::Status | OperatorCommand::PairList => QUICK,
        OperatorCommand::Doctor(_) | OperatorCommand::Send(_) => LONG,
        _ => REQUESTS,
    }
}

/// Serves until the client goes, is silent for too long, or has to make room. Returns the stream, which is over.
pub(super) async fn connection(
    server: &Server,
    stream: UnixStream,
    mut seat: Seat,
) -> Option<UnixStream> {
    let mut line = Line::new(stream);
    line.serve(server, &mut seat).await;
    line.read.into_inner().reunite(line.write).ok()
}

/// For one that finds all places taken.
pub(super) async fn turn_away(stream: UnixStream) {
    let (code, sentences) = wrong(
        Code::Failed,
        "this process is answering as many questions as it takes at once; ask again when one of them has its answer",
    );
    Line::new(stream).say(Say::Error { code, sentences }).await;
}

struct Line {
    read: BufReader<OwnedReadHalf>,
    write: OwnedWriteHalf,
}

impl Line {
    fn new(stream: UnixStream) -> Self {
        let (read, write) = stream.into_split();
        let read = BufReader::new(read);
        Self { read, write }
    }

    async fn serve(&mut self, server: &Server, seat: &mut Seat) {
        loop {
            let request = tokio::select! {
                () = seat.asked_to_leave() => return,
                request = self.request() => request,
            };
            let Some(request) = request.filter(|_| seat.begin()) else {
                return;
            };
            if !self.respond(server, request).await {
                return;
            }
            seat.end();
        }
    }

    /// False when nothing more is to be read.
    async fn respond(&mut self, server: &Server, request: Result<Request, Say>) -> bool {
        let ended = match request {
            Ok(request) => self.answer(server, request.ask).await,
            Err(Say::Error { code, sentences }) => Err((code, sentences)),
            Err(_) => return false,
        };
        let goes_on = ended.is_ok();
        let last = match ended {
            Ok(()) => Say::Done,
            Err((code, sentences)) => Say::Error { code, sentences },
        };
        // After a mistake the two sides may not agree on where the next request begins.
        self.say(last).await && goes_on
    }

    /// The next request; nothing when the client is gone or silent.
    async fn request(&mut self) -> Option<Result<Request, Say>> {
        let mut line = Vec::new();
        let mut bounded = (&mut self.read).take(MAX_LINE_BYTES as u64 + 1);
        let read = bounded.read_until(b'\n', &mut line);
        let read = tokio::time::timeout(CLIENT_PATIENCE, read).await;
        match read {
            Ok(Ok(read)) if read > 0 => {}
            _ => return None,
        }
        if line.len() > MAX_LINE_BYTES {
            let (code, sentences) = wrong(
                Code::BadRequest,
                format!("a request has at most {MAX_LINE_BYTES} bytes"),
            );
            return Some(Err(Say::Error { code, sentences }));
        }
        Some(Request::read(&line))
    }

    /// False when the client is gone or takes nothing.
    async fn say(&mut self, say: Say) -> bool {
        let said = Said { v: VERSION, say };
        let Ok(mut text) = serde_json::to_vec(&said) else {
            return false;
        };
        text.push(b'\n');
        let written = tokio::time::timeout(CLIENT_PATIENCE, self.write.write_all(&text)).await;
        matches!(written, Ok(Ok(())))
    }

    async fn answer(&mut self, server: &Server, ask: Ask) -> Ended {
        match ask {
            Ask::List => {
                let channels = server.host.running();
                let channels = channels.iter().map(ChannelView::status).collect();
                self.say(Say::Channels { channels }).await;
                Ok(())
            }
            Ask::Health => {
                let channels = server.host.running();
                let health = |channel: &ChannelView| (channel.name().to_owned(), channel.health());
                let channels: BTreeMap<_, _> = channels.iter().map(health).collect();
                self.say(Say::Health { channels }).await;
                Ok(())
            }
            Ask::Status { name } => {
                let channel = find(server, &name)?;
                let status = Box::new(channel.status());
                self.say(Say::Status { status }).await;
                self.command(&channel, OperatorCommand::Status).await
            }
            Ask::Command { name, command } => {
                let channel = find(server, &name)?;
                allowed(&command)?;
                self.command(&channel, command).await
            }
            Ask::Reload {
                name,
                allow_downgrade,
            } => self.reload(server, &name, allow_downgrade).await,
            Ask::Record { name, redact } => {
                let form = match redact {
                    true => TraceForm::Blank,
                    false => TraceForm::Plain,
                };
                self.record(server, &name, form).await
            }
            Ask::Blob { name, file, bytes } => {
                let channel = find(server, &name)?;
                let blob = self.take_blob(&channel, file, bytes).await?;
                self.say(Say::Blob { blob }).await;
                Ok(())
            }
            Ask::Shutdown => {
                tracing::info!("asked to end on the control socket");
                server.owner.shut_down();
                Ok(())
            }
        }
    }

    async fn command(&mut self, channel: &ChannelView, command: OperatorCommand) -> Ended {
        let patience = patience(&command);
        let replies = channel.command(command);
        self.relay(channel.name(), replies, patience).await
    }

    async fn relay(
        &mut self,
        name: &str,
        mut replies: UnboundedReceiver<Reply>,
        patience: Duration,
    ) -> Ended {
        let until = tokio::time::Instant::now() + patience;
        loop {
            let Ok(reply) = tokio::time::timeout_at(until, replies.recv()).await else {
                let seconds = patience.as_secs();
                let sentence = format!(
                    "{name} did not answer within {seconds} s; look into the log for what it is doing"
                );
                return Err(wrong(Code::Timeout, sentence));
            };
            let Some(reply) = reply else {
                let sentence =
                    format!("{name} was stopped before it had answered; look into the log for why");
                return Err(wrong(Code::Gone, sentence));
            };
            let done = reply.done;
            if !self.say(Say::Reply { reply }).await || done {
                return Ok(());
            }
        }
    }

    async fn reload(&mut self, server: &Server, name: &str, older: bool) -> Ended {
        let channel = find(server, name)?;
        let (owner, of, running) = (Arc::clone(&server.owner), name.to_owned(), channel.digest());
        let read = tokio::task::spawn_blocking(move || owner.renewal(&of, &running, older)).await;
        let renewal = match read {
            Ok(Ok(renewal)) => renewal,
            Ok(Err(mistakes)) => return Err((Code::Config, mistakes)),
            Err(error) => {
                let sentence = format!("the configuration could not be read: {error}; report this");
                return Err(wrong(Code::Failed, sentence));
            }
        };
        let replies = channel.renew(renewal.plugin, renewal.config);
        let ended = self.relay(name, replies, REQUESTS).await;
        let (owner, of, running) = (Arc::clone(&server.owner), name.to_owned(), channel.digest());
        // What it writes down is for the next start; a failure is in the log.
        let _ = tokio::task::spawn_blocking(move || owner.renewed(&of, &running)).await;
        ended
    }

    /// Sends lines until the client goes: whatever it sends or closes ends the recording.
    async fn record(&mut self, server: &Server, name: &str, form: TraceForm) -> Ended {
        let channel = find(server, name)?;
        let recording = channel.record(form);
        let mut recording = recording.map_err(|e| wrong(Code::Failed, e.to_string()))?;
        drop(channel);
        loop {
            let line = tokio::select! {
                line = recording.next() => line,
                _ = self.read.fill_buf() => None,
            };
            let Some(line) = line else { return Ok(()) };
            let written = line.write();
            let line = written.map_err(|e| wrong(Code::Failed, e.to_string()))?;
            if !self.say(Say::Trace { line }).await {
                return Ok(());
            }
        }
    }

    async fn take_blob(
        &mut self,
        channel: &ChannelView,
        file: Option<String>,
        bytes: u64,
    ) -> Result<BlobInfo, (Code, Vec<String>)> {
        let failed =
            |error: BlobError| wrong(Code::Failed, format!("the file is not kept: {error}"));
        let blobs = channel.blobs();
        let mut writer = blobs.writer(blobs.allot(), bytes).await.map_err(failed)?;
        if bytes > writer.max_bytes() {
            return Err(failed(BlobError::TooLarge(writer.max_bytes())));
        }
        let mut left = bytes;
        let mut chunk = vec![0; CHUNK_BYTES];
        while left > 0 {
            let want = usize::try_from(left).unwrap_or(usize::MAX).min(CHUNK_BYTES);
            let room = chunk.get_mut(..want).unwrap_or_default();
            let read = tokio::time::timeout(CLIENT_PATIENCE, self.read.read(room)).await;
            let bytes = match read {
                Ok(Ok(read)) if read > 0 => chunk.get(..read).unwrap_or_default(),
                _ => {
                    let sentence = "the file broke off; send it again";
                    return Err(wrong(Code::BadRequest, sentence));
                }
            };
            left = left.saturating_sub(bytes.len() as u64);
            writer.write(bytes).await.map_err(failed)?;
        }
        writer.finish(file).await.map_err(failed)
    }
}

fn find(server: &Server, name: &str) -> Result<ChannelView, (Code, Vec<String>)> {
    let running = server.host.running();
    let names: Vec<String> = running.iter().map(|c| c.name().to_owned()).collect();
    let found = running.into_iter().find(|channel| channel.name() == name);
    found.ok_or_else(|| {
        let there = match names.is_empty() {
            true => "none runs".to_owned(),
            false => format!("these run: {}", names.join(", ")),
        };
        wrong(
            Code::NoChannel,
            format!("no channel {name:?} runs in this process; {there}"),
        )
    })
}

/// What has a request of its own, because more belongs to it than a word to the channel.
fn allowed(command: &OperatorCommand) -> Ended {
    let instead = match command {
        OperatorCommand::ReloadConfig(_) => "reload",
        OperatorCommand::Drain => "shutdown",
        _ => return Ok(()),
    };
    Err(wrong(
        Code::BadRequest,
        format!("this is not asked as a command; ask for {instead:?}"),
    ))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test(start_paused = true)]
    async fn a_client_that_is_silent_or_slow_is_not_waited_for_without_end() {
        for begun in [&b""[..], b"{", b"{\"v\":1,"] {
            let (here, mut there) = UnixStream::pair().unwrap();
            there.write_all(begun).await.unwrap();
            let began = tokio::time::Instant::now();
            assert!(Line::new(here).request().await.is_none());
            let waited = began.elapsed();
            assert!(waited >= CLIENT_PATIENCE && waited < 2 * CLIENT_PATIENCE);
        }
    }

    #[tokio::test(start_paused = true)]
    async fn a_client_that_takes_nothing_is_not_waited_for_without_end() {
        let (here, _there) = UnixStream::pair().unwrap();
        let line = "x".repeat(8 << 20);
        assert!(!Line::new(here).say(Say::Trace { line }).await);
    }
}
