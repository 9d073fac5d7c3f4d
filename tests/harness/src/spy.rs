//! A component that writes down everything that goes in and out of the one inside it.

use std::sync::{Arc, Mutex, PoisonError};

use prx_host::bindings::v0_1::{
    Boot, ChannelInfo, CheckpointMode, Effect, Entry, Event, Holdings, Instant,
};
use prx_host::guest::{Component, Guest, GuestFault, LogLine, StartAnswer};
use serde::Serialize;

/// Everything that was said, as JSON, one line a call.
pub type Transcript = Arc<Mutex<String>>;

/// A component under observation.
#[derive(Debug, Clone)]
pub struct SpyComponent {
    inner: Arc<dyn Component>,
    transcript: Transcript,
}

impl SpyComponent {
    /// Observes a component.
    #[must_use]
    pub fn new(inner: Arc<dyn Component>) -> Self {
        Self {
            inner,
            transcript: Transcript::default(),
        }
    }

    /// What was said so far.
    #[must_use]
    pub fn transcript(&self) -> String {
        self.transcript
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .clone()
    }
}

struct SpyGuest {
    inner: Box<dyn Guest>,
    transcript: Transcript,
}

impl SpyGuest {
    fn note(&self, what: &impl Serialize) {
        let line = serde_json::to_string(what).unwrap_or_default();
        let mut transcript = self
            .transcript
            .lock()
            .unwrap_or_else(PoisonError::into_inner);
        transcript.push_str(&line);
        transcript.push('\n');
    }
}

impl Component for SpyComponent {
    fn instantiate(&self) -> Result<Box<dyn Guest>, GuestFault> {
        Ok(Box::new(SpyGuest {
            inner: self.inner.instantiate()?,
            transcript: Arc::clone(&self.transcript),
        }))
    }

    fn describe(&self) -> Result<ChannelInfo, GuestFault> {
        self.inner.describe()
    }
}

impl Guest for SpyGuest {
    fn start(&mut self, now: Instant, boot: &Boot) -> Result<StartAnswer, GuestFault> {
        self.note(boot);
        let answer = self.inner.start(now, boot)?;
        self.note(&answer);
        Ok(answer)
    }

    fn handle(&mut self, now: Instant, event: &Event) -> Result<Vec<Effect>, GuestFault> {
        self.note(event);
        let effects = self.inner.handle(now, event)?;
        self.note(&effects);
        Ok(effects)
    }

    fn checkpoint(&mut self, mode: CheckpointMode) -> Result<Result<Vec<u8>, String>, GuestFault> {
        let checkpoint = self.inner.checkpoint(mode)?;
        if let Ok(bytes) = &checkpoint {
            self.note(&String::from_utf8_lossy(bytes));
        }
        Ok(checkpoint)
    }

    fn blank_event(&mut self, event: &Event) -> Result<Event, GuestFault> {
        self.inner.blank_event(event)
    }

    fn blank_entry(&mut self, entry: &Entry) -> Result<Entry, GuestFault> {
        self.inner.blank_entry(entry)
    }

    fn inventory(&mut self) -> Result<Holdings, GuestFault> {
        self.inner.inventory()
    }

    fn take_log(&mut self) -> Vec<LogLine> {
        let lines = self.inner.take_log();
        for line in &lines {
            self.note(&line.text);
        }
        lines
    }
}
