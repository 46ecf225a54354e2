//! What holds for one login: the keys that a `[[rule]]` may set. Where no rule matches, it is what `[login]`, `[trust]`
//! and `[email] on-failure` say.

use std::fmt;
use std::path::PathBuf;

use super::fields::Fields;
use super::login::{self, Login};
use super::problem::Problems;
use super::trust::{self, Trust};
use super::values::Words;

/// What holds for a login.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Terms {
    /// The rule that says so; none for the terms of whoever no rule is for.
    pub rule: Option<RuleName>,
    /// `[login]`, with what the rule sets in the place of it.
    pub login: Login,
    /// `[trust]`, likewise.
    pub trust: Trust,
    /// What happens if a code could not be mailed: `[email] on-failure`, or the rule's `on-email-failure`.
    pub on_email_failure: OnFailure,
}

impl Terms {
    /// Names what one of these terms says, for the audit: `key` is how the key is called in `[login]`.
    pub fn saying(&self, key: &str, value: &str) -> String {
        match &self.rule {
            Some(rule) => format!("rule \"{rule}\": {key} = {value}"),
            None => format!("login.{key} = {value}"),
        }
    }

    /// The same for what is a key of another section where no rule sets it.
    pub fn saying_of(&self, section_key: &str, rule_key: &str, value: &str) -> String {
        match &self.rule {
            Some(rule) => format!("rule \"{rule}\": {rule_key} = {value}"),
            None => format!("{section_key} = {value}"),
        }
    }
}

/// A rule's name, and where it stands.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RuleName {
    /// Its name; no other rule has it.
    pub name: String,
    /// The file.
    pub file: PathBuf,
    /// Its line, from 1.
    pub line: u32,
}

impl fmt::Display for RuleName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.name)
    }
}

/// What happens to a login that a failure of the site's own stands in the way of.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum OnFailure {
    /// Another factor is asked for; denied if there is none. The default.
    OtherFactor,
    /// It is denied.
    Deny,
    /// It goes on without a second factor, and an alert is logged.
    Bypass,
}

pub(super) const ON_FAILURE: Words<OnFailure> = Words {
    now: &[
        ("other-factor", OnFailure::OtherFactor),
        ("deny", OnFailure::Deny),
        ("bypass", OnFailure::Bypass),
    ],
    later: &[],
};

/// The keys of terms, section by section.
#[derive(Debug)]
pub(super) struct Draft {
    pub(super) login: Fields,
    pub(super) trust: Fields,
    /// Of `[email]`: `on-failure` alone.
    pub(super) email: Fields,
}

impl Draft {
    /// The same keys, for a rule to set some of them. Their faults are told once, by the original.
    pub(super) fn again(&self) -> Self {
        Draft { login: self.login.again(), trust: self.trust.again(), email: self.email.again() }
    }

    pub(super) fn check(self, rule: Option<RuleName>, hooks: &[String]) -> Result<Terms, Problems> {
        let Draft { login, trust, mut email } = self;
        let on_email_failure = email.read("on-failure", OnFailure::OtherFactor, |node| ON_FAILURE.read(node));
        match (login::check(login, hooks), trust::check(trust), email.done(on_email_failure)) {
            (Ok(login), Ok(trust), Ok(on_email_failure)) => {
                Ok(Terms { rule, login, trust, on_email_failure })
            }
            (login, trust, email) => {
                let faults = [login.err(), trust.err(), email.err()];
                Err(Problems(faults.into_iter().flatten().flat_map(|problems| problems.0).collect()))
            }
        }
    }
}
