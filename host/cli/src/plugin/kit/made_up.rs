//! A table for a channel that nobody has configured: its defaults, and something for what must be there.

use std::collections::BTreeMap;

use prx_host::bindings::v0_1::{ChannelInfo, Instant, KeyKind, KeySpec};
use prx_host::egress::{EgressGroup, HostPattern, Widening};
use serde_json::{Map, Value, json};

/// When made-up days begin.
pub(super) const NOW: Instant = Instant {
    mono_ms: 1_000_000,
    wall_ms: 1_800_000_000_000,
};

/// The table as JSON, without secrets. What was given wins.
pub(in crate::plugin) fn config(
    info: &ChannelInfo,
    groups: &[EgressGroup],
    given: &BTreeMap<String, Value>,
) -> Map<String, Value> {
    let keys = info.keys.iter().filter(|key| !key.secret);
    keys.filter_map(|key| {
        let value = given.get(&key.name).map(|value| match (key.kind, value) {
            // A number may be meant as a text.
            (KeyKind::Text, Value::Number(number)) => Value::String(number.to_string()),
            (_, value) => value.clone(),
        });
        Some((key.name.clone(), value.or_else(|| of_key(key, groups))?))
    })
    .collect()
}

/// A value, where there has to be one.
fn of_key(key: &KeySpec, groups: &[EgressGroup]) -> Option<Value> {
    let default = key.default.as_ref();
    let default = default.and_then(|json| serde_json::from_str(json).ok());
    if default.is_some() || !key.required {
        return default;
    }
    if let Some(first) = key.allowed.first() {
        return Some(first.as_str().into());
    }
    Some(match key.kind {
        KeyKind::Boolean => false.into(),
        KeyKind::Integer => key.minimum.unwrap_or(1).into(),
        KeyKind::TextList => json!([]),
        KeyKind::Text => match &key.widens_egress {
            Some(group) => address(group, groups).into(),
            None => "1".into(),
        },
    })
}

/// An address that the group allows; this machine where it names no host.
fn address(group: &str, groups: &[EgressGroup]) -> String {
    let group = groups.iter().find(|g| g.name == group);
    let exact = |pattern: &HostPattern| match pattern {
        HostPattern::Exact(name) => Some(name.clone()),
        HostPattern::Below(_) => None,
    };
    match group.and_then(|group| group.hosts.iter().find_map(exact)) {
        Some(host) => format!("wss://{host}/"),
        None => "ws://localhost:9/".to_owned(),
    }
}

/// What the values of a table add to the manifest's groups.
pub(in crate::plugin) fn widenings(
    info: &ChannelInfo,
    config: &Map<String, Value>,
) -> Vec<Widening> {
    let keys = info.keys.iter();
    keys.filter_map(|key| {
        let url = config.get(&key.name)?.as_str()?.parse().ok()?;
        let group = key.widens_egress.clone()?;
        Some(Widening { group, url })
    })
    .collect()
}
