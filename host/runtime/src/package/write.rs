//! A plugin written as a folder that is ready to be copied: manifest with the component's digest, component,
//! signature. It appears whole, or not at all.

use std::fs::{self, Permissions};
use std::io;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};

use rustix::fs::{CWD, RenameFlags, renameat_with};
use toml_edit::DocumentMut;

use super::{MANIFEST, PackageError, SIGNATURE, SecretKey, digest, message};
use crate::manifest::{Manifest, ManifestError, syntax};

/// What a plugin is made of.
#[derive(Debug, Clone, Copy)]
pub struct Source<'a> {
    /// `plugin.toml`, as somebody wrote it.
    pub manifest: &'a str,
    /// The component.
    pub wasm: &'a [u8],
    /// Who signs it.
    pub sign_with: Option<&'a SecretKey>,
}

/// Writes `NAME/` into a folder, in place of one that is there, and returns where it is.
///
/// # Errors
/// The manifest is wrong, or the folder cannot be written.
pub fn write(source: Source<'_>, into: &Path) -> Result<PathBuf, PackageError> {
    let wrong = |cause| PackageError::Manifest {
        path: MANIFEST.into(),
        cause,
    };
    let sha256 = digest(source.wasm);
    let text = with_digest(source.manifest, &sha256).map_err(wrong)?;
    let manifest = Manifest::parse(&text).map_err(wrong)?;
    let target = into.join(&manifest.plugin.name);
    let failed = |cause| PackageError::Write {
        path: target.display().to_string(),
        cause,
    };
    fs::create_dir_all(into).map_err(failed)?;
    // In the same folder, so that it can be renamed.
    let made = tempfile::Builder::new()
        .prefix(".packing-")
        .tempdir_in(into);
    let made = made.map_err(failed)?;
    let file = |name: &str, bytes: &[u8]| {
        let path = made.path().join(name);
        fs::write(&path, bytes)?;
        fs::set_permissions(&path, Permissions::from_mode(0o644))
    };
    file(MANIFEST, text.as_bytes()).map_err(failed)?;
    file(&manifest.plugin.wasm, source.wasm).map_err(failed)?;
    if let Some(key) = source.sign_with {
        let line = key.sign(&message(&text, &sha256));
        file(SIGNATURE, line.as_bytes()).map_err(failed)?;
    }
    fs::set_permissions(made.path(), Permissions::from_mode(0o755)).map_err(failed)?;
    replace(made.path(), &target).map_err(failed)?;
    // What stands under this name now is the old one, or nothing.
    let _ = made.close();
    Ok(target)
}

/// The manifest with `[integrity] sha256`, everything else as it was written.
fn with_digest(manifest: &str, sha256: &str) -> Result<String, ManifestError> {
    let parsed = manifest.parse::<DocumentMut>();
    let mut document = parsed.map_err(|e| syntax(manifest, e.span(), e.message()))?;
    let table = document.entry("integrity").or_insert(toml_edit::table());
    match table.as_table_like_mut() {
        Some(table) => table.insert("sha256", toml_edit::value(sha256)),
        None => return Err(ManifestError::Syntax("`integrity` is no table".into())),
    };
    Ok(document.to_string())
}

/// Puts a folder in the place of another in one step, so that nobody finds half of each or none.
fn replace(made: &Path, target: &Path) -> io::Result<()> {
    if fs::symlink_metadata(target).is_err() {
        return fs::rename(made, target);
    }
    match renameat_with(CWD, made, CWD, target, RenameFlags::EXCHANGE) {
        Ok(()) => Ok(()),
        // A file system that cannot exchange: for a moment there is none.
        Err(_) => {
            fs::remove_dir_all(target)?;
            fs::rename(made, target)
        }
    }
}
