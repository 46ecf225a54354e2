//! Which people the name service finds in a local file, so that asking it cannot hang: nsswitch.conf(5) names "files"
//! first, and passwd(5) has a line for them. Only this is decided here; who they are is for the name service to say.

use std::collections::HashSet;
use std::fs;
use std::io;
use std::os::unix::fs::MetadataExt;
use std::path::Path;
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant, SystemTime};

use crate::rules::attempt::UserName;

const NAME_SERVICES: &str = "/etc/nsswitch.conf";
const PASSWD: &str = "/etc/passwd";

/// A passwd file larger than this, in bytes, is not kept in memory: its people are looked up beside the event loop.
const LIMIT: u64 = 1024 * 1024;

/// How long a look at files that hardly ever change holds.
pub const GLANCE: Duration = Duration::from_secs(1);

/// Names of local people, read once a version of the two files.
#[derive(Default)]
pub struct Locals {
    known: Mutex<Option<Known>>,
}

struct Known {
    looked: Instant,
    versions: [FileVersion; 2],
    names: HashSet<String>,
}

impl Locals {
    /// True if the name service will find this name in a local file.
    pub fn have(&self, name: &UserName) -> bool {
        let mut known = self.known.lock().unwrap_or_else(PoisonError::into_inner);
        if known.as_ref().is_none_or(|known| known.looked.elapsed() > GLANCE) {
            *known = look(known.take());
        }
        known.as_ref().is_some_and(|known| known.names.contains(name.as_str()))
    }
}

/// Looks at the files again, and reads them if they are not the ones that were read.
fn look(before: Option<Known>) -> Option<Known> {
    let (Ok(Some(services)), Ok(Some(passwd))) = (version(NAME_SERVICES), version(PASSWD)) else {
        return None;
    };
    let versions = [services, passwd];
    let names = match before {
        Some(before) if before.versions == versions => before.names,
        _ => names(&versions[1]),
    };
    Some(Known { looked: Instant::now(), versions, names })
}

/// Tells whether a file is still the one that was read.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FileVersion {
    device: u64,
    inode: u64,
    size: u64,
    changed: SystemTime,
}

impl FileVersion {
    /// The version that is there now; none if there is no file.
    ///
    /// # Errors
    /// The operating system's.
    pub fn of(path: &Path) -> io::Result<Option<Self>> {
        match fs::metadata(path) {
            Ok(metadata) => Ok(Some(FileVersion {
                device: metadata.dev(),
                inode: metadata.ino(),
                size: metadata.size(),
                changed: metadata.modified()?,
            })),
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
            Err(error) => Err(error),
        }
    }
}

fn version(path: &str) -> io::Result<Option<FileVersion>> {
    FileVersion::of(Path::new(path))
}

fn names(passwd: &FileVersion) -> HashSet<String> {
    let services = fs::read_to_string(NAME_SERVICES).unwrap_or_default();
    if passwd.size > LIMIT || !asks_files_first(&services) {
        return HashSet::new();
    }
    let passwd = fs::read(PASSWD).unwrap_or_default();
    let passwd = String::from_utf8_lossy(&passwd);
    passwd.lines().filter_map(|line| Some(line.split_once(':')?.0.to_owned())).collect()
}

fn asks_files_first(services: &str) -> bool {
    let lines = services.lines().filter_map(|line| line.split('#').next()?.trim().split_once(':'));
    let passwd = lines.filter(|(database, _)| *database == "passwd").map(|(_, sources)| sources).next_back();
    passwd.is_some_and(|sources| sources.split_whitespace().next() == Some("files"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn files_must_be_asked_first() {
        for (text, first) in [
            ("passwd: files\ngroup: files\n", true),
            ("# passwd: sss\npasswd:   files systemd # local\n", true),
            ("passwd:files sss\n", true),
            ("passwd: sss files\n", false),
            ("passwd:\n", false),
            ("group: files\n", false),
            ("", false),
        ] {
            assert_eq!(asks_files_first(text), first, "{text:?}");
        }
    }

    #[test]
    fn root_is_local_and_nobody_is_not() {
        let locals = Locals::default();
        assert!(!locals.have(&UserName::parse("no-such-user-here").unwrap()));
        let services = fs::read_to_string(NAME_SERVICES).unwrap_or_default();
        assert_eq!(locals.have(&UserName::parse("root").unwrap()), asks_files_first(&services));
    }
}
