//! What a component has used within the last minute, and what it may use still. It outlives the instance: one that is
//! made anew after a fault begins with what the one before has used.

use super::rate::Rate;
use crate::bindings::v0_1::{Action, Effect, log::Level};
use crate::guest::{FaultKind, GuestFault, LogLine};
use crate::limits::Limits;

/// Rates of one channel.
#[derive(Debug, Default)]
pub(super) struct Spent {
    pub(super) requests: Rate,
    pub(super) turns: Rate,
    asks: Rate,
    log: LogRate,
}

impl Spent {
    /// Counts what the effects of a call ask for that has no answer for a refusal. Nothing is counted when it is too much.
    ///
    /// # Errors
    /// It is more than a minute may have; the call has failed.
    pub(super) fn asks(
        &mut self,
        mono_ms: u64,
        effects: &[Effect],
        limits: &Limits,
    ) -> Result<(), GuestFault> {
        let asks = |effect: &&Effect| {
            matches!(
                effect.action,
                Action::EntropyAsk(_) | Action::BlobDigest(_) | Action::BlobMake(_)
            )
        };
        let (count, max) = (effects.iter().filter(asks).count(), limits.asks_per_minute);
        if count > 0 && !self.asks.take_some(mono_ms, count, max) {
            let message = format!(
                "more than {max} asks for random bytes, digests and blobs within a minute, which is [resources] max_asks_per_minute of plugin.toml"
            );
            return Err(GuestFault::new(FaultKind::BadOutput, message));
        }
        Ok(())
    }

    /// The lines that are to be written of these, with a word on those that are not.
    pub(super) fn log(
        &mut self,
        mono_ms: u64,
        lines: impl IntoIterator<Item = LogLine>,
        limits: &Limits,
    ) -> Vec<LogLine> {
        self.log.pass(mono_ms, lines, limits)
    }
}

/// Log lines of the last minute, in number and bytes.
#[derive(Debug, Default)]
struct LogRate {
    lines: Rate,
    bytes: Rate,
    dropped: u64,
}

impl LogRate {
    fn pass(
        &mut self,
        mono_ms: u64,
        lines: impl IntoIterator<Item = LogLine>,
        limits: &Limits,
    ) -> Vec<LogLine> {
        let (max_lines, max_bytes) = (limits.log_lines_per_minute, limits.log_bytes_per_minute);
        let mut passed = Vec::new();
        for line in lines {
            let length = line.text.len();
            // Of two, so that what the second refuses is not counted by the first.
            let mut count = self.lines.clone();
            let fits =
                count.take(mono_ms, max_lines) && self.bytes.take_some(mono_ms, length, max_bytes);
            if fits {
                self.lines = count;
                if self.dropped > 0 {
                    let dropped = std::mem::take(&mut self.dropped);
                    passed.push(warning(format!("{dropped} log lines were dropped")));
                }
                passed.push(line);
                continue;
            }
            if self.dropped == 0 {
                passed.push(warning(format!(
                    "more than {max_lines} log lines or {max_bytes} bytes of them within a minute, which are [resources] max_log_lines_per_minute and max_log_kb_per_minute of plugin.toml; further ones are dropped and counted"
                )));
            }
            self.dropped += 1;
        }
        passed
    }
}

fn warning(text: String) -> LogLine {
    let level = Level::Warn;
    LogLine { level, text }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn lines(count: usize, bytes: usize) -> Vec<LogLine> {
        let line = || LogLine {
            level: Level::Info,
            text: "x".repeat(bytes),
        };
        std::iter::repeat_with(line).take(count).collect()
    }

    #[test]
    fn lines_and_bytes_of_a_minute_are_bounded_and_what_is_dropped_is_counted() {
        for (limits, length, fitting) in [
            (
                Limits {
                    log_lines_per_minute: 10,
                    ..Limits::STANDARD
                },
                1,
                10,
            ),
            (
                Limits {
                    log_bytes_per_minute: 1000,
                    ..Limits::STANDARD
                },
                99,
                10,
            ),
        ] {
            let mut rate = LogRate::default();
            let mut written = Vec::new();
            for call in 0..200 {
                written.extend(rate.pass(1000 + call, lines(200, length), &limits));
            }
            // Those that fit, and one word, in all calls together.
            assert_eq!(written.len(), fitting + 1, "{length}");
            assert!(written[fitting].text.contains("max_log_lines_per_minute"));
            let later = rate.pass(70_000, lines(1, length), &limits);
            assert_eq!(
                later[0].text,
                format!("{} log lines were dropped", 200 * 200 - fitting)
            );
            assert_eq!(later.len(), 2);
        }
    }
}
