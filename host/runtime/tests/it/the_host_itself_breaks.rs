//! A fault of the host's own, in the middle of a channel's turn: the channel is stopped and says so, and what was done
//! before is done.

use std::fmt;
use std::sync::{Arc, Mutex, mpsc};

use prx_host::bindings::v0_1::{
    Boot, ChannelInfo, CheckpointMode, Effect, Entry, Event, HealthLevel, Holdings, Instant,
};
use prx_host::guest::{Component, Guest, GuestFault, StartAnswer};
use prx_host::store::Store;

use crate::support::{Echo, PATIENCE, Server, host, manifest, soon, start_loaded, tiny};

/// A component around which the host breaks when it hears `!host`, and which waits for the test in each event whose
/// text ends with `(wait)`.
struct Brittle {
    inner: Arc<dyn Component>,
    go: Arc<Mutex<mpsc::Receiver<()>>>,
}

impl fmt::Debug for Brittle {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.inner.fmt(f)
    }
}

struct BrittleGuest {
    inner: Box<dyn Guest>,
    go: Arc<Mutex<mpsc::Receiver<()>>>,
}

impl Component for Brittle {
    fn instantiate(&self) -> Result<Box<dyn Guest>, GuestFault> {
        let (inner, go) = (self.inner.instantiate()?, Arc::clone(&self.go));
        Ok(Box::new(BrittleGuest { inner, go }))
    }

    fn describe(&self) -> Result<ChannelInfo, GuestFault> {
        self.inner.describe()
    }
}

impl Guest for BrittleGuest {
    fn start(&mut self, now: Instant, boot: &Boot) -> Result<StartAnswer, GuestFault> {
        self.inner.start(now, boot)
    }

    fn handle(&mut self, now: Instant, event: &Event) -> Result<Vec<Effect>, GuestFault> {
        if let Event::SocketText(message) = event {
            assert!(message.text != "!host", "a fault of the host's");
            if message.text.ends_with("(wait)") {
                self.go.lock().unwrap().recv_timeout(PATIENCE).unwrap();
            }
        }
        self.inner.handle(now, event)
    }

    fn checkpoint(&mut self, mode: CheckpointMode) -> Result<Result<Vec<u8>, String>, GuestFault> {
        self.inner.checkpoint(mode)
    }

    fn inventory(&mut self) -> Result<Holdings, GuestFault> {
        self.inner.inventory()
    }

    fn blank_event(&mut self, event: &Event) -> Result<Event, GuestFault> {
        self.inner.blank_event(event)
    }

    fn blank_entry(&mut self, entry: &Entry) -> Result<Entry, GuestFault> {
        self.inner.blank_entry(entry)
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn what_was_done_before_the_host_broke_is_stored() {
    let dir = tempfile::tempdir().unwrap();
    let host = host(dir.path());
    let server = Server::new().await;
    let (say_go, go) = mpsc::channel();
    let component = Arc::new(Brittle {
        inner: host.load(tiny(), manifest().limits).unwrap(),
        go: Arc::new(Mutex::new(go)),
    });
    let agent = Arc::new(Echo::default());
    let handle = start_loaded(&host, "bot", &server.url(), component, manifest(), agent)
        .await
        .unwrap();
    let mut line = server.line().await;
    // Nothing is stored for the first; by its end the other two wait, and are taken in one turn.
    line.say("!state (wait)").await;
    line.say("!put kept value").await;
    line.say("!host").await;
    let both_there = async {
        while handle.view().status().now.queue < 2 {
            tokio::task::yield_now().await;
        }
    };
    soon(both_there).await;
    say_go.send(()).unwrap();
    let mut health = handle.health();
    let stopped = health.wait_for(|health| health.level == HealthLevel::Stopped);
    assert_eq!(soon(stopped).await.unwrap().code, "host-bug");
    handle.stop().await;
    drop(host);
    let store = Store::open(dir.path()).unwrap();
    let kept = store.load("bot").unwrap();
    assert!(kept.iter().any(|entry| entry.key == "kept"), "{kept:?}");
}
