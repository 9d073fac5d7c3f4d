//! Buttons under a text (`PROTOCOL.md`, "Cards").

use serde_json::Value;

use super::fields::{Fields, object, value};
use super::{CardError, shortened, with_link};
use crate::commands;
use crate::config::Language;
use crate::delivery::{links, markdown};
use crate::visible::is_invisible;

pub(super) const EXAMPLE: &str = r#"{"type":"buttons","text":"Deploy?","rows":[[{"label":"Yes","callback":"deploy yes"},{"label":"Docs","link":"https://example.com"},{"label":"Again","command":"/deploy","send":true}]]}"#;

/// Rows of a keyboard, and buttons of a row; more are refused with 40034029.
const MAX_ROWS: usize = 5;
/// Characters that a button shows.
const MAX_LABEL: usize = 10;
/// Characters of a command.
const MAX_COMMAND: usize = 100;
/// What the data of all buttons of the channel's own begin with.
pub(crate) const OWN_CALLBACKS: &str = "prx.";
/// Characters of the question before a button does what it does.
const MAX_CONFIRM: usize = 40;

/// A Markdown text with buttons under it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Buttons {
    /// The text above the buttons, as the agent wrote it: Markdown, never empty, or QQ refuses the buttons.
    pub text: String,
    /// 1 to 5 rows of 1 to 5 buttons.
    pub rows: Vec<Vec<Button>>,
}

/// A button.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Button {
    /// What it says, in full; QQ shows 10 characters.
    pub label: String,
    /// What it says after a click.
    pub visited: Option<String>,
    /// What it looks like.
    pub style: Style,
    /// What it does.
    pub action: Action,
    /// Who may use it.
    pub who: WhoMay,
    /// The question that is asked first. Links in it are taken out: QQ allows none.
    pub confirm: Option<String>,
}

/// What a button looks like.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Style {
    /// Blue outline.
    Primary,
    /// Grey outline.
    #[default]
    Secondary,
    /// Red text.
    Danger,
}

/// What a button does.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Action {
    /// Tells the bot: an `INTERACTION_CREATE` with this text.
    Callback(String),
    /// Opens a link.
    Link(String),
    /// Puts a command into the person's input box.
    Command {
        /// At most 100 characters.
        text: String,
        /// Send it at once, where the person's QQ can.
        send: bool,
    },
}

/// Who may use a button.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum WhoMay {
    /// Everybody who sees it.
    Everyone,
    /// The administrators of the group or guild.
    Admins,
    /// These users, by their ids in this scene.
    Users(Vec<String>),
}

impl Buttons {
    /// The text as QQ shows it: the `content` of the `markdown` object.
    #[must_use]
    pub fn markdown(&self) -> String {
        markdown::to_qq(&self.text)
    }

    /// The `keyboard` object of a message. Buttons have the ids `"1"` to `"25"`, in the order of reading.
    #[must_use]
    pub fn keyboard(&self, language: Language) -> Value {
        let mut id = 0_u32;
        let mut rows = Vec::with_capacity(self.rows.len());
        for row in &self.rows {
            let mut buttons = Vec::with_capacity(row.len());
            for button in row {
                id += 1;
                buttons.push(button.object(id, language));
            }
            rows.push(object(vec![("buttons", Value::Array(buttons))]));
        }
        object(vec![(
            "content",
            object(vec![("rows", Value::Array(rows))]),
        )])
    }

    /// The button with an id, as an interaction names it.
    #[must_use]
    pub fn button(&self, id: &str) -> Option<&Button> {
        let index = id.parse::<usize>().ok()?.checked_sub(1)?;
        self.rows.iter().flatten().nth(index)
    }

    /// The text, and the buttons below it.
    #[must_use]
    pub fn plain(&self) -> String {
        format!(
            "{}\n\n{}",
            markdown::to_plain(&self.text),
            self.plain_buttons()
        )
    }

    /// The buttons as a numbered list: with its link or command each, else with the label, which the person can
    /// type instead.
    #[must_use]
    pub fn plain_buttons(&self) -> String {
        let buttons = self.rows.iter().flatten().zip(1..).map(|(button, number)| {
            let target = match &button.action {
                Action::Callback(_) => None,
                Action::Link(link) => Some(link.as_str()),
                Action::Command { text, .. } => Some(text.as_str()),
            };
            format!("{number}. {}", with_link(&button.label, target))
        });
        let buttons: Vec<String> = buttons.collect();
        buttons.join("\n")
    }
}

impl Button {
    fn object(&self, id: u32, language: Language) -> Value {
        let (kind, data, send) = match &self.action {
            Action::Link(link) => (0, link, false),
            Action::Callback(data) => (1, data, false),
            Action::Command { text, send } => (2, text, *send),
        };
        let (whom, users) = match &self.who {
            WhoMay::Users(ids) => (0, ids.clone().into()),
            WhoMay::Admins => (1, Value::Null),
            WhoMay::Everyone => (2, Value::Null),
        };
        let modal = self.confirm.as_ref().map_or(Value::Null, |question| {
            let question = links::without_links(question).unwrap_or_else(|| question.clone());
            let (yes, no) = yes_and_no(language);
            object(vec![
                ("content", shortened(&question, MAX_CONFIRM).into()),
                ("confirm_text", yes.into()),
                ("cancel_text", no.into()),
            ])
        });
        let action = object(vec![
            ("type", kind.into()),
            ("data", data.as_str().into()),
            (
                "permission",
                object(vec![("type", whom.into()), ("specify_user_ids", users)]),
            ),
            ("unsupport_tips", unsupported(language).into()),
            ("enter", if send { true.into() } else { Value::Null }),
            ("modal", modal),
        ]);
        let visited = self.visited.as_ref().unwrap_or(&self.label);
        let look = object(vec![
            ("label", shortened(&self.label, MAX_LABEL).into()),
            ("visited_label", shortened(visited, MAX_LABEL).into()),
            ("style", self.style.number().into()),
        ]);
        object(vec![
            ("id", id.to_string().into()),
            ("render_data", look),
            ("action", action),
        ])
    }
}

impl Style {
    /// 2 and 4 exist too, but only where QQ is new; 3 shows as 0 where it is not known.
    fn number(self) -> u8 {
        match self {
            Self::Secondary => 0,
            Self::Primary => 1,
            Self::Danger => 3,
        }
    }

    fn word(self) -> &'static str {
        match self {
            Self::Secondary => "secondary",
            Self::Primary => "primary",
            Self::Danger => "danger",
        }
    }
}

/// What QQ says where it is too old for the button; a button without it is refused.
fn unsupported(language: Language) -> &'static str {
    match language {
        Language::ZhCn => "当前 QQ 版本不支持此按钮，请更新",
        Language::En => "Please update QQ to use this button",
    }
}

/// True for what buttons of the channel's own carry: nothing that a model wrote may act as one of them.
fn is_reserved(data: &str) -> bool {
    let bare: String = data.chars().filter(|it| !is_invisible(*it)).collect();
    bare.trim_start().starts_with(OWN_CALLBACKS)
}

/// At most 4 characters each.
fn yes_and_no(language: Language) -> (&'static str, &'static str) {
    match language {
        Language::ZhCn => ("确定", "取消"),
        Language::En => ("Yes", "No"),
    }
}

impl Buttons {
    /// The card as the agent writes it.
    pub(super) fn block(&self) -> Value {
        let mut rows = Vec::with_capacity(self.rows.len());
        for row in &self.rows {
            rows.push(Value::Array(row.iter().map(Button::block).collect()));
        }
        object(vec![
            ("type", "buttons".into()),
            ("text", self.text.as_str().into()),
            ("rows", Value::Array(rows)),
        ])
    }

    pub(super) fn read(fields: &Fields<'_>) -> Result<Self, CardError> {
        let text = fields.text("text")?;
        let mut rows = Vec::new();
        for row in fields.list("rows")? {
            let Value::Array(row) = row else {
                return Err(fields.wrong("rows", "a list of lists of buttons"));
            };
            let mut buttons = Vec::new();
            for button in row {
                buttons.push(Button::read(&fields.part(button))?);
            }
            rows.push(buttons);
        }
        let fits = |length: usize| (1..=MAX_ROWS).contains(&length);
        if !fits(rows.len()) || !rows.iter().all(|row| fits(row.len())) {
            return Err(CardError::Rows);
        }
        Ok(Self { text, rows })
    }
}

impl Button {
    fn block(&self) -> Value {
        let (action, data, send) = match &self.action {
            Action::Callback(data) => ("callback", data, false),
            Action::Link(link) => ("link", link, false),
            Action::Command { text, send } => ("command", text, *send),
        };
        let (admins, users) = match &self.who {
            WhoMay::Everyone => (false, Value::Null),
            WhoMay::Admins => (true, Value::Null),
            WhoMay::Users(ids) => (false, ids.clone().into()),
        };
        object(vec![
            ("label", self.label.as_str().into()),
            ("visited", value(self.visited.as_ref())),
            ("style", self.style.word().into()),
            (action, data.as_str().into()),
            ("send", send.into()),
            ("users", users),
            ("admins", admins.into()),
            ("confirm", value(self.confirm.as_ref())),
        ])
    }

    fn read(fields: &Fields<'_>) -> Result<Self, CardError> {
        let label = fields.text("label")?;
        let said = || shortened(&label, 20);
        let actions = (
            fields.maybe("callback")?,
            fields.link("link")?,
            fields.maybe("command")?,
        );
        let action = match actions {
            (Some(data), None, None) => Action::Callback(data),
            (None, Some(link), None) => Action::Link(link),
            (None, None, Some(text)) if text.chars().count() > MAX_COMMAND => {
                return Err(CardError::LongCommand { label: said() });
            }
            (None, None, Some(text)) => Action::Command {
                text,
                send: fields.flag("send")?,
            },
            _ => return Err(CardError::OneAction { label: said() }),
        };
        let reserved = match &action {
            Action::Callback(data) => is_reserved(data),
            Action::Command { text, .. } => commands::lurks_in(text),
            Action::Link(_) => false,
        };
        if reserved {
            return Err(CardError::Reserved { label: said() });
        }
        let users = fields.texts("users")?;
        let who = match (users.is_empty(), fields.flag("admins")?) {
            (true, false) => WhoMay::Everyone,
            (true, true) => WhoMay::Admins,
            (false, false) => WhoMay::Users(users),
            (false, true) => return Err(CardError::OneAudience { label: said() }),
        };
        let style = match fields.maybe("style")?.as_deref() {
            None | Some("secondary") => Style::Secondary,
            Some("primary") => Style::Primary,
            Some("danger") => Style::Danger,
            Some(_) => return Err(fields.wrong("style", "primary, secondary or danger")),
        };
        Ok(Self {
            visited: fields.maybe("visited")?,
            confirm: fields.maybe("confirm")?,
            label,
            style,
            action,
            who,
        })
    }
}
