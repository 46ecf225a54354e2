//! Everything that is known about a person, as one value: one row of the store, changed by one transaction.

use protocol::manage::Switch;
use serde::{Deserialize, Serialize};

use super::attempt::{Attempt, Service, Source};
use super::throttle::Failures;
use crate::address::EmailAddress;
use crate::factor::mailed::Challenge;
use crate::moment::Moment;

/// How many codes of one person may be out at once, in different services or from different places.
const LIVE_CHALLENGES: usize = 8;

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
    /// Codes that are out, the oldest first; used-up ones stay until their wait is over.
    #[serde(default)]
    challenges: Vec<Outstanding>,
    /// Wrong codes.
    #[serde(default)]
    pub failures: Failures,
    /// When mails went out, the oldest first; no longer back than the longest cap needs.
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
            challenges: Vec::new(),
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

/// A code that is out, and what it is bound to.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Outstanding {
    /// What it is bound to.
    pub scope: Scope,
    /// The code's own state.
    pub challenge: Challenge,
}

impl Account {
    /// The code that is out, or used up, for this scope.
    pub fn challenge(&self, scope: &Scope) -> Option<&Challenge> {
        self.challenges.iter().find(|out| out.scope == *scope).map(|out| &out.challenge)
    }

    /// The same, to change it.
    pub fn challenge_mut(&mut self, scope: &Scope) -> Option<&mut Challenge> {
        self.challenges.iter_mut().find(|out| out.scope == *scope).map(|out| &mut out.challenge)
    }

    /// All of them.
    pub fn challenges(&self) -> &[Outstanding] {
        &self.challenges
    }

    /// Keeps a new code, in place of an older one of the same scope. The oldest goes where there are too many.
    pub fn keep(&mut self, scope: Scope, challenge: Challenge) {
        self.forget(&scope);
        if self.challenges.len() >= LIVE_CHALLENGES {
            self.challenges.remove(0);
        }
        self.challenges.push(Outstanding { scope, challenge });
    }

    /// Forgets the code of this scope.
    pub fn forget(&mut self, scope: &Scope) {
        self.challenges.retain(|out| out.scope != *scope);
    }

    /// Forgets what keeps the person waiting: failures, locks, used-up codes, and the count of mails.
    pub fn unlock(&mut self) {
        self.failures = Failures::default();
        self.mails.clear();
        self.challenges.retain(|out| !out.challenge.is_used_up());
    }

    /// Sets the address. Codes that are out went to the old one, and end with it.
    pub fn set_email(&mut self, email: Option<EmailAddress>) {
        if self.email != email {
            self.email = email;
            self.challenges.clear();
        }
    }

    /// Binds the account to a uid. A switched-off account of somebody else who had the name is forgotten.
    ///
    /// # Errors
    /// The uid it is bound to, if that is another and the account is switched on.
    pub fn bind(&mut self, uid: u32) -> Result<(), u32> {
        match self.uid {
            Some(bound) if bound != uid && self.switch == Switch::Enabled => Err(bound),
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
