//! Reactions to messages, in channels of guilds.

use crate::ids::{MessageId, OpenId};

use super::fields::{self, Fields};

/// What was reacted to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Target {
    /// A message.
    Message,
    /// A thread of a forum.
    Thread,
    /// A post in a thread.
    Post,
    /// A reply to a post.
    Reply,
    /// Something that this version does not know.
    Unknown,
}

/// The numbers of the documentation, and the words of the SDKs, one of them misspelt.
const TARGETS: &[(&str, Target)] = &[
    ("0", Target::Message),
    ("1", Target::Thread),
    ("2", Target::Post),
    ("3", Target::Reply),
    ("ReactionTargetType_MSG", Target::Message),
    ("ReactionTargetType_FEED", Target::Thread),
    ("ReactionTargetType_COMMNENT", Target::Post),
    ("ReactionTargetType_COMMENT", Target::Post),
    ("ReactionTargetType_REPLY", Target::Reply),
];

/// A reaction that came or went.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Reaction {
    /// False when it was taken back.
    pub added: bool,
    /// Who.
    pub user: OpenId,
    /// The guild.
    pub guild: String,
    /// The channel.
    pub channel: OpenId,
    /// What was reacted to.
    pub message_id: MessageId,
    /// What that is.
    pub target: Target,
    /// 1 a face of QQ's, 2 an emoji of Unicode.
    pub emoji_kind: u32,
    /// The number of the face, or the decimal code point.
    pub emoji_id: String,
}

/// Reads a body. `None` when it does not say who, where and to what.
#[must_use]
pub fn read(json: &str, added: bool) -> Option<Reaction> {
    let value = fields::object(json)?;
    let fields = Fields(&value);
    let target = fields.inner("target");
    // A zero may be left out by whoever leaves zeros out.
    let kind = Some(target.text("type")).filter(|kind| !kind.is_empty());
    let kind = kind.as_deref().unwrap_or("0");
    let emoji = fields.inner("emoji");
    let reaction = Reaction {
        added,
        user: OpenId(fields.id("user_id")),
        guild: fields.id("guild_id"),
        channel: OpenId(fields.id("channel_id")),
        message_id: MessageId(target.id("id")),
        target: TARGETS
            .iter()
            .find(|(known, _)| *known == kind)
            .map_or(Target::Unknown, |(_, target)| *target),
        emoji_kind: emoji.small("type"),
        emoji_id: emoji.id("id"),
    };
    let complete = [
        reaction.user.as_str(),
        reaction.channel.as_str(),
        reaction.message_id.as_str(),
    ];
    complete.iter().all(|id| !id.is_empty()).then_some(reaction)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn targets_are_numbers_or_words() {
        for (kind, target) in [
            ("0", Target::Message),
            ("\"2\"", Target::Post),
            ("3", Target::Reply),
            ("\"ReactionTargetType_MSG\"", Target::Message),
            ("\"ReactionTargetType_COMMNENT\"", Target::Post),
            ("null", Target::Message),
            ("9", Target::Unknown),
        ] {
            let body = format!(
                r#"{{"user_id":1,"channel_id":"2","target":{{"id":"08","type":{kind}}},"emoji":{{"id":277,"type":"1"}}}}"#
            );
            let reaction = read(&body, true).unwrap();
            assert_eq!(reaction.target, target, "{kind}");
            assert_eq!(
                (reaction.emoji_kind, reaction.emoji_id.as_str()),
                (1, "277")
            );
        }
        assert!(read(r#"{"user_id":"1","channel_id":"2"}"#, true).is_none());
    }
}
