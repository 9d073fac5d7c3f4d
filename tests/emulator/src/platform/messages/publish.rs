//! The last step of a send: moderation, the ledger, and the answer.

use std::sync::Arc;

use serde_json::{Value, json};

use super::{Outgoing, Refusal};
use crate::ids::{AppId, MessageId, RefIdx};
use crate::ledger::{BotForm, BotMessage, ReplyTo, Scene};
use crate::platform::Platform;
use crate::platform::place::Spot;
use crate::platform::posts::Post;
use crate::platform::routes::Answer;
use crate::platform::world::Said;
use crate::settings::Judgement;

/// A message that passed every check.
#[derive(Debug)]
pub(crate) struct Sent {
    pub(crate) spot: Spot,
    pub(crate) outgoing: Outgoing,
    pub(crate) slot: Option<u32>,
    pub(crate) body: Arc<str>,
}

/// What a published message is known by.
pub(crate) struct Published {
    pub(crate) id: MessageId,
    pub(crate) index: RefIdx,
    /// The Message object, in guild scenes.
    pub(crate) message: Value,
}

impl Platform {
    /// Refuses a text that moderation does not let pass at all.
    pub(super) fn check_words(&self, app: &AppId, text: &str) -> Result<(), Refusal> {
        match self.judgement(app, text) {
            Judgement::Refuse(code) => Err(Refusal::code(code)),
            _ => Ok(()),
        }
    }

    /// Whether moderation hides this text without a word.
    pub(super) fn is_silenced(&self, app: &AppId, text: &str) -> bool {
        self.judgement(app, text) == Judgement::Silent
    }

    fn judgement(&self, app: &AppId, text: &str) -> Judgement {
        let Some(bot) = self.bots.get(app) else {
            return Judgement::Pass;
        };
        let moderation = &bot.settings.moderation;
        let words = &moderation.words;
        if words.is_empty() || words.iter().any(|word| text.contains(word.as_str())) {
            moderation.verdict
        } else {
            Judgement::Pass
        }
    }

    /// Sends a message that answers nothing, as far as that is allowed.
    pub(in crate::platform) fn send_unasked(
        &mut self,
        app: &AppId,
        spot: Spot,
        outgoing: Outgoing,
        body: Arc<str>,
    ) -> Result<Answer, Refusal> {
        self.check_proactive(app, &spot, &outgoing)?;
        let sent = Sent {
            spot,
            outgoing,
            slot: None,
            body,
        };
        Ok(self.finish(app, sent))
    }

    /// Publishes a message, or holds it for its audit, and answers.
    pub(super) fn finish(&mut self, app: &AppId, sent: Sent) -> Answer {
        let judgement = match sent.outgoing.form {
            BotForm::Typing => Judgement::Pass,
            _ => self.judgement(app, &sent.outgoing.text),
        };
        if judgement == Judgement::Audit {
            return self.hold(app, sent);
        }
        let scene = sent.spot.scene;
        let Some(bot) = self.bots.get(app) else {
            return Answer::error(10_001);
        };
        let timestamp = bot.settings.messages.timestamp.write(self.now);
        let published = self.publish(app, sent, judgement == Judgement::Silent);
        if scene.is_guild() {
            return Answer::ok(&published.message);
        }
        Answer::ok(&json!({
            "id": published.id, "timestamp": timestamp,
            "ext_info": {"ref_idx": published.index},
        }))
    }

    /// Enters a message in the ledger and among those that exist.
    pub(super) fn publish(&mut self, app: &AppId, sent: Sent, hidden: bool) -> Published {
        let Sent {
            spot,
            outgoing,
            slot,
            body,
        } = sent;
        let index = self.ids.ref_idx();
        let id = match spot.scene {
            Scene::Channel | Scene::Dm => self.ids.guild_message(),
            Scene::C2c | Scene::Group => self.ids.message(),
        };
        let message = self.message_object(app, &spot, &outgoing, &id);
        if let Some(bot) = self.bots.get_mut(app) {
            bot.stats.accepted += 1;
        }
        self.keep_own(app, (&id, &index), &spot, &outgoing, &message);
        self.ledger.add_bot_message(BotMessage {
            n: 0,
            id: id.clone(),
            index: index.clone(),
            app: app.clone(),
            scene: spot.scene,
            target: spot.target,
            user: spot.user,
            group: spot.group,
            guild: spot.guild,
            channel: spot.channel,
            reply_to: outgoing.reply_to,
            msg_seq: outgoing.msg_seq,
            form: outgoing.form,
            text: outgoing.text,
            quote: outgoing.quote,
            media: outgoing.media,
            stream: outgoing.stream,
            card: outgoing.card,
            keyboard: outgoing.keyboard,
            prompt: outgoing.offers.prompt,
            buttons: outgoing.offers.buttons,
            hidden,
            body,
            at: self.now,
            slot,
        });
        Published { id, index, message }
    }

    /// What the bot said can be quoted, recalled, pressed and edited from now on.
    fn keep_own(
        &mut self,
        app: &AppId,
        (id, index): (&MessageId, &RefIdx),
        spot: &Spot,
        outgoing: &Outgoing,
        message: &Value,
    ) {
        let now = self.now;
        let Some(bot) = self.bots.get_mut(app) else {
            return;
        };
        if outgoing.form == BotForm::Typing {
            return;
        }
        bot.world.remember(Said {
            index: index.clone(),
            text: outgoing.text.clone(),
            by: bot.settings.name.clone(),
            by_bot: true,
            attachments: Vec::new(),
        });
        let post = Post {
            spot: spot.clone(),
            by_bot: true,
            author: (bot.user_id.as_str().into(), bot.settings.name.clone()),
            at: now,
            editable: outgoing.form == BotForm::Markdown || outgoing.keyboard.is_some(),
            keyboard: outgoing.keyboard.clone(),
            offers: outgoing.offers.clone(),
            told: outgoing.stream.clone(),
            message: message.clone(),
            recalled: false,
            reactions: std::collections::BTreeMap::new(),
        };
        bot.posts.add(id.clone(), post);
    }

    /// The Message object of a guild scene; `null` elsewhere.
    fn message_object(
        &mut self,
        app: &AppId,
        spot: &Spot,
        outgoing: &Outgoing,
        id: &MessageId,
    ) -> Value {
        let at = self.now.rfc3339();
        let Some(bot) = self.bots.get_mut(app).filter(|_| spot.scene.is_guild()) else {
            return Value::Null;
        };
        let Some((guild, channel, seq)) = bot.world.guilds.next_seq(spot) else {
            return Value::Null;
        };
        let mut message = json!({
            "id": id, "channel_id": channel, "guild_id": guild, "content": outgoing.content,
            "timestamp": at, "tts": false, "mention_everyone": false,
            "author": {"id": bot.user_id, "username": bot.settings.name, "avatar": "", "bot": true},
            "embeds": [], "pinned": false, "type": 0, "flags": 0,
            "seq_in_channel": seq.to_string(),
        });
        if let Some(fields) = message.as_object_mut() {
            if spot.scene == Scene::Dm {
                fields.insert("direct_message".to_owned(), json!(true));
            }
            if let Some(ReplyTo::MsgId(_)) = &outgoing.reply_to
                && let Some(quote) = &outgoing.quote
            {
                let quote = json!({"message_id": quote});
                fields.insert("message_reference".to_owned(), quote);
            }
            if let Some(media) = &outgoing.media {
                let url = media.url.split_once("://").map_or("", |(_, rest)| rest);
                let attachment = json!([{"url": url, "content_type": "image"}]);
                fields.insert("attachments".to_owned(), attachment);
            }
            match (&outgoing.card, outgoing.form) {
                (Some(card), BotForm::Embed) => fields.insert("embeds".to_owned(), json!([card])),
                (Some(card), _) => fields.insert("ark".to_owned(), card.clone()),
                (None, _) => None,
            };
        }
        message
    }
}
