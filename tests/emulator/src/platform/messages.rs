//! Sending to users and groups: what is checked, in which order, and what is remembered.
//!
//! Source: the documentation's pages on sending messages. The order of checks is not documented;
//! here it is: body, rights, chat, then the id that is answered (unknown, seen before, late, used
//! up). "Seen before" comes first among the last two, so that a retry of an accepted send is told
//! so even when the window is closed.

mod body;
mod book;

use std::sync::Arc;
use std::time::Duration;

use serde::Serialize;
use serde_json::json;

use super::Platform;
use super::routes::{Answer, Call};
use super::world::Said;
use crate::ids::{AppId, EventId, GroupName, MessageId, Openid, UserName};
use crate::ledger::{BotForm, BotMessage, ReplyTo, Scene, Violation};
use crate::settings::{MessageSettings, Proactive, Standing};
use crate::time::Millis;

use body::Outgoing;
pub(crate) use book::{Origin, ReplyBook};
use book::{Passive, Verdict};

/// A code, and the rule that was broken if the bot is to blame.
#[derive(Debug)]
pub(crate) struct Refusal {
    code: u32,
    broke: Option<Violation>,
}

impl Refusal {
    fn code(code: u32) -> Self {
        Self { code, broke: None }
    }

    fn malformed(code: u32, why: impl Into<String>) -> Self {
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
    /// Slots there are.
    pub slots: u32,
    /// The last moment at which a reply is accepted.
    pub closes: Millis,
}

/// The chat that a message goes to.
struct Chat {
    target: Openid,
    user: Option<UserName>,
    group: Option<GroupName>,
    rejects: bool,
}

impl Platform {
    /// The slots and the window of a message that a bot was sent, as long as it is remembered.
    #[must_use]
    pub fn reply_budget(&self, app: &AppId, id: &MessageId) -> Option<ReplyBudget> {
        let bot = self.bots.get(app)?;
        let (used, at, scene) = bot.book.message(id)?;
        let (window, slots) = limits(&bot.settings.messages, scene);
        Some(ReplyBudget {
            used,
            slots,
            closes: at.plus(window),
        })
    }

    /// `POST /v2/users/{openid}/messages` and `POST /v2/groups/{openid}/messages`.
    pub(super) fn post_message(&mut self, call: &Call, app: &AppId, scene: Scene) -> Answer {
        match self.try_post(call, app, scene) {
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
    /// one (`msg_id`, `msg_seq`) is noticed even if the first was never handled.
    pub(super) fn note_attempt(&mut self, call: &Call) {
        let Some((app, json)) = call.app.as_ref().zip(call.json.as_ref()) else {
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
        let kind = call.request.header("content-type").unwrap_or_default();
        if !kind.to_ascii_lowercase().starts_with("application/json") {
            return Err(Refusal::malformed(
                12_002,
                "a message that is not application/json",
            ));
        }
        let Some(json) = call.json.as_ref() else {
            return Err(Refusal::malformed(
                12_002,
                "a message body that is not JSON",
            ));
        };
        let bot = self.bots.get(app).ok_or_else(|| Refusal::code(10_001))?;
        if bot.settings.standing == Standing::Offline && !bot.settings.sandbox {
            return Err(Refusal::code(40_054_016));
        }
        let outgoing = body::read(json, scene, &bot.settings.messages)?;
        let chat = self.find_chat(app, scene, call.segment(2))?;
        let slot = match &outgoing.reply_to {
            Some(reply_to) => Some(self.check_passive(app, scene, &chat, reply_to, &outgoing)?),
            None => {
                self.check_proactive(app, &chat, &outgoing)?;
                None
            }
        };
        let slot = slot.flatten();
        Ok(self.accept(app, scene, chat, outgoing, slot, Arc::clone(&call.text)))
    }

    fn find_chat(&self, app: &AppId, scene: Scene, openid: &str) -> Result<Chat, Refusal> {
        let hex = |byte: u8| byte.is_ascii_digit() || (b'A'..=b'F').contains(&byte);
        if openid.len() != 32 || !openid.bytes().all(hex) {
            return Err(Refusal::malformed(12_001, "a path without a proper openid"));
        }
        let bot = self.bots.get(app).ok_or_else(|| Refusal::code(10_001))?;
        let target = Openid::from(openid);
        match scene {
            Scene::C2c => {
                let known = bot
                    .world
                    .user_by_openid(openid)
                    .filter(|(_, user)| user.friend);
                let (name, user) = known.ok_or_else(|| Refusal::code(40_054_004))?;
                let (user, rejects) = (Some(name.clone()), user.rejects);
                Ok(Chat {
                    target,
                    user,
                    group: None,
                    rejects,
                })
            }
            Scene::Group => {
                let known = bot
                    .world
                    .group_by_openid(openid)
                    .filter(|(_, group)| group.joined);
                let (name, group) = known.ok_or_else(|| Refusal::code(40_054_003))?;
                let (group, rejects) = (Some(name.clone()), group.rejects);
                Ok(Chat {
                    target,
                    user: None,
                    group,
                    rejects,
                })
            }
        }
    }

    fn check_proactive(
        &self,
        app: &AppId,
        chat: &Chat,
        outgoing: &Outgoing,
    ) -> Result<(), Refusal> {
        if outgoing.is_wakeup {
            return Err(Refusal::code(40_034_123));
        }
        // A notice that shows nothing is not a message that needs a right.
        if outgoing.form == BotForm::Typing {
            return Ok(());
        }
        let settings = self
            .bots
            .get(app)
            .map(|bot| bot.settings.messages.proactive);
        match settings {
            Some(Proactive::Refused(code)) => Err(Refusal {
                code,
                broke: Some(Violation::ProactiveRefused),
            }),
            _ if chat.rejects => Err(Refusal::code(40_054_013)),
            _ => Ok(()),
        }
    }

    /// Uses up a slot of what is answered; its number, or none if this form takes no slot.
    fn check_passive(
        &mut self,
        app: &AppId,
        scene: Scene,
        chat: &Chat,
        reply_to: &ReplyTo,
        outgoing: &Outgoing,
    ) -> Result<Option<u32>, Refusal> {
        let now = self.now;
        let bot = self
            .bots
            .get_mut(app)
            .ok_or_else(|| Refusal::code(10_001))?;
        let settings = &bot.settings.messages;
        let (window, slots) = limits(settings, scene);
        let passive = Passive {
            now,
            seq: outgoing.msg_seq,
            target: &chat.target,
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

    fn accept(
        &mut self,
        app: &AppId,
        scene: Scene,
        chat: Chat,
        outgoing: Outgoing,
        slot: Option<u32>,
        body: Arc<str>,
    ) -> Answer {
        let (id, index) = (self.ids.message(), self.ids.ref_idx());
        let now = self.now;
        let Some(bot) = self.bots.get_mut(app) else {
            return Answer::error(10_001);
        };
        bot.stats.accepted += 1;
        let timestamp = bot.settings.messages.timestamp.write(now);
        if outgoing.form != BotForm::Typing {
            let (text, by) = (outgoing.text.clone(), bot.settings.name.clone());
            bot.world.remember(Said {
                index: index.clone(),
                text,
                by,
                by_bot: true,
            });
        }
        let answer = json!({"id": id, "timestamp": timestamp, "ext_info": {"ref_idx": index}});
        self.ledger.add_bot_message(BotMessage {
            n: 0,
            id,
            app: app.clone(),
            scene,
            target: chat.target,
            user: chat.user,
            group: chat.group,
            reply_to: outgoing.reply_to,
            msg_seq: outgoing.msg_seq,
            form: outgoing.form,
            text: outgoing.text,
            body,
            at: now,
            slot,
        });
        Answer::ok(&answer)
    }
}

/// The reply window of a scene, and its slots.
fn limits(settings: &MessageSettings, scene: Scene) -> (Duration, u32) {
    match scene {
        Scene::C2c => (settings.c2c_window, settings.c2c_slots),
        Scene::Group => (settings.group_window, settings.group_slots),
    }
}

fn passive_refusal(
    verdict: Verdict,
    reply_to: &ReplyTo,
    slots: u32,
    settings: &MessageSettings,
) -> Refusal {
    let name = reply_to.to_string();
    match (verdict, reply_to) {
        (Verdict::Unknown | Verdict::OtherChat, ReplyTo::MsgId(id)) => {
            let broke = Some(Violation::ForeignMsgId { msg_id: id.clone() });
            Refusal {
                code: 40_034_024,
                broke,
            }
        }
        (Verdict::Unknown | Verdict::OtherChat, ReplyTo::EventId(id)) => {
            let code = if known_event(id) {
                40_034_027
            } else {
                40_034_025
            };
            Refusal::malformed(code, format!("event_id {id} cannot be answered here"))
        }
        (Verdict::TooFresh, _) => Refusal::code(40_034_025),
        (Verdict::SeenBefore | Verdict::Accepted(_), _) => Refusal::code(40_054_005),
        (Verdict::Late(late), _) => {
            let code = match reply_to {
                _ if settings.late_is_exhausted => 40_034_128,
                ReplyTo::MsgId(_) => 40_034_005,
                ReplyTo::EventId(_) => 40_034_026,
            };
            let late_ms = crate::time::whole_millis(late);
            Refusal {
                code,
                broke: Some(Violation::PastWindow {
                    reply_to: name,
                    late_ms,
                }),
            }
        }
        (Verdict::UsedUp, _) => Refusal {
            code: 40_034_128,
            broke: Some(Violation::SlotsUsedUp {
                reply_to: name,
                slots,
            }),
        },
    }
}

/// Whether an id has the form of an event that exists but cannot be answered.
fn known_event(id: &EventId) -> bool {
    const NAMES: &[&str] = &[
        "C2C_MESSAGE_CREATE",
        "GROUP_AT_MESSAGE_CREATE",
        "GROUP_MESSAGE_CREATE",
        "FRIEND_DEL",
        "C2C_MSG_REJECT",
        "GROUP_DEL_ROBOT",
        "GROUP_MSG_REJECT",
    ];
    id.as_str()
        .split_once(':')
        .is_some_and(|(name, _)| NAMES.contains(&name))
}

/// The ids of [`ReplyTo`] as one key.
fn key_of(msg_id: Option<&str>, event_id: Option<&str>) -> Option<ReplyTo> {
    match (msg_id, event_id) {
        (Some(id), _) => Some(ReplyTo::MsgId(MessageId::from(id))),
        (None, Some(id)) => Some(ReplyTo::EventId(EventId::from(id))),
        (None, None) => None,
    }
}
