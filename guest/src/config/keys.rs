//! The keys of `[channels_config.qq]` as data: what the host checks, and what the reference page prints.

use super::{KeyKind, KeySpec, ValueAlias};
use crate::gateway::intents::Intents;
use crate::requests::APP_SECRET;

/// What PRX 0.8.32 knows in this table. It refuses its whole file over any other key.
const NATIVE: [&str; 4] = ["app_id", APP_SECRET, "allowed_users", "mention_only"];

/// All keys, in the order of the reference page.
#[must_use]
pub fn key_table() -> Vec<KeySpec> {
    let mut keys = documented_keys();
    keys.extend(own_keys());
    keys
}

fn key(name: &str, kind: KeyKind, default: Option<&str>, doc: &str) -> KeySpec {
    KeySpec {
        name: name.to_owned(),
        kind,
        required: false,
        default: default.map(str::to_owned),
        allowed: Vec::new(),
        aliases: Vec::new(),
        minimum: None,
        maximum: None,
        inherits_from: None,
        secret: false,
        widens_egress: None,
        documented: true,
        native: NATIVE.contains(&name),
        doc: doc.to_owned(),
    }
}

fn number(name: &str, default: &str, range: (i64, i64), doc: &str) -> KeySpec {
    KeySpec {
        minimum: Some(range.0),
        maximum: Some(range.1),
        ..key(name, KeyKind::Integer, Some(default), doc)
    }
}

/// A key that takes one of these words; the first one is the default.
fn word(name: &str, allowed: &[&str], doc: &str) -> KeySpec {
    let default = allowed.first().map(|word| format!("{word:?}"));
    KeySpec {
        allowed: words(allowed),
        ..key(name, KeyKind::Text, default.as_deref(), doc)
    }
}

fn words(list: &[&str]) -> Vec<String> {
    list.iter().map(|&word| word.to_owned()).collect()
}

fn documented_keys() -> Vec<KeySpec> {
    vec![
        KeySpec {
            required: true,
            ..key(
                "app_id",
                KeyKind::Text,
                None,
                "AppID of the bot, from 开发设置 (development settings) of its console.",
            )
        },
        KeySpec {
            required: true,
            secret: true,
            ..key(
                APP_SECRET,
                KeyKind::Text,
                None,
                "AppSecret of the bot; also as `env:NAME` or `file:PATH`. Never in a log, never in the component.",
            )
        },
        key(
            "allowed_users",
            KeyKind::TextList,
            Some("[]"),
            "Who may talk to the bot: OpenIDs, `\"*\"` for everyone, `group:<openid>` for a whole group, \
             `<openid>@group:<openid>` for one person in one group, `guild:<id>` for a whole guild. Empty = pairing: \
             the log shows a code, and whoever writes `/bind CODE` to the bot in private is let in.",
        ),
        key(
            "sandbox",
            KeyKind::Boolean,
            Some("false"),
            "Use the sandbox gateway and API.",
        ),
        KeySpec {
            allowed: Intents::names()
                .iter()
                .map(|&name| name.to_owned())
                .collect(),
            ..key(
                "intents",
                KeyKind::TextList,
                Some(r#"["guilds","guild_messages","direct_messages"]"#),
                "Event groups to subscribe to, by name. Private chats and groups need `group_and_c2c`. \
                 What the platform refuses is left out, remembered, and said in the log.",
            )
        },
        KeySpec {
            allowed: words(&["none", "typing", "stream"]),
            aliases: vec![
                ValueAlias {
                    written: "off".into(),
                    means: "none".into(),
                },
                ValueAlias {
                    written: "partial".into(),
                    means: "stream".into(),
                },
            ],
            ..key(
                "stream_mode",
                KeyKind::Text,
                Some(r#""none""#),
                "What is shown while the answer is being written, in private chats.",
            )
        },
        key(
            "interrupt_on_new_message",
            KeyKind::Boolean,
            Some("false"),
            "A new message of the same person takes the place of the one being answered. Off: one after the other.",
        ),
        key(
            "mention_only",
            KeyKind::Boolean,
            Some("false"),
            "In groups and guild channels answer only when @-mentioned; the rest becomes context.",
        ),
        KeySpec {
            inherits_from: Some("ack_reactions".into()),
            ..key(
                "ack_reactions",
                KeyKind::Boolean,
                Some("false"),
                "React to a message on receipt, in guild channels.",
            )
        },
    ]
}

fn own_keys() -> Vec<KeySpec> {
    let own = vec![
        KeySpec {
            widens_egress: Some("api".into()),
            ..key(
                "api_base",
                KeyKind::Text,
                None,
                "Another API, such as an emulator. Wins over `sandbox`. `http` only towards loopback.",
            )
        },
        KeySpec {
            widens_egress: Some("token".into()),
            ..key(
                "token_url",
                KeyKind::Text,
                None,
                "Another token endpoint, whole address.",
            )
        },
        KeySpec {
            allowed: words(&["zh-CN", "en"]),
            ..key(
                "language",
                KeyKind::Text,
                Some(r#""zh-CN""#),
                "Language of the texts that the bot itself writes in a chat.",
            )
        },
        number(
            "message_chars",
            "2048",
            (200, 5000),
            "Characters in one message; longer answers are split.",
        ),
        number(
            "replies_c2c",
            "4",
            (1, 10),
            "Replies that the platform allows to one private message.",
        ),
        number(
            "replies_group",
            "5",
            (1, 10),
            "Replies that the platform allows to one group message.",
        ),
        number(
            "replies_guild",
            "5",
            (1, 20),
            "Replies to one message in a guild, of which the platform gives no number.",
        ),
        key(
            "share_group_history",
            KeyKind::Boolean,
            Some("false"),
            "Everybody in a group shares one history. Off: one for each person.",
        ),
        number(
            "queue",
            "20",
            (1, 200),
            "Messages that may wait in one conversation while one is being answered.",
        ),
        word(
            "markdown",
            &["auto", "on", "off"],
            "Send text that holds Markdown as Markdown: until QQ refuses it there, always, or never.",
        ),
        word(
            "long_answers",
            &["file", "cut"],
            "What becomes of an answer longer than its replies: the whole of it follows as a file where files can be sent, or it is cut and says so.",
        ),
        word(
            "ai_notice",
            &["off", "first", "always"],
            "Say that an AI answers: never, once a day in each conversation, or in every answer. It costs no reply of its own.",
        ),
        word(
            "quote_replies",
            &["off", "groups", "always"],
            "Quote the message that is answered.",
        ),
        key(
            "mention_sender",
            KeyKind::Boolean,
            Some("false"),
            "In groups and guild channels, begin answers with a mention of whoever asked.",
        ),
        key(
            "mention_others",
            KeyKind::Boolean,
            Some("false"),
            "Let the agent mention people other than whoever asked. Nobody is mentioned as everybody in any case.",
        ),
        key(
            "typing_costs_reply",
            KeyKind::Boolean,
            Some("true"),
            "Count a typing notice as one of the replies. With `false` it is renewed while the answer takes long.",
        ),
        number(
            "stream_interval_ms",
            "500",
            (300, 10_000),
            "Milliseconds between two pieces of a growing text.",
        ),
        number(
            "media_mb",
            "20",
            (1, 200),
            "Megabytes of one file, in and out. What is larger is named and not sent.",
        ),
        number(
            "upload_chunk_mb",
            "5",
            (1, 200),
            "Megabytes above which a file is uploaded in pieces.",
        ),
        number(
            "channel_per_second",
            "5",
            (1, 100),
            "Messages a second to one guild channel.",
        ),
        number(
            "guild_per_second",
            "5",
            (1, 100),
            "Messages a second to all channels of one guild.",
        ),
        number(
            "dm_per_second",
            "2",
            (1, 100),
            "Messages a second to one guild direct message session.",
        ),
        number(
            "proactive_per_minute",
            "20",
            (1, 1_000),
            "Messages a minute that nobody asked for, to one person or group.",
        ),
    ];
    own.into_iter()
        .map(|spec| KeySpec {
            documented: false,
            ..spec
        })
        .collect()
}
