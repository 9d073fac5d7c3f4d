//! What users do to messages that are there: delete, react, press.

use serde_json::{Value, json};

use crate::actions::{Act, ActionError, ActionOutcome, Draft, Emoji, InChannel, Role};
use crate::ids::{AppId, GroupName, MessageId, Openid, UserName};
use crate::ledger::Scene;
use crate::platform::Platform;
use crate::platform::guilds::Birth;
use crate::platform::messages::cards::find_button;
use crate::platform::place::Spot;
use crate::platform::posts::Post;
use crate::platform::world::member_openid;

/// Presses remembered under one message.
const PRESSES: usize = 100;

impl Platform {
    fn post(&self, app: &AppId, id: &MessageId) -> Result<Post, ActionError> {
        let post = self
            .bots
            .get(app)
            .and_then(|bot| bot.posts.get(id.as_str()));
        post.cloned()
            .ok_or_else(|| ActionError::NoSuchMessage(id.clone()))
    }

    /// A user's id as a bot sees it in a chat.
    fn id_there(&mut self, app: &AppId, spot: &Spot, user: &UserName) -> Openid {
        let birth = Birth {
            app,
            ids: &self.ids,
            now: self.now,
        };
        let Some(bot) = self.bots.get_mut(app) else {
            return Openid::from("");
        };
        match (&spot.group, &spot.guild) {
            (Some(group), _) => {
                let rule = bot.settings.events.member_ids;
                member_openid(&self.ids, app, group, user, rule)
            }
            (None, Some(guild)) => {
                let member = bot.world.guilds.member(birth, guild, user);
                member.id.as_target()
            }
            (None, None) => bot.world.user(app, user, &self.ids).openid.clone(),
        }
    }

    /// A message goes. Guild scenes tell the bot; C2C and groups have no documented event for it.
    pub(super) fn user_deletes(
        &mut self,
        app: &AppId,
        user: &UserName,
        id: &MessageId,
    ) -> Result<ActionOutcome, ActionError> {
        let post = self.post(app, id)?;
        let op = self.id_there(app, &post.spot, user);
        if let Some(bot) = self.bots.get_mut(app)
            && let Some(post) = bot.posts.any_mut(id.as_str())
        {
            post.recalled = true;
        }
        self.ledger.mark_mut(id).recalled = Some(self.now);
        let field = |name: &str| post.message.get(name).cloned().unwrap_or_default();
        let mut d = json!({
            "message": {
                "guild_id": field("guild_id"), "channel_id": field("channel_id"), "id": id,
                "author": {"id": post.author.0, "username": post.author.1, "bot": post.by_bot},
                "direct_message": post.spot.scene == Scene::Dm,
            },
            "op_user": {"id": op},
        });
        let private = self
            .bots
            .get(app)
            .is_some_and(|bot| bot.settings.is_private());
        let names: &[&str] = match post.spot.scene {
            Scene::C2c | Scene::Group => &[],
            Scene::Channel if private => &["PUBLIC_MESSAGE_DELETE", "MESSAGE_DELETE"],
            Scene::Channel => &["PUBLIC_MESSAGE_DELETE"],
            Scene::Dm => {
                if let Some(message) = d.pointer_mut("/message").and_then(Value::as_object_mut) {
                    message.insert("src_guild_id".to_owned(), field("src_guild_id"));
                }
                &["DIRECT_MESSAGE_DELETE"]
            }
        };
        let mut outcome = ActionOutcome {
            target: Some(post.spot.target.clone()),
            ..ActionOutcome::default()
        };
        for name in names {
            let pushed = self.push_notice(app, &post.spot, name, false, &d);
            outcome.sessions += pushed.sessions;
            outcome.event_id = outcome.event_id.or(pushed.event_id);
        }
        outcome.message_id = Some(id.clone());
        Ok(outcome)
    }

    /// A reaction, in channels only.
    pub(super) fn user_reacts(
        &mut self,
        app: &AppId,
        user: &UserName,
        id: Option<&MessageId>,
        emoji: &Emoji,
        remove: bool,
    ) -> Result<ActionOutcome, ActionError> {
        let bot = self.bots.get(app).ok_or(ActionError::NoBot)?;
        let newest = || {
            bot.posts
                .newest(|post| post.by_bot && post.spot.scene == Scene::Channel)
        };
        let id = id.cloned().or_else(newest);
        let id = &id.ok_or(ActionError::NotHere("a reaction"))?;
        let post = self.post(app, id)?;
        if post.spot.scene != Scene::Channel {
            return Err(ActionError::NotHere("a reaction"));
        }
        let who = self.id_there(app, &post.spot, user);
        let fan = (who, user.to_string());
        let pushed = self.react_as_user(app, id, emoji, &fan, remove);
        let sessions = pushed.map_err(|_| ActionError::NotHere("this reaction"))?;
        Ok(ActionOutcome {
            message_id: Some(id.clone()),
            target: Some(post.spot.target),
            sessions,
            ..ActionOutcome::default()
        })
    }

    /// A button is pressed: a callback becomes an interaction, a command becomes a message.
    pub(super) fn user_presses(
        &mut self,
        app: &AppId,
        user: &UserName,
        id: Option<&MessageId>,
        wanted: &str,
    ) -> Result<ActionOutcome, ActionError> {
        let id = match id {
            Some(id) => id.clone(),
            None => self.newest_buttons(app, user)?,
        };
        let post = self.post(app, &id)?;
        if !post.has_keys() {
            return Err(ActionError::NoButtons);
        }
        let no_such = || ActionError::NoSuchButton(wanted.to_owned());
        let mut keyboards = [&post.keyboard, &post.offers.prompt].into_iter().flatten();
        let button = keyboards.find_map(|keyboard| find_button(keyboard, wanted));
        let button = button.ok_or_else(no_such)?.clone();
        let who = self.id_there(app, &post.spot, user);
        if !self.may_press(app, &post.spot, user, &who, &button) {
            return Err(ActionError::MayNotPress(user.clone()));
        }
        let text = |path: &str| {
            button
                .pointer(path)
                .and_then(Value::as_str)
                .unwrap_or_default()
        };
        let (name, data) = (text("/id").to_owned(), text("/action/data").to_owned());
        let presses = &mut self.ledger.mark_mut(&id).presses;
        if presses.len() < PRESSES {
            presses.push(format!("{user}: {name}"));
        }
        match button
            .pointer("/action/type")
            .and_then(Value::as_u64)
            .unwrap_or(0)
        {
            1 => {
                let mut resolved = json!({"button_data": data, "button_id": name});
                if let Some(fields) = resolved.as_object_mut()
                    && post.spot.scene.is_guild()
                {
                    fields.insert("user_id".to_owned(), json!(who));
                    fields.insert("message_id".to_owned(), json!(id));
                }
                Ok(self.interact(app, &post.spot, &who, 11, &resolved))
            }
            2 => self.command(app, &post.spot, user, &data),
            // A link or a scheme opens on the user's side; nobody else learns of it.
            _ => Ok(ActionOutcome {
                message_id: Some(id),
                target: Some(post.spot.target),
                ..ActionOutcome::default()
            }),
        }
    }

    fn newest_buttons(&self, app: &AppId, user: &UserName) -> Result<MessageId, ActionError> {
        let bot = self.bots.get(app).ok_or(ActionError::NoBot)?;
        let theirs = |spot: &Spot| spot.user.as_ref().is_none_or(|it| it == user);
        let newest = bot
            .posts
            .newest(|post| post.by_bot && post.has_keys() && theirs(&post.spot));
        newest.ok_or(ActionError::NoButtons)
    }

    fn may_press(
        &self,
        app: &AppId,
        spot: &Spot,
        user: &UserName,
        who: &Openid,
        button: &Value,
    ) -> bool {
        let permission = button.pointer("/action/permission");
        let kind = permission
            .and_then(|it| it.get("type"))
            .and_then(Value::as_u64);
        let listed = |name: &str, wanted: &str| {
            let all = permission.and_then(|it| it.get(name)?.as_array());
            all.is_some_and(|all| all.iter().any(|it| it == wanted))
        };
        match kind.unwrap_or(0) {
            0 => listed("specify_user_ids", who.as_str()),
            1 => {
                let world = self.bots.get(app).map(|bot| &bot.world);
                let group = spot.group.as_ref();
                let group = world
                    .zip(group)
                    .and_then(|(all, name)| all.known_group(name));
                let role = group.and_then(|group| group.members.get(user));
                role.is_some_and(|role| *role != Role::Member)
            }
            2 => true,
            // Every member of a guild has role 1 and no other here.
            _ => spot.scene.is_guild() && listed("specify_role_ids", "1"),
        }
    }

    /// A command button says its text for the user, with a mention of the bot.
    fn command(
        &mut self,
        app: &AppId,
        spot: &Spot,
        user: &UserName,
        text: &str,
    ) -> Result<ActionOutcome, ActionError> {
        let (user, message) = (user.clone(), Draft::from(text));
        let act = match (&spot.group, &spot.guild, &spot.channel) {
            (Some(group), ..) => Act::GroupAt {
                group: group.clone(),
                user,
                message,
            },
            (None, Some(guild), Some(channel)) => Act::ChannelAt {
                at: InChannel {
                    guild: guild.clone(),
                    channel: channel.clone(),
                    user,
                },
                message,
            },
            (None, Some(guild), None) => Act::dm(guild.as_str(), user.as_str(), text),
            _ => Act::C2c { user, message },
        };
        self.on_consequence(app, &act)
    }

    /// Any other interaction of C2C or a group.
    pub(super) fn user_interacts(
        &mut self,
        app: &AppId,
        user: &UserName,
        group: Option<&GroupName>,
        kind: u32,
        resolved: &Value,
    ) -> Result<ActionOutcome, ActionError> {
        let bot = self.bots.get_mut(app).ok_or(ActionError::NoBot)?;
        let spot = match group {
            Some(name) => {
                let target = bot.world.group(app, name, &self.ids).openid.clone();
                Spot::group(target, name.clone())
            }
            None => {
                let target = bot.world.user(app, user, &self.ids).openid.clone();
                Spot::c2c(target, user.clone())
            }
        };
        let who = self.id_there(app, &spot, user);
        Ok(self.interact(app, &spot, &who, kind, resolved))
    }
}
