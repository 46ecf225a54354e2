//! Which rule of the site a login comes under: the first of which every condition holds.

use sha2::{Digest, Sha256};

use crate::config::{Conditions, Config, FirstFactor, KeyPattern, NoSuchTime, Rule, SourcePattern, Terms};
use crate::moment::Moment;

use super::attempt::{Attempt, Source, SshKey};

/// Letters and digits without look-alikes, for what is read out on the telephone.
pub const REFERENCE_LETTERS: &[u8; 31] = b"abcdefghjkmnpqrstuvwxyz23456789";

/// A condition of a rule.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Condition {
    /// `users`.
    Users,
    /// `groups`.
    Groups,
    /// `services`.
    Services,
    /// `sources`.
    Sources,
    /// `ssh-keys`.
    SshKeys,
    /// `first-factor`.
    FirstFactor,
    /// `between`.
    Between,
}

impl Condition {
    /// The key of the configuration.
    pub fn name(self) -> &'static str {
        match self {
            Condition::Users => "users",
            Condition::Groups => "groups",
            Condition::Services => "services",
            Condition::Sources => "sources",
            Condition::SshKeys => "ssh-keys",
            Condition::FirstFactor => "first-factor",
            Condition::Between => "between",
        }
    }
}

/// What holds for a login.
///
/// # Errors
/// [`NoSuchTime`]: nobody knows whether a rule for certain times matches, so nobody may be let in by any.
pub fn terms<'a>(config: &'a Config, attempt: &Attempt, now: Moment) -> Result<&'a Terms, NoSuchTime> {
    for rule in &config.rules {
        if failing(&rule.when, attempt, now)?.is_none() {
            return Ok(&rule.terms);
        }
    }
    Ok(&config.terms)
}

/// A rule that was looked at.
#[derive(Debug, Clone, Copy)]
pub struct Looked<'a> {
    /// The rule.
    pub rule: &'a Rule,
    /// The first condition that does not hold; none for the rule that matches, which is the last one.
    pub failing: Option<Condition>,
}

/// The rules that [`terms`] looks at, in order.
///
/// # Errors
/// As for [`terms`].
pub fn trace<'a>(config: &'a Config, attempt: &Attempt, now: Moment) -> Result<Vec<Looked<'a>>, NoSuchTime> {
    let mut looked = Vec::new();
    for rule in &config.rules {
        let failing = failing(&rule.when, attempt, now)?;
        looked.push(Looked { rule, failing });
        if failing.is_none() {
            break;
        }
    }
    Ok(looked)
}

/// Names a way through the rules in four letters: the same for the same rules and the same reasons.
pub fn trace_id(looked: &[Looked<'_>]) -> String {
    let mut digest = Sha256::new();
    for Looked { rule, failing } in looked {
        digest.update(rule.terms.rule.as_ref().map(|rule| rule.name.as_str()).unwrap_or_default());
        digest.update([0]);
        digest.update(failing.map_or("", Condition::name));
        digest.update([0]);
    }
    let letter = |byte: &u8| char::from(REFERENCE_LETTERS[usize::from(byte % 31)]);
    digest.finalize().iter().take(4).map(letter).collect()
}

/// The groups that decide which rule matches; none where no rule that may match names one. Only these are asked for.
pub fn groups_that_matter(config: &Config, attempt: &Attempt) -> Vec<String> {
    let mut groups = Vec::new();
    for rule in config.rules.iter().filter(|rule| failing_but_groups(&rule.when, attempt).is_none()) {
        groups.extend(rule.when.groups.iter().cloned());
        if rule.when.groups.is_empty() && rule.when.between.is_empty() {
            // It matches, whatever the name service says: nobody is kept out by groups of rules behind it.
            break;
        }
    }
    groups.sort_unstable();
    groups.dedup();
    groups
}

fn failing(when: &Conditions, attempt: &Attempt, now: Moment) -> Result<Option<Condition>, NoSuchTime> {
    if let Some(failing) = failing_but_groups(when, attempt) {
        return Ok(Some(failing));
    }
    if !when.groups.is_empty() && !when.groups.iter().any(|group| attempt.groups.contains(group)) {
        return Ok(Some(Condition::Groups));
    }
    for schedule in &when.between {
        if schedule.holds(now.wall)? {
            return Ok(None);
        }
    }
    Ok(Some(Condition::Between).filter(|_| !when.between.is_empty()))
}

/// The first condition that does not hold, of those that neither the name service nor the clock has a part in.
fn failing_but_groups(when: &Conditions, attempt: &Attempt) -> Option<Condition> {
    fn any<T>(patterns: &[T], fits: impl Fn(&T) -> bool) -> bool {
        patterns.is_empty() || patterns.iter().any(fits)
    }
    if !any(&when.users, |glob| glob.fits(attempt.user.as_str())) {
        return Some(Condition::Users);
    }
    if !any(&when.services, |glob| glob.fits(attempt.service.as_str())) {
        return Some(Condition::Services);
    }
    if !any(&when.sources, |pattern| comes_from(pattern, attempt.source, attempt.tty.as_deref())) {
        return Some(Condition::Sources);
    }
    if !any(&when.ssh_keys, |pattern| attempt.ssh_key.as_ref().is_some_and(|key| is_of(pattern, key))) {
        return Some(Condition::SshKeys);
    }
    let first = if attempt.ssh_key.is_some() { FirstFactor::PublicKey } else { FirstFactor::Password };
    when.first_factor.filter(|wanted| *wanted != first).map(|_| Condition::FirstFactor)
}

/// A console or a display. A pseudo-terminal may belong to somebody far away who came in by SSH.
fn is_of_this_machine(tty: Option<&str>) -> bool {
    let tty = tty.unwrap_or_default();
    let name = tty.strip_prefix("/dev/").unwrap_or(tty);
    ["tty", "console", "hvc", ":"].iter().any(|start| name.starts_with(start))
}

fn comes_from(pattern: &SourcePattern, source: Source, tty: Option<&str>) -> bool {
    match (pattern, source) {
        (SourcePattern::Network(network), Source::Address(address)) => network.contains(&address),
        (SourcePattern::Local, Source::Local) => is_of_this_machine(tty),
        _ => false,
    }
}

fn is_of(pattern: &KeyPattern, key: &SshKey) -> bool {
    match pattern {
        KeyPattern::Kind(glob) => glob.fits(&key.kind),
        KeyPattern::Fingerprint(fingerprint) => *fingerprint == key.fingerprint,
    }
}
