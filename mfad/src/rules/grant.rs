//! How a login ends. [`Grant`] has private fields and three sources, a spent proof, a named exemption, and somebody who was
//! recognised after a proof: nothing else in the daemon can lead to [`Verdict::Allow`] or [`Verdict::Exempt`].

use std::time::Duration;

use protocol::login::Verdict;

use super::login::{Means, Spent};
use super::policy::Exemption;
use super::trust::Recognised;

/// Leave to enter.
#[derive(Debug, PartialEq, Eq)]
pub struct Grant(Why);

#[derive(Debug, PartialEq, Eq)]
enum Why {
    Proved(Means),
    Exempted,
    Recognised,
}

impl From<Spent> for Grant {
    fn from(spent: Spent) -> Self {
        Grant(Why::Proved(spent.means()))
    }
}

impl From<Exemption> for Grant {
    fn from(_: Exemption) -> Self {
        Grant(Why::Exempted)
    }
}

impl From<Recognised> for Grant {
    fn from(_: Recognised) -> Self {
        Grant(Why::Recognised)
    }
}

/// Why nobody enters.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Refusal {
    /// A second factor is required, and the person has none.
    NotEnrolled,
    /// A code is to be mailed, and no address is known.
    NoAddress,
    /// The name has another uid than when the account was bound.
    UidChanged,
    /// The tries of this code are used up; a new one after this long.
    TriesUsedUp(Duration),
    /// Too many wrong codes lately; after this long.
    Throttled(Duration),
    /// Too many wrong codes in a row; an administrator unlocks.
    Locked,
    /// Too many mails; after this long.
    MailCap(Duration),
    /// The code was out for too long.
    Expired,
    /// The code was used or replaced by another connection.
    Gone,
    /// Nothing but texts that cannot be codes.
    NoCode,
    /// The code could not be sent, and there is no other factor.
    NotSent,
    /// A program answers where a person should.
    Blind,
    /// The person gave up.
    Cancelled,
    /// The name service does not know the person.
    Unknown,
    /// The account is not what mfad wrote.
    Damaged,
    /// mfad cannot decide: its database, its key or the name service fails.
    Unavailable,
}

impl Refusal {
    /// The one table from a refusal to its verdict.
    pub fn verdict(self) -> Verdict {
        match self {
            Refusal::NotEnrolled
            | Refusal::NoAddress
            | Refusal::UidChanged
            | Refusal::Expired
            | Refusal::Gone
            | Refusal::NoCode
            | Refusal::Blind
            | Refusal::Damaged => Verdict::Deny,
            Refusal::TriesUsedUp(_) | Refusal::Throttled(_) | Refusal::Locked | Refusal::MailCap(_) => {
                Verdict::Locked
            }
            Refusal::NotSent | Refusal::Unavailable => Verdict::Unavailable,
            Refusal::Cancelled => Verdict::Cancelled,
            Refusal::Unknown => Verdict::Unknown,
        }
    }

    /// Its name in the audit.
    pub fn name(self) -> &'static str {
        match self {
            Refusal::NotEnrolled => "not-enrolled",
            Refusal::NoAddress => "no-address",
            Refusal::UidChanged => "uid-changed",
            Refusal::TriesUsedUp(_) => "tries-used-up",
            Refusal::Throttled(_) => "throttled",
            Refusal::Locked => "locked",
            Refusal::MailCap(_) => "mail-cap",
            Refusal::Expired => "expired",
            Refusal::Gone => "code-gone",
            Refusal::NoCode => "no-code-typed",
            Refusal::NotSent => "code-not-sent",
            Refusal::Blind => "blind-program",
            Refusal::Cancelled => "cancelled",
            Refusal::Unknown => "unknown-user",
            Refusal::Damaged => "account-damaged",
            Refusal::Unavailable => "unavailable",
        }
    }
}

/// How a login ended.
#[derive(Debug, PartialEq, Eq)]
#[must_use]
pub enum Decision {
    /// In.
    Granted(Grant),
    /// Out.
    Refused(Refusal),
}

impl Decision {
    /// Whether a factor was proved in this very login.
    pub fn is_proved(&self) -> bool {
        matches!(self, Decision::Granted(Grant(Why::Proved(_))))
    }

    /// Whether a factor was proved that says something of the device, too: not a code for bad days.
    pub fn may_be_remembered(&self) -> bool {
        matches!(self, Decision::Granted(Grant(Why::Proved(Means::Usual))))
    }

    /// What the module is told.
    pub fn verdict(&self) -> Verdict {
        match self {
            Decision::Granted(Grant(Why::Proved(_) | Why::Recognised)) => Verdict::Allow,
            Decision::Granted(Grant(Why::Exempted)) => Verdict::Exempt,
            Decision::Refused(refusal) => refusal.verdict(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_refusal_is_a_verdict_that_lets_in() {
        let wait = Duration::from_secs(1);
        for refusal in [
            Refusal::NotEnrolled,
            Refusal::NoAddress,
            Refusal::UidChanged,
            Refusal::TriesUsedUp(wait),
            Refusal::Throttled(wait),
            Refusal::Locked,
            Refusal::MailCap(wait),
            Refusal::Expired,
            Refusal::Gone,
            Refusal::NoCode,
            Refusal::NotSent,
            Refusal::Blind,
            Refusal::Cancelled,
            Refusal::Unknown,
            Refusal::Damaged,
            Refusal::Unavailable,
        ] {
            assert!(!matches!(refusal.verdict(), Verdict::Allow | Verdict::Exempt), "{refusal:?}");
        }
    }
}
