//! A component that counts what each call costs, and remembers the calls so that they can be made again.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use prx_host::bindings::v0_1::{
    Action, Boot, ChannelInfo, CheckpointMode, Effect, Entry, Event, Holdings, Instant, StartReason,
};
use prx_host::guest::{Component, Guest, GuestFault, LogLine, StartAnswer};

use crate::reborn::store;

/// What `checkpoint` is called in the account.
pub const CHECKPOINT: &str = "checkpoint";
/// What `start` is called in the account.
pub const START: &str = "start";

/// One call that can be made again.
#[derive(Debug, Clone)]
pub struct Call {
    /// What kind of event it is; for a frame, the name of what is in it.
    pub kind: String,
    /// When.
    pub now: Instant,
    /// What.
    pub event: Event,
}

/// What calls of a kind came to.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Cost {
    /// Calls.
    pub calls: u64,
    /// Fuel of all of them; 0 where the engine does not count it.
    pub fuel: u64,
}

#[derive(Debug, Default)]
struct Account {
    costs: BTreeMap<String, Cost>,
    boot: Option<(Instant, Boot)>,
    calls: Vec<Call>,
    entries: BTreeMap<String, Vec<u8>>,
    checkpoint: Vec<u8>,
    memory: u64,
    commits: u64,
    stored: u64,
}

/// A component whose calls are counted. Of several instances, the calls of the last one are remembered.
#[derive(Debug, Clone)]
pub struct Meter {
    inner: Arc<dyn Component>,
    account: Arc<Mutex<Account>>,
}

impl Meter {
    /// Counts the calls of a component.
    #[must_use]
    pub fn new(inner: Arc<dyn Component>) -> Self {
        Self {
            inner,
            account: Arc::default(),
        }
    }

    /// What calls came to so far, by kind.
    #[must_use]
    pub fn costs(&self) -> BTreeMap<String, Cost> {
        self.account().costs.clone()
    }

    /// Fuel of all calls so far.
    #[must_use]
    pub fn fuel(&self) -> u64 {
        self.account().costs.values().map(|cost| cost.fuel).sum()
    }

    /// Calls so far that stored something, and the bytes of keys and values in them.
    #[must_use]
    pub fn stored(&self) -> (u64, u64) {
        let account = self.account();
        (account.commits, account.stored)
    }

    /// Linear memory of the last instance, bytes.
    #[must_use]
    pub fn memory(&self) -> u64 {
        self.account().memory
    }

    /// How the last instance was started; `None` before the first start.
    #[must_use]
    pub fn boot(&self) -> Option<(Instant, Boot)> {
        self.account().boot.clone()
    }

    /// The calls of the last instance, in order.
    #[must_use]
    pub fn calls(&self) -> Vec<Call> {
        self.account().calls.clone()
    }

    /// How an instance is started that takes the place of the last one now; `None` before the first start.
    #[must_use]
    pub fn successor(&self) -> Option<Boot> {
        let account = self.account();
        let (_, boot) = account.boot.as_ref()?;
        let entries = account.entries.iter();
        Some(Boot {
            reason: StartReason::Swap,
            entries: entries
                .map(|(key, value)| Entry {
                    key: key.clone(),
                    value: value.clone(),
                })
                .collect(),
            checkpoint: Some(account.checkpoint.clone()),
            ..boot.clone()
        })
    }

    fn account(&self) -> MutexGuard<'_, Account> {
        self.account.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Account {
    fn charge(&mut self, kind: &str, guest: &dyn Guest, before: u64) {
        let cost = self.costs.entry(kind.to_owned()).or_default();
        cost.calls += 1;
        cost.fuel += guest.fuel_used().saturating_sub(before);
        self.memory = guest.memory_bytes();
    }

    fn count_stored(&mut self, effects: &[Effect]) {
        let bytes = effects.iter().filter_map(|effect| match &effect.action {
            Action::StorePut(entry) => Some(entry.key.len() + entry.value.len()),
            Action::StoreDelete(key) => Some(key.len()),
            _ => None,
        });
        let (count, bytes) = bytes.fold((0_u64, 0), |(count, sum), bytes| (count + 1, sum + bytes));
        self.commits += u64::from(count > 0);
        self.stored += bytes as u64;
    }
}

impl Component for Meter {
    fn instantiate(&self) -> Result<Box<dyn Guest>, GuestFault> {
        Ok(Box::new(MeteredGuest {
            inner: self.inner.instantiate()?,
            account: Arc::clone(&self.account),
        }))
    }

    fn describe(&self) -> Result<ChannelInfo, GuestFault> {
        self.inner.describe()
    }
}

struct MeteredGuest {
    inner: Box<dyn Guest>,
    account: Arc<Mutex<Account>>,
}

impl MeteredGuest {
    fn account(&self) -> MutexGuard<'_, Account> {
        self.account.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Guest for MeteredGuest {
    fn start(&mut self, now: Instant, boot: &Boot) -> Result<StartAnswer, GuestFault> {
        let before = self.inner.fuel_used();
        let answer = self.inner.start(now, boot)?;
        let mut account = self.account();
        account.charge(START, &*self.inner, before);
        account.boot = Some((now, boot.clone()));
        account.calls.clear();
        let entries = boot.entries.iter();
        account.entries = entries.map(|e| (e.key.clone(), e.value.clone())).collect();
        if let Ok(effects) = &answer {
            store(&mut account.entries, effects);
        }
        drop(account);
        Ok(answer)
    }

    fn handle(&mut self, now: Instant, event: &Event) -> Result<Vec<Effect>, GuestFault> {
        let before = self.inner.fuel_used();
        let effects = self.inner.handle(now, event)?;
        let kind = kind(event);
        let mut account = self.account();
        account.charge(&kind, &*self.inner, before);
        account.count_stored(&effects);
        store(&mut account.entries, &effects);
        account.calls.push(Call {
            kind,
            now,
            event: event.clone(),
        });
        drop(account);
        Ok(effects)
    }

    fn checkpoint(&mut self, mode: CheckpointMode) -> Result<Result<Vec<u8>, String>, GuestFault> {
        let before = self.inner.fuel_used();
        let taken = self.inner.checkpoint(mode)?;
        let mut account = self.account();
        account.charge(CHECKPOINT, &*self.inner, before);
        if let Ok(bytes) = &taken {
            account.checkpoint.clone_from(bytes);
        }
        drop(account);
        Ok(taken)
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

    fn memory_bytes(&self) -> u64 {
        self.inner.memory_bytes()
    }

    fn take_log(&mut self) -> Vec<LogLine> {
        self.inner.take_log()
    }
}

/// What kind of event it is.
fn kind(event: &Event) -> String {
    let Event::SocketText(text) = event else {
        return event.case().to_owned();
    };
    let frame: serde_json::Value = serde_json::from_str(&text.text).unwrap_or_default();
    let name = frame.get("t").and_then(serde_json::Value::as_str);
    let op = frame.get("op").and_then(serde_json::Value::as_u64);
    name.map_or_else(
        || format!("frame op {}", op.unwrap_or_default()),
        |name| format!("frame {name}"),
    )
}
