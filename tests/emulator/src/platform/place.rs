//! Where something is said: the scene, the id that bots address, and the names of people.

use crate::ids::{ChannelName, GroupName, GuildName, Openid, Snowflake, UserName};
use crate::ledger::Scene;

/// One chat of one bot.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Spot {
    pub(crate) scene: Scene,
    /// What the bot addresses.
    pub(crate) target: Openid,
    /// The other one, in C2C and direct messages.
    pub(crate) user: Option<UserName>,
    pub(crate) group: Option<GroupName>,
    pub(crate) guild: Option<GuildName>,
    pub(crate) channel: Option<ChannelName>,
}

impl Spot {
    fn new(scene: Scene, target: Openid) -> Self {
        Self {
            scene,
            target,
            user: None,
            group: None,
            guild: None,
            channel: None,
        }
    }

    pub(crate) fn c2c(target: Openid, user: UserName) -> Self {
        Self {
            user: Some(user),
            ..Self::new(Scene::C2c, target)
        }
    }

    pub(crate) fn group(target: Openid, group: GroupName) -> Self {
        Self {
            group: Some(group),
            ..Self::new(Scene::Group, target)
        }
    }

    pub(crate) fn channel(id: &Snowflake, guild: GuildName, channel: ChannelName) -> Self {
        Self {
            guild: Some(guild),
            channel: Some(channel),
            ..Self::new(Scene::Channel, id.as_target())
        }
    }

    pub(crate) fn dm(id: &Snowflake, guild: GuildName, user: UserName) -> Self {
        Self {
            guild: Some(guild),
            user: Some(user),
            ..Self::new(Scene::Dm, id.as_target())
        }
    }
}
