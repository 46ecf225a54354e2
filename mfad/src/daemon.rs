//! The daemon: what every connection shares, the order of the start, signals, reload and drain.

mod key;
mod live;
mod retention;
mod run;

use std::path::PathBuf;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use arc_swap::ArcSwap;
use protocol::manage::EventLine;
use tokio::sync::{Notify, broadcast};

pub use key::KeyState;
pub(crate) use live::reload;
pub use run::{Failure, run};

use crate::audit::sink::Log;
use crate::audit::{Event, Kind, Priority};
use crate::clock::Clock;
use crate::config::{Config, Presence};
use crate::deliver::{Body, Courier, Sender, Template};
use crate::deliveries::Deliveries;
use crate::people::People;
use crate::rules::attempt::UserName;
use crate::rules::matching::REFERENCE_LETTERS;
use crate::store::Step;
use crate::store::memory::Memory;
use crate::store::sqlite::{Haste, Sqlite};
use crate::vault::SharedVault;

/// What a reload replaces, all at once.
pub struct Live {
    /// The configuration.
    pub config: Arc<Config>,
    /// Who carries mails.
    pub courier: Arc<dyn Courier>,
    /// What a mail says with a code.
    pub body: Body,
    /// Its subject.
    pub subject: Template,
    /// Whom it comes from.
    pub sender: Sender,
}

/// Where the configuration is read from.
#[derive(Debug, Clone)]
pub struct Origin {
    /// The main file.
    pub file: PathBuf,
    /// Whether it must be there.
    pub presence: Presence,
}

/// What every connection shares.
pub struct Daemon {
    /// Accounts and audit.
    pub store: Arc<Sqlite>,
    /// Accounts of people whom nobody knows.
    pub strangers: Memory,
    /// The time.
    pub clock: Clock,
    /// Names, uids, groups, addresses.
    pub people: People,
    /// The log.
    pub log: Log,
    /// Mails on their way.
    pub deliveries: Deliveries,
    /// This host's name, for mails.
    pub host: String,
    /// Where the configuration is read from.
    pub origin: Origin,
    /// Asks it to end, so that the service manager starts it again.
    pub start_again: Notify,
    /// When the daemon started.
    pub started: Instant,
    live: ArcSwap<Live>,
    keys: SharedVault,
    key_state: Mutex<KeyState>,
    rejected: Mutex<Option<String>>,
    domain: Mutex<Option<String>>,
    delivery: Mutex<Duration>,
}

impl Daemon {
    /// What is in force now.
    pub fn live(&self) -> Arc<Live> {
        self.live.load_full()
    }

    /// Why the last reload was refused, if it was.
    pub fn rejected(&self) -> Option<String> {
        self.rejected.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// How long the last mail took: a stranger waits as long.
    pub fn usual_delivery(&self) -> Duration {
        *self.delivery.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// A mail took so long.
    pub fn note_delivery(&self, took: Duration) {
        *self.delivery.lock().unwrap_or_else(PoisonError::into_inner) = took;
    }

    /// The domain that mails of this host go to, as far as it is known: that of the first one.
    pub fn usual_domain(&self) -> String {
        let first = self.domain.lock().unwrap_or_else(PoisonError::into_inner).clone();
        first.unwrap_or_else(|| self.live().sender.address().domain().to_owned())
    }

    /// A mail goes there.
    pub fn note_domain(&self, domain: &str) {
        let mut first = self.domain.lock().unwrap_or_else(PoisonError::into_inner);
        first.get_or_insert_with(|| domain.to_owned());
    }

    /// A new reference: short enough to be read out on the telephone, without look-alikes.
    pub fn reference(&self) -> String {
        let letters: [u8; 6] = crate::session::random();
        letters.iter().map(|byte| char::from(REFERENCE_LETTERS[usize::from(byte % 31)])).collect()
    }

    /// Hears of every event after its commit.
    pub fn store_news(&self) -> broadcast::Receiver<EventLine> {
        self.store.subscribe()
    }

    /// Runs a step whose outcome nobody waits for. It is queued before this returns.
    pub fn run_later(self: &Arc<Self>, user: UserName, step: Step) {
        let store = self.store.clone();
        let queued = store.queue_step(&user, step, Haste::Soon);
        let daemon = self.clone();
        tokio::spawn(async move {
            if let Err(error) = queued.await {
                daemon.log.note(Priority::Warning, &format!("a record for {user} was lost: {error}"));
            }
        });
    }

    /// Records an event that belongs to no account.
    pub fn record(self: &Arc<Self>, event: Event) {
        let nobody = UserName::parse("nobody").unwrap_or_else(|| unreachable!("a sound name"));
        self.run_later(nobody, Box::new(move |_, ledger| ledger.record(event.clone())));
    }

    /// Something of mfad fails while a person waits: straight to the log, for the database may be what fails.
    pub fn fault(&self, reference: &str, cause: &str) {
        let kind = Kind::Fault { cause: cause.to_owned() };
        self.log.note(Priority::Alert, &format!("{} ref={reference}: {}", kind.name(), kind.text()));
    }
}
