//! The tables, by number. A database of a newer number is refused, never guessed at.

use rusqlite::Connection;

use super::StoreError;

/// One step up each: the first makes the tables of version 1.
const MIGRATIONS: [&str; 1] = ["
    CREATE TABLE meta (name TEXT PRIMARY KEY, value TEXT NOT NULL) STRICT, WITHOUT ROWID;
    CREATE TABLE account (
        user TEXT PRIMARY KEY,
        version INTEGER NOT NULL,
        uid INTEGER,
        email TEXT,
        body TEXT NOT NULL
    ) STRICT, WITHOUT ROWID;
    CREATE TABLE event (
        id INTEGER PRIMARY KEY,
        at INTEGER NOT NULL,
        kind TEXT NOT NULL,
        priority TEXT NOT NULL,
        user TEXT,
        service TEXT,
        source TEXT,
        reference TEXT,
        text TEXT NOT NULL
    ) STRICT;
"];

/// Brings a database up to date.
///
/// # Errors
/// [`StoreError::Failed`], also for a database of a newer mfad.
pub(super) fn migrate(connection: &mut Connection) -> Result<(), StoreError> {
    let failed = |error: rusqlite::Error| StoreError::Failed(error.to_string());
    let transaction =
        connection.transaction_with_behavior(rusqlite::TransactionBehavior::Immediate).map_err(failed)?;
    let version: usize = transaction
        .pragma_query_value(None, "user_version", |row| row.get::<_, i64>(0))
        .map_err(failed)?
        .try_into()
        .unwrap_or(usize::MAX);
    let Some(missing) = MIGRATIONS.get(version..) else {
        return Err(StoreError::Failed(format!(
            "it was made by a newer mfad (schema {version}, this one knows {}); install that mfad again",
            MIGRATIONS.len()
        )));
    };
    for step in missing {
        transaction.execute_batch(step).map_err(failed)?;
    }
    transaction
        .pragma_update(None, "user_version", i64::try_from(MIGRATIONS.len()).unwrap_or(i64::MAX))
        .map_err(failed)?;
    transaction.commit().map_err(failed)
}
