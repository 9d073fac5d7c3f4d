//! Looking things up: guilds, channels, members, roles, settings; and opening direct messages.

use serde_json::{Value, json};

use super::{Birth, Guild};
use crate::ids::AppId;
use crate::platform::Platform;
use crate::platform::routes::{Answer, Call};
use crate::platform::world::member_openid;

/// Guilds in one answer.
const GUILDS: usize = 100;

/// Members in one answer.
const MEMBERS: usize = 400;

/// The roles that every guild has: id and name.
const ROLES: &[(&str, &str)] = &[
    ("1", "全体成员"),
    ("2", "管理员"),
    ("4", "群主/创建者"),
    ("5", "子频道管理员"),
];

impl Platform {
    /// `GET /users/@me/guilds?before=&after=&limit=100`.
    pub(in crate::platform) fn my_guilds(&mut self, call: &Call, app: &AppId) -> Answer {
        let Some(bot) = self.bots.get(app) else {
            return Answer::error(10_001);
        };
        let limit = call.query_number("limit").unwrap_or(GUILDS);
        if limit == 0 || limit > GUILDS {
            return Answer::error(12_002);
        }
        let mut guilds: Vec<&Guild> = bot.world.guilds.all().collect();
        guilds.sort_by(|one, two| one.id.cmp(&two.id));
        let text = |name: &str| call.query_text(name).filter(|text| !text.is_empty());
        if let Some(after) = text("after") {
            guilds.retain(|guild| guild.id.as_str() > after);
        }
        if let Some(before) = text("before") {
            guilds.retain(|guild| guild.id.as_str() < before);
        }
        let page = guilds.iter().take(limit);
        Answer::ok(&page.map(|guild| guild.object(None)).collect())
    }

    /// `POST /users/@me/dms`.
    pub(in crate::platform) fn open_dm(&mut self, call: &Call, app: &AppId) -> Answer {
        let text = |name: &str| call.json.as_ref().and_then(|it| it.get(name)?.as_str());
        let (Some(user), Some(guild)) = (text("recipient_id"), text("source_guild_id")) else {
            self.malformed(Some(app), "dms needs recipient_id and source_guild_id");
            return Answer::error(12_002);
        };
        let birth = Birth {
            app,
            ids: &self.ids,
            now: self.now,
        };
        let Some(bot) = self.bots.get_mut(app) else {
            return Answer::error(10_001);
        };
        let guilds = &mut bot.world.guilds;
        let Some(home) = guilds.by_id(guild) else {
            return Answer::error(10_004);
        };
        let name = guilds
            .user_by_id(user)
            .filter(|it| home.members.contains_key(*it));
        let Some(name) = name.cloned() else {
            return Answer::error(304_034);
        };
        let home = home.name.clone();
        let dm = guilds.dm(birth, &home, &name);
        Answer::ok(&json!({
            "guild_id": dm.id, "channel_id": dm.channel_id,
            "create_time": dm.created.seconds().to_string(),
        }))
    }

    /// `GET /guilds/{id}` and everything below it.
    pub(in crate::platform) fn guild_lookup(&mut self, call: &Call, app: &AppId) -> Answer {
        let Some(bot) = self.bots.get(app) else {
            return Answer::error(10_001);
        };
        let Some(guild) = bot.world.guilds.by_id(call.segment(1)) else {
            return Answer::error(10_004);
        };
        match (call.segment(2), call.segment(3)) {
            ("", _) => Answer::ok(&guild.object(None)),
            ("channels", _) => {
                let there = guild.channels.iter().filter(|(_, it)| !it.deleted);
                Answer::ok(&there.map(|(name, it)| it.object(guild, name)).collect())
            }
            ("members", "") if !bot.settings.is_private() => Answer::error(11_253),
            ("members", "") => members(call, guild),
            ("members", id) => {
                let mut all = guild.members.iter();
                let found = all.find(|(_, member)| member.id.as_str() == id);
                found.map_or(Answer::error(10_001), |(name, member)| {
                    Answer::ok(&member.object(name))
                })
            }
            ("roles", _) => Answer::ok(&roles(guild)),
            ("message", _) => {
                let channels = guild.channels.values().map(|it| it.id.as_str());
                let ids: Vec<&str> = channels.collect();
                Answer::ok(&json!({
                    "disable_create_dm": "false",
                    "disable_push_msg": (!bot.settings.guilds.proactive).to_string(),
                    "channel_ids": ids,
                    "channel_push_max_num": bot.settings.guilds.channel_daily,
                }))
            }
            _ => {
                let denied = &bot.settings.grants.denied;
                let apis: Vec<Value> = crate::platform::routes::bot_endpoints()
                    .map(|(method, path)| {
                        let open = !denied.iter().any(|it| path.starts_with(it.as_str()));
                        json!({"path": path, "method": method, "desc": "", "auth_status": u8::from(open)})
                    })
                    .collect();
                Answer::ok(&json!({"apis": apis}))
            }
        }
    }

    /// `GET /channels/{id}`.
    pub(in crate::platform) fn channel_lookup(&mut self, call: &Call, app: &AppId) -> Answer {
        let object = self.bots.get(app).and_then(|bot| {
            let spot = bot.world.guilds.channel_spot(call.segment(1))?;
            let guild = bot.world.guilds.by_name(spot.guild.as_ref()?)?;
            let name = spot.channel?;
            Some(guild.channels.get(&name)?.object(guild, &name))
        });
        object.map_or(Answer::error(10_003), |object| Answer::ok(&object))
    }

    /// `GET /v2/groups/{openid}/info`, `/bot_state`, `/members` and `/members/{member}`.
    pub(in crate::platform) fn group_lookup(&mut self, call: &Call, app: &AppId) -> Answer {
        let Some(bot) = self.bots.get(app) else {
            return Answer::error(10_001);
        };
        if !bot.settings.grants.group_management {
            return Answer::error(11_253);
        }
        let group = bot.world.group_by_openid(call.segment(2));
        let Some((name, group)) = group.filter(|(_, group)| group.joined) else {
            return Answer::error(40_054_003);
        };
        let events = &bot.settings.events;
        match call.segment(3) {
            "info" => Answer::ok(&json!({
                "group_openid": group.openid, "group_name": name, "group_finger_memo": "",
                "group_class_text": "", "group_tags": [],
                "group_member_num": group.members.len() + 1,
            })),
            "bot_state" => {
                let bot_name = super::super::acts::bot_member(app);
                let own = member_openid(&self.ids, app, name, &bot_name, events.member_ids);
                let unasked = bot.settings.messages.proactive;
                let allowed = !matches!(unasked, crate::settings::Proactive::Refused(_));
                Answer::ok(&json!({
                    "member_openid": own, "joined_at": group.joined_at.rfc3339(),
                    "allow_proactive_msg": allowed && !group.rejects,
                    "recv_msg_setting": group.mode.unwrap_or(events.group_mode),
                    "member_role": group.bot_role.wire(),
                }))
            }
            _ => {
                let all = group.members.iter().map(|(user, role)| {
                    let id = member_openid(&self.ids, app, name, user, events.member_ids);
                    json!({"member_openid": id, "username": user, "member_role": role.wire()})
                });
                let wanted = call.segment(4);
                let mut all = all.filter(|it| {
                    wanted.is_empty() || it.get("member_openid").is_some_and(|id| id == wanted)
                });
                match wanted {
                    "" => {
                        Answer::ok(&json!({"members": all.collect::<Vec<_>>(), "next_cursor": ""}))
                    }
                    _ => all
                        .next()
                        .map_or(Answer::error(40_034_101), |it| Answer::ok(&it)),
                }
            }
        }
    }
}

fn members(call: &Call, guild: &Guild) -> Answer {
    let limit = call.query_number("limit").unwrap_or(1);
    if limit == 0 || limit > MEMBERS {
        return Answer::error(12_002);
    }
    let after = call.query_text("after").unwrap_or("0");
    let mut all: Vec<_> = guild.members.iter().collect();
    all.sort_by(|(_, one), (_, two)| one.id.cmp(&two.id));
    let page = all
        .into_iter()
        .filter(|(_, member)| after == "0" || member.id.as_str() > after)
        .take(limit);
    Answer::ok(&page.map(|(name, member)| member.object(name)).collect())
}

fn roles(guild: &Guild) -> Value {
    let roles: Vec<Value> = ROLES
        .iter()
        .map(|(id, name)| {
            json!({"id": id, "name": name, "color": 4_278_245_297_u32, "hoist": 0,
                "number": 1, "member_limit": 2_000})
        })
        .collect();
    json!({"guild_id": guild.id, "roles": roles, "role_num_limit": "30"})
}
