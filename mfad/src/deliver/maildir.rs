//! Mail straight into a Maildir on a local file system, the quickest way to a person of this host. A login waits for
//! it, so it costs three system calls and no flush: a code that a power cut loses belongs to a login that ended too.

use std::fs::{self, DirBuilder, File};
use std::io::{self, Write as _};
use std::os::unix::fs::{DirBuilderExt as _, OpenOptionsExt as _};
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{SystemTime, UNIX_EPOCH};

use super::{Cause, Courier, Delivery, DeliveryError, Message, Progress, Receipt};

/// Writes each message as a file.
pub struct MaildirCourier {
    pattern: String,
    host: String,
}

static COUNTER: AtomicU64 = AtomicU64::new(0);

impl MaildirCourier {
    /// `pattern` is an absolute path; `$USER` in it is the account. `host` becomes part of each file's name.
    pub fn new(pattern: String, host: &str) -> Self {
        // As maildir(5) has it: neither a slash nor a colon may be in a name.
        MaildirCourier { pattern, host: host.replace('/', "\\057").replace(':', "\\072") }
    }

    fn carry(&self, message: &Message, progress: Progress<'_>) -> Result<Receipt, DeliveryError> {
        let directory = self.directory(&message.user)?;
        let name = self.unique_name();
        let stored = match store(&directory, &name, message) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => {
                create(&directory).and_then(|()| store(&directory, &name, message))
            }
            stored => stored,
        };
        stored.map_err(|error| {
            let path = directory.display();
            DeliveryError::new(
                cause(&error),
                format!("{path}: {error}; check that mfad may write this Maildir"),
            )
        })?;
        progress(&format!("written to {}", directory.display()));
        Ok(Receipt { by: directory.display().to_string(), answer: name })
    }

    fn directory(&self, user: &str) -> Result<PathBuf, DeliveryError> {
        let refuse = |fact: &str| Err(DeliveryError::new(Cause::Misconfigured, fact));
        if !self.pattern.starts_with('/') {
            return refuse("the Maildir is not an absolute path; write one that begins with /");
        }
        if !self.pattern.contains("$USER") {
            return Ok(PathBuf::from(&self.pattern));
        }
        if user.is_empty() || user.starts_with('.') || user.contains(['/', '\0']) {
            return refuse("this account's name cannot be part of a path; use another transport for it");
        }
        Ok(PathBuf::from(self.pattern.replace("$USER", user)))
    }

    fn unique_name(&self) -> String {
        let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
        let (seconds, micros) = (now.as_secs(), now.subsec_micros());
        let count = COUNTER.fetch_add(1, Ordering::Relaxed);
        format!("{seconds}.M{micros}P{}Q{count}.{}", std::process::id(), self.host)
    }
}

impl Courier for MaildirCourier {
    fn deliver<'a>(&'a self, message: &'a Message, progress: Progress<'a>) -> Delivery<'a> {
        Box::pin(async move { self.carry(message, progress) })
    }
}

fn store(directory: &Path, name: &str, message: &Message) -> io::Result<()> {
    let unfinished = directory.join("tmp").join(name);
    let mut file = File::options().write(true).create_new(true).mode(0o600).open(&unfinished)?;
    let finished = file
        .write_all(&message.unix_lines())
        .and_then(|()| fs::rename(&unfinished, directory.join("new").join(name)));
    finished.inspect_err(|_| {
        let _ = fs::remove_file(&unfinished);
    })
}

/// Makes the Maildir, but not the directory it is in: a mistyped path must not grow a tree.
fn create(directory: &Path) -> io::Result<()> {
    for path in [directory.to_owned(), directory.join("tmp"), directory.join("new"), directory.join("cur")] {
        match DirBuilder::new().mode(0o700).create(&path) {
            Err(error) if error.kind() != io::ErrorKind::AlreadyExists => return Err(error),
            _ => {}
        }
    }
    Ok(())
}

fn cause(error: &io::Error) -> Cause {
    match error.kind() {
        io::ErrorKind::StorageFull | io::ErrorKind::QuotaExceeded => Cause::Deferred,
        _ => Cause::Misconfigured,
    }
}
