//! Friendships, memberships and switches.

use serde_json::json;

use crate::actions::{Act, ActionError, ActionOutcome};
use crate::ids::{AppId, GroupName, UserName};
use crate::platform::Platform;
use crate::platform::place::Spot;
use crate::platform::world::member_openid;
use crate::settings::GroupMode;

/// A relationship event: its name, and whether a bot may answer it by its outer id.
struct Change {
    name: &'static str,
    answerable: bool,
}

impl Platform {
    pub(super) fn on_relation(
        &mut self,
        app: &AppId,
        act: &Act,
    ) -> Result<ActionOutcome, ActionError> {
        let change = |name, answerable| Change { name, answerable };
        let (group, user, change) = match act {
            Act::SetGroupMode { group, mode } => return self.set_group_mode(app, group, *mode),
            Act::AddFriend { user } => (None, user, change("FRIEND_ADD", true)),
            Act::RemoveFriend { user } => (None, user, change("FRIEND_DEL", false)),
            Act::RejectMessages { user } => (None, user, change("C2C_MSG_REJECT", false)),
            Act::AcceptMessages { user } => (None, user, change("C2C_MSG_RECEIVE", true)),
            Act::AddToGroup { group, user } => (Some(group), user, change("GROUP_ADD_ROBOT", true)),
            Act::RemoveFromGroup { group, user } => {
                (Some(group), user, change("GROUP_DEL_ROBOT", false))
            }
            Act::GroupRejectMessages { group, user } => {
                (Some(group), user, change("GROUP_MSG_REJECT", false))
            }
            Act::GroupAcceptMessages { group, user } => {
                (Some(group), user, change("GROUP_MSG_RECEIVE", true))
            }
            // All others have their own way and do not come here.
            _ => return Ok(ActionOutcome::default()),
        };
        match group {
            None => self.user_change(app, user, &change),
            Some(group) => self.group_change(app, group, user, &change),
        }
    }

    fn set_group_mode(
        &mut self,
        app: &AppId,
        group: &GroupName,
        mode: GroupMode,
    ) -> Result<ActionOutcome, ActionError> {
        let bot = self.bots.get_mut(app).ok_or(ActionError::NoBot)?;
        let group = bot.world.group(app, group, &self.ids);
        group.mode = Some(mode);
        Ok(ActionOutcome {
            target: Some(group.openid.clone()),
            ..ActionOutcome::default()
        })
    }

    fn user_change(
        &mut self,
        app: &AppId,
        user: &UserName,
        change: &Change,
    ) -> Result<ActionOutcome, ActionError> {
        let bot = self.bots.get_mut(app).ok_or(ActionError::NoBot)?;
        let timestamp = bot.settings.events.relation_timestamp.write(self.now);
        let known = bot.world.user(app, user, &self.ids);
        match change.name {
            "FRIEND_ADD" => known.friend = true,
            "FRIEND_DEL" => known.friend = false,
            "C2C_MSG_REJECT" => known.rejects = true,
            _ => known.rejects = false,
        }
        let openid = known.openid.clone();
        let mut d = json!({"timestamp": timestamp, "openid": openid});
        if change.name == "FRIEND_ADD"
            && let Some(body) = d.as_object_mut()
        {
            body.insert("author".to_owned(), json!({"union_openid": ""}));
            body.insert("scene".to_owned(), json!(1000));
            body.insert("scene_param".to_owned(), json!(""));
        }
        let spot = Spot::c2c(openid, user.clone());
        Ok(self.push_notice(app, &spot, change.name, change.answerable, &d))
    }

    fn group_change(
        &mut self,
        app: &AppId,
        group: &GroupName,
        user: &UserName,
        change: &Change,
    ) -> Result<ActionOutcome, ActionError> {
        let bot = self.bots.get_mut(app).ok_or(ActionError::NoBot)?;
        let events = &bot.settings.events;
        let timestamp = events.relation_timestamp.write(self.now);
        let member = member_openid(&self.ids, app, group, user, events.member_ids);
        let known = bot.world.group(app, group, &self.ids);
        match change.name {
            "GROUP_ADD_ROBOT" => (known.joined, known.joined_at) = (true, self.now),
            "GROUP_DEL_ROBOT" => known.joined = false,
            "GROUP_MSG_REJECT" => known.rejects = true,
            _ => known.rejects = false,
        }
        let openid = known.openid.clone();
        let d = json!({
            "timestamp": timestamp, "group_openid": openid, "op_member_openid": member,
        });
        let spot = Spot::group(openid, group.clone());
        Ok(self.push_notice(app, &spot, change.name, change.answerable, &d))
    }
}
