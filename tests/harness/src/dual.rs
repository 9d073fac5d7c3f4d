//! Two builds of one channel side by side: both get every call, and must answer it byte for byte alike.

use std::sync::Arc;

use prx_host::bindings::v0_1::{
    Boot, ChannelInfo, CheckpointMode, Effect, Entry, Event, Holdings, Instant,
};
use prx_host::guest::{Component, FaultKind, Guest, GuestFault, LogLine, StartAnswer};
use serde::Serialize;

/// A pair of components that must not differ.
#[derive(Debug, Clone)]
pub struct DualComponent {
    /// The one whose answers are used.
    pub first: Arc<dyn Component>,
    /// The one that is compared with it.
    pub second: Arc<dyn Component>,
}

struct DualGuest {
    first: Box<dyn Guest>,
    second: Box<dyn Guest>,
}

impl Component for DualComponent {
    fn instantiate(&self) -> Result<Box<dyn Guest>, GuestFault> {
        Ok(Box::new(DualGuest {
            first: self.first.instantiate()?,
            second: self.second.instantiate()?,
        }))
    }

    fn describe(&self) -> Result<ChannelInfo, GuestFault> {
        same("describe", self.first.describe()?, self.second.describe()?)
    }
}

impl DualGuest {
    /// After each call the states must be equal too: what differs there would differ in effects later.
    fn same_state(&mut self, during: &str) -> Result<(), GuestFault> {
        let first = self.first.checkpoint(CheckpointMode::Normal)?;
        let second = self.second.checkpoint(CheckpointMode::Normal)?;
        same(&format!("the state after {during}"), first, second).map(drop)
    }
}

impl Guest for DualGuest {
    fn start(&mut self, now: Instant, boot: &Boot) -> Result<StartAnswer, GuestFault> {
        let answer = same(
            "start",
            self.first.start(now, boot)?,
            self.second.start(now, boot)?,
        )?;
        if answer.is_ok() {
            self.same_state("start")?;
        }
        Ok(answer)
    }

    fn handle(&mut self, now: Instant, event: &Event) -> Result<Vec<Effect>, GuestFault> {
        let effects = same(
            "handle",
            self.first.handle(now, event)?,
            self.second.handle(now, event)?,
        )?;
        self.same_state("handle")?;
        Ok(effects)
    }

    fn checkpoint(&mut self, mode: CheckpointMode) -> Result<Result<Vec<u8>, String>, GuestFault> {
        self.first.checkpoint(mode)
    }

    fn inventory(&mut self) -> Result<Holdings, GuestFault> {
        same(
            "inventory",
            self.first.inventory()?,
            self.second.inventory()?,
        )
    }

    fn blank_event(&mut self, event: &Event) -> Result<Event, GuestFault> {
        same(
            "blank-event",
            self.first.blank_event(event)?,
            self.second.blank_event(event)?,
        )
    }

    fn blank_entry(&mut self, entry: &Entry) -> Result<Entry, GuestFault> {
        same(
            "blank-entry",
            self.first.blank_entry(entry)?,
            self.second.blank_entry(entry)?,
        )
    }

    fn take_log(&mut self) -> Vec<LogLine> {
        self.second.take_log();
        self.first.take_log()
    }
}

fn same<T: Serialize>(what: &str, first: T, second: T) -> Result<T, GuestFault> {
    let bytes = |value: &T| {
        postcard::to_allocvec(value)
            .map_err(|error| GuestFault::new(FaultKind::BadOutput, error.to_string()))
    };
    if bytes(&first)? == bytes(&second)? {
        return Ok(first);
    }
    let text = |value: &T| serde_json::to_string(value).unwrap_or_default();
    let difference = format!("{what} differs:\n  {}\n  {}", text(&first), text(&second));
    Err(GuestFault::new(FaultKind::BadOutput, difference))
}
