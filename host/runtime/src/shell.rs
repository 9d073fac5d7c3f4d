//! The shell around the core: one channel with its queue, its sockets and requests, its timers.
//!
//! Guests run on the pool's threads, a few inputs per turn; everything that waits is a tokio task.
//! Inputs are queued and never dropped: what reads from a socket or an agent waits while the queue
//! is full, so the pressure goes back to the other side.

use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use tokio::runtime::Handle;
use tokio::sync::{OwnedSemaphorePermit, Semaphore, broadcast, mpsc, oneshot, watch};
use tokio::task::AbortHandle;
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

use crate::actor::{Actor, Incident, Input, OperatorAsk, Refusal, Reload, Standing};
use crate::agent::AgentPort;
use crate::bindings::v0_1::{Health, OperatorCommand, Reply, RequestId, SocketId, TurnEvent};
use crate::claim::Claim;
use crate::clock::Clock;
use crate::config::Checked;
use crate::drivers::blobs::Blobs;
use crate::drivers::network::Network;
use crate::drivers::socket::{Outgoing, Sink};
use crate::drivers::unsent::Unsent;
use crate::drivers::workers::Workers;
use crate::metrics::Metrics;
use crate::status::{ChannelStatus, Now, Share, SwapNote};
use crate::store::Store;

mod execute;
mod group;
pub(crate) mod incidents;
pub(crate) mod pool;
pub(crate) mod record;
mod stats;
pub(crate) mod swap;
mod tasks;

use incidents::Incidents;
use pool::{Job, Pool};
use record::Recorder;
use stats::Stats;
use swap::SwapOutcome;

/// Inputs from sockets and agents that may wait in the queue.
const QUEUED: usize = 256;
/// Kibibytes of messages from sockets that may wait there: as much as the largest one that a manifest can ask for.
const QUEUED_KB: u32 = 32 << 10;
/// Replies to one command; one that reports its progress needs a few.
const MAX_REPLIES: usize = 100;
/// Incidents that a slow listener may miss the oldest of.
const INCIDENTS_KEPT: usize = 16;

/// What a channel's shell is made of.
pub(crate) struct Parts {
    pub(crate) name: String,
    pub(crate) agent: Arc<dyn AgentPort>,
    pub(crate) blobs: Blobs,
    pub(crate) network: Network,
    /// Given back when the channel has stopped, whoever still holds the channel: the next process waits for it.
    pub(crate) store: Mutex<Option<Store>>,
    /// The name of its account; given back with the store.
    pub(crate) claim: Mutex<Option<Claim>>,
    pub(crate) pool: Pool,
    pub(crate) workers: Workers,
    pub(crate) tokio: Handle,
    pub(crate) clock: Clock,
    pub(crate) metrics: Metrics,
    pub(crate) incidents: Incidents,
    pub(crate) health: Health,
}

/// Whoever asked the guest something, and how many replies are left for that.
struct Asker {
    replies: mpsc::UnboundedSender<Reply>,
    left: usize,
}

struct Queued {
    input: Input,
    /// Given back once the input has been taken.
    _room: Option<Room>,
}

/// Room in the queue: one place, and so many bytes.
struct Room {
    _place: OwnedSemaphorePermit,
    _bytes: OwnedSemaphorePermit,
}

/// One running channel.
pub(crate) struct Channel {
    parts: Parts,
    actor: Mutex<Actor>,
    inbox: Mutex<VecDeque<Queued>>,
    /// True while the channel is in the pool's queue or on one of its threads.
    scheduled: AtomicBool,
    tick_queued: AtomicBool,
    permits: Arc<Semaphore>,
    /// Of bytes, in kibibytes.
    queued_kb: Arc<Semaphore>,
    /// Bytes that wait on its sockets.
    unsent: Unsent,
    /// Held while a digest is made.
    digesting: Arc<tokio::sync::Mutex<()>>,
    due: watch::Sender<Option<u64>>,
    sockets: Mutex<BTreeMap<SocketId, mpsc::Sender<Outgoing>>>,
    requests: Mutex<BTreeMap<RequestId, AbortHandle>>,
    tickets: Mutex<BTreeMap<u64, Asker>>,
    next_ticket: AtomicU64,
    health: watch::Sender<Health>,
    incidents: broadcast::Sender<Arc<Incident>>,
    started: Mutex<Option<oneshot::Sender<Result<(), Refusal>>>>,
    stop: CancellationToken,
    tasks: TaskTracker,
    stats: Stats,
    standing: Mutex<Standing>,
    /// Held while a component is offered: one at a time.
    swapping: tokio::sync::Mutex<()>,
    swap_asker: Mutex<Option<(u64, oneshot::Sender<SwapOutcome>)>>,
    last_swap: Mutex<Option<SwapNote>>,
    /// Digests of components that took over and broke.
    broken: Mutex<BTreeSet<String>>,
    /// Where a recording goes, while there is one.
    recorder: Mutex<Option<Recorder>>,
}

fn locked<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    // What is behind these locks is whole between any two statements.
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

impl Channel {
    /// A channel around a core. The receiver hears of the end of the start.
    pub(crate) fn new(
        parts: Parts,
        actor: Actor,
    ) -> (Arc<Self>, oneshot::Receiver<Result<(), Refusal>>) {
        let stats = Stats::new(parts.clock.now());
        let standing = actor.standing();
        let (started, on_start) = oneshot::channel();
        let (health, _) = watch::channel(parts.health.clone());
        let (due, _) = watch::channel(None);
        let (incidents, _) = broadcast::channel(INCIDENTS_KEPT);
        let channel = Arc::new(Self {
            parts,
            actor: Mutex::new(actor),
            inbox: Mutex::default(),
            scheduled: AtomicBool::new(false),
            tick_queued: AtomicBool::new(false),
            permits: Arc::new(Semaphore::new(QUEUED)),
            queued_kb: Arc::new(Semaphore::new(QUEUED_KB as usize)),
            unsent: Unsent::default(),
            digesting: Arc::default(),
            due,
            sockets: Mutex::default(),
            requests: Mutex::default(),
            tickets: Mutex::default(),
            next_ticket: AtomicU64::new(1),
            health,
            incidents,
            started: Mutex::new(Some(started)),
            stop: CancellationToken::new(),
            tasks: TaskTracker::new(),
            stats,
            standing: Mutex::new(standing),
            swapping: tokio::sync::Mutex::default(),
            swap_asker: Mutex::default(),
            last_swap: Mutex::default(),
            broken: Mutex::default(),
            recorder: Mutex::default(),
        });
        tasks::spawn_timer(&channel);
        tasks::spawn_store_watch(&channel);
        channel.attach_agent();
        (channel, on_start)
    }

    /// Carries out one of the commands that begin a channel's life.
    pub(crate) fn begin(self: &Arc<Self>, command: crate::actor::Command) {
        self.execute(command, std::time::Instant::now());
    }

    /// Queues an input that is bounded by nature: the answer to something that was asked.
    pub(crate) fn push(self: &Arc<Self>, input: Input) {
        self.queue(input, None);
    }

    /// Queues an input that comes as the world likes; waits for room. False when the channel is
    /// gone.
    pub(crate) async fn push_when_room(self: &Arc<Self>, input: Input) -> bool {
        let kb = kibibytes(&input);
        let bytes = Arc::clone(&self.queued_kb).acquire_many_owned(kb).await;
        let place = Arc::clone(&self.permits).acquire_owned().await;
        match (place, bytes) {
            (Ok(place), Ok(bytes)) if !self.stop.is_cancelled() => {
                let room = Room {
                    _place: place,
                    _bytes: bytes,
                };
                self.queue(input, Some(room));
                true
            }
            _ => false,
        }
    }

    fn queue(self: &Arc<Self>, input: Input, room: Option<Room>) {
        let queued = Queued { input, _room: room };
        locked(&self.inbox).push_back(queued);
        if !self.scheduled.swap(true, Ordering::AcqRel) {
            self.parts.pool.submit(Arc::clone(self) as Arc<dyn Job>);
        }
    }

    /// Asks the guest something. The receiver ends with the last reply.
    pub(crate) fn command(
        self: &Arc<Self>,
        ask: OperatorCommand,
    ) -> mpsc::UnboundedReceiver<Reply> {
        if let OperatorCommand::Forget(sender) = &ask {
            // Whatever the guest makes of it: what was said lies with the agent.
            let messages = self.parts.agent.forget(self.name(), sender);
            tracing::info!(channel = %self.name(), messages, "the agent forgets a person");
        }
        let (ticket, receiver) = self.ticket();
        self.push(Input::Operator(OperatorAsk { ticket, ask }));
        receiver
    }

    /// Gives the guest another configuration. The receiver ends with the last reply.
    pub(crate) fn reload(self: &Arc<Self>, config: Checked) -> mpsc::UnboundedReceiver<Reply> {
        let (ticket, receiver) = self.ticket();
        self.push(Input::Reload(Box::new(Reload {
            ticket,
            config: config.json_text(),
            secrets: config.secrets,
            widenings: config.widenings,
        })));
        receiver
    }

    fn ticket(&self) -> (u64, mpsc::UnboundedReceiver<Reply>) {
        let (sender, receiver) = mpsc::unbounded_channel();
        let ticket = self.next_ticket.fetch_add(1, Ordering::Relaxed);
        let mut tickets = locked(&self.tickets);
        // Whoever asked and went home would stay here for as long as the guest owes the answer.
        tickets.retain(|_, asker| !asker.replies.is_closed());
        // One that stops has let go of those that were there before.
        if !self.is_stopped() {
            let asker = Asker {
                replies: sender,
                left: MAX_REPLIES,
            };
            tickets.insert(ticket, asker);
        }
        (ticket, receiver)
    }

    /// How the channel is. Looks at nothing slower than a lock.
    pub(crate) fn status(&self) -> ChannelStatus {
        let (parts, usage) = (&self.parts, self.stats.usage());
        let (blob_count, blob_bytes) = parts.blobs.used();
        let standing = locked(&self.standing).clone();
        let limits = standing.limits;
        let started = self.stats.started;
        ChannelStatus {
            name: parts.name.clone(),
            plugin: standing.plugin,
            version: standing.version,
            generation: standing.generation,
            digest: standing.digest,
            last_swap: locked(&self.last_swap).clone(),
            health: self.health.borrow().clone(),
            started_wall_ms: started.wall_ms,
            uptime_ms: parts.clock.now().mono_ms.saturating_sub(started.mono_ms),
            incidents: self.stats.incidents.load(Ordering::Relaxed),
            restarts: self.stats.restarts(),
            memory: share(usage.memory_bytes, limits.memory_bytes as u64),
            store: share(usage.stored_bytes, limits.store_bytes as u64),
            not_stored: self
                .store()
                .and_then(|store| store.trouble().borrow().clone()),
            blobs: share(blob_bytes, limits.blobs_total_bytes),
            blob_count,
            now: Now {
                queue: locked(&self.inbox).len(),
                sockets: usage.sockets,
                requests: usage.requests,
                timers: usage.timers,
                turns: usage.turns,
                turns_waiting: parts.agent.waiting(&parts.name),
            },
            counted: self.stats.counted(),
            recent: self.stats.noted(),
        }
    }

    pub(crate) fn blobs(&self) -> &Blobs {
        &self.parts.blobs
    }

    pub(crate) fn name(&self) -> &str {
        &self.parts.name
    }

    pub(crate) fn health(&self) -> watch::Receiver<Health> {
        self.health.subscribe()
    }

    pub(crate) fn incidents(&self) -> broadcast::Receiver<Arc<Incident>> {
        self.incidents.subscribe()
    }

    /// Stops everything at once, without a word to the other side: a session that the platform
    /// keeps can then be resumed.
    pub(crate) async fn stop(&self) {
        self.halt();
        self.tasks.close();
        self.tasks.wait().await;
        // A thread of the pool may be in the middle of a step; it ends within the CPU deadline.
        while self.scheduled.load(Ordering::Acquire) {
            tokio::time::sleep(std::time::Duration::from_millis(1)).await;
        }
        // The thread may hold the channel a moment longer than its last step.
        drop(locked(&self.parts.store).take());
        drop(locked(&self.parts.claim).take());
    }

    /// The store, as long as the channel runs.
    fn store(&self) -> Option<Store> {
        locked(&self.parts.store).clone()
    }

    pub(crate) fn is_stopped(&self) -> bool {
        self.stop.is_cancelled()
    }

    pub(crate) fn halt(&self) {
        if self.stop.is_cancelled() {
            return;
        }
        self.stop.cancel();
        self.permits.close();
        self.queued_kb.close();
        drop(locked(&self.started).take());
        locked(&self.inbox).clear();
        locked(&self.sockets).clear();
        locked(&self.tickets).clear();
        drop(locked(&self.swap_asker).take());
        drop(locked(&self.recorder).take());
        for (_, task) in std::mem::take(&mut *locked(&self.requests)) {
            task.abort();
        }
        self.parts.agent.detach(&self.parts.name);
    }

    fn attach_agent(self: &Arc<Self>) {
        let weak = Arc::downgrade(self);
        let send = move |news: TurnEvent| -> futures_util::future::BoxFuture<'static, bool> {
            let channel = weak.upgrade();
            Box::pin(async move {
                match channel {
                    Some(channel) => channel.push_when_room(Input::Turn(news)).await,
                    None => false,
                }
            })
        };
        let line = crate::agent::AgentLine::new(Arc::new(send), self.parts.blobs.clone());
        let _entered = self.parts.tokio.enter();
        self.parts.agent.attach(&self.parts.name, line);
    }
}

impl Job for Channel {
    fn run_once(self: Arc<Self>) -> bool {
        self.take_turn()
    }

    fn broke(&self, what: &str) {
        tracing::error!(channel = %self.parts.name, panic = what, "the host broke while running this channel; it is stopped, please report this");
        self.health.send_modify(|health| {
            health.level = crate::bindings::v0_1::HealthLevel::Stopped;
            health.code = "host-bug".into();
            health.summary = "the host itself broke while running this channel".into();
            health.fix = Some("restart it, and report what the log says".into());
        });
        self.halt();
        // The pool has let go of it: whoever waits for that, or for its start, waits no longer.
        self.scheduled.store(false, Ordering::Release);
    }
}

/// What a message from a socket takes in the queue. All else is bounded by who makes it.
fn kibibytes(input: &Input) -> u32 {
    let bytes = match input {
        Input::SocketText(text) => text.text.len(),
        Input::SocketBinary(binary) => binary.bytes.len(),
        _ => 0,
    };
    u32::try_from(bytes.div_ceil(1 << 10)).map_or(QUEUED_KB, |kb| kb.min(QUEUED_KB))
}

fn share(bytes: u64, limit: u64) -> Share {
    Share { bytes, limit }
}

/// The channel, as a socket's task sees it.
struct SocketSink(Arc<Channel>);

impl Sink for SocketSink {
    async fn put(&self, input: Input) -> bool {
        self.0.push_when_room(input).await
    }
}
