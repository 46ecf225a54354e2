//! Who must prove what. This version has the default rule of `[login]`; rules of sites will stand before it.

use super::account::Account;
use super::grant::Refusal;
use crate::address::EmailAddress;
use crate::config::{AddressSource, Config, NoAddress, Require, Unenrolled};
use crate::moment::Moment;
use protocol::manage::Switch;

/// What a login has to do. Must be looked at: forgetting it would be a door.
#[derive(Debug, PartialEq, Eq)]
#[must_use]
pub enum Requirement {
    /// A rule asks nothing.
    Exempt(Exemption),
    /// A mailed code.
    Prove(Plan),
    /// No.
    Refuse(Refusal),
}

/// Names the rule that asks nothing of a login, so that the audit can. Only this module and an opening that the
/// configuration names make one.
#[derive(Debug, PartialEq, Eq)]
pub struct Exemption {
    rule: &'static str,
}

impl Exemption {
    /// The rule, as a key of the configuration with its value.
    pub fn rule(&self) -> &'static str {
        self.rule
    }

    /// `[email] on-failure = "bypass"`: the site lets people in while mail fails.
    pub(super) fn mail_failed() -> Self {
        Exemption { rule: "email.on-failure = bypass" }
    }
}

/// Which factor, and with what.
#[derive(Debug, PartialEq, Eq)]
pub struct Plan {
    /// Where the code goes.
    pub address: EmailAddress,
}

/// The address that one configured source knows.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct KnownAddress {
    /// The source.
    pub source: AddressSource,
    /// What it knows; the account's own address is in the account.
    pub address: Option<EmailAddress>,
}

/// Decides by the default rule.
pub fn decide(
    config: &Config,
    account: &Account,
    uid: u32,
    known: &[KnownAddress],
    now: Moment,
) -> Requirement {
    let login = &config.login;
    if login.require == Require::Never {
        return exempt("login.require = never");
    }
    let enrolled = account.switch == Switch::Enabled;
    if login.require == Require::Enrolled && !enrolled {
        return exempt("login.require = enrolled");
    }
    if account.uid.is_some_and(|bound| bound != uid) {
        return Requirement::Refuse(Refusal::UidChanged);
    }
    if let Some((address, _)) = address(account, known) {
        return Requirement::Prove(Plan { address: address.clone() });
    }
    if enrolled {
        return match login.no_address {
            NoAddress::Skip => exempt("login.no-address = skip"),
            NoAddress::Deny | NoAddress::OtherFactor => Requirement::Refuse(Refusal::NoAddress),
        };
    }
    match login.unenrolled {
        Unenrolled::AllowUntil(end) if now.wall < end => exempt("login.unenrolled = allow-until"),
        Unenrolled::AllowUntil(_) | Unenrolled::Deny => Requirement::Refuse(Refusal::NotEnrolled),
    }
}

/// The address that a code goes to, and the source that named it: the first that knows one.
pub fn address<'a>(
    account: &'a Account,
    known: &'a [KnownAddress],
) -> Option<(&'a EmailAddress, &'a AddressSource)> {
    known.iter().find_map(|candidate| {
        let address = match candidate.source {
            AddressSource::Account => account.email.as_ref(),
            _ => candidate.address.as_ref(),
        };
        address.map(|address| (address, &candidate.source))
    })
}

fn exempt(rule: &'static str) -> Requirement {
    Requirement::Exempt(Exemption { rule })
}
