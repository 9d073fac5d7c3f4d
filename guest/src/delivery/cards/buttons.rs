//! Buttons under a text (`PROTOCOL.md`, "Cards").

use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use super::{CardError, link, optional, required, shortened, with_link};
use crate::config::Language;
use crate::delivery::{links, markdown};

pub(super) const EXAMPLE: &str = r#"{"type":"buttons","text":"Deploy?","rows":[[{"label":"Yes","callback":"deploy yes"},{"label":"Docs","link":"https://example.com"},{"label":"Again","command":"/deploy","send":true}]]}"#;

/// Rows of a keyboard, and buttons of a row; more are refused with 40034029.
const MAX_ROWS: usize = 5;
/// Characters that a button shows.
const MAX_LABEL: usize = 10;
/// Characters of a command.
const MAX_COMMAND: usize = 100;
/// Characters of the question before a button does what it does.
const MAX_CONFIRM: usize = 40;

/// A Markdown text with buttons under it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Buttons {
    /// The text above the buttons, as the agent wrote it: Markdown, never empty, or QQ refuses the buttons.
    pub text: String,
    /// 1 to 5 rows of 1 to 5 buttons.
    pub rows: Vec<Vec<Button>>,
}

/// A button.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
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
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
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
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
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
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
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
            rows.push(json!({ "buttons": buttons }));
        }
        json!({ "content": { "rows": rows } })
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
        let permission = match &self.who {
            WhoMay::Everyone => json!({ "type": 2 }),
            WhoMay::Admins => json!({ "type": 1 }),
            WhoMay::Users(ids) => json!({ "type": 0, "specify_user_ids": ids }),
        };
        let mut action = json!({
            "type": kind,
            "data": data,
            "permission": permission,
            "unsupport_tips": unsupported(language),
        });
        if let Some(action) = action.as_object_mut() {
            if send {
                action.insert("enter".to_owned(), Value::Bool(true));
            }
            if let Some(question) = &self.confirm {
                let (yes, no) = yes_and_no(language);
                let question = links::without_links(question).unwrap_or_else(|| question.clone());
                let modal = json!({
                    "content": shortened(&question, MAX_CONFIRM),
                    "confirm_text": yes,
                    "cancel_text": no,
                });
                action.insert("modal".to_owned(), modal);
            }
        }
        let visited = self.visited.as_ref().unwrap_or(&self.label);
        json!({
            "id": id.to_string(),
            "render_data": {
                "label": shortened(&self.label, MAX_LABEL),
                "visited_label": shortened(visited, MAX_LABEL),
                "style": self.style.number(),
            },
            "action": action,
        })
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
}

/// What QQ says where it is too old for the button; a button without it is refused.
fn unsupported(language: Language) -> &'static str {
    match language {
        Language::ZhCn => "当前 QQ 版本不支持此按钮，请更新",
        Language::En => "Please update QQ to use this button",
    }
}

/// At most 4 characters each.
fn yes_and_no(language: Language) -> (&'static str, &'static str) {
    match language {
        Language::ZhCn => ("确定", "取消"),
        Language::En => ("Yes", "No"),
    }
}

/// Buttons as the agent writes them.
#[derive(Deserialize)]
pub(super) struct Wire {
    text: Option<String>,
    rows: Vec<Vec<ButtonWire>>,
}

#[derive(Deserialize)]
struct ButtonWire {
    label: Option<String>,
    visited: Option<String>,
    #[serde(default)]
    style: Style,
    callback: Option<String>,
    link: Option<String>,
    command: Option<String>,
    #[serde(default)]
    send: bool,
    #[serde(default)]
    users: Vec<String>,
    #[serde(default)]
    admins: bool,
    confirm: Option<String>,
}

impl Wire {
    pub(super) fn check(self) -> Result<Buttons, CardError> {
        let text = required(self.text, "text", EXAMPLE)?;
        let fits = |length: usize| (1..=MAX_ROWS).contains(&length);
        if !fits(self.rows.len()) || !self.rows.iter().all(|row| fits(row.len())) {
            return Err(CardError::Rows);
        }
        let rows = self.rows.into_iter().map(|row| {
            row.into_iter()
                .map(ButtonWire::check)
                .collect::<Result<Vec<Button>, CardError>>()
        });
        Ok(Buttons {
            text,
            rows: rows.collect::<Result<_, CardError>>()?,
        })
    }
}

impl ButtonWire {
    fn check(self) -> Result<Button, CardError> {
        let label = required(self.label, "label", EXAMPLE)?;
        let said = || shortened(&label, 20);
        let actions = (
            optional(self.callback),
            link(self.link)?,
            optional(self.command),
        );
        let action = match actions {
            (Some(data), None, None) => Action::Callback(data),
            (None, Some(link), None) => Action::Link(link),
            (None, None, Some(text)) if text.chars().count() > MAX_COMMAND => {
                return Err(CardError::LongCommand { label: said() });
            }
            (None, None, Some(text)) => Action::Command {
                text,
                send: self.send,
            },
            _ => return Err(CardError::OneAction { label: said() }),
        };
        let who = match (self.users.is_empty(), self.admins) {
            (true, false) => WhoMay::Everyone,
            (true, true) => WhoMay::Admins,
            (false, false) => WhoMay::Users(self.users),
            (false, true) => return Err(CardError::OneAudience { label: said() }),
        };
        Ok(Button {
            label,
            visited: optional(self.visited),
            style: self.style,
            action,
            who,
            confirm: optional(self.confirm),
        })
    }
}
