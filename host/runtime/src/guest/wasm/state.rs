//! What a store holds besides the guest: limits, the log, stderr, and an empty WASI.

use std::fmt;
use std::time::Duration;

use rustix::time::{ClockId, clock_gettime};
use wasmtime::component::{HasData, Linker, ResourceTable};
use wasmtime::{ResourceLimiter, StoreLimits, StoreLimitsBuilder, UpdateDeadline};
use wasmtime_wasi::cli::{WasiCli, WasiCliView};
use wasmtime_wasi::p2::pipe::MemoryOutputPipe;
use wasmtime_wasi::{WasiCtx, WasiCtxView, WasiView};

use crate::bindings::v0_1::log::{self, Level};
use crate::bindings::v0_1::types_host;
use crate::guest::LogLine;
use crate::limits::Limits;

/// Bytes of stderr that are kept: a panic message has a few hundred.
const STDERR_BYTES: usize = 16 << 10;
/// Tables and memories of one component. A Rust component has one memory and a handful of small adapter
/// instances; the limits on bytes and elements are per memory and per table, so their number counts.
const MAX_MEMORIES: usize = 2;
const MAX_TABLES: usize = 8;

/// The call used up its CPU time.
#[derive(Debug)]
pub(super) struct OverDeadline(Duration);

impl fmt::Display for OverDeadline {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let ms = self.0.as_millis();
        write!(f, "the call used more than {ms} ms of CPU time")
    }
}

impl std::error::Error for OverDeadline {}

/// Data of one store.
pub(super) struct State {
    wasi: WasiCtx,
    table: ResourceTable,
    limiter: Limiter,
    log: CallLog,
    stderr: MemoryOutputPipe,
    deadline: CallDeadline,
}

impl State {
    pub(super) fn new(limits: Limits) -> Self {
        let stderr = MemoryOutputPipe::new(STDERR_BYTES);
        // No arguments, environment, files, sockets, clocks or randomness: the builder's defaults
        // give none of these, and the linker below does not offer them either.
        let wasi = WasiCtx::builder().stderr(stderr.clone()).build();
        Self {
            wasi,
            table: ResourceTable::new(),
            limiter: Limiter::new(&limits),
            log: CallLog::new(limits),
            stderr,
            deadline: CallDeadline::default(),
        }
    }

    /// Begins a call that may use so much CPU time.
    pub(super) fn begin_call(&mut self, cpu: Duration) {
        self.log.begin_call();
        self.limiter.refused = false;
        self.deadline = CallDeadline {
            started: thread_cpu(),
            limit: cpu,
        };
    }

    pub(super) fn take_log(&mut self) -> Vec<LogLine> {
        self.log.take()
    }

    /// Counted where memory is granted, so that asking costs nothing.
    pub(super) fn memory_bytes(&self) -> u64 {
        self.limiter.bytes as u64
    }

    pub(super) fn grow_refused(&self) -> bool {
        self.limiter.refused
    }

    pub(super) fn stderr(&self) -> String {
        String::from_utf8_lossy(&self.stderr.contents()).into_owned()
    }

    pub(super) fn limiter(&mut self) -> &mut dyn ResourceLimiter {
        &mut self.limiter
    }

    /// Called at each epoch while the guest runs. Judges by the CPU time of this thread, so that a
    /// busy machine stops nobody.
    pub(super) fn at_epoch(&self) -> wasmtime::Result<UpdateDeadline> {
        let used = thread_cpu().saturating_sub(self.deadline.started);
        if used > self.deadline.limit {
            return Err(wasmtime::Error::new(OverDeadline(self.deadline.limit)));
        }
        Ok(UpdateDeadline::Continue(1))
    }
}

#[derive(Default)]
struct CallDeadline {
    started: Duration,
    limit: Duration,
}

fn thread_cpu() -> Duration {
    let t = clock_gettime(ClockId::ThreadCPUTime);
    let secs = u64::try_from(t.tv_sec).unwrap_or(0);
    let nanos = u32::try_from(t.tv_nsec).unwrap_or(0);
    Duration::new(secs, nanos)
}

/// wasmtime's own limits, and a note that one was hit: afterwards the trap only says `unreachable`.
struct Limiter {
    limits: StoreLimits,
    refused: bool,
    /// Of all linear memories together.
    bytes: usize,
}

impl Limiter {
    fn new(limits: &Limits) -> Self {
        let limits = StoreLimitsBuilder::new()
            .memory_size(limits.memory_bytes)
            .memories(MAX_MEMORIES)
            .tables(MAX_TABLES)
            .table_elements(limits.table_elements)
            .instances(limits.instances)
            .build();
        Self {
            limits,
            refused: false,
            bytes: 0,
        }
    }
}

impl ResourceLimiter for Limiter {
    fn memory_growing(
        &mut self,
        current: usize,
        desired: usize,
        maximum: Option<usize>,
    ) -> wasmtime::Result<bool> {
        let granted = self.limits.memory_growing(current, desired, maximum)?;
        self.refused |= !granted;
        if granted {
            let more = desired.saturating_sub(current);
            self.bytes = self.bytes.saturating_add(more);
        }
        Ok(granted)
    }

    fn table_growing(
        &mut self,
        current: usize,
        desired: usize,
        maximum: Option<usize>,
    ) -> wasmtime::Result<bool> {
        let granted = self.limits.table_growing(current, desired, maximum)?;
        self.refused |= !granted;
        Ok(granted)
    }

    fn instances(&self) -> usize {
        self.limits.instances()
    }

    fn tables(&self) -> usize {
        self.limits.tables()
    }

    fn memories(&self) -> usize {
        self.limits.memories()
    }
}

/// Lines of the current call.
struct CallLog {
    lines: Vec<LogLine>,
    in_call: usize,
    max_lines: usize,
    max_bytes: usize,
}

impl CallLog {
    fn new(limits: Limits) -> Self {
        Self {
            lines: Vec::new(),
            in_call: 0,
            max_lines: limits.log_lines_per_call,
            max_bytes: limits.log_line_bytes,
        }
    }

    fn begin_call(&mut self) {
        self.in_call = 0;
    }

    fn push(&mut self, level: Level, mut text: String) {
        self.in_call += 1;
        if self.in_call > self.max_lines {
            if self.in_call == self.max_lines + 1 {
                let max = self.max_lines;
                let text = format!("more than {max} lines in one call; the rest is dropped");
                let level = Level::Warn;
                self.lines.push(LogLine { level, text });
            }
            return;
        }
        let end = text.floor_char_boundary(self.max_bytes);
        text.truncate(end);
        self.lines.push(LogLine { level, text });
    }

    fn take(&mut self) -> Vec<LogLine> {
        std::mem::take(&mut self.lines)
    }
}

impl log::Host for State {
    fn write(&mut self, level: Level, text: String) {
        self.log.push(level, text);
    }
}

impl types_host::Host for State {}

impl WasiView for State {
    fn ctx(&mut self) -> WasiCtxView<'_> {
        WasiCtxView {
            ctx: &mut self.wasi,
            table: &mut self.table,
        }
    }
}

struct HasState;
impl HasData for HasState {
    type Data<'a> = &'a mut State;
}

struct HasIo;
impl HasData for HasIo {
    type Data<'a> = &'a mut ResourceTable;
}

/// Offers the log and the thirteen WASI interfaces, and nothing else: what is not linked cannot be
/// reached, even if a check at load were wrong.
pub(super) fn link(linker: &mut Linker<State>) -> wasmtime::Result<()> {
    use wasmtime_wasi::p2::bindings::{cli, io, sync};
    log::add_to_linker::<State, HasState>(linker, |state| state)?;
    types_host::add_to_linker::<State, HasState>(linker, |state| state)?;
    io::error::add_to_linker::<State, HasIo>(linker, |s| &mut s.table)?;
    sync::io::poll::add_to_linker::<State, HasIo>(linker, |s| &mut s.table)?;
    sync::io::streams::add_to_linker::<State, HasIo>(linker, |s| &mut s.table)?;
    cli::exit::add_to_linker::<State, WasiCli>(linker, State::cli)?;
    cli::environment::add_to_linker::<State, WasiCli>(linker, State::cli)?;
    cli::stdin::add_to_linker::<State, WasiCli>(linker, State::cli)?;
    cli::stdout::add_to_linker::<State, WasiCli>(linker, State::cli)?;
    cli::stderr::add_to_linker::<State, WasiCli>(linker, State::cli)?;
    cli::terminal_input::add_to_linker::<State, WasiCli>(linker, State::cli)?;
    cli::terminal_output::add_to_linker::<State, WasiCli>(linker, State::cli)?;
    cli::terminal_stdin::add_to_linker::<State, WasiCli>(linker, State::cli)?;
    cli::terminal_stdout::add_to_linker::<State, WasiCli>(linker, State::cli)?;
    cli::terminal_stderr::add_to_linker::<State, WasiCli>(linker, State::cli)
}
