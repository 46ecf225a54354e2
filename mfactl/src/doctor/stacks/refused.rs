//! Who is kept out who should get in, and lines that do not mean what they seem to.

use std::collections::BTreeMap;

use super::{Case, argument};
use crate::doctor::finding::{Finding, Id, Severity};
use crate::doctor::pam::control::Spelling;
use crate::doctor::pam::dispatch::{self, Answer};
use crate::doctor::pam::modules::Role;
use crate::doctor::pam::ways::{Factor, Proved, Way};
use crate::doctor::pam::{Code, Entry, Handler};

impl Case<'_> {
    /// Nobody, or nobody of whom nothing is asked.
    pub(super) fn nobody_enters(&self) -> Vec<Finding> {
        let Some(ours) = self.our_line() else { return Vec::new() };
        let good: Vec<&Way> = self.survey.open.iter().filter(|way| way.facts.factor.allows()).collect();
        if good.is_empty() {
            let fact = "the right password and the right code are refused";
            return vec![
                Finding::new(Severity::High, Id::NobodyEnters, fact)
                    .at(&ours.place)
                    .meets("Nobody can log in by this service")
                    .remedy(
                        "Look for pam_deny.so or an unreadable line on the way that the right password takes",
                    ),
            ];
        }
        let mut findings = Vec::new();
        let is_flawed =
            self.survey.open.iter().any(|way| way.passing().is_some() || way.facts.proved == Proved::Nothing);
        if !is_flawed && !good.iter().any(|way| way.facts.factor == Factor::Exempt) {
            let fact = "whom mfad asks for nothing is refused: no other line says yes";
            findings.push(
                Finding::new(Severity::Medium, Id::ExemptRefused, fact)
                    .at(&ours.place)
                    .meets("People without a factor, or with an exemption by rule, cannot log in")
                    .remedy("If they shall: add \"auth required pam_permit.so\" after it"),
            );
        }
        if let Some(way) = good.iter().find(|way| way.facts.factor == Factor::Proved) {
            findings.extend(self.refused_afterwards(way));
        }
        findings
    }

    fn likely(&self, at: usize) -> Code {
        match self.role(at) {
            Some(Role::Always(code)) => code,
            None => Code::PERM_DENIED,
            _ => Code::SUCCESS,
        }
    }

    /// `pam_setcred` takes the same way as `pam_authenticate` did; pam_deny.so refuses there, too.
    fn refused_afterwards(&self, way: &Way) -> Option<Finding> {
        let earlier: BTreeMap<usize, Option<Code>> =
            way.calls.iter().map(|(at, code)| (*at, Some(*code))).collect();
        let answer =
            |at: usize| Answer::later(Some(self.likely(at)), earlier.get(&at).copied(), self.judge.dialect);
        let finished = dispatch::run(self.stack, answer);
        let last = finished.calls.last().filter(|_| finished.status != Code::SUCCESS)?;
        let fact = format!("after the right code, pam_setcred fails with {}", finished.status.name());
        Some(
            Finding::new(Severity::Medium, Id::RefusedAfterwards, fact)
                .at(&self.stack.entries[last.0].place)
                .meets("sshd, login and others end the login after the right code")
                .remedy("Let the stack hold a line that always succeeds: auth required pam_permit.so"),
        )
    }

    /// Lines that libpam cannot read refuse everybody who comes to them, which is rarely what was meant.
    pub(super) fn unreadable(&self) -> Vec<Finding> {
        let is_unreadable = |entry: &&Entry| {
            entry.handler == Handler::MustFail
                || (entry.handler != Handler::Substack && entry.control.spelling == Spelling::Unreadable)
        };
        let told = |entry: &Entry| {
            Finding::new(
                Severity::Medium,
                Id::LineUnreadable,
                "libpam cannot read this line, and takes it for a refusal",
            )
            .at(&entry.place)
            .meets("Whoever comes to it is refused")
            .remedy("Correct its type, its control or the file that it includes: pam.conf(5)")
        };
        self.stack.entries.iter().filter(is_unreadable).map(told).collect()
    }

    pub(super) fn append_half(&self) -> Vec<Finding> {
        let has_verify = self.stack.entries.iter().any(|entry| argument(entry, "append=verify"));
        let has_split = self.stack.entries.iter().any(|entry| argument(entry, "append=split"));
        let Some(ours) = self.our_line() else { return Vec::new() };
        let (fact, remedy) = match (has_split, has_verify) {
            (true, false) => (
                "append=split stands there without append=verify",
                "after the password's line, append=verify",
            ),
            (false, true) => (
                "append=verify stands there without append=split",
                "before the password's line, append=split",
            ),
            _ => return Vec::new(),
        };
        vec![
            Finding::new(Severity::Medium, Id::AppendHalf, fact)
                .at(&ours.place)
                .meets("Codes that are typed behind the password are not understood")
                .remedy(format!("Add, {remedy}: docs/guide/append.md")),
        ]
    }
}
