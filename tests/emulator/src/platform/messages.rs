//! Sending: what is checked, in which order, and what is remembered.
//!
//! Source: the documentation's pages on sending messages. The order of checks is not documented;
//! here it is: body, rights, chat, then the id that is answered (unknown, seen before, late, used
//! up). "Seen before" comes first among the last two, so that a retry of an accepted send is told
//! so even when the window is closed.

mod audit;
mod body;
mod book;
pub(crate) mod cards;
pub(crate) mod fields;
mod form;
mod guild;
mod guild_body;
mod offers;
mod passive;
pub(in crate::platform) mod publish;
mod quota;
mod recall;
mod stream;

use std::sync::Arc;

use serde::Serialize;

use super::Platform;
use super::place::Spot;
use super::routes::{Answer, Call};
use crate::ids::{AppId, MessageId, Openid};
use crate::ledger::{BotForm, ReplyTo, Scene, Violation};
use crate::settings::{Proactive, Standing};
use crate::time::Millis;

pub(crate) use audit::Held;
pub(crate) use body::Outgoing;
pub(crate) use book::{Origin, ReplyBook};
use book::{Passive, Verdict};
pub(crate) use offers::Offers;
use passive::{limits, passive_refusal};
use publish::Sent;
pub(crate) use quota::Counters;
pub(crate) use stream::Stream;

/// A code, and the rule that was broken if the bot is to blame.
#[derive(Debug)]
pub(crate) struct Refusal {
    pub(crate) code: u32,
    pub(crate) broke: Option<Violation>,
}

impl Refusal {
    pub(crate) fn code(code: u32) -> Self {
        Self { code, broke: None }
    }

    pub(crate) fn malformed(code: u32, why: impl Into<String>) -> Self {
        Self {
            code,
            broke: Some(Violation::Malformed { why: why.into() }),
        }
    }
}

/// What a bot may still say in answer to a message.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
pub struct ReplyBudget {
    /// Replies that took a slot.
    pub used: u32,
    /// Slots there are; in guild scenes no number is documented, and this is the largest.
    pub slots: u32,
    /// The last moment at which a reply is accepted.
    pub closes: Millis,
}

impl Platform {
    /// The slots and the window of a message that a bot was sent, as long as it is remembered.
    #[must_use]
    pub fn reply_budget(&self, app: &AppId, id: &MessageId) -> Option<ReplyBudget> {
        let bot = self.bots.get(app)?;
        let (used, at, scene) = bot.book.message(id)?;
        let (window, slots) = limits(&bot.settings, scene);
        Some(ReplyBudget {
            used,
            slots,
            closes: at.plus(window),
        })
    }

    /// `POST /v2/users/{openid}/messages` and `POST /v2/groups/{openid}/messages`.
    pub(super) fn post_message(&mut self, call: &Call, app: &AppId, scene: Scene) -> Answer {
        let outcome = self.try_post(call, app, scene);
        self.settle(app, outcome)
    }

    /// An answer, or a refusal that is counted and whose broken rule is noted.
    pub(super) fn settle(&mut self, app: &AppId, outcome: Result<Answer, Refusal>) -> Answer {
        match outcome {
            Ok(answer) => answer,
            Err(refusal) => {
                if let Some(bot) = self.bots.get_mut(app) {
                    match refusal.code {
                        40_054_005 => bot.stats.deduplicated += 1,
                        _ => bot.stats.refused += 1,
                    }
                }
                if let Some(broke) = refusal.broke {
                    self.violation(Some(app), broke);
                }
                Answer::error(refusal.code)
            }
        }
    }

    /// Remembers the body of a send before anything can happen to it, so that a second body for
    /// one (`msg_id`, `msg_seq`) is noticed even if the first was never handled. Guild scenes have
    /// no `msg_seq`, and the pieces of a stream share one.
    pub(super) fn note_attempt(&mut self, call: &Call) {
        let numbered = call.segment(0) == "v2" && call.segment(3) == "messages";
        let known = call.app.as_ref().zip(call.json.as_ref());
        let Some((app, json)) = known.filter(|_| numbered) else {
            return;
        };
        let Some((key, seq)) = body::reply_key(json) else {
            return;
        };
        let Some(bot) = self.bots.get_mut(app) else {
            return;
        };
        if let Some(first) = bot.book.attempt(&key, seq, &call.text, json) {
            let (reply_to, second) = (key.to_string(), Arc::clone(&call.text));
            self.violation(
                Some(app),
                Violation::TwoBodies {
                    reply_to,
                    msg_seq: seq,
                    first,
                    second,
                },
            );
        }
    }

    fn try_post(&mut self, call: &Call, app: &AppId, scene: Scene) -> Result<Answer, Refusal> {
        let json = json_body(call)?;
        let bot = self.bots.get(app).ok_or_else(|| Refusal::code(10_001))?;
        check_standing(&bot.settings)?;
        let mut outgoing = body::read(json, scene, &bot.settings)?;
        self.check_words(app, &outgoing.text)?;
        let spot = self.find_chat(app, scene, call.segment(2))?;
        self.check_quote(app, &outgoing)?;
        if let Some(file_info) = outgoing.file_info.take() {
            outgoing.media = Some(self.find_file(app, scene, &file_info)?);
        }
        let slot = match &outgoing.reply_to {
            Some(reply_to) => self.check_passive(app, &spot, reply_to, &outgoing)?,
            None => {
                self.check_proactive(app, &spot, &outgoing)?;
                None
            }
        };
        let sent = Sent {
            spot,
            outgoing,
            slot,
            body: Arc::clone(&call.text),
        };
        Ok(self.finish(app, sent))
    }

    /// The chat that an openid in a path stands for.
    pub(super) fn find_chat(
        &self,
        app: &AppId,
        scene: Scene,
        openid: &str,
    ) -> Result<Spot, Refusal> {
        let hex = |byte: u8| byte.is_ascii_digit() || (b'A'..=b'F').contains(&byte);
        if openid.len() != 32 || !openid.bytes().all(hex) {
            return Err(Refusal::malformed(12_001, "a path without a proper openid"));
        }
        let bot = self.bots.get(app).ok_or_else(|| Refusal::code(10_001))?;
        let target = Openid::from(openid);
        if scene == Scene::Group {
            let known = bot.world.group_by_openid(openid);
            let known = known.filter(|(name, group)| group.joined && bot.shows_group(name));
            let (name, group) = known.ok_or_else(|| Refusal::code(40_054_003))?;
            if group.muted {
                return Err(Refusal::code(40_054_002));
            }
            return Ok(Spot::group(target, name.clone()));
        }
        let known = bot.world.user_by_openid(openid);
        let known = known.filter(|(name, user)| user.friend && bot.shows_user(name));
        let (name, _) = known.ok_or_else(|| Refusal::code(40_054_004))?;
        Ok(Spot::c2c(target, name.clone()))
    }

    /// Whether what is quoted is remembered, where the settings ask for it.
    fn check_quote(&self, app: &AppId, outgoing: &Outgoing) -> Result<(), Refusal> {
        let (Some(quote), Some(bot)) = (&outgoing.quote, self.bots.get(app)) else {
            return Ok(());
        };
        let known = bot.world.quoted(&quote.as_str().into()).is_some();
        if known || !bot.settings.messages.check_quotes {
            return Ok(());
        }
        Err(Refusal::malformed(
            12_002,
            format!("a quote of {quote}, which nobody said"),
        ))
    }

    fn check_proactive(
        &mut self,
        app: &AppId,
        spot: &Spot,
        outgoing: &Outgoing,
    ) -> Result<(), Refusal> {
        if outgoing.is_wakeup {
            return self.check_wakeup(app, spot);
        }
        // A notice that shows nothing is not a message that needs a right.
        if outgoing.form == BotForm::Typing {
            return Ok(());
        }
        let Some(bot) = self.bots.get(app) else {
            return Ok(());
        };
        let rejects = bot.world.rejects(spot);
        match bot.settings.messages.proactive {
            Proactive::Refused(code) => Err(Refusal {
                code,
                broke: Some(Violation::ProactiveRefused),
            }),
            _ if rejects => Err(Refusal::code(40_054_013)),
            Proactive::Allowed => Ok(()),
            Proactive::Quota => self.count_proactive(app, spot),
        }
    }

    /// Uses up a slot of what is answered; its number, or none if this form takes no slot.
    fn check_passive(
        &mut self,
        app: &AppId,
        spot: &Spot,
        reply_to: &ReplyTo,
        outgoing: &Outgoing,
    ) -> Result<Option<u32>, Refusal> {
        let now = self.now;
        let bot = self
            .bots
            .get_mut(app)
            .ok_or_else(|| Refusal::code(10_001))?;
        let (window, slots) = limits(&bot.settings, spot.scene);
        let settings = &bot.settings.messages;
        let passive = Passive {
            now,
            seq: Some(outgoing.msg_seq),
            target: &spot.target,
            window,
            slots,
            counts: outgoing.form != BotForm::Typing || settings.typing_counts,
            memory: settings.dedup_memory,
            lag: settings.event_id_lag,
        };
        match bot.book.answer(reply_to, &passive) {
            Verdict::Accepted(slot) => Ok(slot),
            verdict => Err(passive_refusal(verdict, reply_to, slots, settings)),
        }
    }
}

/// Refuses a bot that was taken offline, but for its sandbox.
fn check_standing(settings: &crate::settings::BotSettings) -> Result<(), Refusal> {
    if settings.standing == Standing::Offline && !settings.sandbox {
        return Err(Refusal::code(40_054_016));
    }
    Ok(())
}

/// The body of a call that must be JSON.
pub(super) fn json_body(call: &Call) -> Result<&serde_json::Value, Refusal> {
    let kind = call.request.header("content-type").unwrap_or_default();
    if !kind.to_ascii_lowercase().starts_with("application/json") {
        return Err(Refusal::malformed(
            12_002,
            "a message that is not application/json",
        ));
    }
    call.json
        .as_ref()
        .ok_or_else(|| Refusal::malformed(12_002, "a message body that is not JSON"))
}
