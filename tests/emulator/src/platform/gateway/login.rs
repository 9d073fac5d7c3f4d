//! Identify and Resume.

use std::sync::Arc;

use serde_json::{Value, json};

use super::Session;
use crate::faults::{Fault, Occasion, Op9};
use crate::ids::{AppId, ConnId, SessionId};
use crate::intents::Intents;
use crate::ledger::Violation;
use crate::platform::Platform;
use crate::platform::bot::Bot;
use crate::platform::due::Delayed;
use crate::settings::{LoginRefusal, Standing};
use crate::time::Millis;

/// Why a login is refused: a close code, and what was wrong if the client is to blame.
struct Refused(u16, Option<&'static str>);

/// An Identify that was read.
struct Identify {
    intents: Intents,
    shard: (u32, u32),
}

impl Platform {
    pub(super) fn on_identify(&mut self, conn: ConnId, d: &Value) {
        let bad = self.settings.gateway.identify_bad_token;
        let Some(app) = self.who_logs_in(conn, d, bad, false) else {
            return;
        };
        if let Some(bot) = self.bots.get_mut(&app) {
            bot.stats.identifies += 1;
        }
        if self.login_fault(&app, conn) {
            return;
        }
        match self.check_identify(&app, d) {
            Ok(identify) => self.begin_session(conn, &app, &identify),
            Err(Refused(code, why)) => {
                if let Some(why) = why {
                    self.malformed(Some(&app), why);
                }
                self.close(conn, code);
            }
        }
    }

    pub(super) fn on_resume(&mut self, conn: ConnId, d: &Value) {
        let gateway = &self.settings.gateway;
        let (bad, bare) = (gateway.resume_bad_token, gateway.bare_resume_token);
        let Some(app) = self.who_logs_in(conn, d, bad, bare) else {
            return;
        };
        if let Some(bot) = self.bots.get_mut(&app) {
            bot.stats.resumes += 1;
        }
        if self.login_fault(&app, conn) {
            return;
        }
        let Some(id) = d
            .get("session_id")
            .and_then(Value::as_str)
            .map(SessionId::from)
        else {
            return self.refuse_frame(conn, 4002, "a Resume without session_id");
        };
        let seq = match d.get("seq") {
            Some(seq) if seq.is_u64() => seq.as_u64().unwrap_or_default(),
            Some(seq) if seq.is_number() => return self.close(conn, 4007),
            _ => return self.refuse_frame(conn, 4002, "a Resume without a numeric seq"),
        };
        let session = self.bots.get(&app).and_then(|bot| bot.sessions.get(&id));
        match session.map(|session| session.can_replay(seq)) {
            None => self.refuse_login(conn, self.settings.gateway.unknown_session),
            Some(false) => {
                self.end_session(&app, &id);
                self.close(conn, 4007);
            }
            Some(true) => self.resume_session(conn, &app, &id, seq),
        }
    }

    /// Ends a session that has had no socket since `left`.
    pub(in crate::platform) fn forget_session(
        &mut self,
        app: &AppId,
        id: &SessionId,
        left: Millis,
    ) {
        let Some(bot) = self.bots.get_mut(app) else {
            return;
        };
        if bot
            .sessions
            .get(id)
            .is_some_and(|session| session.left == Some(left))
        {
            bot.sessions.remove(id);
            self.note(Some(app), format!("session {id} can no longer be resumed"));
        }
    }

    /// Op 9. Unless `d` is true, the session of the socket ends.
    pub(in crate::platform) fn invalidate(&mut self, conn: ConnId, form: Op9) {
        let login = self.conns.get_mut(&conn).and_then(|conn| conn.login.take());
        if let Some((app, session)) = login {
            self.leave_session(&app, &session, form == Op9::True);
        }
        let frame = match form {
            Op9::True => "{\"op\":9,\"d\":true}",
            Op9::False => "{\"op\":9,\"d\":false}",
            Op9::Missing => "{\"op\":9}",
        };
        self.send(conn, frame);
        if let Some(millis) = self.settings.gateway.close_after_invalid {
            let at = Millis(self.now.0.saturating_add(millis));
            self.due.plan(at, Delayed::Close { conn, code: 1000 });
        }
    }

    /// A session loses its socket and waits to be resumed, or ends.
    pub(super) fn leave_session(&mut self, app: &AppId, id: &SessionId, keep: bool) {
        let now = self.now;
        let Some(bot) = self.bots.get_mut(app) else {
            return;
        };
        if !keep {
            bot.sessions.remove(id);
            return;
        }
        let Some(session) = bot.sessions.get_mut(id) else {
            return;
        };
        session.conn = None;
        session.left = Some(now);
        let at = now.plus(bot.settings.sessions.replay_keep);
        let (app, session) = (app.clone(), id.clone());
        self.due.plan(
            at,
            Delayed::ForgetSession {
                app,
                session,
                left: now,
            },
        );
    }

    fn end_session(&mut self, app: &AppId, id: &SessionId) {
        let Some(bot) = self.bots.get_mut(app) else {
            return;
        };
        let session = bot.sessions.remove(id);
        if let Some(conn) = session.and_then(|session| session.conn) {
            self.close(conn, 4006);
        }
    }

    /// The bot whose token a login carries. Answers for itself if there is none.
    fn who_logs_in(
        &mut self,
        conn: ConnId,
        d: &Value,
        bad: LoginRefusal,
        may_be_bare: bool,
    ) -> Option<AppId> {
        if self.app_of(conn).is_some() {
            self.refuse_frame(conn, 4005, "a second login on one connection");
            return None;
        }
        let Some(token) = d.get("token").and_then(Value::as_str) else {
            self.refuse_frame(conn, 4002, "a login without token");
            return None;
        };
        let bare = token
            .strip_prefix("QQBot ")
            .or(may_be_bare.then_some(token));
        if bare.is_none() {
            let why = "the token of a login is not of the form QQBot ACCESS_TOKEN";
            self.violation(None, Violation::BadAuthorization { why });
        }
        let app = bare.and_then(|token| self.token_owner(token));
        if app.is_none() {
            self.refuse_login(conn, bad);
        }
        app
    }

    fn refuse_login(&mut self, conn: ConnId, how: LoginRefusal) {
        match how {
            LoginRefusal::InvalidSession => self.invalidate(conn, Op9::False),
            LoginRefusal::Close(code) => self.close(conn, code),
        }
    }

    fn login_fault(&mut self, app: &AppId, conn: ConnId) -> bool {
        match self.strike(app, Occasion::Login) {
            Some(Fault::CloseAtLogin(code)) => self.close(conn, code),
            Some(Fault::InvalidAtLogin(form)) => self.invalidate(conn, form),
            _ => return false,
        }
        true
    }

    fn check_identify(&mut self, app: &AppId, d: &Value) -> Result<Identify, Refused> {
        let Some(bot) = self.bots.get(app) else {
            return Err(Refused(4004, None));
        };
        match bot.settings.standing {
            Standing::Banned => return Err(Refused(4915, None)),
            Standing::Offline if !bot.settings.sandbox => return Err(Refused(4914, None)),
            Standing::Offline | Standing::Normal => {}
        }
        let Some(bits) = d.get("intents").and_then(Value::as_u64) else {
            return Err(Refused(
                4002,
                Some("an Identify whose intents are no unsigned number"),
            ));
        };
        let intents = Intents(bits);
        if !intents.outside(Intents::known()).is_empty() {
            return Err(Refused(4013, Some("an Identify with an unknown intent")));
        }
        if !intents.outside(bot.settings.intents).is_empty() {
            return Err(Refused(4014, None));
        }
        let shard = match d.get("shard") {
            None | Some(Value::Null) if !self.settings.gateway.shard_required => (0, 1),
            None | Some(Value::Null) => {
                return Err(Refused(4010, Some("an Identify without shard")));
            }
            Some(shard) => read_shard(shard).ok_or(Refused(
                4010,
                Some("an Identify whose shard is not [index, total]"),
            ))?,
        };
        if d.get("properties")
            .is_some_and(|it| !it.is_object() && !it.is_null())
        {
            return Err(Refused(
                4002,
                Some("an Identify whose properties are no object"),
            ));
        }
        Ok(Identify { intents, shard })
    }

    fn begin_session(&mut self, conn: ConnId, app: &AppId, identify: &Identify) {
        let now = self.now;
        let Some(bot) = self.bots.get_mut(app) else {
            return;
        };
        let verdict = bot.starts.identify(now, &bot.settings);
        let enforce = bot.settings.sessions.enforce_concurrency;
        if !verdict.spaced {
            self.violation(Some(app), Violation::IdentifyTooFast);
        }
        if !verdict.left {
            self.violation(Some(app), Violation::NoSessionStartLeft);
        }
        if !verdict.left || (enforce && !verdict.spaced) {
            return self.invalidate(conn, Op9::False);
        }
        let id = self.ids.session();
        let Some(bot) = self.bots.get_mut(app) else {
            return;
        };
        bot.stats.ready += 1;
        let mut session = Session::new(id.clone(), identify.shard, identify.intents, conn);
        let ready = ready_frame(bot, &session);
        let s = session.next_s();
        session.keep(s, ready, bot.settings.sessions.replay_events);
        forget_oldest(bot);
        bot.sessions.insert(id.clone(), session);
        self.log_in(conn, app, &id);
        self.flush(app, &id, true);
        self.strike_now(app);
    }

    fn resume_session(&mut self, conn: ConnId, app: &AppId, id: &SessionId, seq: u64) {
        let old = self
            .bots
            .get(app)
            .and_then(|bot| bot.sessions.get(id)?.conn);
        if let Some(old) = old {
            self.close(old, 4009);
        }
        let extra = match self.strike(app, Occasion::Resume) {
            Some(Fault::ReplayExtra(count)) => u64::from(count),
            _ => 0,
        };
        let Some(bot) = self.bots.get_mut(app) else {
            return;
        };
        let Some(session) = bot.sessions.get_mut(id) else {
            return;
        };
        session.conn = Some(conn);
        session.left = None;
        session.sent = seq.saturating_sub(extra);
        bot.stats.resumed += 1;
        self.log_in(conn, app, id);
        self.flush(app, id, true);
        let Some(bot) = self.bots.get_mut(app) else {
            return;
        };
        let Some(session) = bot.sessions.get_mut(id) else {
            return;
        };
        let s = session.next_s();
        session.sent = s;
        self.send(
            conn,
            format!("{{\"op\":0,\"s\":{s},\"t\":\"RESUMED\",\"d\":\"\"}}"),
        );
        self.strike_now(app);
    }

    fn log_in(&mut self, conn: ConnId, app: &AppId, id: &SessionId) {
        if let Some(conn) = self.conns.get_mut(&conn) {
            conn.login = Some((app.clone(), id.clone()));
        }
        let Some(bot) = self.bots.get(app) else {
            return;
        };
        let shard = bot.sessions.get(id).map(|session| session.shard);
        let twins = bot
            .sessions
            .values()
            .filter(|session| session.conn.is_some());
        let live = twins.filter(|session| Some(session.shard) == shard).count();
        if live > 1 {
            self.violation(Some(app), Violation::TwoLiveConnections { live });
        }
    }
}

/// Keeps the number of sessions that nobody uses within its bound.
fn forget_oldest(bot: &mut Bot) {
    let mut unused: Vec<(Option<Millis>, SessionId)> = bot
        .sessions
        .values()
        .filter(|session| session.conn.is_none())
        .map(|session| (session.left, session.id.clone()))
        .collect();
    unused.sort();
    let surplus = unused.len().saturating_sub(bot.settings.sessions.resumable);
    for (_, id) in unused.into_iter().take(surplus) {
        bot.sessions.remove(&id);
    }
}

fn ready_frame(bot: &Bot, session: &Session) -> Arc<str> {
    let frame = json!({"op": 0, "s": 1, "t": "READY", "d": {
        "version": 1,
        "session_id": session.id,
        "user": {"id": bot.user_id, "username": bot.settings.name, "bot": true, "status": 1},
        "shard": [session.shard.0, session.shard.1],
    }});
    Arc::from(frame.to_string())
}

fn read_shard(shard: &Value) -> Option<(u32, u32)> {
    let [index, total] = shard.as_array()?.as_slice() else {
        return None;
    };
    let index = u32::try_from(index.as_u64()?).ok()?;
    let total = u32::try_from(total.as_u64()?).ok()?;
    (index < total).then_some((index, total))
}
