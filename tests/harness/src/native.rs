//! The channel linked natively, behind the host's own trait: the same code without the sandbox.
//!
//! Host and guest generate their types from one WIT folder, each with its own generator. They have the same
//! shape, so that postcard, which writes shapes and no names, carries values from one to the other.

use std::sync::{Arc, Mutex, PoisonError};

use prx_host::bindings::v0_1 as host;
use prx_host::bindings::v0_1::log::Level as HostLevel;
use prx_host::guest::{Component, FaultKind, Guest, GuestFault, LogLine, StartAnswer};
use qq_channel::bindings as guest;
use qq_channel::channel::{self, Channel};
use qq_channel::env::Level;
use serde::Serialize;
use serde::de::DeserializeOwned;

/// The channel as native code.
#[derive(Debug, Clone, Copy, Default)]
pub struct NativeComponent;

impl Component for NativeComponent {
    fn instantiate(&self) -> Result<Box<dyn Guest>, GuestFault> {
        Ok(Box::new(NativeGuest {
            channel: None,
            log: Log::default(),
        }))
    }

    fn describe(&self) -> Result<host::ChannelInfo, GuestFault> {
        convert(&channel::describe())
    }
}

type Log = Arc<Mutex<Vec<LogLine>>>;

struct NativeGuest {
    channel: Option<Channel>,
    log: Log,
}

impl NativeGuest {
    fn channel(&mut self) -> Result<&mut Channel, GuestFault> {
        self.channel
            .as_mut()
            .ok_or_else(|| GuestFault::new(FaultKind::Trap, "not started"))
    }
}

impl Guest for NativeGuest {
    fn start(&mut self, now: host::Instant, boot: &host::Boot) -> Result<StartAnswer, GuestFault> {
        let log = Arc::clone(&self.log);
        let sink = move |level: Level, text: &str| {
            let line = LogLine {
                level: host_level(level),
                text: text.to_owned(),
            };
            log.lock()
                .unwrap_or_else(PoisonError::into_inner)
                .push(line);
        };
        match Channel::start(convert(&now)?, convert(boot)?, Box::new(sink)) {
            Ok((channel, effects)) => {
                self.channel = Some(channel);
                Ok(Ok(convert(&effects)?))
            }
            Err(problems) => Ok(Err(convert(&problems)?)),
        }
    }

    fn handle(
        &mut self,
        now: host::Instant,
        event: &host::Event,
    ) -> Result<Vec<host::Effect>, GuestFault> {
        let (now, event): (guest::Instant, guest::Event) = (convert(&now)?, convert(event)?);
        convert(&self.channel()?.handle(now, event))
    }

    fn checkpoint(
        &mut self,
        mode: host::CheckpointMode,
    ) -> Result<Result<Vec<u8>, String>, GuestFault> {
        let mode = convert(&mode)?;
        Ok(self
            .channel()?
            .checkpoint(&mode)
            .map_err(|error| error.to_string()))
    }

    fn inventory(&mut self) -> Result<host::Holdings, GuestFault> {
        convert(&self.channel()?.holdings())
    }

    fn blank_event(&mut self, event: &host::Event) -> Result<host::Event, GuestFault> {
        convert(&qq_channel::blank::event(convert(event)?))
    }

    fn blank_entry(&mut self, entry: &host::Entry) -> Result<host::Entry, GuestFault> {
        convert(&qq_channel::blank::entry(convert(entry)?))
    }

    fn take_log(&mut self) -> Vec<LogLine> {
        std::mem::take(&mut *self.log.lock().unwrap_or_else(PoisonError::into_inner))
    }
}

fn host_level(level: Level) -> HostLevel {
    match level {
        Level::Debug => HostLevel::Debug,
        Level::Info => HostLevel::Info,
        Level::Warn => HostLevel::Warn,
        Level::Error => HostLevel::Error,
    }
}

/// Carries a value from one generator's type to the other's.
///
/// # Errors
/// The types have not the same shape.
pub fn convert<A: Serialize, B: DeserializeOwned>(value: &A) -> Result<B, GuestFault> {
    let differs = |error: postcard::Error| {
        GuestFault::new(FaultKind::BadOutput, format!("types differ: {error}"))
    };
    postcard::from_bytes(&postcard::to_allocvec(value).map_err(differs)?).map_err(differs)
}
