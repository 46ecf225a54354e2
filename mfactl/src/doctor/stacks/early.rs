//! Ways to our module before anything was proved, and ways in by it alone.

use super::{Beforehand, Case, INSTEAD, module_name};
use crate::doctor::finding::{Finding, Id, Severity};
use crate::doctor::pam::modules::{OURS, Role};
use crate::doctor::pam::ways::{Proved, Way};

impl Case<'_> {
    /// Ways in by the code, with nothing before it.
    pub(super) fn code_alone(&self) -> Vec<Finding> {
        let is_alone = |way: &&Way| way.facts.factor.allows() && way.facts.proved == Proved::Nothing;
        let Some(way) = self.survey.open.iter().find(is_alone) else { return Vec::new() };
        if self.judge.beforehand == Beforehand::Key && !self.has_proof() {
            return Vec::new();
        }
        let place = way.calls.iter().rev().find(|(at, _)| self.is_ours(*at));
        let entry = place.map_or(&self.stack.entries[0], |(at, _)| &self.stack.entries[*at]);
        let abstains = way.calls.iter().find(|(at, _)| matches!(self.role(*at), Some(Role::Proof(_))));
        let fact = match abstains {
            Some((at, code)) => {
                let name = module_name(&self.stack.entries[*at]);
                format!("if {name} says {}, a code is enough", code.name())
            }
            None => "a code is enough: no password is asked for before it".to_owned(),
        };
        vec![
            Finding::new(Severity::Critical, Id::CodeAlone, fact)
                .at(&entry.place)
                .meets("Whoever reads the mailbox or holds the phone gets in; people of whom no rule asks a code get in with nothing")
                .remedy("Let the password's module stand before pam_mfad.so, and let a wrong password end the stack"),
        ]
    }

    /// Ways to our module with nothing proved before.
    pub(super) fn premature(&self) -> Vec<Finding> {
        if self.survey.premature.is_empty() || !self.has_proof() {
            return Vec::new();
        }
        let way = &self.survey.premature[0];
        let failed = way.calls.iter().rev().find(|(at, _)| matches!(self.role(*at), Some(Role::Proof(_))));
        let (entry, fact) = match failed {
            Some((at, _)) => {
                let entry = &self.stack.entries[*at];
                (entry, format!("if {} says no, {OURS} is called all the same", module_name(entry)))
            }
            None => {
                let Some(ours) = self.our_line() else { return Vec::new() };
                (ours, format!("{OURS} is called before any password is checked"))
            }
        };
        vec![
            Finding::new(Severity::Medium, Id::AskedBeforePassword, fact)
                .at(&entry.place)
                .meets("Strangers who know a name make mfad send mail to its owner, and see that there is a second factor")
                .remedy(format!("Let a wrong password end the stack before pam_mfad.so: {INSTEAD}")),
        ]
    }
}
