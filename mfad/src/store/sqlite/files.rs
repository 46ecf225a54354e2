//! The database's files: connections to it, and its write-ahead log.

use std::io::Read as _;
use std::path::Path;
use std::time::Duration;
use std::{fs, io};

use rusqlite::{Connection, OpenFlags};

use crate::store::StoreError;

/// What the log usually needs, in bytes: it is emptied long before.
const LOG_SIZE: u64 = 8 * 1024 * 1024;

/// How long a connection waits for one that somebody else made, such as an administrator's own.
const LOCKED: Duration = Duration::from_millis(250);

/// What a connection is for.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Purpose {
    Write,
    Read,
}

pub(super) fn connect(file: &Path, purpose: Purpose) -> Result<Connection, StoreError> {
    let access = match purpose {
        Purpose::Write => OpenFlags::SQLITE_OPEN_READ_WRITE | OpenFlags::SQLITE_OPEN_CREATE,
        Purpose::Read => OpenFlags::SQLITE_OPEN_READ_ONLY,
    };
    let open = || {
        let connection = Connection::open_with_flags(file, access | OpenFlags::SQLITE_OPEN_NO_MUTEX)?;
        connection.busy_timeout(LOCKED)?;
        if purpose == Purpose::Write {
            connection.pragma_update(None, "journal_mode", "WAL")?;
            connection.pragma_update(None, "synchronous", "NORMAL")?;
            connection.pragma_update(None, "secure_delete", "ON")?;
            connection.pragma_update(None, "wal_autocheckpoint", 0)?;
        }
        // Negative: kibibytes. Small, for the kernel's page cache holds the file too.
        connection.pragma_update(None, "cache_size", -2048)?;
        connection.set_prepared_statement_cache_capacity(16);
        Ok(connection)
    };
    open().map_err(|error: rusqlite::Error| {
        StoreError::Failed(format!(
            "{}: {error}. Check that mfad may write there and that the disk has room",
            file.display()
        ))
    })
}

/// The write-ahead log. It is there from the first write on, and stays while a connection is open.
///
/// It is filled up with zeros to its usual size: a flush of blocks that are there already costs half of one that also
/// has to record that the file grew. SQLite reads a log up to the first frame that is not whole.
pub(super) fn open_log(file: &Path) -> Result<fs::File, StoreError> {
    let mut log = file.as_os_str().to_owned();
    log.push("-wal");
    let failed = |error: io::Error| StoreError::Failed(format!("{}: {error}", Path::new(&log).display()));
    let mut opened = fs::OpenOptions::new().read(true).append(true).open(&log).map_err(failed)?;
    let missing = LOG_SIZE.saturating_sub(opened.metadata().map_err(failed)?.len());
    // A small disk keeps its room for what must be kept.
    if room_beside(file) > LOG_SIZE * 16 {
        let zeros = &mut io::repeat(0).take(missing);
        io::copy(zeros, &mut opened).and_then(|_| opened.sync_all()).map_err(failed)?;
    }
    Ok(opened)
}

/// Free bytes on the disk of a file.
pub(super) fn room_beside(file: &Path) -> u64 {
    let free =
        |disk: nix::sys::statvfs::Statvfs| disk.blocks_available().saturating_mul(disk.fragment_size());
    nix::sys::statvfs::statvfs(file).map_or(0, free)
}
