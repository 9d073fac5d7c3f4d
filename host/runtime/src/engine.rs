//! The compiler and run time of wasm, one per process: its settings, its cache, its clock.
//!
//! Must not know what runs on it.

use std::path::Path;
use std::time::Duration;

pub use wasmtime::Engine;
use wasmtime::{Cache, CacheConfig, Config, EngineWeak};

/// Between two epochs. A call can run this much longer than its limit before anybody looks.
pub const EPOCH: Duration = Duration::from_millis(10);

/// The engine could not be set up.
#[derive(Debug, thiserror::Error)]
pub enum EngineError {
    /// The directory for compiled code cannot be used.
    #[error(
        "the cache for compiled components at {path} cannot be used: {cause}; make it writable for this user or choose another state_dir"
    )]
    Cache {
        /// Where.
        path: String,
        /// Why.
        cause: String,
    },
    /// wasmtime refuses the settings on this machine.
    #[error("the wasm engine cannot run on this machine: {0}")]
    Engine(String),
    /// The thread that counts epochs could not be started.
    #[error("no thread for the epoch ticker: {0}; raise the limit on threads")]
    Ticker(std::io::Error),
}

/// Makes the process's engine and starts its ticker.
///
/// # Errors
/// The cache directory, the engine or the ticker's thread could not be had.
pub fn new(cache_dir: Option<&Path>) -> Result<Engine, EngineError> {
    let mut config = settings();
    #[cfg(feature = "profiling")]
    profile(&mut config);
    if let Some(dir) = cache_dir {
        config.cache(cache(dir)?);
    }
    let engine = Engine::new(&config).map_err(|e| EngineError::Engine(format!("{e:#}")))?;
    tick(engine.weak())?;
    Ok(engine)
}

/// An engine that counts the fuel of each instance, and stops nobody: for measurements that have to come out
/// the same on a busy machine. Nothing it compiles is kept.
///
/// # Errors
/// The engine cannot be had.
pub fn counting() -> Result<Engine, EngineError> {
    let mut config = settings();
    config.consume_fuel(true);
    Engine::new(&config).map_err(|e| EngineError::Engine(format!("{e:#}")))
}

fn settings() -> Config {
    let mut config = Config::new();
    config
        // A guest that loops has to be stopped. Epochs cost a tenth to a third of the run time of
        // tight loops and fuel costs more; fuel is for counting in tests.
        .epoch_interruption(true)
        // Nothing here is concurrent inside a store, and the support for it triples the price of
        // crossing the boundary and widens what a hostile component can reach.
        .concurrency_support(false)
        // Only components come in, and they need nothing newer than this.
        .wasm_component_model(true)
        // Traps are read by people: which function, without source lines, and without the map to
        // them, which would be a good part of what is read at each start.
        .wasm_backtrace_details(wasmtime::WasmBacktraceDetails::Disable)
        .generate_address_map(false)
        // A memory has all the addresses it may ever use reserved, so its base is a constant.
        .memory_may_move(false)
        // The first start compiles, and a bot that waits is a bot that is down.
        .parallel_compilation(true);
    // Left as they are, on purpose: the on-demand allocator (pooling saves microseconds at
    // instantiation and costs slots and address space) and the 4 GiB reservation per memory (a
    // smaller one brings explicit bounds checks, a quarter slower).
    config
}

/// Tells a profiler the names of compiled functions, where `PRX_PROFILE` asks for it: `perfmap` or `jitdump`.
#[cfg(feature = "profiling")]
fn profile(config: &mut Config) {
    use wasmtime::ProfilingStrategy;
    match std::env::var("PRX_PROFILE").as_deref() {
        Ok("perfmap") => config.profiler(ProfilingStrategy::PerfMap),
        Ok("jitdump") => config.profiler(ProfilingStrategy::JitDump),
        _ => config,
    };
}

/// Compiled code is executed as it is found, so the directory has to be the owner's alone, and to have been so.
/// On a disk that takes nothing there is none, and each start compiles.
fn cache(dir: &Path) -> Result<Option<Cache>, EngineError> {
    let fail = |cause: String| EngineError::Cache {
        path: dir.display().to_string(),
        cause,
    };
    match crate::files::emptied_dir(dir) {
        Ok(_) => {}
        Err(error) if error.is_system() => {
            tracing::warn!(%error, "compiled components are not kept, so that each start compiles them");
            return Ok(None);
        }
        Err(error) => return Err(fail(error.to_string())),
    }
    let mut config = CacheConfig::new();
    config.with_directory(dir);
    Cache::new(config)
        .map(Some)
        .map_err(|e| fail(format!("{e:#}")))
}

/// An OS thread, since a task could be kept waiting by the very guest it is to stop. It ends by
/// itself once the engine is gone.
fn tick(engine: EngineWeak) -> Result<(), EngineError> {
    std::thread::Builder::new()
        .name("prx-epoch".into())
        .stack_size(64 << 10)
        .spawn(move || {
            loop {
                std::thread::sleep(EPOCH);
                match engine.upgrade() {
                    Some(engine) => engine.increment_epoch(),
                    None => return,
                }
            }
        })
        .map(|_| ())
        .map_err(EngineError::Ticker)
}
