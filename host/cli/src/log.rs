//! Log lines, to stderr.

use std::io::IsTerminal;

use tracing_subscriber::EnvFilter;

use crate::args::LogForm;

/// Starts the log. `RUST_LOG` has the word; without it, facts and worse where something runs, and
/// only warnings around the answer to a question.
pub(crate) fn start(form: LogForm, runs: bool) {
    let usual = if runs { "info" } else { "warn" };
    let filter = EnvFilter::try_from_default_env().unwrap_or_else(|_| EnvFilter::new(usual));
    let lines = tracing_subscriber::fmt()
        .with_env_filter(filter)
        .with_ansi(std::io::stderr().is_terminal())
        .with_writer(std::io::stderr);
    match form {
        LogForm::Text => lines.with_target(false).init(),
        LogForm::Json => lines.json().flatten_event(true).init(),
    }
}
