//! Sending to channels and direct messages.

use std::sync::Arc;

use serde_json::{Map, Value, json};

use super::book::{Passive, Verdict};
use super::publish::Sent;
use super::{Outgoing, Refusal, check_standing, form, guild_body, json_body, passive};
use crate::ids::AppId;
use crate::ledger::{MediaView, ReplyTo, Scene};
use crate::platform::Platform;
use crate::platform::media::{Sniffed, sniff};
use crate::platform::place::Spot;
use crate::platform::routes::{Answer, Call};

impl Platform {
    /// `POST /channels/{id}/messages` and `POST /dms/{guild_id}/messages`.
    pub(in crate::platform) fn post_guild(
        &mut self,
        call: &Call,
        app: &AppId,
        scene: Scene,
    ) -> Answer {
        let outcome = self.try_guild_post(call, app, scene);
        self.settle(app, outcome)
    }

    fn try_guild_post(
        &mut self,
        call: &Call,
        app: &AppId,
        scene: Scene,
    ) -> Result<Answer, Refusal> {
        let (fields, file) = guild_fields(call)?;
        let bot = self.bots.get(app).ok_or_else(|| Refusal::code(10_001))?;
        check_standing(&bot.settings)?;
        if bot.settings.guilds.needs_gateway && bot.live_connections() == 0 {
            return Err(Refusal::code(304_018));
        }
        let mut outgoing = guild_body::read(&fields, file.is_some(), scene, &bot.settings)?;
        self.check_words(app, &outgoing.text)?;
        let spot = self.guild_spot(app, scene, call.segment(1))?;
        self.check_reference(app, &spot, &fields, &outgoing)?;
        outgoing.media = self.guild_picture(app, &fields, file)?;
        if scene == Scene::Channel {
            self.count_channel_rate(app, &spot)?;
        }
        let slot = match &outgoing.reply_to {
            Some(reply_to) => self.check_guild_passive(app, &spot, reply_to)?,
            None => {
                self.count_guild_proactive(app, &spot)?;
                None
            }
        };
        let sent = Sent {
            spot,
            outgoing,
            slot,
            body: Arc::clone(&call.text),
        };
        Ok(self.finish(app, sent))
    }

    /// The channel or session that an id in a path stands for.
    pub(in crate::platform) fn guild_spot(
        &self,
        app: &AppId,
        scene: Scene,
        id: &str,
    ) -> Result<Spot, Refusal> {
        let bot = self.bots.get(app).ok_or_else(|| Refusal::code(10_001))?;
        if !id.bytes().all(|byte| byte.is_ascii_digit()) {
            return Err(Refusal::malformed(12_001, "a path without a decimal id"));
        }
        let (spot, code) = match scene {
            Scene::Dm => (bot.world.guilds.dm_spot(id), 304_033),
            _ => (bot.world.guilds.channel_spot(id), 10_003),
        };
        let spot = spot.filter(|spot| bot.shows(spot));
        spot.ok_or_else(|| Refusal::code(code))
    }

    /// A quoted message must be there, in the same channel, unless the bot does not mind.
    fn check_reference(
        &self,
        app: &AppId,
        spot: &Spot,
        fields: &Map<String, Value>,
        outgoing: &Outgoing,
    ) -> Result<(), Refusal> {
        let (Some(quote), Some(bot)) = (&outgoing.quote, self.bots.get(app)) else {
            return Ok(());
        };
        let reference = fields.get("message_reference");
        let lenient = reference.and_then(|it| it.get("ignore_get_message_error"));
        if lenient.and_then(Value::as_bool) == Some(true) {
            return Ok(());
        }
        match bot.posts.get(quote) {
            None => Err(Refusal::code(50_039)),
            Some(post) if post.spot.target != spot.target => Err(Refusal::code(50_038)),
            Some(_) => Ok(()),
        }
    }

    /// The picture of a message: uploaded with it, or named by its address and hosted again.
    fn guild_picture(
        &mut self,
        app: &AppId,
        fields: &Map<String, Value>,
        file: Option<Vec<u8>>,
    ) -> Result<Option<MediaView>, Refusal> {
        if let Some(bytes) = file {
            let most = self
                .bots
                .get(app)
                .map(|bot| bot.settings.guilds.image_bytes);
            if most.is_some_and(|most| bytes.len() > most) {
                return Err(Refusal::code(304_020));
            }
            let Some(Sniffed { kind: 1, ending }) = sniff(&bytes) else {
                return Err(Refusal::malformed(304_017, "file_image is no picture"));
            };
            let size = u64::try_from(bytes.len()).ok();
            let url = self.keep_file(Arc::from(bytes), &format!("image/{ending}"));
            return Ok(Some(MediaView {
                file_type: 1,
                name: format!("image.{ending}"),
                size,
                url,
            }));
        }
        let Some(url) = super::fields::text_of(fields, "image") else {
            return Ok(None);
        };
        if !url.starts_with("http://") && !url.starts_with("https://") {
            return Err(Refusal::malformed(304_010, "image is no public URL"));
        }
        if !self.reaches(app, url) {
            return Err(Refusal::code(304_021));
        }
        Ok(Some(MediaView {
            file_type: 1,
            name: "image".to_owned(),
            size: None,
            url: url.to_owned(),
        }))
    }

    fn check_guild_passive(
        &mut self,
        app: &AppId,
        spot: &Spot,
        reply_to: &ReplyTo,
    ) -> Result<Option<u32>, Refusal> {
        let now = self.now;
        let bot = self.bots.get_mut(app);
        let bot = bot.ok_or_else(|| Refusal::code(10_001))?;
        let (window, slots) = passive::limits(&bot.settings, spot.scene);
        let send = Passive {
            now,
            seq: None,
            target: &spot.target,
            window,
            slots,
            counts: true,
            memory: std::time::Duration::ZERO,
            lag: bot.settings.messages.event_id_lag,
        };
        match bot.book.answer(reply_to, &send) {
            Verdict::Accepted(slot) => Ok(slot),
            verdict => Err(passive::guild_refusal(verdict, reply_to)),
        }
    }

    /// `GET /channels/{id}/messages/{message_id}`.
    pub(in crate::platform) fn get_message(&mut self, call: &Call, app: &AppId) -> Answer {
        let found = self.bots.get(app).and_then(|bot| {
            let post = bot.posts.get(call.segment(3))?;
            let here = post.spot.target.as_str() == call.segment(1);
            let wrapped = bot.settings.guilds.wrapped_message;
            here.then(|| (post.message.clone(), wrapped))
        });
        match found {
            None => Answer::error(50_039),
            Some((message, true)) => Answer::ok(&json!({"message": message})),
            Some((message, false)) => Answer::ok(&message),
        }
    }

    /// `PATCH /channels/{id}/messages/{message_id}`.
    pub(in crate::platform) fn edit_message(&mut self, call: &Call, app: &AppId) -> Answer {
        let outcome = self.try_edit(call, app);
        self.settle(app, outcome)
    }

    fn try_edit(&mut self, call: &Call, app: &AppId) -> Result<Answer, Refusal> {
        let (fields, file) = guild_fields(call)?;
        let bot = self.bots.get_mut(app);
        let bot = bot.ok_or_else(|| Refusal::code(10_001))?;
        let outgoing = guild_body::read(&fields, file.is_some(), Scene::Channel, &bot.settings)?;
        let post = bot.posts.any_mut(call.segment(3));
        let post = post
            .filter(|post| !post.recalled)
            .ok_or_else(|| Refusal::code(50_039))?;
        if post.spot.target.as_str() != call.segment(1) {
            return Err(Refusal::code(50_038));
        }
        if !post.by_bot {
            return Err(Refusal::code(50_051));
        }
        if !post.editable {
            return Err(Refusal::code(50_049));
        }
        post.keyboard.clone_from(&outgoing.keyboard);
        if let Some(fields) = post.message.as_object_mut() {
            fields.insert("content".to_owned(), json!(outgoing.content));
            fields.insert("edited_timestamp".to_owned(), json!(self.now.rfc3339()));
        }
        let message = post.message.clone();
        self.ledger.mark_mut(&call.segment(3).into()).edited = Some(outgoing.text);
        Ok(Answer::ok(&message))
    }
}

/// The fields of a body in JSON or of a form, and its picture.
fn guild_fields(call: &Call) -> Result<form::Form, Refusal> {
    let kind = call.request.header("content-type").unwrap_or_default();
    if kind.to_ascii_lowercase().starts_with("multipart/form-data") {
        return form::read(&call.request);
    }
    let fields = json_body(call)?.as_object();
    let why = "a message body that is no object";
    let fields = fields.ok_or_else(|| Refusal::malformed(12_002, why))?;
    Ok((fields.clone(), None))
}
