//! Who else can change or read what this program goes by: the configuration, the folders that things are kept in, and
//! secrets.

use prx_host::files::{PlaceError, Writers, trusted};

use crate::files::Files;
use crate::setup::{Channel, Tables};

/// What was found.
#[derive(Debug, Default)]
pub(crate) struct Safety {
    /// Nothing is run before these are put right; one sentence each.
    pub(crate) refused: Vec<String>,
    /// What should be known.
    pub(crate) warnings: Vec<String>,
}

/// Looks at the files and folders of a configuration. Nothing is made or changed.
pub(crate) fn look(files: &Files, tables: &Tables) -> Safety {
    let mut safety = Safety::default();
    let agent = &tables.agent;
    let own = files.layers.own_paths();
    for path in files.layers.paths() {
        let Err(error) = trusted(path, Writers::Owner) else {
            continue;
        };
        if agent.names_programs() && own.contains(&path) {
            safety.refused.push(format!(
                "{error}; this configuration names programs that are started, so that whoever changes it chooses them"
            ));
        } else {
            safety.warnings.push(error.to_string());
        }
    }
    let state = Some((&tables.host.options.state_dir, Writers::Owner));
    let media = agent.media_dir.as_ref().map(|dir| (dir, Writers::Group));
    for (dir, writers) in state.into_iter().chain(media) {
        if let Err(error) = trusted(dir, writers) {
            safety.found(error);
        }
    }
    safety.warnings.extend(tables.host.warnings());
    safety.warnings.extend(agent.exposed.iter().cloned());
    safety
}

impl Safety {
    /// A folder. What cannot be looked at may be made by the time it is needed.
    fn found(&mut self, error: PlaceError) {
        let sentence = error.to_string();
        let list = match error.is_system() {
            true => &mut self.warnings,
            false => &mut self.refused,
        };
        // The media are usually kept with the state.
        if !list.contains(&sentence) {
            list.push(sentence);
        }
    }

    /// The secrets of channels.
    pub(crate) fn channels(&mut self, channels: &[Channel]) {
        for channel in channels {
            self.warnings.extend(channel.config.exposed.iter().cloned());
        }
    }
}
