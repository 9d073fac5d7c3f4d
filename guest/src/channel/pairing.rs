//! Strangers: how they pair, and what they are told meanwhile. They start no turn, and learn nothing else.

use crate::access::Person;
use crate::access::asks::{self, Ask};
use crate::access::bindings::{Binding, How};
use crate::access::pairing::{self, LOCKED_MS, Tried, VALID_MS};
use crate::bindings::Occasion;
use crate::commands::{self, Command};
use crate::delivery::Content;
use crate::delivery::cards::WhoMay;
use crate::env::Level;
use crate::events::interaction::Interaction;
use crate::ids::RequestId;
use crate::inbound::Inbound;
use crate::requests::{Purpose, Random};
use crate::texts::{self, Text};
use crate::timers::Timer;
use crate::turns::own::{Choice, Question};

use super::Channel;
use super::dispatch::{PRESS_NOT_ALLOWED, PRESS_REPEATED, PRESS_TAKEN};

/// Milliseconds after which a stranger is told again how to ask.
const HINT_MS: u64 = 10 * 60_000;
/// Milliseconds after which the same question of a stranger's is answered again.
const ANSWER_MS: u64 = 60_000;
/// Milliseconds between two questions to the owner: a crowd must not become a flood.
const OWNER_MS: u64 = 120_000;
/// Random bytes of a nonce.
const NONCE: u32 = 16;
/// What the buttons of the owner's card carry, before the answer, the number of the request and the nonce.
pub(super) const OWNER_BUTTON: &str = "prx.pair:";

impl Channel {
    /// A process begins while nobody is named in the operator's list.
    pub(super) fn begin_pairing(&mut self) {
        let paired = self.access.bindings.len();
        if paired == 0 {
            return self.want_code(None);
        }
        let line = format!("allowed_users is empty: {paired} paired people may talk to the bot");
        self.env.log(Level::Info, line);
    }

    /// Asks the host for what a new code is made of.
    pub(super) fn want_code(&mut self, command: Option<u64>) {
        self.env.ask_random(Random::Code(command), pairing::ENTROPY);
    }

    /// Random bytes came; none when the host had none.
    pub(super) fn on_random(&mut self, id: u64, bytes: &[u8]) {
        match self.env.requests.take(RequestId(id)) {
            Some(Purpose::Random(Random::Code(command))) => self.on_code(command, bytes),
            Some(Purpose::Random(Random::Ask(number))) => self.ask_owner(number, bytes),
            Some(Purpose::Random(Random::Approval(turn))) => {
                self.turns
                    .on_approval_nonce(&mut self.env, turn, id, nonce(bytes));
            }
            _ => {}
        }
    }

    fn on_code(&mut self, command: Option<u64>, bytes: &[u8]) {
        let full = usize::try_from(pairing::ENTROPY).is_ok_and(|wanted| bytes.len() >= wanted);
        let now_ms = self.env.now.mono_ms;
        let code = self.access.pairing.make(now_ms, bytes);
        let Some(code) = code else {
            if full {
                // Numbers that would make some codes likelier than others: others, please.
                return self.want_code(command);
            }
            let line = "the host has no randomness for a pairing code";
            self.env.log(Level::Error, line);
            return self.reply_code(command, None);
        };
        self.env.set_timer(Timer::PairingCode, VALID_MS);
        if command.is_some() {
            self.env.log(Level::Info, "a new pairing code was made");
            return self.reply_code(command, Some(&code));
        }
        let minutes = VALID_MS / 60_000;
        let short = &code.short;
        let line = format!(
            "pairing code {short}: write /bind {short} to the bot in a private chat within {minutes} minutes"
        );
        // As a fact, not as a warning: warnings are kept, and shown to whoever asks for the status.
        self.env.log(Level::Info, line);
    }

    /// The time of a code is over.
    pub(super) fn on_code_over(&mut self) {
        if self.access.pairing.expire(self.env.now.mono_ms) {
            self.say_no_code("the pairing code was not used in time");
        }
    }

    fn say_no_code(&mut self, why: &str) {
        let name = &self.env.instance;
        let line = format!("{why}; `prx channel pair {name} code` makes a new one");
        self.env.log(Level::Warn, line);
    }

    /// Something of somebody who may not talk to the bot.
    pub(super) fn on_stranger(&mut self, inbound: &Inbound) {
        self.env.count("messages_passed_over", "not-allowed");
        let pairs = self.env.config.pairs();
        let line = format!(
            "{} {} of {} in {} {}: {}",
            inbound.occasion_word(),
            inbound.id,
            inbound.sender,
            inbound.scene.word(),
            inbound.target,
            if pairs {
                "not paired"
            } else {
                "not in allowed_users"
            }
        );
        self.env.log(Level::Info, line);
        if !pairs || !inbound.addressed {
            return;
        }
        match inbound.occasion {
            Occasion::Message => self.on_stranger_said(inbound),
            // Somebody added the bot: the first thing to know is how to ask.
            Occasion::Notice if inbound.scene.private() => self.hint(inbound),
            _ => {}
        }
    }

    fn on_stranger_said(&mut self, inbound: &Inbound) {
        let private = inbound.scene.private();
        match commands::read(&inbound.text).map(|(row, said)| (row.command, said)) {
            Some((Command::Bind, said)) => return self.on_bind(inbound, said),
            Some((Command::Whoami, _)) if private => {
                if self.may_tell(inbound, "whoami", ANSWER_MS) {
                    self.say_whoami(inbound);
                }
                return;
            }
            _ => {}
        }
        let new = self.access.asks.note(&mut self.env, inbound);
        if let Some(number) = new
            && self.access.bindings.owner().is_some()
            && self.may_tell(inbound, "owner", OWNER_MS)
        {
            self.env.ask_random(Random::Ask(number), NONCE);
        }
        self.hint(inbound);
    }

    /// True when this may be said to a stranger now. What concerns a place or the owner is said for all of them.
    fn may_tell(&mut self, inbound: &Inbound, what: &str, every_ms: u64) -> bool {
        let whom = match what {
            "owner" => String::new(),
            "group" => format!("{} {}", inbound.scene.word(), inbound.target),
            _ => format!("{} {}", inbound.scene.word(), inbound.sender),
        };
        let what = format!("{what} {whom}");
        self.access
            .courtesy
            .may(self.env.now.mono_ms, &what, every_ms)
    }

    /// How to ask, at most once in a while. Whoever was denied has been told.
    fn hint(&mut self, inbound: &Inbound) {
        if self.access.asks.denied(&Person::of(inbound)) {
            return;
        }
        let (what, text) = if inbound.scene.private() {
            ("hint", Text::PairHint)
        } else {
            ("group", Text::PairInPrivate)
        };
        if self.may_tell(inbound, what, HINT_MS) {
            self.say(inbound, text, &[]);
        }
    }

    /// Somebody says a code.
    pub(super) fn on_bind(&mut self, inbound: &Inbound, said: &str) {
        if !inbound.scene.private() {
            // Everybody there reads along, and the code is for one.
            if self.may_tell(inbound, "group", HINT_MS) {
                self.say(inbound, Text::PairInPrivate, &[]);
            }
            return;
        }
        let person = Person::of(inbound);
        let now_ms = self.env.now.mono_ms;
        let tried = self.access.pairing.attempt(now_ms, &person, said);
        let place = format!("{} in {}", inbound.sender, inbound.scene.word());
        let (what, every_ms, text, value) = match tried {
            Tried::Right => return self.on_right_code(inbound, person),
            Tried::Malformed => ("usage", ANSWER_MS, Text::PairUsage, 0),
            Tried::NoCode => ("no-code", ANSWER_MS, Text::PairNoCode, 0),
            Tried::Wrong(left) => {
                self.env
                    .log(Level::Info, format!("a wrong pairing code of {place}"));
                let what = ["wrong", "wrong 1", "wrong 2", "wrong 3", "wrong 4"];
                let what = what.get(usize::from(left)).copied().unwrap_or("wrong");
                (what, LOCKED_MS, Text::PairWrong, u64::from(left))
            }
            Tried::Locked(left_ms) => {
                let minutes = left_ms.div_ceil(60_000);
                ("locked", LOCKED_MS, Text::PairLocked, minutes)
            }
            Tried::TooShort => ("short", ANSWER_MS, Text::PairTooShort, 0),
            Tried::Guessed => {
                self.report_guessing();
                ("short", ANSWER_MS, Text::PairTooShort, 0)
            }
        };
        if self.may_tell(inbound, what, every_ms) {
            let value = value.to_string();
            self.say(inbound, text, &[("left", &value), ("minutes", &value)]);
        }
    }

    /// The short form of the code is not taken any more: the operator needs the long one.
    fn report_guessing(&mut self) {
        let line = "somebody guesses pairing codes: six digits are not enough any more";
        self.env.log(Level::Warn, line);
        if let Some(code) = self.access.pairing.long() {
            let line =
                format!("pairing code {code}: write /bind {code} to the bot in a private chat");
            self.env.log(Level::Info, line);
        }
    }

    fn on_right_code(&mut self, inbound: &Inbound, person: Person) {
        self.env.clear_timer(Timer::PairingCode);
        let text = match self.pair(person, How::Code, inbound) {
            Some(true) => Text::PairedOwner,
            Some(false) => Text::Paired,
            None => Text::PairFull,
        };
        self.say(inbound, text, &[]);
    }

    /// Lets somebody in who wrote this. True for the owner; `None` when there is no room.
    fn pair(&mut self, person: Person, how: How, inbound: &Inbound) -> Option<bool> {
        let binding = Binding {
            how,
            at_ms: self.env.now.wall_ms,
            owner: false,
            scene: inbound.scene,
            target: inbound.target.clone(),
            name: asks::harmless(&inbound.sender_name),
        };
        self.bind(person, binding)
    }

    /// Stores a binding. True for the owner; `None` when there is no room.
    fn bind(&mut self, person: Person, binding: Binding) -> Option<bool> {
        let how = binding.how.word();
        self.access.asks.forget(&mut self.env, &person);
        let openid = person.openid.clone();
        if !self
            .access
            .bindings
            .add(&mut self.env, person.clone(), binding)
        {
            let line = format!("{openid} cannot be paired: there is no room for more people");
            self.env.log(Level::Error, line);
            return None;
        }
        self.env.count("pairings", how);
        let owner = self.access.bindings.owner();
        let owner = owner.is_some_and(|(known, _)| *known == person);
        let line = format!("{openid} is paired, {how}");
        self.env.log(Level::Info, line);
        Some(owner)
    }

    /// Lets somebody in who asked, and says so there. `None` when there is no such request, or no room.
    pub(super) fn approve(&mut self, number: u32, how: How) -> Option<Ask> {
        let ask = self.access.asks.get(number)?.clone();
        let binding = Binding {
            how,
            at_ms: self.env.now.wall_ms,
            owner: false,
            scene: ask.scene,
            target: ask.target.clone(),
            name: ask.name.clone(),
        };
        let text = if self.bind(ask.person.clone(), binding)? {
            Text::PairedOwner
        } else {
            Text::Paired
        };
        let content = Content::Text(texts::text(self.env.config.language, text).to_owned());
        self.turns
            .tell(&mut self.env, ask.scene, &ask.target, content);
        Some(ask)
    }

    /// Asks the owner about somebody, with buttons where they can be shown.
    fn ask_owner(&mut self, number: u32, bytes: &[u8]) {
        let Some((_, owner)) = self.access.bindings.owner() else {
            return;
        };
        let (scene, target) = (owner.scene, owner.target.clone());
        let Some((ask, nonce)) = self.access.asks.get(number).cloned().zip(nonce(bytes)) else {
            return;
        };
        let (language, id) = (self.env.config.language, number.to_string());
        let values = [
            ("who", ask.sentence()),
            ("id", id),
            ("name", self.env.instance.clone()),
        ];
        let values = values
            .each_ref()
            .map(|(name, value)| (*name, value.as_str()));
        let choice = |label, pressed, word: &str| Choice {
            label: texts::text(language, label),
            pressed: texts::text(language, pressed),
            data: format!("{OWNER_BUTTON}{word}:{number}:{nonce}"),
        };
        let question = Question {
            text: texts::filled(language, Text::AskOwner, &values),
            otherwise: texts::filled(language, Text::AskOwnerHow, &values),
            yes: choice(Text::Approve, Text::Approved, "yes"),
            no: choice(Text::Deny, Text::Denied, "no"),
            who: WhoMay::Everyone,
        };
        let content = self.turns.question(&self.env, scene, &target, &question);
        self.turns.tell(&mut self.env, scene, &target, content);
        self.access.asks.set_nonce(&mut self.env, number, nonce);
    }

    /// The owner's card was pressed, by whomever. Returns what the press is acknowledged with.
    pub(super) fn on_owner_pressed(&mut self, press: &Interaction, carried: &str) -> u8 {
        let owner = self.access.bindings.owner().map(|(person, _)| person);
        let actor = press
            .scene
            .map(|scene| Person::new(scene, press.user.as_str()));
        if owner.is_none() || actor.as_ref() != owner {
            let line = format!("{} pressed a button that is the owner's", press.user);
            self.env.log(Level::Warn, line);
            return PRESS_NOT_ALLOWED;
        }
        let mut parts = carried.splitn(3, ':');
        let (answer, number, nonce) = (parts.next(), parts.next(), parts.next());
        let number = number.and_then(|number| number.parse::<u32>().ok());
        let live = number.zip(nonce);
        let Some((number, _)) =
            live.filter(|(number, nonce)| self.access.asks.is_live(*number, nonce))
        else {
            return PRESS_REPEATED;
        };
        let (ask, text) = if answer == Some("yes") {
            (self.approve(number, How::Owner), Text::AskApproved)
        } else {
            let ask = self.access.asks.deny(&mut self.env, number);
            (ask, Text::AskDenied)
        };
        let (who, text) = match ask {
            Some(ask) => (ask.sentence(), text),
            None => (String::new(), Text::PairFull),
        };
        if let Ok(inbound) = Inbound::press(press, self.env.platform_ms()) {
            self.say(&inbound, text, &[("who", &who)]);
        }
        PRESS_TAKEN
    }

    /// Replies to a message with a text of the channel's own.
    pub(super) fn say(&mut self, inbound: &Inbound, text: Text, values: &[(&str, &str)]) {
        let text = texts::filled(self.env.config.language, text, values);
        self.turns.say(&mut self.env, inbound, Content::Text(text));
    }
}

/// Random bytes as a word; `None` when there are too few.
fn nonce(bytes: &[u8]) -> Option<String> {
    let enough = usize::try_from(NONCE).is_ok_and(|wanted| bytes.len() >= wanted);
    enough.then(|| bytes.iter().map(|byte| format!("{byte:02x}")).collect())
}
