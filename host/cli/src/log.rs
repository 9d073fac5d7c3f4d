//! Log lines, to stderr. In a line for people each value is on that line, and none moves the cursor: JSON sees to that by
//! itself.

use std::io::IsTerminal;

use prx_host::plain::plain;
use tracing_subscriber::EnvFilter;
use tracing_subscriber::field::MakeExt;
use tracing_subscriber::fmt::format::debug_fn;

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
        LogForm::Text => lines
            .with_target(false)
            .fmt_fields(
                debug_fn(|writer, field, value| {
                    let value = format!("{value:?}");
                    match field.name() {
                        "message" => write!(writer, "{}", plain(&value)),
                        name => write!(writer, "{name}={}", plain(&value)),
                    }
                })
                .delimited(" "),
            )
            .init(),
        LogForm::Json => lines.json().flatten_event(true).init(),
    }
}
