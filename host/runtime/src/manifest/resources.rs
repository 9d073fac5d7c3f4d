//! The table `[resources]`: each number is checked against its ceiling.

use std::time::Duration;

use serde::Deserialize;

use super::ManifestError;
use crate::limits::Limits;

/// Bytes of the units in which the manifest counts.
const KB: u64 = 1 << 10;
const MB: u64 = 1 << 20;
/// What is stored may take one part of so many of the guest's memory: a start is handed all of it, and builds its own
/// from it.
const STORED_PART_OF_MEMORY: usize = 3;

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
    max_log_lines_per_minute: Option<u64>,
    max_log_kb_per_minute: Option<u64>,
    max_requests: Option<u64>,
    max_requests_per_minute: Option<u64>,
    max_answer_kb: Option<u64>,
    max_answers_mb: Option<u64>,
    max_sockets: Option<u64>,
    max_message_kb: Option<u64>,
    max_unsent_mb: Option<u64>,
    max_timers: Option<u64>,
    max_turns: Option<u64>,
    max_turns_per_minute: Option<u64>,
    max_work: Option<u64>,
    max_asks_per_minute: Option<u64>,
    max_store_mb: Option<u64>,
    max_blob_mb: Option<u64>,
    max_blobs_mb: Option<u64>,
}

/// A key, what the manifest asks for, the unit, the ceiling, and the limit that it is about.
type Row<'l> = (&'static str, Option<u64>, u64, usize, &'l mut usize);

/// The limits that a manifest asks for; the standard where it says nothing.
pub(super) fn limits(raw: &RawResources) -> Result<Limits, ManifestError> {
    let (mut limits, top) = (Limits::STANDARD, Limits::CEILING);
    for (key, asked, unit, top, limit) in of_calls(raw, &mut limits) {
        count(key, asked, unit, top, limit)?;
    }
    for (key, asked, unit, top, limit) in at_once(raw, &mut limits) {
        count(key, asked, unit, top, limit)?;
    }
    for (key, asked, unit, top, limit) in per_minute(raw, &mut limits) {
        count(key, asked, unit, top, limit)?;
    }
    let l = &mut limits;
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
    let (blob, blobs) = (top.blob_bytes, top.blobs_total_bytes);
    size("max_blob_mb", raw.max_blob_mb, MB, blob, &mut l.blob_bytes)?;
    size(
        "max_blobs_mb",
        raw.max_blobs_mb,
        MB,
        blobs,
        &mut l.blobs_total_bytes,
    )?;
    stored(raw, &mut limits)?;
    Ok(limits)
}

/// What may be stored fits into memory, with room for what a start makes of it.
fn stored(raw: &RawResources, limits: &mut Limits) -> Result<(), ManifestError> {
    let most = limits.memory_bytes / STORED_PART_OF_MEMORY;
    if raw.max_store_mb.is_none() {
        limits.store_bytes = limits.store_bytes.min(most);
    }
    if limits.store_bytes > most {
        return Err(ManifestError::StoreAboveMemory {
            store: limits.store_bytes as u64 / MB,
            memory: limits.memory_bytes as u64 / MB,
        });
    }
    Ok(())
}

#[rustfmt::skip]
fn of_calls<'l>(raw: &RawResources, l: &'l mut Limits) -> [Row<'l>; 7] {
    let top = Limits::CEILING;
    [
        ("max_memory_mb", raw.max_memory_mb, MB, top.memory_bytes, &mut l.memory_bytes),
        ("max_table_elements", raw.max_table_elements, 1, top.table_elements, &mut l.table_elements),
        ("max_instances", raw.max_instances, 1, top.instances, &mut l.instances),
        ("max_effects", raw.max_effects, 1, top.effects_per_call, &mut l.effects_per_call),
        ("max_effects_mb", raw.max_effects_mb, MB, top.effect_bytes_per_call, &mut l.effect_bytes_per_call),
        ("max_checkpoint_mb", raw.max_checkpoint_mb, MB, top.checkpoint_bytes, &mut l.checkpoint_bytes),
        ("max_log_lines", raw.max_log_lines, 1, top.log_lines_per_call, &mut l.log_lines_per_call),
    ]
}

#[rustfmt::skip]
fn at_once<'l>(raw: &RawResources, l: &'l mut Limits) -> [Row<'l>; 10] {
    let top = Limits::CEILING;
    [
        ("max_requests", raw.max_requests, 1, top.requests_at_once, &mut l.requests_at_once),
        ("max_answer_kb", raw.max_answer_kb, KB, top.answer_bytes, &mut l.answer_bytes),
        ("max_answers_mb", raw.max_answers_mb, MB, top.answers_bytes, &mut l.answers_bytes),
        ("max_sockets", raw.max_sockets, 1, top.sockets_at_once, &mut l.sockets_at_once),
        ("max_message_kb", raw.max_message_kb, KB, top.message_bytes, &mut l.message_bytes),
        ("max_unsent_mb", raw.max_unsent_mb, MB, top.unsent_bytes, &mut l.unsent_bytes),
        ("max_timers", raw.max_timers, 1, top.timers_at_once, &mut l.timers_at_once),
        ("max_turns", raw.max_turns, 1, top.turns_at_once, &mut l.turns_at_once),
        ("max_work", raw.max_work, 1, top.work_at_once, &mut l.work_at_once),
        ("max_store_mb", raw.max_store_mb, MB, top.store_bytes, &mut l.store_bytes),
    ]
}

#[rustfmt::skip]
fn per_minute<'l>(raw: &RawResources, l: &'l mut Limits) -> [Row<'l>; 5] {
    let top = Limits::CEILING;
    [
        ("max_requests_per_minute", raw.max_requests_per_minute, 1, top.requests_per_minute, &mut l.requests_per_minute),
        ("max_turns_per_minute", raw.max_turns_per_minute, 1, top.turns_per_minute, &mut l.turns_per_minute),
        ("max_asks_per_minute", raw.max_asks_per_minute, 1, top.asks_per_minute, &mut l.asks_per_minute),
        ("max_log_lines_per_minute", raw.max_log_lines_per_minute, 1, top.log_lines_per_minute, &mut l.log_lines_per_minute),
        ("max_log_kb_per_minute", raw.max_log_kb_per_minute, KB, top.log_bytes_per_minute, &mut l.log_bytes_per_minute),
    ]
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
