//! The bodies of events, in their two generations.
//!
//! Source: the documentation's pages on message events and on friend and group events.

use serde_json::{Map, Value, json};

use super::world::Said;
use crate::actions::{Draft, Role};
use crate::ids::{MessageId, Openid, RefIdx};
use crate::settings::BodyShape;

/// What every message event has.
#[derive(Debug)]
pub(crate) struct Common<'a> {
    pub(crate) id: &'a MessageId,
    pub(crate) index: &'a RefIdx,
    pub(crate) draft: &'a Draft,
    pub(crate) content: String,
    pub(crate) timestamp: Value,
    pub(crate) shape: BodyShape,
    pub(crate) quoted: Option<&'a Said>,
    pub(crate) context: &'a [Said],
}

/// Who wrote in a group.
#[derive(Debug)]
pub(crate) struct GroupAuthor<'a> {
    pub(crate) member: &'a Openid,
    pub(crate) name: &'a str,
    pub(crate) group: &'a Openid,
    pub(crate) role: Role,
}

/// The body of `C2C_MESSAGE_CREATE`.
pub(crate) fn c2c(common: &Common<'_>, user: &Openid) -> Value {
    let author = match common.shape {
        BodyShape::Minimal => json!({"user_openid": user}),
        BodyShape::Current => json!({
            "id": user, "user_openid": user, "union_openid": "", "username": "", "bot": false,
        }),
    };
    Value::Object(message(common, author))
}

/// The body of `GROUP_AT_MESSAGE_CREATE` and `GROUP_MESSAGE_CREATE`.
pub(crate) fn group(common: &Common<'_>, from: &GroupAuthor<'_>, mentions: Vec<Value>) -> Value {
    let author = match common.shape {
        BodyShape::Minimal => json!({"member_openid": from.member}),
        BodyShape::Current => json!({
            "id": from.member, "member_openid": from.member, "member_role": from.role.wire(),
            "username": from.name, "bot": false, "union_openid": "",
        }),
    };
    let mut body = message(common, author);
    body.insert("group_openid".to_owned(), json!(from.group));
    if common.shape == BodyShape::Current {
        body.insert("group_id".to_owned(), json!(from.group));
        body.insert("mentions".to_owned(), Value::Array(mentions));
    } else if !mentions.is_empty() {
        body.insert("mentions".to_owned(), Value::Array(mentions));
    }
    Value::Object(body)
}

/// The entry of `mentions` that stands for the bot itself.
pub(crate) fn mention_of_bot(member: &Openid, name: &str) -> Value {
    json!({
        "scope": "single", "id": member, "member_openid": member,
        "username": name, "bot": true, "is_you": true,
    })
}

fn message(common: &Common<'_>, author: Value) -> Map<String, Value> {
    let mut body = Map::new();
    body.insert("id".to_owned(), json!(common.id));
    body.insert("author".to_owned(), author);
    body.insert("content".to_owned(), Value::String(common.content.clone()));
    body.insert("timestamp".to_owned(), common.timestamp.clone());
    if !common.draft.attachments.is_empty() {
        body.insert("attachments".to_owned(), json!(common.draft.attachments));
    }
    if common.shape == BodyShape::Minimal {
        return body;
    }
    let quote = common.draft.quote.as_ref();
    let mut ext = Vec::new();
    if let Some(quote) = quote {
        ext.push(format!("ref_msg_idx={quote}"));
    }
    ext.push(format!("msg_idx={}", common.index));
    let forwarded = !common.draft.forward.is_empty();
    if forwarded {
        ext.insert(0, format!("ref_msg_idx=TMP_{}", common.index));
    }
    let kind = match &common.draft.ark {
        Some(_) => 3,
        None if forwarded => 102,
        None if quote.is_some() => 103,
        None => 0,
    };
    if let Some(ark) = &common.draft.ark {
        body.insert("ark_data".to_owned(), ark.clone());
    }
    body.insert("message_type".to_owned(), json!(kind));
    body.insert(
        "message_scene".to_owned(),
        json!({"source": "default", "ext": ext}),
    );
    let elements: Vec<Value> = match quote {
        Some(_) => common.quoted.iter().copied().map(element).collect(),
        None if forwarded => vec![bundle(&common.draft.forward)],
        None => common.context.iter().map(element).collect(),
    };
    if !elements.is_empty() {
        body.insert("msg_elements".to_owned(), Value::Array(elements));
    }
    body
}

fn element(said: &Said) -> Value {
    json!({
        "msg_idx": said.index, "message_type": 0, "content": said.text,
        "author": {"username": said.by, "bot": said.by_bot}, "attachments": said.attachments,
    })
}

/// Forwarded records as one element whose content is a rendered text.
fn bundle(texts: &[String]) -> Value {
    let parts = texts
        .iter()
        .enumerate()
        .map(|(at, text)| format!("=== 消息 {} ===\n[消息内容] {text}", at + 1));
    let content = parts.collect::<Vec<_>>().join("\n");
    json!({"message_type": 0, "content": content, "attachments": []})
}
