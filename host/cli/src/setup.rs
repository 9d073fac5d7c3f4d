//! From files to everything a run needs, with all mistakes said at once.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use anyhow::Context;
use prx_agent::AgentConfig;
use prx_host::config::{Checked, ConfigError};
use prx_host::engine::{self, Engine};
use prx_host::guest::Component;
use prx_host::guest::wasm::WasmComponent;
use prx_host::manifest::Manifest;

use crate::builtin::{self, Builtin};
use crate::files::Files;
use crate::host_table::{self, HostTable};
use crate::outcome::Trouble;

/// The agent's media, in the state directory, when `[agent] media_dir` says nothing.
const MEDIA_DIR: &str = "media";

/// A channel that can be started.
#[derive(Debug)]
pub(crate) struct Channel {
    pub(crate) name: String,
    pub(crate) component: Arc<dyn Component>,
    pub(crate) manifest: Manifest,
    pub(crate) config: Checked,
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

/// Reads `[host]` and `[agent]`.
pub(crate) fn tables(files: &Files) -> Result<Tables, Trouble> {
    let host = files.layers.table("host", &host_table::keys(), &env);
    let agent = AgentConfig::read(&files.layers, &env);
    let mut mistakes: Vec<ConfigError> = Vec::new();
    let host = host.and_then(|table| host_table::read(&table, files).map_err(|e| vec![e]));
    match (host, agent) {
        (Ok(host), Ok(mut agent)) => {
            agent.media_dir = Some(media_dir(agent.media_dir, &host, files));
            agent.state_dir = Some(host.options.state_dir.clone());
            Ok(Tables { host, agent })
        }
        (host, agent) => {
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

/// The channels to run: those that were named, or all whose plugin is known.
pub(crate) fn chosen(files: &Files, names: &[String]) -> Result<Vec<(String, Builtin)>, Trouble> {
    let there = files.layers.channels();
    if names.is_empty() {
        let known = there
            .into_iter()
            .filter_map(|(name, plugin)| Some((name, builtin::find(&plugin)?)));
        let known: Vec<_> = known.collect();
        if known.is_empty() {
            let paths: Vec<_> = files
                .layers
                .paths()
                .iter()
                .map(|p| p.display().to_string())
                .collect();
            return Err(Trouble::mistake(format!(
                "{} has no channel that this program can run; write a table [channels_config.NAME], where NAME or its `plugin` is one of: {}",
                paths.join(" or "),
                builtin::names()
            )));
        }
        return Ok(known);
    }
    let mut chosen = Vec::new();
    let mut mistakes = Vec::new();
    for name in names {
        let plugin = there.get(name);
        match plugin.map(|plugin| (plugin, builtin::find(plugin))) {
            Some((_, Some(builtin))) => chosen.push((name.clone(), builtin)),
            Some((plugin, None)) => mistakes.push(format!(
                "[channels_config.{name}] asks for the plugin {plugin:?}, which is not known; known are: {}",
                builtin::names()
            )),
            None => mistakes.push(format!(
                "there is no [channels_config.{name}]; the channels are: {}",
                there.keys().cloned().collect::<Vec<_>>().join(", ")
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
type Loader<'a> = dyn Fn(&Builtin, &Manifest) -> anyhow::Result<Arc<dyn Component>> + 'a;

/// Checks the tables of channels against their components.
pub(crate) fn channels(
    files: &Files,
    chosen: Vec<(String, Builtin)>,
    load: &Loader<'_>,
) -> Result<Vec<Channel>, Trouble> {
    let mut channels = Vec::new();
    let mut mistakes = Vec::new();
    for (name, builtin) in chosen {
        let manifest = Manifest::parse(builtin.manifest).context("a manifest that is built in")?;
        let component = load(&builtin, &manifest)?;
        let info = component
            .describe()
            .context("the component does not say what it is")?;
        match files.layers.channel(&name, &info.keys, &env) {
            Ok(config) => channels.push(Channel {
                name,
                component,
                manifest,
                config,
            }),
            Err(errors) => mistakes.extend(errors),
        }
    }
    if mistakes.is_empty() {
        Ok(channels)
    } else {
        Err(mistakes.into())
    }
}

/// `prx config check`.
pub(crate) fn check(config: Option<&Path>) -> Result<(), Trouble> {
    let files = Files::read(config)?;
    let tables = tables(&files);
    let checked = chosen(&files, &[]).and_then(|chosen| {
        let engine = engine::new(None).context("no engine to look at components with")?;
        let load = |builtin: &Builtin, manifest: &Manifest| load(&engine, builtin, manifest);
        channels(&files, chosen, &load)
    });
    match (tables, checked) {
        (Ok(_), Ok(channels)) => {
            for channel in channels {
                println!("[channels_config.{}] is good", channel.name);
            }
            Ok(())
        }
        (Err(Trouble::Mistakes(mut first)), Err(Trouble::Mistakes(second))) => {
            first.extend(second);
            Err(Trouble::Mistakes(first))
        }
        (Err(trouble), _) | (_, Err(trouble)) => Err(trouble),
    }
}

fn load(
    engine: &Engine,
    builtin: &Builtin,
    manifest: &Manifest,
) -> anyhow::Result<Arc<dyn Component>> {
    let component = WasmComponent::load(engine, builtin.wasm, manifest.limits)?;
    Ok(Arc::new(component))
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
