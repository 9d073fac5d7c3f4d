//! Guilds, their channels and their members.

use super::Change;
use super::fields::{self, Fields};

/// A guild that the bot came to, that changed, or that it is no longer in.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct GuildChange {
    /// What happened.
    pub change: Change,
    /// The guild.
    pub guild: String,
    /// Its name.
    pub name: String,
    /// Who owns it.
    pub owner: String,
    /// Who did it.
    pub by: String,
    /// How many members it has; 0 when unknown.
    pub members: u64,
    /// When the bot came to it, wall-clock milliseconds of the platform.
    pub joined_ms: Option<u64>,
}

/// A channel that is new, changed or gone.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ChannelChange {
    /// What happened.
    pub change: Change,
    /// The channel.
    pub channel: String,
    /// The guild that it belongs to.
    pub guild: String,
    /// Its name.
    pub name: String,
    /// What it is: 0 text, 2 voice, 4 a group of channels, 10005 live, 10006 application, 10007 forum.
    pub kind: u32,
    /// What a text channel is for: 0 chat, 1 notices, 2 a guide, 3 finding company.
    pub sub_kind: u32,
    /// Who did it.
    pub by: String,
}

/// A member who came, changed or left.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct MemberChange {
    /// What happened.
    pub change: Change,
    /// The guild.
    pub guild: String,
    /// The member.
    pub user: String,
    /// The name in the guild, or else the person's own.
    pub name: String,
    /// True for bots.
    pub bot: bool,
    /// Ids of the roles.
    pub roles: Vec<String>,
    /// Who did it.
    pub by: String,
}

/// Something in a guild that is counted only: sound, voice and live channels, forums.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Happening {
    /// The guild.
    pub guild: String,
    /// The channel.
    pub channel: String,
    /// Who; empty when unknown.
    pub user: String,
}

/// Reads a guild. `None` when it has no id.
#[must_use]
pub fn read_guild(json: &str, change: Change) -> Option<GuildChange> {
    let value = fields::object(json)?;
    let fields = Fields(&value);
    let guild = fields.id("id");
    (!guild.is_empty()).then(|| GuildChange {
        change,
        guild,
        name: fields.name("name"),
        owner: fields.id("owner_id"),
        by: fields.id("op_user_id"),
        members: fields.number("member_count").unwrap_or_default(),
        joined_ms: fields.moment("joined_at"),
    })
}

/// Reads a channel. `None` when it has no id.
#[must_use]
pub fn read_channel(json: &str, change: Change) -> Option<ChannelChange> {
    let value = fields::object(json)?;
    let fields = Fields(&value);
    let channel = fields.id("id");
    (!channel.is_empty()).then(|| ChannelChange {
        change,
        channel,
        guild: fields.id("guild_id"),
        name: fields.name("name"),
        kind: fields.small("type"),
        sub_kind: fields.small("sub_type"),
        by: fields.id("op_user_id"),
    })
}

/// Reads a member. `None` when it does not say who and where.
#[must_use]
pub fn read_member(json: &str, change: Change) -> Option<MemberChange> {
    let value = fields::object(json)?;
    let fields = Fields(&value);
    let user = fields.inner("user");
    let names = [fields.name("nick"), user.name("username")];
    let roles = match fields.0.get("roles") {
        Some(serde_json::Value::Array(roles)) => roles.as_slice(),
        _ => &[],
    };
    let member = MemberChange {
        change,
        guild: fields.id("guild_id"),
        user: user.id("id"),
        name: names
            .into_iter()
            .find(|name| !name.is_empty())
            .unwrap_or_default(),
        bot: user.truth("bot"),
        roles: roles
            .iter()
            .take(fields::LIST)
            .map(|role| fields::cut(&fields::as_text(role), 64))
            .filter(|role| !role.is_empty())
            .collect(),
        by: fields.id("op_user_id"),
    };
    (!member.guild.is_empty() && !member.user.is_empty()).then_some(member)
}

/// Reads where something happened. `None` when it does not say.
#[must_use]
pub fn read_happening(json: &str) -> Option<Happening> {
    let value = fields::object(json)?;
    let fields = Fields(&value);
    let guild = fields.id("guild_id");
    (!guild.is_empty()).then(|| Happening {
        guild,
        channel: fields.id("channel_id"),
        user: fields.first_id(&["user_id", "author_id"]),
    })
}
