//! Commits as they are made: one row for each, at the end of a table, in place of one for each entry, wherever in the
//! file it may lie.
//!
//! Most entries change several times within a second, and many are gone by then. What is in the log is brought into
//! the entries every now and then, a few at a time and the last state of each only; then the log is emptied. Whoever
//! reads the entries does that first, and so does the next process.

use std::collections::BTreeMap;

use rusqlite::{Connection, TransactionBehavior, params};
use serde::{Deserialize, Serialize};

use super::schema;
use crate::actor::Change;

/// Entries that are brought over in one transaction: a commit may be waiting for its end.
const SLICE: usize = 128;

/// Changes by instance and key; a later one replaces an earlier.
pub(super) type Changes = BTreeMap<(String, String), Change>;

/// One change, as a row has it.
#[derive(Serialize, Deserialize)]
struct Written<'a> {
    key: &'a str,
    /// Nothing where the entry is deleted.
    #[serde(borrow, with = "serde_bytes")]
    value: Option<&'a [u8]>,
}

/// Commits changes together. Returns the bytes that were written.
pub(super) fn append(
    connection: &mut Connection,
    changes: &Changes,
) -> Result<usize, rusqlite::Error> {
    let mut by_instance: BTreeMap<&str, Vec<Written<'_>>> = BTreeMap::new();
    for ((instance, key), change) in changes {
        let value = match change {
            Change::Put { value, .. } => Some(&value[..]),
            Change::Delete { .. } => None,
        };
        let of_instance = by_instance.entry(instance).or_default();
        of_instance.push(Written { key, value });
    }
    let transaction = connection.transaction_with_behavior(TransactionBehavior::Immediate)?;
    let mut bytes = 0;
    {
        let mut put = transaction
            .prepare_cached("INSERT INTO log (instance, changes, sum) VALUES (?1, ?2, ?3)")?;
        for (instance, changes) in by_instance {
            let row = postcard::to_allocvec(&changes).map_err(unwritable)?;
            let sum = schema::sum(instance, "", &row);
            put.execute(params![instance, row, sum])?;
            bytes += row.len();
        }
    }
    transaction.commit()?;
    Ok(bytes)
}

/// Brings a few changes of the log into the entries, and empties the log with the last of them. Those are taken out of
/// `pending`, which has to hold all that is in the log.
pub(super) fn fold(
    connection: &mut Connection,
    pending: &mut Changes,
) -> Result<(), rusqlite::Error> {
    let transaction = connection.transaction_with_behavior(TransactionBehavior::Immediate)?;
    {
        let mut put = transaction.prepare_cached(
            "INSERT INTO entries (instance, key, value, sum) VALUES (?1, ?2, ?3, ?4)
             ON CONFLICT (instance, key) DO UPDATE SET value = excluded.value, sum = excluded.sum",
        )?;
        let mut delete =
            transaction.prepare_cached("DELETE FROM entries WHERE instance = ?1 AND key = ?2")?;
        for ((instance, key), change) in pending.iter().take(SLICE) {
            match change {
                Change::Put { value, .. } => {
                    let sum = schema::sum(instance, key, value);
                    put.execute(params![instance, key, &value[..], sum])?;
                }
                Change::Delete { .. } => {
                    delete.execute(params![instance, key])?;
                }
            }
        }
        if pending.len() <= SLICE {
            transaction.execute("DELETE FROM log", [])?;
        }
    }
    transaction.commit()?;
    for _ in 0..SLICE {
        pending.pop_first();
    }
    Ok(())
}

/// All that is in the log, the last state of each entry.
pub(super) fn read(connection: &Connection) -> Result<Changes, rusqlite::Error> {
    let mut statement = connection.prepare("SELECT instance, changes FROM log ORDER BY number")?;
    let mut rows = statement.query([])?;
    let mut changes = Changes::new();
    while let Some(row) = rows.next()? {
        let instance: String = row.get(0)?;
        let written: Vec<Written<'_>> =
            postcard::from_bytes(row.get_ref(1)?.as_blob()?).map_err(unwritable)?;
        for Written { key, value } in written {
            let key = key.to_owned();
            let at = (instance.clone(), key.clone());
            let change = match value {
                Some(value) => Change::Put {
                    key,
                    value: value.to_vec().into(),
                },
                None => Change::Delete { key },
            };
            changes.insert(at, change);
        }
    }
    Ok(changes)
}

/// What is wrong in one of the rows, in one sentence.
pub(super) fn check(connection: &Connection) -> Result<Option<String>, rusqlite::Error> {
    let mut statement = connection.prepare("SELECT number, instance, changes, sum FROM log")?;
    let mut rows = statement.query([])?;
    while let Some(row) = rows.next()? {
        let instance: String = row.get(1)?;
        let changes = row.get_ref(2)?.as_blob()?;
        let readable = postcard::from_bytes::<Vec<Written<'_>>>(changes).is_ok();
        if !readable || row.get::<_, u32>(3)? != schema::sum(&instance, "", changes) {
            let number: i64 = row.get(0)?;
            return Ok(Some(format!("commit {number} of {instance} has changed")));
        }
    }
    Ok(None)
}

fn unwritable(error: postcard::Error) -> rusqlite::Error {
    rusqlite::Error::ToSqlConversionFailure(Box::new(error))
}
