//! Files and directories that are the owner's alone.

use std::fs::{DirBuilder, File, OpenOptions};
use std::io;
use std::path::Path;

/// Makes a directory, and its parents, with mode 0700, or tightens the mode of one that is there.
///
/// # Errors
/// Whatever the system says.
pub fn private_dir(path: &Path) -> io::Result<()> {
    let mut builder = DirBuilder::new();
    builder.recursive(true);
    #[cfg(unix)]
    {
        use std::os::unix::fs::{DirBuilderExt, PermissionsExt};
        builder.mode(0o700);
        builder.create(path)?;
        std::fs::set_permissions(path, std::fs::Permissions::from_mode(0o700))
    }
    #[cfg(not(unix))]
    builder.create(path)
}

/// Makes a directory with mode 0700 for what is believed as it is found. Whatever is in one that others could write
/// until now is removed: they may have put it there.
///
/// # Errors
/// It is a link, or somebody else's; or whatever the system says.
pub(crate) fn trusted_dir(path: &Path) -> io::Result<()> {
    #[cfg(unix)]
    {
        use std::os::unix::fs::MetadataExt;
        let refuse = |why: &str| Err(io::Error::new(io::ErrorKind::PermissionDenied, why));
        match std::fs::symlink_metadata(path) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => {}
            Err(error) => return Err(error),
            Ok(found) if !found.is_dir() => {
                return refuse("it is a link or a file, not a directory");
            }
            Ok(found) if found.uid() != rustix::process::geteuid().as_raw() => {
                return refuse("it belongs to another user");
            }
            // Out of the way first: whoever writes there still must not keep it from being removed.
            Ok(found) if found.mode() & 0o022 != 0 => {
                let above = path.parent().unwrap_or(Path::new("."));
                let aside = tempfile::Builder::new()
                    .prefix(".distrusted-")
                    .tempdir_in(above)?;
                std::fs::rename(path, aside.path().join("all"))?;
                if let Err(error) = aside.close() {
                    tracing::warn!(%error, "a folder that others could write is not used, and could not be removed");
                }
            }
            Ok(_) => {}
        }
    }
    private_dir(path)
}

/// Opens a file for reading and writing, made with mode 0600 when it is not there.
///
/// # Errors
/// Whatever the system says.
pub(crate) fn private_file(path: &Path) -> io::Result<File> {
    let mut options = OpenOptions::new();
    options.read(true).write(true).create(true).truncate(false);
    #[cfg(unix)]
    {
        use std::os::unix::fs::OpenOptionsExt;
        options.mode(0o600);
    }
    options.open(path)
}

/// Makes a file for writing, with mode 0600. One that is there, or a link, is left alone.
///
/// # Errors
/// Something is there already, or whatever else the system says.
pub fn new_private_file(path: &Path) -> io::Result<File> {
    let mut options = OpenOptions::new();
    options.write(true).create_new(true);
    #[cfg(unix)]
    {
        use std::os::unix::fs::OpenOptionsExt;
        options.mode(0o600);
    }
    options.open(path)
}
