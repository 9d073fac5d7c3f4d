//! What is between the bot, a person and a group: who added or removed it, who joined, who wants to hear from it.

use serde_json::Value;

use crate::ids::OpenId;
use crate::scene::Scene;

use super::fields::{self, Fields, cut};

/// What changed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum What {
    /// A person made the bot a contact, or a group took it in.
    BotAdded,
    /// A person or a group removed it.
    BotRemoved,
    /// The bot may no longer write there on its own account.
    ProactiveOff,
    /// It may again.
    ProactiveOn,
    /// Somebody joined a group.
    MemberJoined,
    /// Somebody left a group.
    MemberLeft,
    /// Somebody asks to be let into a group, of which the bot is an administrator.
    MemberAsks,
    /// A person opened the chat with the bot (from an official SDK, not in the documentation).
    ChatOpened,
}

/// One change.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Relation {
    /// What changed.
    pub what: What,
    /// A private chat or a group.
    pub scene: Scene,
    /// The person, or the group.
    pub target: OpenId,
    /// Who did it; empty when unknown.
    pub user: OpenId,
    /// Display name; of a request to join only.
    pub user_name: String,
    /// When, wall-clock milliseconds of the platform.
    pub at_ms: Option<u64>,
    /// How the person came to the bot, as the platform numbers it; 0 when unknown.
    pub source: u32,
    /// What the link carried that they came by, or what somebody who asks to join wrote.
    pub param: String,
    /// Under what the request to join is answered; empty for everything else.
    pub request: String,
}

/// Reads a body. `None` when it does not say where.
#[must_use]
pub fn read(json: &str, what: What, scene: Scene) -> Option<Relation> {
    let value = fields::object(json)?;
    let fields = Fields(&value);
    let person = ["openid", "user_openid"];
    let (target, user) = if scene == Scene::Group {
        let member = ["op_member_openid", "member_openid", "openid", "user_openid"];
        (fields.id("group_openid"), fields.first_id(&member))
    } else {
        (fields.first_id(&person), fields.first_id(&person))
    };
    if target.is_empty() {
        return None;
    }
    let asked = fields.inner("verify_info").text("verify_message");
    let param = [fields.text("scene_param"), asked]
        .into_iter()
        .find(|text| !text.is_empty());
    Some(Relation {
        what,
        scene,
        target: OpenId(target),
        user: OpenId(user),
        user_name: fields.name("username"),
        at_ms: fields
            .moment("timestamp")
            .or_else(|| fields.moment("apply_at")),
        source: fields.small("scene"),
        param: cut(&param.unwrap_or_default(), 256),
        request: fields.id("join_request_id"),
    })
}

/// What somebody decided about subscription messages.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Subscription {
    /// A private chat or a group.
    pub scene: Scene,
    /// The person, or the group.
    pub target: OpenId,
    /// The decisions.
    pub decisions: Vec<Decision>,
}

/// One decision.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Decision {
    /// The template that it is about.
    pub template: String,
    /// True when its messages are wanted.
    pub wanted: bool,
    /// Under what one may be sent.
    pub subscription: String,
}

/// Reads a body. `None` when it does not say whose.
#[must_use]
pub fn read_subscription(json: &str) -> Option<Subscription> {
    let value: Value = fields::object(json)?;
    let fields = Fields(&value);
    let (scene, target) = match (fields.id("group_openid"), fields.id("openid")) {
        (group, _) if !group.is_empty() => (Scene::Group, group),
        (_, person) if !person.is_empty() => (Scene::C2c, person),
        _ => return None,
    };
    let decisions = fields.list("result").map(|decision| Decision {
        template: decision.first_id(&["custom_template_id", "template_id"]),
        wanted: decision.number("op") == Some(1),
        subscription: decision.id("subscribe_id"),
    });
    Some(Subscription {
        scene,
        target: OpenId(target),
        decisions: decisions.collect(),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn in_a_group_the_one_who_did_it_is_not_the_target() {
        let body = r#"{"timestamp":"1699240248","group_openid":"G","op_member_openid":"A"}"#;
        let relation = read(body, What::BotAdded, Scene::Group).unwrap();
        assert_eq!(
            (relation.target.as_str(), relation.user.as_str()),
            ("G", "A")
        );
        assert_eq!(relation.at_ms, Some(1_699_240_248_000));
        assert!(read(r#"{"openid":"A"}"#, What::BotAdded, Scene::Group).is_none());
    }

    #[test]
    fn a_person_is_both() {
        let body = r#"{"openid":"A","scene":"2003","scene_param":"from the poster"}"#;
        let relation = read(body, What::BotAdded, Scene::C2c).unwrap();
        assert_eq!(
            (relation.target.as_str(), relation.user.as_str()),
            ("A", "A")
        );
        assert_eq!(
            (relation.source, relation.param.as_str()),
            (2003, "from the poster")
        );
        let opened = read(r#"{"user_openid":"A"}"#, What::ChatOpened, Scene::C2c).unwrap();
        assert_eq!(opened.target.as_str(), "A");
    }

    #[test]
    fn a_subscription_without_an_owner_is_nobodys() {
        assert!(read_subscription(r#"{"group_openid":"","result":[]}"#).is_none());
    }
}
