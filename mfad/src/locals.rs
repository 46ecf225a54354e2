//! People of the local files: where nsswitch.conf(5) names "files" first, the first line of passwd(5) with a name is what
//! the name service would answer, so it need not be asked: that reads the whole file anew for each login. Anybody who is
//! not found here is for the name service.

use std::collections::HashMap;
use std::fs;
use std::io;
use std::os::unix::fs::MetadataExt;
use std::path::Path;
use std::sync::{Mutex, PoisonError};
use std::time::SystemTime;

use crate::rules::attempt::UserName;

const NAME_SERVICES: &str = "/etc/nsswitch.conf";
const PASSWD: &str = "/etc/passwd";

/// A passwd file larger than this, in bytes, is not kept in memory: its people are looked up beside the event loop.
const LIMIT: u64 = 1024 * 1024;

/// Local people, read once a version of the two files.
#[derive(Default)]
pub struct Locals {
    known: Mutex<Option<Known>>,
}

struct Known {
    versions: [FileVersion; 2],
    uids: HashMap<String, u32>,
}

impl Locals {
    /// The uid of a name that stands in the local file, if the name service would look there first. Both files are looked
    /// at each time: who was added or removed a moment ago counts.
    pub fn uid(&self, name: &UserName) -> Option<u32> {
        let mut known = self.known.lock().unwrap_or_else(PoisonError::into_inner);
        *known = look(known.take());
        known.as_ref()?.uids.get(name.as_str()).copied()
    }
}

/// Looks at the files again, and reads them if they are not the ones that were read.
fn look(before: Option<Known>) -> Option<Known> {
    let (Ok(Some(services)), Ok(Some(passwd))) = (version(NAME_SERVICES), version(PASSWD)) else {
        return None;
    };
    let versions = [services, passwd];
    let uids = match before {
        Some(before) if before.versions == versions => before.uids,
        _ => read(&versions[1]),
    };
    Some(Known { versions, uids })
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

fn read(passwd: &FileVersion) -> HashMap<String, u32> {
    let services = fs::read_to_string(NAME_SERVICES).unwrap_or_default();
    if passwd.size > LIMIT || !asks_files_first(&services) {
        return HashMap::new();
    }
    uids(&String::from_utf8_lossy(&fs::read(PASSWD).unwrap_or_default()))
}

/// Names and uids of passwd(5); the first line of a name counts. One that is not whole is left to the name service.
fn uids(passwd: &str) -> HashMap<String, u32> {
    let mut uids = HashMap::new();
    for line in passwd.lines() {
        let fields: Vec<&str> = line.split(':').collect();
        let [name, _, uid, _, _, _, _] = fields[..] else { continue };
        if let Ok(uid) = uid.parse() {
            uids.entry(name.to_owned()).or_insert(uid);
        }
    }
    uids
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
        assert_eq!(locals.uid(&UserName::parse("no-such-user-here").unwrap()), None);
        let services = fs::read_to_string(NAME_SERVICES).unwrap_or_default();
        assert_eq!(locals.uid(&UserName::parse("root").unwrap()), asks_files_first(&services).then_some(0));
    }

    #[test]
    fn the_first_whole_line_of_a_name_counts() {
        let passwd = "root:x:0:0:root:/root:/bin/sh\nada:x:1000:1000::/home/ada:\nada:x:0:0::/:\n+nis\nbob:x:many:1::/:/\n";
        let expected = [("root".to_owned(), 0), ("ada".to_owned(), 1000)];
        assert_eq!(uids(passwd), HashMap::from(expected));
    }
}
