//! From files to everything a run needs, with all mistakes said at once.

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::sync::Arc;

use anyhow::Context;
use prx_agent::AgentConfig;
use prx_host::config::{Checked, ConfigError, Mistake};
use prx_host::guest::Component;
use prx_host::manifest::Manifest;

use crate::files::Files;
use crate::host_table::{self, HostTable};
use crate::outcome::Trouble;
use crate::plugins::{Plugin, Plugins};

/// The agent's media, in the state directory, when `[agent] media_dir` says nothing.
const MEDIA_DIR: &str = "media";

/// A channel that can be started.
#[derive(Debug)]
pub(crate) struct Channel {
    pub(crate) name: String,
    pub(crate) component: Arc<dyn Component>,
    pub(crate) manifest: Manifest,
    pub(crate) config: Checked,
    /// Whether somebody has signed its plugin.
    pub(crate) signed: bool,
}

/// The tables that do not belong to a channel.
#[derive(Debug)]
pub(crate) struct Tables {
    pub(crate) host: HostTable,
    pub(crate) agent: AgentConfig,
}

fn env(name: &str) -> Option<String> {
    std::env::var(name).ok()
}

/// Reads `[host]`.
pub(crate) fn host(files: &Files) -> Result<HostTable, Vec<ConfigError>> {
    let table = files.layers.table("host", &host_table::keys(), &env)?;
    host_table::read(&table, files).map_err(|error| vec![error])
}

/// Reads `[host]` and `[agent]`.
pub(crate) fn tables(files: &Files) -> Result<Tables, Trouble> {
    let host = host(files);
    let agent = AgentConfig::read(&files.layers, &env);
    match (host, agent) {
        (Ok(host), Ok(mut agent)) => {
            agent.media_dir = Some(media_dir(agent.media_dir, &host, files));
            agent.state_dir = Some(host.options.state_dir.clone());
            Ok(Tables { host, agent })
        }
        (host, agent) => {
            let mut mistakes: Vec<ConfigError> = Vec::new();
            mistakes.extend(host.err().into_iter().flatten());
            mistakes.extend(agent.err().into_iter().flatten());
            Err(mistakes.into())
        }
    }
}

/// Where the agent keeps media: what is written is meant from the configuration's folder.
fn media_dir(written: Option<PathBuf>, host: &HostTable, files: &Files) -> PathBuf {
    match written {
        Some(dir) => files.beside(&dir),
        None => host.options.state_dir.join(MEDIA_DIR),
    }
}

/// What is said of a channel that no file has.
pub(crate) fn no_channel(name: &str, there: &BTreeMap<String, String>) -> String {
    let names: Vec<&str> = there.keys().map(String::as_str).collect();
    format!(
        "there is no [channels_config.{name}]; the channels are: {}",
        names.join(", ")
    )
}

/// The channels to run: those that were named, or all whose plugin is known.
pub(crate) fn chosen(
    files: &Files,
    plugins: &Plugins,
    names: &[String],
) -> Result<Vec<(String, Plugin)>, Trouble> {
    let there = files.layers.channels();
    if names.is_empty() {
        let mut known = Vec::new();
        for (name, plugin) in there {
            if let Some(plugin) = plugins.find(&plugin)? {
                known.push((name, plugin));
            }
        }
        if known.is_empty() {
            return Err(Trouble::mistake(format!(
                "{} has no channel that this program can run; write a table [channels_config.NAME], where NAME or its `plugin` is one of: {}",
                files.shown(),
                plugins.names()
            )));
        }
        return Ok(known);
    }
    let mut chosen = Vec::new();
    let mut mistakes = Vec::new();
    for name in names {
        let Some(plugin) = there.get(name) else {
            mistakes.push(no_channel(name, &there));
            continue;
        };
        match plugins.find(plugin)? {
            Some(found) => chosen.push((name.clone(), found)),
            None => mistakes.push(format!(
                "[channels_config.{name}] asks for the plugin {plugin:?}, which is not known; known are: {}",
                plugins.names()
            )),
        }
    }
    if mistakes.is_empty() {
        Ok(chosen)
    } else {
        Err(Trouble::Mistakes(mistakes))
    }
}

/// Checks and compiles a component.
type Loader<'a> = dyn Fn(&Plugin) -> anyhow::Result<Arc<dyn Component>> + 'a;

/// Checks the tables of channels against their components.
pub(crate) fn channels(
    files: &Files,
    chosen: Vec<(String, Plugin)>,
    load: &Loader<'_>,
) -> Result<Vec<Channel>, Trouble> {
    let mut channels: Vec<Channel> = Vec::new();
    let mut mistakes = Vec::new();
    for (name, plugin) in chosen {
        tracing::debug!(channel = %name, plugin = %plugin.manifest.plugin.name, sha256 = %plugin.sha256, "loading");
        let component = load(&plugin)?;
        let info = component
            .describe()
            .context("the component does not say what it is")?;
        match files.layers.channel(&name, &info.keys, &env) {
            Ok(config) => channels.push(Channel {
                name,
                component,
                manifest: plugin.manifest,
                config,
                signed: plugin.signed,
            }),
            Err(errors) => mistakes.extend(errors),
        }
    }
    mistakes.extend(twice(&channels));
    if mistakes.is_empty() {
        Ok(channels)
    } else {
        Err(mistakes.into())
    }
}

/// Tables of one account: it would be connected twice.
fn twice(channels: &[Channel]) -> Vec<ConfigError> {
    let mut mistakes = Vec::new();
    for (index, second) in channels.iter().enumerate() {
        let Some(identity) = &second.config.identity else {
            continue;
        };
        let same = |first: &&Channel| {
            first.manifest.plugin.name == second.manifest.plugin.name
                && first.config.identity.as_ref() == Some(identity)
        };
        if let Some(first) = channels.iter().take(index).find(same) {
            let place = identity
                .keys
                .iter()
                .find_map(|key| second.config.places.get(key));
            let sentence = format!(
                "[channels_config.{}] has the same {} as [channels_config.{}], and of one account only one may be connected; remove one of the two tables, or correct it",
                second.name,
                identity.keys.join(" and "),
                first.name
            );
            mistakes.push(ConfigError::new(place.cloned(), Mistake::Other(sentence)));
        }
    }
    mistakes
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn media_are_kept_with_the_state_or_where_the_table_says() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("channels.toml");
        for (toml, expected) in [
            ("", "channels-state/media"),
            ("[host]\nstate_dir = \"s\"\n", "s/media"),
            ("[agent]\nmedia_dir = \"m\"\n", "m"),
        ] {
            std::fs::write(&path, toml).unwrap();
            let tables = tables(&Files::read(Some(&path)).unwrap()).unwrap();
            let media = tables.agent.media_dir.unwrap();
            assert_eq!(media, dir.path().join(expected), "{toml}");
        }
    }
}
