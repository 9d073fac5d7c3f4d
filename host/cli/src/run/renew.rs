//! What the operator changes while channels run: `reload`, SIGHUP, and what is put into the plugin folder.

use std::collections::BTreeMap;
use std::path::Path;
use std::sync::{Arc, PoisonError};
use std::time::Duration;

use notify::event::{AccessKind, AccessMode};
use notify::{EventKind, RecommendedWatcher, RecursiveMode, Watcher};
use prx_host::actor::TraceForm;
use prx_host::bindings::v0_1::Mark;
use prx_host::control::{Owner, Renewal};
use prx_host::runtime::{ChannelView, Host, Offer, Recording};
use tokio::signal::unix::{Signal, SignalKind, signal};
use tokio::sync::{Mutex, mpsc};
use tokio::task::JoinHandle;
use tokio_util::sync::CancellationToken;

use crate::files::Files;
use crate::outcome::Trouble;
use crate::plugins::Plugins;
use crate::ran::{Ran, Release};
use crate::setup;

/// A folder has to be quiet for so long: copying a file is many changes.
const QUIET: Duration = Duration::from_millis(200);

/// A component has so long for its word on a new configuration.
const ANSWERED_WITHIN: Duration = Duration::from_secs(60);

/// What the control socket asks of this program.
#[derive(Debug)]
pub(super) struct Operated {
    pub(super) host: Host,
    pub(super) files: Files,
    pub(super) plugins: Plugins,
    pub(super) asked_to_end: CancellationToken,
    pub(super) ran: Ran,
    /// By channel: the component that was offered last, by its digest.
    pub(super) offered: std::sync::Mutex<BTreeMap<String, (String, Release)>>,
}

impl Owner for Operated {
    fn renewal(&self, channel: &str, running: &str, older: bool) -> Result<Renewal, Vec<String>> {
        self.read(channel, running, older, None)
    }

    fn renewed(&self, channel: &str, running: &str) {
        let mut offered = self.offered.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some((digest, release)) = offered.remove(channel)
            && digest == running
        {
            self.ran.note([(channel, release)]);
        }
    }

    fn shut_down(&self) {
        self.asked_to_end.cancel();
    }
}

impl Operated {
    /// `wasm`: a component in the place of the plugin's own, under its manifest.
    fn read(
        &self,
        channel: &str,
        running: &str,
        older: bool,
        wasm: Option<Vec<u8>>,
    ) -> Result<Renewal, Vec<String>> {
        let read = || -> Result<setup::Channel, Trouble> {
            let files = self.files.again()?;
            let mut chosen = setup::chosen(&files, &self.plugins, &[channel.to_owned()])?;
            if let (Some((_, plugin)), Some(wasm)) = (chosen.first_mut(), wasm) {
                plugin.wasm = wasm.into();
            }
            let mut read = setup::channels(&files, chosen, &|plugin| {
                Ok(self.host.load(&plugin.wasm, plugin.manifest.limits)?)
            })?;
            let none = || Trouble::mistake(format!("{channel} does not run here"));
            read.pop().ok_or_else(none)
        };
        let read = read().map_err(|trouble| match trouble {
            Trouble::Mistakes(sentences) => sentences,
            Trouble::Failed(error) => vec![format!("{error:#}")],
        })?;
        let config = read.config.clone();
        let digest = read.component.digest();
        let other = digest != running;
        if other {
            let release = Release::of(&read.manifest);
            if read.signed && !older {
                self.ran
                    .check(channel, &release)
                    .map_err(|sentence| vec![sentence])?;
            }
            let mut offered = self.offered.lock().unwrap_or_else(PoisonError::into_inner);
            offered.insert(channel.to_owned(), (digest, release));
        }
        let plugin = other.then_some(Offer {
            component: read.component,
            manifest: read.manifest,
            config: read.config,
        });
        Ok(Renewal { plugin, config })
    }
}

/// Takes up changes that nobody asks for on the socket.
pub(super) struct Renewing {
    host: Host,
    owner: Arc<Operated>,
    tasks: Vec<JoinHandle<()>>,
    stop: CancellationToken,
    /// Ends with this.
    _watching: Option<RecommendedWatcher>,
}

impl std::fmt::Debug for Renewing {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Renewing").finish_non_exhaustive()
    }
}

impl Renewing {
    /// Listens for SIGHUP, and watches the plugin folder if there is one. Inside a tokio runtime.
    pub(super) fn begin(host: Host, owner: Arc<Operated>, watched: Option<&Path>) -> Self {
        let stop = CancellationToken::new();
        let (changed, changes) = mpsc::channel(1);
        let watching = watched.and_then(|dir| watch(dir, changed));
        let taking = Taking {
            host: host.clone(),
            owner: Arc::clone(&owner),
            turn: Arc::default(),
        };
        let mut tasks = Vec::new();
        // From here on, and not from when the task is first run: it would end the program meanwhile.
        match signal(SignalKind::hangup()) {
            Ok(hangup) => {
                tasks.push(tokio::spawn(taking.clone().on_signal(hangup, stop.clone())));
            }
            Err(error) => tracing::warn!(%error, "SIGHUP is not listened for; use `reload`"),
        }
        if watching.is_some() {
            tasks.push(tokio::spawn(taking.on_change(changes, stop.clone())));
        }
        Self {
            host,
            owner,
            tasks,
            stop,
            _watching: watching,
        }
    }

    /// Stops, and waits until nothing of it holds the host any more.
    pub(super) async fn end(self) {
        self.stop.cancel();
        for task in self.tasks {
            // It ends by itself; a panic in it was logged.
            let _ = task.await;
        }
    }

    fn find(&self, channel: &str) -> Result<ChannelView, String> {
        let running = self.host.running();
        let found = running.into_iter().find(|c| c.name() == channel);
        found.ok_or_else(|| format!("no channel {channel:?} runs here"))
    }

    /// Begins a recording with everything in it that people wrote.
    pub(super) fn record(&self, channel: &str) -> Result<Recording, String> {
        let recording = self.find(channel)?.record(TraceForm::Plain);
        recording.map_err(|error| error.to_string())
    }

    /// Offers a component under the manifest and the configuration that are there.
    pub(super) async fn swap(&self, channel: &str, wasm: &[u8]) -> Result<String, String> {
        let view = self.find(channel)?;
        let (owner, of, wasm) = (Arc::clone(&self.owner), channel.to_owned(), wasm.to_vec());
        let digest = view.digest();
        let read =
            tokio::task::spawn_blocking(move || owner.read(&of, &digest, false, Some(wasm))).await;
        let renewal = read.map_err(|error| error.to_string())?;
        let renewal = renewal.map_err(|sentences| sentences.join("; "))?;
        let Some(offer) = renewal.plugin else {
            return Err("this very component runs already".into());
        };
        let done = view.swap(offer).await.map_err(|error| error.to_string())?;
        let (to, pause) = (&done.taken.standing, done.pause.as_secs_f64() * 1000.0);
        Ok(format!(
            "{} {} took over from {} as generation {}, after a pause of {pause:.2} ms",
            to.plugin, to.version, done.taken.from, to.generation
        ))
    }
}

/// Takes changes up, one at a time, whatever they came from.
#[derive(Clone)]
struct Taking {
    host: Host,
    owner: Arc<Operated>,
    turn: Arc<Mutex<()>>,
}

impl Taking {
    async fn on_signal(self, mut hangup: Signal, stop: CancellationToken) {
        loop {
            tokio::select! {
                () = stop.cancelled() => return,
                heard = hangup.recv() => if heard.is_none() { return },
            }
            let _one = self.turn.lock().await;
            tracing::info!("SIGHUP: plugins and configuration are read again");
            for channel in self.host.running() {
                tokio::select! {
                    () = stop.cancelled() => return,
                    () = self.renew(&channel, None) => {}
                }
            }
        }
    }

    async fn on_change(self, mut changes: mpsc::Receiver<()>, stop: CancellationToken) {
        let mut tried = BTreeMap::new();
        loop {
            tokio::select! {
                () = stop.cancelled() => return,
                more = settled(&mut changes) => if !more { return },
            }
            let _one = self.turn.lock().await;
            for channel in self.host.running() {
                tokio::select! {
                    () = stop.cancelled() => return,
                    () = self.renew(&channel, Some(&mut tried)) => {}
                }
            }
        }
    }

    /// Reads a channel's plugin and configuration again, and lets it take them up. With `tried` only a
    /// plugin counts, and none that was tried before: what is in the folder may be there for long.
    async fn renew(&self, channel: &ChannelView, tried: Option<&mut BTreeMap<String, String>>) {
        let (name, running) = (channel.name().to_owned(), channel.digest());
        let (reader, of) = (Arc::clone(&self.owner), name.clone());
        let read = tokio::task::spawn_blocking(move || reader.renewal(&of, &running, false)).await;
        let renewal = match read {
            Ok(Ok(renewal)) => renewal,
            Ok(Err(sentences)) => {
                for sentence in sentences {
                    tracing::warn!(channel = %name, "not taken up, what runs goes on: {sentence}");
                }
                return;
            }
            Err(error) => return tracing::error!(channel = %name, %error, "not read"),
        };
        let digest = renewal
            .plugin
            .as_ref()
            .map(|offer| offer.component.digest());
        if let Some(tried) = &tried {
            let Some(digest) = &digest else { return };
            if tried.get(&name) == Some(digest) || channel.broke_before(digest) {
                return;
            }
        }
        let mut replies = channel.renew(renewal.plugin, renewal.config);
        let mut judged = true;
        while let Ok(Some(reply)) = tokio::time::timeout(ANSWERED_WITHIN, replies.recv()).await {
            judged &= !reply
                .data
                .is_some_and(|data| data.contains("\"judged\":false"));
            for line in reply.lines {
                let fix = line.fix.unwrap_or_default();
                match line.mark {
                    Mark::Fail | Mark::Warn => {
                        tracing::warn!(channel = %name, fix, "{}", line.text)
                    }
                    _ => tracing::info!(channel = %name, "{}", line.text),
                }
            }
        }
        let (owner, of, running) = (Arc::clone(&self.owner), name.clone(), channel.digest());
        // A failure is in the log.
        let _ = tokio::task::spawn_blocking(move || owner.renewed(&of, &running)).await;
        if let (Some(tried), Some(digest), true) = (tried, digest, judged) {
            tried.insert(name, digest);
        }
    }
}

/// Tells of every change beneath a folder, and not of looks at it: whoever is told looks.
fn watch(dir: &Path, changed: mpsc::Sender<()>) -> Option<RecommendedWatcher> {
    let heard = move |event: notify::Result<notify::Event>| {
        let looked = |kind: &EventKind| matches!(kind, EventKind::Access(kind) if *kind != AccessKind::Close(AccessMode::Write));
        if event.is_ok_and(|event| !looked(&event.kind)) {
            // One that waits is enough: whoever takes it looks at everything.
            let _ = changed.try_send(());
        }
    };
    let watching = notify::recommended_watcher(heard).and_then(|mut watcher| {
        watcher.watch(dir, RecursiveMode::Recursive)?;
        Ok(watcher)
    });
    let shown = dir.display();
    match watching {
        Ok(watching) => {
            tracing::info!(folder = %shown, "watching for other plugins");
            Some(watching)
        }
        Err(error) => {
            tracing::warn!(folder = %shown, %error, "the plugin folder is not watched; use `reload` after a change");
            None
        }
    }
}

/// Waits for a change, and then until there are no more: copying a file is many. False when nothing comes
/// any more.
async fn settled(changes: &mut mpsc::Receiver<()>) -> bool {
    if changes.recv().await.is_none() {
        return false;
    }
    while let Ok(more) = tokio::time::timeout(QUIET, changes.recv()).await {
        if more.is_none() {
            return false;
        }
    }
    true
}
