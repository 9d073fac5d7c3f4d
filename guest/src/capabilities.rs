//! What was learned of a place by trying: Markdown, buttons, streaming, proactive messages, lengths.
//!
//! The platform grants these for each bot, scene or target, tells nobody beforehand, and changes them. So each is
//! tried, a refusal is remembered for a while, and then it is tried again.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use crate::env::Env;
use crate::ids::OpenId;
use crate::scene::Scene;
use crate::state::Entries;

/// Where they are stored.
const PREFIX: &str = "cap/";
/// Things remembered; the one that ends first goes first.
pub const CAPACITY: usize = 512;
/// Milliseconds that a refused right is not asked for again: a day.
pub const RIGHT_MS: u64 = 24 * 3_600_000;
/// Milliseconds that a limit of a place is believed: an hour.
pub const LIMIT_MS: u64 = 3_600_000;

/// Something that a place may or may not do.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Feature {
    /// Markdown messages.
    Markdown,
    /// Buttons under Markdown.
    Keyboard,
    /// Ark cards.
    Ark,
    /// Embeds.
    Embed,
    /// Text that grows.
    Stream,
    /// Typing notices.
    Typing,
    /// Messages that nobody asked for.
    Proactive,
    /// Links in text.
    Links,
    /// Uploads of files of any type.
    Files,
    /// Characters of one message.
    Length,
    /// Replies to one message.
    Slots,
}

impl Feature {
    /// The word for status, logs and keys.
    #[must_use]
    pub fn word(self) -> &'static str {
        match self {
            Self::Markdown => "markdown",
            Self::Keyboard => "keyboard",
            Self::Ark => "ark",
            Self::Embed => "embed",
            Self::Stream => "stream",
            Self::Typing => "typing",
            Self::Proactive => "proactive",
            Self::Links => "links",
            Self::Files => "files",
            Self::Length => "length",
            Self::Slots => "slots",
        }
    }
}

/// What was learned.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Learned {
    /// It works.
    Works,
    /// The platform refused it.
    Refused,
    /// At most so many.
    AtMost(u32),
}

/// One thing that was learned, of a target or (with an empty target) of a whole scene.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
struct About {
    scene: Scene,
    feature: Feature,
    target: String,
}

/// What was learned, from which code, and until when it is believed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
struct Belief {
    learned: Learned,
    code: Option<i64>,
    /// Wall-clock milliseconds.
    until_ms: u64,
}

/// A line for status.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Shown {
    /// The scene's word.
    pub scene: &'static str,
    /// The target; empty = all of the scene.
    pub target: String,
    /// The feature's word.
    pub feature: &'static str,
    /// What was learned.
    pub learned: Learned,
    /// The code that said so.
    pub code: Option<i64>,
    /// Seconds for which it is still believed.
    pub left_s: u64,
}

impl Shown {
    /// One line for people.
    #[must_use]
    pub fn sentence(&self) -> String {
        let place = if self.target.is_empty() {
            self.scene.to_owned()
        } else {
            format!("{} {}", self.scene, self.target)
        };
        let what = match self.learned {
            Learned::Works => format!("{} works", self.feature),
            Learned::Refused => format!("{} is refused", self.feature),
            Learned::AtMost(most) => format!("{} at most {most}", self.feature),
        };
        format!(
            "{place}: {what}, believed for {} min more",
            self.left_s / 60
        )
    }
}

/// Everything learned.
#[derive(Clone, Debug, Default)]
pub struct Capabilities {
    known: BTreeMap<About, Belief>,
}

impl Capabilities {
    /// What earlier processes learned.
    #[must_use]
    pub fn restore(entries: &Entries) -> Self {
        let known = entries
            .under(PREFIX)
            .filter_map(|(_, bytes)| serde_json::from_slice::<(About, Belief)>(bytes).ok())
            .collect();
        Self { known }
    }

    fn belief(&self, env: &Env, scene: Scene, target: &OpenId, feature: Feature) -> Option<Belief> {
        let of = |target: &str| {
            let about = About {
                scene,
                feature,
                target: target.to_owned(),
            };
            let belief = self.known.get(&about).copied();
            belief.filter(|belief| belief.until_ms > env.now.wall_ms)
        };
        of(target.as_str()).or_else(|| of(""))
    }

    /// True unless it was refused lately.
    #[must_use]
    pub fn may(&self, env: &Env, scene: Scene, target: &OpenId, feature: Feature) -> bool {
        let belief = self.belief(env, scene, target, feature);
        !belief.is_some_and(|belief| belief.learned == Learned::Refused)
    }

    /// True when it is known to work.
    #[must_use]
    pub fn works(&self, env: &Env, scene: Scene, target: &OpenId, feature: Feature) -> bool {
        let belief = self.belief(env, scene, target, feature);
        belief.is_some_and(|belief| belief.learned == Learned::Works)
    }

    /// A number, not above what was learned.
    #[must_use]
    pub fn at_most(
        &self,
        env: &Env,
        scene: Scene,
        target: &OpenId,
        feature: Feature,
        wanted: u32,
    ) -> u32 {
        match self.belief(env, scene, target, feature) {
            Some(Belief {
                learned: Learned::AtMost(most),
                ..
            }) => wanted.min(most),
            _ => wanted,
        }
    }

    /// Learns something of a target, or with `None` of the whole scene, from a code; stored with this call's commit.
    pub fn learn(
        &mut self,
        env: &mut Env,
        place: (Scene, Option<&OpenId>),
        feature: Feature,
        (learned, code): (Learned, Option<i64>),
        for_ms: u64,
    ) {
        let (scene, target) = place;
        let about = About {
            scene,
            feature,
            target: target.map(|target| target.0.clone()).unwrap_or_default(),
        };
        let belief = Belief {
            learned,
            code,
            until_ms: env.now.wall_ms.saturating_add(for_ms),
        };
        env.put_json(&key(&about), &(&about, &belief));
        self.known.insert(about, belief);
        self.forget(env);
    }

    fn forget(&mut self, env: &mut Env) {
        let now = env.now.wall_ms;
        let mut old: Vec<About> = self
            .known
            .iter()
            .filter(|(_, belief)| belief.until_ms <= now)
            .map(|(about, _)| about.clone())
            .collect();
        if old.is_empty() && self.known.len() > CAPACITY {
            let first = self.known.iter().min_by_key(|(_, belief)| belief.until_ms);
            old.extend(first.map(|(about, _)| about.clone()));
        }
        for about in old {
            self.known.remove(&about);
            env.delete(key(&about));
        }
    }

    /// Everything that is believed now, for status.
    #[must_use]
    pub fn shown(&self, env: &Env) -> Vec<Shown> {
        let now = env.now.wall_ms;
        let believed = self
            .known
            .iter()
            .filter(|(_, belief)| belief.until_ms > now);
        believed
            .map(|(about, belief)| Shown {
                scene: about.scene.word(),
                target: about.target.clone(),
                feature: about.feature.word(),
                learned: belief.learned,
                code: belief.code,
                left_s: (belief.until_ms - now) / 1_000,
            })
            .collect()
    }
}

fn key(about: &About) -> String {
    let (scene, feature) = (about.scene.word(), about.feature.word());
    format!("{PREFIX}{scene}/{feature}/{}", about.target)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::channel::tests::{entries_of, test_env};

    const SCENE: Scene = Scene::C2c;

    fn refuse(caps: &mut Capabilities, env: &mut Env, target: Option<&OpenId>) {
        let refused = (Learned::Refused, Some(50_056));
        caps.learn(env, (SCENE, target), Feature::Markdown, refused, 1_000);
    }

    #[test]
    fn a_refusal_is_believed_for_a_while_and_of_its_place_only() {
        let (mut env, mut caps) = (test_env(), Capabilities::default());
        let (here, there) = (OpenId("A".into()), OpenId("B".into()));
        refuse(&mut caps, &mut env, Some(&here));
        assert!(!caps.may(&env, SCENE, &here, Feature::Markdown));
        assert!(caps.may(&env, SCENE, &there, Feature::Markdown));
        assert!(caps.may(&env, Scene::Group, &here, Feature::Markdown));
        refuse(&mut caps, &mut env, None);
        assert!(!caps.may(&env, SCENE, &there, Feature::Markdown));
        env.now.wall_ms += 1_000;
        assert!(caps.may(&env, SCENE, &here, Feature::Markdown));
    }

    #[test]
    fn limits_are_learned_downward() {
        let (mut env, mut caps) = (test_env(), Capabilities::default());
        let here = OpenId("A".into());
        let most = (Learned::AtMost(3), Some(40_034_128));
        caps.learn(&mut env, (SCENE, None), Feature::Slots, most, LIMIT_MS);
        assert_eq!(caps.at_most(&env, SCENE, &here, Feature::Slots, 4), 3);
        assert_eq!(caps.at_most(&env, SCENE, &here, Feature::Slots, 2), 2);
    }

    #[test]
    fn what_was_learned_survives_a_restart_and_is_bounded() {
        let (mut env, mut caps) = (test_env(), Capabilities::default());
        for number in 0..CAPACITY + 20 {
            refuse(&mut caps, &mut env, Some(&OpenId(number.to_string())));
            env.now.wall_ms += 1;
        }
        assert_eq!(caps.known.len(), CAPACITY);
        let again = Capabilities::restore(&entries_of(&mut env));
        assert_eq!(again.known, caps.known);
    }
}
