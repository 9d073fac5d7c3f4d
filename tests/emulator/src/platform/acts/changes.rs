//! Changes of guilds, channels and their members.

use serde_json::json;

use crate::actions::{ActionError, ActionOutcome, InChannel, InGuild};
use crate::ids::AppId;
use crate::platform::Platform;
use crate::platform::guilds::Birth;
use crate::platform::place::Spot;

impl Platform {
    /// The bot comes or goes, or the guild changes.
    pub(super) fn guild_change(
        &mut self,
        app: &AppId,
        at: &InGuild,
        name: &str,
    ) -> Result<ActionOutcome, ActionError> {
        let birth = Birth {
            app,
            ids: &self.ids,
            now: self.now,
        };
        let bot = self.bots.get_mut(app).ok_or(ActionError::NoBot)?;
        let guilds = &mut bot.world.guilds;
        let op = guilds.member(birth, &at.guild, &at.user).id.clone();
        let guild = guilds.guild(birth, &at.guild);
        match name {
            "GUILD_CREATE" => (guild.joined, guild.joined_at) = (true, birth.now),
            "GUILD_DELETE" => guild.joined = false,
            _ => guild.revision += 1,
        }
        let d = guild.object(Some(&op));
        let spot = Spot::channel(&guild.id, at.guild.clone(), "".into());
        Ok(self.push_notice(app, &spot, name, false, &d))
    }

    /// A channel comes, goes or changes.
    pub(super) fn channel_change(
        &mut self,
        app: &AppId,
        at: &InChannel,
        name: &str,
    ) -> Result<ActionOutcome, ActionError> {
        let birth = Birth {
            app,
            ids: &self.ids,
            now: self.now,
        };
        let bot = self.bots.get_mut(app).ok_or(ActionError::NoBot)?;
        let guilds = &mut bot.world.guilds;
        let op = guilds.member(birth, &at.guild, &at.user).id.clone();
        let channel = guilds.channel(birth, &at.guild, &at.channel);
        channel.deleted = name == "CHANNEL_DELETE";
        channel.revision += 1;
        let channel = channel.clone();
        let guild = guilds.guild(birth, &at.guild);
        let mut d = json!({
            "id": channel.id, "guild_id": guild.id, "name": at.channel, "type": 0, "sub_type": 0,
        });
        if bot.settings.guilds.whole_channels {
            d = channel.object(guild, &at.channel);
        }
        if let Some(fields) = d.as_object_mut() {
            fields.insert("owner_id".to_owned(), json!(op));
            fields.insert("op_user_id".to_owned(), json!(op));
        }
        let id = &channel.id;
        let spot = Spot::channel(id, at.guild.clone(), at.channel.clone());
        Ok(self.push_notice(app, &spot, name, false, &d))
    }

    /// A member comes, goes or changes. A bot may answer in the guild's channels by the event's id.
    pub(super) fn member_change(
        &mut self,
        app: &AppId,
        at: &InGuild,
        name: &str,
    ) -> Result<ActionOutcome, ActionError> {
        let birth = Birth {
            app,
            ids: &self.ids,
            now: self.now,
        };
        let bot = self.bots.get_mut(app).ok_or(ActionError::NoBot)?;
        let guilds = &mut bot.world.guilds;
        let member = guilds.member(birth, &at.guild, &at.user);
        if name == "GUILD_MEMBER_UPDATE" {
            member.nick.push('*');
        }
        let member = member.clone();
        let guild = guilds.guild(birth, &at.guild);
        if name == "GUILD_MEMBER_REMOVE" {
            guild.members.remove(&at.user);
        }
        let mut d = member.object(&at.user);
        if let Some(fields) = d.as_object_mut() {
            fields.insert("guild_id".to_owned(), json!(guild.id));
            fields.insert("op_user_id".to_owned(), json!(member.id));
        }
        // Its answer goes to a channel: the first one there is.
        let first = guild.channels.iter().find(|(_, it)| !it.deleted);
        let spot = match first {
            Some((name, channel)) => Spot::channel(&channel.id, at.guild.clone(), name.clone()),
            None => Spot::channel(&guild.id, at.guild.clone(), "".into()),
        };
        Ok(self.push_notice(app, &spot, name, true, &d))
    }
}
