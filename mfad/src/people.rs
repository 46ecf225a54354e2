//! Who somebody is, as the host's name service says (NSS), and where a mail reaches them. Everything here may block:
//! it runs beside the event loop, under a deadline, and an error is never taken for "nobody".

use std::collections::HashMap;
use std::fs;
use std::io::{self, Read};
use std::os::unix::fs::{MetadataExt, OpenOptionsExt};
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use nix::libc;
use nix::unistd::{Gid, Group, Uid, User, getgrouplist};

use tokio::sync::Semaphore;

use crate::address::EmailAddress;
use crate::config::{AddressSource, variables};
use crate::locals::{FileVersion, Locals};
use crate::rules::attempt::UserName;
use crate::rules::policy::KnownAddress;

/// How many lookups may wait for a name service at once.
const LOOKUPS: usize = 64;

/// How long a name service may take.
const DEADLINE: Duration = Duration::from_secs(5);

/// The largest address file or user record that is read, in bytes.
const FILE_LIMIT: u64 = 64 * 1024 * 1024;

/// Where systemd keeps user records as files (nss-systemd(8)).
const RECORD_DIRECTORIES: [&str; 4] = ["/etc/userdb", "/run/userdb", "/run/host/userdb", "/usr/lib/userdb"];

/// A person whom the name service knows.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Person {
    /// The name, as the name service spells it.
    pub name: UserName,
    /// The uid.
    pub uid: u32,
}

/// What was found under a name.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Found {
    /// The person; none if the name service knows nobody of that name.
    pub person: Option<Person>,
    /// What each configured source knows of the address, in order.
    pub known: Vec<KnownAddress>,
}

/// Why nobody can say. A login is refused, never waved through.
#[derive(Debug, thiserror::Error)]
pub enum LookupError {
    /// The name service failed.
    #[error("the name service failed for a user: {0}. Check nsswitch.conf and the directory behind it")]
    NameService(nix::Error),
    /// The name service did not answer in time.
    #[error("the name service did not answer within {} s", DEADLINE.as_secs())]
    Timeout,
    /// A file with addresses cannot be used.
    #[error("the address file {0} cannot be used: {1}")]
    AddressFile(PathBuf, String),
}

/// Looks people up. Cheap to clone; clones share the cache of address files.
#[derive(Clone, Default)]
pub struct People {
    maps: Arc<Mutex<HashMap<PathBuf, AddressMap>>>,
    locals: Arc<Locals>,
    records: Arc<Mutex<Option<Glance>>>,
}

/// How long a look at directories that hardly ever come or go holds.
const GLANCE: Duration = Duration::from_secs(1);

/// Which directories of user records were there, and when that was looked at.
type Glance = (Instant, Vec<&'static str>);

impl People {
    /// Finds who a name is, and what the sources know of their address.
    ///
    /// # Errors
    /// [`LookupError`]; a name that nobody has is not an error.
    pub async fn find(&self, name: UserName, sources: Vec<AddressSource>) -> Result<Found, LookupError> {
        if let Some(uid) = self.locals.uid(&name) {
            return self.addressed(&name, Some(Person { name: name.clone(), uid }), &sources);
        }
        let people = self.clone();
        blocking(move || people.addressed(&name, by_name(&name)?, &sources)).await
    }

    fn addressed(
        &self,
        name: &UserName,
        person: Option<Person>,
        sources: &[AddressSource],
    ) -> Result<Found, LookupError> {
        let canonical = person.as_ref().map_or(name, |person| &person.name);
        let known = sources.iter().map(|source| self.known(source, canonical)).collect::<Result<_, _>>()?;
        Ok(Found { person, known })
    }

    /// Whether the person with this uid is in a group.
    ///
    /// # Errors
    /// [`LookupError`]: an error of the name service is not "not in the group".
    pub async fn is_member(&self, uid: u32, group: &'static str) -> Result<bool, LookupError> {
        blocking(move || {
            let Some(group) = Group::from_name(group).map_err(LookupError::NameService)? else {
                return Ok(false);
            };
            let Some(user) = User::from_uid(Uid::from_raw(uid)).map_err(LookupError::NameService)? else {
                return Ok(false);
            };
            Ok(groups(&user)?.contains(&group.gid))
        })
        .await
    }

    /// The name of the person with this uid.
    ///
    /// # Errors
    /// [`LookupError`].
    pub async fn name_of(&self, uid: u32) -> Result<Option<UserName>, LookupError> {
        blocking(move || {
            let user = User::from_uid(Uid::from_raw(uid)).map_err(LookupError::NameService)?;
            Ok(user.and_then(|user| UserName::parse(&user.name)))
        })
        .await
    }

    fn known(&self, source: &AddressSource, name: &UserName) -> Result<KnownAddress, LookupError> {
        let address = match source {
            AddressSource::Account => None,
            AddressSource::Map(path) => self.mapped(path, name)?,
            AddressSource::Userdb => recorded(&self.record_directories(), name)?,
            AddressSource::Pattern(pattern) => {
                let value_of = |variable: &str| (variable == "USER").then_some(name.as_str());
                variables::expand(pattern, value_of).ok().and_then(|text| EmailAddress::parse(&text).ok())
            }
        };
        Ok(KnownAddress { source: source.clone(), address })
    }

    /// Those of [`RECORD_DIRECTORIES`] that are there; most hosts have none.
    fn record_directories(&self) -> Vec<&'static str> {
        let mut seen = self.records.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some((looked, directories)) = &*seen
            && looked.elapsed() < GLANCE
        {
            return directories.clone();
        }
        let directories: Vec<_> =
            RECORD_DIRECTORIES.into_iter().filter(|directory| Path::new(directory).is_dir()).collect();
        *seen = Some((Instant::now(), directories.clone()));
        directories
    }

    fn mapped(&self, path: &Path, name: &UserName) -> Result<Option<EmailAddress>, LookupError> {
        let refuse = |why: String| LookupError::AddressFile(path.to_owned(), why);
        let mut maps = self.maps.lock().unwrap_or_else(PoisonError::into_inner);
        let Some(version) = FileVersion::of(path).map_err(|error| refuse(error.to_string()))? else {
            let is_default = path == Path::new("/etc/mfad/addresses");
            return if is_default { Ok(None) } else { Err(refuse("it does not exist".to_owned())) };
        };
        if maps.get(path).is_none_or(|map| map.version != version) {
            let text = read_trusted(path).map_err(|error| refuse(error.to_string()))?;
            let addresses = parse_map(&text).map_err(refuse)?;
            maps.insert(path.to_owned(), AddressMap { version, addresses });
        }
        Ok(maps.get(path).and_then(|map| map.addresses.get(name.as_str()).cloned()))
    }
}

/// A file of `user: address` lines, read once a version.
struct AddressMap {
    version: FileVersion,
    addresses: HashMap<String, EmailAddress>,
}

/// Runs a lookup beside the event loop, under the deadline.
async fn blocking<T: Send + 'static>(
    work: impl FnOnce() -> Result<T, LookupError> + Send + 'static,
) -> Result<T, LookupError> {
    static PLACES: Semaphore = Semaphore::const_new(LOOKUPS);
    // Held until the lookup really ends: a name service that hangs must not use up the threads that others need.
    let place = PLACES.try_acquire().map_err(|_| LookupError::Timeout)?;
    let work = move || {
        let _place = place;
        work()
    };
    match tokio::time::timeout(DEADLINE, tokio::task::spawn_blocking(work)).await {
        Ok(Ok(found)) => found,
        Ok(Err(_)) => Err(LookupError::NameService(nix::Error::EIO)),
        Err(_) => Err(LookupError::Timeout),
    }
}

fn by_name(name: &UserName) -> Result<Option<Person>, LookupError> {
    let user = User::from_name(name.as_str()).map_err(LookupError::NameService)?;
    Ok(user.and_then(|user| Some(Person { name: UserName::parse(&user.name)?, uid: user.uid.as_raw() })))
}

fn groups(user: &User) -> Result<Vec<Gid>, LookupError> {
    let name = std::ffi::CString::new(user.name.as_str())
        .map_err(|_| LookupError::NameService(nix::Error::EINVAL))?;
    getgrouplist(&name, user.gid).map_err(LookupError::NameService)
}

/// Reads a file that decides where codes go or what they say: a regular one, root's or the daemon's own, that nobody else may change.
pub(crate) fn read_trusted(path: &Path) -> io::Result<String> {
    let flags = libc::O_NOFOLLOW | libc::O_NONBLOCK | libc::O_CLOEXEC;
    let mut file = fs::OpenOptions::new().read(true).custom_flags(flags).open(path)?;
    let metadata = file.metadata()?;
    let owned = metadata.uid() == 0 || metadata.uid() == nix::unistd::geteuid().as_raw();
    if !metadata.is_file() || !owned || metadata.mode() & 0o022 != 0 || metadata.len() > FILE_LIMIT {
        return Err(io::Error::other("it must be a regular file, owned by root, not writable by others"));
    }
    let mut text = String::new();
    Read::by_ref(&mut file).take(FILE_LIMIT).read_to_string(&mut text)?;
    Ok(text)
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
fn recorded(directories: &[&str], name: &UserName) -> Result<Option<EmailAddress>, LookupError> {
    #[derive(serde::Deserialize)]
    #[serde(rename_all = "camelCase")]
    struct Record {
        email_address: Option<String>,
    }
    for directory in directories {
        let path = Path::new(directory).join(format!("{name}.user"));
        let refuse = |why: String| LookupError::AddressFile(path.clone(), why);
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

    #[tokio::test]
    async fn root_is_known_by_name_and_by_uid_and_nobody_by_nonsense() {
        let people = People::default();
        let root = people.find(UserName::parse("root").unwrap(), vec![]).await.unwrap();
        assert_eq!(root.person.unwrap().uid, 0);
        assert_eq!(people.name_of(0).await.unwrap().unwrap().as_str(), "root");
        let nobody = people.find(UserName::parse("no-such-user-here").unwrap(), vec![]).await.unwrap();
        assert_eq!(nobody.person, None);
    }
}
