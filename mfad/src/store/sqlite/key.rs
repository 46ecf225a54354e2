//! Which key a database belongs to. It keeps a check value of that key, never the key, so that nobody starts with a
//! wrong one and seals what the right one cannot open.

use rusqlite::Connection;

use super::chain::Ring;
use super::{StoreError, failed};
use crate::factor::sealed::Freshness;
use crate::rules::account::Account;
use crate::vault::Vault;

/// Whether a database was moved to a new key.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[must_use]
pub enum Adoption {
    /// It was, or belonged to it already: the old keys are not needed any more.
    Done,
    /// Not yet: so many accounts have something that is sealed by an old key.
    Waiting(u64),
}

/// Accepts a database that belongs to any of the keys; a new one belongs to the first.
pub(super) fn check(connection: &Connection, checks: &[&str]) -> Result<(), StoreError> {
    // Always a write: it proves at the start that the disk takes one, and it makes the log.
    let sql = "INSERT INTO meta (name, value) VALUES ('key-check', ?1) ON CONFLICT (name) DO UPDATE SET value = value";
    connection.execute(sql, [checks.first()]).map_err(failed)?;
    belongs(connection, checks)
}

/// Looks whether a database belongs to any of the keys.
pub(super) fn belongs(connection: &Connection, checks: &[&str]) -> Result<(), StoreError> {
    if checks.contains(&kept(connection)?.as_str()) {
        return Ok(());
    }
    Err(StoreError::Failed(
        "it was made with another key. Put the old key file back, or its line below the one of the new key, or start \
         with an empty state directory"
            .to_owned(),
    ))
}

/// Moves the database to a key, if nothing is sealed by another one.
///
/// The accounts are read without holding up the writer: it seals by the new key alone, so none of them gets older.
pub(super) fn adopt(
    reader: &Connection,
    writer: &Connection,
    keys: &Vault,
    freshness: impl Fn(&Account) -> Freshness,
) -> Result<Adoption, StoreError> {
    let old = sealed_by_old(reader, freshness)?;
    if old > 0 {
        return Ok(Adoption::Waiting(old));
    }
    // On disk with all that was sealed again, before anybody is told that the old key can go.
    writer.pragma_update(None, "synchronous", "FULL").map_err(failed)?;
    let transaction = writer.unchecked_transaction().map_err(failed)?;
    let move_to = "UPDATE meta SET value = ?1 WHERE name = 'key-check'";
    transaction.execute(move_to, [keys.checks().first()]).map_err(failed)?;
    // The audit's old links are proved by old keys, which are kept here under the new one.
    Ring::load(&transaction, keys).and_then(|ring| ring.keep(&transaction)).map_err(failed)?;
    transaction.commit().map_err(failed)?;
    Ok(Adoption::Done)
}

/// How many accounts have something that is sealed by an old key. A row that cannot be read is an error: nobody knows
/// what is in it.
fn sealed_by_old(
    connection: &Connection,
    freshness: impl Fn(&Account) -> Freshness,
) -> Result<u64, StoreError> {
    let mut select = connection.prepare("SELECT user, body FROM account").map_err(failed)?;
    let mut rows = select.query([]).map_err(failed)?;
    let mut old = 0;
    while let Some(row) = rows.next().map_err(failed)? {
        let body = row.get_ref(1).map_err(failed)?.as_bytes().unwrap_or_default();
        let account = serde_json::from_slice(body).map_err(|error| StoreError::Damaged {
            user: row.get(0).unwrap_or_default(),
            cause: error.to_string(),
        })?;
        old += u64::from(freshness(&account) == Freshness::Old);
    }
    Ok(old)
}

fn kept(connection: &Connection) -> Result<String, StoreError> {
    let sql = "SELECT value FROM meta WHERE name = 'key-check'";
    connection.query_row(sql, [], |row| row.get(0)).map_err(failed)
}
