//! Which version of each channel's plugin ran last. An older one that somebody had signed, and that was replaced for a
//! reason, is not run again without a word of the operator's.

use std::collections::BTreeMap;
use std::io::Read;
use std::path::{Path, PathBuf};

use prx_host::files::PrivateDir;
use prx_host::manifest::Manifest;
use semver::Version;
use serde_json::{Value, json};

/// In the state directory.
const FILE: &str = "plugins.json";
/// Longest file that is read, bytes: a line for each channel.
const MAX_BYTES: u64 = 1 << 20;

/// A plugin at one version.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Release {
    plugin: String,
    version: String,
}

impl Release {
    pub(crate) fn of(manifest: &Manifest) -> Self {
        Self {
            plugin: manifest.plugin.name.clone(),
            version: manifest.plugin.version.clone(),
        }
    }

    /// True when this is an older version of that. Versions that are none are not compared.
    fn is_older_than(&self, that: &Self) -> bool {
        let version = |release: &Self| Version::parse(&release.version).ok();
        let (this_version, that_version) = (version(self), version(that));
        self.plugin == that.plugin && this_version.is_some() && this_version < that_version
    }
}

/// The record in a state directory.
#[derive(Debug, Clone)]
pub(crate) struct Ran {
    state_dir: PathBuf,
}

impl Ran {
    pub(crate) fn new(state_dir: &Path) -> Self {
        Self {
            state_dir: state_dir.to_owned(),
        }
    }

    /// Refuses a signed plugin that is older than the one that ran last.
    pub(crate) fn check(&self, channel: &str, release: &Release) -> Result<(), String> {
        let all = self.read();
        let Some(last) = all.get(channel).filter(|last| release.is_older_than(last)) else {
            return Ok(());
        };
        Err(format!(
            "{channel}: the plugin {} {} is older than {}, which ran last, and may have faults that are known; take a newer one, or run this one with --allow-downgrade",
            release.plugin, release.version, last.version
        ))
    }

    /// Writes down what runs.
    pub(crate) fn note<'a>(&self, running: impl IntoIterator<Item = (&'a str, Release)>) {
        let mut all = self.read();
        let before = all.clone();
        all.extend(
            running
                .into_iter()
                .map(|(name, release)| (name.to_owned(), release)),
        );
        if all == before {
            return;
        }
        let json: BTreeMap<&String, Value> = all
            .iter()
            .map(|(name, ran)| (name, json!({"plugin": ran.plugin, "version": ran.version})))
            .collect();
        let written = PrivateDir::existing(&self.state_dir)
            .map_err(|error| error.to_string())
            .and_then(|dir| {
                let written = dir.replace(FILE, format!("{:#}\n", json!(json)).as_bytes());
                written.map_err(|error| error.to_string())
            });
        if let Err(error) = written {
            tracing::warn!(
                "which version of a plugin runs is not written down, so that an older one is not noticed: {error}"
            );
        }
    }

    fn read(&self) -> BTreeMap<String, Release> {
        let text = || {
            let file = PrivateDir::existing(&self.state_dir)
                .ok()?
                .look(FILE)
                .ok()?;
            let mut text = String::new();
            file.take(MAX_BYTES).read_to_string(&mut text).ok()?;
            Some(text)
        };
        let json: Value = text()
            .and_then(|text| serde_json::from_str(&text).ok())
            .unwrap_or_default();
        let all = json.as_object().into_iter().flatten();
        let release = |ran: &Value| {
            Some(Release {
                plugin: ran.get("plugin")?.as_str()?.to_owned(),
                version: ran.get("version")?.as_str()?.to_owned(),
            })
        };
        all.filter_map(|(name, ran)| Some((name.clone(), release(ran)?)))
            .collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn release(plugin: &str, version: &str) -> Release {
        Release {
            plugin: plugin.into(),
            version: version.into(),
        }
    }

    #[test]
    fn only_an_older_version_of_the_same_plugin_in_the_same_channel_is_refused() {
        let dir = tempfile::tempdir().unwrap();
        let ran = Ran::new(dir.path());
        ran.note([
            ("bot", release("tiny", "0.10.0")),
            ("b", release("tiny", "1.0.0")),
        ]);
        for (plugin, version, good) in [
            ("tiny", "0.9.9", false),
            ("tiny", "0.10.0-rc.1", false),
            ("tiny", "0.10.0", true),
            ("tiny", "0.11.0", true),
            ("tiny", "yesterday", true),
            ("other", "0.0.1", true),
        ] {
            let checked = ran.check("bot", &release(plugin, version));
            assert_eq!(checked.is_ok(), good, "{plugin} {version}");
        }
        assert!(ran.check("new", &release("tiny", "0.0.1")).is_ok());
        ran.note([("bot", release("tiny", "0.9.9"))]);
        assert!(ran.check("bot", &release("tiny", "0.9.9")).is_ok());
        assert!(
            ran.check("b", &release("tiny", "0.9.9")).is_err(),
            "each channel by itself"
        );
    }

    #[test]
    fn a_record_that_is_damaged_or_gone_is_none() {
        let dir = tempfile::tempdir().unwrap();
        let ran = Ran::new(dir.path());
        for text in [
            "",
            "{",
            "[]",
            r#"{"bot": 7}"#,
            r#"{"bot": {"plugin": "tiny"}}"#,
        ] {
            std::fs::write(dir.path().join(FILE), text).unwrap();
            assert!(
                ran.check("bot", &release("tiny", "0.0.1")).is_ok(),
                "{text}"
            );
        }
        ran.note([("bot", release("tiny", "1.0.0"))]);
        assert!(ran.check("bot", &release("tiny", "0.0.1")).is_err());
    }
}
