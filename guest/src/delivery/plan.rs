//! Planning an answer: what the agent said, as the few messages that the inbound ones pay for.
//!
//! Replies are money. What is worth most goes first into the plan: text in as few messages as it fits, media with the
//! text before it as caption where replies are short, and what still does not fit as a file, or cut with a note.

use crate::bindings::{AnswerPart, MediaKind, MediaPart, MediaSource, Outcome};
use crate::capabilities::Feature;
use crate::config::{AiNotice, Config, MarkdownMode, Quoting};
use crate::env::Env;
use crate::ids::OpenId;
use crate::inbound::{Anchor, Inbound};
use crate::scene::Scene;
use crate::texts::{self, Text};
use crate::turns::{Turn, Turns};

use super::answer::{Answer, Content, Media, Source};
use super::cards::{self, Card};
use super::{links, markdown, split, tags};

mod fit;

use fit::{caption, cost, stored_bytes};

/// Bytes of an answer's text that are laid out as messages, two dozen of them. What is behind them goes into a file, or is
/// cut: reading Markdown takes time, and a call has little of it.
const LAID_OUT_BYTES: usize = 48 << 10;
/// Stored bytes of an answer. With a stream beside it, a turn stays below [`TURN_BYTES`](crate::turns::room::TURN_BYTES).
const ANSWER_BYTES: usize = 160 << 10;

/// What a place allows, for one plan.
struct Place<'a> {
    scene: Scene,
    config: &'a Config,
    markdown: bool,
    keyboard: bool,
    ark: bool,
    embed: bool,
    links: bool,
    files: bool,
    chars: usize,
    /// Messages that one text is cut into at most: one more than are paid for shows that it is too long.
    most: usize,
}

impl Turns {
    /// True where Markdown is worth trying.
    pub(crate) fn uses_markdown(&self, env: &Env, scene: Scene, target: &OpenId) -> bool {
        match env.config.markdown {
            MarkdownMode::Off => false,
            MarkdownMode::On => true,
            MarkdownMode::Auto => self.caps.may(env, scene, target, Feature::Markdown),
        }
    }

    fn allows<'a>(&self, env: &'a Env, inbound: &Inbound, slots: usize) -> Place<'a> {
        let (scene, target) = (inbound.scene, &inbound.target);
        let may = |feature| self.caps.may(env, scene, target, feature);
        let most = u32::try_from(env.config.message_chars).unwrap_or(u32::MAX);
        let chars = self.caps.at_most(env, scene, target, Feature::Length, most);
        let markdown = self.uses_markdown(env, scene, target);
        Place {
            scene,
            config: &env.config,
            markdown,
            keyboard: markdown && may(Feature::Keyboard),
            ark: scene.of_guild() && may(Feature::Ark),
            embed: scene.of_guild() && may(Feature::Embed),
            links: may(Feature::Links),
            files: !scene.of_guild() && may(Feature::Files),
            chars: usize::try_from(chars).unwrap_or(usize::MAX),
            most: slots.saturating_add(1),
        }
    }

    /// The messages of an answer.
    #[must_use]
    pub(crate) fn plan(&self, env: &Env, turn: &Turn, parts: &[AnswerPart]) -> Answer {
        let slots = self.slots(env, turn);
        let place = self.allows(env, &turn.inbound, slots);
        let mut planned = Answer::nothing(Outcome::Sent);
        let mut items = Vec::new();
        if !turn.ahead.trim().is_empty() {
            items.push(AnswerPart::Text(turn.ahead.clone()));
        }
        items.extend(parts.iter().cloned());
        let mut contents = Vec::new();
        let mut items = join_texts(items);
        let whole = cut_texts(&mut items, LAID_OUT_BYTES);
        let mut items = items.into_iter().peekable();
        if let Some(stream) = &turn.stream {
            let text = items.next_if(|item| matches!(item, AnswerPart::Text(_)));
            contents.extend(place.finish_stream(&stream.shown, text.as_ref()));
        }
        for item in items {
            place.lay_out(&item, &mut contents, &mut planned);
        }
        if contents.is_empty() {
            return Answer::nothing(Outcome::Silent);
        }
        place.dress(turn, &mut contents);
        if cost(&contents) > slots {
            caption(&mut contents);
        }
        if !whole || cost(&contents) > slots {
            place.fit(&mut contents, slots, parts, &mut planned);
        }
        let mut answer = Answer::of(contents, Outcome::Sent);
        answer.remarks = planned.remarks;
        if stored_bytes(&answer) > ANSWER_BYTES {
            answer = place.shortened(parts, slots);
        }
        place.quote(turn, &mut answer);
        answer
    }

    /// Messages that can be paid for.
    fn slots(&self, env: &Env, turn: &Turn) -> usize {
        let mut slots = self.left(env, turn.id);
        // A stream whose name may have got lost cannot be closed: its text may need a message of its own.
        if turn
            .stream
            .as_ref()
            .is_some_and(|stream| stream.id.is_empty())
        {
            slots = slots.saturating_sub(1);
        }
        let slots = slots.max(u32::from(self.can_pay(env, turn.id)));
        usize::try_from(slots).unwrap_or(usize::MAX)
    }
}

/// A text of the bot's own in place of an answer.
#[must_use]
pub fn apology(config: &Config, turn: &Turn, text: Text, means: Outcome) -> Answer {
    let text = texts::text(config.language, text);
    let content = match turn
        .stream
        .as_ref()
        .filter(|stream| !stream.shown.is_empty())
    {
        // What is on the screen stays there; the words go under it, and the bubble is closed.
        Some(stream) => Content::StreamEnd(format!("{}\n\n{text}", stream.shown)),
        None => Content::Text(text.to_owned()),
    };
    Answer::of(vec![content], means)
}

/// A text in the platform's Markdown as a message.
#[must_use]
pub fn markdown_of(text: String) -> Content {
    Content::Markdown {
        plain: markdown::to_plain(&text),
        text,
        keyboard: None,
        buttons: String::new(),
    }
}

/// An answer as text alone, for what runs ahead of it.
#[must_use]
pub fn as_text(parts: &[AnswerPart]) -> String {
    let shown: Vec<String> = parts
        .iter()
        .map(|part| match part {
            AnswerPart::Text(text) => text.clone(),
            AnswerPart::Media(media) => media_of(media).plain(),
            AnswerPart::Card(json) => card_text(json),
        })
        .collect();
    shown.join("\n\n")
}

fn card_text(json: &str) -> String {
    cards::read(json).map_or_else(|_| json.to_owned(), |card| card.plain())
}

/// Neighbouring texts as one, so that they can share a message.
fn join_texts(items: Vec<AnswerPart>) -> Vec<AnswerPart> {
    let mut joined: Vec<AnswerPart> = Vec::new();
    for item in items {
        match (joined.last_mut(), item) {
            (Some(AnswerPart::Text(before)), AnswerPart::Text(text)) => {
                before.push_str("\n\n");
                before.push_str(&text);
            }
            (_, item) => joined.push(item),
        }
    }
    joined
}

/// Keeps the first bytes of all texts together, at most this many. False when there were more.
fn cut_texts(items: &mut [AnswerPart], bytes: usize) -> bool {
    let mut left = bytes;
    let mut whole = true;
    for item in items {
        if let AnswerPart::Text(text) = item {
            let end = text.floor_char_boundary(left);
            whole &= end == text.len();
            text.truncate(end);
            left -= end;
        }
    }
    whole
}

fn media_of(part: &MediaPart) -> Media {
    let (source, name, media_type, size) = match &part.source {
        MediaSource::Blob(info) => (
            Source::Blob(info.blob),
            info.name.clone().unwrap_or_default(),
            media_type(&info.media_type, &info.head),
            info.size,
        ),
        MediaSource::Url(url) => (Source::Url(url.clone()), String::new(), String::new(), 0),
    };
    Media {
        kind: part.kind,
        source,
        name,
        media_type,
        size,
        caption: part.caption.clone().unwrap_or_default(),
        ready: None,
        retried: false,
    }
}

/// What the host sniffed, and the voice format of QQ's own, which nobody else knows.
fn media_type(sniffed: &str, head: &[u8]) -> String {
    let silk = head.starts_with(b"#!SILK") || head.starts_with(b"\x02#!SILK");
    if silk { "audio/silk" } else { sniffed }.to_owned()
}

impl Place<'_> {
    /// One item of an answer as messages.
    fn lay_out(&self, item: &AnswerPart, contents: &mut Vec<Content>, planned: &mut Answer) {
        match item {
            AnswerPart::Text(text) => contents.extend(self.texts(text)),
            AnswerPart::Media(media) => contents.extend(self.media(media, planned)),
            AnswerPart::Card(json) => match cards::read(json) {
                Ok(card) => contents.extend(self.card(&card, planned)),
                Err(error) => {
                    planned.remark(format!("a card could not be read: {error}"));
                    contents.extend(self.texts(json));
                }
            },
        }
    }

    /// A text as messages: Markdown where that is shown and there is any, else plain.
    fn texts(&self, text: &str) -> Vec<Content> {
        let plain = markdown::to_plain(text);
        let (text, plain) = if self.links {
            (text.to_owned(), plain)
        } else {
            (
                links::without_links(text).unwrap_or_else(|| text.to_owned()),
                links::without_links(&plain).unwrap_or(plain),
            )
        };
        if self.markdown && plain.trim() != text.trim() {
            let text = markdown::to_qq(&text);
            let pieces = split::split_markdown(&text, self.chars).take(self.most);
            return pieces.map(|piece| markdown_of(piece.to_owned())).collect();
        }
        let pieces = split::split(&plain, self.chars).take(self.most);
        pieces
            .map(|piece| Content::Text(piece.to_owned()))
            .collect()
    }

    fn media(&self, part: &MediaPart, planned: &mut Answer) -> Vec<Content> {
        let media = media_of(part);
        let too_large = media.size > self.config.media_bytes;
        // Guilds show pictures and nothing else.
        let impossible = self.scene.of_guild() && media.kind != MediaKind::Image;
        if !too_large && !impossible && (self.files || self.scene.of_guild()) {
            return vec![Content::Media(media)];
        }
        let why = if too_large {
            "is too large"
        } else {
            "cannot be sent here"
        };
        planned.remark(format!("{} {why}, and was named instead", media.label()));
        self.texts(&media.plain())
    }

    fn card(&self, card: &Card, planned: &mut Answer) -> Vec<Content> {
        let plain = card.plain();
        match card {
            Card::Buttons(buttons) if self.keyboard => {
                return vec![Content::Markdown {
                    text: buttons.markdown(),
                    plain: markdown::to_plain(&buttons.text),
                    keyboard: Some(buttons.keyboard(self.config.language).to_string()),
                    buttons: buttons.plain_buttons(),
                }];
            }
            Card::Ark(ark) if self.ark => {
                let json = ark.ark().to_string();
                return vec![Content::Ark { json, plain }];
            }
            Card::Embed(embed) if self.embed => {
                let json = embed.embed().to_string();
                return vec![Content::Embed { json, plain }];
            }
            Card::Reaction(reaction) if self.scene == Scene::Channel => {
                let (kind, id) = (reaction.kind(), reaction.id());
                return vec![Content::Reaction { kind, id }];
            }
            Card::Recall => return vec![Content::Recall],
            Card::Reaction(_) => {
                planned.remark("reactions exist in guild channels only");
                return Vec::new();
            }
            Card::Buttons(_) => planned.remark("buttons are not shown here, and went as text"),
            Card::Ark(_) | Card::Embed(_) => {
                planned.remark("cards are not shown here, and went as text");
            }
        }
        self.texts(&plain)
    }

    /// Adds what the operator wants at the top: a label that an AI answers, and the name of whoever asked.
    fn dress(&self, turn: &Turn, contents: &mut Vec<Content>) {
        let mut top = String::new();
        let person = turn.inbound.sender.as_str();
        if self.config.mention_sender && !turn.inbound.scene.private() && !person.is_empty() {
            top.push_str(&tags::mention_of(self.scene, person));
            top.push(' ');
        }
        if turn.label && self.config.ai_notice != AiNotice::Off {
            top.push_str(texts::text(self.config.language, Text::AiNotice));
            top.push('\n');
        }
        if top.is_empty() {
            return;
        }
        match contents.first_mut() {
            // What is on the screen already cannot begin with something else.
            Some(Content::StreamEnd(text)) => text.push_str(&format!("\n\n{}", top.trim_end())),
            Some(Content::Text(text))
                if split::length(text) + split::length(&top) <= self.chars =>
            {
                text.insert_str(0, &top);
            }
            Some(Content::Markdown { text, plain, .. })
                if split::length(text) + split::length(&top) <= self.chars =>
            {
                text.insert_str(0, &top);
                plain.insert_str(0, &top);
            }
            Some(Content::Media(media)) => media.caption.insert_str(0, &top),
            _ => contents.insert(0, Content::Text(top.trim_end().to_owned())),
        }
    }

    /// A text that was growing is finished where it grew; what does not fit follows. A text that turned out to be
    /// another one follows as a whole.
    fn finish_stream(&self, shown: &str, item: Option<&AnswerPart>) -> Vec<Content> {
        let whole = match item {
            Some(AnswerPart::Text(text)) => markdown::to_qq(text),
            _ => String::new(),
        };
        let Some(new) = whole.strip_prefix(shown.trim_end()) else {
            let mut contents = vec![Content::StreamEnd(shown.to_owned())];
            if let Some(AnswerPart::Text(text)) = item {
                contents.extend(self.texts(text));
            }
            return contents;
        };
        // The bubble is filled up to a good end, and never below what it shows.
        let room = self
            .chars
            .saturating_sub(split::length(&whole) - split::length(new));
        let more = if split::length(new) <= room {
            new
        } else {
            let first = split::split_markdown(new, room.max(1)).next();
            let end = first.and_then(|first| new.find(first).map(|at| at + first.len()));
            new.get(..end.unwrap_or_default()).unwrap_or_default()
        };
        let end = whole.len() - new.len() + more.len();
        let (bubble, rest) = whole.split_at(end);
        let rest = split::split_markdown(rest, self.chars).take(self.most);
        let bubble = Content::StreamEnd(bubble.to_owned());
        std::iter::once(bubble)
            .chain(rest.map(|piece| markdown_of(piece.to_owned())))
            .collect()
    }

    fn quote(&self, turn: &Turn, answer: &mut Answer) {
        let wanted = match self.config.quote_replies {
            Quoting::Off => false,
            Quoting::Groups => !turn.inbound.scene.private(),
            Quoting::Always => true,
        };
        if !wanted || turn.inbound.anchor != Anchor::Message {
            return;
        }
        let name = if turn.inbound.scene.of_guild() {
            turn.inbound.id.as_str()
        } else {
            &turn.inbound.index
        };
        if let Some(first) = answer.parts.first_mut() {
            first.quotes = name.to_owned();
        }
    }
}
