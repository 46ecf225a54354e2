//! Every security event, as one enum. The rules and the managers record them; the store commits them with the account;
//! [`sink`] carries them to the journal or to syslog. None has room for a code.

pub mod chain;
pub mod sink;

use protocol::text::printable;

use crate::rules::attempt::Attempt;
use crate::rules::grant::Refusal;

/// A security event and whom it is about.
#[derive(Debug, Clone, PartialEq)]
pub struct Event {
    /// What happened.
    pub kind: Kind,
    /// The account.
    pub user: Option<String>,
    /// The uid that the name had then; none if it had none, or nobody knew.
    pub uid: Option<u32>,
    /// The PAM service.
    pub service: Option<String>,
    /// Where from.
    pub source: Option<String>,
    /// The login's reference, which the person may have been shown.
    pub reference: Option<String>,
}

/// What happened.
#[derive(Debug, Clone, PartialEq)]
pub enum Kind {
    /// A factor was proved and spent.
    Allowed {
        /// Which.
        factor: String,
    },
    /// A rule asked nothing.
    Exempted {
        /// Which.
        rule: String,
    },
    /// Somebody who had proved a factor before was recognised.
    Recognised {
        /// The device, or the login of a moment ago.
        by: String,
        /// The rule and the key that say so.
        rule: String,
    },
    /// A rule that is only tried out let somebody in.
    TriedOut {
        /// Which.
        rule: String,
        /// What it would have done.
        would: String,
    },
    /// The site's configuration let somebody in because mail failed.
    Opened {
        /// The rule and the key that say so.
        rule: String,
        /// What failed.
        cause: String,
    },
    /// Nobody entered.
    Refused {
        /// Why.
        why: Refusal,
    },
    /// A guess was evaluated and was wrong.
    WrongCode {
        /// What is left of this round's tries.
        tries_left: u32,
        /// Seconds that an app's clock seems to be ahead (or behind, if negative), where the guess shows it.
        clock_off: Option<i64>,
    },
    /// A code that had opened a door before.
    ReusedCode {
        /// Whose: the factor's id.
        factor: String,
    },
    /// A recovery code was used up.
    RecoveryUsed {
        /// How many are left.
        left: usize,
    },
    /// A stored secret does not open: the key is another, or somebody changed or moved it.
    Tampered {
        /// The factor's id.
        factor: String,
    },
    /// A factor is locked by too many wrong codes in a row.
    Locked {
        /// Which.
        factor: String,
        /// How many.
        failures: u32,
    },
    /// A courier accepted a mail with a code.
    CodeSent {
        /// Where to, masked.
        address: String,
        /// The courier's words.
        by: String,
    },
    /// No courier accepted it.
    CodeNotSent {
        /// Why, and what to do.
        cause: String,
    },
    /// An administrator changed an account.
    Changed {
        /// What, in words.
        change: String,
        /// The uid of who asked.
        by: u32,
    },
    /// The end of the audit is not what mfad left there.
    AuditDamaged {
        /// How it is seen.
        cause: String,
    },
    /// Something of mfad itself fails while a person waits.
    Fault {
        /// What, and what to do.
        cause: String,
    },
}

/// How much it matters: syslog's priorities (syslog(3)).
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Priority {
    /// Somebody must act now.
    Alert = 1,
    /// Something failed.
    Warning = 4,
    /// Worth noticing.
    Notice = 5,
    /// Normal.
    Info = 6,
}

impl Priority {
    /// syslog's name.
    pub fn name(self) -> &'static str {
        match self {
            Priority::Alert => "alert",
            Priority::Warning => "warning",
            Priority::Notice => "notice",
            Priority::Info => "info",
        }
    }

    /// Reads a name; what is unknown is an alert.
    pub fn from_name(name: &str) -> Self {
        [Priority::Warning, Priority::Notice, Priority::Info]
            .into_iter()
            .find(|priority| priority.name() == name)
            .unwrap_or(Priority::Alert)
    }
}

/// The longest sentence of an event, in characters: others' words may be in it, and a batch of events fits a frame.
const TEXT_LIMIT: usize = 300;

/// Whether a commit waits for the disk.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Flush {
    /// Before anybody is answered.
    Now,
    /// With the next commit that needs it: a crash of mfad loses nothing, a power cut ends the login anyway.
    Later,
}

impl Event {
    /// An event of a login.
    pub fn of_login(attempt: &Attempt, uid: Option<u32>, reference: &str, kind: Kind) -> Self {
        Event {
            kind,
            user: Some(attempt.user.to_string()),
            uid,
            service: Some(attempt.service.as_str().to_owned()),
            source: Some(attempt.source.to_string()),
            reference: Some(reference.to_owned()),
        }
    }

    /// An event of no account.
    pub fn of_host(kind: Kind, reference: Option<String>) -> Self {
        Event { kind, user: None, uid: None, service: None, source: None, reference }
    }
}

impl Kind {
    /// Its name in the audit; documented, and stable.
    pub fn name(&self) -> &'static str {
        match self {
            Kind::Allowed { .. } => "login-allowed",
            Kind::Exempted { .. } => "login-exempted",
            Kind::Recognised { .. } => "login-recognised",
            Kind::TriedOut { .. } => "login-dry-run",
            Kind::Opened { .. } => "login-opened",
            Kind::Refused { .. } => "login-refused",
            Kind::WrongCode { .. } => "code-wrong",
            Kind::ReusedCode { .. } => "code-reused",
            Kind::RecoveryUsed { .. } => "recovery-used",
            Kind::Tampered { .. } => "secret-damaged",
            Kind::Locked { .. } => "account-locked",
            Kind::CodeSent { .. } => "code-sent",
            Kind::CodeNotSent { .. } => "code-not-sent",
            Kind::Changed { .. } => "account-changed",
            Kind::AuditDamaged { .. } => "audit-damaged",
            Kind::Fault { .. } => "fault",
        }
    }

    /// How much it matters.
    pub fn priority(&self) -> Priority {
        match self {
            Kind::Opened { .. }
            | Kind::Locked { .. }
            | Kind::Tampered { .. }
            | Kind::AuditDamaged { .. }
            | Kind::Refused { why: Refusal::UidChanged } => Priority::Alert,
            Kind::CodeNotSent { .. } | Kind::Fault { .. } => Priority::Warning,
            Kind::Refused { .. }
            | Kind::WrongCode { .. }
            | Kind::ReusedCode { .. }
            | Kind::RecoveryUsed { .. }
            | Kind::Changed { .. } => Priority::Notice,
            Kind::Allowed { .. }
            | Kind::Exempted { .. }
            | Kind::Recognised { .. }
            | Kind::TriedOut { .. }
            | Kind::CodeSent { .. } => Priority::Info,
        }
    }

    /// What spends, counts, locks or decides is on disk before the answer; news of a mail is not worth a flush.
    pub fn flush(&self) -> Flush {
        match self {
            Kind::CodeSent { .. } | Kind::CodeNotSent { .. } => Flush::Later,
            _ => Flush::Now,
        }
    }

    /// A sentence for people.
    pub fn text(&self) -> String {
        let text = match self {
            Kind::Allowed { factor } => format!("let in with {factor}"),
            Kind::Exempted { rule } => format!("let in without a second factor by {rule}"),
            Kind::Recognised { by, rule } => format!("let in without a second factor by {rule}: {by}"),
            Kind::TriedOut { rule, would } => format!("let in by {rule}; else {would}"),
            Kind::Opened { rule, cause } => {
                format!("LET IN without a second factor by {rule}, because {cause}")
            }
            Kind::Refused { why } => format!("refused: {}", why.name()),
            Kind::WrongCode { tries_left, clock_off: None } => {
                format!("a wrong code, tries left: {tries_left}")
            }
            Kind::WrongCode { tries_left, clock_off: Some(seconds) } => format!(
                "a wrong code, tries left: {tries_left}; it is one of {seconds} s from now: check the clocks of \
                 this host and of the app"
            ),
            Kind::ReusedCode { factor } => format!("a code of {factor} that was used before"),
            Kind::RecoveryUsed { left } => format!("a recovery code was used; {left} left"),
            Kind::Tampered { factor } => format!(
                "the secret of {factor} does not open: another key, or the row was changed or moved. \
                 Put the key back, or enrol {factor} again"
            ),
            Kind::Locked { factor, failures } => format!(
                "{factor} locked after {failures} wrong codes in a row; `mfactl user unlock` opens it again"
            ),
            Kind::CodeSent { address, by } => format!("a code was sent to {address} ({by})"),
            Kind::CodeNotSent { cause } | Kind::Fault { cause } => cause.clone(),
            Kind::AuditDamaged { cause } => {
                format!("the audit is not as mfad left it: {cause}. Look at it: mfactl audit verify")
            }
            Kind::Changed { change, by } => format!("{change}, by uid {by}"),
        };
        printable(&text).chars().take(TEXT_LIMIT).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn whatever_decides_or_counts_is_flushed() {
        for kind in [
            Kind::Allowed { factor: "email".into() },
            Kind::Exempted { rule: String::new() },
            Kind::Recognised { by: String::new(), rule: String::new() },
            Kind::TriedOut { rule: String::new(), would: String::new() },
            Kind::Opened { rule: String::new(), cause: String::new() },
            Kind::Refused { why: Refusal::Gone },
            Kind::WrongCode { tries_left: 1, clock_off: None },
            Kind::ReusedCode { factor: String::new() },
            Kind::RecoveryUsed { left: 1 },
            Kind::Tampered { factor: String::new() },
            Kind::Locked { factor: String::new(), failures: 50 },
            Kind::Changed { change: String::new(), by: 0 },
            Kind::AuditDamaged { cause: String::new() },
            Kind::Fault { cause: String::new() },
        ] {
            assert_eq!(kind.flush(), Flush::Now, "{kind:?}");
        }
    }

    #[test]
    fn no_event_can_forge_a_line() {
        let kind = Kind::Fault { cause: "x\n2026 mfad login-allowed user=root\x1b[2J".into() };
        assert_eq!(kind.text(), "x?2026 mfad login-allowed user=root?[2J");
    }
}
