//! Reads a relay's password, at each connection, so that a rotated one works without a reload.

use std::fs::File;
use std::io::Read as _;
use std::os::unix::fs::{MetadataExt as _, OpenOptionsExt as _};
use std::path::{Path, PathBuf};

use nix::fcntl::OFlag;
use protocol::Secret;
use zeroize::Zeroizing;

const LIMIT: usize = 4096;

/// The password in the file, without its line end. A relative path is a systemd credential.
///
/// # Errors
/// A fact and its remedy, for people.
pub(super) fn read(path: &Path) -> Result<Secret, String> {
    let path = absolute(path)?;
    let fault = |what: &str| format!("{what}; check password-file {}", path.display());
    let file = open(&path).map_err(|error| fault(&error.to_string()))?;
    let facts = file.metadata().map_err(|error| fault(&error.to_string()))?;
    if !facts.is_file() {
        return Err(fault("the password file is not a regular file"));
    }
    if facts.mode() & 0o037 != 0 {
        return Err(format!(
            "other users may read the password or change it; run: chmod u=rw,g=r,o= {}",
            path.display()
        ));
    }
    // Filled once and never grown: a grown buffer leaves a copy behind.
    let mut text = Zeroizing::new(String::with_capacity(LIMIT + 1));
    file.take(LIMIT as u64 + 1).read_to_string(&mut text).map_err(|error| fault(&error.to_string()))?;
    let password = text.trim_end_matches(['\r', '\n']);
    if text.len() > LIMIT || password.is_empty() || password.contains(['\0', '\r', '\n']) {
        return Err(fault("the password file holds something else than one line"));
    }
    Ok(Secret::new(password.to_owned()))
}

fn open(path: &Path) -> std::io::Result<File> {
    // A FIFO in its place must not stop the daemon.
    File::options().read(true).custom_flags(OFlag::O_NONBLOCK.bits()).open(path)
}

fn absolute(path: &Path) -> Result<PathBuf, String> {
    if path.is_absolute() {
        return Ok(path.to_owned());
    }
    let credentials = std::env::var_os("CREDENTIALS_DIRECTORY").ok_or_else(|| {
        format!(
            "password-file {0} names a systemd credential, and there are none; \
             add LoadCredential={0} to mfad.service, or write an absolute path",
            path.display()
        )
    })?;
    Ok(Path::new(&credentials).join(path))
}
