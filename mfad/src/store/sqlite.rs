//! The store of one host: SQLite, one writer thread, group commit.
//!
//! The writer takes whatever waits, runs every step in one `BEGIN IMMEDIATE … COMMIT`, and answers after the commit.
//! The log is flushed before the answer where anything was decided, spent or counted: that is `synchronous=FULL`, but
//! SQLite cannot change its mind inside a transaction, so it runs as NORMAL and the writer does the flush. Checkpoints
//! run in a thread of their own with a connection of their own, so no login waits for one. Lists are read through
//! connections of their own.

mod checkpoint;
mod reader;
mod writer;

use std::path::{Path, PathBuf};
use std::sync::Mutex;
use std::sync::mpsc::{self, SyncSender, TrySendError};
use std::thread::JoinHandle;

use protocol::manage::EventLine;
use rusqlite::{Connection, OpenFlags};
use tokio::sync::{broadcast, oneshot};

use self::checkpoint::Checkpointer;
use self::writer::{Job, Writer};
use super::{EventQuery, Later, Page, Step, Store, StoreError, schema};
use crate::clock::Clock;
use crate::rules::account::Account;
use crate::rules::attempt::UserName;

/// Steps that may wait for the writer; more are refused, for a login that waits is worse than one that fails.
const QUEUE: usize = 4096;

/// The database file, in the state directory.
const FILE: &str = "mfad.db";

/// SQLite in a directory.
pub struct Sqlite {
    file: PathBuf,
    queue: Option<SyncSender<Job>>,
    committed: broadcast::Sender<EventLine>,
    writer: Mutex<Option<JoinHandle<()>>>,
    _checkpointer: Checkpointer,
}

impl Sqlite {
    /// Opens or makes the database in `directory`. `key_check` tells whether the key is the one that it was made with.
    ///
    /// # Errors
    /// [`StoreError::Failed`] with what is wrong and what to do.
    pub fn open(directory: &Path, key_check: &str, clock: Clock) -> Result<Self, StoreError> {
        let file = directory.join(FILE);
        let mut connection = connect(&file, Purpose::Write)?;
        schema::migrate(&mut connection)?;
        check_key(&connection, key_check)?;
        let (queue, jobs) = mpsc::sync_channel(QUEUE);
        let (committed, _) = broadcast::channel(1024);
        let log = open_log(&file)?;
        let writer = Writer { connection, log, clock, committed: committed.clone() };
        let thread = std::thread::Builder::new()
            .name("store".to_owned())
            .spawn(move || writer.run(&jobs))
            .map_err(|error| StoreError::Failed(error.to_string()))?;
        Ok(Sqlite {
            _checkpointer: Checkpointer::start(connect(&file, Purpose::Write)?)?,
            file,
            queue: Some(queue),
            committed,
            writer: Mutex::new(Some(thread)),
        })
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
    ) -> impl Future<Output = Result<(), StoreError>> + Send + 'static {
        let (answer, answered) = oneshot::channel();
        let queued = self.enqueue(Job { user: user.clone(), step, answer });
        async move {
            queued?;
            answered.await.map_err(|_| StoreError::Closed)?
        }
    }

    fn enqueue(&self, job: Job) -> Result<(), StoreError> {
        let queue = self.queue.as_ref().ok_or(StoreError::Closed)?;
        queue.try_send(job).map_err(|error| match error {
            TrySendError::Full(_) => StoreError::Busy,
            TrySendError::Disconnected(_) => StoreError::Closed,
        })
    }

    /// Runs a query on a connection that only reads, beside the event loop.
    fn read<T: Send + 'static>(
        &self,
        query: impl FnOnce(&Connection) -> rusqlite::Result<T> + Send + 'static,
    ) -> Later<'_, T> {
        let file = self.file.clone();
        Box::pin(async move {
            let work = move || {
                let connection = connect(&file, Purpose::Read)?;
                query(&connection).map_err(failed)
            };
            tokio::task::spawn_blocking(work).await.map_err(|_| StoreError::Closed)?
        })
    }
}

impl Store for Sqlite {
    fn transact_step<'a>(&'a self, user: &'a UserName, step: Step) -> Later<'a, ()> {
        Box::pin(self.queue_step(user, step))
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
        let nobody = UserName::parse("mfad-ping").unwrap_or_else(|| unreachable!("a sound name"));
        Box::pin(async move { self.transact_step(&nobody, Box::new(|_, _| ())).await })
    }
}

impl Drop for Sqlite {
    /// Lets the writer finish what it has.
    fn drop(&mut self) {
        drop(self.queue.take());
        let thread = self.writer.lock().unwrap_or_else(std::sync::PoisonError::into_inner).take();
        if let Some(thread) = thread {
            let _ = thread.join();
        }
    }
}

/// What a connection is for.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Purpose {
    Write,
    Read,
}

fn connect(file: &Path, purpose: Purpose) -> Result<Connection, StoreError> {
    let access = match purpose {
        Purpose::Write => OpenFlags::SQLITE_OPEN_READ_WRITE | OpenFlags::SQLITE_OPEN_CREATE,
        Purpose::Read => OpenFlags::SQLITE_OPEN_READ_ONLY,
    };
    let open = || {
        let connection = Connection::open_with_flags(file, access | OpenFlags::SQLITE_OPEN_NO_MUTEX)?;
        connection.busy_timeout(std::time::Duration::from_secs(5))?;
        if purpose == Purpose::Write {
            connection.pragma_update(None, "journal_mode", "WAL")?;
            connection.pragma_update(None, "synchronous", "NORMAL")?;
            connection.pragma_update(None, "secure_delete", "ON")?;
            connection.pragma_update(None, "wal_autocheckpoint", 0)?;
        }
        // Negative: kibibytes. Small, for the kernel's page cache holds the file too.
        connection.pragma_update(None, "cache_size", -2048)?;
        connection.set_prepared_statement_cache_capacity(16);
        Ok(connection)
    };
    open().map_err(|error: rusqlite::Error| {
        StoreError::Failed(format!(
            "{}: {error}. Check that mfad may write there and that the disk has room",
            file.display()
        ))
    })
}

/// The write-ahead log. It is there from the first write on, and stays while a connection is open.
fn open_log(file: &Path) -> Result<std::fs::File, StoreError> {
    let mut log = file.as_os_str().to_owned();
    log.push("-wal");
    std::fs::OpenOptions::new()
        .read(true)
        .write(true)
        .open(&log)
        .map_err(|error| StoreError::Failed(format!("{}: {error}", Path::new(&log).display())))
}

fn check_key(connection: &Connection, key_check: &str) -> Result<(), StoreError> {
    // Always a write: it proves at the start that the disk takes one, and it makes the log.
    let sql = "INSERT INTO meta (name, value) VALUES ('key-check', ?1) ON CONFLICT (name) DO UPDATE SET value = value";
    connection.execute(sql, [key_check]).map_err(failed)?;
    let kept: String = connection
        .query_row("SELECT value FROM meta WHERE name = 'key-check'", [], |row| row.get(0))
        .map_err(failed)?;
    if kept == key_check {
        return Ok(());
    }
    Err(StoreError::Failed(
        "it was made with another key. Put the old key file back, or start with an empty state directory"
            .to_owned(),
    ))
}

fn failed(error: rusqlite::Error) -> StoreError {
    StoreError::Failed(error.to_string())
}
