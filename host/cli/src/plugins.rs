//! Where a plugin comes from: the operator's folder first, then what is built in.
//!
//! A folder has PRX's layout: `NAME/plugin.toml` beside `NAME/plugin.wasm`. Read at the start; what is put
//! there later is taken up by the next one.

use std::borrow::Cow;
use std::collections::BTreeSet;
use std::fmt::Display;
use std::path::{Component, Path, PathBuf};

use anyhow::Context;
use prx_host::manifest::Manifest;

use crate::builtin;
use crate::outcome::Trouble;

const MANIFEST: &str = "plugin.toml";

/// A component and its manifest.
#[derive(Clone)]
pub(crate) struct Plugin {
    pub(crate) wasm: Cow<'static, [u8]>,
    pub(crate) manifest: Manifest,
}

/// All plugins there are.
#[derive(Debug, Clone, Default)]
pub(crate) struct Plugins {
    dir: Option<PathBuf>,
}

impl Plugins {
    /// Those of a folder, and the ones that are built in.
    pub(crate) fn new(dir: Option<PathBuf>) -> Self {
        Self { dir }
    }

    /// The operator's folder.
    pub(crate) fn dir(&self) -> Option<&Path> {
        self.dir.as_deref()
    }

    /// True when there is a plugin of this name.
    pub(crate) fn knows(&self, name: &str) -> bool {
        self.folder(name).is_some() || builtin::find(name).is_some()
    }

    /// Reads a plugin; `None` when there is none of this name.
    pub(crate) fn find(&self, name: &str) -> Result<Option<Plugin>, Trouble> {
        let Some(folder) = self.folder(name) else {
            let builtin = builtin::find(name).map(|builtin| {
                let manifest = Manifest::parse(builtin.manifest);
                let manifest = manifest.context("a manifest that is built in")?;
                let wasm = builtin.wasm.into();
                anyhow::Ok(Plugin { wasm, manifest })
            });
            return Ok(builtin.transpose()?);
        };
        let wrong = |file: &str, error: &dyn Display| {
            let path = folder.join(file);
            Trouble::mistake(format!("{}: {error}", path.display()))
        };
        let read = std::fs::read_to_string(folder.join(MANIFEST));
        let manifest = read.map_err(|error| wrong(MANIFEST, &error))?;
        let manifest = Manifest::parse(&manifest).map_err(|error| wrong(MANIFEST, &error))?;
        let wasm = std::fs::read(folder.join(&manifest.plugin.wasm));
        let wasm = wasm.map_err(|error| wrong(&manifest.plugin.wasm, &error))?;
        Ok(Some(Plugin {
            wasm: wasm.into(),
            manifest,
        }))
    }

    /// All names, for a message.
    pub(crate) fn names(&self) -> String {
        let mut names: BTreeSet<String> = builtin::names().map(str::to_owned).collect();
        let entries = self.dir.as_ref().and_then(|dir| dir.read_dir().ok());
        for entry in entries.into_iter().flatten().flatten() {
            let name = entry.file_name().to_string_lossy().into_owned();
            if self.folder(&name).is_some() {
                names.insert(name);
            }
        }
        names.into_iter().collect::<Vec<_>>().join(", ")
    }

    fn folder(&self, name: &str) -> Option<PathBuf> {
        // A name out of a file of the operator's; one with a path in it is a slip, not a plugin.
        let mut parts = Path::new(name).components();
        let plain = matches!(parts.next(), Some(Component::Normal(_))) && parts.next().is_none();
        let folder = self.dir.as_ref().filter(|_| plain)?.join(name);
        folder.join(MANIFEST).is_file().then_some(folder)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_folder_has_plugins_by_their_plain_names() {
        let dir = tempfile::tempdir().unwrap();
        let plugins = Plugins::new(Some(dir.path().join("plugins")));
        assert!(!plugins.knows("x"));
        std::fs::create_dir_all(dir.path().join("plugins/x")).unwrap();
        std::fs::write(dir.path().join("plugins/x/plugin.toml"), "").unwrap();
        std::fs::write(dir.path().join("plugin.toml"), "").unwrap();
        assert!(plugins.knows("x") && plugins.names().split(", ").any(|n| n == "x"));
        assert!(!plugins.knows("..") && !plugins.knows("../plugins/x") && !plugins.knows(""));
        let Err(Trouble::Mistakes(said)) = plugins.find("x") else {
            panic!()
        };
        assert!(said[0].contains("x/plugin.toml: plugin.toml:"), "{said:?}");
    }
}
