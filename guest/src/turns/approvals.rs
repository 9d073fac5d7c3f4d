//! Questions of the agent's: whether it may do something. The person whose turn it is answers, with a button or a word.
//!
//! A question costs a reply, so it is asked only where the answer keeps enough of them; and it is answered with no
//! before the window closes, so that the agent can still say so.

use serde::{Deserialize, Serialize};
use subtle::ConstantTimeEq;

use crate::bindings::{Action, Approval, ApprovalAnswer, Outcome};
use crate::blank::words;
use crate::capabilities::Feature;
use crate::delivery::cards::WhoMay;
use crate::delivery::{Content, split};
use crate::env::{Env, Level};
use crate::events::fields::cut;
use crate::ids::TurnId;
use crate::inbound::{Anchor, Inbound};
use crate::ledger;
use crate::requests::Random;
use crate::texts::{self, Text};
use crate::visible;

use super::begin::RESERVE_MS;
use super::own::{Choice, Question};
use super::{Origin, Turn, Turns};

/// What the buttons carry, before the answer and the nonce.
pub(crate) const APPROVAL_BUTTON: &str = "prx.ask:";
/// Questions that may be open in one turn.
const MOST: usize = 4;
/// Milliseconds that the agent keeps for its answer once nobody answered.
const TO_ANSWER_MS: u64 = 40_000;
/// Characters of the title that are shown. What would be done is shown whole.
const TITLE_CHARS: usize = 120;
/// Bytes of what would be done: far more than one message holds.
const DETAIL_BYTES: usize = 32 << 10;
/// Random bytes of a nonce.
const NONCE: u32 = 16;

/// A question that waits for its answer. Travels in a checkpoint: after a restart the agent asks again.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Asked {
    /// The agent's name for it.
    approval: String,
    /// The request for its nonce.
    request: u64,
    /// What a press must carry; empty until the host gave it.
    nonce: String,
    /// The message that asks, while it is on its way.
    message: Option<TurnId>,
    /// What is asked; empty once the message is made, which holds it.
    text: String,
    /// When no becomes the answer, wall-clock milliseconds of the platform.
    until_ms: u64,
}

impl Asked {
    /// The same without its text and without what a press must carry.
    pub(super) fn blank(&mut self) {
        self.text = words::blank(&self.text);
        self.nonce = words::blank(&self.nonce);
    }
}

impl Turns {
    /// The agent asks whether it may do something.
    pub(super) fn on_approval_asked(&mut self, env: &mut Env, id: TurnId, approval: &Approval) {
        let Some(turn) = self.open.get(&id) else {
            return;
        };
        let closes_ms = turn.inbound.deadline_ms().saturating_sub(RESERVE_MS);
        let until_ms = closes_ms.saturating_sub(TO_ANSWER_MS);
        let many = self.approvals.get(&id).is_some_and(|all| all.len() >= MOST);
        let why = if turn.inbound.anchor == Anchor::Nothing || turn.inbound.sender.0.is_empty() {
            Some("there is nobody to ask")
        } else if many || !self.has_room_for_words() {
            Some("too many questions are open")
        } else if until_ms <= env.platform_ms() {
            Some("the reply window is about to close")
        } else if approval.detail.len() > DETAIL_BYTES {
            Some("what would be done is too long to be shown")
        } else if self.spare(env, turn) == 0 {
            Some("there are too few replies left to ask")
        } else {
            None
        };
        if let Some(why) = why {
            let title = visible::escaped(&approval.title);
            let line = format!("turn {id}: approval of {title} denied: {why}");
            env.log(Level::Warn, line);
            return decide(env, id, &approval.approval, false, "channel");
        }
        // As code, and with nothing hidden: the person decides by these words, which a model and a tool's author wrote.
        let title = cut(&visible::escaped(approval.title.trim()), TITLE_CHARS);
        let detail = visible::escaped(&approval.detail);
        let shown = [&title, &detail]
            .into_iter()
            .filter(|line| !line.is_empty());
        let shown: Vec<String> = shown.map(|line| visible::as_code(line)).collect();
        let request = env.ask_random(Random::Approval(id), NONCE);
        self.approvals.entry(id).or_default().push(Asked {
            approval: approval.approval.clone(),
            request: request.0,
            nonce: String::new(),
            message: None,
            text: shown.join("\n\n"),
            until_ms,
        });
        self.watch(env, until_ms);
    }

    /// Replies that a question may take: the turn keeps enough for its answer.
    fn spare(&self, env: &Env, turn: &Turn) -> u32 {
        let (scene, target) = (turn.inbound.scene, &turn.inbound.target);
        let cap = self.cap(env, scene, target);
        let all = self.budget.spare_at(env, scene, target, cap, &|other| {
            self.open.contains_key(&other)
        });
        // A text that may yet grow takes one.
        all.saturating_sub(u32::from(
            turn.stream.is_none() && self.can_stream(env, turn),
        ))
    }

    /// What the question's buttons must carry is there, or is not: it is asked.
    pub fn on_approval_nonce(
        &mut self,
        env: &mut Env,
        id: TurnId,
        request: u64,
        nonce: Option<String>,
    ) {
        let asked = self.approvals.get_mut(&id).into_iter().flatten();
        let Some(asked) = asked.into_iter().find(|asked| asked.request == request) else {
            return;
        };
        let Some(nonce) = nonce else {
            let approval = asked.approval.clone();
            env.log(Level::Error, "the host has no randomness for a question");
            return self.settle_approval(env, id, &approval, false, "channel");
        };
        asked.nonce.clone_from(&nonce);
        let text = std::mem::take(&mut asked.text);
        let Some(inbound) = self.open.get(&id).map(|turn| turn.inbound.clone()) else {
            return;
        };
        let language = env.config.language;
        let choice = |label, pressed, word: &str| Choice {
            label: texts::text(language, label),
            pressed: texts::text(language, pressed),
            data: format!("{APPROVAL_BUTTON}{word}:{nonce}"),
        };
        let who = if inbound.scene.private() {
            WhoMay::Everyone
        } else {
            WhoMay::Users(vec![inbound.sender.0.clone()])
        };
        let question = Question {
            text,
            otherwise: texts::text(language, Text::ApprovalHow).to_owned(),
            yes: choice(Text::Allow, Text::Allowed, "yes"),
            no: choice(Text::Deny, Text::Denied, "no"),
            who,
        };
        let content = self.question(env, inbound.scene, &inbound.target, &question);
        if !self.fits(env, &inbound, &content) {
            let line = format!(
                "turn {id}: approval denied: what would be done does not fit into one message"
            );
            env.log(Level::Warn, line);
            let asked = self.approvals.get(&id).into_iter().flatten();
            let asked = asked.into_iter().find(|asked| asked.request == request);
            if let Some(approval) = asked.map(|asked| asked.approval.clone()) {
                self.settle_approval(env, id, &approval, false, "channel");
            }
            return;
        }
        let message = self.tell_for(env, id, &inbound, content);
        let asked = self.approvals.get_mut(&id).into_iter().flatten();
        if let Some(asked) = asked.into_iter().find(|asked| asked.request == request) {
            asked.message = Some(message);
        }
    }

    /// True for what one message of a place holds, in each of its forms.
    fn fits(&self, env: &Env, inbound: &Inbound, content: &Content) -> bool {
        let (scene, target) = (inbound.scene, &inbound.target);
        let most = u32::try_from(env.config.message_chars).unwrap_or(u32::MAX);
        let most = self.caps.at_most(env, scene, target, Feature::Length, most);
        let fits = |text: &str| u32::try_from(split::length(text)).is_ok_and(|chars| chars <= most);
        let markdown = match content {
            Content::Markdown { text, .. } => text.as_str(),
            _ => "",
        };
        fits(markdown) && fits(&content.plain())
    }

    /// A question's button was pressed. `None` when no such question is open; else whether it was this person's.
    pub fn on_pressed_decision(
        &mut self,
        env: &mut Env,
        actor: &Inbound,
        carried: &str,
    ) -> Option<bool> {
        let (answer, nonce) = carried.split_once(':')?;
        let live = |asked: &Asked| {
            !asked.nonce.is_empty() && bool::from(asked.nonce.as_bytes().ct_eq(nonce.as_bytes()))
        };
        let (id, approval) = self.approvals.iter().find_map(|(id, all)| {
            let asked = all.iter().find(|asked| live(asked))?;
            Some((*id, asked.approval.clone()))
        })?;
        let inbound = &self.open.get(&id)?.inbound;
        let user = &actor.sender;
        let theirs =
            (actor.scene, &actor.target, user) == (inbound.scene, &inbound.target, &inbound.sender);
        if !theirs {
            env.log(
                Level::Warn,
                format!("turn {id}: {user} pressed a button that is somebody else's"),
            );
            return Some(false);
        }
        let by = user.0.clone();
        self.settle_approval(env, id, &approval, answer == "yes", &by);
        Some(true)
    }

    /// Somebody says yes or no in words: to the oldest question that this person was asked here. False without one.
    pub fn on_said_decision(&mut self, env: &mut Env, inbound: &Inbound, allowed: bool) -> bool {
        let open = &self.open;
        let asked = self.approvals.iter().find_map(|(id, all)| {
            let turn = open.get(id)?;
            let theirs = turn.inbound.sender == inbound.sender
                && (turn.inbound.scene, &turn.inbound.target) == (inbound.scene, &inbound.target);
            let first = all.iter().find(|asked| asked.message.is_some())?;
            theirs.then(|| (*id, first.approval.clone()))
        });
        let Some((id, approval)) = asked else {
            return false;
        };
        self.settle_approval(env, id, &approval, allowed, inbound.sender.as_str());
        true
    }

    fn settle_approval(
        &mut self,
        env: &mut Env,
        id: TurnId,
        approval: &str,
        allowed: bool,
        by: &str,
    ) {
        if let Some(all) = self.approvals.get_mut(&id) {
            all.retain(|asked| asked.approval != approval);
            if all.is_empty() {
                self.approvals.remove(&id);
            }
        }
        let word = if allowed { "allowed" } else { "denied" };
        env.log(Level::Info, format!("turn {id}: {word} by {by}"));
        decide(env, id, approval, allowed, by);
    }

    /// Says no where nobody answered in time. Returns when the next question is due.
    pub(super) fn deny_late_approvals(&mut self, env: &mut Env) -> Option<u64> {
        let now_ms = env.platform_ms();
        let (mut late, mut next) = (Vec::new(), None::<u64>);
        for (id, all) in &self.approvals {
            for asked in all {
                if asked.until_ms <= now_ms {
                    late.push((*id, asked.approval.clone()));
                } else {
                    next = Some(next.map_or(asked.until_ms, |known| known.min(asked.until_ms)));
                }
            }
        }
        for (id, approval) in late {
            env.log(
                Level::Warn,
                format!("turn {id}: nobody answered in time whether it may"),
            );
            self.settle_approval(env, id, &approval, false, "channel");
        }
        next
    }

    /// A message that asked has its outcome: where it did not arrive, the answer is no.
    pub(super) fn on_question_done(&mut self, env: &mut Env, message: TurnId, outcome: Outcome) {
        let found = self.approvals.iter().find_map(|(id, all)| {
            let asked = all.iter().find(|asked| asked.message == Some(message))?;
            Some((*id, asked.approval.clone()))
        });
        // One message, and as it was asked: no part of it can have arrived alone.
        let arrived = matches!(
            outcome,
            Outcome::Sent | Outcome::Held | Outcome::Unconfirmed
        );
        if let Some((id, approval)) = found.filter(|_| !arrived) {
            let word = ledger::word(outcome);
            env.log(
                Level::Warn,
                format!("turn {id}: the question could not be asked: {word}"),
            );
            self.settle_approval(env, id, &approval, false, "channel");
        }
    }

    /// Says something in the middle of a turn, for which the turn pays.
    fn tell_for(
        &mut self,
        env: &mut Env,
        payer: TurnId,
        inbound: &Inbound,
        content: Content,
    ) -> TurnId {
        let place = Inbound::of_operator(inbound.scene, inbound.target.clone(), env.platform_ms());
        let id = env.ids.turn();
        self.budget.share(env, id, payer);
        let mut place = Turn::new(id, Origin::Channel, place);
        place.inbound.guild.clone_from(&inbound.guild);
        place.exact = true;
        self.send_own(place, content);
        id
    }
}

/// Tells the agent.
pub(crate) fn decide(env: &mut Env, id: TurnId, approval: &str, allowed: bool, by: &str) {
    env.count("approvals", if allowed { "allowed" } else { "denied" });
    env.emit(Action::ApprovalAnswer(ApprovalAnswer {
        turn: id.0,
        approval: approval.to_owned(),
        allowed,
        by: by.to_owned(),
    }));
}
