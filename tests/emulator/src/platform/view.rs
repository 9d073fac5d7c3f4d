//! One bot's surroundings as a page shows them: who is where, what is switched off, what waits.

use std::collections::BTreeMap;

use serde::Serialize;

use super::Platform;
use super::bot::Bot;
use crate::actions::Role;
use crate::ids::{AppId, ChannelName, GroupName, GuildName, UserName};
use crate::ledger::Scene;
use crate::settings::{BotSettings, GroupMode};
use crate::time::Millis;

/// Everyone and everything that a bot has met.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct WorldView {
    /// The users of C2C, by name.
    pub users: BTreeMap<UserName, UserView>,
    /// The groups, by name.
    pub groups: BTreeMap<GroupName, GroupView>,
    /// The guilds, by name.
    pub guilds: BTreeMap<GuildName, GuildView>,
    /// Messages of the bot that wait for an audit, oldest first.
    pub audits: Vec<AuditView>,
}

/// A user.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct UserView {
    /// Whether they can write to each other at all.
    pub friend: bool,
    /// Whether the user has switched proactive messages off.
    pub rejects: bool,
}

/// A group.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct GroupView {
    /// Whether the bot is in it.
    pub joined: bool,
    /// Whether proactive messages are switched off.
    pub rejects: bool,
    /// What the bot hears.
    pub mode: GroupMode,
    /// Whether the bot is muted.
    pub muted: bool,
    /// The bot's role.
    pub bot_role: Role,
    /// Who was seen in it.
    pub members: BTreeMap<UserName, Role>,
}

/// A guild.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct GuildView {
    /// Whether the bot is in it.
    pub joined: bool,
    /// Its channels that were not deleted.
    pub channels: Vec<ChannelName>,
    /// Who was seen in it.
    pub members: Vec<UserName>,
}

/// A message that waits for an audit.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct AuditView {
    /// Its audit.
    pub audit_id: String,
    /// Where it was sent.
    pub scene: Scene,
    /// What it says.
    pub text: String,
    /// Since when.
    pub since: Millis,
}

impl Platform {
    /// What is around a bot.
    #[must_use]
    pub fn world(&self, app: &AppId) -> Option<WorldView> {
        self.bots.get(app).map(Bot::view)
    }

    /// Makes a bot while the platform runs; false if there is one with this app id.
    pub fn add_bot(&mut self, settings: BotSettings) -> bool {
        if self.bots.contains_key(&settings.app_id) {
            return false;
        }
        let user_id = self.ids.bot_user(&settings.app_id);
        self.settings.bots.push(settings.clone());
        self.bots
            .insert(settings.app_id.clone(), Bot::new(settings, user_id));
        true
    }
}

impl Bot {
    fn view(&self) -> WorldView {
        let users = self.world.users().map(|(name, user)| {
            let (friend, rejects) = (user.friend, user.rejects);
            (name.clone(), UserView { friend, rejects })
        });
        let groups = self.world.groups().map(|(name, group)| {
            let view = GroupView {
                joined: group.joined,
                rejects: group.rejects,
                mode: group.mode.unwrap_or(self.settings.events.group_mode),
                muted: group.muted,
                bot_role: group.bot_role,
                members: group.members.clone(),
            };
            (name.clone(), view)
        });
        let guilds = self.world.guilds.known().map(|guild| {
            let channels = guild.channels.iter().filter(|(_, it)| !it.deleted);
            let view = GuildView {
                joined: guild.joined,
                channels: channels.map(|(name, _)| name.clone()).collect(),
                members: guild.members.keys().cloned().collect(),
            };
            (guild.name.clone(), view)
        });
        let audits = self.audits.iter().map(|held| AuditView {
            audit_id: held.audit_id.clone(),
            scene: held.sent.spot.scene,
            text: held.sent.outgoing.text.clone(),
            since: held.since,
        });
        WorldView {
            users: users.collect(),
            groups: groups.collect(),
            guilds: guilds.collect(),
            audits: audits.collect(),
        }
    }
}
