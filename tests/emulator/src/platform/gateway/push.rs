//! Pushing events: into the log of every session that wants them, and on to its socket.

use std::sync::Arc;

use crate::faults::{Fault, Occasion};
use crate::ids::{AppId, ConnId, EventId, Openid, SessionId};
use crate::intents::Intents;
use crate::ledger::Delivery;
use crate::platform::Platform;

/// An event on its way to a bot's sessions.
#[derive(Debug)]
pub(crate) struct Event<'a> {
    pub(crate) name: &'a str,
    /// The outer id.
    pub(crate) id: EventId,
    /// The body, as JSON.
    pub(crate) d: String,
    /// Sessions without this intent do not get it.
    pub(crate) intent: Intents,
    /// Where it happened: decides the shard. The documentation publishes no rule for C2C and groups.
    pub(crate) place: &'a Openid,
}

impl Platform {
    /// Puts an event into every session that wants it, and sends it where there is a socket.
    pub(in crate::platform) fn push(&mut self, app: &AppId, event: &Event<'_>) -> Vec<Delivery> {
        let fault = self.strike(app, Occasion::Event);
        let deliveries = self.log_event(app, event);
        if fault != Some(Fault::DropBeforeEvent) {
            for delivery in &deliveries {
                self.flush(app, &delivery.session, false);
            }
        }
        if fault.is_some() {
            self.cut_all(app, "fault at an event");
        }
        deliveries
    }

    /// Sends what a session has not sent yet, unless events are held back; logging in goes
    /// through in any case.
    pub(in crate::platform) fn flush(&mut self, app: &AppId, id: &SessionId, login: bool) {
        let now = self.now;
        let Some(bot) = self.bots.get_mut(app) else {
            return;
        };
        if now < bot.quiet_until && !login {
            return;
        }
        let Some(session) = bot.sessions.get_mut(id) else {
            return;
        };
        let Some(conn) = session.conn else { return };
        let resuming = login && session.sent > 0;
        let frames = session.take_unsent();
        if resuming {
            bot.stats.replayed += u64::try_from(frames.len()).unwrap_or(0);
        }
        for frame in frames {
            self.send(conn, frame);
        }
    }

    pub(in crate::platform) fn flush_all(&mut self, app: &AppId) {
        let Some(bot) = self.bots.get(app) else {
            return;
        };
        let ids: Vec<SessionId> = bot.sessions.keys().cloned().collect();
        for id in ids {
            self.flush(app, &id, false);
        }
    }

    pub(in crate::platform) fn cut_all(&mut self, app: &AppId, why: &'static str) {
        for conn in self.live_conns(app) {
            self.cut(conn, why);
        }
    }

    pub(in crate::platform) fn live_conns(&self, app: &AppId) -> Vec<ConnId> {
        self.bots
            .get(app)
            .map(super::super::bot::Bot::live_conns)
            .unwrap_or_default()
    }

    fn log_event(&mut self, app: &AppId, event: &Event<'_>) -> Vec<Delivery> {
        let Some(bot) = self.bots.get_mut(app) else {
            return Vec::new();
        };
        let granted = bot.settings.intents.has(event.intent);
        let bound = bot.settings.sessions.replay_events;
        let hash = place_hash(event.place);
        let mut deliveries = Vec::new();
        for session in bot.sessions.values_mut() {
            let (index, total) = session.shard;
            let wanted = granted && session.intents.has(event.intent);
            if !wanted || hash % total.max(1) != index {
                continue;
            }
            let s = session.next_s();
            session.keep(s, event_frame(s, event), bound);
            let (session, event) = (session.id.clone(), event.id.clone());
            deliveries.push(Delivery { session, s, event });
        }
        if deliveries.is_empty() {
            bot.stats.events_lost += 1;
        } else {
            bot.stats.events += 1;
        }
        deliveries
    }
}

fn event_frame(s: u64, event: &Event<'_>) -> Arc<str> {
    let (name, id, d) = (event.name, &event.id, &event.d);
    Arc::from(format!(
        "{{\"op\":0,\"s\":{s},\"t\":\"{name}\",\"id\":\"{id}\",\"d\":{d}}}"
    ))
}

/// FNV-1a: spreads places over shards, the same way every time.
fn place_hash(place: &Openid) -> u32 {
    place.as_str().bytes().fold(0x811c_9dc5, |hash: u32, byte| {
        (hash ^ u32::from(byte)).wrapping_mul(0x0100_0193)
    })
}
