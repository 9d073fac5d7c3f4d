//! Faults that strike by themselves: on the live connection, or on what the platform remembers.

use std::sync::Arc;

use serde_json::json;

use super::Platform;
use super::due::Delayed;
use super::gateway::Event;
use crate::faults::{Fault, FaultOrder, Garbage, Occasion};
use crate::ids::{AppId, ConnId, Openid};
use crate::intents::Intents;
use crate::record::What;

/// Bytes of content in [`Garbage::Huge`].
const HUGE: usize = 300_000;

impl Platform {
    /// Orders a fault. One that needs a live connection waits for the next login if there is none;
    /// one that ends the connection strikes once now and the remaining times after later logins.
    pub(super) fn on_fault(&mut self, app: &AppId, order: FaultOrder) {
        self.log(
            Some(app),
            What::FaultOrdered {
                fault: order.to_string(),
            },
        );
        let now = order.fault.occasion() == Occasion::Now;
        let unconnected = matches!(
            order.fault,
            Fault::TokenDeath | Fault::ForgetSessions | Fault::Quiet(_)
        );
        if now && unconnected {
            self.log(
                Some(app),
                What::FaultStruck {
                    fault: order.fault.to_string(),
                },
            );
            self.strike_unconnected(app, &order.fault);
            return;
        }
        if let Some(bot) = self.bots.get_mut(app) {
            bot.armed.arm(order);
        }
        if now {
            self.strike_now(app);
        }
    }

    /// Lets immediate faults that waited for a connection strike, until one ends it.
    pub(super) fn strike_now(&mut self, app: &AppId) {
        while !self.live_conns(app).is_empty() {
            let Some(fault) = self.strike(app, Occasion::Now) else {
                return;
            };
            for conn in self.live_conns(app) {
                self.strike_conn(app, conn, &fault);
            }
            if matches!(fault, Fault::Reconnect) {
                return;
            }
        }
    }

    fn strike_unconnected(&mut self, app: &AppId, fault: &Fault) {
        let now = self.now;
        let Some(bot) = self.bots.get_mut(app) else {
            return;
        };
        match fault {
            Fault::TokenDeath => bot.tokens.kill(),
            Fault::ForgetSessions => {
                let live: Vec<_> = bot.live_conns();
                bot.sessions.clear();
                for conn in live {
                    self.cut(conn, "fault: sessions forgotten");
                }
            }
            Fault::Quiet(span) => {
                bot.quiet_until = now.plus(*span);
                self.due
                    .plan(now.plus(*span), Delayed::QuietEnds { app: app.clone() });
            }
            _ => {}
        }
    }

    fn strike_conn(&mut self, app: &AppId, conn: ConnId, fault: &Fault) {
        match fault {
            Fault::Drop => self.cut(conn, "fault: drop"),
            Fault::Close(code) => self.close(conn, *code),
            Fault::InvalidSession(form) => self.invalidate(conn, *form),
            Fault::Reconnect => {
                self.send(conn, "{\"op\":7}");
                let at = self.now.plus(self.settings.gateway.reconnect_grace);
                self.due.plan(at, Delayed::Close { conn, code: 4009 });
            }
            Fault::AskHeartbeat => self.send(conn, "{\"op\":1,\"d\":null}"),
            Fault::Garbage(kind) => self.send_garbage(app, conn, *kind),
            _ => {}
        }
    }

    fn send_garbage(&mut self, app: &AppId, conn: ConnId, kind: Garbage) {
        let unlogged = match kind {
            Garbage::NotJson => Some("{\"op\":0,\"s\":".to_owned()),
            Garbage::NotObject => Some("[0,\"READY\"]".to_owned()),
            Garbage::Empty => Some(String::new()),
            Garbage::UnknownOp => Some("{\"op\":42,\"d\":{\"x\":1}}".to_owned()),
            Garbage::MissingSeq => {
                Some("{\"op\":0,\"t\":\"C2C_MESSAGE_CREATE\",\"id\":\"x\",\"d\":{}}".to_owned())
            }
            Garbage::MissingName => Some("{\"op\":0,\"d\":{\"id\":\"1\"}}".to_owned()),
            Garbage::UnknownEvent | Garbage::OddBody | Garbage::OddFields | Garbage::Huge => None,
        };
        match unlogged {
            Some(text) => self.send(conn, Arc::<str>::from(text)),
            None => self.push_garbage(app, kind),
        }
    }

    /// Garbage with a sequence number goes the way of all events.
    fn push_garbage(&mut self, app: &AppId, kind: Garbage) {
        let (name, d) = match kind {
            Garbage::OddBody => ("C2C_MESSAGE_CREATE", json!(42)),
            Garbage::OddFields => (
                "C2C_MESSAGE_CREATE",
                json!({"id": 7, "author": "nobody", "content": ["x"], "timestamp": {}}),
            ),
            Garbage::Huge => ("EMULATOR_HUGE", json!({"content": "巨".repeat(HUGE / 3)})),
            _ => ("EMULATOR_UNHEARD_OF", json!({"a": [1, null, {"b": "c"}]})),
        };
        let id = self.ids.event(name);
        let place = Openid::from("");
        // No real intent: whoever is connected gets it.
        let intent = Intents(0);
        self.push(
            app,
            &Event {
                name,
                id,
                d: d.to_string(),
                intent,
                place: &place,
            },
        );
    }
}
