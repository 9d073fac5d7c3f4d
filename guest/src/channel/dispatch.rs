//! Gateway event -> dedup -> access rules -> turn.

use crate::access;
use crate::bindings::{Action, TurnContext};
use crate::env::Level;
use crate::events::{self, Kind};
use crate::gateway::frame::Frame;
use crate::inbound::{Inbound, NotAMessage};

use super::Channel;

impl Channel {
    /// Takes one gateway event. Whatever it is, it is counted and never fatal.
    pub(super) fn dispatch(&mut self, frame: &Frame<'_>) {
        let platform_ms = self.env.platform_ms();
        let message = match events::kind(&frame.event) {
            Kind::C2cMessage => Inbound::c2c(&frame.body, platform_ms),
            Kind::GroupAtMessage => Inbound::group(&frame.body, true, platform_ms),
            Kind::GroupMessage => Inbound::group(&frame.body, false, platform_ms),
            Kind::ChannelAtMessage => {
                Inbound::channel(&frame.body, true, self.gateway.bot_id(), platform_ms)
            }
            Kind::ChannelMessage => {
                Inbound::channel(&frame.body, false, self.gateway.bot_id(), platform_ms)
            }
            Kind::DirectMessage => Inbound::dm(&frame.body, self.gateway.bot_id(), platform_ms),
            Kind::Unknown => {
                self.env.count("events", "unknown");
                self.env.log(
                    Level::Info,
                    format!(
                        "event {:?} is unknown to this version; counted",
                        frame.event
                    ),
                );
                return;
            }
            _ => {
                self.env.count("events", "counted");
                return;
            }
        };
        match message {
            Ok(inbound) => self.on_message(inbound),
            Err(reason) => {
                let label = match reason {
                    NotAMessage::Incomplete => "incomplete",
                    NotAMessage::FromABot => "from-a-bot",
                    NotAMessage::Empty => "empty",
                };
                self.env.count("messages_passed_over", label);
                self.env.log(
                    Level::Debug,
                    format!("{} {}: {label}", frame.event, frame.id),
                );
            }
        }
    }

    fn on_message(&mut self, inbound: Inbound) {
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
            self.env.log(
                Level::Debug,
                format!("message {} was taken before", inbound.id),
            );
            return;
        }
        if !access::allowed(&self.env.config.allowed_users, &inbound) {
            self.env.count("messages_passed_over", "not-allowed");
            self.env.log(
                Level::Info,
                format!(
                    "message {} of {} in {} {}: not in allowed_users",
                    inbound.id,
                    inbound.sender,
                    inbound.scene.word(),
                    inbound.target
                ),
            );
            return;
        }
        if !inbound.addressed && self.env.config.mention_only {
            let conversation = inbound.conversation(&self.env.config);
            self.env.emit_after_commit(Action::TurnContext(TurnContext {
                conversation,
                message: inbound.for_agent(),
            }));
            return;
        }
        self.env.count("messages", inbound.scene.word());
        self.turns.accept(&mut self.env, inbound);
    }
}
