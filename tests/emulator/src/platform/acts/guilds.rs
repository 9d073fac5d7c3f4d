//! Messages in channels and direct message sessions.

use serde_json::{Value, json};

use super::{Form, Utterance};
use crate::actions::{ActionError, ActionOutcome, Draft, InChannel, InGuild};
use crate::ids::{AppId, MessageId};
use crate::intents::Intents;
use crate::ledger::Scene;
use crate::platform::Platform;
use crate::platform::bot::Bot;
use crate::platform::guilds::{Birth, Guild};
use crate::platform::place::Spot;

const AT: Form = Form {
    name: "AT_MESSAGE_CREATE",
    intent: Intents::PUBLIC_GUILD_MESSAGES,
    shows_mention: true,
    with_context: false,
};
const EVERY: Form = Form {
    name: "MESSAGE_CREATE",
    intent: Intents::GUILD_MESSAGES,
    ..AT
};
const DIRECT: Form = Form {
    name: "DIRECT_MESSAGE_CREATE",
    intent: Intents::DIRECT_MESSAGE,
    shows_mention: false,
    ..AT
};

/// The message as `GET` shows it.
pub(super) const PLAIN: Form = EVERY;

impl Platform {
    pub(super) fn channel_message(
        &mut self,
        app: &AppId,
        at: &InChannel,
        draft: &Draft,
        addressed: bool,
    ) -> Result<ActionOutcome, ActionError> {
        let draft = &self.resolved(app, draft, true)?;
        let birth = Birth {
            app,
            ids: &self.ids,
            now: self.now,
        };
        let bot = self.bots.get_mut(app).ok_or(ActionError::NoBot)?;
        let guilds = &mut bot.world.guilds;
        if !guilds.guild(birth, &at.guild).joined {
            return Err(ActionError::BotNotInGuild(at.guild.clone()));
        }
        let author = guilds.member(birth, &at.guild, &at.user).id.as_target();
        for name in &draft.mentions {
            guilds.member(birth, &at.guild, name);
        }
        let channel = guilds.channel(birth, &at.guild, &at.channel);
        channel.deleted = false;
        let id = channel.id.clone();
        let spot = Spot::channel(&id, at.guild.clone(), at.channel.clone());
        // A reply to a message of the bot addresses it, without a visible @.
        let quoted = draft
            .reply
            .as_ref()
            .and_then(|id| bot.posts.get(id.as_str()));
        let heard = addressed || quoted.is_some_and(|post| post.by_bot);
        let private = bot.settings.is_private();
        let forms: &[Form] = match (heard, private) {
            (true, true) => &[AT, EVERY],
            (true, false) => &[AT],
            (false, true) => &[EVERY],
            (false, false) => &[],
        };
        let seq = bot.world.guilds.next_seq(&spot).map_or(0, |(.., seq)| seq);
        let index = self.ids.ref_idx();
        let said = Utterance {
            app,
            spot,
            user: &at.user,
            author,
            draft,
            addressed: heard,
            index,
            seq,
        };
        let mut outcome = self.say(&said, forms);
        outcome.target = Some(id.as_target());
        Ok(outcome)
    }

    pub(super) fn direct_message(
        &mut self,
        app: &AppId,
        at: &InGuild,
        draft: &Draft,
    ) -> Result<ActionOutcome, ActionError> {
        let draft = &self.resolved(app, draft, true)?;
        let birth = Birth {
            app,
            ids: &self.ids,
            now: self.now,
        };
        let bot = self.bots.get_mut(app).ok_or(ActionError::NoBot)?;
        let guilds = &mut bot.world.guilds;
        if !guilds.guild(birth, &at.guild).joined {
            return Err(ActionError::BotNotInGuild(at.guild.clone()));
        }
        let author = guilds.member(birth, &at.guild, &at.user).id.as_target();
        let dm = guilds.dm(birth, &at.guild, &at.user);
        let spot = Spot::dm(&dm.id, at.guild.clone(), at.user.clone());
        let seq = guilds.next_seq(&spot).map_or(0, |(.., seq)| seq);
        let index = self.ids.ref_idx();
        let said = Utterance {
            app,
            spot,
            user: &at.user,
            author,
            draft,
            addressed: true,
            index,
            seq,
        };
        Ok(self.say(&said, &[DIRECT]))
    }

    /// The Message object that a user's message is.
    pub(super) fn guild_body(&self, said: &Utterance<'_>, form: Form, id: &MessageId) -> Value {
        let Some(bot) = self.bots.get(said.app) else {
            return Value::Null;
        };
        let guilds = &bot.world.guilds;
        let home = said.spot.guild.as_ref().and_then(|it| guilds.by_name(it));
        let Some((home, member)) = home.and_then(|it| Some((it, it.members.get(said.user)?)))
        else {
            return Value::Null;
        };
        // Whoever only replied is addressed without a mention.
        let by_reply = said.draft.reply.is_some();
        let mentioned = form.shows_mention && said.addressed && !by_reply;
        let own = (mentioned && said.spot.scene == Scene::Channel).then_some(bot);
        let (content, mentions) = written(said.draft, own, home);
        let timestamp = said
            .draft
            .timestamp
            .unwrap_or(bot.settings.events.timestamp);
        let mut body = json!({
            "id": id, "content": content, "timestamp": timestamp.write(self.now),
            "seq": said.seq, "seq_in_channel": said.seq.to_string(),
            "author": member.user(said.user),
            "member": {
                "nick": member.nick, "roles": ["1"], "joined_at": member.joined_at.rfc3339(),
            },
        });
        if let Some(body) = body.as_object_mut() {
            let mut set = |name: &str, value: Value| body.insert(name.to_owned(), value);
            let (guild, channel) = guilds.ids_of(&said.spot);
            set("guild_id", json!(guild));
            set("channel_id", json!(channel));
            if said.spot.scene == Scene::Dm {
                set("direct_message", json!(true));
                set("src_guild_id", json!(home.id));
            }
            if !mentions.is_empty() {
                set("mentions", Value::Array(mentions));
            }
            if !said.draft.attachments.is_empty() {
                set("attachments", attachments(said.draft));
            }
            if let Some(quote) = &said.draft.reply {
                set("message_reference", json!({"message_id": quote}));
            }
        }
        body
    }
}

/// The content with its tags, and the list of mentions that goes with it; `bot` if it is one.
fn written(draft: &Draft, bot: Option<&Bot>, home: &Guild) -> (String, Vec<Value>) {
    let (mut content, mut mentions) = (String::new(), Vec::new());
    if let Some(bot) = bot {
        content = format!("<@!{}> ", bot.user_id);
        mentions.push(json!({
            "id": bot.user_id, "username": bot.settings.name,
            "avatar": "http://thirdqq.qlogo.cn/1", "bot": true,
        }));
    }
    for name in &draft.mentions {
        if let Some(other) = home.members.get(name) {
            content.push_str(&format!("<@!{}> ", other.id));
            mentions.push(other.user(name));
        }
    }
    content.push_str(&escaped(&draft.text));
    (content, mentions)
}

/// Attachments with the ids that guild scenes give them.
fn attachments(draft: &Draft) -> Value {
    let listed = draft
        .attachments
        .iter()
        .enumerate()
        .map(|(at, attachment)| {
            let mut value = json!(attachment);
            if let Some(fields) = value.as_object_mut() {
                fields.insert("id".to_owned(), json!((2_871 + at).to_string()));
            }
            value
        });
    listed.collect()
}

/// Text in guild scenes is entity-escaped on its way to bots; a face that a user picked is a tag and stays one.
fn escaped(text: &str) -> String {
    let mut escaped = String::with_capacity(text.len());
    let mut rest = text;
    while let Some(at) = rest.find(['&', '<', '>']) {
        let (before, special) = rest.split_at(at);
        escaped.push_str(before);
        if let Some(end) = face_end(special) {
            let (face, after) = special.split_at(end);
            escaped.push_str(face);
            rest = after;
            continue;
        }
        escaped.push_str(match special.as_bytes().first() {
            Some(b'&') => "&amp;",
            Some(b'<') => "&lt;",
            _ => "&gt;",
        });
        rest = special.get(1..).unwrap_or_default();
    }
    escaped.push_str(rest);
    escaped
}

/// Where a `<emoji:4>` at the beginning of a text ends.
fn face_end(text: &str) -> Option<usize> {
    let (number, _) = text.strip_prefix("<emoji:")?.split_once('>')?;
    let digits = !number.is_empty() && number.bytes().all(|byte| byte.is_ascii_digit());
    digits.then(|| "<emoji:".len() + number.len() + 1)
}

#[cfg(test)]
mod tests {
    use super::escaped;

    #[test]
    fn everything_but_a_face_is_escaped() {
        assert_eq!(
            escaped("a <b> & <emoji:4> <emoji:x>"),
            "a &lt;b&gt; &amp; <emoji:4> &lt;emoji:x&gt;"
        );
        assert_eq!(escaped("<@!1>"), "&lt;@!1&gt;");
    }
}
