//! What several tests need.

use std::sync::{Arc, OnceLock};

use prx_host::guest::Component;
use prx_host::guest::wasm::WasmComponent;
use prx_host::limits::Limits;

/// The engine of this test process; compiled code is not kept, so that each run compiles what it tests.
pub(crate) fn engine() -> &'static wasmtime::Engine {
    static ENGINE: OnceLock<wasmtime::Engine> = OnceLock::new();
    ENGINE.get_or_init(|| prx_host::engine::new(None).unwrap())
}

/// The real component, compiled once for all tests.
pub(crate) fn component() -> Arc<dyn Component> {
    static COMPONENT: OnceLock<Arc<WasmComponent>> = OnceLock::new();
    let loaded = COMPONENT.get_or_init(|| {
        Arc::new(
            WasmComponent::load(engine(), qq_channel_embed::COMPONENT, Limits::STANDARD).unwrap(),
        )
    });
    Arc::<WasmComponent>::clone(loaded)
}
