//! Where a plugin comes from: the operator's folder first, then what is built in.
//!
//! A folder has PRX's layout: `NAME/plugin.toml` beside `NAME/plugin.wasm`. Each look reads the files anew, with
//! every check; what is put there is taken up by the next start or reload.

use std::borrow::Cow;
use std::collections::BTreeSet;
use std::path::{Component, Path, PathBuf};

use anyhow::Context;
use prx_host::manifest::Manifest;
use prx_host::package::{self, Package, PackageError, SignatureState, Trust};

use crate::builtin;
use crate::outcome::Trouble;

/// A component and its manifest, checked.
#[derive(Clone)]
pub(crate) struct Plugin {
    pub(crate) wasm: Cow<'static, [u8]>,
    pub(crate) manifest: Manifest,
    /// SHA-256 of the component, 64 lower-case hexadecimal digits: which build this is.
    pub(crate) sha256: String,
    /// Whether somebody has signed it.
    pub(crate) signed: bool,
}

/// All plugins there are.
#[derive(Debug, Clone, Default)]
pub(crate) struct Plugins {
    dir: Option<PathBuf>,
    trust: Trust,
}

impl From<PackageError> for Trouble {
    fn from(error: PackageError) -> Self {
        Self::mistake(error)
    }
}

impl Plugins {
    /// Those of a folder, as far as they are trusted, and the ones that are built in, which are.
    pub(crate) fn new(dir: Option<PathBuf>, trust: Trust) -> Self {
        Self { dir, trust }
    }

    /// Whose plugins are run from the folder.
    pub(crate) fn trust(&self) -> &Trust {
        &self.trust
    }

    /// The operator's folder.
    pub(crate) fn dir(&self) -> Option<&Path> {
        self.dir.as_deref()
    }

    /// True when there is a plugin of this name.
    pub(crate) fn knows(&self, name: &str) -> bool {
        self.folder(name).is_some() || builtin::find(name).is_some()
    }

    /// Reads a plugin as it is now, with every check; `None` when there is none of this name.
    pub(crate) fn find(&self, name: &str) -> Result<Option<Plugin>, Trouble> {
        let Some(folder) = self.folder(name) else {
            let builtin = builtin::find(name).map(|builtin| {
                let manifest = Manifest::parse(builtin.manifest);
                let manifest = manifest.context("a manifest that is built in")?;
                anyhow::Ok(Plugin {
                    wasm: builtin.wasm.into(),
                    manifest,
                    sha256: package::digest(builtin.wasm),
                    signed: false,
                })
            });
            return Ok(builtin.transpose()?);
        };
        let package = Package::open(&folder, &self.trust)?;
        Ok(Some(Plugin {
            wasm: package.wasm.into(),
            manifest: package.manifest,
            sha256: package.sha256,
            signed: matches!(package.signature, SignatureState::Signed(_)),
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

    /// The folder of a plugin, when it has one.
    pub(crate) fn folder(&self, name: &str) -> Option<PathBuf> {
        // A name out of a file of the operator's; one with a path in it is a slip, not a plugin. One that begins
        // with a dot is being written.
        let mut parts = Path::new(name).components();
        let plain = matches!(parts.next(), Some(Component::Normal(_))) && parts.next().is_none();
        let plain = plain && !name.starts_with('.');
        let folder = self.dir.as_ref().filter(|_| plain)?.join(name);
        folder.join(package::MANIFEST).is_file().then_some(folder)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_folder_has_plugins_by_their_plain_names() {
        let dir = tempfile::tempdir().unwrap();
        let plugins = Plugins::new(Some(dir.path().join("plugins")), Trust::Anyone);
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

    #[test]
    fn what_is_built_in_is_trusted_and_has_a_digest() {
        let plugins = Plugins::new(None, Trust::Only(Vec::new()));
        for name in builtin::names() {
            let plugin = plugins.find(name).unwrap().unwrap();
            assert_eq!(plugin.sha256, package::digest(&plugin.wasm));
        }
    }
}
