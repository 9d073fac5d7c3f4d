//! All numbers of a process as Prometheus reads them.
//!
//! Names: `prx_channel_*` are the host's, one series for each channel; `prx_guest_*` are what components
//! count, with their label. The encoder adds `_total` to counters and the bucket `+Inf`. Sizes are in bytes and times in seconds where the name says so.

use std::collections::BTreeMap;
use std::fmt;

use prometheus_client::collector::Collector;
use prometheus_client::encoding::{DescriptorEncoder, prometheus_text};
use prometheus_client::metrics::MetricType;
use prometheus_client::registry::Registry;

use super::{BUCKETS, Series, Value};
use crate::bindings::v0_1::HealthLevel;
use crate::status::ChannelStatus;

/// The media type of the text.
pub(super) const MEDIA_TYPE: &str = prometheus_text::CONTENT_TYPE;

/// A number of the host's: its name, what it is, and how it is read off a status.
type Own = (&'static str, &'static str, fn(&ChannelStatus) -> u64);

const GAUGES: [Own; 15] = [
    ("health", "2 ok, 1 degraded, 0 stopped", |s| {
        level(s.health.level)
    }),
    ("uptime_seconds", "Since the start of the channel", |s| {
        s.uptime_ms / 1000
    }),
    ("memory_bytes", "Linear memory of the component", |s| {
        s.memory.bytes
    }),
    ("memory_limit_bytes", "The most that it may have", |s| {
        s.memory.limit
    }),
    ("store_bytes", "Stored entries", |s| s.store.bytes),
    ("store_limit_bytes", "The most that may be stored", |s| {
        s.store.limit
    }),
    (
        "not_stored",
        "1 while nothing is being stored, or else 0",
        |s| u64::from(s.not_stored.is_some()),
    ),
    ("blob_bytes", "Blobs on the disk", |s| s.blobs.bytes),
    ("blob_limit_bytes", "The most that they may take", |s| {
        s.blobs.limit
    }),
    ("blobs", "Blobs on the disk", |s| s.blob_count as u64),
    ("queue_length", "Inputs that wait for the component", |s| {
        s.now.queue as u64
    }),
    ("open_sockets", "Sockets open or opening", |s| {
        s.now.sockets as u64
    }),
    ("open_requests", "Requests without an answer", |s| {
        s.now.requests as u64
    }),
    ("open_timers", "Timers set", |s| s.now.timers as u64),
    ("open_turns", "Turns with the agent", |s| s.now.turns as u64),
];

const COUNTERS: [Own; 8] = [
    ("inputs", "Inputs handed to the component", |s| {
        s.counted.inputs
    }),
    ("effects", "Effects carried out", |s| s.counted.effects),
    ("requests", "HTTP requests begun", |s| s.counted.requests),
    ("requests_failed", "HTTP requests without an answer", |s| {
        s.counted.requests_failed
    }),
    ("sockets", "Sockets opened", |s| s.counted.sockets),
    (
        "commits_failed",
        "Commits that did not succeed at once",
        |s| s.counted.commits_failed,
    ),
    ("incidents", "Times that the component broke", |s| {
        s.incidents
    }),
    ("restarts", "Times that the channel started over", |s| {
        s.restarts
    }),
];

fn level(level: HealthLevel) -> u64 {
    match level {
        HealthLevel::Ok => 2,
        HealthLevel::Degraded => 1,
        HealthLevel::Stopped => 0,
    }
}

/// All numbers as text. `guests` is what components have counted, by channel.
pub fn render(
    channels: &[ChannelStatus],
    guests: &BTreeMap<String, BTreeMap<Series, Value>>,
) -> String {
    let mut registry = Registry::default();
    registry.register_collector(Box::new(Numbers {
        channels: channels.to_vec(),
        guests: families(guests),
    }));
    let mut text = String::new();
    // Writing into a string does not fail, and neither does anything in the collector.
    if let Err(error) = prometheus_text::encode(&mut text, &registry) {
        tracing::error!(%error, "the numbers cannot be written");
    }
    text
}

/// The numbers of one name: channel, label, value.
type Family = Vec<(String, String, Value)>;

/// What components count, by name and kind: one name of two kinds would be two families.
fn families(
    guests: &BTreeMap<String, BTreeMap<Series, Value>>,
) -> BTreeMap<(String, &'static str), Family> {
    let mut families = BTreeMap::<_, Family>::new();
    for (channel, series) in guests {
        for ((name, label), value) in series {
            let kind = match value {
                Value::Counter(_) => "counter",
                Value::Gauge(_) => "gauge",
                Value::Histogram { .. } => "histogram",
            };
            let family = families.entry((clean(name), kind)).or_default();
            family.push((channel.clone(), label.clone(), *value));
        }
    }
    families
}

/// A name that a monitoring takes, whatever a component calls its number.
fn clean(name: &str) -> String {
    let letters = name.chars().take(100);
    let letter = |c: char| if c.is_ascii_alphanumeric() { c } else { '_' };
    letters.map(letter).collect()
}

#[derive(Debug)]
struct Numbers {
    channels: Vec<ChannelStatus>,
    guests: BTreeMap<(String, &'static str), Family>,
}

impl Collector for Numbers {
    fn encode(&self, mut encoder: DescriptorEncoder<'_>) -> fmt::Result {
        for (own, kind) in GAUGES
            .iter()
            .map(|own| (own, MetricType::Gauge))
            .chain(COUNTERS.iter().map(|own| (own, MetricType::Counter)))
        {
            let (name, help, read) = own;
            let name = format!("prx_channel_{name}");
            let mut family = encoder.encode_descriptor(&name, help, None, kind)?;
            for status in &self.channels {
                let labels = [("channel", status.name.as_str())];
                family.encode_family(&labels)?.encode_gauge(&read(status))?;
            }
        }
        for ((name, _), family) in &self.guests {
            self.guest_family(&mut encoder, &format!("prx_guest_{name}"), family)?;
        }
        Ok(())
    }
}

impl Numbers {
    fn guest_family(
        &self,
        encoder: &mut DescriptorEncoder<'_>,
        name: &str,
        family: &Family,
    ) -> fmt::Result {
        let kind = match family.first() {
            Some((_, _, Value::Counter(_))) => MetricType::Counter,
            Some((_, _, Value::Histogram { .. })) => MetricType::Histogram,
            _ => MetricType::Gauge,
        };
        let help = "Counted by the component";
        let mut encoder = encoder.encode_descriptor(name, help, None, kind)?;
        for (channel, label, value) in family {
            let labels = [("channel", channel.as_str()), ("label", label.as_str())];
            let mut one = encoder.encode_family(&labels)?;
            match value {
                Value::Counter(v) | Value::Gauge(v) => one.encode_gauge(v)?,
                Value::Histogram {
                    count,
                    sum,
                    buckets,
                    ..
                } => histogram(&mut one, *count, *sum, buckets)?,
            }
        }
        Ok(())
    }
}

fn histogram(
    encoder: &mut prometheus_client::encoding::MetricEncoder<'_>,
    count: u64,
    sum: i64,
    buckets: &[u64],
) -> fmt::Result {
    use prometheus_client::encoding::NoLabelSet;
    let bounds = BUCKETS.iter().map(|bound| *bound as f64);
    let sorted: Vec<(f64, u64)> = bounds.zip(buckets.iter().copied()).collect();
    encoder.encode_histogram::<NoLabelSet>(sum as f64, count, &sorted, None)
}
