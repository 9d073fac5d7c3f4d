//! Buttons pressed, menus used, settings changed (`PROTOCOL.md`, "Interactions").

use crate::ids::{MessageId, OpenId};
use crate::scene::Scene;

use super::fields::{self, Fields, cut};

/// A button below a message.
pub const BUTTON: u32 = 11;
/// An entry of the menu in a private chat.
pub const MENU: u32 = 12;
/// A thumb up or down on one of the bot's messages.
pub const FEEDBACK: u32 = 13;
/// The person wants to begin anew.
pub const CLEAR: u32 = 14;

/// One interaction.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Interaction {
    /// Its own id: what it is acknowledged under. Not an event id.
    pub id: String,
    /// The outer id of the event, with its prefix: what it is replied to under.
    pub event_id: String,
    /// The platform's number for what it is.
    pub kind: u32,
    /// Where; `None` when the event does not say.
    pub scene: Option<Scene>,
    /// The person, the group or the channel; empty when unknown.
    pub target: String,
    /// The guild, in guilds.
    pub guild: String,
    /// Who; empty when unknown.
    pub user: String,
    /// What the button carries.
    pub button_data: String,
    /// Which button.
    pub button_id: String,
    /// Which entry of the menu.
    pub feature_id: String,
    /// The message that it is about, where the event says so.
    pub message_id: String,
    /// `LIKE` or `UNLIKE`, of feedback.
    pub feedback: String,
    /// Whether it was set or unset, of feedback.
    pub checked: bool,
    /// What was entered or left, or what is allowed: the platform's word.
    pub action: String,
    /// When, wall-clock milliseconds of the platform.
    pub at_ms: Option<u64>,
}

impl Interaction {
    /// True when somebody waits for it to be acknowledged: a button spins until then.
    #[must_use]
    pub fn waits(&self) -> bool {
        matches!(self.kind, BUTTON | MENU)
    }

    /// Where an answer goes.
    #[must_use]
    pub fn place(&self) -> Option<(Scene, OpenId)> {
        let target = Some(self.target.clone()).filter(|target| !target.is_empty())?;
        Some((self.scene?, OpenId(target)))
    }

    /// The message that it is about.
    #[must_use]
    pub fn about(&self) -> Option<MessageId> {
        (!self.message_id.is_empty()).then(|| MessageId(self.message_id.clone()))
    }
}

/// Reads a body. `None` when it has no id: it cannot be acknowledged, and nothing is known to come without one.
#[must_use]
pub fn read(json: &str, event_id: &str) -> Option<Interaction> {
    let value = fields::object(json)?;
    let fields = Fields(&value);
    let id = fields.id("id");
    if id.is_empty() {
        return None;
    }
    let data = fields.inner("data");
    let resolved = data.inner("resolved");
    let scene = scene(fields);
    let (target, user) = match scene {
        Some(Scene::Group) => (
            fields.id("group_openid"),
            fields.first_id(&["group_member_openid", "user_openid"]),
        ),
        Some(Scene::C2c) => (fields.id("user_openid"), fields.id("user_openid")),
        Some(Scene::Channel | Scene::Dm) => (fields.id("channel_id"), fields.id("user_openid")),
        None => (String::new(), String::new()),
    };
    let user = [user, resolved.id("user_id")];
    let authorized = resolved.inner("authorize_data");
    let actions = [resolved.name("action"), authorized.name("scope")];
    Some(Interaction {
        id,
        event_id: event_id.to_owned(),
        kind: fields
            .number("type")
            .or_else(|| data.number("type"))
            .and_then(|kind| u32::try_from(kind).ok())
            .unwrap_or_default(),
        scene,
        target,
        guild: fields.id("guild_id"),
        user: user
            .into_iter()
            .find(|user| !user.is_empty())
            .unwrap_or_default(),
        button_data: cut(&resolved.text("button_data"), 4_096),
        button_id: resolved.id("button_id"),
        feature_id: resolved.id("feature_id"),
        message_id: resolved.id("message_id"),
        feedback: resolved.name("feedback_opt"),
        checked: resolved.truth("checked"),
        action: actions
            .into_iter()
            .find(|action| !action.is_empty())
            .unwrap_or_default(),
        at_ms: fields.moment("timestamp"),
    })
}

/// The word first, the number then, and last what ids there are. Old events have the number only.
fn scene(fields: Fields<'_>) -> Option<Scene> {
    match (fields.text("scene").as_str(), fields.number("chat_type")) {
        ("c2c", _) => return Some(Scene::C2c),
        ("group", _) => return Some(Scene::Group),
        ("guild", _) => return Some(Scene::Channel),
        (_, Some(2)) => return Some(Scene::C2c),
        (_, Some(1)) => return Some(Scene::Group),
        (_, Some(0)) => return Some(Scene::Channel),
        _ => {}
    }
    let by_id = [
        ("group_openid", Scene::Group),
        ("user_openid", Scene::C2c),
        ("channel_id", Scene::Channel),
    ];
    by_id
        .into_iter()
        .find(|(name, _)| !fields.id(name).is_empty())
        .map(|(_, scene)| scene)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_scene_is_a_word_or_a_number_or_seen_in_the_ids() {
        for (rest, scene, target, user) in [
            (
                r#""scene":"c2c","user_openid":"U""#,
                Some(Scene::C2c),
                "U",
                "U",
            ),
            (
                r#""chat_type":2,"user_openid":"U""#,
                Some(Scene::C2c),
                "U",
                "U",
            ),
            (
                r#""chat_type":"1","group_openid":"G","group_member_openid":"M""#,
                Some(Scene::Group),
                "G",
                "M",
            ),
            (
                r#""group_openid":"G","group_member_openid":"M""#,
                Some(Scene::Group),
                "G",
                "M",
            ),
            (
                r#""chat_type":0,"guild_id":1,"channel_id":2,"data":{"resolved":{"user_id":3}}"#,
                Some(Scene::Channel),
                "2",
                "3",
            ),
            (r#""scene":"elsewhere""#, None, "", ""),
        ] {
            let read = read(&format!(r#"{{"id":"i",{rest}}}"#), "E:1").unwrap();
            assert_eq!(
                (read.scene, read.target.as_str(), read.user.as_str()),
                (scene, target, user),
                "{rest}"
            );
        }
        assert!(super::read(r#"{"type":11}"#, "E:1").is_none());
    }

    #[test]
    fn only_buttons_and_menus_wait() {
        for (kind, waits) in [
            (11, true),
            (12, true),
            (13, false),
            (14, false),
            (2001, false),
        ] {
            let read = read(&format!(r#"{{"id":"i","data":{{"type":{kind}}}}}"#), "").unwrap();
            assert_eq!((read.kind, read.waits()), (kind, waits));
        }
    }
}
