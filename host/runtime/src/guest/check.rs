//! Bounds on what one call hands over, checked after lifting and before anything acts on it.

use super::{FaultKind, GuestFault};
use crate::bindings::v0_1::{Action, Effect, Piece, ReportLine, TurnMessage};
use crate::limits::Limits;

/// Longest key of a stored entry, bytes.
pub const MAX_KEY_BYTES: usize = 200;
/// Longest value of a stored entry, bytes.
pub const MAX_VALUE_BYTES: usize = 256 << 10;

/// Checks the effects of one call.
///
/// # Errors
/// Too many, too large, or an entry out of bounds.
pub fn effects(effects: &[Effect], limits: &Limits) -> Result<(), GuestFault> {
    let bad = |message: String| Err(GuestFault::new(FaultKind::BadOutput, message));
    if effects.len() > limits.effects_per_call {
        return bad(format!(
            "{} effects in one call, {} are allowed",
            effects.len(),
            limits.effects_per_call
        ));
    }
    let mut bytes = 0usize;
    for effect in effects {
        if let Action::StorePut(entry) = &effect.action
            && (entry.key.len() > MAX_KEY_BYTES || entry.value.len() > MAX_VALUE_BYTES)
        {
            return bad(format!(
                "an entry with a key of {} and a value of {} bytes, {MAX_KEY_BYTES} and {MAX_VALUE_BYTES} are allowed",
                entry.key.len(),
                entry.value.len()
            ));
        }
        bytes = bytes.saturating_add(size(&effect.action));
    }
    if bytes > limits.effect_bytes_per_call {
        return bad(format!(
            "effects of {bytes} bytes in one call, {} are allowed",
            limits.effect_bytes_per_call
        ));
    }
    Ok(())
}

/// Bytes of what can be long in an action.
fn size(action: &Action) -> usize {
    match action {
        Action::SocketOpen(open) => open.url.len() + headers(&open.headers),
        Action::SocketSend(send) => pieces(&send.payload),
        Action::SocketClose(close) => close.reason.len(),
        Action::Http(http) => http.url.len() + headers(&http.headers) + pieces(&http.body),
        Action::BlobMake(make) => pieces(&make.content),
        Action::TurnBegin(begin) => message(&begin.message),
        Action::TurnContext(context) => message(&context.message),
        Action::TurnOutcome(outcome) => outcome.detail.len(),
        Action::StorePut(entry) => entry.key.len() + entry.value.len(),
        Action::StoreDelete(text) | Action::ConversationReset(text) => text.len(),
        Action::Health(health) => health.summary.len(),
        Action::Reply(reply) => {
            reply.data.as_ref().map_or(0, String::len) + reply.lines.iter().map(line).sum::<usize>()
        }
        Action::Extension(extension) => extension.payload.len(),
        Action::HttpCancel(_)
        | Action::TimerSet(_)
        | Action::TimerClear(_)
        | Action::EntropyAsk(_)
        | Action::BlobDigest(_)
        | Action::BlobDrop(_)
        | Action::TurnCancel(_)
        | Action::ApprovalAnswer(_)
        | Action::Metric(_) => 0,
    }
}

fn headers(headers: &[crate::bindings::v0_1::Header]) -> usize {
    headers
        .iter()
        .map(|h| h.name.len() + pieces(&h.value))
        .sum()
}

fn pieces(pieces: &[Piece]) -> usize {
    pieces
        .iter()
        .map(|piece| match piece {
            Piece::Text(text) => text.len(),
            Piece::Secret(secret) => secret.name.len(),
            Piece::Blob(_) => 0,
        })
        .sum()
}

fn message(message: &TurnMessage) -> usize {
    let quoted = message.quoted.as_ref().and_then(|q| q.text.as_ref());
    message.text.len() + quoted.map_or(0, String::len)
}

fn line(line: &ReportLine) -> usize {
    line.text.len() + line.evidence.as_ref().map_or(0, String::len)
}

/// Checks a checkpoint's size.
///
/// # Errors
/// Too large.
pub fn checkpoint(bytes: &[u8], limits: &Limits) -> Result<(), GuestFault> {
    let (len, max) = (bytes.len(), limits.checkpoint_bytes);
    if len > max {
        let message = format!("the checkpoint has {len} bytes, {max} are allowed");
        return Err(GuestFault::new(FaultKind::BadOutput, message));
    }
    Ok(())
}
