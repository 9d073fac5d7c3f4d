//! Cards, which are things shared from elsewhere, as readable text.

use crate::events::message::Card;

use super::words::Words;

/// Characters that a card may have.
const CHARS: usize = 1_500;

/// Kinds of cards that were seen, and what to call them. Others go by the name that the platform gives them.
const KINDS: &[(&str, &str)] = &[
    ("map", "location"),
    ("tuwen", "article"),
    ("picture", "picture"),
    ("feed", "post"),
    ("miniapp", "mini program"),
    ("contact_card", "contact"),
    ("video_share", "video"),
    ("music_together", "music"),
    ("forward_msg", "forwarded messages"),
];

/// Fields worth telling, in this order, and what to call them. Only two of them are in a published sample; the
/// others are what cards of QQ's use elsewhere.
const FIELDS: &[(&str, &str)] = &[
    ("title", "title"),
    ("name", "name"),
    ("nickname", "name"),
    ("singer", "singer"),
    ("artist", "singer"),
    ("desc", "description"),
    ("description", "description"),
    ("summary", "summary"),
    ("address", "address"),
    ("lat", "latitude"),
    ("lng", "longitude"),
    ("source", "source"),
    ("tag", "source"),
    ("jump_url", "link"),
    ("jumpUrl", "link"),
    ("url", "link"),
    ("link", "link"),
];

/// A field with this in its name tells a reader nothing.
const NOISE: &[&str] = &["icon", "cover", "preview", "avatar", "token", "ticket"];
/// Nor does one with this at its end.
const NOISE_AT_THE_END: &[&str] = &["id", "sign"];

/// The card as text. `beside` is the text that came with it, which stands in for a card without fields.
pub(super) fn text(card: &Card, beside: &str) -> String {
    let kind = KINDS
        .iter()
        .find(|(kind, _)| *kind == card.kind)
        .map(|(_, name)| *name);
    let names = [kind.unwrap_or_default(), &card.name, &card.kind];
    let name = names
        .into_iter()
        .find(|name| !name.is_empty() && *name != "unknown");
    let mut words = Words::new(CHARS);
    words.push("[card");
    if let Some(name) = name {
        words.push(": ");
        words.push(name);
    }
    words.push("]");
    let mut told: Vec<&str> = Vec::new();
    let first = if card.fields.is_empty() { beside } else { "" };
    if let Some(line) = [card.prompt.as_str(), first]
        .into_iter()
        .find(|line| !line.is_empty())
    {
        words.push(" ");
        words.push(line);
        told.push(line);
    }
    if !first.is_empty() && !told.contains(&first) {
        words.line(0);
        words.push(first);
    }
    for (caption, value) in captioned(card) {
        // The line at the top often is one of the fields with a word before it.
        if told.iter().any(|known| known.ends_with(value)) {
            continue;
        }
        told.push(value);
        words.line(0);
        words.push(caption);
        words.push(": ");
        words.push(value);
    }
    words.into_text()
}

/// What is worth telling of a card's fields: those with a name of ours first, the others as they are called.
fn captioned(card: &Card) -> Vec<(&str, &str)> {
    let known = FIELDS.iter().flat_map(|(field, caption)| {
        let values = card.fields.iter().filter(move |(name, _)| name == field);
        values.map(move |(_, value)| (*caption, value.as_str()))
    });
    let noise = |name: &str| {
        let name = name.to_lowercase();
        NOISE.iter().any(|noise| name.contains(noise))
            || NOISE_AT_THE_END.iter().any(|noise| name.ends_with(noise))
    };
    let listed = |name: &str| FIELDS.iter().any(|(field, _)| *field == name);
    let others = card
        .fields
        .iter()
        .filter(|(name, _)| !listed(name) && !noise(name))
        .map(|(name, value)| (name.as_str(), value.as_str()));
    known.chain(others).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn card(kind: &str, name: &str, prompt: &str, fields: &[(&str, &str)]) -> Card {
        Card {
            kind: kind.to_owned(),
            name: name.to_owned(),
            prompt: prompt.to_owned(),
            fields: fields
                .iter()
                .map(|(name, value)| ((*name).to_owned(), (*value).to_owned()))
                .collect(),
        }
    }

    #[test]
    fn cards_become_text() {
        for (card, beside, expected) in [
            (
                card(
                    "map",
                    "位置卡片",
                    "[位置]People's Square",
                    &[("address", "1 Renmin Ave"), ("desc", "People's Square")],
                ),
                "[卡片消息] 位置",
                "[card: location] [位置]People's Square\naddress: 1 Renmin Ave",
            ),
            (
                card(
                    "tuwen",
                    "",
                    "[分享]News",
                    &[
                        ("jump_url", "https://a.example/1"),
                        ("preview", "https://p"),
                        ("summary", "What happened"),
                        ("title", "News"),
                    ],
                ),
                "",
                "[card: article] [分享]News\nsummary: What happened\nlink: https://a.example/1",
            ),
            (
                card("miniapp", "小程序", "", &[]),
                "[卡片消息] 小程序\n摘要: 外卖",
                "[card: mini program] [卡片消息] 小程序\n摘要: 外卖",
            ),
            (
                card("miniapp", "", "[小程序]外卖", &[]),
                "摘要: 外卖",
                "[card: mini program] [小程序]外卖\n摘要: 外卖",
            ),
            (
                card("unknown", "投票", "", &[("question", "Where?")]),
                "",
                "[card: 投票]\nquestion: Where?",
            ),
            (card("", "", "", &[]), "", "[card]"),
        ] {
            assert_eq!(text(&card, beside), expected);
        }
    }

    #[test]
    fn a_card_has_an_end() {
        let long = "x".repeat(1_000);
        let fields: Vec<(&str, &str)> = vec![("a", &long), ("b", "short"), ("c", &long)];
        assert!(text(&card("map", "", "", &fields), "").chars().count() <= CHARS);
    }
}
