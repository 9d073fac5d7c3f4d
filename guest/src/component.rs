//! The component: the exported interface, handed on to [`Channel`]. Nothing is decided here.
#![allow(unsafe_code, reason = "the exports that wit-bindgen generates")]

use std::cell::RefCell;

use crate::bindings::exports::prx::channel::channel::Guest;
use crate::bindings::{
    Boot, ChannelInfo, CheckpointMode, Effect, Entry, Event, Holdings, Instant, Problem, log,
};
use crate::blank;
use crate::channel::{self, Channel};
use crate::env::Level;

struct Component;

thread_local! {
    // An instance is entered by one call at a time and has one thread: the cell is never borrowed twice.
    static CHANNEL: RefCell<Option<Channel>> = const { RefCell::new(None) };
}

fn write_log(level: Level, text: &str) {
    let level = match level {
        Level::Debug => log::Level::Debug,
        Level::Info => log::Level::Info,
        Level::Warn => log::Level::Warn,
        Level::Error => log::Level::Error,
    };
    log::write(level, text);
}

impl Guest for Component {
    fn describe() -> ChannelInfo {
        channel::describe()
    }

    fn start(now: Instant, boot: Boot) -> Result<Vec<Effect>, Vec<Problem>> {
        let (channel, effects) = Channel::start(now, boot, Box::new(write_log))?;
        CHANNEL.set(Some(channel));
        Ok(effects)
    }

    fn handle(now: Instant, event: Event) -> Vec<Effect> {
        CHANNEL.with_borrow_mut(|channel| {
            channel
                .as_mut()
                .map(|channel| channel.handle(now, event))
                .unwrap_or_default()
        })
    }

    fn checkpoint(mode: CheckpointMode) -> Result<Vec<u8>, String> {
        CHANNEL.with_borrow(|channel| match channel {
            Some(channel) => channel.checkpoint(&mode).map_err(|error| error.to_string()),
            None => Err("not started".to_owned()),
        })
    }

    fn inventory() -> Holdings {
        CHANNEL.with_borrow(|channel| {
            channel.as_ref().map(Channel::holdings).unwrap_or(Holdings {
                sockets: Vec::new(),
                requests: Vec::new(),
                timers: Vec::new(),
                turns: Vec::new(),
            })
        })
    }

    fn blank_event(event: Event) -> Event {
        blank::event(event)
    }

    fn blank_entry(entry: Entry) -> Entry {
        blank::entry(entry)
    }
}

crate::bindings::export!(Component with_types_in crate::bindings);
