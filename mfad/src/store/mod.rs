//! Where accounts and the audit are kept. One verb changes an account: a pure step, run under the row's lock, committed
//! with its audit events before anybody is answered.

pub mod memory;
mod schema;
pub mod sqlite;

use std::future::Future;
use std::pin::Pin;
use std::time::Duration;

use protocol::manage::EventLine;

use crate::audit::Event;
use crate::rules::Ledger;
use crate::rules::account::Account;
use crate::rules::attempt::UserName;

/// A step that a store runs on one account. It may be run again, so it must not keep what an earlier run saw.
pub type Step = Box<dyn FnMut(&mut Account, &mut Ledger) + Send>;

/// An answer that arrives later.
pub type Later<'a, T> = Pin<Box<dyn Future<Output = Result<T, StoreError>> + Send + 'a>>;

/// Why nothing was kept or read. Every one of them denies.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum StoreError {
    /// Too much is waiting already.
    #[error("the database has too much to do")]
    Busy,
    /// The database cannot be written or read: a full disk, a failing one.
    #[error("the database failed: {0}")]
    Failed(String),
    /// A row is not what mfad wrote.
    #[error("the account of {user} is damaged: {cause}. Restore it from a backup, or remove the row")]
    Damaged {
        /// Whose.
        user: String,
        /// What is wrong with it.
        cause: String,
    },
    /// The store is shutting down.
    #[error("the database is closed")]
    Closed,
}

/// A page of accounts, by name.
pub struct Page {
    /// The accounts.
    pub accounts: Vec<(UserName, Result<Account, StoreError>)>,
    /// True if there are more.
    pub rest: Rest,
}

/// Whether a page is the last.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Rest {
    /// It is.
    None,
    /// It is not.
    More,
}

/// Which events are wanted.
#[derive(Debug, Clone, Default)]
pub struct EventQuery {
    /// Only events of this kind.
    pub kind: Option<String>,
    /// Only by this PAM service.
    pub service: Option<String>,
    /// Only from there.
    pub source: Option<String>,
    /// Only of references that begin so.
    pub reference: Option<String>,
    /// Only this person's.
    pub user: Option<String>,
    /// Only of when the name had this uid.
    pub uid: Option<u32>,
    /// Not before this time, in milliseconds since 1970.
    pub since: Option<u64>,
    /// After this id.
    pub after: i64,
    /// Only the newest of what would come.
    pub last: Option<u32>,
    /// At most so many at once.
    pub limit: u32,
}

/// How much of the audit is kept.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Retention {
    /// At most so many of the newest events.
    pub events: u64,
    /// None that is older; however old if none.
    pub age: Option<Duration>,
}

/// What the daemon needs of a database.
pub trait Store: Send + Sync {
    /// Runs a step on the account of `user` (an empty one if there is none), and keeps what it changed together with
    /// its events. Answers after the commit; on disk if any event asks for it.
    fn transact_step<'a>(&'a self, user: &'a UserName, step: Step) -> Later<'a, ()>;

    /// Accounts after a name, as they are; never waits for the writer.
    fn accounts(&self, after: Option<String>, filter: Option<String>) -> Later<'_, Page>;

    /// One account, as it is; none if there is no row.
    fn account<'a>(&'a self, user: &'a UserName) -> Later<'a, Option<Account>>;

    /// Events, oldest first.
    fn events(&self, query: EventQuery) -> Later<'_, Vec<EventLine>>;

    /// Proves that the database takes a write.
    fn ping(&self) -> Later<'_, ()>;
}

/// Runs a step and hands its result back: [`Store::transact_step`] for steps that answer something.
///
/// # Errors
/// [`StoreError`]: nothing was kept, or nobody knows whether it was; deny.
pub async fn transact<T: Send + 'static>(
    store: &dyn Store,
    user: &UserName,
    mut step: impl FnMut(&mut Account, &mut Ledger) -> T + Send + 'static,
) -> Result<T, StoreError> {
    let result = std::sync::Arc::new(std::sync::Mutex::new(None));
    let slot = result.clone();
    let run: Step = Box::new(move |account, ledger| {
        let outcome = step(account, ledger);
        *slot.lock().unwrap_or_else(std::sync::PoisonError::into_inner) = Some(outcome);
    });
    store.transact_step(user, run).await?;
    let outcome = result.lock().unwrap_or_else(std::sync::PoisonError::into_inner).take();
    outcome.ok_or(StoreError::Closed)
}

/// An event as it is listed.
fn line(id: i64, at: u64, event: &Event) -> EventLine {
    EventLine {
        id,
        at,
        kind: event.kind.name().to_owned(),
        priority: event.kind.priority().name().to_owned(),
        user: event.user.clone(),
        uid: event.uid,
        service: event.service.clone(),
        source: event.source.clone(),
        reference: event.reference.clone(),
        text: event.kind.text(),
    }
}
