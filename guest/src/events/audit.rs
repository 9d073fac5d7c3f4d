//! What became of a message of the bot's that the platform held for review.

use crate::scene::Scene;

use super::fields::{self, Fields};

/// One verdict.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Audit {
    /// The review's id: what the answer to the sending named.
    pub id: String,
    /// True when the message is through.
    pub passed: bool,
    /// The message's id, once it is through.
    pub message_id: String,
    /// The guild, in guilds.
    pub guild: String,
    /// The channel, in guilds.
    pub channel: String,
    /// The group, in newer events.
    pub group: String,
    /// The person, in newer events.
    pub user: String,
    /// When it was decided, wall-clock milliseconds of the platform.
    pub decided_ms: Option<u64>,
    /// When it was sent.
    pub created_ms: Option<u64>,
}

impl Audit {
    /// Where the message was sent to. A direct message's channel cannot be told from another.
    #[must_use]
    pub fn place(&self) -> Option<(Scene, &str)> {
        let places = [
            (Scene::Group, &self.group),
            (Scene::C2c, &self.user),
            (Scene::Channel, &self.channel),
        ];
        places
            .into_iter()
            .find(|(_, target)| !target.is_empty())
            .map(|(scene, target)| (scene, target.as_str()))
    }
}

/// Reads a body. `None` when it names no review.
#[must_use]
pub fn read(json: &str, passed: bool) -> Option<Audit> {
    let value = fields::object(json)?;
    let fields = Fields(&value);
    let audit = Audit {
        id: fields.id("audit_id"),
        passed,
        message_id: fields.id("message_id"),
        guild: fields.id("guild_id"),
        channel: fields.id("channel_id"),
        group: fields.id("group_openid"),
        user: fields.id("user_openid"),
        decided_ms: fields.moment("audit_time"),
        created_ms: fields.moment("create_time"),
    };
    (!audit.id.is_empty()).then_some(audit)
}
