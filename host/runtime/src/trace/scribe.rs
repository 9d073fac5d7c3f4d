//! Writes a trace. What the running instance took goes, masked, to a second instance; its answers are what
//! is written. So the file replays as it is, whatever was taken out of it.

use std::sync::Arc;

use super::line::{Header, Line, Start, Step, VERSION, with_texts};
use super::mask::{holds_capability, mask};
use crate::actor::{TraceForm, TraceItem};
use crate::bindings::v0_1::{Boot, Entry, Event, Instant};
use crate::guest::{Component, Guest, GuestFault};
use crate::runtime::HOST_NAME;

/// A trace in the making.
pub struct Scribe {
    form: TraceForm,
    /// The instance whose answers are written; none after it broke, until the next start.
    instance: Option<Box<dyn Guest>>,
    /// Blanks what people wrote; kept apart, so that it cannot change a state.
    blanker: Option<Box<dyn Guest>>,
    steps: u64,
}

impl std::fmt::Debug for Scribe {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Scribe")
            .field("form", &self.form)
            .field("steps", &self.steps)
            .finish_non_exhaustive()
    }
}

impl Scribe {
    /// A trace of this channel, and its first line.
    pub fn new(channel: &str, form: TraceForm, now: Instant) -> (Self, Line) {
        let header = Header {
            version: VERSION,
            host: HOST_NAME.into(),
            channel: channel.into(),
            redacted: form == TraceForm::Blank,
            began_wall_ms: now.wall_ms,
        };
        let scribe = Self {
            form,
            instance: None,
            blanker: None,
            steps: 0,
        };
        (scribe, Line::Trace(header))
    }

    /// The line for what happened; `None` for what no instance of the scribe's can take.
    pub fn write(&mut self, item: TraceItem) -> Option<Line> {
        let line = match item {
            TraceItem::Boot {
                generation,
                component,
                now,
                boot,
            } => self.start(generation, &component, now, *boot),
            TraceItem::Event { now, event } => self.step(now, event)?,
            TraceItem::Broken(why) => Err(why),
        };
        Some(line.unwrap_or_else(Line::Broken))
    }

    fn start(
        &mut self,
        generation: u64,
        component: &Arc<dyn Component>,
        now: Instant,
        boot: Boot,
    ) -> Result<Line, String> {
        let said = |fault: GuestFault| format!("an instance for the trace broke: {fault}");
        self.instance = None;
        self.blanker = match self.form {
            TraceForm::Plain => None,
            TraceForm::Blank => Some(component.instantiate().map_err(said)?),
        };
        let mut boot = with_texts(&boot, &mut |text| _ = mask(text)).map_err(|e| e.to_string())?;
        for entry in &mut boot.entries {
            if let Some(blanker) = &mut self.blanker {
                *entry = blanker.blank_entry(entry).map_err(said)?;
            }
        }
        boot.entries.retain_mut(without_capability);
        let info = component.describe().map_err(said)?;
        let mut instance = component.instantiate().map_err(said)?;
        let started = instance.start(now, &boot).map_err(said)?;
        let effects = started.map_err(|problems| {
            format!("an instance for the trace does not start: {problems:?}")
        })?;
        self.instance = Some(instance);
        Ok(Line::Start(Box::new(Start {
            generation,
            plugin: info.name,
            plugin_version: info.version,
            digest: component.digest(),
            now,
            boot,
            effects,
        })))
    }

    fn step(&mut self, now: Instant, mut event: Event) -> Option<Result<Line, String>> {
        let instance = self.instance.as_mut()?;
        if let Event::Entropy(entropy) = &mut event {
            // Codes for people to type are made of it.
            entropy.bytes.fill(0);
        }
        if let Some(blanker) = &mut self.blanker {
            event = match blanker.blank_event(&event) {
                Ok(event) => event,
                Err(fault) => {
                    self.instance = None;
                    return Some(Err(format!("an event could not be blanked: {fault}")));
                }
            };
        }
        let event = match with_texts(&event, &mut |text| _ = mask(text)) {
            Ok(event) => event,
            Err(error) => return Some(Err(error.to_string())),
        };
        self.steps += 1;
        let answer = instance.handle(now, &event);
        drop(instance.take_log());
        let (effects, fault) = match answer {
            Ok(effects) => (effects, None),
            Err(fault) => {
                self.instance = None;
                (Vec::new(), Some(fault.to_string()))
            }
        };
        Some(Ok(Line::Step(Box::new(Step {
            n: self.steps,
            now,
            event,
            effects,
            fault,
        }))))
    }
}

/// A text has what opens something masked. What is no text cannot be masked without knowing its form, and
/// is left out where such an address is in it.
fn without_capability(entry: &mut Entry) -> bool {
    match String::from_utf8(std::mem::take(&mut entry.value)) {
        Ok(mut text) => {
            mask(&mut text);
            entry.value = text.into_bytes();
            true
        }
        Err(bytes) => {
            entry.value = bytes.into_bytes();
            !holds_capability(&entry.value)
        }
    }
}
