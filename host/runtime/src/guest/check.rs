//! Bounds on what one call hands over, checked after lifting and before anything acts on it.

use super::{FaultKind, GuestFault};
use crate::bindings::v0_1::{Action, Attachment, Effect, Piece, ReportLine, TurnMessage};
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

/// Bytes of the texts and data in an action.
fn size(action: &Action) -> usize {
    match action {
        Action::SocketOpen(open) => open.url.len() + headers(&open.headers),
        Action::SocketSend(send) => pieces(&send.payload),
        Action::SocketClose(close) => close.reason.len(),
        Action::Http(http) => {
            let names: usize = http.want_headers.iter().map(|name| text(name)).sum();
            let words = http.method.len() + http.url.len() + http.purpose.len();
            words + names + headers(&http.headers) + pieces(&http.body)
        }
        Action::TimerSet(set) => set.purpose.len(),
        Action::BlobMake(make) => pieces(&make.content) + optional(&make.name),
        Action::BlobDigest(digest) => digest.hashes.len(),
        Action::TurnBegin(begin) => {
            let shows = begin.shows.cards.iter().chain(&begin.shows.notes);
            let shows: usize = shows.map(|note| text(note)).sum();
            begin.conversation.len() + message(&begin.message) + shows + begin.shows.media.len()
        }
        Action::TurnContext(context) => context.conversation.len() + message(&context.message),
        Action::TurnCancel(cancel) => cancel.reason.len(),
        Action::TurnOutcome(outcome) => outcome.detail.len(),
        Action::ApprovalAnswer(answer) => answer.approval.len() + answer.by.len(),
        Action::StorePut(entry) => entry.key.len() + entry.value.len(),
        Action::StoreDelete(text) | Action::ConversationReset(text) => text.len(),
        Action::Metric(metric) => metric.name.len() + metric.label.len(),
        Action::Health(health) => health.code.len() + health.summary.len() + optional(&health.fix),
        Action::Reply(reply) => {
            let lines: usize = reply.lines.iter().map(line).sum();
            optional(&reply.data) + optional(&reply.summary) + lines
        }
        Action::Extension(extension) => extension.name.len() + extension.payload.len(),
        Action::HttpCancel(_)
        | Action::TimerClear(_)
        | Action::EntropyAsk(_)
        | Action::BlobDrop(_) => 0,
    }
}

/// A text of a list, which takes room even when it is empty.
fn text(text: &str) -> usize {
    size_of::<String>() + text.len()
}

fn optional(text: &Option<String>) -> usize {
    text.as_ref().map_or(0, String::len)
}

fn headers(headers: &[crate::bindings::v0_1::Header]) -> usize {
    headers
        .iter()
        .map(|h| text(&h.name) + pieces(&h.value))
        .sum()
}

fn pieces(pieces: &[Piece]) -> usize {
    pieces
        .iter()
        .map(|piece| {
            size_of::<Piece>()
                + match piece {
                    Piece::Text(text) => text.len(),
                    Piece::Secret(secret) => secret.name.len(),
                    // Its bytes are counted where it is joined, since their number is known there.
                    Piece::Blob(_) => 0,
                }
        })
        .sum()
}

fn message(message: &TurnMessage) -> usize {
    let quoted = message.quoted.as_ref();
    let quoted = quoted.map_or(0, |q| optional(&q.text) + optional(&q.author));
    let sender = &message.sender;
    let sender = sender.id.len() + optional(&sender.name) + optional(&sender.role);
    let attached = message.attachments.iter().map(|a| {
        let texts = optional(&a.name) + optional(&a.transcript) + optional(&a.missing);
        size_of::<Attachment>() + texts
    });
    let names = message.platform_id.len() + message.scene.len();
    message.text.len() + quoted + sender + names + attached.sum::<usize>()
}

fn line(line: &ReportLine) -> usize {
    let texts = optional(&line.evidence) + optional(&line.fix);
    size_of::<ReportLine>() + line.topic.len() + line.text.len() + texts
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
