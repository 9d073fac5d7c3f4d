//! Which files are read, and what is beside them.

use std::path::{Path, PathBuf};

use prx_host::config::{Layer, Layers};

use crate::outcome::Trouble;

/// Names the folder of the configuration, before the home folder is looked at.
const DIR_VARIABLE: &str = "OPENPRX_CONFIG_DIR";
const HOME_DIR: &str = ".openprx";
/// The daemon's own file: only its channels are ours to read.
pub(crate) const DAEMON_FILE: &str = "config.toml";
/// Laid over it; ours alone.
pub(crate) const OWN_FILE: &str = "channels.toml";
/// Where things are kept when `[host] state_dir` says nothing.
const STATE_DIR: &str = "channels-state";

/// The configuration and the folder it is in.
#[derive(Debug)]
pub(crate) struct Files {
    pub(crate) layers: Layers,
    dir: PathBuf,
    named: Option<PathBuf>,
}

impl Files {
    /// Reads the file that was named, or the usual two.
    pub(crate) fn read(named: Option<&Path>) -> Result<Self, Trouble> {
        let (dir, layers) = match named {
            Some(path) => {
                let dir = path.parent().filter(|dir| !dir.as_os_str().is_empty());
                let layer = Layer {
                    path: path.to_owned(),
                    only_channels: false,
                    required: true,
                };
                (dir.unwrap_or(Path::new(".")).to_owned(), vec![layer])
            }
            None => usual()?,
        };
        // What is kept is found by other processes as well, wherever they are.
        let dir = std::path::absolute(&dir).unwrap_or(dir);
        let layers = Layers::read(&layers)?;
        if layers.paths().is_empty() {
            let (own, daemon) = (dir.join(OWN_FILE), dir.join(DAEMON_FILE));
            return Err(Trouble::mistake(format!(
                "there is no configuration: neither {} nor {} exists; write a table [channels_config.NAME] into one of them, or name a file with --config",
                own.display(),
                daemon.display()
            )));
        }
        Ok(Self {
            layers,
            dir,
            named: named.map(Path::to_owned),
        })
    }

    /// Reads the file that was named, or the usual two; nothing when none was named and there are none.
    pub(crate) fn read_if_there(named: Option<&Path>) -> Result<Option<Self>, Trouble> {
        if named.is_none() {
            let (_, layers) = usual()?;
            if !layers.iter().any(|layer| layer.path.exists()) {
                return Ok(None);
            }
        }
        Self::read(named).map(Some)
    }

    /// How a command is told to read these files: nothing for the usual ones.
    pub(crate) fn option(&self) -> String {
        let named = self.named.as_ref();
        let option = named.map(|path| format!(" --config {}", path.display()));
        option.unwrap_or_default()
    }

    /// The same files as they are now.
    pub(crate) fn again(&self) -> Result<Self, Trouble> {
        Self::read(self.named.as_deref())
    }

    /// The files that were read, for a message.
    pub(crate) fn shown(&self) -> String {
        let paths = self.layers.paths();
        let paths: Vec<String> = paths.iter().map(|p| p.display().to_string()).collect();
        paths.join(" or ")
    }

    /// A path of the configuration, relative to its folder.
    pub(crate) fn beside(&self, path: impl AsRef<Path>) -> PathBuf {
        self.dir.join(path)
    }

    /// Where things are kept.
    pub(crate) fn state_dir(&self, written: Option<&str>) -> PathBuf {
        self.beside(written.unwrap_or(STATE_DIR))
    }
}

fn usual() -> Result<(PathBuf, Vec<Layer>), Trouble> {
    let named = std::env::var_os(DIR_VARIABLE).map(PathBuf::from);
    let dir = named.or_else(|| Some(std::env::home_dir()?.join(HOME_DIR)));
    let dir = dir.ok_or_else(|| {
        Trouble::mistake(format!(
            "there is no home folder to look for a configuration in; set {DIR_VARIABLE}, or name a file with --config"
        ))
    })?;
    let layer = |file: &str, only_channels| Layer {
        path: dir.join(file),
        only_channels,
        required: false,
    };
    let layers = vec![layer(DAEMON_FILE, true), layer(OWN_FILE, false)];
    Ok((dir, layers))
}
