//! People who wrote and may not talk to the bot: requests that the operator or the owner decides.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use subtle::ConstantTimeEq;

use crate::env::Env;
use crate::ids::OpenId;
use crate::inbound::Inbound;
use crate::scene::Scene;
use crate::state::Entries;

use super::Person;

/// Where they are stored, by number.
const PREFIX: &str = "ask/";
/// Where the next number is stored: a number is never given to somebody else.
const NEXT: &str = "ask-next";
/// Requests remembered. One that was denied makes room; one that waits does not, and the newest is refused.
pub const CAPACITY: usize = 50;
/// Milliseconds after which a request is forgotten: a week.
const FORGET_MS: u64 = 7 * 24 * 3_600_000;
/// Characters of a name that are kept.
const NAME_CHARS: usize = 20;

/// A name without anything that a terminal or a chat could take for more than a name.
#[must_use]
pub fn harmless(name: &str) -> String {
    name.chars()
        .filter(|letter| letter.is_alphanumeric())
        .take(NAME_CHARS)
        .collect()
}

/// One request.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Ask {
    /// Who.
    pub person: Person,
    /// Display name, letters and digits of it; often empty.
    pub name: String,
    /// Where this one wrote.
    pub scene: Scene,
    /// The target of that place.
    pub target: OpenId,
    /// When it began, wall-clock milliseconds.
    pub at_ms: u64,
    /// Somebody said no: it is remembered so that nobody is asked again.
    #[serde(default)]
    pub denied: bool,
    /// What a press of the owner's must carry; empty while the owner was not asked.
    #[serde(default)]
    pub nonce: String,
}

impl Ask {
    fn is_old(&self, wall_ms: u64) -> bool {
        wall_ms.saturating_sub(self.at_ms) >= FORGET_MS
    }

    /// One line for people.
    #[must_use]
    pub fn sentence(&self) -> String {
        let name = match self.name.as_str() {
            "" => String::new(),
            name => format!(" ({name})"),
        };
        let place = if self.scene.private() {
            String::new()
        } else {
            format!(" {}", self.target)
        };
        format!(
            "{}{name} in {}{place}",
            self.person.openid,
            self.scene.word()
        )
    }
}

/// The requests.
#[derive(Clone, Debug, Default)]
pub struct Asks {
    by_number: BTreeMap<u32, Ask>,
    next: u32,
}

impl Asks {
    /// Those of earlier processes.
    #[must_use]
    pub fn restore(entries: &Entries, wall_ms: u64) -> Self {
        let by_number: BTreeMap<u32, Ask> = entries
            .under(PREFIX)
            .filter_map(|(number, bytes)| {
                Some((number.parse().ok()?, serde_json::from_slice(bytes).ok()?))
            })
            .filter(|(_, ask): &(u32, Ask)| !ask.is_old(wall_ms))
            .collect();
        let last = by_number.keys().next_back().copied().unwrap_or_default();
        let next = entries.json::<u32>(NEXT).unwrap_or_default();
        Self {
            by_number,
            next: next.max(last),
        }
    }

    /// Those that nobody decided, oldest first.
    pub fn open(&self) -> impl Iterator<Item = (u32, &Ask)> {
        let all = self.by_number.iter();
        all.filter(|(_, ask)| !ask.denied)
            .map(|(number, ask)| (*number, ask))
    }

    /// True when somebody said no to this person.
    #[must_use]
    pub fn denied(&self, person: &Person) -> bool {
        let mut all = self.by_number.values();
        all.any(|ask| ask.denied && ask.person == *person)
    }

    /// An undecided request, by its number.
    #[must_use]
    pub fn get(&self, number: u32) -> Option<&Ask> {
        self.by_number.get(&number).filter(|ask| !ask.denied)
    }

    /// An undecided request, by its number or by the person's id.
    #[must_use]
    pub fn find(&self, id: &str) -> Option<u32> {
        let by_number = id.parse().ok().filter(|number| self.get(*number).is_some());
        by_number.or_else(|| {
            let mut open = self.open();
            open.find(|(_, ask)| ask.person.openid.as_str() == id)
                .map(|(number, _)| number)
        })
    }

    /// Somebody wrote who may not. Returns the number of a request that is new and for which there is room.
    pub fn note(&mut self, env: &mut Env, inbound: &Inbound) -> Option<u32> {
        let person = Person::of(inbound);
        let known = self.by_number.values().any(|ask| ask.person == person);
        if known || !person.fits() {
            return None;
        }
        if !self.make_room(env) {
            env.count("asks", "refused");
            return None;
        }
        // An operator types it, so it is short; four thousand million of them come first.
        self.next = self.next.wrapping_add(1);
        let ask = Ask {
            person,
            name: harmless(&inbound.sender_name),
            scene: inbound.scene,
            target: inbound.target.clone(),
            at_ms: env.now.wall_ms,
            denied: false,
            nonce: String::new(),
        };
        env.put_json(&key(self.next), &ask);
        env.put_json(NEXT, &self.next);
        self.by_number.insert(self.next, ask);
        Some(self.next)
    }

    fn make_room(&mut self, env: &mut Env) -> bool {
        let wall_ms = env.now.wall_ms;
        let old = self.by_number.iter();
        let old = old.filter(|(_, ask)| ask.is_old(wall_ms));
        let mut old: Vec<u32> = old.map(|(number, _)| *number).collect();
        if old.is_empty() && self.by_number.len() >= CAPACITY {
            let denied = self.by_number.iter().find(|(_, ask)| ask.denied);
            old.extend(denied.map(|(number, _)| *number));
        }
        for number in old {
            self.remove(env, number);
        }
        self.by_number.len() < CAPACITY
    }

    /// The owner is being asked: a press must carry this.
    pub fn set_nonce(&mut self, env: &mut Env, number: u32, nonce: String) {
        if let Some(ask) = self.by_number.get_mut(&number) {
            ask.nonce = nonce;
            env.put_json(&key(number), ask);
        }
    }

    /// True when a press carries what the owner was asked with, and nobody decided meanwhile.
    #[must_use]
    pub fn is_live(&self, number: u32, nonce: &str) -> bool {
        let ask = self.get(number).filter(|ask| !ask.nonce.is_empty());
        ask.is_some_and(|ask| bool::from(ask.nonce.as_bytes().ct_eq(nonce.as_bytes())))
    }

    /// Takes a request out.
    pub fn remove(&mut self, env: &mut Env, number: u32) -> Option<Ask> {
        let ask = self.by_number.remove(&number)?;
        env.delete(key(number));
        Some(ask)
    }

    /// Says no to a request.
    pub fn deny(&mut self, env: &mut Env, number: u32) -> Option<Ask> {
        let ask = self.by_number.get_mut(&number)?;
        ask.denied = true;
        ask.nonce.clear();
        env.put_json(&key(number), ask);
        Some(ask.clone())
    }

    /// Forgets what is known of somebody: this one is paired, or has a fresh start.
    pub fn forget(&mut self, env: &mut Env, person: &Person) {
        let theirs = self.by_number.iter();
        let theirs = theirs.filter(|(_, ask)| ask.person == *person);
        let theirs: Vec<u32> = theirs.map(|(number, _)| *number).collect();
        for number in theirs {
            self.remove(env, number);
        }
    }
}

fn key(number: u32) -> String {
    format!("{PREFIX}{number:010}")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::channel::tests::{entries_of, test_env};

    fn inbound(user: &str) -> Inbound {
        let body = format!(
            r#"{{"id":"m","author":{{"user_openid":"{user}","username":"An\n*n* <b>"}},"content":"x"}}"#
        );
        Inbound::c2c(&body, 0).unwrap()
    }

    #[test]
    fn each_person_is_one_request_with_a_short_number_and_a_harmless_name() {
        let (mut env, mut asks) = (test_env(), Asks::default());
        assert_eq!(asks.note(&mut env, &inbound("A")), Some(1));
        assert_eq!(asks.note(&mut env, &inbound("A")), None);
        assert_eq!(asks.note(&mut env, &inbound("B")), Some(2));
        assert_eq!((asks.find("2"), asks.find("A")), (Some(2), Some(1)));
        assert_eq!(asks.get(1).unwrap().name, "Annb");
        asks.deny(&mut env, 1);
        assert_eq!((asks.find("1"), asks.find("A")), (None, None));
        assert_eq!(
            asks.note(&mut env, &inbound("A")),
            None,
            "nobody is asked again"
        );
        assert!(asks.denied(&Person::new(Scene::C2c, "A")));
    }

    #[test]
    fn a_number_is_never_somebody_elses_and_a_press_must_carry_the_nonce() {
        let (mut env, mut asks) = (test_env(), Asks::default());
        asks.note(&mut env, &inbound("A"));
        assert!(!asks.is_live(1, ""), "the owner was not asked");
        asks.set_nonce(&mut env, 1, "n".into());
        let mut asks = Asks::restore(&entries_of(&mut env), env.now.wall_ms);
        assert!(asks.is_live(1, "n") && !asks.is_live(1, "m") && !asks.is_live(2, "n"));
        asks.remove(&mut env, 1);
        assert!(!asks.is_live(1, "n"));
        assert_eq!(asks.note(&mut env, &inbound("B")), Some(2));
    }

    #[test]
    fn ten_thousand_people_leave_fifty_requests_and_a_week_none() {
        let (mut env, mut asks) = (test_env(), Asks::default());
        for number in 0..10_000 {
            asks.note(&mut env, &inbound(&format!("P{number}")));
        }
        assert_eq!(asks.by_number.len(), CAPACITY);
        let stored = entries_of(&mut env);
        assert_eq!(stored.under(PREFIX).count(), CAPACITY);
        let later = env.now.wall_ms + FORGET_MS;
        let mut asks = Asks::restore(&stored, later);
        assert_eq!(asks.open().count(), 0);
        env.now.wall_ms = later;
        assert_eq!(asks.note(&mut env, &inbound("late")), Some(51));
    }

    #[test]
    fn a_crowd_takes_nobodys_request_away_and_one_that_was_denied_makes_room() {
        let (mut env, mut asks) = (test_env(), Asks::default());
        let first = asks.note(&mut env, &inbound("first")).unwrap();
        for number in 0..200 {
            asks.note(&mut env, &inbound(&format!("P{number}")));
        }
        assert_eq!(asks.find("first"), Some(first));
        assert_eq!(asks.note(&mut env, &inbound("late")), None);
        asks.deny(&mut env, 7);
        assert_eq!(asks.note(&mut env, &inbound("late")), Some(51));
        assert_eq!(asks.find("first"), Some(first));
    }
}
