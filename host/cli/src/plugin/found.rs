//! What somebody means by a plugin: a folder, a file, or a name.

use std::borrow::Cow;
use std::path::{Path, PathBuf};

use anyhow::Context;
use prx_host::limits::Limits;
use prx_host::manifest::Manifest;
use prx_host::package::{self, Package, SignatureState, Trust};

use crate::builtin::{self, Builtin};
use crate::files::Files;
use crate::outcome::Trouble;
use crate::plugins::Plugins;
use crate::setup;

/// A plugin to look at.
pub(super) struct Found {
    pub(super) place: Place,
    /// Absent for a component alone.
    pub(super) manifest: Option<Manifest>,
    pub(super) wasm: Cow<'static, [u8]>,
    pub(super) sha256: String,
    /// Absent where nobody could have signed.
    pub(super) signature: Option<SignatureState>,
}

/// Where it is.
pub(super) enum Place {
    /// A folder with a manifest.
    Folder(PathBuf),
    /// A component alone.
    File(PathBuf),
    /// In this program.
    BuiltIn(Builtin),
}

impl Found {
    pub(super) fn name(&self) -> String {
        match (&self.manifest, &self.place) {
            (Some(manifest), _) => manifest.plugin.name.clone(),
            (None, Place::File(path) | Place::Folder(path)) => path.display().to_string(),
            (None, Place::BuiltIn(builtin)) => builtin.name.to_owned(),
        }
    }

    /// Name and version.
    pub(super) fn title(&self) -> String {
        let version = self.manifest.as_ref().map(|m| m.plugin.version.as_str());
        format!("{} {}", self.name(), version.unwrap_or_default())
    }

    /// What it may use: the standard where no manifest says anything.
    pub(super) fn limits(&self) -> Limits {
        self.manifest
            .as_ref()
            .map_or(Limits::STANDARD, |manifest| manifest.limits)
    }
}

/// Finds plugins by what was typed.
pub(super) struct Finder {
    plugins: Plugins,
}

impl Finder {
    /// With the folder and the keys of the configuration, where there is one.
    pub(super) fn new(config: Option<&Path>) -> Result<Self, Trouble> {
        let plugins = match Files::read_if_there(config)? {
            Some(files) => setup::host(&files)?.plugins,
            None => Plugins::default(),
        };
        Ok(Self { plugins })
    }

    /// The keys of the configuration.
    pub(super) fn trust(&self) -> Trust {
        self.plugins.trust().clone()
    }

    fn place(&self, what: &str) -> Result<Place, Trouble> {
        let path = Path::new(what);
        if path.is_dir() {
            return Ok(Place::Folder(path.to_owned()));
        }
        if path.is_file() {
            let above = path.parent().filter(|above| !above.as_os_str().is_empty());
            let above = above.unwrap_or(Path::new("."));
            let file = path.file_name().and_then(|name| name.to_str());
            let manifest = std::fs::read_to_string(above.join(package::MANIFEST)).ok();
            let manifest = manifest.and_then(|text| Manifest::parse(&text).ok());
            let belongs = manifest.is_some_and(|m| Some(m.plugin.wasm.as_str()) == file);
            return Ok(match belongs || file == Some(package::MANIFEST) {
                true => Place::Folder(above.to_owned()),
                false => Place::File(path.to_owned()),
            });
        }
        if let Some(folder) = self.plugins.folder(what) {
            return Ok(Place::Folder(folder));
        }
        builtin::find(what).map(Place::BuiltIn).ok_or_else(|| {
            Trouble::mistake(format!(
                "{what} is no folder, no file and no plugin that this program knows; known are: {}",
                self.plugins.names()
            ))
        })
    }

    /// Reads a plugin to look at it, whoever could change it.
    pub(super) fn look(&self, what: &str) -> Result<Found, Trouble> {
        match self.place(what)? {
            Place::Folder(folder) => Ok(of_package(Package::look(&folder)?, folder)),
            Place::File(path) => {
                let wasm = std::fs::read(&path);
                let wasm =
                    wasm.map_err(|e| Trouble::mistake(format!("{}: {e}", path.display())))?;
                Ok(Found {
                    sha256: package::digest(&wasm),
                    place: Place::File(path),
                    manifest: None,
                    wasm: wasm.into(),
                    signature: None,
                })
            }
            Place::BuiltIn(builtin) => Ok(built_in(builtin)?),
        }
    }

    /// Reads a plugin with all checks of a start. The inner error is the one reason against it.
    pub(super) fn verified(
        &self,
        what: &str,
        trust: &Trust,
    ) -> Result<Result<Found, String>, Trouble> {
        Ok(match self.place(what)? {
            Place::Folder(folder) => Package::open(&folder, trust)
                .map(|package| of_package(package, folder))
                .map_err(|error| error.to_string()),
            Place::File(path) => Err(format!(
                "{} has no plugin.toml beside it that names it; pack both with `prx plugin pack`",
                path.display()
            )),
            Place::BuiltIn(builtin) => Ok(built_in(builtin)?),
        })
    }

    /// Manifest and component, for packing: they need not fit yet.
    pub(super) fn parts(
        &self,
        what: &str,
        wasm: Option<&Path>,
    ) -> Result<(String, Cow<'static, [u8]>), Trouble> {
        let unreadable =
            |path: &Path, error| Trouble::mistake(format!("{}: {error}", path.display()));
        let (manifest, beside) = match self.place(what)? {
            Place::BuiltIn(builtin) => (builtin.manifest.to_owned(), Err(builtin.wasm)),
            Place::Folder(folder) => {
                let path = folder.join(package::MANIFEST);
                let text = std::fs::read_to_string(&path);
                (text.map_err(|error| unreadable(&path, error))?, Ok(folder))
            }
            Place::File(path) => {
                return Err(Trouble::mistake(format!(
                    "{} is a component without a manifest; name the folder of its plugin.toml, and this file with --wasm",
                    path.display()
                )));
            }
        };
        let path = match (wasm, beside) {
            (Some(path), _) => path.to_owned(),
            (None, Err(bytes)) => return Ok((manifest, bytes.into())),
            (None, Ok(folder)) => {
                let parsed = Manifest::parse(&manifest).map_err(Trouble::mistake)?;
                folder.join(parsed.plugin.wasm)
            }
        };
        let bytes = std::fs::read(&path).map_err(|error| unreadable(&path, error))?;
        Ok((manifest, bytes.into()))
    }
}

fn of_package(package: Package, folder: PathBuf) -> Found {
    Found {
        place: Place::Folder(folder),
        manifest: Some(package.manifest),
        wasm: package.wasm.into(),
        sha256: package.sha256,
        signature: Some(package.signature),
    }
}

fn built_in(builtin: Builtin) -> anyhow::Result<Found> {
    let manifest = Manifest::parse(builtin.manifest);
    Ok(Found {
        place: Place::BuiltIn(builtin),
        manifest: Some(manifest.context("a manifest that is built in")?),
        wasm: builtin.wasm.into(),
        sha256: package::digest(builtin.wasm),
        signature: None,
    })
}
