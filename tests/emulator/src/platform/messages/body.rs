//! The body of a send to users and groups, read strictly: types, combinations, lengths, rights.

use serde_json::{Map, Value};

use super::Refusal;
use super::cards::{check_tags, keyboard_of, read_ark, read_keyboard, read_markdown};
use super::fields::{Kind, chars, check_types, object_of, text_of};
use super::offers::{Offers, read_offers};
use super::passive::key_of;
use crate::ledger::{BotForm, MediaView, ReplyTo, Scene};
use crate::settings::BotSettings;

/// A message that may be sent, if its chat and what it answers allow it.
#[derive(Debug)]
pub(crate) struct Outgoing {
    pub(crate) form: BotForm,
    /// What a user will read.
    pub(crate) text: String,
    /// `content` as it came, for the Message object of guild scenes.
    pub(crate) content: String,
    pub(crate) reply_to: Option<ReplyTo>,
    pub(crate) msg_seq: u32,
    pub(crate) is_wakeup: bool,
    pub(crate) quote: Option<String>,
    /// What the message carries, before it was looked up.
    pub(crate) file_info: Option<String>,
    pub(crate) media: Option<MediaView>,
    /// The stream that it grew from.
    pub(crate) stream: Option<String>,
    pub(crate) card: Option<Value>,
    pub(crate) keyboard: Option<Value>,
    pub(crate) offers: Offers,
}

impl Outgoing {
    /// A message of this form that says this and nothing else.
    pub(crate) fn new(form: BotForm, text: String) -> Self {
        Self {
            form,
            text,
            content: String::new(),
            reply_to: None,
            msg_seq: 1,
            is_wakeup: false,
            quote: None,
            file_info: None,
            media: None,
            stream: None,
            card: None,
            keyboard: None,
            offers: Offers::default(),
        }
    }
}

const FIELDS: &[(&str, Kind)] = &[
    ("content", Kind::Text),
    ("msg_type", Kind::Whole),
    ("msg_id", Kind::Text),
    ("event_id", Kind::Text),
    ("msg_seq", Kind::Whole),
    ("is_wakeup", Kind::Flag),
    ("markdown", Kind::Object),
    ("keyboard", Kind::Object),
    ("media", Kind::Object),
    ("ark", Kind::Object),
    ("embed", Kind::Object),
    ("message_reference", Kind::Object),
    ("input_notify", Kind::Object),
    ("stream", Kind::Object),
    ("prompt_keyboard", Kind::Object),
    ("action_button", Kind::Object),
];

/// Reads a body for a scene.
pub(crate) fn read(json: &Value, scene: Scene, bot: &BotSettings) -> Result<Outgoing, Refusal> {
    let settings = &bot.messages;
    let Some(fields) = json.as_object() else {
        return Err(Refusal::malformed(
            12_002,
            "a message body that is no object",
        ));
    };
    check_types(fields, FIELDS, settings.nulls)?;
    check_ids(fields)?;
    let msg_seq = read_seq(fields)?;
    let mut outgoing = match fields.get("msg_type").and_then(Value::as_u64).unwrap_or(0) {
        0 => Outgoing::new(BotForm::Text, read_text(fields, scene, bot)?),
        2 => markdown(fields, scene, bot)?,
        3 => ark(fields, bot)?,
        4 => return Err(Refusal::malformed(22_006, "an embed outside guilds")),
        6 => Outgoing::new(BotForm::Typing, read_typing(fields, scene)?),
        7 => media(fields, bot)?,
        other => {
            return Err(Refusal::malformed(
                340_069,
                format!("msg_type {other} does not exist"),
            ));
        }
    };
    if chars(&outgoing.text) > settings.max_chars {
        return Err(Refusal::code(40_054_007));
    }
    if scene == Scene::Group && !settings.urls_in_groups && has_url(&outgoing.text) {
        return Err(Refusal::code(40_054_010));
    }
    outgoing.offers = read_offers(fields, scene, bot)?;
    outgoing.is_wakeup = fields.get("is_wakeup").and_then(Value::as_bool) == Some(true);
    outgoing.reply_to = key_of(text_of(fields, "msg_id"), text_of(fields, "event_id"));
    outgoing.msg_seq = msg_seq;
    let quote = object_of(fields, "message_reference");
    outgoing.quote = quote
        .and_then(|quote| text_of(quote, "message_id"))
        .map(str::to_owned);
    Ok(outgoing)
}

/// What a body answers and with which number, without judging the rest.
pub(crate) fn reply_key(json: &Value) -> Option<(ReplyTo, u32)> {
    let fields = json.as_object()?;
    let key = key_of(text_of(fields, "msg_id"), text_of(fields, "event_id"))?;
    Some((key, read_seq(fields).ok()?))
}

fn check_ids(fields: &Map<String, Value>) -> Result<(), Refusal> {
    let (message, event) = (text_of(fields, "msg_id"), text_of(fields, "event_id"));
    if message.is_some() && event.is_some() {
        return Err(Refusal::malformed(
            12_002,
            "msg_id and event_id exclude each other",
        ));
    }
    let wakeup = fields.get("is_wakeup").and_then(Value::as_bool) == Some(true);
    if wakeup && (message.is_some() || event.is_some()) {
        return Err(Refusal::malformed(
            12_002,
            "is_wakeup excludes msg_id and event_id",
        ));
    }
    let quote = object_of(fields, "message_reference");
    let index = quote.and_then(|quote| text_of(quote, "message_id"));
    if quote.is_some() && !index.is_some_and(|index| index.starts_with("REFIDX_")) {
        return Err(Refusal::malformed(
            12_002,
            "a quote in C2C and groups needs a REFIDX_ index",
        ));
    }
    Ok(())
}

pub(crate) fn read_seq(fields: &Map<String, Value>) -> Result<u32, Refusal> {
    let seq = match fields.get("msg_seq") {
        None | Some(Value::Null) => Some(1),
        Some(seq) => seq.as_u64().and_then(|seq| u32::try_from(seq).ok()),
    };
    seq.ok_or_else(|| Refusal::malformed(12_002, "msg_seq is no 32-bit number"))
}

fn read_text(
    fields: &Map<String, Value>,
    scene: Scene,
    bot: &BotSettings,
) -> Result<String, Refusal> {
    for other in [
        "markdown",
        "media",
        "ark",
        "embed",
        "keyboard",
        "input_notify",
    ] {
        if object_of(fields, other).is_some() {
            let why = format!("{other} does not go with msg_type 0");
            return Err(Refusal::malformed(22_006, why));
        }
    }
    match text_of(fields, "content") {
        Some(text) if !text.trim().is_empty() => {
            check_tags(text, scene, false, &bot.grants)?;
            Ok(text.to_owned())
        }
        _ => Err(Refusal::malformed(50_006, "a text without content")),
    }
}

fn markdown(
    fields: &Map<String, Value>,
    scene: Scene,
    bot: &BotSettings,
) -> Result<Outgoing, Refusal> {
    let Some(markdown) = object_of(fields, "markdown") else {
        return Err(Refusal::malformed(22_006, "msg_type 2 without markdown"));
    };
    for other in ["media", "ark", "embed", "input_notify"] {
        if object_of(fields, other).is_some() {
            return Err(Refusal::malformed(
                50_037,
                format!("{other} does not go with markdown"),
            ));
        }
    }
    if !bot.messages.markdown {
        return Err(Refusal::code(bot.messages.markdown_refusal));
    }
    let text = read_markdown(markdown, scene, &bot.grants)?;
    if let Some(keyboard) = keyboard_of(fields) {
        read_keyboard(keyboard, bot)?;
    }
    let mut outgoing = Outgoing::new(BotForm::Markdown, text);
    outgoing.keyboard = keyboard_of(fields).cloned().map(Value::Object);
    Ok(outgoing)
}

fn ark(fields: &Map<String, Value>, bot: &BotSettings) -> Result<Outgoing, Refusal> {
    if !bot.grants.ark {
        return Err(Refusal::code(304_004));
    }
    let Some(ark) = object_of(fields, "ark") else {
        return Err(Refusal::malformed(22_006, "msg_type 3 without ark"));
    };
    let mut outgoing = Outgoing::new(BotForm::Ark, read_ark(ark, &bot.grants)?);
    outgoing.card = Some(Value::Object(ark.clone()));
    Ok(outgoing)
}

fn media(fields: &Map<String, Value>, bot: &BotSettings) -> Result<Outgoing, Refusal> {
    for other in ["markdown", "ark", "embed", "keyboard", "input_notify"] {
        if object_of(fields, other).is_some() {
            return Err(Refusal::malformed(
                22_006,
                format!("{other} does not go with msg_type 7"),
            ));
        }
    }
    let file_info = object_of(fields, "media").and_then(|media| text_of(media, "file_info"));
    let Some(file_info) = file_info else {
        return Err(Refusal::malformed(
            22_006,
            "msg_type 7 without media.file_info",
        ));
    };
    let caption = text_of(fields, "content").unwrap_or_default();
    if bot.media.caption_needed && caption.is_empty() {
        return Err(Refusal::malformed(50_006, "media without a caption"));
    }
    let mut outgoing = Outgoing::new(BotForm::Media, caption.trim().to_owned());
    outgoing.file_info = Some(file_info.to_owned());
    Ok(outgoing)
}

fn read_typing(fields: &Map<String, Value>, scene: Scene) -> Result<String, Refusal> {
    if scene == Scene::Group {
        return Err(Refusal::malformed(22_006, "a typing notice outside C2C"));
    }
    let Some(notify) = object_of(fields, "input_notify") else {
        return Err(Refusal::malformed(
            22_006,
            "msg_type 6 without input_notify",
        ));
    };
    let number = |name: &str| notify.get(name).and_then(Value::as_u64);
    if !number("input_type").is_some_and(|kind| (1..=5).contains(&kind)) {
        return Err(Refusal::malformed(50_059, "input_type is not 1 to 5"));
    }
    if !number("input_second").is_some_and(|seconds| (1..=60).contains(&seconds)) {
        return Err(Refusal::malformed(50_059, "input_second is not 1 to 60"));
    }
    Ok(String::new())
}

pub(crate) fn has_url(text: &str) -> bool {
    text.contains("http://") || text.contains("https://") || text.contains("www.")
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn code(body: &Value, scene: Scene) -> u32 {
        read(body, scene, &BotSettings::default()).map_or_else(|refusal| refusal.code, |_| 0)
    }

    #[test]
    fn message_types_and_contents_must_match() {
        let cases = [
            (json!({"content": "x"}), 0),
            (json!({"content": "x", "msg_type": 0, "msg_id": null}), 0),
            (json!({"msg_type": 0, "content": " "}), 50_006),
            (
                json!({"msg_type": 0, "content": "x", "markdown": {"content": "x"}}),
                22_006,
            ),
            (json!({"msg_type": 2, "markdown": {"content": "# x"}}), 0),
            (json!({"msg_type": 2, "markdown": {}}), 40_034_008),
            (json!({"msg_type": 2, "content": "x"}), 22_006),
            (json!({"msg_type": 3, "ark": {}}), 304_004),
            (
                json!({"msg_type": 6, "input_notify": {"input_type": 1, "input_second": 60}}),
                0,
            ),
            (
                json!({"msg_type": 6, "input_notify": {"input_type": 9, "input_second": 6}}),
                50_059,
            ),
            (json!({"msg_type": 7, "media": {"file_info": "x"}}), 0),
            (json!({"msg_type": 9}), 340_069),
            (json!({"msg_type": "0", "content": "x"}), 12_002),
            (
                json!({"content": "x", "msg_id": "a", "event_id": "b"}),
                12_002,
            ),
            (
                json!({"content": "x", "msg_seq": 4_294_967_296_u64}),
                12_002,
            ),
            (
                json!({"content": "x", "message_reference": {"message_id": "ROBOT1.0_"}}),
                12_002,
            ),
            (json!({"content": "x".repeat(5001)}), 40_054_007),
            (json!([]), 12_002),
        ];
        for (body, want) in cases {
            assert_eq!(code(&body, Scene::C2c), want, "{body}");
        }
    }

    #[test]
    fn groups_have_no_typing_notice() {
        let body = json!({"msg_type": 6, "input_notify": {"input_type": 1, "input_second": 5}});
        assert_eq!(code(&body, Scene::Group), 22_006);
    }
}
