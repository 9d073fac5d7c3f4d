//! Text of messages without the platform's markup (`PROTOCOL.md`, "Text").

use base64::Engine as _;
use percent_encoding::percent_decode_str;

use crate::events::fields::cut;
use crate::events::message::Mention;

use super::faces;

/// Characters of a text, mentions written out: far more than anybody may write.
const TEXT_CHARS: usize = 65_536;
/// Characters of a face's name.
const FACE_CHARS: usize = 32;
/// Bytes of the longest tag that is read: a face with its name in base64.
const MAX_TAG: usize = 4_096;

/// How the text of a message is marked up.
#[derive(Clone, Copy, Debug)]
pub(super) enum Markup<'a> {
    /// As in private chats and groups: tags, and text as it was typed.
    Plain(&'a [Mention]),
    /// As in guilds: tags, and escaped text. The bot is known by its id.
    Guild(&'a [Mention], &'a str),
}

impl Markup<'_> {
    /// Removes mentions of this bot, shows other mentions as `@name` and faces as `[name]`, and trims.
    pub(super) fn clean(self, content: &str) -> String {
        let text = self.without_tags(content);
        // Tags first and entities then, or a person's `&lt;@1&gt;` would become a mention.
        let text = match self {
            Self::Guild(..) if text.contains('&') => text
                .replace("&lt;", "<")
                .replace("&gt;", ">")
                .replace("&amp;", "&"),
            _ => text,
        };
        // U+00A0 is what some clients leave where a mention stood; `trim` knows it.
        cut(text.trim(), TEXT_CHARS)
    }

    fn without_tags(self, content: &str) -> String {
        let mut text = String::with_capacity(content.len());
        let mut rest = content;
        while let Some(end) = rest.find('>') {
            let (before, after) = (rest.get(..end), rest.get(end + 1..));
            let (before, after) = (before.unwrap_or_default(), after.unwrap_or_default());
            // A tag has no other one in it. So each byte is read once, whatever a person types.
            let tag = before
                .rsplit_once('<')
                .filter(|(_, inside)| inside.len() <= MAX_TAG)
                .and_then(|(before, inside)| Some((before, self.tag(inside)?)));
            match tag {
                Some((before, shown)) => text.extend([before, &shown]),
                None => text.extend([before, ">"]),
            }
            rest = after;
            // A short tag may stand for a long name: what will be cut off anyway is not written out.
            if text.len() > TEXT_CHARS * 4 {
                return text;
            }
        }
        text.push_str(rest);
        text
    }

    /// What to show for a tag with this between its brackets; nothing for what is none.
    fn tag(self, inside: &str) -> Option<String> {
        if let Some(id) = inside
            .strip_prefix("@!")
            .or_else(|| inside.strip_prefix('@'))
        {
            return self.mention(id);
        }
        let (name, attributes) = inside.split_once(' ').unwrap_or((inside, ""));
        match name {
            "qqbot-at-user" => self.mention(attribute(attributes, "id")?),
            "qqbot-at-everyone" | "qqbot-at-everyone/" => Some("@everyone".to_owned()),
            "qqbot-cmd-input" | "qqbot-cmd-enter" => command(attributes),
            _ if inside.starts_with("faceType=") => Some(face(inside)),
            _ => match (self, inside.strip_prefix("emoji:")) {
                (Self::Guild(..), Some(id)) => Some(faces::face(id)),
                _ => None,
            },
        }
    }

    fn mention(self, id: &str) -> Option<String> {
        if id == "all" || id == "everyone" {
            return Some(format!("@{id}"));
        }
        let (mentions, bot_id) = match self {
            Self::Plain(mentions) => (mentions, ""),
            Self::Guild(mentions, bot_id) => (mentions, bot_id),
        };
        if !bot_id.is_empty() && id == bot_id {
            return Some(String::new());
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
}

/// Text of the bot's own as guilds want it: escaped, so that nothing in it becomes a tag.
#[must_use]
pub(crate) fn escape_guild(text: &str) -> String {
    text.replace('&', "&amp;")
        .replace('<', "&lt;")
        .replace('>', "&gt;")
}

/// What a tag puts into the input box, or sends: text, percent-encoded.
fn command(attributes: &str) -> Option<String> {
    let text = attribute(attributes, "text")?;
    Some(percent_decode_str(text).decode_utf8_lossy().into_owned())
}

/// A face's name as the tag has it, or else as the table of faces does.
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
    match name {
        Some(name) => format!("[{}]", cut(&name, FACE_CHARS)),
        None => faces::face(attribute(inside, "faceId").unwrap_or_default()),
    }
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
            (r#"<faceType=1,faceId="14",ext="e30=">"#, "[微笑]"),
            (r#"<faceType=1,faceId="99999",ext="">"#, "[表情99999]"),
            (r#"<faceType=1,faceId="0",ext="">"#, "[表情]"),
            ("<emoji:4>", "<emoji:4>"),
            (
                "@everyone <@everyone> <qqbot-at-everyone />",
                "@everyone @everyone @everyone",
            ),
            (
                r#"try <qqbot-cmd-input text="%2Fhelp%20me" show="help" />"#,
                "try /help me",
            ),
            (r#"<qqbot-cmd-enter text="天气"/>"#, "天气"),
            ("<qqbot-cmd-enter />", "<qqbot-cmd-enter />"),
        ] {
            assert_eq!(
                Markup::Plain(&mentions()).clean(content),
                expected,
                "{content}"
            );
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
                "<@!7A> and <#100010> <emoji:4><emoji:98765>",
                "@Li and <#100010> [得意][表情98765]",
            ),
            ("&lt;emoji:4&gt; @everyone", "<emoji:4> @everyone"),
        ] {
            assert_eq!(
                Markup::Guild(&mentions(), "6158").clean(content),
                expected,
                "{content}"
            );
        }
    }

    #[test]
    fn what_the_bot_says_in_a_guild_comes_out_as_it_was_meant() {
        let said = "a < b && c > d <@!1> &lt;";
        assert_eq!(Markup::Guild(&[], "6158").clean(&escape_guild(said)), said);
    }

    #[test]
    fn a_short_tag_for_a_long_name_does_not_blow_the_text_up() {
        let long = [Mention {
            id: "1".into(),
            username: "名".repeat(64),
            ..Mention::default()
        }];
        let text = Markup::Plain(&long).clean(&"<@1>".repeat(200_000));
        assert!(text.chars().count() <= TEXT_CHARS);
    }

    proptest! {
        #[test]
        fn no_content_makes_it_panic(content in "[<>@!a-z\"=,/: ]{0,80}") {
            let _ = Markup::Plain(&mentions()).clean(&content);
            let _ = Markup::Guild(&mentions(), "a").clean(&content);
        }
    }
}
