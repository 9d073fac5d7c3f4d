//! Messages in QQ's public templates (`PROTOCOL.md`, "Cards").

use serde_json::Value;

use super::fields::{Fields, object, value};
use super::{CardError, lines, with_link};

pub(super) const LIST: &str =
    r#"{"type":"list","title":"News","items":[{"text":"Release 2","link":"https://example.com"}]}"#;
pub(super) const ARTICLE: &str = r#"{"type":"article","title":"Release 2","text":"What is new","image":"https://example.com/a.png","link":"https://example.com","source":"Blog"}"#;
pub(super) const PICTURE: &str = r#"{"type":"picture","title":"Sunset","subtitle":"from the roof","image":"https://example.com/a.jpg","link":"https://example.com"}"#;

/// A message in a template.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Ark {
    /// Template 23: lines of text, some of them links.
    List {
        /// Shown as the first line, and in the notification.
        title: String,
        /// The lines.
        items: Vec<ListItem>,
    },
    /// Template 24: a text with a small picture.
    Article {
        /// The title.
        title: String,
        /// A few words about it.
        text: Option<String>,
        /// Public address of the picture.
        image: Option<String>,
        /// Where a click leads.
        link: Option<String>,
        /// Where it comes from.
        source: Option<String>,
    },
    /// Template 37: a large picture, best of 975x540 pixels.
    Picture {
        /// The title.
        title: String,
        /// A second line.
        subtitle: Option<String>,
        /// Public address of the picture.
        image: String,
        /// Where a click leads.
        link: Option<String>,
    },
}

/// A line of a list.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ListItem {
    /// What it says.
    pub text: String,
    /// Where a click leads. Its domain must be registered with the platform.
    pub link: Option<String>,
}

impl Ark {
    /// The `ark` object of a message. Keys without a value are left out.
    #[must_use]
    pub fn ark(&self) -> Value {
        match self {
            Self::List { title, items } => {
                let mut rows = vec![list_row(title, None)];
                rows.extend(
                    items
                        .iter()
                        .map(|item| list_row(&item.text, item.link.as_ref())),
                );
                let list = object(vec![("key", "#LIST#".into()), ("obj", Value::Array(rows))]);
                template(
                    23,
                    &[("#DESC#", Some(title)), ("#PROMPT#", Some(title))],
                    Some(list),
                )
            }
            Self::Article {
                title,
                text,
                image,
                link,
                source,
            } => template(
                24,
                &[
                    ("#DESC#", Some(title)),
                    ("#PROMPT#", Some(title)),
                    ("#TITLE#", Some(title)),
                    ("#METADESC#", text.as_ref()),
                    ("#IMG#", image.as_ref()),
                    ("#LINK#", link.as_ref()),
                    ("#SUBTITLE#", source.as_ref()),
                ],
                None,
            ),
            Self::Picture {
                title,
                subtitle,
                image,
                link,
            } => template(
                37,
                &[
                    ("#PROMPT#", Some(title)),
                    ("#METATITLE#", Some(title)),
                    ("#METASUBTITLE#", subtitle.as_ref()),
                    ("#METACOVER#", Some(image)),
                    ("#METAURL#", link.as_ref()),
                ],
                None,
            ),
        }
    }

    /// Everything in it as text.
    #[must_use]
    pub fn plain(&self) -> String {
        match self {
            Self::List { title, items } => {
                let items: Vec<String> = items
                    .iter()
                    .map(|item| format!("• {}", with_link(&item.text, item.link.as_deref())))
                    .collect();
                format!("{title}\n{}", items.join("\n"))
            }
            Self::Article {
                title,
                text,
                image,
                link,
                source,
            } => lines(&[
                Some(title.as_str()),
                text.as_deref(),
                source.as_deref(),
                link.as_deref(),
                image.as_deref(),
            ]),
            Self::Picture {
                title,
                subtitle,
                image,
                link,
            } => lines(&[
                Some(title.as_str()),
                subtitle.as_deref(),
                link.as_deref(),
                Some(image.as_str()),
            ]),
        }
    }
}

fn template(id: u32, values: &[(&str, Option<&String>)], list: Option<Value>) -> Value {
    let mut kv = Vec::new();
    for (key, said) in values {
        if said.is_some() {
            kv.push(object(vec![
                ("key", (*key).into()),
                ("value", value(*said)),
            ]));
        }
    }
    kv.extend(list);
    object(vec![("template_id", id.into()), ("kv", Value::Array(kv))])
}

fn list_row(text: &str, link: Option<&String>) -> Value {
    let entry = |key: &str, text: &str| object(vec![("key", key.into()), ("value", text.into())]);
    let mut row = vec![entry("desc", text)];
    row.extend(link.map(|link| entry("link", link)));
    object(vec![("obj_kv", Value::Array(row))])
}

impl Ark {
    /// The card as the agent writes it.
    pub(super) fn block(&self) -> Value {
        match self {
            Self::List { title, items } => {
                let mut rows = Vec::with_capacity(items.len());
                for item in items {
                    rows.push(object(vec![
                        ("text", item.text.as_str().into()),
                        ("link", value(item.link.as_ref())),
                    ]));
                }
                object(vec![
                    ("type", "list".into()),
                    ("title", title.as_str().into()),
                    ("items", Value::Array(rows)),
                ])
            }
            Self::Article {
                title,
                text,
                image,
                link,
                source,
            } => object(vec![
                ("type", "article".into()),
                ("title", title.as_str().into()),
                ("text", value(text.as_ref())),
                ("image", value(image.as_ref())),
                ("link", value(link.as_ref())),
                ("source", value(source.as_ref())),
            ]),
            Self::Picture {
                title,
                subtitle,
                image,
                link,
            } => object(vec![
                ("type", "picture".into()),
                ("title", title.as_str().into()),
                ("subtitle", value(subtitle.as_ref())),
                ("image", image.as_str().into()),
                ("link", value(link.as_ref())),
            ]),
        }
    }

    pub(super) fn read_list(fields: &Fields<'_>) -> Result<Self, CardError> {
        let title = fields.text("title")?;
        let mut items = Vec::new();
        for item in fields.list("items")? {
            let item = fields.part(item);
            let link = item.link("link")?;
            let text = match item.maybe("text")?.or_else(|| link.clone()) {
                Some(text) => text,
                None => item.text("text")?,
            };
            items.push(ListItem { text, link });
        }
        if items.is_empty() {
            return Err(fields.wrong("items", "a list with something in it"));
        }
        Ok(Self::List { title, items })
    }

    pub(super) fn read_article(fields: &Fields<'_>) -> Result<Self, CardError> {
        Ok(Self::Article {
            title: fields.text("title")?,
            text: fields.maybe("text")?,
            image: fields.link("image")?,
            link: fields.link("link")?,
            source: fields.maybe("source")?,
        })
    }

    pub(super) fn read_picture(fields: &Fields<'_>) -> Result<Self, CardError> {
        let image = fields.link("image")?;
        Ok(Self::Picture {
            title: fields.text("title")?,
            subtitle: fields.maybe("subtitle")?,
            image: image.ok_or_else(|| fields.wrong("image", "a link"))?,
            link: fields.link("link")?,
        })
    }
}
