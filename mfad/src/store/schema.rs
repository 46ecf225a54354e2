//! The tables, by number. A database of a newer number is refused, never guessed at.

use rusqlite::Connection;

use super::StoreError;

/// One step up each: the first makes the tables of version 1; the second says whose name it was at an event; the third
/// chains the audit (`sqlite::chain`).
const MIGRATIONS: [&str; 3] = [
    "
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
",
    "ALTER TABLE event ADD COLUMN uid INTEGER;",
    "ALTER TABLE event ADD COLUMN link BLOB; ALTER TABLE event ADD COLUMN linked_by BLOB;",
];

/// The step after which the audit is a chain: what is there then becomes its beginning.
const CHAINED: usize = 3;

/// Brings a database up to date; `chain` makes a chain of the audit that is there.
///
/// # Errors
/// [`StoreError::Failed`], also for a database of a newer mfad.
pub(super) fn migrate(
    connection: &mut Connection,
    chain: impl Fn(&Connection) -> Result<(), StoreError>,
) -> Result<(), StoreError> {
    let failed = |error: rusqlite::Error| StoreError::Failed(error.to_string());
    let transaction =
        connection.transaction_with_behavior(rusqlite::TransactionBehavior::Immediate).map_err(failed)?;
    let version = check(&transaction)?;
    let missing = MIGRATIONS.get(version..).unwrap_or_default();
    for step in missing {
        transaction.execute_batch(step).map_err(failed)?;
    }
    if version < CHAINED {
        chain(&transaction)?;
    }
    transaction
        .pragma_update(None, "user_version", i64::try_from(MIGRATIONS.len()).unwrap_or(i64::MAX))
        .map_err(failed)?;
    transaction.commit().map_err(failed)
}

/// Reads the version of a database.
///
/// # Errors
/// [`StoreError::Failed`], also for a database of a newer mfad.
pub(super) fn check(connection: &Connection) -> Result<usize, StoreError> {
    let version = connection
        .pragma_query_value(None, "user_version", |row| row.get::<_, i64>(0))
        .map_err(|error| StoreError::Failed(error.to_string()))?
        .try_into()
        .unwrap_or(usize::MAX);
    if version <= MIGRATIONS.len() {
        return Ok(version);
    }
    Err(StoreError::Failed(format!(
        "it was made by a newer mfad (schema {version}, this one knows {}); install that mfad again",
        MIGRATIONS.len()
    )))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_older_database_is_brought_up_to_date_with_what_is_in_it() {
        for version in 0..=MIGRATIONS.len() {
            let mut older = Connection::open_in_memory().unwrap();
            MIGRATIONS[..version].iter().for_each(|step| older.execute_batch(step).unwrap());
            older.pragma_update(None, "user_version", i64::try_from(version).unwrap()).unwrap();
            let insert = "INSERT INTO event (at, kind, priority, text) VALUES (1, 'k', 'info', 't')";
            let inserted = i64::from(version > 0 && older.execute(insert, []).unwrap() == 1);
            let chain = |database: &Connection| {
                database.execute("UPDATE event SET link = x'00'", []).unwrap();
                Ok(())
            };
            migrate(&mut older, chain).unwrap();
            let kept = if version < CHAINED { "link IS NOT NULL" } else { "link IS NULL" };
            let kept = &format!("SELECT count(*) FROM event WHERE uid IS NULL AND {kept}");
            assert_eq!(older.query_row(kept, [], |row| row.get::<_, i64>(0)).unwrap(), inserted, "{version}");
        }
    }
}
