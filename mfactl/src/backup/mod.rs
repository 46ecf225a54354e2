//! Backups: the database as mfad hands it out while it runs, encrypted before it touches a disk; and the way back.

mod cipher;
mod passphrase;

use std::fs::{self, File, OpenOptions};
use std::io;
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};

use data_encoding::{BASE64, HEXLOWER};
use protocol::Secret;
use protocol::manage::{Backup, BackupReply, Restore, RestorePart, RestoreReply, Run};
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};

use crate::Ending;
use crate::arguments::administration::{BackupArguments, RestoreArguments};
use crate::connection::Connection;
use crate::failure::Failure;
use crate::output::Output;
use crate::time;
use cipher::{CipherError, Sealer};
use passphrase::Occasion;

/// Bytes that are sent at once: with base 64 and its envelope within a frame.
const SENT: usize = 32 * 1024;

/// A backup that was written.
#[derive(Debug, Serialize, Deserialize)]
struct Written {
    /// Where it is.
    file: String,
    /// Bytes of the database.
    size: u64,
}

/// Writes an encrypted copy of the database. The file appears when it is whole, and takes the place of none.
///
/// # Errors
/// [`Failure`]; no file is left.
pub fn write(
    wanted: &BackupArguments,
    daemon: &mut Connection,
    output: &mut Output,
) -> Result<Ending, Failure> {
    let refused = |cause| Failure::Unwritten { path: wanted.file.clone(), cause };
    if wanted.file.exists() {
        return Err(refused(io::ErrorKind::AlreadyExists.into()));
    }
    let secret = passphrase::obtain(wanted.key_file.as_deref(), Occasion::Chosen)?;
    let unfinished = Unfinished::beside(&wanted.file);
    let file = unfinished.create().map_err(refused)?;
    let mut sealer = Sealer::begin(file, &secret).map_err(refused)?;
    let mut size = 0;
    daemon.stream(&Backup {}, |BackupReply { part, size: total }| {
        size = total;
        let bytes = BASE64.decode(part.expose().as_bytes()).map_err(|_| Failure::Malformed)?;
        sealer.write(&bytes).map_err(refused)
    })?;
    let file = sealer.finish().map_err(refused)?;
    file.sync_all().and_then(|()| unfinished.keep(&wanted.file)).map_err(refused)?;
    let written = Written { file: wanted.file.display().to_string(), size };
    output.answer(&written, |Written { file, size }| {
        format!("The database ({} KiB) is in {file}, encrypted.", size / 1024)
    })?;
    output.remark("The key of this host is not in it: /etc/mfad/key has to be kept, too, and elsewhere.");
    Ok(Ending::Done)
}

/// Hands a backup to mfad, which looks at it and, with `--yes`, starts again with it.
///
/// # Errors
/// [`Failure`]; mfad goes on with what it has.
pub fn read(
    wanted: &RestoreArguments,
    daemon: &mut Connection,
    output: &mut Output,
) -> Result<Ending, Failure> {
    let path = &wanted.file;
    let unreadable = |cause| Failure::File { path: path.clone(), cause };
    let file = File::open(path).map_err(unreadable)?;
    let secret = passphrase::obtain(wanted.key_file.as_deref(), Occasion::Known)?;
    let (mut offset, mut hash) = (0, Sha256::new());
    let sent = cipher::open(file, &secret, |part| {
        hash.update(part);
        send(daemon, &mut offset, part).map_err(Stopped::Asking)
    });
    sent.map_err(|stopped| match stopped {
        Stopped::Reading(CipherError::Io(cause)) => unreadable(cause),
        Stopped::Reading(cause) => Failure::Backup { path: path.clone(), cause: cause.to_string() },
        Stopped::Asking(failure) => failure,
    })?;
    let digest = HEXLOWER.encode(&hash.finalize());
    let reply = daemon.call(&Restore { digest, run: wanted.run() })?;
    output.answer(&reply, |reply| text(reply, wanted.run()))?;
    if wanted.run() == Run::Real {
        output.remark(
            "mfad starts again with it. Codes, devices and factors are as they were then: see mfactl(1), RESTORE.",
        );
    }
    Ok(Ending::Done)
}

fn send(daemon: &mut Connection, offset: &mut u64, bytes: &[u8]) -> Result<(), Failure> {
    for chunk in bytes.chunks(SENT) {
        let part = Secret::new(BASE64.encode(chunk));
        *offset = daemon.call(&RestorePart { offset: *offset, part })?.length;
    }
    Ok(())
}

fn text(reply: &RestoreReply, run: Run) -> String {
    let RestoreReply { accounts, events, newest } = reply;
    let newest = newest.map_or_else(|| "never".to_owned(), time::local);
    let what = format!("A backup with {accounts} accounts and {events} events, the last one of {newest}.");
    match run {
        Run::Dry => format!("{what} It can be restored: repeat this with --yes."),
        Run::Real => format!("{what} It takes the place of the database, which is kept as mfad.db.replaced."),
    }
}

/// Who stopped it.
enum Stopped {
    Reading(CipherError),
    Asking(Failure),
}

impl From<CipherError> for Stopped {
    fn from(error: CipherError) -> Self {
        Stopped::Reading(error)
    }
}

/// A file that is not whole; it goes if it is not kept.
struct Unfinished(PathBuf);

impl Unfinished {
    fn beside(path: &Path) -> Self {
        let mut name = path.as_os_str().to_owned();
        name.push(".unfinished");
        Unfinished(name.into())
    }

    fn create(&self) -> io::Result<File> {
        let _ = fs::remove_file(&self.0);
        OpenOptions::new().write(true).create_new(true).mode(0o600).open(&self.0)
    }

    /// Gives it its name, unless there is one of that name by now.
    fn keep(self, path: &Path) -> io::Result<()> {
        fs::hard_link(&self.0, path)?;
        let directory = path.parent().filter(|parent| !parent.as_os_str().is_empty());
        File::open(directory.unwrap_or(Path::new(".")))?.sync_all()
    }
}

impl Drop for Unfinished {
    fn drop(&mut self) {
        let _ = fs::remove_file(&self.0);
    }
}
