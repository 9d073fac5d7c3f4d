//! Text of messages without the platform's markup (`PROTOCOL.md`, "Text").

use base64::Engine as _;

use crate::events::message::Mention;

/// Removes mentions of this bot, shows other mentions as `@name` and faces as `[name]`, and trims.
#[must_use]
pub(super) fn clean(content: &str, mentions: &[Mention]) -> String {
    let mut text = String::with_capacity(content.len());
    let mut rest = content;
    while let Some(start) = rest.find('<') {
        let (before, tag_on) = rest.split_at(start);
        text.push_str(before);
        match tag(tag_on, mentions) {
            Some((shown, after)) => {
                text.push_str(&shown);
                rest = after;
            }
            None => {
                text.push('<');
                rest = tag_on.strip_prefix('<').unwrap_or_default();
            }
        }
    }
    text.push_str(rest);
    // U+00A0 is what some clients leave where a mention stood; `trim` knows it.
    text.trim().to_owned()
}

/// The same for guilds, where the bot is known by its id and text is escaped: tags first, then entities, or a
/// person's `&lt;@1&gt;` would become a mention.
#[must_use]
pub(super) fn clean_guild(content: &str, mentions: &[Mention], bot_id: &str) -> String {
    let mentions: Vec<Mention> = mentions
        .iter()
        .map(|mention| Mention {
            is_you: mention.is_you || (!bot_id.is_empty() && mention.id == bot_id),
            ..mention.clone()
        })
        .chain((!bot_id.is_empty()).then(|| Mention {
            id: bot_id.to_owned(),
            is_you: true,
            ..Mention::default()
        }))
        .collect();
    let text = clean(content, &mentions);
    if !text.contains('&') {
        return text;
    }
    text.replace("&lt;", "<")
        .replace("&gt;", ">")
        .replace("&amp;", "&")
}

/// Text of the bot's own as guilds want it: escaped, so that nothing in it becomes a tag.
#[must_use]
pub(crate) fn escape_guild(text: &str) -> String {
    text.replace('&', "&amp;")
        .replace('<', "&lt;")
        .replace('>', "&gt;")
}

/// Reads a tag at the beginning of `text`: what to show for it, and what follows.
fn tag<'a>(text: &'a str, mentions: &[Mention]) -> Option<(String, &'a str)> {
    let (inside, after) = text.strip_prefix('<')?.split_once('>')?;
    if let Some(id) = inside
        .strip_prefix("@!")
        .or_else(|| inside.strip_prefix('@'))
    {
        return Some((mention(id, mentions)?, after));
    }
    if let Some(attributes) = inside.strip_prefix("qqbot-at-user ") {
        return Some((mention(attribute(attributes, "id")?, mentions)?, after));
    }
    if inside.starts_with("faceType=") {
        return Some((face(inside), after));
    }
    None
}

fn mention(id: &str, mentions: &[Mention]) -> Option<String> {
    if id == "all" {
        return Some("@all".to_owned());
    }
    // Text of a person's own that merely looks like a tag stays as it is.
    let plausible = !id.is_empty() && id.bytes().all(|byte| byte.is_ascii_alphanumeric());
    let known = mentions
        .iter()
        .find(|mention| mention.id == id || mention.member_openid == id);
    match known {
        Some(mention) if mention.is_you => Some(String::new()),
        Some(mention) if !mention.username.is_empty() => Some(format!("@{}", mention.username)),
        _ => plausible.then(|| format!("@{id}")),
    }
}

fn face(inside: &str) -> String {
    #[derive(serde::Deserialize)]
    struct Ext {
        text: String,
    }
    let name = attribute(inside, "ext")
        .and_then(|ext| base64::engine::general_purpose::STANDARD.decode(ext).ok())
        .and_then(|json| serde_json::from_slice::<Ext>(&json).ok())
        .map(|ext| ext.text)
        .filter(|name| !name.is_empty());
    format!("[{}]", name.as_deref().unwrap_or("表情"))
}

fn attribute<'a>(text: &'a str, name: &str) -> Option<&'a str> {
    let (_, after) = text.split_once(&format!("{name}=\""))?;
    after.split_once('"').map(|(value, _)| value)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn mentions() -> Vec<Mention> {
        let bot = Mention {
            id: "0F".into(),
            is_you: true,
            username: "demo".into(),
            ..Mention::default()
        };
        let person = Mention {
            id: "7A".into(),
            username: "Li".into(),
            ..Mention::default()
        };
        vec![bot, person]
    }

    #[test]
    fn markup_becomes_readable_text() {
        for (content, expected) in [
            (" /weather beijing", "/weather beijing"),
            ("\u{a0}hi\u{a0}", "hi"),
            ("<@0F> hello", "hello"),
            ("<@!0F>ask <@7A> please", "ask @Li please"),
            ("<qqbot-at-user id=\"7A\" /> hi", "@Li hi"),
            ("<@all> dinner", "@all dinner"),
            (
                r#"ok <faceType=1,faceId="13",ext="eyJ0ZXh0Ijoi5ZGy54mZIn0=">"#,
                "ok [呲牙]",
            ),
            (r#"<faceType=1,faceId="",ext="%%">"#, "[表情]"),
            ("a < b && c > d", "a < b && c > d"),
            ("<b>&lt;</b>", "<b>&lt;</b>"),
            ("<@", "<@"),
            ("<@not a tag>", "<@not a tag>"),
        ] {
            assert_eq!(clean(content, &mentions()), expected, "{content}");
        }
    }

    #[test]
    fn guild_text_loses_its_tags_first_and_its_escapes_then() {
        for (content, expected) in [
            ("<@!6158> hello &amp; hi", "hello & hi"),
            ("<@6158>hi", "hi"),
            (
                "&lt;@!6158&gt; is how you call me",
                "<@!6158> is how you call me",
            ),
            ("&amp;lt;", "&lt;"),
            (
                "<@!7A> and <#100010> <emoji:4>",
                "@Li and <#100010> <emoji:4>",
            ),
        ] {
            assert_eq!(
                clean_guild(content, &mentions(), "6158"),
                expected,
                "{content}"
            );
        }
    }

    #[test]
    fn what_the_bot_says_in_a_guild_comes_out_as_it_was_meant() {
        let said = "a < b && c > d <@!1> &lt;";
        assert_eq!(clean_guild(&escape_guild(said), &[], "6158"), said);
    }

    proptest! {
        #[test]
        fn no_content_makes_it_panic(content in "[<>@!a-z\"=,/ ]{0,80}") {
            let _ = clean(&content, &mentions());
        }
    }
}
