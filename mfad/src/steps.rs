//! Runs the rules' steps for one login: on the person's account in the store, or, for a name that nobody has, on an
//! account that exists only in memory, so that a stranger meets the same questions, waits and words.

use std::sync::{Arc, Mutex, PoisonError};
use std::time::Instant;

use jiff::Timestamp;
use protocol::Secret;
use protocol::manage::Switch;

use crate::address::EmailAddress;
use crate::audit::{Event, Kind, Priority};
use crate::bulletin::Listeners;
use crate::config::{AddressSource, Config, Hook, LogCodes, Terms};
use crate::daemon::{Daemon, Live};
use crate::deliver::{self, Cause, DeliveryError, hook};
use crate::factor::mailed::Channel;
use crate::metrics::METRICS;
use crate::moment::Moment;
use crate::rules::account::Account;
use crate::rules::attempt::{Attempt, UserName};
use crate::rules::grant::{Decision, Refusal};
use crate::rules::login::{self, After, Letter, MailFailure, Outside};
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

    /// Hands a code over to who carries it; answers what they said. A stranger's goes nowhere.
    ///
    /// # Errors
    /// Why nobody took it.
    pub async fn hand_over(&self, live: &Live, letter: &Letter) -> Result<String, DeliveryError> {
        if self.standing == Standing::Stranger {
            tokio::time::sleep(self.daemon.usual_delivery()).await;
            return Ok(String::new());
        }
        let (to, sent) = match &letter.channel {
            Channel::Email(address) => (address.to_string(), self.mail(live, letter, address).await),
            Channel::Hook { name, contact } => {
                let hook = self.hook(name)?;
                let request = self.request(contact, &letter.code);
                let sent = hook::send(hook, &request, hook.timeout).await.map(|receipt| receipt.by);
                (format!("{contact} by {name}"), sent)
            }
        };
        // A hook that judges by itself made its own code, and mfad does not know it.
        if live.config.email.log_codes == LogCodes::Yes && sent.is_ok() && !letter.code.expose().is_empty() {
            let text = format!("code {} sent to {to} for {}", letter.code.expose(), self.user());
            self.daemon.log.note(Priority::Info, &text);
        }
        sent
    }

    async fn mail(&self, live: &Live, letter: &Letter, to: &EmailAddress) -> Result<String, DeliveryError> {
        let attempt = &self.facts.attempt;
        let source = attempt.source.to_string();
        let at = |wall: u64| {
            Timestamp::from_millisecond(i64::try_from(wall).unwrap_or(i64::MAX)).unwrap_or(Timestamp::MAX)
        };
        let facts = deliver::Letter {
            to,
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
        self.daemon.note_domain(to.domain());
        let started = Instant::now();
        let sent = live.courier.deliver(&message, &|_| ()).await;
        self.daemon.note_delivery(started.elapsed());
        METRICS.count_mail(&sent);
        sent.map(|receipt| receipt.by)
    }

    /// Lets a hook judge a text.
    ///
    /// # Errors
    /// Why it could not.
    pub async fn check(&self, outside: &Outside, typed: &Secret) -> Result<hook::Judgement, DeliveryError> {
        let hook = self.hook(&outside.hook)?;
        hook::check(hook, &self.request(&outside.contact, typed), hook.timeout).await
    }

    fn hook(&self, name: &str) -> Result<&Hook, DeliveryError> {
        let hooks = &self.facts.config.hooks;
        hooks.iter().find(|hook| hook.name == name).ok_or_else(|| {
            DeliveryError::new(Cause::Misconfigured, format!("the hook {name} is not configured any more"))
        })
    }

    fn request<'a>(&'a self, contact: &'a str, code: &'a Secret) -> hook::Request<'a> {
        let attempt = &self.facts.attempt;
        hook::Request {
            user: &attempt.user,
            contact: (!contact.is_empty()).then_some(contact),
            code: (!code.expose().is_empty()).then_some(code),
            host: &self.daemon.host,
            service: &attempt.service,
            source: attempt.source,
            language: "en",
        }
    }

    /// Sends a code, for the first time or once more, and notes what became of it. `failed` are the factors that fail in
    /// this login if this one does.
    ///
    /// # Errors
    /// How the login goes on without it.
    pub async fn send(&self, live: &Live, letter: &Letter, failed: Vec<String>) -> Result<Sending, After> {
        let letter = letter.clone();
        match self.hand_over(live, &letter).await {
            Ok(by) => {
                self.note_sent(letter, by);
                Ok(Sending::Confirmed)
            }
            // It may well arrive: whoever waits may type the code.
            Err(error) if error.cause == Cause::Unknown => {
                let noted = self.run(move |account, context, ledger| {
                    login::sent_in_doubt(account, context, &letter.challenge, &error.text, ledger);
                });
                let noted = noted.await.map(|()| Sending::InDoubt);
                noted.map_err(|error| After::End(self.unavailable(&error)))
            }
            Err(error) => {
                let decided = self.run(move |account, context, ledger| {
                    let undelivered = login::Undelivered {
                        letter: &letter,
                        failure: error.failure(&letter.channel),
                        cause: &error.text,
                    };
                    login::not_sent(account, context, &undelivered, &failed, ledger)
                });
                let after = decided.await.unwrap_or_else(|error| After::End(self.unavailable(&error)));
                if matches!(after, After::End(Decision::Granted(_))) {
                    METRICS.opened.add(1);
                }
                Err(after)
            }
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

    /// Notes that a courier took a mail. Queued at once, before any later step of this person, and not waited for.
    pub fn note_sent(&self, letter: Letter, by: String) {
        if self.standing == Standing::Stranger {
            return;
        }
        let facts = self.facts.clone();
        let (keys, now) = (self.daemon.keys(), self.daemon.clock.now());
        let step: crate::store::Step = Box::new(move |account, ledger| {
            login::sent(account, &facts.context(&keys, now), &letter, &by, ledger);
        });
        self.daemon.run_later(self.facts.attempt.user.clone(), step);
    }

    /// Notes that nobody knows what became of a code that was asked for again: it counts as sent.
    pub async fn note_in_doubt(&self, letter: Letter, error: DeliveryError) {
        let noted = self.run(move |account, context, ledger| {
            login::sent_in_doubt(account, context, &letter.challenge, &error.text, ledger);
        });
        if let Err(error) = noted.await {
            self.daemon.fault(self.reference(), &error.to_string());
        }
    }

    /// Notes that no courier took a mail that was asked for again.
    pub async fn note_not_sent(&self, letter: Letter, error: DeliveryError) {
        let noted = self.run(move |account, context, ledger| {
            let undelivered = login::Undelivered {
                letter: &letter,
                failure: error.failure(&letter.channel),
                cause: &error.text,
            };
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

impl DeliveryError {
    /// Whether the failure is mail's alone: no relay answers. A mailbox that refuses, a mail that may have gone out, a peer
    /// that cannot be trusted and a wrong setting never open a door: somebody could bring them about. A hook may say of
    /// itself that it is down: "try later".
    pub fn failure(&self, channel: &Channel) -> MailFailure {
        match self.cause {
            Cause::Unreachable | Cause::Timeout => MailFailure::Down,
            Cause::Deferred if matches!(channel, Channel::Hook { .. }) => MailFailure::Down,
            Cause::Rejected | Cause::Deferred | Cause::Insecure | Cause::Misconfigured | Cause::Unknown => {
                MailFailure::Untrusted
            }
        }
    }
}
