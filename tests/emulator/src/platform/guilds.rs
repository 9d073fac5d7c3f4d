//! The guilds around one bot: channels, members, direct message sessions.

mod lists;
mod reactions;

use std::collections::BTreeMap;

use serde_json::{Value, json};

use super::place::Spot;
use crate::ids::{AppId, ChannelName, GuildName, Snowflake, UserName};
use crate::random::IdSource;
use crate::time::Millis;

/// A guild as one bot knows it.
#[derive(Debug)]
pub(crate) struct Guild {
    pub(crate) id: Snowflake,
    pub(crate) name: GuildName,
    /// Whether the bot is in it.
    pub(crate) joined: bool,
    pub(crate) joined_at: Millis,
    /// How often something about it was changed.
    pub(crate) revision: u32,
    pub(crate) channels: BTreeMap<ChannelName, Channel>,
    pub(crate) members: BTreeMap<UserName, Member>,
}

/// A text channel.
#[derive(Debug, Clone)]
pub(crate) struct Channel {
    pub(crate) id: Snowflake,
    /// The last `seq_in_channel`.
    pub(crate) seq: u64,
    pub(crate) deleted: bool,
    pub(crate) revision: u32,
}

/// A member of a guild.
#[derive(Debug, Clone)]
pub(crate) struct Member {
    pub(crate) id: Snowflake,
    pub(crate) nick: String,
    pub(crate) joined_at: Millis,
}

/// A direct message session.
#[derive(Debug)]
pub(crate) struct Dm {
    /// The id that stands for a guild.
    pub(crate) id: Snowflake,
    pub(crate) channel_id: Snowflake,
    pub(crate) guild: GuildName,
    pub(crate) user: UserName,
    pub(crate) seq: u64,
    pub(crate) created: Millis,
}

/// All of them.
#[derive(Debug, Default)]
pub(crate) struct Guilds {
    guilds: BTreeMap<GuildName, Guild>,
    names: BTreeMap<Snowflake, GuildName>,
    channels: BTreeMap<Snowflake, (GuildName, ChannelName)>,
    dms: BTreeMap<Snowflake, Dm>,
    users: BTreeMap<Snowflake, UserName>,
}

/// Where ids come from, and the time.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Birth<'a> {
    pub(crate) app: &'a AppId,
    pub(crate) ids: &'a IdSource,
    pub(crate) now: Millis,
}

impl Guilds {
    /// The guild of this name, which comes into being with the bot in it.
    pub(crate) fn guild(&mut self, birth: Birth<'_>, name: &GuildName) -> &mut Guild {
        let names = &mut self.names;
        self.guilds.entry(name.clone()).or_insert_with(|| {
            let id = birth.ids.snowflake(birth.app, "guild", name.as_str());
            names.insert(id.clone(), name.clone());
            Guild {
                id,
                name: name.clone(),
                joined: true,
                joined_at: birth.now,
                revision: 0,
                channels: BTreeMap::new(),
                members: BTreeMap::new(),
            }
        })
    }

    /// The channel of this name, which comes into being.
    pub(crate) fn channel(
        &mut self,
        birth: Birth<'_>,
        guild: &GuildName,
        name: &ChannelName,
    ) -> &mut Channel {
        let id = birth
            .ids
            .snowflake(birth.app, "channel", &format!("{guild}/{name}"));
        self.channels
            .insert(id.clone(), (guild.clone(), name.clone()));
        let fresh = || Channel {
            id,
            seq: 0,
            deleted: false,
            revision: 0,
        };
        let channels = &mut self.guild(birth, guild).channels;
        channels.entry(name.clone()).or_insert_with(fresh)
    }

    /// The member of this name, who joins if they have not.
    pub(crate) fn member(
        &mut self,
        birth: Birth<'_>,
        guild: &GuildName,
        user: &UserName,
    ) -> &mut Member {
        let id = birth.ids.snowflake(birth.app, "guild user", user.as_str());
        self.users.insert(id.clone(), user.clone());
        let fresh = || Member {
            id,
            nick: user.to_string(),
            joined_at: birth.now,
        };
        let members = &mut self.guild(birth, guild).members;
        members.entry(user.clone()).or_insert_with(fresh)
    }

    /// The direct message session of a member, which is opened.
    pub(crate) fn dm(&mut self, birth: Birth<'_>, guild: &GuildName, user: &UserName) -> &mut Dm {
        let key = format!("{guild}/{user}");
        let id = birth.ids.snowflake(birth.app, "dm guild", &key);
        let channel_id = birth.ids.snowflake(birth.app, "dm channel", &key);
        self.dms.entry(id.clone()).or_insert_with(|| Dm {
            id,
            channel_id,
            guild: guild.clone(),
            user: user.clone(),
            seq: 0,
            created: birth.now,
        })
    }

    /// A guild that the bot is in, by id.
    pub(crate) fn by_id(&self, id: &str) -> Option<&Guild> {
        let name = self.names.get(id)?;
        self.guilds.get(name).filter(|guild| guild.joined)
    }

    pub(crate) fn by_name(&self, name: &GuildName) -> Option<&Guild> {
        self.guilds.get(name)
    }

    /// Every guild, whether or not the bot is in it.
    pub(crate) fn known(&self) -> impl Iterator<Item = &Guild> {
        self.guilds.values()
    }

    /// Every guild that the bot is in.
    pub(crate) fn all(&self) -> impl Iterator<Item = &Guild> {
        self.guilds.values().filter(|guild| guild.joined)
    }

    /// The channel with this id, if the bot is in its guild.
    pub(crate) fn channel_spot(&self, id: &str) -> Option<Spot> {
        let (id, (guild, channel)) = self.channels.get_key_value(id)?;
        let home = self.guilds.get(guild).filter(|guild| guild.joined)?;
        let there = home.channels.get(channel)?;
        (!there.deleted).then(|| Spot::channel(id, guild.clone(), channel.clone()))
    }

    /// The direct message session with this id, if the bot is in its guild.
    pub(crate) fn dm_spot(&self, id: &str) -> Option<Spot> {
        let dm = self.dms.get(id)?;
        let home = self.guilds.get(&dm.guild)?;
        home.joined
            .then(|| Spot::dm(&dm.id, dm.guild.clone(), dm.user.clone()))
    }

    /// The ids of guild and channel that a chat has on the wire.
    pub(crate) fn ids_of(&self, spot: &Spot) -> (Option<&Snowflake>, Option<&Snowflake>) {
        if let Some(dm) = self.dms.get(spot.target.as_str()) {
            return (Some(&dm.id), Some(&dm.channel_id));
        }
        let guild = spot.guild.as_ref().and_then(|name| self.guilds.get(name));
        let name = spot.channel.as_ref();
        let channel = guild.zip(name).and_then(|(it, name)| it.channels.get(name));
        (guild.map(|it| &it.id), channel.map(|it| &it.id))
    }

    pub(crate) fn user_by_id(&self, id: &str) -> Option<&UserName> {
        self.users.get(id)
    }

    /// The ids and the next number for a message there: guild, channel, `seq_in_channel`.
    pub(crate) fn next_seq(&mut self, spot: &Spot) -> Option<(Snowflake, Snowflake, u64)> {
        if let Some(dm) = self.dms.get_mut(spot.target.as_str()) {
            dm.seq += 1;
            return Some((dm.id.clone(), dm.channel_id.clone(), dm.seq));
        }
        let guild = self.guilds.get_mut(spot.guild.as_ref()?)?;
        let channel = guild.channels.get_mut(spot.channel.as_ref()?)?;
        channel.seq += 1;
        Some((guild.id.clone(), channel.id.clone(), channel.seq))
    }
}

impl Guild {
    /// The Guild object.
    pub(crate) fn object(&self, op_user: Option<&Snowflake>) -> Value {
        let owner = self.members.values().next();
        let owner = owner.map_or("100000000", |owner| owner.id.as_str());
        let mut object = json!({
            "id": self.id, "name": self.name, "icon": "", "owner_id": owner, "owner": false,
            "description": format!("revision {}", self.revision),
            "member_count": self.members.len() + 1, "max_members": 300,
            "joined_at": self.joined_at.rfc3339(),
        });
        if let (Some(op), Some(fields)) = (op_user, object.as_object_mut()) {
            fields.insert("op_user_id".to_owned(), json!(op));
        }
        object
    }
}

impl Channel {
    /// The Channel object.
    pub(crate) fn object(&self, guild: &Guild, name: &ChannelName) -> Value {
        json!({
            "id": self.id, "guild_id": guild.id, "name": name, "type": 0, "sub_type": 0,
            "position": 1, "parent_id": "0", "owner_id": "100000000", "private_type": 0,
            "speak_permission": 1, "application_id": "", "permissions": "0",
        })
    }
}

impl Member {
    /// The Member object.
    pub(crate) fn object(&self, name: &UserName) -> Value {
        json!({
            "user": self.user(name), "nick": self.nick, "roles": ["1"],
            "joined_at": self.joined_at.rfc3339(),
        })
    }

    /// The User object.
    pub(crate) fn user(&self, name: &UserName) -> Value {
        json!({"id": self.id, "username": name, "avatar": "http://thirdqq.qlogo.cn/0", "bot": false})
    }
}
