//! Inbound messages that nobody wrote: a button was pressed, somebody reacted, something happened that calls for a
//! word. They are replied to under the outer id of their event.

use crate::bindings::Occasion;
use crate::events::interaction::Interaction;
use crate::events::reaction::{Reaction, Target};
use crate::events::relation::{Relation, What};
use crate::ids::{MessageId, OpenId};
use crate::scene::Scene;

use super::message::not_in_the_future;
use super::{Anchor, Inbound, NotAMessage, Quoted, faces};

const ADDED_TO_GROUP: &str =
    "You were added to this group. Greet its members briefly and say what you can do.";
const ADDED_AS_CONTACT: &str =
    "This person has just added you as a contact. Greet them briefly and say what you can do.";

struct Happened<'a> {
    occasion: Occasion,
    scene: Scene,
    target: OpenId,
    guild: String,
    event_id: &'a str,
    /// A name for it where the event has no id of its own.
    otherwise: String,
    sender: OpenId,
    text: String,
    quoted: Option<Quoted>,
    sent_ms: u64,
}

impl Inbound {
    /// What it is, for the log.
    #[must_use]
    pub fn occasion_word(&self) -> &'static str {
        match self.occasion {
            Occasion::Message => "message",
            Occasion::Press => "press",
            Occasion::Reaction => "reaction",
            Occasion::Notice => "notice",
        }
    }

    /// A button that was pressed, or an entry of the menu: the text is what it carries.
    ///
    /// # Errors
    /// When nobody waits for an answer, or it does not say who, where or what.
    pub fn press(interaction: &Interaction, platform_ms: u64) -> Result<Self, NotAMessage> {
        let (scene, target) = interaction.place().ok_or(NotAMessage::Incomplete)?;
        let carried = [
            &interaction.button_data,
            &interaction.button_id,
            &interaction.feature_id,
        ];
        let text = super::first_filled(carried);
        if !interaction.waits() || text.is_empty() {
            return Err(NotAMessage::Empty);
        }
        Self::happened(Happened {
            occasion: Occasion::Press,
            scene,
            target,
            guild: interaction.guild.clone(),
            event_id: &interaction.event_id,
            otherwise: interaction.id.clone(),
            sender: OpenId(interaction.user.clone()),
            text,
            // Buttons stand below messages of the bot's.
            quoted: interaction.about().map(|id| own_message(&id, "")),
            sent_ms: not_in_the_future(interaction.at_ms, platform_ms),
        })
    }

    /// A reaction to a message of the bot's, whose text is `quoted`, as far as it is known.
    ///
    /// # Errors
    /// When it was taken back, or is no reaction to a message.
    pub fn reaction(
        reaction: &Reaction,
        event_id: &str,
        quoted: &str,
        platform_ms: u64,
    ) -> Result<Self, NotAMessage> {
        if !reaction.added || reaction.target != Target::Message {
            return Err(NotAMessage::Empty);
        }
        let emoji = faces::emoji(reaction);
        Self::happened(Happened {
            occasion: Occasion::Reaction,
            scene: Scene::Channel,
            target: reaction.channel.clone(),
            guild: reaction.guild.clone(),
            event_id,
            otherwise: format!("{}:{}:{emoji}", reaction.message_id, reaction.user),
            sender: reaction.user.clone(),
            text: emoji,
            quoted: Some(own_message(&reaction.message_id, quoted)),
            sent_ms: platform_ms,
        })
    }

    /// A place that the operator writes to, as if it had asked.
    #[must_use]
    pub fn of_operator(scene: Scene, target: OpenId, platform_ms: u64) -> Self {
        Self {
            occasion: Occasion::Notice,
            anchor: Anchor::Nothing,
            scene,
            target,
            guild: String::new(),
            id: MessageId(String::new()),
            index: String::new(),
            sender: OpenId(String::new()),
            sender_name: String::new(),
            sender_role: String::new(),
            addressed: true,
            text: String::new(),
            quoted: None,
            before: Vec::new(),
            attached: Vec::new(),
            sent_ms: platform_ms,
        }
    }

    /// That the bot came to a group, or to a person, in words.
    ///
    /// # Errors
    /// When it is something that calls for no word, or does not say who did it.
    pub fn notice(
        relation: &Relation,
        event_id: &str,
        platform_ms: u64,
    ) -> Result<Self, NotAMessage> {
        let text = match (relation.what, relation.scene) {
            (What::BotAdded, Scene::Group) => ADDED_TO_GROUP,
            (What::BotAdded, Scene::C2c) => ADDED_AS_CONTACT,
            _ => return Err(NotAMessage::Empty),
        };
        let sent_ms = not_in_the_future(relation.at_ms, platform_ms);
        Self::happened(Happened {
            occasion: Occasion::Notice,
            scene: relation.scene,
            target: relation.target.clone(),
            guild: String::new(),
            event_id,
            otherwise: format!("added:{}:{sent_ms}", relation.target),
            sender: relation.user.clone(),
            text: text.to_owned(),
            quoted: None,
            sent_ms,
        })
    }

    fn happened(happened: Happened<'_>) -> Result<Self, NotAMessage> {
        if happened.sender.as_str().is_empty() || happened.target.as_str().is_empty() {
            return Err(NotAMessage::Incomplete);
        }
        // Without an outer id it can still be told apart from others, but not be replied to.
        let (anchor, id) = match happened.event_id {
            "" => (Anchor::Nothing, happened.otherwise),
            event_id => (Anchor::Event, event_id.to_owned()),
        };
        Ok(Self {
            occasion: happened.occasion,
            anchor,
            scene: happened.scene,
            target: happened.target,
            guild: happened.guild,
            id: MessageId(id),
            index: String::new(),
            sender: happened.sender,
            sender_name: String::new(),
            sender_role: String::new(),
            addressed: true,
            text: happened.text,
            quoted: happened.quoted,
            before: Vec::new(),
            attached: Vec::new(),
            sent_ms: happened.sent_ms,
        }
        .bounded())
    }
}

fn own_message(id: &MessageId, text: &str) -> Quoted {
    Quoted {
        author: String::new(),
        text: text.to_owned(),
        by_bot: true,
        index: id.as_str().to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use crate::events::{interaction, reaction, relation};

    use super::*;

    fn press(rest: &str) -> Result<Inbound, NotAMessage> {
        let body = format!(
            r#"{{"id":"i","scene":"group","group_openid":"G","group_member_openid":"M",{rest}}}"#
        );
        let interaction = interaction::read(&body, "INTERACTION_CREATE:i2").unwrap();
        Inbound::press(&interaction, 1_800_000_000_000)
    }

    #[test]
    fn a_button_says_what_it_carries_and_is_replied_to_under_the_outer_id() {
        let inbound = press(
            r#""type":11,"data":{"resolved":{"button_data":"approve:42","button_id":"1"}},"timestamp":"2026-07-21T10:40:00+08:00""#,
        )
        .unwrap();
        assert_eq!(
            (inbound.occasion, inbound.anchor),
            (Occasion::Press, Anchor::Event)
        );
        assert_eq!(inbound.id.as_str(), "INTERACTION_CREATE:i2");
        assert_eq!(
            (inbound.target.as_str(), inbound.sender.as_str()),
            ("G", "M")
        );
        assert_eq!(inbound.text, "approve:42");
        assert_eq!(inbound.deadline_ms(), 1_784_601_600_000 + 300_000);
        assert_eq!(inbound.for_agent().occasion, Occasion::Press);
    }

    #[test]
    fn a_menu_says_which_entry_and_other_interactions_say_nothing() {
        assert_eq!(
            press(r#""type":12,"data":{"resolved":{"feature_id":"7"}}"#)
                .unwrap()
                .text,
            "7"
        );
        assert_eq!(press(r#""type":11,"data":{}"#), Err(NotAMessage::Empty));
        assert_eq!(
            press(r#""type":13,"data":{"resolved":{"button_data":"x"}}"#),
            Err(NotAMessage::Empty)
        );
    }

    #[test]
    fn a_reaction_quotes_the_message_that_it_is_about() {
        let body = r#"{"user_id":"1","guild_id":"9","channel_id":"2","target":{"id":"08","type":0},"emoji":{"id":"128077","type":2}}"#;
        let read = reaction::read(body, true).unwrap();
        let inbound = Inbound::reaction(&read, "MESSAGE_REACTION_ADD:a", "Shall I?", 5).unwrap();
        let told = inbound.for_agent();
        assert_eq!((told.text.as_str(), told.sent_wall_ms), ("👍", 5));
        let quoted = told.quoted.unwrap();
        assert!(quoted.by_bot);
        assert_eq!(quoted.text.as_deref(), Some("Shall I?"));
        let gone = reaction::read(body, false).unwrap();
        assert_eq!(
            Inbound::reaction(&gone, "e", "", 5),
            Err(NotAMessage::Empty)
        );
        let nameless = Inbound::reaction(&read, "", "", 5).unwrap();
        assert_eq!(
            (nameless.anchor, nameless.id.as_str()),
            (Anchor::Nothing, "08:1:👍")
        );
    }

    #[test]
    fn being_added_is_worth_a_greeting_and_being_removed_is_not() {
        let group = r#"{"timestamp":1699240248,"group_openid":"G","op_member_openid":"A"}"#;
        let read = |what| relation::read(group, what, Scene::Group).unwrap();
        let inbound = Inbound::notice(
            &read(What::BotAdded),
            "GROUP_ADD_ROBOT:x",
            1_699_240_249_000,
        )
        .unwrap();
        assert_eq!(
            (inbound.text.as_str(), inbound.sent_ms),
            (ADDED_TO_GROUP, 1_699_240_248_000)
        );
        assert!(inbound.addressed);
        assert_eq!(
            Inbound::notice(&read(What::BotRemoved), "e", 0),
            Err(NotAMessage::Empty)
        );
        let person = relation::read(r#"{"openid":"A"}"#, What::BotAdded, Scene::C2c).unwrap();
        assert_eq!(
            Inbound::notice(&person, "FRIEND_ADD:x", 0).unwrap().text,
            ADDED_AS_CONTACT
        );
    }
}
