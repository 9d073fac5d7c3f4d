//! People who paired: one stored entry each, until they are revoked.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use crate::env::Env;
use crate::ids::OpenId;
use crate::scene::Scene;
use crate::state::Entries;

use super::{Kind, Person};

/// Where they are stored: the kind of id and the id follow.
const PREFIX: &str = "bind/";
/// People who may be paired at a time.
pub const CAPACITY: usize = 1_000;

/// How somebody came to be paired.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum How {
    /// With a code.
    Code,
    /// The operator approved the request.
    Operator,
    /// The owner approved the request.
    Owner,
}

impl How {
    /// The word for reports.
    #[must_use]
    pub fn word(self) -> &'static str {
        match self {
            Self::Code => "by code",
            Self::Operator => "approved by the operator",
            Self::Owner => "approved by the owner",
        }
    }
}

/// Somebody who is paired.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Binding {
    /// How.
    pub how: How,
    /// When, wall-clock milliseconds.
    pub at_ms: u64,
    /// This one is asked about others.
    pub owner: bool,
    /// Where this one wrote from: what is told goes there.
    pub scene: Scene,
    /// The target of that place.
    pub target: OpenId,
    /// Display name; often empty.
    #[serde(default)]
    pub name: String,
}

/// Everybody who is paired.
#[derive(Clone, Debug, Default)]
pub struct Bindings {
    people: BTreeMap<Person, Binding>,
}

impl Bindings {
    /// Who paired with earlier processes.
    #[must_use]
    pub fn restore(entries: &Entries) -> Self {
        let people = entries.under(PREFIX).filter_map(|(key, bytes)| {
            let (kind, openid) = key.split_once('/')?;
            let kind = [Kind::Qq, Kind::Guild]
                .into_iter()
                .find(|known| known.word() == kind)?;
            let openid = OpenId(openid.to_owned());
            Some((Person { kind, openid }, serde_json::from_slice(bytes).ok()?))
        });
        Self {
            people: people.collect(),
        }
    }

    /// True when this person is paired.
    #[must_use]
    pub fn has(&self, person: &Person) -> bool {
        self.people.contains_key(person)
    }

    /// Everybody, by id.
    pub fn iter(&self) -> impl Iterator<Item = (&Person, &Binding)> {
        self.people.iter()
    }

    /// Who is asked about others.
    #[must_use]
    pub fn owner(&self) -> Option<(&Person, &Binding)> {
        self.people.iter().find(|(_, binding)| binding.owner)
    }

    /// How many are paired.
    #[must_use]
    pub fn len(&self) -> usize {
        self.people.len()
    }

    /// True when nobody is.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.people.is_empty()
    }

    /// Pairs somebody, stored with this call's commit. The first one is the owner; so is the next one with a code,
    /// where the owner was revoked. False when there is no room.
    pub fn add(&mut self, env: &mut Env, person: Person, mut binding: Binding) -> bool {
        if !person.fits() || (self.people.len() >= CAPACITY && !self.has(&person)) {
            return false;
        }
        let first = self.people.is_empty() || binding.how == How::Code;
        binding.owner = self.owner().is_none() && first;
        env.put_json(&key(&person), &binding);
        self.people.insert(person, binding);
        true
    }

    /// Takes away what an id was granted, in chats and in guilds. Returns whose it was.
    pub fn revoke(&mut self, env: &mut Env, openid: &str) -> Vec<Person> {
        let theirs = self.people.keys();
        let theirs: Vec<Person> = theirs
            .filter(|person| person.openid.as_str() == openid)
            .cloned()
            .collect();
        for person in &theirs {
            self.people.remove(person);
            env.delete(key(person));
        }
        theirs
    }
}

fn key(person: &Person) -> String {
    format!("{PREFIX}{}/{}", person.kind.word(), person.openid)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::channel::tests::{entries_of, test_env};

    fn binding(how: How) -> Binding {
        Binding {
            how,
            at_ms: 5,
            owner: false,
            scene: Scene::C2c,
            target: OpenId("A".into()),
            name: String::new(),
        }
    }

    fn person(openid: &str) -> Person {
        Person::new(Scene::C2c, openid)
    }

    #[test]
    fn the_first_is_the_owner_and_so_is_the_next_with_a_code_once_the_owner_is_gone() {
        let (mut env, mut bindings) = (test_env(), Bindings::default());
        for (openid, how) in [("A", How::Code), ("B", How::Code), ("C", How::Operator)] {
            assert!(bindings.add(&mut env, person(openid), binding(how)));
        }
        assert_eq!(bindings.owner().unwrap().0, &person("A"));
        assert_eq!(bindings.revoke(&mut env, "A"), [person("A")]);
        assert!(bindings.owner().is_none(), "nobody inherits");
        bindings.add(&mut env, person("D"), binding(How::Owner));
        assert!(bindings.owner().is_none(), "who was let in owns nothing");
        bindings.add(&mut env, person("E"), binding(How::Code));
        assert_eq!(bindings.owner().unwrap().0, &person("E"));
    }

    #[test]
    fn people_stay_paired_over_a_restart_and_ids_of_guilds_are_others() {
        let (mut env, mut bindings) = (test_env(), Bindings::default());
        bindings.add(&mut env, person("A"), binding(How::Code));
        let guild = Person::new(Scene::Dm, "7");
        bindings.add(&mut env, guild.clone(), binding(How::Owner));
        let again = Bindings::restore(&entries_of(&mut env));
        assert_eq!(again.people, bindings.people);
        assert!(again.has(&guild) && !again.has(&Person::new(Scene::Group, "7")));
        assert!(again.has(&Person::new(Scene::Group, "A")));
    }

    #[test]
    fn there_is_room_for_so_many_and_no_more() {
        let (mut env, mut bindings) = (test_env(), Bindings::default());
        for number in 0..CAPACITY {
            assert!(bindings.add(&mut env, person(&number.to_string()), binding(How::Code)));
        }
        assert!(!bindings.add(&mut env, person("late"), binding(How::Code)));
        assert!(!bindings.add(&mut env, person(&"x".repeat(300)), binding(How::Code)));
    }
}
