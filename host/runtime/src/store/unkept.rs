//! A store on a disk that takes nothing: memory alone, until the disk takes it.
//!
//! What is stored already is read, from a copy where the disk has no room for SQLite's own files. While this process
//! holds the folder nobody writes there, so the memory is that state and all that came after it: it is brought to the
//! disk whole as soon as that works. Where a store is there that could not be read, it is left as it is.

use std::path::Path;

use rusqlite::{Connection, params};

use super::home::Home;
use super::look::StoreCopy;
use super::{Inner, StoreError, schema};

/// Nothing is kept, and why.
pub(super) struct Unkept {
    /// One sentence.
    pub(super) why: String,
    /// The folder, where it could be had.
    home: Option<Home>,
    base: Base,
}

/// What the memory goes on from.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Base {
    /// All that the folder has.
    Read,
    /// No store was seen there.
    Nothing,
    /// Something is there that could not be read.
    Unread,
}

impl Base {
    fn shown(self) -> &'static str {
        match self {
            Self::Read => "what was stored before is known",
            Self::Nothing => "there was nothing to be read",
            Self::Unread => "what was stored before could not be read, and is left as it is",
        }
    }
}

impl Unkept {
    /// A store in memory, with what can be read.
    ///
    /// # Errors
    /// No memory; or what was read cannot be understood by this version.
    pub(super) fn begin(
        dir: &Path,
        home: Option<Home>,
        cause: String,
    ) -> Result<(Inner, Self), StoreError> {
        let mut memory = Connection::open_in_memory()?;
        schema::migrate(&mut memory, Path::new(":memory:"), &schema::STORE)?;
        let there = home.as_ref().is_some_and(Home::has_database);
        let base = match there.then(|| fill(&memory, dir)) {
            None => Base::Nothing,
            Some(Ok(())) => Base::Read,
            Some(Err(error @ StoreError::Newer { .. })) => return Err(error),
            Some(Err(_)) => Base::Unread,
        };
        let known = base.shown();
        let unkept = Self {
            why: format!("nothing is stored since the start, and {known}: {cause}"),
            home,
            base,
        };
        Ok((Inner::new(memory)?, unkept))
    }

    /// Brings the memory to the disk, when the disk takes it and that is sound. What is wrong otherwise comes back.
    pub(super) fn settle(&mut self, dir: &Path, inner: &mut Inner) -> Result<Home, String> {
        let mut home = match self.home.take() {
            Some(home) => home,
            None => Home::take(dir).map_err(|_| self.why.clone())?,
        };
        let sound = match self.base {
            Base::Read => true,
            // One that has come since, with a disk that was not there before, is another state.
            Base::Nothing => !home.has_database(),
            Base::Unread => false,
        };
        if sound && settle(&mut home, inner).is_ok() {
            return Ok(home);
        }
        if sound && self.base == Base::Nothing {
            // Made just now: the next try must not take it for somebody's.
            schema::remove(&home.file());
        }
        self.home = Some(home);
        Err(self.why.clone())
    }
}

fn settle(home: &mut Home, inner: &mut Inner) -> Result<(), ()> {
    // Each step is tried again by whoever called.
    while inner.fold().map_err(drop)? {}
    let (mut disk, _) = home.open().map_err(drop)?;
    replace(&inner.connection, &mut disk.connection).map_err(drop)?;
    inner.connection = disk.connection;
    Ok(())
}

/// Makes the entries of a file those of the memory. How often channels were started is the file's own.
fn replace(memory: &Connection, disk: &mut Connection) -> Result<(), rusqlite::Error> {
    let transaction = disk.transaction()?;
    transaction.execute_batch("DELETE FROM entries; DELETE FROM log;")?;
    {
        let mut put = transaction
            .prepare("INSERT INTO entries (instance, key, value, sum) VALUES (?1, ?2, ?3, ?4)")?;
        let mut all = memory.prepare("SELECT instance, key, value, sum FROM entries")?;
        let mut rows = all.query([])?;
        while let Some(row) = rows.next()? {
            let (instance, key) = (row.get::<_, String>(0)?, row.get::<_, String>(1)?);
            let (value, sum) = (row.get_ref(2)?.as_blob()?, row.get::<_, Option<u32>>(3)?);
            put.execute(params![instance, key, value, sum])?;
        }
    }
    transaction.commit()
}

/// Reads what a folder has stored, by way of a copy.
fn fill(memory: &Connection, dir: &Path) -> Result<(), StoreError> {
    let copy = StoreCopy::copied(dir)?;
    let path = copy.dir().join(super::STORE_FILE);
    let (kept, _) = schema::open(&path, &schema::STORE)?;
    drop(Inner::new(kept)?);
    memory.execute(
        "ATTACH DATABASE ?1 AS kept",
        params![path.to_string_lossy()],
    )?;
    memory.execute_batch(
        "INSERT INTO main.entries SELECT * FROM kept.entries; DETACH DATABASE kept;",
    )?;
    Ok(())
}
