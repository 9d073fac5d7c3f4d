//! What the bot says that is no answer of an agent's: words of the channel's own, and what the operator sends.

use crate::bindings::{AnswerPart, Outcome};
use crate::capabilities::Feature;
use crate::delivery::cards::{Action, Button, Buttons, Style, WhoMay};
use crate::delivery::{Answer, Content, markdown};
use crate::env::Env;
use crate::ids::{OpenId, TurnId};
use crate::inbound::{Anchor, Inbound};
use crate::scene::Scene;

use super::{Origin, Stage, Turn, Turns};

/// One answer to a question.
#[derive(Clone, Debug)]
pub struct Choice {
    /// What the button says.
    pub label: &'static str,
    /// What it says once it was pressed.
    pub pressed: &'static str,
    /// What it carries.
    pub data: String,
}

/// A question of the channel's own.
#[derive(Clone, Debug)]
pub struct Question {
    /// What is asked, as Markdown.
    pub text: String,
    /// How it is answered where there are no buttons.
    pub otherwise: String,
    /// The answer that lets something happen.
    pub yes: Choice,
    /// The other one.
    pub no: Choice,
    /// Who may press.
    pub who: WhoMay,
}

impl Turns {
    /// Opens the account of what somebody wrote, and makes room for it.
    pub(super) fn open_account(&mut self, env: &mut Env, id: TurnId, inbound: &Inbound) {
        self.budget.open(id, inbound);
        let open = &self.open;
        self.budget
            .forget_old(env, &|other| other == id || open.contains_key(&other));
    }

    /// Replies to a message in the channel's own words. It waits for nothing, and the agent never hears of it.
    /// Without room for it, it is left out.
    pub fn say(&mut self, env: &mut Env, inbound: &Inbound, content: Content) {
        if !self.has_room_for_words() {
            return env.count("words_left_out", inbound.scene.word());
        }
        let id = env.ids.turn();
        self.open_account(env, id, inbound);
        let mut turn = Turn::new(id, Origin::Channel, inbound.clone());
        // What was written may be a code, and is needed no more: it is not to be stored.
        turn.inbound.forget_content();
        self.send_own(turn, content);
    }

    /// Says something that nobody asked for now: under the newest message of that place, or of the bot's own accord.
    /// Without room for it, it is left out.
    pub fn tell(&mut self, env: &mut Env, scene: Scene, target: &OpenId, content: Content) {
        if !self.has_room_for_words() {
            return env.count("words_left_out", scene.word());
        }
        let inbound = Inbound::of_operator(scene, target.clone(), env.platform_ms());
        let turn = self.unasked(env, Origin::Channel, inbound);
        self.send_own(turn, content);
    }

    /// Sends something of the operator's. Its outcome is the reply to the command.
    pub fn send_for_operator(
        &mut self,
        env: &mut Env,
        command: u64,
        inbound: Inbound,
        parts: &[AnswerPart],
    ) {
        let mut turn = self.unasked(env, Origin::Operator(command), inbound);
        let id = turn.id;
        self.open.insert(turn.clone());
        let answer = self.plan(env, &turn, parts);
        turn.stage = Stage::Answering(answer);
        self.agenda.insert(id);
        self.open.insert(turn);
    }

    /// A turn that no message made. The newest message of its place pays, where there is one.
    fn unasked(&mut self, env: &mut Env, origin: Origin, inbound: Inbound) -> Turn {
        let id = env.ids.turn();
        let (scene, target) = (inbound.scene, inbound.target.clone());
        let cap = self.cap(env, scene, &target);
        let open = &self.open;
        let payer = self
            .budget
            .of_place(env, scene, &target, cap, &|other| open.contains_key(&other));
        if let Some(payer) = payer {
            self.budget.share(env, id, payer);
        }
        Turn::new(id, origin, inbound)
    }

    /// A question as a message: with buttons where they can be shown, else with words that say how to answer.
    #[must_use]
    pub fn question(
        &self,
        env: &Env,
        scene: Scene,
        target: &OpenId,
        question: &Question,
    ) -> Content {
        let plain = markdown::to_plain(&question.text);
        let shows = self.uses_markdown(env, scene, target)
            && self.caps.may(env, scene, target, Feature::Keyboard);
        if !shows {
            return Content::Text(format!("{plain}\n\n{}", question.otherwise));
        }
        let button = |choice: &Choice, style| Button {
            label: choice.label.to_owned(),
            visited: Some(choice.pressed.to_owned()),
            style,
            action: Action::Callback(choice.data.clone()),
            who: question.who.clone(),
            confirm: None,
        };
        let row = vec![
            button(&question.yes, Style::Primary),
            button(&question.no, Style::Secondary),
        ];
        let card = Buttons {
            text: question.text.clone(),
            rows: vec![row],
        };
        Content::Markdown {
            text: card.markdown(),
            plain,
            keyboard: Some(card.keyboard(env.config.language).to_string()),
            buttons: question.otherwise.clone(),
        }
    }

    pub(super) fn send_own(&mut self, mut turn: Turn, content: Content) {
        turn.stage = Stage::Answering(Answer::of(vec![content], Outcome::Sent));
        self.agenda.insert(turn.id);
        self.open.insert(turn);
    }

    /// True for what may go out of the bot's own accord, whether or not that is known to work.
    pub(crate) fn is_unasked(turn: &Turn) -> bool {
        turn.origin != Origin::Inbound && turn.inbound.anchor == Anchor::Nothing
    }
}
