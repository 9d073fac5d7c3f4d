//! The core's commands, carried out. Nothing in here waits: what takes time becomes a task.

use std::future::Future;
use std::sync::Arc;

use tokio::sync::mpsc;
use tokio::task::AbortHandle;

use super::stats::count;
use super::{Channel, SocketSink, locked};
use crate::actor::{
    BlobContent, BodyPiece, BootInput, Change, Command, HttpCall, Incident, Input, Refusal,
    SocketDial, SocketMessage, TicketReply,
};
use crate::agent::AgentAsk;
use crate::bindings::v0_1::{
    BlobDigest, BlobInfo, BlobMade, DigestDone, Entropy, EntropyAsk, Failure, Health, HealthLevel,
    RequestId, SocketClose, SocketClosed, SocketEnd, SocketId, Stage, log::Level,
};
use crate::drivers::socket::{self, Outgoing, SEND_QUEUE};
use crate::drivers::{blobs::BlobError, body, http};
use crate::guest::LogLine;

/// Where boot numbers begin that could not be counted, seconds since 1970: far above any number
/// that was counted, and below the bit that marks the host's own ids.
const UNCOUNTED_BOOTS_FROM: u64 = 1_600_000_000;

impl Channel {
    /// `began` is when the step that gave the command began.
    pub(super) fn execute(self: &Arc<Self>, command: Command, began: std::time::Instant) {
        self.stats.executing(&command);
        match command {
            Command::AskBoot => self.boot(),
            Command::SocketOpen(dial) => self.open_socket(dial),
            Command::SocketSend(message) => self.send(message),
            Command::SocketClose(close) => self.close_socket(close),
            Command::Http(call) => self.http(*call),
            Command::HttpCancel(id) => {
                if let Some(task) = locked(&self.requests).remove(&id) {
                    task.abort();
                }
            }
            Command::EntropyAsk(ask) => self.entropy(&ask),
            Command::BlobMake(content) => self.make_blob(content),
            Command::BlobDigest(ask) => self.digest(ask),
            Command::BlobDrop(id) => self.parts.blobs.remove(id),
            Command::Agent(ask) => self.agent(*ask),
            Command::Commit(changes) => self.commit(&changes),
            Command::Metric(metric) => self.parts.metrics.record(self.name(), &metric),
            Command::Health(health) => self.set_health(health),
            Command::Reply(reply) => self.reply(reply),
            Command::Log(line) => self.log(&line),
            Command::Incident(incident) => self.incident(*incident),
            Command::Swapped { ticket, outcome } => self.swapped(ticket, *outcome, began.elapsed()),
            Command::RolledBack {
                broke,
                standing,
                fault,
            } => self.rolled_back(broke, *standing, &fault),
            Command::Trace(item) => self.trace(*item),
            Command::Started => self.started(Ok(())),
            Command::Refused(refusal) => self.started(Err(refusal)),
            Command::Extension(extension) => {
                tracing::debug!(channel = %self.name(), name = %extension.name, "an extension that this host does not know");
            }
        }
    }

    fn boot(self: &Arc<Self>) {
        let Some(store) = self.store() else { return };
        let number = match store.next_boot(self.name()) {
            Ok(number) => number,
            Err(error) => {
                // Going on without a count is better than no bot; the ids stay unique.
                tracing::error!(channel = %self.name(), %error, "the start could not be counted");
                let seconds = self.parts.clock.now().wall_ms / 1000;
                u32::try_from(seconds.saturating_sub(UNCOUNTED_BOOTS_FROM)).unwrap_or(u32::MAX >> 1)
            }
        };
        let mut entropy = [0; 32];
        fill_random(&mut entropy);
        self.push(Input::Boot(BootInput { number, entropy }));
    }

    fn open_socket(self: &Arc<Self>, dial: SocketDial) {
        let id = dial.id;
        tracing::info!(channel = %self.name(), generation = self.stats.generation(), socket = id, host = dial.url.host_str(), "opening a socket");
        let (sender, receiver) = mpsc::channel(SEND_QUEUE);
        locked(&self.sockets).insert(id, sender);
        let (network, blobs) = (self.parts.network.clone(), self.parts.blobs.clone());
        let channel = Arc::clone(self);
        self.spawn(async move {
            let sink = SocketSink(Arc::clone(&channel));
            socket::run(network, blobs, dial, receiver, sink).await;
            locked(&channel.sockets).remove(&id);
        });
    }

    fn send(self: &Arc<Self>, message: SocketMessage) {
        let id = message.id;
        let sender = locked(&self.sockets).get(&id).cloned();
        // Without a sender the socket has ended, and its end is in the queue.
        let Some(sender) = sender else { return };
        // A blob that is gone is told by whoever joins the message.
        let bytes = body::length(&message.payload, &self.parts.blobs).unwrap_or(0);
        let max = locked(&self.standing).limits.unsent_bytes;
        let Some(room) = self.unsent.take(bytes, max) else {
            let why = format!(
                "messages of more than {max} bytes wait to be sent, which is [resources] max_unsent_mb of plugin.toml; the socket is closed"
            );
            self.note(Level::Warn, &why);
            tracing::warn!(channel = %self.name(), socket = id, "{why}");
            locked(&self.sockets).remove(&id);
            return self.push(closed(id, Stage::Policy, &why));
        };
        let sent = sender.try_send(Outgoing::Message(message, room));
        if let Err(mpsc::error::TrySendError::Full(_)) = sent {
            locked(&self.sockets).remove(&id);
            let why = "the other side takes no more messages";
            self.push(closed(id, Stage::Protocol, why));
        }
    }

    fn close_socket(&self, close: SocketClose) {
        if let Some(sender) = locked(&self.sockets).remove(&close.id) {
            tracing::info!(channel = %self.name(), socket = close.id, code = close.code, "closing a socket");
            // A full queue means that the other side reads nothing, a goodbye included.
            let _ = sender.try_send(Outgoing::Close(close));
        }
    }

    fn http(self: &Arc<Self>, call: HttpCall) {
        let (network, blobs) = (self.parts.network.clone(), self.parts.blobs.clone());
        let purpose = call.purpose.clone();
        tracing::debug!(channel = %self.name(), generation = self.stats.generation(), request = call.id, %purpose, host = call.url.host_str(), "request");
        let channel = Arc::clone(self);
        self.request(call.id, async move {
            let done = http::call(&network, &blobs, call).await;
            if done.outcome.is_err() {
                count(&channel.stats.requests_failed);
            }
            Input::HttpDone(done)
        });
    }

    fn entropy(self: &Arc<Self>, ask: &EntropyAsk) {
        let mut bytes = vec![0; usize::try_from(ask.count).unwrap_or(0)];
        fill_random(&mut bytes);
        let id = ask.id;
        self.push(Input::Entropy(Entropy { id, bytes }));
    }

    fn make_blob(self: &Arc<Self>, content: BlobContent) {
        let blobs = self.parts.blobs.clone();
        let name = self.name().to_owned();
        self.request(content.blob, async move {
            let id = content.blob;
            let made = make_blob(&blobs, content).await;
            let made = made.map_err(|error| {
                tracing::error!(channel = %name, blob = id, %error, "a blob could not be made");
                error.to_string()
            });
            Input::BlobMade(BlobMade { blob: id, made })
        });
    }

    fn digest(self: &Arc<Self>, ask: BlobDigest) {
        let (blobs, turn) = (self.parts.blobs.clone(), Arc::clone(&self.digesting));
        let workers = self.parts.workers.clone();
        self.request(ask.id, async move {
            // One of this channel at a time, and of those a few in the process.
            let _turn = turn.lock().await;
            let id = ask.id;
            let digests = workers.run(move |cancelled| blobs.digest(&ask, cancelled));
            let digests = digests.await;
            Input::DigestDone(DigestDone { id, digests })
        });
    }

    fn agent(&self, ask: AgentAsk) {
        if let AgentAsk::Begin(begin) = &ask {
            tracing::debug!(channel = %self.name(), generation = self.stats.generation(), turn = begin.id, attempt = begin.attempt, "a turn begins");
        }
        let _entered = self.parts.tokio.enter();
        self.parts.agent.ask(self.name(), ask);
    }

    fn commit(&self, changes: &[Change]) {
        let Some(store) = self.store() else { return };
        // The store keeps what it could not commit, and tells the channel through its own line.
        if let Err(error) = store.commit(self.name(), changes) {
            tracing::error!(channel = %self.name(), %error, "not stored; it is tried again");
            count(&self.stats.commits_failed);
            self.note(
                Level::Error,
                &format!("not stored; it is tried again: {error}"),
            );
        }
    }

    fn set_health(&self, health: Health) {
        let before = self.health.borrow().code.clone();
        if before != health.code {
            let (code, summary) = (&health.code, &health.summary);
            match health.level {
                HealthLevel::Ok => tracing::info!(channel = %self.name(), %code, "{summary}"),
                HealthLevel::Degraded => {
                    tracing::warn!(channel = %self.name(), %code, "{summary}");
                    self.note(Level::Warn, &format!("{summary} ({code})"));
                }
                HealthLevel::Stopped => {
                    self.note(Level::Error, &format!("{summary} ({code})"));
                    let fix = health.fix.as_deref().unwrap_or_default();
                    tracing::error!(channel = %self.name(), %code, fix, "{summary}");
                }
            }
        }
        self.health.send_replace(health);
    }

    fn reply(&self, reply: TicketReply) {
        let mut tickets = locked(&self.tickets);
        let mut last = reply.reply.done;
        if let Some(asker) = tickets.get_mut(&reply.ticket) {
            asker.left = asker.left.saturating_sub(1);
            last |= asker.left == 0;
            // Whoever asked may have gone home.
            let _ = asker.replies.send(reply.reply);
        }
        if last {
            tickets.remove(&reply.ticket);
        }
    }

    pub(super) fn note(&self, level: Level, text: &str) {
        self.stats.note(self.parts.clock.now(), level, text);
    }

    fn log(&self, line: &LogLine) {
        let (channel, text) = (self.name(), &line.text);
        self.note(line.level, text);
        match line.level {
            Level::Debug => tracing::debug!(channel, "{text}"),
            Level::Info => tracing::info!(channel, "{text}"),
            Level::Warn => tracing::warn!(channel, "{text}"),
            Level::Error => tracing::error!(channel, "{text}"),
        }
    }

    fn incident(&self, incident: Incident) {
        let kept = self
            .parts
            .incidents
            .keep(self.name(), self.parts.clock.now(), &incident);
        tracing::error!(
            channel = %self.name(),
            during = %incident.during,
            settled = ?incident.settled,
            file = kept.as_ref().map(|path| path.display().to_string()),
            "the component broke: {}",
            incident.fault,
        );
        count(&self.stats.incidents);
        self.note(
            Level::Error,
            &format!(
                "the component broke during {}: {}",
                incident.during, incident.fault
            ),
        );
        // Nobody has to listen.
        let _ = self.incidents.send(Arc::new(incident));
    }

    fn started(&self, result: Result<(), Refusal>) {
        if let Some(waiting) = locked(&self.started).take() {
            // Whoever started the channel may have given up.
            let _ = waiting.send(result);
        }
    }

    /// Runs something that ends in one answer, under the id that can cancel it.
    fn request(self: &Arc<Self>, id: RequestId, run: impl Future<Output = Input> + Send + 'static) {
        let channel = Arc::clone(self);
        // Held until the handle is in the table, so that the task cannot remove it before.
        let mut requests = locked(&self.requests);
        let task = self.spawn(async move {
            let input = run.await;
            locked(&channel.requests).remove(&id);
            channel.push(input);
        });
        requests.insert(id, task);
    }

    fn spawn(self: &Arc<Self>, run: impl Future<Output = ()> + Send + 'static) -> AbortHandle {
        let stop = self.stop.clone();
        let run = async move {
            tokio::select! {
                () = stop.cancelled() => {}
                () = run => {}
            }
        };
        self.tasks.spawn_on(run, &self.parts.tokio).abort_handle()
    }
}

async fn make_blob(
    blobs: &crate::drivers::blobs::Blobs,
    content: BlobContent,
) -> Result<BlobInfo, BlobError> {
    use tokio::io::AsyncReadExt;
    let mut writer = blobs.writer(content.blob, u64::MAX).await?;
    for piece in &content.content {
        match piece {
            BodyPiece::Text(text) => writer.write(text.expose().as_bytes()).await?,
            BodyPiece::Blob(range) => {
                let (mut reader, _) = blobs.read(range.blob, range.offset, range.length).await?;
                let mut chunk = vec![0; crate::drivers::blobs::CHUNK_BYTES];
                loop {
                    let read = reader.read(&mut chunk).await?;
                    match chunk.get(..read) {
                        Some(bytes) if !bytes.is_empty() => writer.write(bytes).await?,
                        _ => break,
                    }
                }
            }
        }
    }
    writer.finish(content.name).await
}

fn closed(id: SocketId, stage: Stage, detail: &str) -> Input {
    let failure = Failure {
        stage,
        detail: detail.into(),
        maybe_received: true,
    };
    let end = SocketEnd::Failed(failure);
    Input::SocketClosed(SocketClosed { id, end })
}

fn fill_random(bytes: &mut [u8]) {
    if let Err(error) = getrandom::fill(bytes) {
        // Only before the system's pool is filled, at boot; what is drawn here is jitter and codes.
        tracing::error!(%error, "the system has no randomness");
    }
}
