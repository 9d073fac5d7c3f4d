//! The machine: its cores, and what a process uses of it. Linux only; elsewhere nothing is pinned or counted.

use std::fs;
use std::process::{Command, Stdio};
use std::time::Duration;

use anyhow::{Context, Result, bail};

/// Of `/proc/PID/stat`: the same number on all machines that Linux runs on today.
const TICKS_PER_SECOND: u64 = 100;

/// Cores for the two sides.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Cores {
    /// Of the platform.
    pub platform: usize,
    /// Of the subject.
    pub subject: usize,
}

impl Cores {
    /// The first two; `None` on a machine with one core, or without `taskset`.
    #[must_use]
    pub fn of_this_machine() -> Option<Self> {
        let cores = std::thread::available_parallelism().map_or(1, usize::from);
        let taskset = Command::new("taskset")
            .arg("--version")
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .status();
        let can = cores > 1 && taskset.is_ok_and(|status| status.success());
        can.then_some(Self {
            platform: 0,
            subject: 1,
        })
    }

    /// Binds all threads of this process to the platform's core.
    ///
    /// # Errors
    /// The system refuses.
    pub fn pin_platform(self) -> Result<()> {
        let core = self.platform.to_string();
        let pid = std::process::id().to_string();
        let bound = Command::new("taskset")
            .args(["--all-tasks", "--cpu-list", "--pid", &core, &pid])
            .stdout(Stdio::null())
            .status()
            .context("taskset")?;
        if !bound.success() {
            bail!("taskset does not bind this process to core {core}");
        }
        Ok(())
    }

    /// A command that runs on the subject's core.
    #[must_use]
    pub fn command(this: Option<Self>, program: &std::path::Path) -> Command {
        match this {
            Some(cores) => {
                let mut command = Command::new("taskset");
                let core = cores.subject.to_string();
                command.args(["--cpu-list", &core]).arg(program);
                command
            }
            None => Command::new(program),
        }
    }
}

/// What a process has used.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Used {
    /// CPU time of all its threads, in steps of 10 ms.
    pub cpu: Duration,
    /// Memory that it holds now, bytes.
    pub rss: u64,
    /// The most that it has held, bytes.
    pub peak_rss: u64,
}

/// What a process has used so far.
///
/// # Errors
/// It has ended, or this is not Linux.
pub fn used(pid: u32) -> Result<Used> {
    let stat = fs::read_to_string(format!("/proc/{pid}/stat")).context("no such process")?;
    let status = fs::read_to_string(format!("/proc/{pid}/status")).context("no such process")?;
    // After the name, which may hold anything: the state is the first field, user time the twelfth.
    let fields = stat.rsplit(')').next().unwrap_or_default();
    let ticks: u64 = fields
        .split_whitespace()
        .skip(11)
        .take(2)
        .filter_map(|field| field.parse::<u64>().ok())
        .sum();
    let line = |name: &str| {
        let line = status.lines().find(|line| line.starts_with(name));
        let kib = line.and_then(|line| line.split_whitespace().nth(1)?.parse::<u64>().ok());
        kib.unwrap_or(0) * 1024
    };
    Ok(Used {
        cpu: Duration::from_millis(ticks * 1_000 / TICKS_PER_SECOND),
        rss: line("VmRSS:"),
        peak_rss: line("VmHWM:"),
    })
}

/// The machine in one line.
#[must_use]
pub fn describe() -> String {
    let info = fs::read_to_string("/proc/cpuinfo").unwrap_or_default();
    // This process may be bound to one of them.
    let cores = info
        .lines()
        .filter(|line| line.starts_with("processor"))
        .count();
    let model = info
        .lines()
        .find(|line| line.starts_with("model name"))
        .and_then(|line| line.split_once(": "))
        .map_or(std::env::consts::ARCH, |(_, model)| model.trim());
    let memory = fs::read_to_string("/proc/meminfo").unwrap_or_default();
    let kib = memory
        .lines()
        .find(|line| line.starts_with("MemTotal:"))
        .and_then(|line| line.split_whitespace().nth(1)?.parse::<u64>().ok());
    let gib = kib.unwrap_or(0) as f64 / f64::from(1 << 20);
    format!(
        "{model}, {cores} cores, {gib:.0} GiB, {}",
        std::env::consts::OS
    )
}

#[cfg(all(test, target_os = "linux"))]
mod tests {
    use super::used;

    #[test]
    fn this_process_uses_something() {
        let used = used(std::process::id()).unwrap();
        assert!(used.rss > 0 && used.peak_rss >= used.rss);
    }
}
