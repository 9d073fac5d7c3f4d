//! Settling an event that made an earlier instance trap: without interpreting it, so that it cannot trap again.

use crate::bindings::{
    BlobMade, DigestDone, Failure, HttpDone, HttpOutcome, Skipped, SocketEnd, Stage, TurnEvent,
    TurnNews,
};
use crate::env::Level;
use crate::gateway::frame;
use crate::ids::{SocketId, TurnId};

use super::Channel;

impl Channel {
    pub(super) fn on_skipped(&mut self, skipped: &Skipped) {
        self.env.log(
            Level::Error,
            format!(
                "an event of kind {} could not be handled: {}",
                skipped.kind, skipped.cause
            ),
        );
        self.env.count("events_skipped", "");
        match (skipped.kind.as_str(), skipped.id) {
            // The sequence number is passed, or every Resume would bring the same event again.
            ("socket-text", _) => {
                let seq = skipped
                    .raw
                    .as_deref()
                    .and_then(frame::read)
                    .and_then(|frame| frame.seq);
                self.gateway.handled(seq);
            }
            // Without these the connection would stand open for ever on one side only.
            ("socket-opened", Some(id)) => self.gateway.on_opened(SocketId(id)),
            ("socket-closed", Some(id)) => {
                let end = SocketEnd::Failed(Failure {
                    stage: Stage::Host,
                    detail: "the end of the connection could not be handled".to_owned(),
                    maybe_received: true,
                });
                let closed = self.gateway.on_closed(&mut self.env, SocketId(id), &end);
                self.want(closed);
            }
            ("http-done", Some(id)) => self.on_http(&HttpDone {
                id,
                outcome: HttpOutcome::Failed(Failure {
                    stage: Stage::Host,
                    detail: "the answer could not be handled".to_owned(),
                    maybe_received: true,
                }),
                used: Vec::new(),
                captured: Vec::new(),
            }),
            ("entropy", Some(id)) => self.on_random(id, &[]),
            ("digest-done", Some(id)) => self.on_digest(&DigestDone {
                id,
                digests: Vec::new(),
            }),
            ("blob-made", Some(id)) => self.on_blob_made(&BlobMade {
                blob: id,
                made: Err("its making could not be handled".to_owned()),
            }),
            ("timer-fired", Some(id)) => self.rearm(id),
            ("turn", Some(id)) => {
                let attempt = self
                    .turns
                    .open
                    .get(&TurnId(id))
                    .map_or(0, |turn| turn.attempt);
                let news =
                    TurnNews::Failed("what the agent reported could not be handled".to_owned());
                self.turns.on_news(
                    &mut self.env,
                    TurnEvent {
                        turn: id,
                        attempt,
                        news,
                    },
                );
            }
            _ => {}
        }
    }

    /// A timer whose firing could not be handled is tried again a little later.
    fn rearm(&mut self, id: u64) {
        const LATER_MS: u64 = 5_000;
        if let Some(timer) = self.env.timers.take(crate::ids::TimerId(id)) {
            self.env.set_timer(timer, LATER_MS);
        }
    }
}
