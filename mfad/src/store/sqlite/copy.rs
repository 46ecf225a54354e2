//! Copies of the whole database: one that is handed out, and one that is to take its place.
//!
//! What is handed in is kept beside the database and looked at before anything else happens. Then it only gets a name,
//! and at the next start ([`take_place`]) it is the database: the old one stays whole until that moment, and is kept.

use std::fs::{self, File, OpenOptions};
use std::io::{self, BufRead, BufReader, Seek, SeekFrom, Write};
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};
use std::sync::PoisonError;

use data_encoding::HEXLOWER;
use rusqlite::{Connection, OptionalExtension};
use sha2::{Digest, Sha256};
use zeroize::Zeroizing;

use super::files::{Purpose, connect, room_beside};
use super::{Sqlite, failed, key};
use crate::store::{Later, StoreError, schema};
use crate::vault::Vault;

/// What a copy is written as before it is handed out. Its name goes at once.
const OUTGOING: &str = "mfad.db.outgoing";

/// What is being handed in.
const INCOMING: &str = "mfad.db.incoming";

/// What takes the place of the database at the next start.
const NEXT: &str = "mfad.db.next";

/// What was in its place before.
const REPLACED: &str = "mfad.db.replaced";

/// Whoever restored a database, by uid, until it is recorded.
const RESTORED_BY: &str = "restored-by";

/// Bytes of the disk that copies leave free: logins have to be kept.
const RESERVE: u64 = 64 * 1024 * 1024;

/// What a database has.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Contents {
    /// Accounts.
    pub accounts: u64,
    /// Events.
    pub events: u64,
    /// When the last event was; milliseconds since 1970.
    pub newest: Option<u64>,
}

impl Sqlite {
    /// A copy of the database as of now.
    ///
    /// # Errors
    /// [`StoreError::Failed`], also for too little room.
    pub fn snapshot(&self) -> Later<'_, File> {
        self.copying(snapshot)
    }

    /// Adds to a database that is handed in, and tells how many bytes of it there are.
    ///
    /// # Errors
    /// [`StoreError::Failed`].
    pub fn stage(&self, offset: u64, part: Zeroizing<Vec<u8>>) -> Later<'_, u64> {
        self.copying(move |file| stage(file, offset, &part))
    }

    /// Looks at what was handed in.
    ///
    /// # Errors
    /// [`StoreError::Failed`] if it cannot take the place of the database.
    pub fn examine(&self, digest: String) -> Later<'_, Contents> {
        let keys = self.keys.load_full();
        self.copying(move |file| examine(file, &digest, &keys))
    }

    /// At the next start what was handed in takes the place of the database.
    ///
    /// # Errors
    /// As for [`Sqlite::examine`].
    pub fn line_up(&self, digest: String, by: u32) -> Later<'_, Contents> {
        let keys = self.keys.load_full();
        self.copying(move |file| {
            let contents = examine(file, &digest, &keys)?;
            line_up(file, by)?;
            Ok(contents)
        })
    }

    /// One at a time: what was looked at is what is lined up.
    fn copying<T: Send + 'static>(
        &self,
        work: impl FnOnce(&Path) -> Result<T, StoreError> + Send + 'static,
    ) -> Later<'_, T> {
        let turn = self.copying.clone();
        self.beside(move |file| {
            let _alone = turn.lock().unwrap_or_else(PoisonError::into_inner);
            work(file)
        })
    }
}

/// A copy as of one moment, read while the writer goes on. It has no name: it ends with the file.
fn snapshot(database: &Path) -> Result<File, StoreError> {
    let path = database.with_file_name(OUTGOING);
    leave_room(database, fs::metadata(database).map_or(0, |metadata| metadata.len()))?;
    let _ = fs::remove_file(&path);
    let made = connect(database, Purpose::Read)
        .and_then(|reader| reader.execute("VACUUM INTO ?1", [path.display().to_string()]).map_err(failed));
    let opened = File::open(&path);
    let _ = fs::remove_file(&path);
    made?;
    opened.map_err(|error| unwritten(&path, &error))
}

/// Adds to what is handed in, and tells how much there is. The first part begins anew.
fn stage(database: &Path, offset: u64, part: &[u8]) -> Result<u64, StoreError> {
    let path = database.with_file_name(INCOMING);
    leave_room(database, part.len() as u64)?;
    let add = || -> io::Result<Option<u64>> {
        let mut options = OpenOptions::new();
        let mut file = options.write(true).create(true).truncate(offset == 0).mode(0o600).open(&path)?;
        if file.seek(SeekFrom::End(0))? != offset {
            return Ok(None);
        }
        file.write_all(part)?;
        Ok(Some(offset + part.len() as u64))
    };
    add().map_err(|error| unwritten(&path, &error))?.ok_or_else(|| refused("its parts came out of order"))
}

/// Looks at what was handed in. Two may have handed in at once, and mixed their parts: only what has the digest is whole.
fn examine(database: &Path, digest: &str, keys: &Vault) -> Result<Contents, StoreError> {
    let path = database.with_file_name(INCOMING);
    if !digest_of(&path).is_ok_and(|found| found == digest) {
        return Err(refused("it did not arrive whole"));
    }
    let unsound = || refused("it is no sound database");
    let connection = connect(&path, Purpose::Read).map_err(|_| unsound())?;
    let read = |sql| connection.query_row(sql, [], |row| row.get::<_, i64>(0));
    let sound: Result<String, _> = connection.query_row("PRAGMA integrity_check", [], |row| row.get(0));
    if sound.as_deref() != Ok("ok") {
        return Err(unsound());
    }
    schema::check(&connection)?;
    // Tables and their indices are all that mfad makes.
    if read("SELECT count(*) FROM sqlite_master WHERE type NOT IN ('table', 'index')") != Ok(0) {
        return Err(refused("there is something in it that mfad did not make"));
    }
    key::belongs(&connection, &keys.checks())?;
    let count = |sql| read(sql).map_err(failed).map(|count| u64::try_from(count).unwrap_or(0));
    let newest: Option<i64> =
        connection.query_row("SELECT max(at) FROM event", [], |row| row.get(0)).map_err(failed)?;
    Ok(Contents {
        accounts: count("SELECT count(*) FROM account")?,
        events: count("SELECT count(*) FROM event")?,
        newest: newest.and_then(|at| u64::try_from(at).ok()),
    })
}

/// SHA-256, in lower-case hexadecimal.
fn digest_of(path: &Path) -> io::Result<String> {
    let mut hash = Sha256::new();
    let mut file = BufReader::new(File::open(path)?);
    loop {
        let bytes = file.fill_buf()?;
        if bytes.is_empty() {
            return Ok(HEXLOWER.encode(&hash.finalize()));
        }
        hash.update(bytes);
        let read = bytes.len();
        file.consume(read);
    }
}

/// Puts what was examined in line for the next start.
fn line_up(database: &Path, by: u32) -> Result<(), StoreError> {
    let path = database.with_file_name(INCOMING);
    let connection = Connection::open(&path).map_err(failed)?;
    let sql = "INSERT OR REPLACE INTO meta (name, value) VALUES (?1, ?2)";
    connection.execute(sql, [RESTORED_BY, &by.to_string()]).map_err(failed)?;
    drop(connection);
    let next = database.with_file_name(NEXT);
    let rename = || {
        File::open(&path)?.sync_all()?;
        fs::rename(&path, &next)?;
        sync_directory(database)
    };
    rename().map_err(|error| unwritten(&next, &error))
}

/// At the start: what is in line becomes the database. Who is killed in between goes on with it at the next start.
pub(super) fn take_place(database: &Path) -> Result<(), StoreError> {
    for left in [OUTGOING, INCOMING] {
        let _ = fs::remove_file(database.with_file_name(left));
    }
    let next = database.with_file_name(NEXT);
    if !next.exists() {
        return Ok(());
    }
    let replace = || {
        // The log first: without it the old database is an older one, and with it the new one would be neither.
        for end in ["-wal", "-shm", ""] {
            let old = beside(database, end);
            if old.exists() {
                fs::rename(&old, beside(&database.with_file_name(REPLACED), end))?;
            }
        }
        sync_directory(database)?;
        fs::rename(&next, database)?;
        sync_directory(database)
    };
    replace().map_err(|error| unwritten(&next, &error))
}

/// Who restored this database, if that is not recorded yet.
pub(super) fn restored_by(connection: &Connection) -> rusqlite::Result<Option<u32>> {
    let sql = "DELETE FROM meta WHERE name = ?1 RETURNING value";
    let by: Option<String> = connection.query_row(sql, [RESTORED_BY], |row| row.get(0)).optional()?;
    Ok(by.map(|by| by.parse().unwrap_or(u32::MAX)))
}

fn leave_room(database: &Path, bytes: u64) -> Result<(), StoreError> {
    if room_beside(database) >= bytes.saturating_add(RESERVE) {
        return Ok(());
    }
    Err(StoreError::Failed(format!(
        "there is too little room beside {} for a copy. Make room, or move the state directory",
        database.display()
    )))
}

fn beside(path: &Path, end: &str) -> PathBuf {
    let mut name = path.as_os_str().to_owned();
    name.push(end);
    name.into()
}

fn sync_directory(file: &Path) -> io::Result<()> {
    File::open(file.parent().unwrap_or(Path::new("/")))?.sync_all()
}

fn unwritten(path: &Path, error: &io::Error) -> StoreError {
    StoreError::Failed(format!("{}: {error}. Check that mfad may write there", path.display()))
}

fn refused(why: &str) -> StoreError {
    StoreError::Failed(format!("what was handed in cannot be restored: {why}"))
}
