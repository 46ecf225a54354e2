//! Whom a request is about, and whether the caller may ask it. A name in a message is never authority: administrators may
//! name anybody, everybody else only the account that their uid has.

use std::time::Duration;

use protocol::call::Fault;

use super::{Administration, Rank, Refused};
use crate::people::{Found, Person};
use crate::rules::account::Account;
use crate::rules::attempt::{Attempt, REQUESTS, UserName};
use crate::rules::change::{self, Entitlement};
use crate::rules::matching;
use crate::rules::policy::Purpose;
use crate::rules::{Context, Ledger};
use crate::steps::{Facts, Standing, Steps};

/// How long a proof entitles to changes over the same connection.
const PROOF_LIFE: Duration = Duration::from_secs(600);

/// Whom a request is about.
pub(super) struct Subject {
    pub(super) name: UserName,
    pub(super) found: Found,
    /// Of the groups that decide which rule is for them, those that they are in.
    groups: Vec<String>,
    entitlement: Entitlement,
}

impl Subject {
    /// Somebody whom the name service cannot tell anything about, asked for by an administrator.
    pub(super) fn unknown(name: UserName) -> Self {
        let found = Found { person: None, known: Vec::new() };
        Subject { name, found, groups: Vec::new(), entitlement: Entitlement::Established }
    }
}

impl Administration<'_> {
    /// Finds the subject: the caller, if none is named.
    pub(super) async fn subject(&self, user: Option<&str>) -> Result<Subject, Refused> {
        let said = match user {
            Some(user) => name(user)?,
            None => self.own_name().await?,
        };
        let sources = self.daemon.live().config.email.address.clone();
        let found = self.daemon.people.find(said.clone(), sources).await?;
        let is_own = found.person.as_ref().is_some_and(|person| person.uid == self.peer.uid);
        if self.rank == Rank::Person && !is_own {
            return Err(Refused::Fault(Fault::PermissionDenied));
        }
        let name = found.person.as_ref().map_or(said, |person| person.name.clone());
        let entitlement = self.entitlement(&name);
        let config = self.daemon.live().config.clone();
        let wanted = matching::groups_that_matter(&config, &Attempt::of_request(name.clone(), REQUESTS));
        let groups = match self.daemon.people.memberships(&name, wanted).await {
            // What an administrator does for somebody hangs on no rule for that person.
            Err(_) if self.rank == Rank::Administrator => Vec::new(),
            groups => groups?,
        };
        Ok(Subject { name, found, groups, entitlement })
    }

    /// A subject that the name service knows.
    pub(super) async fn person(&self, user: Option<&str>) -> Result<Subject, Refused> {
        let subject = self.subject(user).await?;
        match &subject.found.person {
            Some(_) => Ok(subject),
            None => Err(Refused::NoSuchUser(subject.name.to_string())),
        }
    }

    /// People read their own account, and not that of somebody who had their name before.
    pub(super) fn may_read(&self, subject: &Subject, account: &Account) -> Result<(), Refused> {
        let now = self.peer.uid;
        match account.uid.filter(|bound| self.rank == Rank::Person && *bound != now) {
            Some(bound) => Err(Refused::UidChanged { user: subject.name.to_string(), bound, now }),
            None => Ok(()),
        }
    }

    /// Changes an account in one transaction, with its records, and tells the person once it is committed. A refused
    /// change leaves the account as it was.
    pub(super) async fn change<T: Send + 'static>(
        &self,
        subject: &Subject,
        change: impl FnMut(&mut Account, &Context<'_>, &mut Ledger) -> Result<T, Refused> + Send + 'static,
    ) -> Result<T, Refused> {
        self.change_by(&self.steps(subject), subject, change).await
    }

    /// The same, for a request of several steps.
    pub(super) async fn change_by<T: Send + 'static>(
        &self,
        steps: &Steps,
        subject: &Subject,
        mut change: impl FnMut(&mut Account, &Context<'_>, &mut Ledger) -> Result<T, Refused> + Send + 'static,
    ) -> Result<T, Refused> {
        let entitlement = subject.entitlement;
        let run = move |account: &mut Account, context: &Context<'_>, ledger: &mut Ledger| {
            let before = account.clone();
            let outcome =
                permit(account, context, entitlement).and_then(|()| change(account, context, ledger));
            if outcome.is_err() {
                *account = before;
            }
            outcome
        };
        steps.run(run).await?
    }

    /// The steps of a request, as those of a login.
    pub(super) fn steps(&self, subject: &Subject) -> Steps {
        let groups = subject.groups.clone();
        let attempt = Attempt { groups, ..Attempt::of_request(subject.name.clone(), REQUESTS) };
        let facts = Facts {
            config: self.daemon.live().config.clone(),
            attempt,
            purpose: Purpose::Proof,
            host: self.daemon.host.clone(),
            uid: subject.found.person.as_ref().map_or(u32::MAX, |person: &Person| person.uid),
            by: self.peer.uid,
            known: subject.found.known.clone(),
            reference: self.daemon.reference(),
        };
        Steps::new(self.daemon.clone(), facts, Standing::Known)
    }

    fn entitlement(&self, name: &UserName) -> Entitlement {
        let now = self.daemon.clock.now();
        let proved =
            self.proved.filter(|proved| proved.user == *name && now.at_most_since(proved.at) < PROOF_LIFE);
        match (self.rank, proved) {
            (Rank::Administrator, _) | (Rank::Person, Some(_)) => Entitlement::Established,
            (Rank::Person, None) => Entitlement::Unproved,
        }
    }

    async fn own_name(&self) -> Result<UserName, Refused> {
        let uid = self.peer.uid;
        self.daemon.people.name_of(uid).await?.ok_or(Refused::Nameless(uid))
    }
}

/// Whether the change may go on. What somebody left behind who had the name before asks nobody for a proof.
fn permit(account: &mut Account, context: &Context<'_>, entitlement: Entitlement) -> Result<(), Refused> {
    if entitlement == Entitlement::Unproved {
        bind(account, context)?;
    }
    change::permit(account, context, entitlement).map_err(|_| Refused::ProofNeeded)
}

/// Binds an account to the uid that the name has now.
pub(super) fn bind(account: &mut Account, context: &Context<'_>) -> Result<(), Refused> {
    account.bind(context.uid).map_err(|bound| Refused::UidChanged {
        user: context.attempt.user.to_string(),
        bound,
        now: context.uid,
    })
}

/// Reads a name.
pub(super) fn name(user: &str) -> Result<UserName, Refused> {
    UserName::parse(user).ok_or_else(|| Refused::NoName(user.to_owned()))
}
