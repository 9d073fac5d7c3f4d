//! When a message may leave, so that the platform has nothing to complain about (`PROTOCOL.md`, "Pacing").
//!
//! The platform counts in windows, and GCRA with a burst lets nearly twice the limit through one window; so the
//! times of the sends are kept, which also fits the small limits here. `governor` reads a clock of its own, keeps
//! its state in atomics that cannot be stored, and knows one limit for all keys.

use serde::{Deserialize, Serialize};

use crate::ids::OpenId;
use crate::scene::Scene;

/// Keys remembered; the one that was quiet longest is forgotten first. Keeps a flood of places from growing the state.
const MAX_KEYS: usize = 1_024;
/// Sends remembered for a key, for the same reason. More than the largest limit.
const MAX_SENDS: usize = 1_024;
/// Milliseconds ahead of which no send is reserved: later times come from another clock, and are forgotten.
const HORIZON_MS: u64 = 60 * 60_000;

/// What the platform counts.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub enum Key {
    /// All channels of a guild.
    Guild(String),
    /// A channel of a guild.
    Channel(String),
    /// A direct message session of a guild.
    Dm(String),
    /// A person or a group: free until the platform complains.
    Target(String),
    /// What the bot says to a person or a group without being asked.
    Proactive(String),
    /// What the bot says anywhere without being asked.
    ProactiveBot,
}

impl Key {
    /// What is counted for every message to a place.
    #[must_use]
    pub fn of_place(scene: Scene, guild: &str, target: &OpenId) -> Vec<Self> {
        let target = target.0.clone();
        match scene {
            Scene::C2c | Scene::Group => vec![Self::Target(target)],
            Scene::Channel if guild.is_empty() => vec![Self::Channel(target)],
            Scene::Channel => vec![Self::Channel(target), Self::Guild(guild.to_owned())],
            Scene::Dm => vec![Self::Dm(target)],
        }
    }

    /// What is counted besides for a message that nobody asked for.
    #[must_use]
    pub fn proactive(target: &OpenId) -> [Self; 2] {
        [Self::Proactive(target.0.clone()), Self::ProactiveBot]
    }

    /// What a complaint of the platform's is about.
    #[must_use]
    pub fn complaint(scene: Scene, target: &OpenId) -> Self {
        let target = target.0.clone();
        match scene {
            Scene::C2c | Scene::Group => Self::Target(target),
            Scene::Channel => Self::Channel(target),
            Scene::Dm => Self::Dm(target),
        }
    }
}

/// So many sends in so long a time.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Rate {
    /// Sends in any window. 0 means no limit.
    pub sends: u32,
    /// Length of the window, milliseconds.
    pub per_ms: u64,
}

impl Rate {
    /// So many in a second.
    #[must_use]
    pub const fn per_second(sends: u32) -> Self {
        Self {
            sends,
            per_ms: 1_000,
        }
    }

    /// So many in a minute.
    #[must_use]
    pub const fn per_minute(sends: u32) -> Self {
        Self {
            sends,
            per_ms: 60_000,
        }
    }
}

/// The limits (`PROTOCOL.md`, "Pacing").
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Rates {
    /// For a guild. 5 a second: the platform's number is for a channel, and holding the guild to it is our caution.
    pub guild: Rate,
    /// For a channel. 5 a second.
    pub channel: Rate,
    /// For a direct message session. 2 a second: the platform gives no number.
    pub dm: Rate,
    /// For whatever the platform complained about. 1 a second.
    pub after_complaint: Rate,
    /// How long a complaint counts, milliseconds. 5 minutes.
    pub complaint_ms: u64,
    /// Unasked messages to a person or a group. 20 a minute.
    pub proactive: Rate,
    /// Unasked messages of the bot altogether. 30 a minute, as for bots that are not certified.
    pub proactive_bot: Rate,
}

impl Default for Rates {
    fn default() -> Self {
        Self {
            guild: Rate::per_second(5),
            channel: Rate::per_second(5),
            dm: Rate::per_second(2),
            after_complaint: Rate::per_second(1),
            complaint_ms: 5 * 60_000,
            proactive: Rate::per_minute(20),
            proactive_bot: Rate::per_minute(30),
        }
    }
}

impl Rates {
    fn of(&self, key: &Key) -> Option<Rate> {
        match key {
            Key::Guild(_) => Some(self.guild),
            Key::Channel(_) => Some(self.channel),
            Key::Dm(_) => Some(self.dm),
            Key::Target(_) => None,
            Key::Proactive(_) => Some(self.proactive),
            Key::ProactiveBot => Some(self.proactive_bot),
        }
    }
}

/// The sends of the recent past and of the near future.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Pacing {
    /// Those of the last minute at most: few enough to look through.
    places: Vec<(Key, Sends)>,
}

/// The sends under one key.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
struct Sends {
    /// When, monotonic milliseconds, sorted.
    at_ms: Vec<u64>,
    /// The platform complained: until then the slow limit holds as well.
    slow_until_ms: Option<u64>,
}

impl Pacing {
    /// Reserves the earliest place for a send that counts under all of `keys`.
    ///
    /// Gives the milliseconds to wait before it may leave, 0 for now. A place is not given back; a send that does not
    /// happen only makes later ones wait. Order is not kept: that is the business of whoever sends.
    #[must_use = "the send must wait so long"]
    pub fn reserve(&mut self, keys: &[Key], rates: &Rates, now_mono_ms: u64) -> u64 {
        self.forget(rates, now_mono_ms);
        let mut at_ms = now_mono_ms;
        // Each round moves it behind a send that is remembered, so that there are no more rounds than sends.
        while let Some(later_ms) = keys
            .iter()
            .filter_map(|key| self.conflict(key, rates, at_ms))
            .max()
        {
            at_ms = later_ms;
        }
        for (index, key) in keys.iter().enumerate() {
            let repeated = keys.iter().take(index).any(|earlier| earlier == key);
            let paced = rates.of(key).is_some() || self.sends(key).is_some();
            if paced && !repeated {
                self.sends_mut(key).insert(at_ms);
            }
        }
        at_ms.saturating_sub(now_mono_ms)
    }

    /// The platform said that this was too fast: for some minutes it is sent slowly.
    pub fn complain(&mut self, key: &Key, rates: &Rates, now_mono_ms: u64) {
        let sends = self.sends_mut(key);
        sends.slow_until_ms = Some(now_mono_ms.saturating_add(rates.complaint_ms));
        // The send that it complained about counts.
        sends.insert(now_mono_ms);
    }

    /// Whether a send under this key is held to the slow limit.
    #[must_use]
    pub fn slowed(&self, key: &Key, now_mono_ms: u64) -> bool {
        self.sends(key)
            .and_then(|sends| sends.slow_until_ms)
            .is_some_and(|until_ms| now_mono_ms < until_ms)
    }

    /// When to try instead, if a send at `at_ms` would be one too many.
    fn conflict(&self, key: &Key, rates: &Rates, at_ms: u64) -> Option<u64> {
        let sends = self.sends(key)?;
        let slow = sends
            .slow_until_ms
            .is_some_and(|until_ms| at_ms < until_ms)
            .then_some(rates.after_complaint);
        rates
            .of(key)
            .into_iter()
            .chain(slow)
            .filter_map(|rate| sends.conflict(rate, at_ms))
            .max()
    }

    /// Drops what no limit looks at any more.
    fn forget(&mut self, rates: &Rates, now_ms: u64) {
        self.places.retain_mut(|(key, sends)| {
            let until_ms = sends.slow_until_ms.filter(|&until_ms| {
                until_ms > now_ms && until_ms <= now_ms.saturating_add(rates.complaint_ms)
            });
            sends.slow_until_ms = until_ms;
            let slow_ms = until_ms.map_or(0, |_| rates.after_complaint.per_ms);
            let window_ms = rates.of(key).map_or(0, |rate| rate.per_ms).max(slow_ms);
            let to_ms = now_ms.saturating_add(HORIZON_MS);
            sends.at_ms.retain(|&at_ms| {
                let over = at_ms < now_ms && at_ms.saturating_add(window_ms) <= now_ms;
                !over && at_ms <= to_ms
            });
            until_ms.is_some() || !sends.at_ms.is_empty()
        });
    }

    fn sends(&self, key: &Key) -> Option<&Sends> {
        let place = self.places.iter().find(|(known, _)| known == key);
        place.map(|(_, sends)| sends)
    }

    fn sends_mut(&mut self, key: &Key) -> &mut Sends {
        let known = self.places.iter().position(|(known, _)| known == key);
        // The one that is used last stands last.
        let place = match known {
            Some(index) => self.places.remove(index),
            None => (key.clone(), Sends::default()),
        };
        if self.places.len() >= MAX_KEYS {
            self.places.remove(0);
        }
        &mut self.places.push_mut(place).1
    }
}

impl Sends {
    fn insert(&mut self, at_ms: u64) {
        let place = self.at_ms.partition_point(|&earlier| earlier <= at_ms);
        self.at_ms.insert(place, at_ms);
        if self.at_ms.len() > MAX_SENDS {
            self.at_ms.remove(0);
        }
    }

    /// Where to try instead, if `at_ms` with the sends around it makes a window too full: a window after the first of them.
    fn conflict(&self, rate: Rate, at_ms: u64) -> Option<u64> {
        let limit = usize::try_from(rate.sends)
            .ok()
            .filter(|&limit| limit > 0)?;
        let place = self.at_ms.partition_point(|&earlier| earlier <= at_ms);
        // As many neighbours as the limit allows at all: with this send, they are one too many.
        let crowds = self.at_ms.windows(limit);
        crowds
            .skip(place.saturating_sub(limit))
            .take(limit.saturating_add(1))
            .filter_map(|crowd| {
                let first_ms = *crowd.first()?;
                let start_ms = first_ms.min(at_ms);
                let end_ms = (*crowd.last()?).max(at_ms);
                let full = end_ms.saturating_sub(start_ms) < rate.per_ms;
                full.then(|| first_ms.saturating_add(rate.per_ms))
            })
            .max()
            .filter(|&later_ms| later_ms > at_ms)
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use proptest::prelude::*;

    use super::*;

    fn channel() -> Key {
        Key::Channel("c".into())
    }

    fn waits(pacing: &mut Pacing, keys: &[Key], count: usize, now_ms: u64) -> Vec<u64> {
        (0..count)
            .map(|_| pacing.reserve(keys, &Rates::default(), now_ms))
            .collect()
    }

    #[test]
    fn a_channel_takes_five_messages_a_second() {
        let mut pacing = Pacing::default();
        let keys = [channel()];
        assert_eq!(
            waits(&mut pacing, &keys, 7, 10_000),
            [0, 0, 0, 0, 0, 1_000, 1_000]
        );
        assert_eq!(waits(&mut pacing, &keys, 4, 10_400), [600, 600, 600, 1_600]);
        assert_eq!(waits(&mut pacing, &keys, 1, 12_000), [0]);
    }

    #[test]
    fn all_limits_hold_at_once() {
        let mut pacing = Pacing::default();
        let guild = Key::Guild("g".into());
        for name in ["a", "b", "c", "d", "e"] {
            let keys = [guild.clone(), Key::Channel(name.into())];
            assert_eq!(waits(&mut pacing, &keys, 1, 0), [0]);
        }
        let sixth = [guild, Key::Channel("f".into())];
        assert_eq!(waits(&mut pacing, &sixth, 1, 0), [1_000]);
        assert_eq!(
            waits(&mut pacing, &[Key::Dm("d".into())], 3, 0),
            [0, 0, 1_000]
        );
    }

    #[test]
    fn what_waits_for_a_slow_channel_does_not_hold_up_the_others_of_its_guild() {
        let mut pacing = Pacing::default();
        let guild = Key::Guild("g".into());
        pacing.complain(&channel(), &Rates::default(), 0);
        let slow = [guild.clone(), channel()];
        assert_eq!(waits(&mut pacing, &slow, 3, 0), [1_000, 2_000, 3_000]);
        let other = [guild, Key::Channel("other".into())];
        assert_eq!(waits(&mut pacing, &other, 1, 0), [0]);
    }

    #[test]
    fn persons_and_groups_are_free_until_the_platform_complains() {
        let mut pacing = Pacing::default();
        let rates = Rates::default();
        let group = Key::Target("7A".into());
        assert_eq!(
            waits(&mut pacing, std::slice::from_ref(&group), 50, 0),
            [0; 50]
        );
        assert_eq!(pacing, Pacing::default());
        pacing.complain(&group, &rates, 0);
        assert!(pacing.slowed(&group, 1));
        assert_eq!(
            waits(&mut pacing, std::slice::from_ref(&group), 2, 500),
            [500, 1_500]
        );
        let later = rates.complaint_ms;
        assert!(!pacing.slowed(&group, later));
        assert_eq!(
            waits(&mut pacing, std::slice::from_ref(&group), 3, later),
            [0, 0, 0]
        );
        assert_eq!(pacing, Pacing::default());
    }

    #[test]
    fn unasked_messages_are_counted_by_the_minute() {
        let mut pacing = Pacing::default();
        let to = |name: &str| [Key::Proactive(name.into()), Key::ProactiveBot];
        assert_eq!(waits(&mut pacing, &to("a"), 21, 0).last(), Some(&60_000));
        assert_eq!(waits(&mut pacing, &to("b"), 11, 1_000)[9..], [0, 59_000]);
    }

    #[test]
    fn a_limit_of_nothing_is_no_limit() {
        let mut pacing = Pacing::default();
        let rates = Rates {
            channel: Rate::per_second(0),
            ..Rates::default()
        };
        for _ in 0..20 {
            assert_eq!(pacing.reserve(&[channel()], &rates, 0), 0);
        }
    }

    #[test]
    fn a_clock_that_begins_anew_does_not_stop_the_bot() {
        let mut pacing = Pacing::default();
        let day_ms = 24 * HORIZON_MS;
        pacing.complain(&channel(), &Rates::default(), day_ms);
        assert_eq!(waits(&mut pacing, &[channel()], 2, 0), [0, 0]);
    }

    #[test]
    fn a_flood_of_places_does_not_grow_the_state() {
        let mut pacing = Pacing::default();
        for place in 0..MAX_KEYS + 10 {
            pacing.complain(&Key::Target(place.to_string()), &Rates::default(), 0);
        }
        assert_eq!(pacing.places.len(), MAX_KEYS);
        for _ in 0..MAX_SENDS + 10 {
            let _ = pacing.reserve(&[channel()], &Rates::default(), 10);
        }
        assert!(pacing.sends(&channel()).unwrap().at_ms.len() <= MAX_SENDS);
    }

    #[derive(Clone, Debug)]
    enum Step {
        Send(usize),
        Complain(usize),
        Wait(u64),
    }

    fn step() -> impl Strategy<Value = Step> {
        prop_oneof![
            6 => (0usize..4).prop_map(Step::Send),
            1 => (0usize..4).prop_map(Step::Complain),
            3 => (0u64..900).prop_map(Step::Wait),
        ]
    }

    fn most_in_a_window(times: &[u64], per_ms: u64) -> usize {
        times
            .iter()
            .map(|&start| {
                times
                    .iter()
                    .filter(|&&at| at >= start && at - start < per_ms)
                    .count()
            })
            .max()
            .unwrap_or_default()
    }

    proptest! {
        #[test]
        fn no_window_has_more_sends_than_the_limit(steps in prop::collection::vec(step(), 0..80)) {
            let guild = Key::Guild("g".into());
            let places = [
                vec![guild.clone(), Key::Channel("a".into())],
                vec![guild.clone(), Key::Channel("b".into())],
                vec![Key::Dm("d".into())],
                vec![Key::Proactive("p".into()), Key::ProactiveBot],
            ];
            let rates = Rates::default();
            let (mut pacing, mut now_ms) = (Pacing::default(), 5_000_u64);
            let mut sent: BTreeMap<Key, Vec<u64>> = BTreeMap::new();
            for step in steps {
                match step {
                    Step::Wait(ms) => now_ms += ms,
                    Step::Complain(place) => pacing.complain(&places[place][0], &rates, now_ms),
                    Step::Send(place) => {
                        let at_ms = now_ms + pacing.reserve(&places[place], &rates, now_ms);
                        for key in &places[place] {
                            sent.entry(key.clone()).or_default().push(at_ms);
                        }
                    }
                }
                // What an instance hands over is what it knew.
                let stored = postcard::to_allocvec(&pacing).unwrap();
                prop_assert_eq!(&postcard::from_bytes::<Pacing>(&stored).unwrap(), &pacing);
            }
            for (key, times) in &sent {
                let rate = rates.of(key).unwrap();
                prop_assert!(most_in_a_window(times, rate.per_ms) <= rate.sends as usize, "{key:?}: {times:?}");
            }
        }
    }
}
