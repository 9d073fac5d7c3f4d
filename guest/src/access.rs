//! Who may talk to the bot.

use crate::inbound::Inbound;
use crate::scene::Scene;

/// True when the operator's list has the sender, the sender in this group, the group, the guild, or everyone.
#[must_use]
pub fn allowed(list: &[String], inbound: &Inbound) -> bool {
    list.iter().any(|entry| match entry.split_once("@group:") {
        Some((person, group)) => {
            inbound.scene == Scene::Group
                && person == inbound.sender.as_str()
                && group == inbound.target.as_str()
        }
        None => match entry.strip_prefix("group:") {
            Some(group) => inbound.scene == Scene::Group && group == inbound.target.as_str(),
            None => match entry.strip_prefix("guild:") {
                Some(guild) => !guild.is_empty() && guild == inbound.guild,
                None => entry == "*" || entry == inbound.sender.as_str(),
            },
        },
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn inbound(scene: Scene, target: &str, sender: &str) -> Inbound {
        let body = serde_json::json!({
            "id": "m", "content": "hi", "group_openid": target, "channel_id": "7", "guild_id": target,
            "author": {"id": sender, "user_openid": sender, "member_openid": sender},
        });
        match scene {
            Scene::C2c => Inbound::c2c(&body.to_string(), 0),
            Scene::Group => Inbound::group(&body.to_string(), true, 0),
            Scene::Channel => Inbound::channel(&body.to_string(), true, "", 0),
            Scene::Dm => Inbound::dm(&body.to_string(), "", 0),
        }
        .unwrap()
    }

    #[test]
    fn entries_name_people_groups_or_people_in_groups() {
        let private = inbound(Scene::C2c, "", "A");
        let group = inbound(Scene::Group, "G", "A");
        for (entry, in_private, in_group) in [
            ("*", true, true),
            ("A", true, true),
            ("a", false, false),
            ("B", false, false),
            ("group:G", false, true),
            ("group:H", false, false),
            ("A@group:G", false, true),
            ("A@group:H", false, false),
            ("B@group:G", false, false),
            ("", false, false),
        ] {
            let list = vec![entry.to_owned()];
            assert_eq!(allowed(&list, &private), in_private, "{entry} in private");
            assert_eq!(allowed(&list, &group), in_group, "{entry} in a group");
        }
        let guild = inbound(Scene::Channel, "G", "A");
        let dm = inbound(Scene::Dm, "G", "A");
        for (entry, in_guild) in [
            ("guild:G", true),
            ("guild:H", false),
            ("guild:", false),
            ("group:G", false),
            ("A", true),
        ] {
            let list = vec![entry.to_owned()];
            assert_eq!(
                (allowed(&list, &guild), allowed(&list, &dm)),
                (in_guild, in_guild),
                "{entry} in a guild"
            );
            assert!(!entry.starts_with("guild:") || !allowed(&list, &private));
        }
        assert!(!allowed(&[], &private), "an empty list is nobody");
    }
}
