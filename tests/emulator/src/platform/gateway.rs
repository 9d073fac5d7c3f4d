//! The gateway: discovery, sockets, heartbeats, and how connections end.
//!
//! Source: the documentation's pages on WebSocket access and its error codes. Logging in is in
//! `login`, pushing events in `push`, the state of a session in `session`.

mod login;
mod push;
mod session;

use std::collections::VecDeque;
use std::sync::Arc;
use std::time::Duration;

use serde_json::{Value, json};

use super::Platform;
use super::due::Delayed;
use super::routes::Answer;
use crate::codes::close_code;
use crate::faults::{Fault, Occasion};
use crate::ids::{AppId, ConnId, SessionId};
use crate::ledger::Violation;
use crate::record::What;
use crate::time::{Millis, whole_millis};
use crate::wire::{Command, HttpRequest};

pub(crate) use push::Event;
pub(crate) use session::Session;

/// A socket that is open.
#[derive(Debug)]
pub(crate) struct Conn {
    /// The session, once logged in.
    pub(crate) login: Option<(AppId, SessionId)>,
    last_beat: Millis,
    beats: VecDeque<Millis>,
    pace: Pace,
}

/// What a socket was told of heartbeats when it opened. It stays so until the socket is gone, even
/// if the settings change meanwhile: nobody told the client.
#[derive(Debug, Clone, Copy)]
struct Pace {
    interval: Duration,
    /// Time without a heartbeat after which the socket is closed; zero means never.
    patience: Duration,
}

impl Platform {
    /// `GET /gateway`.
    pub(super) fn gateway_plain(&self) -> Answer {
        Answer::ok(&json!({"url": self.settings.gateway_url}))
    }

    /// `GET /gateway/bot`.
    pub(super) fn gateway_bot(&mut self, app: &AppId) -> Answer {
        let now = self.now;
        let Some(bot) = self.bots.get_mut(app) else {
            return Answer::error(10_001);
        };
        let (remaining, reset_after) = bot.starts.remaining(now, &bot.settings);
        Answer::ok(&json!({
            "url": self.settings.gateway_url,
            "shards": self.settings.gateway.shards,
            "session_start_limit": {
                "total": bot.settings.sessions.start_total,
                "remaining": remaining,
                "reset_after": reset_after,
                "max_concurrency": bot.settings.sessions.max_concurrency,
            },
        }))
    }

    pub(super) fn on_socket_open(&mut self, conn: ConnId, request: &HttpRequest) {
        let path = request.path.clone();
        self.log(None, What::SocketOpened { conn, path });
        let gateway = &self.settings.gateway;
        let interval = gateway.heartbeat_interval;
        let patience = interval.saturating_mul(gateway.missed_heartbeats);
        let fresh = Conn {
            login: None,
            last_beat: self.now,
            beats: VecDeque::new(),
            pace: Pace { interval, patience },
        };
        self.conns.insert(conn, fresh);
        if !patience.is_zero() {
            self.due
                .plan(self.now.plus(patience), Delayed::HeartbeatCheck { conn });
        }
        if !gateway.login_timeout.is_zero() {
            self.due.plan(
                self.now.plus(gateway.login_timeout),
                Delayed::LoginCheck { conn },
            );
        }
        let apps: Vec<AppId> = self.bots.keys().cloned().collect();
        if apps
            .iter()
            .any(|app| self.strike(app, Occasion::Connect).is_some())
        {
            return;
        }
        let hello = json!({"op": 10, "d": {"heartbeat_interval": whole_millis(interval)}});
        self.send(conn, hello.to_string());
    }

    pub(super) fn on_socket_text(&mut self, conn: ConnId, text: String) {
        if !self.conns.contains_key(&conn) {
            return;
        }
        let frame: Option<Value> = serde_json::from_str(&text).ok();
        self.log_frame_in(conn, text, frame.as_ref());
        let Some(frame) = frame.filter(Value::is_object) else {
            return self.refuse_frame(conn, 4002, "a frame that is no JSON object");
        };
        let d = frame.get("d").unwrap_or(&Value::Null);
        match frame.get("op").and_then(Value::as_u64) {
            Some(1) => self.on_heartbeat(conn, d),
            Some(2) => self.on_identify(conn, d),
            Some(6) => self.on_resume(conn, d),
            Some(_) => self.refuse_frame(conn, 4001, "an opcode that clients do not send"),
            None => self.refuse_frame(conn, 4002, "a frame without op"),
        }
    }

    pub(super) fn on_socket_binary(&mut self, conn: ConnId) {
        if self.conns.contains_key(&conn) {
            self.refuse_frame(conn, 4002, "a binary frame");
        }
    }

    pub(super) fn on_socket_gone(&mut self, conn: ConnId, code: Option<u16>) {
        let Some(app) = self.forget_conn(conn, true) else {
            return;
        };
        self.log(app.as_ref(), What::SocketGone { conn, code });
    }

    pub(super) fn check_heartbeat(&mut self, conn: ConnId) {
        let Some((last, pace)) = self.conns.get(&conn).map(|it| (it.last_beat, it.pace)) else {
            return;
        };
        if self.now.since(last) >= pace.patience {
            self.close(conn, 4009);
        } else {
            self.due
                .plan(last.plus(pace.patience), Delayed::HeartbeatCheck { conn });
        }
    }

    pub(super) fn check_login(&mut self, conn: ConnId) {
        if self
            .conns
            .get(&conn)
            .is_some_and(|conn| conn.login.is_none())
        {
            self.close(conn, 4003);
        }
    }

    fn on_heartbeat(&mut self, conn: ConnId, d: &Value) {
        if !(d.is_null() || d.is_u64()) {
            return self.refuse_frame(conn, 4002, "a heartbeat whose d is no number and not null");
        }
        let app = self.app_of(conn);
        let (last_s, burst) = (self.last_s(conn), self.beat(conn));
        // A heartbeat may cross an op 9 that took the login away: its number was right when it left.
        let logged_in = self
            .conns
            .get(&conn)
            .is_some_and(|conn| conn.login.is_some());
        if logged_in && d.as_u64().is_some_and(|d| d > last_s) {
            self.malformed(
                app.as_ref(),
                "a heartbeat with a number that was never sent",
            );
        }
        if burst {
            self.violation(app.as_ref(), Violation::HeartbeatTooFast);
            return self.close(conn, 4008);
        }
        if let Some(app) = app {
            if let Some(bot) = self.bots.get_mut(&app) {
                bot.stats.heartbeats += 1;
            }
            if self.strike(&app, Occasion::Heartbeat) == Some(Fault::LostAck) {
                return;
            }
        }
        self.send(conn, "{\"op\":11}".to_owned());
    }

    /// Notes a heartbeat; true if there were too many within one interval.
    fn beat(&mut self, conn: ConnId) -> bool {
        let most = self.settings.gateway.heartbeat_burst;
        let now = self.now;
        let Some(conn) = self.conns.get_mut(&conn) else {
            return false;
        };
        conn.last_beat = now;
        while conn
            .beats
            .front()
            .is_some_and(|&at| now.since(at) >= conn.pace.interval)
        {
            conn.beats.pop_front();
        }
        conn.beats.push_back(now);
        most > 0 && conn.beats.len() > usize::try_from(most).unwrap_or(usize::MAX)
    }

    /// Sends a frame that belongs to no session's log.
    pub(super) fn send(&mut self, conn: ConnId, text: impl Into<Arc<str>>) {
        let text: Arc<str> = text.into();
        let app = self.app_of(conn);
        self.log(
            app.as_ref(),
            What::FrameOut {
                conn,
                text: Arc::clone(&text),
            },
        );
        self.out.push(Command::SocketText { conn, text });
    }

    /// Closes a socket. If the code forbids a Resume, its session ends.
    pub(super) fn close(&mut self, conn: ConnId, code: u16) {
        let row = close_code(code);
        let Some(app) = self.forget_conn(conn, row.resume) else {
            return;
        };
        let meaning = row.meaning;
        self.log(
            app.as_ref(),
            What::SocketClosed {
                conn,
                code: Some(code),
                meaning,
            },
        );
        self.out.push(Command::SocketClose {
            conn,
            code,
            reason: meaning,
        });
    }

    /// Breaks a socket without a close frame; the session can be resumed.
    pub(super) fn cut(&mut self, conn: ConnId, meaning: &'static str) {
        let Some(app) = self.forget_conn(conn, true) else {
            return;
        };
        self.log(
            app.as_ref(),
            What::SocketClosed {
                conn,
                code: None,
                meaning,
            },
        );
        self.out.push(Command::SocketCut { conn });
    }

    fn refuse_frame(&mut self, conn: ConnId, code: u16, why: &str) {
        let app = self.app_of(conn);
        self.malformed(app.as_ref(), why);
        self.close(conn, code);
    }

    /// Forgets a socket; its session goes on without one, or ends. None if it was not there.
    fn forget_conn(&mut self, conn: ConnId, keep_session: bool) -> Option<Option<AppId>> {
        let gone = self.conns.remove(&conn)?;
        let Some((app, session)) = gone.login else {
            return Some(None);
        };
        self.leave_session(&app, &session, keep_session);
        Some(Some(app))
    }

    pub(super) fn app_of(&self, conn: ConnId) -> Option<AppId> {
        let login = self.conns.get(&conn)?.login.as_ref();
        login.map(|(app, _)| app.clone())
    }

    fn last_s(&self, conn: ConnId) -> u64 {
        let login = self.conns.get(&conn).and_then(|conn| conn.login.as_ref());
        let session = login.and_then(|(app, id)| self.bots.get(app)?.sessions.get(id));
        session.map_or(0, |session| session.last_s)
    }

    fn log_frame_in(&mut self, conn: ConnId, text: String, frame: Option<&Value>) {
        let token = frame
            .and_then(|frame| frame.pointer("/d/token"))
            .and_then(Value::as_str);
        let secret = token.map(|token| token.rsplit(' ').next().unwrap_or(token));
        let masked = match secret {
            Some(secret) if !secret.is_empty() => text.replace(secret, "***"),
            _ => text,
        };
        let app = self.app_of(conn);
        self.log(
            app.as_ref(),
            What::FrameIn {
                conn,
                text: Arc::from(masked),
            },
        );
    }
}
