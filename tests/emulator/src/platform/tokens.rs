//! Access tokens: the token endpoint, and who a request comes from.
//!
//! Source: the documentation's page on interface calls and authentication.

use std::collections::VecDeque;
use std::time::Duration;

use serde_json::{Value, json};

use super::Platform;
use super::routes::{Answer, Call};
use crate::ids::{AccessToken, AppId};
use crate::ledger::Violation;
use crate::random::IdSource;
use crate::settings::{NumberForm, Standing, TokenSettings};
use crate::time::Millis;
use crate::wire::HttpRequest;

/// A bot's tokens.
#[derive(Debug, Default)]
pub(crate) struct Tokens {
    /// Oldest first; at most two overlap unless settings make lives very short.
    live: Vec<(AccessToken, Millis)>,
    recent: VecDeque<Millis>,
    /// Fetches that have arrived and are not answered yet.
    pub(crate) in_flight: u32,
}

struct Fetched {
    token: AccessToken,
    left: Duration,
    new: bool,
}

impl Tokens {
    /// Every token dies.
    pub(crate) fn kill(&mut self) {
        self.live.clear();
    }

    fn is_live(&self, token: &str, now: Millis) -> bool {
        self.live
            .iter()
            .any(|(live, dies)| live.as_str() == token && *dies > now)
    }

    fn too_many(&mut self, now: Millis, per_minute: u32) -> bool {
        while self
            .recent
            .front()
            .is_some_and(|&at| now.since(at).as_secs() >= 60)
        {
            self.recent.pop_front();
        }
        self.recent.push_back(now);
        let most = usize::try_from(per_minute).unwrap_or(usize::MAX);
        per_minute > 0 && self.recent.len() > most
    }

    /// The token that a call gets: the newest one while it has more than the overlap left,
    /// otherwise a new one, beside which the old one lives to its end.
    fn fetch(&mut self, now: Millis, settings: &TokenSettings, ids: &mut IdSource) -> Fetched {
        self.live.retain(|(_, dies)| *dies > now);
        if let Some((token, dies)) = self.live.last()
            && dies.since(now) > settings.overlap
        {
            return Fetched {
                token: token.clone(),
                left: dies.since(now),
                new: false,
            };
        }
        let token = ids.token();
        self.live.push((token.clone(), now.plus(settings.lifetime)));
        Fetched {
            token,
            left: settings.lifetime,
            new: true,
        }
    }
}

impl Platform {
    /// `POST /app/getAppAccessToken`. Errors come with HTTP 200.
    pub(super) fn token_endpoint(&mut self, call: &Call) -> Answer {
        let body = call.json.as_ref().filter(|body| body.is_object());
        let text = |name: &str| body.and_then(|body| body.get(name)).and_then(Value::as_str);
        let Some(app) = text("appId").filter(|app| is_decimal(app)).map(AppId::from) else {
            self.malformed(None, "appId is missing or not a decimal string");
            return Answer::error(100_007);
        };
        let now = self.now;
        let Some(bot) = self.bots.get_mut(&app) else {
            return Answer::error(10_004);
        };
        if bot.tokens.too_many(now, bot.settings.token.per_minute) {
            return Answer::error(100_001);
        }
        if bot.settings.standing == Standing::Banned {
            return Answer::error(100_007);
        }
        if text("clientSecret") != Some(bot.settings.secret.as_str()) {
            self.violation(Some(&app), Violation::WrongSecret);
            return Answer::error(100_016);
        }
        let settings = &bot.settings.token;
        let fetched = bot.tokens.fetch(now, settings, &mut self.ids);
        bot.stats.token_fetches += 1;
        bot.stats.tokens_issued += u64::from(fetched.new);
        let seconds = fetched.left.as_secs();
        let expires_in = match settings.expires_in {
            NumberForm::Text => Value::String(seconds.to_string()),
            NumberForm::Number => json!(seconds),
        };
        Answer::ok(&json!({"access_token": fetched.token, "expires_in": expires_in}))
    }

    /// Who sends a request, as far as it can be told without judging it: for faults and the log.
    pub(super) fn caller(&self, request: &HttpRequest, json: Option<&Value>) -> Option<AppId> {
        let header = request
            .header("authorization")
            .and_then(|text| text.strip_prefix("QQBot "));
        let by_token = header.and_then(|token| self.token_owner(token));
        let claimed = || {
            let named = json
                .and_then(|body| body.get("appId"))
                .and_then(Value::as_str);
            let named = named.or_else(|| request.header("x-union-appid"))?;
            self.bots.get_key_value(named).map(|(app, _)| app.clone())
        };
        by_token.or_else(claimed)
    }

    /// The bot that a live token belongs to.
    pub(super) fn token_owner(&self, token: &str) -> Option<AppId> {
        let mut bots = self.bots.iter();
        let owner = bots.find(|(_, bot)| bot.tokens.is_live(token, self.now));
        owner.map(|(app, _)| app.clone())
    }

    /// Judges the headers of an API call.
    pub(super) fn authorize(&mut self, request: &HttpRequest) -> Result<AppId, u32> {
        let outcome = self.check_authorization(request);
        outcome.map_err(|(code, why)| {
            if let Some(why) = why {
                let app = self.caller(request, None);
                self.violation(app.as_ref(), Violation::BadAuthorization { why });
            }
            code
        })
    }

    fn check_authorization(
        &self,
        request: &HttpRequest,
    ) -> Result<AppId, (u32, Option<&'static str>)> {
        let Some(header) = request.header("authorization") else {
            return Err((11_241, Some("no Authorization header")));
        };
        let token = match header.split_once(' ') {
            Some(("QQBot", "")) => return Err((11_241, Some("no token after QQBot"))),
            Some(("QQBot", token)) => token,
            Some(("Bearer", _)) => return Err((11_273, Some("Bearer is for users, not for bots"))),
            Some(("Bot", _)) => return Err((11_262, Some("Bot APPID.TOKEN is not supported"))),
            _ => return Err((11_243, Some("not of the form QQBot ACCESS_TOKEN"))),
        };
        // A token that died early or in the night is no fault of the bot's.
        let app = self.token_owner(token).ok_or((11_244, None))?;
        if request
            .header("x-union-appid")
            .is_some_and(|claimed| claimed != app.as_str())
        {
            return Err((11_255, Some("X-Union-Appid is not the token's app")));
        }
        let standing = self.bots.get(&app).map(|bot| bot.settings.standing);
        match standing {
            Some(Standing::Banned) => Err((11_265, None)),
            _ => Ok(app),
        }
    }
}

fn is_decimal(text: &str) -> bool {
    !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit())
}
