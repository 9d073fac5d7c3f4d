//! What is known of the places that the bot talks in: their names, whether it is still there, and whether it may write
//! there on its own account.
//!
//! One stored entry for each place, written only when something about it changes.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use crate::env::Env;
use crate::events::Change;
use crate::events::guild::{ChannelChange, GuildChange};
use crate::events::relation::{Relation, What};
use crate::scene::Scene;
use crate::state::Entries;

/// Places remembered; the one untouched longest goes.
pub const CAPACITY: usize = 2_000;
/// Where they are stored: the kind of place and its id follow.
const PREFIX: &str = "place/";
/// The kind of place that is no scene: one does not write to a guild, but to its channels.
const GUILD: &str = "guild";

#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
struct Place {
    name: String,
    /// The guild that a channel belongs to.
    guild: String,
    /// The bot was removed, or the place is no more.
    gone: bool,
    /// Whether the bot may write on its own account; `None` until somebody switched it.
    proactive: Option<bool>,
    /// When something was last heard of it, wall-clock milliseconds. Stored only along with something else.
    touched_ms: u64,
}

impl Place {
    fn says_nothing(&self) -> bool {
        self.name.is_empty() && self.guild.is_empty() && !self.gone && self.proactive.is_none()
    }

    fn same_as(&self, other: &Self) -> bool {
        (&self.name, &self.guild, self.gone, self.proactive)
            == (&other.name, &other.guild, other.gone, other.proactive)
    }
}

/// The places.
#[derive(Clone, Debug, Default)]
pub struct Places {
    /// By kind and id, as in the store.
    places: BTreeMap<String, Place>,
}

impl Places {
    /// What earlier processes learned.
    #[must_use]
    pub fn restore(entries: &Entries) -> Self {
        let places = entries
            .under(PREFIX)
            .filter_map(|(key, bytes)| Some((key.to_owned(), serde_json::from_slice(bytes).ok()?)));
        Self {
            places: places.collect(),
        }
    }

    /// Something between the bot and a person or a group changed.
    pub fn on_relation(&mut self, env: &mut Env, relation: &Relation) {
        let apply: fn(&mut Place) = match relation.what {
            // Whatever was switched before, it was in another life.
            What::BotAdded => |place| (place.gone, place.proactive) = (false, None),
            What::BotRemoved => |place| place.gone = true,
            What::ProactiveOff => |place| (place.gone, place.proactive) = (false, Some(false)),
            What::ProactiveOn => |place| (place.gone, place.proactive) = (false, Some(true)),
            What::ChatOpened => |place| place.gone = false,
            What::MemberJoined | What::MemberLeft | What::MemberAsks => return,
        };
        self.change(env, key(relation.scene, relation.target.as_str()), apply);
    }

    /// Forgets a place.
    pub fn forget(&mut self, env: &mut Env, scene: Scene, target: &str) {
        self.drop_place(env, &key(scene, target));
    }

    /// The platform said of a message that the bot is not there any more.
    pub fn lost(&mut self, env: &mut Env, scene: Scene, target: &str) {
        self.change(env, key(scene, target), |place| place.gone = true);
    }

    /// A guild changed.
    pub fn on_guild(&mut self, env: &mut Env, change: &GuildChange) {
        self.change(env, guild_key(&change.guild), |place| {
            place.gone = change.change == Change::Deleted;
            if !change.name.is_empty() {
                place.name.clone_from(&change.name);
            }
        });
    }

    /// A channel changed.
    pub fn on_channel(&mut self, env: &mut Env, change: &ChannelChange) {
        self.change(env, key(Scene::Channel, &change.channel), |place| {
            place.gone = change.change == Change::Deleted;
            if !change.name.is_empty() {
                place.name.clone_from(&change.name);
            }
            if !change.guild.is_empty() {
                place.guild.clone_from(&change.guild);
            }
        });
    }

    /// Somebody wrote there: the bot is there, whatever was heard before.
    pub fn heard_from(&mut self, env: &mut Env, scene: Scene, target: &str) {
        let key = key(scene, target);
        let now_ms = env.now.wall_ms;
        let Some(place) = self.places.get_mut(&key) else {
            return;
        };
        place.touched_ms = now_ms;
        let (gone, guild) = (place.gone, guild_key(&place.guild));
        if gone {
            self.change(env, key, |place| place.gone = false);
        }
        if self.places.get(&guild).is_some_and(|guild| guild.gone) {
            self.change(env, guild, |place| place.gone = false);
        }
    }

    /// The name of a place; of channels only.
    #[must_use]
    pub fn name(&self, scene: Scene, target: &str) -> Option<&str> {
        self.name_of(&key(scene, target))
    }

    /// The name of a guild.
    #[must_use]
    pub fn guild_name(&self, guild: &str) -> Option<&str> {
        self.name_of(&guild_key(guild))
    }

    /// True when the bot was removed from there, or from the guild that it belongs to.
    #[must_use]
    pub fn gone(&self, scene: Scene, target: &str) -> bool {
        let Some(place) = self.places.get(&key(scene, target)) else {
            return false;
        };
        let guild = self.places.get(&guild_key(&place.guild));
        place.gone || guild.is_some_and(|guild| guild.gone)
    }

    /// Whether the bot may write there on its own account, where somebody switched it.
    #[must_use]
    pub fn proactive(&self, scene: Scene, target: &str) -> Option<bool> {
        self.places.get(&key(scene, target))?.proactive
    }

    /// How many places are remembered.
    #[must_use]
    pub fn len(&self) -> usize {
        self.places.len()
    }

    /// True when none is.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.places.is_empty()
    }

    fn name_of(&self, key: &str) -> Option<&str> {
        let name = self.places.get(key)?.name.as_str();
        (!name.is_empty()).then_some(name)
    }

    /// Changes a place, and stores it where that made a difference.
    fn change(&mut self, env: &mut Env, key: String, apply: impl FnOnce(&mut Place)) {
        let before = self.places.get(&key);
        let mut place = before.cloned().unwrap_or_default();
        apply(&mut place);
        place.touched_ms = env.now.wall_ms;
        if place.says_nothing() {
            self.drop_place(env, &key);
            return;
        }
        if before.is_none_or(|before| !before.same_as(&place)) {
            env.put_json(&format!("{PREFIX}{key}"), &place);
        }
        if before.is_none() {
            self.make_room(env);
        }
        self.places.insert(key, place);
    }

    fn make_room(&mut self, env: &mut Env) {
        while self.places.len() >= CAPACITY {
            let places = self.places.iter();
            let oldest = places.min_by_key(|(_, place)| place.touched_ms);
            let Some(key) = oldest.map(|(key, _)| key.clone()) else {
                return;
            };
            self.drop_place(env, &key);
        }
    }

    fn drop_place(&mut self, env: &mut Env, key: &str) {
        if self.places.remove(key).is_some() {
            env.delete(format!("{PREFIX}{key}"));
        }
    }
}

fn key(scene: Scene, target: &str) -> String {
    format!("{}/{target}", scene.word())
}

fn guild_key(guild: &str) -> String {
    format!("{GUILD}/{guild}")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::bindings::{Action, Entry};
    use crate::channel::tests::test_env;
    use crate::events::{guild, relation};

    /// What was put and deleted: keys, the deleted ones with a minus.
    fn written(env: &mut Env) -> Vec<String> {
        let effects = env.take_effects().into_iter();
        effects
            .filter_map(|effect| match effect.action {
                Action::StorePut(entry) => Some(entry.key),
                Action::StoreDelete(key) => Some(format!("-{key}")),
                _ => None,
            })
            .collect()
    }

    fn relation(what: What, scene: Scene, target: &str) -> Relation {
        let body = format!(r#"{{"openid":"{target}","group_openid":"{target}","timestamp":1}}"#);
        relation::read(&body, what, scene).unwrap()
    }

    #[test]
    fn a_place_that_sent_the_bot_away_is_gone_until_something_comes_from_there() {
        let mut env = test_env();
        let mut places = Places::default();
        for back in [None, Some(What::BotAdded), Some(What::ProactiveOn)] {
            places.on_relation(&mut env, &relation(What::BotRemoved, Scene::Group, "G"));
            assert!(places.gone(Scene::Group, "G") && !places.gone(Scene::C2c, "G"));
            match back {
                None => places.heard_from(&mut env, Scene::Group, "G"),
                Some(what) => places.on_relation(&mut env, &relation(what, Scene::Group, "G")),
            }
            assert!(!places.gone(Scene::Group, "G"), "{back:?}");
        }
    }

    #[test]
    fn only_changes_are_written_and_a_place_that_says_nothing_is_deleted() {
        let mut env = test_env();
        let mut places = Places::default();
        let off = relation(What::ProactiveOff, Scene::C2c, "A");
        places.on_relation(&mut env, &off);
        assert_eq!(written(&mut env), ["place/c2c/A"]);
        places.on_relation(&mut env, &off);
        places.heard_from(&mut env, Scene::C2c, "A");
        places.heard_from(&mut env, Scene::C2c, "B");
        places.on_relation(&mut env, &relation(What::MemberJoined, Scene::Group, "G"));
        assert!(written(&mut env).is_empty());
        assert_eq!(places.proactive(Scene::C2c, "A"), Some(false));
        places.on_relation(&mut env, &relation(What::ProactiveOn, Scene::C2c, "A"));
        assert_eq!(places.proactive(Scene::C2c, "A"), Some(true));
        assert_eq!(written(&mut env), ["place/c2c/A"]);
        places.on_relation(&mut env, &relation(What::BotAdded, Scene::C2c, "A"));
        assert_eq!(written(&mut env), ["-place/c2c/A"]);
        assert!(places.is_empty());
        assert_eq!(places.proactive(Scene::C2c, "A"), None);
    }

    #[test]
    fn guilds_and_channels_have_names_and_go_together() {
        let mut env = test_env();
        let mut places = Places::default();
        let guild = |change| guild::read_guild(r#"{"id":"9","name":"Demo"}"#, change).unwrap();
        let channel = |json: &str, change| guild::read_channel(json, change).unwrap();
        places.on_guild(&mut env, &guild(Change::Created));
        places.on_channel(
            &mut env,
            &channel(
                r#"{"id":"1","guild_id":"9","name":"test"}"#,
                Change::Created,
            ),
        );
        places.on_channel(&mut env, &channel(r#"{"id":"1"}"#, Change::Updated));
        assert_eq!(
            places.name(Scene::Channel, "1"),
            Some("test"),
            "what an event leaves out stays"
        );
        assert_eq!(places.guild_name("9"), Some("Demo"));
        assert_eq!(places.name(Scene::Channel, "2"), None);
        places.on_guild(&mut env, &guild(Change::Deleted));
        assert!(places.gone(Scene::Channel, "1"));
        places.heard_from(&mut env, Scene::Channel, "1");
        assert!(!places.gone(Scene::Channel, "1"));
        places.on_channel(&mut env, &channel(r#"{"id":"1"}"#, Change::Deleted));
        assert!(places.gone(Scene::Channel, "1"));
    }

    #[test]
    fn what_was_learned_outlives_the_process() {
        let mut env = test_env();
        let mut places = Places::default();
        places.on_relation(&mut env, &relation(What::BotRemoved, Scene::C2c, "A"));
        let entries = env
            .take_effects()
            .into_iter()
            .filter_map(|effect| match effect.action {
                Action::StorePut(entry) => Some(entry),
                _ => None,
            });
        let mut entries: Vec<Entry> = entries.collect();
        entries.push(Entry {
            key: "place/c2c/odd".into(),
            value: b"?".to_vec(),
        });
        let again = Places::restore(&Entries::new(entries));
        assert_eq!((again.len(), again.gone(Scene::C2c, "A")), (1, true));
    }

    #[test]
    fn memory_is_bounded_and_the_one_untouched_longest_goes() {
        let mut env = test_env();
        let mut places = Places::default();
        for number in 0..CAPACITY {
            env.now.wall_ms += 1;
            places.on_relation(
                &mut env,
                &relation(What::BotRemoved, Scene::C2c, &format!("P{number}")),
            );
        }
        env.now.wall_ms += 1;
        places.heard_from(&mut env, Scene::C2c, "P0");
        places.on_relation(&mut env, &relation(What::BotRemoved, Scene::C2c, "P0"));
        env.take_effects();
        places.on_relation(&mut env, &relation(What::BotRemoved, Scene::C2c, "new"));
        assert_eq!(written(&mut env), ["place/c2c/new", "-place/c2c/P1"]);
        assert_eq!(places.len(), CAPACITY);
        assert!(places.gone(Scene::C2c, "P0"));
    }
}
