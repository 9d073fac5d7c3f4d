//! Programs that the agent starts: with an environment of their own and in a process group of their
//! own, which ends with whatever held it.

use std::path::PathBuf;
use std::process::{ExitStatus, Stdio};
use std::time::Duration;

use tokio::io::{AsyncBufRead, AsyncBufReadExt, AsyncReadExt, BufReader};
use tokio::process::{Child, ChildStderr, ChildStdin, ChildStdout, Command};

/// What every program is told of the environment; the rest may hold secrets of the host's.
const ENVIRONMENT: [&str; 3] = ["PATH", "HOME", "LANG"];
/// Characters of a line of a program's that go into the log.
const MAX_LOGGED: usize = 500;
/// Bytes of a line of a program's complaints; a longer one counts as several.
const MAX_COMPLAINT: u64 = 4 << 10;

/// A program as configured.
#[derive(Debug, Clone)]
pub(crate) struct Program {
    /// The program and its arguments.
    pub(crate) command: Vec<String>,
    /// Variables that it is told besides the usual ones.
    pub(crate) env: Vec<String>,
    /// Where it runs.
    pub(crate) dir: Option<PathBuf>,
}

/// A program that runs. Dropped, it is killed, with all that it started.
#[derive(Debug)]
pub(crate) struct Running {
    child: Child,
    #[cfg(unix)]
    group: Option<rustix::process::Pid>,
}

/// The ends of a program's pipes.
#[derive(Debug)]
pub(crate) struct Pipes {
    pub(crate) stdin: ChildStdin,
    pub(crate) stdout: BufReader<ChildStdout>,
    pub(crate) stderr: BufReader<ChildStderr>,
}

impl Program {
    /// The program's name, for people.
    pub(crate) fn name(&self) -> &str {
        self.command.first().map_or("", String::as_str)
    }

    pub(crate) fn start(&self) -> std::io::Result<(Running, Pipes)> {
        let mut command = Command::new(self.name());
        command.args(self.command.iter().skip(1)).env_clear();
        for name in ENVIRONMENT
            .into_iter()
            .chain(self.env.iter().map(String::as_str))
        {
            if let Some(value) = std::env::var_os(name) {
                command.env(name, value);
            }
        }
        if let Some(dir) = &self.dir {
            command.current_dir(dir);
        }
        command
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .kill_on_drop(true);
        #[cfg(unix)]
        command.process_group(0);
        let mut child = command.spawn()?;
        let pipes = (child.stdin.take(), child.stdout.take(), child.stderr.take());
        #[cfg(unix)]
        let group = child
            .id()
            .and_then(|id| rustix::process::Pid::from_raw(id.cast_signed()));
        let running = Running {
            child,
            #[cfg(unix)]
            group,
        };
        let (Some(stdin), Some(stdout), Some(stderr)) = pipes else {
            return Err(std::io::Error::other("a pipe is missing"));
        };
        let pipes = Pipes {
            stdin,
            stdout: BufReader::new(stdout),
            stderr: BufReader::new(stderr),
        };
        Ok((running, pipes))
    }
}

impl Running {
    /// Waits until it ends by itself, or for so long; then it is killed.
    pub(crate) async fn end(mut self, patience: Duration) -> Option<ExitStatus> {
        let ended = tokio::time::timeout(patience, self.child.wait()).await;
        ended.ok()?.ok()
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        // The leader may be gone already, and what it started not: the group keeps its number as long
        // as one of them lives.
        #[cfg(unix)]
        if let Some(group) = self.group {
            // Nobody left to kill is as good.
            let _ = rustix::process::kill_process_group(group, rustix::process::Signal::KILL);
        }
    }
}

/// Reads a line, without its end; `None` at the end. One that is longer comes in pieces.
pub(crate) async fn line(
    from: &mut (impl AsyncBufRead + Unpin),
    max_bytes: u64,
) -> std::io::Result<Option<String>> {
    let mut line = Vec::new();
    let read = from.take(max_bytes).read_until(b'\n', &mut line).await?;
    let text = String::from_utf8_lossy(&line);
    let text = text.trim_end_matches(['\n', '\r']).to_owned();
    Ok((read > 0).then_some(text))
}

/// Logs what a program complains of, to the end, and returns the last line.
pub(crate) async fn complaints(name: &str, mut stderr: BufReader<ChildStderr>) -> Option<String> {
    let mut last = None;
    while let Ok(Some(line)) = line(&mut stderr, MAX_COMPLAINT).await {
        let line: String = line.trim().chars().take(MAX_LOGGED).collect();
        if !line.is_empty() {
            tracing::debug!(program = name, "{line}");
            last = Some(line);
        }
    }
    last
}
