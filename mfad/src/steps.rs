//! Runs the rules' steps for one login: on the person's account in the store, or, for a name that nobody has, on an
//! account that exists only in memory, so that a stranger meets the same questions, waits and words.

use std::sync::{Arc, Mutex, PoisonError};
use std::time::Instant;

use jiff::Timestamp;
use protocol::manage::Switch;

use crate::address::EmailAddress;
use crate::audit::{Event, Kind, Priority};
use crate::config::{AddressSource, Config, LogCodes};
use crate::daemon::{Daemon, Live};
use crate::deliver::{self, Cause, DeliveryError};
use crate::metrics::METRICS;
use crate::rules::Ledger;
use crate::rules::account::Account;
use crate::rules::attempt::Attempt;
use crate::rules::grant::{Decision, Refusal};
use crate::rules::login::{self, Context, Letter, MailFailure};
use crate::rules::policy::KnownAddress;
use crate::store::{StoreError, transact};
use crate::vault::Vault;

/// What stays the same for a whole login.
pub struct Facts {
    /// The configuration in force when it began.
    pub config: Arc<Config>,
    /// The keys.
    pub keys: Arc<Vault>,
    /// Who wants in.
    pub attempt: Attempt,
    /// The uid that the name service gave.
    pub uid: u32,
    /// What each source knows of the address.
    pub known: Vec<KnownAddress>,
    /// The login's reference.
    pub reference: String,
}

impl Facts {
    fn context(&self, now: crate::moment::Moment) -> Context<'_> {
        Context {
            config: &self.config,
            keys: &*self.keys,
            now,
            attempt: &self.attempt,
            uid: self.uid,
            known: &self.known,
            reference: &self.reference,
        }
    }
}

/// What is known of a mail that was sent.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Sending {
    /// A courier has it.
    Confirmed,
    /// The mail server fell silent after it had the message.
    InDoubt,
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

    /// The login's reference.
    pub fn reference(&self) -> &str {
        &self.facts.reference
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
        let user = &self.facts.attempt.user;
        if self.standing == Standing::Known {
            let run =
                move |account: &mut Account, ledger: &mut Ledger| step(account, &facts.context(now), ledger);
            return transact(&*self.daemon.store, user, run).await;
        }
        let events = Arc::new(Mutex::new(Vec::new()));
        let seen = events.clone();
        let address = self.decoy();
        let run = move |account: &mut Account, ledger: &mut Ledger| {
            account.switch = Switch::Enabled;
            account.email = Some(address.clone());
            let mut own = Ledger::default();
            let outcome = step(account, &Context { known: &decoy_sources(), ..facts.context(now) }, &mut own);
            *seen.lock().unwrap_or_else(PoisonError::into_inner) = own.into_events();
            *ledger = Ledger::default();
            outcome
        };
        let outcome = transact(&self.daemon.strangers, user, run).await?;
        let events = std::mem::take(&mut *events.lock().unwrap_or_else(PoisonError::into_inner));
        self.record_of_stranger(events).await?;
        Ok(outcome)
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

    /// Hands the mail with a code to the courier; answers what the courier said. A stranger's mail goes nowhere.
    ///
    /// # Errors
    /// Why no courier took it.
    pub async fn mail(&self, live: &Live, letter: &Letter) -> Result<String, DeliveryError> {
        if self.standing == Standing::Stranger {
            tokio::time::sleep(self.daemon.usual_delivery()).await;
            return Ok(String::new());
        }
        let attempt = &self.facts.attempt;
        let source = attempt.source.to_string();
        let at = |wall: u64| {
            Timestamp::from_millisecond(i64::try_from(wall).unwrap_or(i64::MAX)).unwrap_or(Timestamp::MAX)
        };
        let facts = deliver::Letter {
            to: &letter.to,
            code: &letter.code,
            user: attempt.user.as_str(),
            host: &self.daemon.host,
            service: attempt.service.as_str(),
            source: &source,
            time: at(letter.asked.wall),
            expires: at(letter.expires),
        };
        let rendered = deliver::message::render(&live.body, &live.subject, &live.sender, &facts);
        let message =
            rendered.map_err(|error| DeliveryError::new(Cause::Misconfigured, error.to_string()))?;
        self.daemon.note_domain(letter.to.domain());
        let started = Instant::now();
        let sent = live.courier.deliver(&message, &|_| ()).await;
        self.daemon.note_delivery(started.elapsed());
        METRICS.count_mail(&sent);
        if live.config.email.log_codes == LogCodes::Yes && sent.is_ok() {
            let text = format!("code {} mailed to {} for {}", letter.code.expose(), letter.to, attempt.user);
            self.daemon.log.note(Priority::Info, &text);
        }
        sent.map(|receipt| receipt.by)
    }

    /// Sends a code's mail, for the first time or once more, and notes what became of it.
    ///
    /// # Errors
    /// How the login ends without it.
    pub async fn send(&self, live: &Live, letter: &Letter) -> Result<Sending, Decision> {
        let letter = letter.clone();
        match self.mail(live, &letter).await {
            Ok(by) => {
                self.note_sent(letter, by);
                Ok(Sending::Confirmed)
            }
            // It may well arrive: whoever waits may type the code.
            Err(error) if error.cause == Cause::Unknown => {
                let noted = self.run(move |account, context, ledger| {
                    login::sent_in_doubt(account, context, &letter.challenge, &error.text, ledger);
                });
                noted.await.map(|()| Sending::InDoubt).map_err(|error| self.unavailable(&error))
            }
            Err(error) => {
                let decided = self.run(move |account, context, ledger| {
                    let undelivered =
                        login::Undelivered { letter: &letter, failure: error.failure(), cause: &error.text };
                    login::not_sent(account, context, &undelivered, ledger)
                });
                decided.await.map_or_else(|error| Err(self.unavailable(&error)), Err)
            }
        }
    }

    fn unavailable(&self, error: &StoreError) -> Decision {
        self.daemon.fault(self.reference(), &error.to_string());
        Decision::Refused(Refusal::Unavailable)
    }

    /// Notes that a courier took a mail. Queued at once, before any later step of this person, and not waited for.
    pub fn note_sent(&self, letter: Letter, by: String) {
        if self.standing == Standing::Stranger {
            return;
        }
        let facts = self.facts.clone();
        let now = self.daemon.clock.now();
        let step: crate::store::Step = Box::new(move |account, ledger| {
            login::sent(account, &facts.context(now), &letter, &by, ledger);
        });
        self.daemon.run_later(self.facts.attempt.user.clone(), step);
    }

    /// Notes that no courier took a mail that was asked for again.
    pub async fn note_not_sent(&self, letter: Letter, error: DeliveryError) {
        let noted = self.run(move |account, context, ledger| {
            let undelivered =
                login::Undelivered { letter: &letter, failure: error.failure(), cause: &error.text };
            login::note_not_sent(account, context, &undelivered, ledger);
        });
        if let Err(error) = noted.await {
            self.daemon.fault(self.reference(), &error.to_string());
        }
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

fn decoy_sources() -> [KnownAddress; 1] {
    [KnownAddress { source: AddressSource::Account, address: None }]
}

impl DeliveryError {
    /// Whether the failure is mail's alone: no relay answers. A mailbox that refuses, a mail that may have gone out, a peer
    /// that cannot be trusted and a wrong setting never open a door: somebody could bring them about.
    pub fn failure(&self) -> MailFailure {
        match self.cause {
            Cause::Unreachable | Cause::Timeout => MailFailure::Down,
            Cause::Rejected | Cause::Deferred | Cause::Insecure | Cause::Misconfigured | Cause::Unknown => {
                MailFailure::Untrusted
            }
        }
    }
}
