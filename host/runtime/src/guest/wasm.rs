//! A channel as a wasm component: loading with checks, one store per instance, faults told apart.
//!
//! A store that faulted is never entered again; whoever holds the instance drops it.

use std::fmt;
use std::sync::{Arc, Mutex};

use wasmtime::Engine;
use wasmtime::component::{Linker, types::ComponentItem};

use super::{Component, FaultKind, Guest, GuestFault};
use crate::bindings::v0_1::{
    CHANNEL_EXPORT, CHANNEL_EXPORT_STEM, ChannelInfo, ChannelPluginPre, OWN_IMPORTS,
};
use crate::limits::Limits;
use instance::Instance;

mod instance;
mod state;

use state::State;

/// Largest component that is loaded, bytes.
pub const MAX_COMPONENT_BYTES: usize = 128 << 20;

/// The WASI interfaces that the standard library pulls in for panics and stdio. Everything else
/// (clocks, randomness, files, sockets) would make a channel depend on more than its events.
const WASI_IMPORTS: [&str; 13] = [
    "wasi:io/poll",
    "wasi:io/error",
    "wasi:io/streams",
    "wasi:cli/environment",
    "wasi:cli/exit",
    "wasi:cli/stdin",
    "wasi:cli/stdout",
    "wasi:cli/stderr",
    "wasi:cli/terminal-input",
    "wasi:cli/terminal-output",
    "wasi:cli/terminal-stdin",
    "wasi:cli/terminal-stdout",
    "wasi:cli/terminal-stderr",
];

/// A file is not a component that this host can run.
#[derive(Debug, thiserror::Error)]
pub enum LoadError {
    /// Too large.
    #[error(
        "the component has {bytes} bytes, and {MAX_COMPONENT_BYTES} are allowed; build it with optimisation and without debug information"
    )]
    TooLarge {
        /// Its size.
        bytes: usize,
    },
    /// Not wasm, not a component, or damaged.
    #[error("this is not a valid wasm component: {0}; build it for wasm32-wasip2")]
    Invalid(String),
    /// It exports no channel.
    #[error("the component exports no channel; this host runs {CHANNEL_EXPORT}")]
    NoChannel,
    /// It exports a channel of another version.
    #[error(
        "the component speaks {found}, this host speaks {CHANNEL_EXPORT}; build it against this host's wit folder or use a host of its version"
    )]
    Version {
        /// The export that was found.
        found: String,
    },
    /// It wants something that no channel gets.
    #[error("the component imports {}, which a channel does not get: time and randomness come with its events, and it does no I/O; find the dependency that pulls this in and remove it", .0.join(", "))]
    Import(Vec<String>),
    /// Names are right and types are not.
    #[error(
        "the component was built against another {CHANNEL_EXPORT} than this host's: {0}; rebuild it"
    )]
    Mismatch(String),
}

/// A component that passed the checks, compiled.
#[derive(Clone)]
pub struct WasmComponent {
    pre: ChannelPluginPre<State>,
    limits: Limits,
    info: Arc<Mutex<Option<ChannelInfo>>>,
    digest: String,
}

impl fmt::Debug for WasmComponent {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("WasmComponent").finish_non_exhaustive()
    }
}

impl WasmComponent {
    /// Checks and compiles a component. Takes tenths of a second when it is not in the cache.
    ///
    /// # Errors
    /// See [`LoadError`].
    pub fn load(engine: &Engine, bytes: &[u8], limits: Limits) -> Result<Self, LoadError> {
        if bytes.len() > MAX_COMPONENT_BYTES {
            return Err(LoadError::TooLarge { bytes: bytes.len() });
        }
        let component = wasmtime::component::Component::from_binary(engine, bytes)
            .map_err(|e| LoadError::Invalid(format!("{e:#}")))?;
        check_imports(engine, &component)?;
        check_export(engine, &component)?;
        let mut linker = Linker::new(engine);
        state::link(&mut linker).map_err(|e| LoadError::Invalid(format!("{e:#}")))?;
        let pre = linker
            .instantiate_pre(&component)
            .and_then(ChannelPluginPre::new)
            .map_err(|e| LoadError::Mismatch(format!("{e:#}")))?;
        Ok(Self {
            pre,
            limits,
            info: Arc::default(),
            digest: digest(bytes),
        })
    }

    fn instance(&self) -> Result<Instance, GuestFault> {
        Instance::new(&self.pre, self.limits)
    }
}

impl Component for WasmComponent {
    fn instantiate(&self) -> Result<Box<dyn Guest>, GuestFault> {
        Ok(Box::new(self.instance()?))
    }

    fn describe(&self) -> Result<ChannelInfo, GuestFault> {
        let known = |slot: &Mutex<Option<ChannelInfo>>| slot.lock().ok().and_then(|s| s.clone());
        if let Some(info) = known(&self.info) {
            return Ok(info);
        }
        let info = self.instance()?.describe()?;
        if let Ok(mut slot) = self.info.lock() {
            *slot = Some(info.clone());
        }
        Ok(info)
    }

    fn digest(&self) -> String {
        self.digest.clone()
    }
}

/// SHA-256 of a component's bytes, lower-case hexadecimal: the name under which traces, status and logs
/// know it.
pub fn digest(bytes: &[u8]) -> String {
    use sha2::{Digest, Sha256};
    let hash = Sha256::digest(bytes);
    hash.iter().map(|byte| format!("{byte:02x}")).collect()
}

/// The imports of a component, sorted, with their versions: what a test pins.
///
/// # Errors
/// The bytes are not a component.
pub fn imports(engine: &Engine, bytes: &[u8]) -> Result<Vec<String>, LoadError> {
    let component = wasmtime::component::Component::from_binary(engine, bytes)
        .map_err(|e| LoadError::Invalid(format!("{e:#}")))?;
    let mut names: Vec<String> = component
        .component_type()
        .imports(engine)
        .map(|(name, _)| name.to_owned())
        .collect();
    names.sort();
    Ok(names)
}

fn check_imports(
    engine: &Engine,
    component: &wasmtime::component::Component,
) -> Result<(), LoadError> {
    let refused: Vec<String> = component
        .component_type()
        .imports(engine)
        .filter(|(name, _)| !import_allowed(name))
        .map(|(name, _)| name.to_owned())
        .collect();
    if refused.is_empty() {
        Ok(())
    } else {
        Err(LoadError::Import(refused))
    }
}

fn import_allowed(name: &str) -> bool {
    let unversioned = name.split_once("@0.2.").map(|(stem, _)| stem);
    OWN_IMPORTS.contains(&name) || unversioned.is_some_and(|stem| WASI_IMPORTS.contains(&stem))
}

fn check_export(
    engine: &Engine,
    component: &wasmtime::component::Component,
) -> Result<(), LoadError> {
    let ty = component.component_type();
    if ty.get_export(engine, CHANNEL_EXPORT).is_some() {
        return Ok(());
    }
    let other = ty
        .exports(engine)
        .filter(|(_, item)| matches!(item.ty, ComponentItem::ComponentInstance(_)))
        .map(|(name, _)| name.to_owned())
        .find(|name| name.starts_with(CHANNEL_EXPORT_STEM));
    Err(match other {
        Some(found) => LoadError::Version { found },
        None => LoadError::NoChannel,
    })
}

impl GuestFault {
    /// Sorts out what wasmtime says about a call that failed.
    fn of_call(error: &wasmtime::Error, grow_refused: bool, stderr: &str) -> Self {
        let trap = error.downcast_ref::<wasmtime::Trap>();
        let late = matches!(trap, Some(wasmtime::Trap::Interrupt))
            || error.downcast_ref::<state::OverDeadline>().is_some();
        let kind = if late {
            FaultKind::Deadline
        } else if grow_refused {
            FaultKind::OutOfMemory
        } else if trap.is_some() || error.downcast_ref::<wasmtime_wasi::I32Exit>().is_some() {
            FaultKind::Trap
        } else {
            FaultKind::BadOutput
        };
        let panic = stderr
            .lines()
            .skip_while(|line| !line.contains("panicked at"))
            .take(2)
            .map(str::trim)
            .collect::<Vec<_>>()
            .join(" ");
        let message = if panic.is_empty() {
            format!("{:#}", error.root_cause())
        } else {
            panic
        };
        Self {
            kind,
            message,
            detail: format!("{stderr}{error:?}"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::import_allowed;

    #[test]
    fn only_what_an_honest_standard_library_needs_may_be_imported() {
        for good in [
            "prx:channel/log@0.1.0",
            "prx:channel/types@0.1.0",
            "wasi:io/streams@0.2.6",
            "wasi:cli/terminal-stdout@0.2.3",
        ] {
            assert!(import_allowed(good), "{good}");
        }
        for bad in [
            "wasi:clocks/monotonic-clock@0.2.6",
            "wasi:random/insecure-seed@0.2.6",
            "wasi:filesystem/types@0.2.6",
            "wasi:sockets/tcp@0.2.6",
            "wasi:http/outgoing-handler@0.2.6",
            "wasi:io/streams@0.3.0",
            "wasi:io/streams",
            "prx:channel/log@0.2.0",
            "prx:channel/secrets@0.1.0",
        ] {
            assert!(!import_allowed(bad), "{bad}");
        }
    }
}
