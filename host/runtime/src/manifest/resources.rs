//! The table `[resources]`: each number is checked against its ceiling.

use std::time::Duration;

use serde::Deserialize;

use super::ManifestError;
use crate::limits::Limits;

/// Bytes of the unit in which the manifest counts memory.
const MB: u64 = 1 << 20;

#[derive(Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct RawResources {
    max_memory_mb: Option<u64>,
    max_table_elements: Option<u64>,
    max_instances: Option<u64>,
    max_call_ms: Option<u64>,
    max_start_ms: Option<u64>,
    max_effects: Option<u64>,
    max_effects_mb: Option<u64>,
    max_checkpoint_mb: Option<u64>,
    max_log_lines: Option<u64>,
    max_requests: Option<u64>,
    max_requests_per_minute: Option<u64>,
    max_sockets: Option<u64>,
    max_timers: Option<u64>,
    max_store_mb: Option<u64>,
    max_blob_mb: Option<u64>,
    max_blobs_mb: Option<u64>,
}

/// The limits that a manifest asks for; the standard where it says nothing.
pub(super) fn limits(raw: &RawResources) -> Result<Limits, ManifestError> {
    let (mut limits, top) = (Limits::STANDARD, Limits::CEILING);
    let l = &mut limits;
    let one = 1;
    for (key, asked, unit, top, limit) in [
        (
            "max_memory_mb",
            raw.max_memory_mb,
            MB,
            top.memory_bytes,
            &mut l.memory_bytes,
        ),
        (
            "max_table_elements",
            raw.max_table_elements,
            one,
            top.table_elements,
            &mut l.table_elements,
        ),
        (
            "max_instances",
            raw.max_instances,
            one,
            top.instances,
            &mut l.instances,
        ),
        (
            "max_effects",
            raw.max_effects,
            one,
            top.effects_per_call,
            &mut l.effects_per_call,
        ),
        (
            "max_effects_mb",
            raw.max_effects_mb,
            MB,
            top.effect_bytes_per_call,
            &mut l.effect_bytes_per_call,
        ),
        (
            "max_checkpoint_mb",
            raw.max_checkpoint_mb,
            MB,
            top.checkpoint_bytes,
            &mut l.checkpoint_bytes,
        ),
        (
            "max_log_lines",
            raw.max_log_lines,
            one,
            top.log_lines_per_call,
            &mut l.log_lines_per_call,
        ),
        (
            "max_requests",
            raw.max_requests,
            one,
            top.requests_at_once,
            &mut l.requests_at_once,
        ),
        (
            "max_requests_per_minute",
            raw.max_requests_per_minute,
            one,
            top.requests_per_minute,
            &mut l.requests_per_minute,
        ),
        (
            "max_sockets",
            raw.max_sockets,
            one,
            top.sockets_at_once,
            &mut l.sockets_at_once,
        ),
        (
            "max_timers",
            raw.max_timers,
            one,
            top.timers_at_once,
            &mut l.timers_at_once,
        ),
        (
            "max_store_mb",
            raw.max_store_mb,
            MB,
            top.store_bytes,
            &mut l.store_bytes,
        ),
    ] {
        count(key, asked, unit, top, limit)?;
    }
    time(
        "max_call_ms",
        raw.max_call_ms,
        top.call_cpu,
        &mut l.call_cpu,
    )?;
    time(
        "max_start_ms",
        raw.max_start_ms,
        top.start_cpu,
        &mut l.start_cpu,
    )?;
    size(
        "max_blob_mb",
        raw.max_blob_mb,
        MB,
        top.blob_bytes,
        &mut l.blob_bytes,
    )?;
    let all = &mut l.blobs_total_bytes;
    size(
        "max_blobs_mb",
        raw.max_blobs_mb,
        MB,
        top.blobs_total_bytes,
        all,
    )?;
    Ok(limits)
}

/// Sets a limit to what was asked for, in units, when that is within the ceiling.
fn size(
    key: &'static str,
    asked: Option<u64>,
    unit: u64,
    top: u64,
    limit: &mut u64,
) -> Result<(), ManifestError> {
    let max = top / unit;
    match asked {
        None => {}
        Some(value) if (1..=max).contains(&value) => *limit = value * unit,
        Some(value) => return Err(ManifestError::Limit { key, value, max }),
    }
    Ok(())
}

fn count(
    key: &'static str,
    asked: Option<u64>,
    unit: u64,
    top: usize,
    limit: &mut usize,
) -> Result<(), ManifestError> {
    let mut wide = *limit as u64;
    size(key, asked, unit, top as u64, &mut wide)?;
    *limit = usize::try_from(wide).unwrap_or(usize::MAX);
    Ok(())
}

fn time(
    key: &'static str,
    asked: Option<u64>,
    top: Duration,
    limit: &mut Duration,
) -> Result<(), ManifestError> {
    let millis = |d: Duration| u64::try_from(d.as_millis()).unwrap_or(u64::MAX);
    let mut wide = millis(*limit);
    size(key, asked, 1, millis(top), &mut wide)?;
    *limit = Duration::from_millis(wide);
    Ok(())
}
