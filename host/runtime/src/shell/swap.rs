//! A component is offered to a running channel: everything that takes time happens here, beside it; the
//! core then swaps between two events, and how long that took is measured.

use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::Duration;

use tokio::sync::{mpsc, oneshot};

use super::{Channel, locked};
use crate::actor::{
    Candidate, Input, RehearsalFailed, Standing, Swap, SwapRefused, Taken, refusal,
};
use crate::bindings::v0_1::{Mark, Reply, ReportLine, log::Level};
use crate::config::Checked;
use crate::egress::BadWidening;
use crate::guest::{Component, GuestFault};
use crate::manifest::Manifest;
use crate::status::{SwapEnd, SwapNote};

/// A plugin for a channel that runs.
#[derive(Debug)]
pub struct Offer {
    /// The code.
    pub component: Arc<dyn Component>,
    /// What it asks for.
    pub manifest: Manifest,
    /// The operator's table, checked against its keys.
    pub config: Checked,
}

/// A swap that was done.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Swapped {
    /// What runs now, and what ran before.
    pub taken: Taken,
    /// How long the channel took no events.
    pub pause: Duration,
    /// How many of the last events it was tried on first.
    pub rehearsed: usize,
}

/// A swap that was not done. The component that ran goes on.
#[derive(Debug, thiserror::Error)]
pub enum SwapFailed {
    /// It runs already.
    #[error("this very component runs already ({0:.12})")]
    Same(String),
    /// A configured URL cannot be used.
    #[error(transparent)]
    Egress(#[from] BadWidening),
    /// It did not get through the rehearsal.
    #[error(transparent)]
    Rehearsal(#[from] RehearsalFailed),
    /// It was refused.
    #[error(transparent)]
    Refused(#[from] SwapRefused),
    /// The channel was stopped meanwhile.
    #[error("the channel was stopped meanwhile; start it to use the new component")]
    Gone,
}

impl Channel {
    /// Offers a component. Returns once it has taken over, or has been refused.
    pub(crate) async fn swap(self: &Arc<Self>, offer: Offer) -> Result<Swapped, SwapFailed> {
        let _alone = self.swapping.lock().await;
        let outcome = self.swap_alone(offer).await;
        match &outcome {
            Ok(done) => {
                let to = &done.taken.standing;
                tracing::info!(
                    channel = %self.name(), generation = to.generation, from = %done.taken.from, to = %to.version,
                    digest = &to.digest[..to.digest.len().min(12)], pause_us = done.pause.as_micros(), rehearsed = done.rehearsed,
                    "another component took over"
                );
            }
            Err(error) => {
                tracing::warn!(channel = %self.name(), %error, "the component was not swapped");
                self.note(
                    Level::Warn,
                    &format!("the component was not swapped: {error}"),
                );
            }
        }
        outcome
    }

    async fn swap_alone(self: &Arc<Self>, offer: Offer) -> Result<Swapped, SwapFailed> {
        let (rehearsal, egress) = {
            let actor = locked(&self.actor);
            (actor.rehearsal(), actor.egress())
        };
        let digest = offer.component.digest();
        if !digest.is_empty() && digest == rehearsal.running() {
            return Err(SwapFailed::Same(digest));
        }
        let Offer {
            component,
            manifest,
            config,
        } = offer;
        let captured = manifest.captured();
        let egress = egress.of_groups(manifest.egress)?;
        let candidate = Candidate {
            component,
            limits: manifest.limits,
            config: as_before(rehearsal.config(), &config).to_string(),
            secrets: config.secrets,
            captured,
            egress: Arc::new(egress),
        };
        let now = self.parts.clock.now();
        let tried = self.parts.tokio.spawn_blocking(move || {
            let played = rehearsal.play(&candidate, now);
            played.map(|events| (candidate, events))
        });
        let (candidate, rehearsed) = tried.await.map_err(|_| SwapFailed::Gone)??;
        let (ticket, outcome) = self.swap_ticket();
        self.push(Input::Swap(Box::new(Swap { ticket, candidate })));
        if self.is_stopped() {
            return Err(SwapFailed::Gone);
        }
        let (outcome, pause) = outcome.await.map_err(|_| SwapFailed::Gone)?;
        let taken = outcome?;
        Ok(Swapped {
            taken,
            pause,
            rehearsed,
        })
    }

    fn swap_ticket(&self) -> (u64, oneshot::Receiver<SwapOutcome>) {
        let (sender, receiver) = oneshot::channel();
        let ticket = self.next_ticket.fetch_add(1, Ordering::Relaxed);
        *locked(&self.swap_asker) = Some((ticket, sender));
        (ticket, receiver)
    }

    /// The core is done with a swap, one way or the other.
    pub(super) fn swapped(
        &self,
        ticket: u64,
        outcome: Result<Taken, SwapRefused>,
        pause: Duration,
    ) {
        if let Ok(taken) = &outcome {
            let end = SwapEnd::TookOver {
                pause_us: u64::try_from(pause.as_micros()).unwrap_or(u64::MAX),
                way_back: taken.way_back,
            };
            self.stand(taken.standing.clone(), Some(taken.from.clone()), end);
        }
        let asker = locked(&self.swap_asker).take_if(|(waiting, _)| *waiting == ticket);
        if let Some((_, asker)) = asker {
            // Whoever asked may have gone home.
            let _ = asker.send((outcome, pause));
        }
    }

    /// The component that had taken over broke, and the one before goes on.
    pub(super) fn rolled_back(&self, broke: String, standing: Standing, fault: &GuestFault) {
        tracing::error!(
            channel = %self.name(), generation = standing.generation, version = %standing.version, %fault,
            "the component that had taken over broke; the one before goes on"
        );
        locked(&self.broken).insert(broke);
        let end = SwapEnd::RolledBack {
            fault: fault.to_string(),
        };
        let from = locked(&self.standing).version.clone();
        self.stand(standing, Some(from), end);
    }

    fn stand(&self, standing: Standing, from: Option<String>, end: SwapEnd) {
        let note = SwapNote {
            wall_ms: self.parts.clock.now().wall_ms,
            from: from.unwrap_or_default(),
            to: standing.version.clone(),
            end,
        };
        *locked(&self.last_swap) = Some(note);
        *locked(&self.standing) = standing;
    }

    /// The digest of what runs.
    pub(crate) fn running_digest(&self) -> String {
        locked(&self.standing).digest.clone()
    }

    /// True for a component that took over in this process and broke.
    pub(crate) fn broke_before(&self, digest: &str) -> bool {
        locked(&self.broken).contains(digest)
    }

    /// Takes up what the operator has changed: the component first, where there is another one, then the
    /// configuration. The receiver ends with the last reply.
    pub(crate) fn renew(
        self: &Arc<Self>,
        plugin: Option<Offer>,
        config: Checked,
    ) -> mpsc::UnboundedReceiver<Reply> {
        let (sender, receiver) = mpsc::unbounded_channel();
        let channel = Arc::clone(self);
        self.parts.tokio.spawn(async move {
            if let Some(offer) = plugin {
                let done = channel.swap(offer).await;
                // Somebody else was quicker with the same one: what is left is the configuration.
                let failed = !matches!(done, Ok(_) | Err(SwapFailed::Same(_)));
                // Whoever asked may have gone home; the rest is done all the same.
                if !matches!(done, Err(SwapFailed::Same(_))) {
                    let _ = sender.send(swap_reply(done));
                }
                if failed {
                    return;
                }
            }
            let mut replies = channel.reload(config);
            while let Some(reply) = replies.recv().await {
                let _ = sender.send(reply);
            }
        });
        receiver
    }
}

/// What the core says of a swap, and how long it took.
pub(super) type SwapOutcome = (Result<Taken, SwapRefused>, Duration);

/// The configuration as it is in force, in the keys of the new component: what the operator has changed
/// beside it is taken up afterwards, in the way that every change is.
fn as_before(in_force: &str, config: &Checked) -> serde_json::Value {
    let before: serde_json::Map<String, serde_json::Value> =
        serde_json::from_str(in_force).unwrap_or_default();
    let same_kind = |a: &serde_json::Value, b: &serde_json::Value| {
        std::mem::discriminant(a) == std::mem::discriminant(b)
    };
    let merged = config.json.iter().map(|(key, new)| {
        let kept = before.get(key).filter(|old| same_kind(old, new));
        (key.clone(), kept.unwrap_or(new).clone())
    });
    serde_json::Value::Object(merged.collect())
}

fn swap_reply(done: Result<Swapped, SwapFailed>) -> Reply {
    match done {
        Ok(done) => {
            let (to, from) = (&done.taken.standing, &done.taken.from);
            let way_back = match done.taken.way_back {
                true => "the one before goes on should it break",
                false => "it does not write the state of the one before, so there is no way back",
            };
            let pause = done.pause.as_secs_f64() * 1000.0;
            let line = ReportLine {
                mark: Mark::Ok,
                topic: "component".into(),
                text: format!(
                    "{} {} took over from {from} as generation {}, after a pause of {pause:.2} ms; {way_back}",
                    to.plugin, to.version, to.generation
                ),
                evidence: Some(format!(
                    "sha256 {:.12}, tried on {} events",
                    to.digest, done.rehearsed
                )),
                fix: None,
            };
            let data = serde_json::json!({
                "generation": to.generation,
                "plugin": to.plugin,
                "version": to.version,
                "from": from,
                "digest": to.digest,
                "pause_us": u64::try_from(done.pause.as_micros()).unwrap_or(u64::MAX),
                "rehearsed": done.rehearsed,
                "way_back": done.taken.way_back,
            });
            Reply {
                id: 0,
                done: false,
                lines: vec![line],
                data: Some(data.to_string()),
                summary: None,
            }
        }
        Err(error) => {
            let judged = !matches!(
                error,
                SwapFailed::Gone | SwapFailed::Refused(SwapRefused::NotRunning)
            );
            Reply {
                data: Some(serde_json::json!({ "judged": judged }).to_string()),
                ..refusal(
                    &format!("not swapped: {error}"),
                    "the component that ran goes on; the configuration was not taken up either",
                )
            }
        }
    }
}
