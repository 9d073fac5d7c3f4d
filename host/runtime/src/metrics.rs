//! Numbers that channels report, added up for whoever reads them.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, PoisonError};

use crate::bindings::v0_1::{Metric, MetricKind};

/// Different series of one channel; a guest that makes up names does not fill the memory.
const MAX_SERIES: usize = 1000;

/// Which number.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Series {
    /// The channel.
    pub channel: String,
    /// The metric.
    pub name: String,
    /// Its label value, or empty.
    pub label: String,
}

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
    },
}

/// All numbers of a process. Cheap to clone.
#[derive(Debug, Clone, Default)]
pub struct Metrics {
    series: Arc<Mutex<BTreeMap<Series, Value>>>,
}

impl Metrics {
    pub(crate) fn record(&self, channel: &str, metric: &Metric) {
        let mut all = self.series.lock().unwrap_or_else(PoisonError::into_inner);
        let series = Series {
            channel: channel.to_owned(),
            name: metric.name.clone(),
            label: metric.label.clone(),
        };
        let full = all.keys().filter(|s| s.channel == channel).count() >= MAX_SERIES;
        if full && !all.contains_key(&series) {
            return;
        }
        let v = metric.value;
        let value = match (metric.kind, all.get(&series)) {
            (MetricKind::Counter, Some(Value::Counter(sum))) => {
                Value::Counter(sum.saturating_add(v))
            }
            (MetricKind::Counter, _) => Value::Counter(v),
            (MetricKind::Gauge, _) => Value::Gauge(v),
            (MetricKind::Histogram, Some(Value::Histogram { count, sum, max })) => {
                Value::Histogram {
                    count: count + 1,
                    sum: sum.saturating_add(v),
                    max: v.max(*max),
                }
            }
            (MetricKind::Histogram, _) => Value::Histogram {
                count: 1,
                sum: v,
                max: v,
            },
        };
        all.insert(series, value);
    }

    /// Everything as it is now.
    pub fn snapshot(&self) -> BTreeMap<Series, Value> {
        self.series
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .clone()
    }
}
