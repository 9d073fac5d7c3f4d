//! Messages of guilds that were taken back. The text does not come along.

use crate::ids::{MessageId, OpenId};
use crate::scene::Scene;

use super::fields::{self, Fields};

/// One message that is no more.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Deletion {
    /// A channel or a direct message session.
    pub scene: Scene,
    /// The channel; of a direct message, the guild of the session.
    pub target: OpenId,
    /// The guild that it was in.
    pub guild: String,
    /// The message.
    pub message_id: MessageId,
    /// Who had written it.
    pub author: String,
    /// Who took it back.
    pub by: String,
}

/// Reads a body. `None` when it does not say what and where.
#[must_use]
pub fn read(json: &str, scene: Scene) -> Option<Deletion> {
    let value = fields::object(json)?;
    let fields = Fields(&value);
    let message = fields.inner("message");
    let (target, guild) = if scene == Scene::Dm {
        (
            message.id("guild_id"),
            message.first_id(&["src_guild_id", "guild_id"]),
        )
    } else {
        (message.id("channel_id"), message.id("guild_id"))
    };
    let deletion = Deletion {
        scene,
        target: OpenId(target),
        guild,
        message_id: MessageId(message.id("id")),
        author: message.inner("author").id("id"),
        by: fields.inner("op_user").id("id"),
    };
    let complete = !deletion.target.as_str().is_empty() && !deletion.message_id.as_str().is_empty();
    complete.then_some(deletion)
}
