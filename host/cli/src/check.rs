//! `prx config check`: every mistake with its line, and what the daemon would make of its own file.

use std::path::Path;
use std::sync::Arc;

use anyhow::Context;
use prx_host::config::ConfigError;
use prx_host::engine::{self, Engine};
use prx_host::guest::Component;
use prx_host::guest::wasm::WasmComponent;
use prx_host::plain::plain;

use crate::files::{DAEMON_FILE, Files, OWN_FILE};
use crate::outcome::{Trouble, Verdict};
use crate::plugins::{Plugin, Plugins};
use crate::safety;
use crate::setup::{self, Channel};

/// The version of the daemon whose keys the components know.
const DAEMON: &str = "PRX 0.8.32";

/// Checks everything, and says all of it at once.
pub(crate) fn config(path: Option<&Path>) -> Result<Verdict, Trouble> {
    let files = Files::read(path)?;
    let tables = setup::tables(&files);
    let plugins = match &tables {
        Ok(tables) => tables.host.plugins.clone(),
        Err(_) => Plugins::default(),
    };
    let checked = setup::chosen(&files, &plugins, &[]).and_then(|chosen| {
        let engine = engine::new(None).context("no engine to look at components with")?;
        setup::channels(&files, chosen, &|plugin| load(&engine, plugin))
    });
    match (tables, checked) {
        (Ok(tables), Ok(channels)) => {
            let mut safety = safety::look(&files, &tables);
            if !safety.refused.is_empty() {
                return Err(Trouble::Mistakes(safety.refused));
            }
            safety.channels(&channels);
            for channel in &channels {
                println!(
                    "{}",
                    plain(&format!("[channels_config.{}] is good", channel.name))
                );
            }
            let warnings = safety.warnings.into_iter();
            for warning in warnings.chain(refused_by_daemon(&files, &channels)?) {
                eprintln!("warning: {}", plain(&warning));
            }
            Ok(Verdict::Good)
        }
        (Err(Trouble::Mistakes(mut first)), Err(Trouble::Mistakes(second))) => {
            first.extend(second);
            Err(Trouble::Mistakes(first))
        }
        (Err(trouble), _) | (_, Err(trouble)) => Err(trouble),
    }
}

fn load(engine: &Engine, plugin: &Plugin) -> anyhow::Result<Arc<dyn Component>> {
    let component = WasmComponent::load(engine, &plugin.wasm, plugin.manifest.limits)?;
    Ok(Arc::new(component))
}

/// Keys in the daemon's own file over which it would refuse the whole of it. Those in a file of ours
/// harm nobody: it does not read them.
fn refused_by_daemon(files: &Files, channels: &[Channel]) -> Result<Vec<String>, Trouble> {
    let mut warnings = Vec::new();
    for channel in channels {
        let info = channel
            .component
            .describe()
            .context("the component does not say what it is")?;
        let foreign = files.layers.not_native(&channel.name, &info.keys);
        for (key, place) in foreign {
            if place
                .file
                .file_name()
                .is_some_and(|name| name == DAEMON_FILE)
            {
                let sentence = format!(
                    "{DAEMON} does not know `{key}` and refuses this whole file over it; if it reads this file, move the key to {OWN_FILE}"
                );
                let mistake = prx_host::config::Mistake::Other(sentence);
                let warning = ConfigError::new(Some(place), mistake).to_string();
                // One that channels inherit is found with each of them.
                if !warnings.contains(&warning) {
                    warnings.push(warning);
                }
            }
        }
    }
    Ok(warnings)
}
