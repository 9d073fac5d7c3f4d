//! A database file: opened, checked, migrated, or set aside.

use std::fs::File;
use std::io::Read;
use std::path::{Path, PathBuf};
use std::time::{SystemTime, UNIX_EPOCH};

use rusqlite::{Connection, ErrorCode, OpenFlags};

use super::StoreError;

/// How each file of SQLite's begins.
const HEADER: &[u8] = b"SQLite format 3\0";

/// What a database file is to have in it.
#[derive(Debug, Clone, Copy)]
pub struct Schema {
    /// Marks the file as ours, for `file` and for a look at the wrong one.
    pub application_id: i64,
    /// Each step takes the schema from its index to the next number. Steps are never edited.
    pub migrations: &'static [&'static str],
    /// Looks at what is in it; what is wrong in one word, when something is.
    pub check: Option<Check>,
}

/// See [`Schema::check`].
pub type Check = fn(&Connection) -> Result<Option<String>, rusqlite::Error>;

/// The store's own: "prxh".
pub(super) const STORE: Schema = Schema {
    application_id: 0x7072_7868,
    migrations: &[
        "CREATE TABLE entries (
        instance TEXT NOT NULL, key TEXT NOT NULL, value BLOB NOT NULL,
        PRIMARY KEY (instance, key)
     );
     CREATE TABLE boots (instance TEXT PRIMARY KEY NOT NULL, number INTEGER NOT NULL);",
        // Of what an earlier version stored there is no sum.
        "ALTER TABLE entries ADD COLUMN sum INTEGER;",
        "CREATE TABLE log (
        number INTEGER PRIMARY KEY NOT NULL, instance TEXT NOT NULL, changes BLOB NOT NULL, sum INTEGER NOT NULL
     );",
    ],
    check: Some(check_sums),
};

/// The sum that is stored with an entry. SQLite finds a page that is torn, and not a byte that has changed.
pub(super) fn sum(instance: &str, key: &str, value: &[u8]) -> u32 {
    let mut hasher = crc32fast::Hasher::new();
    for part in [instance.as_bytes(), b"\0", key.as_bytes(), b"\0", value] {
        hasher.update(part);
    }
    hasher.finalize()
}

fn check_sums(connection: &Connection) -> Result<Option<String>, rusqlite::Error> {
    let mut statement = connection
        .prepare("SELECT instance, key, value, sum FROM entries WHERE sum IS NOT NULL")?;
    let mut rows = statement.query([])?;
    while let Some(row) = rows.next()? {
        let (instance, key): (String, String) = (row.get(0)?, row.get(1)?);
        let value = row.get_ref(2)?.as_blob()?;
        if row.get::<_, u32>(3)? != sum(&instance, &key, value) {
            return Ok(Some(format!("the entry {key:?} of {instance} has changed")));
        }
    }
    super::log::check(connection)
}

/// Opens a file, or makes one, for its owner alone. When it is damaged, it is renamed and a new one
/// is begun; the second value says where the damaged one is. Whoever opens it brings its log into it
/// with `PRAGMA wal_checkpoint`: no commit does that.
///
/// # Errors
/// See [`StoreError`].
pub fn open(path: &Path, schema: &Schema) -> Result<(Connection, Option<PathBuf>), StoreError> {
    let in_dir = |cause| StoreError::Directory {
        path: path.display().to_string(),
        cause,
    };
    let new = std::fs::symlink_metadata(path).is_err();
    let mut file = crate::files::private_file(path).map_err(in_dir)?;
    // SQLite takes an empty file, and one that has hardly more in it, for a new database. Nothing here leaves one.
    let opened = match new || has_header(&mut file).map_err(in_dir)? {
        true => open_checked(path, schema),
        false => Err(damaged("it does not begin as a database".into())),
    };
    match opened {
        Ok(connection) => Ok((connection, None)),
        Err(error) if new => {
            remove(path);
            Err(error)
        }
        Err(StoreError::Sqlite(error)) if is_corrupt(&error) => {
            let aside = set_aside(path)?;
            Ok((open_checked(path, schema)?, Some(aside)))
        }
        Err(error) => Err(error),
    }
}

fn open_checked(path: &Path, schema: &Schema) -> Result<Connection, StoreError> {
    let mut connection = connect(path)?;
    let verdict: String = connection.query_row("PRAGMA quick_check(1)", [], |row| row.get(0))?;
    if verdict != "ok" {
        return Err(damaged(verdict));
    }
    migrate(&mut connection, path, schema)?;
    match schema
        .check
        .map(|check| check(&connection))
        .transpose()?
        .flatten()
    {
        Some(verdict) => Err(damaged(verdict)),
        None => Ok(connection),
    }
}

fn has_header(file: &mut File) -> std::io::Result<bool> {
    let mut start = Vec::new();
    file.take(HEADER.len() as u64).read_to_end(&mut start)?;
    Ok(start == HEADER)
}

fn damaged(verdict: String) -> StoreError {
    let code = rusqlite::ffi::Error::new(rusqlite::ffi::SQLITE_CORRUPT);
    rusqlite::Error::SqliteFailure(code, Some(verdict)).into()
}

/// A connection with this store's settings.
pub(super) fn connect(path: &Path) -> Result<Connection, rusqlite::Error> {
    let flags = OpenFlags::SQLITE_OPEN_READ_WRITE
        | OpenFlags::SQLITE_OPEN_NO_MUTEX
        | OpenFlags::SQLITE_OPEN_NOFOLLOW;
    let connection = Connection::open_with_flags(path, flags)?;
    connection.busy_timeout(std::time::Duration::from_secs(2))?;
    connection.pragma_update(None, "journal_mode", "WAL")?;
    // No fsync at a commit, one at a checkpoint of the log; never a torn database.
    connection.pragma_update(None, "synchronous", "NORMAL")?;
    // What is deleted is overwritten: what people take back must not stay readable in a page that nothing points to.
    connection.pragma_update(None, "secure_delete", "ON")?;
    // Checkpoints are the background thread's, so that no commit pays for one.
    connection.pragma_update(None, "wal_autocheckpoint", 0)?;
    // KiB; the host keeps what it reads anyway.
    connection.pragma_update(None, "cache_size", -512)?;
    Ok(connection)
}

pub(super) fn migrate(
    connection: &mut Connection,
    path: &Path,
    schema: &Schema,
) -> Result<(), StoreError> {
    let found: i64 = connection.query_row("PRAGMA user_version", [], |row| row.get(0))?;
    let known = i64::try_from(schema.migrations.len()).unwrap_or(i64::MAX);
    if found > known || found < 0 {
        let path = path.display().to_string();
        return Err(StoreError::Newer { path, found, known });
    }
    let transaction = connection.transaction()?;
    let done = usize::try_from(found).unwrap_or(0);
    for step in schema.migrations.iter().skip(done) {
        transaction.execute_batch(step)?;
    }
    transaction.pragma_update(None, "application_id", schema.application_id)?;
    transaction.pragma_update(None, "user_version", known)?;
    transaction.commit()?;
    Ok(())
}

pub(super) fn is_corrupt(error: &rusqlite::Error) -> bool {
    let code = error.sqlite_error_code();
    matches!(
        code,
        Some(ErrorCode::DatabaseCorrupt | ErrorCode::NotADatabase)
    )
}

/// Removes a file that was just made, with what SQLite has put beside it: on a full disk there may be no more of it than
/// its name.
pub(super) fn remove(path: &Path) {
    for side in ["", "-wal", "-shm"] {
        // What is not there need not go.
        let _ = std::fs::remove_file(suffixed(path, side));
    }
}

fn suffixed(path: &Path, suffix: &str) -> PathBuf {
    let mut name = path.as_os_str().to_owned();
    name.push(suffix);
    PathBuf::from(name)
}

fn set_aside(path: &Path) -> Result<PathBuf, StoreError> {
    let now = SystemTime::now().duration_since(UNIX_EPOCH);
    let seconds = now.map_or(0, |d| d.as_secs());
    let mark = format!(".corrupt-{seconds}");
    let aside = suffixed(path, &mark);
    let fail = |cause| StoreError::Directory {
        path: path.display().to_string(),
        cause,
    };
    std::fs::rename(path, &aside).map_err(fail)?;
    for side in ["-wal", "-shm"] {
        let from = suffixed(path, side);
        if from.exists() {
            std::fs::rename(&from, suffixed(&from, &mark)).map_err(fail)?;
        }
    }
    crate::files::private_file(path).map_err(fail)?;
    Ok(aside)
}
