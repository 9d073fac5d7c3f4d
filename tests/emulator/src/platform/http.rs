//! HTTP in general: from a request to its one answer, with faults between them.

use std::sync::Arc;
use std::time::Duration;

use serde_json::json;

use super::Platform;
use super::due::Delayed;
use super::routes::{self, Answer, Call, Found, Handler};
use crate::codes::{ErrorCode, error_code};
use crate::faults::{CallPoint, Fault, HttpFault, Occasion};
use crate::ids::{AppId, Ticket};
use crate::ledger::Violation;
use crate::record::What;
use crate::wire::{Command, HttpRequest, HttpResponse};

/// Characters of a request's body that the log keeps.
const LOGGED: usize = 16_000;

impl Platform {
    pub(super) fn on_http(&mut self, ticket: Ticket, request: HttpRequest) {
        let path = request.segments().unwrap_or_default();
        let found = routes::find(&request.method, &path, self.settings.gateway.discovery);
        let kind = request.header("content-type").unwrap_or_default();
        let storage = path.first().is_some_and(|first| first == "cos");
        let bytes = storage || kind.starts_with("multipart/");
        let json = match bytes {
            true => None,
            false => serde_json::from_slice(&request.body).ok(),
        };
        let app = match path.first().map(String::as_str) {
            Some("cos") => path.get(1).and_then(|upload| self.upload_owner(upload)),
            // Whoever downloads says nothing of themselves: it concerns the first bot.
            Some("download") => self.default_app().cloned(),
            _ => self.caller(&request, json.as_ref()),
        };
        let text = match bytes {
            true => Arc::from(format!("({} bytes)", request.body.len())),
            false => Arc::from(String::from_utf8_lossy(&request.body)),
        };
        let call = Call {
            request,
            path,
            found,
            text,
            json,
            app,
        };
        self.log_request(ticket, &call);
        let point = call.point();
        if point == CallPoint::Post {
            self.note_attempt(&call);
        }
        self.count_arrival(&call, point);
        let fault = call
            .app
            .clone()
            .and_then(|app| self.request_fault(&app, point));
        match fault {
            Some(fault) => self.handle_with_fault(ticket, call, &fault),
            None => {
                let response = self.handle(&call);
                let latency = self.token_latency(&call);
                self.reply_after(ticket, &call, response, latency);
            }
        }
    }

    pub(super) fn on_late_request(&mut self, ticket: Ticket, call: &Call) {
        let response = self.handle(call);
        self.reply_after(ticket, call, response, Duration::ZERO);
    }

    pub(super) fn on_late_reply(
        &mut self,
        ticket: Ticket,
        response: HttpResponse,
        token_of: Option<&AppId>,
    ) {
        self.token_fetch_ends(token_of);
        self.reply(ticket, token_of, response);
    }

    /// `GET /users/@me`.
    pub(super) fn users_me(&mut self, app: &AppId) -> Answer {
        let Some(bot) = self.bots.get(app) else {
            return Answer::error(10_001);
        };
        Answer::ok(&json!({
            "id": bot.user_id, "username": bot.settings.name, "avatar": "", "bot": true,
            "union_openid": "", "union_user_account": "",
        }))
    }

    fn count_arrival(&mut self, call: &Call, point: CallPoint) {
        let Some(app) = call.app.clone() else { return };
        let Some(bot) = self.bots.get_mut(&app) else {
            return;
        };
        if point != CallPoint::Token {
            bot.stats.requests += u64::from(point != CallPoint::Storage);
            return;
        }
        bot.tokens.in_flight += 1;
        if bot.tokens.in_flight > 1 {
            self.violation(Some(&app), Violation::OverlappingTokenFetches);
        }
    }

    fn request_fault(&mut self, app: &AppId, point: CallPoint) -> Option<HttpFault> {
        let mut fault = self.strike(app, Occasion::Request(point));
        if fault.is_none() && point != CallPoint::Token && point != CallPoint::Any {
            fault = self.strike(app, Occasion::Request(CallPoint::Any));
        }
        match fault {
            Some(Fault::Http { what, .. }) => Some(what),
            _ => None,
        }
    }

    fn handle_with_fault(&mut self, ticket: Ticket, call: Call, fault: &HttpFault) {
        let point = call.point();
        let (response, delay) = match fault {
            HttpFault::SlowBefore(span) => {
                let later = Delayed::Request {
                    ticket,
                    call: Box::new(call),
                };
                self.due.plan(self.now.plus(*span), later);
                return;
            }
            HttpFault::CutBefore => return self.cut_request(ticket, &call),
            HttpFault::CutAfter => {
                self.handle(&call);
                return self.cut_request(ticket, &call);
            }
            HttpFault::SlowAfter(span) => (self.handle(&call), *span),
            HttpFault::FailAfter => {
                self.handle(&call);
                (self.status_response(500, point), Duration::ZERO)
            }
            HttpFault::NotJson => {
                self.handle(&call);
                (
                    self.plain(200, "text/plain; charset=utf-8", "ok, {\"id\":"),
                    Duration::ZERO,
                )
            }
            HttpFault::Status(status) => (self.status_response(*status, point), Duration::ZERO),
            HttpFault::Html(status) => (self.html(*status), Duration::ZERO),
            HttpFault::Refuse(code) => (self.refusal(error_code(*code), None), Duration::ZERO),
        };
        self.reply_after(ticket, &call, response, delay);
    }

    /// Judges the caller and lets the endpoint answer.
    fn handle(&mut self, call: &Call) -> HttpResponse {
        let route = match call.found {
            Found::Route(route) => route,
            Found::OtherMethod => return self.refusal(error_code(405), None),
            Found::Nowhere => return self.refusal(error_code(404), None),
        };
        let answer = match route.handler {
            Handler::Token => self.token_endpoint(call),
            Handler::Open(handler) => handler(self, call),
            Handler::Bot(handler) => match self.authorize(&call.request) {
                Ok(app) if self.is_denied(&app, &call.request.path) => Answer::error(11_253),
                Ok(app) => handler(self, call, &app),
                Err(code) => Answer::error(code),
            },
        };
        match answer {
            Answer::Json(body) => self.plain(200, "application/json", body),
            Answer::Status { status, body } => self.plain(status, "application/json", body),
            Answer::NoContent => self.plain(204, "application/json", ""),
            Answer::Bytes {
                status,
                kind,
                bytes,
            } => {
                let mut response = self.plain(status, &kind, "");
                response.raw = Some(bytes);
                response
            }
            Answer::Error { code, .. } if route.point == CallPoint::Token => {
                let body = json!({"code": code, "message": error_code(code).message});
                self.plain(200, "application/json", body.to_string())
            }
            Answer::Error { code, message } => self.refusal(error_code(code), message),
        }
    }

    /// Whether the settings take an endpoint away from a bot.
    fn is_denied(&self, app: &AppId, path: &str) -> bool {
        let denied = self.bots.get(app).map(|bot| &bot.settings.grants.denied);
        denied.is_some_and(|denied| denied.iter().any(|it| path.starts_with(it.as_str())))
    }

    fn refusal(&mut self, error: ErrorCode, message: Option<&'static str>) -> HttpResponse {
        let trace = self.ids.trace();
        let body = json!({
            "message": message.unwrap_or(error.message), "code": error.code,
            "err_code": error.code, "trace_id": trace,
        });
        HttpResponse {
            status: error.status,
            headers: headers("application/json", trace),
            body: Arc::from(body.to_string()),
            raw: None,
        }
    }

    /// An HTTP status on its own: with the body that the documentation shows, HTML from 502 on.
    fn status_response(&mut self, status: u16, point: CallPoint) -> HttpResponse {
        let code = match (status, point) {
            (401, _) => 11_243,
            (429, CallPoint::Post) => 22_009,
            (429, _) => 100_001,
            (502..=504, _) => return self.html(status),
            _ => u32::from(status),
        };
        let row = ErrorCode {
            status,
            ..error_code(code)
        };
        self.refusal(row, None)
    }

    fn html(&mut self, status: u16) -> HttpResponse {
        let page = format!(
            "<html>\r\n<head><title>{status}</title></head>\r\n<body>\r\n<center><h1>{status} Bad \
             Gateway</h1></center>\r\n<hr><center>stgw</center>\r\n</body>\r\n</html>\r\n"
        );
        self.plain(status, "text/html", page)
    }

    fn plain(&mut self, status: u16, kind: &str, body: impl Into<Arc<str>>) -> HttpResponse {
        HttpResponse {
            status,
            headers: headers(kind, self.ids.trace()),
            body: body.into(),
            raw: None,
        }
    }

    fn token_latency(&self, call: &Call) -> Duration {
        let bot = call.app.as_ref().and_then(|app| self.bots.get(app));
        match (call.point(), bot) {
            (CallPoint::Token, Some(bot)) => bot.settings.token.latency,
            _ => Duration::ZERO,
        }
    }

    fn reply_after(
        &mut self,
        ticket: Ticket,
        call: &Call,
        response: HttpResponse,
        delay: Duration,
    ) {
        let token_of = call
            .app
            .clone()
            .filter(|_| call.point() == CallPoint::Token);
        if delay.is_zero() {
            self.token_fetch_ends(token_of.as_ref());
            self.reply(ticket, call.app.as_ref(), response);
        } else {
            let at = self.now.plus(delay);
            self.due.plan(
                at,
                Delayed::Reply {
                    ticket,
                    response,
                    token_of,
                },
            );
        }
    }

    fn reply(&mut self, ticket: Ticket, app: Option<&AppId>, mut response: HttpResponse) {
        // Clients learn from it how far their clock is from the platform's.
        response.headers.push(("date", self.now.http_date()));
        let coded = !matches!(response.status, 200 | 204) || response.body.contains("\"code\"");
        let json = if coded {
            response.json()
        } else {
            serde_json::Value::Null
        };
        let code = json.get("code").and_then(serde_json::Value::as_u64);
        let meaning = code.and_then(|code| u32::try_from(code).ok());
        let body = if response.body.contains("\"access_token\"") {
            Arc::from("{\"access_token\":\"***\"}")
        } else {
            Arc::clone(&response.body)
        };
        self.log(
            app,
            What::Response {
                ticket,
                status: response.status,
                body,
                meaning: meaning.map(|code| error_code(code).meaning),
            },
        );
        self.out.push(Command::HttpReply { ticket, response });
    }

    fn cut_request(&mut self, ticket: Ticket, call: &Call) {
        let token_of = call
            .app
            .clone()
            .filter(|_| call.point() == CallPoint::Token);
        self.token_fetch_ends(token_of.as_ref());
        self.log(call.app.as_ref(), What::RequestCut { ticket });
        self.out.push(Command::HttpCut { ticket });
    }

    fn token_fetch_ends(&mut self, app: Option<&AppId>) {
        if let Some(bot) = app.and_then(|app| self.bots.get_mut(app)) {
            bot.tokens.in_flight = bot.tokens.in_flight.saturating_sub(1);
        }
    }

    fn log_request(&mut self, ticket: Ticket, call: &Call) {
        let body = match call.point() {
            CallPoint::Token => "***".to_owned(),
            _ => call.text.chars().take(LOGGED).collect(),
        };
        let (method, path) = (call.request.method.clone(), call.request.path.clone());
        self.log(
            call.app.as_ref(),
            What::Request {
                ticket,
                method,
                path,
                body,
            },
        );
    }
}

impl Call {
    /// Which faults wait for this request.
    pub(super) fn point(&self) -> CallPoint {
        match self.found {
            Found::Route(route) => route.point,
            Found::OtherMethod | Found::Nowhere => CallPoint::Any,
        }
    }
}

fn headers(kind: &str, trace: String) -> Vec<(&'static str, String)> {
    vec![("content-type", kind.to_owned()), ("x-tps-trace-id", trace)]
}
