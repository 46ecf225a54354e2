//! The configuration: text → tree (`tree`, `sections`) → checked values (`login`, `email`, `relay`, `hook`, `time`,
//! `trust`, `rule`, `audit`).
//!
//! What comes out of [`load`] is never checked again. What does not fit is a [`Problem`] with its file, line, column,
//! key, fact and remedy, and all of them are reported together. Nothing is ignored: an unknown key, a key of a later
//! version and a file that others may write to are errors, because a door must not open over a typing mistake.

use std::net::SocketAddr;
use std::path::{Path, PathBuf};

use crate::address::EmailAddress;

mod address_source;
mod audit;
mod domain;
mod duration;
mod email;
mod factor;
mod fields;
mod files;
mod hook;
mod login;
mod openings;
mod patterns;
mod problem;
mod relay;
mod rule;
mod schedule;
mod sections;
mod sendmail;
pub(crate) mod suggest;
mod terms;
mod time;
mod tree;
mod trust;
mod values;
pub mod variables;

pub use address_source::AddressSource;
pub use audit::Audit;
pub use domain::DomainPattern;
pub use email::{Email, LogCodes, MailCap, TemplateSource, Transport};
pub use factor::FactorKind;
pub use hook::{Hook, HookProof};
pub use login::{EnrolTicket, EvenRoot, Grace, Login, NoAddress, Require, Throttle, Unenrolled};
pub use patterns::{Glob, KeyPattern, SourcePattern};
pub use problem::{Excerpt, Problem, Problems};
pub use relay::{Relay, RelayLogin, Security};
pub use rule::{Conditions, FirstFactor, Rule};
pub use schedule::{NoSuchTime, Schedule};
pub use sendmail::Sendmail;
pub use terms::{OnFailure, RuleName, Terms};
pub use time::{NtpServer, Time, TimeProvider};
pub use trust::{AskFirst, Bind, Network, Trust};

use fields::Fields;
use sections::Sections;

/// Where the configuration of a host is, unless `--config` says otherwise.
pub const MAIN_FILE: &str = "/etc/mfad/mfad.toml";

/// Everything that an administrator may decide. Every key is optional in the files; here every value is set.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Config {
    /// `[paths]`: where state, sockets and the key are.
    pub paths: Paths,
    /// What holds where no rule matches: `[login]`, `[trust]`, `[email] on-failure`.
    pub terms: Terms,
    /// `[[rule]]`: the first that matches counts. In order, no name twice.
    pub rules: Vec<Rule>,
    /// `[email]`: mailed codes.
    pub email: Email,
    /// `[time]`: which clock counts.
    pub time: Time,
    /// `[audit]`: how long what happened is kept.
    pub audit: Audit,
    /// `[metrics] listen`: where the counters can be read over HTTP, on this host alone.
    pub metrics_listen: Option<SocketAddr>,
    /// `[[hook]]`: programs of the site, in order; no name twice.
    pub hooks: Vec<Hook>,
    /// What is odd about the rules, though it is no fault.
    pub warnings: Vec<Problem>,
    /// The files that were read, in the order in which they count: a later one wins. Empty if there were none.
    pub files: Vec<PathBuf>,
}

/// `[paths]`: for tests and a second instance; all absolute.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Paths {
    /// Directory of the database. Default `/var/lib/mfad`.
    pub state: PathBuf,
    /// Directory of the sockets. Default `/run/mfad`.
    pub runtime: PathBuf,
    /// File with the key that seals secrets. Default `/etc/mfad/key`.
    pub key: PathBuf,
}

impl Config {
    /// All terms that can hold: the default ones first, then those of each rule.
    pub fn all_terms(&self) -> impl Iterator<Item = &Terms> {
        std::iter::once(&self.terms).chain(self.rules.iter().map(|rule| &rule.terms))
    }

    /// Whoever is a security contact under any terms.
    pub fn security_contacts(&self) -> Vec<EmailAddress> {
        let mut contacts = Vec::new();
        for contact in self.all_terms().flat_map(|terms| &terms.login.security_contact) {
            if !contacts.contains(contact) {
                contacts.push(contact.clone());
            }
        }
        contacts
    }

    /// The `[[hook]]` of this name.
    pub fn hook(&self, name: &str) -> Option<&Hook> {
        self.hooks.iter().find(|hook| hook.name == name)
    }

    /// The hook that judges the codes of this factor by itself; none if mfad does.
    pub fn judge(&self, factor: &str) -> Option<&Hook> {
        self.hook(factor).filter(|hook| hook.check().is_some())
    }

    /// The factors that some login may be proved by.
    pub fn factors(&self) -> Vec<&FactorKind> {
        let mut factors = Vec::new();
        for kind in self.all_terms().flat_map(|terms| &terms.login.factors) {
            if !factors.contains(&kind) {
                factors.push(kind);
            }
        }
        factors
    }
}

/// Whether the main file must be there.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Presence {
    /// Named by `--config`: a missing file is an error.
    Required,
    /// The usual place: without a file, the defaults hold.
    Optional,
}

/// Reads `main` and `conf.d/*.toml` beside it, in the order of their names; a later file wins key by key.
///
/// # Errors
/// [`Problems`]: every fault of every file, as far as one does not hide another. Values are checked once all files
/// could be read and are valid TOML.
pub fn load(main: &Path, presence: Presence) -> Result<Config, Problems> {
    let sources = files::read_all(main, presence)?;
    let (sections, mut problems) = Sections::read(&sources)?;
    let files = sources.iter().map(|source| source.path.clone()).collect();
    match check(sections, files) {
        Ok(config) if problems.0.is_empty() => Ok(config),
        Ok(_) => Err(problems),
        Err(more) => {
            problems.0.extend(more.0);
            Err(problems)
        }
    }
}

fn check(sections: Sections, files: Vec<PathBuf>) -> Result<Config, Problems> {
    let Sections { paths, login, mut email, trust, time, audit, metrics, hooks, rules } = sections;
    let hooks = hook::Drafts::read(&hooks);
    let mut on_failure = Fields::empty("email", &["on-failure"]);
    on_failure.overlay(&mut email, |key| (key == "on-failure").then_some(key));
    let draft = terms::Draft { login, trust, email: on_failure };
    let names = hooks.names();
    let rules = rule::check(&rules, &draft, &names);
    let terms = draft.check(None, &names);
    let (paths, email, time) = (check_paths(paths), email::check(email), time::check(time));
    let audit = both(audit::check(audit), audit::check_metrics(metrics));
    match (paths, terms, email, time, audit, hooks.check(), rules) {
        (Ok(paths), Ok(terms), Ok(email), Ok(time), Ok(audit), Ok(hooks), Ok((rules, warnings))) => {
            let (audit, metrics_listen) = audit;
            Ok(Config { paths, terms, rules, email, time, audit, metrics_listen, hooks, warnings, files })
        }
        (paths, terms, email, time, audit, hooks, rules) => {
            let own = [paths.err(), terms.err(), email.err(), time.err(), audit.err()];
            let faults = own.into_iter().chain([hooks.err(), rules.err()]);
            let mut all = Vec::new();
            for problem in faults.flatten().flat_map(|problems| problems.0) {
                // What a rule takes over from a section has the section's faults.
                if !all.contains(&problem) {
                    all.push(problem);
                }
            }
            Err(Problems(all))
        }
    }
}

/// Both values, or the faults of both.
fn both<A, B>(one: Result<A, Problems>, other: Result<B, Problems>) -> Result<(A, B), Problems> {
    match (one, other) {
        (Ok(one), Ok(other)) => Ok((one, other)),
        (one, other) => {
            let faults = [one.err(), other.err()].into_iter().flatten();
            Err(Problems(faults.flat_map(|problems| problems.0).collect()))
        }
    }
}

fn check_paths(mut fields: Fields) -> Result<Paths, Problems> {
    let paths = Paths {
        state: fields.read("state", PathBuf::from("/var/lib/mfad"), values::absolute_path),
        runtime: fields.read("runtime", PathBuf::from("/run/mfad"), values::absolute_path),
        key: fields.read("key", PathBuf::from("/etc/mfad/key"), values::absolute_path),
    };
    fields.done(paths)
}
