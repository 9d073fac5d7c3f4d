//! Reading any event with the reader that its name asks for.

use std::fmt::Debug;

use qq_channel::events::{self, Kind, audit, deletion, guild, interaction, reaction, relation};
use qq_channel::inbound::{Inbound, NotAMessage};
use qq_channel::scene::Scene;
use serde_json::Value;

/// What the platform's clock says: after everything that is recorded.
pub(crate) const NOW_MS: u64 = 1_800_000_000_000;
/// The bot's id in guilds.
pub(crate) const BOT: &str = "6158788878435714165";

/// The message that an event with this name has in its body. `None` for events that are no messages.
pub(crate) fn message(name: &str, body: &str) -> Option<Result<Inbound, NotAMessage>> {
    Some(match events::kind(name) {
        Kind::C2cMessage => Inbound::c2c(body, NOW_MS),
        Kind::GroupAtMessage => Inbound::group(body, true, NOW_MS),
        Kind::GroupMessage => Inbound::group(body, false, NOW_MS),
        Kind::ChannelAtMessage => Inbound::channel(body, true, BOT, NOW_MS),
        Kind::ChannelMessage => Inbound::channel(body, false, BOT, NOW_MS),
        Kind::DirectMessage => Inbound::dm(body, BOT, NOW_MS),
        _ => return None,
    })
}

/// What the event is turned into where it calls for an answer.
pub(crate) fn occasion(name: &str, id: &str, body: &str) -> Option<Result<Inbound, NotAMessage>> {
    Some(match events::kind(name) {
        Kind::Interaction => Inbound::press(&interaction::read(body, id)?, NOW_MS),
        Kind::Reaction { added } => {
            Inbound::reaction(&reaction::read(body, added)?, id, "what it said", NOW_MS)
        }
        Kind::Relation(what, scene) => {
            Inbound::notice(&relation::read(body, what, scene)?, id, NOW_MS)
        }
        _ => return None,
    })
}

/// Everything that is read of an event, written out.
pub(crate) fn everything(name: &str, id: &str, body: &str) -> String {
    fn written(read: &impl Debug) -> String {
        format!("{read:?}")
    }
    match events::kind(name) {
        Kind::Deletion(scene) => written(&deletion::read(body, scene)),
        Kind::Reaction { added } => written(&reaction::read(body, added)),
        Kind::Interaction => written(&interaction::read(body, id)),
        Kind::Relation(what, scene) => written(&relation::read(body, what, scene)),
        Kind::Subscription => written(&relation::read_subscription(body)),
        Kind::Guild(change) => written(&guild::read_guild(body, change)),
        Kind::Channel(change) => written(&guild::read_channel(body, change)),
        Kind::Member(change) => written(&guild::read_member(body, change)),
        Kind::Audit { passed } => written(&audit::read(body, passed)),
        Kind::Audio | Kind::LiveMember | Kind::Forum => written(&guild::read_happening(body)),
        Kind::Unknown => String::new(),
        _ => written(&message(name, body)),
    }
}

/// One event of every kind, for reading bodies with readers that they are not meant for.
pub(crate) const ONE_OF_EACH: &[&str] = &[
    "C2C_MESSAGE_CREATE",
    "GROUP_AT_MESSAGE_CREATE",
    "GROUP_MESSAGE_CREATE",
    "AT_MESSAGE_CREATE",
    "MESSAGE_CREATE",
    "DIRECT_MESSAGE_CREATE",
    "MESSAGE_DELETE",
    "DIRECT_MESSAGE_DELETE",
    "MESSAGE_REACTION_ADD",
    "INTERACTION_CREATE",
    "FRIEND_ADD",
    "GROUP_ADD_ROBOT",
    "GROUP_JOIN_REQUEST",
    "SUBSCRIBE_MESSAGE_STATUS",
    "GUILD_UPDATE",
    "CHANNEL_UPDATE",
    "GUILD_MEMBER_UPDATE",
    "MESSAGE_AUDIT_PASS",
    "AUDIO_START",
];

/// Nothing that is made of an event is larger than what came in allows, and none of its parts than its limit.
pub(crate) fn assert_bounded(inbound: &Inbound, body: &str) {
    let chars = |text: &str| text.chars().count();
    assert!(chars(&inbound.text) <= 65_536 + 1 + 4_000);
    assert!(chars(&inbound.sender_name) <= 64 && chars(inbound.id.as_str()) <= 2_048);
    assert!(inbound.attached.len() <= 64);
    for attached in &inbound.attached {
        assert!(chars(&attached.name) <= 120 && attached.url.len() <= 8_200);
        assert!(attached.url.is_empty() || attached.url.to_lowercase().starts_with("http"));
        assert_ne!(attached.wanted().is_some(), !attached.missing.is_empty());
    }
    if let Some(quoted) = &inbound.quoted {
        assert!(chars(&quoted.text) <= 4_000);
    }
    let written = serde_json::to_string(inbound).unwrap().len();
    assert!(
        written <= 20_000 + 64 * body.len(),
        "{written} of {}",
        body.len()
    );
    let told = inbound.for_agent();
    assert_eq!(
        (told.occasion, told.scene.as_str()),
        (inbound.occasion, inbound.scene.word())
    );
    assert_eq!(
        told.private,
        matches!(inbound.scene, Scene::C2c | Scene::Dm)
    );
}

/// A frame that is recorded in this folder.
#[derive(Debug)]
pub(crate) struct Frame {
    pub(crate) name: String,
    pub(crate) event: String,
    pub(crate) id: String,
    pub(crate) body: Value,
}

/// All recorded frames, by file name.
pub(crate) fn frames() -> Vec<Frame> {
    let folder = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/recorded");
    let mut frames: Vec<Frame> = std::fs::read_dir(folder)
        .unwrap()
        .map(|entry| entry.unwrap().path())
        .filter(|path| {
            path.extension()
                .is_some_and(|extension| extension == "json")
        })
        .map(|path| {
            let text = std::fs::read_to_string(&path).unwrap();
            let frame = qq_channel::gateway::frame::read(&text).unwrap();
            Frame {
                name: path.file_stem().unwrap().to_str().unwrap().to_owned(),
                event: frame.event.to_string(),
                id: frame.id.to_string(),
                body: serde_json::from_str(&frame.body).unwrap(),
            }
        })
        .collect();
    frames.sort_by(|one, other| one.name.cmp(&other.name));
    frames
}
