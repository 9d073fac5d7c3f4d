//! A recording of a channel: the core tells what happens, a thread of its own makes lines of it, and
//! whoever asked reads them. A slow reader ends the recording, never holds the channel up.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc::{Receiver, RecvTimeoutError, SyncSender, TrySendError, sync_channel};
use std::time::Duration;

use tokio::sync::mpsc;

use super::{Channel, locked};
use crate::actor::{Input, TraceForm, TraceItem};
use crate::trace::line::Line;
use crate::trace::scribe::Scribe;

/// Events that may wait for the thread; then the recording ends.
const WAITING: usize = 4096;
/// Lines that may wait for the reader.
const LINES: usize = 256;

/// The core's end of a recording.
pub(crate) struct Recorder {
    items: SyncSender<TraceItem>,
    /// Set when the thread did not keep up.
    behind: Arc<AtomicBool>,
}

impl Recorder {
    fn is(&self, behind: &Arc<AtomicBool>) -> bool {
        Arc::ptr_eq(&self.behind, behind)
    }
}

/// A recording under way. It ends when this is dropped.
#[derive(Debug)]
pub struct Recording {
    lines: mpsc::Receiver<Line>,
}

impl Recording {
    /// The next line; `None` when the recording is over.
    pub async fn next(&mut self) -> Option<Line> {
        self.lines.recv().await
    }
}

/// A channel is not recorded.
#[derive(Debug, thiserror::Error)]
pub enum RecordRefused {
    /// Somebody else records it.
    #[error("this channel is being recorded already; end that recording first")]
    Busy,
    /// No thread.
    #[error("no thread for the recording: {0}; raise the limit on threads")]
    Thread(#[from] std::io::Error),
}

impl Channel {
    pub(crate) fn record(self: &Arc<Self>, form: TraceForm) -> Result<Recording, RecordRefused> {
        let mut recorder = locked(&self.recorder);
        if recorder.is_some() {
            return Err(RecordRefused::Busy);
        }
        let (items, received) = sync_channel(WAITING);
        let (lines, readable) = mpsc::channel(LINES);
        let (scribe, header) = Scribe::new(self.name(), form, self.parts.clock.now());
        let behind = Arc::new(AtomicBool::new(false));
        let own = Arc::clone(&behind);
        // Held weakly: a recording that nobody reads to its end keeps no channel alive.
        let channel = Arc::downgrade(self);
        std::thread::Builder::new()
            .name("prx-trace".into())
            .spawn(move || {
                write(scribe, header, &received, &lines, &own);
                if let Some(channel) = channel.upgrade() {
                    let mut recorder = locked(&channel.recorder);
                    // Somebody else's recording may have begun meanwhile.
                    if recorder.as_ref().is_none_or(|recorder| recorder.is(&own)) {
                        drop(recorder.take());
                        drop(recorder);
                        channel.push(Input::Record(None));
                    }
                }
            })?;
        *recorder = Some(Recorder { items, behind });
        drop(recorder);
        tracing::info!(channel = %self.name(), redacted = form == TraceForm::Blank, "recording begins");
        self.push(Input::Record(Some(form)));
        Ok(Recording { lines: readable })
    }

    /// Hands on what the core tells.
    pub(super) fn trace(&self, item: TraceItem) {
        let mut recorder = locked(&self.recorder);
        let Some(open) = recorder.as_ref() else {
            return;
        };
        match open.items.try_send(item) {
            Ok(()) => {}
            Err(TrySendError::Full(_)) => {
                tracing::warn!(channel = %self.name(), "the recording ends: it does not keep up");
                open.behind.store(true, Ordering::Release);
                drop(recorder.take());
            }
            Err(TrySendError::Disconnected(_)) => drop(recorder.take()),
        }
    }
}

fn write(
    mut scribe: Scribe,
    header: Line,
    items: &Receiver<TraceItem>,
    lines: &mpsc::Sender<Line>,
    behind: &AtomicBool,
) {
    if lines.blocking_send(header).is_err() {
        return;
    }
    loop {
        // Whoever reads may be gone while nothing happens.
        let item = match items.recv_timeout(Duration::from_millis(500)) {
            Ok(item) => item,
            Err(RecvTimeoutError::Timeout) if lines.is_closed() => return,
            Err(RecvTimeoutError::Timeout) => continue,
            Err(RecvTimeoutError::Disconnected) => {
                if behind.load(Ordering::Acquire) {
                    let why = "more happened than could be written; record for a shorter time, or with less beside it";
                    // Whoever reads may be gone.
                    let _ = lines.blocking_send(Line::Broken(why.into()));
                }
                return;
            }
        };
        let over = matches!(item, TraceItem::Broken(_));
        let line = scribe.write(item);
        if line.is_some_and(|line| lines.blocking_send(line).is_err()) || over {
            return;
        }
    }
}
