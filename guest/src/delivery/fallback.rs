//! What is done when the platform refuses a part: another form, fewer links, another upload, or an honest end.
//!
//! Each form is tried once, under a fresh number; what was refused for want of a right is remembered, so that the
//! next answer does not ask for it again.

use crate::bindings::HealthLevel;
use crate::capabilities::{Feature, LIMIT_MS, Learned, RIGHT_MS};
use crate::env::{Env, Level};
use crate::gateway::close::Stop;
use crate::health;
use crate::ids::TurnId;
use crate::texts::{self, Text};
use crate::turns::{Stage, Turn, Turns};

use super::answer::{Answer, Content, Part, PartState, Source};
use super::budget::{Paid, Via};
use super::errors::{self, Class};
use super::{Flight, links, split};

/// Characters below which a text that is too long is not cut again.
const LEAST_CHARS: usize = 100;

/// Of the codes that close a window, the one that may mean the number of replies.
const USED_UP: i64 = 40_034_128;

/// Says that the platform refuses the bot as such.
pub(super) fn report(env: &mut Env, stop: Stop) {
    let (sentence, fix) = health::explain(stop);
    health::report(env, HealthLevel::Degraded, stop.code(), sentence, Some(fix));
}

impl Turns {
    fn answer_mut(&mut self, id: TurnId) -> Option<&mut Answer> {
        match self.open.get_mut(&id) {
            Some(Turn {
                stage: Stage::Answering(answer),
                ..
            }) => Some(answer),
            _ => None,
        }
    }

    /// Deals with a definite refusal: the platform has taken nothing, so what was paid comes back.
    pub(super) fn fall_back(
        &mut self,
        env: &mut Env,
        (id, index): (TurnId, usize),
        class: Class,
        code: Option<i64>,
        paid: &Paid,
    ) {
        let content = self.content(id, index);
        if matches!(content, Some(Content::StreamEnd(_))) {
            return self.end_refused(env, (id, index), class, code, paid);
        }
        let sign = matches!(content, Some(Content::Reaction { .. } | Content::Recall));
        let class = match class {
            Class::Fatal(_) | Class::Gone => class,
            // It has no other form, and nothing is paid for it.
            _ if sign => Class::Drop,
            class => class,
        };
        if class != Class::WindowClosed {
            self.budget.refund(env, paid);
        }
        self.remember(env, (id, index), class, code, paid);
        let exact = self.open.get(&id).is_some_and(|turn| turn.exact);
        let done = match class {
            // Nobody may decide by other words than those that were asked.
            Class::Split | Class::StripLinks | Class::StripEveryone if exact => false,
            Class::Plain => self.plainer(id, index),
            Class::NoKeyboard => self.without_keyboard(id, index),
            Class::Split => self.split_part(env, id, index, code),
            Class::StripLinks => self.rewrite(id, index, links::without_links),
            Class::StripEveryone => self.rewrite(id, index, links::without_everyone),
            Class::Reupload => self.upload_again(env, id, index),
            // A card, an embed and Markdown have pictures in them: without those they are text.
            Class::MediaAsText => self.plainer(id, index),
            Class::WindowClosed => self.other_account(env, (id, index), code, paid),
            Class::NoProactive => self.wake_up(id, paid),
            Class::Unsafe => {
                self.tell_refused(env, id, index, code);
                return;
            }
            Class::Fatal(stop) => {
                report(env, stop);
                false
            }
            Class::Gone => {
                self.gone(env, id);
                false
            }
            _ => false,
        };
        if done {
            // Another body: another number, and a fresh count of attempts.
            self.set_state(id, index, PartState::Waiting);
            self.flights.insert(id, Flight::default());
        } else if class == Class::WindowClosed {
            self.expire(id);
        } else {
            self.settle(env, id, index, PartState::Refused { code });
        }
    }

    /// What a part shows.
    pub(super) fn content(&self, id: TurnId, index: usize) -> Option<&Content> {
        match &self.open.get(&id)?.stage {
            Stage::Answering(answer) => answer.parts.get(index).map(|part| &part.content),
            Stage::Queued | Stage::Fetching | Stage::Thinking => None,
        }
    }

    /// What a refusal says about the place.
    fn remember(
        &mut self,
        env: &mut Env,
        (id, index): (TurnId, usize),
        class: Class,
        code: Option<i64>,
        paid: &Paid,
    ) {
        let Some((scene, target)) = self.place(id) else {
            return;
        };
        let right = code.is_some_and(errors::for_want_of_a_right);
        let refused = (Learned::Refused, code);
        // A right was refused to what was sent, whatever the code's own name for it.
        let feature = match (class, self.content(id, index)) {
            (Class::NoKeyboard, Some(Content::Markdown { keyboard, .. })) => {
                keyboard.is_some().then_some(Feature::Keyboard)
            }
            (Class::Plain, Some(Content::Markdown { .. })) => Some(Feature::Markdown),
            (Class::Plain, Some(Content::Ark { .. })) => Some(Feature::Ark),
            (Class::Plain, Some(Content::Embed { .. })) => Some(Feature::Embed),
            _ => None,
        };
        match class {
            Class::Plain | Class::NoKeyboard => {
                let Some(feature) = feature.filter(|_| right) else {
                    return;
                };
                self.caps
                    .learn(env, (scene, None), feature, refused, RIGHT_MS);
                let line = format!(
                    "{} is refused in {} (code {code:?}); not tried there for a day",
                    feature.word(),
                    scene.word()
                );
                env.log(Level::Info, line);
            }
            Class::StripLinks => {
                self.caps.learn(
                    env,
                    (scene, Some(&target)),
                    Feature::Links,
                    refused,
                    LIMIT_MS,
                );
            }
            Class::NoProactive if paid.via == Via::Proactive => {
                self.caps.learn(
                    env,
                    (scene, Some(&target)),
                    Feature::Proactive,
                    refused,
                    RIGHT_MS,
                );
            }
            _ => {}
        }
    }

    /// A card or Markdown becomes plain text. False for what is plain text already.
    fn plainer(&mut self, id: TurnId, index: usize) -> bool {
        let Some(answer) = self.answer_mut(id) else {
            return false;
        };
        let Some(part) = answer.parts.get_mut(index) else {
            return false;
        };
        let what = match part.content {
            Content::Markdown { .. } => "Markdown",
            Content::Ark { .. } => "the card",
            Content::Embed { .. } => "the embed",
            Content::Media(_) => return self.media_as_text(id, index),
            // The quote may be what it does not like.
            Content::Text(_) if !part.quotes.is_empty() => {
                part.quotes.clear();
                return true;
            }
            _ => return false,
        };
        part.content = Content::Text(part.content.plain());
        part.quotes.clear();
        answer.remark(format!("{what} was refused and went as plain text"));
        true
    }

    fn without_keyboard(&mut self, id: TurnId, index: usize) -> bool {
        let Some(answer) = self.answer_mut(id) else {
            return false;
        };
        match answer.parts.get_mut(index).map(|part| &mut part.content) {
            Some(Content::Markdown {
                text,
                plain,
                keyboard,
                buttons,
            }) if keyboard.is_some() => {
                *keyboard = None;
                text.push_str(&format!("\n\n{buttons}"));
                plain.push_str(&format!("\n\n{buttons}"));
                buttons.clear();
                answer.remark("buttons were refused and went as text");
                true
            }
            _ => false,
        }
    }

    /// Rewrites every text of a part. False when there is nothing to rewrite.
    fn rewrite(&mut self, id: TurnId, index: usize, how: fn(&str) -> Option<String>) -> bool {
        let Some(answer) = self.answer_mut(id) else {
            return false;
        };
        let Some(part) = answer.parts.get_mut(index) else {
            return false;
        };
        let mut changed = false;
        let mut rewrite = |text: &mut String| {
            if let Some(new) = how(text) {
                *text = new;
                changed = true;
            }
        };
        match &mut part.content {
            Content::Text(text) => rewrite(text),
            Content::Markdown { text, plain, .. } => {
                rewrite(text);
                rewrite(plain);
            }
            Content::Media(media) => rewrite(&mut media.caption),
            Content::Ark { plain, .. } | Content::Embed { plain, .. } => {
                let text = how(plain).unwrap_or_else(|| plain.clone());
                part.content = Content::Text(text);
                changed = true;
            }
            Content::Reaction { .. } | Content::Recall | Content::StreamEnd(_) => {}
        }
        if changed {
            answer.remark("links or mentions were refused and taken out");
        }
        changed
    }

    /// The text in halves. Replies that these need and that nobody pays for end as expired.
    fn split_part(&mut self, env: &mut Env, id: TurnId, index: usize, code: Option<i64>) -> bool {
        let place = self.place(id);
        let Some(answer) = self.answer_mut(id) else {
            return false;
        };
        let Some(part) = answer.parts.get(index) else {
            return false;
        };
        let (text, markdown) = match &part.content {
            Content::Text(text) => (text.clone(), false),
            Content::Markdown { text, .. } => (text.clone(), true),
            // What is too long for a card or a caption is not too long for a text.
            _ => return self.plainer(id, index),
        };
        let half = split::length(&text).div_ceil(2);
        let cut = |limit: usize| -> Vec<String> {
            if markdown {
                split::split_markdown(&text, limit)
                    .map(str::to_owned)
                    .collect()
            } else {
                split::split(&text, limit).map(str::to_owned).collect()
            }
        };
        // A cut between two sentences makes halves of unlike length: two messages cost less than three.
        let (limit, pieces) = [half + half / 4, half]
            .map(|limit| (limit, cut(limit)))
            .into_iter()
            .find(|(limit, pieces)| *limit == half || pieces.len() == 2)
            .unwrap_or_default();
        if half < LEAST_CHARS || pieces.len() < 2 {
            return false;
        }
        let quotes = part.quotes.clone();
        let whole = part.content.clone();
        let mut parts: Vec<Part> = pieces
            .into_iter()
            .map(|text| Part::new(half_of(&whole, text, markdown)))
            .collect();
        if let Some(first) = parts.first_mut() {
            first.quotes = quotes;
        }
        answer.parts.splice(index..=index, parts);
        if let Some((scene, target)) = place {
            let most = (
                Learned::AtMost(u32::try_from(limit).unwrap_or(u32::MAX)),
                code,
            );
            self.caps
                .learn(env, (scene, Some(&target)), Feature::Length, most, LIMIT_MS);
        }
        true
    }

    /// The same media once more: what the platform called it is no good any more.
    fn upload_again(&mut self, env: &mut Env, id: TurnId, index: usize) -> bool {
        let Some(answer) = self.answer_mut(id) else {
            return false;
        };
        let Some(Content::Media(media)) = answer.parts.get_mut(index).map(|part| &mut part.content)
        else {
            return self.plainer(id, index);
        };
        let Some(ready) = media.ready.take() else {
            return self.media_as_text(id, index);
        };
        if std::mem::replace(&mut media.retried, true) {
            return self.media_as_text(id, index);
        }
        self.files.forget_info(env, &ready.file_info);
        true
    }

    /// Media that cannot be shown is named, with its address where it has one.
    fn media_as_text(&mut self, id: TurnId, index: usize) -> bool {
        let Some(answer) = self.answer_mut(id) else {
            return false;
        };
        let Some(part) = answer.parts.get_mut(index) else {
            return false;
        };
        let Content::Media(media) = &part.content else {
            return false;
        };
        let label = media.label().to_owned();
        part.content = Content::Text(match &media.source {
            Source::Text(text) => text.clone(),
            _ => media.plain(),
        });
        answer.remark(format!("{label} could not be shown, and was named instead"));
        true
    }

    /// Gives up on the media of a part before anything of it was sent.
    pub(super) fn as_text(&mut self, env: &mut Env, id: TurnId, index: usize, code: Option<i64>) {
        if code == Some(40_093_002)
            && let Some((scene, _)) = self.place(id)
        {
            let refused = (Learned::Refused, code);
            self.caps
                .learn(env, (scene, None), Feature::Files, refused, LIMIT_MS);
        }
        if self.media_as_text(id, index) {
            self.flights.insert(id, Flight::default());
            self.schedule(id);
        } else {
            self.settle(env, id, index, PartState::Refused { code });
        }
    }

    /// The message that paid can pay no more; another one may.
    pub(super) fn other_account(
        &mut self,
        env: &mut Env,
        (id, index): (TurnId, usize),
        code: Option<i64>,
        paid: &Paid,
    ) -> bool {
        if paid.account.is_none() {
            // It answered nothing, and would be refused for ever.
            return false;
        }
        let now = env.platform_ms();
        let in_time = self
            .open
            .get(&id)
            .is_some_and(|turn| now + 10_000 < turn.inbound.deadline_ms());
        let spent = self.budget.exhaust(env, paid);
        let place = self.place(id);
        if let (Some(spent), Some((scene, target))) = (spent, place)
            && in_time
            && code == Some(USED_UP)
            && paid.account == Some(id)
            && spent > 0
        {
            let most = (Learned::AtMost(spent), None);
            self.caps
                .learn(env, (scene, None), Feature::Slots, most, LIMIT_MS);
            let line = format!(
                "{} {target} pays for {spent} replies a message only",
                scene.word()
            );
            env.log(Level::Info, line);
        }
        self.set_state(id, index, PartState::Waiting);
        self.can_pay(env, id)
    }

    /// A message of the bot's own accord was refused; in private chats there is one more way, once.
    fn wake_up(&mut self, id: TurnId, paid: &Paid) -> bool {
        let private = self
            .place(id)
            .is_some_and(|(scene, _)| scene == crate::scene::Scene::C2c);
        if paid.via != Via::Proactive || !private {
            return false;
        }
        if let Some(turn) = self.open.get_mut(&id) {
            turn.wakes = true;
        }
        true
    }

    /// The bot is not there any more, as the platform says.
    pub(super) fn gone(&mut self, env: &mut Env, id: TurnId) {
        if let Some((scene, target)) = self.place(id) {
            env.log(Level::Info, format!("{} {target} is gone", scene.word()));
            self.places.lost(env, scene, target.as_str());
        }
    }

    /// The person is told, once and neutrally, that something was not let through.
    pub(super) fn tell_refused(
        &mut self,
        env: &mut Env,
        id: TurnId,
        index: usize,
        code: Option<i64>,
    ) {
        let note = texts::text(env.config.language, Text::Refused);
        if let Some(answer) = self.answer_mut(id) {
            answer.remark("the platform refused it for its content");
            if !std::mem::replace(&mut answer.told_refused, true) {
                answer.parts.insert(index + 1, Part::aside(note));
            }
        }
        self.settle(env, id, index, PartState::Refused { code });
    }
}

/// A piece of a text, in the form that the whole had.
fn half_of(whole: &Content, text: String, markdown: bool) -> Content {
    if !markdown {
        return Content::Text(text);
    }
    let last = matches!(whole, Content::Markdown { text: all, .. } if all.trim_end().ends_with(text.trim_end()));
    let (keyboard, buttons) = match whole {
        Content::Markdown {
            keyboard, buttons, ..
        } if last => (keyboard.clone(), buttons.clone()),
        _ => (None, String::new()),
    };
    Content::Markdown {
        plain: super::markdown::to_plain(&text),
        text,
        keyboard,
        buttons,
    }
}
