//! What is wrong with a stack: the ways through it, told by their causes.
//!
//! - [`past`]: ways in past our module, or in spite of it.  [`early`]: ways to it, or in by it, without a password.
//! - [`refused`]: who is kept out who should not be.

mod early;
mod past;
mod refused;

use super::finding::{Finding, Severity, State};
use super::pam::library::Dialect;
use super::pam::modules::{self, OURS, Part, Role};
use super::pam::ways::Survey;
use super::pam::{Entry, Handler, Stack, ways};

/// What a program proves before it calls PAM.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Beforehand {
    /// Nothing.
    Nothing,
    /// An SSH key, always.
    Key,
}

/// What a stack is judged by.
pub struct Judge<'a> {
    /// The service's name.
    pub service: &'a str,
    /// Whose libpam runs it.
    pub dialect: Dialect,
    /// What was proved before.
    pub beforehand: Beforehand,
    /// Whether a module cannot be loaded.
    pub missing: &'a dyn Fn(&str) -> bool,
}

/// Which of our lines a stack has.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Lines {
    /// Those that ask.
    pub asking: usize,
    /// Those that take the code off the password.
    pub splitting: usize,
}

/// Counts our lines.
pub fn lines(stack: &Stack, service: &str) -> Lines {
    let count = |part| {
        let is_it = |entry: &&Entry| role(entry, service) == Some(Role::Ours(part));
        stack.entries.iter().filter(is_it).count()
    };
    Lines { asking: count(Part::Asks), splitting: count(Part::Splits) }
}

impl Judge<'_> {
    /// Judges a stack that names our module.
    pub fn judge(&self, stack: &Stack) -> (State, Vec<Finding>) {
        let survey = ways::survey(stack, self.service, self.missing);
        let case = Case { judge: self, stack, survey: &survey };
        let mut findings = case.past_us();
        findings.extend(case.refused_and_open());
        findings.extend(case.code_alone());
        findings.extend(case.premature());
        let is_proved = findings.iter().all(|finding| finding.severity == Severity::Info);
        findings.extend(case.nobody_enters());
        findings.extend(case.unreadable());
        findings.extend(case.append_half());
        let enters = survey.open.iter().any(|way| way.facts.factor.allows());
        let findings: Vec<Finding> = findings.into_iter().map(|it| it.service(self.service)).collect();
        (if is_proved && enters { State::Proved } else { State::Flawed }, findings)
    }
}

struct Case<'a> {
    judge: &'a Judge<'a>,
    stack: &'a Stack,
    survey: &'a Survey,
}

impl Case<'_> {
    fn role(&self, at: usize) -> Option<Role> {
        role(&self.stack.entries[at], self.judge.service)
    }

    fn is_ours(&self, at: usize) -> bool {
        self.role(at) == Some(Role::Ours(Part::Asks))
    }

    fn our_line(&self) -> Option<&Entry> {
        (0..self.stack.entries.len()).find(|at| self.is_ours(*at)).map(|at| &self.stack.entries[at])
    }

    fn has_proof(&self) -> bool {
        (0..self.stack.entries.len()).any(|at| matches!(self.role(at), Some(Role::Proof(_))))
    }
}

/// What to write in the place of a line that ends the stack at the right password.
const INSTEAD: &str = "auth [success=1 default=ignore] pam_unix.so, then auth requisite pam_deny.so, then \
                       auth required pam_mfad.so, then auth required pam_permit.so";

fn role(entry: &Entry, service: &str) -> Option<Role> {
    match &entry.handler {
        Handler::Module { path, arguments } => Some(modules::role(path, arguments, service)),
        Handler::MustFail | Handler::Substack => None,
    }
}

fn module_name(entry: &Entry) -> &str {
    match &entry.handler {
        Handler::Module { path, .. } => modules::name(path),
        Handler::MustFail | Handler::Substack => "an unreadable line",
    }
}

fn argument(entry: &Entry, wanted: &str) -> bool {
    matches!(&entry.handler, Handler::Module { path, arguments }
        if modules::name(path) == OURS && arguments.iter().any(|it| it == wanted))
}
