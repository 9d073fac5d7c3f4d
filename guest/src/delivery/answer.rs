//! An answer on its way: its parts, what became of each, and what is in flight.

use serde::{Deserialize, Serialize};

use crate::bindings::{MediaKind, Outcome};
use crate::gateway::backoff::Backoff;
use crate::ids::RequestId;

use super::budget::Paid;
use super::upload::Upload;

/// What became of a part.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum PartState {
    /// Not sent yet.
    Waiting,
    /// Sent, or about to be: whether it arrived is not known.
    Sending {
        /// What paid for it, and its number: a repetition has the same.
        paid: Paid,
    },
    /// The platform accepted it, and gave it an id.
    Sent,
    /// The platform holds it for review.
    Held,
    /// Nobody can say whether it arrived.
    Unconfirmed,
    /// The platform refused it, or it was not worth trying.
    Refused {
        /// The platform's code.
        code: Option<i64>,
    },
    /// Its window or its slots were used up.
    Expired,
}

impl PartState {
    /// The word for metrics.
    #[must_use]
    pub fn word(&self) -> &'static str {
        match self {
            Self::Waiting => "waiting",
            Self::Sending { .. } => "sending",
            Self::Sent => "sent",
            Self::Held => "held",
            Self::Unconfirmed => "unconfirmed",
            Self::Refused { .. } => "refused",
            Self::Expired => "expired",
        }
    }

    /// True while it has no outcome.
    #[must_use]
    pub fn is_open(&self) -> bool {
        matches!(self, Self::Waiting | Self::Sending { .. })
    }
}

/// What one message shows.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Content {
    /// Plain text.
    Text(String),
    /// Markdown in the platform's subset, perhaps with buttons under it.
    Markdown {
        /// The Markdown.
        text: String,
        /// The same as plain text.
        plain: String,
        /// The `keyboard` object, as JSON.
        keyboard: Option<String>,
        /// The buttons as plain text; empty without buttons.
        buttons: String,
    },
    /// A picture, a voice message, a video or a file.
    Media(Media),
    /// An ark card.
    Ark {
        /// The `ark` object, as JSON.
        json: String,
        /// The same as plain text.
        plain: String,
    },
    /// An embed.
    Embed {
        /// The `embed` object, as JSON.
        json: String,
        /// The same as plain text.
        plain: String,
    },
    /// An emoji on the message that is answered.
    Reaction {
        /// 1 for a face of QQ's, 2 for a Unicode emoji.
        kind: u8,
        /// Its number.
        id: String,
    },
    /// Takes back the bot's last message here.
    Recall,
    /// All of a text that grew while it was written: what closes its stream.
    StreamEnd(String),
}

impl Content {
    /// True for what costs a reply: a message of its own.
    #[must_use]
    pub fn costs_reply(&self) -> bool {
        !matches!(
            self,
            Self::Reaction { .. } | Self::Recall | Self::StreamEnd(_)
        )
    }

    /// What a person reads, for the index of recent messages and for where the real thing is impossible.
    #[must_use]
    pub fn plain(&self) -> String {
        match self {
            Self::Text(text) | Self::StreamEnd(text) => text.clone(),
            Self::Markdown { plain, buttons, .. } if buttons.is_empty() => plain.clone(),
            Self::Markdown { plain, buttons, .. } => format!("{plain}\n\n{buttons}"),
            Self::Media(media) => media.plain(),
            Self::Ark { plain, .. } | Self::Embed { plain, .. } => plain.clone(),
            Self::Reaction { .. } | Self::Recall => String::new(),
        }
    }
}

/// Where the bytes of a media part are.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Source {
    /// In a blob of the host's.
    Blob(u64),
    /// At a public address that the platform fetches.
    Url(String),
    /// In here: a text that becomes a file.
    Text(String),
}

/// Media on its way.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Media {
    /// As what it is shown.
    pub kind: MediaKind,
    /// Its bytes.
    pub source: Source,
    /// File name; empty when there is none.
    pub name: String,
    /// Sniffed media type; empty when unknown.
    pub media_type: String,
    /// Bytes; 0 when unknown.
    pub size: u64,
    /// Text shown with it.
    pub caption: String,
    /// The platform's name for it, once it is uploaded.
    pub ready: Option<Ready>,
    /// It was uploaded a second time, or as another type: there is no third time.
    pub retried: bool,
}

/// Uploaded media.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Ready {
    /// `file_info`, handed back verbatim.
    pub file_info: String,
    /// When it ends, wall-clock milliseconds; `None` = never.
    pub until_ms: Option<u64>,
}

impl Media {
    /// The media in words, with its address where it has one.
    #[must_use]
    pub fn plain(&self) -> String {
        let what = match &self.source {
            Source::Url(url) => url.clone(),
            Source::Text(text) => text.clone(),
            Source::Blob(_) => format!("[{}]", self.label()),
        };
        match self.caption.trim() {
            "" => what,
            caption => format!("{caption}\n{what}"),
        }
    }

    /// Its name, or its type.
    #[must_use]
    pub fn label(&self) -> &str {
        if self.name.is_empty() {
            &self.media_type
        } else {
            &self.name
        }
    }
}

/// One message of an answer.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Part {
    /// What it shows.
    pub content: Content,
    /// What became of it.
    pub state: PartState,
    /// The index or id of the message that it quotes; empty for none.
    #[serde(default)]
    pub quotes: String,
    /// A word of the channel's own about the answer, and no part of it.
    #[serde(default)]
    pub aside: bool,
}

impl Part {
    /// A part that was not sent yet.
    #[must_use]
    pub fn new(content: Content) -> Self {
        Self {
            content,
            state: PartState::Waiting,
            quotes: String::new(),
            aside: false,
        }
    }

    /// A word of the channel's own about an answer.
    #[must_use]
    pub fn aside(text: &str) -> Self {
        Self {
            aside: true,
            ..Self::new(Content::Text(text.to_owned()))
        }
    }
}

/// An answer on its way.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Answer {
    /// The messages, in order.
    pub parts: Vec<Part>,
    /// The outcome of the turn when all parts arrive: `sent`, or what the answer apologises for.
    pub means: Outcome,
    /// Words for the agent about what could not be shown as it was meant.
    #[serde(default)]
    pub remarks: Vec<String>,
    /// The person was told that something was refused for its content; once is enough.
    #[serde(default)]
    pub told_refused: bool,
}

impl Answer {
    /// An answer of these parts.
    #[must_use]
    pub fn of(parts: Vec<Content>, means: Outcome) -> Self {
        Self {
            parts: parts.into_iter().map(Part::new).collect(),
            means,
            remarks: Vec::new(),
            told_refused: false,
        }
    }

    /// No message at all.
    #[must_use]
    pub fn nothing(means: Outcome) -> Self {
        Self::of(Vec::new(), means)
    }

    /// The first part without an outcome.
    pub(super) fn next(&self) -> Option<usize> {
        self.parts.iter().position(|part| part.state.is_open())
    }

    /// Gives what is under way this outcome.
    pub(super) fn settle_sending(&mut self, state: &PartState) {
        for part in &mut self.parts {
            if matches!(part.state, PartState::Sending { .. }) {
                part.state = state.clone();
            }
        }
    }

    /// Gives what was not sent yet this outcome.
    pub(super) fn settle_waiting(&mut self, state: &PartState) {
        for part in &mut self.parts {
            if part.state == PartState::Waiting {
                part.state = state.clone();
            }
        }
    }

    /// Notes something that the agent should know, once.
    pub(super) fn remark(&mut self, text: impl Into<String>) {
        let text = text.into();
        if !self.remarks.contains(&text) {
            self.remarks.push(text);
        }
    }
}

/// What is in flight for a turn that is being answered.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Flight {
    pub(super) request: Option<RequestId>,
    /// Sends of this part, in this process.
    pub(super) tries: u32,
    /// The part was sent before, here or in an earlier process: a duplicate is then our own.
    pub(super) repeated: bool,
    /// Whether the last send arrived is not known.
    pub(super) in_doubt: bool,
    /// When it is to be sent again, monotonic milliseconds.
    pub(super) resend_ms: Option<u64>,
    /// Its place in the rate limits was reserved.
    pub(super) paced: bool,
    /// The one repetition that some codes ask for was spent.
    pub(super) retried: bool,
    /// New tokens asked for on account of this part.
    pub(super) refreshes: u8,
    pub(super) backoff: Backoff,
    /// How far the upload of this part's media is.
    pub(super) upload: Option<Upload>,
}

impl Flight {
    /// True while an answer of the host's or the platform's is waited for.
    #[must_use]
    pub fn is_under_way(&self) -> bool {
        self.request.is_some()
    }
}

impl Default for Flight {
    fn default() -> Self {
        Self {
            request: None,
            tries: 0,
            repeated: false,
            in_doubt: false,
            resend_ms: None,
            paced: false,
            retried: false,
            refreshes: 0,
            backoff: Backoff::new(1_000, 60_000),
            upload: None,
        }
    }
}
