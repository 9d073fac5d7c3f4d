//! What was measured, as a table of Markdown: numbers of one run side by side, and their ratios.

use std::collections::BTreeMap;
use std::fmt::Write;

use super::load::Measured;
use super::subject::Kind;

/// Messages in flight that are measured.
pub const LOADS: [usize; 3] = [1, 64, 512];

/// All rounds of one run.
#[derive(Debug, Clone, Default)]
pub struct Results {
    rounds: BTreeMap<(Kind, usize), Vec<Measured>>,
    peak_rss: BTreeMap<Kind, u64>,
    /// What could not be measured, and why.
    pub absent: Vec<(Kind, String)>,
}

impl Results {
    /// Adds a phase.
    pub fn add(&mut self, kind: Kind, in_flight: usize, measured: Measured) {
        let rounds = self.rounds.entry((kind, in_flight)).or_default();
        rounds.push(measured);
    }

    /// Notes the most memory that a subject has held, bytes.
    pub fn peak(&mut self, kind: Kind, bytes: u64) {
        let peak = self.peak_rss.entry(kind).or_default();
        *peak = bytes.max(*peak);
    }

    /// What was measured.
    pub fn kinds(&self) -> Vec<Kind> {
        let measured = |kind: &Kind| self.rounds.keys().any(|(of, _)| of == kind);
        Kind::ALL.into_iter().filter(measured).collect()
    }

    fn of(&self, kind: Kind, in_flight: usize) -> &[Measured] {
        self.rounds
            .get(&(kind, in_flight))
            .map_or(&[], Vec::as_slice)
    }

    /// Messages a second: the median of the rounds.
    #[must_use]
    pub fn rate(&self, kind: Kind, in_flight: usize) -> f64 {
        median(
            self.of(kind, in_flight)
                .iter()
                .map(Measured::rate)
                .collect(),
        )
    }

    /// CPU time for one message, microseconds: the median of the rounds.
    #[must_use]
    pub fn cpu_us(&self, kind: Kind, in_flight: usize) -> f64 {
        median(
            self.of(kind, in_flight)
                .iter()
                .map(Measured::cpu_us)
                .collect(),
        )
    }

    /// A latency over all rounds, milliseconds.
    #[must_use]
    pub fn latency_ms(&self, kind: Kind, in_flight: usize, quantile: f64) -> f64 {
        let mut rounds = self.of(kind, in_flight).iter();
        let Some(first) = rounds.next() else {
            return 0.0;
        };
        let mut all = first.clone();
        for round in rounds {
            // All of them grow by themselves and have the same precision.
            let _ = all.latency_ns.add(&round.latency_ns);
        }
        all.latency_ms(quantile)
    }

    /// One value against another's, round by round; the median.
    fn ratio(&self, of: Kind, to: Kind, in_flight: usize, value: fn(&Measured) -> f64) -> f64 {
        let pairs = self.of(of, in_flight).iter().zip(self.of(to, in_flight));
        median(
            pairs
                .map(|(of, to)| value(of) / value(to).max(1e-9))
                .collect(),
        )
    }

    /// The table, in Markdown.
    #[must_use]
    pub fn markdown(&self) -> String {
        let mut text = String::from(
            "| subject | msg/s at 1 | at 64 | at 512 | p50 / p99 / p99.9 ms at 1 | at 64 | at 512 | CPU µs a message, at 64 | peak memory MiB |\n|---|---|---|---|---|---|---|---|---|\n",
        );
        for kind in self.kinds() {
            let _ = write!(text, "| {} |", kind.name());
            for load in LOADS {
                let _ = write!(text, " {:.0} |", self.rate(kind, load));
            }
            for load in LOADS {
                let at = |quantile| short(self.latency_ms(kind, load, quantile));
                let _ = write!(text, " {} / {} / {} |", at(0.5), at(0.99), at(0.999));
            }
            let peak = self.peak_rss.get(&kind).copied().unwrap_or(0);
            let _ = writeln!(
                text,
                " {:.0} | {:.1} |",
                self.cpu_us(kind, 64),
                peak as f64 / f64::from(1 << 20)
            );
        }
        text.push_str(&self.ratios());
        text.push_str(&self.unclean());
        text
    }

    fn ratios(&self) -> String {
        if !self.kinds().contains(&Kind::Host) {
            return String::new();
        }
        let mut text = String::from(
            "\n| this host with the component against | msg/s at 1 | at 64 | at 512 | p50 at 1 | CPU a message, at 64 |\n|---|---|---|---|---|---|\n",
        );
        let host = Kind::Host;
        for other in self.kinds() {
            if matches!(other, Kind::Host | Kind::Null) {
                continue;
            }
            let _ = write!(text, "| {} |", other.name());
            for load in LOADS {
                let ratio = self.ratio(host, other, load, Measured::rate);
                let _ = write!(text, " {ratio:.2}x |");
            }
            let p50 = self.ratio(host, other, 1, |m| m.latency_ms(0.5));
            let cpu = self.ratio(host, other, 64, Measured::cpu_us);
            let _ = writeln!(text, " {p50:.2}x | {cpu:.2}x |");
        }
        text
    }

    /// What makes a row worth less.
    fn unclean(&self) -> String {
        let mut text = String::new();
        for ((kind, load), rounds) in &self.rounds {
            let lost: usize = rounds.iter().map(|round| round.lost).sum();
            let strays: u64 = rounds.iter().map(|round| round.strays).sum();
            if lost > 0 || strays > 0 {
                let _ = writeln!(
                    text,
                    "\n{} at {load} in flight: {lost} messages were not answered within 30 s, {strays} answers too many.",
                    kind.name()
                );
            }
        }
        for (kind, why) in &self.absent {
            let _ = writeln!(text, "\nNot measured: {}: {why}.", kind.name());
        }
        text
    }
}

/// Three digits that matter.
fn short(value: f64) -> String {
    match value {
        v if v < 1.0 => format!("{v:.3}"),
        v if v < 10.0 => format!("{v:.2}"),
        v if v < 100.0 => format!("{v:.1}"),
        v => format!("{v:.0}"),
    }
}

/// The middle one; 0 of nothing.
#[must_use]
pub fn median(mut values: Vec<f64>) -> f64 {
    values.sort_by(f64::total_cmp);
    values.get(values.len() / 2).copied().unwrap_or(0.0)
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use hdrhistogram::Histogram;

    use super::*;

    fn measured(replies: u64, latency_us: u64) -> Measured {
        let mut latency_ns = Histogram::new(3).unwrap();
        latency_ns.record(latency_us * 1_000).unwrap();
        Measured {
            replies,
            took: Duration::from_secs(1),
            cpu: Duration::from_millis(100),
            latency_ns,
            lost: 0,
            strays: 0,
        }
    }

    #[test]
    fn a_ratio_is_taken_within_a_round_since_the_machine_changes_between_rounds() {
        let mut results = Results::default();
        for (bare, host) in [(1_000, 500), (100, 50), (4_000, 2_000)] {
            results.add(Kind::Bare, 64, measured(bare, 100));
            results.add(Kind::Host, 64, measured(host, 200));
        }
        let ratio = results.ratio(Kind::Host, Kind::Bare, 64, Measured::rate);
        assert!((ratio - 0.5).abs() < 1e-9, "{ratio}");
        assert!(
            results.markdown().contains("| 0.50x |"),
            "{}",
            results.markdown()
        );
    }
}
