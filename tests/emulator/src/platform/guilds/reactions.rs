//! Reactions to messages of channels, by bots and by users.

use serde_json::{Value, json};

use crate::actions::Emoji;
use crate::ids::{AppId, MessageId, Openid};
use crate::intents::Intents;
use crate::platform::Platform;
use crate::platform::gateway::Event;
use crate::platform::messages::Origin;
use crate::platform::posts::{Fan, Post};
use crate::platform::routes::{Answer, Call};
use crate::settings::TargetForm;

/// Kinds of faces on one message.
const KINDS: usize = 20;

/// Users in one answer.
const PAGE: usize = 50;

impl Platform {
    /// `PUT` and `DELETE …/reactions/{type}/{id}`.
    pub(in crate::platform) fn react_as_bot(
        &mut self,
        call: &Call,
        app: &AppId,
        remove: bool,
    ) -> Answer {
        let Some(emoji) = emoji_of(call) else {
            self.malformed(Some(app), "a reaction that is no known kind of face");
            return Answer::error(620_001);
        };
        let Some(bot) = self.bots.get_mut(app) else {
            return Answer::error(10_001);
        };
        let fan = (
            Openid::from(bot.user_id.as_str()),
            bot.settings.name.clone(),
        );
        let own = bot.settings.guilds.own_reactions;
        let post = bot.posts.any_mut(call.segment(3));
        let here = post.filter(|post| is_here(post, call));
        let Some(post) = here else {
            return Answer::error(620_001);
        };
        if let Err(code) = change(post, &emoji, &fan, remove) {
            return Answer::error(code);
        }
        let id = MessageId::from(call.segment(3));
        self.mark_reactions(app, &id);
        if own {
            self.push_reaction(app, &id, &emoji, &fan.0, remove);
        }
        Answer::NoContent
    }

    /// `GET …/reactions/{type}/{id}?cookie=&limit=20`.
    pub(in crate::platform) fn reactions(&mut self, call: &Call, app: &AppId) -> Answer {
        let Some(emoji) = emoji_of(call) else {
            return Answer::error(620_001);
        };
        let post = self.bots.get(app);
        let post = post.and_then(|bot| bot.posts.get(call.segment(3)));
        let Some(post) = post.filter(|post| is_here(post, call)) else {
            return Answer::error(620_001);
        };
        let (limit, from) = (call.query_number("limit"), call.query_number("cookie"));
        let limit = limit.unwrap_or(20);
        if limit == 0 || limit > PAGE {
            return Answer::error(620_001);
        }
        let from = from.unwrap_or(0);
        let fans = post.reactions.get(&emoji).map_or(&[][..], Vec::as_slice);
        let page = fans.iter().skip(from).take(limit);
        let users: Vec<Value> = page
            .map(|(id, name)| json!({"id": id, "username": name, "avatar": ""}))
            .collect();
        let end = from + users.len();
        let is_end = end >= fans.len();
        let cookie = if is_end {
            String::new()
        } else {
            end.to_string()
        };
        Answer::ok(&json!({"users": users, "cookie": cookie, "is_end": is_end}))
    }

    /// A user's reaction; an error code if it cannot be.
    pub(in crate::platform) fn react_as_user(
        &mut self,
        app: &AppId,
        id: &MessageId,
        emoji: &Emoji,
        fan: &Fan,
        remove: bool,
    ) -> Result<usize, u32> {
        let bot = self.bots.get_mut(app).ok_or(10_001_u32)?;
        let post = bot.posts.any_mut(id.as_str()).ok_or(620_001_u32)?;
        change(post, emoji, fan, remove)?;
        self.mark_reactions(app, id);
        Ok(self.push_reaction(app, id, emoji, &fan.0, remove))
    }

    fn mark_reactions(&mut self, app: &AppId, id: &MessageId) {
        let post = self
            .bots
            .get(app)
            .and_then(|bot| bot.posts.get(id.as_str()));
        let Some(post) = post else { return };
        let all = post.reactions.iter().map(|(emoji, fans)| {
            let names = fans.iter().map(|(_, name)| name.clone()).collect();
            (emoji.key(), names)
        });
        self.ledger.mark_mut(id).reactions = all.collect();
    }

    fn push_reaction(
        &mut self,
        app: &AppId,
        id: &MessageId,
        emoji: &Emoji,
        who: &Openid,
        remove: bool,
    ) -> usize {
        let now = self.now;
        let name = match remove {
            true => "MESSAGE_REACTION_REMOVE",
            false => "MESSAGE_REACTION_ADD",
        };
        let event_id = self.ids.event(name);
        let bound = self.settings.record.ledger;
        let Some(bot) = self.bots.get_mut(app) else {
            return 0;
        };
        let Some(post) = bot.posts.get(id.as_str()) else {
            return 0;
        };
        let target = match bot.settings.guilds.reaction_target {
            TargetForm::Number => json!(0),
            TargetForm::Text => json!("ReactionTargetType_MSG"),
        };
        let d = json!({
            "user_id": who, "guild_id": post.message.get("guild_id"),
            "channel_id": post.message.get("channel_id"),
            "target": {"id": id, "type": target},
            "emoji": {"id": emoji.id, "type": emoji.kind},
        });
        let spot = post.spot.clone();
        let origin = Origin::new(spot.scene, spot.target.clone(), now);
        bot.book.add_event(event_id.clone(), origin, bound);
        let event = Event {
            name,
            id: event_id,
            d: d.to_string(),
            intent: Intents::REACTIONS,
            place: &spot.target,
        };
        self.push(app, &event).len()
    }
}

fn is_here(post: &Post, call: &Call) -> bool {
    !post.recalled && post.spot.target.as_str() == call.segment(1)
}

/// Type 1 has numbers of faces, type 2 decimal code points.
fn emoji_of(call: &Call) -> Option<Emoji> {
    let kind = call.segment(5).parse().ok()?;
    let id = call.segment(6);
    let number: u32 = id.parse().ok()?;
    let fits = match kind {
        1 => number < 1_000,
        2 => char::from_u32(number).is_some_and(|c| !c.is_ascii()),
        _ => false,
    };
    let id = id.to_owned();
    fits.then_some(Emoji { kind, id })
}

fn change(post: &mut Post, emoji: &Emoji, fan: &Fan, remove: bool) -> Result<(), u32> {
    let set = post
        .reactions
        .get(emoji)
        .is_some_and(|fans| fans.iter().any(|(id, _)| *id == fan.0));
    match (remove, set) {
        (false, true) => return Err(620_003),
        (true, false) => return Err(620_004),
        (false, false) => {
            if post.reactions.len() >= KINDS && !post.reactions.contains_key(emoji) {
                return Err(620_002);
            }
            post.reactions
                .entry(emoji.clone())
                .or_default()
                .push(fan.clone());
        }
        (true, true) => {
            let fans = post.reactions.entry(emoji.clone()).or_default();
            fans.retain(|(id, _)| *id != fan.0);
            if fans.is_empty() {
                post.reactions.remove(emoji);
            }
        }
    }
    Ok(())
}
