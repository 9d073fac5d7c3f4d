//! What a load came to.

use std::fmt;
use std::time::Duration;

use hdrhistogram::Histogram;

/// Counts and latencies.
#[derive(Debug)]
pub struct Report {
    /// Messages written.
    pub sent: u64,
    /// Messages answered once, with the right text and a fresh number.
    pub answered: u64,
    /// Messages without an answer at the end.
    pub lost: Vec<String>,
    /// Messages in guilds that got no answer in a time of trouble: it may have been lost on the way, and
    /// nothing there may be repeated.
    pub unconfirmed: u64,
    /// How long the channel paused for each swap, ascending.
    pub pauses: Vec<Duration>,
    /// Messages with more than one answer.
    pub doubled: Vec<String>,
    /// Answers that do not fit the message.
    pub wrong: Vec<String>,
    /// What broke the platform's rules, in its words.
    pub violations: Vec<String>,
    /// Faults ordered.
    pub faults: u64,
    /// Times that the bot was killed.
    pub kills: u64,
    /// From the first message to the last answer.
    pub took: Duration,
    /// From a message's push to its answer, microseconds.
    pub latency_us: Histogram<u64>,
}

impl Report {
    /// True when nothing was lost, doubled or wrong.
    #[must_use]
    pub fn is_clean(&self) -> bool {
        self.lost.is_empty()
            && self.doubled.is_empty()
            && self.wrong.is_empty()
            && self.violations.is_empty()
    }
}

impl fmt::Display for Report {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let rate = self.answered as f64 / self.took.as_secs_f64().max(0.001);
        let at = |quantile: f64| self.latency_us.value_at_quantile(quantile) as f64 / 1_000.0;
        writeln!(
            f,
            "messages    {} sent, {} answered once, {rate:.0} a second",
            self.sent, self.answered
        )?;
        writeln!(
            f,
            "trouble     {} faults, {} kills, {} swaps",
            self.faults,
            self.kills,
            self.pauses.len()
        )?;
        if let (Some(worst), Some(median)) =
            (self.pauses.last(), self.pauses.get(self.pauses.len() / 2))
        {
            let ms = |pause: &Duration| pause.as_secs_f64() * 1_000.0;
            writeln!(
                f,
                "pause       median {:.2} ms, worst {:.2} ms",
                ms(median),
                ms(worst)
            )?;
        }
        writeln!(f, "unconfirmed {}", self.unconfirmed)?;
        writeln!(f, "lost        {}", self.lost.len())?;
        writeln!(f, "doubled     {}", self.doubled.len())?;
        writeln!(f, "wrong       {}", self.wrong.len())?;
        writeln!(f, "violations  {}", self.violations.len())?;
        writeln!(
            f,
            "latency     p50 {:.1} ms, p99 {:.1} ms, worst {:.1} ms",
            at(0.5),
            at(0.99),
            at(1.0)
        )?;
        let first = |list: &[String]| list.iter().take(5).cloned().collect::<Vec<_>>();
        for line in [
            first(&self.lost),
            first(&self.doubled),
            first(&self.wrong),
            first(&self.violations),
        ]
        .concat()
        {
            writeln!(f, "  {line}")?;
        }
        Ok(())
    }
}
