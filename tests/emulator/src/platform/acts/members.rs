//! Members of groups: who comes and goes, who asks, who may what.

use serde_json::json;

use crate::actions::{ActionError, ActionOutcome, InGroup, Role};
use crate::ids::{AppId, GroupName, UserName};
use crate::platform::Platform;
use crate::platform::place::Spot;
use crate::platform::world::member_openid;

impl Platform {
    /// Someone joins or leaves a group that the bot is in.
    pub(super) fn group_member_change(
        &mut self,
        app: &AppId,
        at: &InGroup,
        name: &str,
    ) -> Result<ActionOutcome, ActionError> {
        let bot = self.bots.get_mut(app).ok_or(ActionError::NoBot)?;
        let events = &bot.settings.events;
        let member = member_openid(&self.ids, app, &at.group, &at.user, events.member_ids);
        let timestamp = events.relation_timestamp.write(self.now);
        let user = bot.world.user(app, &at.user, &self.ids).openid.clone();
        let group = bot.world.group(app, &at.group, &self.ids);
        if !group.joined {
            return Err(ActionError::BotRemoved(at.group.clone()));
        }
        if name == "GROUP_MEMBER_ADD" {
            group.members.entry(at.user.clone()).or_default();
        } else {
            group.members.remove(&at.user);
        }
        let spot = Spot::group(group.openid.clone(), at.group.clone());
        let d = json!({
            "timestamp": timestamp, "group_openid": spot.target, "member_openid": member,
            "user_openid": user,
        });
        let answerable = name == "GROUP_MEMBER_ADD";
        Ok(self.push_notice(app, &spot, name, answerable, &d))
    }

    /// Someone asks to join; only an administrator is told.
    pub(super) fn join_request(
        &mut self,
        app: &AppId,
        at: &InGroup,
        text: &str,
    ) -> Result<ActionOutcome, ActionError> {
        let request = self.ids.letters(8);
        let bot = self.bots.get_mut(app).ok_or(ActionError::NoBot)?;
        let events = &bot.settings.events;
        let member = member_openid(&self.ids, app, &at.group, &at.user, events.member_ids);
        let group = bot.world.group(app, &at.group, &self.ids);
        let spot = Spot::group(group.openid.clone(), at.group.clone());
        if !group.joined || group.bot_role == Role::Member {
            return Ok(ActionOutcome {
                target: Some(spot.target),
                ..ActionOutcome::default()
            });
        }
        let d = json!({
            "group_openid": spot.target, "join_request_id": format!("jr_{request}"),
            "member_openid": member, "username": at.user, "apply_at": self.now.rfc3339(),
            "apply_source": "self_apply", "risk_tips": "",
            "verify_info": {"method": "verify_message", "verify_message": text},
        });
        Ok(self.push_notice(app, &spot, "GROUP_JOIN_REQUEST", false, &d))
    }

    /// A member, or the bot, gets a role.
    pub(super) fn set_role(
        &mut self,
        app: &AppId,
        group: &GroupName,
        user: Option<&UserName>,
        role: Role,
    ) -> Result<ActionOutcome, ActionError> {
        let bot = self.bots.get_mut(app).ok_or(ActionError::NoBot)?;
        let group = bot.world.group(app, group, &self.ids);
        match user {
            None => group.bot_role = role,
            Some(user) => {
                group.members.insert(user.clone(), role);
            }
        }
        Ok(ActionOutcome {
            target: Some(group.openid.clone()),
            ..ActionOutcome::default()
        })
    }

    /// The bot is muted in a group, or may speak again.
    pub(super) fn mute_bot(
        &mut self,
        app: &AppId,
        group: &GroupName,
        muted: bool,
    ) -> Result<ActionOutcome, ActionError> {
        let bot = self.bots.get_mut(app).ok_or(ActionError::NoBot)?;
        let group = bot.world.group(app, group, &self.ids);
        group.muted = muted;
        Ok(ActionOutcome {
            target: Some(group.openid.clone()),
            ..ActionOutcome::default()
        })
    }
}
