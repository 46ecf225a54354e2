//! Who somebody is, as the host's name service says (NSS), and where a mail reaches them. Everything here may block:
//! it runs beside the event loop, under a deadline, and an error is never taken for "nobody".

use std::fs;
use std::io::{self, Read};
use std::os::unix::fs::{MetadataExt, OpenOptionsExt};
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use nix::libc;
use nix::unistd::{Gid, Group, Uid, User, getgrouplist};

use tokio::sync::Semaphore;

use crate::address_files::{AddressFiles, UnusableFile};
use crate::config::AddressSource;
use crate::locals::Locals;
use crate::rules::attempt::UserName;
use crate::rules::policy::KnownAddress;

/// How many lookups may be in a name service at once. Each has its place until it really ends: one that hangs must not
/// use up the threads that others need.
static NAME_SERVICE: Semaphore = Semaphore::const_new(64);

/// The same for local people, who need nothing but files: they enter while a directory hangs.
static FILES: Semaphore = Semaphore::const_new(64);

/// How long a name service may take.
const DEADLINE: Duration = Duration::from_secs(5);

/// The largest address file or user record that is read, in bytes.
const FILE_LIMIT: u64 = 64 * 1024 * 1024;

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
    #[error(transparent)]
    AddressFile(#[from] UnusableFile),
}

/// Looks people up. Cheap to clone; clones share the cache of address files.
#[derive(Clone, Default)]
pub struct People {
    files: Arc<AddressFiles>,
    locals: Arc<Locals>,
}

impl People {
    /// Finds who a name is, and what the sources know of their address.
    ///
    /// # Errors
    /// [`LookupError`]; a name that nobody has is not an error.
    pub async fn find(&self, name: UserName, sources: Vec<AddressSource>) -> Result<Found, LookupError> {
        let local = self.locals.uid(&name).map(|uid| Person { name: name.clone(), uid });
        if let Some(person) = &local
            && let Some(known) = self.known_at_hand(person, &sources)
        {
            return Ok(Found { person: local, known });
        }
        let people = self.clone();
        let places = if local.is_some() { &FILES } else { &NAME_SERVICE };
        blocking(places, move || {
            let person = if local.is_some() { local } else { by_name(&name)? };
            people.addressed(&name, person, &sources)
        })
        .await
    }

    fn known_at_hand(&self, person: &Person, sources: &[AddressSource]) -> Option<Vec<KnownAddress>> {
        sources.iter().map(|source| self.files.at_hand(source, &person.name)).collect()
    }

    fn addressed(
        &self,
        name: &UserName,
        person: Option<Person>,
        sources: &[AddressSource],
    ) -> Result<Found, LookupError> {
        let canonical = person.as_ref().map_or(name, |person| &person.name);
        let known =
            sources.iter().map(|source| self.files.look(source, canonical)).collect::<Result<_, _>>()?;
        Ok(Found { person, known })
    }

    /// Whether the person with this uid is in a group.
    ///
    /// # Errors
    /// [`LookupError`]: an error of the name service is not "not in the group".
    pub async fn is_member(&self, uid: u32, group: &'static str) -> Result<bool, LookupError> {
        blocking(&NAME_SERVICE, move || {
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

    /// Those of the groups that a person is in, whether by the primary group, by the group's list, or by the service's own
    /// account of nested groups. A group that does not exist has nobody in it.
    ///
    /// # Errors
    /// [`LookupError`]: an error of the name service is not "not in the group".
    pub async fn memberships(
        &self,
        name: &UserName,
        groups_asked: Vec<String>,
    ) -> Result<Vec<String>, LookupError> {
        if groups_asked.is_empty() {
            return Ok(groups_asked);
        }
        let name = name.clone();
        blocking(&NAME_SERVICE, move || {
            let Some(user) = User::from_name(name.as_str()).map_err(LookupError::NameService)? else {
                return Ok(Vec::new());
            };
            let own = groups(&user)?;
            let mut found = Vec::new();
            for asked in groups_asked {
                let group = Group::from_name(&asked).map_err(LookupError::NameService)?;
                if group.is_some_and(|group| own.contains(&group.gid) || group.mem.contains(&user.name)) {
                    found.push(asked);
                }
            }
            Ok(found)
        })
        .await
    }

    /// The name of the person with this uid.
    ///
    /// # Errors
    /// [`LookupError`].
    pub async fn name_of(&self, uid: u32) -> Result<Option<UserName>, LookupError> {
        blocking(&NAME_SERVICE, move || {
            let user = User::from_uid(Uid::from_raw(uid)).map_err(LookupError::NameService)?;
            Ok(user.and_then(|user| UserName::parse(&user.name)))
        })
        .await
    }
}

/// Runs a lookup beside the event loop, when there is a place for it, under the deadline.
async fn blocking<T: Send + 'static>(
    places: &'static Semaphore,
    work: impl FnOnce() -> Result<T, LookupError> + Send + 'static,
) -> Result<T, LookupError> {
    let lookup = async {
        let place = places.acquire().await.map_err(|_| LookupError::Timeout)?;
        let work = move || {
            let _place = place;
            work()
        };
        let done = tokio::task::spawn_blocking(work).await;
        done.unwrap_or(Err(LookupError::NameService(nix::Error::EIO)))
    };
    tokio::time::timeout(DEADLINE, lookup).await.unwrap_or(Err(LookupError::Timeout))
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

#[cfg(test)]
mod tests {
    use super::*;
    use std::path::PathBuf;
    use std::task::Poll;

    #[tokio::test]
    async fn root_is_known_by_name_and_by_uid_and_nobody_by_nonsense() {
        let people = People::default();
        let root = people.find(UserName::parse("root").unwrap(), vec![]).await.unwrap();
        assert_eq!(root.person.unwrap().uid, 0);
        assert_eq!(people.name_of(0).await.unwrap().unwrap().as_str(), "root");
        let nobody = people.find(UserName::parse("no-such-user-here").unwrap(), vec![]).await.unwrap();
        assert_eq!(nobody.person, None);
    }

    /// A file that goes when the test ends, however it ends.
    struct TemporaryFile(PathBuf);

    impl TemporaryFile {
        fn with(text: &str) -> Self {
            let path = std::env::temp_dir().join(format!("mfad-addresses-{}", std::process::id()));
            fs::write(&path, text).unwrap();
            TemporaryFile(path)
        }
    }

    impl Drop for TemporaryFile {
        fn drop(&mut self) {
            let _ = fs::remove_file(&self.0);
        }
    }

    /// To see it fail, let `find` call `addressed` itself where the person is local.
    #[tokio::test]
    async fn an_address_file_is_read_beside_the_event_loop_and_kept_for_a_moment() {
        let temporary = TemporaryFile::with("root: root@example.org\n");
        let file = &temporary.0;
        let people = People::default();
        let root = UserName::parse("root").unwrap();
        let find =
            || people.find(root.clone(), vec![AddressSource::Map(file.clone()), AddressSource::Userdb]);
        // Without a place beside the event loop nothing is read, however quick the disk is.
        let all = FILES.acquire_many(64).await.unwrap();
        let mut first = std::pin::pin!(find());
        let at_once = std::future::poll_fn(|context| Poll::Ready(first.as_mut().poll(context))).await;
        assert!(at_once.is_pending(), "the event loop read the file");
        drop(all);
        let found = first.await.unwrap();
        assert_eq!(found.known[0].address.as_ref().unwrap().as_str(), "root@example.org");
        fs::write(file, "root: other@example.org\n").unwrap();
        tokio::time::sleep(Duration::from_millis(1100)).await;
        let found = find().await.unwrap();
        assert_eq!(found.known[0].address.as_ref().unwrap().as_str(), "other@example.org");
        fs::remove_file(file).unwrap();
        tokio::time::sleep(Duration::from_millis(1100)).await;
        assert!(find().await.unwrap_err().to_string().ends_with("it does not exist"));
    }

    /// To see it fail, let `blocking` refuse where no place is free.
    #[tokio::test]
    async fn who_comes_while_no_place_is_free_waits_for_one() {
        let all = (FILES.acquire_many(64).await.unwrap(), NAME_SERVICE.acquire_many(64).await.unwrap());
        let people = People::default();
        let root = UserName::parse("root").unwrap();
        let mut find = std::pin::pin!(people.find(root, vec![AddressSource::Userdb]));
        let at_once = std::future::poll_fn(|context| Poll::Ready(find.as_mut().poll(context))).await;
        assert!(at_once.is_pending(), "{at_once:?}");
        drop(all);
        assert_eq!(find.await.unwrap().person.unwrap().uid, 0);
    }
}
