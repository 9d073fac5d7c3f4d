//! The body of a send to channels and direct messages, read strictly.

use serde_json::{Map, Value};

use super::Refusal;
use super::body::{Outgoing, has_url};
use super::cards::{check_tags, keyboard_of, read_ark, read_embed, read_keyboard, read_markdown};
use super::fields::{Kind, chars, check_types, object_of, text_of};
use super::passive::key_of;
use crate::ledger::{BotForm, Scene};
use crate::settings::{BotSettings, GuildSettings};

const FIELDS: &[(&str, Kind)] = &[
    ("content", Kind::Text),
    ("embed", Kind::Object),
    ("ark", Kind::Object),
    ("markdown", Kind::Object),
    ("keyboard", Kind::Object),
    ("message_reference", Kind::Object),
    ("image", Kind::Text),
    ("msg_id", Kind::Text),
    ("event_id", Kind::Text),
];

/// Reads a body; `file` tells whether a picture came along.
pub(crate) fn read(
    fields: &Map<String, Value>,
    file: bool,
    scene: Scene,
    bot: &BotSettings,
) -> Result<Outgoing, Refusal> {
    check_types(fields, FIELDS, bot.messages.nulls)?;
    let (message, event) = (text_of(fields, "msg_id"), text_of(fields, "event_id"));
    if message.is_some() && event.is_some() {
        return Err(Refusal::malformed(
            12_002,
            "msg_id and event_id exclude each other",
        ));
    }
    let content = text_of(fields, "content").unwrap_or_default();
    check_tags(content, scene, false, &bot.grants)?;
    let mut outgoing = match object_of(fields, "markdown") {
        Some(markdown) => read_marked(fields, markdown, file, scene, bot)?,
        None => read_plain(fields, file, content, bot)?,
    };
    if chars(&outgoing.text) > bot.messages.max_chars {
        return Err(Refusal::code(40_054_018));
    }
    check_urls(&outgoing.text, &bot.guilds)?;
    content.clone_into(&mut outgoing.content);
    outgoing.reply_to = key_of(message, event);
    outgoing.quote = match object_of(fields, "message_reference") {
        None => None,
        Some(quote) => {
            let id = text_of(quote, "message_id");
            let why = "message_reference without message_id";
            Some(
                id.ok_or_else(|| Refusal::malformed(12_002, why))?
                    .to_owned(),
            )
        }
    };
    Ok(outgoing)
}

fn read_marked(
    fields: &Map<String, Value>,
    markdown: &Map<String, Value>,
    file: bool,
    scene: Scene,
    bot: &BotSettings,
) -> Result<Outgoing, Refusal> {
    let others = ["embed", "ark"]
        .iter()
        .any(|it| object_of(fields, it).is_some());
    let said = ["content", "image"]
        .iter()
        .any(|it| text_of(fields, it).is_some());
    if others || said || file {
        return Err(Refusal::malformed(
            50_037,
            "markdown goes with a keyboard only",
        ));
    }
    if !bot.grants.guild_markdown {
        return Err(Refusal::code(50_056));
    }
    let text = read_markdown(markdown, scene, &bot.grants)?;
    let mut outgoing = Outgoing::new(BotForm::Markdown, text);
    if let Some(keyboard) = keyboard_of(fields) {
        if !bot.grants.guild_keyboard {
            return Err(Refusal::code(304_037));
        }
        read_keyboard(keyboard, bot)?;
        outgoing.keyboard = Some(Value::Object(keyboard.clone()));
    }
    Ok(outgoing)
}

fn read_plain(
    fields: &Map<String, Value>,
    file: bool,
    content: &str,
    bot: &BotSettings,
) -> Result<Outgoing, Refusal> {
    if keyboard_of(fields).is_some() {
        return Err(Refusal::malformed(
            305_007,
            "a keyboard goes with markdown only",
        ));
    }
    if let Some(ark) = object_of(fields, "ark") {
        if !bot.grants.guild_ark {
            return Err(Refusal::code(304_004));
        }
        let mut outgoing = Outgoing::new(BotForm::Ark, read_ark(ark, &bot.grants)?);
        outgoing.card = Some(Value::Object(ark.clone()));
        return Ok(outgoing);
    }
    if let Some(embed) = object_of(fields, "embed") {
        let text = read_embed(embed, &bot.grants, &bot.guilds)?;
        let mut outgoing = Outgoing::new(BotForm::Embed, text);
        outgoing.card = Some(Value::Object(embed.clone()));
        return Ok(outgoing);
    }
    let pictured = file || text_of(fields, "image").is_some();
    if content.trim().is_empty() && !pictured {
        return Err(Refusal::malformed(50_006, "a message that says nothing"));
    }
    let form = if pictured {
        BotForm::Media
    } else {
        BotForm::Text
    };
    Ok(Outgoing::new(form, unescaped(content)))
}

/// The server takes the entities out of what bots send.
fn unescaped(text: &str) -> String {
    text.replace("&lt;", "<")
        .replace("&gt;", ">")
        .replace("&amp;", "&")
}

/// Links must lead to registered hosts.
fn check_urls(text: &str, settings: &GuildSettings) -> Result<(), Refusal> {
    if !settings.check_urls || !has_url(text) {
        return Ok(());
    }
    let registered = |host: &str| {
        settings.hosts.iter().any(|known| {
            host.strip_suffix(known.as_str())
                .is_some_and(|rest| rest.is_empty() || rest.ends_with('.'))
        })
    };
    let links = text.split("://").skip(1);
    let all_known = links.clone().count() > 0
        && links.into_iter().all(|rest| {
            let end = rest.find(|c: char| !(c.is_ascii_alphanumeric() || ".-".contains(c)));
            registered(rest.get(..end.unwrap_or(rest.len())).unwrap_or_default())
        });
    if all_known {
        Ok(())
    } else {
        Err(Refusal::code(304_003))
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn code(body: &Value, change: impl FnOnce(&mut BotSettings)) -> u32 {
        let mut bot = BotSettings::default();
        change(&mut bot);
        let fields = body.as_object().unwrap();
        read(fields, false, Scene::Channel, &bot).map_or_else(|refusal| refusal.code, |_| 0)
    }

    #[test]
    fn contents_and_rights_are_checked_with_their_codes() {
        let markdown = json!({"markdown": {"content": "# x"}});
        let mixed = json!({"markdown": {"content": "# x"}, "content": "y"});
        let ark = json!({"ark": {"template_id": 23, "kv": [{"key": "#DESC#", "value": "d"}]}});
        let embed = json!({"embed": {"title": "t", "fields": [{"name": "n"}]}});
        assert_eq!(code(&json!({"content": "x", "msg_type": 0}), |_| {}), 0);
        assert_eq!(code(&json!({"content": " "}), |_| {}), 50_006);
        assert_eq!(code(&markdown, |_| {}), 50_056);
        assert_eq!(code(&markdown, |bot| bot.grants.guild_markdown = true), 0);
        assert_eq!(code(&mixed, |bot| bot.grants.guild_markdown = true), 50_037);
        assert_eq!(code(&ark, |_| {}), 304_004);
        assert_eq!(code(&ark, |bot| bot.grants.guild_ark = true), 0);
        assert_eq!(code(&embed, |_| {}), 0);
        assert_eq!(code(&embed, |bot| bot.guilds.embed_chars = 1), 304_005);
        assert_eq!(code(&json!({"content": 7}), |_| {}), 12_002);
        assert_eq!(code(&json!({"content": "@everyone"}), |_| {}), 304_019);
    }

    #[test]
    fn links_need_a_registered_host_where_that_is_checked() {
        let link = json!({"content": "see https://www.example.org/x"});
        let strict = |bot: &mut BotSettings| bot.guilds.check_urls = true;
        assert_eq!(code(&link, |_| {}), 0);
        assert_eq!(code(&link, strict), 304_003);
        let registered = |bot: &mut BotSettings| {
            strict(bot);
            bot.guilds.hosts.push("example.org".to_owned());
        };
        assert_eq!(code(&link, registered), 0);
        let other = json!({"content": "see https://notexample.org"});
        assert_eq!(code(&other, registered), 304_003);
    }
}
