//! Messages in C2C and groups.

use serde_json::{Value, json};

use super::{Form, Utterance};
use crate::actions::{ActionError, ActionOutcome, Draft};
use crate::ids::{AppId, GroupName, MessageId, UserName};
use crate::intents::Intents;
use crate::platform::Platform;
use crate::platform::bodies::{self, Common, GroupAuthor};
use crate::platform::bot::Bot;
use crate::platform::place::Spot;
use crate::platform::world::{Said, member_openid};
use crate::settings::{AtInFullMode, GroupMode};

const C2C: Form = Form {
    name: "C2C_MESSAGE_CREATE",
    intent: Intents::GROUP_AND_C2C,
    shows_mention: false,
    with_context: false,
};
const AT: Form = Form {
    name: "GROUP_AT_MESSAGE_CREATE",
    ..C2C
};
const AT_CONTEXT: Form = Form {
    with_context: true,
    ..AT
};
const FULL: Form = Form {
    name: "GROUP_MESSAGE_CREATE",
    shows_mention: true,
    ..C2C
};

/// The bot is a member like others: its openid in a group is that of a name nobody has.
pub(crate) fn bot_member(app: &AppId) -> UserName {
    UserName::from(format!("bot {app}"))
}

impl Platform {
    pub(super) fn c2c_message(
        &mut self,
        app: &AppId,
        user: &UserName,
        draft: &Draft,
    ) -> Result<ActionOutcome, ActionError> {
        let draft = &self.resolved(app, draft, false)?;
        let bot = self.bots.get_mut(app).ok_or(ActionError::NoBot)?;
        let known = bot.world.user(app, user, &self.ids);
        if !known.friend {
            return Err(ActionError::NotFriends(user.clone()));
        }
        let target = known.openid.clone();
        let index = self.ids.ref_idx();
        let said = Utterance {
            app,
            spot: Spot::c2c(target.clone(), user.clone()),
            user,
            author: target,
            draft,
            addressed: true,
            index,
            seq: 0,
        };
        Ok(self.say(&said, &[C2C]))
    }

    pub(super) fn group_message(
        &mut self,
        app: &AppId,
        group: &GroupName,
        user: &UserName,
        draft: &Draft,
        addressed: bool,
    ) -> Result<ActionOutcome, ActionError> {
        let draft = &self.resolved(app, draft, false)?;
        let bot = self.bots.get_mut(app).ok_or(ActionError::NoBot)?;
        let events = &bot.settings.events;
        let author = member_openid(&self.ids, app, group, user, events.member_ids);
        let known = bot.world.group(app, group, &self.ids);
        if !known.joined {
            return Err(ActionError::BotRemoved(group.clone()));
        }
        known.members.entry(user.clone()).or_default();
        let mode = known.mode.unwrap_or(events.group_mode);
        let forms: &[Form] = match (mode, addressed, events.at_in_full_mode) {
            (GroupMode::All, false, _) | (GroupMode::All, true, AtInFullMode::Message) => &[FULL],
            (GroupMode::All, true, AtInFullMode::Both) => &[AT, FULL],
            (GroupMode::All, true, AtInFullMode::At) | (GroupMode::OnlyMention, true, _) => &[AT],
            (GroupMode::MentionAndContext, true, _) => &[AT_CONTEXT],
            (GroupMode::OnlyMention | GroupMode::MentionAndContext, false, _) => &[],
        };
        let (target, index) = (known.openid.clone(), self.ids.ref_idx());
        let said = Utterance {
            app,
            spot: Spot::group(target, group.clone()),
            user,
            author,
            draft,
            addressed,
            index,
            seq: 0,
        };
        let outcome = self.say(&said, forms);
        self.hear(&said);
        Ok(outcome)
    }

    pub(super) fn chat_body(&self, said: &Utterance<'_>, form: Form, id: &MessageId) -> Value {
        let Some(bot) = self.bots.get(said.app) else {
            return Value::Null;
        };
        let events = &bot.settings.events;
        let (content, mentions) = self.shown(bot, said, form);
        let group = said.spot.group.as_ref();
        let group = group.and_then(|name| bot.world.known_group(name));
        let context: Vec<Said> = match group {
            Some(group) if form.with_context => group.recent.iter().cloned().collect(),
            _ => Vec::new(),
        };
        let quote = said.draft.quote.as_ref();
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
            quoted: quote.and_then(|index| bot.world.quoted(index)),
            context: &context,
        };
        let Some(group) = group else {
            return bodies::c2c(&common, &said.spot.target);
        };
        let role = group.members.get(said.user).copied().unwrap_or_default();
        let author = GroupAuthor {
            member: &said.author,
            name: said.user.as_str(),
            group: &said.spot.target,
            role,
        };
        bodies::group(&common, &author, mentions)
    }

    /// The content as the bot gets it, and the list of mentions that goes with it.
    fn shown(&self, bot: &Bot, said: &Utterance<'_>, form: Form) -> (String, Vec<Value>) {
        let events = &bot.settings.events;
        let Some(group) = said.spot.group.as_ref() else {
            return (said.draft.text.clone(), Vec::new());
        };
        let member = |name| member_openid(&self.ids, said.app, group, name, events.member_ids);
        let (mut mentions, mut text) = (Vec::new(), String::new());
        for name in &said.draft.mentions {
            let id = member(name);
            text.push_str(&format!("<@{id}> "));
            mentions.push(json!({
                "scope": "single", "id": id, "member_openid": id, "username": name,
                "bot": false, "is_you": false,
            }));
        }
        text.push_str(&said.draft.text);
        if !said.addressed {
            return (text, mentions);
        }
        let spaced = match events.leading_space {
            true => format!(" {text}"),
            false => text.clone(),
        };
        if !form.shows_mention {
            return (spaced, mentions);
        }
        let own = member(&bot_member(said.app));
        mentions.insert(0, bodies::mention_of_bot(&own, &bot.settings.name));
        match events.full_mode_keeps_tags {
            true => (format!("<@{own}> {text}"), mentions),
            false => (spaced, mentions),
        }
    }

    /// What was said becomes context for what follows in the group.
    fn hear(&mut self, said: &Utterance<'_>) {
        let Some(group) = said.spot.group.as_ref() else {
            return;
        };
        if let Some(bot) = self.bots.get_mut(said.app) {
            bot.world
                .group(said.app, group, &self.ids)
                .hear(said.as_said());
        }
    }
}
