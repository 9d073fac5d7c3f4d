//! Messages in QQ's public templates (`PROTOCOL.md`, "Cards").

use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use super::{CardError, lines, link, optional, required, with_link};

pub(super) const LIST: &str =
    r#"{"type":"list","title":"News","items":[{"text":"Release 2","link":"https://example.com"}]}"#;
pub(super) const ARTICLE: &str = r#"{"type":"article","title":"Release 2","text":"What is new","image":"https://example.com/a.png","link":"https://example.com","source":"Blog"}"#;
pub(super) const PICTURE: &str = r#"{"type":"picture","title":"Sunset","subtitle":"from the roof","image":"https://example.com/a.jpg","link":"https://example.com"}"#;

/// A message in a template.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
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
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
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
                let heading = list_row(title, None);
                let rows = items
                    .iter()
                    .map(|item| list_row(&item.text, item.link.as_deref()));
                let rows: Vec<Value> = std::iter::once(heading).chain(rows).collect();
                let list = json!({ "key": "#LIST#", "obj": rows });
                template(
                    23,
                    [("#DESC#", Some(title)), ("#PROMPT#", Some(title))],
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
                [
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
                [
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
            } => lines([
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
            } => lines([
                Some(title.as_str()),
                subtitle.as_deref(),
                link.as_deref(),
                Some(image.as_str()),
            ]),
        }
    }
}

fn template<const N: usize>(
    id: u32,
    values: [(&str, Option<&String>); N],
    list: Option<Value>,
) -> Value {
    let kv: Vec<Value> = values
        .into_iter()
        .filter_map(|(key, value)| Some(json!({ "key": key, "value": value? })))
        .chain(list)
        .collect();
    json!({ "template_id": id, "kv": kv })
}

fn list_row(text: &str, link: Option<&str>) -> Value {
    let mut row = vec![json!({ "key": "desc", "value": text })];
    row.extend(link.map(|link| json!({ "key": "link", "value": link })));
    json!({ "obj_kv": row })
}

/// A list as the agent writes it.
#[derive(Deserialize)]
pub(super) struct ListWire {
    title: Option<String>,
    items: Vec<ItemWire>,
}

#[derive(Deserialize)]
struct ItemWire {
    text: Option<String>,
    link: Option<String>,
}

impl ListWire {
    pub(super) fn check(self) -> Result<Ark, CardError> {
        let title = required(self.title, "title", LIST)?;
        let mut items = Vec::with_capacity(self.items.len());
        for item in self.items {
            let link = link(item.link)?;
            items.push(ListItem {
                text: required(item.text.or_else(|| link.clone()), "text", LIST)?,
                link,
            });
        }
        if items.is_empty() {
            return Err(CardError::Empty {
                field: "items",
                example: LIST,
            });
        }
        Ok(Ark::List { title, items })
    }
}

/// An article as the agent writes it.
#[derive(Deserialize)]
pub(super) struct ArticleWire {
    title: Option<String>,
    text: Option<String>,
    image: Option<String>,
    link: Option<String>,
    source: Option<String>,
}

impl ArticleWire {
    pub(super) fn check(self) -> Result<Ark, CardError> {
        Ok(Ark::Article {
            title: required(self.title, "title", ARTICLE)?,
            text: optional(self.text),
            image: link(self.image)?,
            link: link(self.link)?,
            source: optional(self.source),
        })
    }
}

/// A picture as the agent writes it.
#[derive(Deserialize)]
pub(super) struct PictureWire {
    title: Option<String>,
    subtitle: Option<String>,
    image: Option<String>,
    link: Option<String>,
}

impl PictureWire {
    pub(super) fn check(self) -> Result<Ark, CardError> {
        Ok(Ark::Picture {
            title: required(self.title, "title", PICTURE)?,
            subtitle: optional(self.subtitle),
            image: required(link(self.image)?, "image", PICTURE)?,
            link: link(self.link)?,
        })
    }
}
