//! What users do, turned into events.

mod changes;
mod chats;
mod guilds;
mod members;
mod operate;
mod relations;
mod touch;

use std::sync::Arc;

use serde_json::Value;

use super::Platform;
use super::gateway::Event;
use super::messages::{Offers, Origin};
use super::place::Spot;
use super::posts::Post;
use super::world::Said;
use crate::actions::{Act, ActionError, ActionOutcome, Draft, UserAction};
use crate::faults::{Fault, Occasion};
use crate::ids::{AppId, EventId, MessageId, Openid, RefIdx, UserName};
use crate::intents::Intents;
use crate::ledger::{Acted, Happening, UserMessage};
use crate::record::What;

pub(crate) use chats::bot_member;

/// A user message whose events are about to be made.
struct Utterance<'a> {
    app: &'a AppId,
    spot: Spot,
    user: &'a UserName,
    /// The author's id as events show it.
    author: Openid,
    draft: &'a Draft,
    addressed: bool,
    index: RefIdx,
    /// `seq_in_channel`, in guild scenes.
    seq: u64,
}

/// One event that a user message becomes.
#[derive(Clone, Copy)]
struct Form {
    name: &'static str,
    intent: Intents,
    /// Whether content and mentions show the bot, if it was addressed.
    shows_mention: bool,
    /// Whether earlier messages go along.
    with_context: bool,
}

impl Platform {
    pub(super) fn on_act(&mut self, action: &UserAction) -> Result<ActionOutcome, ActionError> {
        let app = self.resolve(action.bot.as_ref())?;
        let shared = Arc::new(action.clone());
        let what = What::User {
            text: action.act.summary(),
            act: Some(Arc::clone(&shared)),
        };
        self.log(Some(&app), what);
        let outcome = self.do_act(&app, &action.act)?;
        if !action.act.is_message() {
            let (at, act) = (self.now, shared);
            let acted = Acted { at, app, act };
            self.ledger.happen(Happening::Act(Arc::new(acted)));
        }
        Ok(outcome)
    }

    /// What follows from another act, such as a command button that says its text.
    pub(super) fn on_consequence(
        &mut self,
        app: &AppId,
        act: &Act,
    ) -> Result<ActionOutcome, ActionError> {
        let text = act.summary();
        self.log(Some(app), What::User { text, act: None });
        self.do_act(app, act)
    }

    fn do_act(&mut self, app: &AppId, act: &Act) -> Result<ActionOutcome, ActionError> {
        match act {
            Act::C2c { user, message } => self.c2c_message(app, user, message),
            Act::GroupAt {
                group,
                user,
                message,
            } => self.group_message(app, group, user, message, true),
            Act::GroupPlain {
                group,
                user,
                message,
            } => self.group_message(app, group, user, message, false),
            Act::ChannelAt { at, message } => self.channel_message(app, at, message, true),
            Act::ChannelPlain { at, message } => self.channel_message(app, at, message, false),
            Act::Dm { at, message } => self.direct_message(app, at, message),
            Act::AddToGuild(at) => self.guild_change(app, at, "GUILD_CREATE"),
            Act::RemoveFromGuild(at) => self.guild_change(app, at, "GUILD_DELETE"),
            Act::UpdateGuild(at) => self.guild_change(app, at, "GUILD_UPDATE"),
            Act::AddChannel(at) => self.channel_change(app, at, "CHANNEL_CREATE"),
            Act::UpdateChannel(at) => self.channel_change(app, at, "CHANNEL_UPDATE"),
            Act::DeleteChannel(at) => self.channel_change(app, at, "CHANNEL_DELETE"),
            Act::JoinGuild(at) => self.member_change(app, at, "GUILD_MEMBER_ADD"),
            Act::UpdateMember(at) => self.member_change(app, at, "GUILD_MEMBER_UPDATE"),
            Act::LeaveGuild(at) => self.member_change(app, at, "GUILD_MEMBER_REMOVE"),
            other => self.on_other_act(app, other),
        }
    }

    fn on_other_act(&mut self, app: &AppId, act: &Act) -> Result<ActionOutcome, ActionError> {
        match act {
            Act::DeleteMessage { user, message_id } => self.user_deletes(app, user, message_id),
            Act::React {
                user,
                message_id,
                emoji,
                remove,
            } => self.user_reacts(app, user, message_id.as_ref(), emoji, *remove),
            Act::Press {
                user,
                message_id,
                button,
            } => self.user_presses(app, user, message_id.as_ref(), button),
            Act::Operate {
                user,
                message_id,
                button,
                on,
            } => self.user_operates(app, user, message_id, *button, *on),
            Act::Interact {
                user,
                group,
                kind,
                resolved,
            } => self.user_interacts(app, user, group.as_ref(), *kind, resolved),
            Act::JoinGroup(at) => self.group_member_change(app, at, "GROUP_MEMBER_ADD"),
            Act::LeaveGroup(at) => self.group_member_change(app, at, "GROUP_MEMBER_REMOVE"),
            Act::RequestToJoin { at, text } => self.join_request(app, at, text),
            Act::SetRole { group, user, role } => self.set_role(app, group, user.as_ref(), *role),
            Act::MuteBot { group, muted } => self.mute_bot(app, group, *muted),
            Act::Judge { audit_id, pass } => self.judge(app, audit_id.as_deref(), *pass),
            Act::Event { name, body } => self.raw_event(app, name, body),
            relation => self.on_relation(app, relation),
        }
    }

    /// Enters a message in the ledger and pushes its events, as often as faults want it.
    fn say(&mut self, said: &Utterance<'_>, forms: &[Form]) -> ActionOutcome {
        let id = self.message_id(said);
        let spot = said.spot.clone();
        let visible = self.bots.get(said.app).is_some_and(|bot| bot.shows(&spot));
        let forms = if visible { forms } else { &[] };
        self.ledger.add_user_message(UserMessage {
            n: 0,
            id: id.clone(),
            app: said.app.clone(),
            scene: spot.scene,
            user: said.user.clone(),
            group: spot.group,
            guild: spot.guild,
            channel: spot.channel,
            target: spot.target,
            index: said.index.clone(),
            author: said.author.clone(),
            text: said.draft.text.clone(),
            quote: said.draft.quoted(),
            mentions: said.draft.mentions.clone(),
            attachments: said.draft.attachments.clone(),
            addressed: said.addressed && visible,
            at: self.now,
            second_id: None,
            deliveries: Vec::new(),
            replies: Vec::new(),
        });
        self.remember(said, &id);
        let fault = match forms {
            [] => None,
            _ => self.strike(said.app, Occasion::Message),
        };
        let times = match fault {
            Some(Fault::Deliver(times)) => times,
            _ => 1,
        };
        let mut outcome = self.push_message(said, forms, &id, times);
        if fault == Some(Fault::NewIdDouble) {
            let second = self.message_id(said);
            self.ledger.add_second_id(&id, &second);
            let again = self.push_message(said, forms, &second, 1);
            outcome.sessions += again.sessions;
        }
        outcome.message_id = Some(id);
        outcome.target = Some(said.spot.target.clone());
        outcome.author = Some(said.author.clone());
        outcome
    }

    fn message_id(&mut self, said: &Utterance<'_>) -> MessageId {
        match said.spot.scene.is_guild() {
            true => self.ids.guild_message(),
            false => self.ids.message(),
        }
    }

    fn push_message(
        &mut self,
        said: &Utterance<'_>,
        forms: &[Form],
        id: &MessageId,
        times: u32,
    ) -> ActionOutcome {
        let mut outcome = ActionOutcome::default();
        if forms.is_empty() {
            return outcome;
        }
        let origin = Origin::new(said.spot.scene, said.spot.target.clone(), self.now);
        if let Some(bot) = self.bots.get_mut(said.app) {
            bot.book
                .add_message(id.clone(), origin, self.settings.record.ledger);
        }
        for form in forms {
            let d = self.message_body(said, *form, id);
            let event_id: EventId = self.ids.event(form.name);
            for _ in 0..times {
                let (id_again, d) = (event_id.clone(), d.clone());
                let event = Event {
                    name: form.name,
                    id: id_again,
                    d,
                    intent: form.intent,
                    place: &said.spot.target,
                };
                let deliveries = self.push(said.app, &event);
                outcome.sessions += deliveries.len();
                for delivery in deliveries {
                    self.ledger.add_delivery(id, delivery);
                }
            }
            outcome.event_id.get_or_insert(event_id);
        }
        outcome
    }

    fn message_body(&self, said: &Utterance<'_>, form: Form, id: &MessageId) -> String {
        let body = match said.spot.scene.is_guild() {
            true => self.guild_body(said, form, id),
            false => self.chat_body(said, form, id),
        };
        body.to_string()
    }

    /// What was said can be quoted, reacted to and deleted from now on.
    fn remember(&mut self, said: &Utterance<'_>, id: &MessageId) {
        let guild = said.spot.scene.is_guild();
        let message = match guild {
            true => self.guild_body(said, guilds::PLAIN, id),
            false => Value::Null,
        };
        let post = Post {
            spot: said.spot.clone(),
            by_bot: false,
            author: (said.author.clone(), said.user.to_string()),
            at: self.now,
            keyboard: None,
            offers: Offers::default(),
            told: None,
            editable: false,
            message,
            recalled: false,
            reactions: std::collections::BTreeMap::new(),
        };
        let now = self.now;
        if let Some(bot) = self.bots.get_mut(said.app) {
            bot.posts.add(id.clone(), post);
            if guild {
                return;
            }
            bot.world.remember(said.as_said());
            if let Some(user) = bot.world.known_user(said.user)
                && said.spot.group.is_none()
            {
                (user.spoke, user.woken) = (Some(now), 0);
            }
        }
    }

    /// Pushes an event that is no message; answerable ones can be answered by their outer id.
    fn push_notice(
        &mut self,
        app: &AppId,
        spot: &Spot,
        name: &str,
        answerable: bool,
        d: &Value,
    ) -> ActionOutcome {
        let id = self.ids.event(name);
        let now = self.now;
        if let Some(bot) = self.bots.get_mut(app) {
            if !bot.shows(spot) {
                return ActionOutcome::default();
            }
            if answerable {
                let origin = Origin::new(spot.scene, spot.target.clone(), now);
                bot.book
                    .add_event(id.clone(), origin, self.settings.record.ledger);
            }
        }
        let event = Event {
            name,
            id: id.clone(),
            d: d.to_string(),
            intent: Intents::of_event(name).unwrap_or_default(),
            place: &spot.target,
        };
        let sessions = self.push(app, &event).len();
        ActionOutcome {
            event_id: Some(id),
            target: Some(spot.target.clone()),
            sessions,
            ..ActionOutcome::default()
        }
    }

    /// An event as it was given; where it happened is nowhere.
    fn raw_event(
        &mut self,
        app: &AppId,
        name: &str,
        body: &Value,
    ) -> Result<ActionOutcome, ActionError> {
        let no_such = || ActionError::NoSuchEvent(name.to_owned());
        let intent = Intents::of_event(name).ok_or_else(no_such)?;
        let plain = |byte: u8| byte.is_ascii_uppercase() || byte.is_ascii_digit() || byte == b'_';
        if !name.bytes().all(plain) {
            return Err(no_such());
        }
        let (id, place) = (self.ids.event(name), Openid::from(""));
        let event = Event {
            name,
            id: id.clone(),
            d: body.to_string(),
            intent,
            place: &place,
        };
        let sessions = self.push(app, &event).len();
        Ok(ActionOutcome {
            event_id: Some(id),
            sessions,
            ..ActionOutcome::default()
        })
    }
}

impl Utterance<'_> {
    fn as_said(&self) -> Said {
        Said {
            index: self.index.clone(),
            text: self.draft.text.clone(),
            by: self.user.to_string(),
            by_bot: false,
            attachments: self.draft.attachments.clone(),
        }
    }
}
