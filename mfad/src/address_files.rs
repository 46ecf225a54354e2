//! Addresses that stand in files of the host: maps of `user: address`, and systemd's user records. A disk may be slow, so
//! looking runs beside the event loop and holds no lock; what was looked at less than a second ago is at hand at once.

use std::collections::HashMap;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use crate::address::EmailAddress;
use crate::config::{AddressSource, variables};
use crate::locals::FileVersion;
use crate::people::read_trusted;
use crate::rules::attempt::UserName;
use crate::rules::policy::KnownAddress;

/// How long a look at a file or directory holds.
const GLANCE: Duration = Duration::from_secs(1);

/// The one map that need not exist: it is asked by default.
const DEFAULT_MAP: &str = "/etc/mfad/addresses";

/// Where systemd keeps user records as files (nss-systemd(8)).
const RECORD_DIRECTORIES: [&str; 4] = ["/etc/userdb", "/run/userdb", "/run/host/userdb", "/usr/lib/userdb"];

/// A file with addresses that cannot be used.
#[derive(Debug, thiserror::Error)]
#[error("the address file {} cannot be used: {why}", .path.display())]
pub struct UnusableFile {
    path: PathBuf,
    why: String,
}

/// What was seen of the files.
#[derive(Default)]
pub struct AddressFiles {
    maps: Mutex<HashMap<PathBuf, Map>>,
    records: Mutex<Option<Glance>>,
}

/// A map, read once a version.
struct Map {
    looked: Instant,
    version: Option<FileVersion>,
    addresses: Arc<HashMap<String, EmailAddress>>,
}

/// Which directories of user records were there.
struct Glance {
    looked: Instant,
    directories: Vec<&'static str>,
}

impl AddressFiles {
    /// What a source knows, if no file has to be looked at for it.
    pub fn at_hand(&self, source: &AddressSource, name: &UserName) -> Option<KnownAddress> {
        let address = match source {
            AddressSource::Account => None,
            AddressSource::Pattern(pattern) => expanded(pattern, name),
            AddressSource::Map(path) => {
                let maps = self.maps();
                let map = maps.get(path).filter(|map| map.looked.elapsed() < GLANCE)?;
                map.addresses.get(name.as_str()).cloned()
            }
            AddressSource::Userdb => {
                let records = self.records();
                let none = |seen: &&Glance| seen.looked.elapsed() < GLANCE && seen.directories.is_empty();
                records.as_ref().filter(none).map(|_| None)?
            }
        };
        Some(KnownAddress { source: source.clone(), address })
    }

    /// What a source knows. It may block, so it never runs in the event loop.
    ///
    /// # Errors
    /// [`UnusableFile`]: nobody can say, which is not "no address".
    pub fn look(&self, source: &AddressSource, name: &UserName) -> Result<KnownAddress, UnusableFile> {
        let address = match source {
            AddressSource::Account => None,
            AddressSource::Pattern(pattern) => expanded(pattern, name),
            AddressSource::Map(path) => self.read_map(path)?.get(name.as_str()).cloned(),
            AddressSource::Userdb => recorded(&self.record_directories(), name)?,
        };
        Ok(KnownAddress { source: source.clone(), address })
    }

    /// The map as it is now; the file is read only if it is another one than before.
    fn read_map(&self, path: &Path) -> Result<Arc<HashMap<String, EmailAddress>>, UnusableFile> {
        let refuse = |why: String| UnusableFile { path: path.to_owned(), why };
        let looked = Instant::now();
        let version = FileVersion::of(path).map_err(|error| refuse(error.to_string()))?;
        if version.is_none() && path != Path::new(DEFAULT_MAP) {
            return Err(refuse("it does not exist".to_owned()));
        }
        let before =
            self.maps().get(path).filter(|map| map.version == version).map(|map| map.addresses.clone());
        let addresses = match (before, &version) {
            (Some(addresses), _) => addresses,
            (None, None) => Arc::default(),
            (None, Some(_)) => {
                let text = read_trusted(path).map_err(|error| refuse(error.to_string()))?;
                Arc::new(parse_map(&text).map_err(refuse)?)
            }
        };
        let map = Map { looked, version, addresses: addresses.clone() };
        let replaced = self.maps().insert(path.to_owned(), map);
        drop(replaced);
        Ok(addresses)
    }

    /// Those of [`RECORD_DIRECTORIES`] that are there; most hosts have none.
    fn record_directories(&self) -> Vec<&'static str> {
        let looked = Instant::now();
        let is_there = |directory: &&str| Path::new(directory).is_dir();
        let directories: Vec<_> = RECORD_DIRECTORIES.into_iter().filter(is_there).collect();
        *self.records() = Some(Glance { looked, directories: directories.clone() });
        directories
    }

    fn maps(&self) -> MutexGuard<'_, HashMap<PathBuf, Map>> {
        self.maps.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn records(&self) -> MutexGuard<'_, Option<Glance>> {
        self.records.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn expanded(pattern: &str, name: &UserName) -> Option<EmailAddress> {
    let value_of = |variable: &str| (variable == "USER").then_some(name.as_str());
    variables::expand(pattern, value_of).ok().and_then(|text| EmailAddress::parse(&text).ok())
}

fn parse_map(text: &str) -> Result<HashMap<String, EmailAddress>, String> {
    let mut addresses = HashMap::new();
    for (number, line) in text.lines().enumerate() {
        let line = line.trim();
        if line.is_empty() || line.starts_with('#') {
            continue;
        }
        let wrong = |why: &str| format!("line {}: {why}", number + 1);
        let (name, address) = line
            .split_once(':')
            .or_else(|| line.split_once(char::is_whitespace))
            .ok_or_else(|| wrong("a line has the form \"user: address\""))?;
        let address = EmailAddress::parse(address.trim()).map_err(|error| wrong(&error.to_string()))?;
        addresses.insert(name.trim().to_owned(), address);
    }
    Ok(addresses)
}

/// The address in a user record of systemd (<https://systemd.io/USER_RECORD>, field `emailAddress`).
fn recorded(directories: &[&str], name: &UserName) -> Result<Option<EmailAddress>, UnusableFile> {
    #[derive(serde::Deserialize)]
    #[serde(rename_all = "camelCase")]
    struct Record {
        email_address: Option<String>,
    }
    for directory in directories {
        let path = Path::new(directory).join(format!("{name}.user"));
        let refuse = |why: String| UnusableFile { path: path.clone(), why };
        let text = match read_trusted(&path) {
            Ok(text) => text,
            Err(error) if matches!(error.kind(), io::ErrorKind::NotFound | io::ErrorKind::NotADirectory) => {
                continue;
            }
            Err(error) => return Err(refuse(error.to_string())),
        };
        let record: Record = serde_json::from_str(&text).map_err(|error| refuse(error.to_string()))?;
        let Some(address) = record.email_address else { continue };
        return EmailAddress::parse(&address).map(Some).map_err(|error| refuse(error.to_string()));
    }
    Ok(None)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_map_has_a_user_and_an_address_a_line() {
        let map = parse_map("# people\nada: ada@example.org\n\n bob\tbob@example.org \n").unwrap();
        assert_eq!(map.len(), 2);
        assert_eq!(map["bob"].as_str(), "bob@example.org");
        assert_eq!(
            parse_map("ada: ada@example.org\nbob: nowhere").unwrap_err(),
            "line 2: an address has the form name@domain"
        );
    }
}
