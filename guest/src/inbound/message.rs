//! From a message event to one internal message: scene, target, sender, clean text, attachments, names for dedup.

use crate::bindings::Occasion;
use crate::events::message::{self, Mention, Message};
use crate::ids::{MessageId, OpenId};
use crate::scene::Scene;

use super::content::Markup;
use super::{Anchor, Attached, Inbound, NotAMessage, first_filled, quote, words};

struct Place {
    scene: Scene,
    target: String,
    guild: String,
    sender: String,
    addressed: bool,
}

impl Inbound {
    /// A private message.
    ///
    /// # Errors
    /// When there is nothing to answer.
    pub fn c2c(body: &str, platform_ms: u64) -> Result<Self, NotAMessage> {
        let message = message::read(body).ok_or(NotAMessage::Incomplete)?;
        let sender = first_filled([&message.author.user_openid, &message.author.id]);
        let place = Place {
            scene: Scene::C2c,
            target: sender.clone(),
            guild: String::new(),
            sender,
            addressed: true,
        };
        let markup = Markup::Plain(&message.mentions);
        Self::build(place, markup, &message, platform_ms)
    }

    /// A message in a group. `addressed` says what the event's name says; a message of the full mode is
    /// addressed when one of its mentions is this bot.
    ///
    /// # Errors
    /// When there is nothing to answer.
    pub fn group(body: &str, addressed: bool, platform_ms: u64) -> Result<Self, NotAMessage> {
        let message = message::read(body).ok_or(NotAMessage::Incomplete)?;
        let mentioned = message
            .mentions
            .iter()
            .any(|mention| mention.is_you && mention.scope != "all");
        let place = Place {
            scene: Scene::Group,
            target: message.group_openid.clone(),
            guild: String::new(),
            sender: first_filled([&message.author.member_openid, &message.author.id]),
            addressed: addressed || mentioned,
        };
        let markup = Markup::Plain(&message.mentions);
        Self::build(place, markup, &message, platform_ms)
    }

    /// A message in a channel of a guild. `addressed` says what the event's name says; a message that a bot of
    /// the private domain merely hears is addressed when it mentions `bot_id`.
    ///
    /// # Errors
    /// When there is nothing to answer.
    pub fn channel(
        body: &str,
        addressed: bool,
        bot_id: &str,
        platform_ms: u64,
    ) -> Result<Self, NotAMessage> {
        let message = message::read(body).ok_or(NotAMessage::Incomplete)?;
        let place = Place {
            scene: Scene::Channel,
            target: message.channel_id.clone(),
            guild: message.guild_id.clone(),
            sender: message.author.id.clone(),
            addressed: addressed || mentions_bot(&message, bot_id),
        };
        let markup = Markup::Guild(&message.mentions, bot_id);
        Self::build(place, markup, &message, platform_ms)
    }

    /// A direct message of a guild.
    ///
    /// # Errors
    /// When there is nothing to answer.
    pub fn dm(body: &str, bot_id: &str, platform_ms: u64) -> Result<Self, NotAMessage> {
        let message = message::read(body).ok_or(NotAMessage::Incomplete)?;
        let place = Place {
            scene: Scene::Dm,
            // Answers go to the session, which has a guild id of its own; the guild that it came from is another.
            target: message.guild_id.clone(),
            guild: first_filled([&message.src_guild_id, &message.guild_id]),
            sender: message.author.id.clone(),
            addressed: true,
        };
        let markup = Markup::Guild(&message.mentions, bot_id);
        Self::build(place, markup, &message, platform_ms)
    }

    fn build(
        place: Place,
        markup: Markup<'_>,
        message: &Message,
        platform_ms: u64,
    ) -> Result<Self, NotAMessage> {
        if message.author.bot {
            return Err(NotAMessage::FromABot);
        }
        if place.target.is_empty() || place.sender.is_empty() {
            return Err(NotAMessage::Incomplete);
        }
        let text = words::text_of(message, markup);
        let quoted = quote::of(message, markup);
        let attachments = message.body.attachments.iter();
        let attached: Vec<Attached> = attachments.map(Attached::read).collect();
        // A bare @ is a message: the bot was called.
        if text.is_empty()
            && attached.is_empty()
            && quoted.is_none()
            && (!place.addressed || place.scene.private())
        {
            return Err(NotAMessage::Empty);
        }
        let index = message.message_scene.get("msg_idx");
        Ok(Self {
            occasion: Occasion::Message,
            anchor: Anchor::Message,
            scene: place.scene,
            target: OpenId(place.target),
            guild: place.guild,
            index: index.unwrap_or_default().to_owned(),
            id: MessageId(message.id.clone()),
            sender: OpenId(place.sender),
            sender_name: first_filled([&message.nick, &message.author.username]),
            sender_role: message.author.member_role.clone(),
            addressed: place.addressed,
            text,
            quoted,
            before: quote::before(message, markup),
            attached,
            sent_ms: not_in_the_future(message.written_ms, platform_ms),
        }
        .bounded())
    }
}

/// A clock that is ahead of ours cannot have written in our future.
pub(super) fn not_in_the_future(said_ms: Option<u64>, platform_ms: u64) -> u64 {
    said_ms.unwrap_or(platform_ms).min(platform_ms)
}

/// The bot stands in the list of mentions, or in the text.
fn mentions_bot(message: &Message, bot_id: &str) -> bool {
    let known = !bot_id.is_empty();
    let listed = |mention: &Mention| mention.is_you || (known && mention.id == bot_id);
    message.mentions.iter().any(listed)
        || (known
            && ["@!", "@"]
                .iter()
                .any(|at| message.body.content.contains(&format!("<{at}{bot_id}>"))))
}
