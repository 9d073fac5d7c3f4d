//! A plugin as files: `plugin.toml`, the component beside it, and `plugin.sig` where somebody signed both.
//!
//! Everything is read once, and what was checked is what runs: whoever loads the bytes does not read the files
//! again. Must not know where plugins are kept, or what a component does.

use std::path::{Path, PathBuf};

use crate::files::PlaceError;
use crate::guest::wasm::MAX_COMPONENT_BYTES;
use crate::manifest::{MAX_MANIFEST_BYTES, Manifest, ManifestError};

mod folder;
mod signature;
mod write;

pub use signature::{PublicKey, SecretKey, SignatureError};
pub use write::{Source, write};

use folder::Folder;

/// File name of the manifest.
pub const MANIFEST: &str = "plugin.toml";
/// File name of the signatures.
pub const SIGNATURE: &str = "plugin.sig";
/// Largest file of signatures, bytes: about a hundred of them.
const MAX_SIGNATURE_BYTES: usize = 16 << 10;

/// A plugin, read.
#[derive(Debug, Clone)]
pub struct Package {
    /// What it says of itself.
    pub manifest: Manifest,
    /// The manifest as it is written.
    pub manifest_text: String,
    /// The component.
    pub wasm: Vec<u8>,
    /// SHA-256 of the component, 64 lower-case hexadecimal digits.
    pub sha256: String,
    /// Who signed it.
    pub signature: SignatureState,
    folder: PathBuf,
}

/// What there is of signatures.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum SignatureState {
    /// No `plugin.sig`.
    Unsigned,
    /// Each of these keys signed this manifest together with this component.
    Signed(Vec<PublicKey>),
    /// There is a `plugin.sig`, and it does not fit. One sentence.
    Broken(String),
}

/// Whose plugins are run.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub enum Trust {
    /// Whatever is in the folder: whoever may write there decides.
    #[default]
    Anyone,
    /// What one of these keys has signed. Without a key: nothing.
    Only(Vec<PublicKey>),
}

/// A plugin is not to be run. Each says what to do.
#[derive(Debug, thiserror::Error)]
pub enum PackageError {
    /// A file or folder cannot be read.
    #[error("{path}: {cause}")]
    Read {
        /// Which.
        path: String,
        /// Why.
        cause: std::io::Error,
    },
    /// A link, a folder, a device.
    #[error("{path} is {what}; put {want} in its place")]
    Kind {
        /// Which.
        path: String,
        /// What it is.
        what: &'static str,
        /// What it should be.
        want: &'static str,
    },
    /// Too large.
    #[error("{path} has {bytes} bytes, and {max} are allowed; make it smaller")]
    TooLarge {
        /// Which.
        path: String,
        /// Its size.
        bytes: u64,
        /// The bound.
        max: usize,
    },
    /// Somebody else could change what runs here.
    #[error(transparent)]
    Place(#[from] PlaceError),
    /// A folder of another name than its plugin.
    #[error(
        "{path} is the folder of the plugin {name:?} by its plugin.toml, and a plugin runs from a folder of its own name only; rename the folder, or take the whole of it anew from whoever made it"
    )]
    Name {
        /// The folder.
        path: String,
        /// What the manifest calls the plugin.
        name: String,
    },
    /// The manifest is wrong.
    #[error("{path}: {cause}")]
    Manifest {
        /// Where it is.
        path: String,
        /// What is wrong with it.
        cause: ManifestError,
    },
    /// The component is not the one that the manifest was written for.
    #[error(
        "{path} is not the component that plugin.toml was packed with: its SHA-256 is {found}, and [integrity] says {recorded}; copy the whole folder again, or pack it anew with `prx plugin pack`"
    )]
    Digest {
        /// The component.
        path: String,
        /// What the manifest says.
        recorded: String,
        /// What it is.
        found: String,
    },
    /// Signatures that do not fit.
    #[error(
        "{path}: {cause}; take the whole folder anew from whoever made it, or pack and sign it yourself"
    )]
    Signature {
        /// The file of signatures.
        path: String,
        /// What is wrong, one sentence.
        cause: String,
    },
    /// Nobody signed it, and somebody should have.
    #[error(
        "{path} is not signed, and [host] trusted_keys runs only what one of its keys has signed; sign it with `prx plugin pack --sign-with`"
    )]
    Unsigned {
        /// The folder.
        path: String,
    },
    /// Somebody signed it who is not trusted.
    #[error(
        "{path} is signed with {keys}, which is not among [host] trusted_keys; add the key if you trust whoever holds it, or sign the plugin with one of yours"
    )]
    Untrusted {
        /// The folder.
        path: String,
        /// Who signed it.
        keys: String,
    },
    /// Files could not be written.
    #[error("{path} cannot be written: {cause}; choose another --out or mend its permissions")]
    Write {
        /// Which.
        path: String,
        /// Why.
        cause: std::io::Error,
    },
}

impl Package {
    /// Reads a plugin that is to be run, with every check: who can write its files, digest, signatures, trust.
    ///
    /// # Errors
    /// The first reason for which it is not to be run.
    pub fn open(folder: &Path, trust: &Trust) -> Result<Self, PackageError> {
        let opened = Folder::open(folder)?;
        opened.check_path()?;
        let package = Self::read(folder, &opened, true)?;
        let name = &package.manifest.plugin.name;
        if opened.name().as_ref() != Some(name) {
            return Err(PackageError::Name {
                path: folder.display().to_string(),
                name: name.clone(),
            });
        }
        package.require(trust)?;
        Ok(package)
    }

    /// Reads a plugin to look at it: whoever can write its files may do so, and signatures are judged but not
    /// required.
    ///
    /// # Errors
    /// It cannot be read, or its component is not the one that its manifest names.
    pub fn look(folder: &Path) -> Result<Self, PackageError> {
        Self::read(folder, &Folder::open(folder)?, false)
    }

    fn read(path: &Path, folder: &Folder, guarded: bool) -> Result<Self, PackageError> {
        let manifest_path = || path.join(MANIFEST).display().to_string();
        let text = folder.read(MANIFEST, MAX_MANIFEST_BYTES, guarded)?;
        let manifest_text = String::from_utf8(text).map_err(|_| PackageError::Manifest {
            path: manifest_path(),
            cause: ManifestError::Syntax("this is not UTF-8 text".into()),
        })?;
        let manifest = Manifest::parse(&manifest_text).map_err(|cause| PackageError::Manifest {
            path: manifest_path(),
            cause,
        })?;
        // A plain name, as the manifest's own checks saw to; nothing leads out of the folder.
        let wasm = folder.read(&manifest.plugin.wasm, MAX_COMPONENT_BYTES, guarded)?;
        let sha256 = digest(&wasm);
        if let Some(recorded) = manifest.sha256.clone().filter(|r| *r != sha256) {
            return Err(PackageError::Digest {
                path: path.join(&manifest.plugin.wasm).display().to_string(),
                recorded,
                found: sha256,
            });
        }
        let signatures = folder.read_if_there(SIGNATURE, MAX_SIGNATURE_BYTES, guarded)?;
        let signature = match signatures {
            None => SignatureState::Unsigned,
            Some(file) => match signature::verify(&file, &message(&manifest_text, &sha256)) {
                Ok(keys) => SignatureState::Signed(keys),
                Err(cause) => SignatureState::Broken(cause.to_string()),
            },
        };
        Ok(Self {
            manifest,
            manifest_text,
            wasm,
            sha256,
            signature,
            folder: path.to_owned(),
        })
    }

    /// Whether somebody who is trusted has signed it.
    ///
    /// # Errors
    /// Nobody has; or there are signatures that do not fit, which is damage even where none is asked for.
    pub fn require(&self, trust: &Trust) -> Result<(), PackageError> {
        let path = self.folder.display().to_string();
        let keys = match (&self.signature, trust) {
            (SignatureState::Broken(cause), _) => {
                return Err(PackageError::Signature {
                    path: self.folder.join(SIGNATURE).display().to_string(),
                    cause: cause.clone(),
                });
            }
            (_, Trust::Anyone) => return Ok(()),
            (SignatureState::Unsigned, _) => return Err(PackageError::Unsigned { path }),
            (SignatureState::Signed(keys), Trust::Only(trusted)) => {
                if keys.iter().any(|key| trusted.contains(key)) {
                    return Ok(());
                }
                keys
            }
        };
        let keys: Vec<String> = keys.iter().map(ToString::to_string).collect();
        Err(PackageError::Untrusted {
            path,
            keys: keys.join(" and "),
        })
    }
}

/// SHA-256, as 64 lower-case hexadecimal digits.
pub fn digest(bytes: &[u8]) -> String {
    use sha2::Digest as _;
    use std::fmt::Write as _;
    let mut hex = String::with_capacity(64);
    for byte in sha2::Sha256::digest(bytes) {
        // Writing to a string does not fail.
        let _ = write!(hex, "{byte:02x}");
    }
    hex
}

/// What is signed: manifest and component in one, under a first line that no other signature of anybody's has.
fn message(manifest_text: &str, component_sha256: &str) -> String {
    let manifest = digest(manifest_text.as_bytes());
    format!("prx-plugin-signature-v1\n{manifest}\n{component_sha256}\n")
}

#[cfg(test)]
mod tests;
