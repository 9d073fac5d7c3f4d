//! A component that is reborn after every event: from its checkpoint and what it has stored, as in a swap or
//! after a crash. Beside one that lives on, it must answer byte for byte the same: what only one of them
//! knows was neither stored nor written down.

use std::collections::BTreeMap;
use std::sync::Arc;

use prx_host::bindings::v0_1::{
    Action, Boot, ChannelInfo, CheckpointMode, Effect, Entry, Event, Holdings, Instant, StartReason,
};
use prx_host::guest::{Component, FaultKind, Guest, GuestFault, LogLine, StartAnswer};

/// The component that is reborn.
#[derive(Debug, Clone)]
pub struct RebornComponent(pub Arc<dyn Component>);

struct RebornGuest {
    component: Arc<dyn Component>,
    inner: Box<dyn Guest>,
    boot: Option<Boot>,
    entries: BTreeMap<String, Vec<u8>>,
}

impl Component for RebornComponent {
    fn instantiate(&self) -> Result<Box<dyn Guest>, GuestFault> {
        Ok(Box::new(RebornGuest {
            component: Arc::clone(&self.0),
            inner: self.0.instantiate()?,
            boot: None,
            entries: BTreeMap::new(),
        }))
    }

    fn describe(&self) -> Result<ChannelInfo, GuestFault> {
        self.0.describe()
    }
}

fn broken(text: String) -> GuestFault {
    GuestFault::new(FaultKind::BadOutput, text)
}

/// Does to entries what effects do to the store.
pub(crate) fn store(entries: &mut BTreeMap<String, Vec<u8>>, effects: &[Effect]) {
    for effect in effects {
        match &effect.action {
            Action::StorePut(entry) => {
                entries.insert(entry.key.clone(), entry.value.clone());
            }
            Action::StoreDelete(key) => {
                entries.remove(key);
            }
            _ => {}
        }
    }
}

impl RebornGuest {
    fn reborn(&mut self, now: Instant) -> Result<(), GuestFault> {
        let Some(boot) = &self.boot else {
            return Ok(());
        };
        let state = self.inner.checkpoint(CheckpointMode::Normal)?;
        let mut boot = boot.clone();
        boot.reason = StartReason::Swap;
        boot.checkpoint = Some(state.map_err(broken)?);
        let entries = self.entries.iter().map(|(key, value)| Entry {
            key: key.clone(),
            value: value.clone(),
        });
        boot.entries = entries.collect();
        let mut inner = self.component.instantiate()?;
        let effects = inner.start(now, &boot)?;
        let effects = effects.map_err(|problems| broken(format!("not reborn: {problems:?}")))?;
        if !effects.is_empty() {
            let effects = serde_json::to_string(&effects).unwrap_or_default();
            return Err(broken(format!("a rebirth has effects: {effects}")));
        }
        drop(inner.take_log());
        self.inner = inner;
        Ok(())
    }
}

impl Guest for RebornGuest {
    fn start(&mut self, now: Instant, boot: &Boot) -> Result<StartAnswer, GuestFault> {
        let entries = boot.entries.iter();
        let entries = entries.map(|entry| (entry.key.clone(), entry.value.clone()));
        self.entries = entries.collect();
        self.boot = Some(boot.clone());
        let answer = self.inner.start(now, boot)?;
        if let Ok(effects) = &answer {
            store(&mut self.entries, effects);
            self.reborn(now)?;
        }
        Ok(answer)
    }

    fn handle(&mut self, now: Instant, event: &Event) -> Result<Vec<Effect>, GuestFault> {
        let effects = self.inner.handle(now, event)?;
        store(&mut self.entries, &effects);
        if let Event::Command(command) = event
            && let prx_host::bindings::v0_1::OperatorCommand::ReloadConfig(config) = &command.ask
            && let Some(boot) = &mut self.boot
        {
            boot.config.clone_from(config);
        }
        self.reborn(now)?;
        Ok(effects)
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

    fn take_log(&mut self) -> Vec<LogLine> {
        self.inner.take_log()
    }
}
