//! One store with one instance in it, and the calls into it.

use std::time::Duration;

use wasmtime::Store;

use super::state::State;
use crate::bindings::v0_1::{
    Boot, ChannelInfo, ChannelPlugin, ChannelPluginPre, CheckpointMode, Effect, Entry, Event,
    Holdings, Instant,
};
use crate::guest::{FaultKind, Guest, GuestFault, LogLine, StartAnswer};
use crate::limits::Limits;

/// What the host allocates at most for what one call hands over: a list can name one big string
/// many times, so the guest's own memory does not bound it.
const HOSTCALL_FUEL: usize = 24 << 20;

pub(super) struct Instance {
    store: Store<State>,
    plugin: ChannelPlugin,
    limits: Limits,
    /// Set by the first fault: wasmtime would refuse a second entry too, but says less.
    broken: bool,
}

impl Instance {
    pub(super) fn new(pre: &ChannelPluginPre<State>, limits: Limits) -> Result<Self, GuestFault> {
        let mut store = Store::new(pre.engine(), State::new(limits));
        store.limiter(|state| state.limiter());
        store.set_hostcall_fuel(HOSTCALL_FUEL);
        store.epoch_deadline_callback(|context| context.data().at_epoch());
        store.set_epoch_deadline(1);
        store.data_mut().begin_call(limits.start_cpu);
        // Refused by an engine that counts none, which is how the engine of a host is.
        let _ = store.set_fuel(u64::MAX);
        let plugin = pre.instantiate(&mut store).map_err(|e| fault(&store, &e))?;
        Ok(Self {
            store,
            plugin,
            limits,
            broken: false,
        })
    }

    pub(super) fn describe(&mut self) -> Result<ChannelInfo, GuestFault> {
        self.call(self.limits.start_cpu, |plugin, store| {
            plugin.prx_channel_channel().call_describe(store)
        })
    }

    fn call<R>(
        &mut self,
        cpu: Duration,
        run: impl FnOnce(&ChannelPlugin, &mut Store<State>) -> wasmtime::Result<R>,
    ) -> Result<R, GuestFault> {
        if self.broken {
            return Err(GuestFault::new(
                FaultKind::Trap,
                "the instance faulted before and cannot be entered again",
            ));
        }
        self.store.data_mut().begin_call(cpu);
        self.store.set_epoch_deadline(1);
        run(&self.plugin, &mut self.store).map_err(|error| {
            self.broken = true;
            fault(&self.store, &error)
        })
    }
}

fn fault(store: &Store<State>, error: &wasmtime::Error) -> GuestFault {
    let state = store.data();
    GuestFault::of_call(error, state.grow_refused(), &state.stderr())
}

impl Guest for Instance {
    fn start(&mut self, now: Instant, boot: &Boot) -> Result<StartAnswer, GuestFault> {
        self.call(self.limits.start_cpu, |plugin, store| {
            plugin.prx_channel_channel().call_start(store, now, boot)
        })
    }

    fn handle(&mut self, now: Instant, event: &Event) -> Result<Vec<Effect>, GuestFault> {
        self.call(self.limits.call_cpu, |plugin, store| {
            plugin.prx_channel_channel().call_handle(store, now, event)
        })
    }

    fn checkpoint(&mut self, mode: CheckpointMode) -> Result<Result<Vec<u8>, String>, GuestFault> {
        self.call(self.limits.call_cpu, |plugin, store| {
            plugin.prx_channel_channel().call_checkpoint(store, mode)
        })
    }

    fn inventory(&mut self) -> Result<Holdings, GuestFault> {
        self.call(self.limits.call_cpu, |plugin, store| {
            plugin.prx_channel_channel().call_inventory(store)
        })
    }

    fn blank_event(&mut self, event: &Event) -> Result<Event, GuestFault> {
        self.call(self.limits.call_cpu, |plugin, store| {
            plugin.prx_channel_channel().call_blank_event(store, event)
        })
    }

    fn blank_entry(&mut self, entry: &Entry) -> Result<Entry, GuestFault> {
        self.call(self.limits.call_cpu, |plugin, store| {
            plugin.prx_channel_channel().call_blank_entry(store, entry)
        })
    }

    fn memory_bytes(&self) -> u64 {
        self.store.data().memory_bytes()
    }

    fn fuel_used(&self) -> u64 {
        self.store.get_fuel().map_or(0, |left| u64::MAX - left)
    }

    fn take_log(&mut self) -> Vec<LogLine> {
        self.store.data_mut().take_log()
    }
}
