//! What a passive reply is refused with.

use std::time::Duration;

use super::Refusal;
use super::book::Verdict;
use crate::ids::{EventId, MessageId};
use crate::ledger::{ReplyTo, Scene, Violation};
use crate::settings::{BotSettings, MessageSettings};

/// The reply window of a scene, and its slots.
pub(super) fn limits(settings: &BotSettings, scene: Scene) -> (Duration, u32) {
    match scene {
        Scene::C2c => (settings.messages.c2c_window, settings.messages.c2c_slots),
        Scene::Group => (
            settings.messages.group_window,
            settings.messages.group_slots,
        ),
        // No number of replies is documented there.
        Scene::Channel | Scene::Dm => (settings.guilds.window, u32::MAX),
    }
}

pub(super) fn passive_refusal(
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
pub(super) fn key_of(msg_id: Option<&str>, event_id: Option<&str>) -> Option<ReplyTo> {
    match (msg_id, event_id) {
        (Some(id), _) => Some(ReplyTo::MsgId(MessageId::from(id))),
        (None, Some(id)) => Some(ReplyTo::EventId(EventId::from(id))),
        (None, None) => None,
    }
}

/// The same in guild scenes, which have codes of their own.
pub(super) fn guild_refusal(verdict: Verdict, reply_to: &ReplyTo) -> Refusal {
    let name = reply_to.to_string();
    match verdict {
        Verdict::Late(late) => Refusal {
            code: 304_027,
            broke: Some(Violation::PastWindow {
                reply_to: name,
                late_ms: crate::time::whole_millis(late),
            }),
        },
        Verdict::TooFresh => Refusal::code(304_026),
        _ => {
            let broke = match reply_to {
                ReplyTo::MsgId(id) => Violation::ForeignMsgId { msg_id: id.clone() },
                ReplyTo::EventId(id) => Violation::Malformed {
                    why: format!("event_id {id} cannot be answered here"),
                },
            };
            Refusal {
                code: 304_026,
                broke: Some(broke),
            }
        }
    }
}
