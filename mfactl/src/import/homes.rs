//! Finds the state files of pam_google_authenticator in people's homes, and reads them as root without being led
//! astray: a home belongs to its person, who may put links, pipes and other people's files where a file is expected.

use std::fs::{File, Metadata};
use std::io::{self, Read};
use std::os::unix::ffi::OsStrExt;
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use nix::errno::Errno;
use nix::fcntl::{OFlag, open, openat};
use nix::sys::stat::Mode;
use zeroize::Zeroizing;

use super::{Imported, Refusal, google_authenticator};

/// The name of the file in a home.
const NAME: &str = ".google_authenticator";

/// The largest file that is read, in bytes.
const LIMIT: u64 = 64 * 1024;

/// getent(1), which asks the name service for all that it can list.
const GETENT: &str = "/usr/bin/getent";

/// Where a person is at home.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Home {
    /// The login name.
    pub user: String,
    /// The uid.
    pub uid: u32,
    /// The directory.
    pub directory: PathBuf,
    /// The login shell; empty for the usual one.
    pub shell: PathBuf,
}

impl Home {
    /// Whether the shell is one that somebody can log in to.
    pub fn has_a_shell(&self) -> bool {
        !["nologin", "false", "sync"].iter().any(|none| self.shell.ends_with(none))
    }
}

/// What was in a home.
#[derive(Debug)]
pub struct Found {
    /// Whose home it is.
    pub home: Home,
    /// What was made of the file.
    pub outcome: Result<Imported, Unusable>,
}

impl Found {
    /// The file.
    pub fn path(&self) -> PathBuf {
        self.home.directory.join(NAME)
    }
}

/// Why a file that is there is not taken over.
#[derive(Debug, thiserror::Error)]
pub enum Unusable {
    /// The operating system said no.
    #[error("it cannot be read: {0}. Run this as root, where the file is")]
    Unreadable(io::Error),
    /// A link, a pipe, a directory.
    #[error("it is no regular file. See who put it there")]
    NotRegular,
    /// It may be somebody else's, under another name.
    #[error("it has several names (hard links). Remove the others, or enrol the person anew")]
    HardLinks,
    /// Holds whose it is.
    #[error("it belongs to uid {0}. It must be the person's own")]
    Foreign(u32),
    /// No state file is that large.
    #[error("it is larger than {} KiB. See what it is", LIMIT / 1024)]
    TooLarge,
    /// It is not UTF-8.
    #[error("it is not a text. Enrol the person anew")]
    NotText,
    /// It was read, and cannot be taken over.
    #[error(transparent)]
    Refused(Refusal),
}

/// Why nobody can say who is at home where.
#[derive(Debug, thiserror::Error)]
pub enum HomesError {
    /// getent could not be run.
    #[error("{GETENT} cannot be run: {0}. Install it (Debian: libc-bin), or name the people")]
    NoGetent(io::Error),
    /// getent failed.
    #[error("{GETENT} passwd failed. Check nsswitch.conf and the directory behind it, or name the people")]
    Getent,
    /// The name service failed for one name.
    #[error("the name service failed: {0}. Check nsswitch.conf and the directory behind it")]
    NameService(Errno),
}

/// Everybody whom the name service lists. Directories (LDAP) often list nobody: those people are asked for by name.
///
/// # Errors
/// [`HomesError`].
pub fn everybody() -> Result<Vec<Home>, HomesError> {
    let mut getent = Command::new(GETENT);
    getent.arg("passwd").env_clear().stdin(Stdio::null()).stderr(Stdio::null());
    let output = getent.output().map_err(HomesError::NoGetent)?;
    if !output.status.success() {
        return Err(HomesError::Getent);
    }
    Ok(output.stdout.split(|byte| *byte == b'\n').filter_map(passwd_line).collect())
}

/// One person; none if the name service knows nobody of that name.
///
/// # Errors
/// [`HomesError::NameService`].
pub fn of(user: &str) -> Result<Option<Home>, HomesError> {
    let user = nix::unistd::User::from_name(user).map_err(HomesError::NameService)?;
    Ok(user.map(|user| Home {
        user: user.name,
        uid: user.uid.as_raw(),
        directory: user.dir,
        shell: user.shell,
    }))
}

/// A line of passwd(5). Names that are no UTF-8 and homes that are no absolute path are nobody's.
fn passwd_line(line: &[u8]) -> Option<Home> {
    let mut fields = line.split(|byte| *byte == b':');
    let user = str::from_utf8(fields.next()?).ok()?.to_owned();
    let uid = str::from_utf8(fields.nth(1)?).ok()?.parse().ok()?;
    let directory = Path::new(std::ffi::OsStr::from_bytes(fields.nth(2)?));
    let shell = Path::new(std::ffi::OsStr::from_bytes(fields.next().unwrap_or_default())).to_owned();
    let is_somebody = !user.is_empty() && directory.is_absolute();
    is_somebody.then(|| Home { user, uid, directory: directory.to_owned(), shell })
}

/// Reads the file in each home; homes without one are passed over.
pub fn find_google_authenticator(homes: impl IntoIterator<Item = Home>) -> impl Iterator<Item = Found> {
    homes.into_iter().filter_map(|home| {
        let outcome = read(&home).transpose()?;
        let outcome = outcome.and_then(|(text, mode)| imported(&text, mode, &home));
        Some(Found { home, outcome })
    })
}

fn imported(text: &str, mode: u32, home: &Home) -> Result<Imported, Unusable> {
    let mut imported = google_authenticator::parse(text, Some(&home.user)).map_err(Unusable::Refused)?;
    if mode & 0o077 != 0 {
        let note = format!("others could read or change it (mode {:04o}): better enrol anew", mode & 0o7777);
        imported.notes.push(note);
    }
    Ok(imported)
}

/// The text and the mode of the file, if there is one.
fn read(home: &Home) -> Result<Option<(Zeroizing<String>, u32)>, Unusable> {
    let Some((directory, mut file)) = opened(home)? else { return Ok(None) };
    let metadata = file.metadata().map_err(Unusable::Unreadable)?;
    check(&metadata, &directory, home)?;
    let mut bytes = Zeroizing::new(Vec::with_capacity(usize::try_from(LIMIT).unwrap_or_default() + 1));
    Read::by_ref(&mut file).take(LIMIT + 1).read_to_end(&mut bytes).map_err(Unusable::Unreadable)?;
    if bytes.len() as u64 > LIMIT {
        return Err(Unusable::TooLarge);
    }
    let text = str::from_utf8(&bytes).map_err(|_| Unusable::NotText)?;
    Ok(Some((Zeroizing::new(text.to_owned()), metadata.mode())))
}

/// The home and the file in it. Opening a pipe must not wait, and a link is not followed.
fn opened(home: &Home) -> Result<Option<(Metadata, File)>, Unusable> {
    let directory = OFlag::O_PATH | OFlag::O_DIRECTORY | OFlag::O_CLOEXEC;
    let file = OFlag::O_RDONLY | OFlag::O_NOFOLLOW | OFlag::O_NONBLOCK | OFlag::O_NOCTTY | OFlag::O_CLOEXEC;
    let fds = open(&home.directory, directory, Mode::empty())
        .and_then(|directory| openat(&directory, NAME, file, Mode::empty()).map(|file| (directory, file)));
    match fds {
        Ok((directory, file)) => {
            let directory = File::from(directory).metadata().map_err(Unusable::Unreadable)?;
            Ok(Some((directory, File::from(file))))
        }
        Err(Errno::ENOENT | Errno::ENOTDIR) => Ok(None),
        // A link; a socket.
        Err(Errno::ELOOP | Errno::ENXIO) => Err(Unusable::NotRegular),
        Err(error) => Err(Unusable::Unreadable(error.into())),
    }
}

/// What was opened is judged, not what has the name now. A file of root's is the person's if the home is: daemons
/// share homes such as `/`, and a secret found there is nobody's.
fn check(file: &Metadata, directory: &Metadata, home: &Home) -> Result<(), Unusable> {
    let owned = file.uid() == home.uid || (file.uid() == 0 && directory.uid() == home.uid);
    if !file.is_file() {
        return Err(Unusable::NotRegular);
    }
    if !owned {
        return Err(Unusable::Foreign(file.uid()));
    }
    if file.nlink() != 1 {
        return Err(Unusable::HardLinks);
    }
    if file.len() > LIMIT {
        return Err(Unusable::TooLarge);
    }
    Ok(())
}

#[cfg(test)]
mod tests;
