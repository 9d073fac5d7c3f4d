//! What users do, turned into events.

mod relations;

use serde_json::Value;

use super::Platform;
use super::bodies::{self, Common, GroupAuthor};
use super::bot::Bot;
use super::gateway::Event;
use super::messages::Origin;
use super::world::{Said, member_openid};
use crate::actions::{Act, ActionError, ActionOutcome, Draft, UserAction};
use crate::faults::{Fault, Occasion};
use crate::ids::{AppId, EventId, GroupName, MessageId, Openid, RefIdx, UserName};
use crate::intents::Intents;
use crate::ledger::{Scene, UserMessage};
use crate::record::What;
use crate::settings::{AtInFullMode, GroupMode};

/// A user message whose events are about to be made.
struct Utterance<'a> {
    app: &'a AppId,
    scene: Scene,
    user: &'a UserName,
    group: Option<&'a GroupName>,
    target: Openid,
    author: Openid,
    draft: &'a Draft,
    addressed: bool,
    index: RefIdx,
}

/// One event that a user message becomes.
#[derive(Clone, Copy)]
struct Form {
    name: &'static str,
    /// Whether content and mentions show the bot, if it was addressed.
    shows_mention: bool,
    /// Whether earlier messages go along.
    with_context: bool,
}

const C2C: Form = Form {
    name: "C2C_MESSAGE_CREATE",
    shows_mention: false,
    with_context: false,
};
const AT: Form = Form {
    name: "GROUP_AT_MESSAGE_CREATE",
    shows_mention: false,
    with_context: false,
};
const AT_CONTEXT: Form = Form {
    with_context: true,
    ..AT
};
const FULL: Form = Form {
    name: "GROUP_MESSAGE_CREATE",
    shows_mention: true,
    with_context: false,
};

impl Platform {
    pub(super) fn on_act(&mut self, action: &UserAction) -> Result<ActionOutcome, ActionError> {
        let app = self.resolve(action.bot.as_ref())?;
        self.log(
            Some(&app),
            What::User {
                text: action.act.summary(),
            },
        );
        match &action.act {
            Act::C2c { user, message } => self.c2c_message(&app, user, message),
            Act::GroupAt {
                group,
                user,
                message,
            } => self.group_message(&app, group, user, message, true),
            Act::GroupPlain {
                group,
                user,
                message,
            } => self.group_message(&app, group, user, message, false),
            relation => self.on_relation(&app, relation),
        }
    }

    fn c2c_message(
        &mut self,
        app: &AppId,
        user: &UserName,
        draft: &Draft,
    ) -> Result<ActionOutcome, ActionError> {
        let bot = self.bots.get_mut(app).ok_or(ActionError::NoBot)?;
        let known = bot.world.user(app, user, &self.ids);
        if !known.friend {
            return Err(ActionError::NotFriends(user.clone()));
        }
        let target = known.openid.clone();
        let index = self.ids.ref_idx();
        let said = Utterance {
            app,
            scene: Scene::C2c,
            user,
            group: None,
            author: target.clone(),
            target,
            draft,
            addressed: true,
            index,
        };
        Ok(self.say(&said, &[C2C]))
    }

    fn group_message(
        &mut self,
        app: &AppId,
        group: &GroupName,
        user: &UserName,
        draft: &Draft,
        addressed: bool,
    ) -> Result<ActionOutcome, ActionError> {
        let bot = self.bots.get_mut(app).ok_or(ActionError::NoBot)?;
        let events = &bot.settings.events;
        let author = member_openid(&self.ids, app, group, user, events.member_ids);
        let known = bot.world.group(app, group, &self.ids);
        if !known.joined {
            return Err(ActionError::BotRemoved(group.clone()));
        }
        let mode = known.mode.unwrap_or(events.group_mode);
        let forms: &[Form] = match (mode, addressed, events.at_in_full_mode) {
            (GroupMode::All, false, _) | (GroupMode::All, true, AtInFullMode::Message) => &[FULL],
            (GroupMode::All, true, AtInFullMode::Both) => &[AT, FULL],
            (GroupMode::All, true, AtInFullMode::At) | (GroupMode::OnlyMention, true, _) => &[AT],
            (GroupMode::MentionAndContext, true, _) => &[AT_CONTEXT],
            (GroupMode::OnlyMention | GroupMode::MentionAndContext, false, _) => &[],
        };
        let (target, index) = (known.openid.clone(), self.ids.ref_idx());
        let (scene, group) = (Scene::Group, Some(group));
        let said = Utterance {
            app,
            scene,
            user,
            group,
            target,
            author,
            draft,
            addressed,
            index,
        };
        let outcome = self.say(&said, forms);
        self.hear(&said);
        Ok(outcome)
    }

    /// Enters a message in the ledger and pushes its events, as often as faults want it.
    fn say(&mut self, said: &Utterance<'_>, forms: &[Form]) -> ActionOutcome {
        let id = self.ids.message();
        self.ledger.add_user_message(UserMessage {
            n: 0,
            id: id.clone(),
            app: said.app.clone(),
            scene: said.scene,
            user: said.user.clone(),
            group: said.group.cloned(),
            target: said.target.clone(),
            text: said.draft.text.clone(),
            addressed: said.addressed,
            at: self.now,
            second_id: None,
            deliveries: Vec::new(),
            replies: Vec::new(),
        });
        self.remember(said);
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
            let second = self.ids.message();
            self.ledger.add_second_id(&id, &second);
            let again = self.push_message(said, forms, &second, 1);
            outcome.sessions += again.sessions;
        }
        outcome.message_id = Some(id);
        outcome.target = Some(said.target.clone());
        outcome.author = Some(said.author.clone());
        outcome
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
        let origin = Origin::new(said.scene, said.target.clone(), self.now);
        if let Some(bot) = self.bots.get_mut(said.app) {
            bot.book
                .add_message(id.clone(), origin, self.settings.record.ledger);
        }
        for form in forms {
            let d = self.message_body(said, *form, id);
            let event_id: EventId = self.ids.event(form.name);
            for _ in 0..times {
                let intent = Intents::GROUP_AND_C2C;
                let (id_again, d) = (event_id.clone(), d.clone());
                let event = Event {
                    name: form.name,
                    id: id_again,
                    d,
                    intent,
                    place: &said.target,
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
        let Some(bot) = self.bots.get(said.app) else {
            return "{}".to_owned();
        };
        let events = &bot.settings.events;
        let (content, mentions) = self.shown(bot, said, form);
        let group = bot
            .world
            .group_by_openid(said.target.as_str())
            .map(|(_, group)| group);
        let context: Vec<Said> = match group {
            Some(group) if form.with_context => group.recent.iter().cloned().collect(),
            _ => Vec::new(),
        };
        let common = Common {
            id,
            index: &said.index,
            draft: said.draft,
            content,
            timestamp: said
                .draft
                .timestamp
                .unwrap_or(events.timestamp)
                .write(self.now),
            shape: said.draft.shape.unwrap_or(events.shape),
            quoted: said
                .draft
                .quote
                .as_ref()
                .and_then(|index| bot.world.quoted(index)),
            context: &context,
        };
        let body = if said.group.is_some() {
            let (member, group) = (&said.author, &said.target);
            let name = said.user.as_str();
            bodies::group(
                &common,
                &GroupAuthor {
                    member,
                    name,
                    group,
                },
                mentions,
            )
        } else {
            bodies::c2c(&common, &said.target)
        };
        body.to_string()
    }

    /// The content as the bot gets it, and the list of mentions that goes with it.
    fn shown(&self, bot: &Bot, said: &Utterance<'_>, form: Form) -> (String, Vec<Value>) {
        let events = &bot.settings.events;
        let text = said.draft.text.clone();
        let Some(group) = said.group.filter(|_| said.addressed) else {
            return (text, Vec::new());
        };
        let spaced = if events.leading_space {
            format!(" {text}")
        } else {
            text.clone()
        };
        if !form.shows_mention {
            return (spaced, Vec::new());
        }
        // The bot is a member like others: its openid in the group is that of a name nobody has.
        let name = UserName::from(format!("bot {}", said.app));
        let member = member_openid(&self.ids, said.app, group, &name, events.member_ids);
        let mention = bodies::mention_of_bot(&member, &bot.settings.name);
        let content = if events.full_mode_keeps_tags {
            format!("<@{member}> {text}")
        } else {
            spaced
        };
        (content, vec![mention])
    }

    fn remember(&mut self, said: &Utterance<'_>) {
        if let Some(bot) = self.bots.get_mut(said.app) {
            bot.world.remember(said.as_said());
        }
    }

    /// What was said becomes context for what follows in the group.
    fn hear(&mut self, said: &Utterance<'_>) {
        let Some(group) = said.group else { return };
        if let Some(bot) = self.bots.get_mut(said.app) {
            bot.world
                .group(said.app, group, &self.ids)
                .hear(said.as_said());
        }
    }
}

impl Utterance<'_> {
    fn as_said(&self) -> Said {
        Said {
            index: self.index.clone(),
            text: self.draft.text.clone(),
            by: self.user.to_string(),
            by_bot: false,
        }
    }
}
