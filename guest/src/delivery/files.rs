//! Uploaded media that can be sent again without another upload, by digest, for as long as the platform keeps it.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use crate::env::Env;
use crate::ids::OpenId;
use crate::scene::Scene;
use crate::state::Entries;

use super::answer::Ready;

/// Where they are stored.
const PREFIX: &str = "file/";
/// Files remembered; the one kept first goes first.
pub const CAPACITY: usize = 128;
/// Bytes of the platform's name for an upload; a longer one is good for one message, and not remembered.
pub const INFO_BYTES: usize = 2_048;

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
struct Kept {
    ready: Ready,
    since_ms: u64,
}

/// The uploaded files.
#[derive(Clone, Debug, Default)]
pub struct Files {
    kept: BTreeMap<String, Kept>,
}

/// The name of an upload. Uploads of one scene are nothing in another, and SDKs do not trust them for another target
/// either (`PROTOCOL.md`, "Media").
#[must_use]
pub fn name(scene: Scene, target: &OpenId, file_type: u8, sha1: &str) -> String {
    format!("{}/{target}/{file_type}/{sha1}", scene.word())
}

impl Files {
    /// What earlier processes uploaded.
    #[must_use]
    pub fn restore(entries: &Entries) -> Self {
        let kept = entries
            .under(PREFIX)
            .filter_map(|(name, bytes)| Some((name.to_owned(), postcard::from_bytes(bytes).ok()?)))
            .collect();
        Self { kept }
    }

    /// An upload that is still good.
    #[must_use]
    pub fn find(&self, env: &Env, name: &str) -> Option<Ready> {
        let kept = self.kept.get(name)?;
        let good = kept
            .ready
            .until_ms
            .is_none_or(|until| until > env.now.wall_ms);
        good.then(|| kept.ready.clone())
    }

    /// Remembers an upload, with this call's commit.
    pub fn keep(&mut self, env: &mut Env, name: String, ready: Ready) {
        if ready.file_info.len() > INFO_BYTES {
            return;
        }
        let kept = Kept {
            ready,
            since_ms: env.now.wall_ms,
        };
        if let Ok(bytes) = postcard::to_allocvec(&kept) {
            env.put(format!("{PREFIX}{name}"), bytes);
        }
        self.kept.insert(name, kept);
        if self.kept.len() > CAPACITY {
            let oldest = self.kept.iter().min_by_key(|(_, kept)| kept.since_ms);
            if let Some(name) = oldest.map(|(name, _)| name.clone()) {
                self.forget(env, &name);
            }
        }
    }

    /// Forgets an upload: the platform refused it.
    pub fn forget(&mut self, env: &mut Env, name: &str) {
        if self.kept.remove(name).is_some() {
            env.delete(format!("{PREFIX}{name}"));
        }
    }

    /// Forgets an upload by what the platform called it.
    pub fn forget_info(&mut self, env: &mut Env, file_info: &str) {
        let found = self
            .kept
            .iter()
            .find(|(_, kept)| kept.ready.file_info == file_info);
        if let Some(name) = found.map(|(name, _)| name.clone()) {
            self.forget(env, &name);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::channel::tests::test_env;

    #[test]
    fn an_upload_is_good_until_its_end_and_for_its_place() {
        let (mut env, mut files) = (test_env(), Files::default());
        let here = name(Scene::C2c, &OpenId("A".into()), 1, "ab");
        let ready = Ready {
            file_info: "f".into(),
            until_ms: Some(env.now.wall_ms + 10),
        };
        files.keep(&mut env, here.clone(), ready.clone());
        assert_eq!(files.find(&env, &here), Some(ready));
        assert_eq!(
            files.find(&env, &name(Scene::Group, &OpenId("A".into()), 1, "ab")),
            None
        );
        env.now.wall_ms += 10;
        assert_eq!(files.find(&env, &here), None);
    }
}
