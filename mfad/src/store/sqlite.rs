//! The store of one host: SQLite, one writer, group commit.
//!
//! The writer is a task of the event loop. It runs after every connection that is ready has had its turn, takes all steps
//! that they queued, runs them in one `BEGIN IMMEDIATE … COMMIT`, and answers after the commit: what is ready together is
//! committed together. It is no thread of its own, because handing a step to one and back costs a login more than the
//! step (docs/adr/0004-the-writer-runs-in-the-event-loop.md).
//!
//! The log is flushed before the answer where anything was decided, spent or counted: that is `synchronous=FULL`, but
//! SQLite cannot change its mind inside a transaction, so it runs as NORMAL and `flusher` does the rest. Checkpoints
//! run in a thread of their own with a connection of their own. Lists are read through connections of their own.

mod chain;
mod checkpoint;
mod copy;
mod files;
mod flusher;
mod key;
mod queue;
mod reader;
mod recent;
mod sweep;
mod verify;
mod writer;

use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};

use protocol::manage::EventLine;
use rusqlite::Connection;
use tokio::sync::{broadcast, oneshot};

use self::chain::{Chain, End};
use self::checkpoint::{Checkpointer, Gate};
pub use self::copy::Contents;
use self::files::{Purpose, connect, open_log};
use self::flusher::Flusher;
pub use self::key::Adoption;
pub use self::queue::Haste;
use self::queue::Queue;
pub use self::reader::LoginCount;
use self::recent::Shared;
pub use self::verify::{Known, Verified};
use self::writer::{Job, Work, Writer};
use super::{EventQuery, Later, Page, Rest, Retention, Step, Store, StoreError, schema};
use crate::audit::{Event, Kind};
use crate::clock::Clock;
use crate::factor::sealed::Freshness;
use crate::rules::account::Account;
use crate::rules::attempt::UserName;
use crate::vault::{SharedVault, Vault};

/// The database file, in the state directory.
const FILE: &str = "mfad.db";

/// SQLite in a directory.
pub struct Sqlite {
    file: PathBuf,
    queue: Arc<Queue>,
    recent: Shared,
    keys: SharedVault,
    first_head: String,
    /// What was wrong with the audit's end when it was opened.
    audit_damage: Option<String>,
    /// One copy at a time.
    copying: Arc<Mutex<()>>,
    committed: broadcast::Sender<EventLine>,
    _checkpointer: Checkpointer,
}

impl Sqlite {
    /// Opens or makes the database in `directory`, and starts its writer on the event loop that this is called in.
    /// It has to belong to one of the keys.
    ///
    /// # Errors
    /// [`StoreError::Failed`] with what is wrong and what to do.
    pub fn open(directory: &Path, keys: SharedVault, clock: Clock) -> Result<Self, StoreError> {
        let file = directory.join(FILE);
        copy::take_place(&file)?;
        let mut connection = connect(&file, Purpose::Write)?;
        let at_hand = keys.load_full();
        schema::migrate(&mut connection, |database| {
            key::check(database, &at_hand.checks())?;
            chain::begin(database, at_hand.audit_key()).map_err(failed)
        })?;
        key::check(&connection, &at_hand.checks())?;
        let (chain, end) = Chain::load(&connection, keys.clone()).map_err(failed)?;
        let restored_by = copy::restored_by(&connection).map_err(failed)?;
        let first_head = chain.head().shown();
        let (committed, _) = broadcast::channel(1024);
        let log = open_log(&file)?;
        let gate = Gate::default();
        let flusher =
            Flusher::start(log, committed.clone()).map_err(|error| StoreError::Failed(error.to_string()))?;
        let recent = Shared::default();
        let writer = Writer { connection, flusher, clock, gate: gate.clone(), recent: recent.clone(), chain };
        let queue = Arc::new(Queue::open());
        tokio::spawn(queue::write(writer, queue.clone()));
        let store = Sqlite {
            _checkpointer: Checkpointer::start(connect(&file, Purpose::Write)?, gate)?,
            file,
            queue,
            recent,
            keys,
            first_head,
            audit_damage: match &end {
                End::Damaged(cause) => Some(cause.clone()),
                _ => None,
            },
            copying: Arc::default(),
            committed,
        };
        if let End::Damaged(cause) = end {
            store.tell(Kind::AuditDamaged { cause });
        }
        if let Some(by) = restored_by {
            let change =
                "a backup took the place of the database, which is kept as mfad.db.replaced".to_owned();
            store.tell(Kind::Changed { change, by });
        }
        Ok(store)
    }

    /// The first things that are recorded.
    fn tell(&self, kind: Kind) {
        let event = Event::of_host(kind, None);
        let step: Step = Box::new(move |_, ledger| ledger.record(event.clone()));
        drop(self.queue_step(&nobody(), step, Haste::Soon));
    }

    /// The head of the audit when it was opened: `mfactl audit verify --known` takes it.
    pub fn first_head(&self) -> &str {
        &self.first_head
    }

    /// What was wrong with the end of the audit when it was opened, if anything was. The whole of it is for
    /// [`Sqlite::verify`].
    pub fn audit_damage(&self) -> Option<&str> {
        self.audit_damage.as_deref()
    }

    /// Looks for breaks in the chain of the audit, and for a place that was noted down before.
    ///
    /// # Errors
    /// [`StoreError`].
    pub fn verify(&self, known: Option<String>) -> Later<'_, Verified> {
        let keys = self.keys.load_full();
        self.read(move |connection| verify::verify(connection, &keys, known.as_deref()))
    }

    /// Forgets some of what is no longer wanted of the audit, and tells whether there is more.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn sweep(&self, retention: Retention) -> Result<Rest, StoreError> {
        let left = Arc::new(Mutex::new(Rest::None));
        self.queue_work(Work::Sweep(retention, left.clone()), Haste::Soon).await?;
        let left = *left.lock().unwrap_or_else(PoisonError::into_inner);
        Ok(left)
    }

    /// Makes the database belong to the key in use, once `freshness` finds nothing in any account that another key
    /// sealed. Until then the old key has to stay in the key file.
    ///
    /// # Errors
    /// [`StoreError`], also for a damaged account: nobody knows what sealed its secrets.
    pub fn adopt_key(
        &self,
        keys: Arc<Vault>,
        freshness: impl Fn(&Account) -> Freshness + Send + 'static,
    ) -> Later<'_, Adoption> {
        self.beside(move |file| {
            let (reader, writer) = (connect(file, Purpose::Read)?, connect(file, Purpose::Write)?);
            key::adopt(&reader, &writer, &keys, freshness)
        })
    }

    /// An account as it was committed last, if it is at hand without waiting. Good enough for a step that only looks: one
    /// that decides or changes anything runs on the row.
    pub fn glimpse(&self, user: &UserName) -> Option<Account> {
        self.recent.lock().account(user).cloned()
    }

    /// Hears of every event after its commit. One that is not read in time is dropped; the database has it.
    pub fn subscribe(&self) -> broadcast::Receiver<EventLine> {
        self.committed.subscribe()
    }

    /// Queues a step before it returns; the answer comes after the commit.
    pub fn queue_step(
        &self,
        user: &UserName,
        step: Step,
        haste: Haste,
    ) -> impl Future<Output = Result<(), StoreError>> + Send + 'static {
        self.queue_work(Work::Step(user.clone(), step), haste)
    }

    fn queue_work(
        &self,
        work: Work,
        haste: Haste,
    ) -> impl Future<Output = Result<(), StoreError>> + Send + 'static {
        let (answer, answered) = oneshot::channel();
        let queued = self.queue.push(Job { work, answer }, haste);
        async move {
            queued?;
            answered.await.map_err(|_| StoreError::Closed)?
        }
    }

    /// Counts the ends of logins since a time, in milliseconds since 1970, by hour, kind and factor.
    ///
    /// # Errors
    /// [`StoreError`].
    pub fn count_logins(&self, since: u64) -> Later<'_, Vec<LoginCount>> {
        self.read(move |connection| reader::count_logins(connection, since))
    }

    /// Works on files beside the event loop.
    fn beside<T: Send + 'static>(
        &self,
        work: impl FnOnce(&Path) -> Result<T, StoreError> + Send + 'static,
    ) -> Later<'_, T> {
        let file = self.file.clone();
        Box::pin(async move {
            tokio::task::spawn_blocking(move || work(&file)).await.map_err(|_| StoreError::Closed)?
        })
    }

    /// Runs a query on a connection that only reads, beside the event loop.
    fn read<T: Send + 'static>(
        &self,
        query: impl FnOnce(&Connection) -> rusqlite::Result<T> + Send + 'static,
    ) -> Later<'_, T> {
        self.beside(move |file| query(&connect(file, Purpose::Read)?).map_err(failed))
    }
}

impl Store for Sqlite {
    fn transact_step<'a>(&'a self, user: &'a UserName, step: Step) -> Later<'a, ()> {
        Box::pin(self.queue_step(user, step, Haste::Now))
    }

    fn accounts(&self, after: Option<String>, filter: Option<String>) -> Later<'_, Page> {
        self.read(move |connection| reader::accounts(connection, after.as_deref(), filter.as_deref()))
    }

    fn account<'a>(&'a self, user: &'a UserName) -> Later<'a, Option<Account>> {
        let name = user.clone();
        let row = self.read(move |connection| reader::account(connection, &name));
        Box::pin(async move { row.await?.transpose() })
    }

    fn events(&self, query: EventQuery) -> Later<'_, Vec<EventLine>> {
        self.read(move |connection| reader::events(connection, &query))
    }

    fn ping(&self) -> Later<'_, ()> {
        Box::pin(async move { self.transact_step(&nobody(), Box::new(|_, _| ())).await })
    }
}

/// Whom a step is for that is about no account.
fn nobody() -> UserName {
    UserName::parse("mfad-ping").unwrap_or_else(|| unreachable!("a sound name"))
}

fn failed(error: rusqlite::Error) -> StoreError {
    StoreError::Failed(error.to_string())
}
