//! Numbers that channels report, added up for whoever reads them.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, PoisonError};

use crate::bindings::v0_1::{Metric, MetricKind};

mod expose;
mod serve;

pub use expose::render;
pub use serve::{MetricsError, MetricsServer};

/// Different series of one channel; a guest that makes up names does not fill the memory.
const MAX_SERIES: usize = 1000;

/// Upper bounds of the buckets that observations are sorted into, whatever they measure.
pub const BUCKETS: [i64; 12] = [
    1, 3, 10, 30, 100, 300, 1_000, 3_000, 10_000, 30_000, 100_000, 300_000,
];

/// Which number of a channel: its name, and its label value or nothing.
pub type Series = (String, String);

/// What has been counted.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Value {
    /// A sum.
    Counter(i64),
    /// The last value.
    Gauge(i64),
    /// Observations.
    Histogram {
        /// How many.
        count: u64,
        /// Their sum.
        sum: i64,
        /// The largest.
        max: i64,
        /// How many were at most each of [`BUCKETS`] and more than the one before.
        buckets: [u64; BUCKETS.len()],
    },
}

/// All numbers of a process, by channel. Cheap to clone.
#[derive(Debug, Clone, Default)]
pub struct Metrics {
    channels: Arc<Mutex<BTreeMap<String, BTreeMap<Series, Value>>>>,
}

impl Metrics {
    pub(crate) fn record(&self, channel: &str, metric: &Metric) {
        let mut all = self.channels.lock().unwrap_or_else(PoisonError::into_inner);
        let known = match all.get_mut(channel) {
            Some(known) => known,
            None => all.entry(channel.to_owned()).or_default(),
        };
        let series = (metric.name.clone(), metric.label.clone());
        if known.len() >= MAX_SERIES && !known.contains_key(&series) {
            return;
        }
        let before = known.get(&series);
        let value = counted(metric.kind, before, metric.value);
        known.insert(series, value);
    }

    /// Everything as it is now.
    pub fn snapshot(&self) -> BTreeMap<String, BTreeMap<Series, Value>> {
        self.channels
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .clone()
    }
}

fn counted(kind: MetricKind, before: Option<&Value>, v: i64) -> Value {
    match (kind, before) {
        (MetricKind::Counter, Some(Value::Counter(sum))) => Value::Counter(sum.saturating_add(v)),
        (MetricKind::Counter, _) => Value::Counter(v),
        (MetricKind::Gauge, _) => Value::Gauge(v),
        (MetricKind::Histogram, before) => observed(before, v),
    }
}

fn observed(before: Option<&Value>, v: i64) -> Value {
    let (count, sum, max, mut buckets) = match before {
        Some(Value::Histogram {
            count,
            sum,
            max,
            buckets,
        }) => (*count, *sum, *max, *buckets),
        _ => (0, 0, v, [0; BUCKETS.len()]),
    };
    let bucket = BUCKETS.iter().position(|bound| v <= *bound);
    if let Some(bucket) = bucket.and_then(|index| buckets.get_mut(index)) {
        *bucket += 1;
    }
    Value::Histogram {
        count: count + 1,
        sum: sum.saturating_add(v),
        max: v.max(max),
        buckets,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_add_up_by_their_kind_and_made_up_names_are_bounded() {
        let metrics = Metrics::default();
        let record = |name: &str, kind, value| {
            let (name, label) = (name.to_owned(), String::new());
            metrics.record(
                "bot",
                &Metric {
                    name,
                    label,
                    kind,
                    value,
                },
            );
        };
        for value in [3, 4] {
            record("c", MetricKind::Counter, value);
            record("g", MetricKind::Gauge, value);
            record("h", MetricKind::Histogram, value);
        }
        for n in 0..2 * MAX_SERIES {
            record(&format!("made-up-{n}"), MetricKind::Gauge, 1);
        }
        let all = &metrics.snapshot()["bot"];
        let get = |name: &str| all[&(name.to_owned(), String::new())];
        assert_eq!(get("c"), Value::Counter(7));
        assert_eq!(get("g"), Value::Gauge(4));
        let seen = Value::Histogram {
            count: 2,
            sum: 7,
            max: 4,
            buckets: [0, 1, 1, 0, 0, 0, 0, 0, 0, 0, 0, 0],
        };
        assert_eq!(get("h"), seen);
        assert_eq!(all.len(), MAX_SERIES);
    }
}
