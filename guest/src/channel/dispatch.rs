//! Gateway event -> dedup -> access rules -> turn, or whatever else an event is for.

use crate::bindings::{Action, TurnContext};
use crate::config::AiNotice;
use crate::env::Level;
use crate::events::relation::{self, What};
use crate::events::{self, Kind, audit, deletion, guild, interaction, reaction};
use crate::gateway::frame::Frame;
use crate::ids::OpenId;
use crate::inbound::{Inbound, NotAMessage};
use crate::requests::{Body, Lane, Purpose};
use crate::scene::{Scene, segment};
use crate::turns::APPROVAL_BUTTON;

use super::Channel;
use super::pairing::OWNER_BUTTON;

/// Answers to a press (`PROTOCOL.md`, "Interactions").
pub(super) const PRESS_TAKEN: u8 = 0;
/// It was answered before, or is too old to be answered.
pub(super) const PRESS_REPEATED: u8 = 3;
/// The person may not press it.
pub(super) const PRESS_NOT_ALLOWED: u8 = 4;
/// The entry of a menu that begins a conversation anew.
const CLEAR_SESSION: u32 = 14;
/// A day.
const DAY_MS: u64 = 24 * 3_600_000;
/// How far the clocks of the platform's users are ahead of UTC: their days begin at their midnight.
const CHINA_MS: u64 = 8 * 3_600_000;

impl Channel {
    /// Takes one gateway event. Whatever it is, it is counted and never fatal.
    pub(super) fn dispatch(&mut self, frame: &Frame<'_>) {
        let (body, platform_ms) = (&*frame.body, self.env.platform_ms());
        let bot = self.gateway.bot_id();
        let message = match events::kind(&frame.event) {
            Kind::C2cMessage => Inbound::c2c(body, platform_ms),
            Kind::GroupAtMessage => Inbound::group(body, true, platform_ms),
            Kind::GroupMessage => Inbound::group(body, false, platform_ms),
            Kind::ChannelAtMessage => Inbound::channel(body, true, bot, platform_ms),
            Kind::ChannelMessage => Inbound::channel(body, false, bot, platform_ms),
            Kind::DirectMessage => Inbound::dm(body, bot, platform_ms),
            other => return self.on_event(other, frame),
        };
        match message {
            Ok(inbound) => self.on_message(inbound),
            Err(reason) => self.passed_over(frame, reason),
        }
    }

    fn passed_over(&mut self, frame: &Frame<'_>, reason: NotAMessage) {
        let label = match reason {
            NotAMessage::Incomplete => "incomplete",
            NotAMessage::FromABot => "from-a-bot",
            NotAMessage::Empty => "empty",
        };
        self.env.count("messages_passed_over", label);
        let line = format!("{} {}: {label}", frame.event, frame.id);
        self.env.log(Level::Debug, line);
    }

    /// What is no message. Each event is taken once, under its outer id; what it changes is stored with that.
    fn on_event(&mut self, kind: Kind, frame: &Frame<'_>) {
        if !self.dedup.take(&mut self.env, &[&*frame.id]) {
            self.env.count("events", "repeated");
            return;
        }
        let (body, env) = (&*frame.body, &mut self.env);
        let read =
            match kind {
                Kind::Deletion(scene) => deletion::read(body, scene).map(|deletion| {
                    let (target, id) = (deletion.target.as_str(), deletion.message_id.as_str());
                    self.turns.recent.forget(env, scene, target, id);
                    self.turns.on_recalled(env, id);
                }),
                Kind::Audit { passed } => audit::read(body, passed).map(|audit| {
                    self.turns.ledger.on_reviewed(env, &audit.id, audit.passed);
                }),
                Kind::Guild(change) => guild::read_guild(body, change)
                    .map(|change| self.turns.places.on_guild(env, &change)),
                Kind::Channel(change) => guild::read_channel(body, change)
                    .map(|change| self.turns.places.on_channel(env, &change)),
                Kind::Reaction { added } => {
                    reaction::read(body, added).map(|reaction| self.on_reaction(&reaction, frame))
                }
                Kind::Interaction => interaction::read(body, &frame.id)
                    .map(|press| self.on_interaction(&press, frame)),
                Kind::Relation(what, scene) => relation::read(body, what, scene)
                    .map(|relation| self.on_relation(&relation, frame)),
                Kind::Unknown => {
                    env.count("events", "unknown");
                    let line = format!(
                        "event {:?} is unknown to this version; counted",
                        frame.event
                    );
                    env.log(Level::Info, line);
                    return;
                }
                // Nobody asked what they say, and nothing here depends on it.
                _ => Some(()),
            };
        let label = if read.is_some() {
            "taken"
        } else {
            "unreadable"
        };
        self.env.count("events", label);
    }

    /// A reaction to one of the bot's own messages is a turn; any other is somebody else's business.
    fn on_reaction(&mut self, reaction: &reaction::Reaction, frame: &Frame<'_>) {
        let (channel, message) = (reaction.channel.as_str(), reaction.message_id.as_str());
        let (wall_ms, recent) = (self.env.now.wall_ms, &mut self.turns.recent);
        let said = recent.find(wall_ms, Scene::Channel, channel, message);
        let Some(text) = said
            .filter(|said| said.own.is_some())
            .map(|said| said.text.clone())
        else {
            return;
        };
        let platform_ms = self.env.platform_ms();
        match Inbound::reaction(reaction, &frame.id, &text, platform_ms) {
            Ok(inbound) => self.on_occasion(inbound),
            Err(reason) => self.passed_over(frame, reason),
        }
    }

    /// A press is acknowledged at once, whatever else is under way: the person's screen waits for it.
    fn on_interaction(&mut self, press: &interaction::Interaction, frame: &Frame<'_>) {
        let mut press = press.clone();
        // The event does not tell a direct message session from a channel; what the bot said where the button is does.
        if press.scene == Some(Scene::Channel)
            && self
                .turns
                .recent
                .latest_own(Scene::Dm, &press.guild)
                .is_some()
        {
            press.scene = Some(Scene::Dm);
            press.target.clone_from(&press.guild);
        }
        let press = &press;
        if press.waits()
            && let Some(code) = self.on_own_button(press)
        {
            return self.acknowledge(press, code);
        }
        let inbound = Inbound::press(press, self.env.platform_ms());
        if press.waits() {
            let allowed = inbound
                .as_ref()
                .is_ok_and(|inbound| self.access.allows(&self.env.config, inbound));
            let code = if allowed {
                PRESS_TAKEN
            } else {
                PRESS_NOT_ALLOWED
            };
            self.acknowledge(press, code);
        }
        if press.kind == CLEAR_SESSION {
            return self.clear_session(press);
        }
        match inbound {
            Ok(inbound) => self.on_occasion(inbound),
            Err(reason) => self.passed_over(frame, reason),
        }
    }

    /// A button of the channel's own. Returns what the press is acknowledged with; `None` for any other button.
    fn on_own_button(&mut self, press: &interaction::Interaction) -> Option<u8> {
        if let Some(carried) = press.button_data.strip_prefix(OWNER_BUTTON) {
            return Some(self.on_owner_pressed(press, carried));
        }
        let carried = press.button_data.strip_prefix(APPROVAL_BUTTON)?;
        let inbound = Inbound::press(press, self.env.platform_ms()).ok();
        let allowed = inbound.filter(|inbound| self.access.allows(&self.env.config, inbound));
        let Some(actor) = allowed else {
            return Some(PRESS_NOT_ALLOWED);
        };
        let decided = self
            .turns
            .on_pressed_decision(&mut self.env, &actor, carried);
        Some(match decided {
            Some(true) => PRESS_TAKEN,
            Some(false) => PRESS_NOT_ALLOWED,
            None => PRESS_REPEATED,
        })
    }

    fn acknowledge(&mut self, press: &interaction::Interaction, code: u8) {
        if self.env.requests.room(Lane::Acks) == 0 {
            return self.env.count("presses", "not-acknowledged");
        }
        let path = format!("/interactions/{}", segment(&press.id));
        let body = Body::Json(format!("{{\"code\":{code}}}"));
        self.env.call_api(Purpose::Ack, "PUT", &path, body, false);
    }

    /// The person wants to begin anew: what was said before is forgotten.
    fn clear_session(&mut self, press: &interaction::Interaction) {
        let Some((scene, target)) = press.place() else {
            return;
        };
        let mut person = Inbound::of_operator(scene, target, self.env.platform_ms());
        person.sender.0.clone_from(&press.user);
        person.guild.clone_from(&press.guild);
        if !self.access.allows(&self.env.config, &person) {
            return;
        }
        let conversation = person.conversation(&self.env.config);
        self.env
            .emit_after_commit(Action::ConversationReset(conversation));
    }

    /// Something between the bot, a person and a group: the picture changes, and a newcomer is greeted.
    fn on_relation(&mut self, relation: &relation::Relation, frame: &Frame<'_>) {
        self.turns.places.on_relation(&mut self.env, relation);
        let line = format!(
            "{} in {} {}",
            frame.event,
            relation.scene.word(),
            relation.target
        );
        self.env.log(Level::Info, line);
        if relation.what != What::BotAdded {
            return;
        }
        match Inbound::notice(relation, &frame.id, self.env.platform_ms()) {
            Ok(inbound) => self.on_occasion(inbound),
            Err(reason) => self.passed_over(frame, reason),
        }
    }

    fn on_message(&mut self, mut inbound: Inbound) {
        // An index is a name within its conversation only.
        let index = match inbound.index.as_str() {
            "" => String::new(),
            index => format!("{}:{}:{index}", inbound.scene.word(), inbound.target),
        };
        if !self
            .dedup
            .take(&mut self.env, &[inbound.id.as_str(), &index])
        {
            self.env.count("messages_passed_over", "repeated");
            let line = format!("message {} was taken before", inbound.id);
            return self.env.log(Level::Debug, line);
        }
        if !self.access.allows(&self.env.config, &inbound) {
            return self.on_stranger(&inbound);
        }
        self.turns
            .places
            .heard_from(&mut self.env, inbound.scene, inbound.target.as_str());
        inbound.resolve(&mut self.turns.recent, self.env.now.wall_ms);
        if self.on_chat_command(&inbound) {
            return;
        }
        if !inbound.addressed && self.env.config.mention_only {
            self.turns.recent.heard(&mut self.env, &inbound);
            let conversation = inbound.conversation(&self.env.config);
            self.env.emit_after_commit(Action::TurnContext(TurnContext {
                conversation,
                message: inbound.for_agent(),
            }));
            return;
        }
        self.hear_what_was_before(&mut inbound);
        self.accept(inbound);
    }

    /// In some groups the event of a message brings what was said before it. Each is context, once.
    fn hear_what_was_before(&mut self, inbound: &mut Inbound) {
        for before in std::mem::take(&mut inbound.before) {
            let name = format!(
                "{}:{}:{}",
                inbound.scene.word(),
                inbound.target,
                before.index
            );
            let fresh = self.dedup.take(&mut self.env, &[&name]);
            if !fresh || before.by_bot || before.text.is_empty() {
                continue;
            }
            let message = Inbound {
                sender: OpenId(String::new()),
                sender_name: before.author,
                addressed: false,
                text: before.text,
                quoted: None,
                attached: Vec::new(),
                ..inbound.clone()
            };
            self.env.emit_after_commit(Action::TurnContext(TurnContext {
                conversation: inbound.conversation(&self.env.config),
                message: message.for_agent(),
            }));
        }
    }

    /// A turn that nobody wrote a message for.
    fn on_occasion(&mut self, mut inbound: Inbound) {
        if !self.access.allows(&self.env.config, &inbound) {
            return self.on_stranger(&inbound);
        }
        inbound.resolve(&mut self.turns.recent, self.env.now.wall_ms);
        self.accept(inbound);
    }

    fn accept(&mut self, inbound: Inbound) {
        self.env.count("messages", inbound.scene.word());
        let label = match self.env.config.ai_notice {
            AiNotice::Off => false,
            AiNotice::Always => true,
            AiNotice::First => {
                // The day is part of the name: names are remembered for as long as the process runs.
                let day = self.env.platform_ms().saturating_add(CHINA_MS) / DAY_MS;
                let conversation = inbound.conversation(&self.env.config);
                let name = format!("label:{day}:{conversation}");
                self.dedup.take(&mut self.env, &[&name])
            }
        };
        self.turns.accept(&mut self.env, inbound, label);
    }
}
