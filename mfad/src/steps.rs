//! Runs the rules' steps for one login: on the person's account in the store, or, for a name that nobody has, on an
//! account that exists only in memory, so that a stranger meets the same questions, waits and words. [`sending`] hands
//! codes over to who carries them, and texts to who judges them.

mod sending;

use std::sync::{Arc, Mutex, PoisonError};

use protocol::manage::Switch;

pub use sending::Sending;

use crate::address::EmailAddress;
use crate::audit::{Event, Kind};
use crate::bulletin::Listeners;
use crate::config::{AddressSource, Config, Terms};
use crate::daemon::Daemon;
use crate::moment::Moment;
use crate::rules::account::Account;
use crate::rules::attempt::{Attempt, UserName};
use crate::rules::grant::{Decision, Refusal};
use crate::rules::login::{self, After};
use crate::rules::policy::{self, KnownAddress, Purpose};
use crate::rules::{Context, Ledger};
use crate::rules::{matching, trust};
use crate::store::{Store, StoreError, transact};
use crate::vault::Vault;

/// What stays the same for a whole login.
pub struct Facts {
    /// The configuration in force when it began.
    pub config: Arc<Config>,
    /// Who wants in.
    pub attempt: Attempt,
    /// Why they are asked.
    pub purpose: Purpose,
    /// This host's name.
    pub host: String,
    /// The uid that the name service gave.
    pub uid: u32,
    /// The uid of who asks.
    pub by: u32,
    /// What each source knows of the address.
    pub known: Vec<KnownAddress>,
    /// The login's reference.
    pub reference: String,
}

impl Facts {
    /// Adds to the reference how the rules came to what holds for this login: `mfactl explain` tells the same letters.
    pub fn note_trace(&mut self, now: Moment) {
        let looked = matching::trace(&self.config, &self.attempt, now).unwrap_or_default();
        self.reference = format!("{}-{}", self.reference, matching::trace_id(&looked));
    }

    fn context<'a>(&'a self, keys: &'a Vault, now: Moment) -> Context<'a> {
        Context {
            config: &self.config,
            terms: matching::terms(&self.config, &self.attempt, now),
            keys,
            now,
            attempt: &self.attempt,
            purpose: self.purpose,
            host: &self.host,
            uid: self.uid,
            by: self.by,
            known: &self.known,
            reference: &self.reference,
        }
    }
}

/// Whether the name service knows the person.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Standing {
    /// It does.
    Known,
    /// It does not.
    Stranger,
}

/// The steps of one login.
pub struct Steps {
    daemon: Arc<Daemon>,
    facts: Arc<Facts>,
    standing: Standing,
}

impl Steps {
    /// For one login.
    pub fn new(daemon: Arc<Daemon>, facts: Facts, standing: Standing) -> Self {
        Steps { daemon, facts: Arc::new(facts), standing }
    }

    /// Whose login it is.
    pub fn user(&self) -> &UserName {
        &self.facts.attempt.user
    }

    /// The login's reference.
    pub fn reference(&self) -> &str {
        &self.facts.reference
    }

    /// What holds for this login now.
    pub fn terms(&self) -> &Terms {
        let Facts { config, attempt, .. } = &*self.facts;
        matching::terms(config, attempt, self.daemon.clock.now()).unwrap_or(&config.terms)
    }

    /// Whether the device of this login may be remembered, once a factor was proved.
    pub fn offer(&self) -> trust::Offer {
        match self.standing {
            Standing::Known => {
                trust::offer(&self.facts.context(&self.daemon.keys(), self.daemon.clock.now()))
            }
            Standing::Stranger => trust::Offer::None,
        }
    }

    /// Whether sshd asks: its clients show prompts whole, and mangle notices.
    pub fn comes_by_ssh(&self) -> bool {
        self.facts.attempt.connection.is_some()
    }

    /// Runs one step in one transaction.
    ///
    /// # Errors
    /// [`StoreError`]: nobody knows whether anything was kept; deny.
    pub async fn run<T: Send + 'static>(
        &self,
        mut step: impl FnMut(&mut Account, &Context<'_>, &mut Ledger) -> T + Send + 'static,
    ) -> Result<T, StoreError> {
        let facts = self.facts.clone();
        let now = self.daemon.clock.now();
        // Each step has the keys of its time: what a long login seals late is sealed by the newest one.
        let keys = self.daemon.keys();
        let user = &self.facts.attempt.user;
        if self.standing == Standing::Known {
            let run = move |account: &mut Account, ledger: &mut Ledger| {
                // The address before the change is the one that hears of it.
                let person = addresses(account, &facts.known, facts.uid);
                let context = facts.context(&keys, now);
                let ways = account.ways_of_own();
                let outcome = step(account, &context, ledger);
                trust::follow_factors(&ways, account);
                let news = ledger.take_news();
                let security = if news.is_empty() { Vec::new() } else { context.security_contact().to_vec() };
                (outcome, news, Listeners { person, security })
            };
            let (outcome, news, listeners) = transact(&*self.daemon.store, user, run).await?;
            self.daemon.tell(user, &listeners, news);
            return Ok(outcome);
        }
        let events = Arc::new(Mutex::new(Vec::new()));
        let seen = events.clone();
        let address = self.decoy();
        let run = move |account: &mut Account, ledger: &mut Ledger| {
            account.switch = Switch::Enabled;
            account.email = Some(address.clone());
            let mut own = Ledger::default();
            let outcome =
                step(account, &Context { known: &decoy_sources(), ..facts.context(&keys, now) }, &mut own);
            *seen.lock().unwrap_or_else(PoisonError::into_inner) = own.into_events();
            *ledger = Ledger::default();
            outcome
        };
        let outcome = transact(&self.daemon.strangers, user, run).await?;
        let events = std::mem::take(&mut *events.lock().unwrap_or_else(PoisonError::into_inner));
        self.record_of_stranger(events).await?;
        Ok(outcome)
    }

    /// Runs a step that mostly only looks: on what is at hand, and again in a transaction if it decided or changed anything.
    ///
    /// # Errors
    /// As for [`Steps::run`].
    pub async fn look<T: Send + 'static>(
        &self,
        mut step: impl FnMut(&mut Account, &Context<'_>, &mut Ledger) -> T + Send + 'static,
    ) -> Result<T, StoreError> {
        let at_hand = self.daemon.store.glimpse(&self.facts.attempt.user);
        if let (Standing::Known, Some(kept)) = (self.standing, at_hand) {
            let (mut account, mut ledger) = (kept.clone(), Ledger::default());
            let outcome = step(
                &mut account,
                &self.facts.context(&self.daemon.keys(), self.daemon.clock.now()),
                &mut ledger,
            );
            if account == kept && ledger.is_empty() {
                return Ok(outcome);
            }
        }
        self.run(step).await
    }

    /// Runs a step on a copy of the account: nothing comes of it but the answer, and the records that it would have left.
    pub fn imagine<T>(
        &self,
        mut account: Account,
        now: Moment,
        step: impl FnOnce(&mut Account, &Context<'_>, &mut Ledger) -> T,
    ) -> (T, Vec<String>) {
        let mut ledger = Ledger::default();
        let outcome = step(&mut account, &self.facts.context(&self.daemon.keys(), now), &mut ledger);
        (outcome, ledger.events().iter().map(|event| event.kind.text()).collect())
    }

    /// Looks at the account as it lies in the database, decides nothing and changes nothing. A stranger's is looked for as
    /// well, so that it takes the same way.
    ///
    /// # Errors
    /// [`StoreError`]: it could not be read.
    pub async fn glance<T>(&self, look: impl FnOnce(&Account, &Context<'_>) -> T) -> Result<T, StoreError> {
        let kept = self.daemon.store.account(&self.facts.attempt.user).await?;
        let account = kept.filter(|_| self.standing == Standing::Known).unwrap_or_default();
        Ok(look(&account, &self.facts.context(&self.daemon.keys(), self.daemon.clock.now())))
    }

    /// Ends a login without a judgement, with its record.
    pub async fn end(&self, refusal: Refusal) -> Decision {
        let ended = self.run(move |_, context, ledger| login::end(context, refusal, ledger)).await;
        match ended {
            Ok(decision) => decision,
            Err(error) => self.unavailable(&error),
        }
    }

    /// A stranger is refused whatever was decided on the account in memory.
    pub fn settle(&self, decision: Decision) -> Decision {
        match (self.standing, decision) {
            (Standing::Stranger, Decision::Granted(_)) => Decision::Refused(Refusal::Unknown),
            (_, decision) => decision,
        }
    }

    /// The way after those that failed.
    pub async fn fall_back(&self, failed: Vec<String>) -> After {
        let next =
            self.run(move |account, context, ledger| login::fall_back(account, context, &failed, ledger));
        next.await.unwrap_or_else(|error| After::End(self.unavailable(&error)))
    }

    fn unavailable(&self, error: &StoreError) -> Decision {
        self.daemon.fault(self.reference(), &error.to_string());
        Decision::Refused(Refusal::Unavailable)
    }

    async fn record_of_stranger(&self, events: Vec<Event>) -> Result<(), StoreError> {
        let run = move |_: &mut Account, ledger: &mut Ledger| {
            for mut event in events.clone() {
                match event.kind {
                    // Of what happened to nobody's account, what a reader of the audit has to know is that it was nobody.
                    Kind::Locked { .. } | Kind::CodeSent { .. } | Kind::CodeNotSent { .. } => continue,
                    Kind::WrongCode { .. } => {}
                    _ => event.kind = Kind::Refused { why: Refusal::Unknown },
                }
                ledger.record(event);
            }
        };
        transact(&*self.daemon.store, &self.facts.attempt.user, run).await
    }

    /// An address to show to a stranger: the same letter for each try, at a domain that real mails go to.
    fn decoy(&self) -> EmailAddress {
        let name = self.facts.attempt.user.as_str();
        let initial = name.chars().find(char::is_ascii_alphanumeric).unwrap_or('a');
        let domain = self.daemon.usual_domain();
        EmailAddress::parse(&format!("{initial}@{domain}"))
            .unwrap_or_else(|_| self.daemon.live().sender.address().clone())
    }
}

/// Every address that a person is known by: the one kept here, and the one that codes go to.
pub(crate) fn addresses(account: &Account, known: &[KnownAddress], uid: u32) -> Vec<EmailAddress> {
    if account.uid.is_some_and(|bound| bound != uid) {
        // It was somebody else's: they are told nothing of the new owner of the name.
        return Vec::new();
    }
    let mut addresses: Vec<EmailAddress> = account.email.iter().cloned().collect();
    addresses.extend(policy::address(account, known).map(|(address, _)| address.clone()));
    addresses.dedup();
    addresses
}

fn decoy_sources() -> [KnownAddress; 1] {
    [KnownAddress { source: AddressSource::Account, address: None }]
}
