//! Everything that is known about a person, as one value: one row of the store, changed by one transaction.

use protocol::manage::Switch;
use serde::{Deserialize, Serialize};

use super::attempt::{Attempt, Service, Source};
use super::enrolled::Factors;
use super::round::{Round, State};
use super::throttle::Failures;
use super::trust::Trusted;
use crate::address::EmailAddress;
use crate::config::Login;
use crate::factor::bypass::Bypass;
use crate::factor::recovery::RecoverySet;
use crate::moment::Moment;

/// How many rounds of one person may be open at once, in different services or from different places.
const ROUNDS: usize = 8;

/// A person's account.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Account {
    /// Whether an administrator switched the second factor on.
    pub switch: Switch,
    /// The uid that the name had when the account was bound; a name with another uid is somebody else.
    pub uid: Option<u32>,
    /// The address kept here; other sources may know another.
    pub email: Option<EmailAddress>,
    /// When the person confirmed that address by a code; milliseconds since 1970. Then it is a factor of their own.
    #[serde(default)]
    pub email_confirmed: Option<u64>,
    /// Apps and contacts, in the order in which they were enrolled.
    #[serde(default)]
    pub factors: Factors,
    /// Codes for the day on which the telephone is lost.
    #[serde(default)]
    pub recovery: Option<RecoverySet>,
    /// Codes that an administrator gave out.
    #[serde(default)]
    pub bypasses: Vec<Bypass>,
    /// The number of the last one of them: none is used twice.
    #[serde(default)]
    pub last_bypass: u32,
    /// The factor that is asked for first, by name.
    #[serde(default)]
    pub preferred: Option<String>,
    /// Devices that are remembered.
    #[serde(default)]
    pub trusted: Trusted,
    /// Leave to enrol at a login.
    #[serde(default)]
    pub ticket: Option<Bypass>,
    /// Tries and codes that are out, the oldest first; used-up ones stay until their wait is over.
    #[serde(default)]
    rounds: Vec<Outstanding>,
    /// Wrong codes.
    #[serde(default)]
    pub failures: Failures,
    /// When codes were sent, the oldest first; no longer back than the longest cap needs.
    #[serde(default)]
    pub mails: Vec<Moment>,
    /// The last login with a factor; milliseconds since 1970.
    #[serde(default)]
    pub last_login: Option<u64>,
}

impl Default for Account {
    fn default() -> Self {
        Account {
            switch: Switch::Disabled,
            uid: None,
            email: None,
            email_confirmed: None,
            factors: Factors::default(),
            recovery: None,
            bypasses: Vec::new(),
            last_bypass: 0,
            preferred: None,
            trusted: Trusted::default(),
            ticket: None,
            rounds: Vec::new(),
            failures: Failures::default(),
            mails: Vec::new(),
            last_login: None,
        }
    }
}

/// What a code is bound to besides the user. A code asked for by one service or from one place opens no other.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Scope {
    /// The PAM service.
    pub service: Service,
    /// Where from.
    pub source: Source,
}

impl From<&Attempt> for Scope {
    fn from(attempt: &Attempt) -> Self {
        Scope { service: attempt.service.clone(), source: attempt.source }
    }
}

/// A round, and what it is bound to.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Outstanding {
    /// What it is bound to.
    pub scope: Scope,
    /// The tries and codes.
    pub round: Round,
}

impl Account {
    /// The round of this scope.
    pub fn round(&self, scope: &Scope) -> Option<&Round> {
        self.rounds.iter().find(|out| out.scope == *scope).map(|out| &out.round)
    }

    /// The same, to change it.
    pub fn round_mut(&mut self, scope: &Scope) -> Option<&mut Round> {
        self.rounds.iter_mut().find(|out| out.scope == *scope).map(|out| &mut out.round)
    }

    /// All of them.
    pub fn rounds(&self) -> &[Outstanding] {
        &self.rounds
    }

    /// The round of this scope, or a new one where there is none or it is over. The oldest goes where there are too many.
    pub fn enter(&mut self, scope: &Scope, settings: &Login, now: Moment) -> &mut Round {
        let open = |out: &Outstanding| out.scope == *scope && out.round.state(settings, now) != State::Over;
        if !self.rounds.iter().any(open) {
            self.forget(scope);
            if self.rounds.len() >= ROUNDS {
                self.rounds.remove(0);
            }
            self.rounds.push(Outstanding { scope: scope.clone(), round: Round::open(settings.tries, now) });
        }
        let at = self.rounds.iter().position(|out| out.scope == *scope).unwrap_or_default();
        &mut self.rounds[at].round
    }

    /// Forgets the round of this scope.
    pub fn forget(&mut self, scope: &Scope) {
        self.rounds.retain(|out| out.scope != *scope);
    }

    /// Forgets what keeps the person waiting: failures, locks, used-up tries, and the count of mails.
    pub fn unlock(&mut self) {
        self.failures = Failures::default();
        self.mails.clear();
        self.rounds.retain(|out| !out.round.is_used_up());
    }

    /// Forgets what the person enrolled, every code that is out, and what keeps the person waiting. Switch, address and
    /// the count of mails stay.
    pub fn reset(&mut self) {
        self.factors.clear();
        (self.recovery, self.preferred, self.ticket) = (None, None, None);
        self.bypasses.clear();
        self.trusted.clear();
        self.rounds.clear();
        self.failures = Failures::default();
    }

    /// Names what the person can prove of their own: apps, contacts, the address.
    pub fn ways_of_own(&self) -> Vec<String> {
        let factors = self.factors.active().map(|factor| factor.id.to_string());
        factors.chain(self.email.as_ref().map(ToString::to_string)).collect()
    }

    /// Sets the address. Codes that are out went to the old one, and end with it.
    pub fn set_email(&mut self, email: Option<EmailAddress>) {
        if self.email != email {
            self.email = email;
            self.email_confirmed = None;
            self.rounds.clear();
        }
    }

    /// True if the second factor is switched on, or one of the person's own is confirmed.
    pub fn is_enrolled(&self) -> bool {
        self.switch == Switch::Enabled
            || self.email_confirmed.is_some()
            || self.factors.active().next().is_some()
    }

    /// Binds the account to a uid. A switched-off account of somebody else who had the name is forgotten.
    ///
    /// # Errors
    /// The uid it is bound to, if that is another and the account is switched on.
    pub fn bind(&mut self, uid: u32) -> Result<(), u32> {
        match self.uid {
            Some(bound) if bound != uid && self.is_enrolled() => Err(bound),
            Some(bound) if bound != uid => {
                *self = Account { uid: Some(uid), ..Account::default() };
                Ok(())
            }
            _ => {
                self.uid = Some(uid);
                Ok(())
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(uid: u32, switch: Switch) -> Account {
        let mut account = Account::default();
        (account.uid, account.switch) = (Some(uid), switch);
        account.email = EmailAddress::parse("old@example.org").ok();
        account
    }

    #[test]
    fn a_name_that_went_to_somebody_else_takes_nothing_along() {
        let mut kept = of(1000, Switch::Enabled);
        assert_eq!(kept.bind(1001), Err(1000), "switched on: an administrator decides first");
        let mut left = of(1000, Switch::Disabled);
        assert_eq!(left.bind(1001), Ok(()));
        assert_eq!((left.uid, left.email), (Some(1001), None));
        let mut same = of(1000, Switch::Disabled);
        assert_eq!(same.bind(1000), Ok(()));
        assert!(same.email.is_some());
    }
}
